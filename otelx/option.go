package otelx

import (
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

	permanent func(error) bool
}

// complete puts defaults in the place of what was not given.
func (s *settings) complete() {
	if s.resource == nil {
		s.resource = resource.Default()
	}
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

// WithErrorHandler sets who hears of failed attempts, of rejected spans, and of
// what cannot be read or kept. It is called from the delivering goroutine, which
// it holds up while it runs, and must not call the delivery. Default: otel.Handle.
func WithErrorHandler(handle func(error)) DeliveryOption {
	return option(func(s *settings) {
		if handle != nil {
			s.onError = handle
		}
	})
}

// WithPermanent says which more of the exporter's errors are the spans' own
// fault, so that trying again cannot help. These are known without it: OTLP's
// partial success with rejected spans; the HTTP status 400, 413 or 422, the gRPC
// status InvalidArgument, and messages that are too large, as the OTLP exporters
// report them; and any error in the tree with a method Permanent() bool that
// returns true. With nil, and for all other errors, spans are tried for ever,
// or until others are taken again and again while one is not. What panics says no.
func WithPermanent(permanent func(error) bool) DeliveryOption {
	return option(func(s *settings) { s.permanent = permanent })
}
