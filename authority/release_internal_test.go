package authority

import (
	"reflect"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/internal/yamldoc"
	"github.com/ambit-go/ambit/rationale"
)

const releaseDocument = `apiVersion: ambit/v1
kind: Authorization
id: one
owner: {id: owner@example.com}
agent: {id: bot, environments: [prod]}
grant: {by: [{id: grantor@example.com}], at: 2026-10-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
approval: {by: [group:leads]}
classes:
  - id: act
    tools: [act]
    tier: parameterized
    rationale: []
    allow: {args.s: [a, b]}
    bounds: [{expr: "args.items.all(i, i < 5) && args.n <= facts.most"}]
    spend: {currency: EUR, estimate: {quantity: "1", unit: args.s, prices: {a: "1", b: "2"}}, per_event: {parameterized: "20.00"}}
`

func releasable(t *testing.T) *Set {
	t.Helper()
	set, err := Load([]Document{{Name: "a.yaml", Data: []byte(releaseDocument)}}, Manifest{
		Tools: []Tool{shadowTool}, Facts: []FactSpec{{Name: "most", Type: "int", By: []string{"args.s"}}},
	}, AllowUnsigned())
	require.NoError(t, err)
	return set
}

// Once a call was assessed, its memory is that of another call.
func TestAssessedOnce(t *testing.T) {
	set, other := releasable(t), releasable(t)
	in := Input{Facts: map[string]FactValue{"most": {Value: int64(9)}}}
	c := set.Classify(shadowCall(`{"s":"a","n":3,"items":[1]}`))
	e := c.evaluation.Load()
	require.NotNil(t, e)
	assert.Equal(t, []FactRequest{{Name: "most", Key: `["a"`}}, c.Facts())
	require.Equal(t, rationale.Allow, set.Assess(c, in).Verdict)
	assert.Nil(t, c.evaluation.Load())
	assert.Equal(t, pass{}, e.pass)
	assert.Zero(t, e.in)
	assert.Nil(t, e.call.Arguments)
	slot := set.tools[shadowTool.ID()].layout.Slot("args", "n")
	assert.Equal(t, strictjson.Invalid, e.frame.Value(slot).Kind(), "the frame has ended")

	assert.Nil(t, c.Facts(), "whose values are gone")
	assert.Equal(t, "act", c.Class())
	assert.Equal(t, `{"s":"a","n":3,"items":[1]}`, string(c.Arguments()))
	again := set.Assess(c, in)
	assert.Equal(t, rationale.Deny, again.Verdict)
	assert.Equal(t, []rationale.Reason{rationale.EvaluationError}, again.Reasons)
	assert.Equal(t, "the call was not classified, or was assessed before", again.Checks[0].Message)
	assert.Equal(t, "bot", again.Agent.ID, "the record says whose call it was")

	for name, assess := range map[string]func(c *Classified) *rationale.Decision{
		"another Set":   func(c *Classified) *rationale.Decision { return other.Assess(c, in) },
		"the nil Set":   func(c *Classified) *rationale.Decision { return (*Set)(nil).Assess(c, in) },
		"no call":       func(*Classified) *rationale.Decision { return set.Assess(nil, in) },
		"the zero call": func(*Classified) *rationale.Decision { return set.Assess(new(Classified), in) },
	} {
		c := set.Classify(shadowCall(`{"s":"a","n":3,"items":[1]}`))
		assert.Equal(t, rationale.Deny, assess(c).Verdict, name)
		if c.evaluation.Load() == nil {
			assert.Equal(t, rationale.Deny, set.Assess(c, in).Verdict, name)
		}
	}
}

// Of two goroutines that assess one call by mistake, one gets the decision.
func TestAssessedOnceConcurrently(t *testing.T) {
	set := releasable(t)
	in := Input{Facts: map[string]FactValue{"most": {Value: int64(9)}}}
	for range 200 {
		c := set.Classify(shadowCall(`{"s":"a","n":3,"items":[1]}`))
		var wg sync.WaitGroup
		verdicts := make([]rationale.Verdict, 4)
		for i := range verdicts {
			wg.Go(func() { verdicts[i] = set.Assess(c, in).Verdict })
		}
		wg.Wait()
		assert.ElementsMatch(t, []rationale.Verdict{rationale.Allow, rationale.Deny, rationale.Deny, rationale.Deny}, verdicts)
	}
}

