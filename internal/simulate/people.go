package simulate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// draft is what an agent asks for, as far as documents decide it.
func (h *history) draft(class, agent int, amount string, at time.Time) *rationale.Decision {
	c := &h.plan.World.Classes[class]
	d := &rationale.Decision{
		Kind: rationale.KindDecision, ID: h.id(), At: at, Standing: rationale.StandingActive, Mode: c.Mode,
		Class: c.Name, Effect: "write", BaseTier: c.Tier, Terms: c.Terms, Limits: h.plan.World.limits(c),
		Agent:         rationale.Agent{ID: h.plan.World.agent(agent), Environment: "prod", OnBehalfOf: requester},
		Tool:          rationale.Tool{Name: "payments.pay"},
		Authorization: &rationale.AuthorizationRef{ID: c.Authorization, Version: 1, Digest: rationale.Digest([]byte(c.Authorization)), Owner: owner},
		ActionDigest:  rationale.Digest(fmt.Appendf(nil, "%s %s", c.Name, h.plan.World.agent(agent))),
	}
	if c.spends() {
		d.Spend = &rationale.Spend{Currency: "EUR", Amount: amount, Basis: "amount"}
	}
	return d
}

// amount draws what a call costs: mostly so much that a few calls exhaust a limit.
func (h *history) amount() string {
	return []string{"0", "0.01", "5", "10", "12.5", "19.99", "25", "30", "33.3333333333333333333", "40"}[h.r.IntN(10)]
}

func copyOf(d *rationale.Decision) *rationale.Decision {
	c := *d
	c.Limits = append([]rationale.Limit(nil), d.Limits...)
	if d.Spend != nil {
		spend := *d.Spend
		c.Spend = &spend
	}
	return &c
}

// pick draws one of the events that are alike, the later ones more often.
func (h *history) pick(alike func(*event) bool) *event {
	var found []*event
	for _, e := range h.trace.events {
		if alike(e) {
			found = append(found, e)
		}
	}
	if len(found) == 0 {
		return nil
	}
	if recent := len(found) - 4; recent > 0 && h.r.IntN(4) > 0 {
		found = found[recent:]
	}
	return found[h.r.IntN(len(found))]
}

// allowed are the calls whose tool ran.
func (e *event) allowed() bool {
	return e.draft != nil && e.end > 0 && e.err == nil && e.d.Verdict == rationale.Allow
}

// finish delivers an outcome.
func (h *history) finish(step Step, l *life) error {
	was := h.pick(func(e *event) bool {
		return e.allowed() && (h.plan.World.Home == OnLog || e.life == l.n || h.r.IntN(9) == 0)
	})
	if was == nil {
		return nil
	}
	at := h.hostTime(l.replica)
	if late := h.r.IntN(6) == 0; late && (!h.steady || h.plan.World.Home == OnLog) {
		at = at.Add(time.Hour)
	}
	o := &rationale.Outcome{Kind: rationale.KindOutcome, ID: h.id(), At: at, Started: at, Decision: was.draft.ID, Status: h.status()}
	if was.draft.Spend != nil && o.Status != rationale.StatusNotExecuted {
		o.Spent = was.draft.Spend.Amount
		if h.r.IntN(3) == 0 {
			o.Spent = h.amount()
		}
	}
	e := &event{step: step.N, do: end, o: o}
	return h.begin(e, l, running, func(ctx context.Context) error { return l.ledger.Complete(ctx, o) })
}

func (h *history) status() rationale.Status {
	return []rationale.Status{
		rationale.StatusSuccess, rationale.StatusSuccess, rationale.StatusSuccess, rationale.StatusError, rationale.StatusPanic,
		rationale.StatusNotExecuted, rationale.StatusUnknown,
	}[h.r.IntN(7)]
}

// reply delivers a person's answer to a ticket, sometimes one that does not count.
func (h *history) reply(step Step, l *life) error {
	was := h.pick(func(e *event) bool { return e.waits() && h.approvals(e) == 1 })
	if was == nil || h.r.IntN(3) > 0 {
		was = h.pick((*event).waits)
	}
	if was == nil {
		return nil
	}
	by := people[h.r.IntN(4)]
	if h.r.IntN(4) == 0 {
		by = people[h.r.IntN(len(people))]
	}
	a := &rationale.Approval{ID: h.id(), At: h.hostTime(l.replica), Ticket: was.draft.ID, By: by, Answer: rationale.AnswerApprove}
	if h.r.IntN(6) == 0 {
		a.Answer, a.Why = rationale.AnswerDeny, "not today"
	}
	e := &event{step: step.N, do: answer, a: a}
	return h.begin(e, l, running, func(ctx context.Context) error { return l.ledger.Answer(ctx, a) })
}

// waits reports whether an event was told to wait for people, or may have been.
func (e *event) waits() bool { return e.draft != nil && e.d.Ticket != nil }

// approvals returns how many people were told that they have approved.
func (h *history) approvals(of *event) int {
	n := 0
	for _, e := range h.trace.events {
		if e.a != nil && e.a.Ticket == of.draft.ID && e.end > 0 && e.err == nil {
			n++
		}
	}
	return n
}

