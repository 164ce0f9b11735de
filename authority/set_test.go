package authority_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

const grantText = `apiVersion: ambit/v1
kind: Authorization
id: ID
version: VERSION
owner: {id: owner@example.com}
agent: {id: AGENT, environments: [prod]}
grant: {by: [{id: grantor@example.com}], at: AT, expires: 2027-02-01T00:00:00Z}
approval: {by: [group:leads]}
classes:
  - {id: CLASS, tools: [act], tier: parameterized, rationale: [], bounds: [{expr: "EXPR", why: a bound}]}
`

// grantDoc writes a small authorization; pairs replace its placeholders.
func grantDoc(name string, pairs ...string) authority.Document {
	defaults := []string{"VERSION", "1", "ID", name, "AGENT", "bot", "AT", "2026-10-01T00:00:00Z", "CLASS", "act", "EXPR", "args.n <= 5"}
	return authority.Document{Name: name + ".yaml", Data: []byte(strings.NewReplacer(append(pairs, defaults...)...).Replace(grantText))}
}

func haltDoc(name, kind, authorization string) authority.Document {
	return authority.Document{Name: name, Data: []byte("apiVersion: ambit/v1\nkind: " + kind + "\nauthorization: " + authorization +
		"\nby: [{id: grantor@example.com}]\nat: 2026-10-05T00:00:00Z\nreason: incident 17\n")}
}

var actTool = authority.Tool{
	Name: "act", Description: "Acts.", Schema: json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer"}}}`),
}

func load(t *testing.T, docs ...authority.Document) *authority.Set {
	t.Helper()
	set, err := authority.Load(docs, authority.Manifest{Tools: []authority.Tool{actTool}}, authority.AllowUnsigned())
	require.NoError(t, err)
	return set
}

func decide(set *authority.Set, at time.Time, arguments string) *rationale.Decision {
	return set.Assess(set.Classify(authority.Call{
		At: at, Agent: rationale.Agent{ID: "bot", Environment: "prod"}, Tool: classify.ToolID{Name: "act"}, Arguments: []byte(arguments),
	}), authority.Input{})
}

func TestNilSetDenies(t *testing.T) {
	var set *authority.Set
	d := decide(set, noon, `{}`)
	assert.Equal(t, rationale.Deny, d.Verdict)
	assert.Equal(t, []rationale.Reason{rationale.NoAuthorization}, d.Reasons)
	assert.Empty(t, set.Inventory(noon))
	_, asked := set.Rationale("bot", "prod", classify.ToolID{Name: "act"})
	assert.False(t, asked)
}

func TestLoadReturnsNoSetWithAnyError(t *testing.T) {
	set, err := authority.Load([]authority.Document{grantDoc("good"), grantDoc("bad", "CLASS", "b", "EXPR", "args.m <= 5")},
		authority.Manifest{Tools: []authority.Tool{actTool}}, authority.AllowUnsigned())
	assert.Nil(t, set)
	errs, ok := errors.AsType[authority.Errors](err)
	require.True(t, ok)
	require.Len(t, errs, 1)
	assert.Equal(t, strings.Join([]string{
		`bad.yaml:10:85: args has no "m"; it has n`,
		`    - {id: b, tools: [act], tier: parameterized, rationale: [], bounds: [{expr: "args.m <= 5", why: a bound}]}`,
		`                                                                                      ^`,
	}, "\n"), errs[0].Error())
}

func TestRegisterCompilesLater(t *testing.T) {
	set, err := authority.Load([]authority.Document{grantDoc("good")}, authority.Manifest{}, authority.AllowUnsigned())
	require.NoError(t, err)
	assert.Equal(t, []rationale.Reason{rationale.UnknownTool}, decide(set, noon, `{"n":1}`).Reasons)

	other := actTool
	other.Schema = json.RawMessage(`{"type":"object","properties":{"m":{"type":"integer"}}}`)
	_, err = set.Register(other)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "good.yaml:10:")

	next, err := set.Register(actTool)
	require.NoError(t, err)
	assert.Equal(t, rationale.Allow, decide(next, noon, `{"n":1}`).Verdict)
	assert.Equal(t, []rationale.Reason{rationale.UnknownTool}, decide(set, noon, `{"n":1}`).Reasons, "a Set does not change")

	_, err = next.Register(actTool)
	assert.NoError(t, err, "the same tool again")
	_, err = next.Register(other)
	assert.ErrorContains(t, err, "already registered")
}

