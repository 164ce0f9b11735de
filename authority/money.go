package authority

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/govalues/decimal"
)

// The decimal library rounds when a result has more than 19 digits. Money must
// not: every operation here is exact or an error.

// parseExact reads a JSON number's literal, or plain decimal text, exactly.
func parseExact(literal string) (decimal.Decimal, error) {
	scale, err := literalScale(literal)
	if err != nil {
		return decimal.Decimal{}, err
	}
	d, err := decimal.ParseExact(literal, scale)
	if err != nil {
		return decimal.Decimal{}, fmt.Errorf("%s is not an exact decimal of at most %d digits", literal, decimal.MaxPrec)
	}
	return d.Trim(0), nil
}

// literalScale returns how many digits after the point the literal needs.
func literalScale(literal string) (int, error) {
	mantissa, exponent, hasExp := strings.Cut(strings.ToLower(literal), "e")
	exp := 0
	if hasExp {
		if len(exponent) > 4 {
			return 0, fmt.Errorf("%s: the exponent is too large", literal)
		}
		var err error
		if exp, err = strconv.Atoi(exponent); err != nil {
			return 0, fmt.Errorf("%s: bad exponent", literal)
		}
	}
	_, fraction, _ := strings.Cut(mantissa, ".")
	scale := max(len(strings.TrimRight(fraction, "0"))-exp, 0)
	if scale > decimal.MaxScale {
		return 0, fmt.Errorf("%s has more than %d digits after the point", literal, decimal.MaxScale)
	}
	return scale, nil
}

// plainDecimal reports whether s is digits with at most one point inside: the
// only form in which a string argument may carry an amount.
func plainDecimal(s string) bool {
	whole, fraction, point := strings.Cut(s, ".")
	return digits(whole) && (!point || digits(fraction))
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func addExact(a, b decimal.Decimal) (decimal.Decimal, error) {
	sum, err := a.AddExact(b, max(a.Scale(), b.Scale()))
	if err != nil {
		return decimal.Decimal{}, fmt.Errorf("the sum has more than %d digits", decimal.MaxPrec)
	}
	return sum.Trim(0), nil
}

func mulExact(a, b decimal.Decimal) (decimal.Decimal, error) {
	a, b = a.Trim(0), b.Trim(0)
	if scale := a.Scale() + b.Scale(); scale <= decimal.MaxScale {
		if product, err := a.MulExact(b, scale); err == nil {
			return product.Trim(0), nil
		}
	}
	return decimal.Decimal{}, fmt.Errorf("the product has more than %d digits", decimal.MaxPrec)
}

// notNegative turns a negative estimate into zero: it frees no budget.
func notNegative(d decimal.Decimal) decimal.Decimal {
	if d.IsNeg() {
		return decimal.Zero
	}
	return d
}
