package einoguard_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/einoguard"
	"github.com/ambit-go/ambit/rationale"
)

var errOutOfStock = errors.New("out of stock")

func TestHowAToolEndsIsRecordedAndPassedOn(t *testing.T) {
	tests := map[string]struct {
		do     func(ctx context.Context, arguments string) ([]string, error)
		status rationale.Status
		check  func(*testing.T, error)
	}{
		"its own error": {
			func(context.Context, string) ([]string, error) { return nil, errOutOfStock },
			rationale.StatusError,
			func(t *testing.T, err error) { require.ErrorIs(t, err, errOutOfStock) },
		},
		"a panic": {
			func(context.Context, string) ([]string, error) { panic("wires crossed") },
			rationale.StatusPanic,
			func(t *testing.T, err error) {
				require.ErrorContains(t, err, "wires crossed")
				require.ErrorContains(t, err, "outcome_test.go", "the host needs the stack")
				var e *guard.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, guard.CodePanic, e.Code)
			},
		},
	}
	for name, tt := range tests {
		f := newFake("scale")
		f.do = tt.do
		for shape, inside := range shapes(f) {
			t.Run(name+"/"+shape, func(t *testing.T) {
				for _, run := range []func(*testing.T, context.Context, compose.ToolsNodeConfig, ...schema.ToolCall) ([]string, error){invokeNode, streamNode} {
					g, kept := newGuard(t)
					conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{inside}})
					_, err := run(t, t.Context(), conf, call("1", "scale", `{"n":1}`))
					tt.check(t, err)
					o := kept.outcome(t)
					assert.Equal(t, tt.status, o.Status)
					assert.NotContains(t, o.Error, ".go:", "a stack is no evidence")
					assert.Equal(t, kept.only(t).ID, o.Decision)
				}
			})
		}
	}
}

func TestCancelledCallDoesNotRun(t *testing.T) {
	g, kept := newGuard(t)
	f := newFake("look")
	conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{plainInvoke{f}}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	said, err := invokeNode(t, ctx, conf, call("1", "look", `{"n":1}`))
	require.NoError(t, err)
	assertRefusal(t, said[0], "deny", rationale.EvaluationError)
	assert.Equal(t, rationale.Deny, kept.only(t).Verdict)
	assert.Empty(t, f.runs())
}

// A call that is cancelled while its decision becomes durable is allowed, and
// provably did not run.
func TestCallCancelledWhileItIsDecidedDoesNotRun(t *testing.T) {
	f := newFake("look")
	for shape, inside := range shapes(f) {
		t.Run(shape, func(t *testing.T) {
			g, kept := newGuard(t)
			conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{inside}})
			ctx, cancel := context.WithCancel(t.Context())
			kept.before = cancel
			_, err := invokeNode(t, ctx, conf, call("1", "look", `{"n":1}`))
			require.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, rationale.Allow, kept.only(t).Verdict)
			assert.Equal(t, rationale.StatusNotExecuted, kept.outcome(t).Status)
			assert.Empty(t, f.runs())
		})
	}
}

// A tool that hands on that a call of its own did not run has run itself: its money is
// spent.
func TestAToolThatRanIsExecuted(t *testing.T) {
	f := newFake("look")
	f.do = func(context.Context, string) ([]string, error) {
		return nil, guard.NotExecuted(context.DeadlineExceeded)
	}
	for shape, inside := range shapes(f) {
		t.Run(shape, func(t *testing.T) {
			g, kept := newGuard(t)
			conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{inside}})
			_, err := invokeNode(t, t.Context(), conf, call("1", "look", `{"n":1}`))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, rationale.StatusError, kept.outcome(t).Status)
		})
	}
	reader, writer := schema.Pipe[string](1)
	writer.Send("", guard.NotExecuted(context.DeadlineExceeded))
	writer.Close()
	streams := newFake("look")
	g, kept := newGuard(t)
	conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{handsOn{streams, reader}}})
	_, err := invokeNode(t, t.Context(), conf, call("1", "look", `{"n":1}`))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Equal(t, rationale.StatusError, kept.outcome(t).Status)
}

// handsOn is a tool that streams what another one does.
type handsOn struct {
	*fake
	from *schema.StreamReader[string]
}

