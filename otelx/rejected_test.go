package otelx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
)

// picky is an exporter that refuses batches that hold certain spans, by decision.
type picky struct {
	backend
	mu      sync.Mutex
	refuse  func(id string) bool
	with    error
	panics  bool
	partial bool // takes the others of the batch, and says how many it did not
}

func (p *picky) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	p.mu.Lock()
	refuse, with := p.refuse, p.with
	p.mu.Unlock()
	var good []sdktrace.ReadOnlySpan
	for _, s := range spans {
		if id := decisionOf(s); refuse == nil || !refuse(id) {
			good = append(good, s)
		}
	}
	if bad := len(spans) - len(good); bad > 0 {
		switch {
		case p.panics:
			panic("cannot encode it")
		case p.partial:
			return errors.Join(p.backend.ExportSpans(ctx, good), fmt.Errorf("traces export: %w", PartialSuccess{RejectedItems: int64(bad), ErrorMessage: "too old"}))
		}
		return with
	}
	return p.backend.ExportSpans(ctx, good)
}

func (p *picky) accept() { p.refusing(nil) }

func (p *picky) refusing(refuse func(id string) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = refuse
}

func decisionOf(s sdktrace.ReadOnlySpan) string {
	for _, kv := range s.Attributes() {
		if kv.Key == otelx.DecisionID {
			return kv.Value.AsString()
		}
	}
	return ""
}

// PartialSuccess has the shape of the OTLP exporters' own, which are unexported.
type PartialSuccess struct {
	ErrorMessage  string
	RejectedItems int64
	RejectedKind  string
}

func (p PartialSuccess) Error() string { return "OTLP partial success: " + p.ErrorMessage }

type ownKind bool

func (ownKind) Error() string     { return "malformed" }
func (k ownKind) Permanent() bool { return bool(k) }

// A span that the backend refuses for good is isolated and kept; the rest arrives,
// once each and in order.
func TestARefusedSpanIsIsolatedAndKept(t *testing.T) {
	httpStatus := func(status string) error {
		return fmt.Errorf("traces export: %w", fmt.Errorf("failed to send to http://localhost:4318/v1/traces: %s (body: no)", status))
	}
	for name, p := range map[string]*picky{
		"bad request":        {with: httpStatus("400 Bad Request")},
		"too large":          {with: httpStatus("413 Request Entity Too Large")},
		"unprocessable":      {with: httpStatus("422 Unprocessable Entity")},
		"larger than we may": {with: errors.New("traces export: request body too large: exceeded 64 bytes")},
		"gRPC argument":      {with: errors.New("traces export: rpc error: code = InvalidArgument desc = bad")},
		"gRPC size":          {with: errors.New("rpc error: code = ResourceExhausted desc = grpc: received message larger than max (5 vs. 4)")},
		"its own kind":       {with: fmt.Errorf("export: %w", ownKind(true))},
		"as the host says":   {with: errDown},
		"partial success":    {partial: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSource()
			want := s.decide(0, 1500)
			poison := []string{want[0], want[700], want[701], want[702], want[1499]}
			p.refuse = func(id string) bool { return slices.Contains(poison, id) }
			deliver(t, s, p, func(t *testing.T, d *otelx.Delivery, m *meter, log *errorLog) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				require.NoError(t, d.ForceFlush(ctx))
				rest := slices.DeleteFunc(slices.Clone(want), func(id string) bool { return slices.Contains(poison, id) })
				got := p.ids()
				if p.partial { // some were taken twice, and are the same spans
					seen := map[string]bool{}
					got = slices.DeleteFunc(got, func(id string) bool { again := seen[id]; seen[id] = true; return again })
				}
				assert.Equal(t, rest, got)
				assert.Equal(t, map[string]int64{deliveredPoint: 1495, rejectedPoint: 5}, m.sums(t, otelx.MetricDeliverySpans))
				assert.Equal(t, map[string]int64{"": 5}, m.sums(t, otelx.MetricDeliveryRejected))
				assert.ErrorContains(t, d.Healthy(), "5 spans were rejected and wait for Redeliver")
				require.Len(t, s.rejected, 5)
				var r struct {
					Journal, Hash, Error string
					Seq                  uint64
					At                   time.Time
					Span                 json.RawMessage
				}
				require.NoError(t, json.Unmarshal(s.rejected[1], &r))
				assert.Equal(t, "j1", r.Journal)
				assert.Equal(t, uint64(701), r.Seq)
				assert.Equal(t, hashOf(701), r.Hash)
				assert.NotEmpty(t, r.Error)
				assert.Contains(t, string(r.Span), want[700])

				require.NoError(t, d.Shutdown(t.Context()))
				assert.Equal(t, s.Head(), s.place.Head)
			}, otelx.WithPermanent(func(err error) bool { return errors.Is(err, errDown) }))
		})
	}
}

