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
	"slices"
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
// of them, the next to expire is forgotten; it stays in the records, and can no
// longer be used. With 16,384 reviews owed, or 16 MiB, calls that could owe another
// wait for people.
type Memory struct {
	recorder Recorder
	journal  *journal.Journal // nil: the recorder is no journal that was opened here

	mu        sync.Mutex
	open      deadlines // allowed, without outcome; by the time of the decision
	tickets   tickets
	reviews   reviews
	given     rationales
	adrift    map[string]bool // denied because nobody knew whether they were recorded
	strays    []string        // adrift, and recorded after all
	documents documents
	budgets   budgets
	latest    time.Time // of the records

	suspensions suspensions
	notifying   notifying
	admitting   sync.RWMutex  // read-held from the check of a call until it is recorded
	answering   chan struct{} // holds whoever answers
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
		adrift: make(map[string]bool), documents: make(documents), budgets: newBudgets(),
		suspensions: make(suspensions), answering: make(chan struct{}, 1),
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
	m.admitting.RLock()
	defer m.admitting.RUnlock()
	oldest, err := m.decide(d)
	if err != nil {
		return err
	}
	recs := []rationale.Record{d}
	if oldest != "" {
		recs = append(recs, lost(oldest, d.At, "no_outcome"))
	}
	if err := m.append(ctx, expendable(d), recs...); err != nil {
		m.withdraw(d, oldest, errors.Is(err, journal.ErrUncertain))
		return err
	}
	return nil
}

// expendable reports whether a decision may be lost with the machine.
func expendable(d *rationale.Decision) bool {
	return d.Terms.Durability == rationale.DurabilityOS &&
		d.Spend == nil && d.Limits == nil && d.Ticket == nil && d.Review == nil && d.Approval == ""
}

// Complete records the outcome of an allowed decision. For a decision that
// expects none it returns [ErrNotOpen]. With any other error the outcome was
// not recorded, and is still expected, unless the error is
// [journal.ErrUncertain].
func (m *Memory) Complete(ctx context.Context, o *rationale.Outcome) error {
	if o == nil || o.ID == "" {
		return errors.New("ledger: the outcome has no id")
	}
	expendable, ok := m.claim(o.Decision)
	if !ok {
		return ErrNotOpen
	}
	err := m.append(ctx, expendable, o)
	if err != nil && !errors.Is(err, journal.ErrUncertain) {
		m.release(o.Decision)
	}
	return err
}

// Record appends lifecycle records as they are. Every other record has a method of
// its own, which checks it; so has a suspension by a person.
func (m *Memory) Record(ctx context.Context, recs ...rationale.Record) error {
	if len(recs) == 0 {
		return nil
	}
	for _, rec := range recs {
		if l, ok := rec.(*rationale.Lifecycle); !ok || l == nil || l.Suspension != nil {
			return fmt.Errorf("ledger: Record is for lifecycle records, not for a %T or a suspension", rec)
		}
	}
	return m.append(ctx, false, recs...)
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
		Open: m.open.len(), Pending: m.tickets.pending(), Owed: m.reviews.due.len(), Overdue: m.reviews.due.before(at),
	}
}

// append hands records to the recorder, with the outcomes of what went adrift,
// and takes them into the state, unless a journal does that itself.
func (m *Memory) append(ctx context.Context, expendable bool, recs ...rationale.Record) error {
	strays := m.takeStrays()
	now := recs[0].RecordTime()
	for _, id := range strays {
		recs = append(recs, &rationale.Outcome{
			Kind: rationale.KindOutcome, ID: rationale.NewID(now), At: now, Decision: id,
			Status: rationale.StatusNotExecuted, ErrorType: "evidence_unavailable",
		})
	}
	if err := m.write(ctx, expendable && len(strays) == 0, recs); err != nil {
		m.returnStrays(strays)
		return err
	}
	if m.journal == nil {
		for _, rec := range recs {
			m.apply(rec, 0)
		}
	}
	m.notify(now)
	return nil
}

