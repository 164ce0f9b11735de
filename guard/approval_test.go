package guard_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
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

// Nothing else in a refusal takes the room of what people said, or cuts it.
func TestADenialIsToldAsAWhole(t *testing.T) {
	var rules []string
	for i := range 40 {
		rules = append(rules, fmt.Sprintf(`{when: "args.replicas > %d", to: authorization_required, code: large_%d_%s}`, i%10, i, strings.Repeat("x", 200)))
	}
	a := ask(t, ", escalate: ["+strings.Join(rules, ", ")+"]")
	ticket := a.decide(t, "20").Record().ID
	why := "not on a Friday\n" + strings.Repeat("w", 2000)
	require.NoError(t, a.answer(ticket, "sam@example.com", rationale.AnswerDeny, why))
	_, d := a.again("20", ticket)
	told := said(t, d)["checks"].([]any)
	assert.Equal(t, "denied: "+rationale.Printable(why), told[0].(map[string]any)["message"])
	assert.Greater(t, len(told), 1, "and the reasons to ask people")
	assert.LessOrEqual(t, len(d.Refusal()), 16<<10)
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
		"another version of the tool": {ctx: t.Context(), replicas: "20", before: func(t *testing.T, a *asking) {
			var err error
			a.Guard, err = guard.New([]authority.Document{grantDocument("fleet", scaleClass(asksPeople))},
				guard.Agent{ID: guardtest.AgentID, Environment: guardtest.Environment},
				guard.WithLedger(a.ledger), guard.WithClock(a.clock.Now), guard.AllowUnsigned())
			require.NoError(t, err)
			tool := guardtest.Scale()
			tool.Description += " Now also to zero."
			require.NoError(t, a.Register(tool))
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

// The document says how many people a call waits for, and how long.
func TestQuorumAndTimeOfTheDocument(t *testing.T) {
	doc := grantDocument("fleet", scaleClass(asksPeople))
	doc.Data = []byte(strings.Replace(string(doc.Data), "approval: {by: [group:oncall]}", "approval: {by: [group:oncall], quorum: 2, ttl: 10m}", 1))
	a := ask(t, "")
	require.NoError(t, a.Reload([]authority.Document{doc}))
	for expired, after := range map[bool]time.Duration{false: 10*time.Minute - 1, true: 10 * time.Minute} {
		ticket := a.decide(t, "20").Record().ID
		require.NoError(t, a.answer(ticket, "sam@example.com", rationale.AnswerApprove, ""))
		_, early := a.again("20", ticket)
		assert.Contains(t, string(early.Refusal()), "it is not approved yet: 1 of 2")
		require.ErrorIs(t, a.answer(ticket, "SAM@example.com", rationale.AnswerApprove, ""), ledger.ErrRefused)
		require.NoError(t, a.answer(ticket, "kim@example.com", rationale.AnswerApprove, ""))
		a.clock.Advance(after)
		_, d := a.again("20", ticket)
		assert.Equal(t, !expired, d.Allowed(), "after %s: %s", after, d.Refusal())
	}
}

// together keeps records, and from the first of a number of decisions on waits until
// all of them are there: each is then judged before one is recorded.
type together struct {
	guardtest.Recorder
	waits atomic.Bool
	group sync.WaitGroup
}

func (r *together) Append(ctx context.Context, recs ...rationale.Record) error {
	if r.waits.Load() {
		r.group.Done()
		r.group.Wait()
	}
	return r.Recorder.Append(ctx, recs...)
}

// Of 64 that present one approved ticket at once, one runs.
func TestOneApprovalManyRacers(t *testing.T) {
	const racers = 64
	recorder := &together{}
	l := ledger.New(recorder)
	s := under(t, asksPeople, guard.WithLedger(l))
	ticket := s.decide(t, "20").Record().ID
	require.NoError(t, l.Answer(t.Context(), &rationale.Approval{
		Ticket: ticket, At: s.clock.Now(), By: rationale.Person{ID: "sam@example.com", Groups: []string{"oncall"}}, Answer: rationale.AnswerApprove,
	}))
	recorder.group.Add(racers)
	recorder.waits.Store(true)
	var (
		won   atomic.Int32
		group sync.WaitGroup
	)
	for range racers {
		group.Go(func() {
			_, d := s.Begin(context.Background(), guard.Call{Tool: scaleID, Arguments: []byte(`{"replicas":20}`), Ticket: ticket})
			if d.Allowed() {
				won.Add(1)
			}
		})
	}
	group.Wait()
	assert.EqualValues(t, 1, won.Load())
}

func TestWithoutEvidenceNoTicketServes(t *testing.T) {
	s := open(t, []authority.Document{grantDocument("fleet", scaleClass(""))}, guard.WithLedger(nil), guard.WithoutEvidence())
	_, d := s.Begin(t.Context(), guard.Call{Tool: scaleID, Arguments: []byte(`{"replicas":5}`), Ticket: "made-up"})
	assert.Equal(t, []rationale.Reason{rationale.ApprovalInvalid}, refused(t, d))
}

// Whatever the class keeps of the arguments, and whoever they are sealed for, the
// same call is recognized, also by the next process, and another one is not.
func TestApprovalsOfWhatIsNotRecorded(t *testing.T) {
	for name, c := range map[string]struct {
		class string
		opts  []guard.Option
	}{
		"keyed":  {class: ", record: {arguments: hmac}", opts: []guard.Option{guard.WithRecordKeys(recordKey("k1"))}},
		"sealed": {opts: []guard.Option{guard.WithErasure(oneKey{}, func(guard.Checked) string { return "pat" })}},
	} {
		t.Run(name, func(t *testing.T) {
			a := ask(t, asksPeople+c.class, c.opts...)
			pend := a.decide(t, "20").Record()
			require.True(t, strings.HasPrefix(pend.ActionDigest, rationale.KeyedPrefix), pend.ActionDigest)
			require.Empty(t, pend.Arguments)
			require.NoError(t, a.answer(pend.ID, "sam@example.com", rationale.AnswerApprove, ""))
			_, other := a.again("21", pend.ID)
			assert.Contains(t, refused(t, other), rationale.ApprovalInvalid)

			require.NoError(t, a.ledger.Close())
			var err error
			a.ledger, err = ledger.Open("/evidence", journal.WithFS(a.fs), journal.WithClock(a.clock.Now))
			require.NoError(t, err)
			a.stage = under(t, asksPeople+c.class, append(c.opts, guard.WithLedger(a.ledger), guard.WithClock(a.clock.Now))...)
			_, d := a.again("20", pend.ID)
			assert.True(t, d.Allowed(), "%s", d.Refusal())
		})
	}
}

// oneKey has the same key for everybody.
type oneKey struct{}

func (oneKey) Key(context.Context, string) (rationale.SubjectKey, error) {
	return rationale.SubjectKey{ID: "s1", Secret: []byte("0123456789abcdef0123456789abcdef")}, nil
}

func (oneKey) Erase(context.Context, string, string, string, func(context.Context, rationale.Erasure) error) (bool, error) {
	return false, nil
}

const spends = `, spend: {currency: EUR, estimate: {quantity: args.replicas, price: "1.50"}, per_event: {parameterized: "15", authorization_required: "60"}}`

// The price is the documents' at the time of use: what costs more than was approved
// asks again, and the new ticket takes the place of the old one.
func TestAHigherPriceAsksAgain(t *testing.T) {
	price := "1.50"
	estimated := guard.NewEstimator("cost", "EUR", func(context.Context, guard.Checked) (string, error) { return price, nil })
	a := ask(t, `, spend: {currency: EUR, estimate: {estimator: cost}, per_event: {parameterized: "1", authorization_required: "60"}}`, guard.WithEstimators(estimated))
	first := a.decide(t, "20").Record()
	require.NoError(t, a.answer(first.ID, "sam@example.com", rationale.AnswerApprove, ""))
	price = "1.51"
	_, dearer := a.again("20", first.ID)
	require.Equal(t, rationale.Pend, dearer.Verdict())
	assert.Contains(t, string(dearer.Refusal()), "the price is 1.51 EUR, and 1.5 was approved")
	price = "1.50"
	_, d := a.again("20", first.ID)
	assert.Contains(t, refused(t, d), rationale.ApprovalInvalid, "the other ticket has taken its place")
	second := dearer.Record().ID
	require.NoError(t, a.answer(second, "sam@example.com", rationale.AnswerApprove, ""))
	_, d = a.again("20", second)
	assert.True(t, d.Allowed(), "%s", d.Refusal())
	assert.Equal(t, second, d.Record().Parent)
}

// Nothing that people say lifts a bound or the top of the ladder.
func TestWhatCannotBeApprovedAway(t *testing.T) {
	a := ask(t, spends+`, bounds: [{expr: "args.replicas <= 60", why: capacity}]`)
	assert.Equal(t, []rationale.Reason{rationale.SpendLimit}, refused(t, a.decide(t, "41")))
	ticket := a.decide(t, "40").Record()
	require.Equal(t, rationale.Pend, ticket.Verdict)
	require.NoError(t, a.answer(ticket.ID, "sam@example.com", rationale.AnswerApprove, ""))
	require.NoError(t, a.ledger.Suspend(t.Context(), rationale.Suspension{Authorization: "fleet", Class: "scale"}, "lee@example.com", "incident 7", a.clock.Now()))
	_, d := a.again("40", ticket.ID)
	assert.Equal(t, []rationale.Reason{rationale.Suspended}, refused(t, d))
	assert.NotContains(t, string(d.Refusal()), "lee@", "no names of people")
	require.NoError(t, a.ledger.Resume(t.Context(), rationale.Suspension{Authorization: "fleet", Class: "scale"}, "lee@example.com", "over", a.clock.Now()))
	_, d = a.again("40", ticket.ID)
	assert.True(t, d.Allowed(), "a refusal used nothing up: %s", d.Refusal())
}

// A matrix says how much who may approve, and the ticket says so too.
func TestCeilingsOfTheMatrix(t *testing.T) {
	matrix := authority.Document{Name: "matrix.yaml", Data: []byte(`apiVersion: ambit/v1
kind: AuthorityMatrix
domains: {scaling: [fleet.scale]}
bodies: [{id: cab, may_grant: {domains: [scaling], currency: EUR, per_event: {parameterized: "15", authorization_required: "60"}}}]
approvers:
  - {group: oncall, currency: EUR, up_to: "45.00"}
  - {person: vp@example.com, currency: EUR, up_to: "100.00"}
`)}
	doc := grantDocument("fleet", scaleClass(spends))
	doc.Data = []byte(strings.Replace(string(doc.Data), "grant: {by", "grant: {body: cab, by", 1))
	a := ask(t, spends)
	require.NoError(t, a.Reload([]authority.Document{doc, matrix}))
	within, above := a.decide(t, "30").Record(), a.decide(t, "31").Record()
	require.True(t, within.Ticket.Capped)
	require.Len(t, within.Ticket.Ceilings, 2)
	require.NoError(t, a.answer(within.ID, "sam@example.com", rationale.AnswerApprove, ""))
	require.ErrorContains(t, a.answer(above.ID, "sam@example.com", rationale.AnswerApprove, ""), "46.5 EUR is more than the 45.00 that sam@example.com may approve")
	require.NoError(t, a.answer(above.ID, "vp@example.com", rationale.AnswerApprove, ""))

	matrix.Data = []byte(strings.Replace(string(matrix.Data), `"45.00"`, `"40.00"`, 1))
	require.NoError(t, a.Reload([]authority.Document{doc, matrix}))
	_, d := a.again("30", within.ID)
	assert.Equal(t, rationale.Pend, d.Verdict(), "another matrix asks again")
}

// A call is in the sample if and only if the hash of its decision's id is in the share.
func TestTheSampleFollowsFromTheID(t *testing.T) {
	doc := grantDocument("fleet", scaleClass(""))
	doc.Data = append(doc.Data, "review: {by: [group:risk], within: 1h, sample: 12.5%, max_overdue: 1}\n"...)
	a := ask(t, "")
	require.NoError(t, a.Reload([]authority.Document{doc}))
	owed := map[bool]int{}
	for range 200 {
		ctx, d := a.begin(t.Context(), "5")
		require.True(t, d.Allowed())
		require.NoError(t, a.End(ctx, d, nil, nil))
		record := d.Record()
		sum := sha256.Sum256([]byte(record.ID))
		require.Equal(t, sum[0] < 256/8, record.Review != nil, record.ID)
		owed[record.Review != nil]++
	}
	assert.Len(t, owed, 2)
	assert.Len(t, a.ledger.Reviews(), owed[true])
}

// Reviews of a sample, and what brakes a class whose reviews nobody does.
func TestReviewsOfASample(t *testing.T) {
	doc := grantDocument("fleet", scaleClass(""))
	doc.Data = append(doc.Data, "review: {by: [group:risk], within: 1h, sample: 100%, max_overdue: 1}\n"...)
	a := ask(t, "")
	require.NoError(t, a.Reload([]authority.Document{doc}))
	for range 2 {
		ctx, d := a.begin(t.Context(), "5")
		require.True(t, d.Allowed())
		require.NoError(t, a.End(ctx, d, nil, nil))
		require.NotNil(t, d.Record().Review)
		assert.Equal(t, "sample", d.Record().Review.Reason)
	}
	a.clock.Advance(time.Hour)
	braked := a.decide(t, "5")
	require.Equal(t, []rationale.Reason{rationale.ApprovalRequired, rationale.ReviewDebt}, refused(t, braked))
	owed := a.ledger.Reviews()
	require.Len(t, owed, 2)
	review := func(decision, by string, groups ...string) error {
		return a.ledger.Review(t.Context(), &rationale.Review{
			Decision: decision, At: a.clock.Now(), By: rationale.Person{ID: by, Groups: groups}, Finding: rationale.Upheld,
		})
	}
	require.ErrorIs(t, review(owed[0].ID, "owner@example.com", "risk"), ledger.ErrRefused)
	require.ErrorIs(t, review(owed[0].ID, "sam@example.com", "risk", "oncall"), ledger.ErrRefused)
	require.NoError(t, review(owed[0].ID, "rae@example.com", "risk"))
	assert.True(t, a.decide(t, "5").Allowed())

	require.NoError(t, a.answer(braked.Record().ID, "sam@example.com", rationale.AnswerApprove, ""))
	ctx, approved := a.again("5", braked.Record().ID)
	require.True(t, approved.Allowed(), "the brake has gone, and the approval serves its one action")
	_, d := a.again("5", braked.Record().ID)
	assert.Contains(t, refused(t, d), rationale.ApprovalInvalid)

	require.NoError(t, a.End(ctx, approved, nil, nil))
	id := approved.Record().ID
	require.ErrorIs(t, review(id, "Sam@example.com", "risk"), ledger.ErrRefused, "who approved it, and has left the group since")
	require.NoError(t, review(id, "rae@example.com", "risk"))
}
