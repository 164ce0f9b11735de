package authority

import (
	"time"

	"github.com/ambit-go/ambit/internal/yamldoc"
)

// find returns the node that a path of keys and indexes leads to from n. It
// reports false, and returns the last node on the way, where the path ends
// early.
func find(n yamldoc.Node, path ...any) (yamldoc.Node, bool) {
	for _, step := range path {
		var next yamldoc.Node
		switch step := step.(type) {
		case string:
			for _, e := range n.Entries() {
				if e.Key.Text() == step {
					next = e.Value
					break
				}
			}
		case int:
			if items := n.Items(); step < len(items) {
				next = items[step]
			}
		}
		if next.IsZero() {
			return n, false
		}
		n = next
	}
	return n, true
}

// at is where [find] ends.
func at(n yamldoc.Node, path ...any) yamldoc.Node {
	n, _ = find(n, path...)
	return n
}

const (
	maxTerm         = 366 * day
	maxCriticalTerm = 180 * day
)

// checkAuthorization refuses what is wrong with a document by itself, although
// each of its values can be read. A value that could not be read is reported
// already and takes part in no rule.
func (d *decoder) checkAuthorization(g *grantDoc) {
	root := g.File.Root()
	if i := indexPerson(g.Grant.By, g.Owner.ID); i >= 0 {
		d.Fail(g.Grant.By[i].Node, "somebody else must grant it", "grant.by names the owner %q: nobody grants to themselves", g.Owner.ID)
	}
	if i := indexPerson(g.Grant.By, g.Agent.Value); i >= 0 {
		d.Fail(g.Grant.By[i].Node, "a person must grant it", "grant.by names the agent %q", g.Agent.Value)
	}
	if samePerson(g.Owner.ID, g.Agent.Value) {
		d.Fail(g.Owner.Node, "a person must be accountable", "the owner is the agent %q", g.Agent.Value)
	}
	d.checkTerm(g, root)
	d.checkObserve(g, g.ObserveUntil, root)
	for i := range g.Classes {
		d.checkClass(g, &g.Classes[i])
	}
	d.checkDistinct(g)
	d.checkPeople(g)
}

func (d *decoder) checkTerm(g *grantDoc, root yamldoc.Node) {
	if g.Critical && g.Every > maxCriticalTerm {
		d.Fail(at(root, "reauthorize", "every"), "want at most 180d", "reauthorize.every is %s: a critical authorization is reviewed at least every 180d", days(g.Every))
	}
	if g.Grant.At.IsZero() || g.Grant.Expires.IsZero() {
		return
	}
	expires, term := at(root, "grant", "expires"), g.Grant.Expires.Sub(g.Grant.At)
	switch {
	case term <= 0:
		d.Fail(expires, "", "grant.expires is not after grant.at")
	case g.Critical && term > maxCriticalTerm:
		d.Fail(expires, "want at most 180d after at", "the term is %s: a critical authorization has at most 180d", days(term))
	case term > maxTerm:
		d.Fail(expires, "want at most 366d after at", "the term is %s: an authorization has at most 366d", days(term))
	}
}

// checkObserve refuses an observe mode outside of the grant's own term.
func (d *decoder) checkObserve(g *grantDoc, until time.Time, n yamldoc.Node) {
	switch {
	case until.IsZero():
	case !g.Grant.Expires.IsZero() && until.After(g.Grant.Expires):
		d.Fail(at(n, "observe", "until"), "", "observe.until is after grant.expires")
	case !g.Grant.At.IsZero() && !until.After(g.Grant.At):
		d.Fail(at(n, "observe", "until"), "", "observe.until is not after grant.at")
	}
}
