package guard

import (
	"context"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// tracing calls a host's tracer, or none, and survives its panics.
type tracing struct{ to Tracer }

// call runs f unless there is no tracer. A panic is the tracer's loss: neither
// the call nor its record depends on it.
func (t tracing) call(f func(Tracer)) {
	if t.to == nil {
		return
	}
	defer func() { _ = recover() }()
	f(t.to)
}

func (t tracing) host(ctx context.Context) (host rationale.TraceContext) {
	t.call(func(to Tracer) { host = to.Host(ctx) })
	return host
}

// begin returns the time from which the tracer is told how long a decision
// took: for metrics alone, since policy time is the guard's clock's.
func (t tracing) begin() (began time.Time) {
	if t.to != nil {
		began = time.Now()
	}
	return began
}

func (t tracing) decided(ctx context.Context, d *rationale.Decision, began time.Time) {
	t.call(func(to Tracer) { to.Decided(ctx, d, time.Since(began)) })
}

func (t tracing) execute(ctx context.Context, d *rationale.Decision) context.Context {
	derived := ctx
	t.call(func(to Tracer) {
		if c := to.Execute(ctx, d); c != nil {
			derived = c
		}
	})
	return derived
}

func (t tracing) finished(ctx context.Context, d *rationale.Decision, o *rationale.Outcome) {
	t.call(func(to Tracer) { to.Finished(ctx, d, o) })
}

func (t tracing) changed(ctx context.Context, l *rationale.Lifecycle) {
	t.call(func(to Tracer) { to.Changed(ctx, l) })
}

func (t tracing) shadow(counts func() (compared, differed uint64)) {
	t.call(func(to Tracer) {
		if s, ok := to.(ShadowTracer); ok {
			s.Shadow(counts)
		}
	})
}
