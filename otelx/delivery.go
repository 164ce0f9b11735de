package otelx

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// Delivery builds evidence spans from the records of a journal and delivers
// them, in order and at least once, to one exporter. It reads them where they are
// durable: no call waits for it, nothing is queued in memory, and what one
// process did not deliver, however it ended, the next one does. No sampler is
// asked.
//
// Span ids follow from the records' ids (see [AuthorizationSpan]), so that a span
// that is delivered twice is the same span. Each carries where its record stands
// in the journal, [JournalID], [JournalSeq] and [JournalHash], which makes the
// backend a witness: 'ambit verify -against' compares. A span joins the host's
// trace where the record names one, and has a trace of its own otherwise; its
// sampled flag is always set, while the context that a tool receives keeps the
// host's flag. Authorizations are delivered when they are loaded and every 24
// hours until they are unloaded, with the same ids, so that links resolve where a
// backend keeps spans for days.
//
// One goroutine gathers for up to a second and exports up to 512 spans at a time,
// 30 s an attempt. After a failure (an error or a panic of the exporter) it tries
// again, for ever: after 100 ms, doubling to 30 s, each wait shortened at random
// by up to half, and with half as many spans, down to one; each success doubles
// them. A single span that fails for good ([WithPermanent]), or again and again
// while others are taken, is rejected: it is kept beside the place of the
// delivery, counted, and reported by [Delivery.Healthy], until
// [Delivery.Redeliver] finds it taken; the rest goes on in order. Memory is that of
// some 1,000 spans and 16 MiB of decisions that wait for their outcome, whatever
// the backlog.
//
// How far it has come is durable a second later at most. After a crash the
// spans of that second are delivered again.
//
// As guard's tracer it counts, and gives each tool a context with the span of
// its execution. All methods are safe for concurrent use. None fails or panics
// because of the exporter.
type Delivery struct {
	*meters
	settings
	source   Source
	exporter sdktrace.SpanExporter
	delivery deliveryMeters

	mu       sync.Mutex
	status   condition
	urgent   int            // flushes that wait
	closing  bool           // Shutdown has begun
	goal     rationale.Head // of Shutdown
	poked    bool           // there is something to do at once
	rouse    func()         // ends the pause of the goroutine; nil: it is at work
	progress chan struct{}  // closed and renewed whenever status.settled moves
	redo     []*redelivery

	abort context.CancelFunc // ends the goroutine
	done  chan struct{}      // closed when it has ended
	once  sync.Once
	end   error // of the shutdown
}

// NewDelivery starts the delivery of a source's records to an exporter. It owns
// both from then on: [Delivery.Shutdown] shuts them down, and the journal is
// closed after that.
//
// A nil source or exporter, a source that cannot begin, such as one that is
// delivered already, and instruments that the meter provider refuses, are errors.
func NewDelivery(source Source, exporter sdktrace.SpanExporter, options ...DeliveryOption) (*Delivery, error) {
	if source == nil {
		return nil, errors.New("otelx: the source of records is nil: give the journal's, as in evidence.Journal().Follow(\"otlp\")")
	}
	if exporter == nil {
		return nil, errors.New("otelx: the exporter is nil")
	}
	d := &Delivery{
		source: source, exporter: exporter, settings: settings{onError: otel.Handle},
		progress: make(chan struct{}), done: make(chan struct{}),
	}
	for _, o := range options {
		o.delivery(&d.settings)
	}
	d.settings.complete()
	place, err := source.Begin()
	if err != nil {
		return nil, fmt.Errorf("otelx: %w", err)
	}
	if err := d.instrument(newMeter(d.settings.meters)); err != nil {
		return nil, fmt.Errorf("otelx: %w", errors.Join(err, source.Close()))
	}
	rejected, err := source.Rejected()
	if err != nil {
		return nil, fmt.Errorf("otelx: %w", errors.Join(err, d.unregister(), source.Close()))
	}
	d.status = condition{settled: place.Head, rejected: len(rejected)}
	ctx, abort := context.WithCancel(context.Background())
	d.abort = abort
	go newWorker(d, place).run(ctx)
	return d, nil
}

// Host returns the trace context that ctx carries, for the record; zero if it
// carries none.
func (d *Delivery) Host(ctx context.Context) rationale.TraceContext { return hostTrace(ctx) }

// Decided counts a decision. Its span, `authorize {tool}`, comes from the record.
func (d *Delivery) Decided(ctx context.Context, r *rationale.Decision, took time.Duration) {
	d.decided(ctx, r, took)
}

// Execute returns a context that carries the execution's span, so that the
// tool's own spans become its children. The span itself, `execute_tool {tool}`,
// comes from the record of the outcome.
func (d *Delivery) Execute(ctx context.Context, r *rationale.Decision) context.Context {
	self, _ := executionSpan(r)
	if host := hostSpan(r.Host); host.IsValid() {
		self = self.WithTraceFlags(host.TraceFlags())
	}
	return trace.ContextWithSpanContext(ctx, self)
}

