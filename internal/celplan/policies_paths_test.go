package celplan_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

// collection is a file of testdata/policies.
type collection struct {
	scope    *diffScope
	calls    map[string]diffInput
	policies []policy
}

// policy is an expression, and what it comes to for some of the calls.
type policy struct {
	src  string
	want map[string]string
}

// TestPolicies evaluates expressions after the patterns of public policy
// collections on both paths.
func TestPolicies(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "policies", "*.txtar"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 3, "collections")
	total, native := 0, 0
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			c := readCollection(t, file)
			for _, p := range c.policies {
				total++
				ok, why := c.check(t, p)
				if ok {
					native++
				} else {
					t.Logf("falls back, since %s:\n%s", why, p.src)
				}
			}
		})
	}
	t.Logf("%d of %d run natively", native, total)
	assert.GreaterOrEqual(t, total, 150)
	assert.GreaterOrEqual(t, native*100, total*95)
}

// check compares both paths for every call, and the outcomes to the expected.
func (c collection) check(t *testing.T, p policy) (native bool, why string) {
	both, err := c.scope.env.Compile(p.src, strictjson.Bool)
	require.NoError(t, err, p.src)
	host, err := c.scope.host.Compile(p.src, strictjson.Bool)
	require.NoError(t, err, p.src)
	for _, name := range slices.Sorted(maps.Keys(c.calls)) {
		out, different := compareCall(t, c.scope, []*celplan.Program{both, host}, p.src, strictjson.Bool, c.calls[name])
		assert.Empty(t, different, "%s\nfor %s", p.src, name)
		if want, ok := p.want[name]; ok {
			assert.Equal(t, want, out.value+out.why, "%s\nfor %s", p.src, name)
		}
	}
	return both.Native()
}

func readCollection(t *testing.T, file string) collection {
	archive, err := txtar.ParseFile(file)
	require.NoError(t, err)
	require.Contains(t, string(archive.Comment), "https://", "it names the collection")
	c := collection{calls: map[string]diffInput{}}
	for _, f := range archive.Files {
		dir, name := filepath.Split(f.Name)
		switch {
		case name == "scope.json":
			c.scope = newDiffScope(t, readDeclaration(t, name, f.Data))
		case dir == "calls/":
			c.calls[strings.TrimSuffix(name, ".json")] = readCall(t, c.scope, f.Data)
		case name == "expressions.txt":
			c.policies = readPolicies(t, string(f.Data))
		default:
			t.Fatalf("%s: what is %s?", file, f.Name)
		}
	}
	for _, p := range c.policies {
		require.NotEmpty(t, p.want, p.src)
		for name := range p.want {
			require.Contains(t, c.calls, name, p.src)
		}
	}
	return c
}

func readDeclaration(t *testing.T, name string, data []byte) declaration {
	var raw struct {
		Schema  json.RawMessage   `json:"schema"`
		Derived map[string]string `json:"derived"`
		Facts   map[string]string `json:"facts"`
	}
	require.NoError(t, json.Unmarshal(data, &raw), name)
	return declaration{name: name, schema: string(raw.Schema), derived: raw.Derived, facts: raw.Facts}
}

func readPolicies(t *testing.T, text string) []policy {
	var out []policy
	for _, block := range strings.Split(strings.TrimSpace(text), "\n\n") {
		p := policy{want: map[string]string{}}
		for _, line := range strings.Split(block, "\n") {
			expected, isExpected := strings.CutPrefix(line, "\t")
			switch {
			case strings.HasPrefix(line, "//"):
			case isExpected:
				name, want, ok := strings.Cut(expected, ": ")
				require.True(t, ok, line)
				p.want[name] = want
			default:
				require.Empty(t, p.want, "the expression goes on after what is expected: %s", line)
				p.src = strings.TrimPrefix(p.src+"\n"+line, "\n")
			}
		}
		out = append(out, p)
	}
	return out
}

// readCall reads a call. Without a call of its own it is the usual one; an
// unavailable fact timed out.
func readCall(t *testing.T, s *diffScope, data []byte) diffInput {
	var raw struct {
		Args        json.RawMessage            `json:"args"`
		Derived     map[string]json.RawMessage `json:"derived"`
		Facts       map[string]json.RawMessage `json:"facts"`
		Unavailable []string                   `json:"unavailable"`
		Call        struct{ Agent, Time string }
	}
	require.NoError(t, json.Unmarshal(data, &raw))
	call := diffInput{args: raw.Args, in: &celplan.Input{
		Unavailable: map[string]string{},
		Call: celplan.CallInfo{
			Tool: "k8s.apply", Agent: "autoscaler", Environment: "prod", Session: "s1",
			Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		},
	}}
	if raw.Call.Agent != "" {
		call.in.Call.Agent = raw.Call.Agent
	}
	if raw.Call.Time != "" {
		var err error
		call.in.Call.Time, err = time.Parse(time.RFC3339, raw.Call.Time)
		require.NoError(t, err)
	}
	var err error
	call.in.Args, err = s.schema.Decode(raw.Args, strictjson.DefaultLimits())
	require.NoError(t, err)
	call.in.Facts = readHosted(t, s.scope.Facts, raw.Facts)
	call.in.Derived = readHosted(t, s.scope.Derived, raw.Derived)
	for _, name := range raw.Unavailable {
		call.in.Unavailable[name] = "timeout"
	}
	return call
}

func readHosted(t *testing.T, declared *strictjson.Type, raw map[string]json.RawMessage) strictjson.Value {
	var members []strictjson.Member
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		f, ok := declared.Field(name)
		require.True(t, ok, name)
		v, err := strictjson.FromGo(f.Type, hostValue(t, f.Type, raw[name]))
		require.NoError(t, err, name)
		members = append(members, strictjson.Member{Name: name, Value: v})
	}
	return object(members...)
}

// hostValue reads what a host's function would return: times as RFC 3339,
// durations as Go writes them.
func hostValue(t *testing.T, declared *strictjson.Type, raw json.RawMessage) any {
	read := func(into any) {
		require.NoError(t, json.Unmarshal(raw, into), "%s is no %s", raw, declared)
	}
	switch declared.Kind {
	case strictjson.List:
		var elems []json.RawMessage
		read(&elems)
		out := make([]any, len(elems))
		for i, elem := range elems {
			out[i] = hostValue(t, declared.Elem, elem)
		}
		return out
	case strictjson.Map:
		var members map[string]json.RawMessage
		read(&members)
		out := map[string]any{}
		for name, member := range members {
			out[name] = hostValue(t, declared.Elem, member)
		}
		return out
	case strictjson.Int:
		var v int64
		read(&v)
		return v
	case strictjson.Timestamp:
		var v time.Time
		read(&v)
		return v
	case strictjson.Duration:
		var text string
		read(&text)
		v, err := time.ParseDuration(text)
		require.NoError(t, err)
		return v
	}
	var v any
	read(&v)
	return v
}

// TestPoliciesFormat reads what the format is for.
func TestPoliciesFormat(t *testing.T) {
	got := readPolicies(t, "// why\na &&\nb\n\tone: true\n\ttwo: it: failed\n\nc\n\tone: false\n")
	assert.Equal(t, []policy{
		{src: "a &&\nb", want: map[string]string{"one": "true", "two": "it: failed"}},
		{src: "c", want: map[string]string{"one": "false"}},
	}, got)
	assert.Equal(t, "[1 2]", fmt.Sprint(hostValue(t, listOf(typ(strictjson.Int)), []byte(`[1, 2]`))))
}
