package einoguard

import (
	"context"
	"sync"
	"time"

	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"

	"github.com/ambit-go/ambit/guard"
)

// Pending is the information of the interrupt (compose.InterruptCtx.Info) of a
// call that waits for people.
type Pending struct {
	Ticket  string    // that people answer, at the ledger
	Tool    string    // the tool's own name, after its server's
	Expires time.Time // of the ticket
}

type interruptsKey struct{}

// WithInterrupts returns a context for runs in which a call that pends interrupts
// the run, with a *[Pending] as information. The run needs a checkpoint store. Once
// people have answered the ticket, resume the run at the interrupt, by its id
// (compose.Resume, adk.Runner.ResumeWithParams), with such a context again: the call
// is then evaluated again with its ticket. Data that comes with the resumption is
// ignored: who approved is known from the ledger alone. An interrupt that the
// resumption does not name waits on.
//
// Host middleware that makes results of a tool's errors must let an interrupt pass
// (compose.IsInterruptRerunError): otherwise nobody is asked, and the call does not run.
//
// Without it a pend is a result, which tells the model that people must approve.
func WithInterrupts(ctx context.Context) context.Context {
	return context.WithValue(ctx, interruptsKey{}, true)
}

// asked is what a call that interrupted the run has to know when it resumes.
type asked struct {
	Ticket, Tool, Text, Reasoning, Source string
	Expires                               time.Time
}

// registered makes known to gob, under names of our own, what checkpoints have of
// interrupts: their state, and of nested agents their information.
var registered = sync.OnceFunc(func() {
	schema.RegisterName[*asked]("ambit_einoguard_asked")
	schema.RegisterName[*Pending]("ambit_einoguard_pending")
})

// unreadable stands in for a ticket that was lost with the state of an interrupt.
const unreadable = "unreadable"

// ask evaluates a call, and interrupts the run where it has to wait for people: the
// error is then eino's signal.
func (t *guarded) ask(ctx context.Context, call guard.Call) (context.Context, guard.Decision, error) {
	// Middleware, and the tool itself, may interrupt at the tool's address.
	own := compose.AppendAddressSegment(ctx, "guard", "approval")
	resumed, _, _ := compose.GetInterruptState[any](own)
	if resumed {
		_, kept, was := compose.GetInterruptState[*asked](own)
		kept = kept && was != nil
		if named, _, _ := compose.GetResumeContext[any](own); !named && kept {
			return ctx, guard.Decision{}, was.interrupt(own)
		}
		call.Ticket = unreadable // which denies
		if kept {
			call.Ticket, call.Text, call.Reasoning, call.TextSource = was.Ticket, was.Text, was.Reasoning, was.Source
		}
	}
	inside, d := t.guard.Begin(ctx, call)
	interrupts, _ := ctx.Value(interruptsKey{}).(bool)
	record := d.Record()
	if record.Ticket == nil || !interrupts {
		return inside, d, nil
	}
	waits := &asked{record.ID, t.id.String(), call.Text, call.Reasoning, call.TextSource, record.Ticket.Expires}
	return inside, d, waits.interrupt(own)
}

func (a *asked) interrupt(own context.Context) error {
	return compose.StatefulInterrupt(own, &Pending{a.Ticket, a.Tool, a.Expires}, a)
}
