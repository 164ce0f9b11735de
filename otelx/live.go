package otelx

import (
	"context"
	"errors"
	"fmt"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/ambit-go/ambit/rationale"
)

// Live is a tracer that opens spans through the host's TracerProvider: under the
// host's sampling, with the SDK's own ids, limits and losses, and on the host's
// clock. What is not sampled is not seen; the evidence is the ledger's alone.
// Links lead to spans of this process: a decision links to the span of its
// authorization's last load.
//
// A span starts with what a sampler can go by: verdict (of a decision), mode,
// tier, class, tool and authorization. The rest is set before it ends, and
// only where it is recorded.
//
// All methods are safe for concurrent use.
type Live struct {
	*meters
	tracer    trace.Tracer
	copies    bool // the tracer is the SDK's, which copies what it is given
	grounds   grounded
	decisions pending                          // allowed and not yet executed
	documents memo[string, *trace.SpanContext] // by digest
}

// NewLive returns a tracer that emits through a host's provider. A nil provider,
// and instruments that the meter provider refuses, are errors.
func NewLive(provider trace.TracerProvider, options ...Option) (*Live, error) {
	if provider == nil {
		return nil, errors.New("otelx: the tracer provider is nil")
	}
	var s settings
	for _, o := range options {
		o.delivery(&s)
	}
	meters, err := newMeters(newMeter(s.meters))
	if err != nil {
		return nil, fmt.Errorf("otelx: %w", err)
	}
	_, sdk := provider.(*sdktrace.TracerProvider)
	return &Live{
		meters: meters,
		copies: sdk,
		tracer: provider.Tracer(ScopeName, trace.WithInstrumentationVersion(Version)),
	}, nil
}

// Host returns the trace context that ctx carries, for the record; zero if it
// carries none.
func (t *Live) Host(ctx context.Context) rationale.TraceContext { return hostTrace(ctx) }

// Decided counts a decision and emits its span, `authorize {tool}`, which began
// as long ago as took says and ends now.
func (t *Live) Decided(ctx context.Context, d *rationale.Decision, took time.Duration) {
	t.decided(ctx, d, took)
	on, document, s := t.grounds.of(d), t.authorization(d), t.scratch()
	defer t.release(s)
	s.links.known(toAuthorization, document)
	s.options = append(s.options, on.decision.start, trace.WithTimestamp(time.Now().Add(-max(took, 0))))
	_, span := t.start(ctx, on.decision.name, s)
	if span.IsRecording() {
		s.attributes.decision(d, on)
		span.SetAttributes(s.attributes...)
		setStatus(span, decisionError(d))
	}
	span.End()
	if d.Verdict == rationale.Allow {
		t.decisions.put(d.ID, decided{span.SpanContext(), document, on})
	}
}

// Execute starts the execution's span, `execute_tool {tool}`, and returns a
// context that carries it.
func (t *Live) Execute(ctx context.Context, d *rationale.Decision) context.Context {
	before, s := t.decisions.take(d.ID), t.scratch()
	defer t.release(s)
	if before.on == nil { // it was forgotten
		before.on, before.document = t.grounds.of(d), t.authorization(d)
	}
	s.links.add(toDecision, before.span)
	s.links.known(toAuthorization, before.document)
	s.options = append(s.options, before.on.execution.start)
	ctx, span := t.start(ctx, before.on.execution.name, s)
	return context.WithValue(ctx, executionKey{}, span)
}

// start starts a span with the links and options that were collected for it.
func (t *Live) start(ctx context.Context, name string, s *scratch) (context.Context, trace.Span) {
	if len(s.links) > 0 {
		s.options = append(s.options, trace.WithLinks(s.links...))
	}
	return t.tracer.Start(ctx, name, s.options...)
}

// scratch returns one from the pool, or a new one for a tracer that may keep
// what it is given.
func (t *Live) scratch() *scratch {
	if t.copies {
		return newScratch()
	}
	return new(scratch)
}

func (t *Live) release(s *scratch) {
	if t.copies {
		s.release()
	}
}

// executionKey finds the span that Execute started, even where the tool's own
// span took its place in the context.
type executionKey struct{}

// Finished ends the span that Execute started; ctx must come from the context
// that Execute returned.
func (t *Live) Finished(ctx context.Context, d *rationale.Decision, o *rationale.Outcome) {
	span, ok := ctx.Value(executionKey{}).(trace.Span)
	if !ok {
		return
	}
	if span.IsRecording() {
		s := t.scratch()
		defer t.release(s)
		s.attributes.execution(d, o)
		span.SetAttributes(s.attributes...)
		setStatus(span, outcomeError(o))
	}
	span.End()
}

// Changed emits the span of a lifecycle record that names an authorization,
// `authorization {id}`.
func (t *Live) Changed(ctx context.Context, l *rationale.Lifecycle) {
	if l.Authorization == nil {
		return
	}
	digest := l.Authorization.Digest
	var to links
	if l.Event == rationale.EventLoaded {
		to.known(toSuperseded, t.at(l.Supersedes))
	} else {
		to.known(toAuthorization, t.at(digest))
	}
	_, span := t.tracer.Start(ctx, spanName(nameAuthorization, l.Authorization.ID),
		trace.WithAttributes(lifecycleAttributes(l)...), trace.WithLinks(to...))
	span.End()
	if l.Event == rationale.EventLoaded {
		sc := span.SpanContext()
		t.documents.put(digest, &sc)
	}
}

// Shutdown stops the metrics. The providers are the host's, and stay open.
func (t *Live) Shutdown(context.Context) error { return t.close() }

// authorization returns where the span of the decision's authorization is.
func (t *Live) authorization(d *rationale.Decision) *trace.SpanContext {
	if d.Authorization == nil {
		return nil
	}
	return t.at(d.Authorization.Digest)
}

// at returns where the span of a document is; nil where that is not known.
func (t *Live) at(digest string) *trace.SpanContext {
	sc, _ := t.documents.get(digest)
	return sc
}

func setStatus(span trace.Span, errorType string) {
	if errorType != "" {
		span.SetStatus(status(errorType).Code, "")
	}
}
