package otelx

import (
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/resource"
)

// DeliveryOption configures [NewDelivery].
type DeliveryOption interface{ delivery(*settings) }

// Option configures [NewDelivery] and [NewLive].
type Option interface {
	DeliveryOption
	live()
}

type settings struct {
	meters   metric.MeterProvider
	resource *resource.Resource
	onError  func(error)
	capacity int
	wait     time.Duration
}

type option func(*settings)

func (o option) delivery(s *settings) { o(s) }

type sharedOption struct{ option }

func (sharedOption) live() {}

// WithMeterProvider sets where metrics go. Without it, and with nil, there are
// none.
func WithMeterProvider(provider metric.MeterProvider) Option {
	return sharedOption{func(s *settings) { s.meters = provider }}
}

// WithResource sets the resource of evidence spans. Default: resource.Default(),
// which reads OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES.
func WithResource(r *resource.Resource) DeliveryOption {
	return option(func(s *settings) {
		if r != nil {
			s.resource = r
		}
	})
}

// WithErrorHandler sets who hears of failed attempts and lost spans. It is
// called from the delivering goroutine and from the tracer's methods, must not
// block, and can be called concurrently. Default: otel.Handle.
func WithErrorHandler(handle func(error)) DeliveryOption {
	return option(func(s *settings) {
		if handle != nil {
			s.onError = handle
		}
	})
}

// WithQueue sets how many spans wait for delivery, and how long a call waits
// for room in a full queue. Defaults: 8,192 spans, 250 ms; less than one
// span and less than no time leave the default.
func WithQueue(spans int, wait time.Duration) DeliveryOption {
	return option(func(s *settings) {
		if spans > 0 {
			s.capacity = spans
		}
		if wait >= 0 {
			s.wait = wait
		}
	})
}
