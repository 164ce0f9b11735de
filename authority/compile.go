package authority

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/internal/yamldoc"
)

// tool is a registered tool with what its arguments look like to CEL.
type tool struct {
	spec    Tool
	id      classify.ToolID
	digest  string
	schema  *strictjson.Schema
	derived *strictjson.Type // an Object
	facts   *strictjson.Type // an Object
	layout  *celplan.Layout
	env     *celplan.Env
	when    *celplan.Env // without facts, which are fetched once the class is known
}

func newTool(spec Tool, m Manifest) (*tool, error) {
	t := &tool{spec: spec, id: spec.ID(), digest: spec.Digest()}
	if err := t.id.Validate(); err != nil {
		return nil, err
	}
	var err error
	if t.schema, err = strictjson.CompileSchema(spec.Schema); err != nil {
		return nil, fmt.Errorf("tool %s: schema: %w", t.id, err)
	}
	if t.derived, err = derivedType(m, t.id); err != nil {
		return nil, err
	}
	if t.facts, err = factsType(m); err != nil {
		return nil, err
	}
	t.layout = celplan.NewLayout(t.schema)
	t.env, err = celplan.NewEnv(celplan.Scope{Args: t.schema.Type(), Derived: t.derived, Facts: t.facts}, t.layout)
	if err == nil {
		t.when, err = celplan.NewEnv(celplan.Scope{Args: t.schema.Type(), Derived: t.derived}, t.layout)
	}
	if err != nil {
		return nil, fmt.Errorf("tool %s: %w", t.id, err)
	}
	return t, nil
}

func derivedType(m Manifest, id classify.ToolID) (*strictjson.Type, error) {
	object := &strictjson.Type{Kind: strictjson.Object}
	for _, spec := range m.Derived {
		if spec.Tool != id.String() {
			continue
		}
		t, err := strictjson.ParseType(spec.Type)
		if err != nil {
			return nil, fmt.Errorf("derived value %s of tool %s: %w", spec.Name, id, err)
		}
		object.Fields = append(object.Fields, strictjson.Field{Name: spec.Name, Type: t, Required: true})
	}
	return sortFields(object), nil
}

func factsType(m Manifest) (*strictjson.Type, error) {
	object := &strictjson.Type{Kind: strictjson.Object}
	for _, spec := range m.Facts {
		t, err := strictjson.ParseType(spec.Type)
		if err != nil {
			return nil, fmt.Errorf("fact %s: %w", spec.Name, err)
		}
		object.Fields = append(object.Fields, strictjson.Field{Name: spec.Name, Type: t, Required: true})
	}
	return sortFields(object), nil
}

func sortFields(object *strictjson.Type) *strictjson.Type {
	slices.SortFunc(object.Fields, func(a, b strictjson.Field) int { return cmp.Compare(a.Name, b.Name) })
	return object
}

// root returns the type that a path of that root starts at.
func (t *tool) root(name string) *strictjson.Type {
	switch name {
	case "derived":
		return t.derived
	case "facts":
		return t.facts
	default:
		return t.schema.Type()
	}
}

// plan is one class compiled for one tool.
type plan struct {
	line    *line
	grant   *grantDoc
	class   *classDoc
	tool    *tool
	pattern classify.Pattern
	domain  string

	when    *celplan.Program
	allow   []allowPlan
	bounds  []boundPlan
	trigger []triggerPlan
	spend   *spendPlan

	facts   []FactSpec // those that some rule reads
	derived []string   // likewise
}

type allowPlan struct {
	id     string
	path   path
	values []strictjson.Value
	within string
	rule   allowRule
}

type boundPlan struct {
	id   string
	rule *celplan.Program
	doc  boundRule
}

type triggerPlan struct {
	id   string
	rule *celplan.Program
	doc  escalateRule
}

