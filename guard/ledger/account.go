package ledger

import (
	"slices"
	"strings"
	"time"

	"github.com/ambit-go/ambit/internal/money"
	"github.com/ambit-go/ambit/rationale"
)

const (
	// bucketsPerWindow is how finely a sliding window is kept: what is in a bucket
	// leaves together, once the last of it may, so at most per/120 late.
	bucketsPerWindow = 120

	// maxSliding bounds a sliding window.
	maxSliding = 366 * 24 * time.Hour
)

// account is what was spent of one limit, and what is taken of it. A nil account
// is one of which nothing was taken yet.
type account struct {
	per, step time.Duration // of a sliding window; zero: of the calendar
	buckets   []bucket      // of a sliding window, the oldest first
	from      time.Time     // of the calendar window: the latest that is recorded
	until     time.Time
	spent     money.Amount // in it

	open money.Amount // taken, and not known to be spent
	refs int          // how many reservations are among it

	limit   money.Amount // as the latest call had it; zero: not known
	reached int          // percent of it, as people were told
}

// bucket is what was spent in a stretch of the length of a step.
type bucket struct {
	Start int64        `json:"start"` // Unix nanoseconds
	Spent money.Amount `json:"spent"`
}

func newAccount(l *rationale.Limit) *account {
	per, _ := slidingPer(l)
	a := &account{per: per}
	if per > 0 {
		a.step = stepOf(per)
	}
	return a
}

func stepOf(per time.Duration) time.Duration {
	return (per + bucketsPerWindow - 1) / bucketsPerWindow
}

// slidingPer returns the length of a sliding window, zero of one of the calendar;
// false for a limit that is neither.
func slidingPer(l *rationale.Limit) (time.Duration, bool) {
	switch l.Per {
	case "hour", "day", "week", "month":
		return 0, true
	}
	per, err := time.ParseDuration(l.Per)
	return per, err == nil && per > 0 && per <= maxSliding
}

// shortDuration writes a duration without units that are zero.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// keepOpen puts a limit into the calendar window that is open, where its own is
// over by what is recorded, as another version of the zone's rules may have it.
func (a *account) keepOpen(l *rationale.Limit) {
	if a != nil && a.per == 0 && a.from.After(l.From) {
		l.From, l.Until = a.from, a.until
	}
}

// used returns what counts against a limit, which has its place, at a time.
func (a *account) used(l *rationale.Limit, at time.Time) money.Amount {
	if a == nil {
		return money.Amount{}
	}
	sum := a.open
	if a.per == 0 {
		if l.From.Equal(a.from) {
			sum = sum.Plus(a.spent)
		}
		return sum
	}
	now := nanoseconds(at)
	for i := len(a.buckets) - 1; i >= 0 && !a.left(a.buckets[i].Start, now); i-- {
		sum = sum.Plus(a.buckets[i].Spent)
	}
	return sum
}

// left reports whether all that a bucket can hold has left the window.
func (a *account) left(start, now int64) bool {
	return now-start >= int64(a.step+a.per)
}

// roll begins the calendar window that a recorded decision was counted in.
func (a *account) roll(p *part) {
	if a.per == 0 && p.from.After(a.from) {
		a.from, a.until, a.spent = p.from, p.until, money.Amount{}
	}
}

// count adds what a call spent that was admitted at a time, unless the window in
// which it was is over by what is recorded.
func (a *account) count(p *part, at time.Time, amount money.Amount, recorded time.Time) {
	if a.per == 0 {
		if p.from.Equal(a.from) {
			a.spent = a.spent.Plus(amount)
		}
		return
	}
	a.prune(recorded)
	step := int64(a.step)
	start := nanoseconds(at) / step * step
	if amount.IsZero() || a.left(start, nanoseconds(recorded)) {
		return
	}
	i, found := slices.BinarySearchFunc(a.buckets, start, func(b bucket, start int64) int {
		return int(min(max(b.Start-start, -1), 1))
	})
	if !found {
		a.buckets = slices.Insert(a.buckets, i, bucket{Start: start})
	}
	a.buckets[i].Spent = a.buckets[i].Spent.Plus(amount)
}

// prune drops the buckets that have left.
func (a *account) prune(recorded time.Time) {
	now, n := nanoseconds(recorded), 0
	for n < len(a.buckets) && a.left(a.buckets[n].Start, now) {
		n++
	}
	a.buckets = slices.Delete(a.buckets, 0, n)
}

// idle reports whether the account says nothing any more. One of the calendar
// always says which window has begun, so that none begins twice.
func (a *account) idle(recorded time.Time) bool {
	a.prune(recorded)
	return a.refs == 0 && len(a.buckets) == 0 && a.from.IsZero()
}

// nanoseconds is the Unix time, not before 1970 and within 64 bits.
func nanoseconds(t time.Time) int64 {
	switch {
	case t.Unix() < 0:
		return 0
	case t.Unix() >= 9_000_000_000: // in 2255
		return 9_000_000_000 * int64(time.Second)
	}
	return t.UnixNano()
}
