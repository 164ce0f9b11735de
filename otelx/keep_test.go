package otelx_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// keptFields are the fields of a record policy, each with what begins the
// values that belong to it here.
var keptFields = []string{"arguments", "rationale", "reasoning", "facts", "results"}

func canary(field, of string) string { return "canary-" + field + "-" + of }

// canaries is a guard whose class keeps each field as keep says, and its call.
type canaries struct {
	keep   map[string]string
	how    string // what goes wrong
	key    rationale.RecordKey
	record *guardtest.Recorder
	spans  tracetest.SpanStubs
	said   []string          // refusals
	keys   guard.SubjectKeys // nil: nothing is sealed
}

var mishaps = []string{
	"", "bound", "class", "derived", "fact", "arguments", "property", "amount", "number", "unit", "rationale", "malformed", "tool",
}

func (k *canaries) run(t require.TestingT) {
	policy := make([]string, len(keptFields))
	for i, f := range keptFields {
		policy[i] = f + ": " + k.keep[f]
	}
	doc := authority.Document{Name: "a.yaml", Data: fmt.Appendf(nil, `apiVersion: ambit/v1
kind: Authorization
id: a
owner: {id: owner@example.com}
agent: {id: %s, environments: [%s]}
grant: {by: [{id: granter@example.com}], at: 2026-11-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
approval: {by: [group:oncall]}
review: {by: [group:risk]}
classes:
  - id: act
    tools: [act]
    tier: parameterized
    when: "args.kind == 'known'"
    bounds:
      - {expr: "args.customer != '' && args.large != '' && derived.opened != '' && facts.told != '%s'", why: w}
      - {expr: "args.nested.inner != 'no' && int(args.number) >= 0", why: w}
    escalate: [{when: "facts.told == args.customer", to: bounded_escalation, code: same}]
    allow: {"args.list[]": [%s]}
    spend:
      currency: EUR
      estimate: {quantity: size(args.customer), unit: args.unit, prices: {%s: "0.01"}}
      per_event: {parameterized: "500.00"}
    rationale: [purpose, evidence]
    record: {%s}
`, guardtest.AgentID, guardtest.Environment, canary("facts", "forbidden"), canary("arguments", "list"), canary("arguments", "unit"), strings.Join(policy, ", "))}
	if stricter := k.keep["rationale"]; stricter == "drop" || stricter == "hmac" && k.keep["reasoning"] != "drop" {
		k.keep["reasoning"] = stricter // what was said beside it says the same
	}
	k.record = new(guardtest.Recorder)
	opts := []guard.Option{
		guard.WithLedger(ledger.New(k.record)), guard.AllowUnsigned(), guard.WithClock(guardtest.Now),
		guard.WithRecordKeys(k.key), guard.WithDerived(guard.Derive("act", "opened", k.derive)),
		guard.WithFacts(guard.NewFact("told", k.fact)),
	}
	if k.keys != nil {
		opts = append(opts, guard.WithErasure(k.keys, func(guard.Checked) string { return "customer" }))
	}
	g, err := guard.New([]authority.Document{doc}, guard.Agent{ID: guardtest.AgentID, Environment: guardtest.Environment}, opts...)
	require.NoError(t, err)
	require.NoError(t, g.Register(authority.Tool{Name: "act", Schema: json.RawMessage(`{"type":"object","required":["kind"],"properties":{
		"kind":{"enum":["known","other"]},"customer":{"type":"string"},"large":{"type":"string"},"number":{"type":"string"},"unit":{"type":"string"},
		"list":{"type":"array","items":{"type":"string"}},"nested":{"type":"object","properties":{"inner":{"type":"string"}}}}}`)}))
	k.call(t, g)
	b := new(backend)
	delivery, err := otelx.NewDelivery(newSource(k.record.Records()...), b)
	require.NoError(t, err)
	require.NoError(t, delivery.Shutdown(context.Background()))
	k.spans = b.spans
}

func (k *canaries) derive(json.RawMessage) (string, error) {
	if k.how == "derived" {
		return "", errors.New(canary("arguments", "error"))
	}
	return canary("arguments", "derived"), nil
}

