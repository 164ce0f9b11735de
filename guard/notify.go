package guard

import "github.com/ambit-go/ambit/rationale"

// WithNotifications names a function that is told of every call that pends or is
// denied, also of those that could not be recorded. What only a ledger learns,
// overdue reviews and spent budgets, its own Notify tells (ledger.Memory.Notify).
//
// The function must return quickly and be safe for concurrent use, as the Notify of
// a notify.Queue does: calls wait for it. It cannot change or fail one: a panic is
// ignored.
func WithNotifications(to func(rationale.Notification)) Option {
	return func(c *config) { c.notifications = to }
}

// notify tells people what a decision asks of them.
func (g *Guard) notify(d *rationale.Decision) {
	if g.notifications == nil || d.Verdict == rationale.Allow {
		return
	}
	_ = protect("the notification", func() error {
		if n, ok := rationale.NotificationOf(d); ok {
			g.notifications(n)
		}
		return nil
	})
}
