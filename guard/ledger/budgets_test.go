package ledger_test

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func sliding(limit, per string) rationale.Limit {
	return rationale.Limit{Kind: rationale.CheckWindow, ID: "windows[0]", Max: limit, Currency: "EUR", Per: per}
}

// daily is the limit of a day in UTC.
func daily(limit string) rationale.Limit {
	l := sliding(limit, "day")
	l.ID, l.Zone = "windows[1]", "UTC"
	return l
}

func rate(limit, per string) rationale.Limit {
	return rationale.Limit{Kind: rationale.CheckRate, ID: "rate", Max: limit, Per: per}
}

// spending is a draft that is allowed as far as the documents go.
func spending(at time.Time, amount string, limits ...rationale.Limit) *rationale.Decision {
	d := guardtest.Allowed()
	d.ID, d.At, d.Limits = rationale.NewID(at), at, limits
	d.Spend = &rationale.Spend{Currency: "EUR", Amount: amount, Basis: "amount"}
	return d
}

func ended(d *rationale.Decision, after time.Duration, status rationale.Status, spent string) *rationale.Outcome {
	o := guardtest.OutcomeOf(d)
	o.At, o.Status, o.Spent = d.At.Add(after), status, spent
	return o
}

func settlement(d *rationale.Decision, at time.Time, status rationale.Status, spent string) *rationale.Settlement {
	return &rationale.Settlement{
		ID: rationale.NewID(at), At: at, Decision: d.ID, Status: status, Spent: spent, By: "m.okafor@bank.example", Why: "statement of November",
	}
}

// admits reports whether a ledger lets an amount through.
func admits(t *testing.T, l *ledger.Memory, d *rationale.Decision) bool {
	t.Helper()
	require.NoError(t, l.Admit(ctx, d))
	return d.Verdict == rationale.Allow
}

func TestLimitsOfAMemory(t *testing.T) {
	t.Run("with a recorder", func(t *testing.T) {
		guardtest.TestLimits(t, func(*testing.T) guardtest.LimitsLedger { return ledger.New(&guardtest.Recorder{}) })
	})
	t.Run("on a journal", func(t *testing.T) {
		guardtest.TestLimits(t, func(t *testing.T) guardtest.LimitsLedger { return openLedger(t, crashfs.New()) })
	})
	t.Run("on a shared log", func(t *testing.T) {
		guardtest.TestLimits(t, func(t *testing.T) guardtest.LimitsLedger {
			m, _ := join(t, &shelf{now: time.Now()})
			return m
		})
	})
}

func TestARefusalNamesTheLimitAndWhatIsLeft(t *testing.T) {
	l := ledger.New(&guardtest.Recorder{})
	month := sliding("100", "month")
	month.ID, month.CostCentre, month.Zone = "budget CC-1 windows[0]", "CC-1", "Europe/Stockholm"
	require.True(t, admits(t, l, spending(noon, "80.5", sliding("90", "24h0m0s"), month, rate("1", "1h30m0s"))))
	d := spending(noon, "20", sliding("90", "24h0m0s"), month, rate("1", "1h30m0s"))
	require.False(t, admits(t, l, d))
	assert.Equal(t, []rationale.Reason{rationale.WindowExhausted, rationale.RateExceeded}, d.Reasons)
	checks := d.Checks[len(d.Checks)-3:]
	for i, want := range []rationale.Check{
		{
			Kind: rationale.CheckWindow, ID: "windows[0]", Result: rationale.Failed, Reason: rationale.WindowExhausted,
			Message: "the limit is 90 EUR per 24h, and 9.5 EUR is left: the call takes 20 EUR", Within: "at most 9.5 EUR now",
		},
		{
			Kind: rationale.CheckWindow, ID: "budget CC-1 windows[0]", Result: rationale.Failed, Reason: rationale.WindowExhausted,
			Message: "the limit is 100 EUR per month in Europe/Stockholm, and 19.5 EUR is left: the call takes 20 EUR",
			Within:  "at most 19.5 EUR until 2026-11-30T23:00:00Z",
		},
		{
			Kind: rationale.CheckRate, ID: "rate", Result: rationale.Failed, Reason: rationale.RateExceeded,
			Message: "the limit is 1 calls per 1h30m, and none is left", Within: "no more calls now",
		},
	} {
		assert.Equal(t, want, checks[i])
	}
	assert.Zero(t, d.Lease)
}

