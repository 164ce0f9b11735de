package otelx

import (
	"slices"
	"sync"

	"go.opentelemetry.io/otel/trace"

	"github.com/ambit-go/ambit/rationale"
)

// maxMemo bounds what is remembered of one kind. Beyond it all of it is
// forgotten, and made again.
const maxMemo = 1 << 12

// memo remembers what was made of a key. The zero memo is empty.
type memo[K comparable, V any] struct {
	mu sync.RWMutex
	by map[K]V
}

func (m *memo[K, V]) get(key K) (V, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	v, ok := m.by[key]
	return v, ok
}

func (m *memo[K, V]) put(key K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by == nil || len(m.by) >= maxMemo {
		m.by = make(map[K]V)
	}
	m.by[key] = v
}

// grounds are what the decisions of one kind on one tool under one class have
// in common: made once, since thousands of decisions share them, and never
// changed.
type grounds struct {
	decision, execution struct {
		name  string
		first attributes            // what a sampler sees
		start trace.SpanStartOption // with first
	}
	more     attributes // of the decision
	required attributes // of its rationale

	of rationale.Decision // that they were made from
}

type groundsKey struct {
	authorization, class, server, tool string
	verdict                            rationale.Verdict
	mode                               rationale.Mode
	tier                               string
}

// grounded remembers grounds.
type grounded struct{ memo[groundsKey, *grounds] }

// of returns the grounds of a decision. Those of a tool that is none are not
// remembered: the model's own words would be names without end.
func (m *grounded) of(d *rationale.Decision) *grounds {
	if slices.Contains(d.Reasons, rationale.UnknownTool) {
		g := newGrounds(d)
		g.decision.name = nameDecision
		return g
	}
	key := groundsKey{
		class: d.Class, server: d.Tool.Server, tool: d.Tool.Name,
		verdict: d.Verdict, mode: d.Mode, tier: d.Tier.String(),
	}
	if d.Authorization != nil {
		key.authorization = d.Authorization.Digest
	}
	if g, ok := m.get(key); ok && g.serve(d) {
		return g
	}
	g := newGrounds(d)
	m.put(key, g)
	return g
}

func newGrounds(d *rationale.Decision) *grounds {
	g := &grounds{of: rationale.Decision{
		Verdict: d.Verdict, Mode: d.Mode, Tier: d.Tier, Class: d.Class, Domain: d.Domain, Effect: d.Effect,
		BaseTier: d.BaseTier, Agent: d.Agent, Model: d.Model, Prompt: d.Prompt, Tool: d.Tool,
	}}
	if d.Authorization != nil {
		ref := *d.Authorization
		g.of.Authorization = &ref
	}
	if c := d.RationaleCheck; c != nil {
		g.of.RationaleCheck = &rationale.RationaleCheck{Required: c.Required}
		g.required.texts(RationaleRequired, names(c.Required))
	}
	name := toolName(d.Tool)
	g.decision.name, g.execution.name = spanName(nameDecision, name), spanName(nameExecution, name)
	g.decision.first.text(Verdict, d.Verdict.String())
	g.decision.first.sampled(&g.of)
	g.execution.first.text(GenAIOperationName, nameExecution)
	g.execution.first.sampled(&g.of)
	g.decision.start = trace.WithAttributes(g.decision.first...)
	g.execution.start = trace.WithAttributes(g.execution.first...)
	g.more.grounds(&g.of)
	return g
}

// serve reports whether these are the grounds of a decision with the same key:
// an authorization is reaffirmed, another agent or model asks, and a higher tier
// requires more.
func (g *grounds) serve(d *rationale.Decision) bool {
	o := &g.of
	return o.Domain == d.Domain && o.Effect == d.Effect && o.BaseTier == d.BaseTier &&
		o.Agent.ID == d.Agent.ID && o.Agent.Environment == d.Agent.Environment &&
		o.Model == d.Model && o.Prompt == d.Prompt && o.Tool == d.Tool &&
		(d.Authorization == nil || sameRef(o.Authorization, d.Authorization)) &&
		(d.RationaleCheck == nil || o.RationaleCheck != nil && slices.Equal(o.RationaleCheck.Required, d.RationaleCheck.Required))
}

func sameRef(a, b *rationale.AuthorizationRef) bool {
	return a.NextReview.Equal(b.NextReview) && a.Unsigned == b.Unsigned && a.ID == b.ID && a.Version == b.Version &&
		a.Matrix == b.Matrix && slices.Equal(a.Controls, b.Controls) && a.Owner == b.Owner && a.Body == b.Body &&
		slices.Equal(a.GrantedBy, b.GrantedBy) && a.GrantedAt.Equal(b.GrantedAt) && a.Expires.Equal(b.Expires) &&
		a.Record == b.Record
}
