package authority_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

// A rule that does not compile must take its whole document with it, also where
// nothing else is left.
func TestReloadNeverDropsOneRule(t *testing.T) {
	broken := grantDoc("one", "EXPR", "args.nope <= 5")
	for name, set := range map[string]*authority.Set{
		"the first document":  load(t),
		"in place of another": load(t, grantDoc("two")),
	} {
		next, err := set.Reload([]authority.Document{broken})
		require.ErrorContains(t, err, "one.yaml")
		d := decide(next, noon, `{"n":1000}`)
		assert.Equal(t, rationale.Deny, d.Verdict, name)
		assert.Equal(t, []rationale.Reason{rationale.NoAuthorization}, d.Reasons, name)
	}
}

func TestReloadHoldsUpWhatABrokenMatrixWouldLimit(t *testing.T) {
	set := load(t, grantDoc("one"))
	next, err := set.Reload([]authority.Document{
		grantDoc("one", "EXPR", "args.n <= 50"), grantDoc("two", "AGENT", "bot", "CLASS", "more"),
		{Name: "matrix.yaml", Data: []byte("kind: AuthorityMatrix\n")},
	})
	require.ErrorContains(t, err, "one.yaml")
	require.ErrorContains(t, err, "two.yaml")
	require.ErrorContains(t, err, "matrix.yaml may be the authority matrix")
	assert.Equal(t, rationale.Allow, decide(next, noon, `{"n":5}`).Verdict, "what was in force still is")
	assert.Equal(t, rationale.Deny, decide(next, noon, `{"n":6}`).Verdict)

	next, err = set.Reload([]authority.Document{
		grantDoc("one"), haltDoc("halt.yaml", "Suspension", "one"), {Name: "matrix.yaml", Data: []byte("kind: AuthorityMatrix\n")},
	})
	require.Error(t, err)
	assert.Equal(t, rationale.StandingSuspended, decide(next, noon, `{"n":5}`).Standing, "a suspension waits for nothing")
}

