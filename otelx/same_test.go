package otelx_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
)

// variants are decisions on one tool under one class that differ in what
// tracers remember of it.
func variants() map[string]*rationale.Decision {
	granted := func(id string, change func(*rationale.AuthorizationRef)) *rationale.Decision {
		d := allowed(id)
		ref := *d.Authorization
		change(&ref)
		d.Authorization = &ref
		return d
	}
	demanding := allowed("d4")
	demanding.Tier = classify.AuthorizationRequired
	demanding.RationaleCheck = &rationale.RationaleCheck{Required: rationale.Required(demanding.Tier), Missing: []rationale.Field{rationale.Evidence}}

	bare := allowed("d5")
	bare.Authorization, bare.RationaleCheck = nil, nil

	changed := func(id string, change func(*rationale.Decision)) *rationale.Decision {
		d := allowed(id)
		change(d)
		return d
	}
	unknown := denied("d6", rationale.UnknownTool)
	open := allowed("d7")
	open.Telemetry = []string{"arguments", "rationale", "reasoning", "facts"}
	return map[string]*rationale.Decision{
		"first": allowed("d1"), "higher tier": demanding,
		"reaffirmed":          granted("d2", func(r *rationale.AuthorizationRef) { r.NextReview = r.NextReview.Add(24 * time.Hour) }),
		"other controls":      granted("d3", func(r *rationale.AuthorizationRef) { r.Controls = []string{"SOX-1"} }),
		"signed":              granted("d10", func(r *rationale.AuthorizationRef) { r.Unsigned = false }),
		"under no matrix":     granted("d11", func(r *rationale.AuthorizationRef) { r.Matrix = "" }),
		"another agent":       changed("d12", func(d *rationale.Decision) { d.Agent.ID = "spiffe://other" }),
		"another environment": changed("d13", func(d *rationale.Decision) { d.Agent.Environment = "test" }),
		"another model":       changed("d14", func(d *rationale.Decision) { d.Model.Version, d.Model.Pin = "2027", rationale.Mismatch }),
		"another prompt":      changed("d15", func(d *rationale.Decision) { d.Prompt.Digest = "sha256:qq" }),
		"another tool digest": changed("d16", func(d *rationale.Decision) { d.Tool.Digest = "sha256:uu" }),
		"another domain":      changed("d17", func(d *rationale.Decision) { d.Domain = "" }),
		"a reading class":     changed("d18", func(d *rationale.Decision) { d.Effect = "read" }),
		"another base tier":   changed("d19", func(d *rationale.Decision) { d.BaseTier = classify.BoundedEscalation }),
		"observed":            changed("d21", func(d *rationale.Decision) { d.Mode = rationale.Observe }),
		"another tier":        changed("d22", func(d *rationale.Decision) { d.Tier = classify.Parameterized }),
		"another session":     changed("d20", func(d *rationale.Decision) { d.Agent.Session, d.Agent.OnBehalfOf = "session-2", "user-2" }),
		"no authorization":    bare, "unknown tool": unknown, "same tool, now known": allowed("d8"), "telemetry": open,
		"denied": denied("d9", rationale.BoundViolated, rationale.EvaluationError),
	}
}

// described is what a span says, but its ids and times.
func described(s tracetest.SpanStub) string {
	var b strings.Builder
	fmt.Fprintln(&b, s.Name, s.Status.Code)
	for _, kv := range s.Attributes {
		if strings.HasPrefix(string(kv.Key), "ambit.journal.") {
			continue // a live span has no place in a journal
		}
		fmt.Fprintf(&b, "%s=%v %s\n", kv.Key, kv.Value.Type(), kv.Value.String())
	}
	return b.String()
}

// What a tracer remembers of other decisions shows in no span: each says what a
// tracer that sees only this decision says, through Live and through Delivery.
func TestSpansDoNotDependOnWhatIsRemembered(t *testing.T) {
	want := map[string]string{}
	for name, d := range variants() {
		spans := delivered(t, d, outcome(d.ID, rationale.StatusSuccess))
		want[name] = described(spans[0]) + described(spans[1])
	}
	for range 10 { // in the map's order, which is another each time
		live, _, exporter := newLive(t)
		var order []string
		var recs []rationale.Record
		ctx := context.Background()
		for name, d := range variants() {
			order = append(order, name)
			o := outcome(d.ID, rationale.StatusSuccess)
			live.Decided(ctx, d, 0)
			live.Finished(live.Execute(ctx, d), d, o)
			recs = append(recs, d, o)
		}
		queued := delivered(t, recs...)
		lived := exporter.GetSpans()
		require.Len(t, lived, 2*len(order))
		require.Len(t, queued, 2*len(order))
		for i, name := range order {
			assert.Equal(t, want[name], described(lived[2*i])+described(lived[2*i+1]), "live: %s", name)
			assert.Equal(t, want[name], described(queued[2*i])+described(queued[2*i+1]), "delivery: %s", name)
		}
	}
}

