package otelx_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
)

// deliver runs f with a delivery to b in a bubble whose clock is simulated.
func deliver(t *testing.T, b *backend, f func(t *testing.T, tracer *otelx.Delivery, m *meter, log *errorLog), options ...otelx.DeliveryOption) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m, log := newMeter(), new(errorLog)
		tracer, err := otelx.NewDelivery(b, append([]otelx.DeliveryOption{
			otelx.WithMeterProvider(m), otelx.WithErrorHandler(log.handle),
		}, options...)...)
		require.NoError(t, err)
		f(t, tracer, m, log)
	})
}

func decide(ctx context.Context, tracer *otelx.Delivery, from, to int) (want []string) {
	for i := from; i < to; i++ {
		id := fmt.Sprintf("d%05d", i)
		tracer.Decided(ctx, allowed(id), 0)
		want = append(want, id)
	}
	return want
}

const (
	deliveredPoint = "ambit.delivery.result=delivered"
	lostPoint      = "ambit.delivery.result=lost"
)

func TestNewDeliveryRefuses(t *testing.T) {
	_, err := otelx.NewDelivery(nil)
	assert.EqualError(t, err, "otelx: the exporter is nil")
}

func TestOutageDelaysAndLosesNothing(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errDown },
		"panic": func() error { panic("exporter bug") },
	} {
		t.Run(name, func(t *testing.T) {
			b := &backend{down: func(attempt int) error {
				if attempt <= 5 {
					return fail()
				}
				return nil
			}}
			deliver(t, b, func(t *testing.T, tracer *otelx.Delivery, m *meter, log *errorLog) {
				want := decide(t.Context(), tracer, 0, 700) // two batches
				time.Sleep(time.Minute)
				want = append(want, decide(t.Context(), tracer, 700, 1500)...)
				require.NoError(t, tracer.ForceFlush(t.Context()))
				assert.Equal(t, want, b.ids(), "all of them, once, in order")
				assert.Equal(t, map[string]int64{deliveredPoint: 1500}, m.sums(t, otelx.MetricDeliverySpans))
				assert.Equal(t, map[string]int64{"": 5}, m.sums(t, otelx.MetricDeliveryFailures))
				assert.Len(t, log.all(), 5)
				if name == "error" {
					assert.ErrorIs(t, log.all()[0], errDown)
				} else {
					assert.ErrorContains(t, log.all()[0], "the exporter panicked: exporter bug")
				}
				require.NoError(t, tracer.Shutdown(t.Context()))
				assert.Equal(t, 1, b.closed)
			})
		})
	}
}

func TestBackoff(t *testing.T) {
	b := &backend{down: func(int) error { return errDown }}
	deliver(t, b, func(t *testing.T, tracer *otelx.Delivery, _ *meter, _ *errorLog) {
		decide(t.Context(), tracer, 0, 1)
		time.Sleep(time.Second) // 100+200+400+… ms, each shortened by up to half
		assert.GreaterOrEqual(t, b.tried(), 3)
		assert.LessOrEqual(t, b.tried(), 6)
		time.Sleep(time.Hour)
		before := b.tried()
		time.Sleep(time.Hour) // 120 to 240 waits of 15 to 30 s
		assert.GreaterOrEqual(t, b.tried()-before, 119)
		assert.LessOrEqual(t, b.tried()-before, 241)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.Error(t, tracer.Shutdown(ctx))
	})
}

func TestAttemptsHaveADeadline(t *testing.T) {
	b := new(backend)
	hung := &hanging{backend: b}
	synctest.Test(t, func(t *testing.T) {
		tracer, err := otelx.NewDelivery(hung, otelx.WithErrorHandler(func(error) {}))
		require.NoError(t, err)
		want := decide(t.Context(), tracer, 0, 3)
		start := time.Now()
		require.NoError(t, tracer.ForceFlush(t.Context()))
		assert.GreaterOrEqual(t, time.Since(start), 30*time.Second)
		assert.Less(t, time.Since(start), 31*time.Second)
		assert.Equal(t, want, b.ids())
		require.NoError(t, tracer.Shutdown(t.Context()))
	})
}

func TestFullQueueWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		b := &backend{down: func(int) error { <-release; return nil }}
		m, log := newMeter(), new(errorLog)
		tracer, err := otelx.NewDelivery(b, otelx.WithMeterProvider(m), otelx.WithErrorHandler(log.handle), otelx.WithQueue(4, time.Second))
		require.NoError(t, err)
		want := decide(t.Context(), tracer, 0, 4)
		synctest.Wait()
		assert.Equal(t, map[string]int64{"": 4}, m.sums(t, otelx.MetricDeliveryQueue))

		done := make(chan time.Duration)
		go func() {
			start := time.Now()
			decide(t.Context(), tracer, 4, 5)
			done <- time.Since(start)
		}()
		time.Sleep(600 * time.Millisecond)
		close(release)
		assert.Equal(t, 600*time.Millisecond, <-done)
		require.NoError(t, tracer.Shutdown(t.Context()))
		assert.Equal(t, append(want, "d00004"), b.ids())
		assert.Empty(t, log.all())
	})
}

func TestFullQueueGivesUp(t *testing.T) {
	for name, c := range map[string]struct {
		down    bool // the exporter fails, instead of taking long
		timeout time.Duration
		took    time.Duration
		err     error
	}{
		"at its bound":               {timeout: time.Hour, took: time.Second},
		"when the call is cancelled": {timeout: 300 * time.Millisecond, took: 300 * time.Millisecond, err: context.DeadlineExceeded},
		"at once during an outage":   {down: true, timeout: time.Hour, took: 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				b := &backend{down: func(int) error {
					if c.down {
						return errDown
					}
					<-release
					return nil
				}}
				m, log := newMeter(), new(errorLog)
				tracer, err := otelx.NewDelivery(b, otelx.WithMeterProvider(m), otelx.WithErrorHandler(log.handle), otelx.WithQueue(4, time.Second))
				require.NoError(t, err)
				decide(t.Context(), tracer, 0, 4)
				synctest.Wait()
				before := len(log.all())

				ctx, cancel := context.WithTimeout(t.Context(), c.timeout)
				defer cancel()
				start := time.Now()
				decide(ctx, tracer, 4, 5)
				assert.Equal(t, c.took, time.Since(start))
				require.Len(t, log.all(), before+1)
				lost := log.all()[before]
				assert.ErrorContains(t, lost, `otelx: lost to telemetry: span "authorize k8s/scale" (`+pairSpan("decision", "d00004")+`): the queue is full`)
				if c.err != nil {
					assert.ErrorIs(t, lost, c.err)
				}
				assert.Equal(t, int64(1), m.sums(t, otelx.MetricDeliverySpans)[lostPoint])

				close(release)
				end, stop := context.WithTimeout(t.Context(), time.Second)
				defer stop()
				_ = tracer.Shutdown(end)
			})
		})
	}
}

// An outage that begins while a call waits for room ends the wait.
func TestOutageEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan error)
		b := &backend{down: func(int) error { return <-release }}
		tracer, err := otelx.NewDelivery(b, otelx.WithErrorHandler(func(error) {}), otelx.WithQueue(1, time.Hour))
		require.NoError(t, err)
		decide(t.Context(), tracer, 0, 1)
		done := make(chan struct{})
		go func() {
			decide(t.Context(), tracer, 1, 2)
			close(done)
		}()
		synctest.Wait()
		start := time.Now()
		release <- errDown
		<-done
		assert.Zero(t, time.Since(start))
		close(release)
		require.NoError(t, tracer.Shutdown(t.Context()))
	})
}

