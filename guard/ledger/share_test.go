package ledger_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// shelf is a log in memory that replicas share.
type shelf struct {
	mu   sync.Mutex
	now  time.Time
	recs []rationale.Record
	err  error // of every commit
}

func (c *shelf) append(recs ...rationale.Record) {
	for _, rec := range recs {
		data, err := rationale.Marshal(rec)
		if err != nil {
			panic(err)
		}
		if rec, err = rationale.Unmarshal(data); err != nil {
			panic(err)
		}
		c.recs = append(c.recs, rec)
	}
}

// replica is one process's way to the log.
type replica struct {
	log     *shelf
	state   journal.State
	applied int
	behind  bool  // do not look for what others have appended before taking
	lose    error // of the next commit, whose answer is lost
	reaches bool  // that commit reaches the log all the same
	pending []ledger.Step
	head    int // of the log when they were taken
}

func join(_ require.TestingT, log *shelf) (*ledger.Memory, *replica) {
	r := &replica{log: log}
	m, state := ledger.Share(r)
	r.state = state
	return m, r
}

func (r *replica) Now() time.Time { return r.log.now }

// catchUp applies what was appended, and finds out what became of lost steps.
func (r *replica) catchUp() {
	for ; r.applied < len(r.log.recs); r.applied++ {
		r.state.Apply(r.log.recs[r.applied], journal.Position{Segment: 1, Seq: uint64(r.applied + 1)})
	}
	if len(r.pending) > 0 && len(r.log.recs) > r.head {
		if !r.reaches {
			for _, s := range r.pending {
				s.Undo(false)
			}
		}
		r.pending = nil
	}
}

func (r *replica) Commit(ctx context.Context, s ledger.Step) error {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	for {
		if !r.behind {
			r.catchUp()
		}
		r.behind = false
		if r.log.err != nil {
			return r.log.err
		}
		recs, err := s.Take(r.log.now)
		if err != nil || len(recs) == 0 {
			return err
		}
		if r.applied != len(r.log.recs) {
			s.Undo(false)
			continue
		}
		if err := r.lose; err != nil {
			r.lose, r.head = nil, len(r.log.recs)
			r.pending = append(r.pending, s)
			s.Undo(true)
			if r.reaches {
				r.log.append(recs...)
			}
			return errors.Join(journal.ErrUncertain, err)
		}
		r.log.append(recs...)
		r.catchUp()
		return nil
	}
}

func replicas(t *testing.T) (log *shelf, a, b *ledger.Memory, ra, rb *replica) {
	log = &shelf{now: noon}
	a, ra = join(t, log)
	b, rb = join(t, log)
	return log, a, b, ra, rb
}

func TestSharedLedgersKeepTheContract(t *testing.T) {
	guardtest.TestLedger(t, func(t *testing.T) guardtest.LedgerUnderTest {
		log := &shelf{now: time.Now()}
		m, _ := join(t, log)
		return guardtest.LedgerUnderTest{
			Ledger: m,
			Records: func() []rationale.Record {
				log.mu.Lock()
				defer log.mu.Unlock()
				return slices.Clone(log.recs)
			},
			Fail: func(err error) { log.err = err },
		}
	})
	guardtest.TestPeople(t, func(t *testing.T) guardtest.PeopleLedger {
		m, _ := join(t, &shelf{now: time.Now()})
		return m
	})
}

// What one replica took, no other has, although it had not seen it yet.
func TestReplicasShareALimit(t *testing.T) {
	log, a, b, _, rb := replicas(t)
	require.True(t, admits(t, a, spending(noon, "60", sliding("100", "24h0m0s"))))
	rb.behind = true
	refused := spending(noon, "41", sliding("100", "24h0m0s"))
	assert.False(t, admits(t, b, refused))
	assert.Equal(t, []rationale.Reason{rationale.WindowExhausted}, refused.Reasons)
	rb.behind = true
	assert.True(t, admits(t, b, spending(noon, "40", sliding("100", "24h0m0s"))))
	assert.Len(t, log.recs, 3)
	assert.Equal(t, a.Budgets(noon)[0].Reserved, "60", "it has not looked yet")
	require.NoError(t, a.Expire(ctx))
	assert.False(t, admits(t, a, spending(noon, "1", sliding("100", "24h0m0s"))))
	assert.Equal(t, "100", a.Budgets(noon)[0].Reserved)
}

