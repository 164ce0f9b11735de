package rationale

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/govalues/decimal"

	"github.com/ambit-go/ambit/classify"
)

// Person is somebody whom the host's own login has verified. Nothing in it may
// come from a model, or from the text of a ticket.
type Person struct {
	ID     string   `json:"id"`
	Groups []string `json:"groups,omitempty"` // without "group:"
}

// Answer is what one person says to a ticket. Every value but AnswerApprove
// denies.
type Answer string

const (
	AnswerApprove Answer = "approve"
	AnswerDeny    Answer = "deny"
)

// Approval is one person's answer to a ticket, bound to the one action that the
// ticket is about.
type Approval struct {
	Kind   Kind      `json:"kind"` // KindApproval
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Ticket string    `json:"ticket"` // the id of the pending decision
	By     Person    `json:"by"`
	Answer Answer    `json:"answer"`
	Why    string    `json:"why,omitzero"`    // required of a denial, where the agent gets to read it
	Change string    `json:"change,omitzero"` // reference of a change ticket

	// What follows is the ticket's, and set by [Pending.Answer].

	ActionDigest  string            `json:"action_digest"`
	Currency      string            `json:"currency,omitzero"` // of Amount, UpTo
	Amount        string            `json:"amount,omitzero"`   // the price that was answered to
	UpTo          string            `json:"up_to,omitzero"`    // the person's own ceiling; absent: none applies
	Asked         time.Time         `json:"asked"`             // when the call pended
	Expires       time.Time         `json:"expires"`
	Agent         Agent             `json:"agent"`
	Tool          Tool              `json:"tool"`
	Class         string            `json:"class,omitzero"`
	Authorization *AuthorizationRef `json:"authorization,omitzero"`
	Host          TraceContext      `json:"host,omitzero"` // of the pending decision
}

func (a *Approval) RecordKind() Kind      { return KindApproval }
func (a *Approval) RecordID() string      { return a.ID }
func (a *Approval) RecordTime() time.Time { return a.At }

// Ceiling is how much of what is spent at once a person, or each member of a
// group, may approve.
type Ceiling struct {
	Group    string `json:"group,omitzero"` // or
	Person   string `json:"person,omitzero"`
	Currency string `json:"currency"`
	UpTo     string `json:"up_to"` // exact decimal
}

// Pending is a ticket as its ledger knows it.
type Pending struct {
	// Decision is the call that pends, as recorded: the exact action, its price,
	// and the checks. Its rationale is what the agent claims, and no more. Of a
	// ticket that is closed the arguments and what quotes them are left out.
	Decision *Decision
	Answers  []*Approval // in order
	Used     string      // the decision that the approval was used for; empty: none
	Replaced string      // the decision that pends in its place; empty: none
}

// Denial returns the answer that denies; nil if there is none.
func (p *Pending) Denial() *Approval {
	for _, a := range p.Answers {
		if a.Answer != AnswerApprove {
			return a
		}
	}
	return nil
}

// Approved returns the answer that completes the quorum; nil if one is denied,
// or too few have approved.
func (p *Pending) Approved() *Approval {
	if p.Denial() != nil || p.Decision == nil || p.Decision.Ticket == nil {
		return nil
	}
	if n := p.quorum(); len(p.Answers) >= n {
		return p.Answers[n-1]
	}
	return nil
}

// Closed reports whether nothing that people say changes anything any more, apart
// from its expiry.
func (p *Pending) Closed() bool { return p.Used != "" || p.Replaced != "" || p.Denial() != nil }

func (p *Pending) quorum() int { return max(p.Decision.Ticket.Quorum, 1) }

// Answer checks an answer that is given now, and completes it from the ticket. It
// returns nil if the answer counts; otherwise who may answer, or why nobody can.
// It does not add the answer.
//
// An answer counts from a person whom the ticket names, by id or by a group, who
// is not the owner of the authorization and on whose behalf nobody asks, once,
// and to approve, only up to the person's own ceiling. Who has approved can still
// deny, until the approval is used.
func (p *Pending) Answer(a *Approval, now time.Time) error {
	d := p.Decision
	if d == nil || d.Ticket == nil {
		return errors.New("the ticket cannot be read")
	}
	if err := p.open(now); err != nil {
		return err
	}
	if err := a.check(); err != nil {
		return err
	}
	if err := d.uninvolved(a.By); err != nil {
		return err
	}
	if !a.By.Among(d.Ticket.By) {
		return fmt.Errorf("%s is not one of those who may answer: %s", Printable(a.By.ID), Printable(strings.Join(d.Ticket.By, ", ")))
	}
	a.complete(d)
	if a.Answer == AnswerDeny {
		return nil
	}
	if slices.ContainsFunc(p.Answers, func(b *Approval) bool { return SamePerson(a.By.ID, b.By.ID) }) {
		return fmt.Errorf("%s has answered already: %d different persons must approve", Printable(a.By.ID), p.quorum())
	}
	if p.Approved() != nil {
		return errors.New("it is approved already")
	}
	return d.withinCeiling(a)
}

