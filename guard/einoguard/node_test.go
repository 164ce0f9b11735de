package einoguard_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/einoguard"
	"github.com/ambit-go/ambit/rationale"
)

func configure(t *testing.T, g *guard.Guard, conf compose.ToolsNodeConfig) compose.ToolsNodeConfig {
	t.Helper()
	conf, err := einoguard.Configure(t.Context(), g, conf)
	require.NoError(t, err)
	return conf
}

// What a middleware, an argument handler or an argument alias makes of the
// arguments is what is checked: the wrapped tool is innermost.
func TestWhatRunsIsWhatWasChecked(t *testing.T) {
	large := `{"n":1000000}`
	tests := map[string]struct {
		conf      compose.ToolsNodeConfig
		arguments string
		checked   string
	}{
		"middleware": {compose.ToolsNodeConfig{ToolCallMiddlewares: []compose.ToolMiddleware{rewriting(large)}}, `{"n":1}`, large},
		"arguments handler": {compose.ToolsNodeConfig{ToolArgumentsHandler: func(context.Context, string, string) (string, error) {
			return large, nil
		}}, `{"n":1}`, large},
		"argument alias": {
			compose.ToolsNodeConfig{ToolAliases: map[string]compose.ToolAliasConfig{"scale": {ArgumentsAliases: map[string][]string{"n": {"count"}}}}},
			`{"count":1000000}`, large,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g, kept := newGuard(t)
			f := newFake("scale")
			tt.conf.Tools = []tool.BaseTool{plainInvoke{f}}
			said, err := invokeNode(t, t.Context(), configure(t, g, tt.conf), call("1", "scale", tt.arguments))
			require.NoError(t, err)
			assertRefusal(t, said[0], "deny", rationale.BoundViolated)
			assert.JSONEq(t, tt.checked, string(kept.only(t).Arguments))
			assert.Empty(t, f.runs())
		})
	}
}

func rewriting(arguments string) compose.ToolMiddleware {
	return compose.ToolMiddleware{Invokable: func(next compose.InvokableToolEndpoint) compose.InvokableToolEndpoint {
		return func(ctx context.Context, in *compose.ToolInput) (*compose.ToolOutput, error) {
			changed := *in
			changed.Arguments = arguments
			return next(ctx, &changed)
		}
	}}
}

// A tool that was not wrapped can reach a node by a call option. Each shape has
// a slot of the middleware of its own.
func TestWhatIsNotWrappedIsDeniedInEverySlot(t *testing.T) {
	f := newFake("rm")
	for name, raw := range shapes(f) {
		for _, streaming := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/streaming=%v", name, streaming), func(t *testing.T) {
				f.ran = nil
				g, kept := newGuard(t)
				conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{plainInvoke{newFake("look")}}})
				n, err := compose.NewToolNode(t.Context(), &conf)
				require.NoError(t, err)
				m := schema.AssistantMessage("", []schema.ToolCall{call("1", "rm", `{"n":1}`)})
				var said string
				if streaming {
					sr, err := n.Stream(t.Context(), m, compose.WithToolList(raw))
					require.NoError(t, err)
					chunk, err := sr.Recv()
					require.NoError(t, err)
					said = contents(chunk)[0]
					sr.Close()
				} else {
					out, err := n.Invoke(t.Context(), m, compose.WithToolList(raw))
					require.NoError(t, err)
					said = contents(out)[0]
				}
				assertRefusal(t, said, "deny", rationale.UnknownTool)
				assert.Empty(t, f.runs())
				d := kept.only(t)
				assert.Equal(t, "rm", d.Tool.Name)
				assert.Equal(t, []rationale.Reason{rationale.UnknownTool}, d.Reasons)
			})
		}
	}
}

