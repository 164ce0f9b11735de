package authority

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/ambit-go/ambit/internal/yamldoc"
)

// Register returns a Set that also knows tools, or the errors that the
// documents have against them: s is unchanged then. A tool that is registered
// already may be given again if it is exactly the same; where all are, the Set
// is s itself.
func (s *Set) Register(tools ...Tool) (*Set, error) {
	m := s.manifest
	m.Tools = slices.Clone(m.Tools)
	for _, t := range tools {
		if known, ok := s.tools[t.ID()]; ok {
			if known.digest != t.Digest() {
				return nil, fmt.Errorf("tool %s is already registered with another description, schema or annotations", t.ID())
			}
			continue
		}
		m.Tools = append(m.Tools, t)
	}
	if len(m.Tools) == len(s.manifest.Tools) {
		return s, nil
	}
	next, errs := load(s.docs, m, s.options, s)
	if len(errs) > 0 {
		return nil, sortErrors(errs)
	}
	next.keepHalts(s.policy.Halts) // also those of files with an error
	next.settle()
	next.forget()
	return next, nil
}

// Reload returns a Set with docs in place of those of s. It always returns a
// usable Set: a file that fails is replaced by its former content where it has
// one, also under another name of which no file is left, and left out where it
// has none, so that a mistake in one authorization holds up no change of
// another, above all no revocation. Where what is left out may be an authority
// matrix, nothing says what limits a grant: then only revocations and suspensions
// change, and files that are gone stay gone, except for the former matrix. Where
// an authorization that did not change fails, such as for a price list that is
// gone, what it prohibits must not be allowed by another: then too only
// revocations and suspensions change, and no other file is gone. The error, an
// [Errors], says what failed and what was held up. Revocations and the highest
// versions seen survive every reload.
func (s *Set) Reload(docs []Document) (*Set, error) {
	docs = slices.Clone(docs)
	next, errs := load(docs, s.manifest, s.options, s)
	failed, halts := errs, next.policy.Halts
	for len(errs) > 0 {
		kept, held := s.fallBack(docs, errs)
		if sameDocuments(kept, docs) {
			if len(docs) == 0 {
				break
			}
			kept = nil // nothing of it may be in force with a rule missing
		}
		docs = kept
		next, errs = load(docs, s.manifest, s.options, s)
		failed = slices.Concat(failed, held, errs)
	}
	next.keepHalts(halts)
	next.settle()
	next.forget()
	if len(failed) > 0 {
		return next, sortErrors(failed)
	}
	return next, nil
}

// fallBack puts the former content in the place of each file with an error;
// a file that already is its former content, or has none, is left out. What is
// held up because of that is an error of its own.
func (s *Set) fallBack(docs []Document, errs []*Error) (kept []Document, held []*Error) {
	var matrix, stuck string // a file that is left out and may be one; an authorization in force
	for _, d := range docs {
		if !slices.ContainsFunc(errs, func(e *Error) bool { return e.File == d.Name }) {
			kept = append(kept, d)
			continue
		}
		former, ok := s.former(d.Name)
		if ok && !sameDocument(former, d) {
			kept = append(kept, former)
			continue
		}
		if ok && slices.ContainsFunc(s.policy.Grants, func(g *grantDoc) bool { return g.Name == d.Name }) {
			stuck, kept = d.Name, append(kept, d) // another's former content may help
			continue
		}
		kind := kindOf(d)
		if kind == "" || kind == "AuthorityMatrix" {
			matrix = d.Name
		}
		if kind == "" || kind == "Authorization" {
			kept = append(kept, s.renamed(d, slices.Concat(docs, kept))...)
		}
	}
	if matrix != "" {
		kept, held = s.unchanged(kept, matrix)
	}
	if stuck != "" && sameDocuments(kept, docs) {
		return s.asBefore(docs, stuck)
	}
	return kept, held
}