// judge delivers a person's review.
func (h *history) judge(step Step, l *life) error {
	was := h.pick(func(e *event) bool { return e.allowed() && e.d.Review != nil })
	if was == nil {
		return nil
	}
	by := people[7]
	if h.r.IntN(4) == 0 {
		by = people[h.r.IntN(len(people))]
	}
	r := &rationale.Review{ID: h.id(), At: h.hostTime(l.replica), Decision: was.draft.ID, By: by, Finding: rationale.Upheld}
	e := &event{step: step.N, do: review, r: r}
	return h.begin(e, l, running, func(ctx context.Context) error { return l.ledger.Review(ctx, r) })
}

// settle delivers a settlement.
func (h *history) settle(step Step, l *life) error {
	limited := func(e *event) bool { return e.draft != nil && len(e.draft.Limits) > 0 }
	was := h.pick(func(e *event) bool { return limited(e) && h.ending(e) })
	if was == nil || h.r.IntN(2) == 0 {
		was = h.pick(limited)
	}
	if was == nil {
		return nil
	}
	s := &rationale.Settlement{
		Kind: rationale.KindSettlement, ID: h.id(), At: h.hostTime(l.replica), Decision: was.draft.ID, Status: rationale.StatusSuccess,
		By: "sam@bank.example", Why: "the statement",
	}
	switch {
	case h.r.IntN(3) == 0:
		s.Status = rationale.StatusNotExecuted
	case was.draft.Spend != nil:
		s.Spent = h.amount()
	}
	e := &event{step: step.N, do: settle, s: s}
	return h.begin(e, l, running, func(ctx context.Context) error { return l.ledger.Settle(ctx, s) })
}

// ending reports whether an outcome of a call is being recorded.
func (h *history) ending(of *event) bool {
	return slices.ContainsFunc(h.trace.events, func(e *event) bool { return e.o != nil && e.end == 0 && e.o.Decision == of.draft.ID })
}

// halt delivers a suspension, or the end of one.
func (h *history) halt(step Step, l *life) error {
	if err := h.settleDown(func() bool { return !l.halting() }); err != nil || l.dead || l.ledger == nil {
		return err
	}
	e := &event{step: step.N, do: step.Do, why: fmt.Sprintf("step %d", step.N)}
	c := &h.plan.World.Classes[h.r.IntN(len(h.plan.World.Classes))]
	e.what = []rationale.Suspension{
		{Agent: h.plan.World.agent(h.r.IntN(h.plan.World.Agents))},
		{Authorization: c.Authorization},
		{Authorization: c.Authorization, Class: c.Name},
		{Everything: true},
	}[min(h.r.IntN(10)/3, 3)]
	at := h.hostTime(l.replica)
	e.at = at
	if step.Do == resume {
		if was := h.pick(func(o *event) bool { return o.do == suspend }); was != nil {
			e.what = was.what
		}
		return h.begin(e, l, running, func(ctx context.Context) error { return l.ledger.Resume(ctx, e.what, "sam@bank.example", e.why, at) })
	}
	state := running
	if known(l.ledger, e.what) { // then nobody sees when it is in force for the second time
		if err := h.settleDown(func() bool { return l.admitting() == 0 }); err != nil || l.dead {
			return err
		}
	} else if l.admitting() > 0 {
		state = barred
	}
	return h.begin(e, l, state, func(ctx context.Context) error { return l.ledger.Suspend(ctx, e.what, "sam@bank.example", e.why, at) })
}

// recordGap does before a call what a guard does that has denied calls for lack of
// evidence: it puts their number on record, and denies again if it cannot. It
// reports whether the call may be made.
func (h *history) recordGap(e *event, l *life) (bool, error) {
	if l.gap == 0 {
		return true, nil
	}
	at := h.hostTime(l.replica)
	gap := &rationale.Lifecycle{
		Kind: rationale.KindLifecycle, ID: h.id(), At: at, Event: rationale.EventEvidence, Denied: int64(l.gap), From: at, Until: at,
	}
	note := &event{step: e.step, do: "record", gap: gap}
	if err := h.begin(note, l, running, func(ctx context.Context) error { return l.ledger.Record(ctx, gap) }); err != nil {
		return false, err
	}
	if err := h.settleDown(func() bool { return note.end > 0 || l.dead }); err != nil || l.dead {
		return false, err
	}
	if note.err == nil {
		return true, nil
	}
	e.life, e.begin, e.end, e.err = l.n, h.moment(), h.moment(), note.err
	h.trace.events = append(h.trace.events, e)
	h.trace.say("%s", e)
	l.gap++
	return false, nil
}

// compareClocks notes whether a shared log may refuse a call for its time.
func (h *history) compareClocks(e *event, l *life) {
	if h.log == nil {
		return
	}
	now := h.logTime()
	for _, t := range []time.Time{now, h.latest, l.node.Now()} {
		if e.draft.At.Sub(t).Abs() > 9*time.Second {
			e.skewed = true
		}
	}
}
