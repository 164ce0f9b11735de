package authority

import (
	"slices"
	"strings"

	"github.com/ambit-go/ambit/internal/yamldoc"
)

func (d *decoder) matrix(root value, src source) *matrixDoc {
	f := d.Map(root, "", "apiVersion", "kind", "version", "domains", "bodies", "approvers", "baselines", "budgets", "users", "settlement", "resumption", "audit")
	m := &matrixDoc{source: src, Version: d.version(f)}
	for _, e := range d.Pairs(f.Get("domains")) {
		name := d.id(yamldoc.Named(e.Key, "the domain's name")).Value
		patterns := d.patterns(yamldoc.Named(e.Value, "domains."+name))
		m.Domains = append(m.Domains, domainDoc{name, patterns})
	}
	for _, item := range d.List(f.Need("bodies", "bodies: who may grant what"), false) {
		body := d.body(item)
		if slices.ContainsFunc(m.Bodies, func(b bodyDoc) bool { return b.ID != "" && b.ID == body.ID }) {
			d.Fail(at(body.Node, "id"), "leave one out", "bodies names %q twice", body.ID)
		}
		m.Bodies = append(m.Bodies, body)
	}
	for _, item := range d.List(f.Get("approvers"), false) {
		m.Approvers = append(m.Approvers, d.approver(item))
	}
	for _, item := range d.List(f.Get("baselines"), false) {
		m.Baselines = append(m.Baselines, d.baseline(item, m))
	}
	for _, item := range d.List(f.Get("budgets"), false) {
		b := d.budget(item)
		if m.budget(b.CostCentre) != nil {
			d.Fail(at(item.Node, "cost_centre"), "leave one out", "budgets names %q twice", b.CostCentre)
		}
		m.Budgets = append(m.Budgets, b)
	}
	m.LocalUsers = d.users(f.Get("users"))
	m.SettledBy = d.named(f.Get("settlement"), "settlement")
	m.ResumedBy = d.named(f.Get("resumption"), "resumption")
	m.AuditedBy = d.named(f.Get("audit"), "audit")
	slices.SortStableFunc(m.Domains, func(a, b domainDoc) int { return strings.Compare(a.Name, b.Name) })
	return m
}

func (d *decoder) body(v value) bodyDoc {
	v.Name = "the body"
	f := d.Map(v, "", "id", "mandate", "keys", "quorum", "may_grant")
	b := bodyDoc{
		ID:      d.id(f.Need("id", "grant.body names it")).Value,
		Mandate: d.Str(f.Get("mandate")),
		Quorum:  1,
		Node:    v.Node,
	}
	keys := f.Get("keys")
	for _, item := range d.List(keys, false) {
		key := d.key(item)
		if slices.ContainsFunc(b.Keys, func(k keyDoc) bool { return k.ID != "" && k.ID == key.ID }) {
			d.Fail(at(item.Node, "id"), "leave one out", "keys names %s twice", key.ID)
			continue
		}
		b.Keys = append(b.Keys, key)
	}
	if quorum := f.Get("quorum"); !quorum.IsZero() {
		b.Quorum = d.Integer(quorum, 1)
		if b.Quorum > max(len(b.Keys), 1) {
			d.Fail(quorum.Node, "list more keys, or ask for fewer", "quorum is %d: the body has only %d keys", b.Quorum, len(b.Keys))
		}
	}
	d.mayGrant(f.Need("may_grant", "may_grant: {domains: […], currency: EUR, term: 180d, per_event: {…}}"), &b)
	return b
}

func (d *decoder) key(v value) keyDoc {
	f := d.Map(v, "key.", "id", "from", "until")
	k := keyDoc{
		ID:    d.digest(f.Need("id", "id: sha256:… of the raw Ed25519 public key")),
		From:  d.date(f.Need("from", "from: the first time at which the key counts")),
		Until: d.date(f.Get("until")),
	}
	if !k.Until.IsZero() && !k.Until.After(k.From) {
		d.Fail(f.Get("until").Node, "", "key.until is not after key.from")
	}
	return k
}

