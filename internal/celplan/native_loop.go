package celplan

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// macro is a comprehension as one of CEL's macros writes it.
type macro struct {
	kind      macroKind
	condition ast.Expr // of all, exists, exists_one, and of map where it filters
	element   ast.Expr // of map
}

type macroKind uint8

const (
	allOf macroKind = iota
	anyOf
	oneOf
	mapOf
)

// macroOf recognizes the macros by their shape.
func macroOf(loop ast.ComprehensionExpr) (m macro, ok bool) {
	if loop.HasIterVar2() {
		return m, false
	}
	accu := loop.AccuVar()
	step := loop.LoopStep()
	if step.Kind() != ast.CallKind {
		return m, false
	}
	name, args := step.AsCall().FunctionName(), step.AsCall().Args()
	switch {
	case name == operators.LogicalAnd && len(args) == 2:
		m = macro{kind: allOf, condition: args[1]}
		return m, isAccu(args[0], accu) && isAccu(loop.Result(), accu) && isLiteral(loop.AccuInit(), types.True) &&
			isCall(loop.LoopCondition(), operators.NotStrictlyFalse, 1) && isAccu(argument(loop.LoopCondition()), accu)
	case name == operators.LogicalOr && len(args) == 2:
		m = macro{kind: anyOf, condition: args[1]}
		return m, isAccu(args[0], accu) && isAccu(loop.Result(), accu) && isLiteral(loop.AccuInit(), types.False) &&
			isCall(loop.LoopCondition(), operators.NotStrictlyFalse, 1) &&
			isCall(argument(loop.LoopCondition()), operators.LogicalNot, 1) &&
			isAccu(argument(argument(loop.LoopCondition())), accu)
	case !isLiteral(loop.LoopCondition(), types.True):
		return m, false
	case name == operators.Conditional && isLiteral(loop.AccuInit(), types.IntZero):
		m = macro{kind: oneOf, condition: args[0]}
		return m, isCall(args[1], operators.Add, 2) && isAccu(argument(args[1]), accu) &&
			isLiteral(args[1].AsCall().Args()[1], types.IntOne) && isAccu(args[2], accu) &&
			isCall(loop.Result(), operators.Equals, 2) && isAccu(argument(loop.Result()), accu) &&
			isLiteral(loop.Result().AsCall().Args()[1], types.IntOne)
	case loop.AccuInit().Kind() != ast.ListKind || loop.AccuInit().AsList().Size() != 0 || !isAccu(loop.Result(), accu):
		return m, false
	case name == operators.Conditional:
		m.element, ok = appended(args[1], accu)
		m.kind, m.condition = mapOf, args[0]
		return m, ok && isAccu(args[2], accu)
	}
	m.element, ok = appended(step, accu)
	m.kind = mapOf
	return m, ok
}

// appended returns the element of accu + [element].
func appended(e ast.Expr, accu string) (ast.Expr, bool) {
	if !isCall(e, operators.Add, 2) || !isAccu(argument(e), accu) {
		return nil, false
	}
	list := e.AsCall().Args()[1]
	if list.Kind() != ast.ListKind || list.AsList().Size() != 1 || len(list.AsList().OptionalIndices()) > 0 {
		return nil, false
	}
	return list.AsList().Elements()[0], true
}

func isAccu(e ast.Expr, name string) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == name }

func isLiteral[T comparable](e ast.Expr, v T) bool {
	if e.Kind() != ast.LiteralKind {
		return false
	}
	l, ok := e.AsLiteral().(T)
	return ok && l == v
}

func isCall(e ast.Expr, name string, args int) bool {
	return e.Kind() == ast.CallKind && e.AsCall().FunctionName() == name && len(e.AsCall().Args()) == args
}

// argument returns the first argument of a call.
func argument(e ast.Expr) ast.Expr { return e.AsCall().Args()[0] }

// loop returns the node of a comprehension.
func (c *nativeCompiler) loop(e ast.Expr, in *scope) *node {
	loop := e.AsComprehension()
	m, ok := macroOf(loop)
	if !ok {
		return c.unsupported("a loop that is none of the macros")
	}
	over := c.compile(loop.IterRange(), in)
	inner := &scope{name: loop.IterVar(), typ: elementType(over.typ), loose: over.loose, outer: in}
	if in != nil {
		inner.depth = in.depth + 1
	}
	if inner.depth >= maxLoops {
		return c.unsupported("loops nested more than %d deep", maxLoops)
	}
	before := c.lowest
	c.lowest = maxLoops
	n := c.body(e, m, over, inner)
	closed := c.lowest >= inner.depth // the body reads its own variable alone
	c.lowest = min(before, c.lowest)
	if closed {
		return c.foldTo(n, over)
	}
	return n
}

func (c *nativeCompiler) body(e ast.Expr, m macro, over *node, in *scope) *node {
	weight := 1 + nodesOf(e.AsComprehension().LoopStep())/nodesPerWork
	l := looped{over: elements(over.asAny()), slot: in.depth, weight: weight}
	if m.condition != nil {
		before := c.lists
		l.condition = c.compile(m.condition, in).asCondition()
		l.lists = c.lists > before
	}
	c.lists++
	if m.element == nil {
		return boolNode(l.quantify(m.kind))
	}
	element := c.compile(m.element, in)
	if ps := c.typeOf(e).Parameters(); len(ps) == 1 && !c.sameObjects(element.typ, ps[0]) {
		return c.unsupported("an object as a value of any type")
	}
	l.element = element.asAny()
	n := anyNode(types.NewListType(element.typ), l.collect())
	n.loose = element.loose
	return n
}

