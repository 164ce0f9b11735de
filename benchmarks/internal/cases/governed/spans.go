package governed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
	"github.com/ambit-go/ambit/benchmarks/internal/policy"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/otelx"
)

// counting is an exporter that counts spans and discards them.
type counting struct{ spans atomic.Int64 }

func (c *counting) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	c.spans.Add(int64(len(spans)))
	return nil
}

func (*counting) Shutdown(context.Context) error { return nil }

// sink is a provider with a batch processor, which must lose nothing.
type sink struct {
	provider *sdktrace.TracerProvider
	exported counting
	calls    int64 // made since the last flush
}

// queue holds more spans than one turn makes, so that the processor, which drops
// what does not fit, drops none.
const queue = 1 << 16

func newSink() *sink {
	s := &sink{}
	s.provider = sdktrace.NewTracerProvider(sdktrace.WithBatcher(&s.exported, sdktrace.WithMaxQueueSize(queue)))
	return s
}

// counted wraps a run and flushes after it, outside of its time.
func (s *sink) counted(name string, run func(int) int) measure.Impl {
	return measure.Impl{
		Name: name,
		Run: func(n int) int {
			s.calls += int64(n)
			return run(n)
		},
		After: func() error {
			want := 2 * s.calls
			s.calls = 0
			if err := s.provider.ForceFlush(context.Background()); err != nil {
				return err
			}
			if got := s.exported.spans.Swap(0); got != want {
				return fmt.Errorf("%d spans of %d were exported", got, want)
			}
			return nil
		},
	}
}

// traced is the case governed-otel.
func traced() (measure.Case, func(), error) {
	ours, theirs := newSink(), newSink()
	closing := func() {
		for _, s := range []*sink{ours, theirs} {
			_ = s.provider.Shutdown(context.Background()) // of an exporter that discards
		}
	}
	live, err := otelx.NewLive(ours.provider)
	if err != nil {
		return measure.Case{}, nil, err
	}
	g, err := newGuard(policy.Autoscaler, guard.WithoutEvidence(), guard.WithTracer(live))
	if err != nil {
		return measure.Case{}, nil, err
	}
	if err := ours.provider.ForceFlush(context.Background()); err != nil {
		return measure.Case{}, nil, err
	}
	ours.exported.spans.Store(0) // of loading the document
	hand, err := learn()
	if err != nil {
		return measure.Case{}, nil, err
	}
	tracer := tracerOf(theirs.provider)
	return measure.Case{Name: "governed-otel", Impls: []measure.Impl{
		ours.counted("ambit", governedRun(g)),
		theirs.counted("handwritten", func(n int) int {
			ctx := context.Background()
			for i := range n {
				hand[i%timed].make(ctx, tracer)
			}
			return n
		}),
	}}, closing, nil
}

func tracerOf(provider trace.TracerProvider) trace.Tracer {
	return provider.Tracer(otelx.ScopeName, trace.WithInstrumentationVersion(otelx.Version))
}

// pair is the two spans of one call with the values that ambit gave them. What
// takes time to get at (ids, digests, formatted times, lists) is there already,
// and attributes are made: a host could hardly do less.
type pair struct {
	decision, execution tracetest.SpanStub
	later               int // the attributes of execution that are known only after the tool ran
	document            trace.SpanContext
}

func (p *pair) make(ctx context.Context, tracer trace.Tracer) {
	began := time.Now()
	authorization := trace.Link{SpanContext: p.document, Attributes: []attribute.KeyValue{attribute.String(otelx.LinkKind, otelx.LinkAuthorization)}}
	_, span := tracer.Start(ctx, p.decision.Name, trace.WithTimestamp(began),
		trace.WithAttributes(slices.Clone(p.decision.Attributes)...), trace.WithLinks(authorization))
	span.End(trace.WithTimestamp(time.Now()))
	decided := trace.Link{SpanContext: span.SpanContext(), Attributes: []attribute.KeyValue{attribute.String(otelx.LinkKind, otelx.LinkDecision)}}
	known := len(p.execution.Attributes) - p.later
	_, span = tracer.Start(ctx, p.execution.Name,
		trace.WithAttributes(slices.Clone(p.execution.Attributes[:known])...), trace.WithLinks(decided, authorization))
	span.SetAttributes(slices.Clone(p.execution.Attributes[known:])...)
	span.End()
}

// learn makes each call once under ambit, remembers its spans, makes them by
// hand, and compares.
func learn() ([]pair, error) {
	recorder := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(recorder))
	live, err := otelx.NewLive(provider)
	if err != nil {
		return nil, err
	}
	g, err := newGuard(policy.Autoscaler, guard.WithoutEvidence(), guard.WithTracer(live))
	if err != nil {
		return nil, err
	}
	loaded := recorder.GetSpans()
	if len(loaded) != 1 {
		return nil, fmt.Errorf("loading the document made %d spans", len(loaded))
	}
	ctx, tracer := context.Background(), tracerOf(provider)
	var pairs []pair
	for _, call := range calls() {
		recorder.Reset()
		if err := govern(ctx, g, call); err != nil {
			return nil, err
		}
		made := recorder.GetSpans()
		if len(made) != 2 {
			return nil, fmt.Errorf("a call made %d spans", len(made))
		}
		p := pair{decision: made[0], execution: made[1], document: loaded[0].SpanContext}
		p.later = outcomeAttributes(p.execution.Attributes)
		recorder.Reset()
		p.make(ctx, tracer)
		if err := same(made, recorder.GetSpans()); err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	return pairs, provider.Shutdown(ctx)
}

// outcomeAttributes counts the attributes from the outcome's id on.
func outcomeAttributes(all []attribute.KeyValue) int {
	i := slices.IndexFunc(all, func(kv attribute.KeyValue) bool { return kv.Key == otelx.OutcomeID })
	if i < 0 {
		return 0
	}
	return len(all) - i
}

// same compares what two implementations sent, but for ids and times.
func same(ours, theirs []tracetest.SpanStub) error {
	if len(ours) != len(theirs) {
		return fmt.Errorf("ambit made %d spans and the hand %d", len(ours), len(theirs))
	}
	var errs []error
	for i := range ours {
		a, b := text(ours, i), text(theirs, i)
		if a != b {
			errs = append(errs, fmt.Errorf("the spans differ:\nambit:       %s\nhandwritten: %s", a, b))
		}
	}
	return errors.Join(errs...)
}

// text writes a span without what differs from call to call: its links name the
// span of the same call that they lead to.
func text(spans []tracetest.SpanStub, i int) string {
	s := spans[i]
	t := fmt.Sprintf("%s %v %s/%s %v %v\n  child of %v\n", s.Name, s.SpanKind, s.InstrumentationScope.Name,
		s.InstrumentationScope.Version, s.Status, s.Attributes, s.Parent.IsValid())
	for _, l := range s.Links {
		to := l.SpanContext.SpanID().String()
		for k := range spans {
			if spans[k].SpanContext.Equal(l.SpanContext) {
				to = fmt.Sprintf("span %d", k)
			}
		}
		t += fmt.Sprintf("  to %s %v\n", to, l.Attributes)
	}
	return t + fmt.Sprintf("  backwards %v events %d dropped %d %d %d", s.EndTime.Before(s.StartTime), len(s.Events),
		s.DroppedAttributes, s.DroppedEvents, s.DroppedLinks)
}
