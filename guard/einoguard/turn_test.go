package einoguard_test

import (
	"context"
	"testing"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/compose"
	einoagent "github.com/cloudwego/eino/flow/agent"
	"github.com/cloudwego/eino/flow/agent/react"
	"github.com/cloudwego/eino/schema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/einoguard"
	"github.com/ambit-go/ambit/rationale"
)

// said is what a rationale keeps of a turn.
func said(r *rationale.Rationale) [3]string {
	if r == nil {
		return [3]string{}
	}
	return [3]string{r.Text, r.Reasoning, r.Source}
}

func TestTurnIsKeptBesideTheRationale(t *testing.T) {
	ask := asks("More load is coming.", call("1", "scale", `{"n":1}`))
	adkSays := [3]string{"More load is coming.", "because of More load is coming.", "eino adk AfterModelRewriteState"}
	nodeSays := [3]string{"More load is coming.", "because of More load is coming.", "eino ToolsNode callback"}
	newAgent := func(t *testing.T, conf compose.ToolsNodeConfig) *react.Agent {
		a, err := react.NewAgent(t.Context(), &react.AgentConfig{
			ToolCallingModel: says(ask), ToolsConfig: conf,
			StreamToolCallChecker: func(_ context.Context, sr *schema.StreamReader[*schema.Message]) (bool, error) {
				defer sr.Close()
				m, err := sr.Recv()
				return err == nil && len(m.ToolCalls) > 0, nil
			},
		})
		require.NoError(t, err)
		return a
	}
	withCallbacks := einoagent.WithComposeOptions(compose.WithCallbacks(einoguard.Callbacks()))
	question := []*schema.Message{schema.UserMessage("go")}
	tests := map[string]struct {
		run  func(t *testing.T, g *guard.Guard, conf compose.ToolsNodeConfig)
		want [3]string
	}{
		"react, generate": {func(t *testing.T, g *guard.Guard, conf compose.ToolsNodeConfig) {
			_, err := newAgent(t, conf).Generate(t.Context(), question, withCallbacks)
			require.NoError(t, err)
		}, nodeSays},
		"react, stream": {func(t *testing.T, g *guard.Guard, conf compose.ToolsNodeConfig) {
			sr, err := newAgent(t, conf).Stream(t.Context(), question, withCallbacks)
			require.NoError(t, err)
			sr.Close()
		}, nodeSays},
		"react, without callbacks": {func(t *testing.T, g *guard.Guard, conf compose.ToolsNodeConfig) {
			_, err := newAgent(t, conf).Generate(t.Context(), question)
			require.NoError(t, err)
		}, [3]string{}},
		"graph": {func(t *testing.T, g *guard.Guard, conf compose.ToolsNodeConfig) {
			_, err := graphOf(t, conf).Invoke(t.Context(), ask, compose.WithCallbacks(einoguard.Callbacks()))
			require.NoError(t, err)
		}, nodeSays},
		"graph of agentic messages": {func(t *testing.T, g *guard.Guard, conf compose.ToolsNodeConfig) {
			n, err := compose.NewAgenticToolsNode(t.Context(), &conf)
			require.NoError(t, err)
			graph := compose.NewGraph[*schema.AgenticMessage, []*schema.AgenticMessage]()
			require.NoError(t, graph.AddAgenticToolsNode("tools", n))
			require.NoError(t, graph.AddEdge(compose.START, "tools"))
			require.NoError(t, graph.AddEdge("tools", compose.END))
			r, err := graph.Compile(t.Context())
			require.NoError(t, err)
			_, err = r.Invoke(t.Context(), &schema.AgenticMessage{
				Role: schema.AgenticRoleTypeAssistant,
				ContentBlocks: []*schema.ContentBlock{
					schema.NewContentBlock(&schema.Reasoning{Text: ask.ReasoningContent}),
					schema.NewContentBlock(&schema.AssistantGenText{Text: ask.Content}),
					schema.NewContentBlock(&schema.FunctionToolCall{CallID: "1", Name: "scale", Arguments: `{"n":1}`}),
				},
			}, compose.WithCallbacks(einoguard.Callbacks()))
			require.NoError(t, err)
		}, nodeSays},
		"ADK, handler": {func(t *testing.T, g *guard.Guard, conf compose.ToolsNodeConfig) {
			runADK(t, conf, says(ask), false, einoguard.Handler(g))
		}, adkSays},
		"ADK, handler, stream": {func(t *testing.T, g *guard.Guard, conf compose.ToolsNodeConfig) {
			runADK(t, conf, says(ask), true, einoguard.Handler(g))
		}, adkSays},
		"ADK, callbacks": {func(t *testing.T, g *guard.Guard, conf compose.ToolsNodeConfig) {
			runADK(t, conf, says(ask), true, nil, adk.WithCallbacks(einoguard.Callbacks()))
		}, nodeSays},
		"ADK, neither": {func(t *testing.T, g *guard.Guard, conf compose.ToolsNodeConfig) {
			runADK(t, conf, says(ask), false, nil)
		}, [3]string{}},
		"node alone": {func(t *testing.T, g *guard.Guard, conf compose.ToolsNodeConfig) {
			_, err := invokeNode(t, t.Context(), conf, ask.ToolCalls...)
			require.NoError(t, err)
		}, [3]string{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g, kept := newGuard(t)
			f := newFake("scale")
			conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{plainInvoke{f}}})
			tt.run(t, g, conf)
			assert.Equal(t, tt.want, said(kept.only(t).Rationale))
			assert.Len(t, f.runs(), 1, "what was said decides nothing")
		})
	}
}

