package main

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/internal/desk"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// inForce yields the records of the documents that a ledger knows to be in force.
// Reading all records for them would keep people from suspending for as long as that
// takes, and for good where an old one is damaged.
func inForce(documents []*rationale.Lifecycle) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		for _, l := range documents {
			if l.Event != rationale.EventManifest && !yield(journal.Entry{Record: l}, nil) {
				return
			}
		}
	}
}

// who returns the hosts that records tell of, and who runs this process, by the
// authority matrix that those hold. Another one may say so only where they hold none:
// nobody is to bring along who they are.
func (df deskFlags) who(dir string, records iter.Seq2[journal.Entry, error]) ([]host, authority.User, error) {
	hosts, err := recordedHosts(dir, records)
	if err != nil && !errors.Is(err, errNoDocuments) {
		return nil, authority.User{}, err
	}
	who, err := df.among(hosts, dir)
	return hosts, who, err
}

func (df deskFlags) among(hosts []host, dir string) (authority.User, error) {
	me, err := desk.Me()
	if err != nil {
		return authority.User{}, err
	}
	recorded := recordedMatrices(hosts)
	switch {
	case len(recorded) > 0 && *df.policy != "":
		return authority.User{}, fmt.Errorf("-policy is for journals that hold no authority matrix, and the one in %s does", dir)
	case len(recorded) > 0:
		u, agreed, err := byAll(recorded, me)
		if err == nil && !agreed {
			df.warn(fmt.Sprintf("the hosts of %s have several authority matrices: of what they say of %s only that counts which all of them say", dir, u.ID))
		}
		u.Party, u.Audits = recordedParty(hosts, me, u.Audits)
		return u, err
	case *df.policy == "":
		return authority.User{}, fmt.Errorf("the records in %s hold no authority matrix, which would say who the OS user %s is: give one with -policy", dir, me)
	}
	docs, err := authority.ReadDir(*df.policy)
	if err != nil {
		return authority.User{}, err
	}
	set, err := authority.Load(docs, authority.Manifest{}, authority.AllowUnsigned())
	if err != nil {
		return authority.User{}, err
	}
	return set.LocalUser(me)
}

// recordedMatrices returns the authority matrices that hosts had loaded last, each
// once: of different agents they can differ, as while a new version is rolled out. The
// hosts have checked the signatures, and the chain of records has the bytes.
func recordedMatrices(hosts []host) []*authority.Set {
	var all []*authority.Set
	seen := make(map[string]bool)
	for _, h := range hosts {
		for _, doc := range h.policy.docs {
			set, err := authority.Load([]authority.Document{{Name: doc.Name, Data: doc.Data}}, authority.Manifest{}, authority.AllowUnsigned())
			if digest := rationale.Digest(doc.Data); err == nil && set.HasMatrix() && !seen[digest] { // else a document of another kind
				seen[digest] = true
				all = append(all, set)
			}
		}
	}
	return all
}

// byAll returns who an OS user is by several matrices: whom one of them knows, with
// the groups and rights that each of them gives. So everybody who is known can suspend,
// whatever else the matrices disagree on.
func byAll(matrices []*authority.Set, me string) (u authority.User, agreed bool, err error) {
	known := 0
	agreed = true
	for _, m := range matrices {
		other, unknown := m.LocalUser(me)
		switch {
		case unknown != nil:
			err = unknown
			continue
		case known == 0:
			u = other
		case !rationale.SamePerson(u.ID, other.ID):
			return authority.User{}, false, fmt.Errorf("the hosts have several authority matrices, and the OS user %s is %s in one and %s in another: let them load the same", me, u.ID, other.ID)
		default:
			agreed = agreed && same(u, other)
			u = common(u, other)
		}
		known++
	}
	switch known {
	case 0:
		return authority.User{}, false, err
	case len(matrices):
		return u, agreed, nil
	}
	return common(u, authority.User{}), false, nil
}

func same(a, b authority.User) bool {
	return len(a.Groups) == len(b.Groups) && len(common(a, b).Groups) == len(a.Groups) &&
		a.Settles == b.Settles && a.Resumes == b.Resumes && a.Audits == b.Audits
}

// common returns the person of a, with the groups and rights that b has too.
func common(a, b authority.User) authority.User {
	a.Groups = slices.DeleteFunc(slices.Clone(a.Groups), func(group string) bool { return !slices.Contains(b.Groups, group) })
	a.Settles, a.Resumes, a.Audits = a.Settles && b.Settles, a.Resumes && b.Resumes, a.Audits && b.Audits
	return a
}

// recordedParty returns the authorizations of hosts that are an OS user's own. Where
// they cannot be told, the user audits none.
func recordedParty(hosts []host, me string, audits bool) (party []string, still bool) {
	for _, h := range hosts {
		set, err := authority.Load(h.policy.docs, authority.Manifest{}, authority.AllowUnsigned())
		if err != nil {
			return nil, false
		}
		u, err := set.LocalUser(me)
		if err != nil {
			return nil, false
		}
		party = append(party, u.Party...)
	}
	return party, audits
}
