package authority_test

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
)

var compileHost = authority.Manifest{
	Tools: []authority.Tool{{
		Name: "act", Schema: json.RawMessage(`{"type":"object","properties":{
			"n":{"type":"integer"},"ratio":{"type":"number"},"zone":{"type":"string","enum":["a","b"]},
			"note":{"type":"string"},"items":{"type":"array","items":{"type":"object","properties":{"cost":{"type":"number"}}}}}}`),
	}},
	Facts:      []authority.FactSpec{{Name: "load", Type: "double"}, {Name: "replicas", Type: "int"}},
	Derived:    []authority.DerivedSpec{{Tool: "act", Name: "kinds", Type: "list<string>"}},
	Estimators: []authority.EstimatorSpec{{Name: "fares", Currency: "USD"}},
}

const compileHead = `apiVersion: ambit/v1
kind: Authorization
id: one
owner: {id: owner@example.com}
agent: {id: bot, environments: [prod]}
grant: {by: [{id: grantor@example.com}], at: 2026-10-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
approval: {by: [group:leads]}
review: {by: [group:risk]}
classes:
  - id: act
    tools: [act]
    tier: parameterized
`

// TestCompileErrors compares what is wrong with a class against a tool, with
// the place, in testdata/compile.txtar: a comment that says what the file is,
// then for each case the lines of the class and what Load or, for cases whose
// name begins with "vet", Vet says. Run with -update to write what they say.
func TestCompileErrors(t *testing.T) {
	const file = "testdata/compile.txtar"
	archive, err := txtar.ParseFile(file)
	require.NoError(t, err)
	require.NotEmpty(t, archive.Files)
	for i, f := range archive.Files {
		class, want, ok := strings.Cut(string(f.Data), "=>\n")
		require.True(t, ok, f.Name)
		doc := authority.Document{Name: "a.yaml", Data: []byte(compileHead + class)}
		set, err := authority.Load([]authority.Document{doc}, compileHost, authority.AllowUnsigned())
		got := ""
		switch {
		case err != nil:
			got = err.Error() + "\n"
		case strings.HasPrefix(f.Name, "vet"):
			for _, finding := range set.Vet(noon) {
				got += finding.Error.Error() + "\n"
			}
		}
		if flag.Lookup("update").Value.String() == "true" {
			archive.Files[i].Data = []byte(class + "=>\n" + got)
			continue
		}
		assert.Equal(t, want, got, f.Name)
	}
	if flag.Lookup("update").Value.String() == "true" {
		require.NoError(t, os.WriteFile(file, txtar.Format(archive), 0o600))
	}
}

// A class that may not record its arguments keeps them out even where the call
// finds no class.
func TestDroppedArgumentsOfACallWithoutAClass(t *testing.T) {
	doc := authority.Document{Name: "a.yaml", Data: []byte(compileHead + `    when: "args.zone == 'a' && 'x' in derived.kinds"
    record: {arguments: drop}
`)}
	set, err := authority.Load([]authority.Document{doc}, compileHost, authority.AllowUnsigned())
	require.NoError(t, err)
	c := set.Classify(authority.Call{
		At: noon, Agent: rationale.Agent{ID: "bot", Environment: "prod"}, Tool: compileHost.Tools[0].ID(),
		Arguments: []byte(`{"zone":"b","note":"hidden"}`),
		Derive:    func(string, json.RawMessage) (any, error) { return []string{"hidden"}, nil },
	})
	d := set.Assess(c, authority.Input{})
	require.Equal(t, []rationale.Reason{rationale.Unclassified}, d.Reasons)
	d.ID = "0"
	record, err := rationale.Marshal(d)
	require.NoError(t, err)
	assert.NotContains(t, string(record), "hidden")
}
