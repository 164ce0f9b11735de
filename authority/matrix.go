package authority

import (
	"slices"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/yamldoc"
)

// domainsOf returns, sorted, the domains that the matrix puts the tool in.
func (m *matrixDoc) domainsOf(tool classify.ToolID) []string {
	return m.domains(func(p classify.Pattern) bool { return p.Match(tool) })
}

// overlapping returns, sorted, the domains with a tool that p could match.
func (m *matrixDoc) overlapping(p classify.Pattern) []string { return m.domains(p.Overlaps) }

func (m *matrixDoc) domains(has func(classify.Pattern) bool) []string {
	var names []string
	for _, domain := range m.Domains {
		if slices.ContainsFunc(domain.Patterns, func(p toolPattern) bool { return has(p.Pattern) }) {
			names = append(names, domain.Name)
		}
	}
	return names
}

// covers reports whether every tool that p could match is in some domain.
func (m *matrixDoc) covers(p classify.Pattern) bool {
	return slices.ContainsFunc(m.Domains, func(domain domainDoc) bool {
		return slices.ContainsFunc(domain.Patterns, func(q toolPattern) bool {
			return q.Pattern.Overlaps(p) && p.Compare(q.Pattern) <= 0
		})
	})
}

// body returns the body of that id; nil where the matrix has none.
func (m *matrixDoc) body(id string) *bodyDoc {
	for i := range m.Bodies {
		if m.Bodies[i].ID == id {
			return &m.Bodies[i]
		}
	}
	return nil
}

// checkCeilings refuses a grant beyond the authority of its body.
func (d *decoder) checkCeilings(g *grantDoc, m *matrixDoc) {
	root := g.File.Root()
	if g.Grant.Body.Value == "" {
		if g.Grant.Body.Node.IsZero() {
			d.Fail(at(root, "grant"), "body: one of the bodies of "+m.File.Name, "grant has no \"body\", and an authority matrix is loaded")
		}
		return
	}
	body := m.body(g.Grant.Body.Value)
	if body == nil {
		var known []string
		for _, b := range m.Bodies {
			known = append(known, b.ID)
		}
		d.Fail(g.Grant.Body.Node, yamldoc.NearestHint(g.Grant.Body.Value, known), "grant.body is %q, which %s does not have", g.Grant.Body.Value, m.File.Name)
		return
	}
	if term := g.Grant.Expires.Sub(g.Grant.At); body.Term > 0 && !g.Grant.Expires.IsZero() && !g.Grant.At.IsZero() && term > body.Term {
		d.Fail(at(root, "grant", "expires"), "want at most "+days(body.Term)+" after at",
			"the term is %s: %s may grant %s", days(term), body.ID, days(body.Term))
	}
	for i := range g.Classes {
		d.checkDomains(&g.Classes[i], body, m)
		d.checkSpendCeiling(&g.Classes[i], body)
		d.checkBudget(&g.Classes[i], m)
	}
}

// checkDomains refuses a class with a tool of a domain that the body may not
// grant. The matrix says which domains those are, whatever the class declares;
// what the class declares stands for the tools that the matrix leaves out, and
// must be granted as well. A prohibited class grants nothing.
func (d *decoder) checkDomains(c *classDoc, body *bodyDoc, m *matrixDoc) {
	if c.Tier == classify.Prohibited {
		return
	}
	for _, p := range c.Tools {
		for _, domain := range m.overlapping(p.Pattern) {
			if !slices.Contains(body.Domains, domain) {
				d.Fail(p.Node, "", "%q reaches into the domain %s, which %s may not grant", p.Pattern, domain, body.ID)
			}
		}
		if c.Domain == "" && !m.covers(p.Pattern) {
			d.Fail(p.Node, "declare the class's domain", "%q has tools in no domain of %s, and the class declares none", p.Pattern, m.File.Name)
		}
	}
	if c.Domain != "" && !slices.Contains(body.Domains, c.Domain) {
		d.Fail(at(c.Node, "domain"), yamldoc.NearestHint(c.Domain, body.Domains), "the domain %s is not one that %s may grant", c.Domain, body.ID)
	}
}

// checkSpendCeiling compares the class's ladder with the body's, rung by rung.
func (d *decoder) checkSpendCeiling(c *classDoc, body *bodyDoc) {
	if c.Spend == nil {
		return
	}
	currency := at(c.Spend.Node, "currency")
	switch {
	case len(body.PerEvent) == 0:
		d.Fail(c.Spend.Node, "", "the class spends, and %s may grant no spending", body.ID)
		return
	case c.Spend.Currency == "" || body.Currency == "":
		return
	case c.Spend.Currency != body.Currency:
		d.Fail(currency, "want "+body.Currency, "spend.currency is %s: %s may grant %s", c.Spend.Currency, body.ID, body.Currency)
		return
	}
	for _, tier := range classify.Tiers() {
		limit, has := c.Spend.PerEvent[tier]
		if !has {
			continue
		}
		rung := at(c.Spend.Node, "per_event", tier.String())
		if ceiling, has := body.PerEvent[tier]; !has {
			d.Fail(rung, "leave the rung out", "spend.per_event.%s: %s may grant nothing at this tier", tier, body.ID)
		} else if limit.Cmp(ceiling) > 0 {
			d.Fail(rung, "want at most "+ceiling.String(), "spend.per_event.%s is %s: %s may grant %s", tier, limit, body.ID, ceiling)
		}
	}
}

// checkBudget refuses a class that spends another currency than the budget of its
// cost centre has: nothing could be added up.
func (d *decoder) checkBudget(c *classDoc, m *matrixDoc) {
	if c.Spend == nil || c.Spend.Currency == "" {
		return
	}
	if b := m.budget(c.Spend.CostCentre); b != nil && b.Currency != "" && b.Currency != c.Spend.Currency {
		d.Fail(at(c.Spend.Node, "currency"), "want "+b.Currency, "spend.currency is %s: the budget of %s in %s is in %s",
			c.Spend.Currency, b.CostCentre, m.File.Name, b.Currency)
	}
}
