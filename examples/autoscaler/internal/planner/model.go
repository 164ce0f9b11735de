// Package planner is a model for the example to run on where there is no real
// one: it implements eino's model.ToolCallingChatModel by planning capacity.
//
// It keeps nothing between two turns. Like any chat model it knows only what
// stands in the messages that it is given: what monitoring answered, what the
// provider sells, which calls were refused and why. It starts out naive (the
// cheapest capacity anywhere, no reasons beyond a purpose) and learns what it
// may do from the refusals.
package planner

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/cloudwego/eino/components/model"
	"github.com/cloudwego/eino/schema"
)

// Model plans capacity. It is immutable and safe for concurrent use.
type Model struct {
	tools []*schema.ToolInfo
}

var _ model.ToolCallingChatModel = (*Model)(nil)

// New returns a planner that knows no tools yet.
func New() *Model { return &Model{} }

// WithTools returns a planner that may call tools.
func (m *Model) WithTools(tools []*schema.ToolInfo) (model.ToolCallingChatModel, error) {
	return &Model{tools: tools}, nil
}

// Generate answers with the next call, or with a closing sentence where
// nothing is left to do.
func (m *Model) Generate(_ context.Context, messages []*schema.Message, opts ...model.Option) (*schema.Message, error) {
	tools := m.tools
	if given := model.GetCommonOptions(nil, opts...); given.Tools != nil {
		tools = given.Tools
	}
	v := observe(messages)
	step := v.next(offered(tools))
	if step.tool == "" {
		return schema.AssistantMessage(step.text, nil), nil
	}
	args, err := json.Marshal(step.args)
	if err != nil {
		return nil, fmt.Errorf("planner: %w", err)
	}
	return schema.AssistantMessage(step.text, []schema.ToolCall{{
		ID:       fmt.Sprintf("call-%d", v.calls+1),
		Type:     "function",
		Function: schema.FunctionCall{Name: step.tool, Arguments: string(args)},
	}}), nil
}

// Stream is Generate in one chunk.
func (m *Model) Stream(ctx context.Context, messages []*schema.Message, opts ...model.Option) (*schema.StreamReader[*schema.Message], error) {
	message, err := m.Generate(ctx, messages, opts...)
	if err != nil {
		return nil, err
	}
	return schema.StreamReaderFromArray([]*schema.Message{message}), nil
}

// tools says of each tool that there is whether its schema asks for reasons.
type tools map[string]bool

const reasonsParameter = "_rationale"

func offered(infos []*schema.ToolInfo) tools {
	t := tools{}
	for _, info := range infos {
		t[info.Name] = false
		if info.ParamsOneOf == nil {
			continue
		}
		if s, err := info.ToJSONSchema(); err == nil && s != nil && s.Properties != nil {
			_, t[info.Name] = s.Properties.Get(reasonsParameter)
		}
	}
	return t
}
