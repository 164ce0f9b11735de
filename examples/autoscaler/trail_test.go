package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// finding is a line of ambit audit -o json.
type finding struct {
	Finding, Event, Decision, Why, Action, Key, Gap string
}

// auditor runs the command ambit audit on a run's Audit document.
type auditor struct{ ambit, dir string }

// leave runs the example, as its command line has it, for an auditor.
func leave(t *testing.T, flags ...string) auditor {
	t.Helper()
	a := auditor{filepath.Join(t.TempDir(), "ambit"), t.TempDir()}
	build := exec.Command("go", "build", "-o", a.ambit, ".")
	build.Dir = filepath.Join("..", "..", "cmd", "ambit")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	var screen, problems bytes.Buffer
	require.Equal(t, exitDone, run(t.Context(), append(flags, "-evidence", a.dir), none, &screen, &problems), problems.String())
	assert.Contains(t, screen.String(), "ambit audit "+a.dir+"/audit.yaml")
	return a
}

// audit returns the findings and the exit code.
func (a auditor) audit(t *testing.T, flags ...string) (found []finding, code int) {
	t.Helper()
	cmd := exec.Command(a.ambit, append(append([]string{"audit", "-o", "json"}, flags...), filepath.Join(a.dir, "audit.yaml"))...)
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code, err = exit.ExitCode(), nil
	}
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		var f finding
		require.NoError(t, json.Unmarshal([]byte(line), &f), line)
		for _, key := range []string{`{"finding":`, `"event":`, `"decision":`, `"why":`} {
			assert.Contains(t, line, key)
		}
		found = append(found, f)
	}
	return found, code
}

func of(found []finding, kind string) (all []finding) {
	for _, f := range found {
		if f.Finding == kind {
			all = append(all, f)
		}
	}
	return all
}

// What went through the guard is explained, all of it, by keys.
func TestTheTrailIsExplained(t *testing.T) {
	a := leave(t)
	found, code := a.audit(t, "-fail-on", "unexplained,unauthorized,orphan,log_gap,too_early,explained_weakly,unknown_resolved")
	assert.Zero(t, code)
	assert.Len(t, of(found, "explained"), len(found))
	assert.NotEmpty(t, found)
	_, err := os.Stat(filepath.Join(a.dir, "delayed"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// What went behind its back is found, each in its class, and nothing else is.
func TestBehindTheBack(t *testing.T) {
	a := leave(t, "-behind-the-back")
	found, code := a.audit(t, "-fail-on", "unexplained")
	assert.Equal(t, 1, code)

	unexplained := of(found, "unexplained")
	require.Len(t, unexplained, 3)
	lost, denied, forged := unexplained[0], unexplained[1], unexplained[2]
	assert.Regexp(t, `^journal [0-9a-f-]{36} lacks record \d+ \(`, lost.Gap)
	assert.Contains(t, lost.Why, "no record explains it; a record of it may be lost: "+lost.Gap)
	assert.Contains(t, denied.Why, "/console did fleet.cloud.example:UpdateTrafficShare, and no record explains it")
	assert.Contains(t, forged.Why, "/ambit-"+invented+" did fleet.cloud.example:ScaleDeployment, and no record explains it")
	for _, f := range unexplained {
		assert.Empty(t, f.Decision)
		assert.NotEmpty(t, f.Event)
		assert.Equal(t, f.Event == lost.Event, f.Gap != "", f.Why)
	}

	unauthorized := of(found, "unauthorized")
	require.Len(t, unauthorized, 1)
	assert.NotEmpty(t, unauthorized[0].Event)
	assert.NotEmpty(t, unauthorized[0].Decision)
	assert.Regexp(t, `requestParameters.nodes is "(\d+)", and decided was nodes "(\d+)"`, unauthorized[0].Why)

	late := of(found, "too_early")
	assert.NotEmpty(t, late)
	for _, f := range late {
		assert.Empty(t, f.Event)
		assert.NotEmpty(t, f.Decision)
	}
	assert.Len(t, of(found, "explained"), len(found)-3-1-len(late), "and nothing else")
	documented(t, a.dir, found)

	// The file arrives, and what it holds is explained.
	held, err := os.ReadDir(filepath.Join(a.dir, "delayed"))
	require.NoError(t, err)
	require.Len(t, held, 1)
	require.NoError(t, os.Rename(filepath.Join(a.dir, "delayed", held[0].Name()), filepath.Join(a.dir, "events", held[0].Name())))
	after, _ := a.audit(t)
	assert.Empty(t, of(after, "too_early"))
	assert.Len(t, of(after, "explained"), len(of(found, "explained"))+len(late))
	assert.Len(t, of(after, "unexplained"), 3)
	assert.Len(t, of(after, "unauthorized"), 1)
}

func TestATraceTooShortForTheIntruder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "short.csv")
	require.NoError(t, os.WriteFile(file, []byte("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,400,100\n2023-11-16 18:15:50,400,100\n"), 0o600))
	var out, problems bytes.Buffer
	assert.Equal(t, exitFailed, run(t.Context(), []string{"-behind-the-back", "-trace", file, "-evidence", t.TempDir()}, none, &out, &problems))
	assert.Contains(t, problems.String(), "the trace is too short")
}

var (
	random = regexp.MustCompile(`\b([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3})-[0-9a-f]{4}-[0-9a-f]{12}\b`)
	offset = regexp.MustCompile(`byte \d+`)
)

// documented holds docs/audit.md, which shows what is found, against it. The random
// part of ids, and how long the records are, differ from run to run.
func documented(t *testing.T, dir string, found []finding) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "audit.md"))
	require.NoError(t, err)
	for _, f := range found {
		if f.Finding == "explained" {
			continue
		}
		why, err := json.Marshal(f.Why)
		require.NoError(t, err)
		line := `{"finding":"` + f.Finding + `","event":"` + f.Event + `","decision":"` + f.Decision + `","why":` + string(why) + "}"
		line = offset.ReplaceAllString(random.ReplaceAllString(strings.ReplaceAll(line, dir, "DIR"), "$1-…"), "byte …")
		assert.Contains(t, string(data), "\n"+line+"\n")
	}
}
