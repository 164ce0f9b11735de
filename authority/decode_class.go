package authority

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/internal/yamldoc"
	"github.com/ambit-go/ambit/rationale"
)

func (d *decoder) class(v value) classDoc {
	v.Name = "the class"
	f := d.Map(v, "", "id", "domain", "tools", "when", "tier", "effect", "observe", "allow", "bounds", "escalate",
		"spend", "rate", "rationale", "record", "durability", "fallback", "controls")
	c := classDoc{
		ID:           d.id(f.Need("id", "an id that is unique in the document")),
		Domain:       d.id(f.Get("domain")).Value,
		Tools:        d.patterns(f.Need("tools", "tools: [name, prefix.*]")),
		When:         d.text(f.Get("when")),
		Tier:         d.tier(f.Need("tier", "tier: parameterized, bounded_escalation, authorization_required or prohibited")),
		Read:         d.OneOf(f.Get("effect"), "read", "write") == "read",
		ObserveUntil: d.observe(f.Get("observe")),
		Allow:        d.allow(f.Get("allow"), false),
		Bounds:       d.bounds(f.Get("bounds"), false),
		Escalate:     d.escalate(f.Get("escalate")),
		Spend:        d.spend(f.Get("spend")),
		Rate:         d.rate(f.Get("rate")),
		Rationale:    d.rationale(f.Get("rationale")),
		Record:       d.record(f.Get("record")),
		Durability:   d.durability(f.Get("durability")),
		Fallback:     d.Str(f.Get("fallback")),
		Node:         v.Node,
	}
	for _, control := range d.List(f.Get("controls"), false) {
		c.Controls = append(c.Controls, d.Str(control))
	}
	return c
}

// patterns reads a list of different tool patterns, which is not empty.
func (d *decoder) patterns(v value) []toolPattern {
	var patterns []toolPattern
	for _, item := range d.List(v, false) {
		s := d.text(item)
		if s.Value == "" {
			continue
		}
		p, err := classify.ParsePattern(s.Value)
		if err != nil {
			d.Fail(s.Node, "", "%v", err)
			continue
		}
		if slices.ContainsFunc(patterns, func(q toolPattern) bool { return q.Pattern == p }) {
			d.Fail(s.Node, "leave one out", "%s names %q twice", v.Name, s.Value)
			continue
		}
		patterns = append(patterns, toolPattern{p, s.Node})
	}
	return patterns
}

// allow reads membership rules, sorted by path.
func (d *decoder) allow(v value, baseline bool) []allowRule {
	var rules []allowRule
	for _, e := range d.Pairs(v) {
		where := d.path(yamldoc.Named(e.Key, "a path of "+v.Name))
		rule := allowRule{Path: where, Baseline: baseline}
		name := v.Name + " " + e.Key.Text()
		for _, item := range d.List(yamldoc.Named(e.Value, name), false) {
			if member, ok := d.member(item, name, rule.Values); ok {
				rule.Values = append(rule.Values, member)
				if member.Value.Kind() == strictjson.String {
					rule.texts = append(rule.texts, member.Value.Str())
				}
			}
		}
		rules = append(rules, rule)
	}
	slices.SortStableFunc(rules, func(a, b allowRule) int { return strings.Compare(a.Path.Value, b.Path.Value) })
	return rules
}

// path reads a bare path to a value that a call carries.
func (d *decoder) path(v value) text {
	s := d.text(v)
	if s.Value == "" {
		return s
	}
	if _, err := parsePath(s.Value); err != nil {
		d.Fail(s.Node, "want a path such as args.region", "%s: %v", v.Name, err)
		return text{"", s.Node}
	}
	return s
}

// member reads one value of an allow-list. A plain number or boolean is one; a
// plain text that could be read as another number is refused.
func (d *decoder) member(v value, list string, before []allowValue) (allowValue, bool) {
	s, ok := d.Scalar(v, "a text, a whole number, true or false")
	if !ok {
		return allowValue{}, false
	}
	member := allowValue{Node: v.Node}
	switch {
	case !v.Plain():
		member.Value = strictjson.StringValue(s)
	case s == "true" || s == "false":
		member.Value = strictjson.BoolValue(s == "true")
	case yamldoc.IsInteger(s):
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			d.Fail(v.Node, "", "%s: %s does not fit 64 bits", list, s)
			return allowValue{}, false
		}
		member.Value = strictjson.IntValue(n)
	case likeNumber(s):
		d.Fail(v.Node, "quote it to make it a text; only whole numbers can be members", "%s: %s is not a whole number", list, s)
		return allowValue{}, false
	default:
		member.Value = strictjson.StringValue(s)
	}
	if slices.ContainsFunc(before, func(b allowValue) bool { return equalScalar(b.Value, member.Value) }) {
		d.Fail(v.Node, "leave one out", "%s names %s twice", list, s)
		return allowValue{}, false
	}
	return member, true
}

