package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/corpus"
	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ambit": main, "testhost": hostMain})
}

func TestScripts(t *testing.T) {
	t.Cleanup(stopServer) // after the scripts, which run in parallel
	var hosts sync.Map
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, Condition: hasPostgres,
		Setup: func(env *testscript.Env) error {
			env.Setenv("ME", me(t))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"evidence": evidence, "flip": flip, "cut": cut, "deliver": deliver, "without": without, "jaeger": jaeger,
			"host": hostScript(&hosts), "fill": fill, "trail": trail, "support": support,
			"database": database, "sql": statement, "shared": shared,
		},
	})
}

// evidence writes the records of three calls of a support agent to a folder:
// one allowed, one denied, one pending. Its documents are those of a folder. With
// a third argument the records are sealed for that person:
// evidence POLICY DIR [PERSON].
func evidence(ts *testscript.TestScript, _ bool, args []string) {
	person := ""
	if len(args) > 2 {
		person = args[2]
	}
	ts.Check(writeEvidence(ts.MkAbs(args[0]), ts.MkAbs(args[1]), person))
}

// deliver writes what of the evidence in a folder was not delivered before to a
// file, as spans: deliver DIR FILE.
func deliver(ts *testscript.TestScript, _ bool, args []string) {
	l, err := ledger.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[1]), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	d, err := otelx.NewDelivery(l.Journal().Follow("otlp"), otelx.NewJSONLines(f))
	ts.Check(err)
	ts.Check(errors.Join(d.Shutdown(context.Background()), l.Close(), f.Close()))
}

// without copies the lines of a file that do not hold a text: without FILE TEXT TO.
func without(ts *testscript.TestScript, _ bool, args []string) {
	var kept []string
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if !strings.Contains(line, args[1]) {
			kept = append(kept, line)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.Join(kept, "")), 0o600))
}

// jaeger writes spans as Jaeger's /api/traces answers: jaeger FILE TO.
func jaeger(ts *testscript.TestScript, _ bool, args []string) {
	type tag struct {
		Key   string `json:"key"`
		Type  string `json:"type"`
		Value any    `json:"value"`
	}
	var spans []map[string]any
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var m struct {
			ResourceSpans []struct {
				ScopeSpans []struct {
					Spans []struct {
						Name       string
						Attributes []struct {
							Key   string
							Value struct {
								StringValue string
								IntValue    *json.Number
							}
						}
					}
				}
			}
		}
		ts.Check(json.Unmarshal([]byte(line), &m))
		s := m.ResourceSpans[0].ScopeSpans[0].Spans[0]
		tags := []tag{{"otel.scope.name", "string", otelx.ScopeName}}
		for _, kv := range s.Attributes {
			if kv.Value.IntValue != nil {
				tags = append(tags, tag{kv.Key, "int64", kv.Value.IntValue})
			} else {
				tags = append(tags, tag{kv.Key, "string", kv.Value.StringValue})
			}
		}
		spans = append(spans, map[string]any{"operationName": s.Name, "tags": tags, "logs": []any{}})
	}
	b, err := json.Marshal(map[string]any{"data": []any{map[string]any{"spans": spans}}, "errors": nil})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o600))
}

// flip changes one byte of a file: flip FILE TEXT changes the first byte of the
// last place where the text stands.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	file := ts.MkAbs(args[0])
	data, err := os.ReadFile(file)
	ts.Check(err)
	at := bytes.LastIndex(data, []byte(args[1]))
	if at < 0 {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	data[at] ^= 1
	ts.Check(os.WriteFile(file, data, 0o600))
}

// cut takes bytes from the end of a file: cut FILE N.
func cut(ts *testscript.TestScript, _ bool, args []string) {
	file := ts.MkAbs(args[0])
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	info, err := os.Stat(file)
	ts.Check(err)
	ts.Check(os.Truncate(file, info.Size()-int64(n)))
}

func writeEvidence(policy, dir, person string) error {
	docs, err := authority.ReadDir(policy)
	if err != nil {
		return err
	}
	at := time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)
	clock := func() time.Time { return at }
	l, err := ledger.Open(dir, journal.WithClock(clock))
	if err != nil {
		return err
	}
	g, err := guard.New(docs, guard.Agent{ID: "support-bot", Environment: "prod"},
		guard.WithLedger(l), guard.AllowUnsigned(), guard.WithClock(clock),
		guard.WithErasure(journal.OpenSubjects(filepath.Join(dir, journal.SubjectsFolder)), nil))
	if err != nil {
		return err
	}
	refund, err := guard.Wrap(g, authority.Tool{
		Name: "orders.refund", Schema: json.RawMessage(`{"type":"object","properties":{"amount":{"type":"number"},"note":{"type":"string"}}}`),
	}, func(context.Context, []byte) ([]byte, error) { return []byte("done"), nil })
	if err != nil {
		return err
	}
	for _, arguments := range []string{
		`{"amount": 12.5, "note": "\u001b[31mred", "_rationale": {"purpose": "The parcel\nwas lost."}}`,
		`{"amount": 1000, "_rationale": {"purpose": "The parcel was lost."}}`,
		`{"amount": 100, "_rationale": {"purpose": "The parcel was lost.", "expected": "A refund.", "fallback": "None.",
		  "alternatives": [{"option": "wait", "rejected": "too late"}], "evidence": ["https://orders.example.com/7"]}}`,
	} {
		if _, err := refund(guard.WithSession(context.Background(), guard.Session{OnBehalfOf: person}), guard.Call{Arguments: []byte(arguments)}); err != nil {
			return err
		}
	}
	return l.Close()
}