// open returns why the ticket takes no answer.
func (p *Pending) open(now time.Time) error {
	switch denial := p.Denial(); {
	case p.Used != "":
		return errors.New("its approval is used")
	case denial != nil:
		return fmt.Errorf("%s has denied it", Printable(denial.By.ID))
	case p.Replaced != "":
		return fmt.Errorf("ticket %s has taken its place", Printable(p.Replaced))
	case !now.Before(p.Decision.Ticket.Expires):
		return errors.New("it expired at " + p.Decision.Ticket.Expires.UTC().Format(time.RFC3339))
	}
	return nil
}

func (a *Approval) check() error {
	switch {
	case a.Answer != AnswerApprove && a.Answer != AnswerDeny:
		return fmt.Errorf("the answer is %q, want %s or %s", a.Answer, AnswerApprove, AnswerDeny)
	case a.Answer == AnswerDeny && strings.TrimSpace(a.Why) == "":
		return errors.New("a denial needs a reason, which the agent gets to read")
	}
	return checkWords(a.By, a.Why, a.Change)
}

// maxWords bounds one text that a person gives with an answer, in bytes.
const maxWords = 2048

// checkWords refuses a person, and texts, that a record should not hold.
func checkWords(by Person, texts ...string) error {
	for _, name := range append([]string{by.ID}, by.Groups...) {
		if name == "" || len(name) > 256 || Printable(name) != name || strings.HasPrefix(name, groupPrefix) {
			return fmt.Errorf("%q names no person or group: want 1 to 256 bytes of printable text, a group without %q", Clip(Printable(name), 64), groupPrefix)
		}
	}
	for _, text := range texts {
		if len(text) > maxWords || !utf8.ValidString(text) {
			return fmt.Errorf("what is said with an answer is valid UTF-8 of at most %d bytes", maxWords)
		}
	}
	return nil
}

// complete sets what an answer has of the ticket.
func (a *Approval) complete(d *Decision) {
	a.ActionDigest, a.Asked, a.Expires = d.ActionDigest, d.At, d.Ticket.Expires
	a.Agent, a.Tool, a.Class, a.Authorization, a.Host = d.Agent, d.Tool, d.Class, d.Authorization, d.Host
	a.Currency, a.Amount, a.UpTo = "", "", ""
	if d.Spend != nil {
		a.Currency, a.Amount = d.Spend.Currency, d.Spend.Amount
	}
}

const groupPrefix = "group:"

// SamePerson compares ids of people without regard to case, so that a second
// spelling makes nobody a second person. No id is that of nobody.
func SamePerson(a, b string) bool { return a != "" && strings.EqualFold(a, b) }

// Among reports whether a list of ids and group:… names the person.
func (p Person) Among(list []string) bool {
	return slices.ContainsFunc(list, func(one string) bool {
		if group, ok := strings.CutPrefix(one, groupPrefix); ok {
			return slices.Contains(p.Groups, group)
		}
		return SamePerson(one, p.ID)
	})
}

// uninvolved refuses who may neither approve nor review a call: who asked for it,
// and who is accountable for it.
func (d *Decision) uninvolved(by Person) error {
	switch {
	case SamePerson(by.ID, d.Agent.ID), SamePerson(by.ID, d.Agent.OnBehalfOf):
		return fmt.Errorf("%s asked for this call: somebody else must answer", Printable(by.ID))
	case d.Authorization != nil && SamePerson(by.ID, d.Authorization.Owner):
		return fmt.Errorf("%s owns the authorization: somebody else must answer", Printable(by.ID))
	}
	return nil
}

