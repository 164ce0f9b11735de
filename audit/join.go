package audit

import (
	"context"
	"errors"
	"io"
)

// candidate is a decision that a key of an event names.
type candidate struct {
	decision string
	key      int  // index of event.keys
	effect   bool // the key is an id that the decision's outcome has, not the decision's own
	shared   bool // outcomes of several decisions have it
}

// pending is an event that is not explained yet, and what may still explain it.
type pending struct {
	event      event
	candidates []candidate
	// The first decision that a key named and that does not cover the event.
	refused, place, why, tool, class, authorization string
	key                                             int
	tried                                           int // groups of weak joins that had no decision for it
}

// refuse says that a decision does not cover the event. Key is the index of the key
// that names it; -1: none does.
func (p *pending) refuse(d *decision, why string, key int) {
	p.refused, p.place, p.why, p.tool, p.class, p.authorization, p.key = d.id, d.place, why, d.tool, d.class, d.authorization, key
}

// encode writes those first that an earlier run judged: what it gave them is
// taken.
func (p *pending) encode(b *rowOut) {
	b.flag(!p.event.seen)
	p.event.encode(b)
	b.num(uint64(len(p.candidates)))
	for _, c := range p.candidates {
		b.str(c.decision)
		b.num(uint64(c.key))
		b.flag(c.effect)
		b.flag(c.shared)
	}
	for _, s := range []string{p.refused, p.place, p.why, p.tool, p.class, p.authorization} {
		b.str(s)
	}
	b.num(uint64(p.key))
	b.num(uint64(p.tried))
}

func (p *pending) decode(row []byte) error {
	r := readRow(row)
	r.flag()
	p.event.decode(&r)
	p.candidates = p.candidates[:0]
	for n := r.num(); n > 0 && !r.bad; n-- {
		p.candidates = append(p.candidates, candidate{r.str(), int(r.num()), r.flag(), r.flag()})
	}
	for _, s := range []*string{&p.refused, &p.place, &p.why, &p.tool, &p.class, &p.authorization} {
		*s = r.str()
	}
	p.key, p.tried = int(r.num()), int(r.num())
	return r.err()
}

// joiner assigns events to decisions. Strong keys come first, in the order in
// which the document has them, and then what principal, action, resource and
// time say. Each decision explains as many acts as a call of its tool makes, and
// no more.
type joiner struct {
	ctx       context.Context
	doc       *Document
	disk      *disk
	decisions *table // by id
	found     *findings
	row       rowOut
	// Events that no key explains: those that an earlier run judged, and the new.
	before, left *leftover
}

// leftover is pending events by group and time, and the groups that they are in.
type leftover struct {
	events *sorter
	groups groupFilter
}

func newLeftover(disk *disk) *leftover { return &leftover{newSorter(disk), groupFilter{}} }

func (j *joiner) put(into *sorter, key []byte, p *pending) error {
	j.row.reset()
	p.encode(&j.row)
	return into.add(key, j.row)
}

// next hands an event on: to the decision that its next key names, or to what
// is left for weak joins.
func (j *joiner) next(round *sorter, p *pending) error {
	switch {
	case len(p.candidates) > 0:
		return j.put(round, []byte(p.candidates[0].decision), p)
	case p.event.failed:
		j.found.told(p.event.at, p.event.seen, func(c *Coverage) { c.Failed++ })
		return nil
	case p.refused != "":
		return j.found.refused(p)
	}
	return j.group(p)
}

// strong joins events with the decisions that their keys name, the strongest
// first; an event whose key names none goes on with its next one.
func (j *joiner) strong(round *sorter) error {
	for round.n > 0 {
		later := newSorter(j.disk)
		next, done, err := round.cursor()
		if err != nil {
			return err
		}
		defer done()
		events := &peeked{next: next}
		if err := events.advance(); err != nil {
			return err
		}
		if err := j.decisions.update(func(d *decision) (bool, error) { return j.named(events, d, later) }); err != nil {
			return err
		}
		for !events.ended { // keys that name no decision at all
			if err := j.skip(events, later); err != nil {
				return err
			}
		}
		round = later
	}
	return nil
}

// peeked is a cursor that stands at a row.
type peeked struct {
	next     func() (key, row []byte, err error)
	key, row []byte
	ended    bool
}

func (p *peeked) advance() error {
	var err error
	p.key, p.row, err = p.next()
	if errors.Is(err, io.EOF) {
		p.ended, err = true, nil
	}
	return err
}

// named judges the events whose key names a decision.
func (j *joiner) named(events *peeked, d *decision, later *sorter) (changed bool, err error) {
	for !events.ended && string(events.key) < d.id {
		if err := j.skip(events, later); err != nil {
			return false, err
		}
	}
	for !events.ended && string(events.key) == d.id {
		var p pending
		if err := p.decode(events.row); err != nil {
			return false, err
		}
		if err := j.judge(&p, d, later); err != nil {
			return false, err
		}
		changed = true
		if err := events.advance(); err != nil {
			return false, err
		}
	}
	return changed, j.ctx.Err()
}

// skip goes on with the next key of an event.
func (j *joiner) skip(events *peeked, later *sorter) error {
	var p pending
	if err := p.decode(events.row); err != nil {
		return err
	}
	p.candidates = p.candidates[1:]
	if err := j.next(later, &p); err != nil {
		return err
	}
	return events.advance()
}

func (j *joiner) judge(p *pending, d *decision, later *sorter) error {
	c := p.candidates[0]
	if p.event.failed {
		return j.found.failed(p)
	}
	no := j.doc.strong(&p.event, d)
	if no == nil {
		d.acted.by(&p.event)
		return j.found.explained(p, d, c)
	}
	// A decision's own id is known to nobody else. An id that the target gave is
	// known to many, so it names the decision only for an event that is one of its
	// call.
	names := !c.effect || no.of == ofExtent && !c.shared
	if names && p.refused == "" {
		p.refuse(d, no.why, c.key)
	}
	p.candidates = p.candidates[1:]
	if names && no.of != ofKind {
		d.named = true
		p.candidates = nil // no weaker key tells more
	}
	return j.next(later, p)
}
