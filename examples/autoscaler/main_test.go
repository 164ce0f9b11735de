package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/examples/autoscaler/internal/fleet"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

var update = flag.Bool("update", false, "rewrite testdata")

// result is what one run left behind.
type result struct {
	screen    string
	fleet     *fleet.Fleet
	decisions []*rationale.Decision
	outcomes  map[string][]*rationale.Outcome // by decision
	answers   []*rationale.Approval
}

func execute(t *testing.T, trace fleet.Trace, name string) result {
	t.Helper()
	dir := t.TempDir()
	var screen bytes.Buffer
	f := fleet.New(trace, morning)
	require.NoError(t, work(t.Context(), options{trace: trace, traceName: name, evidence: dir}, f, &screen))
	r := result{screen: strings.ReplaceAll(screen.String(), dir, "DIR"), fleet: f, outcomes: map[string][]*rationale.Outcome{}}
	r.read(t, dir)
	return r
}

func (r *result) read(t *testing.T, dir string) {
	t.Helper()
	for entry, err := range journal.Read(dir) {
		require.NoError(t, err)
		switch rec := entry.Record.(type) {
		case *rationale.Decision:
			r.decisions = append(r.decisions, rec)
		case *rationale.Outcome:
			r.outcomes[rec.Decision] = append(r.outcomes[rec.Decision], rec)
		case *rationale.Approval:
			r.answers = append(r.answers, rec)
		}
	}
	require.NotEmpty(t, r.decisions)
}

// find returns the place of the first decision from place from on for which ok
// holds.
func (r *result) find(t *testing.T, from int, ok func(d *rationale.Decision) bool) int {
	t.Helper()
	for i := from; i < len(r.decisions); i++ {
		if ok(r.decisions[i]) {
			return i
		}
	}
	require.Fail(t, "the run does not show it")
	return -1
}

func reasonsAre(d *rationale.Decision, want ...rationale.Reason) bool {
	return fmt.Sprint(d.Reasons) == fmt.Sprint(want)
}

func raised(d *rationale.Decision, kind rationale.CheckKind) bool {
	for _, c := range d.Checks {
		if c.Kind == kind && c.Result == rationale.Raised {
			return true
		}
	}
	return false
}

// TestDefaultRun is the run that a newcomer starts first.
func TestDefaultRun(t *testing.T) {
	r := execute(t, fleet.Builtin(), "built in")
	t.Run("situations", func(t *testing.T) { situations(t, r) })
	t.Run("one decision an evaluation, one outcome an allowed call", func(t *testing.T) { records(t, r) })
	t.Run("the fleet's log and the records agree", func(t *testing.T) { agree(t, r) })
	t.Run("the goal is met", func(t *testing.T) { assert.Contains(t, r.screen, "goal met") })
	t.Run("first screen", func(t *testing.T) {
		lines := strings.SplitAfterN(r.screen, "\n", 41)
		golden(t, "first-screen.txt", strings.Join(lines[:40], ""))
	})
	t.Run("another trace, other calls", func(t *testing.T) { realTrace(t, r) })
	t.Run("no colour outside a terminal", func(t *testing.T) { assert.NotContains(t, r.screen, "\x1b") })
}

