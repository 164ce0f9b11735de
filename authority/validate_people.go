package authority

import (
	"slices"
	"strings"

	"github.com/ambit-go/ambit/classify"
)

// reaches reports whether a call of the class can come to the tier, by its own
// tier, a trigger or the ladder. What fails on the way, such as a trigger with
// an error, requires approval.
func (c *classDoc) reaches(tier classify.Tier) bool {
	switch {
	case c.Tier > tier:
		return false
	case c.Tier == tier:
		return true
	case tier == classify.AuthorizationRequired && len(c.Escalate) > 0:
		return true
	}
	if slices.ContainsFunc(c.Escalate, func(e escalateRule) bool { return e.To == tier }) {
		return true
	}
	if c.Spend == nil {
		return false
	}
	_, rung := c.Spend.PerEvent[tier]
	return rung
}

// reviewed reports whether calls of the class can owe a review.
func (g *grantDoc) reviewed(c classDoc) bool {
	return c.reaches(classify.BoundedEscalation) || g.Review.Sample.IsPos() && c.reaches(classify.Parameterized)
}

// approved reports whether calls of the class can wait for people, as those of one
// that is reviewed can, which may be braked.
func (g *grantDoc) approved(c classDoc) bool {
	return c.reaches(classify.AuthorizationRequired) || g.Lapsed == lapsedRecommends && c.Tier != classify.Prohibited || g.reviewed(c)
}

// checkPeople refuses a document under which a call could wait for people who
// do not exist.
func (d *decoder) checkPeople(g *grantDoc) {
	if i := slices.IndexFunc(g.Classes, g.approved); i >= 0 {
		d.checkApprovers(g, g.Classes[i].ID.Value)
	}
	if i := slices.IndexFunc(g.Classes, g.reviewed); i >= 0 {
		d.checkReviewers(g, &g.Classes[i])
	}
}

// checkApprovers asks for a group, or for as many persons as the quorum. The
// owner and the agent cannot approve.
func (d *decoder) checkApprovers(g *grantDoc, class string) {
	if len(g.Approval.By) == 0 || g.Approval.Quorum == 0 {
		return // reported where they were read
	}
	place, given := find(g.File.Root(), "approval", "by")
	if !given {
		place = at(g.File.Root(), "grant", "by")
	}
	var people []person
	for _, id := range g.Approval.By {
		switch {
		case strings.HasPrefix(id.Value, groupPrefix):
			return
		case samePerson(id.Value, g.Owner.ID), samePerson(id.Value, g.Agent.Value), indexPerson(people, id.Value) >= 0:
		default:
			people = append(people, person{ID: id.Value})
		}
	}
	if len(people) < g.Approval.Quorum {
		d.Fail(place, "approval: {by: [group:…]}; the owner and the agent cannot approve",
			"the class %q can require approval: %d needed, %d eligible", class, g.Approval.Quorum, len(people))
	}
}

// checkReviewers asks for somebody who neither owns the authorization nor
// approves under it.
func (d *decoder) checkReviewers(g *grantDoc, class *classDoc) {
	by, given := find(g.File.Root(), "review", "by")
	if !given {
		d.Fail(at(class.Node, "id"), "review: {by: [group:…]}", "the class %q can open reviews, and review.by names nobody", class.ID.Value)
		return
	}
	for _, id := range g.Review.By {
		approves := slices.ContainsFunc(g.Approval.By, func(a text) bool { return samePerson(a.Value, id.Value) })
		if !approves && !samePerson(id.Value, g.Owner.ID) && !samePerson(id.Value, g.Agent.Value) {
			return
		}
	}
	if len(g.Review.By) > 0 {
		d.Fail(by, "name somebody else, or a group", "the class %q can open reviews, and review.by names only the owner and approvers", class.ID.Value)
	}
}
