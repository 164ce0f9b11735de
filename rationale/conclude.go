package rationale

import (
	"slices"

	"github.com/ambit-go/ambit/classify"
)

// Conclude sets the effective tier, the reasons and the verdict of a draft
// decision from its checks: the one place where a verdict is made. Every
// ledger calls it at admission, after it has added the checks that only it can
// make (suspensions, brakes, limits, the approval that is used).
//
// The effective tier is the highest of the base tier and of every check that
// raised. The reasons are those of the checks that did not pass, and those of the
// standing, the tier and the missing class: no refusal is without one. Any failed or
// errored check denies; so does a check without a result, a decision without a
// class, an unknown tier, and a standing that is not active unless a check
// raised the call because of it. Then the tier decides: parameterized and
// bounded_escalation allow, authorization_required pends unless an approval is
// used, everything else denies.
//
// In Observe mode the verdict so found goes to Would, and the call is allowed
// unless a reason denies even then (see [Reason.DeniesObserved]), in which case
// the mode becomes Enforce.
//
// A pend opens a ticket and an allowed bounded_escalation owes a review, as the
// draft's Terms say; not in Observe mode.
//
// Conclude is idempotent: concluding again after adding a check gives the same
// as concluding once with it.
func Conclude(d *Decision) {
	d.Tier = effectiveTier(d)
	d.Reasons = reasons(d)
	verdict := verdict(d)
	d.Verdict, d.Would = verdict, nil
	d.Ticket, d.Review = nil, nil
	if d.Mode == Observe {
		if !slices.ContainsFunc(d.Reasons, Reason.DeniesObserved) {
			d.Verdict, d.Would = Allow, &verdict
			return
		}
		d.Mode = Enforce
	}
	askPeople(d)
}

// askPeople opens the ticket or the review that the verdict calls for.
func askPeople(d *Decision) {
	switch {
	case d.Verdict == Pend:
		d.Ticket = &Ticket{
			By: d.Terms.ApproveBy, Quorum: d.Terms.ApproveQuorum, Expires: d.At.Add(d.Terms.ApproveWithin),
		}
	case d.Verdict == Allow && d.Tier == classify.BoundedEscalation:
		d.Review = &ReviewDue{By: d.Terms.ReviewBy, Due: d.At.Add(d.Terms.ReviewWithin), Reason: "tier"}
	}
}

// DeniesObserved reports whether the reason denies even in Observe mode.
func (r Reason) DeniesObserved() bool {
	switch r {
	case Suspended, Revoked, ProhibitedClass, EvidenceUnavailable, LedgerUnavailable:
		return true
	}
	return false
}

func effectiveTier(d *Decision) classify.Tier {
	tier := d.BaseTier
	for i := range d.Checks {
		if d.Checks[i].Result == Raised {
			tier = classify.Max(tier, d.Checks[i].To)
		}
	}
	return tier
}

func reasons(d *Decision) []Reason {
	var found []Reason
	for i := range d.Checks {
		c := &d.Checks[i]
		if c.Result == Passed || (c.Result == Raised && c.Reason == "") {
			continue
		}
		reason := c.Reason
		if reason == "" {
			reason = EvaluationError
		}
		found = append(found, reason)
	}
	found = append(found, ownReasons(d, len(found) == 0)...)
	order := Reasons()
	slices.SortFunc(found, func(a, b Reason) int { return slices.Index(order, a) - slices.Index(order, b) })
	return slices.Compact(found)
}

// ownReasons are those that the decision gives without a check, so that no
// refusal is without a reason.
func ownReasons(d *Decision, alone bool) []Reason {
	if d.Class == "" {
		if alone {
			return []Reason{Unclassified}
		}
		return nil
	}
	var found []Reason
	if !standingPermits(d) {
		found = append(found, d.Standing.Reason())
	}
	switch {
	case d.Tier == classify.AuthorizationRequired && d.Approval == "":
		found = append(found, ApprovalRequired)
	case d.Tier == classify.Prohibited:
		found = append(found, ProhibitedClass)
	case !d.Tier.Known():
		found = append(found, EvaluationError)
	}
	return found
}

func verdict(d *Decision) Verdict {
	for i := range d.Checks {
		if r := d.Checks[i].Result; r != Passed && r != Raised {
			return Deny
		}
	}
	if d.Class == "" || !standingPermits(d) {
		return Deny
	}
	switch d.Tier {
	case classify.Parameterized, classify.BoundedEscalation:
		return Allow
	case classify.AuthorizationRequired:
		if d.Approval != "" {
			return Allow
		}
		return Pend
	default:
		return Deny
	}
}

// standingPermits holds for an active standing, and for one that may recommend
// when a check raised the call to authorization_required because of it.
func standingPermits(d *Decision) bool {
	if d.Standing == StandingActive {
		return true
	}
	return d.Standing.Recommendable() && slices.ContainsFunc(d.Checks, func(c Check) bool {
		return c.Reason == d.Standing.Reason() && c.Result == Raised && c.To == classify.AuthorizationRequired
	})
}