// A document that fails must not take what it prohibits with it: another one allows
// the same calls.
func TestReloadNeverLosesAProhibition(t *testing.T) {
	text := string(grantDoc("two").Data)
	forbids := authority.Document{Name: "two.yaml", Data: []byte(text[:strings.Index(text, "classes:")] + `classes:
  - {id: never, tools: [act], tier: prohibited}
  - {id: pay, tools: [pay], tier: parameterized, rationale: [], spend: {currency: EUR, estimate: {quantity: "1", unit: args.u, prices: PriceList/p}, per_event: {parameterized: "5"}}}
`)}
	list := authority.Document{Name: "p.yaml", Data: []byte("apiVersion: ambit/v1\nkind: PriceList\nid: p\ncurrency: EUR\nprices: {a: \"1\"}\n")}
	named := func(name, more string) authority.Document {
		return authority.Document{Name: name, Data: append(slices.Clone(forbids.Data), more...)}
	}
	copied := grantDoc("two", "CLASS", "copied")
	copied.Name = "a.yaml"
	set := load(t, grantDoc("one"), forbids, list)
	for name, c := range map[string]struct {
		docs  []authority.Document
		wrong string
	}{
		"its price list is gone":         {[]authority.Document{grantDoc("one"), forbids}, "p.yaml:0:0: two.yaml is in force and does not load with what changed: this file is still in force"},
		"another has its version":        {[]authority.Document{grantDoc("one"), forbids, list, copied}, "a.yaml:0:0: two.yaml is in force and does not load with what changed: this file is not in force as it is now"},
		"it is renamed and has an error": {[]authority.Document{grantDoc("one"), list, named("b.yaml", "nonsense: true\n")}, "b.yaml:"},
		"twice":                          {[]authority.Document{grantDoc("one"), list, named("b.yaml", "x: true\n"), named("c.yaml", "x: true\n")}, "c.yaml:"},
		"it is renamed and no YAML":      {[]authority.Document{grantDoc("one"), list, named("b.yaml", "x: [\n")}, "b.yaml:"},
		"a matrix limits it":             {[]authority.Document{grantDoc("one"), forbids, list, {Name: "matrix.yaml", Data: []byte(strings.Replace(matrixText, "baselines: []\n", "", 1))}}, "matrix.yaml:0:0:"},
	} {
		next, err := set.Reload(c.docs)
		require.ErrorContains(t, err, c.wrong, name)
		require.Equal(t, []rationale.Reason{rationale.ProhibitedClass}, decide(next, noon, `{"n":1}`).Reasons, name)
		again, err := next.Reload(c.docs)
		require.Error(t, err, name)
		require.Equal(t, []rationale.Reason{rationale.ProhibitedClass}, decide(again, noon, `{"n":1}`).Reasons, name)

		next, err = set.Reload(append(c.docs, haltDoc("halt.yaml", "Suspension", "two")))
		require.Error(t, err, name)
		assert.Equal(t, rationale.StandingSuspended, decide(next, noon, `{"n":1}`).Standing, name)
		next, err = next.Reload(c.docs)
		require.Error(t, err, name)
		assert.Equal(t, rationale.StandingActive, decide(next, noon, `{"n":1}`).Standing, "%s: a suspension ends with its document", name)
	}
	wrong := authority.Document{Name: list.Name, Data: append(slices.Clone(list.Data), "x: 1\n"...)}
	next, err := set.Reload([]authority.Document{grantDoc("one", "CLASS", "other"), forbids, wrong})
	require.ErrorContains(t, err, "p.yaml:")
	assert.NotContains(t, err.Error(), "one.yaml", "the former list serves, and holds up no other change")
	assert.Equal(t, []rationale.Reason{rationale.ProhibitedClass}, decide(next, noon, `{"n":1}`).Reasons)

	next, err = set.Reload([]authority.Document{grantDoc("one")})
	require.NoError(t, err)
	assert.Equal(t, rationale.Allow, decide(next, noon, `{"n":1}`).Verdict, "people took it away")
}

func TestRegisterKeepsASuspensionThatHasAnError(t *testing.T) {
	halt := haltDoc("halt.yaml", "Suspension", "one")
	halt.Data = append(halt.Data, "urgent: yes\n"...)
	next, err := load(t, grantDoc("one")).Reload([]authority.Document{grantDoc("one"), halt})
	require.Error(t, err)
	next, err = next.Register(authority.Tool{Name: "other"})
	require.NoError(t, err)
	assert.Equal(t, rationale.StandingSuspended, decide(next, noon, `{"n":1}`).Standing)

	next, err = next.Reload([]authority.Document{grantDoc("one")})
	require.NoError(t, err)
	assert.Equal(t, rationale.StandingActive, decide(next, noon, `{"n":1}`).Standing)
}

