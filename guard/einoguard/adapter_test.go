package einoguard_test

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/components/model"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/flow/agent/react"
	"github.com/cloudwego/eino/schema"
	"github.com/eino-contrib/jsonschema"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/einoguard"
	"github.com/ambit-go/ambit/guard/guardtest"
)

func TestAdapter(t *testing.T) {
	a := guardtest.Adapter{Wrap: map[string]func(*testing.T, *guard.Guard, authority.Tool, guardtest.Func) guardtest.Invoke{}}
	for shape := range shapes(newFake("")) {
		for way, enter := range ways {
			// Both agents run their tools in a node: one plain tool and one
			// enhanced, streaming and not, go all the ways that an agent adds.
			if !strings.HasPrefix(way, "node") && !twoShapes[shape] {
				continue
			}
			a.Wrap[way+", "+shape] = func(t *testing.T, g *guard.Guard, spec authority.Tool, fn guardtest.Func) guardtest.Invoke {
				return enter(t, g, shapes(specified(spec, fn))[shape])
			}
		}
	}
	guardtest.TestAdapter(t, a)
	t.Run("unknown", func(t *testing.T) {
		guardtest.TestAdapter(t, guardtest.Adapter{Unwrapped: func(t *testing.T, g *guard.Guard, _ string, _ guardtest.Func) guardtest.Invoke {
			invoke := ways["node, invoke"](t, g, plainInvoke{newFake("fleet.read")})
			return func(ctx context.Context, id string, arguments []byte) ([]byte, error) {
				return invoke(context.WithValue(ctx, called{}, "fleet.unknown"), id, arguments)
			}
		}})
	})
}

var twoShapes = map[string]bool{"invokable and streamable": true, "enhanced invokable and enhanced streamable": true}

// ways are how a call gets to a tool. Each makes its runtime around one tool.
var ways = map[string]func(t *testing.T, g *guard.Guard, inside tool.BaseTool) guardtest.Invoke{
	"node, invoke": func(t *testing.T, g *guard.Guard, inside tool.BaseTool) guardtest.Invoke {
		conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{inside}})
		return func(ctx context.Context, id string, arguments []byte) ([]byte, error) {
			return first(invokeNode(t, ctx, conf, call(id, nameIn(ctx, t, inside), string(arguments))))
		}
	},
	"node, stream": func(t *testing.T, g *guard.Guard, inside tool.BaseTool) guardtest.Invoke {
		conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{inside}})
		return func(ctx context.Context, id string, arguments []byte) ([]byte, error) {
			return first(streamNode(t, ctx, conf, call(id, nameIn(ctx, t, inside), string(arguments))))
		}
	},
	"react, generate": func(t *testing.T, g *guard.Guard, inside tool.BaseTool) guardtest.Invoke {
		a := reactAgent(t, g, inside)
		return func(ctx context.Context, id string, arguments []byte) ([]byte, error) {
			m, err := a.Generate(ctx, []*schema.Message{order(id, nameIn(ctx, t, inside), arguments)})
			if err != nil {
				return nil, err
			}
			return []byte(m.Content), nil
		}
	},
	"react, stream": func(t *testing.T, g *guard.Guard, inside tool.BaseTool) guardtest.Invoke {
		a := reactAgent(t, g, inside)
		return func(ctx context.Context, id string, arguments []byte) ([]byte, error) {
			sr, err := a.Stream(ctx, []*schema.Message{order(id, nameIn(ctx, t, inside), arguments)})
			if err != nil {
				return nil, err
			}
			defer sr.Close()
			var all string
			for {
				m, err := sr.Recv()
				if err == io.EOF {
					return []byte(all), nil
				}
				if err != nil {
					return nil, err
				}
				all += m.Content
			}
		}
	},
	"adk, generate": func(t *testing.T, g *guard.Guard, inside tool.BaseTool) guardtest.Invoke {
		return adkInvoke(t, g, inside, false)
	},
	"adk, stream": func(t *testing.T, g *guard.Guard, inside tool.BaseTool) guardtest.Invoke {
		return adkInvoke(t, g, inside, true)
	},
}

func reactAgent(t *testing.T, g *guard.Guard, inside tool.BaseTool) *react.Agent {
	conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{inside}})
	a, err := react.NewAgent(t.Context(), &react.AgentConfig{ToolCallingModel: relay{}, ToolsConfig: conf})
	require.NoError(t, err)
	return a
}

// adkInvoke makes an agent for each run: in this version of eino, the runs of
// one ChatModelAgent write to shared state without a lock.
func adkInvoke(t *testing.T, g *guard.Guard, inside tool.BaseTool, streaming bool) guardtest.Invoke {
	conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{inside}})
	return func(ctx context.Context, id string, arguments []byte) ([]byte, error) {
		a, err := adk.NewChatModelAgent(ctx, &adk.ChatModelAgentConfig{
			Name: "relay", Description: "relays", Model: relay{},
			ToolsConfig: adk.ToolsConfig{ToolsNodeConfig: conf},
			Handlers:    []adk.ChatModelAgentMiddleware{einoguard.Handler(g)},
		})
		if err != nil {
			return nil, err
		}
		said, _, err := drive(t, runner(t, a, streaming).Run(ctx, []*schema.Message{order(id, nameIn(ctx, t, inside), arguments)}))
		return []byte(said), err
	}
}

// specified is a fake tool with the definition spec that does what fn does.
func specified(spec authority.Tool, fn guardtest.Func) *fake {
	f := newFake(spec.Name)
	s := new(jsonschema.Schema)
	if err := json.Unmarshal(spec.Schema, s); err != nil {
		panic(err)
	}
	f.info = &schema.ToolInfo{Name: spec.Name, Desc: spec.Description, ParamsOneOf: schema.NewParamsOneOfByJSONSchema(s)}
	f.do = func(ctx context.Context, arguments string) ([]string, error) {
		out, err := fn(ctx, []byte(arguments))
		return []string{string(out)}, err
	}
	return f
}

// called is the context key of the name under which to call a tool.
type called struct{}

func nameIn(ctx context.Context, t *testing.T, inside tool.BaseTool) string {
	if name, ok := ctx.Value(called{}).(string); ok {
		return name
	}
	info, err := inside.Info(ctx)
	require.NoError(t, err)
	return info.Name
}

func first(said []string, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return []byte(said[0]), nil
}

// relay is a model that calls the tool that the user orders and repeats what it
// said.
type relay struct{}

const separator = "\x1f"

func order(id, name string, arguments []byte) *schema.Message {
	return schema.UserMessage(strings.Join([]string{id, name, string(arguments)}, separator))
}

func (relay) Generate(_ context.Context, in []*schema.Message, _ ...model.Option) (*schema.Message, error) {
	last := in[len(in)-1]
	if last.Role == schema.User {
		parts := strings.SplitN(last.Content, separator, 3)
		return schema.AssistantMessage("", []schema.ToolCall{call(parts[0], parts[1], parts[2])}), nil
	}
	return schema.AssistantMessage(contents(in)[len(in)-1], nil), nil
}

func (r relay) Stream(ctx context.Context, in []*schema.Message, opts ...model.Option) (*schema.StreamReader[*schema.Message], error) {
	m, err := r.Generate(ctx, in, opts...)
	if err != nil {
		return nil, err
	}
	return schema.StreamReaderFromArray([]*schema.Message{m}), nil
}

func (r relay) WithTools([]*schema.ToolInfo) (model.ToolCallingChatModel, error) { return r, nil }