func TestReloadKeepsWhatFails(t *testing.T) {
	set := load(t, grantDoc("one"), grantDoc("two", "AGENT", "other"))
	broken := grantDoc("two", "AGENT", "other", "EXPR", "args.nope")
	next, err := set.Reload([]authority.Document{grantDoc("one", "EXPR", "args.n <= 3"), broken})
	require.ErrorContains(t, err, "two.yaml")
	require.NotNil(t, next)
	assert.Equal(t, rationale.Deny, decide(next, noon, `{"n":4}`).Verdict, "the change of one is in force")
	kept := next.Assess(next.Classify(authority.Call{
		At: noon, Agent: rationale.Agent{ID: "other", Environment: "prod"}, Tool: classify.ToolID{Name: "act"}, Arguments: []byte(`{"n":5}`),
	}), authority.Input{})
	assert.Equal(t, rationale.Allow, kept.Verdict, "two keeps its former content")
}

func TestReloadAppliesARevocationBesideABrokenFile(t *testing.T) {
	set := load(t, grantDoc("one"), grantDoc("two", "AGENT", "other"))
	next, err := set.Reload([]authority.Document{
		grantDoc("one"), {Name: "two.yaml", Data: []byte("kind: [")}, haltDoc("halt.yaml", "Revocation", "one"),
	})
	require.ErrorContains(t, err, "two.yaml")
	d := decide(next, noon, `{"n":1}`)
	assert.Equal(t, rationale.StandingRevoked, d.Standing)
	assert.Equal(t, rationale.Deny, d.Verdict)
}

func TestReloadAppliesARevocationThatHasAnError(t *testing.T) {
	set := load(t, grantDoc("one"))
	for _, kind := range []string{"Revocation", "Suspension"} {
		halt := haltDoc("halt.yaml", kind, "one")
		halt.Data = append(halt.Data, "urgent: yes\n"...)
		next, err := set.Reload([]authority.Document{grantDoc("one"), halt})
		require.ErrorContains(t, err, "halt.yaml")
		assert.Equal(t, rationale.Deny, decide(next, noon, `{"n":1}`).Verdict, kind)
	}
}

const matrixText = `apiVersion: ambit/v1
kind: AuthorityMatrix
version: 1
bodies: [{id: board, may_grant: {domains: [acting], currency: EUR}}]
baselines: []
`

// Ceilings must not vanish because the file that states them is wrong.
func TestReloadNeverDropsCeilings(t *testing.T) {
	broken := authority.Document{Name: "matrix.yaml", Data: []byte(matrixText + "nonsense: true\n")}
	bounded := grantDoc("one")
	bounded.Data = []byte(strings.NewReplacer("grant: {", "grant: {body: board, ", "{id: act,", "{id: act, domain: acting,").Replace(string(bounded.Data)))
	matrix := authority.Document{Name: "matrix.yaml", Data: []byte(strings.Replace(matrixText, "baselines: []\n", "", 1))}
	with := load(t, bounded, matrix)
	require.NotEmpty(t, decide(with, noon, `{"n":1}`).Authorization.Matrix)
	for name, docs := range map[string][]authority.Document{
		"the matrix breaks":                {bounded, broken},
		"the matrix is renamed and breaks": {bounded, {Name: "doa.yaml", Data: broken.Data}},
		"the matrix goes, another breaks":  {bounded, {Name: "new.yaml", Data: []byte("kind: [")}},
	} {
		next, err := with.Reload(docs)
		require.Error(t, err, name)
		d := decide(next, noon, `{"n":1}`)
		if d.Verdict == rationale.Allow {
			assert.Equal(t, decide(with, noon, `{"n":1}`).Authorization.Matrix, d.Authorization.Matrix, name)
		}
	}
}

