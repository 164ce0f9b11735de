// Package einoguard puts a guard around the tools of eino agents
// (github.com/cloudwego/eino v0.9.19), in every runtime that eino has:
// compose.ToolsNode, flow/agent/react and adk.ChatModelAgent.
//
//	conf, err := einoguard.Configure(ctx, g, compose.ToolsNodeConfig{Tools: tools})
//	if err != nil {
//		return err
//	}
//	agent, err := react.NewAgent(ctx, &react.AgentConfig{ToolCallingModel: model, ToolsConfig: conf})
//
// An ADK agent takes the same configuration, and [Handler] as the last of its
// handlers:
//
//	agent, err := adk.NewChatModelAgent(ctx, &adk.ChatModelAgentConfig{
//		Name: "sre", Model: model, ToolsConfig: adk.ToolsConfig{ToolsNodeConfig: conf},
//		Handlers: []adk.ChatModelAgentMiddleware{einoguard.Handler(g)},
//	})
//
// # What is wrapped
//
// The guard stands in the tool, not in the node's middleware: whatever a
// middleware, a handler or an argument alias made of the arguments, those that
// the tool gets are those that were checked. A wrapped tool has the shapes of
// the tool inside, invokable or streamable, plain or enhanced, and no other. It
// is known to the guard by its own name, whatever alias the model used, and by
// its definition as it was when it was wrapped: a name, description, schema or
// Extra that changes later reaches neither the model nor the rules. Wrap the
// tool again to have a change seen; the guard refuses another definition of a
// tool that it knows.
//
// # What the model gets
//
// A denial and a pend ([WithInterrupts] apart) are results: the JSON of [guard.Decision.Refusal] as
// text, in one chunk of a stream, or in one text part of an enhanced result.
// Eino ends a run on a tool's error, so no refusal is one. A tool that returns
// directly returns its refusal directly.
//
// The tool's own error goes to eino as it is, once the outcome is recorded:
// whether it ends the run is up to the host. A panic is recovered, recorded and
// returned as an error, with the stack. When an outcome could not be recorded,
// the tool's result stands: the tool has acted, and a failed run invites a
// retry. The guard's tracer is told.
//
// # Streams
//
// A stream is passed on chunk by chunk, at most one chunk ahead of its reader.
// Its outcome is recorded once, before the reader sees how it ended: at its
// end, at its first error, when its reader was closed (noticed at the tool's
// next chunk), or when the context of the call is cancelled. A reader that is
// neither read nor closed holds the tool back, as it does in eino, and leaves
// the outcome to the context. The digest of an outcome is that of the whole
// text; other parts of an enhanced result count with their JSON. All of it is
// kept in memory until the stream has ended: its cost is read from it
// ([guard.WithCosts]).
//
// # Interrupts
//
// A tool that interrupts the run has not failed and may have acted; of a stream
// whose end nobody saw it is not known either. Both outcomes are unknown. When
// the run resumes, eino calls the tool again, with the arguments as they were:
// that is another evaluation, with a decision and an outcome of its own, and it
// may be refused.
//
// # Approvals
//
// In a run with [WithInterrupts] a call that pends interrupts the run, on an
// address of its own below the tool's, and is evaluated with its ticket when the run
// resumes there. What the checkpoint says is not trusted: an approval is in the
// ledger, and serves one call, however often a checkpoint is resumed. Calls of one
// tool with one id, or none, in one turn share an address: eino can give one the
// ticket of the other, which denies where their arguments differ. A tool that asks a
// person itself, of a class that asks people too, needs an approval for each time
// that it is called, so also when it is called again after its own question.
package einoguard
