package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// auditedDaily is a draft, at a time, of an authorization that was granted at noon,
// whose audit is due every day and may find one act.
func auditedDaily(at time.Time) *rationale.Decision {
	d := guardtest.Allowed()
	d.At, d.Authorization = at, &rationale.AuthorizationRef{ID: "fleet", GrantedAt: noon}
	d.Terms.AuditEvery, d.Terms.MaxUnexplained = 24*time.Hour, 1
	return d
}

// brakes returns the ids of the brakes that a draft meets.
func brakes(t *testing.T, l *ledger.Memory, d *rationale.Decision) (ids []string) {
	t.Helper()
	require.NoError(t, l.Admit(ctx, d))
	for _, c := range d.Checks {
		if c.Kind == rationale.CheckBrake {
			ids = append(ids, c.ID)
			assert.Equal(t, rationale.AuditDebt, c.Reason)
			assert.Equal(t, classify.AuthorizationRequired, d.Tier)
		}
	}
	assert.Equal(t, ids == nil, d.Verdict == rationale.Allow)
	return ids
}

func TestAuditsBrake(t *testing.T) {
	for name, opts := range map[string][]journal.Option{
		"at once": nil, "after a restart": nil, "from a snapshot": {journal.WithRotation(journal.Rotation{Records: 2})},
	} {
		t.Run(name, func(t *testing.T) {
			fs := crashfs.New()
			l := openLedger(t, fs, opts...)
			again := func() {
				if name != "at once" {
					require.NoError(t, l.Close())
					l = openLedger(t, fs, opts...)
				}
			}
			at := noon.Add(24 * time.Hour)
			assert.Empty(t, brakes(t, l, auditedDaily(at)))
			at = at.Add(1)
			assert.Equal(t, []string{"audit.every"}, brakes(t, l, auditedDaily(at)))
			other := auditedDaily(at)
			other.Terms.AuditEvery = 0
			assert.Empty(t, brakes(t, l, other), "nobody asks for an audit")

			result := rationale.Audit{Authorization: "fleet", Judged: 7, Unexplained: 1}
			_, err := l.Audited(ctx, result, noon, at, "nightly", at)
			require.NoError(t, err)
			again()
			assert.Empty(t, brakes(t, l, auditedDaily(at)), "one is what it may find")
			result.Unauthorized = 1
			failed, err := l.Audited(ctx, result, noon, at, "nightly", at)
			require.NoError(t, err)
			result.Unexplained, result.Unauthorized = 0, 0
			_, err = l.Audited(ctx, result, noon, at, "nightly", at)
			require.NoError(t, err)
			again()
			assert.Equal(t, []string{"audit.max_unexplained"}, brakes(t, l, auditedDaily(at)), "a later one that finds nothing answers nothing")
			assert.Len(t, l.UnansweredAudits(), 2)
			at = at.Add(24*time.Hour + 1)
			assert.Equal(t, []string{"audit.max_unexplained", "audit.every"}, brakes(t, l, auditedDaily(at)))
			elsewhere := auditedDaily(at)
			elsewhere.Authorization.ID = "other"
			elsewhere.Authorization.GrantedAt = at
			assert.Empty(t, brakes(t, l, elsewhere))

			require.NoError(t, l.AnswerAudit(ctx, failed, "rae@example.com", "a restore drill, CHG-7", at))
			assert.ErrorIs(t, l.AnswerAudit(ctx, failed, "rae@example.com", "again", at), ledger.ErrRefused)
			again()
			assert.Equal(t, []string{"audit.every"}, brakes(t, l, auditedDaily(at)))
			_, err = l.Audited(ctx, result, noon, at, "nightly", at)
			require.NoError(t, err)
			assert.Empty(t, brakes(t, l, auditedDaily(at)))
		})
	}
}

func TestAuditsThatCannotBe(t *testing.T) {
	l := ledger.New(&guardtest.Recorder{})
	good := rationale.Audit{Authorization: "fleet", Judged: 2, Unexplained: 1, Unauthorized: 1}
	hour := time.Hour
	for name, do := range map[string]func() error{
		"of nothing":      func() error { return audit(l, rationale.Audit{Judged: 1}, -hour, 0, "nightly") },
		"escape sequence": func() error { return audit(l, rationale.Audit{Authorization: "\x1b[2J"}, -hour, 0, "nightly") },
		"more than all": func() error {
			return audit(l, rationale.Audit{Authorization: "fleet", Unexplained: 1}, -hour, 0, "nightly")
		},
		"less than none": func() error {
			return audit(l, rationale.Audit{Authorization: "fleet", Judged: 1, Unexplained: -1}, -hour, 0, "nightly")
		},
		"of the future":  func() error { return audit(l, good, -hour, 1, "nightly") },
		"of no time":     func() error { return audit(l, good, 0, 0, "nightly") },
		"by nobody":      func() error { return audit(l, good, -hour, 0, " ") },
		"of none":        func() error { return l.AnswerAudit(ctx, "x", "rae", "why", noon) },
		"without a why":  func() error { return l.AnswerAudit(ctx, "x", "rae", "", noon) },
		"of a zero book": func() error { return audit(&ledger.Memory{}, good, -hour, 0, "nightly") },
	} {
		assert.ErrorIs(t, do(), ledger.ErrRefused, name)
	}
	require.NoError(t, audit(l, good, -hour, 0, "nightly"))
}

func audit(l *ledger.Memory, result rationale.Audit, from, until time.Duration, by string) error {
	_, err := l.Audited(ctx, result, noon.Add(from), noon.Add(until), by, noon)
	return err
}

// Of audits that nobody answers, those that found most stay.
func TestUnansweredAuditsAreBounded(t *testing.T) {
	l := ledger.New(&guardtest.Recorder{})
	for i := range 300 {
		require.NoError(t, audit(l, rationale.Audit{Authorization: "fleet", Judged: 300, Unexplained: 300 - i}, -time.Hour, 0, "nightly"))
	}
	all := l.UnansweredAudits()
	require.Len(t, all, 256)
	assert.Equal(t, 300, all[0].Found)
	assert.Equal(t, []string{"audit.max_unexplained"}, brakes(t, l, auditedDaily(noon)))
}