// A tool that is registered with the guard and not behind it is as unknown as
// one that is not registered.
func TestRegisteredIsNotWrapped(t *testing.T) {
	g, kept := newGuard(t)
	f := newFake("look")
	_, err := einoguard.Tools(t.Context(), g, plainInvoke{f})
	require.NoError(t, err)
	conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{plainInvoke{newFake("scale")}}})
	n, err := compose.NewToolNode(t.Context(), &conf)
	require.NoError(t, err)
	out, err := n.Invoke(t.Context(), schema.AssistantMessage("", []schema.ToolCall{call("1", "look", `{"n":1}`)}),
		compose.WithToolList(plainInvoke{f}))
	require.NoError(t, err)
	assertRefusal(t, out[0].Content, "deny", rationale.UnknownTool)
	assert.Empty(t, f.runs())
	assert.Equal(t, "look", kept.only(t).Tool.Name)
}

func TestOthersReachTheNodeAnotherWay(t *testing.T) {
	g, _ := newGuard(t)
	f := newFake("look")
	wrapped, err := einoguard.Tools(t.Context(), g, plainInvoke{f})
	require.NoError(t, err)
	conf, err := einoguard.Configure(t.Context(), g,
		compose.ToolsNodeConfig{Tools: []tool.BaseTool{plainInvoke{newFake("scale")}}}, wrapped...)
	require.NoError(t, err)
	n, err := compose.NewToolNode(t.Context(), &conf)
	require.NoError(t, err)
	out, err := n.Invoke(t.Context(), schema.AssistantMessage("", []schema.ToolCall{call("1", "look", `{"n":1}`)}),
		compose.WithToolList(wrapped...))
	require.NoError(t, err)
	assert.Equal(t, "did look", out[0].Content)
}

// An alias is handed to middlewares; the identity is the tool's own name.
func TestAliasIsNoIdentity(t *testing.T) {
	g, kept := newGuard(t)
	f := newFake("scale")
	conf := configure(t, g, compose.ToolsNodeConfig{
		Tools:       []tool.BaseTool{plainInvoke{f}},
		ToolAliases: map[string]compose.ToolAliasConfig{"scale": {NameAliases: []string{"look", "resize"}}},
	})
	for i, alias := range []string{"resize", "look"} {
		said, err := invokeNode(t, t.Context(), conf, call("1", alias, `{"n":11}`))
		require.NoError(t, err)
		assertRefusal(t, said[0], "deny", rationale.BoundViolated)
		assert.Equal(t, "scale", kept.decisions()[i].Tool.Name)
		assert.Equal(t, "scale", kept.decisions()[i].Class)
	}
	assert.Empty(t, f.runs())
}

func TestUnknownToolIsRecorded(t *testing.T) {
	for _, name := range []string{"", "rm", "look", "k8s/scale", "a\x00b", "*", "unguarded/look"} {
		t.Run(name, func(t *testing.T) {
			g, kept := newGuard(t)
			_, err := einoguard.Tools(t.Context(), g, plainInvoke{newFake("look")})
			require.NoError(t, err)
			_, err = einoguard.ToolsFrom(t.Context(), g, "k8s", plainInvoke{newFake("scale")})
			require.NoError(t, err)
			conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{plainInvoke{newFake("scale")}}})
			for _, run := range []func(*testing.T, context.Context, compose.ToolsNodeConfig, ...schema.ToolCall) ([]string, error){invokeNode, streamNode} {
				said, err := run(t, t.Context(), conf, call("1", name, `{"n":1}`))
				require.NoError(t, err)
				assertRefusal(t, said[0], "deny", rationale.UnknownTool)
			}
			require.Len(t, kept.decisions(), 2)
			assert.Equal(t, []rationale.Reason{rationale.UnknownTool}, kept.decisions()[0].Reasons)
			assert.Empty(t, kept.outcomes())
		})
	}
}

func TestHostsHandlerAnswersAnUnknownTool(t *testing.T) {
	g, kept := newGuard(t)
	conf := configure(t, g, compose.ToolsNodeConfig{
		Tools: []tool.BaseTool{plainInvoke{newFake("look")}},
		UnknownToolsHandler: func(_ context.Context, name, _ string) (string, error) {
			return "there is no " + name, nil
		},
	})
	said, err := invokeNode(t, t.Context(), conf, call("1", "rm", `{}`))
	require.NoError(t, err)
	assert.Equal(t, []string{"there is no rm"}, said)
	assert.Equal(t, rationale.UnknownTool, kept.only(t).Reasons[0])
}

