package celplan

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// nativeCompiler compiles one expression.
type nativeCompiler struct {
	nativeConfig
	ast    *ast.AST
	places []nativePlace
	slots  int
	lowest int    // depth of a loop whose variable was read; -1: something else was
	lists  int    // how many parts compute lists
	why    string // there is no native program: the first reason
}

// scope is the variables of the loops around an expression, the innermost
// first.
type scope struct {
	name  string
	typ   *types.Type
	loose bool
	depth int // and slot
	outer *scope
}

func (s *scope) find(name string) (*scope, bool) {
	for ; s != nil; s = s.outer {
		if s.name == name {
			return s, true
		}
	}
	return nil, false
}

// unsupported notes why there is no native program. The node that it returns
// is never evaluated.
func (c *nativeCompiler) unsupported(format string, args ...any) *node {
	if c.why == "" {
		c.why = fmt.Sprintf(format, args...)
	}
	return constantNode(types.NullType, strictjson.NullValue())
}

func (c *nativeCompiler) typeOf(e ast.Expr) *types.Type { return c.ast.GetType(e.ID()) }

func (c *nativeCompiler) compile(e ast.Expr, in *scope) *node {
	if c.why != "" {
		return constantNode(types.NullType, strictjson.NullValue())
	}
	n := c.expression(e, in)
	t := c.typeOf(e)
	if n.exact && n.kind == kindOf(t) {
		return n
	}
	if !n.loose && !n.exact && n.typ.IsExactType(t) {
		return n
	}
	if c.holdsObjects(t) {
		return c.unsupported("an object where any value can be")
	}
	return &node{typ: t, kind: strictjson.Dyn, loose: true, any: n.asAny(), constant: n.constant, slot: n.slot}
}

func (c *nativeCompiler) expression(e ast.Expr, in *scope) *node {
	switch e.Kind() {
	case ast.LiteralKind:
		return c.literal(e)
	case ast.IdentKind:
		return c.ident(e, in)
	case ast.SelectKind:
		if e.AsSelect().IsTestOnly() {
			return c.has(e, in)
		}
		return c.selection(e, in)
	case ast.CallKind:
		return c.call(e, in)
	case ast.ListKind:
		return c.list(e, in)
	case ast.MapKind:
		return c.mapping(e, in)
	case ast.ComprehensionKind:
		return c.loop(e, in)
	}
	return c.unsupported("a message")
}

func (c *nativeCompiler) literal(e ast.Expr) *node {
	var v strictjson.Value
	switch l := e.AsLiteral().(type) {
	case types.Null:
		v = strictjson.NullValue()
	case types.Bool:
		v = strictjson.BoolValue(bool(l))
	case types.Int:
		v = strictjson.IntValue(int64(l))
	case types.Uint:
		v = strictjson.UintValue(uint64(l))
	case types.Double:
		v = strictjson.ComputedDoubleValue(float64(l))
	case types.String:
		v = strictjson.StringValue(string(l))
	case types.Bytes:
		v = strictjson.BytesValue(string(l))
	default:
		return c.unsupported("a literal of an unusual type")
	}
	return constantNode(c.typeOf(e), v)
}

func (c *nativeCompiler) ident(e ast.Expr, in *scope) *node {
	name, global := strings.CutPrefix(e.AsIdent(), ".")
	if v, local := in.find(name); local && !global {
		c.lowest = min(c.lowest, v.depth)
		n := c.slot(v.depth, v.typ, valueFault)
		n.loose = v.loose
		return n
	}
	if v, ok := c.variables[name]; ok {
		return c.slot(v.slot, v.typ, c.missing(nativePlace{path: Path(name), slot: v.slot}))
	}
	return c.unsupported("the name %s", name)
}

// missing returns the fault of a place where nothing is.
func (c *nativeCompiler) missing(p nativePlace) fault {
	if c.absorbing {
		return valueFault
	}
	for i := range c.places {
		if q := &c.places[i]; q.path == p.path && q.slot == p.slot {
			return readFault + fault(i)
		}
	}
	c.places = append(c.places, p)
	return readFault + fault(len(c.places)-1)
}

// missingAt is [nativeCompiler.missing] for the selection or index of that id.
func (c *nativeCompiler) missingAt(id int64) fault {
	return c.missing(nativePlace{path: c.at[id], slot: -1})
}

// slot returns the node of a value that is read from a slot.
func (c *nativeCompiler) slot(slot int, t *types.Type, missing fault) *node {
	c.reads(slot)
	n := anyNode(t, func(f *Frame) (strictjson.Value, fault) {
		v := f.vals[slot]
		switch v.Kind() {
		case strictjson.Invalid:
			return v, missing
		case strictjson.String:
			return v, f.reads(v.Str())
		}
		return v, 0
	})
	n.slot = slot
	return n
}

