package authority

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-go/ambit/rationale"
)

// User is a person whom the authority matrix knows by an OS user of the host's
// machine.
type User struct {
	rationale.Person
	// Settles and Resumes say whether the matrix lets the person settle calls
	// (settlement.by) and end suspensions (resumption.by). Without the key nobody may.
	Settles, Resumes bool
	// Audits says whether the matrix lets the person record what an audit found, and
	// answer for it (audit.by). Without the key nobody may.
	Audits bool
	// Party are the ids of the authorizations that the person owns, or that are
	// granted to the person as an agent, in the documents that are loaded: nobody is to
	// audit their own.
	Party []string
}

// LocalUser returns the person that an OS user stands for, by the authority
// matrix's users.local. The error, for people, names what is missing there. No name
// is special: root is known where it is listed.
func (s *Set) LocalUser(name string) (User, error) {
	if s == nil || s.policy.Matrix == nil {
		return User{}, fmt.Errorf("no authority matrix says who the OS user %s is: load one with users: {local: {%[1]s: …}}", rationale.Printable(name))
	}
	m := s.policy.Matrix
	known, ok := m.LocalUsers[name]
	if !ok {
		return User{}, fmt.Errorf("%s has no entry users.local.%s: it would say who that OS user is, as in users: {local: {%[2]s: {id: PERSON, groups: [GROUP]}}}",
			rationale.Printable(m.Name), rationale.Printable(name))
	}
	p := rationale.Person{ID: known.ID, Groups: append([]string(nil), known.Groups...)}
	u := User{Person: p, Settles: p.Among(m.SettledBy), Resumes: p.Among(m.ResumedBy), Audits: p.Among(m.AuditedBy)}
	for _, g := range s.policy.Grants {
		if rationale.SamePerson(p.ID, g.Owner.ID) || rationale.SamePerson(p.ID, g.Agent.Value) {
			u.Party = append(u.Party, g.ID.Value)
		}
	}
	return u, nil
}

// HasMatrix reports whether an authority matrix is loaded.
func (s *Set) HasMatrix() bool { return s != nil && s.policy.Matrix != nil }

// users reports OS users of whom the matrix says no more than their name, while a
// document names its owner by an address: nobody could tell that they are one.
func (v *vet) users() {
	m := v.set.policy.Matrix
	if m == nil || !slices.ContainsFunc(v.set.policy.Grants, func(g *grantDoc) bool { return strings.Contains(g.Owner.ID, "@") }) {
		return
	}
	for name, u := range m.LocalUsers {
		if u.ID == name && !strings.Contains(name, "@") {
			v.report(false, errorAt(at(m.File.Root(), "users", "local", name),
				"users.local.%s has no id, and documents name people by addresses: whether this is an owner or a requester, nobody can tell", name))
		}
	}
}
