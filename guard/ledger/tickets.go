package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// ErrRefused is the error of an answer that does not count: what it answers to is
// not open, or the person may not answer. The error's text says which.
var ErrRefused = errors.New("ledger: the answer does not count")

// Bounds of the tickets that are kept, by their records as encoded. None counts for
// less than its share of the room, so that there are 16,384 at most.
const (
	maxTicketBytes = 16 << 20
	minTicketBytes = maxTicketBytes / maxTickets
)

// tickets are the pends that have not expired. A closed one is kept until it
// expires, to say why it serves no more. Which are kept follows from the records
// alone: all who share a log keep the same, and so does who begins with a snapshot.
type tickets struct {
	expiry deadlines
	byID   map[string]*ticket
	bytes  int
	agents map[agentOf]*agentTickets
	now    time.Time                // the latest that a recorded decision says
	waited map[string]chan struct{} // by whoever waits for an answer; closed when there is one
}

// agentOf names an agent in its environment.
type agentOf struct{ id, environment string }

// agentTickets are those of one agent.
type agentTickets struct {
	expiry deadlines
	bytes  int
}

type ticket struct {
	rationale.Pending
	size    int
	user    string // the decision that is being recorded and uses or replaces it; empty: none
	denying bool   // a denial is being recorded
}

func newTickets() tickets {
	return tickets{
		expiry: newDeadlines(), byID: make(map[string]*ticket), agents: make(map[agentOf]*agentTickets), waited: make(map[string]chan struct{}),
	}
}

// open adds a ticket, unless it is there.
func (s *tickets) open(t *ticket, segment uint64) {
	d := t.Decision
	if s.byID[d.ID] != nil {
		return
	}
	s.byID[d.ID] = t
	of := agentOf{d.Agent.ID, d.Agent.Environment}
	if s.agents[of] == nil {
		s.agents[of] = &agentTickets{expiry: newDeadlines()}
	}
	s.agents[of].expiry.add(deadline{id: d.ID, at: d.Ticket.Expires})
	s.expiry.add(deadline{id: d.ID, at: d.Ticket.Expires, segment: segment})
	s.measure(t)
}

// measure counts what a ticket that has changed takes. Where there is no room for it, the
// agent that has most of the room loses those of its tickets that expire next: no agent
// pushes out what others wait for.
func (s *tickets) measure(t *ticket) {
	size := sizeOf(t.Decision)
	for _, a := range t.Answers {
		size += sizeOf(a)
	}
	s.resize(t, max(size, minTicketBytes))
	for s.bytes > maxTicketBytes {
		s.forget(s.largest().expiry.first().id)
	}
}

func (s *tickets) resize(t *ticket, size int) {
	s.bytes += size - t.size
	s.agents[agentOf{t.Decision.Agent.ID, t.Decision.Agent.Environment}].bytes += size - t.size
	t.size = size
}

// largest returns the tickets of the agent that has most of the room; of several the
// first by name.
func (s *tickets) largest() *agentTickets {
	var most *agentTickets
	var whose agentOf
	for of, a := range s.agents {
		if most == nil || cmp.Or(cmp.Compare(most.bytes, a.bytes), cmp.Compare(of.id, whose.id), cmp.Compare(of.environment, whose.environment)) < 0 {
			most, whose = a, of
		}
	}
	return most
}

func (s *tickets) forget(id string) {
	t := s.byID[id]
	if t == nil {
		return
	}
	s.resize(t, 0)
	delete(s.byID, id)
	s.expiry.remove(id)
	of := agentOf{t.Decision.Agent.ID, t.Decision.Agent.Environment}
	if s.agents[of].expiry.remove(id); s.agents[of].expiry.len() == 0 {
		delete(s.agents, of)
	}
	s.wake(id)
}

// expire forgets what has expired by the time of a recorded decision, which on a shared
// log may be ahead of the log's own. Until then a ticket that has expired says so itself.
func (s *tickets) expire(at time.Time) {
	if at.After(s.now) {
		s.now = at
	}
	s.forgetUntil(s.now.Add(-maxSkew))
}

func (s *tickets) forgetUntil(at time.Time) {
	for first := s.expiry.first(); first != nil && !first.at.After(at); first = s.expiry.first() {
		s.forget(first.id)
	}
}

// close leaves out of a closed ticket what nobody needs to see any more.
func (s *tickets) close(t *ticket) {
	t.Decision = essence(t.Decision)
	s.measure(t)
	s.wake(t.Decision.ID)
}

