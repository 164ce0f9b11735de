package guard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

func TestZeroValuesDeny(t *testing.T) {
	var zero guard.Decision
	assert.False(t, zero.Allowed())
	assert.Equal(t, rationale.Deny, zero.Verdict())
	assert.Equal(t, rationale.Deny, zero.Record().Verdict)
	assert.Equal(t, "deny", said(t, zero)["ambit"])

	for name, g := range map[string]*guard.Guard{"nil": nil, "zero": {}} {
		t.Run(name, func(t *testing.T) {
			_, d := g.Begin(t.Context(), guard.Call{Tool: scaleID, Arguments: []byte(`{}`)})
			assert.False(t, d.Allowed())
			assert.Error(t, g.End(t.Context(), d, nil, nil))
			assert.Error(t, g.Register(guardtest.Scale()))
			assert.Error(t, g.Reload(nil))
			assert.Zero(t, g.Manifest())
			_, err := g.Schema(scaleID)
			assert.Error(t, err)
		})
	}
	s := under(t, "")
	//lint:ignore SA1012 that a nil context is context.Background is documented
	_, d := s.Begin(nil, guard.Call{Tool: scaleID, Arguments: []byte(`{"replicas":1}`)})
	assert.True(t, d.Allowed())
	//lint:ignore SA1012 likewise
	assert.NoError(t, s.End(nil, d, nil, nil))
	assert.Error(t, s.End(t.Context(), zero, nil, nil))
	assert.Empty(t, guard.DecisionID(t.Context()))
}

func TestNewNeedsWhatItCannotDoWithout(t *testing.T) {
	agent := guard.Agent{ID: "a", Environment: "test"}
	fact := guard.NewFact("f", func(context.Context, guard.Checked) (bool, error) { return true, nil })
	derived := guard.Derive("t", "v", func(json.RawMessage) (string, error) { return "", nil })
	price := func(context.Context, guard.Checked) (string, error) { return "1", nil }
	for name, c := range map[string]struct {
		agent guard.Agent
		opts  []guard.Option
	}{
		"no place for evidence": {agent, []guard.Option{nil}},
		"two words on evidence": {agent, []guard.Option{guard.WithoutEvidence(), guard.WithLedger(ledger.New(&guardtest.Recorder{}))}},
		"no agent":              {guard.Agent{Environment: "test"}, []guard.Option{guard.WithoutEvidence()}},
		"no environment":        {guard.Agent{ID: "a"}, []guard.Option{guard.WithoutEvidence()}},
		"an agent that no record can hold": {
			guard.Agent{ID: "a\xff", Environment: "test"}, []guard.Option{guard.WithoutEvidence()},
		},
		"a prompt as it is":      {guard.Agent{ID: "a", Environment: "test", Prompt: "You refund orders."}, []guard.Option{guard.WithoutEvidence()}},
		"no clock":               {agent, []guard.Option{guard.WithoutEvidence(), guard.WithClock(nil)}},
		"the zero fact":          {agent, []guard.Option{guard.WithoutEvidence(), guard.WithFacts(guard.Fact{})}},
		"a fact twice":           {agent, []guard.Option{guard.WithoutEvidence(), guard.WithFacts(fact, fact)}},
		"a fact without time":    {agent, []guard.Option{guard.WithoutEvidence(), guard.WithFacts(guard.NewFact("f", func(context.Context, guard.Checked) (bool, error) { return true, nil }, guard.Timeout(0)))}},
		"the zero derived value": {agent, []guard.Option{guard.WithoutEvidence(), guard.WithDerived(guard.Derived{})}},
		"a derived value twice":  {agent, []guard.Option{guard.WithoutEvidence(), guard.WithDerived(derived, derived)}},
		"the zero estimator":     {agent, []guard.Option{guard.WithoutEvidence(), guard.WithEstimators(guard.Estimator{})}},
		"no keys of subjects":    {agent, []guard.Option{guard.WithoutEvidence(), guard.WithErasure(nil, nil)}},
		"a zero record key":      {agent, []guard.Option{guard.WithoutEvidence(), guard.WithRecordKeys(rationale.RecordKey{})}},
		"a short record key":     {agent, []guard.Option{guard.WithoutEvidence(), guard.WithRecordKeys(rationale.RecordKey{ID: "a", Secret: []byte("short")})}},
		"a record key twice":     {agent, []guard.Option{guard.WithoutEvidence(), guard.WithRecordKeys(recordKey("a"), recordKey("a"))}},
		"an estimator twice":     {agent, []guard.Option{guard.WithoutEvidence(), guard.WithEstimators(guard.NewEstimator("e", "EUR", price), guard.NewEstimator("e", "EUR", price))}},
		"a ledger that fails":    {agent, []guard.Option{guard.WithLedger(ledger.New(nil))}},
		"a ledger that panics":   {agent, []guard.Option{guard.WithLedger(panicking{})}},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := guard.New(nil, c.agent, c.opts...)
			require.Error(t, err)
			assert.Nil(t, g)
			var e *guard.Error
			assert.ErrorAs(t, err, &e)
		})
	}
	g, err := guard.New(nil, agent, guard.WithoutEvidence())
	require.NoError(t, err)
	_, d := g.Begin(t.Context(), guard.Call{Tool: scaleID})
	assert.Equal(t, []rationale.Reason{rationale.UnknownTool}, refused(t, d))
}