func TestWhatCountsAgainstALimit(t *testing.T) {
	window := sliding("100", "24h0m0s")
	for name, tt := range map[string]struct {
		before func(t *testing.T, l *ledger.Memory)
		at     time.Duration // after noon
		fits   string
		not    string
	}{
		"nothing": {fits: "100", not: "100.0000000000000000001"},
		"what is reserved": {
			before: func(t *testing.T, l *ledger.Memory) { admits(t, l, spending(noon, "60", window)) },
			fits:   "40", not: "40.01",
		},
		"what was spent, not what was estimated": {
			before: func(t *testing.T, l *ledger.Memory) {
				d := spending(noon, "60", window)
				admits(t, l, d)
				require.NoError(t, l.Complete(ctx, ended(d, time.Minute, rationale.StatusSuccess, "12.5")))
			},
			fits: "87.5", not: "87.51",
		},
		"the estimate, where the outcome names no amount": {
			before: func(t *testing.T, l *ledger.Memory) {
				d := spending(noon, "60", window)
				admits(t, l, d)
				require.NoError(t, l.Complete(ctx, ended(d, time.Minute, rationale.StatusError, "")))
			},
			fits: "40", not: "41",
		},
		"an overrun, in full": {
			before: func(t *testing.T, l *ledger.Memory) {
				d := spending(noon, "60", window)
				admits(t, l, d)
				require.NoError(t, l.Complete(ctx, ended(d, time.Minute, rationale.StatusSuccess, "9999999999999999999.5")))
			},
			not: "0",
		},
		"nothing of what did not run": {
			before: func(t *testing.T, l *ledger.Memory) {
				d := spending(noon, "60", window)
				admits(t, l, d)
				require.NoError(t, l.Complete(ctx, ended(d, time.Minute, rationale.StatusNotExecuted, "")))
			},
			fits: "100",
		},
		"nothing of what was denied, pends or is observed": {
			before: func(t *testing.T, l *ledger.Memory) {
				pending, observed, denied := guardtest.Pending(), spending(noon, "60", window), spending(noon, "101", window)
				pending.Limits, pending.Spend = []rationale.Limit{window}, &rationale.Spend{Currency: "EUR", Amount: "70"}
				observed.Mode = rationale.Observe
				for _, d := range []*rationale.Decision{pending, observed, denied} {
					require.NoError(t, l.Admit(ctx, d))
				}
				assert.Equal(t, rationale.Pend, pending.Verdict)
				assert.Equal(t, rationale.Allow, observed.Verdict)
				assert.Equal(t, rationale.Deny, denied.Verdict)
			},
			fits: "100",
		},
		"what left the window does not": {
			before: func(t *testing.T, l *ledger.Memory) {
				d := spending(noon, "60", window)
				admits(t, l, d)
				require.NoError(t, l.Complete(ctx, ended(d, time.Minute, rationale.StatusSuccess, "60")))
			},
			at: 24*time.Hour + 12*time.Minute, fits: "100",
		},
		"what is about to leave does": {
			before: func(t *testing.T, l *ledger.Memory) {
				d := spending(noon.Add(11*time.Minute), "60", window)
				admits(t, l, d)
				require.NoError(t, l.Complete(ctx, ended(d, time.Minute, rationale.StatusSuccess, "60")))
			},
			at: 24*time.Hour + 11*time.Minute - 1, fits: "40", not: "41",
		},
		"an unknown outcome, in later windows too": {
			before: func(t *testing.T, l *ledger.Memory) {
				d := spending(noon, "60", window)
				admits(t, l, d)
				require.NoError(t, l.Complete(ctx, ended(d, time.Minute, rationale.StatusUnknown, "70")))
			},
			at: 1000 * time.Hour, fits: "30", not: "31",
		},
		"no outcome, in later windows too": {
			before: func(t *testing.T, l *ledger.Memory) { admits(t, l, spending(noon, "60", window)) },
			at:     1000 * time.Hour, fits: "40", not: "41",
		},
		"an outcome after the lease, in later windows too": {
			before: func(t *testing.T, l *ledger.Memory) {
				d := spending(noon, "60", window)
				admits(t, l, d)
				require.NoError(t, l.Complete(ctx, ended(d, rationale.DefaultLease+1, rationale.StatusSuccess, "1")))
			},
			at: 1000 * time.Hour, fits: "40", not: "41",
		},
		"an outcome at the end of the lease, no longer": {
			before: func(t *testing.T, l *ledger.Memory) {
				d := spending(noon, "60", window)
				admits(t, l, d)
				require.NoError(t, l.Complete(ctx, ended(d, rationale.DefaultLease, rationale.StatusSuccess, "1")))
			},
			at: 1000 * time.Hour, fits: "100",
		},
		"what a settlement says, of what was held": {
			before: func(t *testing.T, l *ledger.Memory) {
				d := spending(noon, "60", window)
				admits(t, l, d)
				require.NoError(t, l.Complete(ctx, ended(d, time.Minute, rationale.StatusUnknown, "60")))
				require.NoError(t, l.Settle(ctx, settlement(d, noon.Add(time.Hour), rationale.StatusSuccess, "10")))
				assert.ErrorIs(t, l.Settle(ctx, settlement(d, noon.Add(time.Hour), rationale.StatusSuccess, "0")), ledger.ErrNotHeld)
			},
			at: 2 * time.Hour, fits: "90", not: "91",
		},
		"everything, when the clock goes back": {
			before: func(t *testing.T, l *ledger.Memory) {
				d := spending(noon, "60", window)
				admits(t, l, d)
				require.NoError(t, l.Complete(ctx, ended(d, time.Minute, rationale.StatusSuccess, "60")))
			},
			at: -1000 * time.Hour, fits: "40", not: "41",
		},
		"a decision that is admitted twice, once": {
			before: func(t *testing.T, l *ledger.Memory) {
				d := spending(noon, "30", window)
				admits(t, l, d)
				again := *d
				assert.Error(t, l.Admit(ctx, &again))
				require.NoError(t, l.Complete(ctx, ended(d, time.Minute, rationale.StatusSuccess, "30")))
				assert.Error(t, l.Complete(ctx, ended(d, time.Minute, rationale.StatusSuccess, "30")))
				again = *d
				assert.Error(t, l.Admit(ctx, &again))
			},
			fits: "70", not: "71",
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := ledger.New(&guardtest.Recorder{})
			if tt.before != nil {
				tt.before(t, l)
			}
			at := noon.Add(tt.at)
			if tt.not != "" {
				assert.False(t, admits(t, l, spending(at, tt.not, window)), "%s is admitted", tt.not)
			}
			if tt.fits != "" {
				assert.True(t, admits(t, l, spending(at, tt.fits, window)), "%s is refused", tt.fits)
			}
		})
	}
}