func TestReloadLeavesOutANewBrokenFile(t *testing.T) {
	set := load(t, grantDoc("one"))
	next, err := set.Reload([]authority.Document{grantDoc("one"), {Name: "new.yaml", Data: []byte("kind: [")}})
	require.ErrorContains(t, err, "new.yaml")
	assert.Equal(t, rationale.Allow, decide(next, noon, `{"n":1}`).Verdict)
}

func TestReloadNeverUndoesARevocation(t *testing.T) {
	set := load(t, grantDoc("one"), haltDoc("halt.yaml", "Revocation", "one"))
	next, err := set.Reload([]authority.Document{grantDoc("one")})
	require.NoError(t, err)
	assert.Equal(t, rationale.StandingRevoked, decide(next, noon, `{"n":1}`).Standing)

	suspended := load(t, grantDoc("one"), haltDoc("halt.yaml", "Suspension", "one"))
	require.Equal(t, rationale.StandingSuspended, decide(suspended, noon, `{"n":1}`).Standing)
	next, err = suspended.Reload([]authority.Document{grantDoc("one")})
	require.NoError(t, err)
	assert.Equal(t, rationale.StandingActive, decide(next, noon, `{"n":1}`).Standing, "a suspension ends with its document")
}

func TestReloadOfAnOlderVersionIsSuperseded(t *testing.T) {
	set := load(t, grantDoc("one", "VERSION", "2"))
	next, err := set.Reload([]authority.Document{grantDoc("one")})
	require.NoError(t, err)
	d := decide(next, noon, `{"n":1}`)
	assert.Equal(t, rationale.StandingSuperseded, d.Standing)
	assert.Equal(t, []rationale.Reason{rationale.Superseded}, d.Reasons)
	assert.Equal(t, rationale.Deny, d.Verdict)

	lapsing := load(t, grantDoc("one", "VERSION", "2", "AT", "2026-12-01T00:00:00Z"))
	next, err = lapsing.Reload([]authority.Document{grantDoc("one")})
	require.NoError(t, err)
	assert.Equal(t, rationale.StandingActive, decide(next, noon, `{"n":1}`).Standing, "a version whose time has not come supersedes nothing")
	assert.Equal(t, rationale.StandingSuperseded, decide(next, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), `{"n":1}`).Standing)
}

// A lapsed grant must deny even where it would recommend: superseded is no
// lapse that people only forgot to renew.
func TestSupersededDeniesWhateverWhenLapsed(t *testing.T) {
	recommending := func(version string) authority.Document {
		d := grantDoc("one", "VERSION", version)
		d.Data = []byte(strings.Replace(string(d.Data), "classes:", "when_lapsed: authorization_required\nclasses:", 1))
		return d
	}
	set := load(t, recommending("2"))
	next, err := set.Reload([]authority.Document{recommending("1")})
	require.NoError(t, err)
	assert.Equal(t, rationale.Deny, decide(next, noon, `{"n":1}`).Verdict)
}

func TestArgumentsAreCopied(t *testing.T) {
	set := load(t, grantDoc("one"))
	raw := []byte(`{"n":1}`)
	c := set.Classify(authority.Call{
		At: noon, Agent: rationale.Agent{ID: "bot", Environment: "prod"}, Tool: classify.ToolID{Name: "act"}, Arguments: raw,
	})
	raw[5] = '9'
	assert.Equal(t, `{"n":1}`, string(c.Arguments()))
	assert.Equal(t, rationale.Allow, set.Assess(c, authority.Input{}).Verdict)
}

