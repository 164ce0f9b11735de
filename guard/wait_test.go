package guard_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

// patient is a guard whose scale class asks people for 30 minutes, with a clock
// that runs as the bubble's does.
type patient struct {
	*stage
	ledger *ledger.Memory
	began  time.Time
}

func wait(t *testing.T, class string, opts ...guard.Option) *patient {
	t.Helper()
	p := &patient{began: time.Now()}
	recorder := &guardtest.Recorder{}
	p.ledger = ledger.New(recorder)
	p.stage = under(t, class, append([]guard.Option{guard.WithLedger(p.ledger), guard.WithClock(p.now)}, opts...)...)
	p.recorder = recorder
	return p
}

func (p *patient) now() time.Time { return guardtest.Now().Add(time.Since(p.began)) }

func (p *patient) answer(t *testing.T, answer rationale.Answer) {
	t.Helper()
	open := p.ledger.Tickets(p.now())
	require.Len(t, open, 1)
	require.NoError(t, p.ledger.Answer(context.Background(), &rationale.Approval{
		Ticket: open[0].Decision.ID, At: p.now(), By: rationale.Person{ID: "sam@example.com", Groups: []string{"oncall"}},
		Answer: answer, Why: "not on a Friday",
	}))
}

func TestWait(t *testing.T) {
	for _, tt := range []struct {
		name      string
		max, when time.Duration // when something happens; how long may be waited
		happens   func(t *testing.T, p *patient, cancel context.CancelFunc)
		waits     time.Duration
		verdict   rationale.Verdict
		decisions int
		reason    string
	}{
		{
			name: "approved", max: time.Hour, when: 7 * time.Minute, waits: 7 * time.Minute, verdict: rationale.Allow, decisions: 2,
			happens: func(t *testing.T, p *patient, _ context.CancelFunc) { p.answer(t, rationale.AnswerApprove) },
		},
		{
			name: "denied", max: time.Hour, when: 7 * time.Minute, waits: 7 * time.Minute, verdict: rationale.Deny, decisions: 2, reason: "not on a Friday",
			happens: func(t *testing.T, p *patient, _ context.CancelFunc) { p.answer(t, rationale.AnswerDeny) },
		},
		{name: "nobody answers in time", max: 10 * time.Minute, waits: 10 * time.Minute, verdict: rationale.Pend, decisions: 1},
		{name: "the ticket expires", max: time.Hour, waits: 30 * time.Minute, verdict: rationale.Deny, decisions: 2, reason: "expired"},
		{
			name: "the caller gives up", max: time.Hour, when: 3 * time.Minute, waits: 3 * time.Minute, verdict: rationale.Pend, decisions: 1,
			happens: func(_ *testing.T, _ *patient, cancel context.CancelFunc) { cancel() },
		},
		{
			name: "suspended meanwhile", max: time.Hour, when: time.Minute, waits: time.Minute, verdict: rationale.Deny, decisions: 2, reason: "suspended",
			happens: func(t *testing.T, p *patient, _ context.CancelFunc) {
				require.NoError(t, p.ledger.Suspend(context.Background(), rationale.Suspension{Everything: true}, "lee", "incident", p.now()))
				p.answer(t, rationale.AnswerApprove)
			},
		},
		{name: "no wait", max: 0, waits: 0, verdict: rationale.Pend, decisions: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := wait(t, asksPeople)
				ctx, cancel := context.WithCancel(guard.WithWait(t.Context(), tt.max))
				defer cancel()
				if tt.happens != nil {
					time.AfterFunc(tt.when, func() { tt.happens(t, p, cancel) })
				}
				inside, d := p.Begin(ctx, guard.Call{ID: "call-1", Tool: scaleID, Arguments: []byte(`{"replicas":20}`)})
				assert.Equal(t, tt.waits, time.Since(p.began))
				require.Equal(t, tt.verdict, d.Verdict(), "%s", d.Refusal())
				recorded := p.recorder.Decisions()
				require.Len(t, recorded, tt.decisions)
				assert.Contains(t, string(d.Refusal()), tt.reason)
				for _, r := range recorded {
					assert.Equal(t, "call-1", r.CallID)
				}
				if tt.decisions == 2 {
					assert.Equal(t, rationale.Pend, recorded[0].Verdict)
					assert.Equal(t, recorded[0].ID, recorded[1].Parent)
				}
				if d.Allowed() {
					require.NoError(t, p.End(inside, d, nil, nil))
				}
			})
		})
	}
}

