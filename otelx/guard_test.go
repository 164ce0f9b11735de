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
			tracer, err := otelx.NewDelivery(new(backend))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, tracer.Shutdown(context.Background())) })
			return tracer
		})
	})
}
