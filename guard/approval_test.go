package guard_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// asking is a guard whose scale class asks people, on a journal.
type asking struct {
	*stage
	ledger *ledger.Memory
	fs     *crashfs.FS
}

func ask(t *testing.T, class string, opts ...guard.Option) *asking {
	t.Helper()
	a := &asking{fs: crashfs.New()}
	clock := guardtest.NewClock(guardtest.Now())
	var err error
	a.ledger, err = ledger.Open("/evidence", journal.WithFS(a.fs), journal.WithClock(clock.Now))
	require.NoError(t, err)
	t.Cleanup(func() { _ = a.ledger.Close() })
	a.stage = under(t, class, append([]guard.Option{guard.WithLedger(a.ledger), guard.WithClock(clock.Now)}, opts...)...)
	a.clock = clock
	return a
}

// again presents a ticket.
func (a *asking) again(replicas, ticket string) (context.Context, guard.Decision) {
	return a.Begin(context.Background(), guard.Call{Tool: scaleID, Arguments: []byte(`{"replicas":` + replicas + `}`), Ticket: ticket})
}

func (a *asking) answer(ticket, by string, answer rationale.Answer, why string) error {
	return a.ledger.Answer(context.Background(), &rationale.Approval{
		Ticket: ticket, At: a.clock.Now(), By: rationale.Person{ID: by, Groups: []string{"oncall"}}, Answer: answer, Why: why, Change: "CHG-7",
	})
}

const asksPeople = `, escalate: [{when: "args.replicas > 10", to: authorization_required, code: LARGE}]`

func TestAnApprovedCallRunsOnce(t *testing.T) {
	a := ask(t, asksPeople)
	pend := a.decide(t, "20")
	require.Equal(t, rationale.Pend, pend.Verdict())
	ticket := said(t, pend)["ticket"].(string)

	_, early := a.again("20", ticket)
	assert.Equal(t, []rationale.Reason{rationale.ApprovalRequired, rationale.ApprovalInvalid}, refused(t, early))
	waiting := a.ledger.Tickets(a.clock.Now())
	require.Len(t, waiting, 1)
	assert.Equal(t, ticket, waiting[0].Decision.ID)
	assert.JSONEq(t, `{"replicas":20}`, string(waiting[0].Decision.Arguments))

	require.NoError(t, a.answer(ticket, "sam@example.com", rationale.AnswerApprove, ""))
	ctx, d := a.again("20", ticket)
	require.True(t, d.Allowed(), "%s", d.Refusal())
	assert.JSONEq(t, `{"replicas":20}`, string(d.Args))
	record := d.Record()
	assert.Equal(t, ticket, record.Parent)
	assert.NotEmpty(t, record.Approval)
	require.NoError(t, a.End(ctx, d, []byte("ok"), nil))

	_, twice := a.again("20", ticket)
	assert.Contains(t, refused(t, twice), rationale.ApprovalInvalid)
	assert.Contains(t, string(twice.Refusal()), "it serves once")
	assert.Empty(t, a.ledger.Tickets(a.clock.Now()))
}

func TestADenialReachesTheAgent(t *testing.T) {
	a := ask(t, asksPeople)
	ticket := a.decide(t, "20").Record().ID
	require.ErrorIs(t, a.answer(ticket, "sam@example.com", rationale.AnswerDeny, " "), ledger.ErrRefused)
	require.NoError(t, a.answer(ticket, "sam@example.com", rationale.AnswerDeny, "not on a Friday"))
	_, d := a.again("20", ticket)
	assert.Contains(t, refused(t, d), rationale.ApprovalInvalid)
	assert.Contains(t, string(d.Refusal()), "not on a Friday")
	assert.NotContains(t, string(d.Refusal()), "sam@", "no names of people")
	assert.ErrorIs(t, a.answer(ticket, "kim@example.com", rationale.AnswerApprove, ""), ledger.ErrRefused)
}

// An approval lets one action happen: whatever differs in it denies.
func TestAnApprovalIsBoundToItsAction(t *testing.T) {
	for name, c := range map[string]struct {
		ctx      context.Context
		replicas string
		before   func(t *testing.T, a *asking)
		allowed  bool
	}{
		"the same":                     {ctx: t.Context(), replicas: "20", allowed: true},
		"equal, and spelled otherwise": {ctx: t.Context(), replicas: "2e1", allowed: true},
		"other arguments":              {ctx: t.Context(), replicas: "21"},
		"another person":               {ctx: guard.WithSession(t.Context(), guard.Session{OnBehalfOf: "mallory@example.com"}), replicas: "20"},
		"another model":                {ctx: guard.WithSession(t.Context(), guard.Session{Model: authority.ModelSpec{Name: "m2"}}), replicas: "20"},
		"another session":              {ctx: guard.WithSession(t.Context(), guard.Session{ID: "s2"}), replicas: "20", allowed: true},
		"another document": {ctx: t.Context(), replicas: "20", before: func(t *testing.T, a *asking) {
			require.NoError(t, a.Reload([]authority.Document{grantDocument("fleet", scaleClass(asksPeople+", controls: [SOX]"))}))
		}},
		"expired": {ctx: t.Context(), replicas: "20", before: func(_ *testing.T, a *asking) { a.clock.Advance(30 * time.Minute) }},
	} {
		t.Run(name, func(t *testing.T) {
			a := ask(t, asksPeople)
			ticket := a.decide(t, "20").Record().ID
			require.NoError(t, a.answer(ticket, "sam@example.com", rationale.AnswerApprove, ""))
			if c.before != nil {
				c.before(t, a)
			}
			_, d := a.Begin(c.ctx, guard.Call{Tool: scaleID, Arguments: []byte(`{"replicas":` + c.replicas + `}`), Ticket: ticket})
			assert.Equal(t, c.allowed, d.Allowed(), "%s", d.Refusal())
			if !c.allowed {
				assert.Contains(t, refused(t, d), rationale.ApprovalInvalid)
			}
		})
	}
}

// Of 64 that present one approved ticket at once, one runs.
func TestOneApprovalManyRacers(t *testing.T) {
	a := ask(t, asksPeople)
	ticket := a.decide(t, "20").Record().ID
	require.NoError(t, a.answer(ticket, "sam@example.com", rationale.AnswerApprove, ""))
	var (
		won   atomic.Int32
		start = make(chan struct{})
		group sync.WaitGroup
	)
	for range 64 {
		group.Go(func() {
			<-start
			if _, d := a.again("20", ticket); d.Allowed() {
				won.Add(1)
			}
		})
	}
	close(start)
	group.Wait()
	assert.EqualValues(t, 1, won.Load())
}

func TestWithoutEvidenceNoTicketServes(t *testing.T) {
	s := open(t, []authority.Document{grantDocument("fleet", scaleClass(""))}, guard.WithLedger(nil), guard.WithoutEvidence())
	_, d := s.Begin(t.Context(), guard.Call{Tool: scaleID, Arguments: []byte(`{"replicas":5}`), Ticket: "made-up"})
	assert.Equal(t, []rationale.Reason{rationale.ApprovalInvalid}, refused(t, d))
}
