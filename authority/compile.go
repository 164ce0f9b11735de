package authority

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/internal/yamldoc"
	"github.com/ambit-go/ambit/rationale"
)

// plan is one class compiled for one tool. What every call looks at comes first:
// among thousands of classes that memory is what an evaluation waits for.
type plan struct {
	grant    *grantDoc
	class    *classDoc
	when     *rule // nil: none
	spend    *spendPlan
	steady   bool // it competes at all times
	observes bool // at some time
	toolPin  pin
	allow    []allowPlan
	bounds   []boundPlan
	trigger  []triggerPlan
	facts    []*factPlan // those that some rule reads, sorted by name

	tool      *tool
	pattern   classify.Pattern
	domain    string
	derived   []string // values that some rule reads, sorted by name
	telemetry []string // fields of the record that it may have
	keyed     []string // those that are keyed digests
	limits    []rationale.Limit
	observe   time.Time // until when it observes
}

// planMemory is a plan with the rules of most classes, in one piece.
type planMemory struct {
	plan    plan
	spend   spendPlan
	allow   [3]allowPlan
	bounds  [3]boundPlan
	trigger [2]triggerPlan
}

// competes reports whether the plan's version of its authorization is the one
// that classifies at a time.
func (p *plan) competes(at time.Time) bool { return p.steady || p.grant.competes.has(at) }

// rule is a compiled expression.
type rule struct {
	program   *celplan.Program
	reference *celplan.Program // nil: nothing to compare with
	shown     []int32          // indexes of the tool's inputs
}

type allowPlan struct {
	id   string
	at   *location
	doc  *allowRule
	slot int // of the value, where the path leads no further; else -1
}

type boundPlan struct {
	rule rule
	id   string
	doc  *boundRule
}

type triggerPlan struct {
	rule rule
	id   string
	doc  *escalateRule
}

// compile makes the tools of the manifest, and the plans of every class for
// every tool that it matches.
func (s *Set) compile() []*Error {
	c := &compiler{set: s, host: newHost(s.manifest), ids: make(map[string]string), prices: make(map[priceKey]*priceTable), seen: make(map[string]bool)}
	var jobs []*planning
	for _, b := range c.benches() {
		for _, e := range b.matches {
			jobs = append(jobs, &planning{bench: b, class: e})
		}
	}
	parallel(len(jobs), func(i int) { jobs[i].compile() })
	for _, job := range jobs {
		for _, err := range job.errs {
			c.fail(err)
		}
		for _, env := range job.plan.grant.Environments {
			job.tool.contest(agentKey{job.plan.grant.Agent.Value, env}).add(job.plan)
		}
	}
	s.named()
	for _, t := range s.tools {
		for key, contest := range t.contests {
			contest.prepare(!s.options.reference)
			if len(t.contests) <= maxFew {
				t.few = append(t.few, agentContest{key, contest})
			}
		}
	}
	return c.errs
}

// planning compiles one class for one tool.
type planning struct {
	*bench
	class  indexed
	memory *planMemory
	plan   *plan // in memory
	errs   []*Error

	facts, derived []string // that rules read
}

func (c *planning) fail(err *Error) { c.errs = append(c.errs, err) }

func (c *planning) compile() {
	class, t := c.class.class, c.tool
	m := new(planMemory)
	c.memory, c.plan = m, &m.plan
	p := c.plan
	*p = plan{
		grant: c.class.grant, class: class, tool: t, pattern: c.class.pattern, steady: c.class.grant.competes == period{},
		allow: m.allow[:0], bounds: m.bounds[:0], trigger: m.trigger[:0],
	}
	p.telemetry, p.keyed = class.Record.named(keepTelemetry), class.Record.named(keepHMAC)
	if p.observe = p.grant.ObserveUntil; class.ObserveUntil.After(p.observe) {
		p.observe = class.ObserveUntil
	}
	p.observes = !p.observe.IsZero()
	p.toolPin = p.grant.toolPin(t.id, t.digest)
	domains := domainsOf(c.domains, class)
	if len(domains) > 0 {
		p.domain = domains[0]
	}
	if class.When.Value != "" {
		p.when = c.compileRule(class.When, strictjson.Bool, true)
	}
	c.allow(class.Allow, "allow")
	c.bounds(class.Bounds, "bounds")
	if m := c.set.policy.Matrix; m != nil {
		for i := range m.Baselines {
			if b := &m.Baselines[i]; slices.Contains(domains, b.Domain) {
				c.allow(b.Allow, "baseline "+b.Domain)
				c.bounds(b.Bounds, "baseline "+b.Domain+" bounds")
			}
		}
	}
	for i := range class.Escalate {
		doc := &class.Escalate[i]
		if r := c.compileRule(doc.When, strictjson.Bool, false); r != nil {
			p.trigger = append(p.trigger, triggerPlan{id: c.id("escalate[" + strconv.Itoa(i) + "]"), rule: *r, doc: doc})
		}
	}
	c.spend()
	c.limits()
	c.collectReads()
}