// essence is a decision without what makes it large: what remains says who asked
// for what, on whose authority, and who answers.
func essence(d *rationale.Decision) *rationale.Decision {
	return &rationale.Decision{
		Kind: rationale.KindDecision, ID: d.ID, At: d.At, Verdict: d.Verdict, Mode: d.Mode, Reasons: d.Reasons,
		Standing: d.Standing, Class: d.Class, Effect: d.Effect, BaseTier: d.BaseTier, Tier: d.Tier, Agent: d.Agent,
		Tool: d.Tool, CallID: d.CallID, Authorization: d.Authorization, ActionDigest: d.ActionDigest, Spend: d.Spend,
		Review: d.Review, Ticket: d.Ticket, Approval: d.Approval, Parent: d.Parent, Host: d.Host, Lease: d.Lease,
	}
}

// pending returns the tickets that wait, at a time, for an answer or for their use.
func (s *tickets) pending(at time.Time) []*ticket {
	var open []*ticket
	for _, t := range s.byID {
		if !t.Closed() && t.Decision.Ticket.Expires.After(at) {
			open = append(open, t)
		}
	}
	return open
}

// present judges a draft that presents a ticket.
func (m *Memory) present(d *rationale.Decision, now time.Time) {
	t := m.tickets.byID[d.Parent]
	switch {
	case t == nil:
		(*rationale.Pending)(nil).Present(d, now)
	case t.user != "" || t.denying:
		d.Checks = append(d.Checks, rationale.Check{
			Kind: rationale.CheckApproval, ID: "ticket", Result: rationale.Failed, Reason: rationale.ApprovalInvalid,
			Message: "it is being used, replaced or denied at this moment",
		})
	default:
		t.Present(d, now)
	}
}

// takeTicket claims the ticket that a concluded draft uses up, or replaces, until
// the draft is recorded: nobody else gets it meanwhile.
func (m *Memory) takeTicket(d *rationale.Decision) {
	if t := m.tickets.byID[d.Parent]; t != nil && spends(d) {
		t.user = d.ID
	}
}

// returnTicket gives up the claim of a draft that was not recorded.
func (m *Memory) returnTicket(d *rationale.Decision) {
	if t := m.tickets.byID[d.Parent]; t != nil && t.user == d.ID {
		t.user = ""
	}
}

// spends reports whether a decision uses up, or replaces, the ticket that it
// presents.
func spends(d *rationale.Decision) bool {
	return d.Parent != "" && (d.Verdict == rationale.Allow && d.Mode == rationale.Enforce || d.Ticket != nil)
}

// ticketed takes in what a recorded decision does to tickets.
func (m *Memory) ticketed(d *rationale.Decision, segment uint64) {
	m.tickets.expire(d.At)
	if t := m.tickets.byID[d.Parent]; t != nil && spends(d) {
		if t.user = ""; d.Ticket != nil {
			t.Replaced = d.ID
		} else {
			t.Used = d.ID
		}
		m.tickets.close(t)
	}
	if d.Ticket != nil {
		m.tickets.open(&ticket{Pending: rationale.Pending{Decision: d}}, segment)
	}
}

func sizeOf(rec rationale.Record) int {
	data, _ := rationale.Marshal(rec) // it was encoded before
	return len(data)
}

// answered takes in a recorded answer. One that was given again, while nobody knew
// what had become of the first, is no second one.
func (m *Memory) answered(a *rationale.Approval) {
	t := m.tickets.byID[a.Ticket]
	if t == nil || slices.ContainsFunc(t.Answers, func(b *rationale.Approval) bool {
		return b.Answer == a.Answer && rationale.SamePerson(b.By.ID, a.By.ID)
	}) {
		return
	}
	t.Answers = append(t.Answers, a)
	if a.Answer != rationale.AnswerApprove {
		t.denying = false
		m.tickets.close(t)
		return
	}
	m.tickets.measure(t)
	if t.Approved() != nil {
		m.tickets.wake(a.Ticket)
	}
}

// Tickets returns the tickets that wait, at a time, for an answer or to be used,
// the next to expire first. What they refer to is shared and must not be changed.
func (m *Memory) Tickets(at time.Time) []rationale.Pending {
	m.tick()
	m.mu.Lock()
	defer m.mu.Unlock()
	var open []rationale.Pending
	for _, t := range m.tickets.pending(m.later(m.asOf(at))) {
		p := t.Pending
		p.Answers = slices.Clone(p.Answers)
		open = append(open, p)
	}
	slices.SortFunc(open, func(a, b rationale.Pending) int {
		return cmp.Or(a.Decision.Ticket.Expires.Compare(b.Decision.Ticket.Expires), cmp.Compare(a.Decision.ID, b.Decision.ID))
	})
	return open
}

