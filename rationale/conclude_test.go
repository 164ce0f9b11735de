package rationale_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

// draft is a decision that nothing stands against.
func draft(tier classify.Tier) *rationale.Decision {
	return &rationale.Decision{
		At: at("2026-11-01T10:00:00Z"), Class: "c", BaseTier: tier, Standing: rationale.StandingActive,
		Checks: []rationale.Check{{Kind: rationale.CheckBound, ID: "bounds[0]", Result: rationale.Passed}},
		Terms: rationale.Terms{
			ApproveBy: []string{"group:a"}, ApproveQuorum: 2, ApproveWithin: 30 * time.Minute,
			ReviewBy: []string{"group:r"}, ReviewWithin: 48 * time.Hour,
		},
	}
}

func failed(reason rationale.Reason) rationale.Check {
	return rationale.Check{Kind: rationale.CheckBound, Result: rationale.Failed, Reason: reason}
}

func raised(to classify.Tier, reason rationale.Reason) rationale.Check {
	return rationale.Check{Kind: rationale.CheckTrigger, Result: rationale.Raised, To: to, Reason: reason}
}

func TestConcludeByTier(t *testing.T) {
	for _, c := range []struct {
		tier     classify.Tier
		approval string
		verdict  rationale.Verdict
		reasons  []rationale.Reason
	}{
		{classify.Parameterized, "", rationale.Allow, nil},
		{classify.BoundedEscalation, "", rationale.Allow, nil},
		{classify.AuthorizationRequired, "", rationale.Pend, []rationale.Reason{rationale.ApprovalRequired}},
		{classify.AuthorizationRequired, "ap-1", rationale.Allow, nil},
		{classify.Prohibited, "", rationale.Deny, []rationale.Reason{rationale.ProhibitedClass}},
		{classify.Prohibited, "ap-1", rationale.Deny, []rationale.Reason{rationale.ProhibitedClass}},
		{classify.TierUnknown, "", rationale.Deny, []rationale.Reason{rationale.EvaluationError}},
		{classify.Tier(99), "ap-1", rationale.Deny, []rationale.Reason{rationale.EvaluationError}},
	} {
		for _, raise := range []bool{false, true} {
			name := c.tier.String() + " approved by " + c.approval
			d := draft(c.tier)
			if raise {
				d, name = draft(classify.Parameterized), name+", raised"
				d.Checks = append(d.Checks, raised(c.tier, ""))
			}
			t.Run(name, func(t *testing.T) {
				d.Approval = c.approval
				rationale.Conclude(d)
				assert.Equal(t, c.verdict, d.Verdict)
				assert.Equal(t, c.reasons, d.Reasons)
				assert.Equal(t, c.tier.String(), d.Tier.String())
				assert.Nil(t, d.Would)
				assert.Equal(t, c.verdict == rationale.Pend, d.Ticket != nil)
				assert.Equal(t, c.tier == classify.BoundedEscalation, d.Review != nil)
			})
		}
	}
}

func TestConcludeAsksPeople(t *testing.T) {
	pend := draft(classify.AuthorizationRequired)
	rationale.Conclude(pend)
	assert.Equal(t, &rationale.Ticket{By: []string{"group:a"}, Quorum: 2, Expires: at("2026-11-01T10:30:00Z")}, pend.Ticket)

	bounded := draft(classify.BoundedEscalation)
	rationale.Conclude(bounded)
	assert.Equal(t, &rationale.ReviewDue{By: []string{"group:r"}, Due: at("2026-11-03T10:00:00Z"), Reason: "tier", NotBy: []string{"group:a"}}, bounded.Review)

	bounded.Checks = append(bounded.Checks, failed(rationale.NotAllowed))
	rationale.Conclude(bounded)
	assert.Nil(t, bounded.Review, "a denied call owes no review")
}

