package einoguard_test

import (
	"context"
	"testing"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/einoguard"
	"github.com/ambit-go/ambit/rationale"
)

// agent is an ADK agent whose tools run behind g. Its handler is the last.
func agent(t *testing.T, g *guard.Guard, m *script, conf adk.ChatModelAgentConfig, tools ...tool.BaseTool) *adk.ChatModelAgent {
	t.Helper()
	conf.Name, conf.Description, conf.Model = "sre", "keeps the fleet", m
	conf.ToolsConfig.Tools = tools
	conf.ToolsConfig.ToolsNodeConfig = configure(t, g, conf.ToolsConfig.ToolsNodeConfig)
	conf.Handlers = append(conf.Handlers, einoguard.Handler(g))
	a, err := adk.NewChatModelAgent(t.Context(), &conf)
	require.NoError(t, err)
	return a
}

func runner(t *testing.T, a adk.Agent, streaming bool) *adk.Runner {
	t.Helper()
	return adk.NewRunner(t.Context(), adk.RunnerConfig{Agent: a, EnableStreaming: streaming, CheckPointStore: &checkpoints{}})
}

func both(t *testing.T, test func(t *testing.T, streaming bool)) {
	t.Helper()
	t.Run("generate", func(t *testing.T) { test(t, false) })
	t.Run("stream", func(t *testing.T) { test(t, true) })
}

func TestADKAgentReadsARefusalAndCorrectsItself(t *testing.T) {
	for shape, inside := range shapes(newFake("scale")) {
		t.Run(shape, func(t *testing.T) {
			both(t, func(t *testing.T, streaming bool) {
				g, kept := newGuard(t)
				m := says(
					asks("Scaling far up.", call("1", "scale", `{"n":50}`)),
					asks("Then by less.", call("1", "scale", `{"n":10}`)),
					schema.AssistantMessage("done", nil),
				)
				said, _, err := drive(t, runner(t, agent(t, g, m, adk.ChatModelAgentConfig{}, inside), streaming).Query(t.Context(), "go"))
				require.NoError(t, err)
				assert.Equal(t, "done", said)
				require.Len(t, m.heard, 3)
				assertRefusal(t, contents(m.heard[1])[len(m.heard[1])-1], "deny", rationale.BoundViolated)
				assert.Equal(t, "did scale", contents(m.heard[2])[len(m.heard[2])-1])
				require.Len(t, kept.decisions(), 2)
				assert.NotEqual(t, kept.decisions()[0].CallID, kept.decisions()[1].CallID, "the model used one id twice")
				kept.outcome(t)
			})
		})
	}
}

func TestADKAgentIsToldOfTheRationaleParameter(t *testing.T) {
	g, _ := newGuard(t)
	m := says(schema.AssistantMessage("done", nil))
	_, _, err := drive(t, runner(t, agent(t, g, m, adk.ChatModelAgentConfig{}, plainInvoke{newFake("move")}), false).Query(t.Context(), "go"))
	require.NoError(t, err)
	s, err := m.tools[0][0].ToJSONSchema()
	require.NoError(t, err)
	_, ok := s.Properties.Get(rationale.Parameter)
	assert.True(t, ok)
}

func TestADKRefusalOfAToolThatReturnsDirectlyIsTheAnswer(t *testing.T) {
	g, _ := newGuard(t)
	f := newFake("scale")
	m := says(asks("", call("1", "scale", `{"n":50}`)))
	conf := adk.ChatModelAgentConfig{ToolsConfig: adk.ToolsConfig{ReturnDirectly: map[string]bool{"scale": true}}}
	said, _, err := drive(t, runner(t, agent(t, g, m, conf, plainInvoke{f}), false).Query(t.Context(), "go"))
	require.NoError(t, err)
	assertRefusal(t, said, "deny", rationale.BoundViolated)
	assert.Empty(t, f.runs())
	assert.Len(t, m.heard, 1)
}

// A handler, like eino's own for files and skills, adds tools that no
// configuration names.
func TestADKToolsThatHandlersAddAreWrapped(t *testing.T) {
	tests := map[string]struct {
		added   string
		reasons []rationale.Reason
	}{
		"of a class": {"look", nil},
		"of none":    {"shell", []rationale.Reason{rationale.Unclassified}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, streaming bool) {
				g, kept := newGuard(t)
				f := newFake(tt.added)
				m := says(asks("", call("1", tt.added, `{"n":1}`)))
				conf := adk.ChatModelAgentConfig{Handlers: []adk.ChatModelAgentMiddleware{adding{tool: plainInvoke{f}}}}
				_, _, err := drive(t, runner(t, agent(t, g, m, conf, plainInvoke{newFake("scale")}), streaming).Query(t.Context(), "go"))
				require.NoError(t, err)
				d := kept.only(t)
				assert.Equal(t, tt.added, d.Tool.Name)
				assert.Equal(t, tt.reasons, d.Reasons)
				if tt.reasons == nil {
					assert.Equal(t, "did look", m.lastHeard(t).Content)
					assert.Len(t, f.runs(), 1)
				} else {
					assert.Empty(t, f.runs())
				}
			})
		})
	}
}

type adding struct {
	*adk.BaseChatModelAgentMiddleware
	tool tool.BaseTool
}

func (a adding) BeforeAgent(ctx context.Context, run *adk.ChatModelAgentContext) (context.Context, *adk.ChatModelAgentContext, error) {
	run.Tools = append(run.Tools, a.tool)
	return ctx, run, nil
}

