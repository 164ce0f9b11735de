package guard

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

// Agent is the agent that a guard guards, as the host knows it.
type Agent struct {
	ID          string // required; documents name it
	Environment string // required; documents name it
	// Prompt is the digest (sha256:…) of the prompt template, as rationale.Digest
	// makes it; optional. A document that pins a prompt is not in force without it.
	Prompt string
	// Model is the model that the host has configured; optional. Its basis
	// defaults to "configured". [Session.Model] takes its place.
	Model authority.ModelSpec
}

// Guard evaluates the calls of one agent in one environment, and records what
// it decides. It is safe for concurrent use. The zero Guard and the nil Guard
// deny every call and record nothing: make one with [New].
//
// A guard remembers, in memory and bounded, the call ids of up to 4,096
// sessions and of the last 512 calls in each, and no more than 32 MiB of them; the
// session that was idle for longest goes first. A call id that was forgotten no longer counts as
// evidence that a rationale can cite.
type Guard struct {
	agent      Agent
	model      rationale.Model // the agent's own
	ledger     Ledger          // nil: the host wants no evidence
	tracer     tracing
	clock      *clock
	facts      map[string]*factSource
	derivers   map[classify.ToolID]deriver
	estimators map[string]*estimatorSource
	costs      map[classify.ToolID]Cost
	lease      time.Duration
	recordKey  rationale.RecordKey // that signs; the zero key where no document can ask for one
	erasable   *erasable           // nil: records are not sealed
	sessions   *sessions
	evidence   *evidence
	notices    *notices

	notifications func(rationale.Notification) // nil: nobody is told

	changing sync.Mutex // held by Register and Reload
	policy   atomic.Pointer[policy]
}

// policy is what calls are evaluated under. It is immutable, and replaced as a
// whole.
type policy struct {
	set      *authority.Set
	manifest *authority.Manifest
}

// New returns a guard for an agent under docs, which may be empty: every call
// is then unclassified. Tools are registered afterwards. What an earlier process had
// loaded of revocations and versions holds, where the ledger knows it
// ([RememberingLedger]).
//
// It fails with every error of every document, with an *[Error] when the agent
// or an option cannot work, and when no place for evidence is named, or the
// documents cannot be recorded there.
func New(docs []authority.Document, agent Agent, opts ...Option) (*Guard, error) {
	c := config{now: time.Now, lease: rationale.DefaultLease}
	for _, opt := range opts {
		if opt != nil {
			opt(&c)
		}
	}
	if err := c.validate(agent); err != nil {
		return nil, err
	}
	g, m, err := c.build(agent)
	if err != nil {
		return nil, err
	}
	set, err := authority.Load(docs, *m, append(c.authority, authority.WithPast(c.past(agent)...))...)
	if err != nil {
		return nil, err
	}
	g.policy.Store(&policy{set, m})
	if err := g.recordChanges(); err != nil {
		return nil, err
	}
	if c.shadow {
		g.tracer.shadow(g.Disagreements)
	}
	return g, nil
}

// past is what an earlier process had loaded, where the ledger knows.
func (c *config) past(agent Agent) []*rationale.Lifecycle {
	if l, ok := c.ledger.(RememberingLedger); ok {
		return l.Past(agent.ID, agent.Environment)
	}
	return nil
}

func (c *config) validate(agent Agent) error {
	switch {
	case agent.ID == "" || agent.Environment == "":
		return configError("the agent needs an id and an environment")
	case legible(agent.ID) != agent.ID || legible(agent.Environment) != agent.Environment:
		return configError("the agent's id and environment must be valid UTF-8 of at most %d bytes", maxName)
	case agent.Prompt != "" && !strings.HasPrefix(agent.Prompt, digestPrefix):
		return configError("the agent's prompt is given as the digest of its template, %s…, which rationale.Digest makes; the text itself would be in every record", digestPrefix)
	case c.ledger == nil && !c.noEvidence:
		return configError("there is no place for evidence: give WithLedger, or say WithoutEvidence")
	case c.ledger != nil && c.noEvidence:
		return configError("WithLedger and WithoutEvidence exclude each other")
	case c.erasable != nil && c.erasable.keys == nil:
		return configError("WithErasure needs the keys of subjects, such as journal.OpenSubjects")
	case c.now == nil:
		return configError("the clock is nil")
	case c.lease <= 0:
		return configError("WithLease: %s is not longer than nothing", c.lease)
	}
	return c.validateKeys()
}

// digestPrefix is what a digest begins with.
const digestPrefix = "sha256:"

func (c *config) validateKeys() error {
	seen := make(map[string]bool)
	for _, k := range c.recordKeys {
		if err := k.Validate(); err != nil {
			return &Error{Code: CodeConfig, Message: "WithRecordKeys", Err: err}
		}
		if seen[k.ID] {
			return configError("WithRecordKeys: key %s is given twice; a new key has a name of its own", k.ID)
		}
		seen[k.ID] = true
	}
	return nil
}

