package ledger

import (
	"time"

	"github.com/ambit-go/ambit/internal/money"
	"github.com/ambit-go/ambit/rationale"
)

// notifying is whom a Memory tells what people have to know.
type notifying struct {
	to    func(rationale.Notification) // nil: nobody
	timer *time.Timer                  // for the next review that falls due
	due   time.Time                    // what the timer is set to; zero: it is not set
}

// Notify calls to, from now on, with what only a ledger learns: a review that is
// overdue, once, and a window of which 80 or 100 percent count as spent, reserved
// or held. Each of the two is told when it is reached, and again only after less
// counted in between. What calls ask of people is told by the guard
// (guard.WithNotifications). There is one such function: the last that was given;
// nil ends it.
//
// After a restart, reviews that are overdue are told once more; budgets are not. Of
// the processes that share a log, each tells of overdue reviews, under the same id, and
// of a budget only the one whose call reached it.
//
// The function must return quickly and be safe for concurrent use, as the Notify of
// a notify.Queue does: calls wait for it. It must not call the ledger: what it is to
// answer or suspend it hands to a goroutine. It cannot fail a call: a panic is ignored.
func (m *Memory) Notify(to func(rationale.Notification)) {
	m.mu.Lock()
	m.notifying.to, m.budgets.telling = to, to != nil
	m.mu.Unlock()
	m.notify(m.now())
}

// notify hands over what was learned until a time.
func (m *Memory) notify(at time.Time) {
	m.mu.Lock()
	to := m.notifying.to
	if to == nil {
		m.mu.Unlock()
		return
	}
	told := m.budgets.told
	m.budgets.told = nil
	for _, d := range m.reviews.takeOverdue(m.later(at)) {
		told = append(told, rationale.OverdueNotification(d, m.later(at)))
	}
	m.awaitOverdue()
	m.mu.Unlock()
	for _, n := range told {
		tell(to, n)
	}
}

// tell survives a panic of the host's function.
func tell(to func(rationale.Notification), n rationale.Notification) {
	defer func() { _ = recover() }()
	to(n)
}

// awaitOverdue sets the timer to the next review that falls due, so that an agent
// that does nothing more hides none. A clock of the host's that runs otherwise than
// time does is asked again, at most once a second. It is called with the lock held.
func (m *Memory) awaitOverdue() {
	first := m.reviews.untold.first()
	if first == nil || first.at.Equal(m.notifying.due) {
		return
	}
	m.stopTimer()
	m.notifying.due = first.at
	m.notifying.timer = time.AfterFunc(max(first.at.Sub(m.now()), time.Second), func() {
		m.mu.Lock()
		m.notifying.due = time.Time{}
		m.mu.Unlock()
		m.notify(m.now())
	})
}

func (m *Memory) stopTimer() {
	if m.notifying.timer != nil {
		m.notifying.timer.Stop()
	}
	m.notifying.due = time.Time{}
}

// quiet ends all notifications.
func (m *Memory) quiet() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notifying.to, m.budgets.telling = nil, false
	m.stopTimer()
}

// now is the shared log's time, the journal's, or the system's.
func (m *Memory) now() time.Time {
	switch {
	case m.shared != nil:
		return m.shared.Now()
	case m.journal != nil:
		return m.journal.Now()
	}
	return time.Now()
}

// takeOverdue returns the decisions whose reviews are overdue at a time, each once.
func (s *reviews) takeOverdue(at time.Time) []*rationale.Decision {
	var overdue []*rationale.Decision
	for first := s.untold.first(); first != nil && !first.at.After(at); first = s.untold.first() {
		overdue = append(overdue, s.byID[first.id].decision)
		s.untold.remove(first.id)
	}
	return overdue
}

// The shares of a limit, in percent, that are told.
const (
	muchSpent = 80
	allSpent  = 100
)

// reached returns the last of them that counts as spent; 0: neither.
func reached(used, limit money.Amount) int {
	four := limit.Plus(limit).Plus(limit).Plus(limit)
	five := used.Plus(used).Plus(used).Plus(used).Plus(used)
	switch {
	case limit.IsZero():
		return 0
	case used.Compare(limit) >= 0:
		return allSpent
	case five.Compare(four) >= 0:
		return muchSpent
	}
	return 0
}

// expect notes what the limit of an account is, and how much of it counts before a
// call takes more: time alone may have freed some.
func (a *account) expect(l *rationale.Limit, at time.Time) {
	a.limit, _ = money.Parse(l.Max)
	if a.reached > 0 {
		a.reached = min(a.reached, reached(a.used(l, at), a.limit))
	}
}

// observe notes how much of a limit counts, and tells it where it is more than was
// told, and comes of a step of this process: of several, one tells.
func (b *budgets) observe(key accountKey, own bool) {
	a := b.accounts[key]
	if key.Kind != rationale.CheckWindow {
		return
	}
	used := a.used(&rationale.Limit{From: a.from}, b.recorded) // which all replicas know
	now := reached(used, a.limit)
	for _, percent := range [...]int{muchSpent, allSpent} {
		if !b.telling || !own || percent <= a.reached || percent > now {
			continue
		}
		b.told = append(b.told, rationale.Notification{
			ID: rationale.NewID(b.seen), Kind: rationale.NotifyBudget, At: b.seen.UTC(),
			Agent: key.Agent, Environment: key.Environment, Authorization: key.Authorization, Class: key.Class, Currency: key.Currency,
			Budget: &rationale.SpentBudget{
				Percent: percent, Used: used.String(), Limit: a.limit.String(), Per: key.Per, Zone: key.Zone, From: a.from, Until: a.until,
				CostCentre: key.CostCentre,
			},
		})
	}
	a.reached = now
}
