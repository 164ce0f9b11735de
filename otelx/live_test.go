package otelx_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
)

func newLive(t *testing.T, options ...sdktrace.TracerProviderOption) (*otelx.Live, *sdktrace.TracerProvider, *tracetest.InMemoryExporter) {
	t.Helper()
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(append([]sdktrace.TracerProviderOption{sdktrace.WithSyncer(exporter)}, options...)...)
	tracer, err := otelx.NewLive(provider)
	require.NoError(t, err)
	return tracer, provider, exporter
}

func TestNewLiveRefuses(t *testing.T) {
	_, err := otelx.NewLive(nil)
	assert.EqualError(t, err, "otelx: the tracer provider is nil")
}

func TestLiveSpansOfOneCall(t *testing.T) {
	tracer, provider, exporter := newLive(t)
	ctx, root := provider.Tracer("host").Start(context.Background(), "host")
	assert.Equal(t, root.SpanContext().TraceID().String(), tracer.Host(ctx).TraceID)

	tracer.Changed(ctx, loaded())
	start := time.Now()
	tracer.Decided(ctx, allowed("d1"), time.Hour)
	toolCtx := tracer.Execute(ctx, allowed("d1"))
	childCtx, child := provider.Tracer("tool").Start(toolCtx, "child")
	child.End()
	tracer.Finished(childCtx, allowed("d1"), outcome("d1", rationale.StatusSuccess))

	spans := exporter.GetSpans()
	require.Len(t, spans, 4)
	authorization, decision, inner, execution := spans[0], spans[1], spans[2], spans[3]
	assert.Equal(t, "authorization payments-autoscaler", authorization.Name)
	assert.Equal(t, "authorize k8s/scale", decision.Name)
	assert.Equal(t, "execute_tool k8s/scale", execution.Name)
	assert.Equal(t, otelx.ScopeName, execution.InstrumentationScope.Name)
	assert.Equal(t, otelx.Version, execution.InstrumentationScope.Version)
	for _, s := range []tracetest.SpanStub{authorization, decision, execution} {
		assert.Equal(t, root.SpanContext().SpanID(), s.Parent.SpanID())
		assert.Equal(t, codes.Unset, s.Status.Code)
		assert.Empty(t, s.Events)
	}
	assert.Equal(t, execution.SpanContext.SpanID(), inner.Parent.SpanID(), "the tool's spans are children")
	assert.Equal(t, authorization.SpanContext, linkTo(decision, otelx.LinkAuthorization))
	assert.Equal(t, authorization.SpanContext, linkTo(execution, otelx.LinkAuthorization))
	assert.Equal(t, decision.SpanContext, linkTo(execution, otelx.LinkDecision))
	assert.WithinDuration(t, start.Add(-time.Hour), decision.StartTime, time.Minute)
	assert.WithinDuration(t, start, decision.EndTime, time.Minute)
	assert.Equal(t, "success", text(execution, otelx.OutcomeStatus))
	assert.Equal(t, "d1", text(execution, otelx.DecisionID))
	require.NoError(t, tracer.Shutdown(context.Background()))
}

func TestLiveStatus(t *testing.T) {
	tracer, _, exporter := newLive(t)
	ctx := context.Background()
	tracer.Decided(ctx, denied("d1", rationale.EvaluationError), 0)
	tracer.Finished(tracer.Execute(ctx, allowed("d2")), allowed("d2"), outcome("d2", rationale.StatusPanic))
	for i, want := range []string{"evaluation_error", "panic"} {
		s := exporter.GetSpans()[i]
		assert.Equal(t, sdktrace.Status{Code: codes.Error}, s.Status)
		assert.Equal(t, want, text(s, otelx.ErrorType))
		assert.NotContains(t, fmt.Sprint(s), "SECRET")
	}
}

func TestLiveLinks(t *testing.T) {
	tracer, _, exporter := newLive(t)
	ctx := context.Background()
	v3, v4 := loaded(), loaded()
	ref := *v3.Authorization
	ref.Digest = digestV3
	v3.Authorization, v3.Supersedes = &ref, ""
	revoked := loaded()
	revoked.Event = rationale.EventRevoked

	tracer.Decided(ctx, allowed("d0"), 0) // before anything is loaded
	tracer.Changed(ctx, v3)
	tracer.Changed(ctx, v4)
	tracer.Changed(ctx, revoked)
	tracer.Changed(ctx, &rationale.Lifecycle{Event: rationale.EventManifest})
	tracer.Finished(ctx, allowed("d9"), outcome("d9", rationale.StatusSuccess)) // without Execute

	spans := exporter.GetSpans()
	require.Len(t, spans, 4)
	assert.Empty(t, spans[0].Links, "a link to nowhere is none")
	assert.Empty(t, spans[1].Links)
	assert.Equal(t, spans[1].SpanContext, linkTo(spans[2], otelx.LinkSupersedes))
	assert.Equal(t, spans[2].SpanContext, linkTo(spans[3], otelx.LinkAuthorization))
}

// Under the host's own sampling nothing is emitted, and the context still works.
func TestLiveUnderAHostThatSamplesNothing(t *testing.T) {
	tracer, provider, exporter := newLive(t, sdktrace.WithSampler(sdktrace.NeverSample()))
	ctx, root := provider.Tracer("host").Start(context.Background(), "host")
	tracer.Decided(ctx, allowed("d1"), 0)
	toolCtx := tracer.Execute(ctx, allowed("d1"))
	tracer.Finished(toolCtx, allowed("d1"), outcome("d1", rationale.StatusSuccess))
	root.End()
	assert.Empty(t, exporter.GetSpans())
	assert.Equal(t, root.SpanContext().TraceID().String(), tracer.Host(toolCtx).TraceID)
}

func TestLiveForgetsInsteadOfGrowing(t *testing.T) {
	tracer, _, exporter := newLive(t)
	ctx := context.Background()
	for i := range 20_000 { // allowed, and never executed
		tracer.Decided(ctx, allowed(fmt.Sprint("d", i)), 0)
		exporter.Reset()
	}
	for _, id := range []string{"d0", "d19999", "d19999"} {
		tracer.Finished(tracer.Execute(ctx, allowed(id)), allowed(id), outcome(id, rationale.StatusSuccess))
	}
	spans := exporter.GetSpans()
	require.Len(t, spans, 3)
	assert.Empty(t, spans[0].Links, "forgotten at the bound")
	assert.Len(t, spans[1].Links, 1, "remembered")
	assert.Empty(t, spans[2].Links, "forgotten once executed")
}
