package celplan

import (
	"cmp"
	"math"

	"cel.dev/cel-go/common/operators"

	"github.com/ambit-go/ambit/internal/strictjson"
)

func orderingOf(function string) (o ordering, ok bool) {
	switch function {
	case operators.Less:
		return isLess, true
	case operators.LessEquals:
		return isAtMost, true
	case operators.Greater:
		return isGreater, true
	case operators.GreaterEquals:
		return isAtLeast, true
	}
	return 0, false
}

// mirrored is the ordering with its operands exchanged.
func (o ordering) mirrored() ordering {
	switch o {
	case isLess:
		return isGreater
	case isAtMost:
		return isAtLeast
	case isGreater:
		return isLess
	}
	return isAtMost
}

func (o ordering) relation() relation3 {
	switch o {
	case isLess:
		return whereLess
	case isAtMost:
		return whereLess | whereEqual
	case isGreater:
		return whereGreater
	}
	return whereGreater | whereEqual
}

// relation returns the node of a comparison for order.
func (c *nativeCompiler) relation(o ordering, a, b *node) *node {
	n := boolNode(relate(o, a, b))
	n.clause = relationClause(o, a, b)
	if n.clause == nil {
		n.clause = relationClause(o.mirrored(), b, a)
	}
	return n
}

func relate(o ordering, a, b *node) fn[bool] {
	if a.exact && b.exact {
		if f := relateExact(o, a, b); f != nil {
			return f
		}
	}
	x, y := a.asAny(), b.asAny()
	r := o.relation()
	return func(f *Frame) (bool, fault) {
		v, failed := x(f)
		if failed != 0 {
			return false, failed
		}
		w, failed := y(f)
		if failed != 0 {
			return false, failed
		}
		if v.Kind() == strictjson.Int && w.Kind() == strictjson.Int {
			return r.ints(v.Int(), w.Int()), 0
		}
		return relateValues(o, v, w)
	}
}

// relateExact relates values of one kind, or numbers.
func relateExact(o ordering, a, b *node) fn[bool] {
	switch {
	case a.kind == strictjson.Int && b.kind == strictjson.Int:
		return relateOrdered(o, a.asInt(), b.asInt())
	case a.kind == strictjson.Duration && b.kind == strictjson.Duration:
		return relateOrdered(o, a.asDuration(), b.asDuration())
	case a.kind == strictjson.Uint && b.kind == strictjson.Uint:
		return relateOrdered(o, a.asUint(), b.asUint())
	case a.kind == strictjson.Double && b.kind == strictjson.Double:
		return relateOrdered(o, a.asDouble(), b.asDouble())
	case a.kind == strictjson.String && b.kind == strictjson.String:
		return relateOrdered(o, a.asText(), b.asText())
	case a.kind == strictjson.Timestamp && b.kind == strictjson.Timestamp:
		return relateTimes(o, a.asTime(), b.asTime())
	case a.kind == strictjson.Int && b.kind == strictjson.Double:
		return relateOrdered(o, rounded(a.asInt()), b.asDouble())
	case a.kind == strictjson.Double && b.kind == strictjson.Int:
		return relateOrdered(o, a.asDouble(), rounded(b.asInt()))
	}
	return nil
}

// rounded is how CEL compares an int with a double.
func rounded(f fn[int64]) fn[float64] {
	return func(fr *Frame) (float64, fault) {
		i, failed := f(fr)
		return float64(i), failed
	}
}

func relateOrdered[T cmp.Ordered](o ordering, a, b fn[T]) fn[bool] {
	return func(f *Frame) (bool, fault) {
		x, failed := a(f)
		if failed != 0 {
			return false, failed
		}
		y, failed := b(f)
		if failed != 0 {
			return false, failed
		}
		switch o { // of NaN all are false
		case isLess:
			return x < y, 0
		case isAtMost:
			return x <= y, 0
		case isGreater:
			return x > y, 0
		}
		return x >= y, 0
	}
}

func relateTimes(o ordering, a, b fn[instant]) fn[bool] {
	return func(f *Frame) (bool, fault) {
		x, failed := a(f)
		if failed != 0 {
			return false, failed
		}
		y, failed := b(f)
		if failed != 0 {
			return false, failed
		}
		return o.holds(compareTimes(x, y)), 0
	}
}

// relationClause returns the instruction of a relation between a slot and a
// constant, or another slot, or a multiple of one.
func relationClause(o ordering, a, b *node) *instruction {
	k := new(instruction)
	k.relation = o.relation()
	switch {
	case a.sizeOf > 0 && b.constant.Kind() == strictjson.Int:
		from, to := intRange(o, b.constant.Int())
		if from > to {
			return nil
		}
		k.of(opSizeRange, a.sizeOf-1)
		k.a, k.b = from, to-from
	case a.slot < 0:
		return nil
	case a.kind == strictjson.Int && b.constant.Kind() == strictjson.Int:
		from, to := intRange(o, b.constant.Int())
		if from > to {
			return nil
		}
		k.of(opIntRange, a.slot)
		k.a, k.b = from, to-from
	case a.kind == strictjson.Double && b.isConstant():
		return doubleRange(k, o, a.slot, b.constant)
	case a.kind == strictjson.Int && b.kind == strictjson.Int && b.slot >= 0:
		k.of(opIntSlots, a.slot, b.slot)
	case a.kind == strictjson.Double && b.kind == strictjson.Double && b.slot >= 0:
		k.of(opDoubleSlots, a.slot, b.slot)
	case a.kind == strictjson.Int && b.scaled != nil:
		k.scale(a.slot, b.scaled)
	default:
		return nil
	}
	return k
}

// scale compares a slot with one that is scaled.
func (k *instruction) scale(slot int, s *scaled) {
	k.of(opIntMoved, slot, s.slot)
	k.a, k.b, k.c = s.by, s.from, s.to-s.from
	if s.op == multiply {
		k.op = opIntScaled
	}
}

func intRange(o ordering, limit int64) (from, to int64) {
	switch {
	case o == isAtLeast:
		return limit, math.MaxInt64
	case o == isAtMost:
		return math.MinInt64, limit
	case o == isGreater && limit < math.MaxInt64:
		return limit + 1, math.MaxInt64
	case o == isLess && limit > math.MinInt64:
		return math.MinInt64, limit - 1
	}
	return 1, 0 // no int
}

// doubleRange is of a double and a number, which is rounded to a double if it
// is an int.
func doubleRange(k *instruction, o ordering, slot int, limit strictjson.Value) *instruction {
	var at float64
	switch limit.Kind() {
	case strictjson.Int:
		at = float64(limit.Int())
	case strictjson.Double:
		at = limit.Double()
	default:
		return nil
	}
	if checkFinite(at) != 0 {
		return nil
	}
	from, to := math.Inf(-1), math.Inf(1)
	switch o {
	case isAtLeast:
		from = at
	case isAtMost:
		to = at
	case isGreater:
		from = math.Nextafter(at, math.Inf(1))
	case isLess:
		to = math.Nextafter(at, math.Inf(-1))
	}
	k.of(opDoubleRange, slot)
	k.a, k.b = bitsOf(from), bitsOf(to)
	return k
}
