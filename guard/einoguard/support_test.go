package einoguard_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/components/model"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

const policy = `
apiVersion: ambit/v1
kind: Authorization
id: fleet
owner: {id: dana@example.com}
agent: {id: fleet-agent, environments: [test]}
grant: {by: [{id: lee@example.com}], at: 2026-01-01T00:00:00Z, expires: 2026-12-31T00:00:00Z}
reauthorize: {every: 365d}
approval: {by: [group:leads]}
classes:
  - {id: look, tools: [look, agent_*], tier: parameterized, effect: read}
  - id: scale
    tools: [scale, k8s/scale]
    tier: parameterized
    rationale: []
    bounds: [{expr: args.n <= 10, why: ten is the capacity}]
  - {id: move, tools: [move], tier: parameterized, rationale: [purpose]}
  - {id: wipe, tools: [wipe], tier: authorization_required, rationale: []}
`

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// evidence collects what a guard recorded.
type evidence struct {
	mu      sync.Mutex
	records []rationale.Record
	fail    atomic.Bool
	before  func() // called before anything is kept; may be nil
}

func (e *evidence) Append(_ context.Context, recs ...rationale.Record) error {
	if e.before != nil {
		e.before()
	}
	if e.fail.Load() {
		return errors.New("the disk is full")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.records = append(e.records, recs...)
	return nil
}

func (e *evidence) decisions() []*rationale.Decision { return of[*rationale.Decision](e) }
func (e *evidence) outcomes() []*rationale.Outcome   { return of[*rationale.Outcome](e) }

func of[R rationale.Record](e *evidence) []R {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found []R
	for _, r := range e.records {
		if r, ok := r.(R); ok {
			found = append(found, r)
		}
	}
	return found
}

// only is the decision of the one evaluation that there was.
func (e *evidence) only(t *testing.T) *rationale.Decision {
	t.Helper()
	require.Len(t, e.decisions(), 1)
	return e.decisions()[0]
}

// outcome waits for the one outcome that there is, and makes sure that it
// stays the only one.
func (e *evidence) outcome(t *testing.T) *rationale.Outcome {
	t.Helper()
	require.Eventually(t, func() bool { return len(e.outcomes()) > 0 }, time.Second, time.Millisecond)
	require.Len(t, e.outcomes(), 1)
	return e.outcomes()[0]
}

func newGuard(t testing.TB, opts ...guard.Option) (*guard.Guard, *evidence) {
	t.Helper()
	kept := &evidence{}
	opts = append([]guard.Option{
		guard.WithLedger(ledger.New(kept)), guard.AllowUnsigned(), guard.WithClock(func() time.Time { return now }),
	}, opts...)
	g, err := guard.New(
		[]authority.Document{{Name: "fleet.yaml", Data: []byte(policy)}},
		guard.Agent{
			ID: "fleet-agent", Environment: "test",
			Model: authority.ModelSpec{Provider: "acme", Name: "planner", Version: "2026-05-01"},
		}, opts...)
	require.NoError(t, err)
	return g, kept
}

// fake is what every shape of fake tool does: it notes the arguments that it
// ran with and answers, in one chunk or in several.
type fake struct {
	name string
	info *schema.ToolInfo // nil: one argument, n
	ran  []string
	mu   sync.Mutex
	do   func(ctx context.Context, arguments string) ([]string, error)
}

func newFake(name string) *fake { return &fake{name: name} }

func (f *fake) Info(context.Context) (*schema.ToolInfo, error) {
	if f.info != nil {
		return f.info, nil
	}
	return &schema.ToolInfo{
		Name: f.name, Desc: "does " + f.name,
		ParamsOneOf: schema.NewParamsOneOfByParams(map[string]*schema.ParameterInfo{
			"n": {Type: schema.Integer, Desc: "how many", Required: true},
		}),
	}, nil
}

func (f *fake) run(ctx context.Context, arguments string) ([]string, error) {
	f.mu.Lock()
	f.ran = append(f.ran, arguments)
	f.mu.Unlock()
	if f.do == nil {
		return []string{"did ", f.name}, nil
	}
	return f.do(ctx, arguments)
}

func (f *fake) runs() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.ran)
}

type plainInvoke struct{ *fake }

