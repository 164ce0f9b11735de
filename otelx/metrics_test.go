package otelx_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
)

// decider is what both tracers share.
type decider interface {
	Decided(ctx context.Context, d *rationale.Decision, took time.Duration)
	Shadow(counts func() (compared, differed uint64))
	Shutdown(ctx context.Context) error
}

// bothTracers runs f with each tracer and its metrics, on a simulated clock.
func bothTracers(t *testing.T, f func(t *testing.T, tracer decider, m *meter)) {
	for name, open := range map[string]func(m *meter) (decider, error){
		"delivery": func(m *meter) (decider, error) {
			return otelx.NewDelivery(newSource(), new(backend), otelx.WithMeterProvider(m))
		},
		"live": func(m *meter) (decider, error) {
			return otelx.NewLive(tracenoop.NewTracerProvider(), otelx.WithMeterProvider(m))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMeter()
				tracer, err := open(m)
				require.NoError(t, err)
				f(t, tracer, m)
				require.NoError(t, tracer.Shutdown(t.Context()))
			})
		})
	}
}

func TestMetricsOfDecisions(t *testing.T) {
	bothTracers(t, func(t *testing.T, tracer decider, m *meter) {
		ctx := t.Context()
		tracer.Decided(ctx, allowed("d1"), 3*time.Millisecond)
		tracer.Decided(ctx, allowed("d2"), time.Millisecond)
		refused := denied("d3", rationale.BoundViolated, rationale.Expired)
		tracer.Decided(ctx, refused, 0)
		tracer.Decided(ctx, refused, -time.Second)
		observed := allowed("d4")
		observed.Mode, observed.Reasons = rationale.Observe, []rationale.Reason{rationale.NotAllowed}
		tracer.Decided(ctx, observed, 0)

		const class = "ambit.class=scaling.horizontal,ambit.domain=scaling,"
		assert.Equal(t, map[string]int64{
			class + "ambit.mode=enforce,ambit.tier=bounded_escalation,ambit.verdict=allow": 2,
			class + "ambit.mode=enforce,ambit.tier=bounded_escalation,ambit.verdict=deny":  2,
			class + "ambit.mode=observe,ambit.tier=bounded_escalation,ambit.verdict=allow": 1,
		}, m.sums(t, otelx.MetricDecisions), "and never an id, a tool or an agent")
		assert.Equal(t, map[string]int64{
			"ambit.reason=bound_violated,ambit.verdict=deny": 2,
			"ambit.reason=expired,ambit.verdict=deny":        2,
		}, m.sums(t, otelx.MetricRefusals))

		duration := m.collect(t)[otelx.MetricCheckDuration]
		assert.Equal(t, "s", duration.Unit)
		for _, p := range duration.Data.(metricdata.Histogram[float64]).DataPoints {
			v, _ := p.Attributes.Value(otelx.Verdict)
			if v.AsString() == "allow" {
				assert.Equal(t, uint64(3), p.Count)
				assert.InDelta(t, 0.004, p.Sum, 1e-9)
			} else {
				assert.Zero(t, p.Sum, "no negative durations")
			}
		}
	})
}

func TestMetricsOfNoClass(t *testing.T) {
	bothTracers(t, func(t *testing.T, tracer decider, m *meter) {
		tracer.Decided(t.Context(), &rationale.Decision{ID: "d", Tool: rationale.Tool{Name: "made-up-1234"}, Tier: classify.TierUnknown}, 0)
		assert.Equal(t, map[string]int64{
			"ambit.class=,ambit.domain=,ambit.mode=enforce,ambit.tier=unknown,ambit.verdict=deny": 1,
		}, m.sums(t, otelx.MetricDecisions))
	})
}

func TestOpenPends(t *testing.T) {
	bothTracers(t, func(t *testing.T, tracer decider, m *meter) {
		pend := func(id, parent string, within time.Duration) {
			d := denied(id, rationale.ApprovalRequired)
			d.Verdict, d.Parent = rationale.Pend, parent
			d.At = began // not the tracer's clock: tickets last as long as the record says
			d.Ticket = &rationale.Ticket{Expires: began.Add(within)}
			tracer.Decided(t.Context(), d, 0)
		}
		open := func() int64 { return m.sums(t, otelx.MetricOpenPends)[""] }
		assert.Zero(t, open())
		pend("p1", "", 30*time.Minute)
		pend("p2", "", time.Hour)
		pend("p3", "", time.Hour)
		tracer.Decided(t.Context(), denied("x", rationale.Expired), 0)
		assert.Equal(t, int64(3), open())

		answered := allowed("d1")
		answered.Parent = "p2"
		tracer.Decided(t.Context(), answered, 0)
		assert.Equal(t, int64(2), open())
		pend("p4", "p3", time.Hour) // pends again
		assert.Equal(t, int64(2), open())

		time.Sleep(30 * time.Minute)
		assert.Equal(t, int64(1), open(), "p1 expired")
		time.Sleep(30 * time.Minute)
		assert.Zero(t, open())
	})
}

func TestShadowCounts(t *testing.T) {
	bothTracers(t, func(t *testing.T, tracer decider, m *meter) {
		metrics := m.collect(t)
		assert.NotContains(t, metrics, otelx.MetricShadowCompared, "nobody compares")
		assert.NotContains(t, metrics, otelx.MetricShadowDiffered)

		var first uint64 = 5
		tracer.Shadow(func() (uint64, uint64) { return first, 1 })
		tracer.Shadow(func() (uint64, uint64) { return 3, 0 })
		assert.Equal(t, map[string]int64{"": 8}, m.sums(t, otelx.MetricShadowCompared))
		assert.Equal(t, map[string]int64{"": 1}, m.sums(t, otelx.MetricShadowDiffered))
		first = 7
		assert.Equal(t, map[string]int64{"": 10}, m.sums(t, otelx.MetricShadowCompared))
	})
}

// Instruments that the provider refuses are the constructor's error.
func TestBrokenMeterProvider(t *testing.T) {
	provider := brokenProvider{noop.NewMeterProvider()}
	_, err := otelx.NewDelivery(newSource(), new(backend), otelx.WithMeterProvider(provider))
	assert.ErrorIs(t, err, errInstrument)
	_, err = otelx.NewLive(tracenoop.NewTracerProvider(), otelx.WithMeterProvider(provider))
	assert.ErrorIs(t, err, errInstrument)
}

var errInstrument = errors.New("no such instrument")

type brokenProvider struct{ metric.MeterProvider }

func (p brokenProvider) Meter(name string, options ...metric.MeterOption) metric.Meter {
	return brokenMeter{p.MeterProvider.Meter(name, options...)}
}

type brokenMeter struct{ metric.Meter }

func (brokenMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return nil, errInstrument
}
