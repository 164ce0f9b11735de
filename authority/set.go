package authority

import (
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/versions"
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

	tools map[classify.ToolID]*tool
	names map[string]*tool // by their own names; those that several servers offer are chained
	lines map[string]*line // by authorization id
	// agents has, for each agent and environment, the lines with a version
	// that names them.
	agents map[agentKey]*agentScope
	// seen is what was ever loaded of each authorization. Neither it nor a
	// revocation is undone by a reload.
	seen map[string]versions.Seen
	// required is the fields of a rationale that a tier requires by default.
	required [tiers][]rationale.Field
	counts   *shadowCounts // of this Set and of those that follow it
}

// tiers is how many there are, with the unknown one.
const tiers = int(classify.Prohibited) + 1

type agentKey struct{ agent, environment string }

// line is the versions of one authorization, lowest first.
type line struct {
	id       string
	versions []*grantDoc
}

// agentScope is the authorizations of one agent in one environment.
type agentScope struct {
	lines      []*line
	authorized periods // when some version competes that names the agent there
	enforced   periods // when some such version does not observe as a whole
}

// all returns every line, sorted by id.
func (a *agentScope) all() []*line {
	if a == nil {
		return nil
	}
	return a.lines
}

// compete says when each version competes: it is the highest whose grant has
// come, or the lowest if none has.
func (l *line) compete() {
	slices.SortFunc(l.versions, func(a, b *grantDoc) int { return cmp.Compare(a.Version, b.Version) })
	var until time.Time // the earliest grant of a higher version
	for i, g := range slices.Backward(l.versions) {
		g.competes = period{from: g.Grant.At, until: until}
		if i == 0 {
			g.competes.from = time.Time{}
		}
		if until.IsZero() || g.Grant.At.Before(until) {
			until = g.Grant.At
		}
	}
}

// competing returns the version that competes at a time.
func (l *line) competing(at time.Time) *grantDoc {
	for _, g := range slices.Backward(l.versions) {
		if g.competes.has(at) {
			return g
		}
	}
	return nil // not reached: the periods leave out no time
}

func (g *grantDoc) covers(agent, environment string) bool {
	return g.Agent.Value == agent && slices.Contains(g.Environments, environment)
}

// Option says how documents load.
type Option func(*options)

type options struct {
	trust     trust
	reference bool    // cel-go alone
	shadow    float64 // the share of evaluations on both paths
	recordKey *rationale.RecordKey
	past      []*rationale.Lifecycle
}

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

// WithReferenceCEL evaluates every expression with cel-go, the reference
// implementation of CEL, instead of compiling it natively where that can be
// done. A simple expression takes some thirty times as long then, as
// docs/performance.md measures.
func WithReferenceCEL() Option {
	return func(o *options) { o.reference = true }
}

// WithShadow evaluates, in that share of the evaluations (0 to 1), which are
// picked at random, every expression that is compiled natively with cel-go
// too. Where the two disagree the call is denied, and the record says on which
// rule and how; [Set.Disagreements] counts. Any other rate is an error of
// [Load], and so is one above 0 together with [WithReferenceCEL].
func WithShadow(rate float64) Option {
	return func(o *options) { o.shadow = rate }
}

// WithRecordKey gives the key of keyed digests, which the manifest names among
// its RecordKeys. Without one it is random, and as lasting as the Set and those
// that follow it: what evaluates calls without recording them needs none.
func WithRecordKey(key rationale.RecordKey) Option {
	return func(o *options) { o.recordKey = &key }
}

// randomKey is the id of a key that nobody gave.
const randomKey = "random"

func (o *options) check() error {
	if o.recordKey == nil {
		o.recordKey = &rationale.RecordKey{ID: randomKey, Secret: make([]byte, sha256.Size)}
		_, _ = rand.Read(o.recordKey.Secret) // never fails: crypto/rand ends the process first
	}
	if err := o.recordKey.Validate(); err != nil {
		return fmt.Errorf("WithRecordKey: %w", err)
	}
	switch {
	case !(o.shadow >= 0 && o.shadow <= 1): // NaN is neither
		return fmt.Errorf("WithShadow: the rate is %v: want 0 to 1", o.shadow)
	case o.shadow > 0 && o.reference:
		return errors.New("WithShadow: there is nothing to compare with WithReferenceCEL")
	}
	return nil
}

func (o *options) mode() celplan.Mode {
	switch {
	case o.reference:
		return celplan.ModeReference
	case o.shadow > 0:
		return celplan.ModeBoth
	}
	return celplan.ModeNative
}

// Load validates docs and compiles them against m. With any error in them it
// returns no Set and an [Errors] with every error of every file.
//
// A class compiles for each tool of m that it matches. Tools that are
// registered later compile then, with [Set.Register]. Documents are read and
// classes compiled on all processors; the result does not depend on how many.
func Load(docs []Document, m Manifest, opts ...Option) (*Set, error) {
	var o options
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	before, err := o.before()
	if err != nil {
		return nil, err
	}
	set, errs := load(docs, m, o, before)
	if len(errs) > 0 {
		return nil, sortErrors(errs)
	}
	set.forget()
	return set, nil
}

