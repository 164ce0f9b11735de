package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/audit"
	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// support writes a morning of the support agent to a folder: three refunds just under
// what it may spend alone, and one that somebody approves three seconds after it was
// asked for: support DIR.
func support(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(writeSupport(ts.MkAbs(args[0])))
}

func writeSupport(dir string) error {
	clock := guardtest.NewClock(time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC))
	l, err := ledger.Open(dir, journal.WithClock(clock.Now))
	if err != nil {
		return err
	}
	g, err := guard.New([]authority.Document{{Name: "support-bot.yaml", Data: []byte(supportBot)}}, guard.Agent{ID: "support-bot", Environment: "prod"},
		guard.WithLedger(l), guard.AllowUnsigned(), guard.WithClock(clock.Now))
	if err != nil {
		return err
	}
	refund, err := guard.Wrap(g, authority.Tool{
		Name: "orders.refund", Schema: json.RawMessage(`{"type":"object","properties":{"amount":{"type":"number"}}}`),
	}, func(context.Context, []byte) ([]byte, error) { return []byte("done"), nil })
	if err != nil {
		return err
	}
	call := func(amount, ticket string) (refusal struct{ Ticket string }, err error) {
		clock.Advance(time.Minute)
		said, err := refund(context.Background(), guard.Call{Ticket: ticket, Arguments: fmt.Appendf(nil, `{"amount": %s, "_rationale": {"purpose": "Parcel %s was lost.",
			"expected": "A refund.", "fallback": "None.", "alternatives": [{"option": "wait", "rejected": "too late"}], "evidence": ["https://orders.example.com/7"]}}`, amount, clock.Now())})
		if err == nil && said[0] == '{' {
			err = json.Unmarshal(said, &refusal)
		}
		return refusal, err
	}
	for range 3 {
		if _, err := call("19.90", ""); err != nil {
			return err
		}
	}
	pend, err := call("125", "")
	if err != nil {
		return err
	}
	clock.Advance(3 * time.Second)
	if err := l.Answer(context.Background(), &rationale.Approval{
		Ticket: pend.Ticket, At: clock.Now(), By: rationale.Person{ID: "sam@example.com", Groups: []string{"support-leads"}}, Answer: rationale.AnswerApprove,
	}); err != nil {
		return err
	}
	if _, err := call("125", pend.Ticket); err != nil {
		return err
	}
	return l.Close()
}

var anyID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)

// TestDocsSQL runs the commands that docs/sql.md shows, and compares their output.
func TestDocsSQL(t *testing.T) {
	page, err := os.ReadFile("../../docs/sql.md")
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	require.NoError(t, writeSupport("evidence"))
	commands := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		for part := range strings.SplitSeq(strings.TrimPrefix(block[1], "$ "), "\n$ ") {
			line, want, _ := strings.Cut(part, "\n")
			commands++
			got := shell(t, line)
			assert.Equal(t, anyID.ReplaceAllString(strings.TrimRight(want, "\n"), "ID"), anyID.ReplaceAllString(strings.TrimRight(got, "\n"), "ID"), line)
		}
	}
	assert.GreaterOrEqual(t, commands, 5)
}

// shell runs one of the commands of a page: ambit, or sqlite3 FILE 'SQL'.
func shell(t *testing.T, line string) string {
	t.Helper()
	command, rest, _ := strings.Cut(line, " ")
	if command == "ambit" {
		var out bytes.Buffer
		run(&terminal{out: &out, err: &out}, strings.Fields(rest))
		return out.String()
	}
	require.Equal(t, "sqlite3", command, line)
	file, query, _ := strings.Cut(rest, " ")
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	defer db.Close()
	rows, err := db.Query(query[1 : len(query)-1])
	require.NoError(t, err, line)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var out strings.Builder
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		texts := make([]string, len(values))
		for i, v := range values {
			texts[i] = v.String
		}
		fmt.Fprintln(&out, strings.Join(texts, "|"))
	}
	require.NoError(t, rows.Err())
	return out.String()
}

// The page lists every question, every parameter with its default, and every table and
// column.
func TestDocsSQLIsComplete(t *testing.T) {
	page, err := os.ReadFile("../../docs/sql.md")
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, writeSupport(filepath.Join(dir, "evidence")))
	var out bytes.Buffer
	require.Equal(t, exitOK, run(&terminal{out: &out, err: &out}, []string{"export", filepath.Join(dir, "records.db"), filepath.Join(dir, "evidence")}), "%s", &out)
	file := filepath.Join(dir, "records.db")
	for row := range strings.Lines(shell(t, "sqlite3 "+file+` 'SELECT name, asks FROM question'`)) {
		name, asks, _ := strings.Cut(strings.TrimSpace(row), "|")
		assert.Contains(t, string(page), "| `"+name+"` | "+asks+" |")
	}
	for row := range strings.Lines(shell(t, "sqlite3 "+file+` 'SELECT name FROM parameter'`)) {
		assert.Contains(t, string(page), "| `"+strings.TrimSpace(row)+"` |")
	}
	for row := range strings.Lines(shell(t, "sqlite3 "+file+` "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'"`)) {
		table, column, _ := strings.Cut(strings.TrimSpace(row), "|")
		_, section, found := strings.Cut(string(page), "| `"+table+"` | ")
		require.True(t, found, table)
		section, _, _ = strings.Cut(section, "\n")
		assert.Contains(t, section, "`"+column+"`", "%s.%s", table, column)
	}
}

