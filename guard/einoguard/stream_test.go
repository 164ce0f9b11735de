package einoguard_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/schema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ambit-go/ambit/guard/einoguard"
	"github.com/ambit-go/ambit/rationale"
)

// tail is a tool whose stream the test writes.
type tail struct {
	*fake
	to   *schema.StreamWriter[string]
	from *schema.StreamReader[string]
}

func newTail() *tail {
	from, to := schema.Pipe[string](0)
	return &tail{newFake("look"), to, from}
}

func (tl *tail) StreamableRun(context.Context, string, ...tool.Option) (*schema.StreamReader[string], error) {
	return tl.from, nil
}

// start runs the tool behind a guard.
func (tl *tail) start(t *testing.T, ctx context.Context) (*schema.StreamReader[string], *evidence) {
	t.Helper()
	g, kept := newGuard(t)
	wrapped, err := einoguard.Tools(t.Context(), g, tl)
	require.NoError(t, err)
	sr, err := wrapped[0].(tool.StreamableTool).StreamableRun(ctx, `{"n":1}`)
	require.NoError(t, err)
	return sr, kept
}

func TestStreamIsRecordedOnceHoweverItEnds(t *testing.T) {
	tests := map[string]struct {
		run    func(t *testing.T, tl *tail, sr *schema.StreamReader[string], cancel context.CancelFunc)
		status rationale.Status
		typ    string
		bytes  int64
	}{
		"at its end": {
			func(t *testing.T, tl *tail, sr *schema.StreamReader[string], _ context.CancelFunc) {
				go func() {
					tl.to.Send("one ", nil)
					tl.to.Send("two", nil)
					tl.to.Close()
				}()
				assert.Equal(t, "one two", readAll(t, sr))
				sr.Close()
			},
			rationale.StatusSuccess, "", 7,
		},
		"without a chunk": {
			func(t *testing.T, tl *tail, sr *schema.StreamReader[string], _ context.CancelFunc) {
				tl.to.Close()
				assert.Empty(t, readAll(t, sr))
				sr.Close()
			},
			rationale.StatusSuccess, "", 0,
		},
		"when nobody reads": {
			func(_ *testing.T, tl *tail, sr *schema.StreamReader[string], _ context.CancelFunc) {
				tl.to.Close()
			},
			rationale.StatusSuccess, "", 0,
		},
		"at its first error": {
			func(t *testing.T, tl *tail, sr *schema.StreamReader[string], _ context.CancelFunc) {
				go func() {
					tl.to.Send("one", nil)
					tl.to.Send("", errOutOfStock)
					tl.to.Send("two", nil)
					tl.to.Send("", errors.New("another"))
					tl.to.Close()
				}()
				_, err := sr.Recv()
				require.NoError(t, err)
				_, err = sr.Recv()
				require.ErrorIs(t, err, errOutOfStock)
				chunk, err := sr.Recv()
				require.NoError(t, err, "what follows an error is passed on as well")
				assert.Equal(t, "two", chunk)
				sr.Close()
			},
			rationale.StatusError, "*errors.errorString", 3,
		},
		"when its reader is closed early": {
			func(t *testing.T, tl *tail, sr *schema.StreamReader[string], _ context.CancelFunc) {
				go func() {
					for !tl.to.Send("more", nil) {
					}
					tl.to.Close()
				}()
				_, err := sr.Recv()
				require.NoError(t, err)
				sr.Close()
			},
			rationale.StatusUnknown, "*einoguard.unfinished", 8,
		},
		"when the call is cancelled and the tool hangs": {
			func(t *testing.T, tl *tail, sr *schema.StreamReader[string], cancel context.CancelFunc) {
				tl.to.Send("one", nil)
				cancel()
				_, err := sr.Recv()
				require.NoError(t, err)
				t.Cleanup(func() {
					tl.to.Close()
					_, err := sr.Recv()
					assert.Equal(t, io.EOF, err)
					sr.Close()
				})
			},
			rationale.StatusUnknown, "canceled", 0,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			t.Cleanup(func() { goleak.VerifyNone(t, before) })
			ctx, cancel := context.WithCancel(context.Background())
			t.Cleanup(cancel)
			tl := newTail()
			sr, kept := tl.start(t, ctx)
			tt.run(t, tl, sr, cancel)
			o := kept.outcome(t)
			assert.Equal(t, tt.status, o.Status)
			assert.Equal(t, tt.typ, o.ErrorType)
			assert.Equal(t, tt.bytes, o.ResultBytes)
			cancel()
			time.Sleep(5 * time.Millisecond)
			assert.Len(t, kept.outcomes(), 1, "the cancellation that follows adds none")
		})
	}
}