// Spans of calls at the same time do not mix.
func TestLiveSpansOfManyCalls(t *testing.T) {
	live, _, exporter := newLive(t)
	const callers, calls = 8, 50
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for i := range calls {
				d := allowed(fmt.Sprintf("d%d-%d", caller, i))
				d.CallID, d.Class = "call of "+d.ID, "class of "+d.ID
				live.Decided(context.Background(), d, 0)
				live.Finished(live.Execute(context.Background(), d), d, outcome(d.ID, rationale.StatusSuccess))
			}
		})
	}
	group.Wait()
	spans := exporter.GetSpans()
	require.Len(t, spans, 2*callers*calls)
	decided := map[trace.SpanID]string{}
	for _, s := range spans {
		if strings.HasPrefix(s.Name, "authorize") {
			decided[s.SpanContext.SpanID()] = text(s, otelx.DecisionID)
		}
	}
	for _, s := range spans {
		id := text(s, otelx.DecisionID)
		require.Equal(t, "call of "+id, text(s, otelx.GenAIToolCallID))
		require.Equal(t, "class of "+id, text(s, otelx.Class))
		if strings.HasPrefix(s.Name, "execute") {
			require.Equal(t, "outcome of "+id, text(s, otelx.OutcomeID))
			require.Equal(t, id, decided[linkTo(s, otelx.LinkDecision).SpanID()])
		}
	}
}

// keeper is a provider that is not the SDK's, and keeps the options of its
// spans: what they hold must stay what it was.
type keeper struct {
	tracenoop.TracerProvider
	starts [][]trace.SpanStartOption
	set    [][]attribute.KeyValue
}

func (k *keeper) Tracer(string, ...trace.TracerOption) trace.Tracer {
	return keptTracer{tracenoop.Tracer{}, k}
}

type keptTracer struct {
	tracenoop.Tracer
	of *keeper
}

func (t keptTracer) Start(ctx context.Context, _ string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	t.of.starts = append(t.of.starts, options)
	span := keptSpan{tracenoop.Span{}, t.of, byte(len(t.of.starts))}
	return trace.ContextWithSpan(ctx, span), span
}

type keptSpan struct {
	tracenoop.Span
	of *keeper
	n  byte // from 1
}

func (s keptSpan) IsRecording() bool { return true }

func (s keptSpan) SpanContext() trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{s.n}})
}

func (s keptSpan) SetAttributes(kvs ...attribute.KeyValue) { s.of.set = append(s.of.set, kvs) }

func TestLiveLendsNothingToAForeignProvider(t *testing.T) {
	k := new(keeper)
	live, err := otelx.NewLive(k)
	require.NoError(t, err)
	for i := range 20 {
		d := allowed(fmt.Sprint("d", i))
		live.Decided(context.Background(), d, 0)
		live.Finished(live.Execute(context.Background(), d), d, outcome(d.ID, rationale.StatusSuccess))
	}
	require.Len(t, k.starts, 40)
	require.Len(t, k.set, 40)
	for i := range k.starts {
		config := trace.NewSpanStartConfig(k.starts[i]...)
		assert.Contains(t, config.Attributes(), attribute.String(otelx.GenAIToolName, "scale"))
		assert.True(t, slices.Contains(k.set[i], attribute.String(otelx.DecisionID, fmt.Sprint("d", i/2))))
		if i%2 == 1 {
			require.Len(t, config.Links(), 1)
			assert.Equal(t, trace.SpanID{byte(i)}, config.Links()[0].SpanContext.SpanID())
		}
	}
}

// A sampler sees what it can go by when a span starts: it may keep all denials,
// or all that one tool does.
func TestLiveShowsGroundsToTheSampler(t *testing.T) {
	seen := map[string][]attribute.KeyValue{}
	live, _, _ := newLive(t, sdktrace.WithSampler(sampler(func(p sdktrace.SamplingParameters) { seen[p.Name] = p.Attributes })))
	common := []attribute.KeyValue{
		attribute.String(otelx.Mode, "enforce"), attribute.String(otelx.Tier, "bounded_escalation"),
		attribute.String(otelx.Class, "scaling.horizontal"), attribute.String(otelx.GenAIToolName, "scale"),
		attribute.String(otelx.ToolServer, "k8s"), attribute.String(otelx.AuthorizationID, "payments-autoscaler"),
	}
	for _, d := range []*rationale.Decision{allowed("d1"), denied("d2", rationale.NotAllowed), allowed("d3")} {
		live.Decided(context.Background(), d, 0)
		assert.ElementsMatch(t, append(common, attribute.String(otelx.Verdict, d.Verdict.String())), seen["authorize k8s/scale"])
	}
	live.Execute(context.Background(), allowed("d3"))
	assert.ElementsMatch(t, append(common, attribute.String(otelx.GenAIOperationName, "execute_tool")), seen["execute_tool k8s/scale"])
}

type sampler func(sdktrace.SamplingParameters)

func (s sampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	s(p)
	return sdktrace.AlwaysSample().ShouldSample(p)
}

func (sampler) Description() string { return "keeps what it sees" }
