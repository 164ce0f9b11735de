package celplan

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// assume returns what is known where e, evaluated with knowledge k, comes out
// as wanted, and whether it can. It never says that e cannot when it can.
func (a *analysis) assume(e ast.Expr, want bool, k knowledge, bound bindings) (knowledge, bool) {
	if r, ok := a.relation(e, bound); ok {
		return a.assumeRelation(r, want, k)
	}
	if t := a.term(e, bound); t.known() && !t.size {
		is := relation{operator: operators.Equals, left: t, right: []term{{literal: strictjson.BoolValue(true)}}}
		return a.assumeRelation(is, want, k)
	}
	switch e.Kind() {
	case ast.SelectKind:
		return a.assumeTest(e, want, k, bound)
	case ast.ComprehensionKind:
		return a.assumeQuantified(e, want, k, bound)
	case ast.CallKind:
		return a.assumeCall(e, want, k, bound)
	}
	return k, true
}

func (a *analysis) assumeCall(e ast.Expr, want bool, k knowledge, bound bindings) (knowledge, bool) {
	args := e.AsCall().Args()
	switch e.AsCall().FunctionName() {
	case operators.LogicalNot:
		return a.assume(args[0], !want, k, bound)
	case operators.LogicalAnd:
		if want {
			return a.assumeEach(args, true, k, bound)
		}
		return a.assumeOne(args, false, k, bound)
	case operators.LogicalOr:
		if !want {
			return a.assumeEach(args, false, k, bound)
		}
		return a.assumeOne(args, true, k, bound)
	case operators.Conditional:
		var outcome paths
		for i, condition := range []bool{true, false} {
			if held, can := a.assume(args[0], condition, k, bound); can {
				outcome.add(a.assume(args[i+1], want, held, bound))
			}
		}
		return outcome.joined(k)
	}
	return k, true
}

// assumeEach is for operands that must all come out as wanted.
func (a *analysis) assumeEach(args []ast.Expr, want bool, k knowledge, bound bindings) (knowledge, bool) {
	for _, arg := range args {
		next, can := a.assume(arg, want, k, bound)
		if !can {
			return k, false
		}
		k = next
	}
	return k, true
}

// assumeOne is for operands of which one must come out as wanted. What those
// before it did is left open: an error in them is absorbed.
func (a *analysis) assumeOne(args []ast.Expr, want bool, k knowledge, bound bindings) (knowledge, bool) {
	var outcome paths
	for _, arg := range args {
		outcome.add(a.assume(arg, want, k, bound))
	}
	return outcome.joined(k)
}

// paths joins the knowledge of the ways in which something can come about.
type paths struct {
	known knowledge
	can   bool
}

func (p *paths) add(k knowledge, can bool) {
	switch {
	case !can:
	case p.can:
		p.known = p.known.join(k)
	default:
		p.known, p.can = k, true
	}
}

func (p *paths) joined(before knowledge) (knowledge, bool) {
	if !p.can {
		return before, false
	}
	return p.known, true
}

// assumeTest is for has().
func (a *analysis) assumeTest(e ast.Expr, want bool, k knowledge, bound bindings) (knowledge, bool) {
	if !e.AsSelect().IsTestOnly() {
		return k, true
	}
	at, ok := a.program.env.types.locate(e.AsSelect().Operand(), bound)
	if !ok || at.loose {
		return k, true
	}
	at = at.then(step{name: e.AsSelect().FieldName()})
	key := term{at: at}.key()
	if there, known := k.present[key]; known && there != want {
		return k, false
	}
	if !want && a.there(at, k) {
		return k, false
	}
	return k.withPresence(key, want), true
}

// assumeQuantified is for exists and all: what decides them is an element for
// which the condition decides them.
func (a *analysis) assumeQuantified(e ast.Expr, want bool, k knowledge, bound bindings) (knowledge, bool) {
	condition, operator, inner, ok := a.quantified(e, bound)
	if !ok || want != (operator == operators.LogicalOr) {
		return k, true
	}
	if _, can := a.assume(condition, want, k, inner); !can {
		return k, false
	}
	list, _ := a.program.env.types.locate(e.AsComprehension().IterRange(), bound)
	some := relation{
		operator: operators.Greater,
		left:     term{at: list, size: true},
		right:    []term{{literal: strictjson.IntValue(0)}},
	}
	return a.assumeRelation(some, true, k)
}

// fails reports whether e may be an error. It never says no when it may.
func (a *analysis) fails(e ast.Expr, k knowledge, bound bindings) bool {
	if r, ok := a.relation(e, bound); ok {
		ordering := r.operator != operators.Equals && r.operator != operators.NotEquals && r.operator != operators.In
		for _, t := range append([]term{r.left}, r.right...) {
			if !t.isLiteral() && (!a.there(t.at, k) || ordering && !t.size && !isOrdered(t.at)) {
				return true
			}
		}
		return false
	}
	if t := a.term(e, bound); t.known() && !t.size {
		return !t.isLiteral() && !a.there(t.at, k)
	}
	if e.Kind() == ast.SelectKind && e.AsSelect().IsTestOnly() {
		at, ok := a.program.env.types.locate(e.AsSelect().Operand(), bound)
		return !ok || len(at.steps) > 1 && !a.there(at, k)
	}
	if e.Kind() != ast.CallKind {
		return true
	}
	args := e.AsCall().Args()
	switch e.AsCall().FunctionName() {
	case operators.LogicalNot:
		return a.fails(args[0], k, bound)
	case operators.LogicalAnd, operators.LogicalOr:
		goesOn := e.AsCall().FunctionName() == operators.LogicalAnd
		for _, arg := range args {
			if a.fails(arg, k, bound) {
				return true
			}
			next, reached := a.assume(arg, goesOn, k, bound)
			if !reached {
				return false
			}
			k = next
		}
		return false
	case operators.Conditional:
		if a.fails(args[0], k, bound) {
			return true
		}
		for i, condition := range []bool{true, false} {
			if held, can := a.assume(args[0], condition, k, bound); can && a.fails(args[i+1], held, bound) {
				return true
			}
		}
		return false
	}
	return true
}

// isOrdered reports whether values of a place can be compared with <.
func isOrdered(at place) bool {
	if at.shape == nil {
		return false
	}
	switch at.shape.cel.Kind() {
	case types.BoolKind, types.IntKind, types.DoubleKind, types.StringKind:
		return true
	}
	return false
}
