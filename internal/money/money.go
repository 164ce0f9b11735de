// Package money has the amounts that limits are kept on: exact, not negative, and
// without an operation that could overflow.
package money

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// digits is how many digits an amount may have before the point, and after it.
const digits = 19

const unit = 10_000_000_000_000_000_000 // of 10^-19 in one

// Amount is a number of 10^-19ths, the least significant word first. What
// [Parse] returns is below 2^127, so that no sum of fewer than 2^64 of them
// overflows. The zero Amount is zero.
type Amount [3]uint64

// Parse reads digits with at most one point among them: at most 19 digits before
// it, and after it at most 19 that are not trailing zeros.
func Parse(s string) (Amount, bool) {
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || point && fraction == "" {
		return Amount{}, false
	}
	whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	if len(whole) > digits || len(fraction) > digits {
		return Amount{}, false
	}
	w, okWhole := number(whole)
	f, okFraction := number(fraction)
	for range digits - len(fraction) {
		f *= 10
	}
	hi, lo := bits.Mul64(w, unit)
	lo, carry := bits.Add64(lo, f, 0)
	return Amount{lo, hi + carry, 0}, okWhole && okFraction
}

// number reads at most 19 digits; none are zero.
func number(s string) (n uint64, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return n, true
}

// Count returns a whole number.
func Count(n uint64) Amount {
	hi, lo := bits.Mul64(n, unit)
	return Amount{lo, hi, 0}
}

// Plus returns the sum.
func (a Amount) Plus(b Amount) Amount {
	var sum Amount
	var carry uint64
	for i := range sum {
		sum[i], carry = bits.Add64(a[i], b[i], carry)
	}
	return sum
}

// Minus returns the difference; zero where b is more.
func (a Amount) Minus(b Amount) Amount {
	if a.Compare(b) <= 0 {
		return Amount{}
	}
	var rest Amount
	var borrow uint64
	for i := range rest {
		rest[i], borrow = bits.Sub64(a[i], b[i], borrow)
	}
	return rest
}

// Compare returns -1, 0 or 1, as [cmp.Compare] does.
func (a Amount) Compare(b Amount) int {
	return cmp.Or(cmp.Compare(a[2], b[2]), cmp.Compare(a[1], b[1]), cmp.Compare(a[0], b[0]))
}

// IsZero reports whether the amount is nothing.
func (a Amount) IsZero() bool { return a == Amount{} }

// MarshalText is String.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText writes, also sums that [Parse] does not
// take for an amount.
func (a *Amount) UnmarshalText(text []byte) error {
	whole, fraction, _ := strings.Cut(string(text), ".")
	if len(fraction) > digits {
		return fmt.Errorf("%q is no amount", text)
	}
	n, ok := new(big.Int).SetString(whole+fraction+strings.Repeat("0", digits-len(fraction)), 10)
	if !ok || whole == "" || n.Sign() < 0 || n.BitLen() > 64*len(a) {
		return fmt.Errorf("%q is no amount", text)
	}
	var words [24]byte
	n.FillBytes(words[:])
	for i := range a {
		a[i] = binary.BigEndian.Uint64(words[16-8*i:])
	}
	return nil
}

// String returns the amount in decimal, without zeros that say nothing.
func (a Amount) String() string {
	n := new(big.Int)
	for i := range a {
		n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(a[len(a)-1-i]))
	}
	whole, rest := n.QuoRem(n, new(big.Int).SetUint64(unit), new(big.Int))
	if rest.Sign() == 0 {
		return whole.String()
	}
	fraction := strconv.FormatUint(rest.Uint64(), 10)
	fraction = strings.Repeat("0", digits-len(fraction)) + fraction
	return whole.String() + "." + strings.TrimRight(fraction, "0")
}
