package simulate

import (
	"math/big"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// check holds what was seen of a history against the rules. It knows nothing of how
// a ledger works: it has a list of everything, and adds up.
func check(p *Plan, t *trace) error {
	c := newChecker(p, t)
	for _, rule := range []func() error{c.evidence, c.outcomes, c.clocks, c.limits, c.tickets, c.reviews, c.suspensions, c.begins, c.failures, c.denials} {
		if err := rule(); err != nil {
			return err
		}
	}
	return nil
}

// checker has the history in the order of its records.
type checker struct {
	*trace
	plan   *Plan
	shared bool
	facts  []*fact
	byID   map[string][]*fact // by the record's id
	calls  map[string]*taken  // that took of limits, by the decision's id
	about  map[string][]*fact // the records that are about a decision, by its id
}

// fact is one record, and what is known of when it came about.
type fact struct {
	rec   rationale.Record
	n     int    // its place among the records
	event *event // nil: the ledger made it by itself
	// begin is the moment before which it had no effect; certain that from which on
	// it had, 0: there is none.
	begin, certain int
}

func newChecker(p *Plan, t *trace) *checker {
	c := &checker{
		trace: t, plan: p, shared: p.World.Home == OnLog, byID: make(map[string][]*fact), calls: make(map[string]*taken), about: make(map[string][]*fact),
	}
	for n, rec := range t.records {
		switch rec.(type) {
		case *rationale.Snapshot, *rationale.Checkpoint:
			continue
		}
		f := &fact{rec: rec, n: n, event: c.eventOf(rec)}
		c.facts, c.byID[rec.RecordID()] = append(c.facts, f), append(c.byID[rec.RecordID()], f)
		if id := decisionOf(rec); id != "" {
			c.about[id] = append(c.about[id], f)
		}
	}
	c.date()
	for _, f := range c.facts {
		if d, ok := f.rec.(*rationale.Decision); ok && d.Takes() && c.calls[d.ID] == nil {
			c.calls[d.ID] = c.taken(f, d)
		}
	}
	return c
}

// eventOf returns the event that made a record.
func (c *checker) eventOf(rec rationale.Record) *event {
	for _, e := range c.events {
		switch r := rec.(type) {
		case *rationale.Decision: // a draft that was delivered twice differs in its time
			if e.d != nil && e.d.ID == r.ID && e.draft.At.Equal(r.At) {
				return e
			}
		case *rationale.Lifecycle:
			if e.gap != nil && e.gap.ID == r.ID || e.why != "" && r.Suspension != nil && e.why == r.Message {
				return e
			}
		default:
			for _, own := range []rationale.Record{e.o, e.a, e.r, e.s} {
				if present(own) && own.RecordID() == r.RecordID() {
					return e
				}
			}
		}
	}
	return nil
}

func present(rec rationale.Record) bool {
	switch r := rec.(type) {
	case *rationale.Outcome:
		return r != nil
	case *rationale.Approval:
		return r != nil
	case *rationale.Review:
		return r != nil
	case *rationale.Settlement:
		return r != nil
	}
	return false
}

// decisionOf returns the decision that a record is about; empty: it is none's.
func decisionOf(rec rationale.Record) string {
	switch r := rec.(type) {
	case *rationale.Outcome:
		return r.Decision
	case *rationale.Settlement:
		return r.Decision
	case *rationale.Review:
		return r.Decision
	case *rationale.Approval:
		return r.Ticket
	}
	return ""
}

// date finds out from when on each record certainly had its effect: when it was
// acknowledged, or one behind it was, or the next process had read it.
func (c *checker) date() {
	later := 0
	for _, f := range slices.Backward(c.facts) {
		if e := f.event; e != nil && e.end > 0 && e.err == nil {
			later = earliest(later, e.end)
		}
		f.certain = later
		cause := c.cause(f)
		if f.begin = 1; cause != nil {
			f.begin = cause.begin
		}
		for _, l := range c.lives {
			if !c.shared && cause != nil && l.begin > cause.begin && l.ready > 0 {
				f.certain = earliest(f.certain, l.ready)
				break
			}
		}
	}
}

// cause returns the event that made a record; of what the ledger made by itself,
// that of the decision it is about.
func (c *checker) cause(f *fact) *event {
	if f.event != nil {
		return f.event
	}
	var cause *event
	for _, about := range c.byID[decisionOf(f.rec)] {
		if d, ok := about.rec.(*rationale.Decision); ok && about.n < f.n && (cause == nil || d.Verdict == rationale.Allow) {
			cause = about.event
		}
	}
	return cause
}

func earliest(a, b int) int {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// must reports whether a record counts before a decision was made, and may whether
// it can have counted. On a shared log the order of the records says both. What is
// appended together is decided together, though: surely reports whether a record had
// already had its effect.
func (c *checker) must(f *fact, e *event, at int) bool {
	if c.shared {
		return f.n < at
	}
	return f.certain > 0 && f.certain < e.begin
}

func (c *checker) may(f *fact, e *event, at int) bool {
	if c.shared {
		return f.n < at
	}
	return f.begin < e.end && f.event != e
}

func (c *checker) surely(f *fact, e *event, at int) bool {
	return f.certain > 0 && f.certain < e.begin && (!c.shared || f.n < at)
}

// place returns the place of an event's record, the last of them; -1: there is none.
func (c *checker) place(e *event) int {
	place := -1
	for _, f := range c.facts {
		if f.event == e {
			place = f.n
		}
	}
	return place
}

// taken is a call that took of limits.
type taken struct {
	admitted *fact
	d        *rationale.Decision
	then     []*fact // its outcome and settlement
}

func (c *checker) taken(f *fact, d *rationale.Decision) *taken {
	t := &taken{admitted: f, d: d}
	for _, about := range c.about[d.ID] {
		switch about.rec.(type) {
		case *rationale.Outcome, *rationale.Settlement:
			t.then = append(t.then, about)
		}
	}
	return t
}

// account names what shares a limit.
type account struct {
	kind                                     rationale.CheckKind
	centre, authorization, class, agent, per string
}

func accountOf(d *rationale.Decision, l *rationale.Limit) account {
	a := account{kind: l.Kind, centre: l.CostCentre, per: l.Per}
	if l.CostCentre == "" {
		a.authorization, a.class, a.agent = d.Authorization.ID, d.Class, d.Agent.ID
	}
	return a
}

// takes returns what a decision takes of a limit: its price, or one call.
func takes(d *rationale.Decision, l *rationale.Limit) *big.Rat {
	if l.Kind == rationale.CheckRate {
		return big.NewRat(1, 1)
	}
	return rat(d.Spend.Amount)
}

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return new(big.Rat)
	}
	return r
}

