package authority

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

var indexedTool = Tool{Name: "act", Schema: json.RawMessage(`{"type":"object","properties":{
	"s":{"type":["string","null"]},"n":{"type":"integer"},"b":{"type":"boolean"},"x":{"type":"number"},"m":{"type":"integer"},
	"o":{"type":"object","properties":{"k":{"type":"string"}}},"any":{}}}`)}

// conditions begin with a comparison on one value or otherwise, hold together
// or apart, and fail early or late.
var conditions = []string{
	"args.s == 'a'", "'b' == args.s", "args.s in ['a', 'b']", "args.s in ['c', 'c']", "args.s == 'a' || args.s == 'c'",
	"args.s == 'a' && args.n > 1", "args.s == 'b' && args.m > 1", "args.s == 'c' && (args.n == 1 || args.m == 1)",
	"args.s == 'd' && args.x == 1.0 && args.n == 2",
	"args.n == 1", "args.n in [1, 2, -3]", "args.n == 2 && args.s == 'a'", "args.n == 3 && args.m / 0 == 1", "args.n in [2, 3] || args.n == 1",
	"args.b == true", "args.b == false && args.n > 1", "args.b in [true, false] && args.m == 1",
	"args.o.k == 'a'", "args.o.k in ['a', 'b'] && args.n == 1", "args.any == 'a'", "args.any in ['a', 'b'] && args.n == 2",
	"call.session == 's-1'", "call.session == 's-2' && args.s == 'a'",
	"args.n > 2", "args.s != 'a'", "has(args.s) && args.s == 'a'", "args.x == 1.0", "args.n == 1 || args.s == 'a'", "true", "args.any == 1",
}

func indexedDocuments(t *rapid.T) []Document {
	condition := rapid.SampledFrom(conditions)
	var docs []Document
	for d := range rapid.IntRange(1, 3).Draw(t, "documents") {
		for version := 1; version <= rapid.IntRange(1, 2).Draw(t, "versions"); version++ {
			var b strings.Builder
			fmt.Fprintf(&b, "apiVersion: ambit/v1\nkind: Authorization\nid: d%d\nversion: %d\nowner: {id: o@example.com}\n", d, version)
			b.WriteString("agent: {id: bot, environments: [prod]}\napproval: {by: [group:leads]}\n")
			at := firstDay.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "at")) * day)
			fmt.Fprintf(&b, "grant: {by: [{id: g@example.com}], at: %s, expires: 2027-02-01T00:00:00Z}\nclasses:\n", stamp(at))
			for i := range rapid.IntRange(1, 12).Draw(t, "classes") {
				tier := rapid.SampledFrom([]string{"parameterized", "parameterized", "parameterized", "prohibited"}).Draw(t, "tier")
				pattern := rapid.SampledFrom([]string{"act", "act", "act", "ac*", "a*"}).Draw(t, "pattern")
				fmt.Fprintf(&b, "  - {id: c%d, tools: [%s], tier: %s, when: %q}\n", i, pattern, tier, condition.Draw(t, "when"))
			}
			docs = append(docs, Document{Name: fmt.Sprintf("d%d-%d.yaml", d, version), Data: []byte(b.String())})
		}
	}
	return docs
}

func drawnArguments(t *rapid.T) []byte {
	var members []string
	add := func(name string, values ...string) {
		if v := rapid.SampledFrom(append(values, "")).Draw(t, name); v != "" {
			members = append(members, fmt.Sprintf("%q:%s", name, v))
		}
	}
	add("s", `"a"`, `"b"`, `"c"`, `"d"`, `"z"`, `null`)
	add("n", `1`, `2`, `3`, `-3`, `9`)
	add("b", `true`, `false`)
	add("x", `1`, `2.5`)
	add("m", `1`)
	add("o", `{}`, `{"k":"a"}`, `{"k":"b"}`)
	add("any", `"a"`, `"b"`, `1`, `1.0`, `null`, `["a"]`, `{"a":"a"}`)
	return []byte("{" + strings.Join(members, ",") + "}")
}

// An index only leaves out what does not hold: the outcome is that of asking
// every class that competes, one after the other.
func TestIndexedClassesAreChosenLikeAll(t *testing.T) {
	indexed := 0
	rapid.Check(t, func(t *rapid.T) {
		set, err := Load(indexedDocuments(t), Manifest{Tools: []Tool{indexedTool}}, AllowUnsigned())
		require.NoError(t, err)
		contest := set.tools[indexedTool.ID()].contests[agentKey{"bot", "prod"}]
		for _, c := range append(contest.patterns, contest.prohibited) {
			indexed += len(c.selectors)
		}
		for range 30 {
			at := firstDay.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "time")) * day)
			e := begin(set, &Call{
				At: at, Tool: indexedTool.ID(), Arguments: drawnArguments(t),
				Agent: rationale.Agent{ID: "bot", Environment: "prod", Session: rapid.SampledFrom([]string{"s-1", "s-2", ""}).Draw(t, "session")},
			})
			require.True(t, e.identify() && e.parse())
			var plans []*plan
			var candidates []classify.Candidate
			for _, p := range contest.plans {
				if referenceCompeting(set.lines[p.grant.ID.Value], at) == p.grant {
					plans, candidates = append(plans, p), append(candidates, p.candidate())
				}
			}
			all := func(i int) (bool, error) { return plans[i].when.program.Bool(&e.frame) }
			want := outcomeOf(classify.Choose(candidates, all), plans)
			e.choose(contest)
			assert.Equal(t, want, e.outcome(), "%s at %v", e.args, at)
			e.release()
		}
	})
	assert.NotZero(t, indexed, "nothing was indexed")
}

