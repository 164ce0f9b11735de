package otelx

import (
	"container/list"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// item is one record on its way, or the repetition of one.
type item struct {
	head, from rationale.Head // where the record stands, and where reading must begin to know what it rests on
	moves      bool           // settling it moves the place of the delivery; not so for a repetition
	at         time.Time
	span       sdktrace.ReadOnlySpan // nil: the record has none
	outcome    *rationale.Outcome    // that lacks its decision
}

func (i item) complete() bool { return i.outcome == nil }

// projection builds spans from records as they come, and remembers what later
// ones need.
type projection struct {
	resource *resource.Resource
	grounds  grounded
	open     openDecisions
	inForce  map[string]anchored // by digest of the document
	from     rationale.Head      // the last snapshot
}

// anchored is the span of a document that is in force, with the place of its record.
type anchored struct {
	span tracetest.SpanStub
	head rationale.Head
}

func newProjection(s settings) *projection {
	return &projection{resource: s.resource, inForce: map[string]anchored{}}
}

// take builds the span of a record.
func (p *projection) take(e journal.Entry, head rationale.Head) item {
	i := item{moves: true, at: e.Record.RecordTime(), head: head}
	switch r := e.Record.(type) {
	case *rationale.Decision:
		i.span = p.decision(r, head)
	case *rationale.Outcome:
		if d := p.open.take(r.Decision); d != nil {
			i.span = p.execution(d, r, head)
		} else {
			i.outcome = r
		}
	case *rationale.Lifecycle:
		i.span = p.lifecycle(r, head)
	case *rationale.Approval:
		i.span = p.approval(r, head)
	case *rationale.Review:
		i.span = p.review(r, head)
	}
	p.remember(e, head)
	i.from = p.from
	return i
}

// remind takes note of a record that was delivered before.
func (p *projection) remind(e journal.Entry, head rationale.Head) {
	switch r := e.Record.(type) {
	case *rationale.Outcome:
		p.open.take(r.Decision)
	case *rationale.Lifecycle:
		p.lifecycle(r, head)
	}
	p.remember(e, head)
}

func (p *projection) remember(e journal.Entry, head rationale.Head) {
	switch r := e.Record.(type) {
	case *rationale.Decision:
		if r.Verdict == rationale.Allow {
			p.open.put(r, len(e.Envelope.Body))
		}
	case *rationale.Snapshot:
		p.from = head
	}
}

// complete builds the span of an outcome whose decision was looked for. Without
// it the span is found by the same id, in a trace of its own.
func (p *projection) complete(i *item, d *rationale.Decision) {
	if d == nil {
		d = &rationale.Decision{ID: i.outcome.Decision}
	}
	i.span, i.outcome = p.execution(d, i.outcome, i.head), nil
}

// anchors returns the spans of the documents in force once more, as of now.
func (p *projection) anchors(now time.Time) []item {
	var items []item
	for _, digest := range slices.Sorted(maps.Keys(p.inForce)) {
		a := p.inForce[digest]
		a.span.StartTime, a.span.EndTime = now, ended(now, now)
		items = append(items, item{head: a.head, at: now, span: a.span.Snapshot()})
	}
	return items
}

func (p *projection) decision(d *rationale.Decision, head rationale.Head) sdktrace.ReadOnlySpan {
	self, parent := decisionSpan(d)
	on, s := p.grounds.of(d), newScratch()
	defer s.release()
	s.attributes = append(s.attributes, on.decision.first...)
	s.attributes.decision(d, on)
	if d.Authorization != nil {
		s.links.add(toAuthorization, AuthorizationSpan(d.Authorization.Digest))
	}
	if d.Approval != "" {
		s.links.add(toApproval, derive(domainApproval, d.Approval))
	}
	return p.finish(tracetest.SpanStub{
		Name: on.decision.name, SpanContext: self, Parent: parent, StartTime: d.At, EndTime: d.At,
		Attributes: s.attributes, Links: s.links.sdk(), Status: status(decisionError(d)),
	}, head).Snapshot()
}

func (p *projection) execution(d *rationale.Decision, o *rationale.Outcome, head rationale.Head) sdktrace.ReadOnlySpan {
	self, parent := executionSpan(d)
	decision, _ := decisionSpan(d)
	on, s := p.grounds.of(d), newScratch()
	defer s.release()
	s.attributes = append(s.attributes, on.execution.first...)
	s.attributes.execution(d, o)
	s.links.add(toDecision, decision)
	if d.Authorization != nil {
		s.links.add(toAuthorization, AuthorizationSpan(d.Authorization.Digest))
	}
	started := o.Started
	if started.IsZero() { // the process ended before anybody could say
		started = o.At
	}
	return p.finish(tracetest.SpanStub{
		Name: on.execution.name, SpanContext: self, Parent: parent, StartTime: started, EndTime: o.At,
		Attributes: s.attributes, Links: s.links.sdk(), Status: status(outcomeError(o)),
	}, head).Snapshot()
}

// lifecycle returns the span of a record that names an authorization,
// `authorization {id}`: that of the document itself when it is loaded, and for
// every other event one of the event's own, linked to it. Other lifecycle
// records give no span.
func (p *projection) lifecycle(l *rationale.Lifecycle, head rationale.Head) sdktrace.ReadOnlySpan {
	if l.Event == rationale.EventOpened {
		clear(p.inForce) // the process before has ended; the next says what it loads
	}
	if l.Authorization == nil {
		return nil
	}
	document := AuthorizationSpan(l.Authorization.Digest)
	span := tracetest.SpanStub{
		Name: spanName(nameAuthorization, l.Authorization.ID), StartTime: l.At, EndTime: l.At,
		Attributes: lifecycleAttributes(l),
	}
	if l.Event == rationale.EventLoaded {
		span.SpanContext = document
		if l.Supersedes != "" {
			span.Links = []sdktrace.Link{{SpanContext: AuthorizationSpan(l.Supersedes), Attributes: toSuperseded}}
		}
		span = p.finish(span, head)
		p.inForce[l.Authorization.Digest] = anchored{span, head}
		return span.Snapshot()
	}
	span.SpanContext = derive(domainLifecycle, l.ID)
	span.Links = []sdktrace.Link{{SpanContext: document, Attributes: toAuthorization}}
	if l.Event == rationale.EventUnloaded {
		delete(p.inForce, l.Authorization.Digest)
	}
	return p.finish(span, head).Snapshot()
}

// finish adds what all spans share, and where the record stands.
func (p *projection) finish(span tracetest.SpanStub, head rationale.Head) tracetest.SpanStub {
	all := make([]attribute.KeyValue, 0, len(span.Attributes)+3)
	span.Attributes = append(append(all, span.Attributes...),
		attribute.String(JournalID, head.Journal), attribute.Int64(JournalSeq, int64(head.Seq)), attribute.String(JournalHash, head.Hash))
	span.SpanKind = trace.SpanKindInternal
	span.EndTime = ended(span.StartTime, span.EndTime)
	span.Resource = p.resource
	span.InstrumentationScope = instrumentation.Scope{Name: ScopeName, Version: Version}
	return span
}

// sdk returns the links as the SDK's own type, in a copy.
func (l links) sdk() []sdktrace.Link {
	if len(l) == 0 {
		return nil
	}
	out := make([]sdktrace.Link, len(l))
	for i, one := range l {
		out[i] = sdktrace.Link{SpanContext: one.SpanContext, Attributes: one.Attributes}
	}
	return out
}

// Bounds of what is remembered of decisions that were allowed and have no outcome
// yet. Those that are forgotten are read from the source again.
const (
	maxOpenDecisions = 4096
	maxOpenBytes     = 16 << 20 // of their records
)

// openDecisions are decisions whose outcome is to come, the oldest first. The
// zero openDecisions is empty.
type openDecisions struct {
	byID  map[string]*list.Element
	order list.List // of openDecision
	bytes int
}

type openDecision struct {
	decision *rationale.Decision
	bytes    int
}

func (o *openDecisions) put(d *rationale.Decision, bytes int) {
	o.take(d.ID)
	if o.byID == nil {
		o.byID = make(map[string]*list.Element)
	}
	o.byID[d.ID] = o.order.PushBack(openDecision{d, bytes})
	o.bytes += bytes
	for o.order.Len() > maxOpenDecisions || o.bytes > maxOpenBytes {
		o.take(o.order.Front().Value.(openDecision).decision.ID)
	}
}

// take returns a decision and forgets it; nil if it is not remembered.
func (o *openDecisions) take(id string) *rationale.Decision {
	e, ok := o.byID[id]
	if !ok {
		return nil
	}
	d := o.order.Remove(e).(openDecision)
	delete(o.byID, id)
	o.bytes -= d.bytes
	return d.decision
}
