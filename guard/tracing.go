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

func (t tracing) decided(ctx context.Context, d *rationale.Decision, took time.Duration) {
	t.call(func(to Tracer) { to.Decided(ctx, d, took) })
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
