package otelx

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const (
	maxBatch       = 512              // spans in an attempt, and that are read ahead
	maxAhead       = 4096             // records that are read ahead
	gather         = time.Second      // how long records may wait for others
	keepInterval   = time.Second      // between two places that are kept
	keepAgain      = 5 * time.Second  // after one that could not be kept
	attemptTimeout = 30 * time.Second // of one attempt
	firstBackoff   = 100 * time.Millisecond
	lastBackoff    = 30 * time.Second
	anchorInterval = 24 * time.Hour
)

// worker is the goroutine of a delivery.
type worker struct {
	*Delivery
	projection *projection

	read    rationale.Head // the last record that is in the window, or was
	catchUp rationale.Head // until then, records are only taken note of
	window  []item         // read and not settled
	spans   int            // of the window
	size    int            // of the next attempt, in spans
	begun   bool           // the place was found in the journal
	behind  time.Time      // since when there is more than was read; zero: there is not
	suspect suspect

	place  journal.Place // settled
	kept   journal.Place // durable
	keptAt time.Time

	backoff     time.Duration // after the last failure of the exporter
	readBackoff time.Duration // and of the source
	readAgain   time.Time
	anchorsDue  time.Time
	ended       bool // the source will have no more
}

func newWorker(d *Delivery, place journal.Place) *worker {
	w := &worker{Delivery: d, size: maxBatch, anchorsDue: time.Now().Add(anchorInterval)}
	w.begin(place)
	return w
}

// begin makes a place the one to go on at.
func (w *worker) begin(place journal.Place) {
	w.projection, w.begun = newProjection(w.settings), false
	w.place, w.kept, w.read, w.catchUp = place, place, place.Head, rationale.Head{}
	if place.From.Seq > 0 && place.From.Seq <= place.Head.Seq && place.From.Journal == place.Head.Journal {
		w.read, w.catchUp = place.From, place.Head
		w.projection.from = place.From
	}
}

func (w *worker) run(ctx context.Context) {
	defer close(w.done)
	defer func() { w.keep(true) }()
	for ctx.Err() == nil {
		w.redeliver(ctx)
		w.resume()
		w.fill()
		w.anchors()
		w.settleEmpty()
		switch {
		case len(w.window) > 0 && w.window[0].complete():
			w.step(ctx)
		case w.finished():
			return
		default:
			w.keep(true)
			w.idle(ctx)
		}
		w.keep(false)
	}
}

// finished reports whether a shutdown has nothing left to do.
func (w *worker) finished() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closing && (w.ended || reaches(w.place.Head, w.goal))
}

// resume goes on at the place that another process kept, once the source has taken over from it.
func (w *worker) resume() {
	s, ok := w.source.(interface {
		Resumed() (journal.Place, bool)
	})
	if !ok {
		return
	}
	if place, moved := s.Resumed(); moved {
		clear(w.window)
		w.window, w.spans = w.window[:0], 0
		w.begin(place)
		w.settled()
	}
}

// fill reads records into the window, as far as there is room.
func (w *worker) fill() {
	head, before, room := w.source.Head(), w.read, w.room()
	more := room && (!reaches(before, head) || !w.begun)
	if time.Now().Before(w.readAgain) {
		return
	}
	if !more && !w.incomplete() {
		if w.readBackoff > 0 { // another delivers now what could not be read
			w.readBackoff = 0
			w.note(func(s *condition) { s.reading = nil })
		}
		return
	}
	err := w.readOn()
	if err == nil && room && !reaches(before, head) && w.read == before {
		err = fmt.Errorf("record %d of journal %s is the last that can be read, and there are %d", before.Seq, before.Journal, head.Seq)
	}
	if err != nil {
		w.readBackoff = next(w.readBackoff)
		w.readAgain = time.Now().Add(jitter(w.readBackoff))
		w.age()
		w.note(func(s *condition) { s.reading = err })
		w.report(fmt.Errorf("read records: %w", err))
		return
	}
	w.readBackoff, w.begun = 0, true
	w.note(func(s *condition) { s.reading = nil })
}

func (w *worker) room() bool { return w.spans < maxBatch && len(w.window) < maxAhead }

func (w *worker) readOn() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if w.room() {
		for e, err := range w.source.After(w.read) {
			switch {
			case errors.Is(err, journal.ErrLost):
				w.note(func(s *condition) { s.lost = err })
				w.report(err)
				continue
			case err != nil:
				return w.astray(err)
			}
			if err := w.take(e); err != nil {
				return err
			}
			if !w.room() {
				break
			}
		}
	}
	return w.recall()
}

// astray deals with a place that is not in the journal any more, or is another
// record's: everything that is there is delivered again, which passes nothing
// over.
func (w *worker) astray(err error) error {
	switch {
	case !errors.Is(err, journal.ErrStray):
	case w.catchUp.Seq > 0:
		w.read, w.catchUp = w.place.Head, rationale.Head{} // what is in force is not known; where to go on is
	default:
		w.note(func(s *condition) { s.stray = err })
		w.read = rationale.Head{}
		err = fmt.Errorf("everything in the journal is delivered again: %w", err)
	}
	return err
}

