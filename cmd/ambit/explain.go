package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// explain prints one decision for a person: what was concluded and why, what
// stands behind it, what was checked, and last, marked as such, what the agent
// claimed.
func (t *terminal) explain(d *rationale.Decision, o *rationale.Outcome) {
	t.headline(d)
	t.details(d)
	t.outcome(d, o)
	t.claim(d)
}

// details prints what is known of a decision, without what came of it and what the
// agent claimed.
func (t *terminal) details(d *rationale.Decision) {
	t.field("tool", toolName(d.Tool))
	t.field("agent", d.Agent.ID+" in "+d.Agent.Environment)
	t.field("on behalf of", d.Agent.OnBehalfOf)
	t.field("session", d.Agent.Session)
	t.field("model", strings.TrimSpace(d.Model.Provider+" "+d.Model.Name+" "+d.Model.Version))
	t.field("time", d.At.UTC().Format(time.RFC3339Nano))
	t.field("decision", d.ID)
	t.field("arguments", string(d.Arguments))
	if strings.HasPrefix(d.ArgumentsDigest, rationale.KeyedPrefix) {
		t.field("arguments", d.ArgumentsDigest)
	}
	t.authorization(d)
	t.spend(d)
	t.checks(d)
	t.facts("facts", d.Facts)
	t.facts("derived", d.Derived)
	t.people(d)
}

func (t *terminal) headline(d *rationale.Decision) {
	color := red
	switch d.Verdict {
	case rationale.Allow:
		color = green
	case rationale.Pend:
		color = yellow
	}
	text := strings.ToUpper(d.Verdict.String())
	if d.Would != nil {
		text += " (observe mode; would be " + d.Would.String() + ")"
	}
	text = t.paint(color, text)
	if len(d.Reasons) > 0 {
		text += "  " + reasonList(d.Reasons)
	}
	fmt.Fprintln(t.out, text)
}

// field prints a labelled line; nothing for an empty value. Values are escaped.
func (t *terminal) field(label, value string) {
	if value != "" {
		fmt.Fprintf(t.out, "  %-14s %s\n", label, rationale.Printable(value))
	}
}

func (t *terminal) authorization(d *rationale.Decision) {
	if d.Class != "" {
		t.field("class", d.Class+", "+tierName(d)+", "+d.Effect)
	}
	t.field("standing", d.Standing.String())
	a := d.Authorization
	if a == nil {
		return
	}
	t.field("authorization", fmt.Sprintf("%s version %d, %s", a.ID, a.Version, a.Digest))
	by := strings.Join(a.GrantedBy, ", ")
	if a.Body != "" {
		by += " for " + a.Body
	}
	t.field("granted", fmt.Sprintf("%s by %s, until %s, next review %s", day(a.GrantedAt), by, day(a.Expires), day(a.NextReview)))
	t.field("owner", a.Owner)
	t.field("minutes", a.Record)
	if a.Unsigned {
		t.field("signature", "none: such a document is in force only where the host allows it")
	}
}

func (t *terminal) spend(d *rationale.Decision) {
	s := d.Spend
	if s == nil {
		return
	}
	text := "cannot be priced"
	if s.Amount != "" {
		text = s.Amount + " " + s.Currency
	}
	if s.Quantity != "" && s.Price != "" {
		text += " (" + strings.TrimSpace(s.Quantity+" × "+s.Price+" "+s.Unit) + ")"
	}
	if s.Limit != "" {
		text += ", within " + s.Limit
	}
	if s.Top != "" {
		text += ", ladder up to " + s.Top
	}
	t.field("spend", text+", by "+s.Basis)
}