// What is no fault of the spans rejects none, however long it lasts.
func TestAnOutageRejectsNothing(t *testing.T) {
	for name, err := range map[string]error{
		"unauthorized": errors.New("failed to send to https://x/v1/traces: 401 Unauthorized (body: no)"),
		"forbidden":    errors.New("failed to send to https://x/v1/traces: 403 Forbidden (body: 400)"),
		"not found":    errors.New("failed to send to https://x/v1/traces: 404 Not Found (body: )"),
		"exhausted":    errors.New("rpc error: code = ResourceExhausted desc = quota"),
		"unavailable":  errors.New("rpc error: code = Unavailable desc = connection refused"),
		"says so":      fmt.Errorf("export: %w", ownKind(false)),
		"anything":     errDown,
	} {
		t.Run(name, func(t *testing.T) {
			s, b := newSource(), &backend{down: func(int) error { return err }}
			deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
				want := s.decide(0, 600)
				time.Sleep(24 * time.Hour)
				assert.Empty(t, s.rejected)
				b.heal()
				require.NoError(t, d.ForceFlush(t.Context()))
				assert.Equal(t, want, b.ids())
				require.NoError(t, d.Shutdown(t.Context()))
			}, otelx.WithPermanent(func(error) bool { panic("bug") }))
		})
	}
}

func (b *backend) heal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = nil
}

// Where everything is refused the fault is not the spans': few of them pass.
func TestABackendThatRefusesEverythingIsNotBelievedForLong(t *testing.T) {
	s, p := newSource(), &picky{refuse: func(string) bool { return true }, with: ownKind(true)}
	deliver(t, s, p, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		s.decide(0, 600)
		time.Sleep(10 * time.Minute)
		assert.LessOrEqual(t, len(s.rejected), 60)
		p.accept()
		require.NoError(t, d.ForceFlush(t.Context()))
		assert.Len(t, p.ids(), 600-len(s.rejected))
		require.NoError(t, d.Shutdown(t.Context()))
	})
}

// An exporter that fails on one span without saying that it is for good holds up
// nothing: that others are taken, again and again, proves that the span is at fault.
func TestAPoisonousSpanIsProvenByTheOthers(t *testing.T) {
	for name, p := range map[string]*picky{
		"error": {with: errDown},
		"panic": {panics: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSource()
			deliver(t, s, p, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
				p.refusing(func(id string) bool { return id == "d00000" || id == "d00001" })
				s.decide(0, 1)
				time.Sleep(time.Hour)
				assert.Empty(t, s.rejected, "there is nothing to compare with")
				want := s.decide(1, 100)
				time.Sleep(time.Hour)
				assert.Len(t, s.rejected, 2)
				got := p.ids()
				for _, id := range want[1:] {
					assert.Contains(t, got, id)
				}
				require.NoError(t, d.Shutdown(t.Context()))
			})
		})
	}
}

// A suspect that is taken after all is delivered.
func TestASuspectThatIsTakenAfterAll(t *testing.T) {
	s, p := newSource(), &picky{with: errDown}
	deliver(t, s, p, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		p.refusing(func(id string) bool { return id == "d00000" && len(p.ids()) < 2 })
		s.decide(0, 10)
		time.Sleep(time.Hour)
		assert.Empty(t, s.rejected)
		assert.Contains(t, p.ids(), "d00000")
		require.NoError(t, d.Shutdown(t.Context()))
	})
}

// A remark beside a success is passed on, and the spans are taken.
func TestPartialSuccessWithoutRejectedSpans(t *testing.T) {
	s := newSource()
	b := &remarking{}
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, log *errorLog) {
		want := s.decide(0, 3)
		require.NoError(t, d.ForceFlush(t.Context()))
		assert.Equal(t, want, b.ids())
		assert.ErrorContains(t, log.all()[0], "and was told: OTLP partial success: use gzip")
		require.NoError(t, d.Shutdown(t.Context()))
	})
}

type remarking struct{ backend }

func (r *remarking) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	return errors.Join(r.backend.ExportSpans(ctx, spans), PartialSuccess{ErrorMessage: "use gzip"})
}

