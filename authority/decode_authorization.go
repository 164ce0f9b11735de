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
	f := d.Map(root, "", "apiVersion", "kind", "id", "version", "supersedes", "summary", "owner", "agent", "critical",
		"pins", "grant", "reauthorize", "when_lapsed", "observe", "approval", "review", "audit", "classes")
	g := &grantDoc{source: src}
	g.ID = d.id(f.Need("id", "every version of an authorization has the same id"))
	g.Version = d.version(f)
	g.Supersedes = d.digest(f.Get("supersedes"))
	g.Summary = d.Str(f.Get("summary"))
	g.Owner = d.person(f.Need("owner", "owner: {id: …} is who is accountable; it is never one of grant.by"))
	agent := d.Map(f.Need("agent", "agent: {id: …, environments: [prod]}"), "agent.", "id", "environments")
	g.Agent = d.id(agent.Need("id", "the id that the host gives to the agent"))
	g.Environments = values(d.ids(agent.Need("environments", "environments: [prod]")))
	g.Critical = d.Boolean(f.Get("critical"))
	g.Pins = d.pins(f.Get("pins"))
	g.Grant = d.grant(f.Need("grant", "grant: {by: [{id: …}], at: …, expires: …}"))
	g.Every = defaultCycle
	if every := d.Map(f.Get("reauthorize"), "reauthorize.", "every"); !every.Node.IsZero() {
		g.Every = d.duration(every.Need("every", "every: 90d"))
	}
	if d.OneOf(f.Get("when_lapsed"), "deny", "authorization_required") == "authorization_required" {
		g.Lapsed = lapsedRecommends
	}
	g.ObserveUntil = d.observe(f.Get("observe"))
	g.Approval = d.approval(f.Get("approval"), g.Grant.By)
	g.Review = d.review(f.Get("review"))
	g.Audit = d.audit(f.Get("audit"))
	for _, item := range d.List(f.Need("classes", "classes: a list of decision classes"), false) {
		g.Classes = append(g.Classes, d.class(item))
	}
	return g
}

// version reads a document's version, which is 1 by default.
func (d *decoder) version(f fields) int {
	v := f.Get("version")
	if v.IsZero() {
		return 1
	}
	return d.Integer(v, 1)
}

func (d *decoder) person(v value) person {
	f := d.Map(v, v.Name+".", "id", "role")
	id := d.id(f.Need("id", personHint))
	if strings.HasPrefix(id.Value, groupPrefix) {
		d.Fail(id.Node, "name the person who is accountable", "%s.id is %q: a group, not a person", v.Name, id.Value)
		id.Value = ""
	}
	return person{ID: id.Value, Role: d.Str(f.Get("role")), Node: id.Node}
}