func TestADKExitAndTransferNeedAClass(t *testing.T) {
	g, kept := newGuard(t)
	m := says(asks("", call("1", "exit", `{"final_result":"bye"}`)))
	a := agent(t, g, m, adk.ChatModelAgentConfig{Exit: adk.ExitTool{}}, plainInvoke{newFake("scale")})
	said, _, err := drive(t, runner(t, a, false).Query(t.Context(), "go"))
	require.NoError(t, err)
	assertRefusal(t, said, "deny", rationale.Unclassified)
	assert.Equal(t, "exit", kept.only(t).Tool.Name)
}

// A handler that comes after the guard's can still add a tool: the middleware
// of the node denies it.
func TestADKToolsThatComeLaterAreDenied(t *testing.T) {
	g, kept := newGuard(t)
	f := newFake("look")
	m := says(asks("", call("1", "look", `{"n":1}`)))
	conf, err := einoguard.Configure(t.Context(), g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{plainInvoke{newFake("scale")}}})
	require.NoError(t, err)
	a, err := adk.NewChatModelAgent(t.Context(), &adk.ChatModelAgentConfig{
		Name: "sre", Description: "d", Model: m, ToolsConfig: adk.ToolsConfig{ToolsNodeConfig: conf},
		Handlers: []adk.ChatModelAgentMiddleware{einoguard.Handler(g), adding{tool: plainInvoke{f}}},
	})
	require.NoError(t, err)
	_, _, err = drive(t, runner(t, a, false).Query(t.Context(), "go"))
	require.NoError(t, err)
	assert.Equal(t, []rationale.Reason{rationale.UnknownTool}, kept.only(t).Reasons)
	assert.Empty(t, f.runs())
}

// What an agent's handler vouches for holds for that agent, not for one that
// runs inside one of its tools.
func TestADKInnerAgentHasItsOwnTools(t *testing.T) {
	g, kept := newGuard(t)
	raw := newFake("look")
	innerModel := says(asks("", call("1", "look", `{"n":1}`)), schema.AssistantMessage("inner done", nil))
	conf, err := einoguard.Configure(t.Context(), g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{plainInvoke{newFake("scale")}}})
	require.NoError(t, err)
	inner, err := adk.NewChatModelAgent(t.Context(), &adk.ChatModelAgentConfig{
		Name: "agent_inner", Description: "d", Model: innerModel, ToolsConfig: adk.ToolsConfig{ToolsNodeConfig: conf},
		Handlers: []adk.ChatModelAgentMiddleware{adding{tool: plainInvoke{raw}}},
	})
	require.NoError(t, err)
	m := says(asks("outer text", call("1", "agent_inner", `{"request":"look"}`)), schema.AssistantMessage("done", nil))
	a := agent(t, g, m, adk.ChatModelAgentConfig{}, adk.NewAgentTool(t.Context(), inner), plainInvoke{newFake("look")})
	said, _, err := drive(t, runner(t, a, false).Query(t.Context(), "go"))
	require.NoError(t, err)
	assert.Equal(t, "done", said)
	assert.Empty(t, raw.runs())
	require.Len(t, kept.decisions(), 2)
	assert.Equal(t, "agent_inner", kept.decisions()[0].Tool.Name)
	assert.Equal(t, "outer text", kept.decisions()[0].Rationale.Text)
	assert.Equal(t, []rationale.Reason{rationale.UnknownTool}, kept.decisions()[1].Reasons)
	assert.Nil(t, kept.decisions()[1].Rationale, "the outer agent's words are not the inner one's")
}

func TestADKInterruptAndResume(t *testing.T) {
	both(t, func(t *testing.T, streaming bool) {
		g, kept := newGuard(t)
		m := says(asks("I shall ask first.", call("1", "scale", `{"n":1}`)), schema.AssistantMessage("done", nil))
		a := agent(t, g, m, adk.ChatModelAgentConfig{}, plainInvoke{interrupting("scale")})
		r := runner(t, a, streaming)
		ctx := guard.WithSession(t.Context(), guard.Session{ID: "s1"})
		_, id, err := drive(t, r.Query(ctx, "go", adk.WithCheckPointID("c")))
		require.NoError(t, err)
		require.NotEmpty(t, id)
		assert.Equal(t, "*einoguard.interrupted", kept.outcome(t).ErrorType)

		it, err := r.ResumeWithParams(ctx, "c", &adk.ResumeParams{Targets: map[string]any{id: "go on"}})
		require.NoError(t, err)
		said, _, err := drive(t, it)
		require.NoError(t, err)
		assert.Equal(t, "done", said)
		assert.Equal(t, "told: go on", m.lastHeard(t).Content)
		require.Len(t, kept.decisions(), 2)
		for _, d := range kept.decisions() {
			assert.Equal(t, "s1", d.Agent.Session)
			require.NotNil(t, d.Rationale)
			assert.Equal(t, "I shall ask first.", d.Rationale.Text, "what was said survives the checkpoint")
		}
	})
}

func TestADKAliasAndParallelCalls(t *testing.T) {
	g, kept := newGuard(t)
	f := newFake("scale")
	m := says(asks("Three at once.", call("", "resize", `{"n":1}`), call("", "scale", `{"n":2}`), call("", "rm", `{}`)))
	conf := adk.ChatModelAgentConfig{}
	conf.ToolsConfig.ToolAliases = map[string]compose.ToolAliasConfig{"scale": {NameAliases: []string{"resize"}}}
	_, _, err := drive(t, runner(t, agent(t, g, m, conf, plainInvoke{f}), false).Query(t.Context(), "go"))
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{`{"n":1}`, `{"n":2}`}, f.runs())
	require.Len(t, kept.decisions(), 3)
	for _, d := range kept.decisions() {
		if d.Tool.Name == "rm" {
			assert.Equal(t, []rationale.Reason{rationale.UnknownTool}, d.Reasons)
			continue
		}
		require.NotNil(t, d.Rationale)
		assert.Equal(t, "Three at once.", d.Rationale.Text)
	}
}
