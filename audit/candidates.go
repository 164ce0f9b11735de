package audit

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"time"
)

// nameFilter tells most texts that are no name of any decision, in the same
// memory however many names there are: it may take another text for a name, and
// never a name for none.
type nameFilter struct{ bits []uint64 }

// maxNameFilter is the size of the largest filter, in bits: 16 MiB.
const maxNameFilter = 1 << 27

// newNameFilter returns the filter of so many names.
func newNameFilter(names int) *nameFilter {
	size := 1 << 12
	for size < names*32 && size < maxNameFilter {
		size *= 2
	}
	return &nameFilter{make([]uint64, size/64)}
}

func (f *nameFilter) each(name string, do func(word *uint64, bit uint64) bool) bool {
	h := hashOf([]byte(name))
	step := h>>32 | 1
	for range 5 {
		n := h % uint64(len(f.bits)*64)
		if !do(&f.bits[n/64], 1<<(n%64)) {
			return false
		}
		h += step
	}
	return true
}

func (f *nameFilter) add(name string) {
	f.each(name, func(word *uint64, bit uint64) bool { *word |= bit; return true })
}

func (f *nameFilter) has(name string) bool {
	return f.each(name, func(word *uint64, bit uint64) bool { return *word&bit != 0 })
}

// identity is what events have in common that are one: those that were delivered
// twice, or to two accounts, and the stages of a request.
func identity(e *event) []byte {
	var key rowOut
	key.str(e.id)
	key.str(e.action)
	key.str(e.principal)
	key.str(e.sent)
	return key
}

// Kinds of rows of events: first the one that counts of several. What has been
// done may stand in one log alone.
const (
	eventActed byte = iota
	eventFailed
	eventPartial
	eventService
	eventReadOnly
	eventOther
)

// summary is an event as a row: whole where it is an act of an agent.
func (e *event) summary(row *rowOut) []byte {
	kind := eventActed
	switch {
	case e.agent < 0:
		kind = eventOther
	case e.readOnly:
		kind = eventReadOnly
	case e.service:
		kind = eventService
	case e.partial:
		kind = eventPartial
	case e.failed:
		kind = eventFailed
	}
	row.reset()
	*row = append(*row, kind)
	row.flag(e.seen)
	if kind <= eventPartial {
		e.encode(row)
	} else {
		row.time(e.at)
	}
	return *row
}

// eachEvent counts the events, each once, and yields those that are acts of
// agents. Of several rows of one event the first counts, and it was seen before if
// any of them was.
func (r *run) eachEvent(f func(*event) error) error {
	var key, first []byte
	seen := false
	one := func() error {
		if first == nil {
			return nil
		}
		r.found.coverage.Events++
		return r.once(first, seen, f)
	}
	err := r.events.each(func(next, row []byte) error {
		if first != nil && bytes.Equal(next, key) {
			r.found.coverage.Duplicates++
			seen = seen || row[1] == 1
			return nil
		}
		if err := one(); err != nil {
			return err
		}
		key, first, seen = append(key[:0], next...), append(first[:0], row...), row[1] == 1
		return nil
	})
	if err != nil {
		return err
	}
	return one()
}

// once counts one event, or yields it.
func (r *run) once(row []byte, seen bool, f func(*event) error) error {
	in := readRow(row[2:])
	if kind := row[0]; kind > eventPartial {
		at := in.time()
		r.found.told(at, seen, func(c *Coverage) {
			switch kind {
			case eventService:
				c.Service++
			case eventReadOnly:
				c.ReadOnly++
			default:
				c.Other++
			}
		})
		return in.err()
	}
	var e event
	if e.decode(&in); in.bad {
		return errRow
	}
	e.seen = seen
	margin := r.doc.times.late + r.doc.times.skew
	if since := r.found.since; !since.IsZero() && e.at.Before(since.Add(-margin)) || !e.at.Before(r.found.until.Add(margin)) {
		r.found.coverage.Outside++ // too far away to take anything from what is judged
		return nil
	}
	return f(&e)
}

