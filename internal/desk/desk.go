// Package desk is where people act on what a ledger waits for: what one person
// sees there and may do, and the way there through the socket of a running host.
package desk

import (
	"context"
	"errors"
	"time"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// ErrNotPermitted is the error of what the person may not do, whatever it is about.
var ErrNotPermitted = errors.New("not permitted")

// Desk is a ledger as one person may act on it. An error is [ledger.ErrRefused],
// [ledger.ErrNotHeld], [ErrNotPermitted], [journal.ErrUncertain], or another that
// says what failed; its text is for people.
type Desk interface {
	Tickets(ctx context.Context) ([]Ticket, error)
	Answer(ctx context.Context, a Answer) (*rationale.Approval, error)
	Reviews(ctx context.Context) ([]Owed, error)
	Review(ctx context.Context, r Review) (*rationale.Review, error)
	Held(ctx context.Context) ([]ledger.Held, error)
	Settle(ctx context.Context, s Settlement) (*rationale.Settlement, error)
	Budgets(ctx context.Context) ([]ledger.Budget, error)
	Suspensions(ctx context.Context) ([]*rationale.Lifecycle, error)
	// Suspend suspends whatever is named; the warning says that this may stop nothing.
	Suspend(ctx context.Context, s Switch) (warning string, err error)
	Resume(ctx context.Context, s Switch) error
	Unanswered(ctx context.Context) ([]ledger.UnansweredAudit, error)
	Audited(ctx context.Context, a Audited) (id string, err error)
	AnswerAudit(ctx context.Context, a AuditAnswer) error
}

// Ledger is what a desk needs of a ledger; [Over] makes one of a [ledger.Memory].
// It takes people as they are given: who they are and what they may do is the desk's
// to know.
type Ledger interface {
	Now(ctx context.Context) (time.Time, error)
	Tickets(ctx context.Context) ([]rationale.Pending, error)
	Answer(ctx context.Context, a *rationale.Approval) error
	Reviews(ctx context.Context) ([]*rationale.Decision, error)
	Review(ctx context.Context, r *rationale.Review) error
	Held(ctx context.Context) ([]ledger.Held, error)
	Settle(ctx context.Context, s *rationale.Settlement) error
	Budgets(ctx context.Context) ([]ledger.Budget, error)
	Suspensions(ctx context.Context) ([]*rationale.Lifecycle, error)
	Suspend(ctx context.Context, what rationale.Suspension, by, why string) error
	Resume(ctx context.Context, what rationale.Suspension, by, why string) error
	Unanswered(ctx context.Context) ([]ledger.UnansweredAudit, error)
	Audited(ctx context.Context, result rationale.Audit, from, until time.Time, by string) (id string, err error)
	AnswerAudit(ctx context.Context, audit, by, why string) error
	Documents(ctx context.Context) ([]*rationale.Lifecycle, error)
	// Subjects opens sealed records; nil opens none.
	Subjects() (*journal.SubjectReader, error)
}

// Ticket is a pend as one person sees it.
type Ticket struct {
	rationale.Pending
	// WhyNot says why the person cannot approve it; empty: the person can.
	WhyNot string
	// Payload says why arguments, rationale and what quotes them are not shown;
	// empty: they are.
	Payload string
}

// Owed is an action that owes a review, as one person sees it.
type Owed struct {
	Decision *rationale.Decision
	WhyNot   string // why the person cannot review it; empty: the person can
}

// Answer is what a person says to a ticket.
type Answer struct {
	Ticket string           `json:"ticket"`
	Answer rationale.Answer `json:"answer"`
	Why    string           `json:"why,omitzero"`
	Change string           `json:"change,omitzero"`
}

// Review is how a person judges an action.
type Review struct {
	Decision string            `json:"decision"`
	Finding  rationale.Finding `json:"finding"`
	Why      string            `json:"why,omitzero"`
	Action   string            `json:"action,omitzero"`
}

// Settlement is how a person says that a call ended.
type Settlement struct {
	Decision string           `json:"decision"`
	Status   rationale.Status `json:"status"`
	Spent    string           `json:"spent,omitzero"`
	Why      string           `json:"why"`
}

// Switch is a suspension, or its end.
type Switch struct {
	What rationale.Suspension `json:"what"`
	Why  string               `json:"why"`
}

// Audited is what an audit found of one authorization, and the time that it covers.
type Audited struct {
	Result rationale.Audit `json:"result"`
	From   time.Time       `json:"from"`
	Until  time.Time       `json:"until"`
}

// AuditAnswer is what a person says to an audit that found acts.
type AuditAnswer struct {
	Audit string `json:"audit"`
	Why   string `json:"why"`
}
