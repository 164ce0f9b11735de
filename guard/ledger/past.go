package ledger

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/ambit-go/ambit/internal/versions"
	"github.com/ambit-go/ambit/rationale"
)

// past is what hosts had loaded that their next start must not undo, whoever takes it
// out of the folder.
type past struct {
	revocations map[documentKey]*rationale.Lifecycle // under whatever name
	versions    map[authorizationKey]versions.Seen
}

func revocationKey(l *rationale.Lifecycle, digest string) documentKey {
	return documentKey{l.Agent.ID, l.Agent.Environment, "", digest, rationale.EventRevoked}
}

type authorizationKey struct{ agent, environment, id string }

func newPast() past {
	return past{make(map[documentKey]*rationale.Lifecycle), make(map[authorizationKey]versions.Seen)}
}

func (p *past) apply(l *rationale.Lifecycle) {
	switch {
	case l.Event == rationale.EventRevoked && l.Bytes != nil:
		// Only what says it again takes the place of one: of two that say the same,
		// two hosts may unload one each.
		delete(p.revocations, revocationKey(l, l.Supersedes))
		p.revocations[revocationKey(l, l.Digest)] = l
	case l.Event == rationale.EventLoaded && l.Authorization != nil && l.Standing != rationale.StandingUnsigned:
		key := authorizationKey{l.Agent.ID, l.Agent.Environment, l.Authorization.ID}
		p.versions[key] = p.versions[key].With(versions.Version{Number: l.Authorization.Version, Granted: l.Authorization.GrantedAt})
	}
}

// Past returns what the host of an agent had loaded in an environment that its next
// start must not undo: every revocation, as it was recorded, and of each authorization
// the highest version, and lower ones that were to be in force before it, without
// their bytes. Revocations are shared and must not be changed.
func (m *Memory) Past(agent, environment string) []*rationale.Lifecycle {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*rationale.Lifecycle
	for key, l := range m.past.revocations {
		if key.agent == agent && key.environment == environment {
			all = append(all, l)
		}
	}
	for key, seen := range m.past.versions {
		if key.agent != agent || key.environment != environment {
			continue
		}
		for _, v := range seen {
			all = append(all, &rationale.Lifecycle{
				Kind: rationale.KindLifecycle, Event: rationale.EventLoaded, Agent: rationale.Agent{ID: agent, Environment: environment},
				Authorization: &rationale.AuthorizationRef{ID: key.id, Version: v.Number, GrantedAt: v.Granted},
			})
		}
	}
	slices.SortFunc(all, func(a, b *rationale.Lifecycle) int {
		return cmp.Or(cmp.Compare(a.Document, b.Document), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// savedPast is what a snapshot says of the past.
type savedPast struct {
	Revocations []json.RawMessage `json:"revocations,omitempty"`
	Versions    []savedVersions   `json:"versions,omitempty"`
}

type savedVersions struct {
	Agent         string        `json:"agent"`
	Environment   string        `json:"environment"`
	Authorization string        `json:"authorization"`
	Versions      versions.Seen `json:"versions"`
}

func (p *past) save() (savedPast, error) {
	var s savedPast
	for _, l := range p.revocations {
		data, err := rationale.Marshal(l)
		if err != nil {
			return s, err
		}
		s.Revocations = append(s.Revocations, data)
	}
	for key, seen := range p.versions {
		s.Versions = append(s.Versions, savedVersions{key.agent, key.environment, key.id, seen})
	}
	slices.SortFunc(s.Revocations, func(a, b json.RawMessage) int { return slices.Compare(a, b) })
	slices.SortFunc(s.Versions, func(a, b savedVersions) int {
		return cmp.Or(cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Authorization, b.Authorization))
	})
	return s, nil
}

func (p *past) restore(s savedPast) error {
	*p = newPast()
	for _, data := range s.Revocations {
		l, err := rationale.UnmarshalAs[*rationale.Lifecycle](data)
		if err != nil {
			return err
		}
		p.revocations[revocationKey(l, l.Digest)] = l
	}
	for _, v := range s.Versions {
		p.versions[authorizationKey{v.Agent, v.Environment, v.Authorization}] = v.Versions
	}
	return nil
}
