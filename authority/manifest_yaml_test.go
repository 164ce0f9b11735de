package authority_test

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/authority"
)

func manifest() authority.Manifest {
	return authority.Manifest{
		Agents: []authority.AgentSpec{{ID: "spiffe://x/scaler", Environments: []string{"prod", "no"}, Prompt: "sha256:1"}},
		Tools: []authority.Tool{
			{Name: "k8s.scale", Description: "Scales \"it\".\n\tTwice: # really\u2028\u202e", Schema: json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer","maximum":9007199254740993}}}`)},
			{Server: "billing", Name: "refund", Annotations: json.RawMessage(`{"destructive": true}`)},
			{Name: "odd", Schema: json.RawMessage("{\"title\":\"\u2028\"}")},
		},
		Models:     []authority.ModelSpec{{Provider: "anthropic", Name: "claude-sonnet-4-5", Version: "20250929", Basis: "reported"}},
		Facts:      []authority.FactSpec{{Name: "replicas", Type: "int", Source: "the cluster", MaxAge: 90 * time.Second, By: []string{"args.workload"}}, {Name: "freeze", Type: "map<bool>"}},
		Derived:    []authority.DerivedSpec{{Tool: "k8s.scale", Name: "kind", Type: "list<string>"}},
		Estimators: []authority.EstimatorSpec{{Name: "fare", Currency: "USD"}},
		RecordKeys: []string{"b", "a"},
	}
}

func TestManifestYAML(t *testing.T) {
	const golden = "testdata/manifest.yaml"
	got := manifest().YAML()
	if *update {
		require.NoError(t, os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}

func TestManifestIsReadAgain(t *testing.T) {
	m := manifest()
	back, err := authority.ParseManifest("manifest.yaml", m.YAML())
	require.NoError(t, err)
	assert.Equal(t, m.Agents, back.Agents)
	assert.Equal(t, m.Models, back.Models)
	assert.ElementsMatch(t, m.Facts, back.Facts)
	assert.Equal(t, m.Derived, back.Derived)
	assert.Equal(t, m.Estimators, back.Estimators)
	assert.Equal(t, m.RecordKeys, back.RecordKeys)
	require.Len(t, back.Tools, 3)
	assert.Equal(t, "billing/refund", back.Tools[0].ID().String(), "sorted by name")
	for _, tool := range m.Tools {
		for _, read := range back.Tools {
			if read.ID() == tool.ID() {
				assert.Equal(t, tool.Digest(), read.Digest())
				assert.Equal(t, tool.Description, read.Description)
			}
		}
	}
	assert.Equal(t, string(m.YAML()), string(back.YAML()))
}

func TestManifestOrderDoesNotMatter(t *testing.T) {
	m := manifest()
	m.Tools[0], m.Tools[2] = m.Tools[2], m.Tools[0]
	m.Facts[0], m.Facts[1] = m.Facts[1], m.Facts[0]
	assert.Equal(t, string(manifest().YAML()), string(m.YAML()))
	empty, err := authority.ParseManifest("m.yaml", authority.Manifest{}.YAML())
	require.NoError(t, err)
	assert.Equal(t, authority.Manifest{}, empty)
}

func TestManifestWrittenByHand(t *testing.T) {
	m, err := authority.ParseManifest("m.yaml", []byte(`
apiVersion: ambit/v1
kind: Manifest
tools:
  - name: scale
    schema: {type: object, properties: {n: {type: integer, minimum: 1}}, required: [n]}
facts:
  - {name: freeze, type: bool, max_age: 1d}
`))
	require.NoError(t, err)
	assert.JSONEq(t, `{"type":"object","properties":{"n":{"type":"integer","minimum":1}},"required":["n"]}`, string(m.Tools[0].Schema))
	assert.Equal(t, 24*time.Hour, m.Facts[0].MaxAge)
}

func TestParseManifestRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"another kind", "kind: PriceList", "m.yaml:2:7: the document is of kind PriceList\n  kind: PriceList\n        ^^^^^^^^^\n  want Manifest"},
		{"unknown key", "kind: Manifest\ntool: []", "m.yaml:3:1: unknown key \"tool\" in the Manifest\n  tool: []\n  ^^^^\n  did you mean \"tools\"?"},
		{"tool twice", "kind: Manifest\ntools: [{name: a}, {name: a}]", "m.yaml:3:27: tools names \"a\" twice\n  tools: [{name: a}, {name: a}]\n                            ^\n  leave one out"},
		{"tool of a bad name", "kind: Manifest\ntools: [{name: a b}]", "m.yaml:3:16: tool \"a b\": the character ' ' is not allowed\n  tools: [{name: a b}]\n                 ^^^"},
		{"schema that is no object", "kind: Manifest\ntools: [{name: a, schema: '[]'}]", "m.yaml:3:27: tool.schema is no JSON object\n  tools: [{name: a, schema: '[]'}]\n                            ^^^^\n  want a JSON object such as {\"type\": \"object\"}"},
		{"wrong digest", "kind: Manifest\ntools: [{name: a, digest: sha256:0000000000000000000000000000000000000000000000000000000000000000}]", "m.yaml:3:27: tool.digest is not the digest of what the manifest says of the tool\n  tools: [{name: a, digest: sha256:0000000000000000000000000000000000000000000000000000000000000000}]\n                            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n  write " + authority.Tool{Name: "a"}.Digest() + ", or leave the key out"},
		{"model without a basis", "kind: Manifest\nmodels: [{name: m}]", "m.yaml:3:10: models[0] has no \"basis\"\n  models: [{name: m}]\n           ^\n  basis: reported, configured or asserted"},
		{"fact of a bad name", "kind: Manifest\nfacts: [{name: a-b, type: int}]", "m.yaml:3:16: fact.name is \"a-b\", which no expression can name\n  facts: [{name: a-b, type: int}]\n                 ^^^\n  want letters, digits and '_', and no digit first"},
		{"fact of a bad type", "kind: Manifest\nfacts: [{name: a, type: integer}]", "m.yaml:3:25: fact.type: unknown type \"integer\": want bool, int, double, string, timestamp, duration, list<T> or map<T>\n  facts: [{name: a, type: integer}]\n                          ^^^^^^^"},
		{"fact keyed by a fact", "kind: Manifest\nfacts: [{name: a, type: int, by: [facts.b]}]", "m.yaml:3:35: fact.by[0]: \"facts.b\" is no argument\n  facts: [{name: a, type: int, by: [facts.b]}]\n                                    ^^^^^^^\n  want a path such as args.workload"},
		{"estimator in no currency", "kind: Manifest\nestimators: [{name: e, currency: EUX}]", "m.yaml:3:34: estimator.currency is \"EUX\", not a currency\n  estimators: [{name: e, currency: EUX}]\n                                   ^^^\n  want a code of ISO 4217, such as EUR"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := authority.ParseManifest("m.yaml", []byte("apiVersion: ambit/v1\n"+tt.text+"\n"))
			require.Error(t, err)
			assert.Equal(t, tt.want, err.Error())
			assert.Equal(t, authority.Manifest{}, m)
		})
	}
}

func TestToolTextsAreReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		schema, err := json.Marshal(map[string]any{"type": "object", "description": text, "properties": map[string]any{text: map[string]any{}}})
		require.NoError(t, err)
		tool := authority.Tool{Name: "a", Description: "x" + text, Schema: schema}
		back, err := authority.ParseManifest("m.yaml", authority.Manifest{Tools: []authority.Tool{tool}}.YAML())
		require.NoError(t, err)
		require.Equal(t, tool.Description, back.Tools[0].Description)
		require.Equal(t, tool.Digest(), back.Tools[0].Digest())
	})
}

// Whatever a tool is known by changes its digest, and nothing can be moved from
// one part to another.
func TestToolDigest(t *testing.T) {
	base := authority.Tool{Server: "s", Name: "n", Description: "d", Schema: json.RawMessage(`{"a":1}`), Annotations: json.RawMessage(`{"b":2}`)}
	digests := map[string]bool{base.Digest(): true}
	for _, change := range []func(*authority.Tool){
		func(t *authority.Tool) { t.Server = "" },
		func(t *authority.Tool) { t.Server, t.Name = "sn", "" },
		func(t *authority.Tool) { t.Description = "" },
		func(t *authority.Tool) { t.Schema = nil },
		func(t *authority.Tool) { t.Schema = json.RawMessage(`{}`) },
		func(t *authority.Tool) { t.Schema, t.Annotations = t.Annotations, t.Schema },
		func(t *authority.Tool) { t.Schema = json.RawMessage(`{"a":9007199254740993}`) },
		func(t *authority.Tool) { t.Schema = json.RawMessage(`{"a":9007199254740992}`) },
		func(t *authority.Tool) { t.Schema = json.RawMessage(`{"a":`) },
	} {
		changed := base
		change(&changed)
		assert.False(t, digests[changed.Digest()], "%+v", changed)
		digests[changed.Digest()] = true
	}
	spaced := base
	spaced.Schema = json.RawMessage("{ \"a\" : 1 }\n")
	assert.Equal(t, base.Digest(), spaced.Digest(), "the spelling does not matter")
}