// A price that rises while people think opens another ticket, which is waited for
// within the same bound.
func TestWaitAgainForANewTicket(t *testing.T) {
	for name, tt := range map[string]struct {
		max     time.Duration
		verdict rationale.Verdict
		waits   time.Duration
	}{
		"both answered":             {20 * time.Minute, rationale.Allow, 10 * time.Minute},
		"the second comes too late": {8 * time.Minute, rationale.Pend, 8 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				prices := []string{"1.50", "1.51", "1.51"}
				estimated := guard.NewEstimator("cost", "EUR", func(context.Context, guard.Checked) (string, error) {
					price := prices[0]
					prices = prices[1:]
					return price, nil
				})
				p := wait(t, `, spend: {currency: EUR, estimate: {estimator: cost}, per_event: {parameterized: "1", authorization_required: "60"}}`,
					guard.WithEstimators(estimated))
				for _, when := range []time.Duration{5 * time.Minute, 10 * time.Minute} {
					time.AfterFunc(when, func() { p.answer(t, rationale.AnswerApprove) })
				}
				ctx, d := p.Begin(guard.WithWait(t.Context(), tt.max), guard.Call{Tool: scaleID, Arguments: []byte(`{"replicas":20}`)})
				assert.Equal(t, tt.waits, time.Since(p.began))
				require.Equal(t, tt.verdict, d.Verdict(), "%s", d.Refusal())
				recorded := p.recorder.Decisions()
				for i, r := range recorded[1:] {
					assert.Equal(t, recorded[i].ID, r.Parent)
				}
				if d.Allowed() {
					require.Len(t, recorded, 3)
					require.NoError(t, p.End(ctx, d, nil, nil))
				}
				time.Sleep(time.Hour) // for the answer that comes too late
			})
		})
	}
}

// The call is the caller's until Begin is called, and not while it waits.
func TestWhatIsEvaluatedAgainIsWhatPended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arguments := []byte(`{"replicas":20}`)
		p := wait(t, asksPeople, guard.WithNotifications(func(rationale.Notification) { copy(arguments, `{"replicas":99}`) }))
		time.AfterFunc(time.Minute, func() { p.answer(t, rationale.AnswerApprove) })
		ctx, d := p.Begin(guard.WithWait(t.Context(), time.Hour), guard.Call{Tool: scaleID, Arguments: arguments})
		require.True(t, d.Allowed(), "%s", d.Refusal())
		assert.JSONEq(t, `{"replicas":20}`, string(d.Args))
		require.NoError(t, p.End(ctx, d, nil, nil))
	})
}

// A ledger that cannot wake anybody, and one that fails to, leave the pend as it is.
func TestWaitNeedsALedgerThatWakes(t *testing.T) {
	for name, l := range map[string]guard.Ledger{
		"it cannot": struct{ guard.Ledger }{ledger.New(&guardtest.Recorder{})},
		"it fails":  failsToWait{ledger.New(&guardtest.Recorder{})},
	} {
		t.Run(name, func(t *testing.T) {
			s := under(t, asksPeople, guard.WithLedger(l))
			_, d := s.begin(guard.WithWait(t.Context(), time.Hour), "20")
			assert.Equal(t, rationale.Pend, d.Verdict())
		})
	}
}

type failsToWait struct{ guard.Ledger }

func (failsToWait) Wait(context.Context, string) error { panic("connection lost") }