func (k *canaries) fact(context.Context, guard.Checked) (string, error) {
	switch k.how {
	case "fact":
		return "", errors.New(canary("facts", "error"))
	case "bound":
		return canary("facts", "forbidden"), nil
	}
	return canary("facts", "value"), nil
}

// arguments are those of the call, without the rationale.
func (k *canaries) arguments() string {
	a := map[string]any{
		"kind": "known", "customer": canary("arguments", "customer"), "large": strings.Repeat(canary("arguments", "large"), 200), "number": "7",
		"unit": canary("arguments", "unit"), "list": []string{canary("arguments", "list")}, "nested": map[string]string{"inner": canary("arguments", "inner")},
	}
	switch k.how {
	case "class":
		a["kind"] = "other"
	case "arguments":
		a["kind"] = canary("arguments", "enum")
	case "property":
		a[canary("arguments", "name")] = 1
	case "number":
		a["number"] = canary("arguments", "number")
	case "unit":
		a["unit"] = canary("arguments", "unpriced")
	case "amount":
		a["customer"] = strings.Repeat(canary("arguments", "dear"), 9999)
	}
	text, err := json.Marshal(a)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (k *canaries) call(t require.TestingT, g *guard.Guard) {
	tool := "act"
	ctx := guard.WithSession(context.Background(), guard.Session{ID: "s"})
	claim := fmt.Sprintf(`{"purpose":%q,"expected":%q,"alternatives":[{"option":%q,"rejected":%q}],"evidence":[%q],"fallback":%q,"uncertainty":%q}`,
		canary("rationale", "purpose"), canary("rationale", "expected"), canary("rationale", "option"), canary("rationale", "rejected"),
		"https://example.com/"+canary("rationale", "link"), canary("rationale", "fallback"), canary("rationale", "uncertainty"))
	switch k.how {
	case "rationale":
		claim = fmt.Sprintf(`{"evidence":[%q]}`, canary("rationale", "unread"))
	case "malformed":
		claim = fmt.Sprintf(`{%q:1}`, canary("rationale", "member"))
	case "tool":
		tool = "unknown"
	}
	arguments := strings.Replace(k.arguments(), "{", `{"_rationale":`+claim+",", 1)
	for i := range 2 { // the second ends with an error
		c, d := g.Begin(ctx, guard.Call{
			Tool: classify.ToolID{Name: tool}, Arguments: []byte(arguments),
			Text: canary("reasoning", "text"), Reasoning: canary("reasoning", "thought"), TextSource: "the turn",
		})
		require.Equal(t, k.how == "", d.Allowed(), "%s: %s", k.how, d.Refusal())
		if !d.Allowed() {
			k.said = append(k.said, string(d.Refusal()))
			continue
		}
		var failure error
		if i == 1 {
			failure = errors.New(canary("results", "error"))
		}
		require.NoError(t, g.End(c, d, []byte(canary("results", "result")), failure))
	}
}

// recorded returns the bytes of the decisions and outcomes. The document that a
// lifecycle record holds names canaries itself.
func (k *canaries) recorded(t require.TestingT) string {
	var all bytes.Buffer
	for _, rec := range k.record.Records() {
		if rec.RecordKind() != rationale.KindLifecycle {
			line, err := rationale.Marshal(rec)
			require.NoError(t, err)
			all.Write(line)
		}
	}
	return all.String()
}

func (k *canaries) exported() string {
	var all strings.Builder
	for _, s := range k.spans {
		fmt.Fprintf(&all, "%s %v %v %v\n", s.Name, s.Attributes, s.Status, s.Events)
	}
	return all.String()
}

// guessable are digests that anybody can compare a guess with.
func (k *canaries) guessable(t require.TestingT) map[string][]string {
	canonical, err := rationale.Canonicalize([]byte(k.arguments()))
	require.NoError(t, err)
	all := map[string][]string{
		"arguments": {rationale.Digest(canonical), rationale.Digest([]byte(k.arguments())), rationale.Digest([]byte(`"` + strings.Repeat(canary("arguments", "large"), 200) + `"`))},
		"results":   {rationale.Digest([]byte(canary("results", "result")))},
	}
	for _, d := range k.record.Decisions() {
		a := rationale.Action{
			Agent: d.Agent.ID, Environment: d.Agent.Environment, OnBehalfOf: d.Agent.OnBehalfOf, Tool: classify.ToolID{Name: d.Tool.Name},
			ToolDigest: d.Tool.Digest, Arguments: canonical, Class: d.Class, Model: d.Model,
		}
		if d.Authorization != nil {
			a.Authorization = d.Authorization.Digest
		}
		digest, err := rationale.ActionDigest(a)
		require.NoError(t, err)
		all["arguments"] = append(all["arguments"], digest)
	}
	return all
}

// What a class does not keep is nowhere in its records and spans, whatever
// happens to the call, and what it keeps is there.
func TestWhatAClassKeeps(t *testing.T) {
	for _, how := range mishaps {
		for _, keep := range []string{"telemetry", "journal", "hmac", "drop"} {
			t.Run(how+" "+keep, func(t *testing.T) {
				k := &canaries{how: how, keep: make(map[string]string), key: canaryKey()}
				for _, f := range keptFields {
					k.keep[f] = keep
				}
				if keep == "telemetry" {
					k.keep["results"] = "journal"
				}
				k.run(t)
				k.check(t)
			})
		}
	}
}

func canaryKey() rationale.RecordKey {
	return rationale.RecordKey{ID: "2026-11", Secret: []byte("0123456789abcdef0123456789abcdef")}
}

func TestEachFieldIsKeptByItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := &canaries{keep: make(map[string]string), key: canaryKey()}
		k.how = rapid.SampledFrom(mishaps).Draw(t, "mishap")
		for _, f := range keptFields {
			disposals := []string{"telemetry", "journal", "hmac", "drop"}
			if f == "results" {
				disposals = disposals[1:]
			}
			k.keep[f] = rapid.SampledFrom(disposals).Draw(t, f)
		}
		k.run(t)
		k.check(t)
	})
}

