package otelx

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/ambit-go/ambit/rationale"
)

// The names of metrics. Units and attributes are in docs/telemetry.md.
const (
	MetricDecisions        = "ambit.decisions"
	MetricRefusals         = "ambit.refusals"
	MetricCheckDuration    = "ambit.check.duration"
	MetricOpenPends        = "ambit.pends.open"
	MetricDeliverySpans    = "ambit.delivery.spans"
	MetricDeliveryQueue    = "ambit.delivery.queue"
	MetricDeliveryFailures = "ambit.delivery.failures"
)

// The values of DeliveryResult.
const (
	resultDelivered = "delivered"
	resultLost      = "lost"
)

// meters are the instruments of both tracers.
type meters struct {
	decisions metric.Int64Counter
	refusals  metric.Int64Counter
	duration  metric.Float64Histogram
	callback  metric.Registration
	pends     *openPends
}

func newMeter(provider metric.MeterProvider) metric.Meter {
	if provider == nil {
		provider = noop.NewMeterProvider()
	}
	return provider.Meter(ScopeName, metric.WithInstrumentationVersion(Version))
}

func newMeters(meter metric.Meter) (*meters, error) {
	var (
		m    = &meters{pends: &openPends{expires: map[string]time.Time{}}}
		errs [5]error
		open metric.Int64ObservableUpDownCounter
	)
	m.decisions, errs[0] = meter.Int64Counter(MetricDecisions, metric.WithUnit("{decision}"),
		metric.WithDescription("Decisions taken."))
	m.refusals, errs[1] = meter.Int64Counter(MetricRefusals, metric.WithUnit("{refusal}"),
		metric.WithDescription("Reasons of the decisions that did not allow, each reason counted once a decision."))
	m.duration, errs[2] = meter.Float64Histogram(MetricCheckDuration, metric.WithUnit("s"),
		metric.WithDescription("Time from a call's arrival to its durable decision."),
		metric.WithExplicitBucketBoundaries(1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5))
	open, errs[3] = meter.Int64ObservableUpDownCounter(MetricOpenPends, metric.WithUnit("{pend}"),
		metric.WithDescription("Pends of this process that are neither answered nor expired."))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	m.callback, errs[4] = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(open, m.pends.count(time.Now()))
		return nil
	}, open)
	return m, errs[4]
}

// decided counts one decision. Ids, tools and agents are no labels: they have
// no bound.
func (m *meters) decided(ctx context.Context, d *rationale.Decision, took time.Duration) {
	verdict := attribute.String(Verdict, d.Verdict.String())
	m.decisions.Add(ctx, 1, metric.WithAttributes(verdict,
		attribute.String(Tier, d.Tier.String()), attribute.String(Class, d.Class),
		attribute.String(Domain, d.Domain), attribute.String(Mode, d.Mode.String())))
	m.duration.Record(ctx, max(took, 0).Seconds(), metric.WithAttributes(verdict))
	if d.Verdict != rationale.Allow {
		for _, r := range d.Reasons {
			m.refusals.Add(ctx, 1, metric.WithAttributes(verdict, attribute.String(Reason, string(r))))
		}
	}
	m.pends.decided(d)
}

func (m *meters) close() error {
	if m.callback == nil {
		return nil
	}
	return m.callback.Unregister()
}

// openPends knows the tickets that this process opened.
type openPends struct {
	mu      sync.Mutex
	expires map[string]time.Time // by the id of the pending decision
}

// maxOpenPends bounds the memory of a process that nobody observes.
const maxOpenPends = 1 << 16

func (p *openPends) decided(d *rationale.Decision) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.expires, d.Parent)
	if d.Verdict != rationale.Pend || d.Ticket == nil {
		return
	}
	now := time.Now()
	if len(p.expires) >= maxOpenPends {
		p.purge(now)
	}
	if len(p.expires) < maxOpenPends {
		p.expires[d.ID] = now.Add(d.Ticket.Expires.Sub(d.At)) // the record's clock can be another
	}
}

func (p *openPends) count(now time.Time) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.purge(now)
	return int64(len(p.expires))
}

func (p *openPends) purge(now time.Time) {
	for id, expires := range p.expires {
		if !now.Before(expires) {
			delete(p.expires, id)
		}
	}
}
