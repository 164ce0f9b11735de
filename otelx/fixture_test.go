package otelx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	hostTrace = "0af7651916cd43dd8448eb211c80319c"
	hostSpan  = "b7ad6b7169203331"
	digestV4  = "sha256:4444"
	digestV3  = "sha256:3333"
)

var began = time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)

// allowed is a decision with a secret in everything that a class keeps out of
// telemetry unless it says otherwise.
func allowed(id string) *rationale.Decision {
	return &rationale.Decision{
		ID: id, At: began, Verdict: rationale.Allow, Standing: rationale.StandingActive,
		Class: "scaling.horizontal", Domain: "scaling", Effect: "write",
		BaseTier: classify.Parameterized, Tier: classify.BoundedEscalation,
		Agent:     rationale.Agent{ID: "spiffe://agent", Environment: "prod", Session: "session-1", OnBehalfOf: "user-1"},
		Model:     rationale.Model{Provider: "acme", Name: "m1", Version: "2026", Basis: "reported", Pin: rationale.Match},
		Prompt:    rationale.Prompt{Digest: "sha256:pp", Pin: rationale.Match},
		Tool:      rationale.Tool{Server: "k8s", Name: "scale", Digest: "sha256:tt", Pin: rationale.Match},
		CallID:    "call-7",
		Arguments: json.RawMessage(`{"note":"SECRET-argument"}`), ArgumentsDigest: "sha256:aa", ActionDigest: "sha256:ac",
		Authorization: &rationale.AuthorizationRef{
			ID: "payments-autoscaler", Version: 4, Digest: digestV4, Owner: "owner@x", Body: "cab",
			GrantedBy: []string{"chair@x"}, GrantedAt: began, Expires: began.Add(time.Hour), NextReview: began.Add(time.Minute),
			Record: "https://minutes", Unsigned: true, Matrix: "sha256:mm", Controls: []string{"SOX-1", "DORA-2"},
		},
		Checks: []rationale.Check{
			{Kind: rationale.CheckBound, ID: "bounds[0]", Result: rationale.Passed},
			{
				Kind: rationale.CheckTrigger, ID: "escalate[0]", Result: rationale.Raised, To: classify.BoundedEscalation,
				Message: "SECRET-message", Inputs: []rationale.Input{{Path: "args.note", Value: json.RawMessage(`"SECRET-input"`)}},
			},
		},
		Facts:   []rationale.Fact{{Name: "load", Value: json.RawMessage(`"SECRET-fact"`)}},
		Derived: []rationale.Fact{{Name: "d", Value: json.RawMessage(`"SECRET-derived"`)}},
		Spend:   &rationale.Spend{Currency: "EUR", Amount: "12.50", Basis: "amount", Limit: "20", Top: "100", CostCentre: "CC-1"},
		Review:  &rationale.ReviewDue{Due: began.Add(48 * time.Hour), Reason: "tier"},
		Rationale: &rationale.Rationale{
			Purpose: "SECRET-purpose", Expected: "SECRET-expected", Fallback: "SECRET-fallback", Uncertainty: "SECRET-uncertainty",
			Alternatives: []rationale.Alternative{{Option: "SECRET-option", Rejected: "SECRET-rejected"}},
			Evidence:     []string{"SECRET-evidence"}, Text: "SECRET-text", Reasoning: "SECRET-reasoning", Source: "SECRET-source",
		},
		RationaleCheck: &rationale.RationaleCheck{Required: []rationale.Field{rationale.Purpose}, Complete: true},
		Approval:       "approval-1",
	}
}

func denied(id string, reasons ...rationale.Reason) *rationale.Decision {
	d := allowed(id)
	d.Verdict, d.Reasons, d.Review, d.Approval = rationale.Deny, reasons, nil, ""
	d.Checks = append(d.Checks, rationale.Check{Kind: rationale.CheckAllow, ID: "allow args.region", Result: rationale.Failed})
	return d
}

func outcome(decision string, status rationale.Status) *rationale.Outcome {
	return &rationale.Outcome{
		ID: "outcome of " + decision, Decision: decision, Started: began.Add(time.Second), At: began.Add(3 * time.Second),
		Status: status, Error: "SECRET-error", ResultDigest: "sha256:rr", ResultBytes: 17, Effect: "effect-1", Spent: "12.50",
	}
}

func loaded() *rationale.Lifecycle {
	return &rationale.Lifecycle{
		ID: "life-1", At: began, Event: rationale.EventLoaded, Standing: rationale.StandingActive,
		Agent: rationale.Agent{ID: "spiffe://agent", Environment: "prod"}, Authorization: allowed("").Authorization,
		Digest: digestV4, Supersedes: digestV3, Bytes: []byte("SECRET-bytes"), Message: "SECRET-message", Document: "SECRET-name",
	}
}