func TestShutdownDelivers(t *testing.T) {
	var recovered atomic.Bool
	b := &backend{down: func(int) error {
		if !recovered.Load() {
			return errDown
		}
		return nil
	}}
	deliver(t, b, func(t *testing.T, tracer *otelx.Delivery, m *meter, log *errorLog) {
		want := decide(t.Context(), tracer, 0, 600)
		time.Sleep(time.Hour) // the next attempt is up to 30 s away
		recovered.Store(true)
		start := time.Now()
		require.NoError(t, tracer.Shutdown(t.Context()))
		assert.Zero(t, time.Since(start), "Shutdown waits for no backoff")
		assert.Equal(t, want, b.ids())

		before := len(log.all())
		decide(t.Context(), tracer, 600, 601)
		require.Len(t, log.all(), before+1)
		assert.ErrorContains(t, log.all()[before], "delivery was shut down")
		require.NoError(t, tracer.Shutdown(t.Context()))
		require.NoError(t, tracer.ForceFlush(t.Context()))
		assert.Equal(t, 1, b.closed)
		assert.Empty(t, m.sums(t, otelx.MetricDeliveryQueue), "no longer observed")
	})
}

func TestShutdownOfAnIdleDelivery(t *testing.T) {
	b := new(backend)
	deliver(t, b, func(t *testing.T, tracer *otelx.Delivery, _ *meter, _ *errorLog) {
		synctest.Wait()
		start := time.Now()
		require.NoError(t, tracer.Shutdown(t.Context()))
		assert.Zero(t, time.Since(start))
		assert.Equal(t, 1, b.closed)
	})
}

func TestShutdownSaysWhatWasLost(t *testing.T) {
	b := &backend{down: func(int) error { return errDown }}
	deliver(t, b, func(t *testing.T, tracer *otelx.Delivery, m *meter, log *errorLog) {
		decide(t.Context(), tracer, 0, 600)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		err := tracer.Shutdown(ctx)
		assert.Equal(t, 5*time.Second, time.Since(start))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "600 spans were not delivered")
		assert.Equal(t, int64(600), m.sums(t, otelx.MetricDeliverySpans)[lostPoint])
		assert.ErrorContains(t, log.all()[len(log.all())-1], "600 spans were not delivered")
		assert.Equal(t, err, tracer.Shutdown(t.Context()), "a second call says the same")
		assert.Equal(t, 1, b.closed)
		assert.NoError(t, tracer.ForceFlush(t.Context()), "nothing is left to wait for")
		assert.Empty(t, b.ids())
	})
}

// An exporter that ignores its context cannot hold Shutdown, nor be counted twice.
func TestShutdownDoesNotWaitForAHungExporter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		b := &backend{down: func(int) error { <-release; return nil }}
		m := newMeter()
		tracer, err := otelx.NewDelivery(b, otelx.WithMeterProvider(m), otelx.WithErrorHandler(func(error) {}))
		require.NoError(t, err)
		decide(t.Context(), tracer, 0, 3)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.ErrorContains(t, tracer.Shutdown(ctx), "3 spans were not delivered")
		close(release)
		synctest.Wait()
		assert.Equal(t, map[string]int64{lostPoint: 3}, m.sums(t, otelx.MetricDeliverySpans))
	})
}