func TestReplicasShareATicket(t *testing.T) {
	_, a, b, ra, rb := replicas(t)
	d := asks("one")
	d.At, d.Terms.ApproveQuorum = noon, 1
	require.NoError(t, a.Admit(ctx, d))
	require.NoError(t, b.Answer(ctx, answers(d, "sam", rationale.AnswerApprove)))
	first, second := presents(d), presents(d)
	first.At, second.At = noon, noon
	ra.behind = true
	require.NoError(t, a.Admit(ctx, first))
	assert.Equal(t, rationale.Allow, first.Verdict, "%+v", first.Checks)
	rb.behind = true
	require.NoError(t, b.Admit(ctx, second))
	assert.Equal(t, rationale.Deny, second.Verdict)
	assert.Contains(t, second.Reasons, rationale.ApprovalInvalid)
}

func TestASuspensionHoldsInEveryReplica(t *testing.T) {
	_, a, b, _, rb := replicas(t)
	all := rationale.Suspension{Everything: true}
	require.NoError(t, a.Suspend(ctx, all, "lee", "incident", time.Time{}))
	rb.behind = true
	d := spending(noon, "1")
	assert.False(t, admits(t, b, d))
	assert.Equal(t, []rationale.Reason{rationale.Suspended}, d.Reasons)
	require.NoError(t, b.Resume(ctx, all, "lee", "over", time.Time{}))
	assert.True(t, admits(t, a, spending(noon, "1")))
}

// A suspension that the log does not take holds in its own process.
func TestASuspensionWithoutALogFailsClosed(t *testing.T) {
	m, _ := ledger.Share(down{})
	require.Error(t, m.Suspend(ctx, rationale.Suspension{Everything: true}, "lee", "incident", noon))
	assert.Len(t, m.Suspensions(), 1)
}

// down is a log that cannot be reached.
type down struct{}

func (down) Commit(context.Context, ledger.Step) error { return errors.New("no connection") }
func (down) Now() time.Time                            { return time.Time{} }

// An admission whose answer is lost is denied. If it was recorded, its outcome says
// that it did not run; if not, what it took is free.
func TestAnAdmissionWhoseAnswerIsLost(t *testing.T) {
	for name, reaches := range map[string]bool{"recorded": true, "not recorded": false} {
		t.Run(name, func(t *testing.T) {
			log, a, b, ra, _ := replicas(t)
			ra.lose, ra.reaches = errors.New("connection reset"), reaches
			d := spending(noon, "100", sliding("100", "24h0m0s"))
			require.ErrorIs(t, a.Admit(ctx, d), journal.ErrUncertain)
			require.ErrorIs(t, a.Complete(ctx, ended(d, time.Second, rationale.StatusSuccess, "1")), ledger.ErrNotOpen)
			assert.Equal(t, !reaches, admits(t, b, spending(noon, "1", sliding("100", "24h0m0s"))))
			require.NoError(t, a.Record(ctx, &rationale.Lifecycle{Event: rationale.EventManifest, ID: "l", At: noon}))
			require.NoError(t, a.Record(ctx, &rationale.Lifecycle{Event: rationale.EventManifest, ID: "m", At: noon}))
			i := slices.IndexFunc(log.recs, func(rec rationale.Record) bool {
				o, ok := rec.(*rationale.Outcome)
				return ok && o.Decision == d.ID && o.Status == rationale.StatusNotExecuted
			})
			assert.Equal(t, reaches, i >= 0)
			assert.True(t, admits(t, b, spending(noon, "99", sliding("100", "24h0m0s"))))
		})
	}
}

