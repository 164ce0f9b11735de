package authority

import (
	"strings"
	"time"

	"github.com/ambit-go/ambit/classify"
)

// Defaults of an Authorization.
const (
	defaultCycle   = 90 * day
	defaultTTL     = 30 * time.Minute
	defaultReview  = 48 * time.Hour
	defaultOverdue = 5
	defaultPer     = time.Hour
)

const personHint = "write {id: …}, and role: … if it matters"

func (d *decoder) authorization(root value, src source) *grantDoc {
	f := d.fields(root, "", "apiVersion", "kind", "id", "version", "supersedes", "summary", "owner", "agent", "critical",
		"pins", "grant", "reauthorize", "when_lapsed", "observe", "approval", "review", "audit", "classes")
	g := &grantDoc{source: src}
	g.ID = d.id(f.need("id", "every version of an authorization has the same id"))
	g.Version = d.version(f)
	g.Supersedes = d.digest(f.get("supersedes"))
	g.Summary = d.str(f.get("summary"))
	g.Owner = d.person(f.need("owner", "owner: {id: …} is who is accountable; it is never one of grant.by"))
	agent := d.fields(f.need("agent", "agent: {id: …, environments: [prod]}"), "agent.", "id", "environments")
	g.Agent = d.id(agent.need("id", "the id that the host gives to the agent"))
	g.Environments = values(d.ids(agent.need("environments", "environments: [prod]")))
	g.Critical = d.boolean(f.get("critical"))
	g.Pins = d.pins(f.get("pins"))
	g.Grant = d.grant(f.need("grant", "grant: {by: [{id: …}], at: …, expires: …}"))
	g.Every = defaultCycle
	if every := d.fields(f.get("reauthorize"), "reauthorize.", "every"); !every.Node.IsZero() {
		g.Every = d.duration(every.need("every", "every: 90d"))
	}
	if d.oneOf(f.get("when_lapsed"), "deny", "authorization_required") == "authorization_required" {
		g.Lapsed = lapsedRecommends
	}
	g.ObserveUntil = d.observe(f.get("observe"))
	g.Approval = d.approval(f.get("approval"), g.Grant.By)
	g.Review = d.review(f.get("review"))
	g.Audit = d.audit(f.get("audit"))
	for _, item := range d.list(f.need("classes", "classes: a list of decision classes"), false) {
		g.Classes = append(g.Classes, d.class(item))
	}
	return g
}

// version reads a document's version, which is 1 by default.
func (d *decoder) version(f fields) int {
	v := f.get("version")
	if v.IsZero() {
		return 1
	}
	return d.integer(v, 1)
}

func (d *decoder) person(v value) person {
	f := d.fields(v, v.name+".", "id", "role")
	id := d.id(f.need("id", personHint))
	if strings.HasPrefix(id.Value, groupPrefix) {
		d.fail(id.Node, "name the person who is accountable", "%s.id is %q: a group, not a person", v.name, id.Value)
		id.Value = ""
	}
	return person{ID: id.Value, Role: d.str(f.get("role")), Node: id.Node}
}

// people reads a list of different persons, which is not empty.
func (d *decoder) people(v value) []person {
	var people []person
	for _, item := range d.list(v, false) {
		p := d.person(item)
		if p.ID == "" {
			continue
		}
		if i := indexPerson(people, p.ID); i >= 0 {
			d.fail(p.Node, "leave one out", "%s names %q twice", v.name, p.ID)
			continue
		}
		people = append(people, p)
	}
	return people
}

func indexPerson(people []person, id string) int {
	for i, p := range people {
		if samePerson(p.ID, id) {
			return i
		}
	}
	return -1
}

// samePerson compares ids of people without regard to case, so that a second
// spelling makes nobody a second person.
func samePerson(a, b string) bool { return a != "" && strings.EqualFold(a, b) }

const groupPrefix = "group:"

func (d *decoder) grant(v value) grant {
	f := d.fields(v, "grant.", "body", "by", "consulted", "at", "expires", "record")
	return grant{
		Body:      d.id(f.get("body")),
		By:        d.people(f.need("by", "by: [{id: …}] names who granted it")),
		Consulted: d.people(f.get("consulted")),
		At:        d.date(f.need("at", "at: the time of the grant")),
		Expires:   d.date(f.need("expires", "expires: at most 366 days after at")),
		Record:    d.str(f.get("record")),
	}
}

func (d *decoder) observe(v value) time.Time {
	if v.IsZero() {
		return time.Time{}
	}
	return d.date(d.fields(v, v.name+".", "until").need("until", "observe mode ends: until: …"))
}

