package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/examples/autoscaler/internal/fleet"
	"github.com/ambit-go/ambit/internal/shareddata"
	"github.com/ambit-go/ambit/rationale"
)

// asAction writes a decision's call as the fleet's log does.
func asAction(t *testing.T, d *rationale.Decision) string {
	t.Helper()
	var a struct {
		Workload, Region, Pool string
		Instance               string `json:"instance_type"`
		Replicas, Nodes        int
		Percent                int
	}
	require.NoError(t, json.Unmarshal(d.Arguments, &a))
	switch d.Tool.Name {
	case "k8s_scale_deployment":
		return fmt.Sprintf("scale %s %s %d", a.Workload, a.Region, a.Replicas)
	case "nodepool_resize":
		return fmt.Sprintf("resize %s %s %s %d", a.Pool, a.Region, a.Instance, a.Nodes)
	case "region_open":
		return fmt.Sprintf("open %s %s %d %d", a.Region, a.Instance, a.Nodes, a.Percent)
	}
	require.Fail(t, "an unknown tool was allowed: "+d.Tool.Name)
	return ""
}

// realTrace follows an hour that nobody made up, and compares it with the run
// on the built-in trace.
func realTrace(t *testing.T, builtin result) {
	trace, err := fleet.ReadFile(filepath.Join(shareddata.Dir(t, "load-trace"), "AzureLLMInferenceTrace_conv.csv"))
	require.NoError(t, err)
	alone := fleet.New(trace, morning)
	alone.Advance(morning.Add(trace.Length() + drain))
	require.False(t, alone.Score().GoalMet(), "the goal is met without the agent: the trace shows nothing")

	r := execute(t, trace, "real")
	records(t, r)
	agree(t, r)
	assert.Contains(t, r.screen, "goal met")
	assert.NotEqual(t, sequence(builtin), sequence(r), "two traces, two sequences of calls")
}

// sequence is every call of a run, in order.
func sequence(r result) []string {
	var calls []string
	for _, d := range r.decisions {
		calls = append(calls, d.Tool.Name+string(d.Arguments))
	}
	return calls
}

// TestShortTrace gives the agent one turn, from a file through the flags.
func TestShortTrace(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "short.csv")
	require.NoError(t, os.WriteFile(file, []byte("TIMESTAMP,ContextTokens,GeneratedTokens\n"+
		"2023-11-16 18:15:50,400,100\n2023-11-16 18:15:46.5,400,100\n"), 0o600))
	var out, problems bytes.Buffer
	code := run(t.Context(), []string{"-trace", file, "-evidence", filepath.Join(dir, "evidence")}, none, &out, &problems)
	require.Equal(t, exitDone, code, problems.String())
	assert.Contains(t, out.String(), "2 requests")
	r := result{outcomes: map[string][]*rationale.Outcome{}}
	r.read(t, filepath.Join(dir, "evidence"))
	records(t, r)
}

func none(string) string { return "" }

func TestWrongUse(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.csv")
	require.NoError(t, os.WriteFile(bad, []byte("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,1,1\n2023-11-16 18:15:47,many,1\n"), 0o600))
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	used := filepath.Join(dir, "used")
	require.NoError(t, os.Mkdir(used, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(used, "00000001.seg"), nil, 0o600))
	for name, test := range map[string]struct {
		args []string
		env  map[string]string
		code int
		want string // on standard error
	}{
		"an unknown flag":       {args: []string{"-fast"}, code: exitUsage, want: "flag provided but not defined: -fast"},
		"an argument":           {args: []string{"trace.csv"}, code: exitUsage, want: `unexpected argument "trace.csv": see -h`},
		"no such trace":         {args: []string{"-trace", filepath.Join(dir, "none")}, code: exitUsage, want: "no such file"},
		"a bad row":             {args: []string{"-trace", bad}, code: exitUsage, want: bad + `:3: ContextTokens "many": want a whole number`},
		"a key without model":   {env: map[string]string{"OPENAI_API_KEY": "k"}, code: exitUsage, want: "OPENAI_API_KEY and OPENAI_MODEL must be set together"},
		"a model without key":   {env: map[string]string{"OPENAI_MODEL": "m"}, code: exitUsage, want: "OPENAI_API_KEY and OPENAI_MODEL must be set together"},
		"evidence in no folder": {args: []string{"-evidence", file}, code: exitFailed, want: "open journal"},
		"evidence of a run":     {args: []string{"-evidence", used}, code: exitFailed, want: used + " has the records of an earlier run"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, problems bytes.Buffer
			code := run(t.Context(), test.args, func(name string) string { return test.env[name] }, &out, &problems)
			assert.Equal(t, test.code, code)
			assert.Contains(t, problems.String(), test.want)
			assert.Empty(t, out.String())
		})
	}
}

func TestHelp(t *testing.T) {
	var out, problems bytes.Buffer
	assert.Equal(t, exitDone, run(t.Context(), []string{"-h"}, none, &out, &problems))
	assert.Equal(t, usage, out.String())
	assert.Empty(t, problems.String())
}
