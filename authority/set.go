package authority

import (
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/yamldoc"
	"github.com/ambit-go/ambit/rationale"
)

// Set is the compiled documents of one folder of policy, checked against what
// the host runs. It is immutable and safe for concurrent use; [Set.Register]
// and [Set.Reload] return new Sets. The nil Set classifies no call.
type Set struct {
	docs     []Document
	policy   documents
	manifest Manifest
	options  options

	tools map[string]*tool // by classify.ToolID in text form
	lines map[string]*line // by authorization id
	// agents has, for each agent and environment, the lines with a version
	// that names them; plans the classes that match one of their tools.
	agents map[agentKey][]*line
	plans  map[planKey][]*plan
	// seen is the highest version that was ever loaded of each authorization.
	// Neither it nor a revocation is undone by a reload.
	seen map[string]seenVersion
}

type agentKey struct{ agent, environment string }

type planKey struct{ agent, environment, tool string }

type seenVersion struct {
	version int
	at      time.Time
}

// line is the versions of one authorization, lowest first.
type line struct {
	id       string
	versions []*grantDoc
}

// competing returns the version that competes at a time: the highest whose
// grant has come, or the lowest if none has.
func (l *line) competing(at time.Time) *grantDoc {
	for _, g := range slices.Backward(l.versions) {
		if !at.Before(g.Grant.At) {
			return g
		}
	}
	return l.versions[0]
}

func (g *grantDoc) covers(agent, environment string) bool {
	return g.Agent.Value == agent && slices.Contains(g.Environments, environment)
}

// Option says how documents load.
type Option func(*options)

type options struct{ trust trust }

// AllowUnsigned lets documents without a valid signature be in force. Every
// decision under one then says that it is unsigned. Without it, their standing
// is unsigned, which denies.
func AllowUnsigned() Option {
	return func(o *options) { o.trust.allowUnsigned = true }
}

// TrustKeys gives the Ed25519 public keys whose signatures count. A body of
// the authority matrix names, by the SHA-256 of the key, which of them sign
// for it.
func TrustKeys(keys ...ed25519.PublicKey) Option {
	return func(o *options) {
		if o.trust.keys == nil {
			o.trust.keys = make(map[string]ed25519.PublicKey, len(keys))
		}
		for _, k := range keys {
			sum := sha256.Sum256(k)
			o.trust.keys["sha256:"+hex.EncodeToString(sum[:])] = k
		}
	}
}

// Load validates docs and compiles them against m. With any error it returns
// no Set and an [Errors] with every error of every file.
//
// A class compiles for each tool of m that it matches. Tools that are
// registered later compile then, with [Set.Register].
func Load(docs []Document, m Manifest, opts ...Option) (*Set, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	set, errs := load(docs, m, o, nil)
	if len(errs) > 0 {
		return nil, sortErrors(errs)
	}
	return set, nil
}

// load builds a Set of what is right in docs, and returns what is not. Prior
// is the Set that it follows, or nil.
func load(docs []Document, m Manifest, o options, prior *Set) (*Set, []*Error) {
	policy, errs := readDocuments(docs, o.trust)
	s := &Set{
		docs:     slices.Clone(docs),
		policy:   policy,
		manifest: m,
		options:  o,
		tools:    make(map[string]*tool),
		lines:    make(map[string]*line),
		agents:   make(map[agentKey][]*line),
		plans:    make(map[planKey][]*plan),
		seen:     make(map[string]seenVersion),
	}
	s.inherit(prior)
	s.index()
	for _, spec := range m.Tools {
		t, err := newTool(spec, m)
		if err != nil {
			errs = append(errs, &Error{File: "manifest", Message: err.Error()})
			continue
		}
		s.tools[t.id.String()] = t
	}
	return s, append(errs, s.compile()...)
}

// inherit keeps what a reload must not undo.
func (s *Set) inherit(prior *Set) {
	if prior == nil {
		return
	}
	for id, v := range prior.seen {
		s.seen[id] = v
	}
	revocations := slices.DeleteFunc(slices.Clone(prior.policy.Halts), func(h *haltDoc) bool { return !h.Revocation })
	s.keepHalts(revocations)
}

// keepHalts adds halts that s does not have. One whose file has an error holds
// as far as it says what it halts.
func (s *Set) keepHalts(halts []*haltDoc) {
	for _, h := range halts {
		known := func(k *haltDoc) bool { return k.Digest == h.Digest }
		if !slices.ContainsFunc(s.policy.Halts, known) {
			s.policy.Halts = append(s.policy.Halts, h)
		}
	}
}

