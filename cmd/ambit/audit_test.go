package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/audit"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// trail writes an event for each decision of the evidence in a folder that allowed
// its call, as the lines of a log, with the decision's id in its user agent:
// trail DIR FILE.
func trail(ts *testscript.TestScript, _ bool, args []string) {
	var lines []byte
	for entry, err := range journal.Read(ts.MkAbs(args[0])) {
		ts.Check(err)
		d, ok := entry.Record.(*rationale.Decision)
		if !ok || d.Verdict != rationale.Allow {
			continue
		}
		line, err := json.Marshal(map[string]any{
			"eventID": "made-by-" + d.CallID, "eventTime": d.At.Format(time.RFC3339), "eventSource": "orders.amazonaws.com", "eventName": "Refund",
			"userAgent": "orders/1 decision/" + d.ID, "userIdentity": map[string]any{"arn": "arn:aws:iam::1:user/support"},
		})
		ts.Check(err)
		lines = append(append(lines, line...), '\n')
	}
	f, err := os.OpenFile(ts.MkAbs(args[1]), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ts.Check(err)
	_, err = f.Write(lines)
	ts.Check(err)
	ts.Check(f.Close())
}

// What a log says cannot become part of the page that quotes it.
func TestAuditPagesEscape(t *testing.T) {
	const hostile = "<script>alert(1)</script>\u202e\x1b[31m| [x](javascript:alert(1)) `a` *b* </td>\n# h"
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	r := &audit.Report{
		ID: hostile, Until: at, Coverage: audit.Coverage{Mutating: 1, Findings: map[audit.Kind]int{audit.Unexplained: 1, audit.Orphan: 1}},
		Timeline: audit.Timeline{Width: time.Minute, Bars: []audit.Bar{{From: at, Findings: map[audit.Kind]int{audit.Unexplained: 1}}}},
		Logs:     []audit.LogReport{{Name: hostile, Gaps: []audit.Gap{{Why: hostile}}}},
		Problems: []audit.Problem{{File: hostile, Problem: hostile}}, Absent: []string{hostile},
		RecordGaps: []audit.RecordGap{{Journal: hostile, Problem: hostile, First: 3}},
	}
	list := &findingList{}
	for _, k := range []audit.Kind{audit.Unexplained, audit.Orphan} {
		require.NoError(t, list.add(audit.Finding{
			Kind: k, Event: hostile, Decision: hostile, Why: hostile, Principal: hostile, Action: hostile, Resource: hostile, Tool: hostile, Place: hostile,
			Nearest: []audit.Nearest{{Decision: hostile, Tool: hostile, Verdict: hostile, Why: hostile}},
		}))
	}
	var html, md, table, notes bytes.Buffer
	require.NoError(t, auditHTML(&html, r, list))
	assert.NotContains(t, html.String(), "<script")
	assert.Equal(t, 1, strings.Count(html.String(), "<title>Audit"), "one title")
	auditMarkdown(&md, r, list)
	assert.NotContains(t, md.String(), "<script")
	assert.NotContains(t, md.String(), "[x](")
	assert.NotContains(t, md.String(), "\n# h")
	(&terminal{}).auditTable(&table, r, list)
	(&terminal{err: &notes}).auditProblems(r)
	for name, page := range map[string]string{"html": html.String(), "md": md.String(), "table": table.String(), "notes": notes.String()} {
		assert.Contains(t, page, "alert(1)", name)
		assert.NotContains(t, page, "\x1b", name)
		assert.NotContains(t, page, "\u202e", name)
	}
}

// What is not printed is not kept: the next run finds it again.
func TestWhatIsNotPrintedIsNotKept(t *testing.T) {
	for _, format := range []string{"table", "md", "html", "json"} {
		t.Run(format, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.Mkdir(filepath.Join(dir, "logs"), 0o700))
			doc, state := filepath.Join(dir, "audit.yaml"), filepath.Join(dir, "state.json")
			require.NoError(t, os.WriteFile(doc, []byte(supportLog), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "logs", "l.json"), []byte(
				`{"eventID":"1","eventTime":"2026-11-02T09:00:00Z","eventSource":"orders.amazonaws.com","eventName":"Refund","userIdentity":{"arn":"arn:aws:iam::1:user/support"}}`), 0o600))
			var notes bytes.Buffer
			assert.Equal(t, exitUsage, run(&terminal{out: full{}, err: &notes}, []string{"audit", "-o", format, doc}))
			assert.Contains(t, notes.String(), "ambit audit: no space left")
			assert.NoFileExists(t, state)
			run(&terminal{out: &notes, err: &notes}, []string{"audit", "-o", format, doc})
			assert.FileExists(t, state)
		})
	}
}

// full is a disk that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// The page for those who read no HTML has the timeline too.
func TestTimelineOfCharacters(t *testing.T) {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	var w bytes.Buffer
	markdownTimeline(&w, &audit.Timeline{Width: time.Hour, Bars: []audit.Bar{
		{From: at, Findings: map[audit.Kind]int{audit.Explained: 79, audit.Unexplained: 1}},
		{From: at.Add(3 * time.Hour), Findings: map[audit.Kind]int{audit.Orphan: 1}},
	}})
	assert.Equal(t, "\n## Timeline\n\n```text\n"+
		"2026-11-02T09:00:00Z  "+strings.Repeat("#", 40)+"  79 explained, 1 unexplained\n"+
		"2026-11-02T12:00:00Z  #"+strings.Repeat(" ", 39)+"  1 orphan\n```\n", w.String())
	w.Reset()
	markdownTimeline(&w, &audit.Timeline{})
	assert.Empty(t, w.String())
}

// The page shows at least a sliver of one finding among many.
func TestTimelinePicture(t *testing.T) {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	p := pictureOf(&audit.Timeline{Width: time.Hour, Bars: []audit.Bar{
		{From: at, Findings: map[audit.Kind]int{audit.Explained: 1_000_000, audit.Unexplained: 1}},
		{From: at.Add(3 * time.Hour), Findings: map[audit.Kind]int{audit.Orphan: 5}},
	}})
	require.Len(t, p.Rects, 3)
	assert.Equal(t, 1_000_001, p.Most)
	assert.Equal(t, rect{X: 0, Y: 0, Width: 179, Height: 2, Kind: audit.Unexplained, Title: "2026-11-02T09:00:00Z: 1 unexplained"}, p.Rects[1])
	assert.Equal(t, 540.0, p.Rects[2].X)
	assert.Nil(t, pictureOf(&audit.Timeline{}))
}
