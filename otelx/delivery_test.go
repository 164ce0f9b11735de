package otelx_test

import (
	"context"
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
	"github.com/ambit-go/ambit/rationale/journal"
)

// deliver runs f with a delivery from s to b in a bubble whose clock is simulated.
func deliver(t *testing.T, s *source, b sdktrace.SpanExporter, f func(t *testing.T, d *otelx.Delivery, m *meter, log *errorLog), options ...otelx.DeliveryOption) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		defer func() { s.moved = nil }()
		m, log := newMeter(), new(errorLog)
		d, err := otelx.NewDelivery(s, b, append([]otelx.DeliveryOption{
			otelx.WithMeterProvider(m), otelx.WithErrorHandler(log.handle),
		}, options...)...)
		require.NoError(t, err)
		f(t, d, m, log)
	})
}

const (
	deliveredPoint = "ambit.delivery.result=delivered"
	rejectedPoint  = "ambit.delivery.result=rejected"
)

func TestNewDeliveryRefuses(t *testing.T) {
	_, err := otelx.NewDelivery(newSource(), nil)
	assert.EqualError(t, err, "otelx: the exporter is nil")
	_, err = otelx.NewDelivery(nil, new(backend))
	assert.ErrorContains(t, err, "otelx: the source of records is nil")
	s := newSource()
	s.failing(func(string) error { return errDown })
	_, err = otelx.NewDelivery(s, new(backend))
	assert.ErrorIs(t, err, errDown)
	var none *journal.Journal
	_, err = otelx.NewDelivery(none.Follow("otlp"), new(backend))
	assert.ErrorContains(t, err, "there is no journal")
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
			s := newSource()
			deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, m *meter, log *errorLog) {
				want := s.decide(0, 700)
				time.Sleep(time.Minute)
				want = append(want, s.decide(700, 1500)...)
				require.NoError(t, d.ForceFlush(t.Context()))
				assert.Equal(t, want, b.ids(), "all of them, once, in order")
				assert.Equal(t, map[string]int64{deliveredPoint: 1500}, m.sums(t, otelx.MetricDeliverySpans))
				assert.Equal(t, map[string]int64{"": 5}, m.sums(t, otelx.MetricDeliveryFailures))
				assert.Len(t, log.all(), 5)
				if name == "error" {
					assert.ErrorIs(t, log.all()[0], errDown)
				} else {
					assert.ErrorContains(t, log.all()[0], "the exporter panicked: exporter bug")
				}
				require.NoError(t, d.Shutdown(t.Context()))
				assert.Equal(t, s.Head(), s.placed().Head)
				assert.Equal(t, 1, b.closed)
			})
		})
	}
}

func TestBackoff(t *testing.T) {
	b := &backend{down: func(int) error { return errDown }}
	s := newSource()
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		s.decide(0, 1)
		time.Sleep(2 * time.Second) // gathering, then 100+200+400+… ms, each shortened by up to half
		assert.GreaterOrEqual(t, b.tried(), 3)
		assert.LessOrEqual(t, b.tried(), 6)
		time.Sleep(time.Hour)
		before := b.tried()
		time.Sleep(time.Hour) // 120 to 240 waits of 15 to 30 s
		assert.GreaterOrEqual(t, b.tried()-before, 119)
		assert.LessOrEqual(t, b.tried()-before, 241)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.Error(t, d.Shutdown(ctx))
		assert.Zero(t, s.placed(), "nothing was delivered")
	})
}

func TestAttemptsHaveADeadline(t *testing.T) {
	b := new(backend)
	s := newSource()
	deliver(t, s, &hanging{backend: b}, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		want := s.decide(0, 3)
		start := time.Now()
		require.NoError(t, d.ForceFlush(t.Context()))
		assert.GreaterOrEqual(t, time.Since(start), 30*time.Second)
		assert.Less(t, time.Since(start), 31*time.Second)
		assert.Equal(t, want, b.ids())
		require.NoError(t, d.Shutdown(t.Context()))
	})
}

