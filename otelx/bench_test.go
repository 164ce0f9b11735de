package otelx_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/otelx"
)

const scalerDocument = `apiVersion: ambit/v1
kind: Authorization
id: payments-autoscaler
owner: {id: m.okafor@bank.example}
agent: {id: "spiffe://bank.example/agent/payments-autoscaler", environments: [prod]}
grant: {by: [{id: j.lindqvist@bank.example}], at: 2026-11-01T00:00:00Z, expires: 2027-02-01T00:00:00Z, record: "https://minutes.bank.example/cab#7"}
approval: {by: [group:payments-sre-oncall]}
classes:
  - id: scaling.horizontal
    domain: scaling
    tools: [k8s.scale_deployment]
    tier: parameterized
    bounds:
      - expr: >-
          args.replicas >= 3 && args.replicas <= 60 && args.region in ["eu-west-1", "eu-central-1"]
          && args.workload.startsWith("payments-") && args.replicas <= facts.current_replicas * 2
        why: CAP-114 capacity envelope
    rationale: []
    controls: ["DORA-RTS-2024/1774:17.1"]
`

var scalerNow = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// scaler is a guard without a ledger, under one class with a bound of five
// clauses and a fact that is kept.
func scaler(t testing.TB, opts ...guard.Option) (*guard.Guard, guard.Call) {
	t.Helper()
	replicas := guard.NewFact("current_replicas", func(context.Context, guard.Checked) (int64, error) { return 8, nil },
		guard.MaxAge(time.Hour), guard.By("args.workload"))
	g, err := guard.New([]authority.Document{{Name: "scaler.yaml", Data: []byte(scalerDocument)}},
		guard.Agent{ID: "spiffe://bank.example/agent/payments-autoscaler", Environment: "prod"},
		append([]guard.Option{
			guard.WithoutEvidence(), guard.AllowUnsigned(), guard.WithFacts(replicas),
			guard.WithClock(func() time.Time { return scalerNow }),
		}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	err = g.Register(authority.Tool{
		Name: "k8s.scale_deployment", Description: "Scales a deployment.",
		Schema: json.RawMessage(`{"type":"object","properties":{"replicas":{"type":"integer"},"region":{"type":"string"},
			"workload":{"type":"string"},"reason":{"type":"string"}},"required":["replicas","region","workload"],"additionalProperties":false}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return g, guard.Call{
		Tool:      classify.ToolID{Name: "k8s.scale_deployment"},
		Arguments: []byte(`{"replicas":12,"region":"eu-west-1","workload":"payments-api","reason":"p99 latency above 400 ms for ten minutes"}`),
	}
}

var toolResult = []byte(`{"status":"scaled","replicas":12}`)

// counter is an exporter that counts.
type counter struct{ spans atomic.Int64 }

func (c *counter) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	c.spans.Add(int64(len(spans)))
	return nil
}

func (*counter) Shutdown(context.Context) error { return nil }

// batched is a provider whose batch processor drops nothing.
func batched(b testing.TB) (*sdktrace.TracerProvider, func(want int)) {
	exporter := new(counter)
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter, sdktrace.WithBlocking()))
	return provider, func(want int) {
		b.Helper()
		if err := provider.Shutdown(context.Background()); err != nil {
			b.Fatal(err)
		}
		if got := exporter.spans.Load(); got != int64(want) {
			b.Fatalf("%d spans were exported, not %d", got, want)
		}
	}
}

// byHand makes the two spans of one call as a host without Ambit would write
// them, with the values of spans that Ambit made.
func byHand(tracer trace.Tracer, document trace.SpanContext, decision, execution tracetest.SpanStub, outcome int) func(context.Context) {
	known, later := execution.Attributes[:len(execution.Attributes)-outcome], execution.Attributes[len(execution.Attributes)-outcome:]
	return func(ctx context.Context) {
		began := time.Now()
		now := time.Now()
		_, span := tracer.Start(ctx, decision.Name, trace.WithTimestamp(began),
			trace.WithAttributes(slices.Clone(decision.Attributes)...),
			trace.WithLinks(trace.Link{SpanContext: document, Attributes: []attribute.KeyValue{attribute.String(otelx.LinkKind, otelx.LinkAuthorization)}}))
		span.End(trace.WithTimestamp(now))
		authorized := span.SpanContext()
		_, span = tracer.Start(ctx, execution.Name, trace.WithAttributes(slices.Clone(known)...),
			trace.WithLinks(
				trace.Link{SpanContext: authorized, Attributes: []attribute.KeyValue{attribute.String(otelx.LinkKind, otelx.LinkDecision)}},
				trace.Link{SpanContext: document, Attributes: []attribute.KeyValue{attribute.String(otelx.LinkKind, otelx.LinkAuthorization)}},
			))
		span.SetAttributes(slices.Clone(later)...)
		span.End()
	}
}

// sample returns the spans of one call.
func sample(b testing.TB) (document, decision, execution tracetest.SpanStub) {
	exporter := tracetest.NewInMemoryExporter()
	live, err := otelx.NewLive(sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter)))
	if err != nil {
		b.Fatal(err)
	}
	g, call := scaler(b, guard.WithTracer(live))
	ctx, d := g.Begin(context.Background(), call)
	if !d.Allowed() {
		b.Fatalf("%s", d.Refusal())
	}
	if err := g.End(ctx, d, toolResult, nil); err != nil {
		b.Fatal(err)
	}
	spans := exporter.GetSpans()
	if len(spans) != 3 {
		b.Fatalf("%d spans", len(spans))
	}
	return spans[0], spans[1], spans[2]
}

// BenchmarkSpans compares a governed call, from Begin to End through Live into
// the SDK's batch processor, with making the same two spans by hand. What both
// need is made first, so that the collector has the same to do for each.
func BenchmarkSpans(b *testing.B) {
	document, decision, execution := sample(b)
	provider, done := batched(b)
	live, err := otelx.NewLive(provider)
	if err != nil {
		b.Fatal(err)
	}
	traced, call := scaler(b, guard.WithTracer(live))
	alone, _ := scaler(b)
	pair := byHand(provider.Tracer(otelx.ScopeName, trace.WithInstrumentationVersion(otelx.Version)),
		document.SpanContext, decision, execution, 4)
	spans := 1 // the document's
	for _, bb := range []struct {
		name  string
		spans int
		run   func()
	}{
		{"by hand", 2, func() { pair(context.Background()) }},
		{"governed", 2, func() { governed(b, traced, call) }},
		{"guard alone", 0, func() { governed(b, alone, call) }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bb.run()
			}
			spans += bb.spans * b.N
		})
	}
	done(spans)
}

func governed(b testing.TB, g *guard.Guard, call guard.Call) {
	ctx, d := g.Begin(context.Background(), call)
	if err := g.End(ctx, d, toolResult, nil); err != nil {
		b.Fatal(err)
	}
}