// take puts a record into the window, or only takes note of one that was
// delivered before.
func (w *worker) take(e journal.Entry) error {
	head := rationale.Head{Journal: e.Envelope.Journal, Seq: e.Envelope.Seq, Hash: e.Hash}
	if w.catchUp.Seq > 0 {
		w.read = head
		w.projection.remind(e, head)
		if head.Journal == w.catchUp.Journal && head.Seq < w.catchUp.Seq {
			return nil
		}
		w.read, w.catchUp = w.catchUp, rationale.Head{}
		if head != w.read {
			return fmt.Errorf("record %d of journal %s is not the one that was delivered", w.read.Seq, w.read.Journal)
		}
		return nil
	}
	i := w.projection.take(e, head)
	w.read = head
	w.window = append(w.window, i)
	if i.span != nil || i.outcome != nil {
		w.spans++
	}
	w.age()
	return nil
}

// incomplete reports whether an outcome in the window lacks its decision.
func (w *worker) incomplete() bool {
	for _, i := range w.window {
		if !i.complete() {
			return true
		}
	}
	return false
}

// recall completes outcomes whose decision is not remembered.
func (w *worker) recall() error {
	var ids []string
	for _, i := range w.window {
		if !i.complete() {
			ids = append(ids, i.outcome.Decision)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := w.source.Decisions(ids...)
	if err != nil {
		return err
	}
	for n := range w.window {
		if i := &w.window[n]; !i.complete() {
			d := found[i.outcome.Decision]
			if d == nil {
				w.report(fmt.Errorf("the decision %s of outcome %s is not in the journal any more: its span says what is known", i.outcome.Decision, i.outcome.ID))
			}
			w.projection.complete(i, d)
		}
	}
	return nil
}

// anchors puts the spans of what is in force into the window once a day.
func (w *worker) anchors() {
	if time.Now().Before(w.anchorsDue) {
		return
	}
	w.anchorsDue = time.Now().Add(anchorInterval)
	for _, i := range w.projection.anchors(time.Now()) {
		w.window, w.spans = append(w.window, i), w.spans+1
	}
}

// idle waits for records, and then for others that come with them.
func (w *worker) idle(ctx context.Context) {
	wait := time.Until(w.anchorsDue)
	var err error
	switch {
	case time.Now().Before(w.readAgain):
		w.pause(ctx, min(wait, time.Until(w.readAgain)), nil)
		return
	case w.kept != w.place:
		w.pause(ctx, min(wait, keepAgain), nil)
		return
	case w.ended:
		w.pause(ctx, wait, nil)
		return
	}
	w.pause(ctx, wait, func(ctx context.Context) { err = w.source.Wait(ctx, w.read.Seq) })
	switch {
	case errors.Is(err, journal.ErrClosed):
		w.ended = true
	case err != nil:
	case w.source.Head().Seq-w.read.Seq < maxBatch && !w.hurried():
		w.age()
		w.pause(ctx, gather, nil)
	}
}

func (w *worker) hurried() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closing || w.urgent > 0
}

// pause waits for a time, for f, or until there is something to do at once.
func (w *worker) pause(ctx context.Context, d time.Duration, f func(context.Context)) {
	ctx, stop := context.WithTimeout(ctx, d)
	defer stop()
	w.mu.Lock()
	if w.poked {
		w.poked = false
		w.mu.Unlock()
		return
	}
	w.rouse = stop
	w.mu.Unlock()
	if f == nil {
		<-ctx.Done()
	} else {
		f(ctx)
	}
	w.mu.Lock()
	w.rouse, w.poked = nil, false
	w.mu.Unlock()
}

// keep makes the place durable, from time to time or at once.
func (w *worker) keep(now bool) {
	if w.place == w.kept || !now && time.Since(w.keptAt) < keepInterval {
		return
	}
	w.keptAt = time.Now()
	err := w.source.Keep(w.place)
	if err == nil {
		w.kept = w.place
	} else {
		w.report(err)
	}
	w.note(func(s *condition) { s.keeping = err })
}

// settleEmpty passes over the records at the front that have no span.
func (w *worker) settleEmpty() {
	n := 0
	for n < len(w.window) && w.window[n].complete() && w.window[n].span == nil {
		n++
	}
	w.settle(n)
}

// settle removes the first n items: they were taken or rejected, or have no span.
func (w *worker) settle(n int) {
	if n == 0 {
		return
	}
	for _, i := range w.window[:n] {
		if i.span != nil {
			w.spans--
		}
		if i.moves {
			w.place = journal.Place{Head: i.head, From: i.from}
		}
	}
	clear(w.window[:n]) // for the collector
	w.window = w.window[n:]
	w.settled()
}

// settled tells whoever waits how far it has come.
func (w *worker) settled() {
	w.mu.Lock()
	if w.status.settled != w.place.Head {
		w.status.settled = w.place.Head
		close(w.progress)
		w.progress = make(chan struct{})
	}
	w.mu.Unlock()
	w.age()
}

// age notes the time of the oldest record that is not settled.
func (w *worker) age() {
	var oldest time.Time
	for _, i := range w.window {
		if i.moves {
			oldest = i.at
			break
		}
	}
	switch {
	case !oldest.IsZero() || reaches(w.place.Head, w.source.Head()):
		w.behind = time.Time{}
	case w.behind.IsZero():
		w.behind = time.Now()
	}
	if oldest.IsZero() {
		oldest = w.behind
	}
	w.note(func(s *condition) { s.oldest = oldest })
}

// next returns the backoff after one.
func next(backoff time.Duration) time.Duration {
	return min(max(2*backoff, firstBackoff), lastBackoff)
}

// jitter shortens a wait by up to half.
func jitter(d time.Duration) time.Duration { return d - rand.N(d/2) }
