package celplan

import (
	"cmp"
	"math"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// ordering is one of CEL's four operators of order.
type ordering uint8

const (
	isLess    ordering = iota // <
	isAtMost                  // <=
	isGreater                 // >
	isAtLeast                 // >=
)

// unordered is what a comparison with NaN yields: no relation holds.
const unordered = 2

// holds tells whether a relation holds between two values of which a
// comparison says -1, 0, 1 or unordered.
func (o ordering) holds(comparison int) bool {
	switch o {
	case isLess:
		return comparison < 0
	case isAtMost:
		return comparison <= 0
	case isGreater:
		return comparison == 1
	}
	return comparison == 0 || comparison == 1
}

// compareDoubles returns -1, 0, 1, or unordered where one is NaN.
func compareDoubles(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	}
	return unordered
}

// compareIntDouble compares as CEL does: an int is rounded to the nearest
// double, so that ints which one double stands for all equal it.
func compareIntDouble(i int64, d float64) int { return compareDoubles(float64(i), d) }

// compareUintDouble rounds as [compareIntDouble] does.
func compareUintDouble(u uint64, d float64) int { return compareDoubles(float64(u), d) }

func compareIntUint(i int64, u uint64) int {
	if i < 0 || u > math.MaxInt64 {
		return -1
	}
	return cmp.Compare(i, int64(u))
}

// relateValues tells whether a relation holds between two values of kinds
// known only now: numbers, texts, bytes, bools, timestamps and durations, each
// with their like. Nothing is less or greater than NaN, whatever its kind.
func relateValues(o ordering, a, b strictjson.Value) (bool, fault) {
	if !hasOrder(a) {
		return false, overloadFault
	}
	if isNaN(a) || isNaN(b) {
		return false, 0
	}
	comparison, ok := compareNumbers(a, b)
	if !ok {
		if a.Kind() != b.Kind() {
			return false, overloadFault
		}
		comparison = compareAlike(a, b)
	}
	return o.holds(comparison), 0
}

func isNaN(v strictjson.Value) bool {
	return v.Kind() == strictjson.Double && math.IsNaN(v.Double())
}

func hasOrder(v strictjson.Value) bool {
	switch v.Kind() {
	case strictjson.Bool, strictjson.Int, strictjson.Uint, strictjson.Double, strictjson.String,
		strictjson.Bytes, strictjson.Timestamp, strictjson.Duration:
		return true
	}
	return false
}

// compareAlike compares two values of one kind that has an order and is no
// number.
func compareAlike(a, b strictjson.Value) int {
	switch a.Kind() {
	case strictjson.String, strictjson.Bytes:
		return cmp.Compare(a.Str(), b.Str())
	case strictjson.Timestamp:
		return compareTimes(instantOf(a), instantOf(b))
	}
	return cmp.Compare(a.Int(), b.Int())
}

// compareNumbers compares an int, uint or double with one; ok is false where
// one of them is neither.
func compareNumbers(a, b strictjson.Value) (comparison int, ok bool) {
	switch a.Kind() {
	case strictjson.Int:
		return compareInt(a.Int(), b)
	case strictjson.Uint:
		return compareUint(a.Uint(), b)
	case strictjson.Double:
		switch b.Kind() {
		case strictjson.Int:
			return reverse(compareIntDouble(b.Int(), a.Double())), true
		case strictjson.Uint:
			return reverse(compareUintDouble(b.Uint(), a.Double())), true
		case strictjson.Double:
			return compareDoubles(a.Double(), b.Double()), true
		}
	}
	return 0, false
}

func compareInt(a int64, b strictjson.Value) (comparison int, ok bool) {
	switch b.Kind() {
	case strictjson.Int:
		return cmp.Compare(a, b.Int()), true
	case strictjson.Uint:
		return compareIntUint(a, b.Uint()), true
	case strictjson.Double:
		return compareIntDouble(a, b.Double()), true
	}
	return 0, false
}

func compareUint(a uint64, b strictjson.Value) (comparison int, ok bool) {
	switch b.Kind() {
	case strictjson.Int:
		return -compareIntUint(b.Int(), a), true
	case strictjson.Uint:
		return cmp.Compare(a, b.Uint()), true
	case strictjson.Double:
		return compareUintDouble(a, b.Double()), true
	}
	return 0, false
}

func reverse(comparison int) int {
	if comparison == unordered {
		return unordered
	}
	return -comparison
}
