package authority

import "github.com/ambit-go/ambit/internal/yamldoc"

// forget drops the trees of the documents, which weigh many times their text
// and are needed for positions in errors alone. Who reports errors of a loaded
// Set reads the documents' bytes again. Documents that another Set has already
// forgotten are shared with it, and left alone.
func (s *Set) forget() {
	for _, g := range s.policy.Grants {
		g.forget()
	}
	if m := s.policy.Matrix; m != nil && m.File != nil {
		m.forget()
	}
	for _, p := range s.policy.PriceLists {
		p.File, p.ID.Node = nil, yamldoc.Node{}
	}
	for _, r := range s.policy.Reaffirmations {
		r.File, r.Authorization.Node = nil, yamldoc.Node{}
		forgetPeople(r.By)
	}
	for _, h := range s.policy.Halts {
		if h.File != nil {
			h.File = nil
			forgetPeople(h.By)
		}
	}
}

func (g *grantDoc) forget() {
	none := yamldoc.Node{}
	g.File, g.ID.Node, g.Agent.Node, g.Owner.Node = nil, none, none, none
	g.Grant.Body.Node, g.Review.Node = none, none
	forgetPeople(g.Grant.By)
	forgetPeople(g.Grant.Consulted)
	forgetTexts(g.Approval.By)
	forgetTexts(g.Review.By)
	for i := range g.Pins.Tools {
		g.Pins.Tools[i].Node = none
	}
	for i := range g.Classes {
		g.Classes[i].forget()
	}
}

func (c *classDoc) forget() {
	none := yamldoc.Node{}
	c.ID.Node, c.When.Node, c.Record.keyed, c.Node = none, none, none, none
	for i := range c.Tools {
		c.Tools[i].Node = none
	}
	forgetAllow(c.Allow)
	forgetBounds(c.Bounds)
	for i := range c.Escalate {
		c.Escalate[i].When.Node = none
	}
	if s := c.Spend; s != nil {
		s.Amount.Node, s.Quantity.Node, s.Unit.Node, s.PriceList.Node, s.Estimator.Node, s.Node = none, none, none, none, none, none
	}
}

func (m *matrixDoc) forget() {
	none := yamldoc.Node{}
	m.File = nil
	for _, d := range m.Domains {
		for i := range d.Patterns {
			d.Patterns[i].Node = none
		}
	}
	for i := range m.Bodies {
		m.Bodies[i].Node = none
	}
	for _, b := range m.Baselines {
		forgetAllow(b.Allow)
		forgetBounds(b.Bounds)
	}
}

func forgetAllow(rules []allowRule) {
	for i := range rules {
		rules[i].Path.Node = yamldoc.Node{}
		for j := range rules[i].Values {
			rules[i].Values[j].Node = yamldoc.Node{}
		}
	}
}

func forgetBounds(rules []boundRule) {
	for i := range rules {
		rules[i].Expr.Node = yamldoc.Node{}
	}
}

func forgetPeople(people []person) {
	for i := range people {
		people[i].Node = yamldoc.Node{}
	}
}

func forgetTexts(texts []text) {
	for i := range texts {
		texts[i].Node = yamldoc.Node{}
	}
}