func TestHostsMiddlewaresStay(t *testing.T) {
	g, _ := newGuard(t)
	before := []compose.ToolMiddleware{rewriting(`{"n":2}`)}
	tools := []tool.BaseTool{plainInvoke{newFake("scale")}}
	conf := configure(t, g, compose.ToolsNodeConfig{Tools: tools, ToolCallMiddlewares: before})
	require.Len(t, conf.ToolCallMiddlewares, 2)
	assert.NotNil(t, conf.ToolCallMiddlewares[0].EnhancedStreamable, "the guard's comes first")
	assert.Len(t, before, 1)
	assert.IsType(t, plainInvoke{}, tools[0], "the host's slice is its own")
	again := configure(t, g, conf)
	said, err := invokeNode(t, t.Context(), again, call("1", "scale", `{"n":1}`))
	require.NoError(t, err)
	assert.Equal(t, []string{"did scale"}, said)
}

func TestParallelCallsAreDecidedSeparately(t *testing.T) {
	tests := map[string][]string{
		"distinct ids": {"a", "b", "c", "d"},
		"no ids":       {"", "", "", ""},
		"repeated ids": {"x", "x", "x", "x"},
	}
	for name, ids := range tests {
		t.Run(name, func(t *testing.T) {
			g, kept := newGuard(t)
			f := newFake("scale")
			conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{plainInvoke{f}}})
			var calls []schema.ToolCall
			for i, id := range ids {
				calls = append(calls, call(id, "scale", fmt.Sprintf(`{"n":%d}`, 9+i)))
			}
			said, err := invokeNode(t, t.Context(), conf, calls...)
			require.NoError(t, err)
			assert.Equal(t, "did scale", said[0])
			assert.Equal(t, "did scale", said[1])
			assertRefusal(t, said[2], "deny", rationale.BoundViolated)
			assertRefusal(t, said[3], "deny", rationale.BoundViolated)
			assert.ElementsMatch(t, []string{`{"n":9}`, `{"n":10}`}, f.runs())
			require.Len(t, kept.decisions(), 4)
			assert.Len(t, kept.outcomes(), 2)
			distinct := map[string]bool{}
			for _, d := range kept.decisions() {
				distinct[d.CallID] = true
			}
			assert.Len(t, distinct, 4, "a missing or repeated id gets a fresh one")
		})
	}
}

func TestIdentityComesFromTheHost(t *testing.T) {
	reported := authority.ModelSpec{Provider: "acme", Name: "planner", Version: "2026-05-20"}
	tests := map[string]struct {
		session guard.Session
		basis   string
		version string
	}{
		"configured":           {guard.Session{ID: "s1", OnBehalfOf: "kim@example.com"}, "configured", "2026-05-01"},
		"reported by the host": {guard.Session{ID: "s1", OnBehalfOf: "kim@example.com", Model: reported}, "reported", "2026-05-20"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g, kept := newGuard(t)
			conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{plainInvoke{newFake("look")}}})
			ctx := guard.WithSession(t.Context(), tt.session)
			_, err := invokeNode(t, ctx, conf, call("1", "look", `{"n":1}`))
			require.NoError(t, err)
			d := kept.only(t)
			assert.Equal(t, rationale.Agent{ID: "fleet-agent", Environment: "test", Session: "s1", OnBehalfOf: "kim@example.com"}, d.Agent)
			assert.Equal(t, tt.basis, d.Model.Basis)
			assert.Equal(t, tt.version, d.Model.Version)
		})
	}
}

// One wrapped tool serves many runs at once.
func TestConcurrentRuns(t *testing.T) {
	g, kept := newGuard(t)
	f := newFake("scale")
	conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{plainInvoke{f}}})
	n, err := compose.NewToolNode(t.Context(), &conf)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			_, err := n.Invoke(t.Context(), schema.AssistantMessage("", []schema.ToolCall{
				call(fmt.Sprint(i), "scale", fmt.Sprintf(`{"n":%d}`, i%20)),
			}))
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	assert.Len(t, kept.decisions(), 32)
	assert.Len(t, kept.outcomes(), len(f.runs()))
}
