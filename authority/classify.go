package authority

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/rationale"
)

// Classified is a call of which the tool is known, the arguments are parsed
// and the class is found; or one that failed at one of these, which is denied
// whatever follows. It belongs to one evaluation and one goroutine, and
// [Set.Assess] ends it.
type Classified struct {
	set  *Set
	call Call
	plan *plan  // nil: not classified
	args []byte // the checked bytes
	// evaluation is nil once it was assessed: its memory serves other calls.
	evaluation atomic.Pointer[evaluation]
}

// Classify identifies the tool, parses the arguments against its schema,
// derives what the competing classes read, and finds the class. It never
// fails: what went wrong is in the result, which [Set.Assess] denies.
func (s *Set) Classify(call Call) *Classified {
	e := begin(s, &call)
	e.records = true
	e.classify()
	c := &Classified{set: s, call: call, plan: e.plan, args: e.args}
	c.evaluation.Store(e)
	return c
}

// failure says why a call has no class.
type failure uint8

const (
	classified failure = iota // it has one
	noDocuments
	unknownTool
	invalidArguments
	noAuthorization
	notDerived
	whenFailed
	ambiguous
	unclassified
	classifyPanicked
)

func (f failure) reason() rationale.Reason {
	switch f {
	case noDocuments, noAuthorization:
		return rationale.NoAuthorization
	case unknownTool:
		return rationale.UnknownTool
	case invalidArguments:
		return rationale.InvalidArguments
	case ambiguous:
		return rationale.AmbiguousClass
	case unclassified:
		return rationale.Unclassified
	default:
		return rationale.EvaluationError
	}
}

func (f failure) result() rationale.CheckResult {
	if f.reason() == rationale.EvaluationError {
		return rationale.Errored
	}
	return rationale.Failed
}

// refuse ends the classification.
func (e *evaluation) refuse(f failure, err error) {
	e.plan, e.failed, e.err = nil, f, err
}

// classify is the first half of the evaluation. It sets the plan or the failure.
func (e *evaluation) classify() {
	defer func() {
		if r := recover(); r != nil {
			e.broken = true
			e.refuse(classifyPanicked, fmt.Errorf("classification panicked: %v", r))
		}
	}()
	if e.set == nil {
		e.refuse(noDocuments, nil)
		return
	}
	if !e.identify() || !e.parse() {
		return
	}
	contest := e.tool.contestFor(&e.call.Agent)
	if contest == nil {
		e.withoutClass()
		return
	}
	if e.derive(contest) {
		e.choose(contest)
	}
}

func (e *evaluation) identify() bool {
	e.tool = e.set.find(&e.call.Tool)
	if e.tool == nil {
		e.refuse(unknownTool, nil)
		return false
	}
	return true
}

// parse reads the arguments into the frame, from a copy: the caller may change
// its own.
func (e *evaluation) parse() bool {
	args := e.call.Arguments
	if len(args) == 0 {
		args = emptyObject // what some models send for a tool without arguments
	}
	limits := strictjson.DefaultLimits()
	switch {
	case len(args) > limits.Bytes: // refused for its length alone
	case e.records:
		args = slices.Clone(args)
	default:
		e.own = append(e.own, args...)
		args = e.own
	}
	e.frame.Begin(e.tool.layout)
	if err := e.frame.ReadArgs(args, limits); err != nil {
		e.refuse(invalidArguments, err)
		return false
	}
	e.args = args
	if e.tool.readsCall.Load() {
		e.frame.SetCall(celplan.CallInfo{
			Tool: e.tool.name, Agent: e.call.Agent.ID, Environment: e.call.Agent.Environment,
			Session: e.call.Agent.Session, Time: e.call.At,
		})
	}
	return true
}

// emptyObject is never changed.
var emptyObject = []byte("{}")

// derive computes the derived values that any competing class reads. What
// cannot be opened denies.
func (e *evaluation) derive(c *contest) bool {
	for i := range c.derived {
		d := &c.derived[i]
		if !d.during.has(e.call.At) {
			continue
		}
		value, err := e.deriveOne(d)
		e.derived = append(e.derived, derivedState{name: d.Name, value: value, err: err})
		if err != nil {
			e.refuse(notDerived, err)
			return false
		}
		e.frame.Set(d.slot, value)
	}
	return true
}

func (e *evaluation) deriveOne(d *derivation) (strictjson.Value, error) {
	if e.call.Derive == nil {
		return strictjson.Value{}, fmt.Errorf("the host does not derive %s", d.Name)
	}
	v, err := e.call.Derive(d.Name, json.RawMessage(slices.Clone(e.args)))
	if err != nil {
		return strictjson.Value{}, err
	}
	return strictjson.FromGo(d.Type, v)
}

