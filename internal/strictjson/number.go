package strictjson

import (
	"math"
	"strconv"
)

const (
	// maxExponent is far past what a double or an int64 can hold.
	maxExponent = 400
	// maxIntDigits is the number of digits of the largest int64.
	maxIntDigits = 19
)

// decimal is a JSON number as it stands: ± the digits × 10^exp. Digits have
// neither leading nor trailing zeros, so that equal values are equal decimals;
// zero has none. One digit more is kept than any Go number that is exact has, so
// that a longer number is seen to be too long; exp is right in any case.
type decimal struct {
	negative bool
	integer  bool // written without fraction and exponent
	n        int
	exp      int
	digits   [maxIntDigits + 1]byte
}

// parseDecimal reads a literal that is known to follow JSON's grammar. The
// problem is empty when it is fine. No arithmetic grows with the exponent.
func parseDecimal(lit []byte) (d decimal, problem string) {
	d.integer = true
	i := 0
	if lit[0] == '-' {
		d.negative, i = true, 1
	}
	seen, whole, last, zeros := 0, -1, 0, 0 // digits of the mantissa; those before the point; index after the last non-zero; zeros pending
mantissa:
	for ; i < len(lit); i++ {
		switch c := lit[i]; {
		case c == '.':
			d.integer, whole = false, seen
		case c < '0' || c > '9':
			break mantissa
		case c == '0':
			seen++
			if d.n > 0 {
				zeros++
			}
		default:
			seen++
			for ; zeros > 0; zeros-- {
				d.push('0')
			}
			d.push(c)
			last = seen
		}
	}
	if whole < 0 {
		whole = seen
	}
	written := 0
	if i < len(lit) {
		d.integer = false
		if written = parseExponent(lit[i+1:]); written > maxExponent || written < -maxExponent {
			return d, "its exponent is beyond ±" + strconv.Itoa(maxExponent)
		}
	}
	if d.n == 0 {
		if d.negative {
			return d, "negative zero; write 0"
		}
		return d, ""
	}
	d.exp = written + whole - last
	return d, ""
}

func (d *decimal) push(digit byte) {
	if d.n < len(d.digits) {
		d.digits[d.n] = digit
		d.n++
	}
}

// parseExponent stops counting once past the limit.
func parseExponent(lit []byte) int {
	sign, e := 1, 0
	for _, c := range lit {
		switch {
		case c == '-':
			sign = -1
		case c == '+':
		case e <= maxExponent:
			e = e*10 + int(c-'0')
		}
	}
	return sign * e
}

// integral reports whether the value is a whole number, however it is written.
func (d *decimal) integral() bool { return d.n == 0 || d.exp >= 0 }

// int64 returns the value if it is whole and fits.
func (d *decimal) int64() (int64, bool) {
	if d.n == 0 {
		return 0, true
	}
	if !d.integral() || d.n+d.exp > maxIntDigits {
		return 0, false
	}
	var u uint64 // 19 digits stay below 10^19 < 2^64
	for _, c := range d.digits[:d.n] {
		u = u*10 + uint64(c-'0')
	}
	for range d.exp {
		u *= 10
	}
	switch {
	case !d.negative && u <= math.MaxInt64:
		return int64(u), true
	case d.negative && u <= math.MaxInt64+1:
		return -int64(u-1) - 1, true
	}
	return 0, false
}

// double returns the value if it is the shortest decimal that reads back as its
// own double. On what is accepted, decimal to double is therefore injective and
// keeps order: no comparison can come out differently through rounding, as it
// would with 0.1 and 0.1000000000000000055.
func (d *decimal) double(lit string) (f float64, problem string) {
	f, err := strconv.ParseFloat(lit, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return 0, "it is beyond what a double holds"
	}
	if d.n == 0 {
		return 0, ""
	}
	var buf [32]byte
	shortest := strconv.AppendFloat(buf[:0], f, 'e', -1, 64)
	near, _ := parseDecimal(shortest)
	if near.exp != d.exp || near.digits != d.digits {
		return 0, "a double cannot hold it exactly; the nearest that it can is " + strconv.FormatFloat(f, 'g', -1, 64)
	}
	return f, ""
}

