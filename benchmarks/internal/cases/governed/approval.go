package governed

import (
	"context"
	"fmt"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
	"github.com/ambit-go/ambit/benchmarks/internal/policy"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

// approved is the case of a call that pends, is approved, and runs with its ticket,
// with the recorder of governed: four records, two for each time it is asked for.
func approved() (measure.Case, error) {
	kept := &memory{bytes: make([]byte, 0, maxKept)}
	l := ledger.New(kept)
	g, err := newGuard(policy.Approver, guard.WithLedger(l))
	if err != nil {
		return measure.Case{}, err
	}
	kept.records = 0 // of loading the document
	all := calls()
	var failed error
	return measure.Case{Name: "governed-approval", Impls: []measure.Impl{{
		Name: "ambit",
		Run: func(n int) int {
			kept.calls += 2 * n
			allowed := 0
			for i := range n {
				if err := approve(g, l, all[i%timed]); err != nil {
					failed = err
					continue
				}
				allowed++
			}
			return allowed
		},
		After: func() error {
			if failed != nil {
				return failed
			}
			return kept.complete()
		},
	}}}, nil
}

func approve(g *guard.Guard, l *ledger.Memory, call guard.Call) error {
	ctx := context.Background()
	_, d := g.Begin(ctx, call)
	if d.Verdict() != rationale.Pend {
		return fmt.Errorf("the call does not pend: %s", d.Refusal())
	}
	call.Ticket = d.Record().ID
	err := l.Answer(ctx, &rationale.Approval{
		Ticket: call.Ticket, By: rationale.Person{ID: "sam@bank.example", Groups: []string{"payments-sre-oncall"}}, Answer: rationale.AnswerApprove,
	})
	if err != nil {
		return err
	}
	return govern(ctx, g, call)
}
