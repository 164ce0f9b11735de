package simulate

import (
	"math/big"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// clocks checks the times at which calls were counted: by the ledger's clock, which
// never goes back.
func (c *checker) clocks() error {
	for _, e := range c.events {
		if e.d == nil || e.end == 0 || e.err != nil || len(e.d.Limits) == 0 {
			continue
		}
		d, at := e.d, c.place(e)
		first, last := c.between(e, at)
		if d.CountedAt.Before(first) || d.CountedAt.After(last) {
			return violated("a call is counted by the ledger's clock", "%s: that said %s to %s", e, first, last)
		}
		for _, t := range c.calls {
			if t.d != d && t.d.ID != d.ID && c.must(t.admitted, e, at) && t.d.CountedAt.After(d.CountedAt) {
				return violated("time does not go back", "%s: %s was counted at %s before", e, short(t.d.ID), t.d.CountedAt)
			}
		}
		for i, l := range d.Limits {
			if err := c.placed(e, at, &l, &c.plan.World.Classes[e.class].Limits[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// between returns what the ledger's clock can have said when a call was counted. A
// journal's is that of the drafts; a log takes appends for a second.
func (c *checker) between(e *event, at int) (first, last time.Time) {
	if c.shared {
		return c.times[at].Add(-maxPast), e.latest
	}
	first, last = e.draft.At, e.draft.At
	for _, o := range c.events {
		if o.draft != nil && o.begin < e.end && o.draft.At.After(last) {
			last = o.draft.At
		}
	}
	return first, last
}

// placed checks that a limit of the calendar is that of the window in which the
// call was counted, or of a later one that has begun.
func (c *checker) placed(e *event, at int, l *rationale.Limit, of *Limit) error {
	length := map[string]time.Duration{"hour": time.Hour, "day": 24 * time.Hour}[of.Per]
	if length == 0 {
		if !l.From.IsZero() {
			return violated("a sliding window has no place in the calendar", "%s: %s", e, l.From)
		}
		return nil
	}
	if !l.From.Equal(l.From.Truncate(length)) || !l.Until.Equal(l.From.Add(length)) || l.From.Before(e.d.CountedAt.Truncate(length)) {
		return violated("a calendar window is that of its time", "%s: from %s until %s", e, l.From, l.Until)
	}
	for _, t := range c.calls {
		for i := range t.d.Limits {
			if o := &t.d.Limits[i]; accountOf(t.d, o) == accountOf(e.d, l) && t.d.ID != e.d.ID && c.must(t.admitted, e, at) && o.From.After(l.From) {
				return violated("a calendar window begins once", "%s: %s was counted from %s on before", e, short(t.d.ID), o.From)
			}
		}
	}
	return nil
}

// limits checks that no admitted call passed a limit, and no call was refused that
// fitted.
func (c *checker) limits() error {
	for _, e := range c.events {
		if e.d == nil || e.end == 0 || e.err != nil {
			continue
		}
		at := c.place(e)
		for i := range e.d.Limits {
			l := &e.d.Limits[i]
			most := big.NewRat(c.plan.World.Classes[e.class].Limits[i].Max, 1)
			refused := slices.ContainsFunc(e.d.Checks, func(k rationale.Check) bool {
				return k.Kind == l.Kind && k.ID == l.ID && k.Result != rationale.Passed
			})
			least, utmost := c.used(e, at, l)
			own := takes(e.d, l)
			switch {
			case e.d.Takes() && new(big.Rat).Add(least, own).Cmp(most) > 0:
				return violated("admitted estimates never exceed a limit, and what is held counts until it is settled",
					"%s: %s is a limit of %s, and %s counts at least", e, l.ID, most.RatString(), least.RatString())
			case refused && e.d.Verdict == rationale.Allow && e.d.Mode == rationale.Enforce:
				return violated("a call that a limit refuses is not admitted", "%s", e)
			case refused && new(big.Rat).Add(utmost, own).Cmp(most) <= 0:
				return violated("no call is refused that would have fitted", "%s: %s is a limit of %s, and at most %s counts", e, l.ID, most.RatString(), utmost.RatString())
			}
		}
		if e.d.Takes() {
			if err := c.together(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// used returns the least and the most that can have counted against a limit when a
// call was held against it.
func (c *checker) used(e *event, at int, l *rationale.Limit) (least, most *big.Rat) {
	least, most = new(big.Rat), new(big.Rat)
	for _, t := range c.calls {
		if t.admitted.event == e {
			continue
		}
		surely := t.prefix(func(f *fact) bool { return c.surely(f, e, at) })
		from := surely
		if c.must(t.admitted, e, at) {
			from = max(from, 1)
		}
		to := max(from, t.prefix(func(f *fact) bool { return c.may(f, e, at) }))
		for i := range t.d.Limits {
			o := &t.d.Limits[i]
			if accountOf(t.d, o) != accountOf(e.d, l) {
				continue
			}
			low, high := (*big.Rat)(nil), new(big.Rat)
			for n := surely; n <= to; n++ {
				now := t.after(n, o)
				if in := now.counted(windowOf(e.d, l, false), t.d, o); n >= from && (low == nil || in.Cmp(low) < 0) {
					low = in
				}
				if in := now.counted(windowOf(e.d, l, true), t.d, o); in.Cmp(high) > 0 {
					high = in
				}
			}
			if t.d.ID != e.d.ID { // a draft that is delivered twice
				least.Add(least, low)
			}
			most.Add(most, high)
		}
	}
	if !c.shared {
		c.attempts(e, l, most)
	}
	return least, most
}

func (n counts) counted(w window, d *rationale.Decision, l *rationale.Limit) *big.Rat {
	if n.always || w.has(d, l) {
		return n.amount
	}
	return new(big.Rat)
}

// attempts adds what was taken for a while by calls that then were not recorded.
func (c *checker) attempts(e *event, l *rationale.Limit, most *big.Rat) {
	for _, o := range c.events {
		if o.draft == nil || o == e || o.begin > e.end || o.end > 0 && (o.end < e.begin || o.err == nil) {
			continue
		}
		if t := c.calls[o.draft.ID]; t != nil && t.admitted.event == o || o.end == 0 && c.lives[o.life-1].end < e.begin {
			continue
		}
		for i := range o.d.Limits {
			if k := &o.draft.Limits[i]; accountOf(o.draft, k) == accountOf(e.d, l) {
				most.Add(most, takes(o.draft, k))
			}
		}
	}
}

// together checks what was asked for before a call, and is admitted when that is,
// without what was spent beyond an estimate: of two at the same time both count.
func (c *checker) together(e *event) error {
	for i := range e.d.Limits {
		l := &e.d.Limits[i]
		most, sum := big.NewRat(c.plan.World.Classes[e.class].Limits[i].Max, 1), new(big.Rat)
		for _, t := range c.calls {
			for j := range t.d.Limits {
				o := &t.d.Limits[j]
				if accountOf(t.d, o) != accountOf(e.d, l) || t.admitted.begin > e.begin || t.admitted.certain == 0 || t.admitted.certain > e.end || c.shared && t.admitted.n > c.place(e) {
					continue
				}
				from := t.prefix(func(f *fact) bool { return f.certain > 0 && f.certain <= e.end })
				least := takes(t.d, o)
				for n := from; n <= 1+len(t.then); n++ {
					if in := t.after(n, o).counted(windowOf(e.d, l, false), t.d, o); in.Cmp(least) < 0 {
						least = in
					}
				}
				sum.Add(sum, least)
			}
		}
		if sum.Cmp(most) > 0 {
			return violated("admitted estimates never exceed a limit", "%s: %s is a limit of %s, and %s is admitted at least", e, l.ID, most.RatString(), sum.RatString())
		}
	}
	return nil
}
