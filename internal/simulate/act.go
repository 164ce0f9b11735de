package simulate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// try begins one step.
func (h *history) try(step Step) error {
	switch step.Do {
	case clock:
		h.setClock()
		return nil
	case fault:
		h.trip()
		return nil
	case crash:
		replica := h.r.IntN(len(h.lives))
		power := h.fs != nil && h.r.IntN(2) == 0
		h.trace.say("the process of replica %d ends%s, and another begins", replica, map[bool]string{true: " with its machine"}[power])
		if h.steady {
			return h.replace(replica)
		}
		return h.kill(replica, power)
	case rest:
		if h.log != nil {
			return h.catchUp()
		}
		return h.settleDown(func() bool { return false })
	case cancel:
		return h.giveUp(step)
	}
	l, err := h.ready(h.r.IntN(len(h.lives)))
	if err != nil {
		return err
	}
	if l.node != nil && len(l.tasks) == 0 && h.r.IntN(2) == 0 {
		if err := l.node.pull(); err != nil {
			return violated("a replica reads what others appended", "%v", err)
		}
	}
	switch step.Do {
	case call, use, again:
		return h.ask(step, l)
	case end:
		return h.finish(step, l)
	case answer:
		return h.reply(step, l)
	case review:
		return h.judge(step, l)
	case settle:
		return h.settle(step, l)
	case suspend, resume:
		return h.halt(step, l)
	}
	return fmt.Errorf("there is no action %q", step.Do)
}

// maxSetBack is how far the clock of a log is set back at most: its replicas go on
// with a later time that they know.
const maxSetBack = 8 * time.Second

// setClock sets the clock of one host, or of the log and all hosts, to an earlier or
// later time.
func (h *history) setClock() {
	jumps := []time.Duration{3 * time.Second, time.Minute, 50 * time.Minute, 26 * time.Hour, -2 * time.Second, -7 * time.Minute, -3 * time.Hour}
	by := jumps[h.r.IntN(len(jumps))]
	switch {
	case h.log == nil:
		h.off[0].Add(int64(by))
		h.read()
		h.trace.say("the clock is set by %s", by)
	case h.r.IntN(2) == 0: // one host, not as far
		i := h.r.IntN(len(h.lives))
		by = time.Duration(h.r.Int64N(int64(24*time.Second))) - 12*time.Second
		h.off[i].Store(h.off[len(h.off)-1].Load() + int64(by))
		h.trace.say("the clock of replica %d is %s off", i, by)
	default:
		if by < 0 {
			by = -time.Duration(1 + h.r.Int64N(int64(maxSetBack)))
		}
		for i := range h.off {
			h.off[i].Add(int64(by))
		}
		h.trace.say("all clocks are set by %s", by)
	}
}

// trip makes disk or network fail, or work again.
func (h *history) trip() {
	switch {
	case h.sick != healthy || h.network:
		h.trace.say("disk and network work again")
		h.heal()
	case h.log != nil:
		h.trace.say("the network loses and delays")
		h.network = true
		h.trace.trouble(h.moment(), 0)
	default:
		what := []trouble{full, flaky, lossy, broken}[h.r.IntN(4)]
		h.trace.say("from now on: %s", what)
		h.sicken(what)
	}
}

// catchUp lets a replica hear of what others have appended, and record what is due.
func (h *history) catchUp() error {
	l := h.lives[h.r.IntN(len(h.lives))]
	if len(l.tasks) > 0 {
		return h.settleDown(func() bool { return len(l.tasks) == 0 })
	}
	if err := l.node.pull(); err != nil {
		return violated("a replica reads what others appended", "%v", err)
	}
	return nil
}

// giveUp ends the context of somebody who waits. What the journal was given is then
// out of the history's sight, so a check of its health waits for it.
func (h *history) giveUp(step Step) error {
	for _, l := range h.lives {
		if len(l.tasks) == 0 || l.ledger == nil {
			continue
		}
		t := l.tasks[h.r.IntN(len(l.tasks))]
		if l.taken > 0 && h.r.IntN(2) == 0 {
			t = l.queue[0] // what the journal is working on
		}
		if t.event == nil || t.cause != nil {
			continue
		}
		h.trace.say("whoever waits for step %d gives up", t.n-1)
		t.event.gaveUp = true
		check := &task{n: step.N + 1, life: l, health: true}
		if l.disk != nil {
			h.s.add(check)
		}
		t.stop(context.DeadlineExceeded)
		if l.disk != nil {
			h.s.start(check, running, func(ctx context.Context) { _ = l.opened.Journal().Append(ctx) })
		}
		if err := h.quiet(); err != nil || l.disk == nil {
			return err
		}
		// What waits, the journal takes together with the check, and nothing new comes behind
		// it: what it would take then, nobody could see.
		if err := h.letOn(func(p *seat) bool { return p.task == check }); err != nil {
			return err
		}
		return h.letOn(func(p *seat) bool { return p.task == nil && slices.Contains(l.tasks, check) })
	}
	return nil
}

