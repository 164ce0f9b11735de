package guard

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

// Call is one tool invocation that an agent asks for.
type Call struct {
	// ID is the framework's id of the call. One that is missing, not printable,
	// longer than 256 bytes, or was used in the session before, is replaced by
	// a fresh one in the record.
	ID string
	// Tool is the tool's own registered identity, never an alias.
	Tool classify.ToolID
	// Arguments are the raw JSON of the model, with the reserved rationale
	// parameter where the model gave it. They are copied.
	Arguments []byte
	// Text and Reasoning are what the model said in the same turn, where the
	// framework gives it, and TextSource says where from. They are kept beside
	// the rationale as the model's claims, cut to the limits of package
	// rationale, and decide nothing.
	Text, Reasoning, TextSource string
	// Ticket is the id of the ticket of an earlier call that pended, which this
	// call repeats: the same action, by the same agent, for the same person. The
	// call is evaluated again, and its approval, if there is one, is used up with
	// the decision. It comes from the host, never from the model. Empty: none.
	Ticket string

	waited waiting // where it was evaluated before, and waited for people
}

// Begin evaluates a call and records the decision before it returns. It never
// panics and has no error: whatever fails is a denial.
//
// When the call is allowed, run the tool with the returned context and d.Args,
// and call [Guard.End] whatever happens. Otherwise give the model d.Refusal().
// A ctx that is cancelled before the decision denies; the decision is recorded
// even so. A nil ctx is context.Background(). With a ctx of [WithWait] it waits for
// people where the call pends.
func (g *Guard) Begin(ctx context.Context, call Call) (context.Context, Decision) {
	if ctx == nil {
		ctx = context.Background()
	}
	if !g.usable() {
		return ctx, Decision{}
	}
	began := g.tracer.begin()
	var s subject
	g.identify(ctx, &call, &s)
	e := g.evaluate(ctx, &s)
	e.record.Parent = legible(call.Ticket)
	record, subject := g.admit(ctx, e)
	d := Decision{state: &evaluated{record: record, calls: s.calls, subject: subject}}
	if d.Allowed() {
		d.state.started = g.clock.latest()
	}
	g.tracer.decided(ctx, record, began)
	g.note(ctx, record)
	g.notify(record)
	if !d.Allowed() {
		if g.answered(ctx, &call, record) {
			return g.Begin(ctx, call)
		}
		return ctx, d
	}
	d.Args = bytes.Clone(e.arguments) // the tool may change its own
	if record.Mode == rationale.Observe {
		d.Args = bytes.Clone(s.call.Arguments)
	}
	d.state.Context = g.tracer.execute(ctx, record)
	return d.state, d
}

// subject is a call with its identity, and the rationale apart.
type subject struct {
	call      authority.Call
	calls     *sessionCalls
	host      rationale.TraceContext
	rationale *rationale.Rationale
	malformed string
	failed    string // why the call cannot be evaluated; empty if it can
}

// identify says who asks for what, from the host's word alone.
func (g *Guard) identify(ctx context.Context, call *Call, s *subject) {
	session := sessionFrom(ctx)
	s.call = authority.Call{
		Agent: rationale.Agent{
			ID: g.agent.ID, Environment: g.agent.Environment,
			Session: session.id.id, OnBehalfOf: session.id.onBehalfOf,
		},
		Model:  g.model,
		Prompt: g.agent.Prompt,
		Tool:   legibleTool(call.Tool),
	}
	if session.model != nil {
		s.call.Model = *session.model
	}
	s.host = g.tracer.host(ctx)
	now, err := g.clock.now()
	if err != nil {
		s.failed = err.Error()
	}
	s.call.At = now
	s.calls = g.sessions.open(session.id)
	if s.call.CallID = call.waited.callID; s.call.CallID == "" {
		s.call.CallID = s.calls.claim(call.ID, now)
	}
	if d, ok := g.derivers[s.call.Tool]; ok {
		s.call.Derive = d.derive
	}
	s.split(call)
}

// split takes the rationale out of the arguments.
func (s *subject) split(call *Call) {
	defer func() {
		if r := recover(); r != nil {
			s.failed = "reading the rationale panicked: " + describe(r)
		}
	}()
	raw := bytes.Clone(call.Arguments)
	call.Arguments = raw // also for an evaluation after people have answered
	s.call.Arguments = raw
	s.call.Arguments, s.rationale, s.malformed = rationale.Split(raw)
	s.rationale = rationale.WithText(s.rationale, call.Text, call.Reasoning, call.TextSource)
}

// evaluation is a draft decision, and the arguments that it is about.
type evaluation struct {
	record    *rationale.Decision
	arguments []byte
	err       error // why nothing can be recorded
}

// maxAttempts bounds how often a call is evaluated because the documents
// changed meanwhile.
const maxAttempts = 3

