package desk

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ambit-go/ambit/rationale"
)

func TestWhatNoDocumentIsOf(t *testing.T) {
	grant := func(agent, id, class string) *rationale.Lifecycle {
		text := fmt.Sprintf(`apiVersion: ambit/v1
kind: Authorization
id: %s
owner: {id: dana@example.com}
agent: {id: %s, environments: [prod]}
grant: {by: [{id: lee@example.com}], at: 2026-11-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
classes:
  - {id: %s, tools: [orders.get], tier: parameterized, effect: read}
`, id, agent, class)
		return &rationale.Lifecycle{
			Event: rationale.EventLoaded, Agent: rationale.Agent{ID: agent, Environment: "prod"}, Document: id + ".yaml",
			Authorization: &rationale.AuthorizationRef{ID: id}, Bytes: []byte(text),
		}
	}
	unread := grant("c", "unread", "x")
	unread.Bytes = []byte("kind: Authorization")
	matrix := &rationale.Lifecycle{Event: rationale.EventLoaded, Agent: rationale.Agent{ID: "a", Environment: "prod"}, Document: "matrix.yaml"}
	docs := []*rationale.Lifecycle{grant("a", "orders", "read"), grant("a", "orders", "look"), grant("b", "stock", "count"), unread, matrix}
	for _, c := range []struct {
		what rationale.Suspension
		says string // after "no document that is loaded here is of "; empty: nothing
	}{
		{rationale.Suspension{Everything: true}, ""},
		{rationale.Suspension{Agent: "b"}, ""},
		{rationale.Suspension{Agent: "B"}, "agent B; there is: a, b, c"},
		{rationale.Suspension{Authorization: "stock"}, ""},
		{rationale.Suspension{Authorization: "Stock"}, "authorization Stock; there is: orders, stock, unread"},
		{rationale.Suspension{Authorization: "orders", Class: "read"}, ""},
		{rationale.Suspension{Authorization: "orders", Class: "look"}, ""},
		{rationale.Suspension{Authorization: "orders", Class: "count"}, "class count of authorization orders; there is: look, read"},
		{rationale.Suspension{Authorization: "order", Class: "read"}, "class read of authorization order; there is: orders, stock, unread"},
		{rationale.Suspension{Authorization: "unread", Class: "anything"}, ""},
	} {
		want := ""
		if c.says != "" {
			want = "no document that is loaded here is of " + c.says
		}
		assert.Equal(t, want, strange(c.what, docs))
		if !c.what.Everything {
			assert.Equal(t, "no document that is loaded here is of "+c.what.String(), strange(c.what, nil))
		}
	}
	many := make([]*rationale.Lifecycle, 0, 30)
	for i := range 30 {
		many = append(many, grant(fmt.Sprintf("agent-%02d", i), "x", "y"))
	}
	assert.Regexp(t, `agent-19, …$`, strange(rationale.Suspension{Agent: "agent-30"}, many))
}
