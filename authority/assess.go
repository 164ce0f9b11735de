package authority

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/rationale"
)

// Assess ends the evaluation of a classified call, without side effects: it
// returns a draft decision, concluded by [rationale.Conclude], without id and
// host trace. Everything that is in scope is evaluated, so that the draft names
// all that failed. It never panics and never returns nil.
//
// A call is assessed once, by the Set that classified it. Any other use denies.
func (s *Set) Assess(c *Classified, in Input) *rationale.Decision {
	if c == nil {
		c = new(Classified)
	}
	e := c.evaluation.Swap(nil)
	if e == nil {
		return refuseAssessment(&c.call, "the call was not classified, or was assessed before")
	}
	defer e.release()
	if c.set != s {
		return refuseAssessment(&c.call, "the call was classified under other documents")
	}
	e.assess(in)
	return e.decision()
}

// refuseAssessment is the decision on a call that cannot be assessed. It has no
// digest of the arguments, since it is not known what may be recorded of them.
func refuseAssessment(call *Call, why string) *rationale.Decision {
	d := draft(call)
	d.Checks = []rationale.Check{{
		Kind: rationale.CheckClass, ID: "assess", Result: rationale.Errored, Reason: rationale.EvaluationError, Message: why,
	}}
	rationale.Conclude(d)
	return d
}

// assess is the second half of the evaluation. No stage looks at whether an
// earlier one failed.
func (e *evaluation) assess(in Input) {
	defer func() {
		if r := recover(); r != nil {
			e.caught(r)
		}
	}()
	e.in = in
	if e.plan == nil {
		e.tally.Add(e.failed.result(), e.failed.reason(), 0)
		e.tally.Mode = e.modeWithoutClass()
		return
	}
	e.tally.Classified, e.tally.Tier = true, e.plan.class.Tier
	e.standing()
	e.mode()
	e.action()
	e.supply()
	e.allow()
	e.bounds()
	e.triggers()
	e.spend()
	e.rational()
}

// standing marks the standing, each defect as a check of its own. A class that
// may recommend while its review or a pin lapsed is raised instead of failed
// by these.
func (e *evaluation) standing() {
	g := e.plan.grant
	e.stretch = g.standingAt(e.call.At)
	e.pins = g.comparePins(&e.call.Model, e.call.Prompt, e.plan.toolPin)
	defects := e.stretch.defects
	if len(defects) == 0 && !e.pins.mismatch() {
		e.tally.Standing = rationale.StandingActive
		e.passed(markActive, 0)
		return
	}
	e.tally.Standing = rationale.StandingPinMismatch
	if len(defects) > 0 && (!e.pins.mismatch() || defects[0].standing < rationale.StandingPinMismatch) {
		e.tally.Standing = defects[0].standing
	}
	i := 0
	for ; i < len(defects) && defects[i].standing <= rationale.StandingPinMismatch; i++ {
		e.defect(markStanding, i, defects[i].standing)
	}
	for i, is := range [...]pin{e.pins.model, e.pins.prompt, e.pins.tool} {
		if is == mismatches {
			e.defect(markModel+markKind(i), 0, rationale.StandingPinMismatch)
		}
	}
	for ; i < len(defects); i++ {
		e.defect(markStanding, i, defects[i].standing)
	}
}

func (e *evaluation) defect(kind markKind, index int, standing rationale.Standing) {
	m := mark{kind: kind, index: int32(index), result: rationale.Failed, reason: standing.Reason()}
	if e.plan.grant.Lapsed == lapsedRecommends && standing.Recommendable() {
		m.result, m.to = rationale.Raised, classify.AuthorizationRequired
	}
	e.mark(m)
}

// mode is Observe while the grant or the class says so and the grant itself is
// in force: a lapsed review or a pin is what one observes, a revoked or expired
// grant no longer grants observing.
func (e *evaluation) mode() {
	if e.plan.observes && e.call.At.Before(e.plan.observe) && observable(e.tally.Standing) {
		e.tally.Mode = rationale.Observe
	}
}

func observable(s rationale.Standing) bool {
	return s == rationale.StandingActive || s.Recommendable()
}

var errNotText = errors.New("action digest: the identity of the call is no valid text")

