package ledger_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// Whatever call of the file system fails, and wherever the machine ends: what was
// admitted is spent or held afterwards.
func TestNoFaultLosesAReservation(t *testing.T) {
	total, step := 0, 1
	if testing.Short() {
		step = 5
	}
	for k := 0; k <= total; k += step {
		for _, forever := range []bool{false, true} {
			fs := crashfs.New()
			fs.Inject(func(c crashfs.Call) crashfs.Fault {
				if k > 0 && (c.N == k || forever && c.N > k) {
					return crashfs.Fault{Err: syscall.EIO, Written: 77, Lost: true}
				}
				return crashfs.Fault{}
			})
			least := spendOnADisk(fs)
			if k == 0 {
				total = fs.Calls()
				require.Equal(t, "25", least.RatString())
			}
			fs.Inject(nil)
			fs.Unlock()
			for _, after := range []*crashfs.FS{fs, fs.Crash(rand.New(rand.NewPCG(uint64(k), 1)))} {
				l, err := ledger.Open(dir, journal.WithFS(after))
				require.NoError(t, err)
				got := new(big.Rat)
				for _, b := range l.Budgets(noon) {
					got.Add(got, amountsOf(b.Spent, b.Reserved, b.Held))
				}
				require.NoError(t, l.Close())
				require.GreaterOrEqual(t, got.Cmp(least), 0, "call %d: %s of %s is left", k, got, least)
			}
		}
	}
}

// spendOnADisk returns the least that must count against the limit.
func spendOnADisk(fs *crashfs.FS) *big.Rat {
	least := new(big.Rat)
	l, err := ledger.Open(dir, journal.WithFS(fs), journal.WithRotation(journal.Rotation{Records: 4}))
	if err != nil {
		return least
	}
	defer l.Close()
	for i := range 5 {
		d := spending(noon.Add(time.Duration(i)*time.Second), "10", sliding("1000", "24h0m0s"))
		if l.Admit(ctx, d) != nil || d.Verdict != rationale.Allow {
			continue
		}
		switch i {
		case 0, 1: // open when the machine ends
			least.Add(least, big.NewRat(10, 1))
		case 2, 3:
			least.Add(least, big.NewRat(2, 1))
			_ = l.Complete(ctx, ended(d, time.Second, rationale.StatusSuccess, "2"))
		default:
			least.Add(least, big.NewRat(1, 1))
			if l.Complete(ctx, ended(d, time.Second, rationale.StatusUnknown, "10")) == nil {
				_ = l.Settle(ctx, settlement(d, noon.Add(time.Hour), rationale.StatusSuccess, "1"))
			}
		}
	}
	return least
}

func amountsOf(texts ...string) *big.Rat {
	sum := new(big.Rat)
	for _, text := range texts {
		r, _ := new(big.Rat).SetString(text)
		sum.Add(sum, r)
	}
	return sum
}

// modelled is a call as the naive model has it: a list of every one.
type modelled struct {
	d         *rationale.Decision
	amount    int64
	open      bool // or held
	held      bool
	outcome   bool
	countedAt time.Time
	from      time.Time
}