// Finished does nothing: the span comes from the record.
func (d *Delivery) Finished(context.Context, *rationale.Decision, *rationale.Outcome) {}

// Changed does nothing: the span comes from the record.
func (d *Delivery) Changed(context.Context, *rationale.Lifecycle) {}

// ForceFlush returns nil once the spans of every record that was durable before
// the call were taken or rejected, or the context's error.
func (d *Delivery) ForceFlush(ctx context.Context) error {
	goal := d.source.Head()
	d.mu.Lock()
	d.urgent++
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.urgent--
	}()
	d.poke()
	for {
		d.mu.Lock()
		reached, progress := reaches(d.status.settled, goal), d.progress
		d.mu.Unlock()
		if reached {
			return nil
		}
		select {
		case <-progress:
		case <-d.done:
			return fmt.Errorf("otelx: flush: %w", errShutdown)
		case <-ctx.Done():
			return fmt.Errorf("otelx: flush: %w", ctx.Err())
		}
	}
}

var errShutdown = errors.New("the delivery was shut down")

// reaches reports whether a head is at another or behind it.
func reaches(head, goal rationale.Head) bool {
	return goal.Seq == 0 || head.Journal == goal.Journal && head.Seq >= goal.Seq
}

// stopGrace is how long an attempt may take to notice that its context is done.
const stopGrace = time.Second

// Shutdown delivers every record that is durable when it is called, until ctx is
// done, keeps how far it came, and shuts the exporter down. Give it a deadline:
// while the exporter fails, delivery is tried until then. Its error says how many
// records remain; the next start delivers them. An exporter that does not return
// from an attempt when its context ends keeps one goroutine. Later calls return
// the first one's result.
func (d *Delivery) Shutdown(ctx context.Context) error {
	d.once.Do(func() {
		if err := d.stop(ctx); err != nil {
			d.end = fmt.Errorf("otelx: shutdown: %w", err)
		}
	})
	return d.end
}

func (d *Delivery) stop(ctx context.Context) error {
	d.mu.Lock()
	d.closing, d.goal = true, d.source.Head()
	goal := d.goal
	d.mu.Unlock()
	d.poke()
	var cause error
	select {
	case <-d.done:
	case <-ctx.Done():
		cause = ctx.Err()
		d.abort()
		grace := time.NewTimer(stopGrace)
		defer grace.Stop()
		select {
		case <-d.done:
		case <-grace.C:
		}
	}
	d.abort()
	d.mu.Lock()
	d.status.stopped = true
	settled := d.status.settled
	d.mu.Unlock()
	var errs []error
	if !reaches(settled, goal) {
		errs = append(errs, errors.Join(fmt.Errorf("%d records remain to be delivered at the next start", remaining(settled, goal)), cause))
	}
	errs = append(errs, d.shutdownExporter(ctx), d.source.Close(), d.unregister())
	return errors.Join(errs...)
}

// remaining is how many records lie between two heads; of two journals, those of
// the latter.
func remaining(head, goal rationale.Head) uint64 {
	switch {
	case head.Journal != goal.Journal:
		return goal.Seq
	case head.Seq >= goal.Seq:
		return 0
	}
	return goal.Seq - head.Seq
}

func (d *Delivery) shutdownExporter(ctx context.Context) (err error) {
	defer recovered(&err)
	return d.exporter.Shutdown(ctx)
}

func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the exporter panicked: %v", p)
	}
}

// poke makes the goroutine look at what there is to do.
func (d *Delivery) poke() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.poked = true
	if d.rouse != nil {
		d.rouse()
	}
}

func (d *Delivery) report(err error) {
	defer func() { _ = recover() }() // a handler's panic is its own
	d.onError(fmt.Errorf("otelx: %w", err))
}

// deliveryMeters are the instruments of a delivery.
type deliveryMeters struct {
	named           []attribute.KeyValue // the name of the source, if it has one
	spans, failures metric.Int64Counter
	callback        metric.Registration
	ledger          *journalMeter
	unmeasure       func() // ends what the ledger's meter hears; nil: it hears nothing
}

func (d *Delivery) instrument(meter metric.Meter) error {
	var err error
	if d.meters, err = newMeters(meter); err != nil {
		return err
	}
	if s, ok := d.source.(interface{ Name() string }); ok {
		d.delivery.named = []attribute.KeyValue{attribute.String(DeliveryName, s.Name())}
	}
	if err := d.delivery.instrument(meter, d.observe); err != nil {
		return errors.Join(err, d.close())
	}
	if j, ok := d.source.(interface{ Measure(journal.Meter) func() }); ok && d.settings.meters != nil {
		if d.delivery.ledger, err = newJournalMeter(meter); err != nil {
			return errors.Join(err, d.unregister())
		}
		d.delivery.unmeasure = j.Measure(d.delivery.ledger)
	}
	return nil
}

func (d *Delivery) unregister() error {
	if d.delivery.unmeasure != nil {
		d.delivery.unmeasure()
	}
	return errors.Join(d.close(), d.delivery.callback.Unregister())
}
