// Package ledger admits and records calls: the state that decides beside the
// documents, and the way into the evidence.
//
// [Memory] is the ledger of one process: its state lies in memory, and is a
// projection of its records. On a journal ([Open]) the state is rebuilt when the
// process starts, and a decision whose process ended before its outcome gets the
// outcome unknown. It promises that a decision is durable before it counts as
// admitted, and that an allowed decision gets exactly one outcome. Limits over time
// hold: what a call takes of them is taken with its decision, in one step, and freed by
// nothing but its outcome or a settlement ([Memory.Settle]). What people answer
// ([Memory.Answer], [Memory.Review], [Memory.Suspend]) counts from its record on.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// Recorder keeps records.
type Recorder interface {
	// Append makes the records durable, in this order and all of them, or
	// returns an error. It must be safe for concurrent use, must have encoded
	// the records when it returns, and does not change them.
	Append(ctx context.Context, recs ...rationale.Record) error
}

// Limits of what a Memory keeps, each in decisions.
const (
	maxOpen    = 65536
	maxTickets = 16384
	maxReviews = 16384
	maxAdrift  = 4096
)

// ErrNotOpen is the error of [Memory.Complete] for a decision that has no
// outcome to come: it is not known, was not allowed, or has its outcome.
var ErrNotOpen = errors.New("ledger: no outcome is expected for this decision")

// Memory is a ledger that keeps its state in memory and its records on a
// journal, or with a [Recorder]. It is safe for concurrent use; records that are
// appended at the same time reach the journal at the same time, so that it can
// write them together. Make one with [Open] or [New]; the zero Memory admits
// nothing.
//
// Its memory is bounded. Of 65,536 open decisions without outcome, the oldest
// gets the outcome unknown when another is admitted. Of 16,384 tickets, or 16 MiB
// of them, of which each counts 1 KiB at least, the agent that has most of the room loses
// the next to expire; it stays in the records, and can no longer be used. With 16,384 reviews owed, or 16 MiB, calls that could owe another
// wait for people. With 16 MiB of calls that hold a budget, of which each is 192 bytes
// and 144 for each of its limits, no other is admitted that would take of a limit.
type Memory struct {
	recorder Recorder
	journal  *journal.Journal // nil: the recorder is no journal that was opened here
	shared   Shared           // in place of a recorder

	mu        sync.Mutex
	open      deadlines // allowed, without outcome; by the time that expected returns
	tickets   tickets
	reviews   reviews
	given     rationales
	adrift    map[string]bool // denied because nobody knew whether they were recorded
	strays    []string        // adrift, and recorded after all
	documents documents
	past      past
	budgets   budgets
	latest    time.Time // of the records; of a shared log, by its clock

	suspensions suspensions
	audits      audits
	notifying   notifying
	admitting   sync.RWMutex // read-held from the check of a call until it is recorded
	answering   turn         // of whoever answers
	switching   turn         // of whoever suspends or resumes
}

// New returns a ledger that records with recorder and remembers nothing of what
// was recorded before. Use [Open] where the records shall outlive the process.
func New(recorder Recorder) *Memory {
	m := newMemory()
	m.recorder = recorder
	return m
}

func newMemory() *Memory {
	return &Memory{
		open: newDeadlines(), tickets: newTickets(), reviews: newReviews(), given: make(rationales),
		adrift: make(map[string]bool), budgets: newBudgets(), suspensions: make(suspensions), audits: make(audits),
		past: newPast(),
	}
}

// Admit concludes the draft and records it. With an error nothing is admitted,
// and the state is as before. A draft without an id, or with that of an open
// decision, is an error.
//
// Before, it adds the checks that only the ledger can make: of what people have
// suspended, of reviews that are overdue, and, for a draft that presents a ticket
// (Parent), of its approval, which is used up in this one step if the call is
// allowed.
//
// The record is durable as its terms say; what holds a budget, or asks people for
// an answer, always survives the end of the machine.
func (m *Memory) Admit(ctx context.Context, d *rationale.Decision) (err error) {
	if d == nil || d.ID == "" {
		return errors.New("ledger: the draft decision has no id")
	}
	if m.open.byID == nil {
		return errors.New("ledger: the zero Memory admits nothing")
	}
	m.admitting.RLock()
	defer m.admitting.RUnlock()
	a := &admission{Memory: m, d: d, mode: d.Mode}
	if m.shared != nil {
		a.asked = time.Now()
	}
	return m.commit(ctx, a)
}

// Complete records the outcome of an allowed decision. For a decision that
// expects none it returns [ErrNotOpen]. With any other error the outcome was
// not recorded, and is still expected, unless the error is
// [journal.ErrUncertain].
func (m *Memory) Complete(ctx context.Context, o *rationale.Outcome) error {
	if o == nil || o.ID == "" {
		return errors.New("ledger: the outcome has no id")
	}
	return m.commit(ctx, &completion{Memory: m, recs: [1]rationale.Record{o}, decision: o.Decision})
}

// completion is the step that an outcome makes.
type completion struct {
	*Memory
	recs     [1]rationale.Record
	decision string
}

func (c *completion) take() (recs []rationale.Record, expendable bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.open.get(c.decision)
	if e == nil || e.claimed {
		return nil, false, ErrNotOpen
	}
	e.claimed = true
	return c.recs[:], e.expendable, nil
}

func (c *completion) undo(uncertain bool) {
	if uncertain {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unclaim(c.decision)
}

// Record appends lifecycle records as they are. Every other record has a method of
// its own, which checks it; so have a suspension by a person, an audit and an answer
// to one.
func (m *Memory) Record(ctx context.Context, recs ...rationale.Record) error {
	if len(recs) == 0 {
		return nil
	}
	for _, rec := range recs {
		l, ok := rec.(*rationale.Lifecycle)
		if !ok || l == nil || l.Suspension != nil || l.Event == rationale.EventAudited || l.Event == rationale.EventAnswered {
			return fmt.Errorf("ledger: Record is for lifecycle records, not for a %T, a suspension or an audit", rec)
		}
	}
	return m.commit(ctx, asIs(recs))
}

// Status is what a ledger waits for at one time.
type Status struct {
	Open    int // allowed decisions without outcome
	Pending int // tickets that have not expired
	Owed    int // reviews owed for actions that were admitted
	Overdue int // of these, past their due date
}

// Status returns what the ledger waits for at a time; on a shared log, now.
func (m *Memory) Status(at time.Time) Status {
	m.tick()
	m.mu.Lock()
	defer m.mu.Unlock()
	at = m.asOf(at)
	overdue := 0
	for range m.reviews.due.until(at) {
		overdue++
	}
	return Status{Open: m.open.len(), Pending: len(m.tickets.pending(m.later(at))), Owed: m.reviews.due.len(), Overdue: overdue}
}