// number applies the rules on numbers to the literal that starts there, where
// kinds are allowed. The value has no literal yet.
func (d *decoder) number(lit []byte, start int, kinds kindSet) (Value, *Error) {
	if most := min(d.lim.NumberBytes, maxLiteral); len(lit) > most {
		return Value{}, refuse(start, "number of %d bytes; at most %d are read", len(lit), most)
	}
	if digits, scale, n, size := plainDigits(lit); size == len(lit) && !d.anyNumber {
		if v, ok := quickNumber(digits, scale, n, kinds); ok {
			return v, nil
		}
	}
	return d.anyLiteral(lit, start, kinds)
}

func (d *decoder) anyLiteral(lit []byte, start int, kinds kindSet) (Value, *Error) {
	dec, problem := parseDecimal(lit)
	if problem != "" {
		return Value{}, refuse(start, "number %s is refused: %s", cut(string(lit), maxQuoted), problem)
	}
	if d.anyNumber {
		return doubleValue(0), nil
	}
	if kinds&(intKind|doubleKind) == 0 {
		return Value{}, wrongKind(kinds, "a number", start)
	}
	// Where the schema says number, even 1 is a double, so that a rule sees one
	// type; where it leaves the type open, the value decides, not its spelling.
	wantInt := kinds&doubleKind == 0
	if wantInt || !kinds.number() {
		if i, ok := dec.int64(); ok {
			return IntValue(i), nil
		}
		if wantInt && !dec.integral() {
			return Value{}, refuse(start, "want an integer, got %s", cut(string(lit), maxQuoted))
		}
		if wantInt || dec.integer {
			return Value{}, refuse(start, "integer %s does not fit 64 bits: %d to %d are read", cut(string(lit), maxQuoted), math.MinInt64, math.MaxInt64)
		}
	}
	f, problem := dec.double(alias(lit))
	if problem != "" {
		return Value{}, refuse(start, "number %s is refused: %s", cut(string(lit), maxQuoted), problem)
	}
	return doubleValue(f), nil
}

// number reports whether the schema says number, and nothing else but null.
func (k kindSet) number() bool { return k&^nullKind == intKind|doubleKind }

// quickNumber is [decoder.anyLiteral] for the numbers that most calls hold. It
// leaves to that what it does not know to be right, and all that is refused.
//
// A decimal of at most 15 digits is the shortest decimal of its double, so there
// is nothing to compare: since 10^15 < 2^52, no two decimals of 15 digits share a
// double (D. W. Matula, In-and-Out Conversions, CACM 11, 1968; C calls the 15
// DBL_DIG), so none of as many or fewer digits but itself reads back as that
// double. And it is exact by one division: the digits are below 2^53, the power
// of ten is at most 10^22, so both are doubles, and IEEE 754 rounds their
// quotient correctly (W. D. Clinger, How to Read Floating Point Numbers
// Accurately, PLDI 1990). Both hold where doubles are normal: here from 10^-15.
func quickNumber(digits int64, scale, n int, kinds kindSet) (v Value, ok bool) {
	switch {
	case n == 0 || kinds&(intKind|doubleKind) == 0:
		return Value{}, false
	case scale == 0 && !kinds.number():
		return IntValue(digits), true
	case n > maxDoubleDigits:
		return Value{}, false
	case scale == 0:
		return doubleValue(float64(digits)), true
	case kinds.number(), kinds&doubleKind != 0 && digits%int64(tens[scale]) != 0:
		return doubleValue(float64(digits) / tens[scale]), true
	}
	return Value{}, false
}

// maxDoubleDigits is how many decimal digits every double keeps.
const maxDoubleDigits = 15

var tens = [maxDoubleDigits + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// plainDigits reads the number that s, which is JSON, starts with and its size in
// bytes. Its value is digits / 10^scale, written with n digits; n is zero where
// it has an exponent or more digits than are sure to fit, and for negative zero.
func plainDigits(s []byte) (digits int64, scale, n, size int) {
	first, point := 0, 0
	if s[0] == '-' {
		first = 1
	}
	for size = first; size < len(s); size++ {
		if digit := s[size] - '0'; digit <= 9 {
			digits = digits*10 + int64(digit)
		} else if s[size] == '.' {
			point = size
		} else {
			break
		}
	}
	n = size - first
	if point > 0 {
		n, scale = n-1, size-point-1
	}
	if n >= maxIntDigits || size < len(s) && s[size]|0x20 == 'e' {
		return 0, 0, 0, size
	}
	if first > 0 {
		if digits == 0 {
			return 0, 0, 0, size
		}
		digits = -digits
	}
	return digits, scale, n, size
}