// panicking is a ledger and a tracer of which every method panics.
type panicking struct{}

func (panicking) Admit(context.Context, *rationale.Decision) error { panic("ledger") }

func (panicking) Complete(context.Context, *rationale.Outcome) error { panic("ledger") }

func (panicking) Record(context.Context, ...rationale.Record) error { panic("ledger") }

func (panicking) Host(context.Context) rationale.TraceContext { panic("tracer") }

func (panicking) Decided(context.Context, *rationale.Decision, time.Duration) { panic("tracer") }

func (panicking) Execute(context.Context, *rationale.Decision) context.Context { panic("tracer") }

func (panicking) Finished(context.Context, *rationale.Decision, *rationale.Outcome) { panic("tracer") }

func (panicking) Changed(context.Context, *rationale.Lifecycle) { panic("tracer") }

func TestPanicsOfTheHostDeny(t *testing.T) {
	const estimate = `, spend: {currency: EUR, estimate: {estimator: quote}, per_event: {parameterized: "10.00"}}`
	fact := guard.NewFact("calm", func(context.Context, guard.Checked) (bool, error) { panic("fact") })
	derived := guard.Derive("fleet.scale", "kind", func(json.RawMessage) (string, error) { panic("derive") })
	estimator := guard.NewEstimator("quote", "EUR", func(context.Context, guard.Checked) (string, error) { panic("estimator") })
	for name, c := range map[string]struct {
		class  string
		opt    guard.Option
		reason rationale.Reason
	}{
		"fact":          {`, bounds: [{expr: "facts.calm"}]`, guard.WithFacts(fact), rationale.FactUnavailable},
		"derived value": {`, bounds: [{expr: "derived.kind == 'x'"}]`, guard.WithDerived(derived), rationale.EvaluationError},
		"estimator":     {estimate, guard.WithEstimators(estimator), rationale.Unpriced},
	} {
		t.Run(name, func(t *testing.T) {
			s := under(t, c.class, c.opt)
			assert.Equal(t, []rationale.Reason{c.reason}, refused(t, s.decide(t, "1")))
			assert.Len(t, s.recorder.Decisions(), 1)
		})
	}
	t.Run("clock", func(t *testing.T) {
		var broken sync.Map
		clock := guardtest.NewClock(guardtest.Now())
		s := under(t, "", guard.WithClock(func() time.Time {
			if _, ok := broken.Load("clock"); ok {
				panic("clock")
			}
			return clock.Now()
		}))
		_, before := s.begin(t.Context(), "1")
		require.True(t, before.Allowed())
		broken.Store("clock", true)
		assert.Equal(t, []rationale.Reason{rationale.EvaluationError}, refused(t, s.decide(t, "1")))
		assert.Equal(t, guardtest.Now(), s.recorder.Decisions()[1].At)
		assert.NoError(t, s.End(t.Context(), before, nil, nil), "what happened is recorded even so")
	})
	t.Run("ledger", func(t *testing.T) {
		l := &switched{Ledger: ledger.New(&guardtest.Recorder{})}
		s := under(t, "", guard.WithLedger(l))
		_, d := s.begin(t.Context(), "1")
		require.True(t, d.Allowed())
		l.Ledger = panicking{}
		assert.Equal(t, []rationale.Reason{rationale.EvidenceUnavailable}, refused(t, s.decide(t, "1")))
		assert.ErrorContains(t, s.End(t.Context(), d, nil, nil), "stays unknown")
	})
}

// switched is a ledger that can be exchanged.
type switched struct{ guard.Ledger }

func TestPanickingTracerChangesNothing(t *testing.T) {
	s := under(t, "", guard.WithTracer(panicking{}))
	ctx, d := s.begin(t.Context(), "1")
	require.True(t, d.Allowed())
	assert.Equal(t, d.Record().ID, guard.DecisionID(ctx))
	assert.NoError(t, s.End(ctx, d, nil, nil))
	assert.Len(t, s.recorder.Outcomes(), 1)
}

