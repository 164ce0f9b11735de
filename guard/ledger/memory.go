// Package ledger admits and records calls: the state that decides beside the
// documents, and the way into the evidence.
//
// [Memory] is the ledger of one process. It promises that a decision is
// recorded before it counts as admitted, and that an allowed decision gets
// exactly one outcome. It does not promise yet: spend windows and rates (a
// document that uses them does not load), answers to tickets and reviews,
// brakes, and recovery. What it knows of open decisions, tickets and reviews
// ends with the process; the records stay.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// Recorder keeps records. *journal.Journal is one.
type Recorder interface {
	// Append makes the records durable, in this order and all of them, or
	// returns an error. It must be safe for concurrent use, must have encoded
	// the records when it returns, and does not change them.
	Append(ctx context.Context, recs ...rationale.Record) error
}

// Limits of what a Memory keeps, each in decisions.
const (
	maxOpen    = 65536
	maxTickets = 65536
	maxReviews = 65536
)

// ErrNotOpen is the error of [Memory.Complete] for a decision that has no
// outcome to come: it is not known, was not allowed, or has its outcome.
var ErrNotOpen = errors.New("ledger: no outcome is expected for this decision")

// Memory is a ledger that keeps its state in memory and its records with a
// [Recorder]. It is safe for concurrent use; records that are appended at the
// same time reach the Recorder at the same time, so that it can write them
// together. Make one with [New]; the zero Memory admits nothing.
//
// Its memory is bounded. Of 65,536 open decisions without outcome, the oldest
// gets the outcome unknown when another is admitted. Of 65,536 tickets, the
// next to expire is forgotten, and of as many reviews owed, the next to fall
// due; both stay in the records.
type Memory struct {
	recorder Recorder

	mu      sync.Mutex
	open    deadlines // allowed, without outcome; by the time of the decision
	tickets deadlines // by expiry
	reviews deadlines // by due date
}

// New returns a ledger that records with recorder.
func New(recorder Recorder) *Memory {
	return &Memory{
		recorder: recorder,
		open:     newDeadlines(), tickets: newDeadlines(), reviews: newDeadlines(),
	}
}

// Admit concludes the draft and records it. With an error nothing is admitted,
// and the state is as before. A draft without an id, or with that of an open
// decision, is an error.
func (m *Memory) Admit(ctx context.Context, d *rationale.Decision) (err error) {
	if d == nil || d.ID == "" {
		return errors.New("ledger: the draft decision has no id")
	}
	rationale.Conclude(d)
	if d.Verdict != rationale.Allow {
		if err := m.append(ctx, d); err != nil {
			return err
		}
		m.admitted(d, "")
		return nil
	}
	oldest, err := m.reserve(d)
	if err != nil {
		return err
	}
	recs := []rationale.Record{d}
	if oldest != "" {
		recs = append(recs, lost(oldest, d.At))
	}
	if err := m.append(ctx, recs...); err != nil {
		m.release(d.ID, oldest)
		return err
	}
	m.admitted(d, oldest)
	return nil
}

// Complete records the outcome of an allowed decision. For a decision that
// expects none it returns [ErrNotOpen]. With any other error the outcome was
// not recorded, and is still expected.
func (m *Memory) Complete(ctx context.Context, o *rationale.Outcome) error {
	if o == nil || o.ID == "" {
		return errors.New("ledger: the outcome has no id")
	}
	if !m.claim(o.Decision) {
		return ErrNotOpen
	}
	if err := m.append(ctx, o); err != nil {
		m.release("", o.Decision)
		return err
	}
	m.settle(o.Decision, o.Status)
	return nil
}

// Record appends records as they are.
func (m *Memory) Record(ctx context.Context, recs ...rationale.Record) error {
	if len(recs) == 0 {
		return nil
	}
	return m.append(ctx, recs...)
}

// Status is what a ledger waits for at one time.
type Status struct {
	Open    int // allowed decisions without outcome
	Pending int // tickets that have not expired
	Owed    int // reviews owed for actions that were admitted
	Overdue int // of these, past their due date
}

// Status returns what the ledger waits for at a time.
func (m *Memory) Status(at time.Time) Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tickets.expire(at)
	return Status{
		Open: m.open.len(), Pending: m.tickets.len(), Owed: m.reviews.len(), Overdue: m.reviews.before(at),
	}
}

// append hands records to the recorder; a panic of it is an error.
func (m *Memory) append(ctx context.Context, recs ...rationale.Record) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("ledger: the recorder panicked: %v", r)
		}
	}()
	if m.recorder == nil {
		return errors.New("ledger: there is no recorder")
	}
	return m.recorder.Append(ctx, recs...)
}

// reserve makes room for an allowed decision before it is recorded. It returns
// the decision that has to make room, if any, claimed.
func (m *Memory) reserve(d *rationale.Decision) (oldest string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open.byID == nil {
		return "", errors.New("ledger: the zero Memory admits nothing")
	}
	if m.open.get(d.ID) != nil {
		return "", fmt.Errorf("ledger: decision %s is open already", d.ID)
	}
	if m.open.len() >= maxOpen {
		first := m.open.first()
		if first.claimed {
			return "", errors.New("ledger: too many decisions are open")
		}
		first.claimed = true
		oldest = first.id
	}
	m.open.add(d.ID, d.At).claimed = true // nobody completes it before it is recorded
	return oldest, nil
}

func (m *Memory) claim(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.open.get(id)
	if e == nil || e.claimed {
		return false
	}
	e.claimed = true
	return true
}

// release undoes a reservation and a claim.
func (m *Memory) release(reserved, claimed string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open.remove(reserved)
	if e := m.open.get(claimed); e != nil {
		e.claimed = false
	}
}

// settle closes a decision whose outcome is recorded. Where it was not executed
// there is no action to review.
func (m *Memory) settle(id string, status rationale.Status) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open.remove(id)
	if status == rationale.StatusNotExecuted {
		m.reviews.remove(id)
	}
}

// admitted takes a recorded decision into the state, and closes the one that
// made room for it, if any.
func (m *Memory) admitted(d *rationale.Decision, oldest string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open.remove(oldest)
	if e := m.open.get(d.ID); e != nil {
		e.claimed = false
	}
	if d.Ticket != nil {
		m.tickets.expire(d.At)
		m.tickets.addWithin(maxTickets, d.ID, d.Ticket.Expires)
	}
	if d.Review != nil {
		m.reviews.addWithin(maxReviews, d.ID, d.Review.Due)
	}
}

// lost is the outcome of a decision for which no outcome came.
func lost(decision string, at time.Time) *rationale.Outcome {
	return &rationale.Outcome{
		Kind: rationale.KindOutcome, ID: rationale.NewID(at), At: at, Decision: decision,
		Status: rationale.StatusUnknown, ErrorType: "no_outcome",
	}
}