// Records are gathered, so that a host at work does not pay for an export and
// a place that is kept for each.
func TestRecordsAreGathered(t *testing.T) {
	b := new(backend)
	s := newSource()
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		for i := range 100 {
			s.decide(i, i+1)
			time.Sleep(97 * time.Millisecond) // never at the moment when a second ends, or either could be first
		}
		time.Sleep(time.Second)
		assert.Len(t, b.ids(), 100)
		assert.LessOrEqual(t, b.tried(), 12, "one at the start, and one a second")
		assert.LessOrEqual(t, len(s.places()), 12)
		before := len(s.places())
		time.Sleep(time.Hour)
		assert.Len(t, s.places(), before, "what is kept is not kept again")
		require.NoError(t, d.Shutdown(t.Context()))
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
	s := newSource()
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, m *meter, log *errorLog) {
		want := s.decide(0, 600)
		time.Sleep(time.Hour) // the next attempt is up to 30 s away
		recovered.Store(true)
		start := time.Now()
		require.NoError(t, d.Shutdown(t.Context()))
		assert.Zero(t, time.Since(start), "Shutdown waits for no backoff")
		assert.Equal(t, want, b.ids())
		assert.Equal(t, s.Head(), s.placed().Head)

		require.NoError(t, d.Shutdown(t.Context()))
		require.NoError(t, d.ForceFlush(t.Context()))
		assert.Equal(t, 1, b.closed)
		s.decide(600, 601)
		assert.ErrorContains(t, d.ForceFlush(t.Context()), "the delivery was shut down")
		assert.ErrorContains(t, d.Healthy(), "the delivery was shut down")
		_, err := d.Redeliver(t.Context())
		assert.ErrorContains(t, err, "the delivery was shut down")
		assert.Empty(t, m.sums(t, otelx.MetricDeliveryUndelivered), "no longer observed")
	})
}

func TestShutdownOfAnIdleDelivery(t *testing.T) {
	b := new(backend)
	deliver(t, newSource(), b, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		synctest.Wait()
		start := time.Now()
		require.NoError(t, d.Shutdown(t.Context()))
		assert.Zero(t, time.Since(start))
		assert.Equal(t, 1, b.closed)
	})
}

// What Shutdown does not deliver in time the next start delivers.
func TestShutdownSaysWhatRemains(t *testing.T) {
	var back atomic.Bool
	b := &backend{down: func(attempt int) error {
		if attempt > 1 && !back.Load() {
			return errDown
		}
		return nil
	}}
	s := newSource()
	want := s.decide(0, 1112)
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, m *meter, log *errorLog) {
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		err := d.Shutdown(ctx)
		assert.Equal(t, 5*time.Second, time.Since(start))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "600 records remain to be delivered at the next start")
		assert.Equal(t, err, d.Shutdown(t.Context()), "a second call says the same")
		assert.Equal(t, 1, b.closed)
		assert.Equal(t, uint64(512), s.placed().Head.Seq)
	})
	back.Store(true)
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		require.NoError(t, d.Shutdown(t.Context()))
		assert.Equal(t, want, b.ids())
	})
}

// An exporter that ignores its context cannot hold Shutdown.
func TestShutdownDoesNotWaitForAHungExporter(t *testing.T) {
	var release chan struct{}
	b := &backend{down: func(int) error { <-release; return nil }}
	s := newSource()
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		release = make(chan struct{})
		s.decide(0, 3)
		time.Sleep(2 * time.Minute)
		assert.ErrorContains(t, d.Healthy(), "an attempt to export has not returned for ")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		assert.ErrorContains(t, d.Shutdown(ctx), "3 records remain")
		assert.Equal(t, 2*time.Second, time.Since(start), "and the second in which it may notice")
		close(release)
		synctest.Wait()
	})
}

func TestForceFlushHasADeadline(t *testing.T) {
	b := &backend{down: func(attempt int) error {
		if attempt < 10 {
			return errDown
		}
		return nil
	}}
	s := newSource()
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		require.NoError(t, d.ForceFlush(t.Context()), "there is nothing")
		s.decide(0, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.ErrorIs(t, d.ForceFlush(ctx), context.DeadlineExceeded)
		require.NoError(t, d.ForceFlush(t.Context()))
		assert.Equal(t, []string{"d00000"}, b.ids())
		require.NoError(t, d.Shutdown(t.Context()))
	})
}