// reads notes that a slot is read.
func (c *nativeCompiler) reads(slot int) {
	c.slots = max(c.slots, slot+1)
	if slot >= maxLoops {
		c.lowest = -1
	}
}

// reads counts a text that was read, once where everything is gone through.
func (f *Frame) reads(text string) fault {
	if len(text) > shortText {
		return f.spendText(len(text))
	}
	return 0
}

func (f *Frame) spendText(n int) fault {
	if f.text -= n; f.text < 0 {
		return limitFault
	}
	return 0
}

func (f *Frame) spend(n int) fault {
	if f.work -= n; f.work < 0 {
		return limitFault
	}
	return 0
}

// maxDeclared is how many members a chain of selections may have that is read
// from a slot of its own.
const maxDeclared = 16

// declared returns the slot of what a chain of selections of declared members
// leads to, and, where they are several, their names.
func (c *nativeCompiler) declared(e ast.Expr, in *scope) (p nativePlace, ok bool) {
	if c.types == nil {
		return p, false
	}
	var chain [maxDeclared]string // from the last
	n := 0
	for e.Kind() == ast.SelectKind && n < maxDeclared && !e.AsSelect().IsTestOnly() {
		chain[n] = e.AsSelect().FieldName()
		e = e.AsSelect().Operand()
		n++
	}
	root, ok := c.variable(e, in)
	if !ok || n == 0 || n > 1 && root.name != "args" {
		return p, false
	}
	object := root.object
	names := chain[:n]
	slices.Reverse(names)
	for _, name := range names {
		if object == nil {
			return p, false
		}
		f, ok := object.fields[name]
		if !ok {
			return p, false
		}
		object = f.shape.object
	}
	p = nativePlace{slot: c.layout.Slot(root.name, names...)}
	if n > 1 {
		p.names = slices.Clone(names)
	}
	return p, true
}

// variable returns the variable of a scope that an expression is.
func (c *nativeCompiler) variable(e ast.Expr, in *scope) (v variable, ok bool) {
	if e.Kind() != ast.IdentKind || c.types == nil {
		return v, false
	}
	name, global := strings.CutPrefix(e.AsIdent(), ".")
	if _, local := in.find(name); local && !global {
		return v, false
	}
	object, ok := c.types.variable(name)
	return variable{name: name, object: object}, ok
}

func (c *nativeCompiler) selection(e ast.Expr, in *scope) *node {
	if p, ok := c.declared(e, in); ok {
		p.path = c.at[e.ID()]
		return c.slot(p.slot, c.typeOf(e), c.missing(p))
	}
	if name, qualified := c.ast.ReferenceMap()[e.ID()]; qualified {
		if v, ok := c.variables[name.Name]; ok {
			return c.slot(v.slot, v.typ, c.missing(nativePlace{path: Path(name.Name), slot: v.slot}))
		}
		return c.unsupported("the name %s", name.Name)
	}
	operand := c.compile(e.AsSelect().Operand(), in)
	return c.member(operand, e.AsSelect().FieldName(), c.typeOf(e), c.missingAt(e.ID()))
}

// inside returns the node of a value that is in another one.
func inside(of *node, t *types.Type, f fn[strictjson.Value]) *node {
	n := anyNode(t, f)
	switch n.loose = of.loose; of.typ.Kind() {
	case types.ListKind, types.MapKind:
		ps := of.typ.Parameters()
		n.loose = n.loose || !ps[len(ps)-1].IsExactType(t)
	case types.StructKind:
	default:
		n.loose = true
	}
	return n
}

// member returns the node of a member of an object or map.
func (c *nativeCompiler) member(of *node, name string, t *types.Type, missing fault) *node {
	operand := of.asAny()
	key := strictjson.StringValue(name)
	if slot := of.slot; slot >= 0 {
		return inside(of, t, func(f *Frame) (strictjson.Value, fault) {
			if v, ok := f.vals[slot].Get(name); ok && v.Kind() != strictjson.Invalid {
				if v.Kind() == strictjson.String {
					return v, f.reads(v.Str())
				}
				return v, 0
			}
			v, failed := operand(f)
			if failed != 0 {
				return v, failed
			}
			return f.index(v, key, missing)
		})
	}
	return c.foldTo(inside(of, t, func(f *Frame) (strictjson.Value, fault) {
		v, failed := operand(f)
		if failed != 0 {
			return v, failed
		}
		return f.index(v, key, missing)
	}), of)
}

// index returns container[key].
func (f *Frame) index(container, key strictjson.Value, missing fault) (strictjson.Value, fault) {
	if container.Kind() == strictjson.Table { // which is gone through
		if failed := f.spend(container.Len() / elementsPerWork); failed != 0 {
			return strictjson.Value{}, failed
		}
	}
	v, found, failed := indexValue(container, key)
	switch {
	case failed != 0:
		return v, failed
	case !found || v.Kind() == strictjson.Invalid:
		return strictjson.Value{}, missing
	case v.Kind() == strictjson.String:
		return v, f.reads(v.Str())
	}
	return v, 0
}

