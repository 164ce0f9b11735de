package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
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
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ambit": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"evidence": evidence},
	})
}

// evidence writes the records of three calls of a support agent to a folder:
// one allowed, one denied, one pending. Its documents are those of a folder.
func evidence(ts *testscript.TestScript, _ bool, args []string) {
	docs, err := authority.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	j, err := journal.Open(ts.MkAbs(args[1]))
	ts.Check(err)
	at := time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)
	g, err := guard.New(docs, guard.Agent{ID: "support-bot", Environment: "prod"},
		guard.WithLedger(ledger.New(j)), guard.AllowUnsigned(), guard.WithClock(func() time.Time { return at }))
	ts.Check(err)
	refund, err := guard.Wrap(g, authority.Tool{
		Name: "orders.refund", Schema: json.RawMessage(`{"type":"object","properties":{"amount":{"type":"number"},"note":{"type":"string"}}}`),
	}, func(context.Context, []byte) ([]byte, error) { return []byte("done"), nil })
	ts.Check(err)
	for _, arguments := range []string{
		`{"amount": 12.5, "note": "\u001b[31mred", "_rationale": {"purpose": "The parcel\nwas lost."}}`,
		`{"amount": 1000, "_rationale": {"purpose": "The parcel was lost."}}`,
		`{"amount": 100, "_rationale": {"purpose": "The parcel was lost.", "expected": "A refund.", "fallback": "None.",
		  "alternatives": [{"option": "wait", "rejected": "too late"}], "evidence": ["https://orders.example.com/7"]}}`,
	} {
		_, err := refund(context.Background(), guard.Call{Arguments: []byte(arguments)})
		ts.Check(err)
	}
	ts.Check(j.Close())
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