func (h handsOn) StreamableRun(context.Context, string, ...tool.Option) (*schema.StreamReader[string], error) {
	return h.from, nil
}

// The tool has acted: a run that fails now would be tried again.
func TestResultStandsWhenItsOutcomeIsNotRecorded(t *testing.T) {
	g, kept := newGuard(t)
	f := newFake("scale")
	f.do = func(context.Context, string) ([]string, error) {
		kept.fail.Store(true)
		return []string{"scaled"}, nil
	}
	conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{plainInvoke{f}}})
	said, err := invokeNode(t, t.Context(), conf, call("1", "scale", `{"n":1}`))
	require.NoError(t, err)
	assert.Equal(t, []string{"scaled"}, said)
	assert.Empty(t, kept.outcomes())
}

func TestToolRunsUnderItsDecision(t *testing.T) {
	g, kept := newGuard(t)
	f := newFake("scale")
	var under string
	f.do = func(ctx context.Context, _ string) ([]string, error) {
		under = guard.DecisionID(ctx)
		return []string{"ok"}, nil
	}
	conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{plainInvoke{f}}})
	_, err := invokeNode(t, t.Context(), conf, call("1", "scale", `{"n":1}`))
	require.NoError(t, err)
	assert.Equal(t, kept.only(t).ID, under)
}

// A tool that interrupts is called again when the run resumes: two evaluations,
// and nobody knows whether the first one acted.
func TestInterruptIsAnOutcomeAndTheResumptionAnotherCall(t *testing.T) {
	for name, inside := range shapes(interrupting("scale")) {
		t.Run(name, func(t *testing.T) {
			g, kept := newGuard(t)
			conf := configure(t, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{inside}})
			r := graphOf(t, conf)
			ask := schema.AssistantMessage("", []schema.ToolCall{call("", "scale", `{"n":1}`)})
			_, err := r.Invoke(t.Context(), ask, compose.WithCheckPointID("c"))
			info, ok := compose.ExtractInterruptInfo(err)
			require.True(t, ok, err)
			o := kept.outcome(t)
			assert.Equal(t, rationale.StatusUnknown, o.Status)
			assert.Equal(t, "*einoguard.interrupted", o.ErrorType)

			ctx := compose.ResumeWithData(t.Context(), info.InterruptContexts[0].ID, "go on")
			out, err := r.Invoke(ctx, nil, compose.WithCheckPointID("c"))
			require.NoError(t, err)
			assert.Equal(t, []string{"told: go on"}, contents(out))
			require.Len(t, kept.decisions(), 2)
			require.Len(t, kept.outcomes(), 2)
			assert.Equal(t, rationale.StatusSuccess, kept.outcomes()[1].Status)
			assert.NotEqual(t, kept.decisions()[0].CallID, kept.decisions()[1].CallID)
		})
	}
}

// interrupting asks somebody first.
func interrupting(name string) *fake {
	f := newFake(name)
	f.do = func(ctx context.Context, _ string) ([]string, error) {
		if before, _, _ := tool.GetInterruptState[string](ctx); !before {
			return nil, tool.StatefulInterrupt(ctx, "really?", "asked")
		}
		_, _, answer := tool.GetResumeContext[string](ctx)
		return []string{"told: ", answer}, nil
	}
	return f
}

func TestAToolThatEndsItsGoroutineHasAnOutcome(t *testing.T) {
	f := newFake("scale")
	f.do = func(context.Context, string) ([]string, error) { runtime.Goexit(); return nil, nil }
	for shape, inside := range map[string]tool.BaseTool{"invokable": shapes(f)["invokable"], "streamable": shapes(f)["streamable"]} {
		t.Run(shape, func(t *testing.T) {
			g, kept := newGuard(t)
			wrapped, err := einoguard.Tools(t.Context(), g, inside)
			require.NoError(t, err)
			done := make(chan struct{})
			go func() {
				defer close(done)
				switch w := wrapped[0].(type) {
				case tool.InvokableTool:
					_, _ = w.InvokableRun(t.Context(), `{"n":1}`)
				case tool.StreamableTool:
					_, _ = w.StreamableRun(t.Context(), `{"n":1}`)
				}
			}()
			<-done
			assert.Equal(t, rationale.StatusPanic, kept.outcome(t).Status)
		})
	}
}
