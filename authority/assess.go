package authority

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/rationale"
)

// assessment is the second half of one evaluation. Every stage adds its checks
// to the draft; none looks at whether an earlier one failed.
type assessment struct {
	set   *Set
	c     *Classified
	plan  *plan
	in    Input
	input celplan.Input
	frame *celplan.Frame
	d     *rationale.Decision
	tier  classify.Tier              // effective so far
	read  map[string]rationale.Input // by path, what rules read
}

// Assess ends the evaluation of a classified call, without side effects: it
// returns a draft decision, concluded by [rationale.Conclude], without id and
// host trace. Everything that is in scope is evaluated, so that the draft names
// all that failed. It never panics and never returns nil.
func (s *Set) Assess(c *Classified, in Input) (d *rationale.Decision) {
	if c == nil {
		c = new(Classified)
		c.deny(rationale.CheckClass, "classify", rationale.EvaluationError, "the call was not classified")
	}
	d = c.draft()
	defer func() {
		if r := recover(); r != nil {
			d.Checks = append(d.Checks, rationale.Check{
				Kind: rationale.CheckClass, ID: "assess", Result: rationale.Errored, Reason: rationale.EvaluationError,
				Message: fmt.Sprintf("the assessment panicked: %v", r),
			})
			d.Mode = rationale.Enforce
		}
		rationale.Conclude(d)
	}()
	if c.plan == nil {
		d.Checks = append(d.Checks, *c.fail)
		d.Mode, d.Rationale = c.modeWithoutClass(), in.Rationale
		c.dropUnclassified(d)
		return d
	}
	a := &assessment{set: c.set, c: c, plan: c.plan, in: in, input: c.input, d: d, tier: d.BaseTier}
	a.standing()
	a.mode()
	a.action()
	a.facts()
	c.input = a.input
	a.frame = c.frame()
	a.allow()
	a.bounds()
	a.triggers()
	a.spend()
	a.rationale()
	a.keep()
	return d
}

// draft is what is known of the call before anything is assessed.
func (c *Classified) draft() *rationale.Decision {
	d := &rationale.Decision{
		Kind: rationale.KindDecision, At: c.call.At.UTC(), Agent: c.call.Agent, Model: c.call.Model,
		Prompt: rationale.Prompt{Digest: c.call.Prompt}, CallID: c.call.CallID,
		Tool:    rationale.Tool{Server: c.call.Tool.Server, Name: c.call.Tool.Name},
		Derived: c.derived,
	}
	d.Model.Pin = ""
	if c.tool != nil {
		d.Tool.Digest = c.tool.digest
	}
	d.ArgumentsDigest = rationale.Digest(c.call.Arguments)
	if c.args != nil {
		if canonical, err := rationale.Canonicalize(c.args); err == nil {
			d.Arguments, d.ArgumentsDigest = canonical, rationale.Digest(canonical)
		}
	}
	if c.plan == nil {
		return d
	}
	g, class := c.plan.grant, c.plan.class
	d.Class, d.Domain, d.Effect = class.ID.Value, c.plan.domain, "write"
	if class.Read {
		d.Effect = "read"
	}
	d.BaseTier, d.Tier = class.Tier, class.Tier
	d.Authorization = c.set.ref(g, c.call.At)
	d.Authorization.Controls = class.Controls
	d.Terms = g.terms()
	return d
}

// action gives the draft the digest that an approval would be bound to.
func (a *assessment) action() {
	d := a.d
	digest, err := rationale.ActionDigest(rationale.Action{
		Agent: d.Agent.ID, Environment: d.Agent.Environment, OnBehalfOf: d.Agent.OnBehalfOf,
		Tool: a.plan.tool.id, ToolDigest: d.Tool.Digest, Arguments: a.c.args,
		Authorization: d.Authorization.Digest, Class: d.Class, Model: d.Model,
	})
	if err != nil {
		a.add(rationale.Check{
			Kind: rationale.CheckArguments, ID: "action digest", Result: rationale.Errored,
			Reason: rationale.EvaluationError, Message: err.Error(),
		})
	}
	d.ActionDigest = digest
}

