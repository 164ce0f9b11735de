package pgledger

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const (
	// maxBytes bounds what is appended together, beyond the first step.
	maxBytes = 8 << 20
	// maxUnsure bounds the batches of which nobody knows whether they were appended. As soon
	// as anybody appends anything, there are none.
	maxUnsure = 1024
)

// batch is steps that are appended together, behind a head.
type batch struct {
	before  rationale.Head
	chain   *rationale.Chain // of what is appended
	heads   []rationale.Head // after each record
	decided time.Time
	recs    []rationale.Record
	lines
	size    int
	steps   []*request // that took
	refused []*request // that did not, with the error of Take
}

// take takes the steps that somebody waits for, one after another.
func (l *log) take(waiting []*request, now time.Time) *batch {
	l.turn.Lock()
	defer l.turn.Unlock()
	b := &batch{before: l.head, chain: rationale.ResumeChain(l.head), decided: now}
	if l.since >= l.every {
		if err := b.add(l.state.Snapshot(now)); err != nil {
			b = &batch{before: l.head, chain: rationale.ResumeChain(l.head), decided: now} // the next batch tries again
		}
	}
	for _, r := range waiting {
		switch {
		case r.answered(): // nobody waits any more
		case b.size > maxBytes:
			return b
		default:
			b.take(r)
		}
	}
	return b
}

func (b *batch) take(r *request) {
	recs, err := r.Take(b.decided)
	if err != nil {
		r.refusal = err
		b.refused = append(b.refused, r)
		return
	}
	if err := b.add(recs); err != nil {
		r.Undo(false)
		r.refusal = err
		b.refused = append(b.refused, r)
		return
	}
	r.taken = true
	b.steps = append(b.steps, r)
}

// add adds records, all or none.
func (b *batch) add(recs []rationale.Record) error {
	bodies := make([][]byte, len(recs))
	for i, rec := range recs {
		var err error
		if bodies[i], err = rationale.Marshal(rec); err != nil {
			return err
		}
	}
	var line []byte // for its hash
	for i, rec := range recs {
		b.recs = append(b.recs, rec)
		b.kinds, b.ids = append(b.kinds, string(rec.RecordKind())), append(b.ids, rec.RecordID())
		b.bodies, b.size = append(b.bodies, bodies[i]), b.size+len(bodies[i])
		line = b.chain.AppendBody(line[:0], bodies[i])
		b.heads = append(b.heads, b.chain.Head())
	}
	return nil
}

// unanswered returns the steps that have no answer.
func (l *log) unanswered(waiting []*request) []*request {
	l.turn.Lock()
	defer l.turn.Unlock()
	return slices.DeleteFunc(slices.Clone(waiting), (*request).answered)
}

// refuse answers steps with an error.
func (l *log) refuse(steps []*request, err error) {
	l.turn.Lock()
	defer l.turn.Unlock()
	for _, r := range steps {
		r.answer(err)
	}
}

// undo gives back what a batch took, since it was not appended.
func (l *log) undo(b *batch) {
	l.turn.Lock()
	defer l.turn.Unlock()
	for _, r := range slices.Backward(b.steps) {
		r.Undo(false)
		r.taken = false
	}
}

// unsure gives back what a batch took of which nobody knows whether it was appended, and
// answers its steps so.
func (l *log) unsure(b *batch, err error) {
	l.turn.Lock()
	defer l.turn.Unlock()
	for _, r := range slices.Backward(b.steps) {
		if !r.left { // which was when it left
			r.Undo(true)
		}
		r.answer(fmt.Errorf("%w: %w", journal.ErrUncertain, err))
	}
	l.unknown = append(l.unknown, b)
}

// appended takes in a batch that is in the log, and answers all of its steps.
func (l *log) appended(b *batch, p page) error {
	l.turn.Lock()
	defer l.turn.Unlock()
	for i, rec := range b.recs {
		var err error
		if b.left() { // whoever made it may have changed it since
			rec, err = rationale.Unmarshal(b.bodies[i])
		}
		if err == nil {
			err = l.apply(rec, b.heads[i])
		}
		if err != nil {
			l.fail(err)
			return fmt.Errorf("%w: %w", journal.ErrUncertain, err)
		}
	}
	l.heard(p, b.chain.Head())
	for _, r := range b.steps {
		r.answer(nil)
	}
	for _, r := range b.refused {
		r.answer(r.refusal)
	}
	return nil
}

