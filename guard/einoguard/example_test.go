package einoguard_test

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/components/tool/utils"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/flow/agent/react"
	"github.com/cloudwego/eino/schema"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/einoguard"
)

func ExampleConfigure() {
	ctx := context.Background()
	authorization := authority.Document{Name: "orders.yaml", Data: []byte(`
apiVersion: ambit/v1
kind: Authorization
id: support-bot
owner: {id: dana@example.com}
agent: {id: support-bot, environments: [prod]}
grant: {by: [{id: lee@example.com}], at: 2026-11-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
approval: {by: [group:support-leads]}
classes:
  - id: refund
    tools: [refund]
    tier: parameterized
    rationale: []
    bounds: [{expr: args.amount <= 20, why: larger refunds are for people}]
`)}
	g, err := guard.New([]authority.Document{authorization}, guard.Agent{ID: "support-bot", Environment: "prod"},
		guard.WithoutEvidence(), guard.AllowUnsigned(),
		guard.WithClock(func() time.Time { return time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC) }))
	if err != nil {
		panic(err)
	}
	type order struct {
		Amount int `json:"amount" jsonschema:"required"`
	}
	refund, err := utils.InferTool("refund", "pays money back", func(_ context.Context, o order) (string, error) {
		return fmt.Sprintf("refunded %d", o.Amount), nil
	})
	if err != nil {
		panic(err)
	}
	model := says(
		schema.AssistantMessage("", []schema.ToolCall{call("1", "refund", `{"amount":500}`)}),
		schema.AssistantMessage("", []schema.ToolCall{call("2", "refund", `{"amount":20}`)}),
		schema.AssistantMessage("Done.", nil),
	)

	conf, err := einoguard.Configure(ctx, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{refund}})
	if err != nil {
		panic(err)
	}
	agent, err := react.NewAgent(ctx, &react.AgentConfig{ToolCallingModel: model, ToolsConfig: conf})
	if err != nil {
		panic(err)
	}
	answer, err := agent.Generate(ctx, []*schema.Message{schema.UserMessage("Refund order 7.")})
	if err != nil {
		panic(err)
	}

	for _, heard := range model.heard[1:] {
		fmt.Println(heard[len(heard)-1].Content)
	}
	fmt.Println(answer.Content)
	// Output:
	// {"ambit":"deny","reasons":["bound_violated"],"checks":[{"check":"bounds[0]","reason":"bound_violated","why":"larger refunds are for people","message":"the bound does not hold"}],"message":"This call did not run: correct what the checks name, and make it again within bounds."}
	// refunded 20
	// Done.
}