func (g *grantDoc) terms() rationale.Terms {
	t := rationale.Terms{
		ApproveQuorum: g.Approval.Quorum, ApproveWithin: g.Approval.TTL, ReviewWithin: g.Review.Within,
	}
	for _, by := range g.Approval.By {
		t.ApproveBy = append(t.ApproveBy, by.Value)
	}
	for _, by := range g.Review.By {
		t.ReviewBy = append(t.ReviewBy, by.Value)
	}
	return t
}

func (a *assessment) add(c rationale.Check) {
	if c.Result == rationale.Raised {
		a.tier = classify.Max(a.tier, c.To)
	}
	a.d.Checks = append(a.d.Checks, c)
}

// standing records the standing, each defect as a check of its own. A class
// that may recommend while its review or a pin lapsed is raised instead of
// failed by these.
func (a *assessment) standing() {
	g := a.plan.grant
	found := a.set.defects(g, a.d.At)
	pins, model, prompt, tool := g.pinDefects(a.c)
	a.d.Model.Pin, a.d.Prompt.Pin, a.d.Tool.Pin = model, prompt, tool
	found = append(found, pins...)
	slices.SortStableFunc(found, func(x, y defect) int { return int(x.standing) - int(y.standing) })
	if len(found) == 0 {
		a.d.Standing = rationale.StandingActive
		a.add(rationale.Check{Kind: rationale.CheckStanding, ID: "active", Result: rationale.Passed})
		return
	}
	a.d.Standing = found[0].standing
	for _, f := range found {
		kind := rationale.CheckStanding
		if f.standing == rationale.StandingPinMismatch {
			kind = rationale.CheckPin
		}
		check := rationale.Check{
			Kind: kind, ID: f.standing.String(), Result: rationale.Failed, Reason: f.standing.Reason(), Message: f.message,
		}
		if g.Lapsed == lapsedRecommends && f.standing.Recommendable() {
			check.Result, check.To = rationale.Raised, classify.AuthorizationRequired
		}
		a.add(check)
	}
}

// mode is Observe while the grant or the class says so and the grant itself is
// in force: a lapsed review or a pin is what one observes, a revoked or expired
// grant no longer grants observing.
func (a *assessment) mode() {
	g := a.plan.grant
	until := g.ObserveUntil
	if a.plan.class.ObserveUntil.After(until) {
		until = a.plan.class.ObserveUntil
	}
	if a.d.At.Before(until) && observable(a.d.Standing) {
		a.d.Mode = rationale.Observe
	}
}

func observable(s rationale.Standing) bool {
	return s == rationale.StandingActive || s.Recommendable()
}

// modeWithoutClass is Observe for a call that has no class only if every
// authorization of the agent that competes observes as a whole, and none of
// them may prohibit it: a call that could not be read, or whose classification
// failed, must not run past a prohibition.
func (c *Classified) modeWithoutClass() rationale.Mode {
	if c.set == nil {
		return rationale.Enforce
	}
	mode := rationale.Enforce
	for _, l := range c.set.agents[agentKey{c.call.Agent.ID, c.call.Agent.Environment}] {
		g := l.competing(c.call.At)
		if !g.covers(c.call.Agent.ID, c.call.Agent.Environment) {
			continue
		}
		if !c.call.At.Before(g.ObserveUntil) || !c.cleared && g.prohibits(c.call.Tool) {
			return rationale.Enforce
		}
		if found := c.set.defects(g, c.call.At); len(found) > 0 && !observable(found[0].standing) {
			return rationale.Enforce
		}
		mode = rationale.Observe
	}
	return mode
}

// prohibits reports whether some call of the tool is prohibited.
func (g *grantDoc) prohibits(id classify.ToolID) bool {
	return slices.ContainsFunc(g.Classes, func(class classDoc) bool {
		return class.Tier == classify.Prohibited &&
			slices.ContainsFunc(class.Tools, func(p toolPattern) bool { return p.Pattern.Match(id) })
	})
}

