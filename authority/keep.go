package authority

import (
	"slices"
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
		{"arguments", policy.Arguments, func() { dropArguments(d) }},
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

// dropArguments also drops what was derived from the arguments.
func dropArguments(d *rationale.Decision) {
	d.Arguments = nil
	dropValues(d.Derived)
	dropInputs(d, "args")
	dropInputs(d, "derived")
}

// dropUnclassified drops the arguments of a call without a class where any
// class of the agent for the tool would.
func (c *Classified) dropUnclassified(d *rationale.Decision) {
	if c.set == nil {
		return
	}
	plans := c.set.plans[planKey{c.call.Agent.ID, c.call.Agent.Environment, c.call.Tool.String()}]
	if slices.ContainsFunc(plans, func(p *plan) bool { return p.class.Record.Arguments == keepDrop }) {
		dropArguments(d)
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

func dropValues(facts []rationale.Fact) {
	for i := range facts {
		facts[i].Value = nil
	}
}

func dropFacts(d *rationale.Decision) {
	dropValues(d.Facts)
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
