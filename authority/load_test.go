package authority_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

// fleet is documents with so many classes, ten for each tool and twenty in each
// document, whose expressions are all distinct. The tools have few shapes.
func fleet(classes int) ([]authority.Document, authority.Manifest) {
	const perTool, perDocument, shapes = 10, 20, 4
	m := authority.Manifest{Facts: []authority.FactSpec{{Name: "replicas", Type: "int"}, {Name: "freeze", Type: "bool"}}}
	for tool := range classes / perTool {
		schema := fmt.Sprintf(`{"type":"object","additionalProperties":false,"required":["kind"],"properties":{
			"kind":{"type":"string"},"region":{"type":"string"},"replicas":{"type":"integer"},"extra%d":{"type":"string"}}}`, tool%shapes)
		m.Tools = append(m.Tools, authority.Tool{Name: fmt.Sprintf("t%d.act", tool), Schema: json.RawMessage(schema)})
	}
	var docs []authority.Document
	for from := 0; from < classes; from += perDocument {
		var b strings.Builder
		fmt.Fprintf(&b, "apiVersion: ambit/v1\nkind: Authorization\nid: d%d\nowner: {id: o@example.com}\n", from)
		b.WriteString("agent: {id: bot, environments: [prod]}\napproval: {by: [group:leads]}\nreview: {by: [group:risk]}\n")
		b.WriteString("grant: {by: [{id: g@example.com}], at: 2026-10-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}\nclasses:\n")
		for i := from; i < min(from+perDocument, classes); i++ {
			fmt.Fprintf(&b, `  - id: c%[1]d
    tools: [t%[2]d.act]
    when: "args.kind == 'k%[1]d'"
    tier: parameterized
    rationale: []
    allow: {args.region: [eu-west-1, eu-central-1, region-%[1]d]}
    bounds:
      - {expr: "args.replicas >= 3 && args.replicas <= %[1]d + 60", why: capacity of %[1]d}
      - {expr: "args.replicas <= facts.replicas * 2 + %[1]d", why: at most double}
    escalate: [{when: "args.replicas > facts.replicas + %[1]d || facts.freeze", to: bounded_escalation, code: large}]
`, i, i/perTool)
		}
		docs = append(docs, authority.Document{Name: fmt.Sprintf("d%05d.yaml", from), Data: []byte(b.String())})
	}
	return docs, m
}

// However the work is shared out, the errors are the same, in the same order,
// and so is the Set.
func TestLoadIsDeterministic(t *testing.T) {
	docs, m := fleet(100)
	for i := range docs {
		docs[i].Data = []byte(strings.Replace(string(docs[i].Data), "args.replicas >= 3", "args.replica >= 3", i+1))
	}
	_, want := authority.Load(docs, m, authority.AllowUnsigned())
	errs, ok := errors.AsType[authority.Errors](want)
	require.True(t, ok)
	assert.Len(t, errs, 15, "one of the first document, two of the second, …")
	good, _ := fleet(100)
	set, err := authority.Load(good, m, authority.AllowUnsigned())
	require.NoError(t, err)
	inventory, err := json.Marshal(set.Inventory(noon))
	require.NoError(t, err)
	for _, procs := range []int{1, 2, 7} {
		was := runtime.GOMAXPROCS(procs)
		_, err := authority.Load(docs, m, authority.AllowUnsigned())
		again, againErr := authority.Load(good, m, authority.AllowUnsigned())
		runtime.GOMAXPROCS(was)
		require.EqualError(t, err, want.Error())
		require.NoError(t, againErr)
		got, err := json.Marshal(again.Inventory(noon))
		require.NoError(t, err)
		assert.Equal(t, string(inventory), string(got))
	}
}

// Every class of a fleet is found, by the tool and the condition that it has.
func TestFleetFindsEveryClass(t *testing.T) {
	const classes = 100
	docs, m := fleet(classes)
	set, err := authority.Load(docs, m, authority.AllowUnsigned())
	require.NoError(t, err)
	for i := range classes {
		got := set.Evaluate(authority.Call{
			At: noon, Agent: rationale.Agent{ID: "bot", Environment: "prod"}, Tool: classify.ToolID{Name: fmt.Sprintf("t%d.act", i/10)},
			Arguments: fmt.Appendf(nil, `{"kind":"k%d","region":"region-%d","replicas":%d}`, i, i, i+60),
		}, authority.Input{Facts: map[string]authority.FactValue{"replicas": {Value: int64(100)}, "freeze": {Value: false}}})
		assert.Equal(t, fmt.Sprintf("c%d", i), got.Class)
		assert.Equal(t, rationale.Allow, got.Verdict)
	}
}

func BenchmarkLoad(b *testing.B) {
	docs, m := fleet(1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := authority.Load(docs, m, authority.AllowUnsigned()); err != nil {
			b.Fatal(err)
		}
	}
}