func outcomeOf(r classify.Result, plans []*plan) string {
	e := &evaluation{}
	switch r.Outcome {
	case classify.Classified:
		e.plan = plans[r.Index]
	case classify.Failed:
		e.failed, e.failedAt, e.err = whenFailed, plans[r.Index], r.Err
	case classify.Ambiguous:
		e.failed = ambiguous
		for _, i := range r.Also {
			e.also = append(e.also, plans[i])
		}
	default:
		e.failed = unclassified
	}
	return e.outcome()
}

// outcome is what came of a classification, in words.
func (e *evaluation) outcome() string {
	version := func(p *plan) string { return fmt.Sprintf("%s/%d", p.name(), p.grant.Version) }
	switch {
	case e.plan != nil:
		return "class " + version(e.plan)
	case e.failed == whenFailed:
		return fmt.Sprintf("%s fails: %v", version(e.failedAt), e.err)
	case e.failed == ambiguous:
		text := "ambiguous:"
		for _, p := range e.also {
			text += " " + version(p)
		}
		return text
	}
	return fmt.Sprint("failure ", e.failed)
}

func indexedBy(t *testing.T, conditions []string, opts ...Option) *Set {
	var b strings.Builder
	for i, when := range conditions {
		fmt.Fprintf(&b, "  - {id: c%d, tools: [act], tier: parameterized, when: %q}\n", i, when)
	}
	doc := Document{Name: "d.yaml", Data: []byte(`apiVersion: ambit/v1
kind: Authorization
id: d
owner: {id: o@example.com}
agent: {id: bot, environments: [prod]}
approval: {by: [group:leads]}
grant: {by: [{id: g@example.com}], at: 2026-10-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
classes:
` + b.String())}
	set, err := Load([]Document{doc}, Manifest{Tools: []Tool{indexedTool}}, append(opts, AllowUnsigned())...)
	require.NoError(t, err)
	return set
}

func asked(set *Set, arguments string) *evaluation {
	e := begin(set, &Call{At: firstDay, Agent: rationale.Agent{ID: "bot", Environment: "prod"}, Tool: indexedTool.ID(), Arguments: []byte(arguments)})
	e.classify()
	return e
}

// A tool with many classes asks only those that a call can be of.
func TestIndexAsksFew(t *testing.T) {
	var conditions []string
	for i := range 200 {
		conditions = append(conditions, fmt.Sprintf("args.s == 's%d' && args.n > 0", i))
	}
	set := indexedBy(t, conditions)
	e := asked(set, `{"s":"s77","n":1}`)
	assert.Equal(t, "c77", e.class())
	assert.Len(t, e.asked, 1)
	e = asked(set, `{"n":1}`)
	assert.Equal(t, "d/c0/1 fails: args.s is absent", e.outcome())
	assert.Len(t, e.asked, 1, "the first that fails is enough")
	e = asked(set, `{"s":"other","n":1}`)
	assert.Equal(t, unclassified, e.failed)
	assert.Empty(t, e.asked)

	reference := indexedBy(t, conditions, WithReferenceCEL())
	assert.Empty(t, reference.tools[indexedTool.ID()].contests[agentKey{"bot", "prod"}].patterns[0].selectors, "cel-go is asked about every class")
}

func TestIndexOfEveryKind(t *testing.T) {
	set := indexedBy(t, []string{
		"args.n == 1", "args.n == 2", "args.n in [3, 4]", "args.n == -9223372036854775807",
	})
	for n, class := range map[string]string{"1": "c0", "2": "c1", "3": "c2", "4": "c2", "-9223372036854775807": "c3"} {
		e := asked(set, `{"n":`+n+`}`)
		assert.Equal(t, class, e.class(), n)
		assert.Len(t, e.asked, 1, n)
	}
	e := asked(set, `{"n":0}`)
	assert.Equal(t, unclassified, e.failed)
	assert.Empty(t, e.asked)

	set = indexedBy(t, []string{
		"args.b == true && args.n == 1", "args.b == true && args.n == 2", "args.b == true && args.n == 3", "args.b == false",
	})
	e = asked(set, `{"b":false}`)
	assert.Equal(t, "c3", e.class())
	assert.Len(t, e.asked, 1)
	e = asked(set, `{"b":true,"n":2}`)
	assert.Equal(t, "c1", e.class())
	assert.Len(t, e.asked, 3)
}

// What only a later version says hides nothing before its time.
func TestIndexBeforeALaterVersion(t *testing.T) {
	version := func(n int, at, pattern string) Document {
		return Document{Name: fmt.Sprintf("d-%d.yaml", n), Data: fmt.Appendf(nil, `apiVersion: ambit/v1
kind: Authorization
id: d
version: %d
owner: {id: o@example.com}
agent: {id: bot, environments: [prod]}
approval: {by: [group:leads]}
grant: {by: [{id: g@example.com}], at: %s, expires: 2027-02-01T00:00:00Z}
classes: [{id: c%d, tools: [%s], tier: parameterized}]
`, n, at, n, pattern)}
	}
	set, err := Load([]Document{version(1, stamp(firstDay), "a*"), version(2, stamp(firstDay.Add(2*day)), "act")},
		Manifest{Tools: []Tool{indexedTool}}, AllowUnsigned())
	require.NoError(t, err)
	for after, class := range map[time.Duration]string{day: "c1", 3 * day: "c2"} {
		e := begin(set, &Call{At: firstDay.Add(after), Agent: rationale.Agent{ID: "bot", Environment: "prod"}, Tool: indexedTool.ID(), Arguments: []byte(`{}`)})
		e.classify()
		assert.Equal(t, class, e.class(), "after %v", after)
	}
}
