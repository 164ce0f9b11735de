package guard_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

// What a guard allocates for an allowed call besides what the evaluation itself
// allocates: the copies of the arguments that are checked and that the tool
// gets, the ids of call, decision and outcome, what is kept until End, the
// outcome, and the digest of the result.
const ownAllocs = 8

// A kept fact adds nothing: no goroutine, no timer, no copy.
func TestAllocationsOfACall(t *testing.T) {
	kept := guard.NewFact("load", func(context.Context, guard.Checked) (int64, error) { return 3, nil }, guard.MaxAge(time.Hour))
	for _, tt := range []struct {
		name, class string
		opts        []guard.Option
		more        float64
	}{
		{"without evidence", "", nil, 0},
		{"a kept fact", ", bounds: [{expr: 'args.replicas < facts.load + 10', why: load}]", []guard.Option{guard.WithFacts(kept)}, 0},
		// For decision and outcome each: the context, the records' list, and the bytes.
		// The ledger concludes once more.
		{"a ledger", "", []guard.Option{guard.WithLedger(ledger.New(bytesOnly{}))}, 2*3 + concludeAllocs()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			docs := []authority.Document{grantDocument("fleet", scaleClass(tt.class))}
			opts := append([]guard.Option{guard.AllowUnsigned(), guard.WithClock(guardtest.NewClock(guardtest.Now()).Now)}, tt.opts...)
			if tt.more == 0 {
				opts = append(opts, guard.WithoutEvidence())
			}
			g, err := guard.New(docs, guard.Agent{ID: guardtest.AgentID, Environment: guardtest.Environment}, opts...)
			require.NoError(t, err)
			require.NoError(t, g.Register(guardtest.Scale()))
			call := guard.Call{Tool: scaleID, Arguments: []byte(`{"replicas":4}`)}
			ctx := context.Background()
			all := testing.AllocsPerRun(200, func() {
				ctx, d := g.Begin(ctx, call)
				if err := g.End(ctx, d, call.Arguments, nil); err != nil {
					t.Error(err)
				}
			})
			assert.LessOrEqual(t, all-evaluationAllocs(t, docs, g.Manifest()), ownAllocs+tt.more+raceAllocs)
		})
	}
}

// concludeAllocs is what it costs to conclude an allowed decision.
func concludeAllocs() float64 {
	d := guardtest.Allowed()
	return testing.AllocsPerRun(200, func() { rationale.Conclude(d) })
}

// evaluationAllocs is what the evaluation of the same call allocates.
func evaluationAllocs(t *testing.T, docs []authority.Document, m authority.Manifest) float64 {
	set, err := authority.Load(docs, m, authority.AllowUnsigned())
	require.NoError(t, err)
	call := authority.Call{
		At: guardtest.Now(), Tool: scaleID, CallID: "c1", Arguments: []byte(`{"replicas":4}`),
		Agent: rationale.Agent{ID: guardtest.AgentID, Environment: guardtest.Environment},
	}
	facts := map[string]authority.FactValue{"load": {Value: int64(3), At: guardtest.Now()}}
	return testing.AllocsPerRun(200, func() {
		c := set.Classify(call)
		c.Facts()
		if d := set.Assess(c, authority.Input{Facts: facts}); d.Verdict != rationale.Allow {
			t.Error(d.Reasons)
		}
	})
}

// bytesOnly is a recorder that encodes records, and keeps nothing.
type bytesOnly struct{}

func (bytesOnly) Append(_ context.Context, recs ...rationale.Record) error {
	for _, rec := range recs {
		if _, err := rationale.Marshal(rec); err != nil {
			return err
		}
	}
	return nil
}
