package guardtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

// The agent of the suites, and the time at which their document is in force.
const (
	AgentID     = "tester"
	Environment = "test"
)

// Now returns a time at which the document of [Documents] is in force.
func Now() time.Time { return time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC) }

// Documents returns the unsigned document of the suites: the agent may read
// the fleet with fleet.read, and scale it with fleet.scale to at most 10
// replicas, giving a purpose; above 5 a human must approve.
func Documents() []authority.Document {
	return []authority.Document{{Name: "fleet.yaml", Data: []byte(`apiVersion: ambit/v1
kind: Authorization
id: fleet
owner: {id: owner@example.com}
agent: {id: tester, environments: [test]}
grant: {by: [{id: granter@example.com}], at: 2026-11-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
approval: {by: [group:oncall]}
classes:
  - {id: read, tools: [fleet.read], tier: parameterized, effect: read}
  - id: scale
    tools: [fleet.scale]
    tier: parameterized
    bounds:
      - {expr: "args.replicas <= 10", why: approved capacity}
    escalate:
      - {when: "args.replicas > 5", to: authorization_required, code: large_step}
    rationale: [purpose]
`)}}
}

// Scale is the tool fleet.scale of [Documents].
func Scale() authority.Tool {
	return authority.Tool{
		Name: "fleet.scale", Description: "Scales the fleet.",
		Schema: json.RawMessage(`{"type":"object","properties":{"replicas":{"type":"integer"}},` +
			`"required":["replicas"],"additionalProperties":false}`),
	}
}

// New returns a guard under [Documents] that records with recorder, at the time
// of [Now]. Options come last.
func New(t testing.TB, recorder ledger.Recorder, opts ...guard.Option) *guard.Guard {
	t.Helper()
	opts = append([]guard.Option{
		guard.WithLedger(ledger.New(recorder)), guard.WithClock(NewClock(Now()).Now), guard.AllowUnsigned(),
	}, opts...)
	g, err := guard.New(Documents(), guard.Agent{ID: AgentID, Environment: Environment}, opts...)
	require.NoError(t, err)
	return g
}

// Func is a tool: it gets exactly the bytes that the adapter passes on.
type Func func(ctx context.Context, arguments []byte) ([]byte, error)

// Invoke calls a wrapped tool as the framework would.
type Invoke func(ctx context.Context, callID string, arguments []byte) ([]byte, error)

// Adapter is how an adapter wraps tools. Every function gets a guard with
// nothing registered.
type Adapter struct {
	// Wrap puts a tool behind the guard, and returns how the framework calls
	// it. There is one for each way in that the framework has: plain,
	// streaming, and so on. A panic of the tool must reach the caller as an
	// error, and a refusal as a result.
	Wrap map[string]func(t *testing.T, g *guard.Guard, tool authority.Tool, fn Func) Invoke
	// Unwrapped returns how the framework calls a tool of that name that it
	// knows, or that the model made up, but that was not wrapped; by alias, for
	// one. It may be nil where the framework has no such way.
	Unwrapped func(t *testing.T, g *guard.Guard, name string, fn Func) Invoke
}

const (
	scaleTo4  = `{"replicas": 4.0e0, "_rationale": {"purpose": "the queue grows"}}`
	scaleTo8  = `{"replicas": 8, "_rationale": {"purpose": "the queue grows"}}`
	scaleTo11 = `{"replicas": 11, "_rationale": {"purpose": "the queue grows"}}`
	unspoken  = `{"replicas": 4}`
)

// TestAdapter tests that each way into a tool is guarded.
func TestAdapter(t *testing.T, a Adapter) {
	for name, wrap := range a.Wrap {
		t.Run(name, func(t *testing.T) { testWay(t, wrap) })
	}
	if a.Unwrapped == nil {
		return
	}
	t.Run("a tool that is not wrapped does not run and leaves a decision", func(t *testing.T) {
		s := newStage(t)
		invoke := a.Unwrapped(t, s.guard, "fleet.unknown", s.tool)
		out, err := invoke(t.Context(), "c1", []byte(`{}`))
		require.NoError(t, err)
		assert.Contains(t, string(out), string(rationale.UnknownTool))
		s.expect(t, rationale.Deny, rationale.UnknownTool)
		assert.Equal(t, classify.ToolID{Name: "fleet.unknown"}.String(), s.recorder.Decisions()[0].Tool.Name)
	})
}