// withinCeiling refuses a price above what the person may approve, and says in
// the answer what that is.
func (d *Decision) withinCeiling(a *Approval) error {
	if !d.Ticket.Capped || d.Spend == nil {
		return nil
	}
	amount, err := decimal.Parse(d.Spend.Amount)
	if err != nil {
		return errors.New("it has no price that can be compared with a ceiling")
	}
	var top decimal.Decimal
	found := false
	for _, c := range d.Ticket.Ceilings {
		if c.Currency != d.Spend.Currency || !SamePerson(c.Person, a.By.ID) && !slices.Contains(a.By.Groups, c.Group) {
			continue
		}
		if upTo, err := decimal.Parse(c.UpTo); err == nil && (!found || upTo.Cmp(top) > 0) {
			top, found = upTo, true
		}
	}
	switch {
	case !found:
		return fmt.Errorf("the authority matrix lets %s approve nothing in %s", Printable(a.By.ID), d.Spend.Currency)
	case amount.Cmp(top) > 0:
		return fmt.Errorf("%s %s is more than the %s that %s may approve", d.Spend.Amount, d.Spend.Currency, top, Printable(a.By.ID))
	}
	a.UpTo = top.String()
	return nil
}

// Present judges a draft that presents a ticket (Parent): it adds the check of
// the approval, and sets Approval where it stands, and in the Terms who gave it.
// Every ledger calls it at admission, after all other checks and before [Conclude],
// with the ticket as it knows it, nil where it knows none, and uses the ticket up in
// the same step if the draft is then allowed. A draft that pends takes the ticket's
// place.
//
// A ticket that is unknown, expired, unanswered, denied, used, replaced, or
// about another action denies (approval_invalid). A higher price, a reason to ask
// people that was not there before, and another authority matrix pend again.
func (p *Pending) Present(d *Decision, now time.Time) {
	check := Check{Kind: CheckApproval, ID: "ticket", Result: Failed, Reason: ApprovalInvalid}
	if check.Message = p.invalid(d, now); check.Message == "" {
		check.Result, check.Reason = Passed, ""
		if check.Message = p.exceeded(d); check.Message == "" {
			d.Approval = p.Approved().ID
			for _, a := range p.Answers {
				d.Terms.ApprovedBy = append(d.Terms.ApprovedBy, a.By.ID)
			}
		} else {
			check.Result, check.Reason, check.To = Raised, ApprovalRequired, classify.AuthorizationRequired
		}
	}
	d.Checks = append(d.Checks, check)
}

// invalid says why the ticket does not let the draft's action happen.
func (p *Pending) invalid(d *Decision, now time.Time) string {
	switch {
	case p == nil || p.Decision == nil || p.Decision.Ticket == nil:
		return "no ticket of this id is open: it has expired, or there was none"
	case !now.Before(p.Decision.Ticket.Expires): // as it says once the ticket is forgotten
		return "it has expired"
	case d.ActionDigest == "" || d.ActionDigest != p.Decision.ActionDigest:
		return "the ticket is about another action: arguments, tool, model, person or document differ"
	case p.Used != "":
		return "its approval was used already: it serves once"
	case p.Denial() != nil:
		return "denied: " + p.Denial().Why
	case p.Replaced != "":
		return "another ticket has taken its place"
	case p.Approved() == nil:
		return fmt.Sprintf("it is not approved yet: %d of %d", len(p.Answers), p.quorum())
	}
	return ""
}

// exceeded says what of the draft the people who approved have not seen.
func (p *Pending) exceeded(d *Decision) string {
	was := p.Decision
	if message := dearer(was.Spend, d.Spend); message != "" {
		return message
	}
	for i := range d.Checks {
		c := &d.Checks[i]
		known := slices.ContainsFunc(was.Checks, func(k Check) bool {
			return k.Result == Raised && k.To >= c.To && k.Kind == c.Kind && k.ID == c.ID && k.Reason == c.Reason
		})
		if c.Result == Raised && c.To >= classify.AuthorizationRequired && !known {
			return "there is a new reason to ask people: " + c.ID
		}
	}
	if was.Authorization != nil && d.Authorization != nil && was.Authorization.Matrix != d.Authorization.Matrix {
		return "the authority matrix is another one since it was approved"
	}
	return ""
}

// dearer says by how much a price is above another; empty: it is not.
func dearer(was, now *Spend) string {
	if now == nil {
		return ""
	}
	if was == nil || was.Currency != now.Currency {
		return "it has a price that was not approved"
	}
	before, errBefore := decimal.Parse(was.Amount)
	after, errAfter := decimal.Parse(now.Amount)
	if errBefore != nil || errAfter != nil {
		return "its price cannot be compared with the one that was approved"
	}
	if after.Cmp(before) > 0 {
		return fmt.Sprintf("the price is %s %s, and %s was approved", now.Amount, now.Currency, was.Amount)
	}
	return ""
}