// candidates finds the decisions that the keys of events name, and starts the
// first round of joins.
func (r *run) candidates() (round *sorter, err error) {
	round = newSorter(r.disk)
	if !r.effects {
		return round, r.eachEvent(func(e *event) error {
			return r.start(round, e, nil)
		})
	}
	file, err := r.disk.create("events-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	resolved, err := r.resolve(file)
	if err != nil {
		return nil, err
	}
	next, done, err := resolved.cursor()
	if err != nil {
		return nil, err
	}
	defer done()
	names := &peeked{next: next}
	if err := names.advance(); err != nil {
		return nil, err
	}
	n := uint64(0)
	return round, eachRow(file, func(row []byte) error {
		var e event
		in := readRow(row)
		if e.decode(&in); in.bad {
			return errRow
		}
		var effects []candidate
		for !names.ended && binary.BigEndian.Uint64(names.key) == n {
			c := readRow(names.row)
			effects = append(effects, candidate{key: int(c.num()), decision: c.str(), shared: c.flag(), effect: true})
			if c.bad {
				return errRow
			}
			if err := names.advance(); err != nil {
				return err
			}
		}
		n++
		return r.start(round, &e, effects)
	})
}

// start collects the candidates of an event in the order of its keys, and hands
// it to the first.
func (r *run) start(round *sorter, e *event, effects []candidate) error {
	p := pending{event: *e}
	for i, k := range e.keys {
		uuids(k.text, func(id string) {
			if r.names.has(id) && !slices.ContainsFunc(p.candidates, func(c candidate) bool { return c.decision == id && !c.effect }) {
				p.candidates = append(p.candidates, candidate{decision: id, key: i})
			}
		})
		for _, c := range effects {
			if c.key == i {
				p.candidates = append(p.candidates, c)
			}
		}
	}
	return r.joiner.next(round, &p)
}

// Rows by an id that a target system gave: outcomes come before events.
const (
	rowGiven = 0
	rowSeen  = 1
)

// resolve writes the events to a file, and returns the decisions in whose
// outcomes their keys stand, by the position of the event.
func (r *run) resolve(file *os.File) (*sorter, error) {
	given := newSorter(r.disk)
	var row rowOut
	if err := r.joiner.decisions.each(func(d *decision) error {
		for _, name := range d.effects {
			row.reset()
			row = append(row, rowGiven)
			row.time(d.at)
			row.str(d.id)
			if err := given.add([]byte(name), row); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	w := newRowWriter(file)
	n := uint64(0)
	if err := r.eachEvent(func(e *event) error {
		for i, k := range e.keys {
			if !r.names.has(k.text) {
				continue
			}
			row.reset()
			row = append(row, rowSeen)
			row.time(e.at)
			row.num(n)
			row.num(uint64(i))
			if err := given.add([]byte(k.text), row); err != nil {
				return err
			}
		}
		n++
		row.reset()
		e.encode(&row)
		return w.write(nil, row)
	}); err != nil {
		return nil, err
	}
	if err := w.flush(); err != nil {
		return nil, err
	}
	return r.match(given)
}

// Of one id that several outcomes have, how many decisions are looked at, and how
// many are tried for one event. An id that more have names nothing.
const (
	maxShared   = 64
	triedShared = 4
)

type givenBy struct {
	at time.Time
	id string
}

func (r *run) match(given *sorter) (*sorter, error) {
	resolved := newSorter(r.disk)
	var name []byte
	var by []givenBy
	var row rowOut
	skew := r.doc.times.skew
	return resolved, given.each(func(key, value []byte) error {
		if !bytes.Equal(key, name) {
			name, by = append(name[:0], key...), by[:0]
		}
		in := readRow(value[1:])
		at := in.time()
		if value[0] == rowGiven {
			if id := in.str(); len(by) <= maxShared {
				by = append(by, givenBy{at, id})
			}
			return in.err()
		}
		n, i := in.num(), in.num()
		if in.bad || len(by) > maxShared {
			return in.err()
		}
		tried := 0
		for b := len(by) - 1; b >= 0 && tried < triedShared; b-- { // the last before the event first
			if by[b].at.After(at.Add(skew)) {
				continue
			}
			tried++
			row.reset()
			row.num(i)
			row.str(by[b].id)
			row.flag(len(by) > 1)
			if err := resolved.add(append(binary.BigEndian.AppendUint64(nil, n), byte(i>>8), byte(i), byte(tried)), row); err != nil {
				return err
			}
		}
		return nil
	})
}