func runADK(
	t *testing.T, conf compose.ToolsNodeConfig, m *script, streaming bool,
	handler adk.ChatModelAgentMiddleware, opts ...adk.AgentRunOption,
) {
	t.Helper()
	c := adk.ChatModelAgentConfig{
		Name: "sre", Description: "keeps the fleet", Model: m, ToolsConfig: adk.ToolsConfig{ToolsNodeConfig: conf},
	}
	if handler != nil {
		c.Handlers = []adk.ChatModelAgentMiddleware{handler}
	}
	a, err := adk.NewChatModelAgent(t.Context(), &c)
	require.NoError(t, err)
	_, _, err = drive(t, runner(t, a, streaming).Query(t.Context(), "go", opts...))
	require.NoError(t, err)
}

func graphOf(t *testing.T, conf compose.ToolsNodeConfig) compose.Runnable[*schema.Message, []*schema.Message] {
	t.Helper()
	n, err := compose.NewToolNode(t.Context(), &conf)
	require.NoError(t, err)
	graph := compose.NewGraph[*schema.Message, []*schema.Message]()
	require.NoError(t, graph.AddToolsNode("tools", n))
	require.NoError(t, graph.AddEdge(compose.START, "tools"))
	require.NoError(t, graph.AddEdge("tools", compose.END))
	r, err := graph.Compile(t.Context(), compose.WithCheckPointStore(&checkpoints{}))
	require.NoError(t, err)
	return r
}

// A graph inside an agent's tool, of which nothing captures what its model
// says, does not get the words of the agent outside.
func TestTurnOfAnotherCallIsNotTaken(t *testing.T) {
	tests := map[string]schema.ToolCall{
		"another id":              call("inner", "scale", `{"n":1}`),
		"the same id, other name": call("1", "scale", `{"n":1}`),
	}
	for name, inner := range tests {
		t.Run(name, func(t *testing.T) {
			g, kept := newGuard(t)
			conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{plainInvoke{newFake("scale")}}})
			outer := newFake("look")
			outer.do = func(ctx context.Context, _ string) ([]string, error) {
				return invokeNode(t, ctx, conf, inner)
			}
			m := says(asks("Only looking.", call("1", "look", `{"n":1}`)))
			a := agent(t, g, m, adk.ChatModelAgentConfig{}, plainInvoke{outer})
			_, _, err := drive(t, runner(t, a, false).Query(t.Context(), "go", adk.WithCallbacks(einoguard.Callbacks())))
			require.NoError(t, err)
			require.Len(t, kept.decisions(), 2)
			assert.Equal(t, "Only looking.", kept.decisions()[0].Rationale.Text)
			assert.Nil(t, kept.decisions()[1].Rationale)
		})
	}
}

func TestTurnWithSeveralParts(t *testing.T) {
	g, kept := newGuard(t)
	conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{plainInvoke{newFake("scale")}}})
	ask := &schema.Message{
		Role: schema.Assistant, Content: "one", ToolCalls: []schema.ToolCall{call("1", "scale", `{"n":1}`)},
		AssistantGenMultiContent: []schema.MessageOutputPart{
			{Type: schema.ChatMessagePartTypeText, Text: "one"},
			{Type: schema.ChatMessagePartTypeText, Text: "two"},
			{Type: schema.ChatMessagePartTypeReasoning, Reasoning: &schema.MessageOutputReasoning{Text: "hm"}},
		},
	}
	_, err := graphOf(t, conf).Invoke(t.Context(), ask, compose.WithCallbacks(einoguard.Callbacks()))
	require.NoError(t, err)
	assert.Equal(t, [3]string{"one\n\ntwo", "hm", "eino ToolsNode callback"}, said(kept.only(t).Rationale))
}