// Every reason denies at every tier, with or without an approval; in observe
// mode only those that deny even then.
func TestConcludeByReason(t *testing.T) {
	denyObserved := []rationale.Reason{
		rationale.Suspended, rationale.Revoked, rationale.ProhibitedClass,
		rationale.EvidenceUnavailable, rationale.LedgerUnavailable,
	}
	for _, reason := range rationale.Reasons() {
		t.Run(string(reason), func(t *testing.T) {
			for _, tier := range append(classify.Tiers(), classify.TierUnknown) {
				d := draft(tier)
				d.Approval = "ap-1"
				d.Checks = append(d.Checks, failed(reason))
				rationale.Conclude(d)
				assert.Equal(t, rationale.Deny, d.Verdict, tier)
				assert.Contains(t, d.Reasons, reason)
				assert.Nil(t, d.Ticket)

				d = draft(tier)
				d.Mode = rationale.Observe
				d.Checks = append(d.Checks, failed(reason))
				rationale.Conclude(d)
				if slices.Contains(denyObserved, reason) || tier == classify.Prohibited {
					assert.Equal(t, rationale.Deny, d.Verdict, tier)
					assert.Equal(t, rationale.Enforce, d.Mode, tier)
					assert.Nil(t, d.Would)
					continue
				}
				deny := rationale.Deny
				assert.Equal(t, rationale.Allow, d.Verdict, tier)
				assert.Equal(t, &deny, d.Would, tier)
				assert.Equal(t, rationale.Observe, d.Mode, tier)
			}
		})
	}
}

func TestConcludeObserve(t *testing.T) {
	for tier, want := range map[classify.Tier]rationale.Verdict{
		classify.Parameterized: rationale.Allow, classify.BoundedEscalation: rationale.Allow,
		classify.AuthorizationRequired: rationale.Pend,
	} {
		d := draft(tier)
		d.Mode = rationale.Observe
		rationale.Conclude(d)
		assert.Equal(t, rationale.Allow, d.Verdict, tier)
		assert.Equal(t, want, *d.Would, tier)
		assert.Nil(t, d.Ticket, "no tickets in observe mode")
		assert.Nil(t, d.Review, "no reviews in observe mode")
	}
}

// The table of standings, without and with a document that recommends once it
// has lapsed (whose check raises instead of failing).
func TestConcludeByStanding(t *testing.T) {
	for _, c := range []struct {
		standing    rationale.Standing
		reason      rationale.Reason
		recommended rationale.Verdict
	}{
		{rationale.StandingNone, rationale.NoAuthorization, rationale.Deny},
		{rationale.StandingRevoked, rationale.Revoked, rationale.Deny},
		{rationale.StandingSuspended, rationale.Suspended, rationale.Deny},
		{rationale.StandingUnsigned, rationale.Unsigned, rationale.Deny},
		{rationale.StandingSuperseded, rationale.Superseded, rationale.Deny},
		{rationale.StandingNotYetEffective, rationale.NotYetEffective, rationale.Deny},
		{rationale.StandingExpired, rationale.Expired, rationale.Deny},
		{rationale.StandingPinMismatch, rationale.PinMismatch, rationale.Pend},
		{rationale.StandingReviewLapsed, rationale.ReviewLapsed, rationale.Pend},
		{rationale.Standing(99), rationale.NoAuthorization, rationale.Deny},
	} {
		t.Run(c.standing.String(), func(t *testing.T) {
			d := draft(classify.Parameterized)
			d.Standing = c.standing
			rationale.Conclude(d)
			assert.Equal(t, rationale.Deny, d.Verdict, "without any check of it")
			assert.Equal(t, []rationale.Reason{c.reason}, d.Reasons)

			d.Checks = append(d.Checks, raised(classify.AuthorizationRequired, c.reason))
			rationale.Conclude(d)
			assert.Equal(t, c.recommended, d.Verdict, "recommended")
			assert.Contains(t, d.Reasons, c.reason)

			d.Checks[1].To = classify.BoundedEscalation
			rationale.Conclude(d)
			assert.Equal(t, rationale.Deny, d.Verdict, "raised, but not far enough")

			d.Checks[1].To, d.Checks[1].Result = classify.AuthorizationRequired, rationale.Passed
			rationale.Conclude(d)
			assert.Equal(t, rationale.Deny, d.Verdict, "passed instead of raised")

			d.Checks[1] = raised(classify.AuthorizationRequired, rationale.AuditDebt)
			rationale.Conclude(d)
			assert.Equal(t, rationale.Deny, d.Verdict, "raised for another reason")
		})
	}
}

