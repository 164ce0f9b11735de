package ledger_test

import (
	"context"
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
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

func TestReviewsAreOwedUntilTheyAreAnswered(t *testing.T) {
	fs := crashfs.New()
	opts := []journal.Option{journal.WithRotation(journal.Rotation{Records: 3})}
	l := openLedger(t, fs, opts...)
	owing := reviewed()
	require.NoError(t, l.Admit(ctx, owing))
	by := func(id string, groups ...string) *rationale.Review {
		return &rationale.Review{Decision: owing.ID, By: rationale.Person{ID: id, Groups: groups}, Finding: rationale.Upheld}
	}
	require.ErrorContains(t, l.Review(ctx, by("rae", "risk")), "no outcome yet")
	require.NoError(t, l.Complete(ctx, guardtest.OutcomeOf(owing)))
	require.ErrorIs(t, l.Review(ctx, by("rae", "sales")), ledger.ErrRefused)
	require.ErrorIs(t, l.Review(ctx, by("rae", "risk", "oncall")), ledger.ErrRefused, "an approver")

	other := reviewed()
	require.NoError(t, l.Admit(ctx, other))
	fs.Unlock()
	l = openLedger(t, fs, opts...)
	owed := l.Reviews()
	require.Len(t, owed, 2)
	assert.Equal(t, []string{"group:risk"}, owed[0].Review.By)
	assert.Empty(t, owed[0].Rationale, "what the agent claims is in the records")
	require.NoError(t, l.Review(ctx, by("rae", "risk")))
	require.ErrorIs(t, l.Review(ctx, by("rae", "risk")), ledger.ErrRefused, "once")
	require.ErrorIs(t, l.Review(ctx, &rationale.Review{Decision: "x"}), ledger.ErrRefused)
	assert.Error(t, l.Review(ctx, nil))
	assert.Error(t, new(ledger.Memory).Review(ctx, by("rae", "risk")))
	require.NoError(t, l.Close())
	l = openLedger(t, fs, opts...)
	assert.Len(t, l.Reviews(), 1)
}

// More overdue reviews than the class allows make it wait for people, until
// enough are answered; other classes go on.
func TestOverdueReviewsBrakeTheClass(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart %v", restart), func(t *testing.T) {
			fs, start, now := crashfs.New(), noon, guardtest.NewClock(noon)
			l := openLedger(t, fs, journal.WithClock(now.Now))
			owing := func(class string, at time.Time) *rationale.Decision {
				d := reviewed()
				d.Class, d.At, d.Terms.MaxOverdue = class, at, 2
				require.NoError(t, l.Admit(ctx, d))
				return d
			}
			var owed []*rationale.Decision
			for range 3 {
				d := owing("scale", start)
				require.NoError(t, l.Complete(ctx, guardtest.OutcomeOf(d)))
				owed = append(owed, d)
			}
			owing("scale", start.Add(time.Hour))
			if restart {
				require.NoError(t, l.Close())
				l = openLedger(t, fs, journal.WithClock(now.Now))
			}
			due := start.Add(48 * time.Hour)
			now.Set(due)
			assert.Equal(t, rationale.Allow, owing("scale", due.Add(-1)).Verdict)
			braked := owing("scale", due)
			assert.Equal(t, rationale.Pend, braked.Verdict)
			assert.Equal(t, classify.AuthorizationRequired, braked.Tier)
			assert.Equal(t, []rationale.Reason{rationale.ApprovalRequired, rationale.ReviewDebt}, braked.Reasons)
			assert.Nil(t, braked.Review)
			assert.Equal(t, rationale.Allow, owing("other", due).Verdict)

			require.NoError(t, l.Review(ctx, &rationale.Review{
				Decision: owed[0].ID, At: due, By: rationale.Person{ID: "rae", Groups: []string{"risk"}}, Finding: rationale.InsufficientRecord, Why: "no log",
			}))
			assert.Equal(t, rationale.Allow, owing("scale", due).Verdict)
		})
	}
}