// The ledger against a list of everything that was ever admitted, under a clock that
// also goes back, through restarts from the records with and without snapshots:
// nothing is admitted above a limit, and nothing refused that would have fitted.
func TestBudgetsAgainstAListOfEverything(t *testing.T) {
	const limit, perDay, calls = 50, 80, 9
	per, late := 2*time.Hour, time.Minute // a bucket of two hours has a minute
	rapid.Check(t, func(t *rapid.T) {
		fs := crashfs.New()
		opts := []journal.Option{journal.WithFS(fs), journal.WithClock(func() time.Time { return noon })}
		if n := rapid.IntRange(0, 5).Draw(t, "rotation"); n > 0 {
			opts = append(opts, journal.WithRotation(journal.Rotation{Records: n}))
		}
		l, err := ledger.Open(dir, opts...)
		require.NoError(t, err)
		defer func() { _ = l.Close() }()
		now, latest := noon.Add(11*time.Hour), time.Time{} // an hour before the day ends
		var day time.Time                                  // the latest that began
		var all []*modelled
		sums := func(at time.Time, window time.Duration, from time.Time) (spent, inDay, number int64) {
			for _, m := range all {
				if m.open || m.countedAt.After(at.Add(-window)) {
					spent += m.amount
					number++
				}
				if m.open || m.from.Equal(from) {
					inDay += m.amount
				}
			}
			return spent, inDay, number
		}
		pick := func() *modelled {
			if len(all) == 0 {
				return nil
			}
			return all[rapid.IntRange(0, len(all)-1).Draw(t, "call")]
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"admit", "admit", "admit", "end", "end", "settle", "time", "restart"}).Draw(t, "step") {
			case "time":
				now = now.Add(time.Duration(rapid.Int64Range(-3600, 3*3600).Draw(t, "seconds")) * time.Second)
			case "admit":
				amount := rapid.Int64Range(0, 30).Draw(t, "amount")
				d := spending(now, fmt.Sprint(amount), sliding(fmt.Sprint(limit), per.String()), daily(fmt.Sprint(perDay)), rate(fmt.Sprint(calls), per.String()))
				require.NoError(t, l.Admit(ctx, d))
				if now.After(latest) {
					latest = now
				}
				from := d.Limits[1].From
				require.False(t, from.Before(day), "a day began twice")
				spent, inDay, number := sums(latest, per, from)
				if d.Verdict == rationale.Allow {
					require.LessOrEqual(t, spent+amount, int64(limit), "above the window")
					require.LessOrEqual(t, inDay+amount, int64(perDay), "above the day")
					require.LessOrEqual(t, number+1, int64(calls), "above the rate")
					require.True(t, d.CountedAt.Equal(latest))
					all = append(all, &modelled{d: d, amount: amount, open: true, countedAt: latest, from: from})
					if from.After(day) {
						day = from
					}
					break
				}
				spent, inDay, number = sums(latest, per+late, from)
				require.True(t, spent+amount > limit || inDay+amount > perDay || number+1 > calls, "it would have fitted: %+v", d.Checks)
			case "end":
				m := pick()
				if m == nil {
					break
				}
				status := rapid.SampledFrom([]rationale.Status{rationale.StatusSuccess, rationale.StatusError, rationale.StatusUnknown, rationale.StatusNotExecuted}).Draw(t, "status")
				spent := rapid.Int64Range(0, 35).Draw(t, "spent")
				o := ended(m.d, 0, status, fmt.Sprint(spent))
				o.At = now
				if err := l.Complete(ctx, o); m.outcome {
					require.ErrorIs(t, err, ledger.ErrNotOpen)
					break
				} else {
					require.NoError(t, err)
				}
				m.outcome = true
				switch {
				case !m.open: // settled meanwhile
				case status == rationale.StatusUnknown || now.After(m.d.Lease):
					m.held, m.amount = true, max(m.amount, spent)
				case status == rationale.StatusNotExecuted:
					m.forget()
				default:
					m.open, m.amount = false, spent
				}
			case "settle":
				m := pick()
				if m == nil {
					break
				}
				spent := rapid.Int64Range(0, 35).Draw(t, "settled")
				s := settlement(m.d, now, rationale.StatusSuccess, fmt.Sprint(spent))
				ran := rapid.Bool().Draw(t, "ran")
				if !ran {
					s.Status, s.Spent = rationale.StatusNotExecuted, ""
				}
				err := l.Settle(ctx, s)
				if !m.open || !m.held && !now.After(m.d.Lease) {
					require.ErrorIs(t, err, ledger.ErrNotHeld)
					break
				}
				require.NoError(t, err)
				if m.open, m.amount = false, spent; !ran {
					m.forget()
				}
			case "restart":
				fs.Unlock()
				l, err = ledger.Open(dir, opts...)
				require.NoError(t, err)
				latest = time.Time{} // what was only refused is not remembered
				for _, m := range all {
					if m.d.CountedAt.After(latest) {
						latest = m.d.CountedAt
					}
					if !m.outcome {
						m.outcome, m.held = true, m.open
					}
				}
			}
		}
	})
}

// forget takes a call that did not run out of every window.
func (m *modelled) forget() {
	m.open, m.amount, m.countedAt, m.from = false, 0, time.Time{}, time.Time{}
}