// Who shares a limit: a class of an authorization in an environment, whatever the
// version; or everything that is booked on a cost centre.
func TestWhoSharesALimit(t *testing.T) {
	shared := sliding("100", "24h0m0s")
	shared.CostCentre = "CC-1"
	for name, tt := range map[string]struct {
		change func(d *rationale.Decision)
		limit  rationale.Limit
		apart  bool
	}{
		"another version":               {change: func(d *rationale.Decision) { d.Authorization.Version++ }},
		"another person":                {change: func(d *rationale.Decision) { d.Agent.OnBehalfOf = "somebody" }},
		"another session":               {change: func(d *rationale.Decision) { d.Agent.Session = "s" }},
		"another limit":                 {change: func(d *rationale.Decision) { d.Limits[0].Max = "99" }},
		"another authorization":         {change: func(d *rationale.Decision) { d.Authorization.ID += "x" }, apart: true},
		"another class":                 {change: func(d *rationale.Decision) { d.Class += "x" }, apart: true},
		"another environment":           {change: func(d *rationale.Decision) { d.Agent.Environment += "x" }, apart: true},
		"another agent":                 {change: func(d *rationale.Decision) { d.Agent.ID += "x" }, apart: true},
		"a cost centre":                 {change: func(d *rationale.Decision) { d.Class, d.Agent.ID, d.Authorization.ID = "x", "x", "x" }, limit: shared},
		"another cost centre":           {change: func(d *rationale.Decision) { d.Limits[0].CostCentre = "CC-2" }, limit: shared, apart: true},
		"a cost centre by another name": {change: func(d *rationale.Decision) { d.Limits[0].ID = "budget" }, limit: shared},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.limit == (rationale.Limit{}) {
				tt.limit = sliding("100", "24h0m0s")
			}
			l := ledger.New(&guardtest.Recorder{})
			first, second := spending(noon, "60", tt.limit), spending(noon, "60", tt.limit)
			for _, d := range []*rationale.Decision{first, second} {
				d.Authorization = &rationale.AuthorizationRef{ID: "a", Version: 1}
			}
			tt.change(second)
			require.True(t, admits(t, l, first))
			assert.Equal(t, tt.apart, admits(t, l, second))
		})
	}
}

