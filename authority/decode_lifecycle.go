package authority

import "time"

// reaffirmation reads that people looked at an authorization again.
func (d *decoder) reaffirmation(root value, src source) *reaffirmationDoc {
	f := d.Map(root, "", "apiVersion", "kind", "authorization", "version", "by", "at", "record")
	r := &reaffirmationDoc{
		source:        src,
		Authorization: d.id(f.Need("authorization", "authorization: the id of what is reaffirmed")),
		By:            d.people(f.Need("by", "by: [{id: …}] names who reaffirmed it")),
		At:            d.date(f.Need("at", "at: the time of the reaffirmation")),
		Record:        d.Str(f.Get("record")),
	}
	if version := f.Get("version"); !version.IsZero() {
		r.Version = d.Integer(version, 1)
	}
	return r
}

// halt reads a Revocation or a Suspension. Whatever else is wrong with it, it
// is returned as soon as it is known what it halts.
func (d *decoder) halt(root value, src source, revocation bool) *haltDoc {
	keys := []string{"apiVersion", "kind", "authorization", "agent", "by", "at", "reason"}
	if !revocation {
		keys = append(keys, "until")
	}
	f := d.Map(root, "", keys...)
	h := &haltDoc{source: src, Revocation: revocation}
	authorization, agent := f.Get("authorization"), f.Get("agent")
	h.Authorization, h.Agent = d.haltID(authorization), d.haltID(agent)
	switch {
	case authorization.IsZero() && agent.IsZero():
		d.Fail(root.Node, `authorization: ID, or agent: ID; "*" for all`, "%s names neither authorization nor agent", root.Name)
	case !authorization.IsZero() && !agent.IsZero():
		d.Fail(agent.Node, "leave one out", "%s names both authorization and agent", root.Name)
	}
	h.By = d.people(f.Need("by", "by: [{id: …}] names who decided it"))
	h.At = d.date(f.Need("at", "at: from when on it holds"))
	h.Until = d.date(f.Get("until"))
	h.Reason = d.Str(f.Need("reason", "reason: why"))
	if !h.Until.IsZero() && !h.Until.After(h.At) {
		d.Fail(f.Get("until").Node, "", "until is not after at")
		h.Until = time.Time{} // it holds until the document is removed
	}
	return h
}

// haltID reads an id, or "*" for all.
func (d *decoder) haltID(v value) string {
	if v.Text() == "*" {
		return "*"
	}
	return d.id(v).Value
}
