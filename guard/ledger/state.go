package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// projection is the [journal.State] of a Memory: what its records amount to.
type projection struct{ *Memory }

// Apply takes in one record.
func (p projection) Apply(rec rationale.Record, at journal.Position) { p.apply(rec, at.Segment) }

func (m *Memory) apply(rec rationale.Record, segment uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shared == nil {
		m.latest = m.later(rec.RecordTime())
	}
	switch r := rec.(type) {
	case *rationale.Decision:
		m.decided(r, segment)
	case *rationale.Approval:
		m.answered(r)
	case *rationale.Review:
		m.reviews.close(r.Decision)
	case *rationale.Outcome:
		m.open.remove(r.Decision)
		m.budgets.concluded(r)
		if r.Status == rationale.StatusNotExecuted {
			m.reviews.close(r.Decision) // there is no action to review
		}
	case *rationale.Settlement:
		m.budgets.settled(r)
	case *rationale.Lifecycle:
		m.documents.apply(r)
		m.past.apply(r)
		m.suspensions.apply(r)
		m.audits.apply(r)
	}
}

func (m *Memory) decided(d *rationale.Decision, segment uint64) {
	if d.Verdict == rationale.Allow {
		e := m.open.add(deadline{id: d.ID, at: m.expected(d), expendable: expendable(d)})
		e.segment, e.reserved, e.claimed = segment, false, false
		if m.adrift[d.ID] {
			delete(m.adrift, d.ID)
			m.strays = append(m.strays, d.ID)
		}
	}
	m.budgets.admitted(d, segment)
	m.ticketed(d, segment)
	m.reviews.open(d, segment)
	m.given.count(d)
}

// stateVersion is raised when an older version could not read what it says.
// Version 1 had no budgets, and tickets and reviews that nobody could answer.
const stateVersion = 2

// state is what a snapshot says.
type state struct {
	Version int       `json:"version"`
	Open    []waiting `json:"open"`

	Budgets     budgetsState       `json:"budgets,omitzero"`
	Tickets     []savedTicket      `json:"tickets"`
	TicketsAt   time.Time          `json:"tickets_at,omitzero"` // the latest that a decision says
	Reviews     []savedReview      `json:"reviews"`
	Rationales  []savedRationale   `json:"rationales,omitempty"`
	Suspensions []json.RawMessage  `json:"suspensions,omitempty"`
	Audits      map[string]audited `json:"audits,omitempty"`
	Past        savedPast          `json:"past,omitzero"`
	Latest      time.Time          `json:"latest"`
}

// waiting is one decision that something is waited for.
type waiting struct {
	Decision string    `json:"decision"`
	At       time.Time `json:"at"`
	Segment  uint64    `json:"segment"`
}

// Snapshot returns the state, and the documents that are in force, so that they
// stay beside the decisions that rest on them when older segments go.
func (p projection) Snapshot(now time.Time) []rationale.Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shared == nil { // who shares a log forgets by its records alone
		p.tickets.forgetUntil(p.later(now))
	}
	s, err := p.save()
	if err != nil { // a time that JSON cannot hold; no record with it could be written
		return nil
	}
	recs := []rationale.Record{&rationale.Snapshot{ID: rationale.NewID(now), At: now, State: s}}
	if p.journal == nil && p.shared == nil {
		return recs // it is being opened: the documents are those of a process that ended
	}
	return append(recs, p.documents.again(now)...)
}

func (p projection) save() ([]byte, error) {
	s := state{
		Version: stateVersion, Open: p.open.list(), Budgets: p.budgets.state(), TicketsAt: p.tickets.now,
		Rationales: p.given.save(), Audits: p.audits.save(), Latest: p.latest,
	}
	var err error
	if s.Tickets, err = p.tickets.save(); err != nil {
		return nil, err
	}
	if s.Reviews, err = p.reviews.save(); err != nil {
		return nil, err
	}
	if s.Suspensions, err = p.suspensions.save(); err != nil {
		return nil, err
	}
	if s.Past, err = p.past.save(); err != nil {
		return nil, err
	}
	return json.Marshal(s)
}

// Restore takes over a snapshot.
func (p projection) Restore(s *rationale.Snapshot) error {
	var said state
	if err := json.Unmarshal(s.State, &said); err != nil {
		return err
	}
	switch said.Version {
	case stateVersion:
	case 1: // the records have its tickets and reviews
		said.Tickets, said.Reviews = nil, nil
	default:
		return fmt.Errorf("its state has version %d, and this version reads 1 and %d", said.Version, stateVersion)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.budgets.restore(said.Budgets); err != nil {
		return err
	}
	p.open = newDeadlines()
	for _, w := range said.Open {
		p.open.add(deadline{id: w.Decision, at: w.At, segment: w.Segment})
	}
	p.latest = said.Latest
	p.given.restore(said.Rationales)
	clear(p.audits)
	for id, a := range said.Audits {
		p.audits[id] = &a
	}
	p.documents = documents{}
	return errors.Join(p.tickets.restore(said.Tickets, said.TicketsAt), p.reviews.restore(said.Reviews), p.suspensions.restore(said.Suspensions), p.past.restore(said.Past))
}

// Needed returns the first segment with a decision that something is waited for.
func (p projection) Needed() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := uint64(0)
	need := func(e *deadline) {
		if e.segment != 0 && (first == 0 || e.segment < first) {
			first = e.segment
		}
	}
	for _, e := range slices.Concat(p.open.heap, p.reviews.due.heap) {
		need(e)
	}
	now := p.later(p.now())
	for _, e := range p.tickets.expiry.heap {
		if e.at.After(now) { // else nobody can answer it any more
			need(e)
		}
	}
	if s := p.budgets.needed(); s != 0 && (first == 0 || s < first) {
		first = s
	}
	return first
}