// What cannot be held against a limit is refused.
func TestALimitThatCannotBeRead(t *testing.T) {
	for name, change := range map[string]func(d *rationale.Decision){
		"no price":          func(d *rationale.Decision) { d.Spend = nil },
		"no amount":         func(d *rationale.Decision) { d.Spend.Amount = "" },
		"a negative one":    func(d *rationale.Decision) { d.Spend.Amount = "-1" },
		"another currency":  func(d *rationale.Decision) { d.Spend.Currency = "SEK" },
		"no limit":          func(d *rationale.Decision) { d.Limits[0].Max = "" },
		"no time":           func(d *rationale.Decision) { d.Limits[0].Per = "" },
		"no time at all":    func(d *rationale.Decision) { d.Limits[0].Per = "0s" },
		"a century":         func(d *rationale.Decision) { d.Limits[0].Per = "876000h" },
		"no zone":           func(d *rationale.Decision) { d.Limits[0].Per = "month" },
		"a zone of here":    func(d *rationale.Decision) { d.Limits[0].Per, d.Limits[0].Zone = "month", "Local" },
		"a zone of nowhere": func(d *rationale.Decision) { d.Limits[0].Per, d.Limits[0].Zone = "month", "Europe/Atlantis" },
		"no kind":           func(d *rationale.Decision) { d.Limits[0].Kind = "" },
	} {
		t.Run(name, func(t *testing.T) {
			d := spending(noon, "1", sliding("100", "24h0m0s"))
			change(d)
			assert.False(t, admits(t, ledger.New(&guardtest.Recorder{}), d))
			assert.Equal(t, []rationale.Reason{rationale.WindowExhausted}, d.Reasons)
		})
	}
}