// facts types what the host supplied. A fact that is missing, in error, stale
// or of the wrong type is unavailable: whoever reads it fails.
func (a *assessment) facts() {
	members := make([]strictjson.Member, 0, len(a.plan.facts))
	unavailable := make(map[string]string)
	for _, spec := range a.plan.facts {
		fact := rationale.Fact{Name: spec.Name, Source: spec.Source}
		value, err := a.fact(spec, &fact)
		if err != nil {
			fact.Error = err.Error()
			unavailable[spec.Name] = err.Error()
		} else {
			fact.Value = value.AppendJSON(nil)
			members = append(members, strictjson.Member{Name: spec.Name, Value: value})
		}
		a.d.Facts = append(a.d.Facts, fact)
	}
	a.input.Facts = strictjson.MapValue(strictjson.Object, members)
	a.input.Unavailable = unavailable
}

func (a *assessment) fact(spec FactSpec, fact *rationale.Fact) (strictjson.Value, error) {
	v, ok := a.in.Facts[spec.Name]
	if !ok {
		return strictjson.Value{}, errors.New("the host did not supply it")
	}
	if v.Err != nil {
		return strictjson.Value{}, v.Err
	}
	fact.At = v.At.UTC()
	if age := a.d.At.Sub(v.At); spec.MaxAge > 0 && age > spec.MaxAge {
		return strictjson.Value{}, fmt.Errorf("it is %v old, more than %v", age.Round(time.Millisecond), spec.MaxAge)
	}
	t, err := strictjson.ParseType(spec.Type)
	if err != nil {
		return strictjson.Value{}, err
	}
	return strictjson.FromGo(t, v.Value)
}

func (a *assessment) root(name string) strictjson.Value {
	switch name {
	case "derived":
		return a.input.Derived
	case "facts":
		return a.input.Facts
	default:
		return a.input.Args
	}
}

// inputs lists what a rule refers to, for the record of its check.
func (a *assessment) inputs(rule *celplan.Program) []rationale.Input {
	readings := rule.Readings(a.frame)
	inputs := make([]rationale.Input, len(readings))
	for i, r := range readings {
		path := string(r.Path)
		input, known := a.read[path]
		if !known {
			input.Path = path
			if r.Value.Kind() != strictjson.Invalid {
				input = shownInput(path, r.Value.AppendJSON(nil))
			}
			if a.read == nil {
				a.read = make(map[string]rationale.Input)
			}
			a.read[path] = input
		}
		inputs[i] = input
	}
	return inputs
}

// maxInput bounds a value in a check. Many rules can read one large argument,
// which the record needs only once.
const maxInput = 2048

func shownInput(path string, value []byte) rationale.Input {
	if len(value) > maxInput {
		return rationale.Input{Path: path, Digest: rationale.Digest(value)}
	}
	return rationale.Input{Path: path, Value: value}
}

// allow checks membership. Absent denies; every element of a list must be a
// member.
func (a *assessment) allow() {
	for _, p := range a.plan.allow {
		values, ok := p.path.values(a.root(p.path.root))
		input := rationale.Input{Path: p.path.text}
		if ok {
			input = shownInput(p.path.text, valuesJSON(values, ok))
		}
		check := rationale.Check{
			Kind: rationale.CheckAllow, ID: p.id, Why: p.rule.Why, Result: rationale.Passed, Inputs: []rationale.Input{input},
		}
		if p.rule.Baseline {
			check.Kind = rationale.CheckBaseline
		}
		switch {
		case !ok && p.path.root == "facts":
			check.Result, check.Reason = rationale.Errored, rationale.FactUnavailable
			check.Message = p.path.text + " is not available"
		case !ok:
			check.Result, check.Reason, check.Within = rationale.Failed, rationale.NotAllowed, p.within
			check.Message = p.path.text + " is absent"
		case !p.holds(values):
			check.Result, check.Reason, check.Within = rationale.Failed, rationale.NotAllowed, p.within
			check.Message = p.path.text + " is not on the allow-list"
		}
		a.add(check)
	}
}

