package classify_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/classify"
)

func TestUnknownTierDecodesToDeny(t *testing.T) {
	for _, text := range []string{`"unknown"`, `""`, `"Parameterized"`, `"allow"`} {
		tier := classify.Parameterized
		require.NoError(t, json.Unmarshal([]byte(text), &tier))
		assert.Equal(t, classify.TierUnknown, tier, text)
		assert.False(t, tier.Known())
	}
	_, err := classify.ParseTier("autonomous")
	assert.EqualError(t, err, `unknown tier "autonomous": want parameterized, bounded_escalation, authorization_required or prohibited`)
	_, err = classify.ParseTier("unknown")
	assert.Error(t, err)
	assert.Equal(t, "unknown", classify.Tier(200).String())
}

func TestTiersOnlyRise(t *testing.T) {
	tiers := append(classify.Tiers(), classify.TierUnknown, classify.Tier(99))
	for i, a := range tiers {
		for j, b := range tiers {
			got := classify.Max(a, b)
			switch {
			case !a.Known() || !b.Known():
				assert.Equal(t, classify.TierUnknown, got, "%v %v", a, b)
			default:
				assert.Equal(t, tiers[max(i, j)], got, "%v %v", a, b)
			}
		}
	}
}

func TestTierRoundTrip(t *testing.T) {
	for _, tier := range classify.Tiers() {
		text, err := tier.MarshalText()
		require.NoError(t, err)
		parsed, err := classify.ParseTier(string(text))
		require.NoError(t, err)
		assert.Equal(t, tier, parsed)
	}
}

func TestPatternMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, tool string
		want          bool
	}{
		{"orders.get", "orders.get", true},
		{"orders.get", "orders.getall", false},
		{"orders.get", "xorders.get", false},
		{"orders.get", "Orders.get", false},
		{"k8s.scale_*", "k8s.scale_deployment", true},
		{"k8s.scale_*", "k8s.scale_", false},
		{"k8s.scale_*", "k8s.scale_a.b", false},
		{"k8s.scale_*", "k8s.scaleX", false},
		{"k8s.*", "k8s.get", true},
		{"k8s.*", "k8s.pods.get", false},
		{"*", "get", true},
		{"*", "a.get", false},
		{"*", "srv/get", false},
		{"srv/*", "srv/get", true},
		{"srv/*", "srv/a.get", false},
		{"srv/get", "srv/get", true},
		{"srv/get", "get", false},
		{"get", "srv/get", false},
		{"srv*", "srv/get", false},
	} {
		p, err := classify.ParsePattern(tt.pattern)
		require.NoError(t, err, tt.pattern)
		id, err := classify.ParseToolID(tt.tool)
		require.NoError(t, err, tt.tool)
		assert.Equal(t, tt.want, p.Match(id), "%s on %s", tt.pattern, tt.tool)
	}
	assert.False(t, classify.Pattern{}.Match(classify.ToolID{}), "the zero pattern matches nothing")
}

func TestPatternErrors(t *testing.T) {
	for _, text := range []string{"", "a*b", "**", "a b", "/get", "a/b/c", "get\n", "a*/get"} {
		_, err := classify.ParsePattern(text)
		assert.Error(t, err, "%q", text)
	}
}

func TestToolIDErrors(t *testing.T) {
	for _, text := range []string{
		"", "/x", "x/", "a/b/c", "a*", "a b", "a\u00a0b", "a\x00", "a\u202eb", "a\u200bb", "\xff", strings.Repeat("a", 257),
	} {
		_, err := classify.ParseToolID(text)
		assert.Error(t, err, "%q", text)
	}
	// A name that holds a separator would be another tool's identity.
	assert.Error(t, classify.ToolID{Name: "srv/get"}.Validate())
	assert.Error(t, classify.ToolID{Server: "a/b", Name: "get"}.Validate())
}

func genPattern(t *rapid.T) classify.Pattern {
	text := rapid.StringMatching(`[ab./]{0,4}[ab]\*?`).Filter(func(text string) bool {
		_, err := classify.ParsePattern(text)
		return err == nil
	}).Draw(t, "pattern")
	p, err := classify.ParsePattern(text)
	require.NoError(t, err)
	return p
}

// Two patterns that match one tool have an order that does not depend on it,
// and they are equal only if they are the same: no tie is ever broken.
func TestSpecificityIsTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := genPattern(t), genPattern(t)
		id, err := classify.ParseToolID(rapid.StringMatching(`[ab.]{1,4}(/[ab.]{1,3})?`).Draw(t, "tool"))
		require.NoError(t, err)
		if p.Match(id) && q.Match(id) {
			if !p.Overlaps(q) || !q.Overlaps(p) {
				t.Fatalf("%s and %s both match %s but do not overlap", p, q, id)
			}
			if (p.Compare(q) == 0) != (p == q) || (p.Compare(q) < 0) != (q.Compare(p) > 0) {
				t.Fatalf("no order between %s and %s", p, q)
			}
		}
	})
}

