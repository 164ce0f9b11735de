package ledger_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/ambit-go/ambit/guard/ledger"
)

// Who waits gets the turn in the order of asking; who gives up holds nobody up.
func TestATurnIsGivenInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turn ledger.Turn
		assert.NoError(t, turn.Take(t.Context()))
		third, giveUp := context.WithCancel(t.Context())
		var got []int
		for i, ctx := range []context.Context{t.Context(), t.Context(), third, t.Context()} {
			go func() {
				if turn.Take(ctx) == nil {
					got = append(got, i)
					turn.End()
				}
			}()
			synctest.Wait()
		}
		giveUp()
		synctest.Wait()
		assert.Empty(t, got)
		turn.End()
		synctest.Wait()
		assert.Equal(t, []int{0, 1, 3}, got)
		assert.Error(t, turn.Take(third), "who has given up does not get it, free as it is")
		assert.NoError(t, turn.Take(t.Context()))
	})
}

// Two never have the turn, and none is lost by who gives up in the moment of getting it.
func TestATurnIsNeverLost(t *testing.T) {
	var (
		turn    ledger.Turn
		holders atomic.Int32
		group   sync.WaitGroup
	)
	for i := range 64 {
		group.Go(func() {
			for n := range 50 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration((i*n)%97)*time.Microsecond)
				if turn.Take(ctx) == nil {
					assert.EqualValues(t, 1, holders.Add(1))
					holders.Add(-1)
					turn.End()
				}
				cancel()
			}
		})
	}
	group.Wait()
	assert.NoError(t, turn.Take(t.Context()))
}
