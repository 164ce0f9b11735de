package authority

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/rationale"
)

const shadowDocument = `apiVersion: ambit/v1
kind: Authorization
id: one
owner: {id: owner@example.com}
agent: {id: bot, environments: [prod]}
grant: {by: [{id: grantor@example.com}], at: 2026-10-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
approval: {by: [group:leads]}
review: {by: [group:risk]}
classes:
  - id: act
    tools: [act]
    when: "args.s == 'a'"
    tier: parameterized
    rationale: []
    bounds: [{expr: "args.n <= 5", why: a bound}]
    escalate: [{when: "args.n == 4", to: authorization_required, code: four}]
    spend: {currency: EUR, estimate: {quantity: "args.n + 1", price: "2.00"}, per_event: {parameterized: "20.00"}}
`

var shadowTool = Tool{Name: "act", Schema: json.RawMessage(`{"type":"object","properties":{
	"s":{"type":"string"},"n":{"type":"integer"},"items":{"type":"array","items":{"type":"integer"}}}}`)}

func shadowed(t *testing.T, rate float64) (*Set, *plan) {
	t.Helper()
	set, err := Load([]Document{{Name: "a.yaml", Data: []byte(shadowDocument)}}, Manifest{Tools: []Tool{shadowTool}}, AllowUnsigned(), WithShadow(rate))
	require.NoError(t, err)
	return set, set.tools[shadowTool.ID()].contests[agentKey{"bot", "prod"}].plans[0]
}

func shadowCall(arguments string) Call {
	return Call{
		At: firstDay, Agent: rationale.Agent{ID: "bot", Environment: "prod"}, Tool: shadowTool.ID(), Arguments: []byte(arguments),
	}
}

// program compiles what stands in for a wrong program of the set's tool.
func program(t *testing.T, set *Set, expr string, want strictjson.Kind, mode celplan.Mode) *celplan.Program {
	t.Helper()
	tool := set.tools[shadowTool.ID()]
	env, err := celplan.NewEnv(celplan.Scope{Args: tool.schema.Type(), Derived: tool.derived, Facts: tool.facts},
		celplan.WithLayout(tool.layout), celplan.WithMode(mode))
	require.NoError(t, err)
	p, err := env.Compile(expr, want)
	require.NoError(t, err)
	return p
}

// wrong makes a copy of a rule whose native program says something else.
func wrong(t *testing.T, set *Set, r *rule, expr string, want strictjson.Kind) *rule {
	t.Helper()
	require.NotNil(t, r.reference, "the rule has no native program: %s", expr)
	changed := *r
	changed.program = program(t, set, expr, want, celplan.ModeNative)
	return &changed
}

func TestShadowComparesAndCounts(t *testing.T) {
	set, _ := shadowed(t, 1)
	d := set.Assess(set.Classify(shadowCall(`{"s":"a","n":3}`)), Input{})
	assert.Equal(t, rationale.Allow, d.Verdict)
	assert.Equal(t, rationale.Allow, set.Evaluate(shadowCall(`{"s":"a","n":3}`), Input{}).Verdict)
	compared, differed := set.Disagreements()
	assert.EqualValues(t, 8, compared, "four expressions, twice")
	assert.Zero(t, differed)
	assert.Equal(t, rationale.Deny, set.Evaluate(shadowCall(`{"s":"a"}`), Input{}).Verdict)
	_, differed = set.Disagreements()
	assert.Zero(t, differed, "both fail")

	next, err := set.Reload(set.docs)
	require.NoError(t, err)
	next, err = next.Register(Tool{Name: "other"})
	require.NoError(t, err)
	before, _ := set.Disagreements()
	next.Evaluate(shadowCall(`{"s":"b"}`), Input{})
	after, _ := set.Disagreements()
	assert.Equal(t, before+1, after, "the Sets that follow count on")
	set = nil
	compared, differed = set.Disagreements()
	assert.Zero(t, compared+differed)
}

