package authority_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

func ExampleLoad() {
	doc := authority.Document{Name: "support-bot.yaml", Data: []byte(`apiVersion: ambit/v1
kind: Authorization
id: support-bot
owner: {id: dana@example.com}
agent: {id: support-bot, environments: [prod]}
grant: {by: [{id: lee@example.com}], at: 2026-11-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
approval: {by: [group:support-leads]}
classes:
  - id: refund
    tools: [orders.refund]
    tier: parameterized
    rationale: []
    spend: {currency: EUR, amount: args.amount, per_event: {parameterized: "20.00", authorization_required: "500.00"}}
`)}
	refund := authority.Tool{Name: "orders.refund", Schema: json.RawMessage(`{"type":"object","properties":{"amount":{"type":"number"}}}`)}
	set, err := authority.Load([]authority.Document{doc}, authority.Manifest{Tools: []authority.Tool{refund}}, authority.AllowUnsigned())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, arguments := range []string{`{"amount":12.5}`, `{"amount":100}`, `{"amount":900}`, `{"amount":"12"}`} {
		c := set.Classify(authority.Call{
			At:        time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC),
			Agent:     rationale.Agent{ID: "support-bot", Environment: "prod"},
			Tool:      classify.ToolID{Name: "orders.refund"},
			Arguments: []byte(arguments),
		})
		d := set.Assess(c, authority.Input{})
		fmt.Println(arguments, d.Verdict, d.Reasons)
	}
	// Output:
	// {"amount":12.5} allow []
	// {"amount":100} pend [approval_required]
	// {"amount":900} deny [spend_limit]
	// {"amount":"12"} deny [invalid_arguments]
}