func TestForceFlushHasADeadline(t *testing.T) {
	b := &backend{down: func(attempt int) error {
		if attempt < 10 {
			return errDown
		}
		return nil
	}}
	deliver(t, b, func(t *testing.T, tracer *otelx.Delivery, _ *meter, _ *errorLog) {
		require.NoError(t, tracer.ForceFlush(t.Context()), "nothing queued")
		decide(t.Context(), tracer, 0, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.ErrorIs(t, tracer.ForceFlush(ctx), context.DeadlineExceeded)
		require.NoError(t, tracer.ForceFlush(t.Context()))
		assert.Equal(t, []string{"d00000"}, b.ids())
		require.NoError(t, tracer.Shutdown(t.Context()))
	})
}

func TestHandlersPanicStaysInside(t *testing.T) {
	b := &backend{down: func(attempt int) error {
		if attempt == 1 {
			return errDown
		}
		return nil
	}}
	deliver(t, b, func(t *testing.T, tracer *otelx.Delivery, _ *meter, _ *errorLog) {
		decide(t.Context(), tracer, 0, 1)
		require.NoError(t, tracer.Shutdown(t.Context()))
		assert.NotPanics(t, func() { decide(t.Context(), tracer, 1, 2) })
		assert.Equal(t, []string{"d00000"}, b.ids())
	}, otelx.WithErrorHandler(func(error) { panic("handler bug") }))
}

func TestAuthorizationsAreDeliveredDaily(t *testing.T) {
	b := new(backend)
	deliver(t, b, func(t *testing.T, tracer *otelx.Delivery, _ *meter, _ *errorLog) {
		other := loaded()
		ref := *other.Authorization
		ref.ID, ref.Digest = "other", "sha256:1111"
		other.Authorization = &ref
		tracer.Changed(t.Context(), loaded())
		tracer.Changed(t.Context(), other)
		time.Sleep(25 * time.Hour)
		first, second := "authorization payments-autoscaler", "authorization other"
		assert.Equal(t, []string{first, second, second, first}, b.names(), "by digest")
		assert.Equal(t, b.spans[0].SpanContext, b.spans[3].SpanContext, "the same ids")
		assert.Equal(t, b.spans[0].Attributes, b.spans[3].Attributes)
		assert.Equal(t, 24*time.Hour, b.spans[3].StartTime.Sub(time.Now().Add(-25*time.Hour)))

		unloaded := *loaded()
		unloaded.ID, unloaded.Event = "life-9", rationale.EventUnloaded
		tracer.Changed(t.Context(), &unloaded)
		time.Sleep(24 * time.Hour)
		assert.Equal(t, []string{first, second}, b.names()[4:])
		require.NoError(t, tracer.Shutdown(t.Context()))
	})
}

func TestConcurrentCallsAndShutdown(t *testing.T) {
	b := new(backend)
	m, log := newMeter(), new(errorLog)
	tracer, err := otelx.NewDelivery(b, otelx.WithMeterProvider(m), otelx.WithErrorHandler(log.handle), otelx.WithQueue(16, time.Minute))
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() { decide(context.Background(), tracer, i*100, i*100+100) })
	}
	wg.Go(func() {
		time.Sleep(time.Millisecond)
		assert.NoError(t, tracer.Shutdown(context.Background()))
	})
	wg.Wait()
	sums := m.sums(t, otelx.MetricDeliverySpans)
	assert.Equal(t, int64(800), sums[deliveredPoint]+sums[lostPoint], "each is one or the other")
	assert.Len(t, b.ids(), int(sums[deliveredPoint]))
	assert.Len(t, log.all(), int(sums[lostPoint]))
}

func TestResource(t *testing.T) {
	r := resource.NewSchemaless()
	b := new(backend)
	tracer, err := otelx.NewDelivery(b, otelx.WithResource(r), otelx.WithResource(nil), otelx.WithQueue(0, -1), otelx.WithErrorHandler(nil))
	require.NoError(t, err)
	decide(context.Background(), tracer, 0, 1)
	require.NoError(t, tracer.Shutdown(context.Background()))
	assert.Same(t, r, b.spans[0].Resource)
}

func TestShutdownReportsTheExportersError(t *testing.T) {
	tracer, err := otelx.NewDelivery(badEnd{new(backend)})
	require.NoError(t, err)
	assert.ErrorIs(t, tracer.Shutdown(context.Background()), errDown)
}

type badEnd struct{ *backend }

func (badEnd) Shutdown(context.Context) error { return errDown }

// hanging waits for the end of its first attempt's context.
type hanging struct {
	*backend
	once sync.Once
}

func (h *hanging) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	h.once.Do(func() { <-ctx.Done() })
	if err := ctx.Err(); err != nil {
		return err
	}
	return h.backend.ExportSpans(ctx, spans)
}
