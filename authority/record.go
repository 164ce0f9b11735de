package authority

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/rationale"
)

// slab is a decision with what most decisions point to, in one piece.
type slab struct {
	decision      rationale.Decision
	authorization rationale.AuthorizationRef
	spend         rationale.Spend
}

// draft is what is known of a call before anything is evaluated.
func draft(call *Call) *rationale.Decision {
	d := new(rationale.Decision)
	describe(d, call)
	return d
}

func describe(d *rationale.Decision, call *Call) {
	d.Kind, d.At, d.Agent, d.Model = rationale.KindDecision, call.At.UTC(), call.Agent, call.Model
	d.Prompt = rationale.Prompt{Digest: call.Prompt}
	d.CallID = call.CallID
	d.Tool = rationale.Tool{Server: call.Tool.Server, Name: call.Tool.Name}
	d.Model.Pin = ""
}

// decision makes the record of the evaluation.
func (e *evaluation) decision() (d *rationale.Decision) {
	defer func() {
		if r := recover(); r != nil {
			e.broken = true
			d = refuseAssessment(&e.call, fmt.Sprintf("the record of the assessment panicked: %v", r))
		}
	}()
	s := new(slab)
	d = &s.decision
	describe(d, &e.call)
	if e.keep = e.policy(); e.set != nil {
		e.record.policy, e.record.key = e.keep, e.set.options.recordKey
	}
	e.recordArguments(d)
	e.recordDerived(d)
	d.Mode, d.Standing, d.Rationale = e.tally.Mode, e.tally.Standing, e.in.Rationale
	if e.plan == nil {
		e.recordFailure(d)
	} else {
		e.recordClass(s)
		e.recordFacts(d)
		e.recordChecks(s)
		e.recordLimits(d)
	}
	e.record.finish()
	e.keepRationale(d)
	d.Terms.OmitResult, d.Terms.KeyResult = e.keep.Results == keepDrop, e.keep.Results == keepHMAC
	rationale.Conclude(d)
	return d
}

func (e *evaluation) recordArguments(d *rationale.Decision) {
	if e.tool != nil {
		d.Tool.Digest = e.tool.digest
	}
	var canonical []byte
	if e.args != nil {
		canonical, _ = rationale.Canonicalize(e.args) // nil with an error
	}
	e.keepArguments(d, canonical)
}

func (e *evaluation) recordDerived(d *rationale.Decision) {
	if len(e.derived) == 0 {
		return
	}
	d.Derived = make([]rationale.Fact, len(e.derived))
	for i, v := range e.derived {
		fact := &d.Derived[i]
		fact.Name, fact.Source, fact.At = v.name, "derived from the arguments", e.call.At
		if v.err != nil {
			fact.Error = why(v.err, e.keep.Arguments)
			continue
		}
		e.record.fact(fact, "derived."+v.name, v.value)
	}
}

// recordFailure records why the call has no class.
func (e *evaluation) recordFailure(d *rationale.Decision) {
	check := rationale.Check{
		Kind: rationale.CheckClass, ID: "classify", Result: e.failed.result(), Reason: e.failed.reason(),
	}
	switch e.failed {
	case noDocuments:
		check.Message = "no documents are loaded"
	case unknownTool:
		check.Kind, check.ID = rationale.CheckTool, e.call.Tool.String()
		check.Message = "this tool is not registered with the guard"
	case invalidArguments:
		check.Kind, check.ID = rationale.CheckArguments, "arguments"
	case noAuthorization:
		check.Message = fmt.Sprintf("no authorization names agent %s in environment %s", e.call.Agent.ID, e.call.Agent.Environment)
	case notDerived:
		check.Kind, check.ID = rationale.CheckDerived, "derived."+e.derived[len(e.derived)-1].name
	case whenFailed:
		check.ID = "when of " + e.failedAt.name()
	case ambiguous:
		ids := make([]string, len(e.also))
		for i, p := range e.also {
			ids[i] = p.name()
		}
		check.Message = "more than one class holds: " + join(ids)
	case unclassified:
		check.Message = "no class of the agent's authorizations covers this call"
	}
	if e.err != nil {
		e.explain(&check, message(e.err, check.ID))
	}
	d.Checks = append(d.Checks, check)
	if e.panicked != "" {
		d.Checks = append(d.Checks, e.panicCheck())
	}
}

func (e *evaluation) panicCheck() rationale.Check {
	c := rationale.Check{Kind: rationale.CheckClass, ID: "assess", Result: rationale.Errored, Reason: rationale.EvaluationError}
	e.explain(&c, e.panicked)
	return c
}

// message is what the record of a rule says of its error.
func message(err error, rule string) string {
	if d, ok := errors.AsType[*disagreement](err); ok {
		return d.about(rule)
	}
	return err.Error()
}