// evaluate assesses the call under the documents that are in force when it is
// done: a revocation that arrives while a fact is fetched still counts.
func (g *Guard) evaluate(ctx context.Context, s *subject) evaluation {
	for range maxAttempts {
		in := g.policy.Load()
		err := g.evidence.settle(ctx, in)
		e := g.assess(ctx, in.set, s)
		if g.policy.Load() != in {
			continue
		}
		e.err, e.record.Host = err, s.host
		if ctx.Err() != nil {
			e.record.Mode = rationale.Enforce // nobody waits for what would have been
			fail(e.record, rationale.Check{
				Kind: rationale.CheckCall, ID: "context", Result: rationale.Errored, Reason: rationale.EvaluationError,
				Message: "the call was cancelled before it was decided",
			})
		}
		return e
	}
	e := s.denied("the documents changed during every attempt to evaluate the call")
	e.err = g.evidence.settle(ctx, g.policy.Load())
	return e
}

// admit records the decision, and returns it with the key that it is sealed
// with. What cannot be recorded is denied.
func (g *Guard) admit(ctx context.Context, e evaluation) (*rationale.Decision, rationale.SubjectKey) {
	d, err := e.record, e.err
	d.Kind, d.ID = rationale.KindDecision, rationale.NewID(d.At)
	key, sealing := g.seal(ctx, d, e.arguments)
	if err == nil {
		err = sealing
	}
	d.Terms.Lease = g.lease
	if err == nil && g.ledger == nil && d.Parent != "" {
		fail(d, rationale.Check{
			Kind: rationale.CheckApproval, ID: "ticket", Result: rationale.Failed, Reason: rationale.ApprovalInvalid,
			Message: "without evidence there are no tickets",
		})
	}
	if g.ledger == nil && len(d.Limits) > 0 {
		fail(d, rationale.Check{
			Kind: rationale.CheckEvidence, ID: "ledger", Result: rationale.Errored, Reason: rationale.LedgerUnavailable,
			Message: "limits over time need a ledger, and the guard has none",
		})
	}
	if err == nil {
		err = g.atLedger(ctx, func(ctx context.Context) error { return g.ledger.Admit(ctx, d) })
	}
	if err == nil {
		return d, key
	}
	denied := *d // a copy, in case that the ledger still holds the draft
	denied.Checks = slices.Clone(d.Checks)
	fail(&denied, rationale.Check{
		Kind: rationale.CheckEvidence, ID: "ledger", Result: rationale.Errored, Reason: rationale.EvidenceUnavailable,
		Message: errorText(err),
	})
	g.evidence.missed(denied.At)
	return &denied, key
}

// assess is one pass of the call through the rules of set.
func (g *Guard) assess(ctx context.Context, set *authority.Set, s *subject) (e evaluation) {
	defer func() {
		if r := recover(); r != nil {
			e = s.denied("the evaluation panicked: " + describe(r))
		}
	}()
	if s.failed != "" {
		return s.denied(s.failed)
	}
	c := set.Classify(s.call)
	input := authority.Input{Rationale: s.rationale, Malformed: s.malformed}
	if s.rationale != nil && len(s.rationale.Evidence) > 0 {
		input.Read = s.calls.executed
	}
	input.Facts, input.Estimate = g.ask(ctx, c, s)
	record := set.Assess(c, input)
	if record == nil {
		return s.denied("the evaluation gave no decision")
	}
	forget(input.Facts)
	return evaluation{record: record, arguments: c.Arguments()}
}

// denied is the decision on a call that could not be evaluated.
func (s *subject) denied(message string) evaluation {
	d := &rationale.Decision{
		Kind: rationale.KindDecision, At: s.call.At, Agent: s.call.Agent, Model: s.call.Model,
		Prompt: rationale.Prompt{Digest: s.call.Prompt},
		Tool:   rationale.Tool{Server: s.call.Tool.Server, Name: s.call.Tool.Name},
		CallID: s.call.CallID, Host: s.host,
	}
	fail(d, rationale.Check{
		Kind: rationale.CheckCall, ID: "evaluation", Result: rationale.Errored, Reason: rationale.EvaluationError, Message: message, Quotes: true,
	})
	return evaluation{record: d}
}

// fail adds a check that did not pass and concludes again.
func fail(d *rationale.Decision, c rationale.Check) {
	d.Checks = append(d.Checks, c)
	rationale.Conclude(d)
}

// derive derives a value, from a copy of the arguments that authority makes.
func (d deriver) derive(name string, arguments json.RawMessage) (v any, err error) {
	known, ok := d[name]
	if !ok {
		return nil, fmt.Errorf("the host derives no %s for this tool", name)
	}
	defer func() {
		if r := recover(); r != nil {
			v, err = nil, fmt.Errorf("deriving %s panicked: %s", name, describe(r))
		}
	}()
	return known.derive(arguments)
}
