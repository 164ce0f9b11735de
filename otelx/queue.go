package otelx

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

const (
	maxBatch       = 512
	attemptTimeout = 30 * time.Second
	firstBackoff   = 100 * time.Millisecond
	lastBackoff    = 30 * time.Second
	anchorInterval = 24 * time.Hour
)

var (
	errFull     = errors.New("the queue is full")
	errShutdown = errors.New("delivery was shut down")
)

// queue delivers spans in order from one goroutine.
type queue struct {
	exporter sdktrace.SpanExporter
	onError  func(error)
	capacity int
	wait     time.Duration

	spans    metric.Int64Counter
	failures metric.Int64Counter
	callback metric.Registration

	mu       sync.Mutex
	pending  []sdktrace.ReadOnlySpan // the batch being exported first
	added    uint64                  // spans ever queued
	settled  uint64                  // of those, delivered or given up
	failing  bool                    // the last attempt failed
	closed   bool
	progress chan struct{}                 // closed and renewed whenever pending shrinks
	anchors  map[string]tracetest.SpanStub // by document digest

	wake    chan struct{}      // holds one: there is something to do
	closing chan struct{}      // closed when the shutdown begins
	abort   context.CancelFunc // gives up what is pending
	done    chan struct{}      // closed when the goroutine has ended
	once    sync.Once
	result  error // of the shutdown
}

func newQueue(exporter sdktrace.SpanExporter, meter metric.Meter, s settings) (*queue, error) {
	q := &queue{
		exporter: exporter, onError: s.onError, capacity: s.capacity, wait: s.wait,
		progress: make(chan struct{}), anchors: map[string]tracetest.SpanStub{},
		wake: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{}),
	}
	if err := q.instrument(meter); err != nil {
		return nil, err
	}
	ctx, abort := context.WithCancel(context.Background())
	q.abort = abort
	go q.run(ctx)
	return q, nil
}

func (q *queue) instrument(meter metric.Meter) error {
	var errs [4]error
	var length metric.Int64ObservableUpDownCounter
	q.spans, errs[0] = meter.Int64Counter(MetricDeliverySpans, metric.WithUnit("{span}"),
		metric.WithDescription("Evidence spans that the exporter took, or that were lost."))
	q.failures, errs[1] = meter.Int64Counter(MetricDeliveryFailures, metric.WithUnit("{attempt}"),
		metric.WithDescription("Failed attempts to export evidence spans."))
	length, errs[2] = meter.Int64ObservableUpDownCounter(MetricDeliveryQueue, metric.WithUnit("{span}"),
		metric.WithDescription("Evidence spans that wait for delivery."))
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	q.callback, errs[3] = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		q.mu.Lock()
		defer q.mu.Unlock()
		o.ObserveInt64(length, int64(len(q.pending)))
		return nil
	}, length)
	return errs[3]
}

// add queues a span, waiting for room as the options say, or loses it.
func (q *queue) add(ctx context.Context, span sdktrace.ReadOnlySpan) {
	var timeout <-chan time.Time
	for {
		room, err := q.tryAdd(span)
		switch {
		case err == nil:
			return
		case room == nil:
			q.lose(1, fmt.Errorf("span %q (%s): %w", span.Name(), span.SpanContext().SpanID(), err))
			return
		}
		if timeout == nil {
			timer := time.NewTimer(q.wait)
			defer timer.Stop()
			timeout = timer.C
		}
		select {
		case <-room:
			continue
		case <-timeout:
		case <-ctx.Done():
			err = errors.Join(err, ctx.Err())
		}
		q.lose(1, fmt.Errorf("span %q (%s): %w", span.Name(), span.SpanContext().SpanID(), err))
		return
	}
}

// tryAdd queues a span if there is room. Otherwise it returns an error, and what
// to wait for where waiting can help.
func (q *queue) tryAdd(span sdktrace.ReadOnlySpan) (room <-chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return nil, errShutdown
	case len(q.pending) < q.capacity:
		q.push(span)
		return nil, nil
	case q.failing:
		return nil, errFull
	}
	return q.progress, errFull
}

// push is called with the lock held.
func (q *queue) push(span sdktrace.ReadOnlySpan) {
	q.pending = append(q.pending, span)
	q.added++
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// anchor keeps the span of a loaded document for its daily delivery.
func (q *queue) anchor(digest string, span tracetest.SpanStub) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.anchors[digest] = span
}

func (q *queue) release(digest string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.anchors, digest)
}

// pushAnchors queues every loaded document's span, as of now, in spite of the
// queue's limit: it would wait for itself.
func (q *queue) pushAnchors(now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, digest := range slices.Sorted(maps.Keys(q.anchors)) {
		span := q.anchors[digest]
		span.StartTime, span.EndTime = now, now
		q.push(span.Snapshot())
	}
}

