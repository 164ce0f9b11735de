package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale/journal"
)

// Nobody can answer a ticket that has expired, so nothing waits for its segment.
func TestAnExpiredTicketHoldsNoSegment(t *testing.T) {
	fs, clock := crashfs.New(), guardtest.NewClock(time.Now())
	l := openLedger(t, fs, journal.WithRotation(journal.Rotation{Records: 3}), journal.WithClock(clock.Now))
	require.NoError(t, l.Admit(ctx, guardtest.Pending()))
	for range 9 {
		require.NoError(t, l.Admit(ctx, guardtest.Denied()))
	}
	gone, err := l.Journal().Retire(ctx, journal.Retention{})
	require.NoError(t, err)
	assert.Empty(t, gone)
	clock.Advance(48 * time.Hour)
	gone, err = l.Journal().Retire(ctx, journal.Retention{})
	require.NoError(t, err)
	assert.NotEmpty(t, gone)
}
