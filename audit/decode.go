package audit

import (
	"slices"
	"strings"
)

func (d *decoder) document(root value) *Document {
	f := d.Map(root, "", "apiVersion", "kind", "id", "agents", "records", "logs", "mutating", "tools",
		"window", "skew", "late", "since", "until", "state")
	d.OneOf(f.Need("apiVersion", "apiVersion: ambit/v1"), "ambit/v1")
	d.OneOf(f.Need("kind", "kind: Audit"), "Audit")
	doc := &Document{
		ID:      d.Str(f.Need("id", "id: a name for this audit")),
		records: d.files(f.Need("records", "records: [FOLDER], the evidence folders of the agents' hosts")),
		state:   d.file(d.Str(f.Get("state"))),
		times: times{
			window: d.span(f.Get("window"), defaultWindow),
			skew:   d.span(f.Get("skew"), defaultSkew),
			late:   d.span(f.Get("late"), defaultLate),
		},
		since: d.date(f.Get("since")),
		until: d.date(f.Get("until")),
	}
	for _, item := range d.List(f.Need("agents", "agents: [{id: …, principals: [...]}]"), false) {
		doc.agents = append(doc.agents, d.agent(item))
	}
	mutating := f.Get("mutating")
	m := d.Map(mutating, "mutating.", "also", "except")
	doc.also, doc.except = d.patterns(m.Get("also")), d.patterns(m.Get("except"))
	for _, item := range d.List(f.Get("tools"), false) {
		t := d.tool(item, doc)
		if i := slices.IndexFunc(doc.tools, t.behind); i >= 0 {
			d.Fail(item.Node, "put it before the other, or leave it out", "%s is never looked at: tools[%d] stands before it, and has all of its classes", item.Name, i)
		}
		doc.tools = append(doc.tools, t)
	}
	names := map[string]bool{}
	for _, item := range d.List(f.Need("logs", "logs: [{name: …, format: cloudtrail, paths: [...]}]"), false) {
		l := d.log(item)
		if names[l.name] {
			d.Fail(item.Node, "give each log a name of its own", "two logs have the name %q", l.name)
		}
		names[l.name] = true
		doc.logs = append(doc.logs, l)
	}
	if !doc.until.IsZero() && !doc.until.After(doc.since) {
		d.Fail(f.Get("until").Node, "", "until is not after since")
	}
	return doc
}

func (d *decoder) agent(v value) agent {
	f := d.Map(v, v.Name+".", "id", "principals")
	a := agent{
		id:         d.Str(f.Need("id", "id: the agent as its authorizations name it")),
		principals: d.patterns(f.Need("principals", "principals: [arn:…], as the event logs name it; '*' stands for any text")),
	}
	for _, p := range a.principals {
		if strings.Trim(string(p), "*") == "" {
			d.Fail(f.Get("principals").Node, "name the agent's own principals", "%s is everybody", f.Get("principals").Name)
		}
	}
	return a
}

func (d *decoder) log(v value) log {
	f := d.Map(v, v.Name+".", "name", "format", "paths", "delay", "silence", "keys", "mapping")
	l := log{
		name:    d.Str(f.Need("name", "name: what the report calls this log")),
		format:  Format(d.OneOf(f.Need("format", "format: cloudtrail, kubernetes or lines"), string(CloudTrail), string(Kubernetes), string(Lines))),
		paths:   d.files(f.Need("paths", "paths: [FOLDER], files or folders of event logs")),
		delay:   d.span(f.Get("delay"), defaultDelay),
		silence: d.span(f.Get("silence"), 0),
		keys:    d.keys(f.Get("keys")),
	}
	if l.silence > 0 && l.silence < minSilence {
		d.Fail(f.Get("silence").Node, "", "%s is %s: less than %s", f.Get("silence").Name, l.silence, minSilence)
	}
	mapping := f.Get("mapping")
	switch {
	case l.format == Lines && mapping.IsZero():
		f.Need("mapping", "mapping: says what id, time, principal and action of a line are")
	case l.format == Lines:
		l.mapping = d.mapping(mapping)
	case !mapping.IsZero():
		d.Fail(mapping.Node, "leave it out", "%s: only the format lines has a mapping", mapping.Name)
	}
	if l.keys == nil {
		l.keys = defaultKeys(l.format)
	}
	return l
}

func (d *decoder) keys(v value) []string {
	var keys []string
	for _, item := range d.List(v, false) {
		if d.path(item) {
			keys = append(keys, item.Text())
		}
	}
	return keys
}

// path checks that a value is the path of a value in an event.
func (d *decoder) path(v value) bool {
	text := d.Str(v)
	if text == "" {
		return false
	}
	if _, err := splitPath(text); err != nil {
		d.Fail(v.Node, "", "%s: %v", v.Name, err)
		return false
	}
	return true
}

func (d *decoder) tool(v value, doc *Document) toolEvents {
	f := d.Map(v, v.Name+".", "tool", "classes", "events")
	t := toolEvents{
		tool:    d.Str(f.Need("tool", "tool: the tool's own name, or server/name")),
		classes: d.patterns(f.Get("classes")),
	}
	for _, item := range d.List(f.Need("events", "events: [{action: …}], the events that a call makes"), false) {
		e := d.event(item, doc)
		for i, before := range t.events {
			if e.action != "" && before.action.matches(string(e.action)) {
				d.Fail(item.Node, "put it before the other, or leave it out", "%s is never looked at: events[%d] stands before it, and has all of its actions", item.Name, i)
				break
			}
		}
		t.events = append(t.events, e)
	}
	return t
}

func (d *decoder) event(v value, doc *Document) toolEvent {
	f := d.Map(v, v.Name+".", "action", "fan_out", "attempts", "match", "compare")
	e := toolEvent{
		action:   pattern(d.Str(f.Need("action", "action: such as ec2:RunInstances or patch:apps/deployments; '*' stands for any text"))),
		fanOut:   d.number(f.Get("fan_out"), 1),
		attempts: d.number(f.Get("attempts"), defaultAttempts),
	}
	for _, item := range d.List(f.Get("match"), false) {
		e.match = append(e.match, d.comparison(item, doc, equal))
	}
	for _, item := range d.List(f.Get("compare"), false) {
		e.compare = append(e.compare, d.comparison(item, doc, equal, atMost, atLeast))
	}
	return e
}

func (d *decoder) comparison(v value, doc *Document, rules ...rule) comparison {
	known := []string{"event", "argument"}
	if len(rules) > 1 {
		known = append(known, "rule")
	}
	f := d.Map(v, v.Name+".", known...)
	c := comparison{rule: equal}
	if event := f.Need("event", "event: the path of a value in the event"); d.path(event) {
		c.event = index(&doc.paths, event.Text())
	}
	if argument := f.Need("argument", "argument: the path of the argument that it comes from"); d.path(argument) {
		c.argument = index(&doc.arguments, argument.Text())
	}
	if r := f.Get("rule"); len(rules) > 1 && !r.IsZero() {
		var names []string
		for _, r := range rules {
			names = append(names, string(r))
		}
		c.rule = rule(d.OneOf(r, names...))
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