func (s *Set) index() {
	for _, g := range s.policy.Grants {
		id := g.ID.Value
		l := s.lines[id]
		if l == nil {
			l = &line{id: id}
			s.lines[id] = l
		}
		l.versions = append(l.versions, g)
		if g.Version > s.seen[id].version {
			s.seen[id] = seenVersion{version: g.Version, at: g.Grant.At}
		}
	}
	for _, l := range s.sortedLines() {
		slices.SortFunc(l.versions, func(a, b *grantDoc) int { return cmp.Compare(a.Version, b.Version) })
		for _, g := range l.versions {
			for _, env := range g.Environments {
				key := agentKey{g.Agent.Value, env}
				if !slices.Contains(s.agents[key], l) {
					s.agents[key] = append(s.agents[key], l)
				}
			}
		}
	}
}

func (s *Set) sortedLines() []*line {
	lines := make([]*line, 0, len(s.lines))
	for _, l := range s.lines {
		lines = append(lines, l)
	}
	slices.SortFunc(lines, func(a, b *line) int { return cmp.Compare(a.id, b.id) })
	return lines
}

// Register returns a Set that also knows tools, or the errors that the
// documents have against them: s is unchanged then. A tool that is registered
// already may be given again if it is exactly the same; where all are, the Set
// is s itself.
func (s *Set) Register(tools ...Tool) (*Set, error) {
	m := s.manifest
	m.Tools = slices.Clone(m.Tools)
	for _, t := range tools {
		if known, ok := s.tools[t.ID().String()]; ok {
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
	return next, nil
}

// Reload returns a Set with docs in place of those of s. It always returns a
// usable Set: a file that fails is replaced by its former content where it has
// one, and left out where it has none, so that a mistake in one authorization
// holds up no change of another, above all no revocation. Where what is left
// out may be an authority matrix, nothing says what limits a grant: then only
// revocations and suspensions change, and files that are gone stay gone, except
// for the former matrix. The error, an [Errors], says what failed and what was
// held up. Revocations and the highest versions seen survive every reload.
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
	if len(failed) > 0 {
		return next, sortErrors(failed)
	}
	return next, nil
}

// fallBack puts the former content in the place of each file with an error;
// a file that already is its former content, or has none, is left out. What is
// held up because of that is an error of its own.
func (s *Set) fallBack(docs []Document, errs []*Error) (kept []Document, held []*Error) {
	var matrix string // a file that is left out and may be one
	for _, d := range docs {
		if !slices.ContainsFunc(errs, func(e *Error) bool { return e.File == d.Name }) {
			kept = append(kept, d)
			continue
		}
		if former, ok := s.former(d.Name); ok && !sameDocument(former, d) {
			kept = append(kept, former)
		} else if kind := kindOf(d); kind == "" || kind == "AuthorityMatrix" {
			matrix = d.Name
		}
	}
	if matrix == "" {
		return kept, nil
	}
	return s.unchanged(kept, matrix)
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
	if m := s.policy.Matrix; m != nil && !slices.ContainsFunc(kept, func(d Document) bool { return d.Name == m.File.Name }) {
		if former, ok := s.former(m.File.Name); ok {
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
	if kind := new(decoder).kind(value{file.Root(), "the document"}); kind != "" {
		return kind
	}
	return guessKind(doc.Data)
}

func sameDocuments(a, b []Document) bool { return slices.EqualFunc(a, b, sameDocument) }

func sameDocument(a, b Document) bool {
	return a.Name == b.Name && string(a.Data) == string(b.Data) && string(a.Signature) == string(b.Signature)
}

// Tool returns the registered tool of that identity.
func (s *Set) Tool(id classify.ToolID) (Tool, bool) {
	if s == nil {
		return Tool{}, false
	}
	t, ok := s.tools[id.String()]
	if !ok {
		return Tool{}, false
	}
	return t.spec, true
}

// Rationale returns which fields of a rationale the agent's classes for a tool
// all require, before anything raises their tier, in any version of the
// documents; and whether a rationale is to be asked for at all: some class
// writes, or requires one. Prohibited classes do not count.
func (s *Set) Rationale(agent, environment string, id classify.ToolID) (required []rationale.Field, asked bool) {
	if s == nil {
		return nil, false
	}
	first := true
	for _, p := range s.plans[planKey{agent, environment, id.String()}] {
		if p.class.Tier == classify.Prohibited {
			continue
		}
		fields := p.requires(p.class.Tier)
		asked = asked || !p.class.Read || len(fields) > 0
		if first {
			required, first = slices.Clone(fields), false
			continue
		}
		required = slices.DeleteFunc(required, func(f rationale.Field) bool { return !slices.Contains(fields, f) })
	}
	return required, asked
}

// requires returns the fields of a rationale that the class requires at an
// effective tier: its own list, or for a writing class without one the
// default of the tier. A prohibited class asks for nothing.
func (p *plan) requires(tier classify.Tier) []rationale.Field {
	if p.class.Rationale != nil || p.class.Read || p.class.Tier == classify.Prohibited {
		return p.class.Rationale
	}
	return rationale.Required(tier)
}