// A record stays as it is while the memory that it was made in is used again.
func TestRecordsKeepNothingOfTheFrame(t *testing.T) {
	set := releasable(t)
	in := Input{Facts: map[string]FactValue{"most": {Value: int64(9)}}}
	var records []*rationale.Decision
	var texts []string
	// The escapes make the texts and lists lie in the frame's own memory.
	for _, arguments := range []string{
		`{"s":"\u0061","n":3,"items":[1,2,3]}`, `{"s":"\u0062","n":4,"items":[4,4,4]}`, `{"s":"\u0061","n":77,"items":[9,9,9]}`,
	} {
		d := set.Assess(set.Classify(shadowCall(arguments)), in)
		d.ID = "0"
		text, err := rationale.Marshal(d)
		require.NoError(t, err)
		records, texts = append(records, d), append(texts, string(text))
	}
	for range 20 {
		set.Evaluate(shadowCall(`{"s":"\u007a\u007a","n":1,"items":[0,0,0,0]}`), in)
	}
	for i, d := range records {
		text, err := rationale.Marshal(d)
		require.NoError(t, err)
		assert.Equal(t, texts[i], string(text))
	}
	assert.Equal(t, "a", records[0].Spend.Unit)
	assert.JSONEq(t, `[9,9,9]`, string(records[2].Checks[2].Inputs[0].Value))
}

// What panicked may have left anything behind.
func TestNothingIsUsedAgainAfterAPanic(t *testing.T) {
	set := releasable(t)
	c := set.Classify(shadowCall(`{"s":"a","n":3,"items":[1]}`))
	e := c.evaluation.Load()
	d := set.Assess(c, Input{
		Rationale: &rationale.Rationale{Evidence: []string{"call-1"}}, Read: func(string) bool { panic("no sessions") },
	})
	assert.Equal(t, rationale.Deny, d.Verdict)
	assert.Equal(t, "the assessment panicked: no sessions", d.Checks[len(d.Checks)-1].Message)
	assert.True(t, e.broken)
	assert.NotNil(t, e.set, "it was not given back")
}

// The trees of documents weigh many times their text; nothing of a loaded Set
// leads to one.
func TestForgetLeavesNoTree(t *testing.T) {
	docs := []Document{
		file(t, "full.yaml"), file(t, "matrix.yaml"),
		{Name: "prices.yaml", Data: []byte("apiVersion: ambit/v1\nkind: PriceList\nid: eu\ncurrency: EUR\nper: 1h\nprices: {s: 1}\n")},
		{Name: "halt.yaml", Data: []byte(suspension)},
		{Name: "again.yaml", Data: []byte("apiVersion: ambit/v1\nkind: Reaffirmation\nauthorization: payments-autoscaler\nby: [{id: a@bank.example}]\nat: 2026-12-01T00:00:00Z\n")},
	}
	set, errs := load(docs, Manifest{}, options{trust: trust{allowUnsigned: true}}, &Set{counts: new(shadowCounts)})
	require.Empty(t, errs)
	require.NotEmpty(t, treesIn(reflect.ValueOf(set.policy), map[uintptr]bool{}, "policy"), "before")
	set.forget()
	assert.Empty(t, treesIn(reflect.ValueOf(set.policy), map[uintptr]bool{}, "policy"))
	set.forget()
}

// treesIn returns the paths to nodes and files of documents below v.
func treesIn(v reflect.Value, seen map[uintptr]bool, at string) []string {
	switch {
	case !v.IsValid():
		return nil
	case v.Type() == reflect.TypeFor[yamldoc.Node]() || v.Type() == reflect.TypeFor[*yamldoc.File]():
		if v.IsZero() {
			return nil
		}
		return []string{at}
	}
	var found []string
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || seen[v.Pointer()] {
			return nil
		}
		seen[v.Pointer()] = true
		return treesIn(v.Elem(), seen, at)
	case reflect.Struct:
		for i := range v.NumField() {
			found = append(found, treesIn(v.Field(i), seen, at+"."+v.Type().Field(i).Name)...)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			found = append(found, treesIn(v.Index(i), seen, at+"[]")...)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			found = append(found, treesIn(v.MapIndex(key), seen, at+"{}")...)
		}
	case reflect.Interface:
		return treesIn(v.Elem(), seen, at)
	}
	return found
}