func TestCancelledCallIsDeniedAndRecorded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := under(t, "")
	_, d := s.begin(ctx, "1")
	assert.Equal(t, []rationale.Reason{rationale.EvaluationError}, refused(t, d))
	require.Len(t, s.recorder.Decisions(), 1)

	ctx, cancel = context.WithCancel(t.Context())
	waiting := guard.NewFact("calm", func(ctx context.Context, _ guard.Checked) (bool, error) {
		cancel()
		<-ctx.Done()
		return true, nil
	})
	s = under(t, `, bounds: [{expr: "facts.calm"}]`, guard.WithFacts(waiting))
	_, d = s.begin(ctx, "1")
	assert.Contains(t, refused(t, d), rationale.EvaluationError, "cancelled while a fact was fetched")
	assert.Len(t, s.recorder.Decisions(), 1)

	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	s = under(t, `, observe: {until: 2026-12-01T00:00:00Z}`)
	_, d = s.begin(t.Context(), "1")
	require.Equal(t, rationale.Observe, d.Record().Mode)
	_, d = s.begin(ctx, "1")
	assert.Contains(t, refused(t, d), rationale.EvaluationError, "observe mode lets no cancelled call through")
}

func TestArgumentsAreTheCheckedBytes(t *testing.T) {
	s := under(t, "")
	arguments := []byte(`{ "replicas" : 4e0 }`)
	_, d := s.Begin(t.Context(), guard.Call{Tool: scaleID, Arguments: arguments})
	require.True(t, d.Allowed())
	copy(arguments, bytes.Repeat([]byte("x"), len(arguments)))
	assert.Equal(t, `{ "replicas" : 4e0 }`, string(d.Args))

	d = s.decide(t, "4") // canonical as it is
	d.Args[0] = 'x'
	assert.Equal(t, `{"replicas":4}`, string(d.Record().Arguments), "the tool cannot change the record")
}

func TestHostFunctionsCannotChangeTheArguments(t *testing.T) {
	spoil := func(b []byte) { copy(b, bytes.Repeat([]byte("9"), len(b))) }
	s := under(t, `, bounds: [{expr: "facts.calm && derived.kind == 'x'"}], spend: {currency: EUR, estimate: {estimator: quote}, per_event: {parameterized: "10.00"}}`,
		guard.WithFacts(guard.NewFact("calm", func(_ context.Context, c guard.Checked) (bool, error) {
			spoil(c.Arguments)
			return true, nil
		})),
		guard.WithDerived(guard.Derive("fleet.scale", "kind", func(arguments json.RawMessage) (string, error) {
			spoil(arguments)
			return "x", nil
		})),
		guard.WithEstimators(guard.NewEstimator("quote", "EUR", func(_ context.Context, c guard.Checked) (string, error) {
			spoil(c.Arguments)
			return "1.00", nil
		})),
	)
	d := s.decide(t, "1")
	require.True(t, d.Allowed(), "%s", d.Refusal())
	assert.Equal(t, `{"replicas":1}`, string(d.Args))
}

func TestObserveRunsTheOriginalBytes(t *testing.T) {
	docs := []authority.Document{grantDocument("fleet",
		"  - {id: scale, tools: [fleet.scale], tier: parameterized, observe: {until: 2026-11-20T00:00:00Z}, bounds: [{expr: 'args.replicas <= 10'}]}\n")}
	s := open(t, docs)
	call := guard.Call{Tool: scaleID, Arguments: []byte(`{"replicas": 11, "_rationale": {"purpose":"x"}}`)}
	_, d := s.Begin(t.Context(), call)
	require.True(t, d.Allowed())
	assert.Nil(t, d.Refusal())
	assert.Equal(t, `{"replicas": 11}`, string(d.Args))
	require.NotNil(t, d.Record().Would)
	assert.Equal(t, rationale.Deny, *d.Record().Would)

	s.recorder.Fail(errors.New("disk full"))
	_, d = s.Begin(t.Context(), call)
	assert.Contains(t, refused(t, d), rationale.EvidenceUnavailable, "without evidence even observing denies")
	s.recorder.Fail(nil)

	s.clock.Set(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC))
	_, d = s.Begin(t.Context(), call)
	assert.Equal(t, []rationale.Reason{rationale.BoundViolated}, refused(t, d), "observing has ended")

	var messages []string
	for _, l := range s.recorder.Lifecycles(rationale.EventMode) {
		messages = append(messages, l.Message)
	}
	assert.Equal(t, []string{
		"observing began: verdicts of this class are recorded and not enforced (scale)",
		"observing ended: verdicts of this class are enforced (scale)",
	}, messages)
}

