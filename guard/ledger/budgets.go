package ledger

import (
	"cmp"
	"fmt"
	"time"

	"github.com/ambit-go/ambit/internal/calendar"
	"github.com/ambit-go/ambit/internal/money"
	"github.com/ambit-go/ambit/rationale"
)

// budgets is the state of all limits over time: what was spent in which window,
// and what is taken until its outcome is known. It is a deterministic state
// machine. Everything comes from the records that it is given, and time only goes
// on with them.
//
// A call takes of its limits when it is admitted. As long as its outcome is
// expected, that counts, in whatever window it is by then; once the outcome is
// known, what was really spent counts in the window in which the call was
// admitted. What is held counts in every window until a settlement.
type budgets struct {
	seen     time.Time // the latest that a call was held against its limits
	recorded time.Time // the latest that a record says so
	accounts map[accountKey]*account
	taken    map[string]*reservation // by decision
	bytes    int                     // of them, in a snapshot, at most
	ended    recent
	zones    map[string]*time.Location // that windows were placed in

	telling bool                     // there is somebody to tell
	told    []rationale.Notification // not handed over yet
}

// accountKey says what shares a limit.
type accountKey struct {
	Kind          rationale.CheckKind `json:"kind"`
	Authorization string              `json:"authorization,omitzero"`
	Class         string              `json:"class,omitzero"`
	Agent         string              `json:"agent,omitzero"`
	Environment   string              `json:"environment,omitzero"`
	CostCentre    string              `json:"cost_centre,omitzero"`
	Currency      string              `json:"currency,omitzero"`
	Per           string              `json:"per"`
	Zone          string              `json:"zone,omitzero"`
}

func accountOf(d *rationale.Decision, l *rationale.Limit) accountKey {
	k := accountKey{Kind: l.Kind, Currency: l.Currency, Per: l.Per, Zone: l.Zone}
	if l.CostCentre != "" {
		k.CostCentre = l.CostCentre
		return k
	}
	k.Class, k.Agent, k.Environment = d.Class, d.Agent.ID, d.Agent.Environment
	if d.Authorization != nil {
		k.Authorization = d.Authorization.ID
	}
	return k
}

func (k accountKey) compare(o accountKey) int {
	return cmp.Or(cmp.Compare(k.Kind, o.Kind), cmp.Compare(k.Authorization, o.Authorization), cmp.Compare(k.Class, o.Class),
		cmp.Compare(k.Agent, o.Agent), cmp.Compare(k.Environment, o.Environment), cmp.Compare(k.CostCentre, o.CostCentre),
		cmp.Compare(k.Currency, o.Currency), cmp.Compare(k.Per, o.Per), cmp.Compare(k.Zone, o.Zone))
}

// reservation is what a call took of its limits, until it is known what it spent.
type reservation struct {
	at       time.Time // when it was counted
	lease    time.Time
	parts    []part
	segment  uint64 // of the journal, where the decision is recorded; 0: not known
	recorded bool
	held     bool // its outcome is unknown, or came after its lease
	settling bool // somebody is recording the settlement
	own      bool // this process admitted the call
	call     heldCall
}

// heldCall is what people have to know of a call to settle it.
type heldCall struct {
	Agent         string `json:"agent,omitzero"`
	OnBehalfOf    string `json:"on_behalf_of,omitzero"`
	Server        string `json:"server,omitzero"`
	Tool          string `json:"tool,omitzero"`
	Class         string `json:"class,omitzero"`
	Authorization string `json:"authorization,omitzero"`
	Owner         string `json:"owner,omitzero"` // of the authorization
}

func callOf(d *rationale.Decision) heldCall {
	c := heldCall{Agent: d.Agent.ID, OnBehalfOf: d.Agent.OnBehalfOf, Server: d.Tool.Server, Tool: d.Tool.Name, Class: d.Class}
	if d.Authorization != nil {
		c.Authorization, c.Owner = d.Authorization.ID, d.Authorization.Owner
	}
	return c
}

// size is how much a snapshot says of it, at most.
func (r *reservation) size() int {
	c := &r.call
	names := len(c.Agent) + len(c.OnBehalfOf) + len(c.Server) + len(c.Tool) + len(c.Class) + len(c.Authorization) + len(c.Owner)
	return 320 + 2*names + 144*len(r.parts)
}

