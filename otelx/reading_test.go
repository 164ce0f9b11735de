package otelx_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// A delivery that begins in the middle knows what is in force, and what is open,
// from the last snapshot on.
func TestADeliveryRemembersFromTheSnapshotOn(t *testing.T) {
	s := newSource(&rationale.Snapshot{ID: "s"}, loaded(), allowed("d1"))
	b := new(backend)
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		require.NoError(t, d.Shutdown(t.Context()))
	})
	require.Len(t, b.names(), 2)
	assert.Equal(t, uint64(1), s.place.From.Seq)
	s.add(outcome("d1", rationale.StatusSuccess))
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		time.Sleep(25 * time.Hour)
		assert.Equal(t, []string{"execute_tool k8s/scale", "authorization payments-autoscaler"}, b.names()[2:])
		assert.Empty(t, s.asked, "the decision was not looked for")
		require.NoError(t, d.Shutdown(t.Context()))
	})
}

// An outcome finds its decision however long ago it was delivered, and without it
// says what is known.
func TestAnOutcomeFindsItsDecision(t *testing.T) {
	d1 := withHost(allowed("d1"), 1)
	s := newSource(d1)
	b := new(backend)
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		require.NoError(t, d.Shutdown(t.Context()))
	})
	s.add(outcome("d1", rationale.StatusSuccess), outcome("gone", rationale.StatusUnknown))
	tries := 0
	s.failing(func(call string) error {
		if call == "decisions" {
			if tries++; tries <= 3 {
				return errDown
			}
		}
		return nil
	})
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, log *errorLog) {
		require.NoError(t, d.Shutdown(t.Context()))
		require.Len(t, b.spans, 3)
		found, lost := b.spans[1], b.spans[2]
		assert.Equal(t, "execute_tool k8s/scale", found.Name)
		assert.Equal(t, hostTrace, found.SpanContext.TraceID().String())
		assert.Equal(t, "execute_tool", lost.Name)
		assert.Equal(t, pair("execution", "gone")[1], lost.SpanContext.SpanID().String())
		assert.Equal(t, "unknown", text(lost, otelx.OutcomeStatus))
		require.Len(t, log.all(), 4)
		assert.ErrorContains(t, log.all()[3], "the decision gone of outcome outcome of gone is not in the journal any more")
	})
}

// Reading fails, and goes on where it failed: nothing is passed over.
func TestReadingIsTriedAgain(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errDown },
		"panic": func() error { panic("bug") },
	} {
		t.Run(name, func(t *testing.T) {
			s, b := newSource(), new(backend)
			deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, m *meter, log *errorLog) {
				var mended atomic.Bool
				s.failing(func(call string) error {
					if call == "after 3" && !mended.Load() {
						return fail()
					}
					return nil
				})
				want := s.decide(0, 10)
				time.Sleep(10 * time.Minute)
				assert.Equal(t, want[:3], b.ids())
				assert.ErrorContains(t, d.Healthy(), "records cannot be read")
				assert.ErrorContains(t, d.Healthy(), "7 records are not delivered")
				assert.Equal(t, map[string]int64{"": 7}, m.sums(t, otelx.MetricDeliveryUndelivered))
				mended.Store(true)
				require.NoError(t, d.ForceFlush(t.Context()))
				assert.Equal(t, want, b.ids())
				assert.NoError(t, d.Healthy())
				require.NoError(t, d.Shutdown(t.Context()))
			})
		})
	}
}

// Records that a repair set aside are passed over, and said so.
func TestLostRecordsArePassedOver(t *testing.T) {
	s, b := newSource(), new(backend)
	want := s.decide(0, 5)
	s.failing(func(call string) error {
		if call == "after 2" {
			return errors.Join(journal.ErrLost, errDown)
		}
		return nil
	})
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, log *errorLog) {
		require.NoError(t, d.ForceFlush(t.Context()))
		assert.Equal(t, slices.Delete(slices.Clone(want), 2, 3), b.ids())
		assert.ErrorIs(t, d.Healthy(), journal.ErrLost)
		assert.ErrorIs(t, log.all()[0], journal.ErrLost)
		require.NoError(t, d.Shutdown(t.Context()))
	})
}

// A place that is not this journal's leads to everything being delivered again.
func TestAPlaceThatIsStray(t *testing.T) {
	for name, place := range map[string]journal.Place{
		"another record":  {Head: rationale.Head{Journal: "j1", Seq: 2, Hash: hashOf(7)}},
		"another journal": {Head: rationale.Head{Journal: "j0", Seq: 2, Hash: hashOf(2)}},
		"beyond the end":  {Head: rationale.Head{Journal: "j1", Seq: 20, Hash: hashOf(20)}},
		"with a snapshot": {
			Head: rationale.Head{Journal: "j1", Seq: 2, Hash: hashOf(7)},
			From: rationale.Head{Journal: "j1", Seq: 1, Hash: hashOf(1)},
		},
		"with a snapshot that is gone": {
			Head: rationale.Head{Journal: "j0", Seq: 2, Hash: hashOf(2)},
			From: rationale.Head{Journal: "j0", Seq: 1, Hash: hashOf(1)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, b := newSource(), new(backend)
			want := s.decide(0, 5)
			s.place = place
			deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, log *errorLog) {
				time.Sleep(time.Minute)
				assert.Equal(t, want, b.ids())
				assert.ErrorContains(t, d.Healthy(), "everything in the journal was delivered again")
				assert.NotEmpty(t, log.all())
				require.NoError(t, d.Shutdown(t.Context()))
				assert.Equal(t, s.Head(), s.place.Head)
			})
		})
	}
}

// A place that cannot be kept stops nothing, is reported, and kept later.
func TestAPlaceThatCannotBeKept(t *testing.T) {
	s, b := newSource(), new(backend)
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, log *errorLog) {
		var mended atomic.Bool
		s.failing(func(call string) error {
			if call == "keep" && !mended.Load() {
				return errDown
			}
			return nil
		})
		want := s.decide(0, 3)
		time.Sleep(time.Minute)
		want = append(want, s.decide(3, 6)...)
		time.Sleep(time.Minute)
		assert.Equal(t, want, b.ids())
		assert.ErrorContains(t, d.Healthy(), "the place of the delivery cannot be kept")
		assert.NotEmpty(t, log.all())
		mended.Store(true)
		time.Sleep(time.Minute)
		assert.NoError(t, d.Healthy())
		assert.Equal(t, s.Head(), s.place.Head)
		require.NoError(t, d.Shutdown(t.Context()))
	})
}

// The journal is closed before the delivery: it ends, and says what remains.
func TestTheSourceEndsFirst(t *testing.T) {
	b := &backend{down: func(int) error { return errDown }}
	s := newSource()
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		s.decide(0, 3)
		time.Sleep(time.Minute)
		s.end()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		assert.ErrorContains(t, d.Shutdown(ctx), "3 records remain")
	})
	s = newSource()
	deliver(t, s, new(backend), func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		s.end()
		time.Sleep(time.Hour)
		require.NoError(t, d.Shutdown(t.Context()))
	})
}
