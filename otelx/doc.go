// Package otelx turns records into OpenTelemetry spans and metrics. Its two
// tracers satisfy guard's Tracer port; a host picks one, so that nothing is
// emitted twice:
//
//   - [Delivery] builds evidence spans from the records in a journal, with ids of
//     their own that follow from the records, and delivers them to any span
//     exporter, at least once. Every decision, execution and authorization
//     arrives there, whatever the host samples, and however a process ends.
//   - [Live] opens spans through the host's TracerProvider, under the host's own
//     sampling, for hosts that want traces and keep their evidence elsewhere.
//
// A span is the transport, never the evidence: that is the ledger's. What a span
// carries is listed in docs/telemetry.md. Arguments, facts and rationales enter
// telemetry only where the class's record policy lets them; results and the texts
// of errors never do.
package otelx

const (
	// ScopeName is the instrumentation scope of every span and metric.
	ScopeName = "github.com/ambit-go/ambit/otelx"
	// Version is the version of the attributes and metrics: it changes when
	// their names or meanings do.
	Version = "0.1.0"
)