// A rejection that cannot be kept is no rejection: the span is tried again.
func TestARejectionMustBeKept(t *testing.T) {
	s, p := newSource(), &picky{refuse: func(id string) bool { return id == "d00001" }, with: ownKind(true)}
	deliver(t, s, p, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		s.failing(func(call string) error {
			if call == "reject" {
				return errDown
			}
			return nil
		})
		s.decide(0, 3)
		time.Sleep(time.Hour)
		assert.Equal(t, []string{"d00000"}, p.ids())
		assert.Equal(t, uint64(1), s.place.Head.Seq)
		assert.ErrorContains(t, d.Healthy(), "cannot be kept")
		s.failing(nil)
		time.Sleep(time.Minute)
		assert.Equal(t, []string{"d00000", "d00002"}, p.ids())
		assert.Len(t, s.rejected, 1)
		require.NoError(t, d.Shutdown(t.Context()))
	})
}

// Rejected spans are delivered again, exactly as they were, by this process or a
// later one.
func TestRedeliver(t *testing.T) {
	s, p := newSource(), &picky{refuse: func(id string) bool { return id == "d1" || id == "d2" }, with: ownKind(true)}
	of := resource.NewWithAttributes("https://schema", attribute.String("service.name", "x"), attribute.Float64("f", 1.5),
		attribute.BoolSlice("b", []bool{true}), attribute.Int64Slice("i", []int64{1, 2}), attribute.Float64Slice("fs", []float64{2.5}))
	p.with = ownKind(true)
	want := delivered(t, loaded(), withHost(allowed("d1"), 1), outcome("d1", rationale.StatusError), denied("d2", rationale.Expired))
	s.add(loaded(), withHost(allowed("d1"), 1), outcome("d1", rationale.StatusError), denied("d2", rationale.Expired))
	deliver(t, s, p, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		require.NoError(t, d.Shutdown(t.Context()))
	}, otelx.WithResource(of))
	require.Len(t, s.rejected, 3)
	s.rejected = append(s.rejected, s.rejected[0]) // as a crash can leave it
	deliver(t, s, p, func(t *testing.T, d *otelx.Delivery, m *meter, _ *errorLog) {
		p.refusing(func(id string) bool { return id == "d2" })
		n, err := d.Redeliver(t.Context())
		assert.Equal(t, 2, n)
		assert.ErrorContains(t, err, "otelx: redeliver: record 4 of journal j1: malformed")
		assert.Len(t, s.rejected, 1)
		assert.ErrorContains(t, d.Healthy(), "1 spans were rejected")
		p.accept()
		n, err = d.Redeliver(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		assert.Empty(t, s.rejected)
		assert.NoError(t, d.Healthy())
		assert.Equal(t, map[string]int64{deliveredPoint: 3}, m.sums(t, otelx.MetricDeliverySpans))
		require.NoError(t, d.Shutdown(t.Context()))
	}, otelx.WithResource(of))
	require.Len(t, p.spans, 4)
	for i, s := range p.spans {
		w := want[i]
		w.Resource = of
		assert.Equal(t, w.Name, s.Name)
		assert.Equal(t, w.SpanContext, s.SpanContext)
		assert.Equal(t, w.Parent, s.Parent)
		assert.True(t, w.StartTime.Equal(s.StartTime) && w.EndTime.Equal(s.EndTime))
		assert.Equal(t, w.Attributes, s.Attributes)
		assert.Equal(t, w.Status, s.Status)
		assert.Equal(t, w.Links, s.Links)
		assert.Equal(t, w.InstrumentationScope, s.InstrumentationScope)
		assert.True(t, of.Equal(s.Resource), "%s", s.Resource)
	}
}

func TestRedeliverStopsWhereTheBackendIsDown(t *testing.T) {
	s, b := newSource(), &backend{down: func(int) error { return errDown }}
	whole, p := newSource(), &picky{refuse: func(string) bool { return true }, with: ownKind(true)}
	whole.decide(0, 3)
	deliver(t, whole, p, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		require.NoError(t, d.Shutdown(t.Context()))
	})
	s.rejected = append(whole.rejected, []byte(`{"seq":9,"span":{}}`), []byte(`[]`))
	deliver(t, s, b, func(t *testing.T, d *otelx.Delivery, _ *meter, _ *errorLog) {
		n, err := d.Redeliver(t.Context())
		assert.Zero(t, n)
		assert.ErrorIs(t, err, errDown)
		assert.Equal(t, 1, b.tried(), "not each of them")
		assert.Len(t, s.rejected, 5)
		b.heal()
		n, err = d.Redeliver(t.Context())
		assert.Equal(t, 3, n)
		assert.ErrorContains(t, err, "the rejected span of record 9 cannot be read: it is not one span")
		assert.Equal(t, 1, strings.Count(err.Error(), "a rejected span cannot be read"))
		assert.Len(t, s.rejected, 2, "what cannot be read stays for somebody to look at")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = d.Redeliver(ctx)
		assert.ErrorIs(t, err, context.Canceled)
		require.NoError(t, d.Shutdown(t.Context()))
	})
}