func TestConcludeDeniesWhatIsMissing(t *testing.T) {
	var zero rationale.Decision
	rationale.Conclude(&zero)
	assert.Equal(t, rationale.Deny, zero.Verdict)
	assert.Equal(t, []rationale.Reason{rationale.Unclassified}, zero.Reasons)

	noClass := draft(classify.Parameterized)
	noClass.Class = ""
	rationale.Conclude(noClass)
	assert.Equal(t, rationale.Deny, noClass.Verdict)

	for _, result := range []rationale.CheckResult{"", "later", rationale.Errored} {
		d := draft(classify.Parameterized)
		d.Checks = append(d.Checks, rationale.Check{Result: result})
		rationale.Conclude(d)
		assert.Equal(t, rationale.Deny, d.Verdict, "result %q", result)
		assert.Equal(t, []rationale.Reason{rationale.EvaluationError}, d.Reasons)
	}
}

func TestConcludeListsReasonsInOrderOnce(t *testing.T) {
	d := draft(classify.AuthorizationRequired)
	d.Checks = append(d.Checks, failed(rationale.RationaleIncomplete), failed(rationale.BoundViolated),
		failed(rationale.NotAllowed), failed(rationale.BoundViolated), raised(classify.AuthorizationRequired, rationale.SpendLimit))
	rationale.Conclude(d)
	assert.Equal(t, []rationale.Reason{
		rationale.NotAllowed, rationale.BoundViolated, rationale.SpendLimit,
		rationale.ApprovalRequired, rationale.RationaleIncomplete,
	}, d.Reasons)
}

func anyTier() *rapid.Generator[classify.Tier] {
	return rapid.Map(rapid.IntRange(0, 4), func(i int) classify.Tier { return classify.Tier(i) })
}

func anyCheck() *rapid.Generator[rationale.Check] {
	return rapid.Custom(func(t *rapid.T) rationale.Check {
		return rationale.Check{
			Result: rapid.SampledFrom([]rationale.CheckResult{
				rationale.Passed, rationale.Passed, rationale.Raised, rationale.Failed, rationale.Errored, "",
			}).Draw(t, "result"),
			Reason: rapid.SampledFrom(append(rationale.Reasons(), "")).Draw(t, "reason"),
			To:     anyTier().Draw(t, "to"),
		}
	})
}

func anyDecision() *rapid.Generator[*rationale.Decision] {
	return rapid.Custom(func(t *rapid.T) *rationale.Decision {
		d := draft(anyTier().Draw(t, "base"))
		d.Class = rapid.SampledFrom([]string{"c", "c", ""}).Draw(t, "class")
		d.Standing = rationale.Standing(rapid.IntRange(0, 10).Draw(t, "standing"))
		d.Approval = rapid.SampledFrom([]string{"", "ap"}).Draw(t, "approval")
		d.Mode = rationale.Mode(rapid.IntRange(0, 1).Draw(t, "mode"))
		d.Checks = rapid.SliceOfN(anyCheck(), 0, 4).Draw(t, "checks")
		return d
	})
}

func copied(d *rationale.Decision) *rationale.Decision {
	c := *d
	c.Checks = slices.Clone(d.Checks)
	return &c
}

// strict is what a decision would enforce outside observe mode.
func strict(d *rationale.Decision) rationale.Verdict {
	if d.Would != nil {
		return *d.Would
	}
	return d.Verdict
}

func TestConcludeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := anyDecision().Draw(t, "decision")
		after := copied(before)
		rationale.Conclude(before)

		again := copied(before)
		rationale.Conclude(again)
		assert.Equal(t, before, again, "concluding twice")
		assert.Equal(t, before.Tier, classify.Max(before.Tier, before.BaseTier), "the tier fell below its base")
		if strict(before) != rationale.Allow {
			assert.NotEmpty(t, before.Reasons, "refused without a reason")
		}

		check := anyCheck().Filter(func(c rationale.Check) bool { return c.Result != rationale.Raised }).Draw(t, "added")
		after.Checks = append(after.Checks, check)
		rationale.Conclude(after)
		assert.LessOrEqual(t, after.Verdict, before.Verdict, "a further check made the verdict less strict")
		assert.LessOrEqual(t, strict(after), strict(before))
		if check.Result != rationale.Passed {
			assert.Equal(t, rationale.Deny, strict(after))
		}

		later := copied(before)
		later.Checks = append(later.Checks, check)
		rationale.Conclude(later)
		assert.Equal(t, after, later, "concluding, adding a check and concluding again")

		risen := copied(before)
		risen.Checks = append(risen.Checks, raised(anyTier().Draw(t, "to"), ""))
		rationale.Conclude(risen)
		assert.Equal(t, risen.Tier, classify.Max(risen.Tier, before.Tier), "a raise lowered the tier")
		assert.LessOrEqual(t, strict(risen), strict(before), "a raise made the verdict less strict")
	})
}