// choose finds the class among those that may be it.
func (e *evaluation) choose(c *contest) {
	plans, candidates := c.steady, c.candidates
	if plans == nil {
		plans, candidates = e.mayHold(c)
	}
	var found classify.Result
	if len(plans) == 1 {
		found = e.only(plans[0])
	} else {
		found = classify.Choose(candidates, func(i int) (bool, error) { return e.matches(plans[i]) })
	}
	e.cleared = found.Outcome != classify.Failed || !candidates[found.Index].Prohibited
	switch found.Outcome {
	case classify.Classified:
		e.plan = plans[found.Index]
	case classify.Ambiguous:
		for _, i := range found.Also {
			e.also = append(e.also, plans[i])
		}
		e.refuse(ambiguous, nil)
	case classify.Failed:
		e.failedAt = plans[found.Index]
		e.refuse(whenFailed, found.Err)
	default:
		e.withoutClass()
	}
}

// only is [classify.Choose] of one plan, which an index or a small policy leaves.
func (e *evaluation) only(p *plan) classify.Result {
	holds, err := e.matches(p)
	switch {
	case err != nil:
		return classify.Result{Outcome: classify.Failed, Err: err}
	case holds:
		return classify.Result{Outcome: classify.Classified}
	}
	return classify.Result{}
}

// matches evaluates the condition of a plan.
func (e *evaluation) matches(p *plan) (bool, error) {
	if p.when == nil {
		return true, nil
	}
	return e.holds(p.when)
}

// mayHold returns the plans that compete and may be the class of the call:
// the prohibited ones, and those of the most specific pattern that competes.
func (e *evaluation) mayHold(c *contest) ([]*plan, []classify.Candidate) {
	at := e.call.At
	e.asked = c.prohibited.competing(&e.frame, at, e.asked)
	for i := range c.patterns {
		if p := &c.patterns[i]; p.during.has(at) {
			e.asked = p.competing(&e.frame, at, e.asked)
			break
		}
	}
	for _, p := range e.asked {
		e.candidates = append(e.candidates, p.candidate())
	}
	return e.asked, e.candidates
}

func (p *plan) candidate() classify.Candidate {
	return classify.Candidate{Pattern: p.pattern, Prohibited: p.class.Tier == classify.Prohibited}
}

// withoutClass says whether the agent has any authority at all.
func (e *evaluation) withoutClass() {
	e.cleared = true
	scope := e.set.agents[agentKey{e.call.Agent.ID, e.call.Agent.Environment}]
	if scope == nil || !scope.authorized.has(e.call.At) {
		e.refuse(noAuthorization, nil)
		return
	}
	e.refuse(unclassified, nil)
}

// modeWithoutClass is Observe for a call that has no class only if every
// authorization of the agent that competes observes as a whole, and none of
// them may prohibit it: a call that could not be read, or whose classification
// failed, must not run past a prohibition.
func (e *evaluation) modeWithoutClass() rationale.Mode {
	if e.set == nil {
		return rationale.Enforce
	}
	scope := e.set.agents[agentKey{e.call.Agent.ID, e.call.Agent.Environment}]
	if scope == nil || !scope.authorized.has(e.call.At) || scope.enforced.has(e.call.At) {
		return rationale.Enforce
	}
	for _, l := range scope.lines {
		g := l.competing(e.call.At)
		if g == nil || !g.covers(e.call.Agent.ID, e.call.Agent.Environment) {
			continue
		}
		if !e.cleared && g.prohibits(e.call.Tool) {
			return rationale.Enforce
		}
		if standing, _ := g.standing(e.call.At); !observable(standing) {
			return rationale.Enforce
		}
	}
	return rationale.Observe
}

// prohibits reports whether some call of the tool is prohibited.
func (g *grantDoc) prohibits(id classify.ToolID) bool {
	return slices.ContainsFunc(g.Classes, func(class classDoc) bool {
		return class.Tier == classify.Prohibited &&
			slices.ContainsFunc(class.Tools, func(p toolPattern) bool { return p.Pattern.Match(id) })
	})
}

func (p *plan) name() string { return p.grant.ID.Value + "/" + p.class.ID.Value }

// maxNamed bounds how many classes one message names.
const maxNamed = 20

func join(ids []string) string {
	slices.Sort(ids)
	if more := len(ids) - maxNamed; more > 0 {
		ids = append(ids[:maxNamed:maxNamed], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(ids, ", ")
}

// Class returns the id of the class, or "" where none was found.
func (c *Classified) Class() string {
	if c.plan == nil {
		return ""
	}
	return c.plan.class.ID.Value
}

// Arguments returns the checked bytes, a copy made before they were parsed;
// nil where they could not be parsed. The caller must not change them.
func (c *Classified) Arguments() []byte { return c.args }

// Facts returns the facts that the class reads, each with the key that its
// arguments give it. None where the call is not classified, or was assessed.
func (c *Classified) Facts() []FactRequest {
	e := c.evaluation.Swap(nil) // so that nobody ends it meanwhile
	if e == nil {
		return nil
	}
	defer c.evaluation.Store(e)
	if c.plan == nil {
		return nil
	}
	requests := make([]FactRequest, len(c.plan.facts))
	for i, f := range c.plan.facts {
		requests[i] = FactRequest{Name: f.name, Key: e.factKey(f)}
	}
	return requests
}

// Estimator returns the name of the Go estimator that prices the class, or "".
func (c *Classified) Estimator() string {
	if c.plan == nil || c.plan.spend == nil {
		return ""
	}
	return c.plan.spend.doc.Estimator.Value
}
