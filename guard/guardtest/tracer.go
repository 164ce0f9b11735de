package guardtest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/rationale"
)

// TestTracer tests that a tracer keeps the contract of guard.Tracer: it never
// fails a call, whatever it is given. newTracer returns a fresh one each time.
func TestTracer(t *testing.T, newTracer func(t *testing.T) guard.Tracer) {
	t.Run("a context without a trace has the zero trace", func(t *testing.T) {
		assert.Zero(t, newTracer(t).Host(context.Background()))
	})
	t.Run("the execution's context derives from the caller's", func(t *testing.T) {
		type key struct{}
		tracer, d := newTracer(t), Allowed()
		parent, cancel := context.WithCancelCause(context.WithValue(t.Context(), key{}, "kept"))
		ctx := tracer.Execute(parent, d)
		require.NotNil(t, ctx)
		assert.Equal(t, "kept", ctx.Value(key{}))
		require.NoError(t, ctx.Err())
		cancel(assert.AnError)
		assert.ErrorIs(t, context.Cause(ctx), assert.AnError)
		tracer.Finished(ctx, d, OutcomeOf(d))
	})
	t.Run("takes every kind of record", func(t *testing.T) {
		for _, d := range []*rationale.Decision{Allowed(), Denied(), Pending(), {}} {
			assert.NotPanics(t, func() { lead(newTracer(t), d) })
		}
	})
	t.Run("takes a cancelled context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		tracer, d := newTracer(t), Allowed()
		assert.NotPanics(t, func() {
			tracer.Decided(ctx, d, time.Millisecond)
			tracer.Finished(tracer.Execute(ctx, d), d, OutcomeOf(d))
		})
	})
	t.Run("is safe for concurrent use and changes no record", func(t *testing.T) {
		tracer, d := newTracer(t), Allowed() // shared: the race detector sees a change
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() { lead(tracer, d) })
		}
		group.Wait()
	})
}

// lead takes a tracer through one call.
func lead(tracer guard.Tracer, d *rationale.Decision) {
	ctx := context.Background()
	tracer.Host(ctx)
	tracer.Changed(ctx, &rationale.Lifecycle{ID: d.ID, At: d.At, Event: rationale.EventLoaded})
	tracer.Decided(ctx, d, time.Millisecond)
	if d.Verdict != rationale.Allow {
		return
	}
	for _, status := range []rationale.Status{
		rationale.StatusSuccess, rationale.StatusError, rationale.StatusPanic,
		rationale.StatusNotExecuted, rationale.StatusUnknown, "",
	} {
		o := OutcomeOf(d)
		o.Status = status
		tracer.Finished(tracer.Execute(ctx, d), d, o)
	}
}
