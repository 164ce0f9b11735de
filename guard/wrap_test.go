package guard_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/rationale"
)

func TestWrap(t *testing.T) {
	guardtest.TestAdapter(t, guardtest.Adapter{
		Wrap: map[string]func(*testing.T, *guard.Guard, authority.Tool, guardtest.Func) guardtest.Invoke{
			"wrap": func(t *testing.T, g *guard.Guard, tool authority.Tool, fn guardtest.Func) guardtest.Invoke {
				call, err := guard.Wrap(g, tool, fn)
				require.NoError(t, err)
				return func(ctx context.Context, id string, arguments []byte) ([]byte, error) {
					return call(ctx, guard.Call{ID: id, Arguments: arguments})
				}
			},
		},
		Unwrapped: func(_ *testing.T, g *guard.Guard, name string, fn guardtest.Func) guardtest.Invoke {
			return func(ctx context.Context, id string, arguments []byte) ([]byte, error) {
				ctx, d := g.Begin(ctx, guard.Call{ID: id, Tool: classify.ToolID{Name: name}, Arguments: arguments})
				if !d.Allowed() {
					return d.Refusal(), nil
				}
				return fn(ctx, d.Args)
			}
		},
	})
}

func TestTracerFakeConforms(t *testing.T) {
	guardtest.TestTracer(t, func(*testing.T) guard.Tracer { return new(guardtest.Tracer) })
}

func TestWrapIgnoresTheToolThatTheCallNames(t *testing.T) {
	var recorder guardtest.Recorder
	g := guardtest.New(t, &recorder)
	call, err := guard.Wrap(g, guardtest.Scale(), func(context.Context, []byte) ([]byte, error) { return nil, nil })
	require.NoError(t, err)
	_, err = call(t.Context(), guard.Call{Tool: classify.ToolID{Name: "fleet.read"}, Arguments: []byte(`{"replicas":11}`)})
	require.NoError(t, err)
	assert.Equal(t, "fleet.scale", recorder.Decisions()[0].Tool.Name)
}

// cancelling is a tracer that cancels the call once it is decided.
type cancelling struct {
	guardtest.Tracer
	cancel context.CancelFunc
}

func (c *cancelling) Execute(ctx context.Context, d *rationale.Decision) context.Context {
	c.cancel()
	return c.Tracer.Execute(ctx, d)
}

func TestWrapDoesNotStartACancelledTool(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var recorder guardtest.Recorder
	g := guardtest.New(t, &recorder, guard.WithTracer(&cancelling{cancel: cancel}))
	call, err := guard.Wrap(g, guardtest.Scale(), func(context.Context, []byte) ([]byte, error) {
		t.Error("it ran")
		return nil, nil
	})
	require.NoError(t, err)
	_, err = call(ctx, guard.Call{Arguments: []byte(`{"replicas":1,"_rationale":{"purpose":"x"}}`)})
	assert.Equal(t, guard.CodeNotExecuted, codeOf(t, err))
	assert.ErrorIs(t, err, context.Canceled)
	require.Len(t, recorder.Outcomes(), 1)
	assert.Equal(t, rationale.StatusNotExecuted, recorder.Outcomes()[0].Status)
}

func TestWrapGivesResultAndErrorWhenTheOutcomeIsNotRecorded(t *testing.T) {
	var recorder guardtest.Recorder
	g := guardtest.New(t, &recorder)
	call, err := guard.Wrap(g, guardtest.Scale(), func(context.Context, []byte) ([]byte, error) {
		recorder.Fail(errors.New("disk full"))
		return []byte("scaled"), nil
	})
	require.NoError(t, err)
	result, err := call(t.Context(), guard.Call{Arguments: []byte(`{"replicas":1,"_rationale":{"purpose":"x"}}`)})
	assert.Equal(t, guard.CodeEvidence, codeOf(t, err))
	assert.Equal(t, "scaled", string(result))
}

func TestWrapRefusesWhatItCannotRegister(t *testing.T) {
	g := guardtest.New(t, &guardtest.Recorder{})
	run := func(context.Context, []byte) ([]byte, error) { return nil, nil }
	_, err := guard.Wrap(g, guardtest.Scale(), nil)
	assert.Error(t, err)
	_, err = guard.Wrap(g, authority.Tool{Name: "a/b"}, run)
	assert.Error(t, err)
	_, err = guard.Wrap(nil, guardtest.Scale(), run)
	assert.Error(t, err)
}

// Whatever a tool does, an allowed call has exactly one outcome.
func TestWrapRecordsAnOutcomeOfEveryEnd(t *testing.T) {
	for name, c := range map[string]struct {
		run    func(context.Context, []byte) ([]byte, error)
		status rationale.Status
	}{
		"it ends its goroutine": {func(context.Context, []byte) ([]byte, error) { runtime.Goexit(); return nil, nil }, rationale.StatusPanic},
		"a nil *Error":          {func(context.Context, []byte) ([]byte, error) { var e *guard.Error; return nil, e }, rationale.StatusError},
		"a call of its own did not run": {func(context.Context, []byte) ([]byte, error) {
			return nil, guard.NotExecuted(context.Canceled)
		}, rationale.StatusError},
	} {
		t.Run(name, func(t *testing.T) {
			var recorder guardtest.Recorder
			call, err := guard.Wrap(guardtest.New(t, &recorder), guardtest.Scale(), c.run)
			require.NoError(t, err)
			ended := make(chan any)
			go func() {
				var panicked any
				defer func() { ended <- panicked }()
				defer func() { panicked = recover() }()
				_, _ = call(context.Background(), guard.Call{Arguments: []byte(`{"replicas":1,"_rationale":{"purpose":"x"}}`)})
			}()
			assert.Nil(t, <-ended)
			require.Len(t, recorder.Outcomes(), 1)
			assert.Equal(t, c.status, recorder.Outcomes()[0].Status)
		})
	}
}
