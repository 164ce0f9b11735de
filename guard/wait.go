package guard

import (
	"context"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

type waitKey struct{}

// WithWait returns a context with which [Guard.Begin], and so [Wrap] and every
// adapter, waits for people where a call pends: for hosts that cannot interrupt a
// run. When they have answered the ticket, or it has expired, the call is evaluated again
// with its ticket, in a second decision whose parent is the first; if that pends
// too, people are waited for again. When max has passed since the first pend, or ctx
// ends, the answer is the pend, and its ticket stays open.
//
// The ledger must be a [WaitingLedger], as ledger.Memory is; with another one nothing
// waits. Nor does anything with a max of zero or less, which also ends the waiting that
// ctx asks for.
func WithWait(ctx context.Context, max time.Duration) context.Context {
	return context.WithValue(ctx, waitKey{}, max)
}

// waiting is what Begin knows of a call that waited before it is evaluated again.
type waiting struct {
	until  time.Time
	callID string // under which the session knows it
}

// answered waits for people, if ctx says so, and reports whether the call is to be
// evaluated again, with the ticket that it then has.
func (g *Guard) answered(ctx context.Context, call *Call, pend *rationale.Decision) bool {
	longest, _ := ctx.Value(waitKey{}).(time.Duration)
	ledger, ok := g.ledger.(WaitingLedger)
	if pend.Ticket == nil || longest <= 0 || !ok {
		return false
	}
	if call.waited.until.IsZero() {
		call.waited = waiting{time.Now().Add(longest), pend.CallID}
	}
	left, expires := time.Until(call.waited.until), pend.Ticket.Expires.Sub(g.clock.latest())
	timed, stop := context.WithTimeout(ctx, min(left, expires))
	defer stop()
	err := protect("the ledger", func() error { return ledger.Wait(timed, pend.ID) })
	expired := timed.Err() != nil && expires <= left
	if ctx.Err() != nil || err != nil && !expired {
		return false
	}
	call.Ticket = pend.ID
	return true
}
