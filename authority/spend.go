package authority

import (
	"fmt"
	"slices"
	"time"

	"github.com/govalues/decimal"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/strictjson"
)

// spendPlan is a class's spend compiled for one tool.
type spendPlan struct {
	doc      *spendRule
	amount   *location
	quantity *rule
	unit     *location
	prices   *priceTable // nil: none
	list     string      // the price list's id, version and digest
	basis    string
	ratio    decimal.Decimal // horizon / per; one without a horizon
	rungs    []rung          // from the lowest tier up
	// scale is that of the ladder and the prices in units; negative where not
	// all of them fit.
	scale int
}

type rung struct {
	id    string // of its check
	tier  classify.Tier
	limit decimal.Decimal
	text  string // of the limit
	units int64  // the limit, in units of the plan's scale
}

func (p *spendPlan) locations() []*location {
	var all []*location
	if p.amount != nil {
		all = append(all, p.amount)
	}
	if p.unit != nil {
		all = append(all, p.unit)
	}
	return all
}

func (c *planning) spend() {
	doc := c.plan.class.Spend
	if doc == nil {
		return
	}
	p := &c.memory.spend
	p.doc, p.ratio = doc, decimal.One
	for _, tier := range classify.Tiers() {
		if limit, ok := doc.PerEvent[tier]; ok {
			p.rungs = append(p.rungs, rung{id: c.id("per_event " + tier.String()), tier: tier, limit: limit, text: c.id(limit.String())})
		}
	}
	if doc.Amount.Value != "" {
		p.amount = c.scalar(doc.Amount, strictjson.Int, strictjson.Double, strictjson.String)
	}
	if doc.Unit.Value != "" {
		p.unit = c.scalar(doc.Unit, strictjson.String)
	}
	if doc.Quantity.Value != "" {
		p.quantity = c.compileRule(doc.Quantity, strictjson.Int, false)
	}
	if doc.Estimator.Value != "" {
		c.estimator(doc)
	}
	switch {
	case p.amount != nil:
		p.basis = "amount"
	case p.quantity != nil:
		p.basis = "quantity"
	default:
		p.basis = c.id("estimator " + doc.Estimator.Value)
	}
	per, prices := doc.Per, doc.Prices
	var list *priceListDoc
	if doc.PriceList.Value != "" {
		if list = c.set.policy.priceList(doc.PriceList.Value); list != nil {
			prices, per = list.Prices, list.Per
			p.list = c.id(fmt.Sprintf("%s v%d %s", list.ID.Value, list.Version, list.Digest))
		}
	}
	if doc.Horizon > 0 && per > 0 {
		ratio, err := durationRatio(doc.Horizon, per)
		if err != nil {
			c.fail(errorAt(doc.Node, "horizon: %v", err))
		}
		p.ratio = ratio
	}
	p.count(prices)
	if p.quantity != nil {
		p.prices = c.priceTable(list, doc, prices, p)
	}
	c.plan.spend = p
}

// estimator checks that the host has the estimator and that it answers in the
// class's currency. Without a manifest nothing is known yet.
func (c *planning) estimator(doc *spendRule) {
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

// scalar compiles a bare path to values of one of the kinds.
func (c *planning) scalar(doc text, kinds ...strictjson.Kind) *location {
	where, err := parsePath(doc.Value)
	if err != nil {
		c.fail(errorAt(doc.Node, "%v", err))
		return nil
	}
	t, err := where.typeOf(c.tool.root(where.root))
	if err != nil {
		c.fail(errorAt(doc.Node, "%v", err))
		return nil
	}
	if t.Kind != strictjson.Dyn && !slices.Contains(kinds, t.Kind) {
		c.fail(errorAt(doc.Node, "%s is %s in tool %s: want %s", where.text, t, c.tool.id, kindList(kinds)))
		return nil
	}
	c.note(where)
	return c.locate(where)
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
