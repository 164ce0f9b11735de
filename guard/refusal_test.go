package guard_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/rationale"
)

func TestRefusals(t *testing.T) {
	classes := `  - id: scale
    tools: [fleet.scale]
    tier: parameterized
    allow: {args.replicas: [1, 2, 12]}
    bounds:
      - {expr: "args.replicas <= 10", why: approved capacity}
    escalate:
      - {when: "args.replicas == 2", to: authorization_required, code: pair}
    rationale: [purpose, evidence]
`
	s := open(t, []authority.Document{grantDocument("fleet", classes)})
	call := func(arguments string) guard.Decision {
		_, d := s.Begin(t.Context(), guard.Call{Tool: scaleID, Arguments: []byte(arguments)})
		return d
	}
	const spoken = `,"_rationale":{"purpose":"load","evidence":["https://example.com/1"]}}`

	t.Run("all that failed, with what would be within bounds", func(t *testing.T) {
		got := said(t, call(`{"replicas":11`+spoken))
		assert.Equal(t, "deny", got["ambit"])
		assert.Equal(t, []any{"not_allowed", "bound_violated"}, got["reasons"])
		assert.Equal(t, []any{
			map[string]any{
				"check": "allow args.replicas", "reason": "not_allowed",
				"message": "args.replicas is not on the allow-list", "within": "one of 1, 2, 12",
			},
			map[string]any{
				"check": "bounds[0]", "reason": "bound_violated", "why": "approved capacity",
				"message": "the bound does not hold",
			},
		}, got["checks"])
		assert.Contains(t, got["message"], "correct what the checks name")
	})
	t.Run("the fields of a rationale to supply", func(t *testing.T) {
		got := said(t, call(`{"replicas":1,"_rationale":{"evidence":["call-9"]}}`))
		assert.Equal(t, []any{"purpose", "evidence"}, got["rationale_missing"])
		assert.Equal(t, []any{"call-9"}, got["evidence_not_found"])
		assert.Contains(t, got["message"], "_rationale")
	})
	t.Run("where the arguments are wrong", func(t *testing.T) {
		got := said(t, call(`{"replicas":"11"}`))
		assert.Contains(t, got["checks"].([]any)[0].(map[string]any)["message"], "replicas")
	})
	t.Run("the ticket, and nobody's name", func(t *testing.T) {
		d := call(`{"replicas":2` + spoken)
		got := said(t, d)
		assert.Equal(t, "pend", got["ambit"])
		assert.Equal(t, d.Record().ID, got["ticket"])
		assert.Equal(t, "2026-11-02T09:30:00Z", got["expires"])
		assert.Contains(t, got["message"], "a human must approve")
		assert.NotContains(t, string(d.Refusal()), "oncall")
		assert.NotContains(t, string(d.Refusal()), "example.com")
	})
	t.Run("never the text of a rule", func(t *testing.T) {
		for _, arguments := range []string{`{"replicas":11`, `{"replicas":2`, `{"replicas":12`} {
			assert.NotContains(t, string(call(arguments+spoken).Refusal()), "<=")
		}
	})
	t.Run("what cannot be helped", func(t *testing.T) {
		_, d := s.Begin(t.Context(), guard.Call{Tool: classify.ToolID{Name: "fleet.\x1b[2Jwipe"}})
		got := said(t, d)
		assert.Equal(t, []any{"unknown_tool"}, got["reasons"])
		assert.Contains(t, got["message"], "will not help")
	})
}

func TestRefusalsAreShort(t *testing.T) {
	var rules strings.Builder
	for i := range 200 {
		fmt.Fprintf(&rules, "      - {expr: 'args.replicas > %d', why: %q}\n", 1000+i, strings.Repeat("w", 2000))
	}
	classes := "  - id: scale\n    tools: [fleet.scale]\n    tier: parameterized\n    rationale: []\n    bounds:\n" + rules.String()
	s := open(t, []authority.Document{grantDocument("fleet", classes)})
	d := s.decide(t, "1")
	require.Equal(t, []rationale.Reason{rationale.BoundViolated}, refused(t, d))
	assert.LessOrEqual(t, len(d.Refusal()), 16<<10)
	assert.Len(t, said(t, d)["checks"], 24)
}
