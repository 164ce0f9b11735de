package einoguard_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"
	"github.com/eino-contrib/jsonschema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard/einoguard"
	"github.com/ambit-go/ambit/internal/corpus"
	"github.com/ambit-go/ambit/internal/corpus/corpushost"
	"github.com/ambit-go/ambit/rationale"
)

// TestCorpus replays every case through a node. All tools of the suite are
// behind the guard, those that share a server with the called one are in the
// node, and a tool that the suite does not have comes in as an unknown one.
func TestCorpus(t *testing.T) {
	corpushost.Each(t, "../../testdata/corpus", func(t *testing.T, suite corpus.Suite, c corpus.Case) {
		host := corpushost.New(t, suite, c)
		id, err := c.Call.ToolID()
		require.NoError(t, err)
		raw, err := c.Call.RawArguments()
		require.NoError(t, err)
		served := serve(t, suite.Manifest.Tools)
		conf := compose.ToolsNodeConfig{}
		for server, tools := range served.byServer {
			wrapped, err := einoguard.ToolsFrom(t.Context(), host.Guard, server, tools...)
			require.NoError(t, err)
			if server == id.Server {
				conf.Tools = wrapped
			}
		}
		host.Rehearse(t)
		name := id.Name
		if served.digest[id.String()] == "" {
			name = id.String()
		}
		said, err := invokeNode(t, host.Context(t.Context()), configure(t, host.Guard, conf), call(c.Call.CallID, name, string(raw)))
		require.NoError(t, err, "a refusal is a result")

		d := host.Check(t)
		assert.Equal(t, served.digest[id.String()], d.Tool.Digest)
		outcomes := host.Recorder.Outcomes()[len(c.Call.Read):]
		switch {
		case c.Want.Verdict != "allow":
			assert.Empty(t, served.ran)
			assert.Empty(t, outcomes)
			assertCorpusRefusal(t, said[0], d)
		case served.digest[id.String()] == "": // observed, and even so there is nothing to run
			require.Len(t, outcomes, 1)
			assert.Equal(t, rationale.StatusNotExecuted, outcomes[0].Status)
			assertRefusal(t, said[0], "deny", rationale.UnknownTool)
		default:
			rest, _, _ := rationale.Split(raw)
			assert.Equal(t, []ranTool{{id.String(), string(rest)}}, served.ran, "once, with the bytes of the call without the rationale")
			assert.Equal(t, "done", said[0])
			require.Len(t, outcomes, 1)
			assert.Equal(t, d.ID, outcomes[0].Decision)
			assert.Equal(t, rationale.StatusSuccess, outcomes[0].Status)
		}
	})
}

// assertCorpusRefusal compares what the model got with the decision that was
// recorded, and through it with what the case wants.
func assertCorpusRefusal(t *testing.T, said string, d *rationale.Decision) {
	t.Helper()
	var refusal struct {
		Ambit   string             `json:"ambit"`
		Reasons []rationale.Reason `json:"reasons"`
		Missing []rationale.Field  `json:"rationale_missing"`
		Ticket  string             `json:"ticket"`
		Message string             `json:"message"`
	}
	require.NoError(t, json.Unmarshal([]byte(said), &refusal), said)
	assert.Equal(t, d.Verdict.String(), refusal.Ambit)
	assert.Equal(t, d.Reasons, refusal.Reasons)
	assert.NotEmpty(t, refusal.Message)
	if d.Verdict == rationale.Pend {
		assert.Equal(t, d.ID, refusal.Ticket)
	} else {
		assert.Empty(t, refusal.Ticket)
	}
	if d.RationaleCheck != nil {
		assert.Equal(t, d.RationaleCheck.Missing, refusal.Missing)
	}
}

// served are the tools of a suite as eino tools.
type served struct {
	byServer map[string][]tool.BaseTool
	digest   map[string]string // of the definition, by identity
	ran      []ranTool
}

type ranTool struct{ tool, arguments string }

// serve makes an eino tool of every tool of a manifest. Each notes that it ran.
func serve(t *testing.T, specs []authority.Tool) *served {
	t.Helper()
	s := &served{byServer: map[string][]tool.BaseTool{}, digest: map[string]string{}}
	for _, spec := range specs {
		id := spec.ID().String()
		f := newFake(spec.Name)
		f.info = einoInfo(t, spec)
		f.do = func(_ context.Context, arguments string) ([]string, error) {
			s.ran = append(s.ran, ranTool{id, arguments})
			return []string{"done"}, nil
		}
		s.byServer[spec.Server] = append(s.byServer[spec.Server], plainInvoke{f})
		s.digest[id] = spec.Digest()
	}
	return s
}

func einoInfo(t *testing.T, spec authority.Tool) *schema.ToolInfo {
	t.Helper()
	info := &schema.ToolInfo{Name: spec.Name, Desc: spec.Description}
	if len(spec.Annotations) > 0 {
		require.NoError(t, json.Unmarshal(spec.Annotations, &info.Extra))
	}
	if len(spec.Schema) > 0 {
		parameters := new(jsonschema.Schema)
		require.NoError(t, json.Unmarshal(spec.Schema, parameters))
		info.ParamsOneOf = schema.NewParamsOneOfByJSONSchema(parameters)
	}
	return info
}
