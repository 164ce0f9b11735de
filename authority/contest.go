package authority

import (
	"slices"
	"time"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

// contest is what competes for one agent's calls of one tool in one
// environment, arranged so that a call asks only the classes that may be its
// own.
type contest struct {
	plans      []*plan      // of every version, the most specific pattern first
	prohibited candidates   // of every pattern
	patterns   []candidates // of the others, for each pattern, the most specific first
	derived    []derivation // what some plan reads, in the order of the tool's
	record     recordPolicy // the strictest of every class, for calls without one

	// Where every call asks the same plans, those, ready to choose from.
	steady     []*plan
	candidates []classify.Candidate
}

// derivation is a derived value, and when a class competes that reads it.
type derivation struct {
	strictjson.Field
	slot   int
	during periods
}

// candidates are plans that are told apart by their conditions alone.
type candidates struct {
	plans     []*plan
	during    periods // when some version with one of them competes
	always    []int32 // indexes of those to ask about every call
	selectors []selector
}

// selector finds plans by the value that their conditions first ask for.
type selector struct {
	slot  int
	all   []int32 // indexes of the plans, ascending
	text  map[string][]int32
	whole map[int64][]int32
	truth [2][]int32 // of false and true
}

// contest returns the contest for the calls of an agent, and adds one where
// there is none.
func (t *tool) contest(key agentKey) *contest {
	c := t.contests[key]
	if c == nil {
		c = new(contest)
		t.contests[key] = c
	}
	return c
}

// all returns every plan, the most specific pattern first.
func (c *contest) all() []*plan {
	if c == nil {
		return nil
	}
	return c.plans
}

// add adds a plan; more specific patterns come first.
func (c *contest) add(p *plan) {
	c.plans = append(c.plans, p)
	c.record = c.record.strictest(p.class.Record)
	if p.class.Tier == classify.Prohibited {
		c.prohibited.plans = append(c.prohibited.plans, p)
		return
	}
	if n := len(c.patterns); n == 0 || c.patterns[n-1].plans[0].pattern != p.pattern {
		c.patterns = append(c.patterns, candidates{})
	}
	last := &c.patterns[len(c.patterns)-1]
	last.plans = append(last.plans, p)
}

// prepare makes the contest ready for calls, once it has all of its plans.
func (c *contest) prepare(indexed bool) {
	c.prohibited.prepare(indexed)
	for i := range c.patterns {
		c.patterns[i].prepare(indexed)
	}
	c.prepareSteady()
	during := make(map[string][]period)
	for _, p := range c.plans {
		for _, name := range p.derived {
			during[name] = append(during[name], p.grant.competes)
		}
	}
	if len(during) == 0 {
		return
	}
	t := c.plans[0].tool
	for _, field := range t.derived.Fields {
		if when := during[field.Name]; when != nil {
			c.derived = append(c.derived, derivation{field, t.layout.Slot("derived", field.Name), union(when)})
		}
	}
}

// prepareSteady prepares for plans that always compete and that no index tells
// apart, which is the usual contest of few.
func (c *contest) prepareSteady() {
	steady := slices.Clone(c.prohibited.plans)
	groups := []*candidates{&c.prohibited}
	if len(c.patterns) > 0 {
		groups = append(groups, &c.patterns[0])
		steady = append(steady, c.patterns[0].plans...)
	}
	for _, g := range groups {
		if len(g.selectors) > 0 || slices.ContainsFunc(g.plans, func(p *plan) bool { return !p.steady }) {
			return
		}
	}
	c.steady = steady
	for _, p := range steady {
		c.candidates = append(c.candidates, p.candidate())
	}
}

// minIndexed is how many plans an index needs to be worth a lookup.
const minIndexed = 4

func (c *candidates) prepare(indexed bool) {
	var during []period
	bySlot := make(map[int]*selector)
	var slots []int
	for i, p := range c.plans {
		during = append(during, p.grant.competes)
		slot, values, ok := p.selector()
		if !ok || !indexed {
			c.always = append(c.always, int32(i))
			continue
		}
		if bySlot[slot] == nil {
			bySlot[slot] = &selector{slot: slot}
			slots = append(slots, slot)
		}
		bySlot[slot].add(int32(i), values)
	}
	c.during = union(during)
	for _, slot := range slots {
		if s := bySlot[slot]; len(s.all) < minIndexed {
			c.always = append(c.always, s.all...)
		} else {
			c.selectors = append(c.selectors, *s)
		}
	}
	slices.Sort(c.always)
}

func (p *plan) selector() (slot int, values []strictjson.Value, ok bool) {
	if p.when == nil {
		return -1, nil, false
	}
	return p.when.program.Selector()
}

func (s *selector) add(plan int32, values []strictjson.Value) {
	s.all = append(s.all, plan)
	for _, v := range values {
		switch v.Kind() {
		case strictjson.String:
			if s.text == nil {
				s.text = make(map[string][]int32)
			}
			s.text[v.Str()] = appendOnce(s.text[v.Str()], plan)
		case strictjson.Int:
			if s.whole == nil {
				s.whole = make(map[int64][]int32)
			}
			s.whole[v.Int()] = appendOnce(s.whole[v.Int()], plan)
		case strictjson.Bool:
			i := truthIndex(v)
			s.truth[i] = appendOnce(s.truth[i], plan)
		}
	}
}

func appendOnce(plans []int32, plan int32) []int32 {
	if n := len(plans); n > 0 && plans[n-1] == plan {
		return plans
	}
	return append(plans, plan)
}

func truthIndex(v strictjson.Value) int {
	if v.Bool() {
		return 1
	}
	return 0
}

// find returns the plans whose condition can hold, or fail, for a value in
// their slot.
func (s *selector) find(v strictjson.Value) []int32 {
	switch v.Kind() {
	case strictjson.Invalid:
		return s.all // each fails to read it
	case strictjson.String:
		return s.text[v.Str()]
	case strictjson.Int:
		return s.whole[v.Int()]
	case strictjson.Bool:
		return s.truth[truthIndex(v)]
	}
	return nil
}

// competing appends, in their order, the plans that compete at a time and may
// be the class of a call: all but those whose condition is known not to hold.
// Of several that fail to read one absent value the first is enough, as it ends
// the classification.
func (c *candidates) competing(f *celplan.Frame, at time.Time, asked []*plan) []*plan {
	if len(c.selectors) == 0 {
		for _, i := range c.always {
			if p := c.plans[i]; p.competes(at) {
				asked = append(asked, p)
			}
		}
		return asked
	}
	return c.merge(f, at, asked)
}

// maxSources bounds how many slots an index can have, beside the plans to ask
// always, without memory of its own.
const maxSources = 8

func (c *candidates) merge(f *celplan.Frame, at time.Time, asked []*plan) []*plan {
	var room [maxSources][]int32
	sources := append(room[:0], c.always)
	for i := range c.selectors {
		s := &c.selectors[i]
		sources = append(sources, s.find(f.Value(s.slot)))
	}
	failing := false
	for !failing {
		next := -1 // the source with the lowest index
		for i, source := range sources {
			if len(source) > 0 && (next < 0 || source[0] < sources[next][0]) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		p := c.plans[sources[next][0]]
		sources[next] = sources[next][1:]
		if !p.competes(at) {
			continue
		}
		asked = append(asked, p)
		failing = next > 0 && f.Value(c.selectors[next-1].slot).Kind() == strictjson.Invalid
	}
	return asked
}
