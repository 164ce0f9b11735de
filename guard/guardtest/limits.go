package guardtest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/rationale"
)

// LimitsLedger is a ledger that keeps limits over time, at which people settle.
type LimitsLedger interface {
	guard.Ledger
	Settle(ctx context.Context, s *rationale.Settlement) error
}

// TestLimits tests that a ledger never admits more than a limit leaves, nor less,
// and frees nothing of which nobody knows how it ended. newLedger returns a fresh one
// each time, whose clock, where it has one, shows the time.
func TestLimits(t *testing.T, newLedger func(t *testing.T) LimitsLedger) {
	day, month, rate := Window("100", "24h0m0s"), Window("150", "month"), Rate("3", "1h0m0s")
	t.Run("each limit is held to its last cent", func(t *testing.T) {
		for name, limit := range map[string]rationale.Limit{"sliding": day, "calendar": Window("100", "month")} {
			t.Run(name, func(t *testing.T) {
				l := newLedger(t)
				assert.Equal(t, rationale.Allow, admit(t, l, Spending("60.01", limit)).Verdict)
				assert.Equal(t, []rationale.Reason{rationale.WindowExhausted}, admit(t, l, Spending("40", limit)).Reasons)
				assert.Equal(t, rationale.Allow, admit(t, l, Spending("39.99", limit)).Verdict)
				assert.Equal(t, rationale.Deny, admit(t, l, Spending("0.0000000000000000001", limit)).Verdict)
			})
		}
	})
	t.Run("a rate counts calls", func(t *testing.T) {
		l := newLedger(t)
		for range 3 {
			assert.Equal(t, rationale.Allow, admit(t, l, Spending("0", rate)).Verdict)
		}
		assert.Equal(t, []rationale.Reason{rationale.RateExceeded}, admit(t, l, Spending("0", rate)).Reasons)
	})
	t.Run("refusals add up, and take nothing", func(t *testing.T) {
		l := newLedger(t)
		for range 2 {
			d := admit(t, l, Spending("151", day, month, Rate("0", "1h0m0s")))
			assert.Equal(t, []rationale.Reason{rationale.WindowExhausted, rationale.RateExceeded}, d.Reasons)
			failed := 0
			for _, c := range d.Checks {
				if c.Result == rationale.Failed {
					failed++
					assert.NotEmpty(t, c.Within, "what would be within the limit")
				}
			}
			assert.Equal(t, 3, failed)
		}
		assert.Equal(t, rationale.Allow, admit(t, l, Spending("100", day, month)).Verdict)
	})
	t.Run("a cost centre is shared, a window is not", func(t *testing.T) {
		l := newLedger(t)
		budget := month
		budget.CostCentre, budget.ID = "CC-1", "budget CC-1 windows[0]"
		other := Spending("100", day, budget)
		other.Authorization = &rationale.AuthorizationRef{ID: "another"}
		assert.Equal(t, rationale.Allow, admit(t, l, Spending("100", day, budget)).Verdict)
		assert.Equal(t, rationale.Deny, admit(t, l, other).Verdict)
		other = Spending("50", day, budget)
		other.Authorization = &rationale.AuthorizationRef{ID: "another"}
		assert.Equal(t, rationale.Allow, admit(t, l, other).Verdict)
	})
	t.Run("one decision takes once", func(t *testing.T) {
		l, d := newLedger(t), Spending("60", day)
		admit(t, l, d)
		again := *d
		require.Error(t, l.Admit(t.Context(), &again), "it is open")
		require.NoError(t, l.Complete(t.Context(), SpentBy(d, rationale.StatusSuccess, "60")))
		again = *d
		require.Error(t, l.Admit(t.Context(), &again), "it has ended")
		assert.Equal(t, rationale.Allow, admit(t, l, Spending("40", day)).Verdict)
	})
	t.Run("what was spent takes the place of the estimate", func(t *testing.T) {
		for spent, left := range map[string]string{"30": "70", "100": "0", "60.5": "39.5"} {
			l, d := newLedger(t), Spending("60", day)
			admit(t, l, d)
			require.NoError(t, l.Complete(t.Context(), SpentBy(d, rationale.StatusSuccess, spent)))
			assert.Equal(t, rationale.Deny, admit(t, l, Spending(left+".01", day)).Verdict, spent)
			assert.Equal(t, rationale.Allow, admit(t, l, Spending(left, day)).Verdict, spent)
		}
	})
	t.Run("an overrun blocks", func(t *testing.T) {
		l, d := newLedger(t), Spending("10", day)
		admit(t, l, d)
		require.NoError(t, l.Complete(t.Context(), SpentBy(d, rationale.StatusError, "100.01")))
		assert.Equal(t, rationale.Deny, admit(t, l, Spending("0", day)).Verdict)
	})
	t.Run("what did not run is free", func(t *testing.T) {
		l, d := newLedger(t), Spending("100", day, rate)
		admit(t, l, d)
		require.NoError(t, l.Complete(t.Context(), SpentBy(d, rationale.StatusNotExecuted, "")))
		assert.Equal(t, rationale.Allow, admit(t, l, Spending("100", day, rate)).Verdict)
	})
	t.Run("what nobody knows is held until it is settled", func(t *testing.T) { testHeld(t, newLedger) })
	t.Run("many at once take what there is", func(t *testing.T) { testRacingSpenders(t, newLedger(t)) })
}

