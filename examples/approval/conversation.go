package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/cloudwego/eino/adk"

	"github.com/ambit-go/ambit/guard/einoguard"
	"github.com/ambit-go/ambit/rationale"
)

// checkpoint names the one conversation that there is.
const checkpoint = "conversation"

// conversation reads what a person says, and prints what the agent says.
type conversation struct {
	host *host
	in   io.Reader
	out  io.Writer
}

func (c *conversation) run(ctx context.Context) error {
	w, err := c.host.store.load()
	if err != nil {
		return err
	}
	if w != (waiting{}) {
		fmt.Fprintln(c.out, "Going on where the last process was.")
		if err := c.goOn(ctx, w); err != nil {
			return err
		}
	}
	fmt.Fprintln(c.out, `Say "pay INV-7 80", or "pay INV-8 900", which a person has to approve. ctrl-d ends.`)
	for lines := bufio.NewScanner(c.in); ; {
		fmt.Fprint(c.out, "you> ")
		if !lines.Scan() {
			fmt.Fprintln(c.out)
			return lines.Err()
		}
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		run := einoguard.WithInterrupts(ctx) // in this run, a pend interrupts
		w, err := c.listen(c.host.runner.Query(run, lines.Text(), adk.WithCheckPointID(checkpoint)))
		if err != nil {
			return err
		}
		if err := c.goOn(ctx, w); err != nil {
			return err
		}
	}
}

// listen prints what the agent says, and returns what it waits for, if it does.
func (c *conversation) listen(events *adk.AsyncIterator[*adk.AgentEvent]) (w waiting, err error) {
	for {
		event, more := events.Next()
		if !more {
			return w, err
		}
		if event.Err != nil {
			err = errors.Join(err, fmt.Errorf("the agent: %w", event.Err))
			continue
		}
		if event.Action != nil && event.Action.Interrupted != nil {
			for _, at := range event.Action.Interrupted.InterruptContexts {
				if p, ok := at.Info.(*einoguard.Pending); ok && at.IsRootCause {
					w = waiting{at.ID, p.Ticket}
				}
			}
		}
		if event.Output != nil && event.Output.MessageOutput != nil {
			message, e := event.Output.MessageOutput.GetMessage()
			if e == nil && message.Role == "assistant" && message.Content != "" {
				fmt.Fprintf(c.out, "agent> %s\n", rationale.Printable(message.Content)) // a model's text
			}
			err = errors.Join(err, e)
		}
	}
}

// goOn waits for people and resumes, until the run waits for nothing. It says what it
// waits for before it does: another process can go on from there.
func (c *conversation) goOn(ctx context.Context, w waiting) error {
	for w != (waiting{}) {
		if err := c.host.store.keep(w); err != nil {
			return err
		}
		if err := c.wait(ctx, w.Ticket); err != nil {
			return err
		}
		// Nothing that is given here approves: the guard asks the ledger about the ticket.
		events, err := c.host.runner.ResumeWithParams(einoguard.WithInterrupts(ctx), checkpoint,
			&adk.ResumeParams{Targets: map[string]any{w.Interrupt: nil}}, adk.WithCheckPointID(checkpoint))
		if err != nil {
			return err
		}
		if w, err = c.listen(events); err != nil {
			return err
		}
		if w == (waiting{}) {
			return c.host.store.forget()
		}
	}
	return nil
}

// wait returns when the ticket is approved, denied or expired, whichever comes first,
// and also when that happened before.
func (c *conversation) wait(ctx context.Context, ticket string) error {
	journal, asked := c.host.ledger.Journal(), false
	for {
		head := journal.Head().Seq // what comes behind it is a reason to look again
		open := c.host.ledger.Tickets(journal.Now())
		i := slices.IndexFunc(open, func(p rationale.Pending) bool { return p.Decision.ID == ticket })
		if i < 0 || open[i].Approved() != nil {
			return nil
		}
		if !asked {
			c.ask(open[i].Decision)
			asked = true
		}
		if err := c.next(ctx, head, open[i].Decision.Ticket.Expires); err != nil {
			return err
		}
	}
}

// next returns when there is another record, or the ticket expires.
func (c *conversation) next(ctx context.Context, head uint64, expires time.Time) error {
	until, cancel := context.WithDeadline(ctx, expires)
	defer cancel()
	err := c.host.ledger.Journal().Wait(until, head)
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

func (c *conversation) ask(d *rationale.Decision) {
	fmt.Fprintf(c.out, "A person has to approve %s EUR, until %s. In a second terminal:\n\n", d.Spend.Amount, d.Ticket.Expires.Local().Format("15:04:05"))
	fmt.Fprintf(c.out, "  go run ./cmd/ambit approvals %s\n", c.host.evidence())
	fmt.Fprintf(c.out, "  go run ./cmd/ambit approvals approve %s %s\n", c.host.evidence(), d.ID)
	fmt.Fprintf(c.out, "  go run ./cmd/ambit approvals deny -why REASON %s %s\n\n", c.host.evidence(), d.ID)
}