func readAll(t *testing.T, sr *schema.StreamReader[string]) string {
	t.Helper()
	var all string
	for {
		chunk, err := sr.Recv()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all += chunk
	}
}

// The reader never learns of an end that is not recorded yet.
func TestOutcomePrecedesTheEndOfTheStream(t *testing.T) {
	for range 50 {
		tl := newTail()
		sr, kept := tl.start(t, t.Context())
		tl.to.Close()
		_, err := sr.Recv()
		require.Equal(t, io.EOF, err)
		require.Len(t, kept.outcomes(), 1)
		sr.Close()
	}
}

// A conversion runs where its stream is read: in the guard's goroutine, whose
// panic would end the process.
func TestPanicInAStream(t *testing.T) {
	tl := newTail()
	tl.from = schema.StreamReaderWithConvert(schema.StreamReaderFromArray([]string{"one", "two", "three"}), func(s string) (string, error) {
		if s == "two" {
			panic("cannot convert")
		}
		return s, nil
	})
	sr, kept := tl.start(t, t.Context())
	defer sr.Close()
	chunk, err := sr.Recv()
	require.NoError(t, err)
	assert.Equal(t, "one", chunk)
	_, err = sr.Recv()
	require.ErrorContains(t, err, "cannot convert")
	_, err = sr.Recv()
	assert.Equal(t, io.EOF, err, "nobody knows the state of a reader that panicked")
	assert.Equal(t, rationale.StatusPanic, kept.outcome(t).Status)
}

func TestToolThatClosedItsOwnReader(t *testing.T) {
	tl := newTail()
	tl.from.Close()
	tl.to.Close()
	sr, kept := tl.start(t, t.Context())
	_, err := sr.Recv()
	assert.Equal(t, io.EOF, err)
	assert.Equal(t, rationale.StatusSuccess, kept.outcome(t).Status)
}

func TestToolWithoutStream(t *testing.T) {
	g, kept := newGuard(t)
	tl := newTail()
	tl.from = nil
	wrapped, err := einoguard.Tools(t.Context(), g, tl)
	require.NoError(t, err)
	_, err = wrapped[0].(tool.StreamableTool).StreamableRun(t.Context(), `{"n":1}`)
	require.ErrorContains(t, err, "neither a stream nor an error")
	assert.Equal(t, rationale.StatusError, kept.outcome(t).Status)
}

// What a tool puts into a result beside its text is host code when it is
// encoded, and nobody's failure.
func TestResultsThatHaveNoJSON(t *testing.T) {
	tests := map[string]any{"an error": failingJSON{}, "a panic": panickingJSON{}}
	for name, extra := range tests {
		t.Run(name, func(t *testing.T) {
			g, kept := newGuard(t)
			image := schema.ToolOutputPart{Type: schema.ToolPartTypeImage, Image: &schema.ToolOutputImage{}}
			spoilt := image
			spoilt.Extra = map[string]any{"x": extra}
			result := &schema.ToolResult{Parts: []schema.ToolOutputPart{{Type: schema.ToolPartTypeText, Text: "a graph"}, spoilt, image}}
			wrapped, err := einoguard.Tools(t.Context(), g, picturing{newFake("look"), result})
			require.NoError(t, err)
			sr, err := wrapped[0].(tool.EnhancedStreamableTool).StreamableRun(t.Context(), &schema.ToolArgument{Text: `{"n":1}`})
			require.NoError(t, err)
			defer sr.Close()
			got, err := sr.Recv()
			require.NoError(t, err)
			assert.Same(t, result, got)
			_, err = sr.Recv()
			require.Equal(t, io.EOF, err)
			o := kept.outcome(t)
			assert.Equal(t, rationale.StatusSuccess, o.Status)
			assert.Equal(t, rationale.Digest([]byte(`a graph{"type":"image","image":{}}`+"\n")), o.ResultDigest)
		})
	}
}

type picturing struct {
	*fake
	result *schema.ToolResult
}

func (p picturing) StreamableRun(context.Context, *schema.ToolArgument, ...tool.Option) (*schema.StreamReader[*schema.ToolResult], error) {
	return schema.StreamReaderFromArray([]*schema.ToolResult{p.result}), nil
}

type failingJSON struct{}

func (failingJSON) MarshalJSON() ([]byte, error) { return nil, errors.New("no") }

type panickingJSON struct{}

func (panickingJSON) MarshalJSON() ([]byte, error) { panic("no") }
