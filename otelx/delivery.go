package otelx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/ambit-go/ambit/rationale"
)

// Delivery is a tracer that builds evidence spans from records and delivers
// them, in order and at least once, to one exporter. No sampler is asked.
//
// Span ids follow from the records' ids (see [AuthorizationSpan]). A span joins
// the host's trace where the record names one, and has a trace of its own
// otherwise; its sampled flag is always set, while the context that a tool
// receives keeps the host's flag, so that evidence does not change what the host
// samples. Authorizations are delivered when they are loaded and every 24 hours
// until they are unloaded, with the same ids, so that links resolve where a
// backend keeps spans for days.
//
// One goroutine exports from a queue in memory: up to 512 spans at a time, 30 s
// an attempt, and after a failure (an error or a panic of the exporter) the same
// spans again, after 100 ms, doubling to 30 s, each wait shortened at random by
// up to half, until they are taken. When the queue is full a call waits for room
// as [WithQueue] says, or until its context is done, but not at all while the
// exporter fails. What then finds no room, and what is left when Shutdown's context
// ends, is lost to telemetry, not to the evidence: it is counted in
// [MetricDeliverySpans], given to the error handler, and, at Shutdown, part of
// its error. The queue does not survive the process: there is no durable cursor
// into the journal yet, so a crash loses what was queued.
//
// All methods are safe for concurrent use. None fails or panics because of the
// exporter.
type Delivery struct {
	*meters
	queue    *queue
	resource *resource.Resource
	grounds  grounded
}

// NewDelivery starts the delivery to an exporter, which it owns from then on:
// [Delivery.Shutdown] shuts it down. A nil exporter, and instruments that the meter
// provider refuses, are errors.
func NewDelivery(exporter sdktrace.SpanExporter, options ...DeliveryOption) (*Delivery, error) {
	if exporter == nil {
		return nil, errors.New("otelx: the exporter is nil")
	}
	s := settings{onError: otel.Handle, capacity: 8192, wait: 250 * time.Millisecond}
	for _, o := range options {
		o.delivery(&s)
	}
	if s.resource == nil {
		s.resource = resource.Default()
	}
	meter := newMeter(s.meters)
	meters, err := newMeters(meter)
	if err != nil {
		return nil, fmt.Errorf("otelx: %w", err)
	}
	queue, err := newQueue(exporter, meter, s)
	if err != nil {
		return nil, fmt.Errorf("otelx: %w", errors.Join(err, meters.close()))
	}
	return &Delivery{meters: meters, queue: queue, resource: s.resource}, nil
}

// Host returns the trace context that ctx carries, for the record; zero if it
// carries none.
func (t *Delivery) Host(ctx context.Context) rationale.TraceContext { return hostTrace(ctx) }

// Decided counts a durable decision and queues its span, `authorize {tool}`,
// from the decision's time on for as long as took says.
func (t *Delivery) Decided(ctx context.Context, d *rationale.Decision, took time.Duration) {
	t.decided(ctx, d, took)
	self, parent := decisionSpan(d)
	on, s := t.grounds.of(d), newScratch()
	defer s.release()
	s.attributes = append(s.attributes, on.decision.first...)
	s.attributes.decision(d, on)
	if d.Authorization != nil {
		s.links.add(toAuthorization, AuthorizationSpan(d.Authorization.Digest))
	}
	if d.Approval != "" {
		s.links.add(toApproval, derive(domainApproval, d.Approval))
	}
	t.emit(ctx, tracetest.SpanStub{
		Name: on.decision.name, SpanContext: self, Parent: parent,
		StartTime: d.At, EndTime: d.At.Add(max(took, 0)),
		Attributes: slices.Clone(s.attributes), Links: s.links.sdk(),
		Status: status(decisionError(d)),
	})
}