// load builds a Set of what is right in docs, and returns what is not. Prior
// is the Set that it follows. The Set still has what positions errors, until
// [Set.forget].
func load(docs []Document, m Manifest, o options, prior *Set) (*Set, []*Error) {
	policy, errs := readDocuments(docs, o.trust)
	s := &Set{
		docs:     slices.Clone(docs),
		policy:   policy,
		manifest: m,
		options:  o,
		tools:    make(map[classify.ToolID]*tool),
		lines:    make(map[string]*line),
		agents:   make(map[agentKey]*agentScope),
		seen:     make(map[string]versions.Seen),
	}
	for tier := range s.required {
		s.required[tier] = rationale.Required(classify.Tier(tier))
	}
	s.inherit(prior)
	s.index()
	errs = append(errs, s.unkeyed()...)
	errs = append(errs, s.compile()...)
	s.settle()
	return s, errs
}

// inherit keeps what a reload must not undo.
func (s *Set) inherit(prior *Set) {
	s.counts = prior.counts
	maps.Copy(s.seen, prior.seen)
	revocations := slices.DeleteFunc(slices.Clone(prior.policy.Halts), func(h *haltDoc) bool { return !h.Revocation })
	s.keepHalts(revocations)
}

// keepHalts adds halts that s does not have, for [Set.settle] to count. One
// whose file has an error holds as far as it says what it halts.
func (s *Set) keepHalts(halts []*haltDoc) {
	for _, h := range halts {
		if slices.ContainsFunc(s.policy.Halts, func(o *haltDoc) bool { return h.Digest == o.Digest }) {
			continue
		}
		i := slices.IndexFunc(s.policy.Halts, h.impliedBy)
		if i < 0 {
			s.policy.Halts = append(s.policy.Halts, h)
			continue
		}
		again := *s.policy.Halts[i] // which may be another Set's
		again.Supersedes = h.Digest
		s.policy.Halts[i] = &again
	}
}

// impliedBy reports whether another revokes what h does, and not later.
func (h *haltDoc) impliedBy(o *haltDoc) bool {
	return h.Revocation && o.Revocation && h.Authorization == o.Authorization && h.Agent == o.Agent && !h.At.Before(o.At)
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
		s.seen[id] = s.seen[id].With(versions.Version{Number: g.Version, Granted: g.Grant.At})
	}
	authorized, enforced := make(map[agentKey][]period), make(map[agentKey][]period)
	for _, l := range s.sortedLines() {
		l.compete()
		for _, g := range l.versions {
			for _, env := range g.Environments {
				key := agentKey{g.Agent.Value, env}
				if s.agents[key] == nil {
					s.agents[key] = new(agentScope)
				}
				if lines := s.agents[key].lines; len(lines) == 0 || lines[len(lines)-1] != l {
					s.agents[key].lines = append(lines, l)
				}
				authorized[key] = append(authorized[key], g.competes)
				enforced[key] = append(enforced[key], g.enforced())
			}
		}
	}
	for key, scope := range s.agents {
		scope.authorized, scope.enforced = union(authorized[key]), union(enforced[key])
	}
}

// enforced is when the version competes and does not observe as a whole.
func (g *grantDoc) enforced() period {
	p := g.competes
	if compareFrom(g.ObserveUntil, p.from) > 0 {
		p.from = g.ObserveUntil
	}
	return p
}

func (s *Set) sortedLines() []*line {
	lines := make([]*line, 0, len(s.lines))
	for _, l := range s.lines {
		lines = append(lines, l)
	}
	slices.SortFunc(lines, func(a, b *line) int { return cmp.Compare(a.id, b.id) })
	return lines
}

// Tool returns the registered tool of that identity.
func (s *Set) Tool(id classify.ToolID) (Tool, bool) {
	if s == nil {
		return Tool{}, false
	}
	t, ok := s.tools[id]
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
	t, ok := s.tools[id]
	if !ok {
		return nil, false
	}
	first := true
	for _, p := range t.contests[agentKey{agent, environment}].all() {
		if p.class.Tier == classify.Prohibited {
			continue
		}
		fields := s.requires(p.class, p.class.Tier)
		asked = asked || !p.class.Read || len(fields) > 0
		if first {
			required, first = slices.Clone(fields), false
			continue
		}
		required = slices.DeleteFunc(required, func(f rationale.Field) bool { return !slices.Contains(fields, f) })
	}
	return required, asked
}

// requires returns the fields of a rationale that a class requires at an
// effective tier: its own list, or for a writing class without one the
// default of the tier. A prohibited class asks for nothing.
func (s *Set) requires(class *classDoc, tier classify.Tier) []rationale.Field {
	if class.Rationale != nil || class.Read || class.Tier == classify.Prohibited {
		return class.Rationale
	}
	return s.required[tier]
}