func testHeld(t *testing.T, newLedger func(t *testing.T) LimitsLedger) {
	day := Window("100", "24h0m0s")
	late := func(o *rationale.Outcome, d *rationale.Decision) { o.At = d.Lease.Add(time.Second) }
	for name, tt := range map[string]struct {
		status rationale.Status
		spent  string
		change func(o *rationale.Outcome, d *rationale.Decision)
		fits   string // until the settlement
	}{
		"unknown":                              {status: rationale.StatusUnknown, fits: "40"},
		"unknown, and dearer":                  {status: rationale.StatusUnknown, spent: "70", fits: "30"},
		"unknown, and cheaper":                 {status: rationale.StatusUnknown, spent: "1", fits: "40"},
		"after its lease":                      {status: rationale.StatusSuccess, spent: "1", change: late, fits: "40"},
		"did not run, says it after its lease": {status: rationale.StatusNotExecuted, change: late, fits: "40"},
	} {
		t.Run(name, func(t *testing.T) {
			l, d := newLedger(t), Spending("60", day)
			admit(t, l, d)
			require.Error(t, l.Settle(t.Context(), SettlementOf(d, rationale.StatusSuccess, "1")), "its outcome may still come")
			o := SpentBy(d, tt.status, tt.spent)
			if tt.change != nil {
				tt.change(o, d)
			}
			require.NoError(t, l.Complete(t.Context(), o))
			assert.Equal(t, rationale.Deny, admit(t, l, Spending(tt.fits+".01", day)).Verdict)
			probe := admit(t, l, Spending(tt.fits, day))
			require.Equal(t, rationale.Allow, probe.Verdict)
			require.NoError(t, l.Complete(t.Context(), SpentBy(probe, rationale.StatusNotExecuted, "")))

			require.Error(t, l.Settle(t.Context(), SettlementOf(d, rationale.StatusUnknown, "1")), "that settles nothing")
			require.NoError(t, l.Settle(t.Context(), SettlementOf(d, rationale.StatusSuccess, "12.5")))
			require.Error(t, l.Settle(t.Context(), SettlementOf(d, rationale.StatusNotExecuted, "")), "it is settled")
			assert.Equal(t, rationale.Deny, admit(t, l, Spending("87.51", day)).Verdict)
			assert.Equal(t, rationale.Allow, admit(t, l, Spending("87.5", day)).Verdict)
		})
	}
}

func testRacingSpenders(t *testing.T, l LimitsLedger) {
	day := Window("100", "24h0m0s")
	var (
		admitted atomic.Int32
		start    = make(chan struct{})
		group    sync.WaitGroup
	)
	for i := range 16 {
		group.Go(func() {
			<-start
			d := Spending("15", day)
			assert.NoError(t, l.Admit(context.Background(), d))
			if d.Verdict != rationale.Allow {
				return
			}
			admitted.Add(1)
			if i%2 == 0 {
				assert.NoError(t, l.Complete(context.Background(), SpentBy(d, rationale.StatusSuccess, "15")))
			}
		})
	}
	close(start)
	group.Wait()
	assert.EqualValues(t, 6, admitted.Load())
	assert.Equal(t, rationale.Allow, admit(t, l, Spending("10", day)).Verdict, "what was left")
}

func admit(t *testing.T, l guard.Ledger, d *rationale.Decision) *rationale.Decision {
	t.Helper()
	require.NoError(t, l.Admit(t.Context(), d))
	return d
}

// Window returns a limit on what is spent in EUR: per a duration, sliding, or per
// hour, day, week or month in UTC.
func Window(limit, per string) rationale.Limit {
	l := rationale.Limit{Kind: rationale.CheckWindow, ID: fmt.Sprintf("windows %s per %s", limit, per), Max: limit, Currency: "EUR", Per: per}
	if _, err := time.ParseDuration(per); err != nil {
		l.Zone = "UTC"
	}
	return l
}

// Rate returns a limit on the number of calls, per a duration.
func Rate(limit, per string) rationale.Limit {
	return rationale.Limit{Kind: rationale.CheckRate, ID: "rate", Max: limit, Per: per}
}

// Spending returns a new draft decision that costs so many EUR, and that a ledger
// allows within its limits.
func Spending(amount string, limits ...rationale.Limit) *rationale.Decision {
	d := Allowed()
	d.Authorization = &rationale.AuthorizationRef{ID: "fleet"}
	d.Spend, d.Limits = &rationale.Spend{Currency: "EUR", Amount: amount, Basis: "amount"}, limits
	return d
}

// SpentBy returns a new outcome of a decision, and what it cost; empty: as estimated.
func SpentBy(d *rationale.Decision, status rationale.Status, spent string) *rationale.Outcome {
	o := OutcomeOf(d)
	o.Status, o.Spent = status, spent
	return o
}

// SettlementOf returns a new settlement of a decision.
func SettlementOf(d *rationale.Decision, status rationale.Status, spent string) *rationale.Settlement {
	now := time.Now().UTC()
	return &rationale.Settlement{
		Kind: rationale.KindSettlement, ID: rationale.NewID(now), At: now, Decision: d.ID, Status: status, Spent: spent, By: "sam", Why: "the statement",
	}
}
