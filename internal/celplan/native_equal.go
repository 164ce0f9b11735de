package celplan

import (
	"math"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// equality returns the node of == or, negated, of !=.
func (c *nativeCompiler) equality(a, b *node, negated bool) *node {
	if !c.comparable(a.typ, b.typ) {
		return c.unsupported("an object compared with a value of another type")
	}
	var equal fn[bool]
	switch {
	case b.isConstant() && b.constant.Kind() == strictjson.Null:
		equal = isNull(a.asAny())
	case a.isConstant() && a.constant.Kind() == strictjson.Null:
		equal = isNull(b.asAny())
	case c.holdsObjects(a.typ):
		equal = equalShaped(c.types, a.typ, a.asAny(), b.asAny())
	case a.exact && b.exact && a.kind == b.kind:
		equal = equalExact(a, b)
	}
	switch {
	case equal != nil:
	case b.constant.Kind() == strictjson.String:
		equal = equalText(a.asAny(), b.constant.Str())
	case a.constant.Kind() == strictjson.String:
		equal = equalText(b.asAny(), a.constant.Str())
	default:
		equal = equalAny(a.asAny(), b.asAny())
	}
	if negated {
		yes := equal
		equal = func(f *Frame) (bool, fault) {
			b, failed := yes(f)
			return !b && failed == 0, failed
		}
	}
	n := boolNode(equal)
	if n.clause = equalityClause(a, b, negated); n.clause == nil {
		n.clause = equalityClause(b, a, negated)
	}
	return n
}

func isNull(of fn[strictjson.Value]) fn[bool] {
	return func(f *Frame) (bool, fault) {
		v, failed := of(f)
		return v.Kind() == strictjson.Null && failed == 0, failed
	}
}

// equalText compares with a constant: nothing but a string equals one.
func equalText(of fn[strictjson.Value], text string) fn[bool] {
	return func(f *Frame) (bool, fault) {
		v, failed := of(f)
		return failed == 0 && v.Kind() == strictjson.String && v.Str() == text, failed
	}
}

func equalAny(a, b fn[strictjson.Value]) fn[bool] {
	return func(f *Frame) (bool, fault) {
		v, failed := a(f)
		if failed != 0 {
			return false, failed
		}
		w, failed := b(f)
		if failed != 0 {
			return false, failed
		}
		if v.Kind() == strictjson.String && w.Kind() == strictjson.String {
			return v.Str() == w.Str(), 0
		}
		return equalValues(v, w, &f.work)
	}
}

func equalExact(a, b *node) fn[bool] {
	switch a.kind {
	case strictjson.Bool:
		return equalTyped(a.asBool(), b.asBool())
	case strictjson.Int:
		return equalTyped(a.asInt(), b.asInt())
	case strictjson.Duration:
		return equalTyped(a.asDuration(), b.asDuration())
	case strictjson.Uint:
		return equalTyped(a.asUint(), b.asUint())
	case strictjson.Double:
		return equalTyped(a.asDouble(), b.asDouble())
	case strictjson.String:
		return equalTyped(a.asText(), b.asText())
	}
	return nil
}

func equalTyped[T comparable](a, b fn[T]) fn[bool] {
	return func(f *Frame) (bool, fault) {
		x, failed := a(f)
		if failed != 0 {
			return false, failed
		}
		y, failed := b(f)
		return x == y && failed == 0, failed
	}
}

func equalityClause(a, b *node, negated bool) *instruction {
	k := &instruction{not: negated}
	k.relation = whereEqual
	switch value := b.constant; {
	case a.sizeOf > 0 && value.Kind() == strictjson.Int:
		k.of(opSizeRange, a.sizeOf-1)
		k.a = value.Int()
	case a.slot < 0:
		return nil
	case (a.kind == strictjson.String || a.kind == strictjson.Dyn) && value.Kind() == strictjson.String:
		k.of(opTextIn, a.slot)
		k.set = newConstantSet(strictjson.ListValue([]strictjson.Value{value}))
	case a.kind == strictjson.Int && value.Kind() == strictjson.Int:
		k.of(opIntRange, a.slot)
		k.a = value.Int()
	case a.kind == strictjson.Bool && value.Kind() == strictjson.Bool:
		k.of(opBool, a.slot)
		k.not = negated == value.Bool()
	case a.kind == strictjson.Double && value.Kind() == strictjson.Double && !math.IsNaN(value.Double()):
		k.of(opDoubleRange, a.slot)
		k.a, k.b = bitsOf(value.Double()), bitsOf(value.Double())
	case a.kind == strictjson.Int && b.kind == strictjson.Int && b.slot >= 0:
		k.of(opIntSlots, a.slot, b.slot)
	case a.kind == strictjson.Int && b.scaled != nil:
		k.scale(a.slot, b.scaled)
	default:
		return nil
	}
	return k
}

// fewInts are found by comparing them one after the other; for more there is
// no instruction.
const fewInts = 16

// membership returns the node of elem in container.
func (c *nativeCompiler) membership(elem, container *node) *node {
	inner := types.DynType
	if container.typ.Kind() == types.ListKind {
		inner = container.typ.Parameters()[0]
	}
	if !c.comparable(elem.typ, inner) {
		return c.unsupported("an object compared with a value of another type")
	}
	a, b := elem.asAny(), container.asAny()
	if c.holdsObjects(inner) {
		return boolNode(containsShaped(c.types, inner, a, b))
	}
	if set := newConstantSet(container.constant); set != nil {
		n := boolNode(inSet(a, set, container.constant))
		switch {
		case elem.slot < 0:
		case (elem.kind == strictjson.String || elem.kind == strictjson.Dyn) && set.ints == nil:
			n.clause = new(instruction)
			n.clause.of(opTextIn, elem.slot)
		case elem.kind == strictjson.Int && set.ints != nil && len(set.ints) <= fewInts:
			n.clause = new(instruction)
			n.clause.of(opIntIn, elem.slot)
		}
		if n.clause != nil {
			n.clause.set = set
		}
		return n
	}
	return boolNode(func(f *Frame) (bool, fault) {
		v, failed := a(f)
		if failed != 0 {
			return false, failed
		}
		w, failed := b(f)
		if failed != 0 {
			return false, failed
		}
		return containsValue(w, v, &f.work)
	})
}

func inSet(of fn[strictjson.Value], set *constantSet, list strictjson.Value) fn[bool] {
	return func(f *Frame) (bool, fault) {
		v, failed := of(f)
		switch {
		case failed != 0:
			return false, failed
		case v.Kind() == strictjson.String:
			return set.hasText(v.Str()), 0
		case v.Kind() == strictjson.Int:
			return slices.Contains(set.ints, v.Int()), 0
		case set.ints == nil:
			return false, 0
		}
		return containsValue(list, v, &f.work)
	}
}

// holdsObjects reports whether values of a type can have objects of a declared
// type in them, which compare by their declared members.
func (c *nativeCompiler) holdsObjects(t *types.Type) bool {
	if t.Kind() == types.StructKind {
		return true
	}
	for _, p := range t.Parameters() {
		if c.holdsObjects(p) {
			return true
		}
	}
	return false
}

// sameObjects reports whether a value of one type can stand where the other
// is expected, without an object becoming a value of any type.
func (c *nativeCompiler) sameObjects(t, expected *types.Type) bool {
	return !c.holdsObjects(t) || t.IsExactType(expected)
}

func (c *nativeCompiler) comparable(a, b *types.Type) bool {
	if a.Kind() == types.NullTypeKind || b.Kind() == types.NullTypeKind {
		return true
	}
	return c.sameObjects(a, b) && c.sameObjects(b, a)
}

// equalShaped compares values of a type that holds objects.
func equalShaped(p *provider, t *types.Type, a, b fn[strictjson.Value]) fn[bool] {
	s := p.shapeOf(t)
	return func(f *Frame) (bool, fault) {
		v, failed := a(f)
		if failed != 0 {
			return false, failed
		}
		w, failed := b(f)
		if failed != 0 {
			return false, failed
		}
		return s.equalWithin(f, v, w)
	}
}

func (s *shape) equalWithin(f *Frame, v, w strictjson.Value) (bool, fault) {
	if isScalar(v) || isScalar(w) {
		return equal(v, w), 0
	}
	left := maxElements
	if !countDown(v, &left) || !countDown(w, &left) {
		return false, limitFault
	}
	if failed := f.spend(maxElements - left); failed != 0 {
		return false, failed
	}
	return s.equal(v, w), 0
}

// containsShaped looks for an object in a list.
func containsShaped(p *provider, t *types.Type, elem, list fn[strictjson.Value]) fn[bool] {
	s := p.shapeOf(t)
	return func(f *Frame) (bool, fault) {
		v, failed := elem(f)
		if failed != 0 {
			return false, failed
		}
		w, failed := list(f)
		if failed != 0 {
			return false, failed
		}
		if w.Kind() != strictjson.List {
			return false, overloadFault
		}
		left := maxElements
		if !isScalar(v) && !countDown(w, &left) {
			return false, limitFault
		}
		if failed := f.spend(maxElements - left); failed != 0 {
			return false, failed
		}
		for _, e := range w.List() {
			if s.equal(v, e) {
				return true, 0
			}
		}
		return false, 0
	}
}

// equal compares two values of a shape: objects by their declared members.
func (s *shape) equal(v, w strictjson.Value) bool {
	switch {
	case s.object != nil && isKeyed(v) && isKeyed(w):
		return s.object.equal(v, w)
	case s.elem == nil || isScalar(v) || v.Kind() != w.Kind():
		return equal(v, w)
	}
	return s.equalInside(v, w)
}

func isKeyed(v strictjson.Value) bool {
	return v.Kind() == strictjson.Map || v.Kind() == strictjson.Object
}

func (o *objectType) equal(v, w strictjson.Value) bool {
	for _, name := range o.names {
		mine, _ := v.Get(name)
		theirs, _ := w.Get(name)
		if mine.Kind() == strictjson.Invalid && theirs.Kind() == strictjson.Invalid {
			continue
		}
		if !o.fields[name].shape.equal(mine, theirs) {
			return false
		}
	}
	return true
}

func (s *shape) equalInside(v, w strictjson.Value) bool {
	if v.Len() != w.Len() {
		return false
	}
	theirs := w.List()
	for i, mine := range v.List() {
		if !s.elem.equal(mine, theirs[i]) {
			return false
		}
	}
	others := w.Members()
	for i, m := range v.Members() {
		if strings.Compare(m.Name, others[i].Name) != 0 || !s.elem.equal(m.Value, others[i].Value) {
			return false
		}
	}
	return true
}

// shapeOf returns the shape of a type of CEL's.
func (p *provider) shapeOf(t *types.Type) *shape {
	switch t.Kind() {
	case types.StructKind:
		return &shape{cel: t, object: p.objects[t.TypeName()]}
	case types.ListKind:
		return &shape{cel: t, elem: p.shapeOf(t.Parameters()[0])}
	case types.MapKind:
		return &shape{cel: t, elem: p.shapeOf(t.Parameters()[1])}
	}
	return &shape{cel: t}
}