func TestObserveRunsWhatCouldNotBeChecked(t *testing.T) {
	doc := grantDocument("fleet", scaleClass(""))
	doc.Data = append(doc.Data, "observe: {until: 2026-11-20T00:00:00Z}\n"...)
	s := open(t, []authority.Document{doc})
	arguments := []byte(`{"replicas": "many"}`)
	_, d := s.Begin(t.Context(), guard.Call{Tool: scaleID, Arguments: arguments})
	require.True(t, d.Allowed(), "%s", d.Refusal())
	assert.Equal(t, []rationale.Reason{rationale.InvalidArguments}, d.Record().Reasons)
	arguments[0] = 'x'
	assert.Equal(t, `{"replicas": "many"}`, string(d.Args), "a copy")
}

func TestIdentityComesFromTheHost(t *testing.T) {
	s := &stage{recorder: &guardtest.Recorder{}, clock: guardtest.NewClock(guardtest.Now())}
	g, err := guard.New([]authority.Document{grantDocument("fleet", scaleClass(""))},
		guard.Agent{
			ID: "tester", Environment: "test", Prompt: "sha256:ab",
			Model: authority.ModelSpec{Provider: "acme", Name: "m", Version: "1"},
		},
		guard.WithLedger(ledger.New(s.recorder)), guard.WithClock(s.clock.Now), guard.AllowUnsigned(),
		guard.WithTracer(&guardtest.Tracer{Trace: rationale.TraceContext{TraceID: "0af7651916cd43dd8448eb211c80319c", SpanID: "b7ad6b7169203331", Flags: 1}}))
	require.NoError(t, err)
	require.NoError(t, g.Register(guardtest.Scale()))
	call := guard.Call{
		ID: "call-1", Tool: scaleID, Text: "I will scale.", Reasoning: "Because.", TextSource: "assistant",
		Arguments: []byte(`{"replicas":1,"_rationale":{"purpose":"p"}}`),
	}
	ctx := guard.WithSession(t.Context(), guard.Session{ID: "s1", OnBehalfOf: `CORP\dana`})
	_, d := g.Begin(ctx, call)
	require.True(t, d.Allowed(), "%s", d.Refusal())
	got := d.Record()
	assert.Equal(t, rationale.Agent{ID: "tester", Environment: "test", Session: "s1", OnBehalfOf: `CORP\dana`}, got.Agent)
	assert.Equal(t, rationale.Model{Provider: "acme", Name: "m", Version: "1", Basis: "configured"}, got.Model)
	assert.Equal(t, "sha256:ab", got.Prompt.Digest)
	assert.Equal(t, "call-1", got.CallID)
	assert.Equal(t, "b7ad6b7169203331", got.Host.SpanID)
	assert.Equal(t, "I will scale.", got.Rationale.Text)
	assert.Equal(t, "Because.", got.Rationale.Reasoning)
	assert.Equal(t, "assistant", got.Rationale.Source)

	ctx = guard.WithSession(t.Context(), guard.Session{Model: authority.ModelSpec{Provider: "acme", Name: "m", Version: "2"}})
	_, d = g.Begin(ctx, call)
	assert.Equal(t, rationale.Model{Provider: "acme", Name: "m", Version: "2", Basis: "reported"}, d.Record().Model)
}

func TestNamesThatNoRecordCanHoldAreEscaped(t *testing.T) {
	s := under(t, "")
	ctx := guard.WithSession(t.Context(), guard.Session{ID: "s\xff", OnBehalfOf: string(bytes.Repeat([]byte("d"), 4096))})
	_, d := s.Begin(ctx, guard.Call{ID: "c\x00\xff", Tool: classify.ToolID{Name: "fleet.scale\xff"}, Arguments: []byte("\xff")})
	assert.Equal(t, []rationale.Reason{rationale.UnknownTool}, refused(t, d))
	require.Len(t, s.recorder.Decisions(), 1, "it is recorded")
	assert.NotEqual(t, "fleet.scale", d.Record().Tool.Name)
	assert.Less(t, len(d.Record().Agent.OnBehalfOf), 512)
}