func (k *canaries) check(t require.TestingT) {
	records, spans := k.recorded(t), k.exported()
	guessable := k.guessable(t)
	for _, f := range keptFields {
		mark := canary(f, "")
		kept := k.keep[f] == "journal" || k.keep[f] == "telemetry"
		if k.how == "tool" {
			kept = true // no class asks otherwise
		}
		if !kept {
			require.NotContains(t, records, mark, f)
			for _, digest := range guessable[f] {
				require.NotContains(t, records, digest, f)
				require.NotContains(t, spans, digest, f)
			}
		}
		if k.keep[f] != "telemetry" {
			require.NotContains(t, spans, mark, f)
		}
		if k.how != "" {
			continue
		}
		require.Equal(t, k.keep[f] == "hmac", slices.Contains(k.record.Decisions()[0].Keyed, f))
		if kept {
			require.Contains(t, records, mark, f)
			if k.keep[f] == "telemetry" {
				require.Contains(t, spans, mark, f)
			}
		}
	}
	if k.how == "" {
		k.keyed(t)
	}
}

// keyed compares what stands in place of values with what the key gives.
func (k *canaries) keyed(t require.TestingT) {
	d, o := k.record.Decisions()[0], k.record.Outcomes()
	again := k.record.Decisions()[1]
	require.Equal(t, d.ActionDigest, again.ActionDigest, "an approval is bound to it")
	require.Equal(t, k.keep["arguments"] == "hmac" || k.keep["arguments"] == "drop", strings.HasPrefix(d.ActionDigest, rationale.KeyedPrefix+"2026-11:"))
	require.Equal(t, "0.25", d.Spend.Amount, "limits are kept on it, whatever the policy")
	if k.keep["arguments"] == "hmac" {
		require.Equal(t, k.key.Digest("arguments", []byte(k.arguments())), d.ArgumentsDigest)
		require.Equal(t, k.key.DigestText("derived.opened", canary("arguments", "derived")), d.Derived[0].Digest)
		inputs := make(map[string]string)
		for _, c := range d.Checks {
			for _, in := range c.Inputs {
				inputs[in.Path] = in.Digest
			}
		}
		require.Equal(t, k.key.DigestText("args.customer", canary("arguments", "customer")), inputs["args.customer"])
		require.Equal(t, k.key.DigestText("args.large", strings.Repeat(canary("arguments", "large"), 200)), inputs["args.large"])
		require.Equal(t, k.key.DigestText("args.list[]", canary("arguments", "list")), inputs["args.list[]"])
		require.Equal(t, k.key.DigestText("args.unit", canary("arguments", "unit")), d.Spend.Unit)
	}
	if k.keep["facts"] == "hmac" {
		require.Equal(t, k.key.DigestText("facts.told", canary("facts", "value")), d.Facts[0].Digest)
	}
	if k.keep["rationale"] == "hmac" {
		require.Equal(t, k.key.DigestText("rationale.purpose", canary("rationale", "purpose")), d.Rationale.Purpose)
	}
	if k.keep["results"] == "hmac" {
		require.Equal(t, k.key.Digest("results", []byte(canary("results", "result"))), o[0].ResultDigest)
		require.Zero(t, o[0].ResultBytes)
		require.Equal(t, k.key.DigestText("results.error", canary("results", "error")), o[1].Error)
	}
}

