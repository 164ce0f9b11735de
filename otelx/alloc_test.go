package otelx_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/otelx"
)

// Live allocates less for the spans of a call than somebody who makes them by
// hand: nearly all that is left is the SDK's own.
func TestLiveAllocatesLessThanByHand(t *testing.T) {
	document, decision, execution := sample(t)
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(sdktrace.NewSimpleSpanProcessor(new(counter))))
	live, err := otelx.NewLive(provider)
	require.NoError(t, err)
	traced, call := scaler(t, guard.WithTracer(live))
	alone, _ := scaler(t)
	pair := byHand(provider.Tracer("host"), document.SpanContext, decision, execution, 4)

	hand := testing.AllocsPerRun(200, func() { pair(context.Background()) })
	spans := testing.AllocsPerRun(200, func() { governed(t, traced, call) }) -
		testing.AllocsPerRun(200, func() { governed(t, alone, call) })
	require.Greater(t, hand, 20.0, "the SDK records")
	assert.LessOrEqual(t, spans, hand-8+raceAllocs)
}
