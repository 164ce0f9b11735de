package otelx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/ambit-go/ambit/rationale"
)

// rejection is what is kept of a span that the exporter does not take: a line of
// the file delivery-NAME.NUMBER.rejected beside the journal.
type rejection struct {
	Journal string     `json:"journal"` // where its record stands
	Seq     uint64     `json:"seq"`
	Hash    string     `json:"hash"`
	At      time.Time  `json:"at"` // of the last attempt
	Error   string     `json:"error"`
	Span    otlpTraces `json:"span"` // complete, as OTLP/JSON
}

// reject keeps the one span of the first n items, and goes on behind it. The wait
// after it grows until something is taken: where everything is refused, the fault
// is not the spans'.
func (w *worker) reject(ctx context.Context, n int, cause error) {
	var at item
	for _, i := range w.window[:n] {
		if i.span != nil {
			at = i
		}
	}
	if at.moves { // a repetition comes again tomorrow
		line, err := json.Marshal(rejection{
			at.head.Journal, at.head.Seq, at.head.Hash, time.Now().UTC(), rationale.Printable(cause.Error()), tracesData(at.span),
		})
		if err == nil {
			err = w.source.Reject(line)
		}
		if err != nil {
			w.note(func(s *condition) { s.keeping = err })
			w.report(err)
			w.back(ctx)
			return
		}
		w.note(func(s *condition) { s.rejected++ })
	}
	w.delivery.spans.Add(context.Background(), 1, w.delivery.result(resultRejected))
	then := "kept for Redeliver"
	if !at.moves {
		then = "comes again tomorrow"
	}
	w.report(fmt.Errorf("span %q (%s) of record %d is rejected, and %s: %w",
		at.span.Name(), at.span.SpanContext().SpanID(), at.head.Seq, then, cause))
	w.suspect = suspect{}
	w.settle(n)
	w.back(ctx)
}

// redelivery is a call of Redeliver.
type redelivery struct {
	ctx   context.Context
	taken int
	err   error
	done  chan struct{}
}

// Redeliver exports the spans that were rejected once more, each by itself, and
// forgets those that are taken. It returns how many these were. A span that is
// rejected again stays, and is part of the error; any other failure ends it.
func (d *Delivery) Redeliver(ctx context.Context) (taken int, err error) {
	r := &redelivery{ctx: ctx, done: make(chan struct{})}
	d.mu.Lock()
	d.redo = append(d.redo, r)
	d.mu.Unlock()
	d.poke()
	select {
	case <-r.done:
		taken, err = r.taken, r.err
	case <-d.done:
		err = errShutdown
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		err = fmt.Errorf("otelx: redeliver: %w", err)
	}
	return taken, err
}

// redeliver serves the calls of Redeliver.
func (w *worker) redeliver(ctx context.Context) {
	w.mu.Lock()
	calls := w.redo
	w.redo = nil
	w.mu.Unlock()
	for _, r := range calls {
		if r.err = r.ctx.Err(); r.err == nil {
			within, stop := context.WithCancel(ctx)
			unlink := context.AfterFunc(r.ctx, stop)
			r.taken, r.err = w.again(within)
			unlink()
			stop()
		}
		close(r.done)
	}
}

func (w *worker) again(ctx context.Context) (n int, err error) {
	lines, err := w.source.Rejected()
	if err != nil {
		return 0, err
	}
	var (
		left [][]byte
		errs []error
		seen = map[string]bool{}
	)
	for at, line := range lines {
		r, span, err := decodeRejection(line)
		if err != nil {
			left, errs = append(left, line), append(errs, err)
			continue
		}
		id := span.SpanContext().TraceID().String() + span.SpanContext().SpanID().String()
		if seen[id] {
			continue // a crash left it twice
		}
		got, cause := w.attempt(ctx, []sdktrace.ReadOnlySpan{span})
		if got == taken {
			n, seen[id] = n+1, true
			continue
		}
		left, errs = append(left, line), append(errs, fmt.Errorf("record %d of journal %s: %w", r.Seq, r.Journal, cause))
		if got == failed {
			left = append(left, lines[at+1:]...)
			break
		}
	}
	w.delivery.spans.Add(context.Background(), int64(n), w.delivery.result(resultDelivered))
	if n == 0 && len(left) == len(lines) {
		return 0, errors.Join(errs...)
	}
	if err := w.source.SetRejected(left); err != nil {
		return n, errors.Join(append(errs, err)...)
	}
	w.note(func(s *condition) { s.rejected = len(left) })
	return n, errors.Join(errs...)
}

func decodeRejection(line []byte) (rejection, sdktrace.ReadOnlySpan, error) {
	var r rejection
	if err := json.Unmarshal(line, &r); err != nil {
		return r, nil, fmt.Errorf("a rejected span cannot be read: %w", err)
	}
	span, err := r.Span.span()
	if err != nil {
		return r, nil, fmt.Errorf("the rejected span of record %d cannot be read: %w", r.Seq, err)
	}
	return r, span, nil
}