func (f plainInvoke) InvokableRun(ctx context.Context, arguments string, _ ...tool.Option) (string, error) {
	chunks, err := f.run(ctx, arguments)
	return join(chunks), err
}

type plainStream struct{ *fake }

func (f plainStream) StreamableRun(ctx context.Context, arguments string, _ ...tool.Option) (*schema.StreamReader[string], error) {
	chunks, err := f.run(ctx, arguments)
	if err != nil {
		return nil, err
	}
	return schema.StreamReaderFromArray(chunks), nil
}

type enhancedInvoke struct{ *fake }

func (f enhancedInvoke) InvokableRun(ctx context.Context, a *schema.ToolArgument, _ ...tool.Option) (*schema.ToolResult, error) {
	chunks, err := f.run(ctx, a.Text)
	return parts(chunks), err
}

type enhancedStream struct{ *fake }

func (f enhancedStream) StreamableRun(ctx context.Context, a *schema.ToolArgument, _ ...tool.Option) (*schema.StreamReader[*schema.ToolResult], error) {
	chunks, err := f.run(ctx, a.Text)
	if err != nil {
		return nil, err
	}
	return schema.StreamReaderFromArray([]*schema.ToolResult{parts(chunks)}), nil
}

func join(chunks []string) string {
	var s string
	for _, c := range chunks {
		s += c
	}
	return s
}

func parts(chunks []string) *schema.ToolResult {
	return &schema.ToolResult{Parts: []schema.ToolOutputPart{{Type: schema.ToolPartTypeText, Text: join(chunks)}}}
}

// shapes are all that a tool can be.
func shapes(f *fake) map[string]tool.BaseTool {
	type (
		pi = plainInvoke
		ps = plainStream
		ei = enhancedInvoke
		es = enhancedStream
	)
	return map[string]tool.BaseTool{
		"invokable":           pi{f},
		"streamable":          ps{f},
		"enhanced invokable":  ei{f},
		"enhanced streamable": es{f},
		"invokable and streamable": struct {
			*fake
			invoker[pi]
			streamer[ps]
		}{f, invoker[pi]{pi{f}}, streamer[ps]{ps{f}}},
		"invokable and enhanced streamable": struct {
			*fake
			invoker[pi]
			enhancedStreamer[es]
		}{f, invoker[pi]{pi{f}}, enhancedStreamer[es]{es{f}}},
		"enhanced invokable and streamable": struct {
			*fake
			enhancedInvoker[ei]
			streamer[ps]
		}{f, enhancedInvoker[ei]{ei{f}}, streamer[ps]{ps{f}}},
		"enhanced invokable and enhanced streamable": struct {
			*fake
			enhancedInvoker[ei]
			enhancedStreamer[es]
		}{f, enhancedInvoker[ei]{ei{f}}, enhancedStreamer[es]{es{f}}},
	}
}

// These give one method each, so that a struct can embed several.
type invoker[T tool.InvokableTool] struct{ t T }

func (i invoker[T]) InvokableRun(ctx context.Context, a string, o ...tool.Option) (string, error) {
	return i.t.InvokableRun(ctx, a, o...)
}

type streamer[T tool.StreamableTool] struct{ t T }

func (s streamer[T]) StreamableRun(ctx context.Context, a string, o ...tool.Option) (*schema.StreamReader[string], error) {
	return s.t.StreamableRun(ctx, a, o...)
}

type enhancedInvoker[T tool.EnhancedInvokableTool] struct{ t T }

func (i enhancedInvoker[T]) InvokableRun(ctx context.Context, a *schema.ToolArgument, o ...tool.Option) (*schema.ToolResult, error) {
	return i.t.InvokableRun(ctx, a, o...)
}

type enhancedStreamer[T tool.EnhancedStreamableTool] struct{ t T }

func (s enhancedStreamer[T]) StreamableRun(ctx context.Context, a *schema.ToolArgument, o ...tool.Option) (*schema.StreamReader[*schema.ToolResult], error) {
	return s.t.StreamableRun(ctx, a, o...)
}

// script is a model that says what was written for it, turn by turn.
type script struct {
	mu    sync.Mutex
	turns []*schema.Message
	heard [][]*schema.Message
	tools [][]*schema.ToolInfo
}

func says(turns ...*schema.Message) *script { return &script{turns: turns} }