func testWay(t *testing.T, wrap func(*testing.T, *guard.Guard, authority.Tool, Func) Invoke) {
	play := func(t *testing.T, fn Func) (*stage, Invoke) {
		s := newStage(t)
		if fn != nil {
			s.fn = fn
		}
		return s, wrap(t, s.guard, Scale(), s.tool)
	}
	t.Run("an allowed call runs with exactly the checked bytes", func(t *testing.T) {
		s, invoke := play(t, nil)
		out, err := invoke(t.Context(), "c1", []byte(scaleTo4))
		require.NoError(t, err)
		assert.Equal(t, "scaled", string(out))
		s.expectRun(t, `{"replicas": 4.0e0}`)
		s.expect(t, rationale.Allow)
		s.expectOutcome(t, rationale.StatusSuccess)
		d := s.recorder.Decisions()[0]
		require.NotNil(t, d.Rationale)
		assert.Equal(t, "the queue grows", d.Rationale.Purpose)
		assert.Equal(t, "c1", d.CallID)
		assert.Equal(t, rationale.Digest([]byte("scaled")), s.recorder.Outcomes()[0].ResultDigest)
	})
	for _, c := range []struct {
		name, arguments string
		verdict         rationale.Verdict
		reasons         []rationale.Reason
	}{
		{"a call out of bounds", scaleTo11, rationale.Deny, []rationale.Reason{rationale.BoundViolated, rationale.ApprovalRequired}},
		{"a call that needs approval", scaleTo8, rationale.Pend, []rationale.Reason{rationale.ApprovalRequired}},
		{"a call without its rationale", unspoken, rationale.Deny, []rationale.Reason{rationale.RationaleIncomplete}},
		{"a call with a property too many", `{"replicas":4,"force":true}`, rationale.Deny, []rationale.Reason{rationale.InvalidArguments}},
		{"a call with a duplicate key", `{"replicas":40,"replicas":4}`, rationale.Deny, []rationale.Reason{rationale.InvalidArguments}},
		{"a call that is no JSON", `{"replicas":`, rationale.Deny, []rationale.Reason{rationale.InvalidArguments}},
	} {
		t.Run(c.name+" does not run and says why", func(t *testing.T) {
			s, invoke := play(t, nil)
			out, err := invoke(t.Context(), "c1", []byte(c.arguments))
			require.NoError(t, err, "a refusal is a result")
			s.expect(t, c.verdict, c.reasons...)
			var said struct {
				Ambit, Ticket string
				Reasons       []rationale.Reason
			}
			require.NoError(t, json.Unmarshal(out, &said), "%s", out)
			assert.Equal(t, c.verdict.String(), said.Ambit)
			assert.Equal(t, c.reasons, said.Reasons)
			if c.verdict == rationale.Pend {
				assert.Equal(t, s.recorder.Decisions()[0].ID, said.Ticket)
			}
		})
	}
	t.Run("a tool's error is an outcome", func(t *testing.T) {
		s, invoke := play(t, func(context.Context, []byte) ([]byte, error) { return nil, errors.New("no such fleet") })
		_, err := invoke(t.Context(), "c1", []byte(scaleTo4))
		assert.ErrorContains(t, err, "no such fleet")
		s.expectOutcome(t, rationale.StatusError)
		assert.Contains(t, s.recorder.Outcomes()[0].Error, "no such fleet")
	})
	t.Run("a tool's panic is an outcome and an error", func(t *testing.T) {
		s, invoke := play(t, func(context.Context, []byte) ([]byte, error) { panic("fleet on fire") })
		require.NotPanics(t, func() {
			_, err := invoke(t.Context(), "c1", []byte(scaleTo4))
			assert.ErrorContains(t, err, "fleet on fire")
		})
		s.expectOutcome(t, rationale.StatusPanic)
	})
	t.Run("the outcome is recorded though the caller cancels", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s, invoke := play(t, func(ctx context.Context, _ []byte) ([]byte, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		})
		_, err := invoke(ctx, "c1", []byte(scaleTo4))
		assert.ErrorIs(t, err, context.Canceled)
		s.expectOutcome(t, rationale.StatusError)
		assert.Equal(t, "canceled", s.recorder.Outcomes()[0].ErrorType)
	})
	t.Run("a call that was cancelled before does not run", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s, invoke := play(t, nil)
		_, _ = invoke(ctx, "c1", []byte(scaleTo4)) // the framework may refuse it itself
		assert.Zero(t, s.runs.Load())
		for _, d := range s.recorder.Decisions() {
			assert.Equal(t, rationale.Deny, d.Verdict)
		}
	})
	t.Run("what the caller does to its bytes changes nothing", func(t *testing.T) {
		arguments := []byte(scaleTo4)
		s, invoke := play(t, func(context.Context, []byte) ([]byte, error) {
			for i := range arguments {
				arguments[i] = 'x' // the race detector sees a shared slice
			}
			return []byte("scaled"), nil
		})
		_, err := invoke(t.Context(), "c1", arguments)
		require.NoError(t, err)
		s.expectRun(t, `{"replicas": 4.0e0}`)
		assert.JSONEq(t, `{"replicas":4}`, string(s.recorder.Decisions()[0].Arguments))
	})
	t.Run("the tool's context names the decision", func(t *testing.T) {
		var id string
		s, invoke := play(t, func(ctx context.Context, _ []byte) ([]byte, error) {
			id = guard.DecisionID(ctx)
			return nil, nil
		})
		_, err := invoke(t.Context(), "c1", []byte(scaleTo4))
		require.NoError(t, err)
		assert.Equal(t, s.recorder.Decisions()[0].ID, id)
	})
	t.Run("a repeated call id becomes a fresh one", func(t *testing.T) {
		s, invoke := play(t, nil)
		for range 2 {
			_, err := invoke(t.Context(), "c1", []byte(scaleTo4))
			require.NoError(t, err)
		}
		ds := s.recorder.Decisions()
		require.Len(t, ds, 2)
		assert.NotEqual(t, ds[0].CallID, ds[1].CallID)
	})
	t.Run("concurrent calls leave one decision and one outcome each", func(t *testing.T) {
		s, invoke := play(t, nil)
		var group sync.WaitGroup
		for i := range 16 {
			group.Go(func() {
				_, err := invoke(t.Context(), fmt.Sprint("c", i), []byte(scaleTo4))
				assert.NoError(t, err)
			})
		}
		group.Wait()
		assert.EqualValues(t, 16, s.runs.Load())
		assert.Len(t, s.recorder.Decisions(), 16)
		assert.Len(t, s.recorder.Outcomes(), 16)
	})
	t.Run("without evidence nothing runs", func(t *testing.T) {
		s, invoke := play(t, nil)
		s.recorder.Fail(errors.New("disk full"))
		out, err := invoke(t.Context(), "c1", []byte(scaleTo4))
		require.NoError(t, err)
		assert.Contains(t, string(out), string(rationale.EvidenceUnavailable))
		assert.Zero(t, s.runs.Load())
	})
}