func TestHandlersPanicStaysInside(t *testing.T) {
	b := &backend{down: func(attempt int) error {
		if attempt == 1 {
			return errDown
		}
		return nil
	}}
	s := newSource()
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		s.decide(0, 1)
		require.NoError(t, d.Shutdown(t.Context()))
		assert.Equal(t, []string{"d00000"}, b.ids())
	}, otelx.WithErrorHandler(func(error) { panic("handler bug") }))
}

func TestAuthorizationsAreDeliveredDaily(t *testing.T) {
	b := new(backend)
	s := newSource()
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		other := loaded()
		ref := *other.Authorization
		ref.ID, ref.Digest = "other", "sha256:1111"
		other.Authorization = &ref
		s.add(loaded(), other)
		time.Sleep(25 * time.Hour)
		first, second := "authorization payments-autoscaler", "authorization other"
		require.Equal(t, []string{first, second, second, first}, b.names(), "by digest")
		assert.Equal(t, b.spans[0].SpanContext, b.spans[3].SpanContext, "the same ids")
		assert.Equal(t, b.spans[0].Attributes, b.spans[3].Attributes, "the place of the record among them")
		assert.Equal(t, 24*time.Hour, b.spans[3].StartTime.Sub(time.Now().Add(-25*time.Hour)))

		unloaded := *loaded()
		unloaded.ID, unloaded.Event = "life-9", rationale.EventUnloaded
		s.add(&unloaded)
		time.Sleep(24 * time.Hour)
		assert.Equal(t, []string{first, second}, b.names()[4:])
		s.add(&rationale.Lifecycle{ID: "o", Event: rationale.EventOpened})
		time.Sleep(48 * time.Hour)
		assert.Len(t, b.names(), 6, "a process ended, and with it what it had loaded")
		require.NoError(t, d.Shutdown(t.Context()))
	})
}

func TestHealthOfAnOutage(t *testing.T) {
	b := &backend{down: func(int) error { return errDown }}
	s := newSource()
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, m *meter, _ *errorLog) {
		assert.NoError(t, d.Healthy())
		now := denied("d", rationale.Expired)
		now.At = time.Now()
		s.add(now)
		time.Sleep(30 * time.Second)
		assert.NoError(t, d.Healthy(), "not at once")
		assert.InDelta(t, 30, m.gauge(t, otelx.MetricDeliveryAge), 0.001)
		time.Sleep(time.Minute)
		assert.ErrorIs(t, d.Healthy(), errDown)
		assert.ErrorContains(t, d.Healthy(), "exporting has failed for 1m")
		time.Sleep(10 * time.Minute)
		assert.ErrorContains(t, d.Healthy(), "1 records are not delivered, the oldest for 11m30s")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.Error(t, d.Shutdown(ctx))
	})
}

func TestConcurrentUseAndShutdown(t *testing.T) {
	b, s := new(backend), newSource()
	m := newMeter()
	d, err := otelx.NewDelivery(s, b, otelx.WithMeterProvider(m))
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s.decide(i*100, i*100+100)
			_ = d.Healthy()
			_, err := d.Redeliver(context.Background())
			assert.NoError(t, err)
			assert.NoError(t, d.ForceFlush(context.Background()))
		})
	}
	wg.Wait()
	assert.Equal(t, map[string]int64{deliveredPoint: 800}, m.sums(t, otelx.MetricDeliverySpans))
	for range 4 {
		wg.Go(func() { assert.NoError(t, d.Shutdown(context.Background())) })
	}
	wg.Wait()
	assert.Len(t, b.ids(), 800)
}

func TestResource(t *testing.T) {
	r := resource.NewSchemaless()
	b := new(backend)
	d, err := otelx.NewDelivery(newSource(allowed("d")), b, otelx.WithResource(r), otelx.WithResource(nil), otelx.WithErrorHandler(nil))
	require.NoError(t, err)
	require.NoError(t, d.Shutdown(context.Background()))
	assert.Same(t, r, b.spans[0].Resource)
}

func TestShutdownReportsTheExportersError(t *testing.T) {
	d, err := otelx.NewDelivery(newSource(), badEnd{new(backend)})
	require.NoError(t, err)
	assert.ErrorIs(t, d.Shutdown(context.Background()), errDown)
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
