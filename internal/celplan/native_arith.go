package celplan

import (
	"math"

	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/ambit-go/ambit/internal/strictjson"
)

func operatorOf(function string) (op operator, ok bool) {
	switch function {
	case operators.Add:
		return add, true
	case operators.Subtract:
		return subtract, true
	case operators.Multiply:
		return multiply, true
	case operators.Divide:
		return divide, true
	case operators.Modulo:
		return modulo, true
	}
	return 0, false
}

// arithmetic returns the node of a op b.
func (c *nativeCompiler) arithmetic(op operator, a, b *node, t *types.Type) *node {
	switch both := a.kind == b.kind; {
	case both && a.kind == strictjson.Int:
		n := intNode(compute(a.asInt(), b.asInt(), intsOf(op)))
		n.scaled = scale(op, a, b)
		if op == subtract && a.slot >= 0 && b.slot >= 0 {
			n.less = &difference{uint32(a.slot) * sizeOfSlot, uint32(b.slot) * sizeOfSlot}
		}
		return n
	case both && a.kind == strictjson.Uint:
		return uintNode(compute(a.asUint(), b.asUint(), uintsOf(op)))
	case both && a.kind == strictjson.Double:
		return doubleNode(compute(a.asDouble(), b.asDouble(), c.doublesOf(op)))
	case both && a.kind == strictjson.Duration && op == add:
		return durationNode(compute(a.asDuration(), b.asDuration(), addDurs))
	case both && a.kind == strictjson.Duration && op == subtract:
		return durationNode(compute(a.asDuration(), b.asDuration(), subDurs))
	case both && a.kind == strictjson.Timestamp && op == subtract:
		return durationNode(compute(a.asTime(), b.asTime(), subTimes))
	case both && a.kind == strictjson.String && op == add:
		return textNode(concatenate(a.asText(), b.asText()))
	case both && a.kind == strictjson.Bytes && op == add:
		return bytesNode(concatenate(a.asBytes(), b.asBytes()))
	case a.kind == strictjson.Timestamp && b.kind == strictjson.Duration && op == add:
		return timeNode(compute(a.asTime(), b.asDuration(), addTimeDur))
	case a.kind == strictjson.Timestamp && b.kind == strictjson.Duration && op == subtract:
		return timeNode(compute(a.asTime(), b.asDuration(), subTimeDur))
	case a.kind == strictjson.Duration && b.kind == strictjson.Timestamp && op == add:
		return timeNode(compute(a.asDuration(), b.asTime(),
			func(d int64, t instant) (instant, fault) { return addTimeDur(t, d) }))
	}
	c.lists++ // it may be of lists
	n := anyNode(t, c.arithAny(op, a.asAny(), b.asAny()))
	n.loose = a.loose || b.loose || !a.typ.IsExactType(t) || !b.typ.IsExactType(t)
	return n
}

// compute returns the closure of a binary operation.
func compute[A, B, R any](a fn[A], b fn[B], of func(A, B) (R, fault)) fn[R] {
	return func(f *Frame) (none R, failed fault) {
		x, failed := a(f)
		if failed != 0 {
			return none, strict(f, failed, b)
		}
		y, failed := b(f)
		if failed != 0 {
			return none, failed.settled()
		}
		return of(x, y)
	}
}

func intsOf(op operator) func(a, b int64) (int64, fault) {
	return func(a, b int64) (int64, fault) { return arithInt(op, a, b) }
}

func uintsOf(op operator) func(a, b uint64) (uint64, fault) {
	return func(a, b uint64) (uint64, fault) { return arithUint(op, a, b) }
}

func (c *nativeCompiler) doublesOf(op operator) func(a, b float64) (float64, fault) {
	infinite := c.infinite
	return func(a, b float64) (float64, fault) {
		d, failed := arithDouble(op, a, b)
		if failed == 0 && !infinite {
			failed = checkFinite(d)
		}
		return d, failed
	}
}

// concatenate joins two texts, or bytes, and counts the result.
func concatenate(a, b fn[string]) fn[string] {
	return func(f *Frame) (string, fault) {
		x, failed := a(f)
		if failed != 0 {
			return "", strict(f, failed, b)
		}
		y, failed := b(f)
		if failed != 0 {
			return "", failed.settled()
		}
		s, failed := concat(x, y)
		if failed == 0 {
			failed = f.reads(s)
		}
		return s, failed
	}
}

func (c *nativeCompiler) arithAny(op operator, a, b fn[strictjson.Value]) fn[strictjson.Value] {
	infinite := c.infinite
	return func(f *Frame) (strictjson.Value, fault) {
		x, failed := a(f)
		if failed != 0 {
			return x, failed
		}
		y, failed := b(f)
		if failed != 0 {
			return y, failed
		}
		if op == add && x.Kind() == strictjson.List && y.Kind() == strictjson.List {
			return f.concatLists(x, y)
		}
		v, failed := arith(op, x, y)
		if failed == 0 && !infinite {
			failed = checkFiniteValue(v)
		}
		if failed == 0 && v.Kind() == strictjson.String {
			failed = f.reads(v.Str())
		}
		return v, failed
	}
}

// elementsPerWork is how many elements of a list are made, copied or gone
// through for a unit of work.
const elementsPerWork = 4

func (f *Frame) concatLists(a, b strictjson.Value) (strictjson.Value, fault) {
	n := a.Len() + b.Len()
	if n > maxElements {
		return strictjson.Value{}, limitFault
	}
	if failed := f.spend(1 + n/elementsPerWork); failed != 0 {
		return strictjson.Value{}, failed
	}
	elems := f.lists.list(n)
	copy(elems[copy(elems, a.List()):], b.List())
	return strictjson.ListValue(elems), 0
}

// scale notes that a product or sum is of a slot and a constant.
func scale(op operator, a, b *node) *scaled {
	if op != multiply && op != add && op != subtract {
		return nil
	}
	if a.isConstant() && op != subtract {
		a, b = b, a
	}
	if a.slot < 0 || b.constant.Kind() != strictjson.Int {
		return nil
	}
	s := &scaled{op: op, slot: a.slot, by: b.constant.Int(), from: math.MinInt64, to: math.MaxInt64}
	switch {
	case op == subtract && s.by == math.MinInt64:
		return nil
	case op == subtract:
		s.op, s.by = add, -s.by
	case op == multiply && s.by <= 0: // rare, and has its own ends
		return nil
	case op == multiply:
		s.from, s.to = math.MinInt64/s.by, math.MaxInt64/s.by
		return s
	}
	if s.by > 0 {
		s.to -= s.by
	} else {
		s.from -= s.by
	}
	return s
}

// negation returns the node of -a.
func (c *nativeCompiler) negation(a *node, t *types.Type) *node {
	infinite := c.infinite
	switch a.kind {
	case strictjson.Int:
		return intNode(unary(a.asInt(), negInt))
	case strictjson.Double:
		return doubleNode(unary(a.asDouble(), func(d float64) (float64, fault) {
			if infinite {
				return -d, 0
			}
			return -d, checkFinite(d)
		}))
	}
	n := anyNode(t, unary(a.asAny(), func(v strictjson.Value) (strictjson.Value, fault) {
		v, failed := negate(v)
		if failed == 0 && !infinite {
			failed = checkFiniteValue(v)
		}
		return v, failed
	}))
	n.loose = a.loose
	return n
}

// unary returns the closure of an operation on one value.
func unary[A, R any](a fn[A], of func(A) (R, fault)) fn[R] {
	return func(f *Frame) (none R, failed fault) {
		x, failed := a(f)
		if failed != 0 {
			return none, failed.settled()
		}
		return of(x)
	}
}
