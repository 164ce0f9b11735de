package authority

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

// Manifest is what a running host runs: the agents, tools, models, facts,
// derived values, estimators and record keys that documents are checked against. A host
// writes it with guard.Guard.Manifest; the zero Manifest leaves types unchecked
// until tools are registered.
type Manifest struct {
	Agents     []AgentSpec
	Tools      []Tool
	Models     []ModelSpec
	Facts      []FactSpec
	Derived    []DerivedSpec
	Estimators []EstimatorSpec
	RecordKeys []string // ids of the keys for record: hmac; the last one is in use
}

// AgentSpec is an agent that the host runs.
type AgentSpec struct {
	ID           string
	Environments []string
	Prompt       string // digest of its prompt template; optional
}

// Tool is a tool as it is registered with the host.
type Tool struct {
	Server      string
	Name        string
	Description string
	Schema      json.RawMessage // JSON schema of the arguments; nil: no arguments
	Annotations json.RawMessage // a JSON object, or nil
}

// ModelSpec is a model that the host runs, and the basis on which it is known:
// reported (by the provider's response), configured, or asserted.
type ModelSpec struct {
	Provider, Name, Version string
	Basis                   string
}

// FactSpec is a fact that the host can supply.
type FactSpec struct {
	Name   string
	Type   string        // bool, int, double, string, timestamp, duration, list<T> or map<T>
	Source string        // where it comes from; free text
	MaxAge time.Duration // older values are unavailable; zero: never stale
	By     []string      // argument paths, such as args.workload, that key its values
}

// DerivedSpec is a typed value that the host derives from a tool's arguments.
type DerivedSpec struct {
	Tool string // classify.ToolID in text form
	Name string
	Type string
}

// EstimatorSpec is a Go function of the host that prices a call.
type EstimatorSpec struct {
	Name     string
	Currency string // ISO 4217
}

// ID returns the tool's identity.
func (t Tool) ID() classify.ToolID { return classify.ToolID{Server: t.Server, Name: t.Name} }

// Digest returns the SHA-256 ("sha256:" and hex) of the tool's canonical
// definition: server, name, description, schema and annotations, in which the
// spelling of the JSON does not matter. A schema or annotations that are no
// JSON count as their bytes.
func (t Tool) Digest() string {
	definition, err := json.Marshal([]any{t.Server, t.Name, t.Description, canonical(t.Schema), canonical(t.Annotations)})
	if err != nil {
		definition = fmt.Appendf(nil, "%q", []any{t.Server, t.Name, t.Description, t.Schema, t.Annotations})
	}
	return rationale.Digest(definition)
}

// canonical returns the canonical text of raw JSON, and raw itself if it is none.
func canonical(raw json.RawMessage) string {
	if text, err := rationale.Canonicalize(raw); err == nil {
		return string(text)
	}
	return string(raw)
}
