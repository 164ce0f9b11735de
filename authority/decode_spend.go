package authority

import (
	"fmt"
	"strings"

	"github.com/govalues/decimal"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/yamldoc"
)

// spend reads what a class may cost.
func (d *decoder) spend(v value) *spendRule {
	if v.IsZero() {
		return nil
	}
	f := d.fields(v, "spend.", "currency", "amount", "estimate", "per_event", "windows", "cost_centre")
	s := &spendRule{
		Currency:   d.currency(f.need("currency", "currency: EUR")),
		PerEvent:   d.ladder(f.need("per_event", `per_event: {parameterized: "20.00"} limits what one call may cost`)),
		Windows:    d.windows(f.get("windows")),
		CostCentre: d.str(f.get("cost_centre")),
		Node:       v.Node,
	}
	amount, estimate := f.get("amount"), f.get("estimate")
	switch {
	case amount.IsZero() && estimate.IsZero() && f.Node.Kind() == yamldoc.Mapping:
		d.fail(v.Node, "amount: args.amount, or estimate: {…}", "spend has neither amount nor estimate")
	case !amount.IsZero() && !estimate.IsZero():
		d.fail(estimate.Node, "leave one out", "spend has both amount and estimate")
	case !amount.IsZero():
		s.Amount = d.path(amount)
	default:
		d.estimate(estimate, s)
	}
	return s
}

// ladder reads limits by tier.
func (d *decoder) ladder(v value) ladder {
	if v.IsZero() {
		return nil
	}
	rungs := []string{"parameterized", "bounded_escalation", "authorization_required"}
	f := d.fields(v, v.name+".", rungs...)
	if f.Node.Kind() == yamldoc.Mapping && len(v.Entries()) == 0 {
		d.fail(v.Node, `per_event: {parameterized: "20.00"}`, "%s is empty", v.name)
	}
	l := make(ladder)
	var below string
	for _, name := range rungs {
		rung := f.get(name)
		limit, ok := d.decimal(rung)
		if !ok {
			continue
		}
		if under, _ := classify.ParseTier(below); below != "" && limit.Cmp(l[under]) <= 0 {
			d.fail(rung.Node, fmt.Sprintf("want more than %s, the limit of %s", l[under], below),
				"%s is %s: the ladder does not rise", rung.name, rung.Text())
		}
		tier, _ := classify.ParseTier(name)
		l[tier], below = limit, name
	}
	return l
}

const priceListPrefix = "PriceList/"

// estimate reads how an amount is computed: by a Go estimator, or as a quantity
// times a price that is one, or is chosen by a unit.
func (d *decoder) estimate(v value, s *spendRule) {
	v.name = "spend.estimate"
	f := d.fields(v, "estimate.", "estimator", "quantity", "price", "unit", "prices", "per", "horizon")
	if estimator := f.get("estimator"); !estimator.IsZero() {
		s.Estimator = d.id(estimator)
		for _, key := range []string{"quantity", "price", "unit", "prices", "per", "horizon"} {
			if other := f.get(key); !other.IsZero() {
				d.fail(other.Node, "leave one out", "%s stands beside an estimator, which prices alone", other.name)
			}
		}
		return
	}
	s.Quantity = d.text(f.need("quantity", `quantity: "args.replicas - facts.current_replicas", or estimator: NAME`))
	d.prices(f, s)
	d.horizon(f, s)
}

func (d *decoder) prices(f fields, s *spendRule) {
	price, prices, unit := f.get("price"), f.get("prices"), f.get("unit")
	switch {
	case !price.IsZero() && !prices.IsZero():
		d.fail(prices.Node, "leave one out", "estimate has both price and prices")
	case !price.IsZero():
		if p, ok := d.decimal(price); ok {
			s.Price = &p
		}
		if !unit.IsZero() {
			d.fail(unit.Node, "leave it out, or give prices by unit", "estimate.unit chooses no price where there is only one")
		}
	case prices.IsZero():
		if f.Node.Kind() == yamldoc.Mapping {
			d.fail(f.Node, `price: "50.00", or unit: args.type and prices: {large: "0.0952"}, or prices: PriceList/ID`, "estimate has no price")
		}
	default:
		if list, ok := strings.CutPrefix(prices.Text(), priceListPrefix); ok {
			s.PriceList = d.id(value{prices.Node, prices.name})
			s.PriceList.Value = list
		} else if prices.Kind() == yamldoc.Scalar && !prices.Null() {
			d.fail(prices.Node, `{large: "0.0952"}, or PriceList/ID`, "estimate.prices is %q, not prices by unit", prices.Text())
		} else {
			s.Prices = d.priceTable(prices)
		}
		s.Unit = d.path(f.need("unit", "unit: the path of the argument that chooses the price"))
	}
}

func (d *decoder) priceTable(v value) map[string]decimal.Decimal {
	table := make(map[string]decimal.Decimal)
	for _, e := range d.pairs(v) {
		unit := d.str(value{e.Key, "a unit of " + v.name})
		if price, ok := d.decimal(value{e.Value, v.name + " " + unit}); ok {
			table[unit] = price
		}
	}
	return table
}

func (d *decoder) horizon(f fields, s *spendRule) {
	horizon, per := f.get("horizon"), f.get("per")
	s.Horizon = d.duration(horizon)
	switch {
	case horizon.IsZero() && !per.IsZero():
		d.fail(per.Node, "give the horizon that is paid for, or leave it out", "estimate.per stands without a horizon")
	case s.PriceList.Value != "" && !per.IsZero():
		d.fail(per.Node, "leave it out", "estimate.per is what the PriceList says")
	case !per.IsZero():
		s.Per = d.duration(per)
	case s.Horizon > 0 && s.PriceList.Value == "":
		s.Per = defaultPer
	}
	if s.Horizon > 0 && s.Per > 0 {
		if _, err := durationRatio(s.Horizon, s.Per); err != nil {
			d.fail(horizon.Node, "", "estimate.horizon: %v", err)
		}
	}
}

func (d *decoder) priceList(root value, src source) *priceListDoc {
	f := d.fields(root, "", "apiVersion", "kind", "id", "version", "currency", "per", "prices")
	return &priceListDoc{
		source:   src,
		ID:       d.id(f.need("id", "classes name it as PriceList/ID")),
		Version:  d.version(f),
		Currency: d.currency(f.need("currency", "currency: EUR")),
		Per:      d.duration(f.get("per")),
		Prices:   d.priceTable(f.need("prices", `prices: {large: "0.0952"}`)),
	}
}