func TestSettleRefuses(t *testing.T) {
	l := ledger.New(&guardtest.Recorder{})
	d := spending(noon, "60", sliding("100", "24h0m0s"))
	require.True(t, admits(t, l, d))
	late := noon.Add(rationale.DefaultLease + 1)
	assert.ErrorIs(t, l.Settle(ctx, settlement(d, noon.Add(rationale.DefaultLease), rationale.StatusSuccess, "1")), ledger.ErrNotHeld)
	assert.ErrorIs(t, l.Settle(ctx, settlement(spending(noon, "1"), late, rationale.StatusSuccess, "1")), ledger.ErrNotHeld)
	assert.Error(t, l.Settle(ctx, nil))
	for want, change := range map[string]func(s *rationale.Settlement){
		"id":     func(s *rationale.Settlement) { s.ID = "" },
		"time":   func(s *rationale.Settlement) { s.At = time.Time{} },
		"person": func(s *rationale.Settlement) { s.By = "" },
		"ground": func(s *rationale.Settlement) { s.Why = " " },
		"says":   func(s *rationale.Settlement) { s.Status = rationale.StatusUnknown },
		"amount": func(s *rationale.Settlement) { s.Spent = "" },
		"digits": func(s *rationale.Settlement) { s.Spent = "-1" },
		"leave":  func(s *rationale.Settlement) { s.Status = rationale.StatusNotExecuted },
	} {
		s := settlement(d, late, rationale.StatusSuccess, "1")
		change(s)
		assert.ErrorContains(t, l.Settle(ctx, s), want)
	}
	assert.Equal(t, []ledger.Held{{
		Decision: d.ID, At: noon, Amount: "60", Currency: "EUR", Agent: d.Agent.ID, Tool: d.Tool.Name, Class: d.Class,
	}}, l.Held(late))
	assert.Empty(t, l.Held(noon))
	assert.Equal(t, "60", l.Budgets(noon)[0].Reserved)
	assert.Equal(t, "60", l.Budgets(late)[0].Held)
	require.NoError(t, l.Settle(ctx, settlement(d, late, rationale.StatusNotExecuted, "")))
	assert.Empty(t, l.Held(late))
	assert.True(t, admits(t, l, spending(late, "100", sliding("100", "24h0m0s"))))
}

func TestConcurrentAdmitsNeverPassALimit(t *testing.T) {
	l := openLedger(t, crashfs.New())
	var mu sync.Mutex
	var group sync.WaitGroup
	admitted := 0
	for g := range 8 {
		group.Go(func() {
			for i := range 40 {
				d := spending(noon, "1", sliding("100", "24h0m0s"))
				if assert.NoError(t, l.Admit(ctx, d)) && d.Verdict == rationale.Allow {
					mu.Lock()
					admitted++
					mu.Unlock()
					if (g+i)%2 == 0 {
						assert.NoError(t, l.Complete(ctx, ended(d, time.Second, rationale.StatusSuccess, "1")))
					}
				}
			}
		})
	}
	group.Wait()
	assert.Equal(t, 100, admitted)
}

// A million calls in a day's window leave a state that stays small.
func TestTheStateOfManyCallsStaysSmall(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 20_000
	}
	b := ledger.NewBudgets()
	for i := range n {
		at := noon.Add(24 * time.Hour / time.Duration(n) * time.Duration(i))
		d := spending(at, "1", sliding("1000000", "24h0m0s"))
		b.Admit(t, d)
		b.Conclude(ended(d, 0, rationale.StatusSuccess, "1"))
	}
	assert.Less(t, len(b.Snapshot(t)), 16<<10)
	d := spending(noon.Add(24*time.Hour-1), fmt.Sprint(1_000_001-n), sliding("1000000", "24h0m0s"))
	assert.False(t, b.Fits(d), "all of them count")
}

// The segment with a decision that waits for a settlement stays.
func TestWhatIsHeldIsNotRetired(t *testing.T) {
	fs := crashfs.New()
	l := openLedger(t, fs, journal.WithRotation(journal.Rotation{Records: 3}), journal.WithClock(func() time.Time { return noon.Add(time.Hour) }))
	d := spending(noon, "60", sliding("100", "24h0m0s"))
	require.True(t, admits(t, l, d))
	require.NoError(t, l.Complete(ctx, ended(d, time.Second, rationale.StatusUnknown, "60")))
	for range 9 {
		require.NoError(t, l.Admit(ctx, guardtest.Denied()))
	}
	gone, err := l.Journal().Retire(ctx, journal.Retention{})
	require.NoError(t, err)
	assert.Empty(t, gone)
	require.NoError(t, l.Settle(ctx, settlement(d, noon.Add(time.Hour), rationale.StatusError, "5")))
	gone, err = l.Journal().Retire(ctx, journal.Retention{})
	require.NoError(t, err)
	assert.NotEmpty(t, gone)
}

