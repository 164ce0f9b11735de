package authority

import (
	"bytes"
	"strings"

	"github.com/ambit-go/ambit/rationale"
)

// named is the fields of a policy in the order in which records list them.
func (p *recordPolicy) named(keep disposal) []string {
	var names []string
	for _, field := range []struct {
		name string
		keep disposal
	}{
		{"arguments", p.Arguments}, {"rationale", p.Rationale}, {"reasoning", p.Reasoning}, {"facts", p.Facts}, {"results", p.Results},
	} {
		if field.keep == keep {
			names = append(names, field.name)
		}
	}
	return names
}

// strictest keeps no more of any field than either policy.
func (p recordPolicy) strictest(q recordPolicy) recordPolicy {
	return recordPolicy{
		Arguments: max(p.Arguments, q.Arguments), Rationale: max(p.Rationale, q.Rationale), Reasoning: max(p.Reasoning, q.Reasoning),
		Facts: max(p.Facts, q.Facts), Results: max(p.Results, q.Results),
	}
}

// of returns the disposal of a value by its path, such as args.region.
func (p *recordPolicy) of(path string) disposal {
	root := path
	if end := strings.IndexAny(path, ".["); end >= 0 {
		root = path[:end]
	}
	switch root {
	case "args", "derived":
		return p.Arguments
	case "facts":
		return p.Facts
	}
	return keepJournal
}

// quoted is the disposal of text that may quote arguments and facts.
func (p *recordPolicy) quoted() disposal { return max(p.Arguments, p.Facts) }

// unkeyed returns an error for every class that asks for keyed digests of a host
// without a key.
func (s *Set) unkeyed() []*Error {
	if len(s.manifest.RecordKeys) > 0 {
		return nil
	}
	var errs []*Error
	for _, g := range s.policy.Grants {
		for i := range g.Classes {
			if at := g.Classes[i].Record.keyed; !at.IsZero() {
				err := errorAt(at, "class %s records keyed digests, and the host has no key for them", g.Classes[i].ID.Value)
				err.Hint = "give the host one with guard.WithRecordKeys, and vet against its manifest, which then names it; or want telemetry, journal or drop"
				errs = append(errs, err)
			}
		}
	}
	return errs
}

// policy returns what of the call may be recorded: as its class says, or where
// it has none, as the strictest class of the agent for the tool.
func (e *evaluation) policy() *recordPolicy {
	switch {
	case e.plan != nil:
		return &e.plan.class.Record
	case e.tool != nil:
		if c := e.tool.contestFor(&e.call.Agent); c != nil {
			return &c.record
		}
	}
	return &keepAll
}

var keepAll recordPolicy

// withheld stands in a record in place of text that may quote what it must not
// have.
const withheld = "withheld: it may quote values that the class does not keep"

// explain sets the message of a check that an error gave, which may quote
// arguments and facts.
func (e *evaluation) explain(c *rationale.Check, message string) {
	c.Quotes = true
	if e.keep.quoted() >= keepHMAC {
		c.Told, message = message, withheld
	}
	c.Message = message
}

// why is the text of the error of a derived value or fact.
func why(err error, keep disposal) string {
	if keep >= keepHMAC {
		return withheld
	}
	return err.Error()
}

// keepArguments records the arguments, given raw and, where they could be read,
// in canonical form.
func (e *evaluation) keepArguments(d *rationale.Decision, canonical []byte) {
	value := canonical
	if value == nil {
		value = e.call.Arguments
	}
	switch e.keep.Arguments {
	case keepDrop: // the digest too: there may be few possible values
	case keepHMAC:
		d.ArgumentsDigest = e.set.options.recordKey.Digest("arguments", value)
	default:
		d.Arguments, d.ArgumentsDigest = canonical, rationale.Digest(value)
	}
}

// keepAction makes the digest of the action one that nobody can guess arguments
// by, where they are not kept.
func (e *evaluation) keepAction(digest string) string {
	if digest == "" || e.keep.Arguments < keepHMAC {
		return digest
	}
	return e.set.options.recordKey.DigestText("action", digest)
}

// keepSpend leaves out how an amount was come by, where that tells what is not
// kept. The amount itself stays: limits are kept on it.
func (e *evaluation) keepSpend(s *rationale.Spend, p *spendPlan) {
	if e.keep.quoted() >= keepHMAC {
		s.Quantity = ""
	}
	if p.unit == nil || s.Unit == "" {
		return
	}
	switch e.keep.of(p.unit.text) {
	case keepDrop:
		s.Unit, s.Price = "", ""
	case keepHMAC:
		s.Unit, s.Price = e.set.options.recordKey.DigestText(p.unit.text, s.Unit), ""
	}
}

// keepRationale records the claim, and what was cited in it, as far as the
// policy lets it.
func (e *evaluation) keepRationale(d *rationale.Decision) {
	r := d.Rationale
	if max(e.keep.Rationale, e.keep.Reasoning) < keepHMAC {
		return
	}
	text := func(place, s string) string {
		if s == "" {
			return ""
		}
		return e.set.options.recordKey.DigestText("rationale."+place, s)
	}
	switch {
	case r == nil:
	case e.keep.Rationale == keepDrop:
		d.Rationale = nil
	default:
		kept := *r
		if e.keep.Rationale == keepHMAC {
			keyClaim(&kept, text)
		}
		switch e.keep.Reasoning {
		case keepDrop:
			kept.Text, kept.Reasoning, kept.Source = "", "", ""
		case keepHMAC:
			kept.Text, kept.Reasoning = text("text", kept.Text), text("reasoning", kept.Reasoning)
		}
		d.Rationale = &kept
	}
	if c := d.RationaleCheck; c != nil && e.keep.Rationale >= keepHMAC {
		c.Told = c.NotFound
		if c.Malformed != "" {
			c.Malformed = withheld
		}
		for _, cited := range []*[]string{&c.Found, &c.NotFound, &c.Links} {
			*cited = keyTexts(*cited, e.keep.Rationale, text)
		}
	}
}

// keyClaim puts keyed digests in place of what was given as a rationale.
func keyClaim(r *rationale.Rationale, text func(place, s string) string) {
	r.Purpose, r.Expected = text("purpose", r.Purpose), text("expected", r.Expected)
	r.Fallback, r.Uncertainty = text("fallback", r.Fallback), text("uncertainty", r.Uncertainty)
	r.Evidence = keyTexts(r.Evidence, keepHMAC, text)
	alternatives := make([]rationale.Alternative, len(r.Alternatives))
	for i, a := range r.Alternatives {
		alternatives[i] = rationale.Alternative{Option: text("option", a.Option), Rejected: text("rejected", a.Rejected)}
	}
	r.Alternatives = alternatives
}

// keyTexts returns the keyed digests of what was cited, or nothing.
func keyTexts(list []string, keep disposal, text func(place, s string) string) []string {
	if keep == keepDrop {
		return nil
	}
	keyed := make([]string, len(list))
	for i, s := range list {
		keyed[i] = text("evidence", s)
	}
	return keyed
}

// dispose takes back what was gathered from start on if the policy does not
// keep it, and returns its keyed digest where the policy asks for that.
func (r *recordMemory) dispose(path string, start int) (digest string) {
	if start == len(r.json) {
		return ""
	}
	switch r.policy.of(path) {
	case keepDrop:
		r.json = r.json[:start]
	case keepHMAC:
		digest = r.key.Digest(path, bytes.Clone(r.json[start:]))
		r.json = r.json[:start]
	}
	return digest
}
