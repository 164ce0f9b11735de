package simulate

import (
	"errors"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

// tickets checks that nobody acts without the approval that was needed, that each
// serves once, for its own action, and that it comes from enough people who may give
// it.
func (c *checker) tickets() error {
	used, replaced, denied := make(map[string]*fact), make(map[string]*fact), make(map[string]*fact)
	approvals := make(map[string][]*rationale.Approval)
	for _, f := range c.facts {
		switch r := f.rec.(type) {
		case *rationale.Approval:
			was := c.ticket(r.Ticket, f.n)
			if was == nil {
				return violated("an answer is to a ticket", "%s", f.event)
			}
			again := slices.ContainsFunc(approvals[r.Ticket], func(b *rationale.Approval) bool { return strings.EqualFold(r.By.ID, b.By.ID) })
			switch problem := mayAnswer(was, r, nil); {
			case problem != "":
				return violated("only who may answer answers", "%s: %s", f.event, problem)
			case r.Answer == rationale.AnswerDeny:
				denied[r.Ticket] = f
			case !again:
				approvals[r.Ticket] = append(approvals[r.Ticket], r)
			case !c.unsure(f) && len(c.byID[r.Ticket]) == 1:
				return violated("a person answers once", "%s", f.event)
			}
			if u := used[r.Ticket]; u != nil && u.event.allowed() && u.event.end < f.event.begin && f.event.err == nil {
				return violated("an approval that is used takes no answer", "%s", f.event)
			}
		case *rationale.Decision:
			if c.asksAnew(f, r) {
				delete(used, r.ID)
				delete(replaced, r.ID)
				delete(denied, r.ID)
			}
			if err := c.using(f, r, used, replaced, denied, approvals[r.Parent]); err != nil {
				return err
			}
		}
	}
	return c.refusedTickets()
}

// asksAnew reports whether a draft that was delivered twice, with another time, may
// have opened its ticket after the first had expired: what people said to that is over.
// A guard makes each draft once.
func (c *checker) asksAnew(f *fact, d *rationale.Decision) bool {
	was := c.ticket(d.ID, f.n)
	if was == nil || d.Ticket == nil {
		return false
	}
	_, to := c.time(f.event, f.n)
	return f.event.end == 0 || !to.Before(was.Ticket.Expires)
}

// unsure reports whether the person of an answer had given another that nobody
// acknowledged: it counts once, and can be recorded twice.
func (c *checker) unsure(f *fact) bool {
	return slices.ContainsFunc(c.events, func(o *event) bool {
		return o.a != nil && o != f.event && o.a.Ticket == f.event.a.Ticket && strings.EqualFold(o.a.By.ID, f.event.a.By.ID) && (o.end == 0 || o.err != nil)
	})
}

// ticket returns the decision that opened a ticket, recorded before a place; nil if
// there is none. Of a draft that was delivered twice it is the one that is open longer.
func (c *checker) ticket(id string, before int) (last *rationale.Decision) {
	for _, f := range c.byID[id] {
		if d, ok := f.rec.(*rationale.Decision); ok && d.Ticket != nil && f.n < before && (last == nil || d.Ticket.Expires.After(last.Ticket.Expires)) {
			last = d
		}
	}
	return last
}

func (c *checker) using(f *fact, d *rationale.Decision, used, replaced, denied map[string]*fact, approvals []*rationale.Approval) error {
	terms := c.plan.World.Classes[f.event.class].Terms
	asks := c.plan.World.Classes[f.event.class].Tier == classify.AuthorizationRequired
	if d.Verdict == rationale.Pend && d.Parent != "" {
		replaced[d.Parent] = f
	}
	if d.Verdict != rationale.Allow || d.Mode != rationale.Enforce {
		return nil
	}
	if d.Parent == "" || d.Approval == "" {
		if asks || d.Approval != "" {
			return violated("what needs an approval waits for it", "%s", f.event)
		}
		return nil
	}
	was := c.ticket(d.Parent, f.n)
	last := f.n
	switch {
	case was == nil:
		return violated("an approval is of a ticket", "%s", f.event)
	case used[d.Parent] != nil:
		return violated("each approval is used at most once", "%s: it was used before by %s", f.event, used[d.Parent].event)
	case denied[d.Parent] != nil:
		return violated("a denial is never passed over", "%s: %s", f.event, denied[d.Parent].event)
	case replaced[d.Parent] != nil:
		return violated("a ticket that was replaced serves no more", "%s", f.event)
	case was.ActionDigest != d.ActionDigest:
		return violated("an approval is for its own action", "%s", f.event)
	case len(approvals) < max(terms.ApproveQuorum, 1):
		return violated("an approval needs its quorum", "%s: %d of %d", f.event, len(approvals), terms.ApproveQuorum)
	case d.Spend != nil && (was.Spend == nil || rat(d.Spend.Amount).Cmp(rat(was.Spend.Amount)) > 0):
		return violated("a higher price asks again", "%s", f.event)
	}
	if from, _ := c.time(f.event, last); !from.Before(was.Ticket.Expires) {
		return violated("an approval expires", "%s: at %s, and it was %s", f.event, was.Ticket.Expires, from)
	}
	used[d.Parent] = f
	return nil
}

// time returns between what the ledger's clock can have been for people's answers:
// on files no earlier than any record before, on a log its own.
func (c *checker) time(e *event, at int) (from, to time.Time) {
	if c.shared {
		if at < 0 {
			return time.Time{}, e.latest
		}
		return c.between(e, at)
	}
	from = e.asOf()
	if to = from; e.latest.After(to) { // a snapshot forgets what has expired by the journal's clock
		to = e.latest
	}
	for _, f := range c.facts {
		t := f.rec.RecordTime()
		if c.must(f, e, at) && t.After(from) {
			from = t
		}
		if c.may(f, e, at) && t.After(to) {
			to = t
		}
	}
	for _, o := range c.events { // what is being recorded, or was and nobody knows
		if o.begin < e.end && o.asOf().After(to) {
			to = o.asOf()
		}
	}
	return from, to
}

// asOf is the time that an event says.
func (e *event) asOf() time.Time {
	switch {
	case e.draft != nil:
		return e.draft.At
	case e.o != nil:
		return e.o.At
	case e.a != nil:
		return e.a.At
	case e.r != nil:
		return e.r.At
	case e.s != nil:
		return e.s.At
	case e.gap != nil:
		return e.gap.At
	}
	return e.at
}

// mayAnswer says why an answer cannot count; empty: it can.
func mayAnswer(was *rationale.Decision, a *rationale.Approval, before []*rationale.Approval) string {
	switch name := strings.ToLower(a.By.ID); {
	case name == owner || name == requester || name == was.Agent.ID:
		return "is involved"
	case name != "vera@bank.example" && !slices.Contains(a.By.Groups, "approvers"):
		return "is not asked"
	case a.Answer == rationale.AnswerDeny:
		return ""
	case slices.ContainsFunc(before, func(b *rationale.Approval) bool { return strings.EqualFold(a.By.ID, b.By.ID) }):
		return "has answered already"
	case was.Ticket.Capped && was.Spend != nil && !ceiling(a.By, was.Ticket.Ceilings, rat(was.Spend.Amount)):
		return "may not approve so much"
	}
	return ""
}

func ceiling(by rationale.Person, ceilings []rationale.Ceiling, amount *big.Rat) bool {
	for _, c := range ceilings {
		if c.Currency == "EUR" && (strings.EqualFold(c.Person, by.ID) || slices.Contains(by.Groups, c.Group)) && amount.Cmp(rat(c.UpTo)) <= 0 {
			return true
		}
	}
	return false
}

// refusedTickets checks that a ticket that was presented was turned down for a
// reason.
func (c *checker) refusedTickets() error {
	for _, e := range c.events {
		if e.draft == nil || e.draft.Parent == "" || e.end == 0 || e.err != nil {
			continue
		}
		d, at := e.d, c.place(e)
		was := c.ticket(d.Parent, len(c.records))
		if was == nil || len(c.byID[d.Parent]) > 1 {
			continue
		}
		same := d.Spend == nil || was.Spend != nil && rat(d.Spend.Amount).Cmp(rat(was.Spend.Amount)) <= 0
		switch {
		case slices.Contains(d.Reasons, rationale.ApprovalInvalid) && c.stands(e, at, was):
			return violated("an approval that stands is honoured", "%s", e)
		case d.Verdict == rationale.Pend && same && !slices.Contains(d.Reasons, rationale.ReviewDebt):
			return violated("nothing new asks people again", "%s", e)
		}
	}
	return nil
}

// stands reports whether a ticket certainly served an event.
func (c *checker) stands(e *event, at int, was *rationale.Decision) bool {
	if e.draft.ActionDigest != was.ActionDigest || !c.certain(was.ID, e, at) {
		return false
	}
	if _, to := c.time(e, at); !to.Before(was.Ticket.Expires) {
		return false
	}
	return c.enough(e, at, was) && !c.closing(e, at, was.ID)
}

// certain reports whether a decision is on record for certain before an event.
func (c *checker) certain(id string, e *event, at int) bool {
	return slices.ContainsFunc(c.byID[id], func(f *fact) bool { return c.surely(f, e, at) })
}

// enough reports whether enough people have certainly approved.
func (c *checker) enough(e *event, at int, was *rationale.Decision) bool {
	n := 0
	for _, f := range c.about[was.ID] {
		if a, ok := f.rec.(*rationale.Approval); ok && a.Answer == rationale.AnswerApprove && c.surely(f, e, at) {
			n++
		}
	}
	return n >= max(was.Ticket.Quorum, 1)
}

// closing reports whether a ticket may be denied, used or replaced by somebody else.
func (c *checker) closing(e *event, at int, id string) bool {
	for _, o := range c.events {
		uses := o.draft != nil && o.draft.Parent == id
		denies := o.a != nil && o.a.Ticket == id && o.a.Answer == rationale.AnswerDeny
		if o == e || o.begin > e.end || !uses && !denies {
			continue
		}
		open := o.end == 0 || o.end > e.begin || errors.Is(o.err, errUncertain)
		recorded := c.place(o) >= 0 && (denies || o.d.Verdict != rationale.Deny)
		if open || recorded {
			return true
		}
	}
	return false
}

// rightlyUnanswered checks that an answer was refused for a reason.
func (c *checker) rightlyUnanswered(e *event) error {
	was := c.ticket(e.a.Ticket, len(c.records))
	if was == nil || len(c.byID[was.ID]) > 1 || !c.certainHere(c.byID[was.ID][0], e) {
		return nil
	}
	var before []*rationale.Approval
	for _, f := range c.about[was.ID] {
		if a, ok := f.rec.(*rationale.Approval); ok && f.begin < e.end && a.Answer == rationale.AnswerApprove {
			before = append(before, a)
		}
	}
	if _, to := c.time(e, -1); mayAnswer(was, e.a, before) != "" || !to.Before(was.Ticket.Expires) || c.closing(e, -1, was.ID) {
		return nil
	}
	if e.a.Answer == rationale.AnswerApprove && len(before) >= max(was.Ticket.Quorum, 1) {
		return nil // it is approved already
	}
	if c.rival(e, func(o *event) bool { return o.a != nil && o.a.Ticket == was.ID }) {
		return nil
	}
	return violated("an answer that counts is taken", "%s", e)
}
