package rationale

import (
	"net/url"
	"slices"

	"github.com/ambit-go/ambit/classify"
)

// Required returns the fields that a class of that tier requires unless its
// document says otherwise: purpose where the agent acts alone, then also what
// is expected, the alternatives and the fallback, and before an approval, or for a
// tier that is not known, the evidence too.
func Required(tier classify.Tier) []Field {
	switch tier {
	case classify.Parameterized:
		return []Field{Purpose}
	case classify.BoundedEscalation:
		return []Field{Purpose, Expected, Alternatives, Fallback}
	default:
		return []Field{Purpose, Expected, Alternatives, Fallback, Evidence}
	}
}

// Fields returns every field in the order in which records list them.
func Fields() []Field {
	return []Field{Purpose, Expected, Alternatives, Evidence, Fallback, Uncertainty}
}

// Check says on what basis a rationale can be accepted. r can be nil: nothing
// was given. malformed is what [Split] said. read reports whether a call of that
// id was executed earlier in the session; nil: none was.
//
// A text is there if it has a visible letter or digit, an alternative if both its
// option and why it was rejected are. Each cited entry is a link (https or http,
// with a host; recorded, not followed) or the id of a call that was read; one that
// is neither goes to NotFound. Evidence is there if something is cited and
// nothing is in NotFound. A field that is not known is missing.
//
// Where nothing is required every rationale is complete. Elsewhere it is
// complete if it is not malformed and no required field is missing; citing a
// call that was not read counts as missing evidence even where evidence is not
// required, because what is cited must be real.
func (r *Rationale) Check(required []Field, malformed string, read func(callID string) bool) RationaleCheck {
	c := RationaleCheck{Required: slices.Clone(required), Malformed: malformed}
	if r == nil {
		r = new(Rationale)
	}
	for _, entry := range r.Evidence {
		switch {
		case isLink(entry):
			c.Links = append(c.Links, entry)
		case read != nil && entry != "" && read(entry):
			c.Found = append(c.Found, entry)
		default:
			c.NotFound = append(c.NotFound, entry)
		}
	}
	for _, field := range required {
		if !r.has(field, &c) {
			c.Missing = append(c.Missing, field)
		}
	}
	if len(required) == 0 {
		c.Complete = true
		return c
	}
	if len(c.NotFound) > 0 && !slices.Contains(c.Missing, Evidence) {
		c.Missing = append(c.Missing, Evidence)
	}
	c.Complete = len(c.Missing) == 0 && malformed == ""
	return c
}

func (r *Rationale) has(field Field, c *RationaleCheck) bool {
	switch field {
	case Purpose:
		return says(r.Purpose)
	case Expected:
		return says(r.Expected)
	case Alternatives:
		return slices.ContainsFunc(r.Alternatives, func(a Alternative) bool {
			return says(a.Option) && says(a.Rejected)
		})
	case Evidence:
		return len(c.Found)+len(c.Links) > 0
	case Fallback:
		return says(r.Fallback)
	case Uncertainty:
		return says(r.Uncertainty)
	}
	return false
}

func isLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}