const supportBot = `apiVersion: ambit/v1
kind: Authorization
id: support-bot
owner: {id: dana@example.com}
agent: {id: support-bot, environments: [prod]}
grant: {by: [{id: lee@example.com}], at: 2026-11-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
approval: {by: [group:support-leads]}
classes:
  - id: refund
    tools: [orders.refund]
    tier: parameterized
    spend: {currency: EUR, amount: args.amount, per_event: {parameterized: "20.00", authorization_required: "500.00"}}
`

// A host that is writing its next record, or died in the middle of it, has an
// inventory all the same; one whose records were changed has none.
func TestInventoryOfTornAndDamagedRecords(t *testing.T) {
	policy, dir := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(policy, "a.yaml"), []byte(supportBot), 0o600))
	require.NoError(t, writeEvidence(policy, dir, ""))
	require.NoError(t, writeEvidence(policy, dir, ""), "another host for the same agent")
	look := func() (code int, out, errs string) {
		var o, e bytes.Buffer
		code = run(&terminal{out: &o, err: &e}, []string{"inventory", dir, "-at", "2026-11-03T00:00:00Z"})
		return code, o.String(), e.String()
	}
	last := filepath.Join(dir, "00000002.seg")
	f, err := os.OpenFile(last, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("AFRM")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	code, out, errs := look()
	assert.Equal(t, exitOK, code, "%s", errs)
	assert.Contains(t, out, "1 entry as of", "the newest host of the agent, once")

	first := filepath.Join(dir, "00000001.seg")
	data, err := os.ReadFile(first)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(first, bytes.Replace(data, []byte("loaded"), []byte("lOaded"), 1), 0o600))
	code, _, errs = look()
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, errs, filepath.Base(first))
}

// The inventory is of what the host holds to, though it has no such file any more.
func TestInventoryOfAFolderThatWasTurnedBack(t *testing.T) {
	policy, dir := t.TempDir(), t.TempDir()
	file, halt := filepath.Join(policy, "a.yaml"), filepath.Join(policy, "halt.yaml")
	standing := func(doc string) string {
		require.NoError(t, os.WriteFile(file, []byte(doc), 0o600))
		require.NoError(t, writeEvidence(policy, dir, ""))
		var out, errs bytes.Buffer
		run(&terminal{out: &out, err: &errs}, []string{"inventory", dir, "-o", "json", "-at", "2026-11-03T00:00:00Z"})
		require.Empty(t, errs.String())
		var entry authority.Entry
		require.NoError(t, json.Unmarshal(out.Bytes(), &entry))
		return entry.Standing.String()
	}
	assert.Equal(t, "active", standing(supportBot))
	second := strings.Replace(supportBot, "id: support-bot\n", "id: support-bot\nversion: 2\n", 1)
	assert.Equal(t, "active", standing(second))
	assert.Equal(t, "superseded", standing(supportBot))
	assert.Equal(t, "active", standing(second))
	for i, revoked := range []string{"another", "support-bot"} {
		text := fmt.Sprintf("apiVersion: ambit/v1\nkind: Revocation\nauthorization: %s\nby: [{id: lee@example.com}]\nat: 2026-11-02T00:00:00Z\nreason: leaked\n", revoked)
		require.NoError(t, os.WriteFile(halt, []byte(text), 0o600))
		assert.Equal(t, []string{"active", "revoked"}[i], standing(second))
	}
	require.NoError(t, os.Remove(halt))
	assert.Equal(t, "revoked", standing(second))
	require.NoError(t, os.WriteFile(halt, []byte("apiVersion: ambit/v1\nkind: Suspension\nagent: nobody\nby: [{id: lee@example.com}]\nat: 2026-11-02T00:00:00Z\nreason: another file of that name\n"), 0o600))
	assert.Equal(t, "revoked", standing(second))
}