func approved(ticket string) *rationale.Approval {
	d := allowed(ticket)
	return &rationale.Approval{
		ID: "approval-1", Ticket: ticket, Asked: began, At: began.Add(10 * time.Minute), Expires: began.Add(30 * time.Minute),
		By: rationale.Person{ID: "kim@x", Groups: []string{"oncall"}}, Answer: rationale.AnswerApprove, Why: "SECRET-why", Change: "CHG-7",
		ActionDigest: d.ActionDigest, Currency: "EUR", Amount: "12.50", UpTo: "100", Agent: d.Agent, Tool: d.Tool, Class: d.Class, Authorization: d.Authorization,
	}
}

func judged(decision string) *rationale.Review {
	d := allowed(decision)
	return &rationale.Review{
		ID: "review-1", Decision: decision, Owed: began, At: began.Add(time.Hour), Due: began.Add(48 * time.Hour), Reason: "tier",
		By: rationale.Person{ID: "rae@x", Groups: []string{"risk"}}, Finding: rationale.UpheldWithAction, Why: "SECRET-why", Action: "SECRET-action",
		ActionDigest: d.ActionDigest, Agent: d.Agent, Tool: d.Tool, Class: d.Class, Authorization: d.Authorization,
	}
}

func withHost(d *rationale.Decision, flags byte) *rationale.Decision {
	d.Host = rationale.TraceContext{TraceID: hostTrace, SpanID: hostSpan, Flags: flags, State: "k=v"}
	return d
}

// backend is an exporter that keeps what it takes, and fails as it is told.
type backend struct {
	mu       sync.Mutex
	spans    tracetest.SpanStubs
	attempts int
	down     func(attempt int) error // from 1; may block or panic
	closed   int
}

var errDown = errors.New("backend down")

func (b *backend) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	b.mu.Lock()
	b.attempts++
	attempt, down := b.attempts, b.down
	b.mu.Unlock()
	if down != nil {
		if err := down(attempt); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spans = append(b.spans, tracetest.SpanStubsFromReadOnlySpans(spans)...)
	return nil
}

func (b *backend) Shutdown(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed++
	return nil
}

func (b *backend) names() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var names []string
	for _, s := range b.spans {
		names = append(names, s.Name)
	}
	return names
}

func (b *backend) tried() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.attempts
}

// ids lists the decision ids of what was delivered.
func (b *backend) ids() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var ids []string
	for _, s := range b.spans {
		ids = append(ids, text(s, otelx.DecisionID))
	}
	return ids
}

// errorLog is an error handler that remembers.
type errorLog struct {
	mu   sync.Mutex
	errs []error
}

func (l *errorLog) handle(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errs = append(l.errs, err)
}

func (l *errorLog) all() []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]error(nil), l.errs...)
}

func value(s tracetest.SpanStub, key string) (attribute.Value, bool) {
	var found attribute.Value
	n := 0
	for _, kv := range s.Attributes {
		if string(kv.Key) == key {
			found = kv.Value
			n++
		}
	}
	if n > 1 {
		panic(fmt.Sprintf("%s is set %d times", key, n))
	}
	return found, n == 1
}

func text(s tracetest.SpanStub, key string) string {
	v, _ := value(s, key)
	return v.String()
}

// linkTo returns the span that the link of that kind leads to; invalid without one.
func linkTo(s tracetest.SpanStub, kind string) trace.SpanContext {
	for _, l := range s.Links {
		if len(l.Attributes) == 1 && l.Attributes[0] == attribute.String(otelx.LinkKind, kind) {
			return l.SpanContext
		}
	}
	return trace.SpanContext{}
}

// meter collects metrics.
type meter struct {
	*sdkmetric.MeterProvider
	reader *sdkmetric.ManualReader
}

func newMeter() *meter {
	reader := sdkmetric.NewManualReader()
	return &meter{sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), reader}
}

func (m *meter) collect(t *testing.T) map[string]metricdata.Metrics {
	t.Helper()
	var rm metricdata.ResourceMetrics
	require.NoError(t, m.reader.Collect(context.Background(), &rm))
	out := map[string]metricdata.Metrics{}
	for _, scope := range rm.ScopeMetrics {
		require.Equal(t, otelx.ScopeName, scope.Scope.Name)
		require.Equal(t, otelx.Version, scope.Scope.Version)
		for _, metric := range scope.Metrics {
			out[metric.Name] = metric
		}
	}
	return out
}

// sums returns the points of a counter by their attributes, written k=v,k=v.
func (m *meter) sums(t *testing.T, name string) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	data, ok := m.collect(t)[name]
	if !ok {
		return out
	}
	sum, ok := data.Data.(metricdata.Sum[int64])
	require.True(t, ok, "%s is a %T", name, data.Data)
	for _, p := range sum.DataPoints {
		out[p.Attributes.Encoded(attribute.DefaultEncoder())] = p.Value
	}
	return out
}

// gauge returns the one point of a gauge.
func (m *meter) gauge(t *testing.T, name string) float64 {
	t.Helper()
	gauge, ok := m.collect(t)[name].Data.(metricdata.Gauge[float64])
	require.True(t, ok, "%s is no gauge", name)
	require.Len(t, gauge.DataPoints, 1)
	return gauge.DataPoints[0].Value
}
