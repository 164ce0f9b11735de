package authority

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/rationale"
)

// Classified is a call of which the tool is known, the arguments are parsed
// and the class is found; or one that failed at one of these, which is denied
// whatever follows. It belongs to one evaluation and one goroutine.
type Classified struct {
	set   *Set
	call  Call
	tool  *tool
	plan  *plan            // nil: not classified
	fail  *rationale.Check // why not
	args  []byte           // the checked bytes
	input celplan.Input
	// derived are the values that were derived before classification.
	derived []rationale.Fact
	// cleared says that every prohibited class that competes was asked, and
	// none holds.
	cleared bool
}

// Classify identifies the tool, parses the arguments against its schema,
// derives what the competing classes read, and finds the class. It never
// fails: what went wrong is in the result, which [Set.Assess] denies.
func (s *Set) Classify(call Call) (c *Classified) {
	c = &Classified{set: s, call: call}
	defer func() {
		if r := recover(); r != nil {
			c.plan = nil
			c.deny(rationale.CheckClass, "classify", rationale.EvaluationError, fmt.Sprintf("classification panicked: %v", r))
		}
	}()
	if s == nil {
		c.deny(rationale.CheckClass, "classify", rationale.NoAuthorization, "no documents are loaded")
		return c
	}
	if c.identify() && c.parse() {
		c.classify()
	}
	return c
}

func (c *Classified) deny(kind rationale.CheckKind, id string, reason rationale.Reason, message string) {
	result := rationale.Failed
	if reason == rationale.EvaluationError {
		result = rationale.Errored
	}
	c.fail = &rationale.Check{Kind: kind, ID: id, Result: result, Reason: reason, Message: message}
}

func (c *Classified) identify() bool {
	t, ok := c.set.tools[c.call.Tool.String()]
	if !ok || c.call.Tool.Validate() != nil {
		c.deny(rationale.CheckTool, c.call.Tool.String(), rationale.UnknownTool, "this tool is not registered with the guard")
		return false
	}
	c.tool = t
	return true
}

func (c *Classified) parse() bool {
	args := slices.Clone(c.call.Arguments)
	if len(args) == 0 {
		args = []byte("{}") // what some models send for a tool without arguments
	}
	value, err := c.tool.schema.Decode(args, strictjson.DefaultLimits())
	if err != nil {
		c.deny(rationale.CheckArguments, "arguments", rationale.InvalidArguments, err.Error())
		return false
	}
	c.args = args
	c.input = celplan.Input{
		Args:    value,
		Derived: strictjson.MapValue(strictjson.Object, nil),
		Facts:   strictjson.MapValue(strictjson.Object, nil),
		Call: celplan.CallInfo{
			Tool: c.call.Tool.String(), Agent: c.call.Agent.ID, Environment: c.call.Agent.Environment,
			Session: c.call.Agent.Session, Time: c.call.At,
		},
	}
	return true
}

func (c *Classified) classify() {
	if !c.set.authorizes(c.call) {
		c.deny(rationale.CheckClass, "classify", rationale.NoAuthorization,
			fmt.Sprintf("no authorization names agent %s in environment %s", c.call.Agent.ID, c.call.Agent.Environment))
		return
	}
	plans := c.set.competing(c.call)
	if !c.derive(plans) {
		return
	}
	candidates := make([]classify.Candidate, len(plans))
	f := c.frame()
	for i, p := range plans {
		candidates[i] = classify.Candidate{Pattern: p.pattern, Prohibited: p.class.Tier == classify.Prohibited}
		if p.when != nil {
			candidates[i].When = func() (bool, error) { return p.when.Bool(f) }
		}
	}
	c.conclude(plans, classify.Choose(candidates))
}

// frame returns what rules read, as far as it is known.
func (c *Classified) frame() *celplan.Frame {
	f := new(celplan.Frame)
	f.Begin(c.tool.layout)
	f.Load(&c.input)
	return f
}