// part is what it took of one limit.
type part struct {
	account accountKey
	amount  money.Amount
	from    time.Time // of the calendar window
	until   time.Time
}

func newBudgets() budgets {
	return budgets{
		accounts: make(map[accountKey]*account), taken: make(map[string]*reservation), zones: make(map[string]*time.Location),
	}
}

// knows reports whether a decision took of its limits already.
func (b *budgets) knows(id string) bool { return b.taken[id] != nil || b.ended.has(id) }

// check holds a call against its limits, each of them, at a time. It takes
// nothing. The draft is told when, and in which calendar windows, it was counted.
func (b *budgets) check(d *rationale.Decision, at time.Time) []rationale.Check {
	if at.After(b.seen) {
		b.seen = at
	}
	d.CountedAt = b.seen.UTC()
	checks := make([]rationale.Check, len(d.Limits))
	for i := range d.Limits {
		checks[i] = b.checkLimit(d, &d.Limits[i])
	}
	return checks
}

func (b *budgets) checkLimit(d *rationale.Decision, l *rationale.Limit) rationale.Check {
	c := rationale.Check{Kind: l.Kind, ID: l.ID, Result: rationale.Passed}
	reason := rationale.WindowExhausted
	if l.Kind == rationale.CheckRate {
		reason = rationale.RateExceeded
	}
	limit, readable := money.Parse(l.Max)
	if !b.place(l, d.CountedAt) || !readable {
		c.Result, c.Reason, c.Message = rationale.Errored, reason, "the limit cannot be read"
		return c
	}
	amount, priced := amountFor(d, l)
	if !priced {
		c.Result, c.Reason, c.Message = rationale.Errored, reason, "the call has no price to hold against "+described(l)
		return c
	}
	a := b.accounts[accountOf(d, l)]
	a.keepOpen(l)
	used := a.used(l, d.CountedAt)
	if used.Plus(amount).Compare(limit) > 0 {
		c.Result, c.Reason = rationale.Failed, reason
		c.Message, c.Within = exhausted(l, limit.Minus(used), amount)
	}
	return c
}

// place sets the calendar window of a limit that a time is in; of one that slides,
// none. It reports whether the limit is for a stretch of time that is known.
func (b *budgets) place(l *rationale.Limit, at time.Time) bool {
	l.From, l.Until = time.Time{}, time.Time{}
	per, ok := slidingPer(l)
	if !ok || per > 0 {
		return ok
	}
	zone := b.zones[l.Zone]
	if zone == nil {
		var err error
		if zone, err = time.LoadLocation(l.Zone); err != nil || l.Zone == "" || zone == time.Local {
			return false
		}
		b.zones[l.Zone] = zone
	}
	l.From, l.Until = calendar.Window(l.Per, zone, at)
	return true
}

// amountFor returns what a call takes of a limit.
func amountFor(d *rationale.Decision, l *rationale.Limit) (money.Amount, bool) {
	switch {
	case l.Kind == rationale.CheckRate:
		return money.Count(1), true
	case l.Kind != rationale.CheckWindow || d.Spend == nil || d.Spend.Currency != l.Currency:
		return money.Amount{}, false
	}
	return money.Parse(d.Spend.Amount)
}

// described names a limit as people do: "1000 EUR per 24h".
func described(l *rationale.Limit) string {
	per := l.Per
	if d, ok := slidingPer(l); ok && d > 0 {
		per = shortDuration(d)
	}
	if l.Zone != "" {
		per += " in " + l.Zone
	}
	if l.Kind == rationale.CheckRate {
		return l.Max + " calls per " + per
	}
	return l.Max + " " + l.Currency + " per " + per
}

// exhausted says what is left of a limit.
func exhausted(l *rationale.Limit, left, amount money.Amount) (message, within string) {
	until := "now"
	if !l.Until.IsZero() {
		until = "until " + l.Until.UTC().Format(time.RFC3339)
	}
	if l.Kind == rationale.CheckRate {
		return fmt.Sprintf("the limit is %s, and none is left", described(l)), "no more calls " + until
	}
	return fmt.Sprintf("the limit is %s, and %s %s is left: the call takes %s %s", described(l), left, l.Currency, amount, l.Currency),
		fmt.Sprintf("at most %s %s %s", left, l.Currency, until)
}

