package authority

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/govalues/decimal"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/rationale"
)

// spendPlan is a class's spend compiled for one tool.
type spendPlan struct {
	doc      *spendRule
	amount   *path
	quantity *celplan.Program
	unit     *path
	prices   map[string]decimal.Decimal // by unit
	list     string                     // the price list's id, version and digest
	ratio    decimal.Decimal            // horizon / per; one without a horizon
	rungs    []rung                     // from the lowest tier up
	top      decimal.Decimal
}

type rung struct {
	tier  classify.Tier
	limit decimal.Decimal
}

func (p *spendPlan) paths() []path {
	var paths []path
	if p.amount != nil {
		paths = append(paths, *p.amount)
	}
	if p.unit != nil {
		paths = append(paths, *p.unit)
	}
	return paths
}

func (c *compiler) spend(p *plan) {
	doc := p.class.Spend
	if doc == nil {
		return
	}
	compiled := &spendPlan{doc: doc, prices: doc.Prices, ratio: decimal.One}
	for _, tier := range classify.Tiers() {
		if limit, ok := doc.PerEvent[tier]; ok {
			compiled.rungs = append(compiled.rungs, rung{tier, limit})
			compiled.top = limit
		}
	}
	if doc.Amount.Value != "" {
		compiled.amount = c.scalarPath(p, doc.Amount, strictjson.Int, strictjson.Double, strictjson.String)
	}
	if doc.Unit.Value != "" {
		compiled.unit = c.scalarPath(p, doc.Unit, strictjson.String)
	}
	if doc.Quantity.Value != "" {
		compiled.quantity = c.rule(p.tool.env, doc.Quantity, strictjson.Int)
	}
	if doc.Estimator.Value != "" {
		c.estimator(doc)
	}
	per := doc.Per
	if doc.PriceList.Value != "" {
		if list := c.set.policy.priceList(doc.PriceList.Value); list != nil {
			compiled.prices, per = list.Prices, list.Per
			compiled.list = fmt.Sprintf("%s v%d %s", list.ID.Value, list.Version, list.Digest)
		}
	}
	if doc.Horizon > 0 && per > 0 {
		ratio, err := durationRatio(doc.Horizon, per)
		if err != nil {
			c.fail(errorAt(doc.Node, "horizon: %v", err))
		}
		compiled.ratio = ratio
	}
	p.spend = compiled
}

// estimator checks that the host has the estimator and that it answers in the
// class's currency. Without a manifest nothing is known yet.
func (c *compiler) estimator(doc *spendRule) {
	specs := c.set.manifest.Estimators
	i := slices.IndexFunc(specs, func(e EstimatorSpec) bool { return e.Name == doc.Estimator.Value })
	switch {
	case i < 0:
		c.fail(errorAt(doc.Estimator.Node, "the host has no estimator %q", doc.Estimator.Value))
	case specs[i].Currency != doc.Currency:
		c.fail(errorAt(doc.Estimator.Node, "estimator %s prices in %s, the class spends %s", doc.Estimator.Value, specs[i].Currency, doc.Currency))
	}
}

func (d *documents) priceList(id string) *priceListDoc {
	for _, list := range d.PriceLists {
		if list.ID.Value == id {
			return list
		}
	}
	return nil
}

// scalarPath compiles a bare path to values of one of the kinds.
func (c *compiler) scalarPath(p *plan, doc text, kinds ...strictjson.Kind) *path {
	where, err := parsePath(doc.Value)
	if err != nil {
		c.fail(errorAt(doc.Node, "%v", err))
		return nil
	}
	t, err := where.typeOf(p.tool.root(where.root))
	if err != nil {
		c.fail(errorAt(doc.Node, "%v", err))
		return nil
	}
	if t.Kind != strictjson.Dyn && !slices.Contains(kinds, t.Kind) {
		c.fail(errorAt(doc.Node, "%s is %s in tool %s: want %s", where.text, t, p.tool.id, kindList(kinds)))
		return nil
	}
	return &where
}

func kindList(kinds []strictjson.Kind) string {
	s := kinds[0].String()
	for _, k := range kinds[1:] {
		s += " or " + k.String()
	}
	return s
}

// durationRatio returns a/b exactly, or an error when it does not end.
func durationRatio(a, b time.Duration) (decimal.Decimal, error) {
	x, errX := decimal.New(int64(a), 0)
	y, errY := decimal.New(int64(b), 0)
	if errX != nil || errY != nil {
		return decimal.Decimal{}, fmt.Errorf("%v / %v is out of range", a, b)
	}
	q, err := x.Quo(y)
	if err == nil {
		var back decimal.Decimal
		if back, err = mulExact(q, y); err == nil && back.Equal(x) {
			return q.Trim(0), nil
		}
	}
	return decimal.Decimal{}, fmt.Errorf("%v is no exact decimal multiple of %v, the time that prices are for", a, b)
}

// price computes what the call is expected to cost. The error says why it
// cannot be priced.
func (a *assessment) price(p *spendPlan) (*rationale.Spend, decimal.Decimal, error) {
	s := &rationale.Spend{Currency: p.doc.Currency, CostCentre: p.doc.CostCentre, Observed: a.d.Mode == rationale.Observe}
	if len(p.rungs) > 0 {
		s.Top = p.top.String()
	}
	var (
		amount decimal.Decimal
		err    error
	)
	switch {
	case p.amount != nil:
		s.Basis = "amount"
		amount, err = a.sum(*p.amount)
	case p.quantity != nil:
		s.Basis = "quantity"
		amount, err = a.quantity(p, s)
	default:
		s.Basis = "estimator " + p.doc.Estimator.Value
		amount, err = a.estimate(p)
	}
	if err != nil {
		return s, decimal.Decimal{}, err
	}
	amount = notNegative(amount)
	s.Amount = amount.String()
	return s, amount, nil
}

