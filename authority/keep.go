package authority

import (
	"strings"

	"github.com/ambit-go/ambit/rationale"
)

// telemetry returns the fields that the policy lets into telemetry, in the
// order in which records list them.
func (p *recordPolicy) telemetry() []string {
	var names []string
	for _, field := range []struct {
		name string
		keep disposal
	}{
		{"arguments", p.Arguments}, {"rationale", p.Rationale}, {"reasoning", p.Reasoning}, {"facts", p.Facts}, {"results", p.Results},
	} {
		if field.keep == keepTelemetry {
			names = append(names, field.name)
		}
	}
	return names
}

// keep applies the class's record policy: what it drops leaves the record.
func (e *evaluation) keep(d *rationale.Decision) {
	policy := &e.plan.class.Record
	if policy.Arguments == keepDrop {
		dropArguments(d)
	}
	if policy.Rationale == keepDrop {
		d.Rationale = nil
	}
	if policy.Reasoning == keepDrop {
		d.Rationale = withoutText(d.Rationale)
	}
	if policy.Facts == keepDrop {
		dropFacts(d)
	}
	d.Terms.OmitResult = policy.Results == keepDrop
}

// dropArguments also drops what was derived from the arguments.
func dropArguments(d *rationale.Decision) {
	d.Arguments = nil
	dropValues(d.Derived)
	dropInputs(d, "args")
	dropInputs(d, "derived")
}

// dropsUnclassified reports, of a call without a class, whether any class of
// the agent for the tool would drop its arguments.
func (e *evaluation) dropsUnclassified() bool {
	if e.tool == nil {
		return false
	}
	c := e.tool.contestFor(&e.call.Agent)
	return c != nil && c.drops
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