// write calls the recorder; a panic of it is an error.
func (m *Memory) write(ctx context.Context, expendable bool, recs []rationale.Record) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("ledger: the recorder panicked: %v", r)
		}
	}()
	if m.recorder == nil {
		return errors.New("ledger: there is no recorder")
	}
	if w, ok := m.recorder.(interface {
		Write(ctx context.Context, recs ...rationale.Record) error
	}); ok && expendable {
		return w.Write(ctx, recs...)
	}
	return m.recorder.Append(ctx, recs...)
}

// decide judges and concludes a draft, and takes what it needs before it is
// recorded. It returns the decision that has to make room, if any, claimed.
func (m *Memory) decide(d *rationale.Decision) (oldest string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open.byID == nil {
		return "", errors.New("ledger: the zero Memory admits nothing")
	}
	if err := m.judge(d); err != nil {
		return "", err
	}
	rationale.Conclude(d)
	if d.Verdict == rationale.Allow {
		if oldest, err = m.reserve(d); err != nil {
			return "", err
		}
	}
	if d.Takes() {
		m.budgets.reserve(d)
	}
	m.takeTicket(d)
	return oldest, nil
}

// judge adds the checks that only the ledger can make. A draft that is admitted
// again, since its record failed, is judged again.
func (m *Memory) judge(d *rationale.Decision) error {
	d.Approval = ""
	d.Checks = slices.DeleteFunc(d.Checks, func(c rationale.Check) bool {
		switch c.Kind {
		case rationale.CheckSuspended, rationale.CheckWindow, rationale.CheckRate, rationale.CheckBrake, rationale.CheckApproval:
			return true
		}
		return false
	})
	d.Terms.Repeated = m.given.repeats(d)
	m.suspensions.deny(d)
	if err := m.checkLimits(d); err != nil {
		return err
	}
	m.reviews.brake(d, m.later(d.At))
	if d.Parent != "" {
		m.present(d, m.later(d.At))
	}
	return nil
}

// reserve makes room for an allowed decision before it is recorded.
func (m *Memory) reserve(d *rationale.Decision) (oldest string, err error) {
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
	// Claimed: nobody completes it before it is recorded.
	m.open.add(deadline{id: d.ID, at: d.At, expendable: expendable(d), reserved: true, claimed: true})
	return oldest, nil
}

func (m *Memory) claim(id string) (expendable, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.open.get(id)
	if e == nil || e.claimed {
		return false, false
	}
	e.claimed = true
	return e.expendable, true
}

func (m *Memory) release(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unclaim(id)
}

func (m *Memory) unclaim(id string) {
	if e := m.open.get(id); e != nil {
		e.claimed = false
	}
}

// withdraw undoes a reservation that was not recorded. Where that is not certain,
// the decision was denied all the same, and gets its outcome once it shows up.
func (m *Memory) withdraw(d *rationale.Decision, oldest string, uncertain bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !uncertain {
		m.returnTicket(d)
	}
	if d.Verdict != rationale.Allow {
		return
	}
	id := d.ID
	if e := m.open.get(id); uncertain && (e == nil || !e.claimed) {
		m.strays = append(m.strays, id) // it was recorded just now
		return
	}
	m.open.remove(id)
	m.budgets.withdraw(id) // the call is denied, whatever the disk has
	if !uncertain {
		m.unclaim(oldest)
		return
	}
	if len(m.adrift) >= maxAdrift {
		clear(m.adrift) // each is then unknown at the next start
	}
	m.adrift[id] = true
}

func (m *Memory) takeStrays() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var taken []string
	for _, id := range m.strays {
		if e := m.open.get(id); e != nil && !e.claimed {
			e.claimed = true
			taken = append(taken, id)
		}
	}
	m.strays = nil
	return taken
}

func (m *Memory) returnStrays(ids []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		m.unclaim(id)
	}
	m.strays = append(m.strays, ids...)
}

// lost is the outcome of a decision for which no outcome came.
func lost(decision string, at time.Time, why string) *rationale.Outcome {
	return &rationale.Outcome{
		Kind: rationale.KindOutcome, ID: rationale.NewID(at), At: at, Decision: decision,
		Status: rationale.StatusUnknown, ErrorType: why,
	}
}
