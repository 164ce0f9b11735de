package rationale

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// maxExponent bounds the decimal exponent of a number in scientific notation.
const maxExponent = 999_999_999

// Canonicalize returns the canonical form of one JSON value: RFC 8785, except
// that a number keeps its exact decimal value and never passes through a
// float64. RFC 8785 itself writes 9007199254740993 and 9007199254740992 alike,
// so that a digest of one would serve the other.
//
// Members are sorted by the UTF-16 code units of their names, strings are
// escaped as little as RFC 8785 allows, and there is no space. A number's value
// is ±0.d₁…dₙ × 10ᵖ with neither d₁ nor dₙ zero, and is written as ECMAScript
// writes it, digit for digit:
//
//	value is zero (also -0)  0
//	n ≤ p ≤ 21               d₁…dₙ and p-n zeros       1e2, 100.0 → 100
//	0 < p ≤ 21               d₁…dₚ.dₚ₊₁…dₙ            12.50 → 12.5
//	-6 < p ≤ 0               0. and -p zeros and d₁…dₙ  1e-6 → 0.000001
//	otherwise                d₁.d₂…dₙe±(p-1)            1e400 → 1e+400
//
// So equal values have one spelling, numbers that a float64 holds exactly are
// spelled as in RFC 8785, and no number grows by more than 22 bytes.
//
// Invalid UTF-8, lone surrogates, duplicate names, trailing data, nesting
// deeper than 10,000 and exponents beyond ±999,999,999 are errors. The input is
// not changed, nor kept.
func Canonicalize(data []byte) ([]byte, error) {
	w := newWriter()
	defer w.release()
	if w.document(data); !w.failed {
		return bytes.Clone(w.out), nil
	}
	return canonicalize(data)
}

// canonicalize is [Canonicalize] for every input.
func canonicalize(data []byte) ([]byte, error) {
	compact, err := jsontext.AppendFormat(nil, data, jsontext.ReorderRawObjects(true))
	if err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	return canonicalNumbers(compact)
}

// canonicalNumbers rewrites the numbers of valid JSON without spaces.
func canonicalNumbers(compact []byte) ([]byte, error) {
	out := make([]byte, 0, len(compact)+16)
	for i := 0; i < len(compact); {
		end := i + 1
		switch c := compact[i]; {
		case c == '"':
			end = stringEnd(compact, i)
			out = append(out, compact[i:end]...)
		case c == '-' || isDigit(c):
			for end < len(compact) && isNumber(compact[end]) {
				end++
			}
			var err error
			if out, err = appendNumber(out, compact[i:end]); err != nil {
				return nil, fmt.Errorf("canonical JSON: %w", err)
			}
		default:
			out = append(out, c)
		}
		i = end
	}
	return out, nil
}

// stringEnd returns the index after the string that starts at i.
func stringEnd(data []byte, i int) int {
	for i++; data[i] != '"'; i++ {
		if data[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNumber(c byte) bool {
	return isDigit(c) || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'
}

var errExponent = errors.New("a number's exponent is out of range")

// appendNumber appends the canonical spelling of a valid JSON number.
func appendNumber(dst, literal []byte) ([]byte, error) {
	if isCanonicalInteger(literal) {
		return append(dst, literal...), nil
	}
	mantissa, exponent := literal, []byte(nil)
	if i := bytes.IndexAny(literal, "eE"); i >= 0 {
		mantissa, exponent = literal[:i], literal[i+1:]
	}
	mantissa, negative := bytes.CutPrefix(mantissa, []byte("-"))
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	var room [64]byte // most numbers fit, and need no memory
	digits := append(append(room[:0], whole...), fraction...)
	point := len(whole)
	significant := bytes.TrimLeft(digits, "0")
	point -= len(digits) - len(significant)
	significant = bytes.TrimRight(significant, "0")
	if len(significant) == 0 {
		return append(dst, '0'), nil
	}
	shift, err := parseExponent(exponent)
	if err != nil {
		return nil, err
	}
	point += shift
	if e := point - 1; e > maxExponent || e < -maxExponent {
		return nil, errExponent
	}
	if negative {
		dst = append(dst, '-')
	}
	return appendDecimal(dst, significant, point), nil
}

// isCanonicalInteger reports whether a valid JSON number is an integer as its
// canonical spelling has it: up to 21 digits, and no -0.
func isCanonicalInteger(literal []byte) bool {
	digits := literal
	if literal[0] == '-' {
		digits = literal[1:]
	}
	if len(digits) > 21 || digits[0] == '0' && len(literal) > 1 {
		return false
	}
	for _, c := range digits {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

func parseExponent(text []byte) (int, error) {
	if len(text) == 0 {
		return 0, nil
	}
	// A mantissa cannot bring what overflows here back into range.
	e, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || e > 1<<60 || e < -1<<60 {
		return 0, errExponent
	}
	return int(e), nil
}

// appendDecimal appends 0.digits × 10^point.
func appendDecimal(dst, digits []byte, point int) []byte {
	n := len(digits)
	switch {
	case n <= point && point <= 21:
		dst = append(dst, digits...)
		return appendZeros(dst, point-n)
	case 0 < point && point <= 21:
		dst = append(dst, digits[:point]...)
		dst = append(dst, '.')
		return append(dst, digits[point:]...)
	case -6 < point && point <= 0:
		dst = append(dst, "0."...)
		dst = appendZeros(dst, -point)
		return append(dst, digits...)
	}
	dst = append(dst, digits[0])
	if n > 1 {
		dst = append(dst, '.')
		dst = append(dst, digits[1:]...)
	}
	dst = append(dst, 'e')
	if point-1 > 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, int64(point-1), 10)
}

func appendZeros(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, '0')
	}
	return dst
}

const digestPrefix = "sha256:"

// Digest returns "sha256:" and the SHA-256 of data in lower-case hex.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	var text [len(digestPrefix) + 2*sha256.Size]byte
	copy(text[:], digestPrefix)
	hex.Encode(text[len(digestPrefix):], sum[:])
	return string(text[:])
}
