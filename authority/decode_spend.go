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
	f := d.Map(v, "spend.", "currency", "amount", "estimate", "per_event", "windows", "cost_centre")
	s := &spendRule{
		Currency:   d.currency(f.Need("currency", "currency: EUR")),
		PerEvent:   d.ladder(f.Need("per_event", `per_event: {parameterized: "20.00"} limits what one call may cost`)),
		Windows:    d.windows(f.Get("windows")),
		CostCentre: d.Str(f.Get("cost_centre")),
		Node:       v.Node,
	}
	amount, estimate := f.Get("amount"), f.Get("estimate")
	switch {
	case amount.IsZero() && estimate.IsZero() && f.Node.Kind() == yamldoc.Mapping:
		d.Fail(v.Node, "amount: args.amount, or estimate: {…}", "spend has neither amount nor estimate")
	case !amount.IsZero() && !estimate.IsZero():
		d.Fail(estimate.Node, "leave one out", "spend has both amount and estimate")
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
	f := d.Map(v, v.Name+".", rungs...)
	if f.Node.Kind() == yamldoc.Mapping && len(v.Entries()) == 0 {
		d.Fail(v.Node, `per_event: {parameterized: "20.00"}`, "%s is empty", v.Name)
	}
	l := make(ladder)
	var below string
	for _, name := range rungs {
		rung := f.Get(name)
		limit, ok := d.decimal(rung)
		if !ok {
			continue
		}
		if under, _ := classify.ParseTier(below); below != "" && limit.Cmp(l[under]) <= 0 {
			d.Fail(rung.Node, fmt.Sprintf("want more than %s, the limit of %s", l[under], below),
				"%s is %s: the ladder does not rise", rung.Name, rung.Text())
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
	v.Name = "spend.estimate"
	f := d.Map(v, "estimate.", "estimator", "quantity", "price", "unit", "prices", "per", "horizon")
	if estimator := f.Get("estimator"); !estimator.IsZero() {
		s.Estimator = d.id(estimator)
		for _, key := range []string{"quantity", "price", "unit", "prices", "per", "horizon"} {
			if other := f.Get(key); !other.IsZero() {
				d.Fail(other.Node, "leave one out", "%s stands beside an estimator, which prices alone", other.Name)
			}
		}
		return
	}
	s.Quantity = d.text(f.Need("quantity", `quantity: "args.replicas - facts.current_replicas", or estimator: NAME`))
	d.prices(f, s)
	d.horizon(f, s)
}

func (d *decoder) prices(f fields, s *spendRule) {
	price, prices, unit := f.Get("price"), f.Get("prices"), f.Get("unit")
	switch {
	case !price.IsZero() && !prices.IsZero():
		d.Fail(prices.Node, "leave one out", "estimate has both price and prices")
	case !price.IsZero():
		if p, ok := d.decimal(price); ok {
			s.Price = &p
		}
		if !unit.IsZero() {
			d.Fail(unit.Node, "leave it out, or give prices by unit", "estimate.unit chooses no price where there is only one")
		}
	case prices.IsZero():
		if f.Node.Kind() == yamldoc.Mapping {
			d.Fail(f.Node, `price: "50.00", or unit: args.type and prices: {large: "0.0952"}, or prices: PriceList/ID`, "estimate has no price")
		}
	default:
		if list, ok := strings.CutPrefix(prices.Text(), priceListPrefix); ok {
			s.PriceList = d.id(yamldoc.Named(prices.Node, prices.Name))
			s.PriceList.Value = list
		} else if prices.Kind() == yamldoc.Scalar && !prices.Null() {
			d.Fail(prices.Node, `{large: "0.0952"}, or PriceList/ID`, "estimate.prices is %q, not prices by unit", prices.Text())
		} else {
			s.Prices = d.priceTable(prices)
		}
		s.Unit = d.path(f.Need("unit", "unit: the path of the argument that chooses the price"))
	}
}

func (d *decoder) priceTable(v value) map[string]decimal.Decimal {
	table := make(map[string]decimal.Decimal)
	for _, e := range d.Pairs(v) {
		unit := d.Str(yamldoc.Named(e.Key, "a unit of "+v.Name))
		if price, ok := d.decimal(yamldoc.Named(e.Value, v.Name+" "+unit)); ok {
			table[unit] = price
		}
	}
	return table
}

func (d *decoder) horizon(f fields, s *spendRule) {
	horizon, per := f.Get("horizon"), f.Get("per")
	s.Horizon = d.duration(horizon)
	switch {
	case horizon.IsZero() && !per.IsZero():
		d.Fail(per.Node, "give the horizon that is paid for, or leave it out", "estimate.per stands without a horizon")
	case s.PriceList.Value != "" && !per.IsZero():
		d.Fail(per.Node, "leave it out", "estimate.per is what the PriceList says")
	case !per.IsZero():
		s.Per = d.duration(per)
	case s.Horizon > 0 && s.PriceList.Value == "":
		s.Per = defaultPer
	}
	if s.Horizon > 0 && s.Per > 0 {
		if _, err := durationRatio(s.Horizon, s.Per); err != nil {
			d.Fail(horizon.Node, "", "estimate.horizon: %v", err)
		}
	}
}

func (d *decoder) priceList(root value, src source) *priceListDoc {
	f := d.Map(root, "", "apiVersion", "kind", "id", "version", "currency", "per", "prices")
	return &priceListDoc{
		source:   src,
		ID:       d.id(f.Need("id", "classes name it as PriceList/ID")),
		Version:  d.version(f),
		Currency: d.currency(f.Need("currency", "currency: EUR")),
		Per:      d.duration(f.Get("per")),
		Prices:   d.priceTable(f.Need("prices", `prices: {large: "0.0952"}`)),
	}
}