func (c *Classified) conclude(plans []*plan, found classify.Result) {
	c.cleared = found.Outcome != classify.Failed || plans[found.Index].class.Tier != classify.Prohibited
	switch found.Outcome {
	case classify.Classified:
		c.plan = plans[found.Index]
	case classify.Ambiguous:
		var ids []string
		for _, i := range found.Also {
			ids = append(ids, plans[i].name())
		}
		c.deny(rationale.CheckClass, "classify", rationale.AmbiguousClass, fmt.Sprintf("more than one class holds: %s", join(ids)))
	case classify.Failed:
		c.deny(rationale.CheckClass, "when of "+plans[found.Index].name(), rationale.EvaluationError, found.Err.Error())
	default:
		c.deny(rationale.CheckClass, "classify", rationale.Unclassified, "no class of the agent's authorizations covers this call")
	}
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

// authorizes reports whether some competing version names the agent in its
// environment, whatever its standing.
func (s *Set) authorizes(call Call) bool {
	for _, l := range s.agents[agentKey{call.Agent.ID, call.Agent.Environment}] {
		if l.competing(call.At).covers(call.Agent.ID, call.Agent.Environment) {
			return true
		}
	}
	return false
}

// competing returns the plans of the versions that compete at the time of the
// call, the most specific pattern first.
func (s *Set) competing(call Call) []*plan {
	all := s.plans[planKey{call.Agent.ID, call.Agent.Environment, call.Tool.String()}]
	plans := make([]*plan, 0, len(all))
	for _, p := range all {
		if p.line.competing(call.At) == p.grant {
			plans = append(plans, p)
		}
	}
	return plans
}

// derive computes the derived values that any competing class reads. What
// cannot be opened denies.
func (c *Classified) derive(plans []*plan) bool {
	var members []strictjson.Member
	for _, field := range c.tool.derived.Fields {
		if !slices.ContainsFunc(plans, func(p *plan) bool { return slices.Contains(p.derived, field.Name) }) {
			continue
		}
		fact := rationale.Fact{Name: field.Name, Source: "derived from the arguments", At: c.call.At}
		value, err := c.deriveOne(field)
		if err != nil {
			fact.Error = err.Error()
			c.derived = append(c.derived, fact)
			c.deny(rationale.CheckDerived, "derived."+field.Name, rationale.EvaluationError, err.Error())
			return false
		}
		fact.Value = value.AppendJSON(nil)
		c.derived = append(c.derived, fact)
		members = append(members, strictjson.Member{Name: field.Name, Value: value})
	}
	c.input.Derived = strictjson.MapValue(strictjson.Object, members)
	return true
}

func (c *Classified) deriveOne(field strictjson.Field) (strictjson.Value, error) {
	if c.call.Derive == nil {
		return strictjson.Value{}, fmt.Errorf("the host does not derive %s", field.Name)
	}
	v, err := c.call.Derive(field.Name, json.RawMessage(slices.Clone(c.args)))
	if err != nil {
		return strictjson.Value{}, err
	}
	return strictjson.FromGo(field.Type, v)
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
// arguments give it. None where the call is not classified.
func (c *Classified) Facts() []FactRequest {
	if c.plan == nil {
		return nil
	}
	requests := make([]FactRequest, len(c.plan.facts))
	for i, spec := range c.plan.facts {
		requests[i] = FactRequest{Name: spec.Name, Key: c.factKey(spec)}
	}
	return requests
}

// maxFactKey bounds a key, which hosts keep: a longer one is its digest.
const maxFactKey = 256

// factKey is what a fact's value may depend on: the values at its By paths, as
// they are nested. Where one is absent the function may look at anything in
// its place, so all the arguments are the key.
func (c *Classified) factKey(spec FactSpec) string {
	if len(spec.By) == 0 {
		return ""
	}
	key := []byte{'['}
	for i, text := range spec.By {
		if i > 0 {
			key = append(key, ',')
		}
		where, err := parsePath(text)
		ok := err == nil && where.root != "facts"
		if ok {
			root := c.input.Args
			if where.root == "derived" {
				root = c.input.Derived
			}
			key, ok = appendNested(key, root, where.steps)
		}
		if !ok {
			key = fmt.Appendf(nil, "%q %s", c.tool.id, c.args)
			break
		}
	}
	if len(key) > maxFactKey {
		return rationale.Digest(key)
	}
	return string(key)
}

// appendNested appends the values that the steps lead to from v, each list on
// the way as an array; false where one is absent.
func appendNested(key []byte, v strictjson.Value, steps []step) ([]byte, bool) {
	if len(steps) == 0 {
		return v.AppendJSON(key), true
	}
	if v.Kind() == strictjson.List {
		key = append(key, '[')
		for _, elem := range v.List() {
			var ok bool
			if key, ok = appendNested(key, elem, steps); !ok {
				return nil, false
			}
			key = append(key, ',')
		}
		return append(key, ']'), true
	}
	member, ok := v.Get(steps[0].name)
	if !ok {
		return nil, false
	}
	return appendNested(key, member, steps[1:])
}

// valuesJSON writes one value as itself and several as an array; null where
// there is none.
func valuesJSON(values []strictjson.Value, ok bool) []byte {
	switch {
	case !ok:
		return []byte("null")
	case len(values) == 1:
		return values[0].AppendJSON(nil)
	default:
		return strictjson.ListValue(values).AppendJSON(nil)
	}
}

// Estimator returns the name of the Go estimator that prices the class, or "".
func (c *Classified) Estimator() string {
	if c.plan == nil || c.plan.spend == nil {
		return ""
	}
	return c.plan.spend.doc.Estimator.Value
}