// likeNumber reports whether some reader of YAML could take s for a number.
func likeNumber(s string) bool {
	s = strings.TrimLeft(s, "+-.")
	if s == "" || s[0] < '0' || s[0] > '9' {
		return false
	}
	clean := strings.ReplaceAll(s, "_", "")
	if _, err := strconv.ParseFloat(clean, 64); err == nil {
		return true
	}
	_, err := strconv.ParseInt(clean, 0, 64)
	return err == nil
}

func (d *decoder) bounds(v value, baseline bool) []boundRule {
	var rules []boundRule
	for _, item := range d.List(v, false) {
		f := d.Map(item, item.Name+".", "expr", "why")
		rules = append(rules, boundRule{
			Expr:     d.text(f.Need("expr", `expr: "args.replicas <= 60"`)),
			Why:      d.Str(f.Get("why")),
			Baseline: baseline,
		})
	}
	return rules
}

func (d *decoder) escalate(v value) []escalateRule {
	var rules []escalateRule
	for _, item := range d.List(v, false) {
		f := d.Map(item, item.Name+".", "when", "to", "code")
		rules = append(rules, escalateRule{
			When: d.text(f.Need("when", `when: "args.replicas > 30"`)),
			To:   d.tier(f.Need("to", "to: a tier above the class's own")),
			Code: d.id(f.Get("code")).Value,
		})
	}
	return rules
}

// rationale reads the required fields: nil where the key is absent, empty and
// not nil where the class asks for none.
func (d *decoder) rationale(v value) []rationale.Field {
	if v.IsZero() {
		return nil
	}
	required := []rationale.Field{}
	known := []string{"purpose", "expected", "alternatives", "evidence", "fallback", "uncertainty"}
	for _, item := range d.List(v, true) {
		field := rationale.Field(d.OneOf(item, known...))
		switch {
		case field == "":
		case slices.Contains(required, field):
			d.Fail(item.Node, "leave one out", "%s names %q twice", v.Name, field)
		default:
			required = append(required, field)
		}
	}
	return required
}

func (d *decoder) record(v value) recordPolicy {
	f := d.Map(v, "record.", "arguments", "rationale", "reasoning", "facts", "results")
	p := recordPolicy{
		Arguments: d.disposal(f.Get("arguments")),
		Rationale: d.disposal(f.Get("rationale")),
		Reasoning: d.disposal(f.Get("reasoning")),
		Facts:     d.disposal(f.Get("facts")),
		Results:   d.results(f.Get("results")),
	}
	for _, name := range [...]string{"results", "facts", "reasoning", "rationale", "arguments"} {
		if field := f.Get(name); !field.IsZero() && field.Text() == "hmac" {
			p.keyed = field.Node
		}
	}
	if p.Rationale >= keepHMAC { // what was said beside it says the same
		p.Reasoning = max(p.Reasoning, p.Rationale)
	}
	return p
}

// results reads where a tool's result is kept: never in telemetry.
func (d *decoder) results(v value) disposal {
	keep := d.disposal(v)
	if keep == keepTelemetry {
		d.Fail(v.Node, "want journal or drop", "%s: results never enter telemetry", v.Name)
	}
	return keep
}

func (d *decoder) disposal(v value) disposal {
	switch d.OneOf(v, "telemetry", "journal", "hmac", "drop") {
	case "telemetry":
		return keepTelemetry
	case "drop":
		return keepDrop
	case "hmac":
		return keepHMAC
	}
	return keepJournal
}

func (d *decoder) durability(v value) rationale.Durability {
	if d.OneOf(v, "fsync", "os") == "os" {
		return rationale.DurabilityOS
	}
	return rationale.DurabilityFsync
}