// action fails a call that an approval could not be bound to: one whose digest
// would be of text that is not valid. What documents and tools say is valid
// since they loaded, and arguments since they were read.
func (e *evaluation) action() {
	m := &e.call.Model
	valid := utf8.ValidString(e.call.Agent.OnBehalfOf)
	if e.pins.model != matches { // else it is what a document says
		valid = valid && utf8.ValidString(m.Provider) && utf8.ValidString(m.Name) && utf8.ValidString(m.Version)
	}
	if !valid {
		e.mark(mark{kind: markAction, result: rationale.Errored, reason: rationale.EvaluationError, err: errNotText})
	}
}

// allow checks membership. Absent denies; every element of a list must be a
// member.
func (e *evaluation) allow() {
	for i := range e.plan.allow {
		p := &e.plan.allow[i]
		switch holds, there := e.allows(p); {
		case !there && p.at.root == "facts":
			e.mark(mark{kind: markAllow, index: int32(i), result: rationale.Errored, reason: rationale.FactUnavailable})
		case !holds:
			e.mark(mark{kind: markAllow, index: int32(i), result: rationale.Failed, reason: rationale.NotAllowed})
		default:
			e.passed(markAllow, i)
		}
	}
}

// allows reports whether every value at the rule's path is one of its members,
// and whether there is a value at all, without which it never is.
func (e *evaluation) allows(p *allowPlan) (holds, there bool) {
	if p.slot >= 0 {
		if v := e.frame.Value(p.slot); v.Kind() != strictjson.List {
			return p.doc.has(v), v.Kind() != strictjson.Invalid
		}
	}
	values, there := e.valuesAt(p.at)
	for _, v := range values {
		if !p.doc.has(v) {
			return false, there
		}
	}
	return there, there
}

// has reports whether a value is exactly one of the rule's members: no case
// folding, no conversion between kinds but integral numbers.
func (r *allowRule) has(v strictjson.Value) bool {
	if v.Kind() == strictjson.String {
		return slices.Contains(r.texts, v.Str())
	}
	for i := range r.Values {
		if equalScalar(v, r.Values[i].Value) {
			return true
		}
	}
	return false
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
func (e *evaluation) bounds() {
	for i := range e.plan.bounds {
		switch holds, err := e.holds(&e.plan.bounds[i].rule); {
		case err != nil:
			e.mark(mark{kind: markBound, index: int32(i), result: rationale.Errored, reason: evalReason(err), err: err})
		case !holds:
			e.mark(mark{kind: markBound, index: int32(i), result: rationale.Failed, reason: rationale.BoundViolated})
		default:
			e.passed(markBound, i)
		}
	}
}

// triggers raise the tier; an error raises to authorization_required, and a
// disagreement of the evaluators denies.
func (e *evaluation) triggers() {
	for i := range e.plan.trigger {
		t := &e.plan.trigger[i]
		switch fires, err := e.holds(&t.rule); {
		case disagrees(err):
			e.mark(mark{kind: markTrigger, index: int32(i), result: rationale.Errored, reason: rationale.EvaluationError, err: err})
		case err != nil:
			to := classify.Max(classify.AuthorizationRequired, t.doc.To)
			e.mark(mark{kind: markTrigger, index: int32(i), result: rationale.Raised, to: to, reason: evalReason(err), err: err})
		case fires:
			e.mark(mark{kind: markTrigger, index: int32(i), result: rationale.Raised, to: t.doc.To})
		default:
			e.passed(markTrigger, i)
		}
	}
}

func evalReason(err error) rationale.Reason {
	if e, ok := errors.AsType[*celplan.EvalError](err); ok && e.Kind == celplan.Unavailable {
		return rationale.FactUnavailable
	}
	return rationale.EvaluationError
}

// rational checks what the class requires of a rationale, or the default of the
// effective tier for a writing class that says nothing.
func (e *evaluation) rational() {
	required := e.set.requires(e.plan.class, e.tally.Tier)
	r := e.in.Rationale
	if len(required) == 0 { // whatever is given is complete, and only a record tells of it
		given := r != nil || e.in.Malformed != ""
		asks := r != nil && len(r.Evidence) > 0
		if !given || !e.records && !asks {
			return
		}
	}
	check := r.Check(required, e.in.Malformed, e.in.Read)
	if e.records {
		e.rationale = keepCheck(check)
	}
	m := mark{kind: markRationale, result: rationale.Passed}
	if !check.Complete {
		m.result, m.reason = rationale.Failed, rationale.RationaleIncomplete
	}
	e.mark(m)
}

// keepCheck moves a check to where records can refer to it.
func keepCheck(c rationale.RationaleCheck) *rationale.RationaleCheck { return &c }

func lacks(c *rationale.RationaleCheck) string {
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