// An action whose outcome never comes is reviewed once its lease is over, so that it
// brakes nothing for good; the outcome, if it comes after all, is recorded all the same.
func TestAnActionWithoutAnOutcomeIsReviewedAfterItsLease(t *testing.T) {
	for name, tt := range map[string]struct {
		lease   time.Duration
		limits  []rationale.Limit
		settled bool
	}{
		"the default":                 {lease: rationale.DefaultLease},
		"its own":                     {lease: time.Hour},
		"of what takes of a limit":    {lease: time.Hour, limits: []rationale.Limit{rate("5", "24h0m0s")}},
		"of what was settled already": {lease: time.Hour, limits: []rationale.Limit{rate("5", "24h0m0s")}, settled: true},
	} {
		t.Run(name, func(t *testing.T) {
			fs, now := crashfs.New(), guardtest.NewClock(noon)
			l := openLedger(t, fs, journal.WithClock(now.Now))
			owing := func() *rationale.Decision {
				d := reviewed()
				d.At, d.Limits, d.Terms.Lease, d.Terms.ReviewWithin = now.Now(), tt.limits, tt.lease, time.Minute
				require.NoError(t, l.Admit(ctx, d))
				return d
			}
			hangs := owing()
			require.Equal(t, rationale.Allow, hangs.Verdict)
			review := func() error {
				return l.Review(ctx, &rationale.Review{
					Decision: hangs.ID, By: rationale.Person{ID: "rae", Groups: []string{"risk"}}, Finding: rationale.InsufficientRecord, Why: "it hangs",
				})
			}
			now.Set(noon.Add(tt.lease))
			require.ErrorContains(t, review(), "no outcome yet, and it may come until "+now.Now().Format(time.RFC3339))
			now.Advance(1)
			assert.Contains(t, owing().Reasons, rationale.ReviewDebt)
			if tt.settled {
				require.NoError(t, l.Settle(ctx, settlement(hangs, now.Now(), rationale.StatusError, "")))
			}
			require.NoError(t, review())
			require.ErrorContains(t, review(), "none is owed")
			assert.Equal(t, rationale.Allow, owing().Verdict)
			require.NoError(t, l.Complete(ctx, guardtest.OutcomeOf(hangs)))
			require.NoError(t, l.Close())
			assert.Empty(t, journal.Verify(journal.Expect{FS: fs}, dir).Problems)
		})
	}
}

func TestRepeatedRationaleOpensAReview(t *testing.T) {
	fs := crashfs.New()
	l := openLedger(t, fs)
	reviewsOf := func(purpose string, n int) (opened []int) {
		for i := range n {
			d := guardtest.Allowed()
			d.Terms.ReviewBy, d.Terms.ReviewWithin = []string{"group:risk"}, time.Hour
			d.Rationale = &rationale.Rationale{Purpose: purpose}
			require.NoError(t, l.Admit(ctx, d))
			require.NoError(t, l.Complete(ctx, guardtest.OutcomeOf(d)))
			if d.Review != nil {
				assert.Equal(t, "boilerplate", d.Review.Reason)
				opened = append(opened, i+1)
			}
		}
		return opened
	}
	assert.Equal(t, []int{10, 20}, reviewsOf("Scale as requested.", 25))
	require.NoError(t, l.Close())
	l = openLedger(t, fs, journal.WithRotation(journal.Rotation{Records: 1}))
	require.NoError(t, l.Admit(ctx, guardtest.Denied())) // begins with a snapshot
	require.NoError(t, l.Close())
	l = openLedger(t, fs)
	assert.Equal(t, []int{5}, reviewsOf("  scale AS\n\trequested. ", 6), "the same words")
	assert.Empty(t, reviewsOf("Scale, as requested.", 9), "others")
}

