package authority

import (
	"cmp"
	"slices"
	"time"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

// Entry says what one agent may decide with one tool, who said so and until
// when, and what stands against it.
type Entry struct {
	Agent         string                      `json:"agent"`
	Environment   string                      `json:"environment"`
	Tool          string                      `json:"tool"`                 // a registered tool, or the pattern of a class that none matches
	Class         string                      `json:"class,omitzero"`       // empty: no class covers the tool
	Domain        string                      `json:"domain,omitzero"`      //
	Tier          string                      `json:"tier,omitzero"`        // base tier
	Effect        string                      `json:"effect,omitzero"`      // read or write
	Conditional   bool                        `json:"conditional,omitzero"` // the class has a condition
	Running       bool                        `json:"running"`              // the tool is registered
	Owner         string                      `json:"owner,omitzero"`       //
	Durability    string                      `json:"durability,omitzero"`  // "os": its records may be lost with the machine; empty: fsync
	ReviewBy      []string                    `json:"review_by,omitempty"`  // who reviews what it did
	Authorization *rationale.AuthorizationRef `json:"authorization,omitempty"`
	Standing      rationale.Standing          `json:"standing"`
	// Provisional says why the entry is provisionally unauthorized; empty: it
	// is authorized.
	Provisional string `json:"provisional,omitzero"`
}

// Inventory lists, at a time, for every agent in each of its environments each
// registered tool with the classes that cover it, and each class that no
// registered tool matches. A tool without a class, and a class whose
// authorization is not in force, are provisionally unauthorized, and say why.
// Entries are sorted by agent, environment, tool and class.
func (s *Set) Inventory(at time.Time) []Entry {
	if s == nil {
		return nil
	}
	var entries []Entry
	for _, key := range s.running() {
		for _, t := range s.sortedTools() {
			entries = append(entries, s.toolEntries(key, t, at)...)
		}
		entries = append(entries, s.idleEntries(key, at)...)
	}
	slices.SortStableFunc(entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Environment, b.Environment),
			cmp.Compare(a.Tool, b.Tool), cmp.Compare(a.Class, b.Class))
	})
	return entries
}

// running returns the agents of the manifest and of the documents, sorted.
func (s *Set) running() []agentKey {
	found := make(map[agentKey]bool)
	for key := range s.agents {
		found[key] = true
	}
	for _, a := range s.manifest.Agents {
		for _, env := range a.Environments {
			found[agentKey{a.ID, env}] = true
		}
	}
	keys := make([]agentKey, 0, len(found))
	for key := range found {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b agentKey) int {
		return cmp.Or(cmp.Compare(a.agent, b.agent), cmp.Compare(a.environment, b.environment))
	})
	return keys
}

func (s *Set) sortedTools() []*tool {
	tools := make([]*tool, 0, len(s.tools))
	for _, t := range s.tools {
		tools = append(tools, t)
	}
	slices.SortFunc(tools, func(a, b *tool) int { return cmp.Compare(a.name, b.name) })
	return tools
}

func (s *Set) toolEntries(key agentKey, t *tool, at time.Time) []Entry {
	var entries []Entry
	var best *plan // of the classes that are not prohibited
	for _, p := range t.contests[key].all() {
		if !p.competes(at) {
			continue
		}
		if p.class.Tier != classify.Prohibited {
			if best != nil && p.pattern != best.pattern {
				continue // a more specific pattern takes every call
			}
			best = p
		}
		e := s.entry(key, p.grant, p.class, at)
		e.Tool, e.Running, e.Domain = t.id.String(), true, p.domain
		if why := s.pinMismatch(key, p); e.Provisional == "" && why != "" {
			e.Provisional, e.Standing = why, rationale.StandingPinMismatch
		}
		entries = append(entries, e)
	}
	if len(entries) == 0 {
		why := "no class covers this tool"
		if scope := s.agents[key]; scope == nil || !scope.authorized.has(at) {
			why = "no authorization names this agent in this environment"
		}
		entries = append(entries, Entry{
			Agent: key.agent, Environment: key.environment, Tool: t.id.String(), Running: true,
			Standing: rationale.StandingNone, Provisional: why,
		})
	}
	return entries
}

// pinMismatch says what the manifest runs otherwise than the grant pins; empty
// where all is as pinned, or not known.
func (s *Set) pinMismatch(key agentKey, p *plan) string {
	prompt := p.grant.Pins.Prompt
	for _, a := range s.manifest.Agents {
		if a.ID == key.agent {
			prompt = a.Prompt
		}
	}
	models := s.manifest.Models
	if len(models) == 0 && len(p.grant.Pins.Models) > 0 {
		pinned := p.grant.Pins.Models[0]
		models = []ModelSpec{{Provider: pinned.Provider, Name: pinned.Name, Version: pinned.Version}}
	}
	if len(models) == 0 {
		models = []ModelSpec{{}}
	}
	for _, m := range models {
		model := rationale.Model{Provider: m.Provider, Name: m.Name, Version: m.Version}
		switch pins := p.grant.comparePins(&model, prompt, p.toolPin); {
		case pins.model == mismatches:
			return modelMismatch(&model)
		case pins.prompt == mismatches:
			return promptMismatch
		case pins.tool == mismatches:
			return toolMismatch
		}
	}
	return ""
}

func (s *Set) entry(key agentKey, g *grantDoc, class *classDoc, at time.Time) Entry {
	standing, why := g.standing(at)
	e := Entry{
		Agent: key.agent, Environment: key.environment, Class: class.ID.Value, Domain: class.Domain,
		Tier: class.Tier.String(), Effect: "write", Conditional: class.When.Value != "",
		Owner: g.Owner.ID, Authorization: g.refAt(at), Standing: standing, Provisional: why,
	}
	if class.Read {
		e.Effect = "read"
	}
	if class.Durability == rationale.DurabilityOS {
		e.Durability = "os"
	}
	for _, by := range g.Review.By {
		e.ReviewBy = append(e.ReviewBy, by.Value)
	}
	return e
}

// idleEntries are the patterns of competing classes that match no registered
// tool.
func (s *Set) idleEntries(key agentKey, at time.Time) []Entry {
	var entries []Entry
	for _, l := range s.agents[key].all() {
		g := l.competing(at)
		if !g.covers(key.agent, key.environment) {
			continue
		}
		for i := range g.Classes {
			class := &g.Classes[i]
			for _, tp := range class.Tools {
				if s.matchesAny(tp.Pattern) {
					continue
				}
				e := s.entry(key, g, class, at)
				e.Tool = tp.Pattern.String()
				entries = append(entries, e)
			}
		}
	}
	return entries
}

func (s *Set) matchesAny(p classify.Pattern) bool {
	for _, t := range s.tools {
		if p.Match(t.id) {
			return true
		}
	}
	return false
}
