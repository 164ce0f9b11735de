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
		l.Kind, l.Document, l.Digest = rationale.KindLifecycle, src.Name, src.Digest
		l.Bytes, l.Signature = src.Data, src.Signature
		loaded = append(loaded, l)
	}
	for _, g := range s.policy.Grants {
		standing, _ := g.standing(at)
		add(g.source, &rationale.Lifecycle{
			Event: rationale.EventLoaded, Authorization: g.refAt(at), Standing: standing, Supersedes: g.Supersedes,
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
		add(h.source, &rationale.Lifecycle{Event: event, Standing: h.standing(), Message: h.Reason, Supersedes: h.Supersedes})
	}
	slices.SortStableFunc(loaded, func(a, b *rationale.Lifecycle) int { return cmp.Compare(a.Document, b.Document) })
	return loaded
}
