package guardtest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/rationale"
)

// NotifyingLedger is a ledger that tells what only it learns, and wakes whoever
// waits for people.
type NotifyingLedger interface {
	PeopleLedger
	guard.WaitingLedger
	Notify(to func(rationale.Notification))
}

// Notifications notes what it is told; give its Note to WithNotifications or
// Notify. It is safe for concurrent use; the zero value is ready to use.
type Notifications struct {
	mu   sync.Mutex
	told []rationale.Notification
}

// Note notes one.
func (n *Notifications) Note(one rationale.Notification) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told = append(n.told, one)
}

// Take returns what was told since the last Take, in order.
func (n *Notifications) Take() []rationale.Notification {
	n.mu.Lock()
	defer n.mu.Unlock()
	told := n.told
	n.told = nil
	return told
}

// Percents returns which shares of budgets were told since the last Take.
func (n *Notifications) Percents() []int {
	var all []int
	for _, one := range n.Take() {
		if one.Budget != nil {
			all = append(all, one.Budget.Percent)
		}
	}
	return all
}

// TestNotifications checks that a ledger tells of budgets and reviews, each when it
// is due and not twice, and that Wait ends when people have answered. New returns a
// ledger without records.
func TestNotifications(t *testing.T, newLedger func(t *testing.T) NotifyingLedger) {
	t.Run("a budget", func(t *testing.T) { testBudget(t, newLedger(t)) })
	t.Run("a budget under many", func(t *testing.T) { testBudgetUnderMany(t, newLedger(t)) })
	t.Run("an overdue review", func(t *testing.T) { testOverdue(t, newLedger(t)) })
	t.Run("a function that panics", func(t *testing.T) {
		l := newLedger(t)
		l.Notify(func(rationale.Notification) { panic("down") })
		assert.Equal(t, rationale.Allow, take(t, l, "100").Verdict)
	})
	t.Run("waiting", func(t *testing.T) { testWaiting(t, newLedger(t)) })
}

// take admits a call that takes of a window of 100 EUR in a day.
func take(t *testing.T, l guard.Ledger, amount string) *rationale.Decision {
	t.Helper()
	d := Allowed()
	d.Spend = &rationale.Spend{Currency: "EUR", Amount: amount, Basis: "amount"}
	d.Limits = []rationale.Limit{{Kind: rationale.CheckWindow, ID: "windows[0]", Max: "100", Currency: "EUR", Per: "24h0m0s"}}
	require.NoError(t, l.Admit(t.Context(), d))
	return d
}

func testBudget(t *testing.T, l NotifyingLedger) {
	told := new(Notifications)
	l.Notify(told.Note)
	take(t, l, "70")
	assert.Empty(t, told.Take())
	much := take(t, l, "10")
	list := told.Take()
	require.Len(t, list, 1)
	n := list[0]
	assert.Equal(t, rationale.NotifyBudget, n.Kind)
	assert.NotEmpty(t, n.ID)
	assert.Equal(t, []string{AgentID, Environment, "scale", "EUR"}, []string{n.Agent, n.Environment, n.Class, n.Currency})
	assert.Equal(t, rationale.SpentBudget{Percent: 80, Used: "80", Limit: "100", Per: "24h0m0s"}, *n.Budget)
	last := take(t, l, "20")
	assert.Equal(t, []int{100}, told.Percents())
	assert.Equal(t, rationale.Deny, take(t, l, "1").Verdict)
	assert.Empty(t, told.Percents(), "a call that takes nothing")

	complete := func(d *rationale.Decision, spent string) {
		o := OutcomeOf(d)
		o.Spent = spent
		require.NoError(t, l.Complete(t.Context(), o))
	}
	complete(last, "5") // 85
	take(t, l, "15")
	assert.Equal(t, []int{100}, told.Percents(), "it fell below 100, not below 80")
	complete(much, "30") // an overrun
	assert.Empty(t, told.Percents(), "it was told")
}

func testBudgetUnderMany(t *testing.T, l NotifyingLedger) {
	told := new(Notifications)
	l.Notify(told.Note)
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() { take(t, l, "2") })
	}
	all.Wait()
	percents := told.Percents()
	slices.Sort(percents)
	assert.Equal(t, []int{80, 100}, slices.Compact(slices.Clone(percents)))
	assert.Len(t, percents, 2, "each is told once")
}

func testOverdue(t *testing.T, l NotifyingLedger) {
	told := new(Notifications)
	l.Notify(told.Note)
	owing := draft(classify.BoundedEscalation, rationale.Passed)
	owing.At = owing.At.Add(-ago)
	owing.Terms.ReviewBy, owing.Terms.ReviewWithin, owing.Terms.MaxOverdue = []string{"group:risk"}, ago-time.Second, 5
	require.NoError(t, l.Admit(t.Context(), owing))
	take(t, l, "1")
	list := told.Take()
	require.Len(t, list, 1)
	assert.Equal(t, rationale.NotifyOverdue, list[0].Kind)
	assert.Equal(t, owing.ID, list[0].Decision)
	assert.Equal(t, []string{"group:risk"}, list[0].People)
	take(t, l, "1")
	assert.Empty(t, told.Take(), "once")
}

func testWaiting(t *testing.T, l NotifyingLedger) {
	assert.NoError(t, l.Wait(t.Context(), "unknown"), "there is nothing to wait for")
	for _, answer := range []rationale.Answer{rationale.AnswerApprove, rationale.AnswerDeny} {
		d := Pending()
		d.Terms.ApproveQuorum = 2
		require.NoError(t, l.Admit(t.Context(), d))
		say := func(by string, answer rationale.Answer) {
			a := &rationale.Approval{Ticket: d.ID, By: rationale.Person{ID: by, Groups: []string{"oncall"}}, Answer: answer, Why: "no"}
			require.NoError(t, l.Answer(t.Context(), a))
		}
		say("sam", rationale.AnswerApprove)
		cancelled, cancel := context.WithCancelCause(t.Context())
		cancel(assert.AnError)
		require.ErrorIs(t, l.Wait(cancelled, d.ID), assert.AnError, "one of two has answered")
		woken := make(chan error)
		go func() { woken <- l.Wait(t.Context(), d.ID) }()
		say("kim", answer)
		assert.NoError(t, <-woken)
		assert.NoError(t, l.Wait(t.Context(), d.ID), "it is answered")
	}
}
