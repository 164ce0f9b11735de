package rationale

import (
	"math/bits"
	"slices"
	"time"

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
// An allowed call that takes of its limits gets its lease, a pend opens a ticket
// and an allowed bounded_escalation owes a review, as the draft's Terms say; not in
// Observe mode.
//
// Conclude is idempotent: concluding again after adding a check gives the same
// as concluding once with it. What decides is [Tally.Conclude], so that one who
// only wants the verdict gets the same without a record.
func Conclude(d *Decision) {
	t := Tally{
		Classified: d.Class != "", Approved: d.Approval != "", Standing: d.Standing, Mode: d.Mode, Tier: d.BaseTier,
	}
	for i := range d.Checks {
		t.Add(d.Checks[i].Result, d.Checks[i].Reason, d.Checks[i].To)
	}
	c := t.Conclude()
	d.Verdict, d.Tier, d.Reasons, d.Mode, d.Would = c.Verdict, t.Tier, c.Reasons, c.Mode, nil
	d.Ticket, d.Review, d.Lease = nil, nil, time.Time{}
	if d.Takes() {
		d.Lease = d.Terms.LeaseFrom(d.At)
	}
	if c.Mode == Observe {
		would := c.Would
		d.Would = &would
		return
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
		d.capTicket()
	case d.Verdict == Allow:
		if reason := d.reviewFor(); reason != "" {
			d.Review = &ReviewDue{
				By: d.Terms.ReviewBy, Due: d.At.Add(d.Terms.ReviewWithin), Reason: reason,
				NotBy: append(slices.Clip(d.Terms.ApproveBy), d.Terms.ApprovedBy...), // who leaves a group has approved all the same
			}
		}
	}
}

// capTicket writes into the ticket who may approve how much.
func (d *Decision) capTicket() {
	if d.Spend == nil || !d.Terms.ApproveCapped {
		return
	}
	d.Ticket.Capped = true
	for _, c := range d.Terms.Ceilings {
		if c.Currency == d.Spend.Currency {
			d.Ticket.Ceilings = append(d.Ticket.Ceilings, c)
		}
	}
}

// reviewFor says why an allowed call owes a review; empty: it does not. A draft
// without an id is in no sample yet.
func (d *Decision) reviewFor() string {
	switch {
	case d.Tier == classify.BoundedEscalation:
		return "tier"
	case len(d.Terms.ReviewBy) == 0:
		return ""
	case d.Tier == classify.Parameterized && d.Terms.ReviewSample > 0 && d.ID != "" && Sampled(d.ID, d.Terms.ReviewSample):
		return "sample"
	case d.Terms.Repeated:
		return "boilerplate"
	}
	return ""
}

// DeniesObserved reports whether the reason denies even in Observe mode.
func (r Reason) DeniesObserved() bool {
	switch r {
	case Suspended, Revoked, ProhibitedClass, EvidenceUnavailable, LedgerUnavailable:
		return true
	}
	return false
}

// Tally is all of an evaluation that its verdict depends on: what is known of
// the call, and what its checks add up to. The zero Tally denies. It serves one
// goroutine.
type Tally struct {
	Classified bool // a class was found
	Approved   bool // an approval is used
	Standing   Standing
	Mode       Mode
	Tier       classify.Tier // effective: the class's own, as Add raises it

	failed  bool      // some check neither passed nor raised
	reasons reasonSet // of the checks
	excused reasonSet // of the checks that raised to authorization_required
	unknown []Reason  // that are none of Reasons
}

// Add counts one check.
func (t *Tally) Add(result CheckResult, reason Reason, to classify.Tier) {
	switch result {
	case Passed:
		return
	case Raised:
		t.Tier = classify.Max(t.Tier, to)
		if reason == "" {
			return
		}
		if to == classify.AuthorizationRequired {
			t.excused |= setOf(reason)
		}
	default:
		t.failed = true
		if reason == "" {
			reason = EvaluationError
		}
	}
	t.reasons |= setOf(reason)
	if setOf(reason) == 0 && !slices.Contains(t.unknown, reason) {
		t.unknown = append(t.unknown, reason)
	}
}

// Conclusion is what an evaluation comes to.
type Conclusion struct {
	Verdict Verdict // what is enforced
	Would   Verdict // what would have been, where the Mode is Observe
	Mode    Mode    // Enforce where a reason denies even in Observe mode
	Reasons []Reason
}

// Conclude makes the verdict, as the function [Conclude] describes it. It
// allocates only where there are reasons.
func (t *Tally) Conclude() Conclusion {
	permits := t.standingPermits()
	verdict := t.verdict(permits)
	c := Conclusion{Verdict: verdict, Mode: t.Mode}
	if all := t.reasons | t.ownReasons(permits); all != 0 || t.unknown != nil {
		c.Reasons = all.list(t.unknown)
	}
	if t.Mode != Observe {
		return c
	}
	if slices.ContainsFunc(c.Reasons, Reason.DeniesObserved) {
		c.Mode = Enforce
		return c
	}
	c.Verdict, c.Would = Allow, verdict
	return c
}

func (t *Tally) verdict(permits bool) Verdict {
	if t.failed {
		return Deny
	}
	if !t.Classified || !permits {
		return Deny
	}
	switch t.Tier {
	case classify.Parameterized, classify.BoundedEscalation:
		return Allow
	case classify.AuthorizationRequired:
		if t.Approved {
			return Allow
		}
		return Pend
	default:
		return Deny
	}
}

// standingPermits holds for an active standing, and for one that may recommend
// when a check raised the call to authorization_required because of it.
func (t *Tally) standingPermits() bool {
	if t.Standing == StandingActive {
		return true
	}
	return t.Standing.Recommendable() && t.excused&setOf(t.Standing.Reason()) != 0
}

// ownReasons are those that the evaluation gives without a check, so that no
// refusal is without a reason.
func (t *Tally) ownReasons(permits bool) reasonSet {
	if !t.Classified {
		if t.reasons == 0 && t.unknown == nil {
			return setOf(Unclassified)
		}
		return 0
	}
	var own reasonSet
	if !permits {
		own |= setOf(t.Standing.Reason())
	}
	switch {
	case t.Tier == classify.AuthorizationRequired && !t.Approved:
		own |= setOf(ApprovalRequired)
	case t.Tier == classify.Prohibited:
		own |= setOf(ProhibitedClass)
	case !t.Tier.Known():
		own |= setOf(EvaluationError)
	}
	return own
}

// reasonSet is a set of reasons: bit i stands for reasonOrder[i].
type reasonSet uint32

// reasonOrder is never changed.
var reasonOrder = Reasons()

// setOf returns the set of one reason; of one that is not known the empty set.
func setOf(reason Reason) reasonSet {
	i := slices.Index(reasonOrder, reason)
	if i < 0 {
		return 0
	}
	return 1 << i
}

// list returns the reasons in the order of [Reasons], each once, after those
// that are none of them.
func (s reasonSet) list(unknown []Reason) []Reason {
	found := make([]Reason, 0, bits.OnesCount32(uint32(s))+len(unknown))
	found = append(found, unknown...)
	for i, reason := range reasonOrder {
		if s&(1<<i) != 0 {
			found = append(found, reason)
		}
	}
	return found
}
