package authority_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
)

func TestExpressions(t *testing.T) {
	const doc = `apiVersion: ambit/v1
kind: Authorization
id: one
owner: {id: owner@example.com}
agent: {id: bot, environments: [prod, test]}
grant: {by: [{id: grantor@example.com}], at: 2026-10-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
approval: {by: [group:leads]}
classes:
  - id: act
    tools: [act, a*]
    when: "args.n > 0"
    tier: parameterized
    bounds:
      - {expr: "[1].all(a, [1].all(b, [1].all(c, [1].all(d, [1].all(e, a == e && args.n > 1)))))", why: loops}
    escalate: [{when: "args.n == 4", to: authorization_required, code: four}]
    spend: {currency: EUR, estimate: {quantity: "args.n + 1", price: "2.00"}, per_event: {parameterized: "20.00"}}
`
	tool := authority.Tool{Name: "act", Schema: json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer"}}}`)}
	docs := []authority.Document{{Name: "a.yaml", Data: []byte(doc)}}
	set, err := authority.Load(docs, authority.Manifest{Tools: []authority.Tool{tool}}, authority.AllowUnsigned())
	require.NoError(t, err)
	at := func(line, column int, source string) authority.Expression {
		return authority.Expression{File: "a.yaml", Line: line, Column: column, Class: "act", Tool: "act", Source: source, Native: true}
	}
	deep := at(14, 17, "[1].all(a, [1].all(b, [1].all(c, [1].all(d, [1].all(e, a == e && args.n > 1)))))")
	deep.Native, deep.Why = false, "loops nested more than 4 deep"
	assert.Equal(t, []authority.Expression{at(11, 12, "args.n > 0"), deep, at(15, 24, "args.n == 4"), at(16, 50, "args.n + 1")}, set.Expressions())

	reference, err := authority.Load(docs, authority.Manifest{Tools: []authority.Tool{tool}}, authority.AllowUnsigned(), authority.WithReferenceCEL())
	require.NoError(t, err)
	for _, e := range reference.Expressions() {
		assert.False(t, e.Native)
		assert.NotEmpty(t, e.Why)
	}
	none, err := authority.Load(docs, authority.Manifest{}, authority.AllowUnsigned())
	require.NoError(t, err)
	assert.Empty(t, none.Expressions())
	assert.Empty(t, (*authority.Set)(nil).Expressions())
}
