package celplan

import (
	"fmt"
	"maps"
	"math"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// knowledge is what holds where an expression is evaluated: more than its
// declarations, when an earlier operand must have held for it to be reached.
// The zero knowledge is what the declarations say. It is not changed.
type knowledge struct {
	domains map[string]domain // by key of a term
	present map[string]bool   // by key of a place: whether it is there
}

func (k knowledge) withDomain(key string, d domain) knowledge {
	k.domains = maps.Clone(k.domains)
	if k.domains == nil {
		k.domains = make(map[string]domain)
	}
	k.domains[key] = d
	return k
}

func (k knowledge) withPresence(key string, there bool) knowledge {
	k.present = maps.Clone(k.present)
	if k.present == nil {
		k.present = make(map[string]bool)
	}
	k.present[key] = there
	return k
}

// join returns what holds whichever of the two holds.
func (k knowledge) join(other knowledge) knowledge {
	out := knowledge{domains: make(map[string]domain), present: make(map[string]bool)}
	for key, d := range k.domains {
		if o, ok := other.domains[key]; ok {
			out.domains[key] = d.union(o)
		}
	}
	for key, there := range k.present {
		if o, ok := other.present[key]; ok && o == there {
			out.present[key] = there
		}
	}
	return out
}

// term is an operand of a relation that the analysis understands: a literal,
// a place, or the size of what is at a place.
type term struct {
	literal strictjson.Value // Invalid: no literal
	at      place            // without steps: no place
	size    bool
}

func (t term) known() bool { return t.isLiteral() || len(t.at.steps) > 0 }

func (t term) isLiteral() bool { return t.literal.Kind() != strictjson.Invalid }

// key identifies the value within one evaluation of the expression around it;
// empty when two occurrences can be two values.
func (t term) key() string {
	if t.at.loose {
		return ""
	}
	key := fmt.Sprintf("%d %s", t.at.loop, t.at.path())
	if t.size {
		key = "size " + key
	}
	return key
}

func (a *analysis) term(e ast.Expr, bound bindings) term {
	if e.Kind() == ast.LiteralKind {
		return term{literal: literalValue(e)}
	}
	if at, ok := a.program.env.types.locate(e, bound); ok && len(at.steps) > 1 {
		return term{at: at}
	}
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != "size" {
		return term{}
	}
	call := e.AsCall()
	operand := call.Target()
	if !call.IsMemberFunction() {
		operand = call.Args()[0]
	}
	if at, ok := a.program.env.types.locate(operand, bound); ok && len(at.steps) > 1 {
		return term{at: at, size: true}
	}
	return term{}
}

func literalValue(e ast.Expr) strictjson.Value {
	switch v := e.AsLiteral().(type) {
	case types.Bool:
		return strictjson.BoolValue(bool(v))
	case types.Int:
		return strictjson.IntValue(int64(v))
	case types.String:
		return strictjson.StringValue(string(v))
	case types.Double:
		d, _ := strictjson.DoubleValue(float64(v))
		return d
	case types.Null:
		return strictjson.NullValue()
	}
	return strictjson.Value{}
}

// domain returns what is known of a term.
func (a *analysis) domain(t term, k knowledge) domain {
	if t.isLiteral() {
		return setOf(t.literal)
	}
	if d, ok := k.domains[t.key()]; ok {
		return d
	}
	if t.size {
		return domain{integer: true, lo: limit{at: float64(max(a.declared(t.at).MinItems, 0)), set: true}}
	}
	declared := a.declared(t.at)
	if len(declared.Enum) > 0 {
		return setOf(declared.Enum...)
	}
	if t.at.shape == nil {
		return domain{}
	}
	switch t.at.shape.cel.Kind() {
	case types.BoolKind:
		return setOf(strictjson.BoolValue(false), strictjson.BoolValue(true))
	case types.IntKind, types.DoubleKind:
		d := domain{integer: t.at.shape.cel.Kind() == types.IntKind}
		if declared.Min != nil && math.Abs(*declared.Min) < maxExact {
			d.lo = limit{at: *declared.Min, set: true}
		}
		if declared.Max != nil && math.Abs(*declared.Max) < maxExact {
			d.hi = limit{at: *declared.Max, set: true}
		}
		return d.closed().listed()
	}
	return domain{}
}

// declared returns the declared constraints of a place, less what the
// analysis cannot compare.
func (a *analysis) declared(at place) Range {
	if a.ranges == nil {
		return Range{}
	}
	r, ok := a.ranges(string(at.path()))
	if !ok {
		return Range{}
	}
	for _, v := range r.Enum {
		switch v.Kind() {
		case strictjson.Null, strictjson.Bool, strictjson.Int, strictjson.Double, strictjson.String:
		default:
			r.Enum = nil
		}
	}
	return r
}

// there reports whether reading a place cannot fail.
func (a *analysis) there(at place, k knowledge) bool {
	if at.loose {
		return false
	}
	root, ok := a.program.env.types.variable(at.steps[0].name)
	if !ok {
		return false
	}
	current := &shape{cel: root.cel, object: root}
	for i, s := range at.steps[1:] {
		required := s.any
		if current != nil && current.object != nil {
			f, declared := current.object.fields[s.name]
			required = declared && f.required && at.steps[0].name != "facts"
		}
		part := place{steps: at.steps[:i+2], loop: at.loop}
		if !required && !k.present[term{at: part}.key()] && !a.presentOutside(part, k) {
			return false
		}
		current = current.member(s)
	}
	return true
}

// presentOutside reports whether a part of a place that lies outside of its
// loop is known to be there: it was found so before the loop, or looped over.
func (a *analysis) presentOutside(part place, k knowledge) bool {
	if part.loop == 0 {
		return false
	}
	for _, s := range part.steps {
		if s.any {
			return false
		}
	}
	return true
}

// relation is a comparison or a membership that the analysis understands.
type relation struct {
	operator string
	left     term // never a literal, unless both are
	right    []term
}

func (a *analysis) relation(e ast.Expr, bound bindings) (relation, bool) {
	if e.Kind() != ast.CallKind || e.AsCall().IsMemberFunction() || len(e.AsCall().Args()) != 2 {
		return relation{}, false
	}
	call := e.AsCall()
	left, right := a.term(call.Args()[0], bound), call.Args()[1]
	r := relation{operator: call.FunctionName(), left: left}
	switch r.operator {
	case operators.In:
		if right.Kind() != ast.ListKind || !left.known() {
			return relation{}, false
		}
		for _, elem := range right.AsList().Elements() {
			t := a.term(elem, bound)
			if !t.isLiteral() {
				return relation{}, false
			}
			r.right = append(r.right, t)
		}
		return r, true
	case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		t := a.term(right, bound)
		if left.isLiteral() {
			left, t = t, left
			r.operator, r.left = mirrored(r.operator), left
		}
		r.right = []term{t}
		return r, left.known() && t.known()
	}
	return relation{}, false
}

func (r relation) literals() ([]strictjson.Value, bool) {
	var values []strictjson.Value
	for _, t := range r.right {
		if !t.isLiteral() {
			return nil, false
		}
		values = append(values, t.literal)
	}
	return values, true
}

// assumeRelation returns what is known where the relation is as wanted, and
// whether it can be.
func (a *analysis) assumeRelation(r relation, want bool, k knowledge) (knowledge, bool) {
	for _, t := range append([]term{r.left}, r.right...) {
		if t.isLiteral() {
			continue
		}
		if there, known := k.present[term{at: t.at}.key()]; known && !there && !t.at.loose {
			return k, false
		}
		if !t.at.loose {
			k = k.withPresence(term{at: t.at}.key(), true)
		}
	}
	operator := r.operator
	if !want {
		operator = negated(operator)
	}
	d := a.domain(r.left, k)
	literals, ok := r.literals()
	if !ok {
		other := r.right[0]
		if key := r.left.key(); key != "" && key == other.key() {
			return k, operator == operators.Equals || operator == operators.LessEquals || operator == operators.GreaterEquals
		}
		return k, d.meets(operator, a.domain(other, k))
	}
	d = d.restrict(operator, literals)
	if d.empty() {
		return k, false
	}
	if key := r.left.key(); key != "" && !r.left.isLiteral() {
		k = k.withDomain(key, d)
	}
	return k, true
}
