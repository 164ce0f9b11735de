package authority

import (
	"cmp"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// Lifecycle returns, for every document, the record that it is loaded, with
// its exact bytes and its standing at a time; without id and time of its own.
// The documents are in the order of their names.
func (s *Set) Lifecycle(at time.Time) []*rationale.Lifecycle {
	if s == nil {
		return nil
	}
	var loaded []*rationale.Lifecycle
	add := func(src source, l *rationale.Lifecycle) {
		l.Kind, l.Document, l.Digest = rationale.KindLifecycle, src.File.Name, src.Digest
		l.Bytes, l.Signature = src.Data, src.Signature
		loaded = append(loaded, l)
	}
	for _, g := range s.policy.Grants {
		standing, _ := s.standing(g, at)
		add(g.source, &rationale.Lifecycle{
			Event: rationale.EventLoaded, Authorization: s.ref(g, at), Standing: standing, Supersedes: g.Supersedes,
		})
	}
	if m := s.policy.Matrix; m != nil {
		add(m.source, &rationale.Lifecycle{Event: rationale.EventLoaded})
	}
	for _, p := range s.policy.PriceLists {
		add(p.source, &rationale.Lifecycle{Event: rationale.EventLoaded})
	}
	for _, r := range s.policy.Reaffirmations {
		add(r.source, &rationale.Lifecycle{Event: rationale.EventLoaded, Message: "reaffirms " + r.Authorization.Value})
	}
	for _, h := range s.policy.Halts {
		event := rationale.EventSuspended
		if h.Revocation {
			event = rationale.EventRevoked
		}
		add(h.source, &rationale.Lifecycle{Event: event, Standing: h.standing(), Message: h.Reason})
	}
	slices.SortStableFunc(loaded, func(a, b *rationale.Lifecycle) int { return cmp.Compare(a.Document, b.Document) })
	return loaded
}

// standing is the standing of a version at a time, and why it is not active.
// Pins are not part of it: they depend on what runs.
func (s *Set) standing(g *grantDoc, at time.Time) (rationale.Standing, string) {
	found := s.defects(g, at)
	if len(found) == 0 {
		return rationale.StandingActive, ""
	}
	return found[0].standing, found[0].message
}