// holds reports whether every value is exactly one of the plan's: no case
// folding, no conversion between kinds but integral numbers.
func (p *allowPlan) holds(values []strictjson.Value) bool {
	for _, v := range values {
		if !slices.ContainsFunc(p.values, func(w strictjson.Value) bool { return equalScalar(v, w) }) {
			return false
		}
	}
	return len(values) > 0
}

func equalScalar(v, w strictjson.Value) bool {
	if v.Kind() != w.Kind() {
		return false
	}
	switch v.Kind() {
	case strictjson.String:
		return v.Str() == w.Str()
	case strictjson.Int:
		return v.Int() == w.Int()
	case strictjson.Bool:
		return v.Bool() == w.Bool()
	default:
		return false
	}
}

// bounds must hold; an error denies.
func (a *assessment) bounds() {
	for _, b := range a.plan.bounds {
		check := rationale.Check{
			Kind: rationale.CheckBound, ID: b.id, Why: b.doc.Why, Result: rationale.Passed, Inputs: a.inputs(b.rule),
		}
		if b.doc.Baseline {
			check.Kind = rationale.CheckBaseline
		}
		holds, err := b.rule.Bool(a.frame)
		switch {
		case err != nil:
			check.Result, check.Reason, check.Message = rationale.Errored, evalReason(err), err.Error()
		case !holds:
			check.Result, check.Reason, check.Message = rationale.Failed, rationale.BoundViolated, "the bound does not hold"
		}
		a.add(check)
	}
}

// triggers raise the tier; an error raises to authorization_required.
func (a *assessment) triggers() {
	for _, t := range a.plan.trigger {
		check := rationale.Check{
			Kind: rationale.CheckTrigger, ID: t.id, Why: t.doc.Code, Result: rationale.Passed, Inputs: a.inputs(t.rule),
		}
		fires, err := t.rule.Bool(a.frame)
		switch {
		case err != nil:
			check.Result, check.To = rationale.Raised, classify.Max(classify.AuthorizationRequired, t.doc.To)
			check.Reason, check.Message = evalReason(err), err.Error()
		case fires:
			check.Result, check.To = rationale.Raised, t.doc.To
		}
		a.add(check)
	}
}

func evalReason(err error) rationale.Reason {
	var e *celplan.EvalError
	if errors.As(err, &e) && e.Kind == celplan.Unavailable {
		return rationale.FactUnavailable
	}
	return rationale.EvaluationError
}

func (a *assessment) spend() {
	p := a.plan.spend
	if p == nil {
		return
	}
	s, amount, err := a.price(p)
	a.d.Spend = s
	if err != nil {
		a.add(rationale.Check{
			Kind: rationale.CheckPrice, ID: s.Basis, Result: rationale.Failed, Reason: rationale.Unpriced, Message: err.Error(),
		})
		return
	}
	a.add(rationale.Check{Kind: rationale.CheckPrice, ID: s.Basis, Result: rationale.Passed})
	a.band(p, s, amount)
}

// rationale checks what the class requires, or the default of the effective
// tier for a writing class that says nothing.
func (a *assessment) rationale() {
	required := a.plan.requires(a.tier)
	a.d.Rationale = a.in.Rationale
	if len(required) == 0 && a.in.Rationale == nil && a.in.Malformed == "" {
		return
	}
	result := a.in.Rationale.Check(required, a.in.Malformed, a.in.Read)
	a.d.RationaleCheck = &result
	check := rationale.Check{Kind: rationale.CheckRationale, ID: "rationale", Result: rationale.Passed}
	if !result.Complete {
		check.Result, check.Reason = rationale.Failed, rationale.RationaleIncomplete
		check.Message = lacks(result)
	}
	a.add(check)
}

func lacks(c rationale.RationaleCheck) string {
	if c.Malformed != "" {
		return "the rationale could not be read: " + c.Malformed
	}
	text := "missing:"
	for i, f := range c.Missing {
		if i > 0 {
			text += ","
		}
		text += " " + string(f)
	}
	if len(c.NotFound) > 0 {
		text += fmt.Sprintf("; %d cited call(s) were not executed in this session", len(c.NotFound))
	}
	return text
}
