package simulate

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// At least 10,000 histories hold; with -short a few hundred.
func TestHistories(t *testing.T) {
	n := 12_000
	if testing.Short() {
		n = 400
	}
	histories(t, 1, n)
}

// A few histories hold, and are enough to find each fault of a list: see
// internal/mutants. With -short they are fewer.
func TestFewHistories(t *testing.T) {
	n := 4000
	if testing.Short() {
		n = 1000
	}
	histories(t, 2, n)
}

// histories makes histories and checks each; of one that breaks a rule it tells the
// shortest form.
func histories(t *testing.T, seed uint64, n int) {
	t.Helper()
	sum, failed, err := Many(t.Context(), seed, n, runtime.GOMAXPROCS(0), func(int) {})
	if failed != nil {
		story, _ := Tell(Shrink(failed))
		t.Fatalf("history %d of seed %d: %v\n%s", failed.History, seed, err, story)
	}
	require.NoError(t, err)
	t.Logf("%+v", sum)
	for _, row := range sum.Rows() {
		assert.Greater(t, row.Number, n/20, "%s: too few to mean anything", row.What)
	}
}

// A history is the same each time: what it says can be looked into.
func TestAHistoryIsTheSameEachTime(t *testing.T) {
	n := 200
	if testing.Short() {
		n = 60
	}
	for i := range n {
		p := NewPlan(7, i)
		first, err := Tell(p)
		require.NoError(t, err)
		second, err := Tell(p)
		require.NoError(t, err)
		require.Equal(t, first, second, "history %d", i)
	}
}
