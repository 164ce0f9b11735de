package celplan

import (
	"math"
	"math/bits"
)

// The arithmetic of CEL. Ints and uints have 64 bits, and a result that does
// not fit is a fault. Durations are ints of nanoseconds, with the functions of
// ints. Doubles need no functions: Go computes them as CEL does, and
// [checkFinite] tells what rules refuse of the results.

func addInt(a, b int64) (int64, fault) {
	sum := a + b
	if (sum > a) != (b > 0) {
		return 0, overflowFault
	}
	return sum, 0
}

func subInt(a, b int64) (int64, fault) {
	difference := a - b
	if (difference < a) != (b > 0) {
		return 0, overflowFault
	}
	return difference, 0
}

func mulInt(a, b int64) (int64, fault) {
	if int64(int32(a)) == a && int64(int32(b)) == b {
		return a * b, 0
	}
	high, low := bits.Mul64(magnitude(a), magnitude(b))
	limit := uint64(math.MaxInt64)
	if (a < 0) != (b < 0) {
		limit++
	}
	if high != 0 || low > limit {
		return 0, overflowFault
	}
	return a * b, 0
}

// magnitude is the absolute value, also of the least int.
func magnitude(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}

// divInt truncates towards zero.
func divInt(a, b int64) (int64, fault) {
	switch {
	case b == 0:
		return 0, divisionFault
	case b == -1 && a == math.MinInt64:
		return 0, overflowFault
	}
	return a / b, 0
}

// modInt has the sign of a. The remainder of the least int by -1 would be
// zero, but its quotient overflows, and CEL has that count.
func modInt(a, b int64) (int64, fault) {
	switch {
	case b == 0:
		return 0, divisionFault
	case b == -1 && a == math.MinInt64:
		return 0, overflowFault
	}
	return a % b, 0
}

func negInt(a int64) (int64, fault) {
	if a == math.MinInt64 {
		return 0, overflowFault
	}
	return -a, 0
}

func addUint(a, b uint64) (uint64, fault) {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return 0, overflowFault
	}
	return sum, 0
}

func subUint(a, b uint64) (uint64, fault) {
	if b > a {
		return 0, overflowFault
	}
	return a - b, 0
}

func mulUint(a, b uint64) (uint64, fault) {
	high, low := bits.Mul64(a, b)
	if high != 0 {
		return 0, overflowFault
	}
	return low, 0
}

func divUint(a, b uint64) (uint64, fault) {
	if b == 0 {
		return 0, divisionFault
	}
	return a / b, 0
}

func modUint(a, b uint64) (uint64, fault) {
	if b == 0 {
		return 0, divisionFault
	}
	return a % b, 0
}

func addDurs(a, b int64) (int64, fault) { return addInt(a, b) }
func subDurs(a, b int64) (int64, fault) { return subInt(a, b) }
func negDur(a int64) (int64, fault)     { return negInt(a) }

// checkFinite is a fault for NaN and the infinities, which CEL lets pass and
// rules do not.
func checkFinite(d float64) fault {
	if d-d != 0 {
		return notFiniteFault
	}
	return 0
}