// counts is what a call counts against a limit.
type counts struct {
	amount *big.Rat
	always bool // in every window, not only in that of the call
}

// after returns what a call counts once the first n of what is recorded of it have
// had their effect: its admission, and what became of it.
func (t *taken) after(n int, l *rationale.Limit) counts {
	if n == 0 {
		return counts{new(big.Rat), false}
	}
	now := counts{takes(t.d, l), true}
	done := false
	for _, f := range t.then[:n-1] {
		switch r := f.rec.(type) {
		case *rationale.Outcome:
			switch {
			case done:
			case r.Status == rationale.StatusUnknown || r.At.After(t.d.Lease):
				if spent := rat(r.Spent); l.Kind == rationale.CheckWindow && spent.Cmp(now.amount) > 0 {
					now.amount = spent
				}
			default:
				now, done = ended(now, r.Status, r.Spent, l), true
			}
		case *rationale.Settlement:
			now, done = ended(now, r.Status, r.Spent, l), true
		}
	}
	return now
}

func ended(now counts, status rationale.Status, spent string, l *rationale.Limit) counts {
	switch {
	case status == rationale.StatusNotExecuted:
		return counts{new(big.Rat), false}
	case l.Kind == rationale.CheckWindow && spent != "":
		return counts{rat(spent), false}
	}
	return counts{now.amount, false}
}

// prefix counts what of a call is recorded and satisfies a condition, up to the
// first that does not.
func (t *taken) prefix(holds func(*fact) bool) int {
	n := 0
	for _, f := range append([]*fact{t.admitted}, t.then...) {
		if !holds(f) {
			break
		}
		n++
	}
	return n
}

// window is the time in which what is spent counts at a moment.
type window struct {
	at   time.Time
	per  time.Duration // of one that slides
	late time.Duration // how long what has left may still count
	from time.Time     // of one of the calendar
}

func windowOf(d *rationale.Decision, l *rationale.Limit, late bool) window {
	w := window{at: d.CountedAt, from: l.From}
	if l.Zone == "" {
		w.per, _ = time.ParseDuration(l.Per)
		if late {
			w.late = (w.per + 119) / 120
		}
	}
	return w
}

// has reports whether the window has what a call spent.
func (w window) has(d *rationale.Decision, l *rationale.Limit) bool {
	if w.per == 0 {
		return l.From.Equal(w.from)
	}
	return d.CountedAt.After(w.at.Add(-w.per - w.late))
}