// An outcome whose answer is lost is neither recorded twice nor forgotten.
func TestAnOutcomeWhoseAnswerIsLost(t *testing.T) {
	for name, reaches := range map[string]bool{"recorded": true, "not recorded": false} {
		t.Run(name, func(t *testing.T) {
			_, a, b, ra, _ := replicas(t)
			d := spending(noon, "100", sliding("100", "24h0m0s"))
			require.True(t, admits(t, a, d))
			ra.lose, ra.reaches = errors.New("connection reset"), reaches
			require.ErrorIs(t, a.Complete(ctx, ended(d, time.Second, rationale.StatusNotExecuted, "")), journal.ErrUncertain)
			assert.Equal(t, reaches, admits(t, b, spending(noon, "100", sliding("100", "24h0m0s"))))
			err := a.Complete(ctx, ended(d, time.Second, rationale.StatusNotExecuted, ""))
			if reaches {
				assert.ErrorIs(t, err, ledger.ErrNotOpen)
			} else {
				assert.NoError(t, err)
			}
		})
	}
}

// The log's clock decides, and a process whose own is elsewhere admits nothing.
func TestASharedLogsClock(t *testing.T) {
	log, a, _, _, _ := replicas(t)
	for _, skew := range []time.Duration{11 * time.Second, -11 * time.Second} {
		assert.ErrorContains(t, a.Admit(ctx, spending(noon.Add(skew), "1")), "set the clock")
	}
	slow := spending(noon.Add(-time.Hour), "1") // that it was evaluated for long is no skew
	slow.Terms.Clock = noon
	require.True(t, admits(t, a, slow))
	assert.Equal(t, noon.Add(rationale.DefaultLease), slow.Lease)
	log.now = time.Date(2026, 11, 23, 23, 59, 55, 0, time.UTC)
	d := spending(log.now.Add(9*time.Second), "60", daily("100"))
	require.True(t, admits(t, a, d))
	assert.Equal(t, log.now, d.CountedAt)
	assert.Equal(t, time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), d.Limits[0].From, "the day is not over")
	log.now = log.now.Add(-time.Hour)
	assert.False(t, admits(t, a, spending(log.now.Add(time.Hour), "41", daily("100"))), "nor does it begin again")
	later := log.now.Add(2 * time.Hour)
	_, err := a.Audited(ctx, rationale.Audit{Authorization: "fleet", Judged: 1}, noon, later, "nightly", later)
	assert.ErrorIs(t, err, ledger.ErrRefused, "what is audited is over by the log's clock")
}

// The outcome of a process that ended becomes unknown once its lease is over, and
// what it took is held.
func TestAProcessThatEndedLeavesNothingOpen(t *testing.T) {
	log, a, b, _, _ := replicas(t)
	priced, plain := spending(noon, "60", sliding("100", "24h0m0s")), guardtest.Allowed()
	plain.At, plain.Terms.Lease = noon, time.Hour
	require.True(t, admits(t, a, priced))
	require.True(t, admits(t, a, plain))
	assert.Equal(t, noon.Add(time.Hour), plain.Lease)
	require.NoError(t, b.Record(ctx, &rationale.Lifecycle{Event: rationale.EventManifest, ID: "l", At: noon}))

	unknown := func() (ids []string) {
		for _, rec := range log.recs {
			if o, ok := rec.(*rationale.Outcome); ok && o.Status == rationale.StatusUnknown {
				ids = append(ids, o.Decision)
			}
		}
		return ids
	}
	log.now = noon.Add(rationale.DefaultLease)
	require.NoError(t, b.Expire(ctx))
	assert.Empty(t, unknown(), "it is not over yet")
	log.now = log.now.Add(1)
	require.NoError(t, b.Expire(ctx))
	assert.Equal(t, []string{priced.ID}, unknown())
	assert.ErrorIs(t, a.Complete(ctx, ended(priced, time.Hour, rationale.StatusSuccess, "1")), ledger.ErrNotOpen, "too late")
	log.now = noon.Add(time.Hour + 1)
	assert.False(t, admits(t, b, spending(log.now, "41", sliding("100", "24h0m0s"))), "any step concludes them")
	assert.Equal(t, []string{priced.ID, plain.ID}, unknown())
	assert.Len(t, b.Held(noon), 1)
	require.NoError(t, b.Settle(ctx, settlement(priced, noon, rationale.StatusNotExecuted, "")))
	assert.True(t, admits(t, a, spending(log.now, "100", sliding("100", "24h0m0s"))))
}

