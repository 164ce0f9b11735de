package otelx_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

var (
	_ otelx.Source = (*journal.Follower)(nil)
	_ otelx.Source = (*source)(nil)
)

// source is a source in memory, whose records and faults a test decides.
type source struct {
	mu       sync.Mutex
	entries  []journal.Entry
	moved    chan struct{}
	closed   bool
	place    journal.Place
	kept     []journal.Place
	rejected [][]byte
	asked    []string // ids of decisions

	fail func(call string) error // of a method; may panic
}

func newSource(recs ...rationale.Record) *source {
	s := new(source)
	s.add(recs...)
	return s
}

func hashOf(seq uint64) string { return rationale.Digest(fmt.Append(nil, seq)) }

func (s *source) add(recs ...rationale.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rec := range recs {
		seq := uint64(len(s.entries)) + 1
		s.entries = append(s.entries, journal.Entry{
			Envelope: rationale.Envelope{Journal: "j1", Seq: seq, Prev: hashOf(seq - 1), Body: make([]byte, 2048)},
			Hash:     hashOf(seq), Record: rec,
		})
	}
	s.renew()
}

// renew tells who waits. The caller holds s.mu.
func (s *source) renew() {
	if s.moved != nil {
		close(s.moved)
	}
	s.moved = nil
}

// decide adds decisions that are numbered, and returns their ids.
func (s *source) decide(from, to int) (want []string) {
	for i := from; i < to; i++ {
		id := fmt.Sprintf("d%05d", i)
		s.add(denied(id, rationale.BoundViolated))
		want = append(want, id)
	}
	return want
}

func (s *source) fault(call string) error {
	s.mu.Lock()
	fail := s.fail
	s.mu.Unlock()
	if fail == nil {
		return nil
	}
	return fail(call)
}

func (s *source) failing(fail func(call string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

func (s *source) Begin() (journal.Place, error) { return s.placed(), s.fault("begin") }

func (s *source) Head() rationale.Head {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head()
}

func (s *source) head() rationale.Head {
	n := uint64(len(s.entries))
	if n == 0 {
		return rationale.Head{Journal: "j1"}
	}
	return rationale.Head{Journal: "j1", Seq: n, Hash: hashOf(n)}
}

func (s *source) After(head rationale.Head) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		s.mu.Lock()
		entries := s.entries[:len(s.entries):len(s.entries)]
		s.mu.Unlock()
		switch {
		case head.Seq == 0:
		case head.Journal != "j1" || head.Seq > uint64(len(entries)) || hashOf(head.Seq) != head.Hash:
			yield(journal.Entry{}, fmt.Errorf("record %d: %w", head.Seq, journal.ErrStray))
			return
		}
		for _, e := range entries[head.Seq:] {
			if err := s.fault(fmt.Sprintf("after %d", e.Envelope.Seq-1)); err != nil {
				if !yield(journal.Entry{}, err) {
					return
				}
				continue
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (s *source) Wait(ctx context.Context, seq uint64) error {
	for {
		s.mu.Lock()
		if s.moved == nil {
			s.moved = make(chan struct{}) // here, in the bubble of who waits
		}
		head, moved, closed := s.head(), s.moved, s.closed
		s.mu.Unlock()
		switch {
		case head.Seq > seq:
			return nil
		case closed:
			return journal.ErrClosed
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *source) Decisions(ids ...string) (map[string]*rationale.Decision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, ids...)
	if s.fail != nil {
		if err := s.fail("decisions"); err != nil {
			return nil, err
		}
	}
	found := map[string]*rationale.Decision{}
	for _, e := range s.entries {
		if d, ok := e.Record.(*rationale.Decision); ok && slices.Contains(ids, d.ID) {
			found[d.ID] = d
		}
	}
	return found, nil
}

func (s *source) Keep(p journal.Place) error {
	if err := s.fault("keep"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.place, s.kept = p, append(s.kept, p)
	return nil
}

func (s *source) Reject(line []byte) error {
	if err := s.fault("reject"); err != nil {
		return err
	}
	return s.SetRejected(append(s.lines(), line))
}

func (s *source) Rejected() ([][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rejected), nil
}

func (s *source) SetRejected(lines [][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejected = lines
	return nil
}

func (s *source) Close() error { return s.fault("close") }

// What the delivery did.

func (s *source) lines() [][]byte {
	lines, _ := s.Rejected()
	return lines
}

func (s *source) placed() journal.Place {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.place
}

func (s *source) places() []journal.Place {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept)
}

func (s *source) sought() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// end is the end of the journal: there will be no more.
func (s *source) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.renew()
}

// delivered returns the spans that a delivery makes of records.
func delivered(t *testing.T, recs ...rationale.Record) tracetest.SpanStubs {
	t.Helper()
	b := new(backend)
	tracer, err := otelx.NewDelivery(newSource(recs...), b)
	require.NoError(t, err)
	require.NoError(t, tracer.Shutdown(context.Background()))
	return b.spans
}

// tracerOf returns a delivery of nothing, for what it is as a tracer.
func tracerOf(t *testing.T) *otelx.Delivery {
	t.Helper()
	tracer, err := otelx.NewDelivery(newSource(), new(backend))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, tracer.Shutdown(context.Background())) })
	return tracer
}