func TestOverlaps(t *testing.T) {
	for _, tt := range []struct {
		p, q string
		want bool
	}{
		{"k8s.*", "k8s.scale_*", true},
		{"k8s.*", "k8s.scale", true},
		{"k8s.*", "k8s.a.b", false},
		{"k8s.*", "k8s.a.*", false},
		{"k8s.s*", "k8s.t*", false},
		{"k8s.s", "k8s.t", false},
		{"k8s.s", "k8s.s", true},
		{"*", "srv/*", false},
	} {
		p, _ := classify.ParsePattern(tt.p)
		q, _ := classify.ParsePattern(tt.q)
		assert.Equal(t, tt.want, p.Overlaps(q), "%s %s", tt.p, tt.q)
		assert.Equal(t, tt.want, q.Overlaps(p), "%s %s", tt.q, tt.p)
	}
}

// asked is a candidate and what its condition says: true, false, an error, or
// nil for none.
type asked struct {
	pattern    string
	prohibited bool
	holds      any
}

func candidate(pattern string, prohibited bool, holds any) asked {
	return asked{pattern, prohibited, holds}
}

func choose(t *testing.T, list []asked) classify.Result {
	t.Helper()
	candidates := make([]classify.Candidate, len(list))
	for i, c := range list {
		p, err := classify.ParsePattern(c.pattern)
		require.NoError(t, err)
		candidates[i] = classify.Candidate{Pattern: p, Prohibited: c.prohibited}
	}
	last := -1
	seen := make(map[int]bool)
	return classify.Choose(candidates, func(i int) (bool, error) {
		assert.False(t, seen[i], "%d is asked twice", i)
		if !candidates[i].Prohibited {
			assert.Greater(t, i, last, "out of order")
			last = i
		}
		seen[i] = true
		switch h := list[i].holds.(type) {
		case bool:
			return h, nil
		case error:
			return true, h
		default:
			return true, nil
		}
	})
}

func TestChoose(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name       string
		candidates []asked
		outcome    classify.Outcome
		index      int
	}{
		{"no candidate", nil, classify.Unclassified, -1},
		{"one without condition", []asked{candidate("a", false, nil)}, classify.Classified, 0},
		{"one that holds", []asked{candidate("a", false, true)}, classify.Classified, 0},
		{"one that does not hold", []asked{candidate("a", false, false)}, classify.Unclassified, -1},
		{"no fall through", []asked{candidate("a", false, false), candidate("a*", false, nil)}, classify.Unclassified, -1},
		{"the most specific alone is asked", []asked{candidate("a", false, true), candidate("a*", false, broken)}, classify.Classified, 0},
		{"second of two", []asked{candidate("a", false, false), candidate("a", false, true)}, classify.Classified, 1},
		{"two hold", []asked{candidate("a", false, true), candidate("a", false, true)}, classify.Ambiguous, -1},
		{"an error beside one that holds", []asked{candidate("a", false, true), candidate("a", false, broken)}, classify.Failed, 1},
		{"prohibited wins from a broad pattern", []asked{candidate("a", false, true), candidate("a*", true, true)}, classify.Classified, 1},
		{"prohibited that does not hold", []asked{candidate("a", true, false), candidate("a", false, true)}, classify.Classified, 1},
		{"prohibited that errs", []asked{candidate("a", false, true), candidate("a*", true, broken)}, classify.Failed, 1},
		{"prohibited does not make the specific pattern", []asked{candidate("a", true, false), candidate("a*", false, true)}, classify.Classified, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := choose(t, tt.candidates)
			assert.Equal(t, tt.outcome, got.Outcome)
			assert.Equal(t, tt.index, got.Index)
			assert.Equal(t, tt.outcome == classify.Failed, got.Err != nil)
		})
	}
}

func TestChooseNamesAllThatHold(t *testing.T) {
	got := choose(t, []asked{
		candidate("a", false, true), candidate("a", true, false), candidate("a", false, false),
		candidate("a", false, true), candidate("a", false, true), candidate("a*", false, true),
	})
	assert.Equal(t, classify.Ambiguous, got.Outcome)
	assert.Equal(t, []int{0, 3, 4}, got.Also)
}

func TestChooseAllocatesNothing(t *testing.T) {
	a, err := classify.ParsePattern("a")
	require.NoError(t, err)
	candidates := []classify.Candidate{{Pattern: a, Prohibited: true}, {Pattern: a}, {Pattern: a}}
	var got classify.Result
	allocs := testing.AllocsPerRun(100, func() {
		got = classify.Choose(candidates, func(i int) (bool, error) { return i == 2, nil })
	})
	assert.Zero(t, allocs)
	assert.Equal(t, classify.Result{Outcome: classify.Classified, Index: 2}, got)
}