// begin begins an operation.
func (h *history) begin(e *event, l *life, state taskState, f func(ctx context.Context) error) error {
	t := &task{n: e.step + 1, life: l, kind: e.do, event: e}
	if e.do == use || e.do == again {
		t.kind = call
	}
	e.life, e.begin = l.n, h.moment()
	h.trace.events = append(h.trace.events, e)
	if h.steady {
		t.err = f(context.Background())
		h.noticed(t)
		return nil
	}
	h.s.add(t)
	h.s.start(t, state, func(ctx context.Context) { t.err = f(ctx) })
	if state == barred { // it is in force before it waits
		if err := within(func() bool { return known(l.ledger, e.what) }); err != nil {
			return err
		}
	}
	return h.quiet()
}

func known(l Ledger, what rationale.Suspension) bool {
	for _, s := range l.Suspensions() {
		if *s.Suspension == what {
			return true
		}
	}
	return false
}

// noticed takes down how an operation ended. Of a process that was killed nobody
// hears.
func (h *history) noticed(t *task) {
	e := t.event
	if t.life.dead {
		h.trace.say("%s", e)
		return
	}
	e.end, e.err = h.moment(), t.err
	e.latest = h.latest
	switch {
	case e.gap != nil && e.err == nil:
		t.life.gap -= int(e.gap.Denied)
	case e.draft != nil:
		h.compareClocks(e, t.life)
		if e.err != nil {
			t.life.gap++
		}
	}
	h.trace.say("%s", e)
}

// ask asks for a call: something new, with a ticket, or once more.
func (h *history) ask(step Step, l *life) error {
	notHalting := func() bool { return !l.halting() }
	if err := h.settleDown(notHalting); err != nil {
		return err
	}
	if l.dead || l.ledger == nil { // it could not record, and was replaced
		return nil
	}
	e := &event{step: step.N, do: step.Do, class: h.r.IntN(len(h.plan.World.Classes))}
	at := h.hostTime(l.replica)
	agent, amount := h.r.IntN(h.plan.World.Agents), h.amount()
	switch step.Do {
	case call:
		e.draft = h.draft(e.class, agent, amount, at)
	case use:
		pending := func(o *event) bool { return o.waits() && o.end > 0 && o.err == nil }
		was := h.pick(func(o *event) bool { return pending(o) && h.approvals(o) >= o.d.Ticket.Quorum })
		if was == nil || h.r.IntN(5) == 0 {
			was = h.pick(pending)
		}
		if was == nil {
			return nil
		}
		e.class = was.class
		e.draft = h.draft(was.class, 0, amount, at)
		e.draft.Agent, e.draft.ActionDigest, e.draft.Parent = was.draft.Agent, was.draft.ActionDigest, was.draft.ID
		if e.draft.Spend != nil && h.r.IntN(8) > 0 {
			e.draft.Spend.Amount = was.draft.Spend.Amount
		}
		if h.r.IntN(12) == 0 {
			e.draft.ActionDigest = rationale.Digest([]byte("another action"))
		}
	case again:
		was := h.pick(func(o *event) bool {
			if h.steady && o.d != nil && o.d.Verdict != rationale.Allow {
				return false // a database takes no second record of one id
			}
			return o.draft != nil && o.d.Ticket == nil && len(o.draft.Limits) > 0 && o.draft.Mode == rationale.Enforce && h.trace.lives[o.life-1].replica == l.replica
		})
		if was == nil {
			return nil
		}
		e.class = was.class
		d := *was.draft
		d.At = at // so that its record can be told from that of the first
		e.draft = &d
	}
	e.d = copyOf(e.draft)
	h.compareClocks(e, l)
	if ok, err := h.recordGap(e, l); err != nil || !ok {
		return err
	}
	if err := h.settleDown(notHalting); err != nil || l.dead { // somebody may have begun to meanwhile
		return err
	}
	return h.begin(e, l, running, func(ctx context.Context) error { return l.ledger.Admit(ctx, e.d) })
}