func (q *queue) run(ctx context.Context) {
	defer close(q.done)
	daily := time.NewTicker(anchorInterval)
	defer daily.Stop()
	for {
		batch, closed := q.next()
		if len(batch) == 0 {
			if closed {
				return
			}
			select {
			case <-q.wake:
			case <-q.closing:
			case now := <-daily.C:
				q.pushAnchors(now)
			case <-ctx.Done():
				return
			}
			continue
		}
		if !q.deliver(ctx, batch) {
			return
		}
	}
}

// next returns the spans to export next, without removing them.
func (q *queue) next() (batch []sdktrace.ReadOnlySpan, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.pending), maxBatch)
	return q.pending[:n:n], q.closed
}

// deliver exports a batch until it is taken. It returns false if ctx ended first.
func (q *queue) deliver(ctx context.Context, batch []sdktrace.ReadOnlySpan) bool {
	closing := q.closing
	for backoff := firstBackoff; ; backoff = min(2*backoff, lastBackoff) {
		err := q.attempt(ctx, batch)
		if err == nil {
			q.settle(len(batch))
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		q.failures.Add(context.Background(), 1)
		q.fail()
		q.report(fmt.Errorf("export %d spans: %w", len(batch), err))
		timer := time.NewTimer(backoff - rand.N(backoff/2))
		select {
		case <-timer.C:
		case <-closing: // once: what is left to Shutdown is no time to wait
			closing, backoff = nil, firstBackoff/2
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return false
		}
	}
}

func (q *queue) attempt(ctx context.Context, batch []sdktrace.ReadOnlySpan) (err error) {
	defer recovered(&err)
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return q.exporter.ExportSpans(ctx, batch)
}

func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the exporter panicked: %v", p)
	}
}

// settle removes the first n spans, which the exporter took.
func (q *queue) settle(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.pending) < n { // a shutdown gave them up meanwhile
		return
	}
	q.spans.Add(context.Background(), int64(n), result(resultDelivered))
	clear(q.pending[:n]) // for the collector
	q.pending = q.pending[n:]
	q.settled += uint64(n)
	q.failing = false
	q.moved()
}

func (q *queue) fail() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.failing = true
	q.moved() // who waits for room learns that there will be none soon
}

// moved is called with the lock held.
func (q *queue) moved() {
	close(q.progress)
	q.progress = make(chan struct{})
}

// lose counts and reports spans that are not delivered.
func (q *queue) lose(n int, err error) {
	q.spans.Add(context.Background(), int64(n), result(resultLost))
	q.report(fmt.Errorf("lost to telemetry: %w", err))
}

func (q *queue) report(err error) {
	defer func() { _ = recover() }() // a handler's panic must not reach the call
	q.onError(fmt.Errorf("otelx: %w", err))
}

func (q *queue) flush(ctx context.Context) error {
	q.mu.Lock()
	goal := q.added
	q.mu.Unlock()
	for {
		q.mu.Lock()
		reached, progress := q.settled >= goal, q.progress
		q.mu.Unlock()
		if reached {
			return nil
		}
		select {
		case <-progress:
		case <-ctx.Done():
			return fmt.Errorf("otelx: flush: %w", ctx.Err())
		}
	}
}

func (q *queue) shutdown(ctx context.Context, closeMeters func() error) error {
	q.once.Do(func() { q.result = q.stop(ctx, closeMeters) })
	return q.result
}

func (q *queue) stop(ctx context.Context, closeMeters func() error) error {
	q.mu.Lock()
	q.closed = true
	q.moved()
	q.mu.Unlock()
	close(q.closing)
	var err error
	select {
	case <-q.done:
	case <-ctx.Done():
		q.abort()
		err = q.abandon(ctx.Err())
	}
	q.abort()
	err = errors.Join(err, q.shutdownExporter(ctx), q.callback.Unregister(), closeMeters())
	if err != nil {
		return fmt.Errorf("otelx: shutdown: %w", err)
	}
	return nil
}

// abandon gives up what is pending. The batch of an attempt that is still
// running counts as lost, though the exporter may have taken it.
func (q *queue) abandon(cause error) error {
	q.mu.Lock()
	n := len(q.pending)
	q.pending = nil
	q.settled += uint64(n)
	q.moved()
	q.mu.Unlock()
	if n == 0 {
		return nil
	}
	err := fmt.Errorf("%d spans were not delivered: %w", n, cause)
	q.lose(n, err)
	return err
}

func (q *queue) shutdownExporter(ctx context.Context) (err error) {
	defer recovered(&err)
	return q.exporter.Shutdown(ctx)
}

func result(value string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String(DeliveryResult, value))
}