// A call that cannot be read must not run past a prohibition, although stray
// calls of an agent that observes are let through.
func TestObserveNeverRunsPastAProhibition(t *testing.T) {
	observing := func(class string) *authority.Set {
		doc := grantDoc("one")
		doc.Data = []byte(strings.Replace(string(doc.Data), "classes:\n", "observe: {until: 2026-12-01T00:00:00Z}\nclasses:\n"+class, 1))
		return load(t, doc)
	}
	const stray = `{"n":7,"other":1}`
	d := decide(observing(""), noon, stray)
	require.Equal(t, rationale.Allow, d.Verdict, "without a prohibition")
	require.Equal(t, rationale.Observe, d.Mode)

	for name, when := range map[string]string{"always": "", "on a condition": `, when: "args.n == 7"`} {
		set := observing("  - {id: never, tools: [act], tier: prohibited" + when + "}\n")
		for _, arguments := range []string{`{"n":7}`, stray, `{"n":7,"n":1}`, `{`, `{}`} {
			d := decide(set, noon, arguments)
			assert.Equal(t, rationale.Deny, d.Verdict, "%s: %s", name, arguments)
			assert.Equal(t, rationale.Enforce, d.Mode, "%s: %s", name, arguments)
		}
	}
	// Where it is the only class of the tool, and fails to read what it asks for.
	doc := grantDoc("one", "CLASS", "other")
	doc.Data = []byte(strings.NewReplacer("classes:\n", "observe: {until: 2026-12-01T00:00:00Z}\nclasses:\n"+
		"  - {id: never, tools: [act], tier: prohibited, when: \"args.n == 7\"}\n", "tools: [act]", "tools: [idle]").Replace(string(doc.Data)))
	alone := decide(load(t, doc), noon, `{}`)
	assert.Equal(t, rationale.Deny, alone.Verdict)
	assert.Equal(t, rationale.Enforce, alone.Mode)
	assert.Equal(t, []rationale.Reason{rationale.EvaluationError}, alone.Reasons)

	assert.Equal(t, rationale.Allow, decide(observing("  - {id: never, tools: [act], tier: prohibited, when: \"args.n == 7\"}\n"), noon, `{"n":8}`).Verdict,
		"the prohibition was asked")

	unknown := observing("  - {id: never, tools: [drop_*], tier: prohibited}\n")
	call := authority.Call{At: noon, Agent: rationale.Agent{ID: "bot", Environment: "prod"}, Tool: classify.ToolID{Name: "drop_table"}}
	assert.Equal(t, rationale.Deny, unknown.Assess(unknown.Classify(call), authority.Input{}).Verdict)
}

// What one call learned of a fact must not answer for other arguments.
func TestFactKeysTellArgumentsApart(t *testing.T) {
	tool := authority.Tool{Name: "act", Schema: json.RawMessage(`{"type":"object","properties":{
		"n":{"type":"integer"},"rows":{"type":"array","items":{"type":"array","items":{"type":"string"}}},
		"items":{"type":"array","items":{"type":"object","properties":{"ns":{"type":"string"}}}}}}`)}
	key := func(by, arguments string) string {
		t.Helper()
		set, err := authority.Load([]authority.Document{grantDoc("one", "EXPR", "facts.f <= 5")}, authority.Manifest{
			Tools: []authority.Tool{tool}, Facts: []authority.FactSpec{{Name: "f", Type: "int", MaxAge: time.Minute, By: []string{by}}},
		}, authority.AllowUnsigned())
		require.NoError(t, err)
		facts := set.Classify(authority.Call{
			At: noon, Agent: rationale.Agent{ID: "bot", Environment: "prod"}, Tool: classify.ToolID{Name: "act"}, Arguments: []byte(arguments),
		}).Facts()
		require.Len(t, facts, 1)
		assert.LessOrEqual(t, len(facts[0].Key), 256)
		return facts[0].Key
	}
	for name, c := range map[string]struct{ by, one, other string }{
		"an element without it": {"args.items[].ns", `{"items":[{"ns":"dev"},{}]}`, `{"items":[{"ns":"prod"},{}]}`},
		"an empty list":         {"args.items[].ns", `{"items":[],"n":1}`, `{"n":1}`},
		"absent":                {"args.n", `{"items":[]}`, `{"rows":[]}`},
		"a path of no tool":     {"args.misspelt", `{"n":1}`, `{"n":2}`},
		"no path":               {"n", `{"n":1}`, `{"n":2}`},
		"nesting":               {"args.rows", `{"rows":[["a","b"],["c"]]}`, `{"rows":[["a"],["b","c"]]}`},
		"long":                  {"args.rows", `{"rows":[["` + strings.Repeat("a", 500) + `"]]}`, `{"rows":[["` + strings.Repeat("a", 501) + `"]]}`},
	} {
		assert.NotEqual(t, key(c.by, c.one), key(c.by, c.other), name)
	}
	assert.Equal(t, key("args.n", `{"n":1,"rows":[]}`), key("args.n", `{"n":1}`), "what is not named does not matter")
}