// reserve takes what a concluded decision takes, before it is recorded.
func (b *budgets) reserve(d *rationale.Decision) *reservation {
	r := &reservation{at: d.CountedAt, lease: d.Lease, parts: make([]part, 0, len(d.Limits)), call: callOf(d)}
	for i := range d.Limits {
		l := &d.Limits[i]
		amount, ok := amountFor(d, l)
		if !ok { // check refuses it; a record that says so takes all there is
			amount, _ = money.Parse(l.Max)
		}
		p := part{account: accountOf(d, l), amount: amount, from: l.From, until: l.Until}
		a := b.accounts[p.account]
		if a == nil {
			a = newAccount(l)
			b.accounts[p.account] = a
		}
		a.expect(l, d.CountedAt)
		a.open, a.refs = a.open.Plus(amount), a.refs+1
		r.parts = append(r.parts, p)
	}
	b.taken[d.ID] = r
	b.bytes += r.size()
	return r
}

// withdraw gives back what was reserved for a decision that was not recorded.
func (b *budgets) withdraw(id string) {
	if r := b.taken[id]; r != nil && !r.recorded {
		b.close(id, r, nil)
	}
}

// admitted takes in a decision that is recorded.
func (b *budgets) admitted(d *rationale.Decision, segment uint64) {
	if !d.Takes() || b.ended.has(d.ID) {
		return
	}
	r := b.taken[d.ID]
	if r == nil {
		r = b.reserve(d)
	} else {
		r.own = true
	}
	r.recorded, r.segment = true, segment
	if r.at.After(b.recorded) {
		b.recorded = r.at
	}
	if r.at.After(b.seen) {
		b.seen = r.at
	}
	for i := range r.parts {
		b.accounts[r.parts[i].account].roll(&r.parts[i])
		b.observe(r.parts[i].account, r.own)
	}
}

// concluded takes in the outcome of a decision: what it spent counts from now
// on, unless nobody knows, or the outcome came too late.
func (b *budgets) concluded(o *rationale.Outcome) {
	r := b.taken[o.Decision]
	if r == nil || r.held {
		return
	}
	spent, priced := money.Parse(o.Spent)
	switch known := known(o.Status); {
	case !known || o.At.After(r.lease):
		r.held = true
		b.raise(r, spent)
	case o.Status == rationale.StatusNotExecuted:
		b.close(o.Decision, r, nil)
	default:
		b.close(o.Decision, r, &charge{spent, priced})
	}
}

// known reports whether a status says how a call ended.
func known(s rationale.Status) bool {
	switch s {
	case rationale.StatusSuccess, rationale.StatusError, rationale.StatusPanic, rationale.StatusNotExecuted:
		return true
	}
	return false
}

// raise holds what a call spent where that is more than it took.
func (b *budgets) raise(r *reservation, spent money.Amount) {
	for i := range r.parts {
		p := &r.parts[i]
		if p.account.Kind == rationale.CheckWindow && spent.Compare(p.amount) > 0 {
			a := b.accounts[p.account]
			a.open, p.amount = a.open.Plus(spent.Minus(p.amount)), spent
			b.observe(p.account, r.own || r.settling)
		}
	}
}

// settled takes in a settlement.
func (b *budgets) settled(s *rationale.Settlement) {
	r := b.taken[s.Decision]
	if r == nil {
		return
	}
	if s.Status == rationale.StatusNotExecuted {
		b.close(s.Decision, r, nil)
		return
	}
	spent, priced := money.Parse(s.Spent)
	b.close(s.Decision, r, &charge{spent, priced})
}

// charge is what a call spent; where it is not known, what it took.
type charge struct {
	spent money.Amount
	known bool
}

// close ends a reservation, and counts what was spent; nil: nothing.
func (b *budgets) close(id string, r *reservation, spent *charge) {
	for i := range r.parts {
		p := &r.parts[i]
		a := b.accounts[p.account]
		a.open, a.refs = a.open.Minus(p.amount), a.refs-1
		if spent != nil {
			amount := p.amount
			if spent.known && p.account.Kind == rationale.CheckWindow {
				amount = spent.spent
			}
			a.count(p, r.at, amount, b.recorded)
		}
		if r.recorded {
			b.observe(p.account, r.own || r.settling)
		}
	}
	delete(b.taken, id)
	b.bytes -= r.size()
	if r.recorded {
		b.ended.add(id)
	}
}