// Who adds up results without a record gets the verdict that the record gets.
func TestTallyConcludesLikeTheRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tier := rapid.SampledFrom(append(classify.Tiers(), classify.TierUnknown, classify.Tier(9)))
		reason := rapid.SampledFrom(append(rationale.Reasons(), "", "", "not_a_reason"))
		d := &rationale.Decision{
			At: at("2026-11-01T10:00:00Z"), BaseTier: tier.Draw(t, "base"),
			Class:    rapid.SampledFrom([]string{"", "c", "c", "c"}).Draw(t, "class"),
			Standing: rationale.Standing(rapid.IntRange(0, int(rationale.StandingActive)+1).Draw(t, "standing")),
			Mode:     rationale.Mode(rapid.IntRange(0, 2).Draw(t, "mode")),
			Approval: rapid.SampledFrom([]string{"", "ap-1"}).Draw(t, "approval"),
		}
		tally := rationale.Tally{
			Classified: d.Class != "", Approved: d.Approval != "", Standing: d.Standing, Mode: d.Mode, Tier: d.BaseTier,
		}
		for range rapid.IntRange(0, 4).Draw(t, "checks") {
			c := rationale.Check{
				Result: rapid.SampledFrom([]rationale.CheckResult{rationale.Passed, rationale.Passed, rationale.Raised, rationale.Failed, rationale.Errored, ""}).Draw(t, "result"),
				Reason: reason.Draw(t, "reason"), To: tier.Draw(t, "to"),
			}
			d.Checks = append(d.Checks, c)
			tally.Add(c.Result, c.Reason, c.To)
		}
		rationale.Conclude(d)
		c := tally.Conclude()
		assert.Equal(t, d.Verdict, c.Verdict)
		assert.Equal(t, d.Reasons, c.Reasons)
		assert.Equal(t, d.Mode, c.Mode)
		assert.Equal(t, d.Tier, tally.Tier)
		if d.Would != nil {
			assert.Equal(t, *d.Would, c.Would)
		}
	})
}

func TestTheZeroTallyDenies(t *testing.T) {
	var tally rationale.Tally
	c := tally.Conclude()
	assert.Equal(t, rationale.Deny, c.Verdict)
	assert.Equal(t, []rationale.Reason{rationale.Unclassified}, c.Reasons)
}

// The reasons are counted in a set of 32.
func TestReasonsFitTheirSet(t *testing.T) {
	require.LessOrEqual(t, len(rationale.Reasons()), 32)
	tally := rationale.Tally{Classified: true, Standing: rationale.StandingActive, Tier: classify.Parameterized}
	for _, r := range slices.Backward(rationale.Reasons()) {
		tally.Add(rationale.Failed, r, 0)
		tally.Add(rationale.Failed, r, 0)
	}
	assert.Equal(t, rationale.Reasons(), tally.Conclude().Reasons, "in their order, each once")
	tally.Add(rationale.Failed, "another", 0)
	assert.Equal(t, append([]rationale.Reason{"another"}, rationale.Reasons()...), tally.Conclude().Reasons, "one of a later version is kept")
}

func TestTallyAllocatesNothingToAllow(t *testing.T) {
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		tally := rationale.Tally{Classified: true, Standing: rationale.StandingActive, Tier: classify.Parameterized}
		tally.Add(rationale.Passed, "", 0)
		tally.Add(rationale.Raised, "", classify.BoundedEscalation)
		if tally.Conclude().Verdict != rationale.Allow {
			t.Error("not allowed")
		}
	}))
}