func TestLifecycleCarriesTheExactBytes(t *testing.T) {
	doc := grantDoc("one")
	set := load(t, doc, haltDoc("halt.yaml", "Suspension", "nobody"))
	records := set.Lifecycle(noon)
	require.Len(t, records, 2)
	assert.Equal(t, rationale.EventSuspended, records[0].Event)
	assert.Equal(t, doc.Data, records[1].Bytes)
	assert.Equal(t, rationale.Digest(doc.Data), records[1].Digest)
	assert.Equal(t, rationale.StandingActive, records[1].Standing)
	assert.Equal(t, "grantor@example.com", records[1].Authorization.GrantedBy[0])
}

func TestInventory(t *testing.T) {
	stray := authority.Tool{Name: "stray"}
	set, err := authority.Load(
		[]authority.Document{grantDoc("one"), grantDoc("late", "AGENT", "idle", "AT", "2026-12-01T00:00:00Z", "CLASS", "late")},
		authority.Manifest{
			Agents: []authority.AgentSpec{{ID: "ghost", Environments: []string{"prod"}}},
			Tools:  []authority.Tool{actTool, stray},
		}, authority.AllowUnsigned())
	require.NoError(t, err)
	var lines []string
	for _, e := range set.Inventory(noon) {
		lines = append(lines, strings.Join([]string{e.Agent, e.Tool, e.Class, e.Tier, e.Standing.String(), e.Provisional}, "|"))
	}
	assert.Equal(t, []string{
		"bot|act|act|parameterized|active|",
		"bot|stray||" + "|none|no class covers this tool",
		"ghost|act|||none|no authorization names this agent in this environment",
		"ghost|stray|||none|no authorization names this agent in this environment",
		"idle|act|late|parameterized|not_yet_effective|the grant takes effect at 2026-12-01T00:00:00Z",
		"idle|stray|||none|no class covers this tool",
	}, lines)
}

// The inventory names the classes whose records may be lost with the machine.
func TestInventoryNamesDurability(t *testing.T) {
	relaxed := grantDoc("one")
	relaxed.Data = bytes.Replace(relaxed.Data, []byte("tier: parameterized"), []byte("tier: parameterized, durability: os"), 1)
	for want, doc := range map[string]authority.Document{"os": relaxed, "": grantDoc("one")} {
		set, err := authority.Load([]authority.Document{doc}, authority.Manifest{Tools: []authority.Tool{actTool}}, authority.AllowUnsigned())
		require.NoError(t, err)
		entries := set.Inventory(noon)
		require.Len(t, entries, 1)
		assert.Equal(t, want, entries[0].Durability)
	}
}

func TestRationaleOfATool(t *testing.T) {
	doc := authority.Document{Name: "d.yaml", Data: []byte(`apiVersion: ambit/v1
kind: Authorization
id: d
owner: {id: owner@example.com}
agent: {id: bot, environments: [prod]}
grant: {by: [{id: grantor@example.com}], at: 2026-10-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
approval: {by: [group:leads]}
review: {by: [group:risk]}
classes:
  - {id: none, tools: [none], tier: parameterized, rationale: []}
  - {id: some, tools: [some], tier: parameterized}
  - {id: look, tools: [look], tier: parameterized, effect: read}
  - {id: look-why, tools: [look_why], tier: parameterized, effect: read, rationale: [purpose]}
  - {id: a, tools: [both], when: args.n == 1, tier: bounded_escalation}
  - {id: b, tools: [both], when: args.n == 2, tier: parameterized, rationale: [fallback, uncertainty]}
  - {id: never, tools: [never], tier: prohibited}
`)}
	m := authority.Manifest{}
	for _, name := range []string{"none", "some", "look", "look_why", "both", "never"} {
		m.Tools = append(m.Tools, authority.Tool{Name: name, Schema: actTool.Schema})
	}
	set, err := authority.Load([]authority.Document{doc}, m, authority.AllowUnsigned())
	require.NoError(t, err)
	for _, tt := range []struct {
		tool     string
		required []rationale.Field
		asked    bool
	}{
		{"none", nil, true},
		{"some", []rationale.Field{rationale.Purpose}, true},
		{"look", nil, false},
		{"look_why", []rationale.Field{rationale.Purpose}, true},
		{"both", []rationale.Field{rationale.Fallback}, true},
		{"never", nil, false},
		{"other", nil, false},
	} {
		required, asked := set.Rationale("bot", "prod", classify.ToolID{Name: tt.tool})
		assert.ElementsMatch(t, tt.required, required, tt.tool)
		assert.Equal(t, tt.asked, asked, tt.tool)
	}
}