// Answer records what one person says to a ticket. The caller gives Ticket, By,
// Answer, Why and Change, where By is what its own verified login says; ID and At
// are made where they are empty, At from the journal's clock, or the system's. An answer
// that does not count is [ErrRefused], and is not recorded; nor is one with an At that is
// more than 10 s ahead of the journal's clock.
//
// A denial that was recorded is never passed over: no call uses the ticket
// afterwards, nor after a crash. With any other error the answer does not count
// as given, unless it is [journal.ErrUncertain]: nobody knows then, and a denial
// stands until the process ends.
func (m *Memory) Answer(ctx context.Context, a *rationale.Approval) error {
	if a == nil || m.audits == nil {
		return errors.New("ledger: there is no answer, or nothing to answer to")
	}
	return m.answer(ctx, a.At, &answering{m, a})
}

// answer makes the step of a person's answer, given at a time, in its turn: the next
// one is checked against those before it.
func (m *Memory) answer(ctx context.Context, at time.Time, s step) error {
	if err := m.reached(at); err != nil {
		return err
	}
	if err := m.answering.take(ctx); err != nil {
		return err
	}
	defer m.answering.end()
	return m.commit(ctx, s)
}

// answering is the step that an answer to a ticket makes. There is one at a time.
type answering struct {
	*Memory
	a *rationale.Approval
}

// take checks and completes an answer, and holds the ticket for a denial.
func (s *answering) take() (recs []rationale.Record, expendable bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.a
	s.identify(&a.ID, &a.At)
	a.Kind = rationale.KindApproval
	now := s.later(s.asOf(a.At))
	t := s.tickets.byID[a.Ticket]
	refused := errors.New("no ticket of this id is open: it has expired, or there was none")
	switch {
	case t == nil:
	case t.user != "":
		refused = errors.New("it is being used or replaced at this moment")
	case t.denying:
		refused = errors.New("it is being denied at this moment")
	default:
		refused = t.Pending.Answer(a, now)
	}
	if refused != nil {
		return nil, false, fmt.Errorf("%w: ticket %s: %w", ErrRefused, rationale.Printable(a.Ticket), refused)
	}
	t.denying = a.Answer == rationale.AnswerDeny
	return []rationale.Record{a}, false, nil
}

func (s *answering) undo(uncertain bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tickets.byID[s.a.Ticket]; t != nil && !uncertain {
		t.denying = false
	}
}

// reached refuses the time of a record that a person causes where the journal's clock
// has not reached it: every ticket would expire, and every review fall due, for good.
func (m *Memory) reached(at time.Time) error {
	if m.journal == nil {
		return nil
	}
	if now := m.journal.Now(); at.Sub(now) > maxSkew {
		return fmt.Errorf("%w: its time is %s, and the journal's clock says %s", ErrRefused, at.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return nil
}

// identify gives a record that a person causes its id and its time. It is called
// with the lock held.
func (m *Memory) identify(id *string, at *time.Time) {
	if at.IsZero() {
		if *at = m.latest; m.shared == nil {
			*at = m.now()
		}
	}
	if *id == "" {
		*id = rationale.NewID(*at)
	}
}

// later is a time, or that of the latest record, if that is later: a clock that
// goes back opens nothing again. It is called with the lock held.
func (m *Memory) later(at time.Time) time.Time {
	if at.Before(m.latest) {
		return m.latest
	}
	return at
}

// savedTicket is a ticket in a snapshot.
type savedTicket struct {
	Decision json.RawMessage   `json:"decision"`
	Answers  []json.RawMessage `json:"answers,omitempty"`
	Used     string            `json:"used,omitzero"`
	Replaced string            `json:"replaced,omitzero"`
	Segment  uint64            `json:"segment"`
}

func (s *tickets) save() ([]savedTicket, error) {
	saved := make([]savedTicket, 0, len(s.byID))
	for _, w := range s.expiry.list() {
		t := s.byID[w.Decision]
		one := savedTicket{Used: t.Used, Replaced: t.Replaced, Segment: w.Segment}
		var err error
		if one.Decision, err = rationale.Marshal(t.Decision); err != nil {
			return nil, err
		}
		for _, a := range t.Answers {
			data, err := rationale.Marshal(a)
			if err != nil {
				return nil, err
			}
			one.Answers = append(one.Answers, data)
		}
		saved = append(saved, one)
	}
	return saved, nil
}

func (s *tickets) restore(saved []savedTicket, now time.Time) error {
	*s = newTickets()
	s.now = now
	for _, one := range saved {
		d, err := rationale.UnmarshalAs[*rationale.Decision](one.Decision)
		if err != nil {
			return err
		}
		if d.Ticket == nil {
			return fmt.Errorf("decision %s has no ticket", rationale.Printable(d.ID))
		}
		t := &ticket{Pending: rationale.Pending{Decision: d, Used: one.Used, Replaced: one.Replaced}}
		for _, answer := range one.Answers {
			a, err := rationale.UnmarshalAs[*rationale.Approval](answer)
			if err != nil {
				return err
			}
			t.Answers = append(t.Answers, a)
		}
		s.open(t, one.Segment)
	}
	return nil
}
