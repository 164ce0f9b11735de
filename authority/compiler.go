package authority

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

// compiler is what the compilations of all tools share.
type compiler struct {
	set      *Set
	host     *host
	checkers celplan.Checkers
	errs     []*Error
	seen     map[string]bool // errors that another tool gave already

	mu     sync.Mutex
	ids    map[string]string // of rules: most are the same in every class
	prices map[priceKey]*priceTable
}

func (c *compiler) fail(err *Error) {
	if key := err.Error(); !c.seen[key] {
		c.seen[key] = true
		c.errs = append(c.errs, err)
	}
}

// id returns the one copy of a rule's id.
func (c *compiler) id(text string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.ids[text]; ok {
		return known
	}
	c.ids[text] = text
	return text
}

// benches makes the tools, and returns where classes are compiled for each, in
// the order of their names.
func (c *compiler) benches() []*bench {
	specs := c.set.manifest.Tools
	index := newPatternIndex(c.set.sortedLines())
	made, errs := make([]*bench, len(specs)), make([]error, len(specs))
	parallel(len(specs), func(i int) { made[i], errs[i] = c.bench(specs[i], index) })
	byID := make(map[classify.ToolID]*bench, len(specs))
	for i, b := range made {
		if errs[i] != nil {
			c.errs = append(c.errs, &Error{File: "manifest", Message: errs[i].Error()})
			continue
		}
		byID[b.tool.id], c.set.tools[b.tool.id] = b, b.tool
	}
	benches := make([]*bench, 0, len(byID))
	for _, b := range byID {
		benches = append(benches, b)
	}
	slices.SortFunc(benches, func(a, b *bench) int { return cmp.Compare(a.tool.name, b.tool.name) })
	return benches
}

// bench is where classes are compiled for one tool. What it shares between them
// is guarded by mu.
type bench struct {
	*compiler
	tool    *tool
	env     *celplan.Env
	when    *celplan.Env // without facts, which are fetched once the class is known
	matches []indexed
	domains []string // of the matrix

	mu        sync.Mutex
	rules     map[ruleKey]*ruleOnce
	inputs    map[string]int32
	facts     map[string]*factPlan
	locations map[string]*location
}

func (c *compiler) bench(spec Tool, index *patternIndex) (*bench, error) {
	t, err := c.host.tool(spec)
	if err != nil {
		return nil, err
	}
	b := &bench{
		compiler: c, tool: t, matches: index.match(t.id), rules: make(map[ruleKey]*ruleOnce),
		inputs: make(map[string]int32), facts: make(map[string]*factPlan), locations: make(map[string]*location),
	}
	options := []celplan.Option{celplan.WithLayout(t.layout), celplan.WithMode(c.set.options.mode())}
	b.env, err = c.checkers.NewEnv(celplan.Scope{Args: t.schema.Type(), Derived: t.derived, Facts: t.facts}, options...)
	if err == nil {
		b.when, err = c.checkers.NewEnv(celplan.Scope{Args: t.schema.Type(), Derived: t.derived}, options...)
	}
	if err != nil {
		return nil, fmt.Errorf("tool %s: %w", t.id, err)
	}
	if m := c.set.policy.Matrix; m != nil {
		b.domains = m.domainsOf(t.id)
	}
	return b, nil
}

type ruleKey struct {
	expr string
	want strictjson.Kind
	when bool
}

// ruleOnce is an expression that is compiled once for all classes that have it.
type ruleOnce struct {
	once           sync.Once
	rule           *rule
	facts, derived []string // names that it reads
	err            error
}

func (b *bench) rule(key ruleKey) *ruleOnce {
	b.mu.Lock()
	entry := b.rules[key]
	if entry == nil {
		entry = new(ruleOnce)
		b.rules[key] = entry
	}
	b.mu.Unlock()
	entry.once.Do(func() {
		env := b.env
		if key.when {
			env = b.when
		}
		program, err := env.Compile(key.expr, key.want)
		if err != nil {
			entry.err = err
			return
		}
		entry.rule = &rule{program: program}
		if native, _ := program.Native(); native && b.set.options.shadow > 0 {
			entry.rule.reference = program
		}
		entry.rule.shown = b.shown(program)
		for _, read := range program.Reads() {
			switch read.Root() {
			case "call":
				b.tool.readsCall.Store(true)
			case "facts":
				entry.facts = append(entry.facts, read.Name())
			case "derived":
				entry.derived = append(entry.derived, read.Name())
			}
		}
	})
	return entry
}

// shown returns the tool's inputs that a rule shows.
func (b *bench) shown(p *celplan.Program) []int32 {
	all := p.Shown()
	indexes := make([]int32, len(all))
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, s := range all {
		at, known := b.inputs[string(s.Path)]
		if !known {
			at = int32(len(b.tool.inputs))
			b.inputs[string(s.Path)] = at
			b.tool.inputs = append(b.tool.inputs, input{path: string(s.Path), slot: s.Slot, rest: s.Rest})
		}
		indexes[i] = at
	}
	return indexes
}

func (b *bench) locate(p path) *location {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := b.locations[p.text]
	if at == nil {
		at = b.tool.locate(p)
		b.locations[p.text] = at
	}
	return at
}

// fact returns the fact of that name as the tool's rules read it; nil where the
// host has none.
func (b *bench) fact(name string) *factPlan {
	f := b.host.facts[name]
	if f == nil {
		return nil
	}
	var by []*location
	for _, text := range f.by {
		where, err := parsePath(text)
		if err != nil || where.root == "facts" {
			by = nil
			break
		}
		by = append(by, b.locate(where))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.facts[name]
	if p == nil {
		p = &factPlan{fact: *f, slot: b.tool.layout.Slot("facts", name), by: by}
		b.facts[name] = p
	}
	return p
}