// domainsOf returns the domains of a class for one tool: those of the matrix,
// whatever the class declares, then its own.
func domainsOf(matrix []string, class *classDoc) []string {
	if class.Domain == "" || slices.Contains(matrix, class.Domain) {
		return matrix
	}
	return append(slices.Clip(matrix), class.Domain)
}

// compileRule returns nil where the expression is wrong, which is an error of
// the class.
func (c *planning) compileRule(expr text, want strictjson.Kind, when bool) *rule {
	entry := c.bench.rule(ruleKey{expr.Value, want, when})
	if entry.err != nil {
		c.celErrors(expr.Node, entry.err)
		return nil
	}
	c.facts = append(c.facts, entry.facts...)
	c.derived = append(c.derived, entry.derived...)
	return entry.rule
}

func (c *planning) celErrors(node yamldoc.Node, err error) {
	compileErr, ok := err.(*celplan.CompileError)
	if !ok {
		c.fail(errorAt(node, "%v", err))
		return
	}
	for _, issue := range compileErr.Issues {
		c.fail(errorInside(node, issue.Line, issue.Column, issue.Message))
	}
}

func (c *planning) bounds(rules []boundRule, prefix string) {
	for i := range rules {
		doc := &rules[i]
		if r := c.compileRule(doc.Expr, strictjson.Bool, false); r != nil {
			c.plan.bounds = append(c.plan.bounds, boundPlan{id: c.id(prefix + "[" + strconv.Itoa(i) + "]"), rule: *r, doc: doc})
		}
	}
}

// allow compiles membership rules. A path of a class must exist; one of a
// baseline may be absent from a tool of its domain, which then denies.
func (c *planning) allow(rules []allowRule, prefix string) {
	for i := range rules {
		doc := &rules[i]
		where, err := parsePath(doc.Path.Value)
		if err != nil {
			c.fail(errorAt(doc.Path.Node, "%v", err))
			continue
		}
		t, err := where.typeOf(c.tool.root(where.root))
		if err != nil && !doc.Baseline {
			c.fail(errorAt(doc.Path.Node, "%v", err))
			continue
		}
		if err == nil && t.Kind != strictjson.Dyn {
			c.allowKinds(doc, where.text, t)
		}
		c.note(where)
		at := c.locate(where)
		rule := allowPlan{id: c.id(prefix + " " + where.text), at: at, doc: doc, slot: -1}
		if len(at.rest) == 0 {
			rule.slot = at.slot
		}
		c.plan.allow = append(c.plan.allow, rule)
	}
}

func (c *planning) allowKinds(doc *allowRule, where string, t *strictjson.Type) {
	for _, v := range doc.Values {
		if kind := v.Value.Kind(); kind != t.Kind {
			c.fail(errorAt(v.Node, "%s is %s in tool %s, so it is never equal to %s", where, t, c.tool.id, kind))
		}
	}
}

// within says what an allow-list admits.
func (r *allowRule) within() string {
	words := make([]string, len(r.Values))
	for i, v := range r.Values {
		words[i] = v.word()
	}
	return "one of " + strings.Join(words, ", ")
}

func (v allowValue) word() string {
	switch v.Value.Kind() {
	case strictjson.Int:
		return strconv.FormatInt(v.Value.Int(), 10)
	case strictjson.Bool:
		return strconv.FormatBool(v.Value.Bool())
	default:
		return v.Value.Str()
	}
}

// note keeps the name of a fact or derived value that a path begins with.
func (c *planning) note(p path) {
	switch p.root {
	case "facts":
		c.facts = append(c.facts, p.steps[0].name)
	case "derived":
		c.derived = append(c.derived, p.steps[0].name)
	}
}

// collectReads finds the facts and derived values that the plan needs.
func (c *planning) collectReads() {
	slices.Sort(c.facts)
	for _, name := range slices.Compact(c.facts) {
		if f := c.fact(name); f != nil {
			c.plan.facts = append(c.plan.facts, f)
		}
	}
	slices.Sort(c.derived)
	for _, name := range slices.Compact(c.derived) {
		c.plan.derived = append(c.plan.derived, c.compiler.id(name))
	}
}

// expression is a compiled expression, and where it is written.
type expression struct {
	rule *rule
	text text
}

// expressions returns the plan's expressions.
func (p *plan) expressions() []expression {
	var all []expression
	if p.when != nil {
		all = append(all, expression{p.when, p.class.When})
	}
	for i := range p.bounds {
		all = append(all, expression{&p.bounds[i].rule, p.bounds[i].doc.Expr})
	}
	for i := range p.trigger {
		all = append(all, expression{&p.trigger[i].rule, p.trigger[i].doc.When})
	}
	if p.spend != nil && p.spend.quantity != nil {
		all = append(all, expression{p.spend.quantity, p.spend.doc.Quantity})
	}
	return all
}
