package guardtest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/rationale"
)

// PeopleLedger is a ledger at which people answer tickets, review, and suspend.
type PeopleLedger interface {
	guard.Ledger
	Tickets(at time.Time) []rationale.Pending
	Answer(ctx context.Context, a *rationale.Approval) error
	Reviews() []*rationale.Decision
	Review(ctx context.Context, r *rationale.Review) error
	Suspend(ctx context.Context, what rationale.Suspension, by, why string, at time.Time) error
	Resume(ctx context.Context, what rationale.Suspension, by, why string, at time.Time) error
}

// ago is how far in the past the suite puts what has to be over by now: not so far
// that a ledger with a clock of its own would refuse it.
const ago = 5 * time.Second

// TestPeople tests that a ledger uses an approval once, loses no denial, brakes
// for reviews, and suspends at once. newLedger returns a fresh one each time, whose
// clock, where it has one, shows the time.
func TestPeople(t *testing.T, newLedger func(t *testing.T) PeopleLedger) {
	t.Run("an approval serves one of many at once", func(t *testing.T) { testRacingUses(t, newLedger(t)) })
	t.Run("one person answers once", func(t *testing.T) {
		l, d := newLedger(t), waiting(2)
		require.NoError(t, l.Admit(t.Context(), d))
		require.NoError(t, l.Answer(t.Context(), answering(d, "sam", rationale.AnswerApprove)))
		assert.Error(t, l.Answer(t.Context(), answering(d, "SAM", rationale.AnswerApprove)))
		assert.Equal(t, rationale.Deny, presenting(t, l, d).Verdict, "half of the quorum")
		require.NoError(t, l.Answer(t.Context(), answering(d, "kim", rationale.AnswerApprove)))
		assert.Equal(t, rationale.Allow, presenting(t, l, d).Verdict)
	})
	t.Run("a denial stands", func(t *testing.T) {
		l, d := newLedger(t), waiting(1)
		require.NoError(t, l.Admit(t.Context(), d))
		require.NoError(t, l.Answer(t.Context(), answering(d, "sam", rationale.AnswerApprove)))
		require.NoError(t, l.Answer(t.Context(), answering(d, "kim", rationale.AnswerDeny)))
		use := presenting(t, l, d)
		assert.Equal(t, rationale.Deny, use.Verdict)
		assert.Contains(t, use.Reasons, rationale.ApprovalInvalid)
		assert.Empty(t, l.Tickets(d.At))
		assert.Error(t, l.Answer(t.Context(), answering(d, "ann", rationale.AnswerApprove)))
	})
	t.Run("what denies uses no approval", func(t *testing.T) {
		l, d := newLedger(t), waiting(1)
		require.NoError(t, l.Admit(t.Context(), d))
		require.NoError(t, l.Answer(t.Context(), answering(d, "sam", rationale.AnswerApprove)))
		all := rationale.Suspension{Everything: true}
		require.NoError(t, l.Suspend(t.Context(), all, "lee", "incident", d.At))
		assert.Equal(t, []rationale.Reason{rationale.Suspended}, presenting(t, l, d).Reasons)
		require.NoError(t, l.Resume(t.Context(), all, "lee", "over", d.At))
		assert.Equal(t, rationale.Allow, presenting(t, l, d).Verdict)
	})
	t.Run("a ticket expires", func(t *testing.T) {
		l, open, over := newLedger(t), waiting(1), waiting(1)
		over.At, over.Terms.ApproveWithin = open.At.Add(-ago), ago-time.Second
		require.NoError(t, l.Admit(t.Context(), over))
		require.NoError(t, l.Admit(t.Context(), open))
		late := answering(over, "sam", rationale.AnswerApprove)
		late.At = open.At
		assert.Error(t, l.Answer(t.Context(), late))
		tickets := l.Tickets(open.At)
		require.Len(t, tickets, 1)
		assert.Equal(t, open.ID, tickets[0].Decision.ID)
	})
	t.Run("an unknown ticket denies", func(t *testing.T) {
		assert.Contains(t, presenting(t, newLedger(t), waiting(1)).Reasons, rationale.ApprovalInvalid)
	})
	t.Run("overdue reviews brake", func(t *testing.T) { testBrake(t, newLedger(t)) })
}

func testRacingUses(t *testing.T, l PeopleLedger) {
	d := waiting(1)
	require.NoError(t, l.Admit(t.Context(), d))
	require.NoError(t, l.Answer(t.Context(), answering(d, "sam", rationale.AnswerApprove)))
	var (
		won   atomic.Int32
		start = make(chan struct{})
		group sync.WaitGroup
	)
	for range 64 {
		use := follows(d)
		group.Go(func() {
			<-start
			if l.Admit(context.Background(), use) == nil && use.Verdict == rationale.Allow {
				won.Add(1)
			}
		})
	}
	close(start)
	group.Wait()
	assert.EqualValues(t, 1, won.Load())
}

func testBrake(t *testing.T, l PeopleLedger) {
	owing := func(at time.Time) *rationale.Decision {
		d := Allowed()
		d.At, d.BaseTier = at, classify.BoundedEscalation
		d.Terms.ReviewBy, d.Terms.ReviewWithin, d.Terms.MaxOverdue = []string{"group:risk"}, ago-time.Second, 0
		require.NoError(t, l.Admit(t.Context(), d))
		return d
	}
	now := time.Now()
	first := owing(now.Add(-ago))
	require.NoError(t, l.Complete(t.Context(), OutcomeOf(first)))
	braked := owing(now)
	assert.Equal(t, rationale.Pend, braked.Verdict)
	assert.Contains(t, braked.Reasons, rationale.ReviewDebt)
	require.Len(t, l.Reviews(), 1)
	review := &rationale.Review{Decision: first.ID, At: now, By: rationale.Person{ID: "rae", Groups: []string{"risk"}}, Finding: rationale.Upheld}
	require.NoError(t, l.Review(t.Context(), review))
	assert.Error(t, l.Review(t.Context(), review), "once")
	assert.Equal(t, rationale.Allow, owing(now).Verdict)
}

// waiting returns a draft that waits for a number of people.
func waiting(quorum int) *rationale.Decision {
	d := Pending()
	d.ActionDigest, d.Terms.ApproveQuorum = rationale.Digest([]byte(d.ID)), quorum
	return d
}

// follows returns a draft of the same call, with its ticket.
func follows(of *rationale.Decision) *rationale.Decision {
	d := Pending()
	d.ActionDigest, d.Parent = of.ActionDigest, of.ID
	return d
}

func presenting(t *testing.T, l PeopleLedger, of *rationale.Decision) *rationale.Decision {
	t.Helper()
	d := follows(of)
	require.NoError(t, l.Admit(t.Context(), d))
	return d
}

func answering(d *rationale.Decision, by string, answer rationale.Answer) *rationale.Approval {
	return &rationale.Approval{
		Ticket: d.ID, At: d.At, By: rationale.Person{ID: by, Groups: []string{"oncall"}}, Answer: answer, Why: "the suite says so",
	}
}