// renamed returns the former documents of the authorization that a file is of, as
// far as it can be told, which are not among docs.
func (s *Set) renamed(file Document, docs []Document) (gone []Document) {
	id := claimedID(file)
	for _, g := range s.policy.Grants {
		if g.ID.Value != id || slices.ContainsFunc(docs, func(d Document) bool { return d.Name == g.Name }) {
			continue
		}
		if former, ok := s.former(g.Name); ok {
			gone = append(gone, former)
		}
	}
	return gone
}

// asBefore returns the former documents, besides the revocations and suspensions
// in docs.
func (s *Set) asBefore(docs []Document, because string) (kept []Document, held []*Error) {
	hold := func(d Document, is string) {
		held = append(held, &Error{File: d.Name, Message: because + " is in force and does not load with what changed: this file is " + is})
	}
	for _, d := range docs {
		if kind := kindOf(d); kind == "Revocation" || kind == "Suspension" {
			kept = append(kept, d)
		} else if former, ok := s.former(d.Name); !ok || !sameDocument(former, d) {
			hold(d, "not in force as it is now")
		}
	}
	halts := len(kept)
	for _, d := range s.docs {
		kind := kindOf(d)
		if kind == "Revocation" || kind == "Suspension" || slices.ContainsFunc(kept[:halts], func(h Document) bool { return h.Name == d.Name }) {
			continue
		}
		if kept = append(kept, d); !slices.ContainsFunc(docs, func(n Document) bool { return n.Name == d.Name }) {
			hold(d, "still in force")
		}
	}
	return kept, held
}

// unchanged returns the former content of docs, and the former matrix, besides
// the revocations and suspensions in docs.
func (s *Set) unchanged(docs []Document, because string) (kept []Document, held []*Error) {
	for _, d := range docs {
		if kind := kindOf(d); kind == "Revocation" || kind == "Suspension" {
			kept = append(kept, d)
			continue
		}
		former, ok := s.former(d.Name)
		if ok {
			kept = append(kept, former)
		}
		if !ok || !sameDocument(former, d) {
			held = append(held, &Error{File: d.Name, Message: because + " may be the authority matrix and has an error: this file is not in force as it is now"})
		}
	}
	if m := s.policy.Matrix; m != nil && !slices.ContainsFunc(kept, func(d Document) bool { return d.Name == m.Name }) {
		if former, ok := s.former(m.Name); ok {
			kept = append(kept, former)
		}
	}
	return kept, held
}

func (s *Set) former(name string) (Document, bool) {
	i := slices.IndexFunc(s.docs, func(d Document) bool { return d.Name == name })
	if i < 0 {
		return Document{}, false
	}
	return s.docs[i], true
}

// kindOf returns the kind of a document, as far as it can be told; empty where
// it may be any.
func kindOf(doc Document) string {
	file, _ := yamldoc.Parse(doc.Name, doc.Data)
	if kind := new(decoder).kind(yamldoc.Named(file.Root(), "the document")); kind != "" {
		return kind
	}
	return guessKind(doc.Data)
}

var idLine = regexp.MustCompile(`(?m)^["']?id["']?\s*:\s*["']?([^\s"'#]+)`)

// claimedID returns the id that a file gives its document, as far as it can be told;
// empty where it gives none.
func claimedID(doc Document) string {
	file, _ := yamldoc.Parse(doc.Name, doc.Data)
	if id, has := find(file.Root(), "id"); has {
		return id.Text()
	}
	if m := idLine.FindSubmatch(doc.Data[:min(len(doc.Data), yamldoc.MaxBytes)]); m != nil {
		return string(m[1])
	}
	return ""
}

func sameDocuments(a, b []Document) bool { return slices.EqualFunc(a, b, sameDocument) }

func sameDocument(a, b Document) bool {
	return a.Name == b.Name && string(a.Data) == string(b.Data) && string(a.Signature) == string(b.Signature)
}
