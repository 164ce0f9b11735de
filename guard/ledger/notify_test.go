package ledger_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

func TestNotificationsOfAMemory(t *testing.T) {
	t.Run("with a recorder", func(t *testing.T) {
		guardtest.TestNotifications(t, func(*testing.T) guardtest.NotifyingLedger { return ledger.New(&guardtest.Recorder{}) })
	})
	t.Run("on a journal", func(t *testing.T) {
		guardtest.TestNotifications(t, func(t *testing.T) guardtest.NotifyingLedger { return openLedger(t, crashfs.New()) })
	})
}

// A window of the calendar begins anew, a sliding one frees what left it: each is
// told again, though no call came in between that found it lower.
func TestABudgetIsToldInEachWindow(t *testing.T) {
	for name, limit := range map[string]func() rationale.Limit{
		"calendar": func() rationale.Limit { return daily("100") },
		"sliding":  func() rationale.Limit { return sliding("100", "1h0m0s") },
	} {
		t.Run(name, func(t *testing.T) {
			l, told := ledger.New(&guardtest.Recorder{}), new(guardtest.Notifications)
			l.Notify(told.Note)
			for _, at := range []time.Time{noon, noon.Add(24 * time.Hour)} {
				d := spending(at, "85", limit())
				require.True(t, admits(t, l, d))
				require.NoError(t, l.Complete(ctx, ended(d, time.Minute, rationale.StatusSuccess, "85")))
				assert.Equal(t, []int{80}, told.Percents())
			}
		})
	}
}

func TestAnOverrunIsTold(t *testing.T) {
	for name, conclude := range map[string]func(t *testing.T, l *ledger.Memory, d *rationale.Decision){
		"an outcome": func(t *testing.T, l *ledger.Memory, d *rationale.Decision) {
			require.NoError(t, l.Complete(ctx, ended(d, time.Minute, rationale.StatusSuccess, "130")))
		},
		"an outcome after its lease": func(t *testing.T, l *ledger.Memory, d *rationale.Decision) {
			require.NoError(t, l.Complete(ctx, ended(d, time.Hour, rationale.StatusSuccess, "130")))
		},
		"a settlement": func(t *testing.T, l *ledger.Memory, d *rationale.Decision) {
			require.NoError(t, l.Complete(ctx, ended(d, time.Minute, rationale.StatusUnknown, "")))
			require.NoError(t, l.Settle(ctx, settlement(d, noon.Add(time.Hour), rationale.StatusSuccess, "130")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, told := ledger.New(&guardtest.Recorder{}), new(guardtest.Notifications)
			l.Notify(told.Note)
			d := spending(noon, "10", sliding("100", "24h0m0s"))
			require.True(t, admits(t, l, d))
			conclude(t, l, d)
			list := told.Take()
			require.Len(t, list, 2)
			assert.Equal(t, []int{80, 100}, []int{list[0].Budget.Percent, list[1].Budget.Percent})
			assert.Equal(t, "130", list[1].Budget.Used)
		})
	}
}

// What was not recorded takes nothing, and is not told.
func TestWhatFailsIsNotTold(t *testing.T) {
	recorder := &guardtest.Recorder{}
	l, told := ledger.New(recorder), new(guardtest.Notifications)
	l.Notify(told.Note)
	recorder.Fail(assert.AnError)
	require.Error(t, l.Admit(ctx, spending(noon, "90", sliding("100", "24h0m0s"))))
	assert.Empty(t, told.Take())
	recorder.Fail(nil)
	require.True(t, admits(t, l, spending(noon, "90", sliding("100", "24h0m0s"))))
	assert.Equal(t, []int{80}, told.Percents())
}

// gated is a recorder whose appends fail, each when it is let go.
type gated chan chan struct{}

func (g gated) Append(context.Context, ...rationale.Record) error {
	mine := make(chan struct{})
	g <- mine
	<-mine
	return assert.AnError
}

// Of two calls that are being recorded one fails: the other is not told either, since
// nobody knows yet whether it counts.
func TestWhatMayFailIsNotTold(t *testing.T) {
	g, told := make(gated), new(guardtest.Notifications)
	l := ledger.New(g)
	l.Notify(told.Note)
	var admitting sync.WaitGroup
	admit := func(amount string) (fail func()) {
		ended := make(chan struct{})
		admitting.Go(func() {
			defer close(ended)
			assert.Error(t, l.Admit(ctx, spending(noon, amount, sliding("100", "24h0m0s"))))
		})
		mine := <-g
		return func() { close(mine); <-ended }
	}
	failLarge, failSmall := admit("85"), admit("10")
	failSmall()
	assert.Empty(t, told.Take())
	failLarge()
	admitting.Wait()
	l.Notify(told.Note) // hands over what there is
	assert.Empty(t, told.Take())
}

func TestARestartTellsNoBudgetAgain(t *testing.T) {
	for name, opts := range map[string][]journal.Option{
		"from all records": nil,
		"from a snapshot":  {journal.WithRotation(journal.Rotation{Records: 1})},
	} {
		t.Run(name, func(t *testing.T) {
			fs, at := crashfs.New(), time.Now()
			l := openLedger(t, fs, opts...)
			require.True(t, admits(t, l, spending(at, "85", sliding("100", "24h0m0s"))))
			owing := reviewed()
			owing.At, owing.Class = at.Add(-time.Hour), "elsewhere"
			owing.Terms.ReviewWithin = time.Minute
			require.NoError(t, l.Admit(ctx, owing))
			require.NoError(t, l.Close())

			l = openLedger(t, fs, opts...)
			told := new(guardtest.Notifications)
			l.Notify(told.Note)
			require.True(t, admits(t, l, spending(at, "5", sliding("100", "24h0m0s"))))
			list := told.Take()
			require.Len(t, list, 1, "the review, once more")
			assert.Equal(t, rationale.NotifyOverdue, list[0].Kind)
			require.True(t, admits(t, l, spending(at, "10", sliding("100", "24h0m0s"))))
			assert.Equal(t, []int{100}, told.Percents())
		})
	}
}

// An agent that does nothing more hides no review.
func TestAReviewFallsDueWithoutCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, told := ledger.New(&guardtest.Recorder{}), new(guardtest.Notifications)
		l.Notify(told.Note)
		owing := func(within time.Duration) *rationale.Decision {
			d := reviewed()
			d.At, d.Terms.ReviewWithin, d.Terms.MaxOverdue = time.Now(), within, 5
			require.NoError(t, l.Admit(ctx, d))
			require.NoError(t, l.Complete(ctx, guardtest.OutcomeOf(d)))
			return d
		}
		late, next, done := owing(3*time.Hour), owing(time.Hour), owing(2*time.Hour)
		review := &rationale.Review{Decision: done.ID, By: rationale.Person{ID: "rae", Groups: []string{"risk"}}, Finding: rationale.Upheld}
		require.NoError(t, l.Review(ctx, review))
		time.Sleep(time.Hour - time.Second)
		synctest.Wait()
		assert.Empty(t, told.Take())
		for _, want := range []*rationale.Decision{next, late} {
			time.Sleep(2 * time.Hour)
			synctest.Wait()
			list := told.Take()
			require.Len(t, list, 1)
			assert.Equal(t, want.ID, list[0].Decision)
			assert.True(t, list[0].Due.Equal(want.Review.Due))
		}
		owing(time.Hour)
		require.NoError(t, l.Close())
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		assert.Empty(t, told.Take(), "a ledger that is closed")
	})
}
