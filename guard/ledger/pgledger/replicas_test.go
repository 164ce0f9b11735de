package pgledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/guard/ledger/pgledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// What one replica took, no other has: not even one that was told of nothing yet.
func TestReplicasShareAWindow(t *testing.T) {
	url := migrated(t, server(t))
	a, b := open(t, url), open(t, url)
	first, second, third := spending("60"), spending("41"), spending("40")
	require.NoError(t, a.Admit(t.Context(), first))
	assert.Equal(t, rationale.Allow, first.Verdict)
	require.NoError(t, b.Admit(t.Context(), second))
	assert.Equal(t, []rationale.Reason{rationale.WindowExhausted}, second.Reasons)
	require.NoError(t, b.Admit(t.Context(), third))
	assert.Equal(t, rationale.Allow, third.Verdict)
	require.NoError(t, b.Complete(t.Context(), free(first)), "any replica may have the outcome")
	fourth := spending("60")
	require.NoError(t, a.Admit(t.Context(), fourth))
	assert.Equal(t, rationale.Allow, fourth.Verdict)
}

func TestReplicasShareTickets(t *testing.T) {
	url := migrated(t, server(t))
	a, b := open(t, url), open(t, url)
	d := guardtest.Pending()
	d.ActionDigest = rationale.Digest([]byte(d.ID))
	require.NoError(t, a.Admit(t.Context(), d))
	require.NoError(t, b.Answer(t.Context(), &rationale.Approval{
		Ticket: d.ID, By: rationale.Person{ID: "sam", Groups: []string{"oncall"}}, Answer: rationale.AnswerApprove, Why: "seen",
	}))
	verdicts := map[rationale.Verdict]int{}
	for _, l := range []*pgledger.Ledger{a, b, a} {
		use := guardtest.Pending()
		use.ActionDigest, use.Parent = d.ActionDigest, d.ID
		require.NoError(t, l.Admit(t.Context(), use))
		verdicts[use.Verdict]++
	}
	assert.Equal(t, map[rationale.Verdict]int{rationale.Allow: 1, rationale.Deny: 2}, verdicts)
}

// A suspension holds in every replica from its next admission on, and each knows of it within a second, whether
// or not it makes any: told by the database, or, without its notifications, by asking.
func TestASuspensionReachesEveryReplica(t *testing.T) {
	url := migrated(t, server(t))
	a, b := open(t, url), open(t, url)
	everything := rationale.Suspension{Everything: true}
	change := func(suspend bool) {
		require.NoError(t, pgledger.Refresh(t.Context(), b))
		moved, begun := pgledger.Moved(b), time.Now()
		if suspend {
			require.NoError(t, a.Suspend(t.Context(), everything, "lee", "incident", time.Time{}))
		} else {
			require.NoError(t, a.Resume(t.Context(), everything, "lee", "over", time.Time{}))
		}
		<-moved
		assert.Less(t, time.Since(begun), time.Second)
		assert.Equal(t, suspend, len(b.Suspensions()) == 1)
	}
	change(true)
	change(false)
	tag, err := connect(t, url).Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN ambit' AND datname = current_database()")
	require.NoError(t, err)
	require.EqualValues(t, 2, tag.RowsAffected())
	change(true)

	d := guardtest.Allowed()
	require.NoError(t, b.Admit(t.Context(), d))
	assert.Equal(t, []rationale.Reason{rationale.Suspended}, d.Reasons)
	require.NoError(t, b.Resume(t.Context(), everything, "lee", "over", time.Time{}))
	d = guardtest.Allowed()
	require.NoError(t, a.Admit(t.Context(), d))
	assert.Equal(t, rationale.Allow, d.Verdict)
}

// Without a connection, and without a server, a call is denied for that reason, and nothing is taken.
func TestWithoutAConnectionNothingIsAdmitted(t *testing.T) {
	s := ownServer(t)
	url := migrated(t, s)
	pool := newPool(t, url, func(c *pgxpool.Config) { c.MaxConns = 3 })
	l := openOn(t, pool)
	var held []*pgxpool.Conn
	release := func() {
		for _, conn := range held {
			conn.Release()
		}
		held = nil
	}
	defer release() // else a test that fails waits for them for ever
	for range 3 {   // whatever the ledger has of them, it gives back
		conn, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		held = append(held, conn)
	}
	require.ErrorIs(t, l.Admit(t.Context(), spending("60")), context.DeadlineExceeded)
	release()
	require.NoError(t, l.Admit(t.Context(), spending("60")))

	require.NoError(t, s.Kill())
	for range 3 {
		require.Error(t, l.Admit(t.Context(), spending("1")))
	}
	require.NoError(t, s.Start(t.Context()))
	var err error
	for range 10 { // broken connections of the pool
		if err = l.Admit(t.Context(), guardtest.Denied()); err == nil {
			break
		}
	}
	require.NoError(t, err)
	d := spending("40")
	require.NoError(t, l.Admit(t.Context(), d))
	assert.Equal(t, rationale.Allow, d.Verdict, "what was denied took nothing")
}

