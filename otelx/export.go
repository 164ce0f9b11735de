package otelx

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// The values of DeliveryResult.
const (
	resultDelivered = "delivered"
	resultRejected  = "rejected"
)

// verdict is what an exporter makes of spans.
type verdict int

const (
	failed  verdict = iota // it may take them later
	refused                // it will not, for good, or not all of them
	taken
)

// step exports some spans from the front of the window once, and draws the
// consequences.
func (w *worker) step(ctx context.Context) {
	n, spans := w.piece()
	got, err := w.attempt(ctx, spans)
	switch {
	case got == taken:
		w.taken(n, len(spans))
	case ctx.Err() != nil:
	case got == refused && len(spans) > 1:
		w.size = (len(spans) + 1) / 2 // at once: whoever refuses is there
	case got == refused:
		w.reject(ctx, n, err)
	default:
		w.size = max(1, len(spans)/2)
		if len(spans) > 1 || !w.poison(ctx, n, err) {
			w.back(ctx)
		}
	}
}

func (w *worker) taken(n, spans int) {
	w.delivery.spans.Add(context.Background(), int64(spans), w.delivery.result(resultDelivered))
	w.size, w.backoff, w.suspect = min(2*w.size, maxBatch), 0, suspect{}
	w.settle(n)
}

// piece returns the spans to export next, and how many items they are.
func (w *worker) piece() (n int, spans []sdktrace.ReadOnlySpan) {
	for _, i := range w.window {
		if !i.complete() || i.span != nil && len(spans) == w.size {
			break
		}
		if n++; i.span != nil {
			spans = append(spans, i.span)
		}
	}
	return n, spans
}

// back waits before the next attempt.
func (w *worker) back(ctx context.Context) {
	w.backoff = next(w.backoff)
	w.mu.Lock()
	if w.closing && !w.status.hurried { // once: what is left to Shutdown is no time to wait
		w.status.hurried, w.backoff = true, firstBackoff
	}
	w.mu.Unlock()
	w.pause(ctx, jitter(w.backoff), nil)
}

// attempt exports spans once.
func (w *worker) attempt(ctx context.Context, spans []sdktrace.ReadOnlySpan) (verdict, error) {
	w.note(func(s *condition) { s.trying = time.Now() })
	err := w.export(ctx, spans)
	got, note := w.judge(err)
	if got == taken {
		if note != nil {
			w.report(fmt.Errorf("exported %d spans, and was told: %w", len(spans), note))
		}
		w.note(func(s *condition) { s.trying, s.failing, s.failure = time.Time{}, time.Time{}, nil })
		return taken, nil
	}
	w.note(func(s *condition) {
		s.trying, s.failure = time.Time{}, err
		if s.failing.IsZero() {
			s.failing = time.Now()
		}
	})
	if ctx.Err() == nil {
		w.delivery.failures.Add(context.Background(), 1, metric.WithAttributes(w.delivery.named...))
		w.report(fmt.Errorf("export %d spans: %w", len(spans), err))
	}
	return got, err
}

func (w *worker) export(ctx context.Context, spans []sdktrace.ReadOnlySpan) (err error) {
	defer recovered(&err)
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return w.exporter.ExportSpans(ctx, spans)
}

// judge says what an exporter's error means. Spans can be taken with an error
// that is only a remark.
func (s *settings) judge(err error) (verdict, error) {
	if err == nil {
		return taken, nil
	}
	remark, permanent := true, false
	walkErrors(err, func(e error) {
		rejected, partial := partialSuccess(e)
		remark = remark && partial && rejected == 0
		permanent = permanent || partial && rejected > 0
	})
	switch {
	case remark:
		return taken, err
	case permanent || isPermanent(err) || s.isPermanent(err):
		return refused, err
	}
	return failed, err
}

func (s *settings) isPermanent(err error) (permanent bool) {
	if s.permanent == nil {
		return false
	}
	defer func() { _ = recover() }() // an opinion that panics is none
	return s.permanent(err)
}

// walkErrors calls f with the innermost errors of a tree.
func walkErrors(err error, f func(error)) {
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			walkErrors(inner, f)
		}
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			walkErrors(inner, f)
			return
		}
		f(err)
	default:
		f(err)
	}
}

// partialSuccess reports whether an error says that a backend took a request,
// and how many of its spans it did not. Each OTLP exporter has an unexported
// type of its own for it, so that it is known by its shape alone.
func partialSuccess(err error) (rejected int64, ok bool) {
	v := reflect.ValueOf(err)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct || v.Type().Name() != "PartialSuccess" {
		return 0, false
	}
	n := v.FieldByName("RejectedItems")
	if n.Kind() != reflect.Int64 {
		return 0, false
	}
	return n.Int(), true
}

// refusals are how OTLP exporters say that a request is at fault and not the
// way to the backend: they have no type for it. A backend that does not know
// us (401, 403), or is not there (404), can change its mind.
var refusals = regexp.MustCompile(`failed to send to \S+: (400|413|422)\b` +
	`|rpc error: code = InvalidArgument ` +
	`|rpc error: code = ResourceExhausted desc = .*message.*larger than max` +
	`|request (body|message) too large: exceeded \d+ bytes`)

func isPermanent(err error) bool {
	if p, ok := errors.AsType[interface {
		error
		Permanent() bool
	}](err); ok {
		return p.Permanent()
	}
	return refusals.MatchString(strings.ToValidUTF8(err.Error(), ""))
}

// suspect is a span that failed alone, with an error that does not say whether
// it is for good.
type suspect struct {
	id       trace.SpanID
	failures int // in a row
	proofs   int // in a row: another was taken, and it failed again
}

const (
	suspectAfter = 5 // failures
	proofsNeeded = 3
)

// poison finds out whether the span of the first n items is at fault, and not
// the backend: another is taken, and then it fails again, three times. It
// reports whether it has dealt with the span.
func (w *worker) poison(ctx context.Context, n int, err error) bool {
	span := w.window[n-1].span
	for i := n - 1; span == nil; i-- {
		span = w.window[i].span
	}
	if id := span.SpanContext().SpanID(); w.suspect.id != id {
		w.suspect = suspect{id: id}
	}
	if w.suspect.failures++; w.suspect.failures <= suspectAfter {
		return false
	}
	other := w.another(n)
	if other == nil {
		return false
	}
	if got, _ := w.attempt(ctx, []sdktrace.ReadOnlySpan{other}); got != taken {
		w.suspect.proofs = 0
		return false
	}
	got, again := w.attempt(ctx, []sdktrace.ReadOnlySpan{span})
	if got == taken {
		w.taken(n, 1)
		return true
	}
	if again == nil || ctx.Err() != nil {
		again = err
	}
	if w.suspect.proofs++; w.suspect.proofs < proofsNeeded {
		return false
	}
	w.reject(ctx, n, again)
	return true
}

// another returns a span of the window behind the first n items, any; nil if there
// is none.
func (w *worker) another(n int) sdktrace.ReadOnlySpan {
	var spans []sdktrace.ReadOnlySpan
	for _, i := range w.window[n:] {
		if i.span != nil {
			spans = append(spans, i.span)
		}
	}
	if len(spans) == 0 {
		return nil
	}
	return spans[rand.IntN(len(spans))]
}

func (m *deliveryMeters) result(value string) metric.MeasurementOption {
	return metric.WithAttributes(append(slices.Clip(m.named), attribute.String(DeliveryResult, value))...)
}