// A refusal is for the model, which wrote the arguments: it says what the record
// withholds.
func TestARefusalSaysWhatTheRecordWithholds(t *testing.T) {
	for how, want := range map[string]string{
		"arguments": canary("arguments", "enum"), "malformed": canary("rationale", "member"), "derived": canary("arguments", "error"),
	} {
		t.Run(how, func(t *testing.T) {
			k := &canaries{how: how, key: canaryKey()}
			k.keep = map[string]string{"arguments": "drop", "rationale": "hmac", "reasoning": "drop", "facts": "drop", "results": "drop"}
			k.run(t)
			assert.NotContains(t, k.recorded(t), "canary")
			assert.Contains(t, k.recorded(t), "withheld")
			assert.Contains(t, k.said[0], want)
			assert.NotContains(t, k.said[0], "withheld")
		})
	}
}

// What belongs to a person is sealed, whatever the class lets out and whatever
// happens to the call: in no record and no span is it plain, and the key opens
// all of it.
func TestWhatIsSealedIsNowherePlain(t *testing.T) {
	for _, how := range mishaps {
		t.Run(how, func(t *testing.T) {
			open := &canaries{how: how, key: canaryKey()}
			open.keep = map[string]string{"arguments": "telemetry", "rationale": "telemetry", "reasoning": "telemetry", "facts": "telemetry", "results": "journal"}
			open.run(t)
			subjects := journal.OpenSubjects("/subjects", journal.WithFS(crashfs.New()))
			k := &canaries{how: how, key: open.key, keep: open.keep, keys: subjects}
			k.run(t)
			require.NotContains(t, k.recorded(t), "canary-")
			require.NotContains(t, k.exported(), "canary-")
			for _, digests := range k.guessable(t) {
				for _, digest := range digests {
					require.NotContains(t, k.recorded(t), digest)
					require.NotContains(t, k.exported(), digest)
				}
			}
			require.Equal(t, open.said, k.said, "the refusal is the same")
			if how == "arguments" || how == "property" || how == "tool" {
				return // nobody can tell whose they are: it is left out
			}
			reader, err := subjects.Reader()
			require.NoError(t, err)
			for i, rec := range k.record.Records() {
				rec, _, err = reader.Open(rec)
				require.NoError(t, err)
				switch was := open.record.Records()[i].(type) {
				case *rationale.Decision:
					is := rec.(*rationale.Decision)
					assert.Equal(t, was.Arguments, is.Arguments)
					assert.Equal(t, was.Facts, is.Facts)
					assert.Equal(t, was.Derived, is.Derived)
					assert.Equal(t, was.Checks, is.Checks)
					assert.Equal(t, was.Rationale, is.Rationale)
					assert.Equal(t, was.RationaleCheck, is.RationaleCheck)
					assert.Equal(t, was.Spend, is.Spend)
				case *rationale.Outcome:
					is := rec.(*rationale.Outcome)
					assert.Equal(t, was.Error, is.Error)
					assert.Equal(t, was.ResultDigest, is.ResultDigest)
				}
			}
		})
	}
}
