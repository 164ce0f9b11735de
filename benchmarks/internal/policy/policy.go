// Package policy writes the documents and tools of the cases.
package policy

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/ambit-go/ambit/authority"
)

// autoscaler is the authorization of the cases that have one.
const autoscaler = `apiVersion: ambit/v1
kind: Authorization
id: payments-autoscaler
summary: Scale the payments platform inside its approved capacity and cost envelope.
owner: {id: m.okafor@bank.example, role: Head of Payments SRE}
agent: {id: payments-autoscaler, environments: [prod]}
pins: {models: [{provider: anthropic, name: claude-sonnet-4-5, version: "20250929"}]}
grant: {by: [{id: j.lindqvist@bank.example, role: CAB chair}], at: GRANTED, expires: EXPIRES}
reauthorize: {every: 90d}
approval: {by: [group:payments-sre-oncall]}
review: {by: [group:platform-risk], within: 48h}
classes:
  - id: scaling.horizontal
    tools: [k8s.scale_deployment]
    when: "args.kind == 'Deployment'"
    tier: parameterized
    allow:
      args.region: [eu-west-1, eu-central-1]
      args.workload: [payments-api, payments-worker]
    bounds:
      - {expr: "args.replicas >= 3 && args.replicas <= 60", why: CAP-114 capacity envelope}
      - {expr: "args.replicas <= facts.current_replicas * 2", why: at most double per step}
    escalate:
      - {when: "args.replicas > facts.current_replicas + 10", to: bounded_escalation, code: large_step}
      - {when: "facts.change_freeze", to: authorization_required, code: change_freeze}
    spend:
      currency: EUR
      estimate:
        {quantity: "args.replicas - facts.current_replicas", unit: args.instance_type, horizon: 24h,
         prices: {m7g.large: "0.0952", m7g.xlarge: "0.1904", m7g.metal: "2.6112", p5.48xlarge: "98.32"}}
      per_event: {parameterized: "250.00", bounded_escalation: "1000.00", authorization_required: "5000.00"}
      cost_centre: CC-4471
    rationale: []
    fallback: k8s.rollout_undo
    controls: ["DORA-RTS-2024/1774:17.1", "SOX-ITGC:CM-02"]
`

// Autoscaler returns the authorization of payments-autoscaler, granted for a
// time.
func Autoscaler(granted, expires time.Time) authority.Document {
	return authority.Document{Name: "payments-autoscaler.yaml", Data: dated(autoscaler, granted, expires)}
}

// Approver returns the same authorization, but that people approve each call.
func Approver(granted, expires time.Time) authority.Document {
	text := strings.Replace(autoscaler, `when: "facts.change_freeze"`, `when: "args.replicas > 0"`, 1)
	return authority.Document{Name: "payments-approver.yaml", Data: dated(text, granted, expires)}
}

// ScaleDeployment is the tool of [Autoscaler].
func ScaleDeployment() authority.Tool {
	return authority.Tool{
		Name: "k8s.scale_deployment", Description: "Sets the number of replicas of a workload.",
		Schema: json.RawMessage(`{"type": "object", "additionalProperties": false,
			"required": ["kind", "workload", "region", "instance_type", "replicas"],
			"properties": {"kind": {"type": "string"}, "workload": {"type": "string"}, "region": {"type": "string"},
				"instance_type": {"type": "string"}, "replicas": {"type": "integer"}, "ticket": {"type": "string"}}}`),
	}
}

// reader is an authorization whose calls are recorded without waiting for the
// disk.
const reader = `apiVersion: ambit/v1
kind: Authorization
id: payments-reader
owner: {id: m.okafor@bank.example, role: Head of Payments SRE}
agent: {id: payments-autoscaler, environments: [prod]}
grant: {by: [{id: j.lindqvist@bank.example, role: CAB chair}], at: GRANTED, expires: EXPIRES}
approval: {by: [group:payments-sre-oncall]}
classes:
  - id: scaling.read
    tools: [k8s.get_deployment]
    tier: parameterized
    effect: read
    durability: os
    allow:
      args.region: [eu-west-1, eu-central-1]
      args.workload: [payments-api, payments-worker]
    bounds:
      - {expr: "args.limit >= 1 && args.limit <= 100", why: at most a page}
`

// Reader returns the authorization of payments-reader, granted for a time.
func Reader(granted, expires time.Time) authority.Document {
	return authority.Document{Name: "payments-reader.yaml", Data: dated(reader, granted, expires)}
}

// GetDeployment is the tool of [Reader].
func GetDeployment() authority.Tool {
	return authority.Tool{
		Name: "k8s.get_deployment", Description: "Lists the replicas of a workload.",
		Schema: json.RawMessage(`{"type": "object", "additionalProperties": false, "required": ["workload", "region", "limit"],
			"properties": {"workload": {"type": "string"}, "region": {"type": "string"}, "limit": {"type": "integer"}}}`),
	}
}

// dated puts the times of a grant into a document.
func dated(document string, granted, expires time.Time) []byte {
	dates := strings.NewReplacer("GRANTED", granted.UTC().Format(time.RFC3339), "EXPIRES", expires.UTC().Format(time.RFC3339))
	return []byte(dates.Replace(document))
}

// Facts are those that the documents read.
func Facts() []authority.FactSpec {
	return []authority.FactSpec{
		{Name: "current_replicas", Type: "int", Source: "the cluster", MaxAge: 30 * time.Second, By: []string{"args.workload"}},
		{Name: "change_freeze", Type: "bool", Source: "the change calendar", MaxAge: 30 * time.Second},
	}
}

// Manifest is the host of [Autoscaler].
func Manifest() authority.Manifest {
	return authority.Manifest{Tools: []authority.Tool{ScaleDeployment()}, Facts: Facts()}
}