// Execute returns a context that carries the execution's span, so that the
// tool's own spans become its children. The span itself is queued by Finished.
func (t *Delivery) Execute(ctx context.Context, d *rationale.Decision) context.Context {
	self, _ := executionSpan(d)
	if host := hostSpan(d.Host); host.IsValid() {
		self = self.WithTraceFlags(host.TraceFlags())
	}
	return trace.ContextWithSpanContext(ctx, self)
}

// Finished queues the execution's span, `execute_tool {tool}`.
func (t *Delivery) Finished(ctx context.Context, d *rationale.Decision, o *rationale.Outcome) {
	self, parent := executionSpan(d)
	decision, _ := decisionSpan(d)
	on, s := t.grounds.of(d), newScratch()
	defer s.release()
	s.attributes = append(s.attributes, on.execution.first...)
	s.attributes.execution(d, o)
	s.links.add(toDecision, decision)
	if d.Authorization != nil {
		s.links.add(toAuthorization, AuthorizationSpan(d.Authorization.Digest))
	}
	t.emit(ctx, tracetest.SpanStub{
		Name: on.execution.name, SpanContext: self, Parent: parent,
		StartTime: o.Started, EndTime: ended(o.Started, o.At),
		Attributes: slices.Clone(s.attributes), Links: s.links.sdk(),
		Status: status(outcomeError(o)),
	})
}

// Changed queues the span of a lifecycle record that names an authorization,
// `authorization {id}`: that of the document itself when it is loaded, and for
// every other event one of the event's own, linked to it. Other lifecycle
// records give no span.
func (t *Delivery) Changed(ctx context.Context, l *rationale.Lifecycle) {
	if l.Authorization == nil {
		return
	}
	document := AuthorizationSpan(l.Authorization.Digest)
	span := tracetest.SpanStub{
		Name: spanName(nameAuthorization, l.Authorization.ID), StartTime: l.At, EndTime: l.At,
		Attributes: lifecycleAttributes(l),
	}
	switch l.Event {
	case rationale.EventLoaded:
		span.SpanContext = document
		if l.Supersedes != "" {
			span.Links = []sdktrace.Link{{SpanContext: AuthorizationSpan(l.Supersedes), Attributes: toSuperseded}}
		}
		t.queue.anchor(l.Authorization.Digest, t.finish(span))
	default:
		span.SpanContext = derive(domainLifecycle, l.ID)
		span.Links = []sdktrace.Link{{SpanContext: document, Attributes: toAuthorization}}
		if l.Event == rationale.EventUnloaded {
			t.queue.release(l.Authorization.Digest)
		}
	}
	t.emit(ctx, span)
}

func (t *Delivery) emit(ctx context.Context, span tracetest.SpanStub) {
	t.queue.add(ctx, t.finish(span).Snapshot())
}

// finish adds what all spans share.
func (t *Delivery) finish(span tracetest.SpanStub) tracetest.SpanStub {
	span.SpanKind = trace.SpanKindInternal
	span.Resource = t.resource
	span.InstrumentationScope = instrumentation.Scope{Name: ScopeName, Version: Version}
	return span
}

// ForceFlush returns nil once every span queued before the call was taken by
// the exporter or is lost, or the context's error.
func (t *Delivery) ForceFlush(ctx context.Context) error { return t.queue.flush(ctx) }

// Shutdown stops accepting spans, delivers what is queued until ctx is done,
// and shuts the exporter down. Give it a deadline: while the exporter fails,
// delivery is tried until then. Its error says how many spans were lost at the end. An
// exporter that does not return from an attempt when its context ends keeps one
// goroutine. Later calls return the first one's result; spans offered later are lost, and counted.
func (t *Delivery) Shutdown(ctx context.Context) error {
	return t.queue.shutdown(ctx, t.close)
}

// sdk returns the links as the SDK's own type, in a copy.
func (l links) sdk() []sdktrace.Link {
	if len(l) == 0 {
		return nil
	}
	out := make([]sdktrace.Link, len(l))
	for i, one := range l {
		out[i] = sdktrace.Link{SpanContext: one.SpanContext, Attributes: one.Attributes}
	}
	return out
}
