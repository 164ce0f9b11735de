package authority_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
)

const vetLimits = `apiVersion: ambit/v1
kind: Authorization
id: shop
owner: {id: dana@example.com}
agent: {id: shop, environments: [prod]}
grant: {body: board, by: [{id: lee@example.com}], at: 2026-11-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
classes:
  - id: refund
    tools: [refund]
    tier: parameterized
    bounds: [{expr: "args.amount > 0"}]
    spend:
      currency: EUR
      amount: args.amount
      per_event: {parameterized: "20.00"}
      windows: [{limit: "20.00", per: 24h}, {limit: "19.99", per: month, zone: UTC}]
      cost_centre: CC-2
`

const vetMatrix = `apiVersion: ambit/v1
kind: AuthorityMatrix
domains: {shop: [refund]}
bodies: [{id: board, may_grant: {domains: [shop], currency: EUR, per_event: {parameterized: "20.00"}}}]
budgets: [{cost_centre: CC-1, currency: EUR, windows: [{limit: "1.00", per: 24h}]}]
`

func TestVetOfLimits(t *testing.T) {
	m := authority.Manifest{Tools: []authority.Tool{{Name: "refund", Schema: []byte(`{"type":"object","properties":{"amount":{"type":"number"}}}`)}}}
	set, err := authority.Load([]authority.Document{{Name: "shop.yaml", Data: []byte(vetLimits)}, {Name: "matrix.yaml", Data: []byte(vetMatrix)}}, m, authority.AllowUnsigned())
	require.NoError(t, err)
	var found []string
	for _, f := range set.Vet(noon) {
		assert.False(t, f.Fails)
		found = append(found, f.Error.Message)
	}
	assert.ElementsMatch(t, []string{
		"per_event allows 20.00 at once in class refund, and windows[1] only 19.99 per month in UTC: what is between is always refused",
		"class refund is booked on CC-2, which has no budget in matrix.yaml",
	}, found)
}
