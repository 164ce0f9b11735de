package authority

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/govalues/decimal"

	"github.com/ambit-go/ambit/internal/calendar"
	"github.com/ambit-go/ambit/internal/yamldoc"
	"github.com/ambit-go/ambit/rationale"
)

// maxWindow bounds a sliding window. What spans more has no review within it.
const maxWindow = maxTerm

// windowRule is a limit on what is spent over time.
type windowRule struct {
	Limit decimal.Decimal
	Per   every
}

// rateRule is a limit on calls over time.
type rateRule struct {
	Max int
	Per every
}

// every is the stretch of time that a limit is for: a sliding duration, or one of
// the calendar in a zone.
type every struct {
	Sliding  time.Duration // zero: of the calendar
	Calendar string        // hour, day, week or month
	Zone     *time.Location
}

func (e every) String() string {
	if e.Sliding > 0 {
		return days(e.Sliding)
	}
	return fmt.Sprintf("%s in %s", e.Calendar, e.Zone)
}

func (e every) same(o every) bool {
	return e.Sliding == o.Sliding && e.Calendar == o.Calendar &&
		(e.Zone == nil) == (o.Zone == nil) && (e.Zone == nil || e.Zone.String() == o.Zone.String())
}

// every reads the fields per and zone of a limit.
func (d *decoder) every(f fields) every {
	per, zone := f.Need("per", "per: 24h, or per: month and zone: Europe/Stockholm"), f.Get("zone")
	var e every
	switch {
	case per.IsZero():
		return e
	case per.Kind() == yamldoc.Scalar && slices.Contains(calendar.Units(), per.Text()):
		e.Calendar = per.Text()
		e.Zone = d.zone(f.Need("zone", "zone: Europe/Stockholm, or UTC: where the "+per.Text()+" begins"))
		return e
	case per.Kind() == yamldoc.Scalar && !per.Null() && strings.Trim(per.Text(), "abcdefghijklmnopqrstuvwxyz") == "":
		d.OneOf(per, calendar.Units()...)
		return e
	}
	e.Sliding = d.duration(per)
	if e.Sliding > maxWindow {
		d.Fail(per.Node, "want at most "+days(maxWindow), "%s is %s: too long for a window", per.Name, days(e.Sliding))
		e.Sliding = 0
	}
	if !zone.IsZero() {
		d.Fail(zone.Node, "leave it out, or want per: "+yamldoc.OrList(calendar.Units()), "%s is for windows of the calendar, and this one slides", zone.Name)
	}
	return e
}

func (d *decoder) zone(v value) *time.Location {
	name := d.Str(v)
	if name == "" {
		return nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		d.Fail(v.Node, "want a name of the IANA database, such as Europe/Stockholm, or UTC", "%s is %q, which is no time zone", v.Name, name)
		return nil
	}
	return zone
}

// windows reads limits on what is spent, of which no two are for the same time.
func (d *decoder) windows(v value) []windowRule {
	var rules []windowRule
	for _, item := range d.List(v, false) {
		f := d.Map(item, item.Name+".", "limit", "per", "zone")
		limit, _ := d.decimal(f.Need("limit", `limit: "1000.00"`))
		w := windowRule{Limit: limit.Trim(0), Per: d.every(f)}
		if w.Per != (every{}) && slices.ContainsFunc(rules, func(o windowRule) bool { return o.Per.same(w.Per) }) {
			d.Fail(f.Get("per").Node, "keep the lower limit", "%s has two windows per %s", v.Name, w.Per)
			continue
		}
		rules = append(rules, w)
	}
	return rules
}

func (d *decoder) rate(v value) *rateRule {
	if v.IsZero() {
		return nil
	}
	f := d.Map(v, "rate.", "max", "per", "zone")
	return &rateRule{
		Max: d.Integer(f.Need("max", "max: 20, the number of calls"), 1),
		Per: d.every(f),
	}
}

// budgetRule is what all that is booked on a cost centre may spend over time.
type budgetRule struct {
	CostCentre string
	Currency   string
	Windows    []windowRule
}

func (d *decoder) budget(v value) budgetRule {
	v.Name = "the budget"
	f := d.Map(v, "budget.", "cost_centre", "currency", "windows")
	return budgetRule{
		CostCentre: d.Str(f.Need("cost_centre", "cost_centre: as the classes have it")),
		Currency:   d.currency(f.Need("currency", "currency: EUR")),
		Windows:    d.windows(f.Need("windows", `windows: [{limit: "40000.00", per: month, zone: Europe/Stockholm}]`)),
	}
}

// budget returns the budget of a cost centre; nil where the matrix has none.
func (m *matrixDoc) budget(costCentre string) *budgetRule {
	if m == nil || costCentre == "" {
		return nil
	}
	for i := range m.Budgets {
		if m.Budgets[i].CostCentre == costCentre {
			return &m.Budgets[i]
		}
	}
	return nil
}

// limits compiles the limits over time of a class.
func (c *planning) limits() {
	add := func(kind rationale.CheckKind, id, limit, currency, costCentre string, per every) {
		l := rationale.Limit{Kind: kind, ID: c.id(id), CostCentre: costCentre, Max: c.id(limit), Currency: currency, Per: per.Calendar}
		if per.Sliding > 0 {
			l.Per = c.id(per.Sliding.String())
		} else {
			l.Zone = per.Zone.String()
		}
		c.plan.limits = append(c.plan.limits, l)
	}
	class := c.plan.class
	if s := class.Spend; s != nil {
		for i, w := range s.Windows {
			add(rationale.CheckWindow, fmt.Sprintf("windows[%d]", i), w.Limit.String(), s.Currency, "", w.Per)
		}
		if b := c.set.policy.Matrix.budget(s.CostCentre); b != nil {
			for i, w := range b.Windows {
				id := fmt.Sprintf("budget %s windows[%d]", b.CostCentre, i)
				add(rationale.CheckWindow, id, w.Limit.String(), b.Currency, b.CostCentre, w.Per)
			}
		}
	}
	if r := class.Rate; r != nil {
		add(rationale.CheckRate, "rate", fmt.Sprint(r.Max), "", "", r.Per)
	}
}

// recordLimits gives the draft the limits that a ledger holds it against. When
// their calendar windows are, the ledger says, by its clock.
func (e *evaluation) recordLimits(d *rationale.Decision) {
	d.Limits = slices.Clone(e.plan.limits)
}
