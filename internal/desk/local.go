package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

// maxWhy bounds why somebody settles, suspends or resumes, in bytes; what goes with
// an answer or a review the ledger bounds.
const maxWhy = 2048

// At returns the desk of a person at a ledger.
func At(l Ledger, who authority.User) Desk { return &local{l, who} }

type local struct {
	ledger Ledger
	who    authority.User
}

func (d *local) Tickets(ctx context.Context) ([]Ticket, error) {
	now, err := d.ledger.Now(ctx)
	if err != nil {
		return nil, err
	}
	open, err := d.ledger.Tickets(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Ticket, len(open))
	for i, p := range open {
		all[i].Pending = p
		if err := p.Answer(d.approval(rationale.AnswerApprove), now); err != nil {
			all[i].WhyNot = err.Error()
		}
		if p.Decision.Sealed != nil {
			d.unseal(&all[i], now)
		}
	}
	return all, nil
}

// unseal shows what is sealed to those who may answer the ticket, and to nobody
// else.
func (d *local) unseal(t *Ticket, now time.Time) {
	hidden := *t.Decision
	hidden.Sealed = &rationale.Sealed{Key: t.Decision.Sealed.Key}
	sealed := t.Decision
	t.Decision = &hidden
	if t.Pending.Answer(d.approval(rationale.AnswerDeny), now) != nil {
		t.Payload = "sealed: shown to those who may answer"
		return
	}
	keys, err := d.ledger.Subjects()
	if err != nil {
		t.Payload = "sealed, and the keys cannot be read"
		return
	}
	open, erased, err := keys.Open(sealed)
	switch {
	case err != nil:
		t.Payload = "sealed, and does not open: " + err.Error()
	case erased != nil:
		t.Payload = fmt.Sprintf("erased %s by %s: %s", erased.At.UTC().Format(time.RFC3339), erased.By, erased.Why)
	case rationale.SealedUnder(open) != "":
		t.Payload = "sealed, and its key is not here"
	default:
		t.Decision = open.(*rationale.Decision)
	}
}

// approval is an answer of the person that is only tried.
func (d *local) approval(answer rationale.Answer) *rationale.Approval {
	return &rationale.Approval{By: d.who.Person, Answer: answer, Why: "-"}
}

func (d *local) Answer(ctx context.Context, a Answer) (*rationale.Approval, error) {
	rec := &rationale.Approval{Ticket: a.Ticket, By: d.who.Person, Answer: a.Answer, Why: a.Why, Change: a.Change}
	if err := d.ledger.Answer(ctx, rec); err != nil {
		return nil, err
	}
	return rec, nil
}

func (d *local) Reviews(ctx context.Context) ([]Owed, error) {
	owed, err := d.ledger.Reviews(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Owed, len(owed))
	for i, one := range owed {
		all[i].Decision = one
		if err := one.Reviewed(&rationale.Review{By: d.who.Person, Finding: rationale.Upheld}); err != nil {
			all[i].WhyNot = err.Error()
		}
	}
	return all, nil
}

func (d *local) Review(ctx context.Context, r Review) (*rationale.Review, error) {
	rec := &rationale.Review{Decision: r.Decision, By: d.who.Person, Finding: r.Finding, Why: r.Why, Action: r.Action}
	if err := d.ledger.Review(ctx, rec); err != nil {
		return nil, err
	}
	return rec, nil
}

func (d *local) Held(ctx context.Context) ([]ledger.Held, error) { return d.ledger.Held(ctx) }