// approval reads who approves; without a list it is those who granted.
func (d *decoder) approval(v value, granters []person) approval {
	f := d.fields(v, "approval.", "by", "quorum", "ttl")
	a := approval{Quorum: 1, TTL: defaultTTL}
	if by := f.get("by"); !by.IsZero() {
		a.By = d.ids(by)
	} else {
		for _, p := range granters {
			a.By = append(a.By, text{p.ID, p.Node})
		}
	}
	if quorum := f.get("quorum"); !quorum.IsZero() {
		a.Quorum = d.integer(quorum, 1)
	}
	if ttl := f.get("ttl"); !ttl.IsZero() {
		a.TTL = d.duration(ttl)
	}
	return a
}

func (d *decoder) review(v value) review {
	f := d.fields(v, "review.", "by", "within", "sample", "max_overdue")
	r := review{Within: defaultReview, MaxOverdue: defaultOverdue, Node: v.Node, By: d.ids(f.get("by")), Sample: d.share(f.get("sample"))}
	if within := f.get("within"); !within.IsZero() {
		r.Within = d.duration(within)
	}
	if overdue := f.get("max_overdue"); !overdue.IsZero() {
		r.MaxOverdue = d.integer(overdue, 0)
	}
	return r
}

func (d *decoder) audit(v value) audit {
	if v.IsZero() {
		return audit{}
	}
	f := d.fields(v, "audit.", "every", "max_unexplained")
	a := audit{Every: d.duration(f.need("every", "every: 30d"))}
	if unexplained := f.get("max_unexplained"); !unexplained.IsZero() {
		a.MaxUnexplained = d.integer(unexplained, 0)
	}
	return a
}

func (d *decoder) pins(v value) pins {
	f := d.fields(v, "pins.", "models", "prompt", "tools")
	p := pins{Prompt: d.digest(f.get("prompt"))}
	for _, item := range d.list(f.get("models"), false) {
		p.Models = append(p.Models, d.modelPin(item))
	}
	seen := make(map[classify.ToolID]bool)
	for _, item := range d.list(f.get("tools"), false) {
		pin := d.toolPin(item)
		if pin.Tool.Name != "" && seen[pin.Tool] {
			d.fail(pin.Node, "leave one out", "pins.tools names %q twice", pin.Tool)
		}
		seen[pin.Tool] = true
		p.Tools = append(p.Tools, pin)
	}
	return p
}

func (d *decoder) toolPin(v value) toolPin {
	f := d.fields(v, v.name+".", "name", "digest")
	name := d.text(f.need("name", "name: the tool's own name, or server/name"))
	digest := d.digest(f.need("digest", "digest: sha256:…"))
	return toolPin{Tool: d.toolID(name, v.name+".name"), Digest: digest, Node: name.Node}
}

// toolID parses the name of one tool.
func (d *decoder) toolID(name text, what string) classify.ToolID {
	if name.Value == "" {
		return classify.ToolID{}
	}
	id, err := classify.ParseToolID(name.Value)
	if err != nil {
		d.fail(name.Node, "want the tool's own name, or server/name", "%s: %v", what, err)
		return classify.ToolID{}
	}
	return id
}

const modelHint = "pin a date, a revision or a digest of the weights"

func (d *decoder) modelPin(v value) modelPin {
	f := d.fields(v, v.name+".", "provider", "name", "version")
	name := d.text(f.need("name", "name: the model's own name"))
	version := d.text(f.need("version", modelHint))
	d.fixed(name, v.name+".name")
	d.fixed(version, v.name+".version")
	if version.Value != "" && floatingLabel(version.Value) == "" && !strings.ContainsAny(version.Value, "0123456789") {
		d.fail(version.Node, modelHint, "%s.version is %q: no date, revision or digest", v.name, version.Value)
	}
	return modelPin{Provider: d.str(f.need("provider", "provider: who serves the model")), Name: name.Value, Version: version.Value}
}

// fixed refuses a text that names another model tomorrow.
func (d *decoder) fixed(t text, what string) {
	if label := floatingLabel(t.Value); label != "" {
		d.fail(t.Node, modelHint, "%s is %q: %q names whatever is newest", what, t.Value, label)
	}
}

// floatingLabel returns the part of a model's name or version that names
// whatever is newest; empty where there is none.
func floatingLabel(s string) string {
	parts := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return strings.ContainsRune("-_.:@/ ", r) })
	for _, part := range parts {
		switch part {
		case "latest", "newest", "current", "stable", "default", "auto", "main", "master", "head", "nightly", "x", "*":
			return part
		}
	}
	return ""
}