// people reads a list of different persons, which is not empty.
func (d *decoder) people(v value) []person {
	var people []person
	for _, item := range d.List(v, false) {
		p := d.person(item)
		if p.ID == "" {
			continue
		}
		if i := indexPerson(people, p.ID); i >= 0 {
			d.Fail(p.Node, "leave one out", "%s names %q twice", v.Name, p.ID)
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
	f := d.Map(v, "grant.", "body", "by", "consulted", "at", "expires", "record")
	return grant{
		Body:      d.id(f.Get("body")),
		By:        d.people(f.Need("by", "by: [{id: …}] names who granted it")),
		Consulted: d.people(f.Get("consulted")),
		At:        d.date(f.Need("at", "at: the time of the grant")),
		Expires:   d.date(f.Need("expires", "expires: at most 366 days after at")),
		Record:    d.Str(f.Get("record")),
	}
}

func (d *decoder) observe(v value) time.Time {
	if v.IsZero() {
		return time.Time{}
	}
	return d.date(d.Map(v, v.Name+".", "until").Need("until", "observe mode ends: until: …"))
}

// approval reads who approves; without a list it is those who granted.
func (d *decoder) approval(v value, granters []person) approval {
	f := d.Map(v, "approval.", "by", "quorum", "ttl")
	a := approval{Quorum: 1, TTL: defaultTTL}
	if by := f.Get("by"); !by.IsZero() {
		a.By = d.ids(by)
	} else {
		for _, p := range granters {
			a.By = append(a.By, text{p.ID, p.Node})
		}
	}
	if quorum := f.Get("quorum"); !quorum.IsZero() {
		a.Quorum = d.Integer(quorum, 1)
	}
	if ttl := f.Get("ttl"); !ttl.IsZero() {
		a.TTL = d.duration(ttl)
	}
	return a
}

func (d *decoder) review(v value) review {
	f := d.Map(v, "review.", "by", "within", "sample", "max_overdue")
	r := review{Within: defaultReview, MaxOverdue: defaultOverdue, Node: v.Node, By: d.ids(f.Get("by")), Sample: d.share(f.Get("sample"))}
	if within := f.Get("within"); !within.IsZero() {
		r.Within = d.duration(within)
	}
	if overdue := f.Get("max_overdue"); !overdue.IsZero() {
		r.MaxOverdue = d.Integer(overdue, 0)
	}
	return r
}

func (d *decoder) audit(v value) audit {
	if v.IsZero() {
		return audit{}
	}
	f := d.Map(v, "audit.", "every", "max_unexplained")
	a := audit{Every: d.duration(f.Need("every", "every: 30d"))}
	if unexplained := f.Get("max_unexplained"); !unexplained.IsZero() {
		a.MaxUnexplained = d.Integer(unexplained, 0)
	}
	return a
}

func (d *decoder) pins(v value) pins {
	f := d.Map(v, "pins.", "models", "prompt", "tools")
	p := pins{Prompt: d.digest(f.Get("prompt"))}
	for _, item := range d.List(f.Get("models"), false) {
		p.Models = append(p.Models, d.modelPin(item))
	}
	seen := make(map[classify.ToolID]bool)
	for _, item := range d.List(f.Get("tools"), false) {
		pin := d.toolPin(item)
		if pin.Tool.Name != "" && seen[pin.Tool] {
			d.Fail(pin.Node, "leave one out", "pins.tools names %q twice", pin.Tool)
		}
		seen[pin.Tool] = true
		p.Tools = append(p.Tools, pin)
	}
	return p
}

func (d *decoder) toolPin(v value) toolPin {
	f := d.Map(v, v.Name+".", "name", "digest")
	name := d.text(f.Need("name", "name: the tool's own name, or server/name"))
	digest := d.digest(f.Need("digest", "digest: sha256:…"))
	return toolPin{Tool: d.toolID(name, v.Name+".name"), Digest: digest, Node: name.Node}
}

// toolID parses the name of one tool.
func (d *decoder) toolID(name text, what string) classify.ToolID {
	if name.Value == "" {
		return classify.ToolID{}
	}
	id, err := classify.ParseToolID(name.Value)
	if err != nil {
		d.Fail(name.Node, "want the tool's own name, or server/name", "%s: %v", what, err)
		return classify.ToolID{}
	}
	return id
}

const modelHint = "pin a date, a revision or a digest of the weights"

func (d *decoder) modelPin(v value) modelPin {
	f := d.Map(v, v.Name+".", "provider", "name", "version")
	name := d.text(f.Need("name", "name: the model's own name"))
	version := d.text(f.Need("version", modelHint))
	d.fixed(name, v.Name+".name")
	d.fixed(version, v.Name+".version")
	if version.Value != "" && floatingLabel(version.Value) == "" && !strings.ContainsAny(version.Value, "0123456789") {
		d.Fail(version.Node, modelHint, "%s.version is %q: no date, revision or digest", v.Name, version.Value)
	}
	return modelPin{Provider: d.Str(f.Need("provider", "provider: who serves the model")), Name: name.Value, Version: version.Value}
}

// fixed refuses a text that names another model tomorrow.
func (d *decoder) fixed(t text, what string) {
	if label := floatingLabel(t.Value); label != "" {
		d.Fail(t.Node, modelHint, "%s is %q: %q names whatever is newest", what, t.Value, label)
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
