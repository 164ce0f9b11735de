package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ambit-go/ambit/internal/desk"
	"github.com/ambit-go/ambit/rationale"
)

const approvalsHelp = `
Usage: ambit approvals [DIR] [-o text|json]
       ambit approvals approve [-why TEXT] [-change REFERENCE] DIR TICKET
       ambit approvals deny -why TEXT [-change REFERENCE] DIR TICKET

Lists the tickets that wait for people: the exact action, its price, every check, who
has answered and until when; and last, marked, what the agent claims, which nobody has
checked. Or approves or denies one of them. An approval serves for exactly this action,
once; a denial is final, and the agent gets to read why.
` + deskHelp + `
Exits with 0 on success, 1 when an answer does not count, 2 when nothing could be asked.
`

func approvals(t *terminal, args []string) int {
	if len(args) > 0 {
		switch args[0] {
		case "approve":
			return answerTicket(t, rationale.AnswerApprove, args[1:])
		case "deny":
			return answerTicket(t, rationale.AnswerDeny, args[1:])
		}
	}
	l := listing[desk.Ticket]{desk.Desk.Tickets, lineOf, t.tickets}
	return l.command(newFlags(t, "approvals", approvalsHelp), args, "at most one folder, or approve or deny", "text", "json")
}

func answerTicket(t *terminal, answer rationale.Answer, args []string) int {
	f := newFlags(t, "approvals "+string(answer), approvalsHelp)
	df := addDeskFlags(f)
	why := f.String("why", "", "the reason, as a `TEXT`; required of a denial, where the agent reads it")
	change := f.String("change", "", "the `REFERENCE` of a change ticket")
	rest, code := df.parse(f, args, "a folder and a ticket", 2, 2)
	if code >= 0 {
		return code
	}
	if answer == rationale.AnswerDeny && strings.TrimSpace(*why) == "" {
		return f.misuse("want -why: the agent gets to read it")
	}
	return t.desk(f, df, rest[0], func(ctx context.Context, d desk.Desk) error {
		a, err := d.Answer(ctx, desk.Answer{Ticket: rest[1], Answer: answer, Why: *why, Change: *change})
		if err != nil {
			return err
		}
		text := t.paint(green, "approved")
		if a.Answer != rationale.AnswerApprove {
			text = t.paint(red, "denied")
		}
		of := ""
		if a.Amount != "" {
			of = ", " + a.Amount + " " + a.Currency
		}
		fmt.Fprintf(t.out, "%s  %s\n", text, rationale.Printable(fmt.Sprintf("%s of agent %s%s, by %s", toolName(a.Tool), a.Agent.ID, of, a.By.ID)))
		return nil
	})
}

// ticketLine is a ticket as JSON.
type ticketLine struct {
	Ticket   string            `json:"ticket"`
	Expires  time.Time         `json:"expires"`
	Approve  bool              `json:"you_can_approve"`
	WhyNot   string            `json:"why_not,omitempty"`
	Payload  string            `json:"payload,omitempty"` // why it is not shown
	Answers  []json.RawMessage `json:"answers"`
	Decision json.RawMessage   `json:"decision"`
}

func lineOf(ticket desk.Ticket) ([]byte, error) {
	d := ticket.Decision
	line := ticketLine{
		Ticket: d.ID, Expires: d.Ticket.Expires, Approve: ticket.WhyNot == "", WhyNot: ticket.WhyNot, Payload: ticket.Payload,
		Answers: []json.RawMessage{},
	}
	var err error
	if line.Decision, err = rationale.Marshal(d); err != nil {
		return nil, err
	}
	for _, a := range ticket.Answers {
		data, err := rationale.Marshal(a)
		if err != nil {
			return nil, err
		}
		line.Answers = append(line.Answers, data)
	}
	return json.Marshal(line)
}

// tickets prints each ticket for the person who is to answer: first what the ledger
// knows, and below, under a mark, what the agent says.
func (t *terminal) tickets(all []desk.Ticket, dir string) {
	folded := &folding{w: t.out}
	in := &terminal{out: folded, color: t.color}
	for _, ticket := range all {
		d := ticket.Decision
		fmt.Fprintf(in.out, "%s  %s\n", in.paint(yellow, "TICKET"), in.paint(bold, rationale.Printable(d.ID)))
		in.field("waits", fmt.Sprintf("for %d of %s, until %s", max(d.Ticket.Quorum, 1), strings.Join(d.Ticket.By, ", "), d.Ticket.Expires.UTC().Format(time.RFC3339)))
		for _, a := range ticket.Answers {
			text := string(a.Answer) + " by " + a.By.ID
			for _, more := range []string{a.Change, a.Why} {
				if more != "" {
					text += ": " + more
				}
			}
			in.field("answer", text)
		}
		if ticket.WhyNot == "" {
			in.field("you", "can approve it, and deny it")
		} else {
			in.field("you", "cannot approve it: "+ticket.WhyNot)
		}
		in.field("asked because", reasonList(d.Reasons))
		in.field("payload", ticket.Payload)
		asked := *d
		asked.Ticket = nil // said above
		in.details(&asked)
		in.claim(d)
		fmt.Fprintln(in.out)
	}
	if folded.flush() != nil {
		return // nobody reads it any more
	}
	if len(all) == 0 {
		fmt.Fprintln(t.out, "No call waits for people.")
		return
	}
	fmt.Fprintf(t.out, "%s. Answer one with: ambit approvals approve|deny %s TICKET\n", count(len(all), "ticket"), rationale.Printable(dir))
}