// What could not be recorded takes nothing, and the same decision can be tried again.
func TestWhatIsNotRecordedTakesNothing(t *testing.T) {
	recorder := &guardtest.Recorder{}
	l := ledger.New(recorder)
	d := spending(noon, "100", sliding("100", "24h0m0s"))
	recorder.Fail(syscall.ENOSPC)
	require.Error(t, l.Admit(ctx, d))
	recorder.Fail(nil)
	require.True(t, admits(t, l, d))
	assert.Len(t, d.Checks, len(guardtest.Allowed().Checks)+1, "each limit is checked once")
	require.NoError(t, l.Complete(ctx, ended(d, time.Second, rationale.StatusUnknown, "")))
	s := settlement(d, noon.Add(time.Hour), rationale.StatusNotExecuted, "")
	recorder.Fail(syscall.ENOSPC)
	require.Error(t, l.Settle(ctx, s))
	recorder.Fail(nil)
	assert.False(t, admits(t, l, spending(noon, "1", sliding("100", "24h0m0s"))))
	require.NoError(t, l.Settle(ctx, s))
	assert.True(t, admits(t, l, spending(noon, "100", sliding("100", "24h0m0s"))))
}

// A call that comes late, by a clock that is behind, is counted in the window that
// has begun.
func TestACalendarWindowBeginsOnce(t *testing.T) {
	fs := crashfs.New()
	l := openLedger(t, fs)
	tomorrow := noon.Add(24 * time.Hour)
	for _, at := range []time.Time{noon, tomorrow} {
		d := spending(at, "60", daily("100"))
		require.True(t, admits(t, l, d))
		require.NoError(t, l.Complete(ctx, ended(d, time.Second, rationale.StatusSuccess, "60")))
	}
	for range 2 {
		late := spending(noon, "41", daily("100"))
		assert.False(t, admits(t, l, late))
		assert.Equal(t, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), late.Limits[0].From)
		assert.Equal(t, time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC), late.Limits[0].Until)
		assert.Equal(t, tomorrow, late.CountedAt)
		require.NoError(t, l.Close())
		l = openLedger(t, fs)
	}
	assert.True(t, admits(t, l, spending(noon, "40", daily("100"))))
}

// A window that began by other rules of its zone, as another version of them has it,
// stays the one that counts until it is over.
func TestAWindowThatIsRecordedStaysOpen(t *testing.T) {
	fs := crashfs.New()
	d := spending(noon, "60", daily("100"))
	d.CountedAt, d.Limits[0].From, d.Limits[0].Until = noon, noon.Add(-time.Minute), noon.Add(time.Hour)
	rationale.Conclude(d)
	j, err := journal.Open(dir, journal.WithFS(fs))
	require.NoError(t, err)
	require.NoError(t, j.Append(ctx, d, ended(d, time.Second, rationale.StatusSuccess, "60")))
	require.NoError(t, j.Close())
	l := openLedger(t, fs)
	assert.False(t, admits(t, l, spending(noon.Add(time.Minute), "41", daily("100"))))
	assert.True(t, admits(t, l, spending(noon.Add(time.Minute), "40", daily("100"))))
}

// An outcome that is being recorded comes first: a settlement beside it would be on
// record, and not count.
func TestNothingIsSettledWhileItsOutcomeIsRecorded(t *testing.T) {
	disk := &slowDisk{FS: crashfs.New()}
	l, err := ledger.Open(dir, journal.WithFS(disk), journal.WithClock(func() time.Time { return noon.Add(time.Hour) }))
	require.NoError(t, err)
	d := spending(noon, "10", sliding("100", "24h0m0s"))
	require.True(t, admits(t, l, d))
	entered, release := disk.hang()
	answer := make(chan error)
	go func() { answer <- l.Complete(ctx, ended(d, 0, rationale.StatusNotExecuted, "")) }()
	<-entered
	late := settlement(d, d.Lease.Add(time.Second), rationale.StatusSuccess, "30")
	short, cancel := context.WithCancel(ctx)
	cancel() // it must not wait
	require.ErrorIs(t, l.Settle(short, late), ledger.ErrNotHeld)
	close(release)
	require.NoError(t, <-answer)
	require.ErrorIs(t, l.Settle(ctx, late), ledger.ErrNotHeld)
	require.NoError(t, l.Close())
}