// left reports whether nobody waits any more for one of the steps.
func (b *batch) left() bool {
	return slices.ContainsFunc(b.steps, func(r *request) bool { return r.left })
}

// settle says what became of batches of which that was not known, now that the record at a head is:
// theirs, or another's, and then theirs can never be there.
func (l *log) settle(at rationale.Head) {
	l.unknown = slices.DeleteFunc(l.unknown, func(b *batch) bool {
		i := int(at.Seq - b.before.Seq - 1)
		if b.heads[i] == at {
			return i == len(b.heads)-1 // all of it: the state is given its records
		}
		for _, r := range slices.Backward(b.steps) {
			r.Undo(false)
		}
		return true
	})
}

// absorb takes in what others have appended. It reports whether that is everything.
func (l *log) absorb(p page) (whole bool, err error) {
	l.turn.Lock()
	defer l.turn.Unlock()
	defer func() {
		if err != nil {
			l.fail(err)
		}
	}()
	if p.head.Seq < l.head.Seq || p.head.Seq == l.head.Seq && p.head.Hash != l.head.Hash {
		return false, fmt.Errorf("the database has another past: its log ends with record %d, %s, and record %d was %s; a failover or a restored backup lost records that had been acknowledged",
			p.head.Seq, p.head.Hash, l.head.Seq, l.head.Hash)
	}
	if len(p.bodies) > 0 && p.first != l.head.Seq+1 {
		return false, fmt.Errorf("records %d to %d were retired before this replica had seen them", l.head.Seq+1, p.first-1)
	}
	chain := rationale.ResumeChain(l.head)
	for _, body := range p.bodies {
		rec, err := rationale.Unmarshal(body)
		if err != nil {
			return false, fmt.Errorf("record %d: %w", chain.Head().Seq+1, err)
		}
		chain.AppendBody(nil, body)
		if err := l.apply(rec, chain.Head()); err != nil {
			return false, err
		}
	}
	if whole = chain.Head().Seq == p.head.Seq; whole && chain.Head().Hash != p.head.Hash {
		return false, fmt.Errorf("the records of the database do not follow from those that this replica has: with record %d the chain is at %s, and the log says %s",
			p.head.Seq, chain.Head().Hash, p.head.Hash)
	}
	l.heard(p, chain.Head())
	return whole, nil
}

// apply gives the state the next record, which is the last of the log at a head.
func (l *log) apply(rec rationale.Record, at rationale.Head) error {
	l.settle(at)
	l.since++
	switch r := rec.(type) {
	case *rationale.Snapshot:
		l.since = 0
		return readable(r, at.Seq)
	case *rationale.Checkpoint:
	case *rationale.Unknown:
		return fmt.Errorf("record %d is of kind %q, which this version does not know: a newer one writes to this log; run that one here too", at.Seq, rationale.Printable(string(r.Kind)))
	default:
		l.state.Apply(rec, journal.Position{Journal: at.Journal, Segment: at.Seq, Seq: at.Seq})
	}
	return nil
}

// readable reports whether this version could begin with another replica's snapshot. If not, that
// replica may judge by what this one does not know.
func readable(s *rationale.Snapshot, seq uint64) error {
	_, probe := ledger.Share(nil)
	if err := probe.Restore(s); err != nil {
		return fmt.Errorf("record %d is a snapshot of another version: %w; run that version here too", seq, err)
	}
	return nil
}

// heard publishes how far the state is, and the time.
func (l *log) heard(p page, head rationale.Head) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock = p.clock
	if l.head != head {
		l.head = head
		close(l.moved)
		l.moved = make(chan struct{})
	}
}

// ofContent reports whether the database refused what was to be appended, and not to append.
func ofContent(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || len(e.Code) != 5 {
		return false
	}
	switch e.Code[:2] {
	case "21", "22", "23", "54": // cardinality, data, constraint, limit
		return true
	}
	return false
}
