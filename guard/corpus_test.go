package guard_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/internal/corpus"
	"github.com/ambit-go/ambit/internal/corpus/corpushost"
	"github.com/ambit-go/ambit/rationale"
)

const corpusDir = "../testdata/corpus"

// TestCorpusBegin replays every case through Begin and End.
func TestCorpusBegin(t *testing.T) {
	corpushost.Each(t, corpusDir, func(t *testing.T, suite corpus.Suite, c corpus.Case) {
		host := corpushost.New(t, suite, c)
		host.Register(t)
		host.Rehearse(t)
		tool, err := c.Call.ToolID()
		require.NoError(t, err)
		raw, err := c.Call.RawArguments()
		require.NoError(t, err)
		ctx, d := host.Guard.Begin(host.Context(t.Context()), guard.Call{ID: c.Call.CallID, Tool: tool, Arguments: raw})
		assert.Equal(t, c.Want.Verdict, d.Verdict().String())
		assert.Equal(t, c.Want.Verdict == "allow", d.Refusal() == nil)
		host.Check(t)
		if d.Allowed() {
			require.NoError(t, host.Guard.End(ctx, d, nil, nil))
		}
	})
}

// TestCorpusWrap replays every case of a registered tool through Wrap, and
// asserts that the function runs if and only if the case allows it.
func TestCorpusWrap(t *testing.T) {
	corpushost.Each(t, corpusDir, func(t *testing.T, suite corpus.Suite, c corpus.Case) {
		host := corpushost.New(t, suite, c)
		host.Register(t)
		host.Rehearse(t)
		tool, ok := find(suite.Manifest.Tools, c.Call.Tool)
		if !ok {
			assert.Equal(t, []string{string(rationale.UnknownTool)}, c.Want.Reasons, "only an unknown tool cannot be wrapped")
			return
		}
		raw, err := c.Call.RawArguments()
		require.NoError(t, err)
		ran := false
		call, err := guard.Wrap(host.Guard, tool, func(_ context.Context, arguments []byte) ([]byte, error) {
			ran = true
			rest, _, _ := rationale.Split(raw)
			assert.Equal(t, string(rest), string(arguments), "the tool gets the bytes of the call without the rationale")
			return []byte("done"), nil
		})
		require.NoError(t, err)
		result, err := call(host.Context(t.Context()), guard.Call{ID: c.Call.CallID, Arguments: raw})
		require.NoError(t, err)
		host.Check(t)
		assert.Equal(t, c.Want.Verdict == "allow", ran)
		assert.Equal(t, ran, string(result) == "done")
	})
}

func find(tools []authority.Tool, id string) (authority.Tool, bool) {
	for _, tool := range tools {
		if tool.ID().String() == id {
			return tool, true
		}
	}
	return authority.Tool{}, false
}