// With the keys that the host trusts, a signed document is in force and an
// unsigned one is not.
func TestKeys(t *testing.T) {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	dir := t.TempDir()
	name := filepath.Join(dir, "a.yaml")
	require.NoError(t, os.WriteFile(name, []byte(supportBot), 0o600))
	check := func(args ...string) string {
		var out, errs bytes.Buffer
		args = append([]string{"inventory", dir, "-o", "json", "-at", "2026-11-03T00:00:00Z"}, args...)
		run(&terminal{out: &out, err: &errs}, args)
		require.Empty(t, errs.String())
		var entry authority.Entry
		require.NoError(t, json.Unmarshal(out.Bytes(), &entry))
		return entry.Standing.String()
	}
	key := base64.StdEncoding.EncodeToString(private.Public().(ed25519.PublicKey))
	assert.Equal(t, "active", check())
	assert.Equal(t, "unsigned", check("-signed"))
	assert.Equal(t, "unsigned", check("-key", key))

	pae := fmt.Sprintf("DSSEv1 %d %s %d %s", len(authority.PayloadType), authority.PayloadType, len(supportBot), supportBot)
	envelope := fmt.Sprintf(`{"payloadType":%q,"payload":%q,"signatures":[{"sig":%q}]}`, authority.PayloadType,
		base64.StdEncoding.EncodeToString([]byte(supportBot)), base64.StdEncoding.EncodeToString(ed25519.Sign(private, []byte(pae))))
	require.NoError(t, os.WriteFile(name+".dsse.json", []byte(envelope), 0o600))
	assert.Equal(t, "active", check("-key", key))
	assert.Equal(t, "unsigned", check("-signed"), "a signature by a key that nobody trusts")

	var out, errs bytes.Buffer
	assert.Equal(t, exitUsage, run(&terminal{out: &out, err: &errs}, []string{"vet", dir, "-key", "x"}))
	assert.Contains(t, errs.String(), "want the base64 of the 32 bytes")
}

// TestCorpusCheck replays every case of the corpus through ambit check.
func TestCorpusCheck(t *testing.T) {
	suites, err := corpus.Load("../../testdata/corpus")
	require.NoError(t, err)
	codes := map[string]int{"allow": exitOK, "deny": exitFailed, "pend": exitPend}
	for _, suite := range suites {
		t.Run(suite.Name, func(t *testing.T) {
			for i, c := range suite.Cases {
				if testing.Short() && i%5 != 0 {
					continue
				}
				t.Run(c.Name, func(t *testing.T) {
					args := []string{
						"check", filepath.Join(suite.Dir, "policy"), "-manifest", filepath.Join(suite.Dir, "manifest.yaml"),
						"-call", "-", "-o", "json",
					}
					if len(suite.Before) > 0 {
						args = append(args, "-before", suite.BeforeDir())
					}
					if !suite.AllowUnsigned {
						args = append(args, "-signed")
					}
					var out, errs bytes.Buffer
					code := run(&terminal{in: bytes.NewReader(c.File), out: &out, err: &errs}, args)
					require.Empty(t, errs.String())
					assert.Equal(t, codes[c.Want.Verdict], code)
					assert.Equal(t, 1, bytes.Count(out.Bytes(), []byte("\n")), "one line")
					var d rationale.Decision
					require.NoError(t, json.Unmarshal(out.Bytes(), &d))
					for _, diff := range c.Want.Differences(&d) {
						t.Error(diff)
					}
				})
			}
		})
	}
}

// JSON is for machines, and yet people look at it.
func TestJSONOutputActsUponNoTerminal(t *testing.T) {
	const hostile = "a\u009b31m\u202eb\u2028c\x7f\U000E0041ä😀"
	line, err := rationale.Canonicalize([]byte(`{"note":"` + hostile + `"}`))
	require.NoError(t, err)
	text := terminalJSON(line)
	for _, r := range text {
		assert.True(t, unicode.IsPrint(r), "%q", r)
	}
	var back map[string]string
	require.NoError(t, json.Unmarshal([]byte(text), &back))
	assert.Equal(t, hostile, back["note"])

	var out, errs bytes.Buffer
	policy := filepath.Join("..", "..", "testdata", "corpus", "arguments")
	run(&terminal{out: &out, err: &errs}, []string{
		"check", filepath.Join(policy, "policy"), "-manifest", filepath.Join(policy, "manifest.yaml"), "-o", "json",
		"-agent", "a\u009b", "-env", "prod", "-tool", "act", "-args", "{}",
	})
	assert.Contains(t, out.String(), `a\u009b`)
	assert.NotContains(t, out.String(), "\u009b")
}

// TestTextOfAnyDecision prints every decision of the corpus for a person: no
// control character of a call may reach the terminal.
func TestTextOfAnyDecision(t *testing.T) {
	suites, err := corpus.Load("../../testdata/corpus")
	require.NoError(t, err)
	for _, suite := range suites {
		for i, c := range suite.Cases {
			if i%7 != 0 {
				continue
			}
			file := filepath.Join(t.TempDir(), "call.json")
			require.NoError(t, os.WriteFile(file, c.File, 0o600))
			var out, errs bytes.Buffer
			run(&terminal{out: &out, err: &errs}, []string{
				"check", filepath.Join(suite.Dir, "policy"), "-manifest", filepath.Join(suite.Dir, "manifest.yaml"), "-call", file,
			})
			assert.Empty(t, errs.String(), c.Name)
			for _, r := range out.String() {
				assert.False(t, r < ' ' && r != '\n', "%s: %q", c.Name, r)
			}
		}
	}
}
