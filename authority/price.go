package authority

import (
	"errors"
	"fmt"
	"math"

	"github.com/govalues/decimal"

	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/rationale"
)

// priced is what a call is expected to cost, as far as it could be computed.
type priced struct {
	known    bool  // the amount
	units    int64 // the amount, in units of the plan's scale
	inUnits  bool
	amount   decimal.Decimal // the amount, where it is not in units
	quantity int64
	counted  bool // the quantity
	unit     string
	price    *price // nil: none was found
}

// decimal returns the amount.
func (p *priced) decimal(plan *spendPlan) decimal.Decimal {
	if p.inUnits {
		return inDecimal(p.units, plan.scale)
	}
	return p.amount
}

// unpriced says why a call cannot be priced, once somebody asks.
type unpriced struct {
	before, path, after string
	err                 error
}

func (u *unpriced) Error() string {
	text := u.before + u.path + u.after
	if u.err != nil {
		text += u.err.Error()
	}
	return text
}

func (u *unpriced) Unwrap() error { return u.err }

// spend prices the call, and finds the band that the amount falls in.
func (e *evaluation) spend() {
	p := e.plan.spend
	if p == nil {
		return
	}
	err := e.cost(p)
	switch {
	case err == nil:
		e.price.known = true
		e.passed(markPrice, 0)
		e.band(p)
	case disagrees(err):
		e.mark(mark{kind: markPrice, result: rationale.Errored, reason: rationale.EvaluationError, err: err})
	default:
		e.mark(mark{kind: markPrice, result: rationale.Failed, reason: rationale.Unpriced, err: err})
	}
}

// cost computes the amount, which is not negative. The error says why the call
// cannot be priced.
func (e *evaluation) cost(p *spendPlan) error {
	var err error
	switch {
	case p.amount != nil:
		return e.sum(p)
	case p.quantity != nil:
		return e.count(p)
	default:
		e.price.amount, err = e.estimate(p)
		e.price.amount = notNegative(e.price.amount)
		return err
	}
}

// sum adds up the amounts at a path. In a batch a negative item counts as
// zero, so that no item makes room for another.
func (e *evaluation) sum(p *spendPlan) error {
	values, ok := e.valuesAt(p.amount)
	if !ok {
		return &unpriced{path: p.amount.text, after: " is absent"}
	}
	if e.price.units, e.price.inUnits = sumUnits(values, p.scale); e.price.inUnits {
		return nil
	}
	total := decimal.Zero
	for _, v := range values {
		item, err := amountOf(v)
		if err == nil {
			total, err = addExact(total, notNegative(item))
		}
		if err != nil {
			return &unpriced{path: p.amount.text, after: ": ", err: err}
		}
	}
	e.price.amount = total
	return nil
}

// sumUnits is the sum in units of a scale; false where that is not enough.
func sumUnits(values []strictjson.Value, scale int) (total int64, ok bool) {
	if scale < 0 {
		return 0, false
	}
	for _, v := range values {
		item, fits := amountUnits(v, scale)
		if !fits || item > math.MaxInt64-total {
			return 0, false
		}
		total += item
	}
	return total, true
}

// amountOf reads an exact amount: a number as it is written, or a string of
// plain decimal digits.
func amountOf(v strictjson.Value) (decimal.Decimal, error) {
	switch v.Kind() {
	case strictjson.Int:
		if v.Literal() == "" {
			return decimal.New(v.Int(), 0)
		}
		return parseExact(v.Literal())
	case strictjson.Double:
		if v.Literal() == "" {
			return decimal.Decimal{}, errors.New("a floating-point value is no exact amount")
		}
		return parseExact(v.Literal())
	case strictjson.String:
		if !plainDecimal(v.Str()) {
			return decimal.Decimal{}, errors.New("the text is no plain decimal amount")
		}
		return parseExact(v.Str())
	default:
		return decimal.Decimal{}, fmt.Errorf("%s is no amount", v.Kind())
	}
}

// count prices a quantity.
func (e *evaluation) count(p *spendPlan) error {
	n, err := e.number(p.quantity)
	if err != nil {
		return &unpriced{path: "quantity", after: ": ", err: err}
	}
	e.price.quantity, e.price.counted = n, true
	if e.price.price, err = e.choosePrice(p); err != nil {
		return err
	}
	return e.multiply(p, n)
}

// multiply computes what so many cost at the price that was found.
func (e *evaluation) multiply(p *spendPlan, n int64) error {
	each := e.price.price
	if each.fits && n > math.MinInt64 {
		if units, fits := times(max(n, -n), each.units); fits {
			if n < 0 {
				units = 0
			}
			e.price.units, e.price.inUnits = units, true
			return nil
		}
	}
	var err error
	e.price.amount, err = product(n, each.each, p.ratio)
	return err
}

// product multiplies exactly; a negative product is zero.
func product(n int64, each, ratio decimal.Decimal) (decimal.Decimal, error) {
	quantity, err := decimal.New(n, 0)
	if err != nil {
		return decimal.Decimal{}, err
	}
	amount, err := mulExact(quantity, each)
	if err == nil {
		amount, err = mulExact(amount, ratio)
	}
	return notNegative(amount), err
}

func (e *evaluation) choosePrice(p *spendPlan) (*price, error) {
	if p.doc.Price != nil {
		return p.prices.find(""), nil
	}
	if p.unit == nil {
		return nil, errors.New("no unit")
	}
	unit, ok := e.valueAt(p.unit)
	if !ok || unit.Kind() != strictjson.String {
		return nil, &unpriced{path: p.unit.text, after: " is absent or no text"}
	}
	e.price.unit = unit.Str()
	found := p.prices.find(e.price.unit)
	if found == nil {
		return nil, &unpriced{before: "there is no price for this ", path: p.unit.text}
	}
	return found, nil
}

func (e *evaluation) estimate(p *spendPlan) (decimal.Decimal, error) {
	in := e.in.Estimate
	switch {
	case in == nil:
		return decimal.Decimal{}, fmt.Errorf("estimator %s gave no estimate", p.doc.Estimator.Value)
	case in.Err != nil:
		return decimal.Decimal{}, fmt.Errorf("estimator %s: %w", p.doc.Estimator.Value, in.Err)
	case in.Currency != p.doc.Currency:
		return decimal.Decimal{}, fmt.Errorf("estimator %s answered in %s, the class spends %s", p.doc.Estimator.Value, in.Currency, p.doc.Currency)
	}
	return parseExact(in.Amount)
}

// above reports whether the amount is more than the rung's limit.
func (p *priced) above(r *rung) bool {
	if p.inUnits {
		return p.units > r.units
	}
	return p.amount.Cmp(r.limit) > 0
}

// band finds the rung that the amount falls in: the first tier that is not
// below the class's own whose limit holds it.
func (e *evaluation) band(p *spendPlan) {
	if len(p.rungs) == 0 {
		return
	}
	for i := range p.rungs {
		r := &p.rungs[i]
		if e.price.above(r) {
			continue
		}
		if r.tier > e.plan.class.Tier {
			e.mark(mark{kind: markBand, index: int32(i), result: rationale.Raised, to: r.tier})
		} else {
			e.passed(markBand, i)
		}
		return
	}
	e.mark(mark{kind: markBand, index: int32(len(p.rungs)), result: rationale.Failed, reason: rationale.SpendLimit})
}
