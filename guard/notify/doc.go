// Package notify delivers notifications: what a guard and a ledger have to tell
// people (guard.WithNotifications, ledger.Memory.Notify). No call waits for it, and
// none fails because of it: a [Queue] takes what it is told at once, or drops it and
// says how much it has dropped. A [Webhook] is where most queues lead.
//
// Notifications are no evidence. They are kept in memory, and are lost with the
// process; what they are about is in the records.
package notify