// A difference denies whatever the rule is for, and is counted and recorded.
func TestShadowDisagreementDenies(t *testing.T) {
	for name, tt := range map[string]struct {
		distort func(t *testing.T, set *Set, p *plan)
		kind    rationale.CheckKind
		message string
	}{
		"bounds[0]": {
			func(t *testing.T, set *Set, p *plan) {
				p.bounds[0].rule = *wrong(t, set, &p.bounds[0].rule, "args.n <= 500", strictjson.Bool)
			},
			rationale.CheckBound, "the native one says true, cel-go says false",
		},
		"escalate[0]": {
			func(t *testing.T, set *Set, p *plan) {
				p.trigger[0].rule = *wrong(t, set, &p.trigger[0].rule, "args.n == 77", strictjson.Bool)
			},
			rationale.CheckTrigger, "the native one says true, cel-go says false",
		},
		"quantity": {
			func(t *testing.T, set *Set, p *plan) {
				p.spend.quantity = wrong(t, set, p.spend.quantity, "args.n - args.n", strictjson.Int)
			},
			rationale.CheckPrice, "the native one says 0, cel-go says 78",
		},
		"when of one/act": {
			func(t *testing.T, set *Set, p *plan) {
				p.when = wrong(t, set, p.when, "args.n / (args.n - 77) == 1", strictjson.Bool)
			},
			rationale.CheckClass, "the native one fails (a division by zero), cel-go says true",
		},
	} {
		t.Run(name, func(t *testing.T) {
			set, p := shadowed(t, 1)
			tt.distort(t, set, p)
			d := set.Assess(set.Classify(shadowCall(`{"s":"a","n":77}`)), Input{})
			assert.Equal(t, rationale.Deny, d.Verdict)
			assert.Contains(t, d.Reasons, rationale.EvaluationError)
			found := false
			for _, c := range d.Checks {
				if c.ID != name {
					continue
				}
				found = true
				assert.Equal(t, tt.kind, c.Kind)
				assert.Equal(t, rationale.Errored, c.Result)
				assert.Equal(t, rationale.EvaluationError, c.Reason)
				assert.Equal(t, classify.TierUnknown, c.To)
				assert.Equal(t, "the two evaluators of CEL disagree on "+name+": "+tt.message, c.Message)
			}
			assert.True(t, found, "%v", d.Checks)
			_, differed := set.Disagreements()
			assert.EqualValues(t, 1, differed)
			assert.Equal(t, d.Reasons, set.Evaluate(shadowCall(`{"s":"a","n":77}`), Input{}).Reasons)
		})
	}
}

// cel-go does more work for the same expression, so it may come to a limit that
// is no concern of the native program.
func TestShadowLimitOfTheReferenceIsNoDifference(t *testing.T) {
	set, p := shadowed(t, 1)
	heavy := p.bounds[0].rule
	heavy.reference = program(t, set, "args.items.all(x, args.items.all(y, x + y > -1))", strictjson.Bool, celplan.ModeReference)
	p.bounds[0].rule = heavy
	call := shadowCall(`{"s":"a","n":3,"items":[` + strings.Repeat("1,", 2000) + `1]}`)
	e := begin(set, &call)
	e.classify()
	_, err := heavy.reference.ReferenceBool(&e.frame)
	require.True(t, celplan.LimitExceeded(err), "%v", err)
	assert.Equal(t, rationale.Allow, set.Evaluate(call, Input{}).Verdict)
	_, differed := set.Disagreements()
	assert.Zero(t, differed)
}

func TestShadowRate(t *testing.T) {
	for rate, share := range map[float64][2]uint64{0: {0, 0}, 0.25: {50, 500}, 1: {1000, 1000}} {
		set, _ := shadowed(t, rate)
		for range 1000 {
			set.Evaluate(shadowCall(`{"s":"b"}`), Input{}) // one expression
		}
		compared, _ := set.Disagreements()
		assert.GreaterOrEqual(t, compared, share[0], "%v", rate)
		assert.LessOrEqual(t, compared, share[1], "%v", rate)
	}
	for _, rate := range []float64{-0.1, 1.1, math.NaN(), math.Inf(1)} {
		set, err := Load(nil, Manifest{}, WithShadow(rate))
		assert.Nil(t, set)
		assert.ErrorContains(t, err, "WithShadow: the rate is", "%v", rate)
	}
	_, err := Load(nil, Manifest{}, WithShadow(0.5), WithReferenceCEL())
	assert.ErrorContains(t, err, "there is nothing to compare")
	_, err = Load(nil, Manifest{}, WithShadow(0), WithReferenceCEL(), nil)
	assert.NoError(t, err)
}

func TestReferenceCELRunsNothingNatively(t *testing.T) {
	for _, reference := range []bool{false, true} {
		opts := []Option{AllowUnsigned()}
		if reference {
			opts = append(opts, WithReferenceCEL())
		}
		set, err := Load([]Document{{Name: "a.yaml", Data: []byte(shadowDocument)}}, Manifest{Tools: []Tool{shadowTool}}, opts...)
		require.NoError(t, err)
		for _, e := range set.tools[shadowTool.ID()].contests[agentKey{"bot", "prod"}].plans[0].expressions() {
			native, _ := e.rule.program.Native()
			assert.Equal(t, !reference, native)
			assert.Nil(t, e.rule.reference)
		}
		assert.Equal(t, rationale.Allow, set.Evaluate(shadowCall(`{"s":"a","n":3}`), Input{}).Verdict)
		assert.Equal(t, []rationale.Reason{rationale.BoundViolated}, set.Evaluate(shadowCall(`{"s":"a","n":6}`), Input{}).Reasons)
	}
}
