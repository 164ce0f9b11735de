package einoguard

import (
	"context"
	"fmt"
	"slices"

	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
)

// Configure puts g around a node that runs tools, and returns the
// configuration to make the node with:
//
//   - Every tool of conf is wrapped, as [Tools] does, except those that are
//     wrapped for g already ([ToolsFrom]).
//   - What reaches the node another way and is not wrapped, such as a tool that
//     an ADK handler adds or a call option brings, is denied with unknown_tool
//     and does not run. It goes by name there: the name of a tool of conf, one
//     of its ToolAliases, the name of one of others, or, with a [Handler], that
//     of a tool of the running agent. Others are wrapped tools that reach the
//     node another way.
//   - A call of a tool that the node does not have is denied with
//     unknown_tool. The host's UnknownToolsHandler, where conf has one, still
//     answers it.
//
// Conf's slices are not changed. Configure fails as Tools does, and for a tool
// that another guard wrapped, which would act as another agent.
func Configure(ctx context.Context, g *guard.Guard, conf compose.ToolsNodeConfig, others ...tool.BaseTool) (compose.ToolsNodeConfig, error) {
	tools, err := complete(ctx, g, conf.Tools)
	if err != nil {
		return compose.ToolsNodeConfig{}, err
	}
	names, err := wrappedNames(g, slices.Concat(tools, others))
	if err != nil {
		return compose.ToolsNodeConfig{}, err
	}
	for name, aliases := range conf.ToolAliases {
		if !names[name] {
			continue
		}
		for _, alias := range aliases.NameAliases {
			names[alias] = true
		}
	}
	n := node{guard: g, names: names, unknown: conf.UnknownToolsHandler}
	conf.Tools = tools
	conf.ToolCallMiddlewares = slices.Concat([]compose.ToolMiddleware{n.middleware()}, conf.ToolCallMiddlewares)
	conf.UnknownToolsHandler = n.unknownTool
	return conf, nil
}

// complete wraps those of tools that are not.
func complete(ctx context.Context, g *guard.Guard, tools []tool.BaseTool) ([]tool.BaseTool, error) {
	var raw []tool.BaseTool
	for _, t := range tools {
		if _, ok := t.(guardedTool); !ok {
			raw = append(raw, t)
		}
	}
	if len(raw) == 0 {
		return slices.Clone(tools), nil
	}
	wrapped, err := Tools(ctx, g, raw...)
	if err != nil {
		return nil, err
	}
	all := make([]tool.BaseTool, 0, len(tools))
	for _, t := range tools {
		if _, ok := t.(guardedTool); !ok {
			t, wrapped = wrapped[0], wrapped[1:]
		}
		all = append(all, t)
	}
	return all, nil
}

// wrappedNames are the names of tools, which must all be wrapped for g.
func wrappedNames(g *guard.Guard, tools []tool.BaseTool) (map[string]bool, error) {
	names := map[string]bool{}
	for i, t := range tools {
		w, ok := t.(guardedTool)
		if !ok {
			return nil, fmt.Errorf("einoguard: tool %d is not wrapped", i)
		}
		if w.behind().guard != g {
			return nil, fmt.Errorf("einoguard: %s is wrapped for another guard", w.behind().id)
		}
		names[w.behind().id.Name] = true
	}
	return names, nil
}

// node guards what reaches a node and is not wrapped.
type node struct {
	guard   *guard.Guard
	names   map[string]bool // by which wrapped tools are called
	unknown func(ctx context.Context, name, input string) (string, error)
}

// passes reports whether the tool of that name is a wrapped one. Eino does not
// tell a middleware which tool it is in front of, only how it was called.
func (n node) passes(ctx context.Context, name string) bool {
	return n.names[name] || agentHas(ctx, name)
}

func (n node) middleware() compose.ToolMiddleware {
	return compose.ToolMiddleware{
		Invokable: func(next compose.InvokableToolEndpoint) compose.InvokableToolEndpoint {
			return func(ctx context.Context, in *compose.ToolInput) (*compose.ToolOutput, error) {
				if n.passes(ctx, in.Name) {
					return next(ctx, in)
				}
				return &compose.ToolOutput{Result: string(n.refuse(ctx, in.Name, in.Arguments))}, nil
			}
		},
		Streamable: func(next compose.StreamableToolEndpoint) compose.StreamableToolEndpoint {
			return func(ctx context.Context, in *compose.ToolInput) (*compose.StreamToolOutput, error) {
				if n.passes(ctx, in.Name) {
					return next(ctx, in)
				}
				refusal := string(n.refuse(ctx, in.Name, in.Arguments))
				return &compose.StreamToolOutput{Result: schema.StreamReaderFromArray([]string{refusal})}, nil
			}
		},
		EnhancedInvokable: func(next compose.EnhancedInvokableToolEndpoint) compose.EnhancedInvokableToolEndpoint {
			return func(ctx context.Context, in *compose.ToolInput) (*compose.EnhancedInvokableToolOutput, error) {
				if n.passes(ctx, in.Name) {
					return next(ctx, in)
				}
				return &compose.EnhancedInvokableToolOutput{Result: textResult(n.refuse(ctx, in.Name, in.Arguments))}, nil
			}
		},
		EnhancedStreamable: func(next compose.EnhancedStreamableToolEndpoint) compose.EnhancedStreamableToolEndpoint {
			return func(ctx context.Context, in *compose.ToolInput) (*compose.EnhancedStreamableToolOutput, error) {
				if n.passes(ctx, in.Name) {
					return next(ctx, in)
				}
				refusal := textResult(n.refuse(ctx, in.Name, in.Arguments))
				return &compose.EnhancedStreamableToolOutput{Result: schema.StreamReaderFromArray([]*schema.ToolResult{refusal})}, nil
			}
		},
	}
}

func (n node) unknownTool(ctx context.Context, name, input string) (string, error) {
	refusal := n.refuse(ctx, name, input)
	if n.unknown != nil {
		return n.unknown(ctx, name, input)
	}
	return string(refusal), nil
}

// unguarded is the server under which a call is recorded whose name is that of
// a registered tool while the tool behind it is not the registered one.
const unguarded = "unguarded"

// nothingToRun is what the model gets for a call that is let through although no
// tool behind the guard can run it.
const nothingToRun = `{"ambit":"deny","reasons":["unknown_tool"],"message":"This call did not run: there is no such tool here."}`

// refuse records the denial of a call whose tool is not behind the guard.
func (n node) refuse(ctx context.Context, name, arguments string) []byte {
	id := classify.ToolID{Name: name}
	if _, err := n.guard.Schema(id); err == nil {
		id.Server = unguarded
	}
	said := turnOf(ctx)
	ctx, d := n.guard.Begin(ctx, guard.Call{
		ID: compose.GetToolCallID(ctx), Tool: id, Arguments: []byte(arguments),
		Text: said.Text, Reasoning: said.Reasoning, TextSource: said.source,
	})
	if d.Allowed() {
		// Observe mode lets it through, or the tool was registered meanwhile.
		// There is nothing behind the guard to run even so.
		end(ctx, n.guard, d, nil, guard.NotExecuted(fmt.Errorf("einoguard: tool %q is not behind the guard", name)))
		return []byte(nothingToRun)
	}
	return d.Refusal()
}
