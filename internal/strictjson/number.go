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

// number applies the rules on numbers to a literal where kinds are allowed.
func (d *decoder) number(raw []byte, kinds kindSet, offset int64) (Value, *Error) {
	if len(raw) > d.lim.NumberBytes {
		return Value{}, refuse(offset, "number of %d bytes; at most %d are read", len(raw), d.lim.NumberBytes)
	}
	dec, problem := parseDecimal(raw)
	if problem != "" {
		return Value{}, refuse(offset, "number %s is refused: %s", cut(string(raw), maxQuoted), problem)
	}
	if d.anyNumber {
		return Value{kind: Double, str: d.text(raw)}, nil
	}
	if kinds&(intKind|doubleKind) == 0 {
		return Value{}, wrongKind(kinds, "a number", offset)
	}
	// Where the schema says number, even 1 is a double, so that a rule sees one
	// type; where it leaves the type open, the value decides, not its spelling.
	wantInt := kinds&doubleKind == 0
	if wantInt || kinds&^nullKind != intKind|doubleKind {
		if i, ok := dec.int64(); ok {
			return Value{kind: Int, num: i, str: d.text(raw)}, nil
		}
		if wantInt && !dec.integral() {
			return Value{}, refuse(offset, "want an integer, got %s", cut(string(raw), maxQuoted))
		}
		if wantInt || dec.integer {
			return Value{}, refuse(offset, "integer %s does not fit 64 bits: %d to %d are read", cut(string(raw), maxQuoted), math.MinInt64, math.MaxInt64)
		}
	}
	f, problem := dec.double(string(raw))
	if problem != "" {
		return Value{}, refuse(offset, "number %s is refused: %s", cut(string(raw), maxQuoted), problem)
	}
	return Value{kind: Double, dbl: f, str: d.text(raw)}, nil
}
