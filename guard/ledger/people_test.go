package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// People see of each limit what it is and what is left of it, and of each call that
// is held whose it was, also after a restart.
func TestWhatPeopleSeeOfBudgets(t *testing.T) {
	disk := crashfs.New()
	open := func() *ledger.Memory {
		l, err := ledger.Open("evidence", journal.WithFS(disk), journal.WithClock(func() time.Time { return noon }))
		require.NoError(t, err)
		return l
	}
	l := open()
	d := spending(noon, "60", sliding("100", "24h"), daily("70.5"))
	d.Agent.OnBehalfOf, d.Authorization = "pat@example.com", &rationale.AuthorizationRef{ID: "scaler", Owner: "owner@example.com"}
	require.True(t, admits(t, l, d))
	require.NoError(t, l.Close())
	for range 2 { // the first start concludes it, the second has it from a snapshot
		l = open()
		all := l.Budgets(noon)
		require.Len(t, all, 2)
		left := map[string][3]string{}
		for _, b := range all {
			left[b.Per] = [3]string{b.Limit, b.Held, b.Left}
		}
		assert.Equal(t, map[string][3]string{"24h": {"100", "60", "40"}, "day": {"70.5", "60", "10.5"}}, left)
		held := l.Held(noon)
		require.Len(t, held, 1)
		want := ledger.Held{
			Decision: d.ID, At: noon, Amount: "60", Currency: "EUR", Agent: d.Agent.ID, OnBehalfOf: "pat@example.com",
			Tool: d.Tool.Name, Class: d.Class, Authorization: d.Authorization.ID, Owner: d.Authorization.Owner,
		}
		assert.Equal(t, want, held[0])
		require.NoError(t, l.Close())
	}
	l = open()
	defer func() { require.NoError(t, l.Close()) }()
	require.NoError(t, l.Settle(t.Context(), settlement(d, noon, rationale.StatusSuccess, "65")))
	for _, b := range l.Budgets(noon.Add(12 * time.Hour)) {
		want := map[string]string{"24h": "35", "day": "70.5"}[b.Per] // the day is over
		assert.Equal(t, want, b.Left, b.Per)
		assert.Equal(t, "65", b.Spent)
	}
}