// Settle lets those settle whom the authority matrix names, other than who asked
// for the call, and who owns the authorization: they would say of their own spending
// that it never happened.
func (d *local) Settle(ctx context.Context, s Settlement) (*rationale.Settlement, error) {
	id := rationale.Printable(d.who.ID)
	if !d.who.Settles {
		return nil, fmt.Errorf("%w: %s is not one of those who settle: the authority matrix names them in settlement: {by: […]}", ErrNotPermitted, id)
	}
	if err := checkWhy(s.Why); err != nil {
		return nil, err
	}
	held, err := d.ledger.Held(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(held, func(h ledger.Held) bool { return h.Decision == s.Decision })
	if i < 0 {
		return nil, fmt.Errorf("%w: %s", ledger.ErrNotHeld, rationale.Printable(s.Decision))
	}
	switch h := held[i]; {
	case h.Agent == "":
		return nil, fmt.Errorf("%w: an older version held this call, and did not keep whose it is: settle it in the host", ErrNotPermitted)
	case rationale.SamePerson(d.who.ID, h.Agent), rationale.SamePerson(d.who.ID, h.OnBehalfOf):
		return nil, fmt.Errorf("%w: %s asked for this call: somebody else must settle it", ErrNotPermitted, id)
	case rationale.SamePerson(d.who.ID, h.Owner):
		return nil, fmt.Errorf("%w: %s owns the authorization: somebody else must settle the call", ErrNotPermitted, id)
	}
	rec := &rationale.Settlement{Decision: s.Decision, Status: s.Status, Spent: s.Spent, By: d.who.ID, Why: s.Why}
	if err := d.ledger.Settle(ctx, rec); err != nil {
		return nil, err
	}
	return rec, nil
}

func (d *local) Budgets(ctx context.Context) ([]ledger.Budget, error) { return d.ledger.Budgets(ctx) }

func (d *local) Suspensions(ctx context.Context) ([]*rationale.Lifecycle, error) {
	return d.ledger.Suspensions(ctx)
}

// Suspend is for everybody who is known: it stops an agent, and starts nothing. What no
// document is of is suspended too, since a host may be about to load one.
func (d *local) Suspend(ctx context.Context, s Switch) (warning string, err error) {
	if err := checkWhy(s.Why); err != nil {
		return "", err
	}
	if err := d.ledger.Suspend(ctx, s.What, d.who.ID, s.Why); err != nil {
		return "", err
	}
	docs, err := d.ledger.Documents(ctx)
	if err != nil {
		return "", nil // it is suspended, and that counts
	}
	return strange(s.What, docs), nil
}

// Resume is for those whom the authority matrix names.
func (d *local) Resume(ctx context.Context, s Switch) error {
	if !d.who.Resumes {
		return fmt.Errorf("%w: %s is not one of those who end suspensions: the authority matrix names them in resumption: {by: […]}",
			ErrNotPermitted, rationale.Printable(d.who.ID))
	}
	if err := checkWhy(s.Why); err != nil {
		return err
	}
	return d.ledger.Resume(ctx, s.What, d.who.ID, s.Why)
}

func (d *local) Unanswered(ctx context.Context) ([]ledger.UnansweredAudit, error) {
	return d.ledger.Unanswered(ctx)
}

func (d *local) Audited(ctx context.Context, a Audited) (string, error) {
	if err := d.audits(a.Result.Authorization); err != nil {
		return "", err
	}
	return d.ledger.Audited(ctx, a.Result, a.From, a.Until, d.who.ID)
}

func (d *local) AnswerAudit(ctx context.Context, a AuditAnswer) error {
	all, err := d.ledger.Unanswered(ctx)
	if err != nil {
		return err
	}
	of := "" // the ledger refuses an audit that does not wait
	for _, u := range all {
		if u.Audit == a.Audit {
			of = u.Authorization
		}
	}
	if err := d.audits(of); err != nil {
		return err
	}
	if err := checkWhy(a.Why); err != nil {
		return err
	}
	return d.ledger.AnswerAudit(ctx, a.Audit, d.who.ID, a.Why)
}

// audits lets those audit whom the authority matrix names, other than who owns the
// authorization, and its agent: they would say of themselves that all is well.
func (d *local) audits(authorization string) error {
	id := rationale.Printable(d.who.ID)
	switch {
	case !d.who.Audits:
		return fmt.Errorf("%w: %s is not one of those who audit: the authority matrix names them in audit: {by: […]}", ErrNotPermitted, id)
	case slices.Contains(d.who.Party, authorization):
		return fmt.Errorf("%w: %s owns the authorization %s, or is its agent: somebody else must audit it", ErrNotPermitted, id, rationale.Printable(authorization))
	}
	return nil
}

func checkWhy(why string) error {
	if strings.TrimSpace(why) == "" || len(why) > maxWhy || !utf8.ValidString(why) {
		return fmt.Errorf("%w: the record needs to say why: valid UTF-8 of at most %d bytes", ledger.ErrRefused, maxWhy)
	}
	return nil
}