func TestSuspensions(t *testing.T) {
	fs := crashfs.New()
	opts := []journal.Option{journal.WithRotation(journal.Rotation{Records: 2})}
	l := openLedger(t, fs, opts...)
	verdict := func() rationale.Verdict {
		d := guardtest.Allowed()
		require.NoError(t, l.Admit(ctx, d))
		if d.Verdict == rationale.Deny {
			assert.Equal(t, []rationale.Reason{rationale.Suspended}, d.Reasons)
		} else {
			require.NoError(t, l.Complete(ctx, guardtest.OutcomeOf(d)))
		}
		return d.Verdict
	}
	agent, all := rationale.Suspension{Agent: guardtest.AgentID}, rationale.Suspension{Everything: true}
	for _, bad := range []error{
		l.Suspend(ctx, rationale.Suspension{}, "lee", "test", time.Time{}), l.Suspend(ctx, agent, "", "test", time.Time{}),
		l.Suspend(ctx, agent, "lee", " ", time.Time{}), l.Resume(ctx, agent, "lee", "test", time.Time{}),
	} {
		require.ErrorIs(t, bad, ledger.ErrRefused)
	}
	require.Error(t, new(ledger.Memory).Suspend(ctx, agent, "lee", "test", time.Time{}))
	assert.Equal(t, rationale.Allow, verdict())
	require.NoError(t, l.Suspend(ctx, agent, "lee", "incident 7", time.Time{}))
	require.NoError(t, l.Suspend(ctx, all, "lee", "incident 7", time.Time{}))
	assert.Equal(t, rationale.Deny, verdict())
	fs.Unlock()

	l = openLedger(t, fs, opts...)
	assert.Equal(t, rationale.Deny, verdict(), "also after a restart")
	require.Len(t, l.Suspensions(), 2)
	assert.Equal(t, "lee", l.Suspensions()[0].By)
	assert.Equal(t, "incident 7", l.Suspensions()[0].Message)
	require.NoError(t, l.Resume(ctx, all, "kim", "over", time.Time{}))
	assert.Equal(t, rationale.Deny, verdict(), "the agent's stands")
	require.NoError(t, l.Resume(ctx, agent, "kim", "over", time.Time{}))
	assert.Equal(t, rationale.Allow, verdict())
	fs.Unlock()
	l = openLedger(t, fs, opts...)
	assert.Equal(t, rationale.Allow, verdict())
}

// What cannot be recorded is suspended even so, and stays so when resuming cannot
// be recorded.
func TestSuspensionFailsClosed(t *testing.T) {
	var recorder guardtest.Recorder
	l := ledger.New(&recorder)
	all := rationale.Suspension{Everything: true}
	recorder.Fail(syscall.ENOSPC)
	err := l.Suspend(ctx, all, "lee", "incident", time.Time{})
	require.ErrorIs(t, err, syscall.ENOSPC)
	assert.ErrorContains(t, err, "everything is suspended by this process until it ends, and may not be on record: suspend it again")
	recorder.Fail(nil)
	d := guardtest.Allowed()
	require.NoError(t, l.Admit(ctx, d))
	assert.Equal(t, rationale.Deny, d.Verdict)
	require.NoError(t, l.Suspend(ctx, all, "lee", "incident", time.Time{}))
	assert.Len(t, recorder.Lifecycles(rationale.EventSuspended), 1)
	recorder.Fail(syscall.ENOSPC)
	require.Error(t, l.Resume(ctx, all, "lee", "over", time.Time{}))
	recorder.Fail(nil)
	observed := guardtest.Allowed()
	observed.Mode = rationale.Observe
	require.NoError(t, l.Admit(ctx, observed))
	assert.Equal(t, rationale.Deny, observed.Verdict, "in observe mode too")
}

// What was checked before a suspension is recorded before it.
func TestSuspendWaitsForWhatWasChecked(t *testing.T) {
	var (
		l       *ledger.Memory
		checked = make(chan struct{})
		release = make(chan struct{})
		order   []rationale.Kind
	)
	l = ledger.New(recorderFunc(func(_ context.Context, recs ...rationale.Record) error {
		if recs[0].RecordKind() == rationale.KindDecision {
			close(checked)
			<-release
		}
		order = append(order, recs[0].RecordKind())
		return nil
	}))
	d := guardtest.Allowed()
	admitted, suspended := make(chan error), make(chan error)
	go func() { admitted <- l.Admit(ctx, d) }()
	<-checked
	go func() {
		suspended <- l.Suspend(ctx, rationale.Suspension{Everything: true}, "lee", "incident", time.Time{})
	}()
	for len(l.Suspensions()) == 0 {
		runtime.Gosched()
	}
	for range 10_000 { // for a suspension that does not wait
		runtime.Gosched()
	}
	close(release)
	require.NoError(t, <-admitted)
	require.NoError(t, <-suspended)
	assert.Equal(t, []rationale.Kind{rationale.KindDecision, rationale.KindLifecycle}, order)
}

