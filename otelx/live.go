package otelx

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/ambit-go/ambit/rationale"
)

// maxRemembered bounds the spans that later links can lead to.
const maxRemembered = 1 << 14

// Live is a tracer that opens spans through the host's TracerProvider: under the
// host's sampling, with the SDK's own ids, limits and losses, and on the host's
// clock. What is not sampled is not seen; the evidence is the ledger's alone.
// Links lead to spans of this process: a decision links to the span of its
// authorization's last load.
//
// All methods are safe for concurrent use.
type Live struct {
	*meters
	tracer    trace.Tracer
	decisions spanContexts // allowed and not yet executed, by id
	documents spanContexts // by digest
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
	return &Live{
		meters: meters,
		tracer: provider.Tracer(ScopeName, trace.WithInstrumentationVersion(Version)),
	}, nil
}

// Host returns the trace context that ctx carries, for the record; zero if it
// carries none.
func (t *Live) Host(ctx context.Context) rationale.TraceContext { return hostTrace(ctx) }

// Decided counts a decision and emits its span, `authorize {tool}`, which began
// as long ago as took says.
func (t *Live) Decided(ctx context.Context, d *rationale.Decision, took time.Duration) {
	t.decided(ctx, d, took)
	now := time.Now()
	_, span := t.tracer.Start(ctx, decisionName(d), trace.WithTimestamp(now.Add(-max(took, 0))),
		trace.WithAttributes(decisionAttributes(d)...), trace.WithLinks(links(t.authorization(d))...))
	setStatus(span, decisionError(d))
	span.End(trace.WithTimestamp(now))
	if d.Verdict == rationale.Allow {
		t.decisions.put(d.ID, span.SpanContext())
	}
}

// Execute starts the execution's span, `execute_tool {tool}`, and returns a
// context that carries it.
func (t *Live) Execute(ctx context.Context, d *rationale.Decision) context.Context {
	ctx, span := t.tracer.Start(ctx, spanName(nameExecution, toolName(d.Tool)),
		trace.WithAttributes(executionAttributes(d)...),
		trace.WithLinks(links(link(LinkDecision, t.decisions.take(d.ID)), t.authorization(d))...))
	return context.WithValue(ctx, executionKey{}, span)
}

// executionKey finds the span that Execute started, even where the tool's own
// span took its place in the context.
type executionKey struct{}

// Finished ends the span that Execute started; ctx must come from the context
// that Execute returned.
func (t *Live) Finished(ctx context.Context, _ *rationale.Decision, o *rationale.Outcome) {
	span, ok := ctx.Value(executionKey{}).(trace.Span)
	if !ok {
		return
	}
	span.SetAttributes(outcomeAttributes(o)...)
	setStatus(span, outcomeError(o))
	span.End()
}

// Changed emits the span of a lifecycle record that names an authorization,
// `authorization {id}`.
func (t *Live) Changed(ctx context.Context, l *rationale.Lifecycle) {
	if l.Authorization == nil {
		return
	}
	digest := l.Authorization.Digest
	to := link(LinkAuthorization, t.documents.get(digest))
	if l.Event == rationale.EventLoaded {
		to = link(LinkSupersedes, t.documents.get(l.Supersedes))
	}
	_, span := t.tracer.Start(ctx, spanName(nameAuthorization, l.Authorization.ID),
		trace.WithAttributes(lifecycleAttributes(l)...), trace.WithLinks(links(to)...))
	span.End()
	if l.Event == rationale.EventLoaded {
		t.documents.put(digest, span.SpanContext())
	}
}

// Shutdown stops the metrics. The providers are the host's, and stay open.
func (t *Live) Shutdown(context.Context) error { return t.close() }

func (t *Live) authorization(d *rationale.Decision) trace.Link {
	if d.Authorization == nil {
		return trace.Link{}
	}
	return link(LinkAuthorization, t.documents.get(d.Authorization.Digest))
}

func setStatus(span trace.Span, errorType string) {
	if errorType != "" {
		span.SetStatus(status(errorType).Code, "")
	}
}

// spanContexts remembers where spans are. At its bound it forgets them all: the
// cost is a missing link. The zero spanContexts is empty.
type spanContexts struct {
	mu sync.Mutex
	by map[string]trace.SpanContext
}

func (s *spanContexts) put(key string, sc trace.SpanContext) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil || len(s.by) >= maxRemembered {
		s.by = map[string]trace.SpanContext{}
	}
	s.by[key] = sc
}

func (s *spanContexts) get(key string) trace.SpanContext {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.by[key]
}

func (s *spanContexts) take(key string) trace.SpanContext {
	s.mu.Lock()
	defer s.mu.Unlock()
	sc := s.by[key]
	delete(s.by, key)
	return sc
}
