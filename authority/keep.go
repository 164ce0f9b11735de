package authority

import (
	"strings"

	"github.com/ambit-go/ambit/rationale"
)

// keep applies the class's record policy: what it drops leaves the record, and
// what it lets into telemetry is named there.
func (a *assessment) keep() {
	d, policy := a.d, a.plan.class.Record
	for _, field := range []struct {
		name string
		keep disposal
		drop func()
	}{
		{"arguments", policy.Arguments, func() { d.Arguments = nil; dropInputs(d, "args") }},
		{"rationale", policy.Rationale, func() { d.Rationale = nil }},
		{"reasoning", policy.Reasoning, func() { d.Rationale = withoutText(d.Rationale) }},
		{"facts", policy.Facts, func() { dropFacts(d) }},
		{"results", policy.Results, func() { d.Terms.OmitResult = true }},
	} {
		switch field.keep {
		case keepTelemetry:
			d.Telemetry = append(d.Telemetry, field.name)
		case keepDrop:
			field.drop()
		}
	}
}

// dropInputs removes the values that checks read below a root.
func dropInputs(d *rationale.Decision, root string) {
	for _, c := range d.Checks {
		for i := range c.Inputs {
			rest, below := strings.CutPrefix(c.Inputs[i].Path, root)
			if below && (rest == "" || rest[0] == '.' || rest[0] == '[') {
				c.Inputs[i].Value, c.Inputs[i].Digest = nil, ""
			}
		}
	}
}

func dropFacts(d *rationale.Decision) {
	for i := range d.Facts {
		d.Facts[i].Value = nil
	}
	dropInputs(d, "facts")
}

// withoutText is r without the words that were not given as a rationale.
func withoutText(r *rationale.Rationale) *rationale.Rationale {
	if r == nil {
		return nil
	}
	kept := *r
	kept.Text, kept.Reasoning, kept.Source = "", "", ""
	return &kept
}
