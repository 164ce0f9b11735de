package policy

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ambit-go/ambit/authority"
)

// Fleet is many classes of one agent: PerTool for each tool, told apart by
// `when`, and PerDocument in each authorization. Every expression is distinct.
type Fleet struct {
	Classes     int
	PerTool     int
	PerDocument int
	Shapes      int // how many of the kinds of tools there are
	// Short leaves a class with its condition and one bound.
	Short bool
}

// Agent and Environment of every [Fleet].
const (
	Agent       = "fleet-operator"
	Environment = "prod"
)

// Tools is how many tools the fleet has.
func (f Fleet) Tools() int { return f.Classes / f.PerTool }

// ToolName is the name of the tool of a class.
func (f Fleet) ToolName(class int) string {
	tool := class / f.PerTool
	return fmt.Sprintf("team%02d.%s_%04d", tool%40, f.shape(class).verb, tool)
}

// Kind is what tells the class from the others of its tool.
func (f Fleet) Kind(class int) string {
	return fmt.Sprintf("kind-%04d-%d", class/f.PerTool, class%f.PerTool)
}

func (f Fleet) shape(class int) *shape { return &shapes[class/f.PerTool%f.Shapes] }

// Property is an argument or a fact, with its type as manifests name it.
type Property struct{ Name, Type string }

// Properties returns the arguments of the tool of a class.
func (f Fleet) Properties(class int) []Property { return f.shape(class).properties }

// Shape numbers the kind of tool of a class.
func (f Fleet) Shape(class int) int { return class / f.PerTool % f.Shapes }

// shape is a kind of tool, and the class that is granted for it.
type shape struct {
	verb       string
	properties []Property
	// class is the rules of a class; {class} and {n} stand for numbers that no
	// other class has.
	class string
	// expressions is how many there are in class.
	expressions int
}

var shapes = []shape{
	{
		verb: "scale",
		properties: []Property{
			{"kind", "string"}, {"workload", "string"}, {"region", "string"}, {"instance_type", "string"}, {"replicas", "int"}, {"ticket", "string"},
		},
		class: `    allow:
      args.region: [eu-west-1, eu-central-1]
      args.workload: [payments-api, "workload-{class}"]
    bounds:
      - {expr: "args.replicas >= 3 && args.replicas <= {n}", why: "capacity envelope {class}"}
      - {expr: "args.replicas <= facts.current_replicas * 2 + {n}", why: at most double per step}
    escalate:
      - {when: "args.replicas > facts.current_replicas + {n}", to: bounded_escalation, code: large_step}
    spend:
      currency: EUR
      estimate:
        {quantity: "args.replicas - facts.current_replicas + {n} - {n}", unit: args.instance_type, horizon: 24h,
         prices: {m7g.large: "0.0952", m7g.xlarge: "0.1904"}}
      per_event: {parameterized: "250.00", bounded_escalation: "1000.00", authorization_required: "5000.00"}
`,
		expressions: 5,
	},
	{
		verb: "refund",
		properties: []Property{
			{"kind", "string"}, {"order", "string"}, {"amount", "double"}, {"currency", "string"}, {"reason", "string"}, {"items", "int"},
		},
		class: `    allow:
      args.currency: [EUR, SEK]
    bounds:
      - {expr: "args.items >= 1 && args.items <= {n} && args.amount < {n}.5 && args.reason != ''", why: "refund limit {class}"}
    spend:
      currency: EUR
      amount: args.amount
      per_event: {parameterized: "20.00", authorization_required: "500.00"}
`,
		expressions: 2,
	},
	{
		verb: "open",
		properties: []Property{
			{"kind", "string"}, {"cidr", "string"}, {"port", "int"}, {"protocol", "string"}, {"network", "string"}, {"minutes", "int"},
		},
		class: `    allow:
      args.protocol: [tcp, udp]
      args.network: ["net-{class}", shared]
    bounds:
      - {expr: "args.port in [443, 8443, {n}] && args.cidr.endsWith('/32') && args.minutes <= {n}", why: "one host {class}"}
`,
		expressions: 2,
	},
	{
		verb: "patch",
		properties: []Property{
			{"kind", "string"}, {"hosts", "list<string>"}, {"percent", "int"}, {"ring", "string"}, {"window", "int"},
		},
		class: `    bounds:
      - {expr: "args.hosts.all(h, h.startsWith('host-{n}')) && args.hosts.size() <= {n}", why: "its own hosts {class}"}
`,
		expressions: 2,
	},
	{
		verb: "delete",
		properties: []Property{
			{"kind", "string"}, {"table", "string"}, {"rows", "int"}, {"condition", "string"}, {"dry_run", "bool"},
		},
		class: `    bounds:
      - {expr: "args.dry_run || args.rows <= {n} && args.condition != ''", why: "few rows {class}"}
    escalate:
      - {when: "!args.dry_run && args.rows > {n}", to: authorization_required, code: many_rows}
`,
		expressions: 3,
	},
}