func (s *script) next(heard []*schema.Message, opts ...model.Option) (*schema.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, slices.Clone(heard))
	s.tools = append(s.tools, model.GetCommonOptions(&model.Options{}, opts...).Tools)
	if len(s.turns) == 0 {
		return schema.AssistantMessage("nothing more to say", nil), nil
	}
	m := *s.turns[0]
	s.turns = s.turns[1:]
	return &m, nil
}

// lastHeard is the last message of the model's last turn.
func (s *script) lastHeard(t *testing.T) *schema.Message {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.NotEmpty(t, s.heard)
	last := s.heard[len(s.heard)-1]
	return last[len(last)-1]
}

func (s *script) Generate(_ context.Context, in []*schema.Message, opts ...model.Option) (*schema.Message, error) {
	return s.next(in, opts...)
}

func (s *script) Stream(_ context.Context, in []*schema.Message, opts ...model.Option) (*schema.StreamReader[*schema.Message], error) {
	m, err := s.next(in, opts...)
	if err != nil {
		return nil, err
	}
	return schema.StreamReaderFromArray([]*schema.Message{m}), nil
}

func (s *script) WithTools([]*schema.ToolInfo) (model.ToolCallingChatModel, error) { return s, nil }

// asks is a turn in which the model asks for calls.
func asks(text string, calls ...schema.ToolCall) *schema.Message {
	m := schema.AssistantMessage(text, calls)
	m.ReasoningContent = "because of " + text
	return m
}

func call(id, name, arguments string) schema.ToolCall {
	return schema.ToolCall{ID: id, Function: schema.FunctionCall{Name: name, Arguments: arguments}}
}

// drive runs an ADK agent to its end and returns the last message, the
// interrupt that it ended with, and its error.
func drive(t *testing.T, it *adk.AsyncIterator[*adk.AgentEvent]) (said string, interrupt string, err error) {
	t.Helper()
	for {
		event, ok := it.Next()
		if !ok {
			return said, interrupt, err
		}
		if event.Err != nil {
			err = event.Err
		}
		if event.Action != nil && event.Action.Interrupted != nil {
			for _, c := range event.Action.Interrupted.InterruptContexts {
				if c.IsRootCause {
					interrupt = c.ID
				}
			}
		}
		if event.Output != nil && event.Output.MessageOutput != nil {
			m, e := event.Output.MessageOutput.GetMessage()
			if e == nil {
				said = m.Content
			}
		}
	}
}

// node makes and runs a bare node.
func invokeNode(t *testing.T, ctx context.Context, conf compose.ToolsNodeConfig, calls ...schema.ToolCall) ([]string, error) {
	t.Helper()
	n, err := compose.NewToolNode(ctx, &conf)
	require.NoError(t, err)
	out, err := n.Invoke(ctx, schema.AssistantMessage("", calls))
	return contents(out), err
}

func streamNode(t *testing.T, ctx context.Context, conf compose.ToolsNodeConfig, calls ...schema.ToolCall) ([]string, error) {
	t.Helper()
	n, err := compose.NewToolNode(ctx, &conf)
	require.NoError(t, err)
	sr, err := n.Stream(ctx, schema.AssistantMessage("", calls))
	if err != nil {
		return nil, err
	}
	defer sr.Close()
	whole := make([]string, len(calls))
	for {
		chunk, err := sr.Recv()
		if errors.Is(err, io.EOF) {
			return whole, nil
		}
		if err != nil {
			return whole, err
		}
		for i, c := range contents(chunk) {
			whole[i] += c
		}
	}
}

func contents(messages []*schema.Message) []string {
	all := make([]string, len(messages))
	for i, m := range messages {
		if m == nil {
			continue
		}
		all[i] = m.Content
		for _, p := range m.UserInputMultiContent {
			all[i] += p.Text
		}
	}
	return all
}

// checkpoints is a store in memory; eino encodes what it keeps with gob.
type checkpoints struct {
	mu sync.Mutex
	m  map[string][]byte
}

func (c *checkpoints) Get(_ context.Context, id string) ([]byte, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.m[id]
	return v, ok, nil
}

func (c *checkpoints) Set(_ context.Context, id string, v []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil {
		c.m = map[string][]byte{}
	}
	c.m[id] = slices.Clone(v)
	return nil
}