// Text of a record that was forged acts upon no terminal.
func TestFindingsActUponNoTerminal(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, writeSupport(dir))
	const hostile = "a\x1b[31mb\u202ec\u2028d\x00e'; DROP TABLE decision; --"
	at := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	j, err := journal.Open(dir)
	require.NoError(t, err)
	require.NoError(t, j.Append(context.Background(), &rationale.Decision{
		ID: hostile, At: at, Verdict: rationale.Allow, Standing: rationale.StandingRevoked, Class: hostile, Agent: rationale.Agent{ID: hostile},
		Tool: rationale.Tool{Name: hostile, Pin: rationale.Mismatch}, Spend: &rationale.Spend{Currency: hostile, Amount: hostile},
		Authorization:  &rationale.AuthorizationRef{ID: hostile, Owner: hostile, GrantedBy: []string{hostile}},
		RationaleCheck: &rationale.RationaleCheck{},
	}))
	require.NoError(t, j.Close())
	for _, format := range []string{"table", "json"} {
		var out, errs bytes.Buffer
		require.Equal(t, exitOK, run(&terminal{out: &out, err: &errs}, []string{"audit", "-all", dir, "-o", format}), "%s", &errs)
		assert.Empty(t, errs.String())
		assert.Contains(t, out.String(), "DROP TABLE", "it is shown")
		for _, r := range out.String() {
			assert.False(t, r < ' ' && r != '\n' || r == '\u202e' || r == '\u2028', "%s: %q", format, r)
		}
	}
}

// Which command lines of audit ask questions of records.
func TestAsksQuestions(t *testing.T) {
	for line, want := range map[string]bool{
		"-q": true, "-q haste ev": true, "ev -all": true, "--q=haste ev": true, "-all=true ev": true, "-o json audit.yaml": false, "q ev": false, "": false, "all": false,
	} {
		assert.Equal(t, want, asksQuestions(strings.Fields(line)), line)
	}
}

// What is shown on a terminal alone, and cleared.
func TestProgress(t *testing.T) {
	var w bytes.Buffer
	assert.Nil(t, newProgress(&w).w, "no terminal")
	file, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	defer file.Close()
	assert.Nil(t, newProgress(file).w, "a file")
	p := &progress{w: &w}
	p.at(progressEvery - 1)
	p.end()
	assert.Empty(t, w.String())
	p.at(progressEvery)
	p.end()
	p.end()
	assert.Equal(t, "\rreading: 10000 records\x1b[K\r\x1b[K", w.String())
}

// An audit says on a terminal how far it is, and is quiet elsewhere.
func TestProgressOfAnAudit(t *testing.T) {
	var c audit.Config
	new(progress).follow(&c)
	assert.Nil(t, c.Progress, "no terminal")
	var w bytes.Buffer
	p := &progress{w: &w}
	p.follow(&c)
	c.Progress(audit.Progress{Read: 12_900_000, Size: 345_000_000, Records: 20_000})
	c.Progress(audit.Progress{Read: 345_000_000, Size: 345_000_000, Records: 40_001, Joining: true})
	p.end()
	assert.Equal(t, "\rreading: 12 of 345 MB of event logs, 20000 records\x1b[K\rjoining: events with 40001 records\x1b[K\r\x1b[K", w.String())
}

// An export is complete or not there, private, and leaves nothing else behind.
func TestExportIsWhole(t *testing.T) {
	evidence, dir := t.TempDir(), t.TempDir()
	require.NoError(t, writeSupport(evidence))
	exporting := func(args ...string) int {
		var out bytes.Buffer
		return run(&terminal{out: &out, err: &out}, append([]string{"export"}, args...))
	}
	names := func() (all []string) {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, e := range entries {
			all = append(all, e.Name())
		}
		return all
	}
	file := filepath.Join(dir, "records?.db")
	assert.Equal(t, exitUsage, exporting(file, t.TempDir()))
	assert.Empty(t, names())
	require.NoError(t, os.WriteFile(file, []byte("mine"), 0o644))
	assert.Equal(t, exitUsage, exporting(file, evidence))
	assert.Equal(t, exitUsage, exporting(file, t.TempDir(), "-force"))
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "mine", string(kept))
	assert.Equal(t, exitOK, exporting(file, evidence, "-force"))
	assert.Equal(t, []string{"records?.db"}, names())
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}
