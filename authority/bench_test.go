package authority_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
)

// typicalDocument has a class with nine checks: its standing, two allow-lists,
// two bounds, two triggers, what it costs and what band that falls in.
const typicalDocument = `apiVersion: ambit/v1
kind: Authorization
id: scaler
owner: {id: owner@example.com}
agent: {id: bot, environments: [prod]}
grant: {by: [{id: grantor@example.com}], at: 2026-10-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
approval: {by: [group:leads]}
review: {by: [group:risk]}
classes:
  - id: scale
    tools: [k8s.scale]
    when: "args.kind == 'Deployment'"
    tier: parameterized
    rationale: []
    allow:
      args.region: [eu-west-1, eu-central-1]
      args.workload: [payments-api, payments-worker]
    bounds:
      - {expr: "args.replicas >= 3 && args.replicas <= 60", why: capacity envelope}
      - {expr: "args.replicas <= facts.replicas * 2", why: at most double per step}
    escalate:
      - {when: "args.replicas > facts.replicas + 10", to: bounded_escalation, code: large_step}
      - {when: "facts.freeze", to: authorization_required, code: freeze}
    spend:
      currency: EUR
      estimate: {quantity: "args.replicas - facts.replicas", unit: args.type, horizon: 24h, prices: {m7g.large: "0.0952"}}
      per_event: {parameterized: "250.00", authorization_required: "5000.00"}
  - {id: other, tools: [k8s.scale], when: "args.kind == 'StatefulSet'", tier: authorization_required}
`

var typicalHost = authority.Manifest{
	Tools: []authority.Tool{{Name: "k8s.scale", Schema: json.RawMessage(`{"type":"object","additionalProperties":false,
		"required":["kind","workload","region","replicas"],"properties":{"kind":{"type":"string"},"workload":{"type":"string"},
		"region":{"type":"string"},"replicas":{"type":"integer"},"type":{"type":"string"},"note":{"type":"string"}}}`)}},
	Facts: []authority.FactSpec{{Name: "replicas", Type: "int", MaxAge: time.Minute, By: []string{"args.workload"}}, {Name: "freeze", Type: "bool"}},
}

const typicalArguments = `{"kind": "Deployment", "workload": "payments-api", "region": "eu-west-1", "replicas": 14, "type": "m7g.large", "note": "evening peak"}`

func typical(t testing.TB, opts ...authority.Option) (*authority.Set, authority.Call, authority.Input) {
	t.Helper()
	doc := authority.Document{Name: "scaler.yaml", Data: []byte(typicalDocument)}
	set, err := authority.Load([]authority.Document{doc}, typicalHost, append(opts, authority.AllowUnsigned())...)
	require.NoError(t, err)
	call := authority.Call{
		At: noon, Agent: rationale.Agent{ID: "bot", Environment: "prod", Session: "s-1"}, CallID: "c-1",
		Model: rationale.Model{Provider: "acme", Name: "m1", Version: "20260901"}, Tool: typicalHost.Tools[0].ID(),
		Arguments: []byte(typicalArguments),
	}
	in := authority.Input{Facts: map[string]authority.FactValue{
		"replicas": {Value: int64(12), At: noon.Add(-time.Second)}, "freeze": {Value: false, At: noon},
	}}
	return set, call, in
}

func BenchmarkEvaluate(b *testing.B) {
	set, call, in := typical(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if set.Evaluate(call, in).Verdict != rationale.Allow {
				b.Error("not allowed")
			}
		}
	})
}

func BenchmarkEvaluateDeny(b *testing.B) {
	set, call, in := typical(b)
	call.Arguments = []byte(strings.Replace(typicalArguments, "14", "61", 1))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if set.Evaluate(call, in).Verdict != rationale.Deny {
				b.Error("not denied")
			}
		}
	})
}

func BenchmarkAssess(b *testing.B) {
	set, call, in := typical(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c := set.Classify(call)
			if set.Assess(c, in).Verdict != rationale.Allow {
				b.Error("not allowed")
			}
		}
	})
}

// BenchmarkClassesOfOneTool shows that a call costs the same however many
// classes its tool has.
func BenchmarkClassesOfOneTool(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		set, call := manyClasses(b, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if set.Evaluate(call, authority.Input{}).Verdict != rationale.Allow {
						b.Error("not allowed")
					}
				}
			})
		})
	}
}

// manyClasses is a Set with so many classes of one tool, told apart by their
// conditions, and a call of one of them.
func manyClasses(t testing.TB, n int) (*authority.Set, authority.Call) {
	t.Helper()
	const perDocument = 500
	var docs []authority.Document
	for from := 0; from < n; from += perDocument {
		var b strings.Builder
		fmt.Fprintf(&b, "apiVersion: ambit/v1\nkind: Authorization\nid: d%d\nowner: {id: o@example.com}\n", from)
		b.WriteString("agent: {id: bot, environments: [prod]}\napproval: {by: [group:leads]}\n")
		b.WriteString("grant: {by: [{id: g@example.com}], at: 2026-10-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}\nclasses:\n")
		for i := from; i < min(from+perDocument, n); i++ {
			fmt.Fprintf(&b, "  - {id: c%d, tools: [act], tier: parameterized, rationale: [], when: \"args.team == 't%d' && args.n > 0\", bounds: [{expr: \"args.n <= %d\"}]}\n", i, i, i+10)
		}
		docs = append(docs, authority.Document{Name: fmt.Sprintf("d%d.yaml", from), Data: []byte(b.String())})
	}
	set, err := authority.Load(docs, authority.Manifest{Tools: []authority.Tool{{Name: "act", Schema: json.RawMessage(
		`{"type":"object","properties":{"team":{"type":"string"},"n":{"type":"integer"}}}`)}}}, authority.AllowUnsigned())
	require.NoError(t, err)
	return set, authority.Call{
		At: noon, Agent: rationale.Agent{ID: "bot", Environment: "prod"}, Tool: actTool.ID(),
		Arguments: fmt.Appendf(nil, `{"team":"t%d","n":7}`, n/2),
	}
}
