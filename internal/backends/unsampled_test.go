package backends_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// The host's own spans are sampled away; the evidence arrives, in the host's
// traces, under spans that never will.
func TestHostWhoseSpansAreUnsampled(t *testing.T) {
	queue, endpoint, out := chain(t)
	queue.start(t)
	exporter, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL("http://"+endpoint+"/v1/traces"))
	require.NoError(t, err)
	provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()), sdktrace.WithBatcher(exporter))
	const n = 100
	spans := make([]trace.Span, n+1)
	h := newHost(t, t.TempDir(), endpoint)
	h.calls(t, n, func(i int) context.Context {
		ctx, span := provider.Tracer("host").Start(context.Background(), "turn of the agent")
		spans[i] = span
		return ctx
	})
	parents := map[string]string{} // trace id: span id
	for _, s := range spans[1:] {
		s.End()
		require.False(t, s.SpanContext().IsSampled())
		parents[s.SpanContext().TraceID().String()] = s.SpanContext().SpanID().String()
	}
	require.NoError(t, provider.Shutdown(context.Background()))
	want := h.evidence(t)
	require.Equal(t, n, want.decisions)
	arrives(t, out, want)
	for id, of := range want.spans {
		if s := out.seen[id][0]; of != want.digest {
			require.Contains(t, parents, s.TraceID, s.Name)
			assert.Equal(t, parents[s.TraceID], s.Parent, s.Name)
		}
	}
}
