// Package admit is the case admit-memory: what a ledger keeps of many calls in one
// window of a day.
package admit

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

// Case returns the case, of so many calls. Its numbers are the time of one call, from
// its admission to its outcome, and the bytes and objects that stay in memory of all of
// them together.
func Case(calls int) measure.Case {
	return measure.Case{Name: "admit-memory", Impls: []measure.Impl{{
		Name: "ambit",
		Once: func() (measure.Result, error) { return admitted(calls) },
	}}}
}

// forgetful is a recorder whose records are no part of what is measured.
type forgetful struct{}

func (forgetful) Append(context.Context, ...rationale.Record) error { return nil }

func admitted(calls int) (measure.Result, error) {
	without := heap()
	l := ledger.New(forgetful{})
	began := time.Now()
	for i := range calls {
		if err := admit(l, i, calls); err != nil {
			return measure.Result{}, err
		}
	}
	took := time.Since(began)
	with := heap()
	if got := l.Budgets(begins.Add(24 * time.Hour)); len(got) != 1 || got[0].Spent != fmt.Sprint(calls) {
		return measure.Result{}, fmt.Errorf("%d calls were made, and %v is spent", calls, got)
	}
	return measure.Result{
		NsOp:     float64(took.Nanoseconds()) / float64(calls),
		BOp:      int64(with.HeapAlloc) - int64(without.HeapAlloc),
		AllocsOp: int64(with.HeapObjects) - int64(without.HeapObjects),
	}, nil
}

var begins = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

// admit makes one of the calls, which are spread over a day.
func admit(l *ledger.Memory, i, calls int) error {
	ctx, at := context.Background(), begins.Add(time.Duration(i)*(24*time.Hour/time.Duration(calls)))
	d := &rationale.Decision{
		Kind: rationale.KindDecision, ID: rationale.NewID(at), At: at, Standing: rationale.StandingActive, Class: "refund",
		BaseTier: classify.Parameterized, Agent: rationale.Agent{ID: "support-bot", Environment: "prod"},
		Spend:  &rationale.Spend{Currency: "EUR", Amount: "1", Basis: "amount"},
		Limits: []rationale.Limit{{Kind: rationale.CheckWindow, ID: "windows[0]", Max: "1000000000", Currency: "EUR", Per: "24h0m0s"}},
	}
	if err := l.Admit(ctx, d); err != nil {
		return err
	}
	return l.Complete(ctx, &rationale.Outcome{
		Kind: rationale.KindOutcome, ID: rationale.NewID(at), At: at, Decision: d.ID, Started: at, Status: rationale.StatusSuccess, Spent: "1",
	})
}

func heap() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC() // what the first found in pools
	runtime.ReadMemStats(&m)
	return m
}
