package einoguard

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/callbacks"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"
)

// Where the text of a turn was taken from, as records name it.
const (
	fromADK  = "eino adk AfterModelRewriteState"
	fromNode = "eino ToolsNode callback"
)

// turn is what the model said when it asked for calls.
type turn struct {
	Text      string    `json:"text,omitzero"`
	Reasoning string    `json:"reasoning,omitzero"`
	Calls     []request `json:"calls"`
	source    string
}

// request is a call as the model asked for it: by alias where it used one, and
// with an id that may be empty or repeated.
type request struct {
	Name string `json:"name"`
	ID   string `json:"id,omitzero"`
}

// Callbacks returns a handler that lets the guard keep, beside the rationale,
// what the model said in the turn in which it asked for a call. Give it to
// every run of a graph or of a react agent (compose.WithCallbacks); a
// [Handler] does the same for an ADK agent.
//
// A run that resumes inside the node that runs the tools does not tell what was
// said: those calls have no text.
func Callbacks() callbacks.Handler {
	return callbacks.NewHandlerBuilder().OnStartFn(
		func(ctx context.Context, info *callbacks.RunInfo, input callbacks.CallbackInput) context.Context {
			if info == nil || info.Component != compose.ComponentOfToolsNode && info.Component != compose.ComponentOfAgenticToolsNode {
				return ctx
			}
			var t turn
			switch m := input.(type) {
			case *schema.Message:
				t = turnOfMessage(m)
			case *schema.AgenticMessage:
				t = turnOfAgentic(m)
			}
			if len(t.Calls) == 0 {
				return ctx
			}
			t.source = fromNode
			return context.WithValue(ctx, turnKey{}, t)
		}).Build()
}

type turnKey struct{}

// runLocal is the key under which an ADK agent's state carries its turn, as
// JSON: text, unlike a type of ours, needs no registration with gob.
const runLocal = "ambit.turn"

// turnOf returns the turn in which the call of ctx was asked for; the zero turn
// where that is not known. A call inside a tool, of an agent that nothing
// captures, sees the turn of the agent outside, and must not be given its text.
func turnOf(ctx context.Context) turn {
	call := request{ID: compose.GetToolCallID(ctx), Name: calledName(ctx)}
	if t, ok := ctx.Value(turnKey{}).(turn); ok && slices.Contains(t.Calls, call) {
		return t
	}
	stored, _, _ := adk.GetRunLocalValue(ctx, runLocal)
	encoded, _ := stored.(string)
	var t turn
	if json.Unmarshal([]byte(encoded), &t) != nil || !slices.Contains(t.Calls, call) {
		return turn{}
	}
	t.source = fromADK
	return t
}

// calledName is the name by which the model called the tool that ctx is of.
func calledName(ctx context.Context) string {
	for _, segment := range slices.Backward(compose.GetCurrentAddress(ctx)) {
		if segment.Type == compose.AddressSegmentTool {
			return segment.ID
		}
	}
	return ""
}

func turnOfMessage(m *schema.Message) turn {
	if m == nil || m.Role != schema.Assistant {
		return turn{}
	}
	var calls []request
	for _, c := range m.ToolCalls {
		calls = append(calls, request{Name: c.Function.Name, ID: c.ID})
	}
	text := []string{m.Content}
	reasoning := []string{m.ReasoningContent}
	for _, part := range m.AssistantGenMultiContent {
		switch part.Type {
		case schema.ChatMessagePartTypeText:
			text = append(text, part.Text)
		case schema.ChatMessagePartTypeReasoning:
			if part.Reasoning != nil {
				reasoning = append(reasoning, part.Reasoning.Text)
			}
		}
	}
	return turn{Text: paragraphs(text), Reasoning: paragraphs(reasoning), Calls: calls}
}

func turnOfAgentic(m *schema.AgenticMessage) turn {
	if m == nil || m.Role != schema.AgenticRoleTypeAssistant {
		return turn{}
	}
	var (
		t               turn
		text, reasoning []string
	)
	for _, b := range m.ContentBlocks {
		switch {
		case b == nil:
		case b.FunctionToolCall != nil:
			t.Calls = append(t.Calls, request{Name: b.FunctionToolCall.Name, ID: b.FunctionToolCall.CallID})
		case b.AssistantGenText != nil:
			text = append(text, b.AssistantGenText.Text)
		case b.Reasoning != nil:
			reasoning = append(reasoning, b.Reasoning.Text)
		}
	}
	t.Text, t.Reasoning = paragraphs(text), paragraphs(reasoning)
	return t
}

// paragraphs joins the parts that are neither empty nor repeated.
func paragraphs(parts []string) string {
	var kept []string
	for _, p := range parts {
		if p != "" && !slices.Contains(kept, p) {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "\n\n")
}
