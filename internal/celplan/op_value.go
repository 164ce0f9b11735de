package celplan

import (
	"time"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// What is computed from values whose kinds are known only now: of CEL's type
// dyn, and of JSON null at a place of another type. Kinds that an operation
// does not take are an overloadFault.

// operator is one of CEL's binary operators of arithmetic.
type operator uint8

const (
	add operator = iota
	subtract
	multiply
	divide
	modulo
)

// arith computes a op b. The result of doubles may be NaN or infinite, see
// [checkFiniteValue]; that of texts and lists is bounded.
func arith(op operator, a, b strictjson.Value) (strictjson.Value, fault) {
	if a.Kind() != b.Kind() {
		return arithOfTime(op, a, b)
	}
	switch a.Kind() {
	case strictjson.Int:
		i, failed := arithInt(op, a.Int(), b.Int())
		return strictjson.IntValue(i), failed
	case strictjson.Uint:
		u, failed := arithUint(op, a.Uint(), b.Uint())
		return strictjson.UintValue(u), failed
	case strictjson.Double:
		d, failed := arithDouble(op, a.Double(), b.Double())
		return strictjson.ComputedDoubleValue(d), failed
	case strictjson.Duration, strictjson.Timestamp:
		return arithOfTime(op, a, b)
	}
	if op != add {
		return strictjson.Value{}, overloadFault
	}
	switch a.Kind() {
	case strictjson.String:
		s, failed := concat(a.Str(), b.Str())
		return strictjson.StringValue(s), failed
	case strictjson.Bytes:
		s, failed := concat(a.Str(), b.Str())
		return strictjson.BytesValue(s), failed
	case strictjson.List:
		return concatLists(a, b)
	}
	return strictjson.Value{}, overloadFault
}

func arithInt(op operator, a, b int64) (int64, fault) {
	switch op {
	case add:
		return addInt(a, b)
	case subtract:
		return subInt(a, b)
	case multiply:
		return mulInt(a, b)
	case divide:
		return divInt(a, b)
	}
	return modInt(a, b)
}

func arithUint(op operator, a, b uint64) (uint64, fault) {
	switch op {
	case add:
		return addUint(a, b)
	case subtract:
		return subUint(a, b)
	case multiply:
		return mulUint(a, b)
	case divide:
		return divUint(a, b)
	}
	return modUint(a, b)
}

// arithDouble knows no modulo, which CEL has for ints and uints alone.
func arithDouble(op operator, a, b float64) (float64, fault) {
	switch op {
	case add:
		return a + b, 0
	case subtract:
		return a - b, 0
	case multiply:
		return a * b, 0
	case divide:
		return a / b, 0
	}
	return 0, overloadFault
}

func arithOfTime(op operator, a, b strictjson.Value) (strictjson.Value, fault) {
	if op != add && op != subtract {
		return strictjson.Value{}, overloadFault
	}
	switch {
	case are(a, strictjson.Duration, b, strictjson.Duration) && op == add:
		return durationValue(addDurs(a.Int(), b.Int()))
	case are(a, strictjson.Duration, b, strictjson.Duration):
		return durationValue(subDurs(a.Int(), b.Int()))
	case are(a, strictjson.Timestamp, b, strictjson.Duration) && op == add:
		return timeValue(addTimeDur(instantOf(a), b.Int()))
	case are(a, strictjson.Timestamp, b, strictjson.Duration):
		return timeValue(subTimeDur(instantOf(a), b.Int()))
	case are(a, strictjson.Duration, b, strictjson.Timestamp) && op == add:
		return timeValue(addTimeDur(instantOf(b), a.Int()))
	case are(a, strictjson.Timestamp, b, strictjson.Timestamp) && op == subtract:
		return durationValue(subTimes(instantOf(a), instantOf(b)))
	}
	return strictjson.Value{}, overloadFault
}

func are(a strictjson.Value, kindOfA strictjson.Kind, b strictjson.Value, kindOfB strictjson.Kind) bool {
	return a.Kind() == kindOfA && b.Kind() == kindOfB
}

func durationValue(ns int64, failed fault) (strictjson.Value, fault) {
	return strictjson.DurationValue(time.Duration(ns)), failed
}

func timeValue(at instant, failed fault) (strictjson.Value, fault) { return at.value(), failed }

// negate is -v; of a duration too, which CEL's type checker lets through only
// as dyn.
func negate(v strictjson.Value) (strictjson.Value, fault) {
	switch v.Kind() {
	case strictjson.Int:
		i, failed := negInt(v.Int())
		return strictjson.IntValue(i), failed
	case strictjson.Double:
		return strictjson.ComputedDoubleValue(-v.Double()), 0
	case strictjson.Duration:
		return durationValue(negDur(v.Int()))
	}
	return strictjson.Value{}, overloadFault
}

// checkFiniteValue is [checkFinite] of a double; other kinds pass.
func checkFiniteValue(v strictjson.Value) fault {
	if v.Kind() != strictjson.Double {
		return 0
	}
	return checkFinite(v.Double())
}

// sizeOfValue counts the code points of a string, the bytes of bytes, and the
// elements of a list or map. An Object counts as a map: one of a declared
// type, which has no size, must not come here.
func sizeOfValue(v strictjson.Value) (int64, fault) {
	switch v.Kind() {
	case strictjson.String:
		return sizeOfText(v.Str()), 0
	case strictjson.Bytes:
		return int64(len(v.Str())), 0
	case strictjson.List, strictjson.Map, strictjson.Object, strictjson.Table:
		return int64(v.Len()), 0
	}
	return 0, overloadFault
}

// concatLists appends b to a copy of a.
func concatLists(a, b strictjson.Value) (strictjson.Value, fault) {
	if a.Len()+b.Len() > maxElements {
		return strictjson.Value{}, limitFault
	}
	elems := make([]strictjson.Value, 0, a.Len()+b.Len())
	elems = append(append(elems, a.List()...), b.List()...)
	return strictjson.ListValue(elems), 0
}
