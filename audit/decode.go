package audit

import (
	"slices"
	"strings"
)

func (d *decoder) document(root value) *Document {
	f := d.fields(root, "", "apiVersion", "kind", "id", "agents", "records", "logs", "mutating", "tools",
		"window", "skew", "late", "since", "until", "state")
	d.oneOf(f.need("apiVersion", "apiVersion: ambit/v1"), "ambit/v1")
	d.oneOf(f.need("kind", "kind: Audit"), "Audit")
	doc := &Document{
		ID:      d.str(f.need("id", "id: a name for this audit")),
		records: d.files(f.need("records", "records: [FOLDER], the evidence folders of the agents' hosts")),
		state:   d.file(d.str(f.get("state"))),
		times: times{
			window: d.span(f.get("window"), defaultWindow),
			skew:   d.span(f.get("skew"), defaultSkew),
			late:   d.span(f.get("late"), defaultLate),
		},
		since: d.date(f.get("since")),
		until: d.date(f.get("until")),
	}
	for _, item := range d.list(f.need("agents", "agents: [{id: …, principals: [...]}]")) {
		doc.agents = append(doc.agents, d.agent(item))
	}
	mutating := f.get("mutating")
	m := d.fields(mutating, "mutating.", "also", "except")
	doc.also, doc.except = d.patterns(m.get("also")), d.patterns(m.get("except"))
	for _, item := range d.list(f.get("tools")) {
		doc.tools = append(doc.tools, d.tool(item, doc))
	}
	names := map[string]bool{}
	for _, item := range d.list(f.need("logs", "logs: [{name: …, format: cloudtrail, paths: [...]}]")) {
		l := d.log(item)
		if names[l.name] {
			d.fail(item, "give each log a name of its own", "two logs have the name %q", l.name)
		}
		names[l.name] = true
		doc.logs = append(doc.logs, l)
	}
	if !doc.until.IsZero() && !doc.until.After(doc.since) {
		d.fail(f.get("until"), "", "until is not after since")
	}
	return doc
}

func (d *decoder) agent(v value) agent {
	f := d.fields(v, v.name+".", "id", "principals")
	a := agent{
		id:         d.str(f.need("id", "id: the agent as its authorizations name it")),
		principals: d.patterns(f.need("principals", "principals: [arn:…], as the event logs name it; '*' stands for any text")),
	}
	for _, p := range a.principals {
		if strings.Trim(string(p), "*") == "" {
			d.fail(f.get("principals"), "name the agent's own principals", "%s is everybody", f.get("principals").name)
		}
	}
	return a
}

func (d *decoder) log(v value) log {
	f := d.fields(v, v.name+".", "name", "format", "paths", "delay", "silence", "keys", "mapping")
	l := log{
		name:    d.str(f.need("name", "name: what the report calls this log")),
		format:  Format(d.oneOf(f.need("format", "format: cloudtrail, kubernetes or lines"), string(CloudTrail), string(Kubernetes), string(Lines))),
		paths:   d.files(f.need("paths", "paths: [FOLDER], files or folders of event logs")),
		delay:   d.span(f.get("delay"), defaultDelay),
		silence: d.span(f.get("silence"), 0),
		keys:    d.keys(f.get("keys")),
	}
	mapping := f.get("mapping")
	switch {
	case l.format == Lines && mapping.IsZero():
		f.need("mapping", "mapping: says what id, time, principal and action of a line are")
	case l.format == Lines:
		l.mapping = d.mapping(mapping)
	case !mapping.IsZero():
		d.fail(mapping, "leave it out", "%s: only the format lines has a mapping", mapping.name)
	}
	if l.keys == nil {
		l.keys = defaultKeys(l.format)
	}
	return l
}

func (d *decoder) keys(v value) []string {
	var keys []string
	for _, item := range d.list(v) {
		if d.path(item) {
			keys = append(keys, item.Text())
		}
	}
	return keys
}

// path checks that a value is the path of a value in an event.
func (d *decoder) path(v value) bool {
	text := d.str(v)
	if text == "" {
		return false
	}
	if _, err := splitPath(text); err != nil {
		d.fail(v, "", "%s: %v", v.name, err)
		return false
	}
	return true
}

func (d *decoder) tool(v value, doc *Document) toolEvents {
	f := d.fields(v, v.name+".", "tool", "classes", "events")
	t := toolEvents{
		tool:    d.str(f.need("tool", "tool: the tool's own name, or server/name")),
		classes: d.patterns(f.get("classes")),
	}
	for _, item := range d.list(f.need("events", "events: [{action: …}], the events that a call makes")) {
		t.events = append(t.events, d.event(item, doc))
	}
	return t
}

func (d *decoder) event(v value, doc *Document) toolEvent {
	f := d.fields(v, v.name+".", "action", "fan_out", "attempts", "match", "compare")
	e := toolEvent{
		action:   pattern(d.str(f.need("action", "action: such as ec2:RunInstances or patch:apps/deployments; '*' stands for any text"))),
		fanOut:   d.number(f.get("fan_out"), 1),
		attempts: d.number(f.get("attempts"), defaultAttempts),
	}
	for _, item := range d.list(f.get("match")) {
		e.match = append(e.match, d.comparison(item, doc, equal))
	}
	for _, item := range d.list(f.get("compare")) {
		e.compare = append(e.compare, d.comparison(item, doc, equal, atMost, atLeast))
	}
	return e
}

func (d *decoder) comparison(v value, doc *Document, rules ...rule) comparison {
	known := []string{"event", "argument"}
	if len(rules) > 1 {
		known = append(known, "rule")
	}
	f := d.fields(v, v.name+".", known...)
	c := comparison{rule: equal}
	if event := f.need("event", "event: the path of a value in the event"); d.path(event) {
		c.event = index(&doc.paths, event.Text())
	}
	if argument := f.need("argument", "argument: the path of the argument that it comes from"); d.path(argument) {
		c.argument = index(&doc.arguments, argument.Text())
	}
	if r := f.get("rule"); len(rules) > 1 && !r.IsZero() {
		var names []string
		for _, r := range rules {
			names = append(names, string(r))
		}
		c.rule = rule(d.oneOf(r, names...))
	}
	return c
}

// index returns the index of a text in a list of different ones, to which it is
// added if it is not there.
func index(list *[]string, text string) int {
	i := slices.Index(*list, text)
	if i < 0 {
		i = len(*list)
		*list = append(*list, text)
	}
	return i
}
