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
			at := noon.Add(24 * time.Hour)
			opts := append(opts, journal.WithClock(func() time.Time { return at }))
			l := openLedger(t, fs, opts...)
			again := func() {
				if name != "at once" {
					require.NoError(t, l.Close())
					l = openLedger(t, fs, opts...)
				}
			}
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

// What is audited is all the time since the grant, and not the last of it.
func TestAuditsCoverWithoutAGap(t *testing.T) {
	now := noon.Add(100 * time.Hour)
	l := ledger.New(&guardtest.Recorder{})
	covers := func(from, until time.Duration) {
		t.Helper()
		_, err := l.Audited(ctx, rationale.Audit{Authorization: "fleet"}, noon.Add(from*time.Hour), noon.Add(until*time.Hour), "nightly", now)
		require.NoError(t, err)
	}
	overdue := func(granted time.Duration) string {
		t.Helper()
		d := auditedDaily(now)
		d.Authorization.GrantedAt = noon.Add(granted * time.Hour)
		require.NoError(t, l.Admit(ctx, d))
		if len(d.Checks) == 0 || d.Checks[len(d.Checks)-1].ID != "audit.every" {
			return ""
		}
		return d.Checks[len(d.Checks)-1].Message
	}
	covers(99, 100)
	assert.Equal(t, "an audit of the time from 2026-11-23T12:00:00Z on has been due since 2026-11-24T12:00:00Z", overdue(0), "the last hour alone")
	assert.Empty(t, overdue(99), "it was granted when that hour began")
	assert.NotEmpty(t, overdue(75), "it was granted the day before")
	covers(-5, 20)
	covers(40, 60)
	assert.Contains(t, overdue(0), "from 2026-11-24T08:00:00Z on", "the end of the first stretch")
	covers(20, 40)
	assert.Contains(t, overdue(0), "from 2026-11-26T00:00:00Z on")
	assert.Contains(t, overdue(60), "from 2026-11-26T00:00:00Z on", "granted where a stretch ends")
	covers(61, 99)
	assert.NotEmpty(t, overdue(0), "an hour is missing")
	covers(59, 62)
	assert.Empty(t, overdue(0))
	covers(30, 35)
	assert.Empty(t, overdue(0), "an audit again takes nothing away")
}

// Of stretches that touch no other the latest stay, and one that spans them all is one.
func TestStretchesAreBounded(t *testing.T) {
	l := ledger.New(&guardtest.Recorder{})
	result := rationale.Audit{Authorization: "fleet"}
	for i := range 1000 {
		require.NoError(t, audit(l, result, time.Duration(2*i-4000)*time.Hour, time.Duration(2*i-3999)*time.Hour, "nightly"))
	}
	assert.Equal(t, 64, l.Stretches("fleet"))
	require.NoError(t, audit(l, result, -4000*time.Hour, 0, "nightly"))
	assert.Equal(t, 1, l.Stretches("fleet"))
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

// Record lets nobody past the checks of what has a method of its own.
func TestRecordTakesNoAudits(t *testing.T) {
	l := ledger.New(&guardtest.Recorder{})
	failed, err := l.Audited(ctx, rationale.Audit{Authorization: "fleet", Judged: 2, Unexplained: 2}, noon.Add(-time.Hour), noon, "nightly", noon)
	require.NoError(t, err)
	for name, past := range map[string]*rationale.Lifecycle{
		"an answer":    {ID: "a", At: noon, Event: rationale.EventAnswered, Answers: failed},
		"an audit":     {ID: "b", At: noon, Event: rationale.EventAudited, Until: noon.Add(time.Hour), Audit: &rationale.Audit{Authorization: "fleet"}},
		"a suspension": {ID: "c", At: noon, Event: rationale.EventResumed, Suspension: &rationale.Suspension{Everything: true}},
	} {
		assert.Error(t, l.Record(ctx, past), name)
	}
	assert.Len(t, l.UnansweredAudits(), 1)
}