func (t *terminal) checks(d *rationale.Decision) {
	if len(d.Checks) == 0 {
		return
	}
	fmt.Fprintln(t.out, "  checks")
	for _, c := range d.Checks {
		mark, color := "✗", red
		switch c.Result {
		case rationale.Passed:
			mark, color = "✓", green
		case rationale.Raised:
			mark, color = "↑", yellow
		}
		text := string(c.Kind) + " " + c.ID
		if c.Why != "" {
			text += " (" + c.Why + ")"
		}
		if c.Result == rationale.Raised {
			text += ": raises to " + c.To.String()
		}
		for _, part := range []string{string(c.Reason), c.Message, c.Within} {
			if part != "" && part != c.ID {
				text += ": " + part
			}
		}
		if values := inputs(c.Inputs); values != "" {
			text += "  [" + values + "]"
		}
		fmt.Fprintf(t.out, "    %s %s\n", t.paint(color, mark), rationale.Printable(text))
	}
}

func inputs(list []rationale.Input) string {
	parts := make([]string, len(list))
	for i, in := range list {
		value := string(in.Value)
		switch {
		case strings.HasPrefix(in.Digest, rationale.KeyedPrefix):
			value = in.Digest
		case in.Digest != "":
			value = "a long value, " + in.Digest
		case value == "":
			value = "absent"
		}
		parts[i] = in.Path + " = " + value
	}
	return strings.Join(parts, ", ")
}

func (t *terminal) facts(label string, facts []rationale.Fact) {
	for _, f := range facts {
		text := f.Name + " = " + string(f.Value)
		switch {
		case f.Error != "":
			text = f.Name + " unavailable: " + f.Error
		case f.Digest != "":
			text = f.Name + " = " + f.Digest
		case f.Value == nil:
			text = f.Name + ", whose value is not here"
		}
		if f.Source != "" {
			text += ", from " + f.Source
		}
		if !f.At.IsZero() {
			text += ", at " + f.At.UTC().Format(time.RFC3339)
		}
		t.field(label, text)
	}
}

func (t *terminal) people(d *rationale.Decision) {
	if d.Ticket != nil {
		t.field("ticket", fmt.Sprintf("waits for %d of %s until %s", d.Ticket.Quorum, strings.Join(d.Ticket.By, ", "), d.Ticket.Expires.UTC().Format(time.RFC3339)))
	}
	if d.Review != nil {
		t.field("review owed", fmt.Sprintf("by %s until %s (%s)", strings.Join(d.Review.By, ", "), d.Review.Due.UTC().Format(time.RFC3339), d.Review.Reason))
	}
}

func (t *terminal) outcome(d *rationale.Decision, o *rationale.Outcome) {
	switch {
	case o != nil:
		text := string(o.Status) + " at " + o.At.UTC().Format(time.RFC3339)
		if o.Error != "" {
			text += ": " + o.Error
		}
		t.field("outcome", text)
	case d.Verdict == rationale.Allow && d.ID != unrecorded:
		t.field("outcome", "not recorded: unknown")
	}
}

// claimMark begins every line of what an agent claims.
const claimMark = "│ "

// claim prints the rationale, which is text from the model.
func (t *terminal) claim(d *rationale.Decision) {
	if c := d.RationaleCheck; c != nil {
		basis := "complete"
		if !c.Complete {
			basis = "incomplete"
		}
		if len(c.Found) > 0 {
			basis += ", evidence found: " + strings.Join(c.Found, ", ")
		}
		t.field("rationale", basis)
	}
	r := d.Rationale
	if r == nil {
		return
	}
	fmt.Fprintln(t.out, "  the agent's claim (untrusted text)")
	say := func(label, text string) {
		if text != "" {
			fmt.Fprintf(t.out, "    %s%s: %s\n", claimMark, label, rationale.Printable(text))
		}
	}
	say("purpose", r.Purpose)
	say("expected", r.Expected)
	for _, a := range r.Alternatives {
		say("not "+rationale.Printable(a.Option), a.Rejected)
	}
	say("evidence", strings.Join(r.Evidence, ", "))
	say("fallback", r.Fallback)
	say("uncertainty", r.Uncertainty)
	say("said", r.Text)
	say("reasoning", r.Reasoning)
}
