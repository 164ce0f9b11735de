package otelx

import (
	"context"
	"crypto/sha256"

	"go.opentelemetry.io/otel/trace"

	"github.com/ambit-go/ambit/rationale"
)

// The domains of derived ids, so that equal ids of different things give
// different spans.
const (
	domainAuthorization = "ambit/v1/authorization"
	domainLifecycle     = "ambit/v1/lifecycle"
	domainDecision      = "ambit/v1/decision"
	domainExecution     = "ambit/v1/execution"
	domainApproval      = "ambit/v1/approval"
	domainReview        = "ambit/v1/review"
)

// derive returns the span context of a thing: its trace id and span id are the first
// 16 and the next 8 bytes of the SHA-256 of the domain, a NUL, and the thing's
// id or digest. Whoever knows the id can so link to the span, or look it up,
// without having seen it.
func derive(domain, id string) trace.SpanContext {
	sum := sha256.Sum256([]byte(domain + "\x00" + id))
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID(sum[:16]), SpanID: trace.SpanID(sum[16:24]), TraceFlags: trace.FlagsSampled,
	})
}

// AuthorizationSpan returns where the span of the authorization document with
// that digest ("sha256:…") is found.
func AuthorizationSpan(digest string) trace.SpanContext { return derive(domainAuthorization, digest) }

// hostSpan returns the host's span at the time of the call; invalid where there was none.
func hostSpan(host rationale.TraceContext) trace.SpanContext {
	traceID, err := trace.TraceIDFromHex(host.TraceID)
	if err != nil {
		return trace.SpanContext{}
	}
	spanID, err := trace.SpanIDFromHex(host.SpanID)
	if err != nil {
		return trace.SpanContext{}
	}
	state, _ := trace.ParseTraceState(host.State) // a bad state is no state
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: traceID, SpanID: spanID, TraceFlags: trace.TraceFlags(host.Flags), TraceState: state, Remote: true,
	})
}

// place puts a derived span into the host's trace, or leaves it in its own.
func place(sc, host trace.SpanContext) trace.SpanContext {
	if !host.IsValid() {
		return sc
	}
	return sc.WithTraceID(host.TraceID()).WithTraceState(host.TraceState()).
		WithTraceFlags(host.TraceFlags() | trace.FlagsSampled)
}

// decisionSpan returns the decision's span, and its parent.
func decisionSpan(d *rationale.Decision) (self, parent trace.SpanContext) {
	host := hostSpan(d.Host)
	return place(derive(domainDecision, d.ID), host), host
}

// executionSpan returns the span of the decision's execution, and its parent:
// the host's span, or the decision where there is none.
func executionSpan(d *rationale.Decision) (self, parent trace.SpanContext) {
	decision, host := decisionSpan(d)
	self = derive(domainExecution, d.ID).WithTraceID(decision.TraceID()).
		WithTraceState(decision.TraceState()).WithTraceFlags(decision.TraceFlags())
	if host.IsValid() {
		return self, host
	}
	return self, decision
}

// hostTrace returns the trace context that ctx carries, for the record.
func hostTrace(ctx context.Context) rationale.TraceContext {
	sc := trace.SpanContextFromContext(ctx)
	if !sc.IsValid() {
		return rationale.TraceContext{}
	}
	return rationale.TraceContext{
		TraceID: sc.TraceID().String(), SpanID: sc.SpanID().String(),
		Flags: byte(sc.TraceFlags()), State: sc.TraceState().String(),
	}
}