// elementType is what a loop over a type goes through.
func elementType(t *types.Type) *types.Type {
	if k := t.Kind(); k == types.ListKind || k == types.MapKind {
		return t.Parameters()[0]
	}
	return types.DynType
}

// nodesPerWork is how many nodes of a loop's body are a unit of work. Few
// enough that a body which stops early costs no more than it does in CEL.
const nodesPerWork = 8

// nodesOf counts the nodes of an expression, those of loops in it excepted,
// which count their own.
func nodesOf(e ast.Expr) int {
	n := 1
	if e.Kind() == ast.ComprehensionKind {
		return n + nodesOf(e.AsComprehension().IterRange())
	}
	children(e, func(operand ast.Expr) { n += nodesOf(operand) })
	return n
}

// asChain returns the node as a chain, of one instruction where it is none.
func (n *node) asChain() *chain {
	if n.chain != nil {
		return n.chain
	}
	single := new(chain)
	single.append(n.instruction())
	return single
}

// asCondition is [node.asBool], for what is faster as an instruction.
func (n *node) asCondition() fn[bool] {
	if n.clause == nil {
		return n.asBool()
	}
	return n.asChain().run
}

// elements returns what a loop goes through: the elements of a list, or the
// keys of a map in their order.
func elements(of fn[strictjson.Value]) fn[[]strictjson.Value] {
	return func(f *Frame) ([]strictjson.Value, fault) {
		v, failed := of(f)
		if failed != 0 {
			return nil, failed
		}
		switch v.Kind() {
		case strictjson.List:
			return v.List(), 0
		case strictjson.Map, strictjson.Object, strictjson.Table:
			return f.keys(v)
		case strictjson.String, strictjson.Bytes:
			if v.Str() == "" { // CEL looks at the size first
				return nil, 0
			}
		}
		return nil, valueFault
	}
}

func (f *Frame) keys(v strictjson.Value) ([]strictjson.Value, fault) {
	if failed := f.spend(v.Len() / elementsPerWork); failed != 0 {
		return nil, failed
	}
	keys := f.lists.list(v.Len())
	for i, m := range v.Members() {
		keys[i] = strictjson.StringValue(m.Name)
	}
	for i, e := range v.Entries() {
		keys[i] = e.Key
	}
	return keys, 0
}

// looped is a loop: over what, the slot of its variable, what a round costs,
// and what is computed in each.
type looped struct {
	over      fn[[]strictjson.Value]
	slot      int
	weight    int
	condition fn[bool] // nil: none
	lists     bool     // that the condition computes
	element   fn[strictjson.Value]
}

func (l looped) quantify(kind macroKind) fn[bool] {
	if kind == oneOf {
		return l.exactlyOne
	}
	stop := kind == anyOf
	return func(f *Frame) (bool, fault) {
		elems, failed := l.over(f)
		if failed != 0 {
			return false, failed
		}
		var first fault
		for i := range elems {
			b, failed := l.holds(f, &elems[i])
			switch {
			case failed == 0:
				if b == stop {
					return stop, 0
				}
			case failed.final():
				return false, failed
			case first == 0:
				first = failed
			}
		}
		return !stop && first == 0, first
	}
}

// holds evaluates the condition of one round. Lists that it computes are
// forgotten.
func (l *looped) holds(f *Frame, elem *strictjson.Value) (bool, fault) {
	if f.work -= l.weight; f.work < 0 {
		return false, limitFault
	}
	f.vals[l.slot] = *elem
	if !l.lists {
		b, failed := l.condition(f)
		return b, failed.settled()
	}
	before := f.lists.mark()
	b, failed := l.condition(f)
	f.lists.release(before)
	return b, failed.settled()
}

// exactlyOne goes through all elements. Of several faults the last is the
// result.
func (l *looped) exactlyOne(f *Frame) (bool, fault) {
	elems, failed := l.over(f)
	if failed != 0 {
		return false, failed
	}
	var last fault
	count := 0
	for i := range elems {
		b, failed := l.holds(f, &elems[i])
		switch {
		case failed.final():
			return false, failed
		case failed != 0:
			last = failed
		case b:
			count++
		}
	}
	return count == 1 && last == 0, last
}

// collect is map, and filter. After a fault no more elements are computed;
// conditions still are, and the last of their faults is the result.
func (l looped) collect() fn[strictjson.Value] {
	return func(f *Frame) (none strictjson.Value, failed fault) {
		elems, failed := l.over(f)
		if failed != 0 {
			return none, failed
		}
		if len(elems) > maxElements {
			return none, limitFault
		}
		room := f.lists.list(len(elems))
		var last fault
		used := 0
		for i := range elems {
			if l.condition != nil {
				b, failed := l.holds(f, &elems[i])
				if failed.final() {
					return none, failed
				}
				if failed != 0 {
					last = failed
				}
				if !b || last != 0 {
					continue
				}
			} else if failed := l.enter(f, &elems[i]); failed != 0 {
				return none, failed
			}
			v, failed := l.element(f)
			if failed != 0 {
				if l.condition == nil || failed.final() {
					return none, failed
				}
				last = failed
				continue
			}
			room[used] = v
			used++
		}
		if last != 0 {
			return none, last
		}
		return strictjson.ListValue(f.lists.trim(room, used)), 0
	}
}

func (l *looped) enter(f *Frame, elem *strictjson.Value) fault {
	f.vals[l.slot] = *elem
	return f.spend(l.weight)
}