func (c *config) build(agent Agent) (*Guard, *authority.Manifest, error) {
	if agent.Model != (authority.ModelSpec{}) {
		agent.Model.Basis = cmp.Or(agent.Model.Basis, "configured")
	}
	g := &Guard{
		agent:    agent,
		model:    legibleModel(agent.Model),
		ledger:   c.ledger,
		tracer:   tracing{c.tracer},
		erasable: c.erasable,
		lease:    c.lease,
		clock:    newClock(c.now),
		sessions: newSessions(),
		notices:  newNotices(),

		notifications: c.notifications,
	}
	g.evidence = newEvidence(g)
	m := authority.Manifest{
		Agents: []authority.AgentSpec{{ID: agent.ID, Environments: []string{agent.Environment}, Prompt: agent.Prompt}},
	}
	if agent.Model != (authority.ModelSpec{}) {
		m.Models = []authority.ModelSpec{agent.Model}
	}
	for _, k := range c.recordKeys {
		m.RecordKeys = append(m.RecordKeys, k.ID)
	}
	if n := len(c.recordKeys); n > 0 {
		g.recordKey = c.recordKeys[n-1]
		c.authority = append(c.authority, authority.WithRecordKey(g.recordKey))
	}
	if err := errors.Join(g.addFacts(&m, c.facts), g.addDerived(&m, c.derived), g.addEstimators(&m, c.estimators), g.addCosts(c.costs)); err != nil {
		return nil, nil, err
	}
	slices.SortFunc(m.Facts, func(a, b authority.FactSpec) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(m.Derived, func(a, b authority.DerivedSpec) int {
		return cmp.Or(cmp.Compare(a.Tool, b.Tool), cmp.Compare(a.Name, b.Name))
	})
	slices.SortFunc(m.Estimators, func(a, b authority.EstimatorSpec) int { return cmp.Compare(a.Name, b.Name) })
	return g, &m, nil
}

// Register makes tools known, each under its own identity. Rules that match a
// tool are compiled for it now: an error in one, with file, line and column,
// leaves that tool unknown, and so denied, and the others registered. A tool
// may be registered again if it is exactly the same; another definition under
// a known identity is an error, and the first one stands.
func (g *Guard) Register(tools ...authority.Tool) error {
	if !g.usable() {
		return configError("the guard was not made with New")
	}
	g.changing.Lock()
	defer g.changing.Unlock()
	known := g.policy.Load()
	set := known.set
	next, err := set.Register(tools...)
	if next == set {
		return nil // all are known: no call has to be evaluated again
	}
	if err == nil {
		g.adopt(next, known, tools)
		return nil
	}
	var (
		errs  []error
		added []authority.Tool
	)
	for _, t := range tools {
		next, err := set.Register(t)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		set, added = next, append(added, t)
	}
	g.adopt(set, known, added)
	return errors.Join(errs...)
}

// adopt makes set and its tools the current ones. What cannot be recorded now
// is recorded before the next decision, which fails otherwise.
func (g *Guard) adopt(set *authority.Set, known *policy, added []authority.Tool) {
	m := *known.manifest
	m.Tools = slices.Clone(m.Tools)
	for _, t := range added {
		if !slices.ContainsFunc(m.Tools, func(k authority.Tool) bool { return k.ID() == t.ID() }) {
			m.Tools = append(m.Tools, t)
		}
	}
	slices.SortFunc(m.Tools, func(a, b authority.Tool) int { return cmp.Compare(a.ID().String(), b.ID().String()) })
	g.policy.Store(&policy{set, &m})
	_ = g.recordChanges()
}

// Reload puts docs in place of the current documents, all at once for calls
// that begin afterwards. Authorizations are independent of each other: one that
// does not load keeps its former documents and is named in the error, while the
// rest, and above all every revocation and suspension, takes effect.
//
// The error is also non-nil when the change could not be recorded yet. It has
// taken effect even so, and every call is denied until it is recorded.
func (g *Guard) Reload(docs []authority.Document) error {
	if !g.usable() {
		return configError("the guard was not made with New")
	}
	g.changing.Lock()
	defer g.changing.Unlock()
	known := g.policy.Load()
	next, err := known.set.Reload(docs)
	if next != nil {
		g.policy.Store(&policy{next, known.manifest})
	}
	g.evidence.refuse(docs, err)
	return errors.Join(err, g.recordChanges())
}

// Manifest returns what the host runs, as far as the guard knows it, sorted by
// name. It does not share memory with the guard, save the bytes of schemas and
// annotations.
func (g *Guard) Manifest() authority.Manifest {
	if !g.usable() {
		return authority.Manifest{}
	}
	m := *g.policy.Load().manifest
	m.Agents, m.Tools, m.Models = slices.Clone(m.Agents), slices.Clone(m.Tools), slices.Clone(m.Models)
	m.Facts, m.Derived, m.Estimators = slices.Clone(m.Facts), slices.Clone(m.Derived), slices.Clone(m.Estimators)
	m.RecordKeys = slices.Clone(m.RecordKeys)
	return m
}

// LocalUser returns the person that an OS user of this machine stands for, by the
// authority matrix that is in force now; see [authority.Set.LocalUser].
func (g *Guard) LocalUser(name string) (authority.User, error) {
	if !g.usable() {
		return authority.User{}, configError("the guard was not made with New")
	}
	return g.policy.Load().set.LocalUser(name)
}

// Disagreements returns how many evaluations of a rule [WithShadow] has compared
// since the guard was made, and in how many of them cel-go said otherwise: each
// of their calls was denied.
func (g *Guard) Disagreements() (compared, differed uint64) {
	if !g.usable() {
		return 0, 0
	}
	return g.policy.Load().set.Disagreements()
}

// Schema returns the JSON schema to show to the model for a registered tool:
// the tool's own, with the reserved rationale parameter added where a class of
// the agent for it writes or requires a rationale. The parameter requires what
// all of these classes require.
func (g *Guard) Schema(id classify.ToolID) (json.RawMessage, error) {
	if !g.usable() {
		return nil, configError("the guard was not made with New")
	}
	set := g.policy.Load().set
	tool, ok := set.Tool(id)
	if !ok {
		return nil, configError("tool %s is not registered", id)
	}
	required, asked := set.Rationale(g.agent.ID, g.agent.Environment, id)
	if !asked {
		return slices.Clone(tool.Schema), nil
	}
	return rationale.AddParameter(tool.Schema, required)
}

func (g *Guard) usable() bool { return g != nil && g.policy.Load() != nil }