// The snapshot of a version that knew no limits over time and could not ask people
// anything is read: of its tickets and reviews there is nothing to answer with.
func TestASnapshotOfTheVersionBeforeIsRead(t *testing.T) {
	fs := crashfs.New()
	j, err := journal.Open(dir, journal.WithFS(fs), journal.WithState(past{}))
	require.NoError(t, err)
	require.NoError(t, j.Close())
	l := openLedger(t, fs)
	assert.Equal(t, ledger.Status{}, l.Status(time.Now()))
	var lost []string
	for _, rec := range recorded(fs) {
		if o, ok := rec.(*rationale.Outcome); ok {
			lost = append(lost, o.Decision)
		}
	}
	assert.Equal(t, []string{"d1"}, lost)
	assert.True(t, admits(t, l, spending(noon, "100", sliding("100", "24h0m0s"))))
	assert.False(t, admits(t, l, spending(noon, "1", sliding("100", "24h0m0s"))))
}

type past struct{ future }

func (past) Snapshot(now time.Time) []rationale.Record {
	return []rationale.Record{&rationale.Snapshot{ID: rationale.NewID(now), At: now, State: []byte(
		`{"version":1,"open":[{"decision":"d1","at":"2026-11-01T10:00:00Z","segment":1}],` +
			`"tickets":[{"decision":"d2","at":"2036-11-01T10:00:00Z","segment":1}],"reviews":[{"decision":"d3","at":"2026-11-01T10:00:00Z","segment":1}]}`)}}
}

// What is suspended without a record of it ends with the process: it is in no
// snapshot, and none fails because of it.
func TestASuspensionThatIsNotRecordedIsInNoSnapshot(t *testing.T) {
	log := &shelf{now: noon, err: syscall.ECONNREFUSED}
	m, r := join(t, log)
	require.Error(t, m.Suspend(ctx, rationale.Suspension{Everything: true}, "lee", "incident", time.Time{}))
	log.err = nil
	require.NoError(t, m.Suspend(ctx, rationale.Suspension{Agent: "robot"}, "lee", "incident", time.Time{}))
	recs := r.state.Snapshot(noon)
	require.NotEmpty(t, recs)
	again, state := ledger.Share(down{})
	require.NoError(t, state.Restore(recs[0].(*rationale.Snapshot)))
	require.Len(t, again.Suspensions(), 1)
	assert.Equal(t, "robot", again.Suspensions()[0].Suspension.Agent)
	require.Len(t, m.Suspensions(), 2)
	for _, l := range m.Suspensions() {
		assert.NotEmpty(t, l.ID)
	}
}

// Everything can be suspended whatever else is.
func TestEverythingCanAlwaysBeSuspended(t *testing.T) {
	l := ledger.New(&guardtest.Recorder{})
	suspend := func(what rationale.Suspension) error {
		return l.Suspend(ctx, what, "lee", "incident", noon)
	}
	for i := range 4096 {
		require.NoError(t, suspend(rationale.Suspension{Agent: fmt.Sprint(i)}))
	}
	require.ErrorIs(t, suspend(rationale.Suspension{Agent: "another"}), ledger.ErrRefused)
	require.NoError(t, suspend(rationale.Suspension{Everything: true}))
	d := guardtest.Allowed()
	require.NoError(t, l.Admit(ctx, d))
	assert.Equal(t, rationale.Deny, d.Verdict)
}

// Who suspends while somebody resumes is not overtaken: what is in force is what
// was recorded last.
func TestASuspensionIsNotOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := rationale.Suspension{Everything: true}
		recorded, release := make(chan struct{}), make(chan struct{})
		var last rationale.Event
		l := ledger.New(recorderFunc(func(_ context.Context, recs ...rationale.Record) error {
			if r, ok := recs[0].(*rationale.Lifecycle); ok {
				if last = r.Event; last == rationale.EventResumed {
					close(recorded)
					<-release // it is recorded, and nobody knows yet
				}
			}
			return nil
		}))
		require.NoError(t, l.Suspend(ctx, all, "lee", "incident", noon))
		resumed, suspended := make(chan error, 1), make(chan error, 1)
		go func() { resumed <- l.Resume(ctx, all, "kim", "over", noon) }()
		<-recorded
		go func() { suspended <- l.Suspend(ctx, all, "lee", "not over", noon) }()
		synctest.Wait()
		close(release)
		require.NoError(t, <-resumed)
		require.NoError(t, <-suspended)
		require.Equal(t, rationale.EventSuspended, last)
		d := guardtest.Allowed()
		require.NoError(t, l.Admit(ctx, d))
		assert.Equal(t, rationale.Deny, d.Verdict)
	})
}
