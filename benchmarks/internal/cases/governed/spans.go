package governed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
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

// pair is the two spans of one call, made by hand: with the values that ambit
// gave them where the documents and the rules decide, and with ids and digests
// of the call's own.
type pair struct {
	decision, execution tracetest.SpanStub
	later               int // the attributes of execution that are known only after the tool ran
	document            trace.SpanContext

	arguments      []byte // in canonical form
	before, behind string // what the action digest is over, around the arguments
}

func (p *pair) make(ctx context.Context, tracer trace.Tracer) {
	began := time.Now()
	call, id := newID(), newID()
	attributes := slices.Clone(p.decision.Attributes)
	replace(attributes, otelx.DecisionID, id)
	replace(attributes, otelx.GenAIToolCallID, call)
	replace(attributes, otelx.Arguments, digest(p.arguments))
	replace(attributes, otelx.ActionDigest, p.actionDigest())
	authorization := trace.Link{SpanContext: p.document, Attributes: []attribute.KeyValue{attribute.String(otelx.LinkKind, otelx.LinkAuthorization)}}
	_, span := tracer.Start(ctx, p.decision.Name, trace.WithTimestamp(began), trace.WithAttributes(attributes...), trace.WithLinks(authorization))
	span.End(trace.WithTimestamp(time.Now()))

	decided := trace.Link{SpanContext: span.SpanContext(), Attributes: []attribute.KeyValue{attribute.String(otelx.LinkKind, otelx.LinkDecision)}}
	attributes = slices.Clone(p.execution.Attributes)
	replace(attributes, otelx.DecisionID, id)
	replace(attributes, otelx.GenAIToolCallID, call)
	known := len(attributes) - p.later
	_, span = tracer.Start(ctx, p.execution.Name, trace.WithAttributes(attributes[:known]...), trace.WithLinks(decided, authorization))
	replace(attributes[known:], otelx.OutcomeID, newID())
	replace(attributes[known:], otelx.ResultDigest, digest(toolResult))
	span.SetAttributes(attributes[known:]...)
	span.End()
}

func replace(attributes []attribute.KeyValue, key attribute.Key, value string) {
	for i := range attributes {
		if attributes[i].Key == key {
			attributes[i].Value = attribute.StringValue(value)
			return
		}
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func (p *pair) actionDigest() string {
	text := make([]byte, 0, 1024)
	text = append(text, p.before...)
	text = append(text, p.arguments...)
	return digest(append(text, p.behind...))
}

// action finds what the action digest of a decision is over, in the canonical
// order of its parts.
func (p *pair) action(arguments []byte) error {
	p.arguments = bytes.Clone(arguments)
	if err := (*jsontext.Value)(&p.arguments).Canonicalize(); err != nil {
		return err
	}
	value := func(key attribute.Key) string {
		i := slices.IndexFunc(p.decision.Attributes, func(kv attribute.KeyValue) bool { return kv.Key == key })
		if i < 0 {
			return ""
		}
		return p.decision.Attributes[i].Value.AsString()
	}
	p.before = fmt.Sprintf(`{"agent":%q,"arguments":`, value(otelx.AgentID))
	p.behind = fmt.Sprintf(`,"authorization":%q,"class":%q,"environment":%q,"model_name":%q,"model_provider":%q,"model_version":%q,`+
		`"on_behalf_of":%q,"server":%q,"tool":%q,"tool_digest":%q}`, value(otelx.AuthorizationDigest), value(otelx.Class), value(otelx.Environment),
		value(otelx.ModelName), value(otelx.ModelProvider), value(otelx.ModelVersion), value(otelx.OnBehalfOf), value(otelx.ToolServer),
		value(otelx.GenAIToolName), value(otelx.ToolDigest))
	return nil
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
		if err := p.action(call.Arguments); err != nil {
			return nil, err
		}
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
	attributes := slices.Clone(s.Attributes)
	for _, id := range []attribute.Key{otelx.DecisionID, otelx.GenAIToolCallID, otelx.OutcomeID} {
		replace(attributes, id, "an id")
	}
	t := fmt.Sprintf("%s %v %s/%s %v %v\n  child of %v\n", s.Name, s.SpanKind, s.InstrumentationScope.Name,
		s.InstrumentationScope.Version, s.Status, attributes, s.Parent.IsValid())
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
