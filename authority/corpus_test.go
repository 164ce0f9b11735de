package authority_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/internal/corpus"
	"github.com/ambit-go/ambit/rationale"
)

const corpusDir = "../testdata/corpus"

// prepare returns the call of a case, and what its host supplies. Each use
// gets its own.
func prepare(t require.TestingT, suite corpus.Suite, c corpus.Case) (authority.Call, authority.Input) {
	raw, err := c.Call.RawArguments()
	require.NoError(t, err)
	id, err := c.Call.ToolID()
	require.NoError(t, err)
	in, err := c.Call.Input(suite.Manifest)
	require.NoError(t, err)
	call := authority.Call{
		At: c.Call.At, Model: c.Call.Model, Prompt: c.Call.Prompt, Tool: id, CallID: c.Call.CallID,
		Agent: rationale.Agent{
			ID: c.Call.Agent, Environment: c.Call.Environment, Session: c.Call.Session, OnBehalfOf: c.Call.OnBehalfOf,
		},
		Derive: func(name string, _ json.RawMessage) (any, error) { return c.Call.Derive(suite.Manifest, name) },
	}
	call.Arguments, in.Rationale, in.Malformed = rationale.Split(raw)
	return call, in
}

// sameVerdict compares what Evaluate says with the decision of Classify and
// Assess.
func sameVerdict(t assert.TestingT, e authority.Evaluation, d *rationale.Decision) bool {
	return assert.Equal(t, authority.Evaluation{
		Verdict: d.Verdict, Tier: d.Tier, Standing: d.Standing, Class: d.Class, Reasons: d.Reasons,
	}, e)
}

// TestCorpus replays every case through Classify and Assess, and through
// Evaluate.
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
					call, in := prepare(t, suite, c)
					d := set.Assess(set.Classify(call), in)
					sameVerdict(t, set.Evaluate(call, in), d)
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

// setWith loads a suite as [corpus.Suite.Set] does, with more options.
func setWith(t *testing.T, suite corpus.Suite, opts ...authority.Option) *authority.Set {
	t.Helper()
	opts = append(suite.Options(), opts...)
	if len(suite.Before) == 0 {
		set, err := authority.Load(suite.Documents, suite.Manifest, opts...)
		require.NoError(t, err)
		return set
	}
	set, err := authority.Load(suite.Before, suite.Manifest, opts...)
	require.NoError(t, err)
	set, err = set.Reload(suite.Documents)
	require.NoError(t, err)
	return set
}

// TestCorpusOnEveryPath replays the corpus with cel-go alone, and on both paths
// at once, which must agree.
func TestCorpusOnEveryPath(t *testing.T) {
	suites, err := corpus.Load(corpusDir)
	require.NoError(t, err)
	var compared uint64
	for _, suite := range suites {
		reference, both := setWith(t, suite, authority.WithReferenceCEL()), setWith(t, suite, authority.WithShadow(1))
		for _, c := range suite.Cases {
			for name, set := range map[string]*authority.Set{"reference": reference, "both": both} {
				call, in := prepare(t, suite, c)
				for _, diff := range c.Want.Differences(set.Assess(set.Classify(call), in)) {
					t.Errorf("%s: %s/%s: %s", name, suite.Name, c.Name, diff)
				}
			}
		}
		n, differed := both.Disagreements()
		assert.Zero(t, differed, suite.Name)
		compared += n
	}
	assert.NotZero(t, compared)
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