func TestServerAndNameAreNotOneString(t *testing.T) {
	s := open(t, []authority.Document{grantDocument("fleet", "  - {id: remote, tools: [eu/scale], tier: parameterized, rationale: []}\n")})
	require.NoError(t, s.Register(authority.Tool{Server: "eu", Name: "scale"}))
	_, d := s.Begin(t.Context(), guard.Call{Tool: classify.ToolID{Server: "eu", Name: "scale"}, Arguments: []byte(`{}`)})
	require.True(t, d.Allowed(), "%s", d.Refusal())
	_, d = s.Begin(t.Context(), guard.Call{Tool: classify.ToolID{Name: "eu/scale"}, Arguments: []byte(`{}`)})
	assert.Equal(t, []rationale.Reason{rationale.UnknownTool}, refused(t, d))
}

func TestCallIDs(t *testing.T) {
	s := under(t, "")
	id := func(session, call string) string {
		ctx := guard.WithSession(t.Context(), guard.Session{ID: session})
		_, d := s.Begin(ctx, guard.Call{ID: call, Tool: scaleID, Arguments: []byte(`{"replicas":1}`)})
		return d.Record().CallID
	}
	assert.Equal(t, "c1", id("s1", "c1"))
	assert.NotEqual(t, "c1", id("s1", "c1"), "repeated")
	assert.Equal(t, "c1", id("s2", "c1"), "another session")
	assert.NotEmpty(t, id("s1", ""), "missing")
	assert.NotEqual(t, "c\n2", id("s1", "c\n2"), "not printable")
}

func TestEvidenceIsWhatWasExecutedInTheSession(t *testing.T) {
	docs := []authority.Document{grantDocument("fleet",
		"  - {id: read, tools: [fleet.read], tier: parameterized, effect: read}\n"+
			"  - {id: scale, tools: [fleet.scale], tier: parameterized, rationale: [evidence]}\n")}
	s := open(t, docs)
	require.NoError(t, s.Register(authority.Tool{Name: "fleet.read"}))
	in := func(session string) context.Context {
		return guard.WithSession(t.Context(), guard.Session{ID: session})
	}
	read := func(session, id string, failure error) {
		ctx, d := s.Begin(in(session), guard.Call{ID: id, Tool: classify.ToolID{Name: "fleet.read"}, Arguments: []byte(`{}`)})
		require.True(t, d.Allowed(), "%s", d.Refusal())
		require.NoError(t, s.End(ctx, d, []byte("3"), failure))
	}
	cites := func(session, id string) bool {
		_, d := s.Begin(in(session), guard.Call{
			Tool: scaleID, Arguments: []byte(`{"replicas":1,"_rationale":{"evidence":["` + id + `"]}}`),
		})
		return d.Allowed()
	}
	read("s1", "read-1", nil)
	read("s1", "read-2", errors.New("timeout"))
	assert.True(t, cites("s1", "read-1"))
	assert.False(t, cites("s1", "read-2"), "it failed")
	assert.False(t, cites("s1", "read-3"), "it never was")
	assert.False(t, cites("s2", "read-1"), "it was another session's")

	_, d := s.Begin(in("s1"), guard.Call{ID: "open", Tool: classify.ToolID{Name: "fleet.read"}, Arguments: []byte(`{}`)})
	require.True(t, d.Allowed())
	assert.False(t, cites("s1", "open"), "its outcome is not known yet")
}

func TestTimeNeverGoesBackwards(t *testing.T) {
	s := under(t, "")
	require.True(t, s.decide(t, "1").Allowed())
	s.clock.Set(time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC))
	assert.Contains(t, refused(t, s.decide(t, "1")), rationale.Expired)
	s.clock.Set(guardtest.Now())
	assert.Contains(t, refused(t, s.decide(t, "1")), rationale.Expired, "the clock was set back")
}

func TestConcurrentCallsAndReloads(t *testing.T) {
	docs := []authority.Document{grantDocument("fleet", scaleClass(""))}
	s := open(t, docs)
	var calls, changes sync.WaitGroup
	done := make(chan struct{})
	changes.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				assert.NoError(t, s.Reload(docs))
			}
		}
	})
	const workers, each = 4, 25
	for range workers {
		calls.Go(func() {
			for range each {
				ctx, d := s.begin(context.Background(), "1")
				if d.Allowed() {
					assert.NoError(t, s.End(ctx, d, nil, nil))
				}
			}
		})
	}
	calls.Wait()
	close(done)
	changes.Wait()
	decisions, allowed := s.recorder.Decisions(), 0
	for _, d := range decisions {
		if d.Verdict == rationale.Allow {
			allowed++
		}
	}
	assert.Len(t, decisions, workers*each)
	assert.Len(t, s.recorder.Outcomes(), allowed)
}
