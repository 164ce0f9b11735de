package authority

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ambit-go/ambit/internal/yamldoc"
)

// join checks the documents against each other.
func (r *reader) join() {
	r.oneMatrix()
	r.distinctPriceLists()
	r.knownReaffirmed()
	limited := r.docs.Matrix != nil || len(r.matrices) == 0 && !r.unclear
	for _, g := range r.distinctGrants() {
		d := &decoder{}
		if r.docs.Matrix != nil {
			d.checkCeilings(g, r.docs.Matrix)
		}
		r.checkPriceLists(d, g)
		r.keep(d)
		if len(d.Problems) > 0 || !limited {
			continue
		}
		g.sign(r.docs.Matrix)
		r.docs.Grants = append(r.docs.Grants, g)
	}
	slices.SortStableFunc(r.docs.Grants, func(a, b *grantDoc) int {
		return cmp.Or(cmp.Compare(a.ID.Value, b.ID.Value), cmp.Compare(a.Version, b.Version))
	})
}

// oneMatrix refuses all matrices where there are several: which of them limits
// a grant would be a guess.
func (r *reader) oneMatrix() {
	if len(r.matrices) < 2 {
		return
	}
	r.docs.Matrix = nil
	for _, file := range r.matrices[1:] {
		r.errs = append(r.errs, errorOf(at(file.Root(), "kind").Problem(
			fmt.Sprintf("a second authority matrix: %s is one too", r.matrices[0].Name), "there is one matrix for all documents")))
	}
}

// knownReaffirmed refuses a reaffirmation of what is not there: its reader
// would think that a review date has moved.
func (r *reader) knownReaffirmed() {
	var known []string
	for id := range r.authorizations {
		known = append(known, id)
	}
	slices.Sort(known)
	r.docs.Reaffirmations = slices.DeleteFunc(r.docs.Reaffirmations, func(f *reaffirmationDoc) bool {
		if r.authorizations[f.Authorization.Value] {
			return false
		}
		hint := "no Authorization of that id is among the documents"
		if len(known) > 0 {
			hint = yamldoc.NearestHint(f.Authorization.Value, known)
		}
		r.errs = append(r.errs, errorOf(f.Authorization.Node.Problem(
			fmt.Sprintf("there is no authorization %q", f.Authorization.Value), hint)))
		return true
	})
}

// distinctGrants returns the grants, without those that say to be the same
// version of one authorization.
func (r *reader) distinctGrants() []*grantDoc {
	type version struct {
		id     string
		number int
	}
	first := make(map[version]*grantDoc)
	twice := make(map[version]bool)
	for _, g := range r.grants {
		v := version{g.ID.Value, g.Version}
		if other := first[v]; other != nil {
			twice[v] = true
			r.errs = append(r.errs, errorOf(g.ID.Node.Problem(
				fmt.Sprintf("version %d of %q is also in %s", g.Version, g.ID.Value, other.File.Name), "give each version its own number")))
			continue
		}
		first[v] = g
	}
	return slices.DeleteFunc(slices.Clone(r.grants), func(g *grantDoc) bool { return twice[version{g.ID.Value, g.Version}] })
}

func (r *reader) distinctPriceLists() {
	first := make(map[string]*priceListDoc)
	twice := make(map[string]bool)
	for _, p := range r.docs.PriceLists {
		if other := first[p.ID.Value]; other != nil {
			twice[p.ID.Value] = true
			r.errs = append(r.errs, errorOf(p.ID.Node.Problem(
				fmt.Sprintf("the price list %q is also in %s", p.ID.Value, other.File.Name), "keep one")))
			continue
		}
		first[p.ID.Value] = p
	}
	r.docs.PriceLists = slices.DeleteFunc(r.docs.PriceLists, func(p *priceListDoc) bool { return twice[p.ID.Value] })
}

// checkPriceLists refuses a class whose price list is not there, is in another
// currency, or does not fit its horizon.
func (r *reader) checkPriceLists(d *decoder, g *grantDoc) {
	for _, c := range g.Classes {
		if c.Spend == nil || c.Spend.PriceList.Value == "" {
			continue
		}
		s := c.Spend
		list := r.docs.priceList(s.PriceList.Value)
		if list == nil {
			var known []string
			for _, p := range r.docs.PriceLists {
				known = append(known, priceListPrefix+p.ID.Value)
			}
			hint := "no PriceList of that id is among the documents"
			if r.priceLists[s.PriceList.Value] {
				hint = "the PriceList of that id has errors of its own"
			} else if len(known) > 0 {
				hint = yamldoc.NearestHint(priceListPrefix+s.PriceList.Value, known)
			}
			d.Fail(s.PriceList.Node, hint, "there is no price list %q", s.PriceList.Value)
			continue
		}
		horizon, has := find(s.Node, "estimate", "horizon")
		switch {
		case list.Currency != s.Currency:
			d.Fail(s.PriceList.Node, "", "the price list %q is in %s, and the class spends %s", list.ID.Value, list.Currency, s.Currency)
		case has && list.Per == 0:
			d.Fail(horizon, "leave it out", "the prices of %q are not per time: they have no horizon", list.ID.Value)
		case !has && list.Per > 0:
			d.Fail(s.PriceList.Node, "horizon: 24h", "the prices of %q are per %s: estimate needs a horizon", list.ID.Value, days(list.Per))
		case has:
			if _, err := durationRatio(s.Horizon, list.Per); err != nil {
				d.Fail(horizon, "", "estimate.horizon: %v", err)
			}
		}
	}
}

// sign says whether the grant is signed as its body demands.
func (g *grantDoc) sign(m *matrixDoc) {
	if m == nil {
		return
	}
	if body := m.body(g.Grant.Body.Value); body != nil {
		g.Signers, g.Signed = body.quorum(g.signers, g.Grant.At)
	}
}