// Documents returns the authorizations.
func (f Fleet) Documents() []authority.Document {
	var docs []authority.Document
	for from := 0; from < f.Classes; from += f.PerDocument {
		docs = append(docs, f.document(from, min(from+f.PerDocument, f.Classes)))
	}
	return docs
}

func (f Fleet) document(from, to int) authority.Document {
	id := fmt.Sprintf("fleet-%05d", from)
	var text strings.Builder
	fmt.Fprintf(&text, `apiVersion: ambit/v1
kind: Authorization
id: %s
summary: What the operators of the fleet let an agent do by itself.
owner: {id: owner-%d@bank.example}
agent: {id: %s, environments: [%s]}
grant: {by: [{id: j.lindqvist@bank.example}], at: 2026-10-01T00:00:00Z, expires: 2027-03-01T00:00:00Z}
reauthorize: {every: 90d}
approval: {by: [group:oncall]}
review: {by: [group:platform-risk], within: 48h}
classes:
`, id, from, Agent, Environment)
	for class := from; class < to; class++ {
		fmt.Fprintf(&text, "  - id: class-%05d\n    tools: [%s]\n    when: \"args.kind == '%s'\"\n    tier: parameterized\n    rationale: []\n",
			class, f.ToolName(class), f.Kind(class))
		numbers := strings.NewReplacer("{class}", fmt.Sprintf("%05d", class), "{n}", fmt.Sprint(100+class))
		rules := f.shape(class).class
		if f.Short {
			rules = "    bounds: [{expr: \"args.replicas <= {n}\", why: capacity envelope}]\n"
		}
		text.WriteString(numbers.Replace(rules))
	}
	return authority.Document{Name: id + ".yaml", Data: []byte(text.String())}
}

// Expressions is how many CEL expressions the documents have.
func (f Fleet) Expressions() int {
	n := 0
	for class := range f.Classes {
		if n += f.shape(class).expressions; f.Short {
			n += 2 - f.shape(class).expressions
		}
	}
	return n
}

// Manifest is the host of the fleet.
func (f Fleet) Manifest() authority.Manifest {
	m := authority.Manifest{Facts: Facts()}
	for class := 0; class < f.Classes; class += f.PerTool {
		m.Tools = append(m.Tools, authority.Tool{
			Name: f.ToolName(class), Description: "A tool of the fleet.", Schema: schemaOf(f.Properties(class)),
		})
	}
	return m
}

func schemaOf(properties []Property) json.RawMessage {
	types := map[string]string{
		"string": `{"type":"string"}`, "int": `{"type":"integer"}`, "double": `{"type":"number"}`, "bool": `{"type":"boolean"}`,
		"list<string>": `{"type":"array","items":{"type":"string"}}`,
	}
	var members, names []string
	for _, p := range properties {
		members = append(members, fmt.Sprintf("%q:%s", p.Name, types[p.Type]))
		names = append(names, fmt.Sprintf("%q", p.Name))
	}
	return json.RawMessage(`{"type":"object","additionalProperties":false,"required":[` + strings.Join(names, ",") +
		`],"properties":{` + strings.Join(members, ",") + `}}`)
}