// recordClass records the class and the authorization, and the digest that an
// approval would be bound to.
func (e *evaluation) recordClass(s *slab) {
	d, g, class := &s.decision, e.plan.grant, e.plan.class
	d.Class, d.Domain, d.Effect = class.ID.Value, e.plan.domain, "write"
	if class.Read {
		d.Effect = "read"
	}
	d.BaseTier, d.Tier = class.Tier, class.Tier
	s.authorization = g.ref
	if e.stretch != nil {
		s.authorization.NextReview = e.stretch.nextReview
	}
	s.authorization.Controls = class.Controls
	d.Authorization, d.Terms, d.Telemetry = &s.authorization, g.terms, e.plan.telemetry
	d.Terms.Durability, d.Keyed = class.Durability, e.plan.keyed
	d.Model.Pin, d.Prompt.Pin, d.Tool.Pin = e.pins.model.recorded(), e.pins.prompt.recorded(), e.pins.tool.recorded()
}

func (e *evaluation) recordFacts(d *rationale.Decision) {
	if len(e.facts) == 0 {
		return
	}
	d.Facts = make([]rationale.Fact, len(e.facts))
	for i, state := range e.facts {
		fact := &d.Facts[i]
		fact.Name, fact.Source = e.plan.facts[i].name, e.plan.facts[i].source
		if !state.at.IsZero() {
			fact.At = state.at.UTC()
		}
		if state.err != nil {
			fact.Error = why(state.err, e.keep.Facts)
			continue
		}
		e.record.fact(fact, "facts."+fact.Name, state.value)
	}
}

// recordChecks makes the checks from the marks, all in one piece, and so their
// inputs.
func (e *evaluation) recordChecks(s *slab) {
	d := &s.decision
	digest, digestErr := e.actionDigest(d)
	d.ActionDigest = e.keepAction(digest)
	checks := make([]rationale.Check, len(e.marks))
	inputs := make([]rationale.Input, e.countInputs())
	e.record.begin(len(e.tool.inputs))
	marked := false // the digest's failure
	for i := range e.marks {
		m, c := &e.marks[i], &checks[i]
		c.Result, c.Reason, c.To = m.result, m.reason, m.to
		n := e.recordCheck(s, m, c, inputs)
		if n > 0 {
			c.Inputs, inputs = inputs[:n:n], inputs[n:]
		}
		if m.kind == markAction {
			marked = true
			if digestErr != nil {
				e.explain(c, digestErr.Error())
			}
		}
	}
	if digestErr != nil && !marked {
		checks = append(checks, e.actionCheck(digestErr))
	}
	d.Checks = checks
}

func (e *evaluation) actionDigest(d *rationale.Decision) (string, error) {
	arguments := []byte(d.Arguments) // canonical, which costs least
	if arguments == nil {
		arguments = e.args
	}
	return rationale.ActionDigest(rationale.Action{
		Agent: d.Agent.ID, Environment: d.Agent.Environment, OnBehalfOf: d.Agent.OnBehalfOf,
		Tool: e.tool.id, ToolDigest: d.Tool.Digest, Arguments: arguments,
		Authorization: d.Authorization.Digest, Class: d.Class, Model: d.Model,
	})
}

func (e *evaluation) actionCheck(err error) rationale.Check {
	c := rationale.Check{
		Kind: rationale.CheckArguments, ID: "action digest", Result: rationale.Errored, Reason: rationale.EvaluationError,
	}
	e.explain(&c, err.Error())
	return c
}

func (e *evaluation) countInputs() int {
	n := 0
	for i := range e.marks {
		switch m := &e.marks[i]; m.kind {
		case markAllow, markBand:
			n++
		case markBound:
			n += len(e.plan.bounds[m.index].rule.shown)
		case markTrigger:
			n += len(e.plan.trigger[m.index].rule.shown)
		}
	}
	return n
}

// recordCheck records one check, and returns how many inputs it has written.
func (e *evaluation) recordCheck(s *slab, m *mark, c *rationale.Check, inputs []rationale.Input) int {
	switch m.kind {
	case markActive:
		c.Kind, c.ID = rationale.CheckStanding, "active"
	case markStanding:
		defect := e.stretch.defects[m.index]
		c.Kind, c.ID, c.Message = rationale.CheckStanding, defect.standing.String(), defect.message
	case markModel:
		c.Kind, c.ID, c.Message = rationale.CheckPin, rationale.StandingPinMismatch.String(), modelMismatch(&e.call.Model)
	case markPrompt:
		c.Kind, c.ID, c.Message = rationale.CheckPin, rationale.StandingPinMismatch.String(), promptMismatch
	case markTool:
		c.Kind, c.ID, c.Message = rationale.CheckPin, rationale.StandingPinMismatch.String(), toolMismatch
	case markAction:
		c.Kind, c.ID, c.Message = rationale.CheckArguments, "action digest", m.err.Error()
	case markAllow:
		e.recordAllow(m, c, &inputs[0])
		return 1
	case markBound:
		return e.recordBound(m, c, inputs)
	case markTrigger:
		t := &e.plan.trigger[m.index]
		c.Kind, c.ID, c.Why = rationale.CheckTrigger, t.id, t.doc.Code
		if m.err != nil {
			e.explain(c, message(m.err, c.ID))
		}
		return e.show(&t.rule, inputs)
	case markPrice:
		e.recordPrice(s, m, c)
	case markBand:
		e.recordBand(s, m, c, &inputs[0])
		return 1
	case markRationale:
		s.decision.RationaleCheck = e.rationale
		c.Kind, c.ID = rationale.CheckRationale, "rationale"
		if m.result != rationale.Passed {
			c.Message = lacks(e.rationale)
		}
		if c.Quotes = e.rationale.Malformed != ""; c.Quotes && e.keep.Rationale >= keepHMAC {
			c.Told, c.Message = c.Message, withheld
		}
	default:
		*c = e.panicCheck()
	}
	return 0
}

