package report

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

func TestClaimsHold(t *testing.T) {
	for _, c := range Claims(numbers) {
		assert.True(t, c.Holds(1), "%s: %v, limit %v", c.Text, c.Got, c.Limit)
	}
}

// Each change breaks the claims whose limits it passes, and no others.
func TestEachClaimCanFail(t *testing.T) {
	worse := func(name, impl string, change func(*measure.Result)) []measure.Result {
		changed := slices.Clone(numbers)
		i := slices.IndexFunc(changed, func(r measure.Result) bool { return r.Case == name && r.Impl == impl })
		require.GreaterOrEqual(t, i, 0)
		change(&changed[i])
		return changed
	}
	slower := func(factor float64) func(*measure.Result) {
		return func(r *measure.Result) { r.NsOp *= factor }
	}
	broken := map[string]bool{}
	for _, tt := range []struct {
		name, impl string
		change     func(*measure.Result)
		want       []string
	}{
		{"eval", "ambit", slower(1.48), []string{
			"eval: cel-go takes so many times as long", "eval: times as long as handwritten Go",
		}},
		{"eval", "ambit", func(r *measure.Result) { r.AllocsOp = 1 }, []string{"eval: allocations"}},
		{"eval-complex", "ambit", slower(1.1), []string{"eval-complex: cel-go takes so many times as long"}},
		{"check", "cel-go+encoding/json", slower(0.5), []string{"check: cel-go with encoding/json takes so many times as long"}},
		{"check", "expr", slower(0.1), []string{"check: the fastest peer takes so many times as long"}},
		{"check-deny", "opa", slower(0.1), []string{"check-deny: the fastest peer takes so many times as long"}},
		{"check", "ambit", func(r *measure.Result) { r.AllocsOp = 2 }, []string{"check: allocations"}},
		{"scan-floor", "scan-floor", slower(0.95), []string{"check: times as long as a bare token pass"}},
		{"scale-10k", "ambit", slower(1.25), []string{"scale-10k: times as long as among ten classes"}},
		{"parallel", "ambit", slower(1.2), []string{"parallel: speed-up, as a part of the token pass's"}},
		{"load-10k", "ambit", slower(1.2), []string{"load-10k: times as long as bare YAML and cel-go"}},
		{"load-10k-live", "ambit", func(r *measure.Result) { r.BOp = 20_500 }, []string{"load-10k: KiB of live memory a class"}},
		{"governed-otel", "ambit", slower(1.1), []string{"governed-otel: times as long as the spans by hand"}},
		{"fsync-floor", "fsync-floor", slower(0.8), []string{"governed-sync: times as long as two appends with fsync"}},
		{"governed-sync-64", "ambit", slower(1.2), []string{"governed-sync-64: times as many calls as one goroutine"}},
		{"governed-os", "ambit", slower(1.5), []string{
			"governed-os: times as long as governed and two appends", "governed-os: times as long as two appends",
		}},
		{"write-floor", "write-floor", slower(1.5), nil},
		{"admit-pg", "ambit", slower(1.1), []string{"admit-pg: times as long as a bare transaction"}},
		{"admit-memory", "ambit", func(r *measure.Result) { r.BOp = 300_000 }, []string{"admit-memory: KiB kept of 1,000,000 calls in a day's window"}},
	} {
		var found []string
		for _, c := range Claims(worse(tt.name, tt.impl, tt.change)) {
			if !c.Holds(1) {
				found = append(found, c.Text)
				broken[c.Text] = true
			}
		}
		assert.ElementsMatch(t, tt.want, found, "%s %s", tt.name, tt.impl)
	}
	for _, c := range Claims(numbers) {
		assert.True(t, broken[c.Text], "nothing breaks: %s", c.Text)
	}
}

func TestSlackIsForTimesAlone(t *testing.T) {
	most := Claim{Limit: 2, Got: 2.4}
	assert.False(t, most.Holds(1))
	assert.True(t, most.Holds(1.25))
	least := Claim{Limit: 2, AtLeast: true, Got: 1.7}
	assert.False(t, least.Holds(1))
	assert.True(t, least.Holds(1.25))
	assert.False(t, Claim{Limit: 1, Counted: true, Got: 2}.Holds(100))
	assert.False(t, Claim{Limit: 1, Got: 0, Missing: true}.Holds(100))
}

func TestWhatWasNotMeasuredIsNoClaim(t *testing.T) {
	for i := range numbers {
		left := slices.Delete(slices.Clone(numbers), i, i+1)
		var b bytes.Buffer
		broken, missing, err := WriteClaims(&b, Claims(left), 1, false)
		require.NoError(t, err)
		assert.Positive(t, missing, "without %s of %s", numbers[i].Impl, numbers[i].Case)
		assert.Zero(t, broken)
		assert.Contains(t, b.String(), "not measured")
	}
}

func TestWriteClaimsSaysWhatBreaks(t *testing.T) {
	var b bytes.Buffer
	broken, missing, err := WriteClaims(&b, []Claim{
		{Text: "good", Limit: 2, Got: 1},
		{Text: "close", Limit: 2, Got: 2.2},
		{Text: "bad", Limit: 2, Got: 9},
	}, 1.25, true)
	require.NoError(t, err)
	assert.Equal(t, 1, broken)
	assert.Zero(t, missing)
	assert.Contains(t, b.String(), red+"DOES NOT HOLD"+plain)
	assert.Contains(t, b.String(), "holds within the slack")
}
