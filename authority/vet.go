package authority

import (
	"slices"
	"strings"
	"time"

	"github.com/govalues/decimal"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

// Finding is something that vet reports of documents that load.
type Finding struct {
	Error *Error
	// Fails marks what makes calls fail that the documents mean to classify:
	// vet must not pass. The others are warnings.
	Fails bool
}

// Vet looks for what loads and yet is probably not meant: classes of several
// documents that are ambiguous, rules that can never hold or never fail,
// members of an allow-list that the tool's schema excludes, free text that no
// rule constrains, revocations and suspensions of nothing, baselines that a tool cannot meet, a rationale that can repeat what
// is not kept, windows that the ladder passes, cost centres without a budget, prices
// that no approver's ceiling holds, and patterns that match no registered tool. It looks
// at the versions that compete at a time. Findings are sorted by their place.
func (s *Set) Vet(at time.Time) []Finding {
	if s == nil {
		return nil
	}
	again, _ := load(s.docs, s.manifest, s.options, s) // s has forgotten the places
	v := &vet{set: again, at: at, seen: make(map[string]bool)}
	for _, key := range again.running() {
		v.conflicts(key)
	}
	for _, key := range again.running() {
		for _, t := range again.sortedTools() {
			for _, p := range t.contests[key].all() {
				if p.grant.competes.has(at) {
					v.plan(p)
				}
			}
		}
		v.idle(key)
	}
	v.users()
	v.halts()
	slices.SortStableFunc(v.found, func(a, b Finding) int { return compareErrors(a.Error, b.Error) })
	return v.found
}

type vet struct {
	set   *Set
	at    time.Time
	found []Finding
	seen  map[string]bool
}

func (v *vet) report(fails bool, err *Error) {
	if key := err.Error(); !v.seen[key] {
		v.seen[key] = true
		v.found = append(v.found, Finding{Error: err, Fails: fails})
	}
}

// conflicts finds equal patterns of several documents of which one has no
// condition: every call that the other means is ambiguous.
func (v *vet) conflicts(key agentKey) {
	var all []indexed
	for _, l := range v.set.agents[key].all() {
		if g := l.competing(v.at); g.covers(key.agent, key.environment) {
			all = append(all, classesOf(l, g)...)
		}
	}
	for i, a := range all {
		for _, b := range all[:i] {
			if a.line != b.line && a.pattern == b.pattern && (a.class.When.Value == "" || b.class.When.Value == "") {
				v.report(true, errorAt(a.class.Node, "class %s and class %s of %s have the same pattern %s, and one has no when: every such call is ambiguous_class",
					a.class.ID.Value, b.class.ID.Value, b.line.id, a.pattern))
			}
		}
	}
}

// halts reports revocations and suspensions that halt no document and no agent:
// whoever reads one thinks that it does. What it was for may be gone by now.
func (v *vet) halts() {
	for _, h := range v.set.policy.Halts {
		if h.File == nil || slices.ContainsFunc(v.set.policy.Grants, h.concerns) {
			continue
		}
		switch {
		case h.Authorization != "" && h.Authorization != "*":
			v.report(false, errorAt(at(h.File.Root(), "authorization"), "there is no authorization %q: nothing is %s", h.Authorization, h.standing()))
		case h.Authorization == "" && h.Agent != "*" && !slices.ContainsFunc(v.set.manifest.Agents, func(a AgentSpec) bool { return a.ID == h.Agent }):
			v.report(false, errorAt(at(h.File.Root(), "agent"), "no authorization names an agent %q: nothing is %s", h.Agent, h.standing()))
		}
	}
}

func classesOf(l *line, g *grantDoc) []indexed {
	var found []indexed
	for i := range g.Classes {
		class := &g.Classes[i]
		if class.Tier == classify.Prohibited {
			continue
		}
		for _, tp := range class.Tools {
			found = append(found, indexed{l, g, class, tp.Pattern})
		}
	}
	return found
}

func (v *vet) plan(p *plan) {
	v.rules(p)
	v.allow(p)
	v.freeText(p)
	v.repeats(p)
	v.budgets(p)
	v.ceilings(p)
}

// ceilings reports a class whose calls can wait for people of whom the matrix lets
// nobody approve in its currency, or nobody up to the top of its ladder.
func (v *vet) ceilings(p *plan) {
	s, m := p.class.Spend, v.set.policy.Matrix
	if s == nil || m == nil || len(m.Approvers) == 0 || !p.grant.approved(*p.class) {
		return
	}
	var highest *decimal.Decimal
	for i := range m.Approvers {
		if a := &m.Approvers[i]; a.Currency == s.Currency && (highest == nil || a.UpTo.Cmp(*highest) > 0) {
			highest = &a.UpTo
		}
	}
	top, waits := s.PerEvent[classify.AuthorizationRequired]
	switch {
	case highest == nil:
		v.report(true, errorAt(s.Node, "class %s can require approval, and %s has no approver with a ceiling in %s: nobody could approve", p.class.ID.Value, m.Name, s.Currency))
	case waits && top.Cmp(*highest) > 0:
		v.report(false, errorAt(s.Node, "per_event asks people about up to %s in class %s, and no approver of %s may approve more than %s %s: what is between waits for nobody",
			top, p.class.ID.Value, m.Name, highest, s.Currency))
	}
}

// budgets reports windows that no call at the top of the ladder fits into, and a
// cost centre that has no budget where others have one.
func (v *vet) budgets(p *plan) {
	s := p.class.Spend
	if s == nil || p.spend == nil || len(p.spend.rungs) == 0 {
		return
	}
	top := p.spend.rungs[len(p.spend.rungs)-1]
	for i, w := range s.Windows {
		if w.Limit.Cmp(top.limit) < 0 {
			v.report(false, errorAt(s.Node, "per_event allows %s at once in class %s, and windows[%d] only %s per %s: what is between is always refused",
				top.text, p.class.ID.Value, i, w.Limit, w.Per))
		}
	}
	if m := v.set.policy.Matrix; m != nil && len(m.Budgets) > 0 && s.CostCentre != "" && m.budget(s.CostCentre) == nil {
		v.report(false, errorAt(s.Node, "class %s is booked on %s, which has no budget in %s", p.class.ID.Value, s.CostCentre, m.Name))
	}
}

// repeats reports a rationale that is kept beside arguments that are not: it is
// free text, and can say the same.
func (v *vet) repeats(p *plan) {
	kept := &p.class.Record
	if kept.Arguments < keepHMAC || kept.Rationale >= keepHMAC && kept.Reasoning >= keepHMAC {
		return
	}
	v.report(false, errorAt(p.class.ID.Node, "class %s does not keep arguments, and a rationale that repeats them is kept: say record.rationale and record.reasoning too", p.class.ID.Value))
}

// allow reports members that the schema excludes, and baselines that the tool
// cannot meet.
func (v *vet) allow(p *plan) {
	for _, a := range p.allow {
		if a.at.root != "args" {
			continue
		}
		if _, err := a.at.typeOf(p.tool.root("args")); err != nil && a.doc.Baseline {
			v.report(false, errorAt(p.class.ID.Node, "tool %s of class %s can never meet the baseline on %s: %v",
				p.tool.id, p.class.ID.Value, a.at.text, err))
			continue
		}
		property, ok := p.tool.schema.Property(a.at.below())
		if !ok || property.Enum == nil || a.doc.Baseline {
			continue
		}
		for _, member := range a.doc.Values {
			if !slices.ContainsFunc(property.Enum, func(e strictjson.Value) bool { return equalScalar(e, member.Value) }) {
				v.report(false, errorAt(member.Node, "%s can never be %s: the schema of tool %s does not allow it",
					a.at.text, member.word(), p.tool.id))
			}
		}
	}
}

// below is the path without its root, as strictjson names it.
func (p path) below() string {
	_, rest, _ := strings.Cut(p.text, ".")
	return rest
}

// freeText reports text arguments of writing classes that neither the schema
// nor any rule of the class constrains. Derived values constrain the argument
// that they open, which cannot be known here: a class that reads one is not
// reported.
func (v *vet) freeText(p *plan) {
	if p.class.Read || p.class.Tier == classify.Prohibited || len(p.derived) > 0 {
		return
	}
	read := p.readPaths()
	budget := maxVisits
	for _, leaf := range leaves(p.tool.schema.Type(), "args", &budget) {
		property, ok := p.tool.schema.Property(strings.TrimPrefix(leaf, "args."))
		if !ok || property.Type.Kind != strictjson.String || property.Constrained || read[leaf] {
			continue
		}
		v.report(false, errorAt(p.class.ID.Node, "%s of tool %s is free text, and no rule of class %s constrains it", leaf, p.tool.id, p.class.ID.Value))
	}
}

func (p *plan) readPaths() map[string]bool {
	read := make(map[string]bool)
	note := func(where string) {
		read[where] = true
		read[strings.TrimSuffix(where, "[]")] = true
	}
	for _, e := range p.expressions() {
		for _, where := range e.rule.program.Reads() {
			note(string(where))
		}
	}
	for _, a := range p.allow {
		note(a.at.text)
	}
	if p.spend != nil {
		for _, where := range p.spend.locations() {
			note(where.text)
		}
	}
	return read
}

// maxVisits bounds how much of a schema is looked at: one whose references
// double at each level is small to write and endless to walk.
const maxVisits = 10_000

// leaves returns the paths of the declared scalars below t, as far as budget
// visits go.
func leaves(t *strictjson.Type, at string, budget *int) []string {
	if *budget--; *budget < 0 {
		return nil
	}
	switch t.Kind {
	case strictjson.Object:
		var paths []string
		for _, f := range t.Fields {
			paths = append(paths, leaves(f.Type, at+"."+f.Name, budget)...)
		}
		return paths
	case strictjson.List:
		return leaves(t.Elem, at+"[]", budget)
	default:
		return []string{at}
	}
}

// idle reports patterns that match no registered tool, once tools are known.
func (v *vet) idle(key agentKey) {
	if len(v.set.tools) == 0 {
		return
	}
	for _, l := range v.set.agents[key].all() {
		g := l.competing(v.at)
		if !g.covers(key.agent, key.environment) {
			continue
		}
		for i := range g.Classes {
			for _, tp := range g.Classes[i].Tools {
				if !v.set.matchesAny(tp.Pattern) {
					v.report(false, errorAt(tp.Node, "no tool of the manifest matches %s", tp.Pattern))
				}
			}
		}
	}
}

// rules reports expressions that say nothing: they can never hold, always do,
// or compare with what can never be.
func (v *vet) rules(p *plan) {
	for _, e := range p.expressions() {
		for _, f := range e.rule.program.Analyze(p.tool.declared) {
			v.report(false, errorInside(e.text.Node, f.Line, f.Column, f.Message))
		}
	}
}

// declared returns what the tool's schema says of the value at an args path.
func (t *tool) declared(where string) (celplan.Range, bool) {
	below, ok := strings.CutPrefix(where, "args.")
	if !ok {
		return celplan.Range{}, false
	}
	property, ok := t.schema.Property(below)
	if !ok {
		return celplan.Range{}, false
	}
	return celplan.RangeOf(property), true
}
