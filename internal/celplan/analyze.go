package celplan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// Range is what is declared of the value at a path, beyond its type. A zero
// field declares nothing.
type Range struct {
	Enum     []strictjson.Value // every value that it can have
	Min, Max *float64           // inclusive
	MinItems int                // of a list
}

// RangeOf returns what a schema declares of a place. An exclusive bound counts
// as inclusive, which only leaves findings out.
func RangeOf(p strictjson.Property) Range {
	r := Range{Enum: p.Enum}
	if p.Min != nil {
		if at, ok := exact(p.Min.Value); ok {
			r.Min = &at
		}
	}
	if p.Max != nil {
		if at, ok := exact(p.Max.Value); ok {
			r.Max = &at
		}
	}
	return r
}

// FindingKind says what is wrong with a rule.
type FindingKind uint8

const (
	_       FindingKind = iota
	Never               // can never be true
	Always              // is always true, and never an error
	Vacuous             // is true of an empty list
)

// String returns the kind in words.
func (k FindingKind) String() string {
	switch k {
	case Never:
		return "can never hold"
	case Always:
		return "always holds"
	case Vacuous:
		return "holds for an empty list"
	}
	return "unknown"
}

// Finding is a part of an expression that does not say what it seems to.
type Finding struct {
	Kind    FindingKind
	Whole   bool // it is about the whole expression
	Line    int  // 1-based
	Column  int  // 1-based, in characters
	Message string
}

type analysis struct {
	program  *Program
	ast      *ast.AST
	ranges   func(path string) (Range, bool)
	findings []Finding
}

// Analyze reports what the declarations of types, and of the ranges that the
// function returns for the paths of [Program.Reads], prove about a Bool
// expression: that it can never hold or always holds, that a literal is
// compared with a value which can never equal it, that a condition on every
// element of a list holds when the list is empty. What it reports is so; what
// it cannot prove it leaves out. Findings are sorted by place.
func (p *Program) Analyze(ranges func(path string) (Range, bool)) []Finding {
	if p == nil || p.env == nil || p.want != strictjson.Bool {
		return nil
	}
	if value, ok := p.Constant(); ok {
		return []Finding{constantFinding(value)}
	}
	checked, err := p.env.check(p.src)
	if err != nil {
		return nil // it was checked once
	}
	a := &analysis{program: p, ast: checked.NativeRep(), ranges: ranges}
	a.parts(a.ast.Expr(), nil)
	a.vacuous(a.ast.Expr(), knowledge{}, nil)
	a.whole(a.ast.Expr(), nil, true)
	return a.sorted()
}

func constantFinding(value bool) Finding {
	f := Finding{Kind: Never, Whole: true, Line: 1, Column: 1, Message: "this reads nothing and never holds"}
	if value {
		f.Kind, f.Message = Always, "this reads nothing and always holds"
	}
	return f
}

func (a *analysis) report(id int64, kind FindingKind, whole bool, format string, args ...any) {
	at := issueAt(a.ast, id, fmt.Sprintf(format, args...))
	a.findings = append(a.findings, Finding{Kind: kind, Whole: whole, Line: at.Line, Column: at.Column, Message: at.Message})
}

// sorted leaves one finding of each kind at each place: the first, which is
// the most specific.
func (a *analysis) sorted() []Finding {
	slices.SortStableFunc(a.findings, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column), cmp.Compare(x.Kind, y.Kind))
	})
	var out []Finding
	for _, f := range a.findings {
		if n := len(out); n > 0 && out[n-1].Kind == f.Kind && out[n-1].Line == f.Line && out[n-1].Column == f.Column {
			out[n-1].Whole = out[n-1].Whole || f.Whole
			continue
		}
		out = append(out, f)
	}
	return out
}

// whole reports an expression that can have one outcome only: the root, or
// the condition of a loop.
func (a *analysis) whole(e ast.Expr, bound bindings, root bool) {
	if _, can := a.assume(e, true, knowledge{}, bound); !can {
		culprit := a.culprit(e, knowledge{}, bound)
		message := "this can never hold"
		if culprit.ID() != e.ID() {
			if _, alone := a.assume(culprit, true, knowledge{}, bound); alone {
				message = "this can never hold together with what is required before it"
			}
		}
		a.report(culprit.ID(), Never, root, "%s", message)
		return
	}
	if _, can := a.assume(e, false, knowledge{}, bound); !can && root && !a.fails(e, knowledge{}, bound) {
		a.report(e.ID(), Always, true, "this always holds")
	}
}

// culprit returns the first conjunct that cannot hold where it is reached.
func (a *analysis) culprit(e ast.Expr, k knowledge, bound bindings) ast.Expr {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.LogicalAnd {
		return e
	}
	for _, arg := range e.AsCall().Args() {
		next, can := a.assume(arg, true, k, bound)
		if !can {
			return a.culprit(arg, k, bound)
		}
		k = next
	}
	return e
}