func (e *evaluation) recordAllow(m *mark, c *rationale.Check, in *rationale.Input) {
	p := &e.plan.allow[m.index]
	c.Kind, c.ID, c.Why = rationale.CheckAllow, p.id, p.doc.Why
	if p.doc.Baseline {
		c.Kind = rationale.CheckBaseline
	}
	in.Path = p.at.text
	values, ok := e.valuesAt(p.at)
	if ok {
		e.record.input(in, values)
	}
	switch {
	case m.result == rationale.Passed:
	case m.reason == rationale.FactUnavailable:
		c.Message = p.at.text + " is not available"
	case !ok:
		c.Message, c.Within = p.at.text+" is absent", p.doc.within()
	default:
		c.Message, c.Within = p.at.text+" is not on the allow-list", p.doc.within()
	}
}

func (e *evaluation) recordBound(m *mark, c *rationale.Check, inputs []rationale.Input) int {
	b := &e.plan.bounds[m.index]
	c.Kind, c.ID, c.Why = rationale.CheckBound, b.id, b.doc.Why
	if b.doc.Baseline {
		c.Kind = rationale.CheckBaseline
	}
	switch {
	case m.err != nil:
		e.explain(c, message(m.err, c.ID))
	case m.result != rationale.Passed:
		c.Message = "the bound does not hold"
	}
	return e.show(&b.rule, inputs)
}

// show writes what a rule refers to, also what its evaluation did not reach.
func (e *evaluation) show(r *rule, inputs []rationale.Input) int {
	for i, index := range r.shown {
		in, from := &inputs[i], &e.tool.inputs[index]
		in.Path = from.path
		shown := &e.record.shown[index]
		if !shown.done {
			e.record.show(shown, in.Path, e.follow(from))
		}
		if in.Digest = shown.digest; shown.end > shown.start {
			e.record.parts = append(e.record.parts, part{&in.Value, shown.start, shown.end})
		}
	}
	return len(r.shown)
}

// follow returns the value of an input; Invalid: it is absent, or unavailable.
func (e *evaluation) follow(in *input) strictjson.Value {
	if in.slot < 0 {
		return strictjson.Value{}
	}
	v := e.frame.Value(in.slot)
	for _, name := range in.rest {
		next, ok := v.Get(name)
		if !ok {
			return strictjson.Value{}
		}
		v = next
	}
	return v
}

func (e *evaluation) recordPrice(s *slab, m *mark, c *rationale.Check) {
	p, spend := e.plan.spend, &s.spend
	s.decision.Spend = spend
	spend.Currency, spend.CostCentre, spend.Basis = p.doc.Currency, p.doc.CostCentre, p.basis
	spend.Observed = e.tally.Mode == rationale.Observe
	if n := len(p.rungs); n > 0 {
		spend.Top = p.rungs[n-1].text
	}
	if e.price.known {
		spend.Amount = e.price.decimal(p).String()
	}
	if e.price.counted {
		spend.Quantity = strconv.FormatInt(e.price.quantity, 10)
	}
	spend.Unit = strings.Clone(e.price.unit) // it may lie in the frame
	if e.price.price != nil {
		spend.Price, spend.PriceList = e.price.price.each.String(), p.list
	}
	e.keepSpend(spend, p)
	c.Kind, c.ID = rationale.CheckPrice, p.basis
	if m.err != nil {
		e.explain(c, message(m.err, c.ID))
	}
}

func (e *evaluation) recordBand(s *slab, m *mark, c *rationale.Check, in *rationale.Input) {
	p, spend := e.plan.spend, &s.spend
	c.Kind, c.ID = rationale.CheckBand, "per_event"
	in.Path = "spend.amount"
	start := len(e.record.json)
	e.record.json = append(append(append(e.record.json, '"'), spend.Amount...), '"')
	e.record.put(&in.Value, start)
	if int(m.index) == len(p.rungs) {
		c.Message = fmt.Sprintf("%s %s is above the limit for one event", spend.Amount, spend.Currency)
		c.Within = fmt.Sprintf("at most %s %s at once", spend.Top, spend.Currency)
		return
	}
	r := &p.rungs[m.index]
	spend.Limit, c.ID = r.text, r.id
	if m.result == rationale.Raised {
		c.Message = fmt.Sprintf("%s %s is more than the tier below may spend at once", spend.Amount, spend.Currency)
	}
}
