package einoguard

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/compose"

	"github.com/ambit-go/ambit/guard"
)

// Handler returns a handler for an ADK agent whose tools run behind g. Let it
// be the last of ChatModelAgentConfig.Handlers, so that it sees what the others
// did. It
//
//   - wraps the tools that the agent has besides those of its ToolsConfig: those
//     that handlers and middlewares add, the Exit tool, and eino's own
//     transfer_to_agent. Each needs a class like every other tool.
//   - lets the guard keep, beside the rationale, what the model said in the turn
//     in which it asked for a call. This survives interrupt and resume.
//
// The agent's ToolsConfig comes from [Configure]: a handler alone does not see
// what call options bring.
func Handler(g *guard.Guard) adk.ChatModelAgentMiddleware { return &handler{guard: g} }

type handler struct {
	*adk.BaseChatModelAgentMiddleware
	guard *guard.Guard
}

func (h *handler) BeforeAgent(ctx context.Context, run *adk.ChatModelAgentContext) (context.Context, *adk.ChatModelAgentContext, error) {
	tools, err := complete(ctx, h.guard, run.Tools)
	if err != nil {
		return ctx, nil, err
	}
	names, err := wrappedNames(h.guard, tools)
	if err != nil {
		return ctx, nil, err
	}
	changed := *run
	changed.Tools = tools
	return context.WithValue(ctx, agentKey{}, agentTools{agentPath(ctx), names}), &changed, nil
}

func (h *handler) AfterModelRewriteState(
	ctx context.Context, state *adk.ChatModelAgentState, _ *adk.ModelContext,
) (context.Context, *adk.ChatModelAgentState, error) {
	if len(state.Messages) == 0 {
		return ctx, state, nil
	}
	t := turnOfMessage(state.Messages[len(state.Messages)-1])
	if len(t.Calls) == 0 {
		return ctx, state, nil
	}
	encoded, err := json.Marshal(t)
	if err != nil {
		return ctx, nil, fmt.Errorf("einoguard: %w", err)
	}
	return ctx, state, adk.SetRunLocalValue(ctx, runLocal, string(encoded))
}

type agentKey struct{}

// agentTools are the names of the tools that a run of an agent has, all of them
// wrapped.
type agentTools struct {
	path  string
	names map[string]bool
}

// agentHas reports whether the innermost agent that ctx runs in has a tool of
// that name, according to its handler.
func agentHas(ctx context.Context, name string) bool {
	tools, ok := ctx.Value(agentKey{}).(agentTools)
	return ok && tools.path == agentPath(ctx) && tools.names[name]
}

// agentPath is the address of the innermost agent that ctx runs in.
func agentPath(ctx context.Context) string {
	var path, agent strings.Builder
	for _, segment := range compose.GetCurrentAddress(ctx) {
		fmt.Fprintf(&path, "%q:%q:%q;", segment.Type, segment.ID, segment.SubID)
		if segment.Type == adk.AddressSegmentAgent {
			agent.Reset()
			agent.WriteString(path.String())
		}
	}
	return agent.String()
}
