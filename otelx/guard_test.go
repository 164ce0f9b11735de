package otelx_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/otelx"
)

func TestTracersKeepTheirContract(t *testing.T) {
	t.Run("live", func(t *testing.T) {
		guardtest.TestTracer(t, func(t *testing.T) guard.Tracer {
			tracer, err := otelx.NewLive(sdktrace.NewTracerProvider())
			require.NoError(t, err)
			return tracer
		})
	})
	t.Run("delivery", func(t *testing.T) {
		guardtest.TestTracer(t, func(t *testing.T) guard.Tracer {
			return tracerOf(t)
		})
	})
}

var (
	_ guard.ShadowTracer = (*otelx.Live)(nil)
	_ guard.ShadowTracer = (*otelx.Delivery)(nil)
)

func TestComparisonsOfAGuardAreMetrics(t *testing.T) {
	m := newMeter()
	live, err := otelx.NewLive(sdktrace.NewTracerProvider(), otelx.WithMeterProvider(m))
	require.NoError(t, err)
	g, call := scaler(t, guard.WithTracer(live), guard.WithShadow(1))
	governed(t, g, call)
	governed(t, g, call)
	require.Equal(t, map[string]int64{"": 2}, m.sums(t, otelx.MetricShadowCompared))
	require.Equal(t, map[string]int64{"": 0}, m.sums(t, otelx.MetricShadowDiffered))
	require.NoError(t, live.Shutdown(context.Background()))
}
