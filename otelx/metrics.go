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
	MetricShadowCompared   = "ambit.shadow.compared"
	MetricShadowDiffered   = "ambit.shadow.differed"
	MetricDeliverySpans    = "ambit.delivery.spans"
	MetricDeliveryFailures = "ambit.delivery.failures"

	MetricDeliveryUndelivered = "ambit.delivery.undelivered"
	MetricDeliveryAge         = "ambit.delivery.age"
	MetricDeliveryRejected    = "ambit.delivery.rejected"
	MetricJournalAppend       = "ambit.journal.append.duration"
	MetricJournalSync         = "ambit.journal.sync.duration"
	MetricJournalBytes        = "ambit.journal.bytes"
)

// meters are the instruments of both tracers.
type meters struct {
	decisions metric.Int64Counter
	refusals  metric.Int64Counter
	duration  metric.Float64Histogram
	callback  metric.Registration
	pends     *openPends
	labels    memo[labels, *labelled]
	shadows   shadows
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
		errs [7]error

		open               metric.Int64ObservableUpDownCounter
		compared, differed metric.Int64ObservableCounter
	)
	m.decisions, errs[0] = meter.Int64Counter(MetricDecisions, metric.WithUnit("{decision}"),
		metric.WithDescription("Decisions taken."))
	m.refusals, errs[1] = meter.Int64Counter(MetricRefusals, metric.WithUnit("{refusal}"),
		metric.WithDescription("Reasons of the decisions that did not allow, each reason counted once a decision."))
	m.duration, errs[2] = meter.Float64Histogram(MetricCheckDuration, metric.WithUnit("s"),
		metric.WithDescription("Time from a call's arrival to its durable decision."),
		metric.WithExplicitBucketBoundaries(1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5))
	open, errs[3] = meter.Int64ObservableUpDownCounter(MetricOpenPends, metric.WithUnit("{pend}"),
		metric.WithDescription("Pends of this process that are neither followed by another evaluation nor expired."))
	compared, errs[4] = meter.Int64ObservableCounter(MetricShadowCompared, metric.WithUnit("{evaluation}"),
		metric.WithDescription("Evaluations of a rule that were made both natively and by cel-go."))
	differed, errs[5] = meter.Int64ObservableCounter(MetricShadowDiffered, metric.WithUnit("{evaluation}"),
		metric.WithDescription("Of these, the ones whose results differ."))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	m.callback, errs[6] = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(open, m.pends.count(time.Now()))
		m.shadows.observe(o, compared, differed)
		return nil
	}, open, compared, differed)
	return m, errs[6]
}

// decided counts one decision. Ids, tools and agents are no labels: they have
// no bound.
func (m *meters) decided(ctx context.Context, d *rationale.Decision, took time.Duration) {
	if m.decisions.Enabled(ctx) {
		m.decisions.Add(ctx, 1, m.labelled(labels{
			verdict: d.Verdict, tier: d.Tier.String(), class: d.Class, domain: d.Domain, mode: d.Mode,
		}).add...)
	}
	if m.duration.Enabled(ctx) {
		m.duration.Record(ctx, max(took, 0).Seconds(), m.labelled(labels{verdict: d.Verdict, of: ofDuration}).record...)
	}
	if d.Verdict != rationale.Allow && m.refusals.Enabled(ctx) {
		for _, r := range d.Reasons {
			m.refusals.Add(ctx, 1, m.labelled(labels{verdict: d.Verdict, reason: r, of: ofRefusal}).add...)
		}
	}
	m.pends.decided(d)
}

// labels are what a measurement is about, and of which metric.
type labels struct {
	of            metricOf
	verdict       rationale.Verdict
	tier          string
	class, domain string
	mode          rationale.Mode
	reason        rationale.Reason
}

type metricOf uint8

const (
	ofDecision metricOf = iota
	ofDuration
	ofRefusal
)

func (l labels) attributes() []attribute.KeyValue {
	verdict := attribute.String(Verdict, l.verdict.String())
	switch l.of {
	case ofDuration:
		return []attribute.KeyValue{verdict}
	case ofRefusal:
		return []attribute.KeyValue{verdict, attribute.String(Reason, string(l.reason))}
	}
	return []attribute.KeyValue{
		verdict, attribute.String(Tier, l.tier), attribute.String(Class, l.class),
		attribute.String(Domain, l.domain), attribute.String(Mode, l.mode.String()),
	}
}

// labelled is labels as instruments take them.
type labelled struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

func (m *meters) labelled(l labels) *labelled {
	if known, ok := m.labels.get(l); ok {
		return known
	}
	set := metric.WithAttributeSet(attribute.NewSet(l.attributes()...))
	made := &labelled{[]metric.AddOption{set}, []metric.RecordOption{set}}
	m.labels.put(l, made)
	return made
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
	if d.Parent == "" && d.Verdict != rationale.Pend {
		return
	}
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
