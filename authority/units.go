package authority

import (
	"cmp"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strings"

	"github.com/govalues/decimal"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// Money is exact decimals. Nearly all of it also fits an int64 that counts
// units of one scale, in which it is priced and compared at a fraction of the
// cost. Where anything does not fit, decimals decide; where all does, they come
// to the same.

// maxScale bounds the digits after the point of what is counted in units.
const maxScale = 12

var powers = [...]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12}

// times multiplies counts that are not negative; false where the product does
// not fit.
func times(a, b int64) (int64, bool) {
	high, low := bits.Mul64(uint64(a), uint64(b))
	return int64(low), high == 0 && low <= math.MaxInt64
}

// unitsOf returns a decimal that is not negative in units of a scale; false
// where it does not fit.
func unitsOf(d decimal.Decimal, scale int) (int64, bool) {
	d = d.Trim(0)
	if d.IsNeg() || d.Coef() > math.MaxInt64 || d.Scale() > scale {
		return 0, false
	}
	return times(int64(d.Coef()), powers[scale-d.Scale()])
}

// inDecimal is the decimal that so many units are.
func inDecimal(units int64, scale int) decimal.Decimal {
	d, err := decimal.New(units, scale)
	if err != nil {
		panic(err) // not reached: every int64 fits a decimal of such a scale
	}
	return d.Trim(0)
}

// plainUnits reads a number written in at most 18 characters without exponent
// in units of a scale; false where it is written otherwise or does not fit.
func plainUnits(text string, scale int) (units int64, ok bool) {
	digits, negative := strings.CutPrefix(text, "-")
	if len(digits) == 0 || len(digits) > 18 {
		return 0, false
	}
	after := -1 // digits after the point
	for i := range len(digits) {
		switch c := digits[i]; {
		case '0' <= c && c <= '9':
			if units = units*10 + int64(c-'0'); after >= 0 {
				after++
			}
		case c == '.' && after < 0 && i > 0 && i+1 < len(digits):
			after = 0
		default:
			return 0, false
		}
	}
	for after > scale && units%10 == 0 {
		units, after = units/10, after-1
	}
	if after = max(after, 0); after > scale {
		return 0, false
	}
	if units, ok = times(units, powers[scale-after]); negative {
		units = -units
	}
	return units, ok
}

// amountUnits is [amountOf] in units of a scale, not below zero.
func amountUnits(v strictjson.Value, scale int) (int64, bool) {
	text := ""
	switch v.Kind() {
	case strictjson.Int, strictjson.Double:
		text = v.Literal()
	case strictjson.String:
		if text = v.Str(); strings.HasPrefix(text, "-") {
			return 0, false
		}
	}
	units, ok := plainUnits(text, scale)
	return max(units, 0), ok
}

// price is one price of a table, and what a unit of the quantity costs at it
// over the horizon.
type price struct {
	unit  string
	each  decimal.Decimal
	units int64
	fits  bool // in units
}

// priceTable is prices sorted by unit; of a class with one price alone, that
// without a unit.
type priceTable struct{ prices []price }

// priceKey tells apart what prices come to.
type priceKey struct {
	list  *priceListDoc // nil: of one class
	doc   *spendRule    // nil: of a list
	ratio decimal.Decimal
	scale int
}

// count chooses the scale of the plan: the least that the ladder and the prices
// fit.
func (p *spendPlan) count(prices map[string]decimal.Decimal) {
	for i := range p.rungs {
		p.scale = max(p.scale, p.rungs[i].limit.Trim(0).Scale())
	}
	over := p.ratio.Trim(0).Scale()
	for _, each := range prices {
		p.scale = max(p.scale, each.Trim(0).Scale()+over)
	}
	if p.doc.Price != nil {
		p.scale = max(p.scale, p.doc.Price.Trim(0).Scale()+over)
	}
	fits := p.scale <= maxScale
	for i := range p.rungs {
		if r := &p.rungs[i]; fits {
			r.units, fits = unitsOf(r.limit, p.scale)
		}
	}
	if !fits {
		p.scale = -1
	}
}

// priceTable returns the prices of a plan, which plans with one list share.
func (c *compiler) priceTable(list *priceListDoc, doc *spendRule, prices map[string]decimal.Decimal, p *spendPlan) *priceTable {
	key := priceKey{list: list, ratio: p.ratio, scale: p.scale}
	if list == nil {
		key.doc = doc
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.prices[key]; known != nil {
		return known
	}
	t := &priceTable{}
	if doc.Price != nil {
		t.add("", *doc.Price, p)
	}
	for _, unit := range slices.Sorted(maps.Keys(prices)) {
		t.add(unit, prices[unit], p)
	}
	c.prices[key] = t
	return t
}

func (t *priceTable) add(unit string, each decimal.Decimal, p *spendPlan) {
	made := price{unit: unit, each: each}
	if over := p.ratio.Trim(0); p.scale >= 0 && !each.IsNeg() && over.Coef() <= math.MaxInt64 {
		// The price leaves room in the scale for the digits of the ratio.
		if made.units, made.fits = unitsOf(each, p.scale-over.Scale()); made.fits {
			made.units, made.fits = times(made.units, int64(over.Coef()))
		}
	}
	t.prices = append(t.prices, made)
}

// maxLinear is how many prices are looked through one by one.
const maxLinear = 8

// find returns the price of a unit; nil where there is none.
func (t *priceTable) find(unit string) *price {
	if t == nil {
		return nil
	}
	if len(t.prices) <= maxLinear {
		for i := range t.prices {
			if t.prices[i].unit == unit {
				return &t.prices[i]
			}
		}
		return nil
	}
	i, ok := slices.BinarySearchFunc(t.prices, unit, func(p price, unit string) int { return cmp.Compare(p.unit, unit) })
	if !ok {
		return nil
	}
	return &t.prices[i]
}
