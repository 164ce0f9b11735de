package authority_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/corpus"
	"github.com/ambit-go/ambit/rationale"
)

const corpusDir = "../testdata/corpus"

// TestCorpus replays every case through Classify and Assess.
func TestCorpus(t *testing.T) {
	suites, err := corpus.Load(corpusDir)
	require.NoError(t, err)
	cases := 0
	for _, suite := range suites {
		t.Run(suite.Name, func(t *testing.T) {
			set, err := suite.Set()
			require.NoError(t, err)
			for _, c := range suite.Cases {
				cases++
				t.Run(c.Name, func(t *testing.T) {
					d, err := c.Call.Evaluate(set, suite.Manifest)
					require.NoError(t, err)
					for _, diff := range c.Want.Differences(d) {
						t.Error(diff)
					}
					if t.Failed() {
						for _, check := range d.Checks {
							t.Logf("%-10s %-30s %-6s %-20s %s", check.Kind, check.ID, check.Result, check.Reason, check.Message)
						}
					}
				})
			}
		})
	}
	assert.GreaterOrEqual(t, cases, 150, "the corpus must not shrink")
}

// TestCorpusCovers asserts that the corpus has a case for every reason code,
// tier and standing that an evaluation can give.
func TestCorpusCovers(t *testing.T) {
	suites, err := corpus.Load(corpusDir)
	require.NoError(t, err)
	reasons, standings, tiers := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, suite := range suites {
		for _, c := range suite.Cases {
			for _, r := range c.Want.Reasons {
				reasons[r] = true
			}
			standings[c.Want.Standing], tiers[c.Want.Tier] = true, true
		}
	}
	// These need a ledger with limits, approvals, reviews and audits, or one
	// that fails; the tests of that are guard's.
	elsewhere := map[rationale.Reason]bool{
		rationale.WindowExhausted: true, rationale.RateExceeded: true, rationale.ApprovalInvalid: true,
		rationale.ReviewDebt: true, rationale.AuditDebt: true, rationale.EvidenceUnavailable: true,
		rationale.LedgerUnavailable: true,
	}
	for _, r := range rationale.Reasons() {
		assert.NotEqual(t, elsewhere[r], reasons[string(r)], "reason %s", r)
	}
	for s := rationale.StandingNone; s <= rationale.StandingActive; s++ {
		assert.True(t, standings[s.String()], "standing %s", s)
	}
	for _, tier := range []string{"parameterized", "bounded_escalation", "authorization_required", "prohibited"} {
		assert.True(t, tiers[tier], "tier %s", tier)
	}
}