// has returns the node of a test. It reads the operand only.
func (c *nativeCompiler) has(e ast.Expr, in *scope) *node {
	name := e.AsSelect().FieldName()
	operand := e.AsSelect().Operand()
	if slot, ok := c.testable(operand, name, in); ok {
		c.reads(slot)
		n := boolNode(func(f *Frame) (bool, fault) { return f.vals[slot].Kind() != strictjson.Invalid, 0 })
		n.clause = new(instruction)
		n.clause.of(opHas, slot)
		return n
	}
	of := c.compile(operand, in)
	read, key := of.asAny(), strictjson.StringValue(name)
	return c.foldTo(boolNode(func(f *Frame) (bool, fault) {
		v, failed := read(f)
		if failed != 0 {
			return false, failed
		}
		member, found, failed := indexValue(v, key)
		return found && member.Kind() != strictjson.Invalid, failed
	}), of)
}

// testable returns the slot of a member of a variable itself, which is always
// there.
func (c *nativeCompiler) testable(operand ast.Expr, name string, in *scope) (slot int, ok bool) {
	v, ok := c.variable(operand, in)
	if !ok || v.object.fields[name] == nil {
		return 0, false
	}
	return c.layout.Slot(v.name, name), true
}

func (c *nativeCompiler) call(e ast.Expr, in *scope) *node {
	call := e.AsCall()
	switch call.FunctionName() {
	case operators.LogicalAnd:
		return c.logic(call.Args(), in, false)
	case operators.LogicalOr:
		return c.logic(call.Args(), in, true)
	case operators.Conditional:
		return c.conditional(e, in)
	}
	args := make([]*node, 0, 4)
	if call.IsMemberFunction() {
		args = append(args, c.compile(call.Target(), in))
	}
	for _, arg := range call.Args() {
		args = append(args, c.compile(arg, in))
	}
	if c.why != "" {
		return args[0]
	}
	return c.foldTo(c.function(e, call.FunctionName(), args), args...)
}

// function returns the node of a call.
func (c *nativeCompiler) function(e ast.Expr, name string, args []*node) *node {
	if o, ok := orderingOf(name); ok && len(args) == 2 {
		return c.relation(o, args[0], args[1])
	}
	if op, ok := operatorOf(name); ok && len(args) == 2 {
		return c.arithmetic(op, args[0], args[1], c.typeOf(e))
	}
	switch name {
	case operators.Equals, operators.NotEquals:
		return c.equality(args[0], args[1], name == operators.NotEquals)
	case operators.LogicalNot:
		return c.not(args[0])
	case operators.Negate:
		return c.negation(args[0], c.typeOf(e))
	case operators.In:
		return c.membership(args[0], args[1])
	case operators.Index:
		return c.indexing(args[0], args[1], c.typeOf(e), c.missingAt(e.ID()))
	}
	if n := c.conversion(name, args, c.overloaded(e)); n != nil {
		return n
	}
	if n := c.timeFunction(name, args, c.overloaded(e)); n != nil {
		return n
	}
	if n := c.textFunction(name, args); n != nil {
		return n
	}
	return c.unsupported("the function %s", name)
}

// overloaded reports whether CEL decides which overload of a function is
// called only when it is.
func (c *nativeCompiler) overloaded(e ast.Expr) bool {
	return len(c.ast.GetOverloadIDs(e.ID())) != 1
}

// A folded value that is larger than this stays a computation.
const (
	maxFoldedText  = 1 << 12
	maxFoldedElems = 1 << 8
)

// foldTo returns n, or its value where it is made of constants alone. A fault
// stays where it is: what comes before may keep it from being reached.
func (c *nativeCompiler) foldTo(n *node, operands ...*node) *node {
	if c.unfolded || c.why != "" {
		return n
	}
	for _, o := range operands {
		if !o.isConstant() {
			return n
		}
	}
	f := &Frame{work: maxCost, text: maxRead, vals: make([]strictjson.Value, maxLoops)}
	v, failed := n.asAny()(f)
	if failed != 0 {
		return n
	}
	left := maxFoldedElems
	if v, ok := copied(v, &left); ok {
		folded := constantNode(n.typ, v)
		folded.loose = n.loose
		return folded
	}
	return n
}

// copied copies the lists of a value out of the arena of the frame that
// computed them.
func copied(v strictjson.Value, left *int) (strictjson.Value, bool) {
	if *left--; *left < 0 || len(v.Str()) > maxFoldedText {
		return v, false
	}
	if v.Kind() != strictjson.List {
		return v, countDown(v, left)
	}
	elems := slices.Clone(v.List())
	for i := range elems {
		var ok bool
		if elems[i], ok = copied(elems[i], left); !ok {
			return v, false
		}
	}
	return strictjson.ListValue(elems), true
}