// Models send no text at all for a tool without arguments.
func TestEmptyArgumentsAreAnEmptyObject(t *testing.T) {
	c := load(t, grantDoc("one")).Classify(authority.Call{
		At: noon, Agent: rationale.Agent{ID: "bot", Environment: "prod"}, Tool: classify.ToolID{Name: "act"},
	})
	assert.Equal(t, "act", c.Class())
	assert.Equal(t, "{}", string(c.Arguments()), "the tool gets what was checked")
}

// The text of an id is unambiguous only for ids that validate.
func TestAnIdentityThatOnlyLooksRegistered(t *testing.T) {
	served := actTool
	served.Server = "eu"
	set, err := authority.Load([]authority.Document{grantDoc("one")}, authority.Manifest{Tools: []authority.Tool{served}}, authority.AllowUnsigned())
	require.NoError(t, err)
	d := set.Assess(set.Classify(authority.Call{
		At: noon, Agent: rationale.Agent{ID: "bot", Environment: "prod"}, Tool: classify.ToolID{Name: "eu/act"}, Arguments: []byte(`{}`),
	}), authority.Input{})
	assert.Equal(t, []rationale.Reason{rationale.UnknownTool}, d.Reasons)
}

// What the manifest runs is compared with every kind of pin.
func TestInventoryComparesPins(t *testing.T) {
	pinned := grantDoc("one")
	pinned.Data = []byte(strings.Replace(string(pinned.Data), "grant: {",
		"pins: {models: [{provider: acme, name: m1, version: \"20260901\"}], prompt: \"sha256:"+strings.Repeat("ab", 32)+"\"}\ngrant: {", 1))
	for name, tt := range map[string]struct {
		model, prompt string
		why           string
	}{
		"as pinned":      {"m1", "sha256:" + strings.Repeat("ab", 32), ""},
		"another model":  {"m2", "sha256:" + strings.Repeat("ab", 32), "the model is acme m2 20260901, which the authorization does not pin"},
		"another prompt": {"m1", "sha256:" + strings.Repeat("cd", 32), "the prompt template is not the one that the authorization pins"},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := authority.Load([]authority.Document{pinned}, authority.Manifest{
				Agents: []authority.AgentSpec{{ID: "bot", Environments: []string{"prod"}, Prompt: tt.prompt}},
				Models: []authority.ModelSpec{{Provider: "acme", Name: tt.model, Version: "20260901", Basis: "configured"}},
				Tools:  []authority.Tool{actTool},
			}, authority.AllowUnsigned())
			require.NoError(t, err)
			entries := set.Inventory(noon)
			require.Len(t, entries, 1)
			assert.Equal(t, tt.why, entries[0].Provisional)
			assert.Equal(t, tt.why != "", entries[0].Standing == rationale.StandingPinMismatch)
		})
	}
}

// A message names so many classes and no more, however many hold.
func TestAmbiguityNamesAFewClasses(t *testing.T) {
	var docs []authority.Document
	for i := range 30 {
		docs = append(docs, grantDoc(fmt.Sprintf("doc-%02d", i)))
	}
	d := decide(load(t, docs...), noon, `{"n":1}`)
	require.Equal(t, []rationale.Reason{rationale.AmbiguousClass}, d.Reasons)
	message := d.Checks[0].Message
	assert.Equal(t, 20, strings.Count(message, "/act"), message)
	assert.Contains(t, message, "10 more")
}
