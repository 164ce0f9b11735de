package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

// oncall is the person who answers tickets here. It stands in for somebody at a
// screen, behind the host's own login, which says who it is and in which groups.
var oncall = rationale.Person{ID: "n.berg@bank.example", Groups: []string{"assistant-sre-oncall"}}

const thinking = 20 * time.Second // until there is an answer

// answer answers one ticket, from what the ledger says of the action and its
// price, and not from what the agent says. It returns the answer in words.
func answer(ctx context.Context, l *ledger.Memory, ticket string, at time.Time) (string, error) {
	tickets := l.Tickets(at)
	i := slices.IndexFunc(tickets, func(p rationale.Pending) bool { return p.Decision.ID == ticket })
	if i < 0 {
		return "", fmt.Errorf("no ticket %s is open", ticket)
	}
	a := &rationale.Approval{Ticket: ticket, At: at, By: oncall, Answer: rationale.AnswerApprove, Change: "CHG-2217"}
	said := "approves, under " + a.Change
	if frozen(at) {
		a.Answer, a.Change, a.Why = rationale.AnswerDeny, "", "nothing is resized while changes are frozen"
		said = "denies: " + a.Why
	}
	return fmt.Sprintf("%s (%s) %s", oncall.ID, oncall.Groups[0], said), l.Answer(ctx, a)
}

// checkpoints keeps interrupted runs in memory, where a host that is to survive
// a restart keeps them in a file or a database.
type checkpoints map[string][]byte

func (c checkpoints) Get(_ context.Context, id string) ([]byte, bool, error) {
	state, ok := c[id]
	return state, ok, nil
}

func (c checkpoints) Set(_ context.Context, id string, state []byte) error {
	c[id] = slices.Clone(state)
	return nil
}
