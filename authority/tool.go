package authority

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/rationale"
)

// tool is a registered tool with what its arguments look like, and what
// competes for its calls.
type tool struct {
	spec    Tool
	id      classify.ToolID
	name    string // the id's text
	digest  string
	schema  *strictjson.Schema
	derived *strictjson.Type // an Object
	facts   *strictjson.Type // an Object
	layout  *celplan.Layout

	contests map[agentKey]*contest
	few      []agentContest // the same, where there are so few that a search is quicker
	next     *tool          // of the same name, on another server
	inputs   []input        // what rules show in records

	readsCall atomic.Bool // some rule reads of call
}

type agentContest struct {
	agentKey
	*contest
}

// maxFew is how many agents of a tool are looked through one by one.
const maxFew = 4

// named makes the tools findable by their own names.
func (s *Set) named() {
	s.names = make(map[string]*tool, len(s.tools))
	for _, t := range s.sortedTools() {
		t.next, s.names[t.id.Name] = s.names[t.id.Name], t
	}
}

// find returns the tool of an identity; nil where there is none.
func (s *Set) find(id *classify.ToolID) *tool {
	t := s.names[id.Name]
	for t != nil && t.id.Server != id.Server {
		t = t.next
	}
	return t
}

// contestFor returns what competes for the calls of an agent; nil where nothing
// ever does.
func (t *tool) contestFor(agent *rationale.Agent) *contest {
	for i := range t.few {
		if c := &t.few[i]; c.agent == agent.ID && c.environment == agent.Environment {
			return c.contest
		}
	}
	if len(t.few) == len(t.contests) {
		return nil
	}
	return t.contests[agentKey{agent.ID, agent.Environment}]
}

// input is a value that the records of rules show.
type input struct {
	path string
	slot int      // -1: it is never there
	rest []string // members from there
}

// fact is a fact that the host supplies.
type fact struct {
	name, source string
	of           *strictjson.Type
	maxAge       time.Duration // zero: never stale
	by           []string
}

// factPlan is a fact as the rules for one tool read it.
type factPlan struct {
	fact
	slot int
	by   []*location // nil where a path of the fact leads to no argument of the tool
}

// host is what the manifest says, in the form in which tools are compiled.
type host struct {
	facts    map[string]*fact
	types    *strictjson.Type // of the facts, an Object
	factsErr error
	derived  map[string][]DerivedSpec // by tool

	mu      sync.Mutex
	schemas map[string]*schemaOnce // by their text: many tools share one
}

type schemaOnce struct {
	once   sync.Once
	schema *strictjson.Schema
	err    error
}

func newHost(m Manifest) *host {
	h := &host{
		facts: make(map[string]*fact, len(m.Facts)), types: &strictjson.Type{Kind: strictjson.Object},
		derived: make(map[string][]DerivedSpec), schemas: make(map[string]*schemaOnce),
	}
	for _, spec := range m.Facts {
		t, err := strictjson.ParseType(spec.Type)
		if err != nil {
			h.factsErr = cmp.Or(h.factsErr, fmt.Errorf("fact %s: %w", spec.Name, err))
			continue
		}
		h.facts[spec.Name] = &fact{name: spec.Name, source: spec.Source, of: t, maxAge: spec.MaxAge, by: spec.By}
		h.types.Fields = append(h.types.Fields, strictjson.Field{Name: spec.Name, Type: t, Required: true})
	}
	sortFields(h.types)
	for _, spec := range m.Derived {
		h.derived[spec.Tool] = append(h.derived[spec.Tool], spec)
	}
	return h
}

func sortFields(object *strictjson.Type) {
	slices.SortFunc(object.Fields, func(a, b strictjson.Field) int { return cmp.Compare(a.Name, b.Name) })
}

func (h *host) schema(raw string) (*strictjson.Schema, error) {
	h.mu.Lock()
	entry := h.schemas[raw]
	if entry == nil {
		entry = new(schemaOnce)
		h.schemas[raw] = entry
	}
	h.mu.Unlock()
	entry.once.Do(func() { entry.schema, entry.err = strictjson.CompileSchema([]byte(raw)) })
	return entry.schema, entry.err
}

func (h *host) derivedType(id classify.ToolID) (*strictjson.Type, error) {
	object := &strictjson.Type{Kind: strictjson.Object}
	for _, spec := range h.derived[id.String()] {
		t, err := strictjson.ParseType(spec.Type)
		if err != nil {
			return nil, fmt.Errorf("derived value %s of tool %s: %w", spec.Name, id, err)
		}
		object.Fields = append(object.Fields, strictjson.Field{Name: spec.Name, Type: t, Required: true})
	}
	sortFields(object)
	return object, nil
}

func (h *host) tool(spec Tool) (*tool, error) {
	t := &tool{spec: spec, id: spec.ID(), name: spec.ID().String(), digest: spec.Digest(), contests: make(map[agentKey]*contest)}
	if err := t.id.Validate(); err != nil {
		return nil, err
	}
	var err error
	if t.schema, err = h.schema(string(spec.Schema)); err != nil {
		return nil, fmt.Errorf("tool %s: schema: %w", t.id, err)
	}
	if t.derived, err = h.derivedType(t.id); err != nil {
		return nil, err
	}
	if h.factsErr != nil {
		return nil, h.factsErr
	}
	t.facts = h.types
	t.layout = celplan.NewLayout(t.schema)
	return t, nil
}

// root returns the type that a path of that root starts at.
func (t *tool) root(name string) *strictjson.Type {
	switch name {
	case "derived":
		return t.derived
	case "facts":
		return t.facts
	default:
		return t.schema.Type()
	}
}

// locate finds the slot from which a path is followed: that of the longest part
// of it that leads through declared members alone.
func (t *tool) locate(p path) *location {
	at := &location{path: p, slot: -1, rest: p.steps}
	var names []string
	for of := t.root(p.root); of.Kind == strictjson.Object && len(at.rest) > 0; at.rest = at.rest[1:] {
		next, declared := of.Field(at.rest[0].name)
		if !declared {
			break
		}
		names, of = append(names, next.Name), next.Type
		if p.root != "args" {
			of = &strictjson.Type{Kind: strictjson.Dyn} // a slot for each, no further
		}
	}
	if len(names) > 0 {
		at.slot = t.layout.Slot(p.root, names...)
	}
	return at
}
