package simulate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/ambit-go/ambit/guard/ledger"
)

// Opener opens the ledger of a replica. End, which may not be nil, ends its process
// without closing it in order.
type Opener func(replica int) (l Ledger, end func(), err error)

// NewSteadyPlan draws a plan in which nothing fails, no clock is set and nobody is
// interrupted, so that what a ledger answers does not depend on how long anything
// takes: all windows and leases are long, what is to be over is over at once, and
// processes end between two operations. Its names have the mark, so that several
// histories can share a ledger.
func NewSteadyPlan(seed uint64, history int, mark string) *Plan {
	r := rand.New(rand.NewPCG(seed, uint64(history)+3<<32))
	p := &Plan{Seed: seed, History: history, World: newWorld(r, OnLog)}
	p.World.Mark = mark
	for i := range p.World.Classes {
		c := &p.World.Classes[i]
		c.Authorization += mark
		for j := range c.Limits {
			c.Limits[j].Per = []string{"2h0m0s", "24h0m0s", "720h0m0s", "8760h0m0s"}[j]
			if c.Limits[j].Shared {
				c.Limits[j].Per = "48h0m0s"
			}
		}
		if r.IntN(3) == 0 {
			c.Terms.ApproveWithin = -time.Minute
		}
		if r.IntN(2) == 0 {
			c.Terms.ReviewWithin = -time.Hour
		}
	}
	likely := []Action{call, call, call, call, use, use, again, end, end, end, answer, answer, answer, review, settle, suspend, resume, resume, crash}
	for n := range 20 + r.IntN(40) {
		p.Steps = append(p.Steps, Step{N: n, Do: likely[r.IntN(len(likely))], Seed: r.Uint64()})
	}
	return p
}

// Answers makes the history of a steady plan with ledgers of somebody's, and returns
// what each operation was answered, without times and ids. Now is the clock of those
// who ask, and must be about that of the ledgers.
func Answers(p *Plan, now func() time.Time, open Opener) ([]string, error) {
	h := newHistory(p)
	h.steady, h.now, h.opens, h.log = true, now, open, nil
	defer func() {
		for _, l := range h.lives {
			if l != nil {
				l.end()
			}
		}
	}()
	for i := range h.lives {
		if err := h.replace(i); err != nil {
			return nil, err
		}
	}
	for _, step := range p.Steps {
		h.r = rand.New(rand.NewPCG(step.Seed, 1))
		if err := h.try(step); err != nil {
			return nil, err
		}
	}
	var all []string
	for _, e := range h.trace.events {
		all = append(all, e.answered())
	}
	return all, nil
}

// replace ends a replica's process, if there is one, and begins another.
func (h *history) replace(replica int) error {
	if was := h.lives[replica]; was != nil {
		h.lives[replica] = nil
		was.end()
	}
	l := &life{replica: replica, n: len(h.trace.lives) + 1}
	var err error
	if l.ledger, l.end, err = h.opens(replica); err != nil {
		return fmt.Errorf("open the ledger of replica %d: %w", replica, err)
	}
	h.lives[replica] = l
	h.trace.lives = append(h.trace.lives, &span{replica: replica, begin: h.moment()})
	return nil
}

// answered says what came of an operation, without times and ids.
func (e *event) answered() string {
	text := fmt.Sprintf("step %d %s: ", e.step, e.do)
	switch {
	case e.known():
		return text + "it was admitted before"
	case errors.Is(e.err, ledger.ErrRefused):
		return text + "refused"
	case e.err != nil:
		return text + e.err.Error()
	case e.d == nil:
		return text + "recorded"
	}
	said := []string{e.d.Verdict.String(), e.d.Tier.String()}
	for _, reason := range e.d.Reasons {
		said = append(said, string(reason))
	}
	for _, c := range e.d.Checks {
		if strings.Contains(c.Message, "it has expired") { // whether it is forgotten by then is not of interest
			c.Message = "it has expired"
		}
		said = append(said, fmt.Sprintf("%s %s %s", c.ID, c.Result, c.Message))
	}
	if e.d.Review != nil {
		said = append(said, "owes a review for "+e.d.Review.Reason)
	}
	slices.Sort(said[2:])
	return text + strings.Join(said, "; ")
}

// ModelAnswers makes the history of a steady plan with the model of a shared log.
func ModelAnswers(p *Plan) ([]string, error) {
	log := NewLog(time.Now)
	return Answers(p, time.Now, func(int) (Ledger, func(), error) {
		_, m, err := newNode(log, p.World.Rotate, &plainHooks{began: time.Now(), log: log})
		return m, func() {}, err
	})
}

// plainHooks let a node do its work.
type plainHooks struct {
	began time.Time
	log   *Log
}

func (k *plainHooks) at(context.Context, string) error { return nil }
func (k *plainHooks) wait(context.Context)             {}
func (k *plainHooks) wake(context.Context)             {}
func (k *plainHooks) elapsed() time.Duration           { return time.Since(k.began) }

func (k *plainHooks) send(r *request) (now time.Time, err error, answered bool) {
	now, err = k.log.append(r)
	return now, err, true
}

var _ Ledger = (*ledger.Memory)(nil)