func (d *decoder) mayGrant(v value, b *bodyDoc) {
	f := d.Map(v, "may_grant.", "domains", "currency", "term", "per_event")
	b.Domains = values(d.ids(f.Need("domains", "domains: [scaling]")))
	b.Currency = d.currency(f.Get("currency"))
	b.Term = d.duration(f.Get("term"))
	b.PerEvent = d.ladder(f.Get("per_event"))
	if b.PerEvent != nil && b.Currency == "" && f.Get("currency").IsZero() {
		d.Fail(f.Get("per_event").Node, "currency: EUR", "may_grant.per_event has no currency")
	}
}

func (d *decoder) approver(v value) approverDoc {
	f := d.Map(v, "approver.", "group", "person", "currency", "up_to")
	a := approverDoc{
		Group:    d.id(f.Get("group")).Value,
		Person:   d.id(f.Get("person")).Value,
		Currency: d.currency(f.Need("currency", "currency: EUR")),
	}
	a.UpTo, _ = d.decimal(f.Need("up_to", `up_to: "10000.00"`))
	for key, name := range map[string]string{"group": a.Group, "person": a.Person} {
		if group, has := strings.CutPrefix(name, groupPrefix); has {
			d.Fail(f.Get(key).Node, "group: "+group, "approver.%s is %q: groups stand here without %q", key, name, groupPrefix)
		}
	}
	if f.Get("group").IsZero() == f.Get("person").IsZero() && f.Node.Kind() == yamldoc.Mapping {
		d.Fail(v.Node, "group: NAME, or person: ID", "an approver is either a group or a person")
	}
	return a
}

func (d *decoder) baseline(v value, m *matrixDoc) baselineDoc {
	f := d.Map(v, "baseline.", "domain", "allow", "bounds", "why")
	domain := d.id(f.Need("domain", "domain: one of domains"))
	b := baselineDoc{
		Domain: domain.Value,
		Allow:  d.allow(f.Get("allow"), true),
		Bounds: d.bounds(f.Get("bounds"), true),
		Why:    d.Str(f.Get("why")),
	}
	for i := range b.Allow {
		b.Allow[i].Why = b.Why
	}
	for i := range b.Bounds {
		if b.Bounds[i].Why == "" {
			b.Bounds[i].Why = b.Why
		}
	}
	var names []string
	for _, known := range m.Domains {
		names = append(names, known.Name)
	}
	if domain.Value != "" && !slices.Contains(names, domain.Value) {
		d.Fail(domain.Node, yamldoc.NearestHint(domain.Value, names), "baseline.domain is %q: domains puts no tool in it", domain.Value)
	}
	if len(b.Allow)+len(b.Bounds) == 0 && f.Node.Kind() == yamldoc.Mapping && f.Get("allow").IsZero() && f.Get("bounds").IsZero() {
		d.Fail(v.Node, "allow: {args.region: […]}, or bounds: […]", "the baseline demands nothing")
	}
	return b
}

func (d *decoder) users(v value) map[string]localUser {
	if v.IsZero() {
		return nil
	}
	f := d.Map(v, "users.", "local")
	local := make(map[string]localUser)
	for _, e := range d.Pairs(f.Need("local", "local: {alice: [managers]}")) {
		name := d.id(yamldoc.Named(e.Key, "a user of users.local")).Value
		if user := d.localUser(name, yamldoc.Named(e.Value, "users.local."+name)); name != "" {
			local[name] = user
		}
	}
	return local
}

// localUser reads the groups of a user, or who it is, too.
func (d *decoder) localUser(name string, v value) localUser {
	u := localUser{ID: name}
	groups := v
	if v.Kind() == yamldoc.Mapping {
		f := d.Map(v, v.Name+".", "id", "groups")
		u.ID = d.id(f.Need("id", "id: as owners and approvers are named in the documents")).Value
		groups = f.Need("groups", "groups: [managers]")
	}
	u.Groups = values(d.ids(groups))
	for _, g := range u.Groups {
		if strings.HasPrefix(g, groupPrefix) {
			d.Fail(groups.Node, "want "+strings.TrimPrefix(g, groupPrefix), "%s names %q: groups stand here without %q", v.Name, g, groupPrefix)
		}
	}
	return u
}

// named reads who may do something: ids and group:….
func (d *decoder) named(v value, key string) []string {
	if v.IsZero() {
		return nil
	}
	f := d.Map(v, key+".", "by")
	return values(d.ids(f.Need("by", "by: [group:finance]")))
}
