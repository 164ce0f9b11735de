package otelx

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/ambit-go/ambit/rationale"
)

// condition is what is known of a delivery from outside. It is guarded by
// Delivery.mu.
type condition struct {
	settled  rationale.Head
	oldest   time.Time // of the oldest record that is read and not settled; zero: none
	trying   time.Time // since when an attempt runs
	failing  time.Time // since when attempts fail
	failure  error     // of the last one
	reading  error     // why records cannot be read
	keeping  error     // why the place, or what was rejected, cannot be kept
	lost     error     // records that a repair set aside
	stray    error     // why everything is delivered again
	rejected int       // spans that are kept
	hurried  bool      // Shutdown's one hurried attempt
	stopped  bool
}

func (d *Delivery) note(f func(*condition)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(&d.status)
}

// Limits of what is healthy.
const (
	patientFor = time.Minute     // with an exporter that fails
	freshFor   = 5 * time.Minute // age of what is not delivered
)

// Healthy returns nil while delivery does its work, and otherwise everything
// that is wrong: attempts have failed for a minute, or one does not return; a record
// has waited for five minutes; spans were rejected; records cannot be read, or
// are lost; the place cannot be kept; the delivery was shut down. The first two
// pass by themselves when the backend is there again, so this is no reason to end
// the process.
func (d *Delivery) Healthy() error {
	now, head := time.Now(), d.source.Head()
	d.mu.Lock()
	s := d.status
	d.mu.Unlock()
	var errs []error
	add := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	add(s.stopped, "%w", errShutdown)
	add(!s.trying.IsZero() && now.Sub(s.trying) > 2*attemptTimeout, "an attempt to export has not returned for %s", now.Sub(s.trying).Round(time.Second))
	add(s.failure != nil && now.Sub(s.failing) >= patientFor, "exporting has failed for %s: %w", now.Sub(s.failing).Round(time.Second), s.failure)
	age := s.age(now, head)
	add(age > freshFor, "%d records are not delivered, the oldest for %s", remaining(s.settled, head), age.Round(time.Second))
	add(s.rejected > 0, "%d spans were rejected and wait for Redeliver", s.rejected)
	add(s.reading != nil, "records cannot be read: %w", s.reading)
	add(s.keeping != nil, "the place of the delivery cannot be kept: %w", s.keeping)
	add(s.lost != nil, "%w", s.lost)
	add(s.stray != nil, "everything in the journal was delivered again: %w", s.stray)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("otelx: %w", err)
	}
	return nil
}

// age is how long the oldest record has waited.
func (s *condition) age(now time.Time, head rationale.Head) time.Duration {
	if remaining(s.settled, head) == 0 || s.oldest.IsZero() {
		return 0
	}
	return max(now.Sub(s.oldest), 0)
}

func (m *deliveryMeters) instrument(meter metric.Meter, observe func() (undelivered, rejected int64, age time.Duration)) error {
	var errs [6]error
	var undelivered, rejected metric.Int64ObservableUpDownCounter
	var age metric.Float64ObservableGauge
	m.spans, errs[0] = meter.Int64Counter(MetricDeliverySpans, metric.WithUnit("{span}"),
		metric.WithDescription("Evidence spans that the exporter took, or that were rejected."))
	m.failures, errs[1] = meter.Int64Counter(MetricDeliveryFailures, metric.WithUnit("{attempt}"),
		metric.WithDescription("Failed attempts to export evidence spans."))
	undelivered, errs[2] = meter.Int64ObservableUpDownCounter(MetricDeliveryUndelivered, metric.WithUnit("{record}"),
		metric.WithDescription("Records that are durable and not delivered."))
	age, errs[3] = meter.Float64ObservableGauge(MetricDeliveryAge, metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest record that is not delivered."))
	rejected, errs[4] = meter.Int64ObservableUpDownCounter(MetricDeliveryRejected, metric.WithUnit("{span}"),
		metric.WithDescription("Rejected evidence spans that wait to be delivered again."))
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	m.callback, errs[5] = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		u, r, a := observe()
		of := metric.WithAttributes(m.named...)
		o.ObserveInt64(undelivered, u, of)
		o.ObserveInt64(rejected, r, of)
		o.ObserveFloat64(age, a.Seconds(), of)
		return nil
	}, undelivered, rejected, age)
	return errs[5]
}

// observe says what there is to measure.
func (d *Delivery) observe() (undelivered, rejected int64, age time.Duration) {
	now, head := time.Now(), d.source.Head()
	d.mu.Lock()
	defer d.mu.Unlock()
	return int64(remaining(d.status.settled, head)), int64(d.status.rejected), d.status.age(now, head)
}

// journalMeter publishes what the work of a journal takes.
type journalMeter struct {
	appends, syncs metric.Float64Histogram
	bytes          metric.Int64Counter
}

func newJournalMeter(meter metric.Meter) (*journalMeter, error) {
	var m journalMeter
	var errs [3]error
	bounds := metric.WithExplicitBucketBoundaries(1e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
	m.appends, errs[0] = meter.Float64Histogram(MetricJournalAppend, metric.WithUnit("s"), bounds,
		metric.WithDescription("Time that a record waited until it was durable."))
	m.syncs, errs[1] = meter.Float64Histogram(MetricJournalSync, metric.WithUnit("s"), bounds,
		metric.WithDescription("Time of one fsync of the journal."))
	m.bytes, errs[2] = meter.Int64Counter(MetricJournalBytes, metric.WithUnit("By"),
		metric.WithDescription("Bytes written to the journal."))
	return &m, errors.Join(errs[:]...)
}

func (m *journalMeter) Appended(took time.Duration, err error) {
	m.appends.Record(context.Background(), took.Seconds(), outcomeOf(err))
}

func (m *journalMeter) Synced(took time.Duration, err error) {
	m.syncs.Record(context.Background(), took.Seconds(), outcomeOf(err))
}

func (m *journalMeter) Written(bytes int) { m.bytes.Add(context.Background(), int64(bytes)) }

var (
	succeeded = metric.WithAttributes()
	errored   = metric.WithAttributes(attribute.String(ErrorType, "_OTHER"))
)

// outcomeOf tells failures apart, as the conventions do: by error.type.
func outcomeOf(err error) metric.MeasurementOption {
	if err == nil {
		return succeeded
	}
	return errored
}