func situations(t *testing.T, r result) {
	t.Run("an allowed parameterized call", func(t *testing.T) {
		r.find(t, 0, func(d *rationale.Decision) bool {
			return d.Verdict == rationale.Allow && d.Tier == classify.Parameterized && d.Effect == "write"
		})
	})
	t.Run("a bounded escalation and the review it owes", func(t *testing.T) {
		d := r.decisions[r.find(t, 0, func(d *rationale.Decision) bool {
			return d.Verdict == rationale.Allow && d.Tier == classify.BoundedEscalation && raised(d, rationale.CheckTrigger)
		})]
		require.NotNil(t, d.Review)
		assert.Equal(t, []string{"group:platform-risk"}, d.Review.By)
		assert.Equal(t, 48*time.Hour, d.Review.Due.Sub(d.At))
		assert.Contains(t, r.screen, "review owed by group:platform-risk")
	})
	t.Run("a pend for authorization", func(t *testing.T) {
		d := r.decisions[r.find(t, 0, func(d *rationale.Decision) bool { return d.Verdict == rationale.Pend })]
		assert.Equal(t, classify.AuthorizationRequired, d.Tier)
		require.NotNil(t, d.Ticket)
		assert.Equal(t, []string{"group:assistant-sre-oncall"}, d.Ticket.By)
		assert.Empty(t, r.outcomes[d.ID])
	})
	t.Run("an approval, and the run that resumes with it", func(t *testing.T) {
		i := r.find(t, 0, func(d *rationale.Decision) bool { return d.Approval != "" })
		pend, d := r.decisions[i-1], r.decisions[i]
		assert.Equal(t, pend.ID, d.Parent)
		assert.Equal(t, pend.ActionDigest, d.ActionDigest)
		assert.Equal(t, rationale.Allow, d.Verdict)
		assert.Equal(t, thinking, d.At.Sub(pend.At))
		require.Len(t, r.answers, 3)
		assert.Equal(t, d.Approval, r.answers[0].ID)
		assert.Equal(t, oncall, r.answers[0].By)
		assert.Equal(t, "1000.00", r.answers[0].UpTo, "the ceiling of the matrix")
	})
	t.Run("a denial by people, which the agent reads and does not go around", func(t *testing.T) {
		denied := 0
		for _, d := range r.decisions {
			if d.Parent != "" && d.Verdict == rationale.Deny {
				denied++
				assert.Contains(t, d.Reasons, rationale.ApprovalInvalid)
				assert.True(t, raised(d, rationale.CheckTrigger))
			}
		}
		assert.Equal(t, 2, denied, "once for each pool")
		assert.Contains(t, r.screen, "“People said no: I leave it.")
	})
	t.Run("what is spent of a window, and what is left", func(t *testing.T) {
		assert.Contains(t, r.screen, "scaling.nodes      24h                             300 EUR      187.776      112.224\n")
		assert.Contains(t, r.screen, "CC-4471            month in Europe/Stockholm       500 EUR     262.8864     237.1136\n")
	})
	t.Run("64 cores outside the baseline, and the correction", func(t *testing.T) {
		i := r.find(t, 0, func(d *rationale.Decision) bool {
			return d.Tool.Name == "region_open" && strings.Contains(string(d.Arguments), "us-east-1")
		})
		d := r.decisions[i]
		assert.Contains(t, string(d.Arguments), `"m7g.16xlarge"`)
		assert.Equal(t, rationale.Deny, d.Verdict)
		assert.Contains(t, d.Reasons, rationale.NotAllowed)
		assert.Contains(t, r.screen, "data residency, policy DR-7")
		next := r.decisions[i+1]
		assert.Equal(t, "region_open", next.Tool.Name)
		assert.Contains(t, string(next.Arguments), `"eu-north-1"`)
		assert.NotContains(t, next.Reasons, rationale.NotAllowed)
	})
	t.Run("a spend band raises a tier", func(t *testing.T) {
		d := r.decisions[r.find(t, 0, func(d *rationale.Decision) bool {
			return raised(d, rationale.CheckBand) && d.Verdict == rationale.Allow
		})]
		assert.Equal(t, classify.Parameterized, d.BaseTier)
		assert.Equal(t, classify.BoundedEscalation, d.Tier)
		assert.Contains(t, r.screen, "raised by spend band")
	})
	t.Run("a missing rationale refused and then supplied", func(t *testing.T) {
		i := r.find(t, 0, func(d *rationale.Decision) bool { return reasonsAre(d, rationale.RationaleIncomplete) })
		refused, again := r.decisions[i], r.decisions[i+1]
		assert.Equal(t, rationale.Deny, refused.Verdict)
		assert.Equal(t, rationale.Allow, again.Verdict)
		assert.Equal(t, refused.ActionDigest, again.ActionDigest)
		require.NotNil(t, again.RationaleCheck)
		assert.True(t, again.RationaleCheck.Complete)
		assert.NotEmpty(t, again.RationaleCheck.Found, "the evidence it cites was read")
	})
	t.Run("a tool that no class covers", func(t *testing.T) {
		d := r.decisions[r.find(t, 0, func(d *rationale.Decision) bool { return reasonsAre(d, rationale.Unclassified) })]
		assert.Equal(t, "dns_update_record", d.Tool.Name)
		assert.Equal(t, rationale.Deny, d.Verdict)
	})
	t.Run("after the review date, the same call", func(t *testing.T) {
		d := r.decisions[r.find(t, 0, func(d *rationale.Decision) bool { return reasonsAre(d, rationale.ReviewLapsed) })]
		assert.Equal(t, rationale.Deny, d.Verdict)
		assert.Equal(t, rationale.StandingReviewLapsed, d.Standing)
		assert.True(t, d.At.After(nextMorning))
		r.find(t, 0, func(before *rationale.Decision) bool {
			return before.Verdict == rationale.Allow && before.ActionDigest == d.ActionDigest
		})
	})
}

func records(t *testing.T, r result) {
	ids, calls := map[string]bool{}, map[string]bool{}
	for _, d := range r.decisions {
		assert.False(t, ids[d.ID], "decision %s is there twice", d.ID)
		assert.False(t, calls[d.CallID], "call %s was decided twice", d.CallID)
		ids[d.ID], calls[d.CallID] = true, true
		want := 0
		if d.Verdict == rationale.Allow {
			want = 1
		}
		assert.Len(t, r.outcomes[d.ID], want, "outcomes of %s", d.ID)
	}
	for id := range r.outcomes {
		assert.True(t, ids[id], "an outcome of no decision: %s", id)
	}
}

// agree holds what was done to the fleet against the records: each action names
// a decision that allowed exactly it, and each allowed write was done.
func agree(t *testing.T, r result) {
	byID := map[string]*rationale.Decision{}
	var allowed []string
	for _, d := range r.decisions {
		byID[d.ID] = d
		if d.Verdict == rationale.Allow && d.Effect == "write" {
			allowed = append(allowed, d.ID)
		}
	}
	var done []string
	for _, a := range r.fleet.Log() {
		if a.Name == "repeat" {
			continue // the example's, not the agent's
		}
		d := byID[a.Decision]
		require.NotNil(t, d, "%+v was done on no decision", a)
		assert.Equal(t, asAction(t, d), a.Name+" "+a.Args)
		assert.Equal(t, d.At, a.At)
		require.Len(t, r.outcomes[d.ID], 1)
		assert.Equal(t, rationale.StatusSuccess, r.outcomes[d.ID][0].Status)
		done = append(done, a.Decision)
	}
	assert.Equal(t, allowed, done)
	assert.NotEmpty(t, done)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func TestCancelledRunBreaksOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, problems bytes.Buffer
	code := run(ctx, []string{"-evidence", t.TempDir()}, func(string) string { return "" }, &out, &problems)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, problems.String(), context.Canceled.Error())
}
