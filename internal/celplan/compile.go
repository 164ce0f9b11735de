package celplan

import (
	"cmp"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// Issue is one thing wrong at a place of an expression.
type Issue struct {
	Line    int // 1-based
	Column  int // 1-based, in characters
	Message string
}

// CompileError lists what is wrong with an expression, sorted by place. It
// has at least one issue.
type CompileError struct{ Issues []Issue }

func (e *CompileError) Error() string {
	lines := make([]string, len(e.Issues))
	for i, issue := range e.Issues {
		lines[i] = fmt.Sprintf("%d:%d: %s", issue.Line, issue.Column, issue.Message)
	}
	return strings.Join(lines, "\n")
}

func refuse(line, column int, message string) *CompileError {
	return &CompileError{Issues: []Issue{{Line: line, Column: column, Message: message}}}
}

func issueAt(root *ast.AST, id int64, message string) Issue {
	at := root.SourceInfo().GetStartLocation(id)
	return Issue{Line: max(at.Line(), 1), Column: max(at.Column()+1, 1), Message: message}
}

// callable reports whether an expression may call a function: the operators,
// and of the named ones those that keep types and whose work is bounded.
func callable(name string) bool {
	switch name {
	case "size", "contains", "startsWith", "endsWith", "matches",
		"bool", "bytes", "double", "duration", "int", "string", "timestamp", "uint",
		"getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours",
		"getMilliseconds", "getMinutes", "getMonth", "getSeconds",
		"charAt", "indexOf", "join", "lastIndexOf", "lowerAscii", "replace", "split", "substring", "trim", "upperAscii":
		return true
	}
	return false
}

func isOperator(name string) bool {
	return strings.HasPrefix(name, "@") || strings.Contains(name, "_") && !strings.ContainsAny(name, "abcdefghijklmnopqrstuvwxyz")
}

// check parses and checks an expression, and refuses what type-checks and
// still has no place in a rule.
func (e *Env) check(src string) (*cel.Ast, error) {
	parsed, issues := e.cel.Parse(src)
	if issues.Err() != nil {
		return nil, e.refusal(src)
	}
	checked, issues := e.cel.Check(parsed)
	if issues.Err() != nil {
		return nil, cmp.Or(e.refusal(src), error(refuse(1, 1, "the expression cannot be compiled")))
	}
	if !plausible(checked.NativeRep()) || e.restrict(src, checked.NativeRep()) != nil {
		return checked, e.refusal(src)
	}
	return checked, nil
}

// refusal says what is wrong with an expression, nil if nothing is after all.
func (e *Env) refusal(src string) error {
	whole, err := e.whole()
	if err != nil {
		return refuse(1, 1, "the expression cannot be compiled")
	}
	parsed, issues := whole.cel.Parse(src)
	if issues.Err() != nil {
		return e.explain(src, nil, issues)
	}
	// Checking rewrites the tree, so messages are made from a copy.
	original := ast.Copy(parsed.NativeRep())
	checked, issues := whole.cel.Check(parsed)
	if issues.Err() != nil {
		return e.explain(src, original, issues)
	}
	return e.restrict(src, checked.NativeRep())
}

// plausible reports whether cel-go's validators have nothing against a tree.
// False says that they should be asked.
func plausible(root *ast.AST) bool {
	ok := true
	var visit func(e ast.Expr)
	visit = func(e ast.Expr) {
		switch e.Kind() {
		case ast.CallKind:
			ok = ok && !doubtful(e.AsCall())
		case ast.ListKind:
			elems := e.AsList().Elements()
			for i := 1; i < len(elems); i++ {
				ok = ok && sameType(root, elems[0], elems[i])
			}
		case ast.MapKind:
			entries := e.AsMap().Entries()
			for i := 1; i < len(entries); i++ {
				first, other := entries[0].AsMapEntry(), entries[i].AsMapEntry()
				ok = ok && sameType(root, first.Key(), other.Key()) && sameType(root, first.Value(), other.Value())
			}
		}
		children(e, visit)
	}
	visit(root.Expr())
	return ok
}

func sameType(root *ast.AST, a, b ast.Expr) bool {
	return root.GetType(a.ID()).IsExactType(root.GetType(b.ID()))
}

// doubtful reports whether a call of a literal may be none that has a value.
func doubtful(call ast.CallExpr) bool {
	name, args := call.FunctionName(), call.Args()
	if name != "duration" && name != "timestamp" || len(args) == 0 || args[0].Kind() != ast.LiteralKind {
		return false
	}
	text, ok := args[0].AsLiteral().(types.String)
	if !ok {
		return true
	}
	failed := conversionFault
	if name == "duration" {
		_, failed = durationOfText(string(text))
	} else {
		_, failed = timeOfText(string(text))
	}
	return failed != 0
}

// children calls visit for every operand of e.
func children(e ast.Expr, visit func(ast.Expr)) {
	switch e.Kind() {
	case ast.SelectKind:
		visit(e.AsSelect().Operand())
	case ast.CallKind:
		if e.AsCall().IsMemberFunction() {
			visit(e.AsCall().Target())
		}
		for _, arg := range e.AsCall().Args() {
			visit(arg)
		}
	case ast.ListKind:
		for _, elem := range e.AsList().Elements() {
			visit(elem)
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			visit(entry.AsMapEntry().Key())
			visit(entry.AsMapEntry().Value())
		}
	case ast.StructKind:
		for _, f := range e.AsStruct().Fields() {
			visit(f.AsStructField().Value())
		}
	case ast.ComprehensionKind:
		loop := e.AsComprehension()
		visit(loop.IterRange())
		visit(loop.AccuInit())
		visit(loop.LoopCondition())
		visit(loop.LoopStep())
		visit(loop.Result())
	}
}

// loops reports whether an expression has a loop.
func loops(e ast.Expr) bool {
	found := e.Kind() == ast.ComprehensionKind
	children(e, func(operand ast.Expr) { found = found || loops(operand) })
	return found
}

// restrict refuses what has no place in a rule.
func (e *Env) restrict(src string, root *ast.AST) error {
	found := &CompileError{}
	report := func(id int64, name, format string, args ...any) {
		issue := issueAt(root, id, fmt.Sprintf(format, args...))
		issue.Column = nameColumn(src, issue, name)
		found.Issues = append(found.Issues, issue)
	}
	var visit func(expr ast.Expr, bound bindings)
	visit = func(expr ast.Expr, bound bindings) {
		switch expr.Kind() {
		case ast.IdentKind:
			if at, ok := e.types.locate(expr, bound); ok && len(at.steps) == 1 {
				report(expr.ID(), "", "%s can only be read by member, as in %s.name", at.path(), at.path())
			}
			return
		case ast.StructKind:
			report(expr.ID(), "", "messages cannot be built")
		case ast.SelectKind:
			if operand := expr.AsSelect().Operand(); operand.Kind() == ast.IdentKind {
				return
			}
		case ast.CallKind:
			e.restrictCall(expr, report)
		}
		e.types.inside(expr, bound, visit)
	}
	visit(root.Expr(), nil)
	if len(found.Issues) > 0 {
		return found.sorted()
	}
	return nil
}

func (e *Env) restrictCall(expr ast.Expr, report func(int64, string, string, ...any)) {
	call := expr.AsCall()
	name := call.FunctionName()
	if !isOperator(name) && !callable(name) {
		report(expr.ID(), name, "the function %s is not available", name)
		return
	}
	if name != "matches" || len(call.Args()) == 0 {
		return
	}
	argument := call.Args()[len(call.Args())-1]
	if argument.Kind() != ast.LiteralKind {
		report(argument.ID(), "", "the pattern must be a literal")
		return
	}
	if text, ok := argument.AsLiteral().(types.String); ok {
		if _, err := compilePattern(string(text)); err != nil {
			report(argument.ID(), "", "%v", err)
		}
	}
}

// result checks that the expression yields the wanted kind, known before any
// call.
func (e *Env) result(src string, root *ast.AST, want strictjson.Kind) error {
	id := root.Expr().ID()
	wanted := types.BoolType
	switch want {
	case strictjson.Int:
		wanted = types.IntType
	case strictjson.String:
		wanted = types.StringType
	}
	got := root.GetType(id)
	if got.IsExactType(wanted) {
		return nil
	}
	message := fmt.Sprintf("the expression must yield %s, and yields %s", want, typeName(got))
	if got.Kind() == types.DynKind {
		remedy := "compare it, as in x == true"
		if want != strictjson.Bool {
			remedy = fmt.Sprintf("convert it, as in %s(x)", want)
		}
		message = fmt.Sprintf("the expression must yield %s, and what it yields is only known when a call comes: %s", want, remedy)
	}
	blank := len(src) - len(strings.TrimLeft(src, " \t\r\n"))
	before := src[:blank]
	start := before[strings.LastIndexByte(before, '\n')+1:]
	return refuse(strings.Count(before, "\n")+1, len(start)+1, message)
}

// estimate refuses what is likely to exceed the limit of an evaluation with
// values of the assumed sizes.
func (e *Env) estimate(checked *cel.Ast) error {
	if calls, cheap := countCalls(checked.NativeRep()); cheap && calls <= maxCheapCalls {
		return nil
	}
	whole, err := e.whole()
	if err != nil {
		return refuse(1, 1, "the expression cannot be compiled")
	}
	estimate, err := whole.cel.EstimateCost(checked, assumedSizes{})
	if err != nil {
		return refuse(1, 1, "the cost of the expression cannot be estimated")
	}
	if estimate.Max > maxEstimate {
		return refuse(1, 1, fmt.Sprintf(
			"the expression can cost too much, even with lists of %d elements and texts of %d characters",
			assumedElements, assumedText))
	}
	return nil
}

// maxCheapCalls is how many calls cannot cost too much, where none makes a
// value that is larger than its operands: with all texts and lists as large as
// the source or the assumed sizes allow, each costs far less than
// maxEstimate/maxCheapCalls.
const maxCheapCalls = 500

// countCalls counts the calls of an expression. cheap is false where it loops,
// or calls what makes large values out of small ones.
func countCalls(root *ast.AST) (calls int, cheap bool) {
	cheap = true
	var visit func(e ast.Expr)
	visit = func(e ast.Expr) {
		switch e.Kind() {
		case ast.ComprehensionKind:
			cheap = false
			return
		case ast.CallKind:
			calls++
			switch e.AsCall().FunctionName() {
			case "replace", "join", "split":
				cheap = false
			case operators.Add:
				switch root.GetType(e.ID()).Kind() {
				case types.IntKind, types.UintKind, types.DoubleKind, types.TimestampKind, types.DurationKind:
				default:
					cheap = false
				}
			}
		}
		children(e, visit)
	}
	visit(root.Expr())
	return calls, cheap
}

// assumedSizes implements [cost.Estimator].
type assumedSizes struct{}

// EstimateSize returns the assumed size of a value that a call brings.
func (assumedSizes) EstimateSize(node cost.AstNode) *cost.SizeEstimate {
	size := cost.SizeEstimate{Max: assumedText}
	switch node.Type().Kind() {
	case types.ListKind, types.MapKind, types.StructKind:
		size.Max = assumedElements
	case types.StringKind, types.BytesKind, types.DynKind:
	default:
		return nil
	}
	return &size
}

// EstimateCallCost leaves calls to the models.
func (assumedSizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}