// An action of a process that ended is reviewed once its lease is over, though nobody
// has concluded it yet, by a process that has it from a snapshot.
func TestAReviewIsNotHeldUpByAProcessThatEnded(t *testing.T) {
	log, a, _, ra, _ := replicas(t)
	d := reviewed()
	d.At, d.Terms.Lease = noon, time.Hour
	require.True(t, admits(t, a, d))
	log.append(ra.state.Snapshot(noon)[0])
	c, rc := join(t, log)
	require.NoError(t, rc.state.Restore(log.recs[len(log.recs)-1].(*rationale.Snapshot)))
	rc.applied = len(log.recs)
	review := &rationale.Review{Decision: d.ID, By: rationale.Person{ID: "rae", Groups: []string{"risk"}}, Finding: rationale.Upheld}
	log.now = noon.Add(time.Hour)
	require.ErrorContains(t, c.Review(ctx, review), "no outcome yet")
	log.now = log.now.Add(1)
	require.NoError(t, c.Review(ctx, review))
	require.Len(t, log.recs, 4)
	o, ok := log.recs[3].(*rationale.Outcome)
	require.True(t, ok, "the same step concludes it")
	assert.Equal(t, rationale.StatusUnknown, o.Status)
}

// Of the replicas that learn of a budget, the one whose call reached it tells.
func TestOneReplicaTellsOfABudget(t *testing.T) {
	_, a, b, _, _ := replicas(t)
	byA, byB := new(guardtest.Notifications), new(guardtest.Notifications)
	a.Notify(byA.Note)
	b.Notify(byB.Note)
	require.True(t, admits(t, a, spending(noon, "85", sliding("100", "24h0m0s"))))
	require.True(t, admits(t, b, spending(noon, "15", sliding("100", "24h0m0s"))))
	require.NoError(t, a.Record(ctx, &rationale.Lifecycle{Event: rationale.EventManifest, ID: "l", At: noon}))
	assert.Equal(t, []int{80}, byA.Percents())
	assert.Equal(t, []int{100}, byB.Percents())
}

// What a replica concluded before it knew what others had appended leaves nothing
// behind: an observed call that was suspended, and no longer is, is observed.
func TestADraftIsJudgedAnewWhereOthersWereFaster(t *testing.T) {
	_, a, b, _, rb := replicas(t)
	all := rationale.Suspension{Everything: true}
	require.NoError(t, a.Suspend(ctx, all, "lee", "incident", time.Time{}))
	assert.False(t, admits(t, b, spending(noon, "1")))
	require.NoError(t, a.Resume(ctx, all, "lee", "over", time.Time{}))
	observed := guardtest.Allowed()
	observed.At, observed.Mode = noon, rationale.Observe
	rb.behind = true
	require.True(t, admits(t, b, observed))
	assert.Equal(t, rationale.Observe, observed.Mode)
}

// A decision of which nobody knows whether it is recorded is not admitted again: if it
// shows up, it gets the outcome that it did not run.
func TestADecisionThatMayBeRecordedIsNotAdmittedAgain(t *testing.T) {
	_, a, b, ra, _ := replicas(t)
	ra.lose = errors.New("connection reset")
	d := spending(noon, "100", sliding("100", "24h0m0s"))
	require.ErrorIs(t, a.Admit(ctx, d), journal.ErrUncertain)
	require.ErrorContains(t, a.Admit(ctx, d), "may have been admitted before")
	require.NoError(t, b.Record(ctx, &rationale.Lifecycle{Event: rationale.EventManifest, ID: "l", At: noon}))
	assert.True(t, admits(t, a, d), "it can never be there any more")
}