// A caller that does not wait any more was denied. What is appended for it after all did not run.
func TestACallerThatDoesNotWait(t *testing.T) {
	url := migrated(t, server(t))
	l := open(t, url)
	conn := connect(t, url)
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "SELECT FROM ambit.log FOR UPDATE")
	require.NoError(t, err)
	ctx, leave := context.WithCancelCause(t.Context())
	d, answer := spending("60"), make(chan error)
	go func() { answer <- l.Admit(ctx, d) }()
	blocked := connect(t, url)
	for waits := 0; waits == 0; {
		require.NoError(t, blocked.QueryRow(t.Context(),
			"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()").Scan(&waits))
	}
	leave(errors.New("no time"))
	err = <-answer
	require.ErrorIs(t, err, journal.ErrUncertain)
	require.ErrorContains(t, err, "no time")
	require.NoError(t, tx.Rollback(t.Context()))
	require.NoError(t, l.Admit(t.Context(), guardtest.Denied()))
	require.NoError(t, l.Admit(t.Context(), guardtest.Denied()))
	assert.True(t, checkOne(t, url, d.ID, false))
	assert.Equal(t, "0", l.Budgets(time.Now())[0].Reserved)
}

// A step that is refused on what a replica knows is judged again on what there is.
func TestNobodyIsRefusedForWhatAReplicaHasNotSeen(t *testing.T) {
	url := migrated(t, server(t))
	a, b := open(t, url), open(t, url)
	for range 20 {
		d := spending("1")
		require.NoError(t, a.Admit(t.Context(), d))
		require.NoError(t, b.Complete(t.Context(), free(d)))
		require.ErrorIs(t, a.Complete(t.Context(), free(d)), ledger.ErrNotOpen)
	}
}

func TestAWrongClockIsDenied(t *testing.T) {
	l := open(t, migrated(t, server(t)))
	d := spending("1")
	d.At = d.At.Add(-11 * time.Second)
	require.ErrorContains(t, l.Admit(t.Context(), d), "set the clock")
}

// The step of one replica that cannot be appended takes no other with it.
func TestOneStepThatCannotBeAppended(t *testing.T) {
	url := migrated(t, server(t))
	l := open(t, url)
	twice := &rationale.Lifecycle{ID: "the same", At: time.Now(), Event: rationale.EventRevoked}
	require.NoError(t, l.Record(t.Context(), twice))
	errs := make(chan error)
	for i := range 32 {
		go func() {
			if i%8 == 0 {
				errs <- l.Record(context.Background(), twice)
			} else {
				errs <- l.Admit(context.Background(), guardtest.Allowed())
			}
		}()
	}
	failed := 0
	for range 32 {
		if err := <-errs; err != nil {
			failed++
			assert.ErrorContains(t, err, "records_id_key")
		}
	}
	assert.Equal(t, 4, failed)
	assert.Len(t, recorded(t, url), 29)
}

// The outcome of a decision that does not come within its lease is unknown, although nobody does anything.
func TestALateOutcomeIsUnknown(t *testing.T) {
	url := migrated(t, server(t))
	a, b := open(t, url), open(t, url)
	d := spending("60")
	d.Terms.Lease = 1
	require.NoError(t, a.Admit(t.Context(), d))
	enough := time.After(10 * time.Second)
	for len(recorded(t, url)) < 2 {
		select {
		case <-pgledger.Moved(b):
		case <-enough:
			t.Fatal("the decision stays open")
		}
	}
	o := recorded(t, url)[1].(*rationale.Outcome)
	assert.Equal(t, d.ID, o.Decision)
	assert.Equal(t, rationale.StatusUnknown, o.Status)
	require.NoError(t, pgledger.Refresh(t.Context(), b))
	assert.Len(t, b.Held(time.Now()), 1)
}