// stage is a guard, its evidence, and a tool that notes how it is run.
type stage struct {
	guard    *guard.Guard
	recorder *Recorder
	fn       Func
	runs     atomic.Int32

	mu  sync.Mutex
	got []string
}

func newStage(t *testing.T) *stage {
	s := &stage{recorder: &Recorder{}}
	s.guard = New(t, s.recorder)
	s.fn = func(context.Context, []byte) ([]byte, error) { return []byte("scaled"), nil }
	return s
}

func (s *stage) tool(ctx context.Context, arguments []byte) ([]byte, error) {
	s.runs.Add(1)
	out, err := s.fn(ctx, arguments)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, string(arguments)) // after fn, which may try to change them
	return out, err
}

// expect asserts the one decision, and that a call which is not allowed did not
// run.
func (s *stage) expect(t *testing.T, verdict rationale.Verdict, reasons ...rationale.Reason) {
	t.Helper()
	ds := s.recorder.Decisions()
	require.Len(t, ds, 1)
	assert.Equal(t, verdict, ds[0].Verdict)
	assert.Equal(t, append([]rationale.Reason{}, reasons...), ds[0].Reasons)
	if verdict != rationale.Allow {
		assert.Zero(t, s.runs.Load())
		assert.Empty(t, s.recorder.Outcomes())
	}
}

func (s *stage) expectRun(t *testing.T, arguments string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	assert.Equal(t, []string{arguments}, s.got)
}

func (s *stage) expectOutcome(t *testing.T, status rationale.Status) {
	t.Helper()
	outcomes := s.recorder.Outcomes()
	require.Len(t, outcomes, 1)
	assert.Equal(t, status, outcomes[0].Status)
	assert.Equal(t, s.recorder.Decisions()[0].ID, outcomes[0].Decision)
	assert.EqualValues(t, 1, s.runs.Load())
}