// sum adds up the amounts at a path. In a batch a negative item counts as
// zero, so that no item makes room for another.
func (a *assessment) sum(where path) (decimal.Decimal, error) {
	values, ok := where.values(a.root(where.root))
	if !ok {
		return decimal.Decimal{}, fmt.Errorf("%s is absent", where.text)
	}
	total := decimal.Zero
	for _, v := range values {
		item, err := amountOf(v)
		if err == nil {
			total, err = addExact(total, notNegative(item))
		}
		if err != nil {
			return decimal.Decimal{}, fmt.Errorf("%s: %w", where.text, err)
		}
	}
	return total, nil
}

// amountOf reads an exact amount: a number as it is written, or a string of
// plain decimal digits.
func amountOf(v strictjson.Value) (decimal.Decimal, error) {
	switch v.Kind() {
	case strictjson.Int:
		if v.Literal() == "" {
			return parseExact(strconv.FormatInt(v.Int(), 10))
		}
		return parseExact(v.Literal())
	case strictjson.Double:
		if v.Literal() == "" {
			return decimal.Decimal{}, fmt.Errorf("a floating-point value is no exact amount")
		}
		return parseExact(v.Literal())
	case strictjson.String:
		if !plainDecimal(v.Str()) {
			return decimal.Decimal{}, fmt.Errorf("the text is no plain decimal amount")
		}
		return parseExact(v.Str())
	default:
		return decimal.Decimal{}, fmt.Errorf("%s is no amount", v.Kind())
	}
}

func (a *assessment) quantity(p *spendPlan, s *rationale.Spend) (decimal.Decimal, error) {
	n, err := p.quantity.Int(a.frame)
	if err != nil {
		return decimal.Decimal{}, fmt.Errorf("quantity: %w", err)
	}
	s.Quantity = strconv.FormatInt(n, 10)
	price, err := a.unitPrice(p, s)
	if err != nil {
		return decimal.Decimal{}, err
	}
	s.Price, s.PriceList = price.String(), p.list
	quantity, err := parseExact(s.Quantity)
	if err != nil {
		return decimal.Decimal{}, err
	}
	amount, err := mulExact(quantity, price)
	if err == nil {
		amount, err = mulExact(amount, p.ratio)
	}
	return amount, err
}

func (a *assessment) unitPrice(p *spendPlan, s *rationale.Spend) (decimal.Decimal, error) {
	if p.doc.Price != nil {
		return *p.doc.Price, nil
	}
	if p.unit == nil {
		return decimal.Decimal{}, fmt.Errorf("no unit")
	}
	values, ok := p.unit.values(a.root(p.unit.root))
	if !ok || len(values) != 1 || values[0].Kind() != strictjson.String {
		return decimal.Decimal{}, fmt.Errorf("%s is absent or no text", p.unit.text)
	}
	s.Unit = values[0].Str()
	price, ok := p.prices[s.Unit]
	if !ok {
		return decimal.Decimal{}, fmt.Errorf("there is no price for this %s", p.unit.text)
	}
	return price, nil
}

func (a *assessment) estimate(p *spendPlan) (decimal.Decimal, error) {
	e := a.in.Estimate
	switch {
	case e == nil:
		return decimal.Decimal{}, fmt.Errorf("estimator %s gave no estimate", p.doc.Estimator.Value)
	case e.Err != nil:
		return decimal.Decimal{}, fmt.Errorf("estimator %s: %w", p.doc.Estimator.Value, e.Err)
	case e.Currency != p.doc.Currency:
		return decimal.Decimal{}, fmt.Errorf("estimator %s answered in %s, the class spends %s", p.doc.Estimator.Value, e.Currency, p.doc.Currency)
	}
	return parseExact(e.Amount)
}

// band finds the rung that the amount falls in: the first tier that is not
// below the class's own whose limit holds it.
func (a *assessment) band(p *spendPlan, s *rationale.Spend, amount decimal.Decimal) {
	if len(p.rungs) == 0 {
		return
	}
	inputs := []rationale.Input{{Path: "spend.amount", Value: json.RawMessage(strconv.Quote(s.Amount))}}
	for _, r := range p.rungs {
		if amount.Cmp(r.limit) > 0 {
			continue
		}
		s.Limit = r.limit.String()
		check := rationale.Check{Kind: rationale.CheckBand, ID: "per_event " + r.tier.String(), Result: rationale.Passed, Inputs: inputs}
		if r.tier > a.d.BaseTier {
			check.Result, check.To = rationale.Raised, r.tier
			check.Message = fmt.Sprintf("%s %s is more than the tier below may spend at once", s.Amount, s.Currency)
		}
		a.add(check)
		return
	}
	a.add(rationale.Check{
		Kind: rationale.CheckBand, ID: "per_event", Result: rationale.Failed, Reason: rationale.SpendLimit, Inputs: inputs,
		Message: fmt.Sprintf("%s %s is above the limit for one event", s.Amount, s.Currency),
		Within:  fmt.Sprintf("at most %s %s at once", s.Top, s.Currency),
	})
}
