package celplan

import (
	"time"
	"unsafe"

	"cel.dev/cel-go/common/types"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// node is a compiled part of an expression. It holds one closure, from which
// those of other types are made where they are needed.
type node struct {
	typ *types.Type
	// kind is that of the type: Bool, Int, Uint, Double, String, Bytes,
	// Timestamp or Duration; Dyn for all that is only looked at when evaluated.
	kind strictjson.Kind
	// exact says that a value has that kind. One that was read may have
	// another: null, or what a host gave instead of what it declared.
	exact bool
	// loose says that the type is a guess of CEL's type checker about what a
	// value of any type holds. The kind is Dyn then, whatever the type says.
	loose bool

	bools   fn[bool]
	ints    fn[int64] // of durations too
	uints   fn[uint64]
	doubles fn[float64]
	texts   fn[string] // of bytes too
	times   fn[instant]
	any     fn[strictjson.Value] // of every node that is not exact

	constant strictjson.Value // Invalid: it is none
	slot     int              // that the node is read from; -1: from none
	chain    *chain           // of a conjunction or disjunction
	clause   *instruction     // that is this node, where one is
	scaled   *scaled          // the slot that this node is a multiple of
	less     *difference      // the slots that this node is the difference of
	sizeOf   int              // 1 + the slot whose size this node is
}

// scaled is a slot times or plus a constant.
type scaled struct {
	op       operator
	slot     int
	by       int64
	from, to int64 // of the slot, where the result is no overflow
}

// difference is an int less another, each read from a slot: what most
// quantities are.
type difference struct{ at, less uint32 } // in bytes

// of returns the difference on a frame; false where the values are no ints, or
// where it overflows.
func (d *difference) of(f *Frame) (int64, bool) {
	vals := unsafe.Pointer(unsafe.SliceData(f.vals))
	a, b := (*strictjson.Value)(unsafe.Add(vals, d.at)), (*strictjson.Value)(unsafe.Add(vals, d.less))
	x, y := a.Bits(), b.Bits()
	n := x - y
	return n, a.Kind() == strictjson.Int && b.Kind() == strictjson.Int && (x^y)&(x^n) >= 0
}

func kindOf(t *types.Type) strictjson.Kind {
	switch t.Kind() {
	case types.BoolKind:
		return strictjson.Bool
	case types.IntKind:
		return strictjson.Int
	case types.UintKind:
		return strictjson.Uint
	case types.DoubleKind:
		return strictjson.Double
	case types.StringKind:
		return strictjson.String
	case types.BytesKind:
		return strictjson.Bytes
	case types.TimestampKind:
		return strictjson.Timestamp
	case types.DurationKind:
		return strictjson.Duration
	}
	return strictjson.Dyn
}

func boolNode(f fn[bool]) *node {
	return &node{typ: types.BoolType, kind: strictjson.Bool, exact: true, bools: f, slot: -1}
}

func intNode(f fn[int64]) *node {
	return &node{typ: types.IntType, kind: strictjson.Int, exact: true, ints: f, slot: -1}
}

func durationNode(f fn[int64]) *node {
	return &node{typ: types.DurationType, kind: strictjson.Duration, exact: true, ints: f, slot: -1}
}

func uintNode(f fn[uint64]) *node {
	return &node{typ: types.UintType, kind: strictjson.Uint, exact: true, uints: f, slot: -1}
}

func doubleNode(f fn[float64]) *node {
	return &node{typ: types.DoubleType, kind: strictjson.Double, exact: true, doubles: f, slot: -1}
}

func textNode(f fn[string]) *node {
	return &node{typ: types.StringType, kind: strictjson.String, exact: true, texts: f, slot: -1}
}

func bytesNode(f fn[string]) *node {
	return &node{typ: types.BytesType, kind: strictjson.Bytes, exact: true, texts: f, slot: -1}
}

func timeNode(f fn[instant]) *node {
	return &node{typ: types.TimestampType, kind: strictjson.Timestamp, exact: true, times: f, slot: -1}
}

// anyNode is of a value whose kind is looked at when it is used.
func anyNode(t *types.Type, f fn[strictjson.Value]) *node {
	return &node{typ: t, kind: kindOf(t), any: f, slot: -1}
}

func constantNode(t *types.Type, v strictjson.Value) *node {
	n := &node{typ: t, kind: kindOf(t), constant: v, slot: -1}
	n.exact = n.kind == v.Kind()
	return n
}

func always[T any](v T) fn[T] {
	return func(*Frame) (T, fault) { return v, 0 }
}

func (n *node) isConstant() bool { return n.constant.Kind() != strictjson.Invalid }

// asAny returns the node as a closure over values.
func (n *node) asAny() fn[strictjson.Value] {
	switch {
	case n.any != nil:
		return n.any
	case n.isConstant():
		return always(n.constant)
	case n.bools != nil:
		return asValue(n.bools, strictjson.BoolValue)
	case n.uints != nil:
		return asValue(n.uints, strictjson.UintValue)
	case n.doubles != nil:
		return asValue(n.doubles, strictjson.ComputedDoubleValue)
	case n.times != nil:
		return asValue(n.times, instant.value)
	case n.texts != nil && n.kind == strictjson.Bytes:
		return asValue(n.texts, strictjson.BytesValue)
	case n.texts != nil:
		return asValue(n.texts, strictjson.StringValue)
	case n.kind == strictjson.Duration:
		return asValue(n.ints, func(ns int64) strictjson.Value { return strictjson.DurationValue(time.Duration(ns)) })
	}
	return asValue(n.ints, strictjson.IntValue)
}

func asValue[T any](f fn[T], make func(T) strictjson.Value) fn[strictjson.Value] {
	return func(fr *Frame) (strictjson.Value, fault) {
		v, failed := f(fr)
		if failed != 0 {
			return strictjson.Value{}, failed
		}
		return make(v), 0
	}
}

// typed returns a closure that takes values of one kind out of another.
func typed[T any](f fn[strictjson.Value], kind strictjson.Kind, take func(strictjson.Value) T) fn[T] {
	return func(fr *Frame) (none T, failed fault) {
		v, failed := f(fr)
		if failed != 0 {
			return none, failed
		}
		if v.Kind() != kind {
			return none, unfitFault
		}
		return take(v), 0
	}
}

func (n *node) asBool() fn[bool] {
	switch {
	case n.bools != nil:
		return n.bools
	case n.constant.Kind() == strictjson.Bool:
		return always(n.constant.Bool())
	case n.slot >= 0:
		return n.slotBool()
	}
	return typed(n.asAny(), strictjson.Bool, strictjson.Value.Bool)
}

func (n *node) slotBool() fn[bool] {
	slot, slow := n.slot, n.any
	return func(f *Frame) (bool, fault) {
		if v := &f.vals[slot]; v.Kind() == strictjson.Bool {
			return v.Bool(), 0
		}
		return false, unfit(slow(f))
	}
}

// unfit is the fault of a value that is not of the wanted kind.
func unfit(_ strictjson.Value, failed fault) fault {
	if failed != 0 {
		return failed
	}
	return unfitFault
}

// settled is the fault of an operation of which an operand failed, and of
// which the others need not be evaluated.
func (f fault) settled() fault {
	if f == unfitFault {
		return overloadFault
	}
	return f
}

// strict is the fault of an operation of which an operand failed. CEL evaluates
// the others before it looks at kinds, unless the operand has no value at all.
func strict[T any](f *Frame, failed fault, other fn[T]) fault {
	if failed != unfitFault {
		return failed
	}
	if _, failed := other(f); failed != 0 {
		return failed.settled()
	}
	return overloadFault
}

func (n *node) asInt() fn[int64] {
	switch {
	case n.ints != nil && n.kind == strictjson.Int:
		return n.ints
	case n.constant.Kind() == strictjson.Int:
		return always(n.constant.Int())
	case n.slot >= 0:
		return n.slotInt(strictjson.Int)
	}
	return typed(n.asAny(), strictjson.Int, strictjson.Value.Int)
}

func (n *node) asDuration() fn[int64] {
	switch {
	case n.ints != nil && n.kind == strictjson.Duration:
		return n.ints
	case n.constant.Kind() == strictjson.Duration:
		return always(n.constant.Int())
	case n.slot >= 0:
		return n.slotInt(strictjson.Duration)
	}
	return typed(n.asAny(), strictjson.Duration, strictjson.Value.Int)
}

func (n *node) slotInt(kind strictjson.Kind) fn[int64] {
	slot, slow := n.slot, n.any
	return func(f *Frame) (int64, fault) {
		if v := &f.vals[slot]; v.Kind() == kind {
			return v.Int(), 0
		}
		return 0, unfit(slow(f))
	}
}

func (n *node) asUint() fn[uint64] {
	switch {
	case n.uints != nil:
		return n.uints
	case n.constant.Kind() == strictjson.Uint:
		return always(n.constant.Uint())
	}
	return typed(n.asAny(), strictjson.Uint, strictjson.Value.Uint)
}

func (n *node) asDouble() fn[float64] {
	switch {
	case n.doubles != nil:
		return n.doubles
	case n.constant.Kind() == strictjson.Double:
		return always(n.constant.Double())
	case n.slot < 0:
		return typed(n.asAny(), strictjson.Double, strictjson.Value.Double)
	}
	slot, slow := n.slot, n.any
	return func(f *Frame) (float64, fault) {
		if v := &f.vals[slot]; v.Kind() == strictjson.Double {
			return v.Double(), 0
		}
		return 0, unfit(slow(f))
	}
}

func (n *node) asText() fn[string] {
	switch {
	case n.texts != nil && n.kind == strictjson.String:
		return n.texts
	case n.constant.Kind() == strictjson.String:
		return always(n.constant.Str())
	case n.slot < 0:
		return typed(n.asAny(), strictjson.String, strictjson.Value.Str)
	}
	slot, slow := n.slot, n.any
	return func(f *Frame) (string, fault) {
		if v := &f.vals[slot]; v.Kind() == strictjson.String && len(v.Str()) <= shortText {
			return v.Str(), 0
		}
		v, failed := slow(f)
		if failed == 0 && v.Kind() != strictjson.String {
			failed = unfitFault
		}
		return v.Str(), failed
	}
}

func (n *node) asBytes() fn[string] {
	switch {
	case n.texts != nil && n.kind == strictjson.Bytes:
		return n.texts
	case n.constant.Kind() == strictjson.Bytes:
		return always(n.constant.Str())
	}
	return typed(n.asAny(), strictjson.Bytes, strictjson.Value.Str)
}

func (n *node) asTime() fn[instant] {
	switch {
	case n.times != nil:
		return n.times
	case n.constant.Kind() == strictjson.Timestamp:
		return always(instantOf(n.constant))
	}
	return typed(n.asAny(), strictjson.Timestamp, instantOf)
}