// compile makes the plans of every class for every tool that it matches.
func (s *Set) compile() []*Error {
	ids := make([]string, 0, len(s.tools))
	for id := range s.tools {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	c := &compiler{set: s, index: newPatternIndex(s.sortedLines()), seen: make(map[string]bool)}
	for _, id := range ids {
		c.tool(s.tools[id])
	}
	return c.errs
}

type compiler struct {
	set   *Set
	index *patternIndex
	errs  []*Error
	seen  map[string]bool // errors that another tool gave already
}

func (c *compiler) fail(err *Error) {
	if key := err.Error(); !c.seen[key] {
		c.seen[key] = true
		c.errs = append(c.errs, err)
	}
}

func (c *compiler) tool(t *tool) {
	for _, e := range c.index.match(t.id) {
		p := c.plan(e, t)
		for _, env := range e.grant.Environments {
			key := planKey{e.grant.Agent.Value, env, t.id.String()}
			c.set.plans[key] = append(c.set.plans[key], p)
		}
	}
}

func (c *compiler) plan(e indexed, t *tool) *plan {
	p := &plan{line: e.line, grant: e.grant, class: e.class, tool: t, pattern: e.pattern}
	domains := c.set.domains(e.class, t.id)
	if len(domains) > 0 {
		p.domain = domains[0]
	}
	if e.class.When.Value != "" {
		p.when = c.rule(t.when, e.class.When, strictjson.Bool)
	}
	c.allow(p, e.class.Allow, "allow")
	c.bounds(p, e.class.Bounds, "bounds")
	if c.set.policy.Matrix != nil {
		for _, b := range c.set.policy.Matrix.Baselines {
			if slices.Contains(domains, b.Domain) {
				c.allow(p, b.Allow, "baseline "+b.Domain)
				c.bounds(p, b.Bounds, "baseline "+b.Domain+" bounds")
			}
		}
	}
	for i, doc := range e.class.Escalate {
		if r := c.boolean(t, doc.When); r != nil {
			p.trigger = append(p.trigger, triggerPlan{id: fmt.Sprintf("escalate[%d]", i), rule: r, doc: doc})
		}
	}
	c.spend(p)
	p.collectReads(c.set.manifest)
	return p
}

// domains returns the domains of a class for one tool: those of the matrix,
// whatever the class declares, then its own.
func (s *Set) domains(class *classDoc, id classify.ToolID) []string {
	var domains []string
	if s.policy.Matrix != nil {
		domains = s.policy.Matrix.domainsOf(id)
	}
	if class.Domain != "" && !slices.Contains(domains, class.Domain) {
		domains = append(domains, class.Domain)
	}
	return domains
}

func (c *compiler) boolean(t *tool, expr text) *celplan.Program {
	return c.rule(t.env, expr, strictjson.Bool)
}

func (c *compiler) rule(env *celplan.Env, expr text, want strictjson.Kind) *celplan.Program {
	program, err := env.Compile(expr.Value, want)
	if err != nil {
		c.celErrors(expr.Node, err)
		return nil
	}
	return program
}

func (c *compiler) celErrors(node yamldoc.Node, err error) {
	compileErr, ok := err.(*celplan.CompileError)
	if !ok {
		c.fail(errorAt(node, "%v", err))
		return
	}
	for _, issue := range compileErr.Issues {
		c.fail(errorInside(node, issue.Line, issue.Column, issue.Message))
	}
}

func (c *compiler) bounds(p *plan, rules []boundRule, prefix string) {
	for i, doc := range rules {
		if r := c.boolean(p.tool, doc.Expr); r != nil {
			p.bounds = append(p.bounds, boundPlan{id: fmt.Sprintf("%s[%d]", prefix, i), rule: r, doc: doc})
		}
	}
}

// allow compiles membership rules. A path of a class must exist; one of a
// baseline may be absent from a tool of its domain, which then denies.
func (c *compiler) allow(p *plan, rules []allowRule, prefix string) {
	for _, doc := range rules {
		where, err := parsePath(doc.Path.Value)
		if err != nil {
			c.fail(errorAt(doc.Path.Node, "%v", err))
			continue
		}
		t, err := where.typeOf(p.tool.root(where.root))
		if err != nil && !doc.Baseline {
			c.fail(errorAt(doc.Path.Node, "%v", err))
			continue
		}
		compiled := allowPlan{id: prefix + " " + where.text, path: where, rule: doc}
		var words []string
		for _, v := range doc.Values {
			value, kind := v.value()
			if err == nil && t.Kind != strictjson.Dyn && t.Kind != kind {
				c.fail(errorAt(v.Node, "%s is %s in tool %s, so it is never equal to %s", where.text, t, p.tool.id, kind))
				continue
			}
			compiled.values = append(compiled.values, value)
			words = append(words, v.word())
		}
		compiled.within = "one of " + strings.Join(words, ", ")
		p.allow = append(p.allow, compiled)
	}
}

func (v allowValue) value() (strictjson.Value, strictjson.Kind) {
	switch {
	case v.Int != nil:
		return strictjson.IntValue(*v.Int), strictjson.Int
	case v.Bool != nil:
		return strictjson.BoolValue(*v.Bool), strictjson.Bool
	default:
		return strictjson.StringValue(*v.String), strictjson.String
	}
}

func (v allowValue) word() string {
	switch {
	case v.Int != nil:
		return fmt.Sprint(*v.Int)
	case v.Bool != nil:
		return fmt.Sprint(*v.Bool)
	default:
		return *v.String
	}
}

// collectReads finds the facts and derived values that the plan needs.
func (p *plan) collectReads(m Manifest) {
	facts, derived := make(map[string]bool), make(map[string]bool)
	note := func(root, name string) {
		switch root {
		case "facts":
			facts[name] = true
		case "derived":
			derived[name] = true
		}
	}
	for _, r := range p.rules() {
		for _, read := range r.Reads() {
			note(read.Root(), read.Name())
		}
	}
	for _, a := range p.allow {
		note(a.path.root, a.path.steps[0].name)
	}
	if p.spend != nil {
		for _, where := range p.spend.paths() {
			note(where.root, where.steps[0].name)
		}
	}
	for _, spec := range m.Facts {
		if facts[spec.Name] {
			p.facts = append(p.facts, spec)
		}
	}
	for name := range derived {
		p.derived = append(p.derived, name)
	}
	slices.SortFunc(p.facts, func(a, b FactSpec) int { return cmp.Compare(a.Name, b.Name) })
	slices.Sort(p.derived)
}

func (p *plan) rules() []*celplan.Program {
	var rules []*celplan.Program
	if p.when != nil {
		rules = append(rules, p.when)
	}
	for _, b := range p.bounds {
		rules = append(rules, b.rule)
	}
	for _, t := range p.trigger {
		rules = append(rules, t.rule)
	}
	if p.spend != nil && p.spend.quantity != nil {
		rules = append(rules, p.spend.quantity)
	}
	return rules
}