// parts reports relations to literals that no declared value has, wherever
// they stand, and conditions of loops that no element can meet.
func (a *analysis) parts(e ast.Expr, bound bindings) {
	if r, ok := a.relation(e, bound); ok {
		a.part(e, r)
	}
	a.program.env.types.inside(e, bound, a.parts)
	if condition, _, inner, ok := a.quantified(e, bound); ok {
		a.whole(condition, inner, false)
	}
}

func (a *analysis) part(e ast.Expr, r relation) {
	d := a.domain(r.left, knowledge{})
	literals, ok := r.literals()
	if !ok || r.left.isLiteral() || d.empty() {
		return
	}
	name := string(r.left.at.path())
	if r.left.size {
		name = "the size of " + name
	}
	switch r.operator {
	case operators.In:
		for i, elem := range e.AsCall().Args()[1].AsList().Elements() {
			if !d.can(literals[i]) {
				a.report(elem.ID(), Never, false, "%s is never %s%s", name, show(literals[i]), d.describe())
			}
		}
	case operators.Equals, operators.NotEquals:
		if d.can(literals[0]) {
			return
		}
		kind := Never
		if r.operator == operators.NotEquals {
			kind = Always
		}
		a.report(e.ID(), kind, false, "%s is never %s%s", name, show(literals[0]), d.describe())
	default:
		if d.restrict(r.operator, literals).empty() {
			a.report(e.ID(), Never, false, "this can never hold%s", d.describe())
		}
	}
}

// describe says what a domain holds, for the end of a sentence.
func (d domain) describe() string {
	const most = 8
	if d.finite && len(d.values) <= most {
		shown := make([]string, len(d.values))
		for i, v := range d.values {
			shown[i] = show(v)
		}
		return ": it can be " + strings.Join(shown, ", ")
	}
	d = d.interval()
	switch {
	case d.lo.set && d.hi.set:
		return fmt.Sprintf(": it is from %v to %v", d.lo.at, d.hi.at)
	case d.lo.set:
		return fmt.Sprintf(": it is at least %v", d.lo.at)
	case d.hi.set:
		return fmt.Sprintf(": it is at most %v", d.hi.at)
	}
	return ""
}

func show(v strictjson.Value) string {
	switch v.Kind() {
	case strictjson.String:
		return fmt.Sprintf("%q", v.Str())
	case strictjson.Int:
		return fmt.Sprint(v.Int())
	case strictjson.Double:
		return fmt.Sprint(v.Double())
	case strictjson.Bool:
		return fmt.Sprint(v.Bool())
	}
	return "null"
}

// quantified returns the condition of exists or all over a list at a place,
// with the variables bound in it.
func (a *analysis) quantified(e ast.Expr, bound bindings) (condition ast.Expr, operator string, inner bindings, ok bool) {
	if e.Kind() != ast.ComprehensionKind {
		return nil, "", nil, false
	}
	loop := e.AsComprehension()
	step := loop.LoopStep()
	each := a.program.env.types.element(e, bound)
	if each == nil || step.Kind() != ast.CallKind || loop.AccuInit().Kind() != ast.LiteralKind {
		return nil, "", nil, false
	}
	operator = step.AsCall().FunctionName()
	starts, isBool := loop.AccuInit().AsLiteral().(types.Bool)
	if !isBool || bool(starts) != (operator == operators.LogicalAnd) {
		return nil, "", nil, false
	}
	if operator != operators.LogicalAnd && operator != operators.LogicalOr {
		return nil, "", nil, false
	}
	inner = bound.with(loop.AccuVar(), nil).with(loop.IterVar(), each)
	args := step.AsCall().Args()
	return args[len(args)-1], operator, inner, true
}

// vacuous reports conditions on every element of a list that may be empty,
// where they must hold.
func (a *analysis) vacuous(e ast.Expr, k knowledge, bound bindings) {
	if condition, operator, inner, ok := a.quantified(e, bound); ok {
		if operator == operators.LogicalAnd {
			list, _ := a.program.env.types.locate(e.AsComprehension().IterRange(), bound)
			if a.domain(term{at: list, size: true}, k).can(strictjson.IntValue(0)) {
				a.report(e.AsComprehension().IterRange().ID(), Vacuous, false,
					"this holds when %s is empty: require size(…) > 0, if it must not be", list.path())
			}
		}
		a.vacuous(condition, k, inner)
		return
	}
	if e.Kind() != ast.CallKind {
		return
	}
	args := e.AsCall().Args()
	switch e.AsCall().FunctionName() {
	case operators.LogicalAnd, operators.LogicalOr:
		for _, arg := range args {
			a.vacuous(arg, k, bound)
			k, _ = a.assume(arg, e.AsCall().FunctionName() == operators.LogicalAnd, k, bound)
		}
	case operators.Conditional:
		held, _ := a.assume(args[0], true, k, bound)
		a.vacuous(args[1], held, bound)
		not, _ := a.assume(args[0], false, k, bound)
		a.vacuous(args[2], not, bound)
	}
}
