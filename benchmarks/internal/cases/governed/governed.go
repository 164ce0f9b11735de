// Package governed is the cases that are named so: a call from guard.Begin to
// guard.End, around a tool that does nothing.
//
// In governed the ledger's recorder keeps the encoded records in memory. In
// governed-otel there is no ledger: decision and execution become two spans in
// the SDK's batch processor, beside the same two spans made by hand. In the others
// the ledger is on a journal in a temporary folder, beside what the disk
// needs for as many bytes: governed-sync, and with 64 goroutines
// governed-sync-64, wait for it, and governed-os, whose calls are of a class that
// says so, does not. In governed-approval the call is asked for, approved, and asked
// for again.
package governed

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/benchmarks/internal/measure"
	"github.com/ambit-go/ambit/benchmarks/internal/policy"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

// timed is how many calls are made over and over: a power of two.
const timed = 16

// Cases returns the cases. Close ends what they started.
func Cases() (cases []measure.Case, closing func(), err error) {
	kept, err := recorded()
	if err != nil {
		return nil, nil, fmt.Errorf("case governed: %w", err)
	}
	asked, err := approved()
	if err != nil {
		return nil, nil, fmt.Errorf("case governed-approval: %w", err)
	}
	spans, closeSpans, err := traced()
	if err != nil {
		return nil, nil, fmt.Errorf("case governed-otel: %w", err)
	}
	onDisk, closeDisk, err := journalled()
	if err != nil {
		closeSpans()
		return nil, nil, err
	}
	return append([]measure.Case{kept, asked, spans}, onDisk...), func() { closeSpans(); closeDisk() }, nil
}

func recorded() (measure.Case, error) {
	kept := &memory{bytes: make([]byte, 0, maxKept)}
	g, err := newGuard(policy.Autoscaler, guard.WithLedger(ledger.New(kept)))
	if err != nil {
		return measure.Case{}, err
	}
	kept.records = 0 // of loading the document
	run := governedRun(g)
	return measure.Case{Name: "governed", Impls: []measure.Impl{{
		Name: "ambit",
		Run: func(n int) int {
			kept.calls += n
			return run(n)
		},
		After: kept.complete,
	}}}, nil
}

// newGuard returns a guard under an authorization of package policy.
func newGuard(document func(from, until time.Time) authority.Document, opts ...guard.Option) (*guard.Guard, error) {
	replicas := guard.NewFact("current_replicas", func(context.Context, guard.Checked) (int64, error) { return 10, nil },
		guard.MaxAge(30*time.Second), guard.By("args.workload"), guard.Source("the cluster"))
	freeze := guard.NewFact("change_freeze", func(context.Context, guard.Checked) (bool, error) { return false, nil },
		guard.MaxAge(30*time.Second), guard.Source("the change calendar"))
	from, until := time.Now().Add(-24*time.Hour), time.Now().Add(24*time.Hour)
	agent := guard.Agent{ID: "payments-autoscaler", Environment: "prod", Model: authority.ModelSpec{
		Provider: "anthropic", Name: "claude-sonnet-4-5", Version: "20250929",
	}}
	g, err := guard.New([]authority.Document{document(from, until)}, agent,
		append(opts, guard.WithFacts(replicas, freeze), guard.AllowUnsigned())...)
	if err != nil {
		return nil, err
	}
	return g, g.Register(policy.ScaleDeployment(), policy.GetDeployment())
}

func calls() []guard.Call {
	all := make([]guard.Call, timed)
	for i := range all {
		all[i] = guard.Call{
			Tool: classify.ToolID{Name: "k8s.scale_deployment"},
			Arguments: fmt.Appendf(nil, `{"kind":"Deployment","workload":%q,"region":%q,"instance_type":%q,"replicas":%d,"ticket":"CHG-2026-104482"}`,
				[]string{"payments-api", "payments-worker"}[i%2], []string{"eu-west-1", "eu-central-1"}[i/2%2],
				[]string{"m7g.large", "m7g.xlarge"}[i/4%2], 3+i),
		}
	}
	return all
}

// toolResult is what the tool answers.
var toolResult = []byte(`{"status":"scaled","replicas":12,"ready":10}`)

// govern makes one call, around a tool that does nothing.
func govern(ctx context.Context, g *guard.Guard, call guard.Call) error {
	ctx, d := g.Begin(ctx, call)
	if !d.Allowed() {
		return fmt.Errorf("the call was refused: %s", d.Refusal())
	}
	return g.End(ctx, d, toolResult, nil)
}

func governedRun(g *guard.Guard) func(int) int {
	all, ctx := calls(), context.Background()
	return func(n int) int {
		allowed := 0
		for i := range n {
			if govern(ctx, g, all[i%timed]) == nil {
				allowed++
			}
		}
		return allowed
	}
}

// maxKept is where memory begins again, so that a long measurement needs no
// more room than a short one.
const maxKept = 16 << 20

// memory is a recorder that keeps what a journal would write, in memory.
type memory struct {
	mu      sync.Mutex
	bytes   []byte
	records int
	calls   int // that were made since complete was asked
}

// complete reports whether every call left a decision and an outcome.
func (m *memory) complete() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	want, got := 2*m.calls, m.records
	m.calls, m.records = 0, 0
	if got != want {
		return fmt.Errorf("%d records of %d were kept", got, want)
	}
	return nil
}

func (m *memory) Append(_ context.Context, recs ...rationale.Record) error {
	for _, rec := range recs {
		encoded, err := rationale.Marshal(rec)
		if err != nil {
			return err
		}
		m.mu.Lock()
		if len(m.bytes)+len(encoded) > cap(m.bytes) {
			m.bytes = m.bytes[:0]
		}
		m.bytes = append(m.bytes, encoded...)
		m.records++
		m.mu.Unlock()
	}
	return nil
}
