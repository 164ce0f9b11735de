package authority_test

import (
	"strings"
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

// Who could approve is looked for where calls can wait for people, and spend.
func TestVetOfCeilings(t *testing.T) {
	const ladder = `per_event: {parameterized: "20.00", authorization_required: "500.00"}`
	for name, tt := range map[string]struct {
		class, approvers, says string
		fails                  bool
	}{
		"in another currency": {
			class: ladder, approvers: `{group: leads, currency: USD, up_to: "500.00"}`, fails: true,
			says: "class refund can require approval, and matrix.yaml has no approver with a ceiling in EUR: nobody could approve",
		},
		"below the top": {
			class: ladder, approvers: `{group: leads, currency: EUR, up_to: "499.99"}, {person: vp, currency: EUR, up_to: "20.00"}, {person: vp, currency: USD, up_to: "900.00"}`,
			says: "per_event asks people about up to 500.00 in class refund, and no approver of matrix.yaml may approve more than 499.99 EUR: what is between waits for nobody",
		},
		"at the top":  {class: ladder, approvers: `{group: leads, currency: EUR, up_to: "20.00"}, {person: vp, currency: EUR, up_to: "500"}`},
		"no ceilings": {class: ladder},
		"people are not asked": {
			class: `per_event: {parameterized: "20.00"}`, approvers: `{group: leads, currency: USD, up_to: "1.00"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			replace := func(text string, pairs ...string) []byte { return []byte(strings.NewReplacer(pairs...).Replace(text)) }
			docs := []authority.Document{
				{Name: "shop.yaml", Data: replace(vetLimits, `per_event: {parameterized: "20.00"}`, tt.class, "20.00\", per: 24h", "900\", per: 24h", "19.99", "900", "CC-2", "CC-1")},
				{Name: "matrix.yaml", Data: replace(vetMatrix, `per_event: {parameterized: "20.00"}`, ladder)},
			}
			if tt.approvers != "" {
				docs[1].Data = append(docs[1].Data, "approvers: ["+tt.approvers+"]\n"...)
			}
			m := authority.Manifest{Tools: []authority.Tool{{Name: "refund", Schema: []byte(`{"type":"object","properties":{"amount":{"type":"number"}}}`)}}}
			set, err := authority.Load(docs, m, authority.AllowUnsigned())
			require.NoError(t, err)
			found := set.Vet(noon)
			if tt.says == "" {
				assert.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			assert.Equal(t, tt.says, found[0].Error.Message)
			assert.Equal(t, tt.fails, found[0].Fails)
		})
	}
}

// A misspelt name in a halt stops nothing.
func TestVetOfHalts(t *testing.T) {
	halt := func(what string) authority.Document {
		return authority.Document{Name: "halt.yaml", Data: []byte("apiVersion: ambit/v1\nkind: Revocation\n" + what +
			"\nby: [{id: lee@example.com}]\nat: 2026-10-05T00:00:00Z\nreason: incident 17\n")}
	}
	for what, says := range map[string]string{
		"authorization: one":   "",
		`authorization: "*"`:   "",
		"agent: bot":           "",
		"agent: idle":          "",
		`agent: "*"`:           "",
		"authorization: oneÄ":  "there is no authorization \"oneÄ\": nothing is revoked",
		"agent: bat":           "no authorization names an agent \"bat\": nothing is revoked",
		"authorization: board": "there is no authorization \"board\": nothing is revoked",
	} {
		m := authority.Manifest{Tools: []authority.Tool{actTool}, Agents: []authority.AgentSpec{{ID: "idle", Environments: []string{"prod"}}}}
		set, err := authority.Load([]authority.Document{grantDoc("one"), halt(what)}, m, authority.AllowUnsigned())
		require.NoError(t, err, what)
		var found []string
		for _, f := range set.Vet(noon) {
			assert.False(t, f.Fails)
			assert.Equal(t, 3, f.Error.Line)
			found = append(found, f.Error.Message)
		}
		if says == "" {
			assert.Empty(t, found, what)
		} else {
			assert.Equal(t, []string{says}, found, what)
		}
	}
}
