package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// Wherever a snapshot is taken, it and the records after it say what all records
// say, of every kind of record, and what the ledger knew that wrote them; on a shared
// log, and on one of its own.
func TestARestoredStateSaysTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := &shelf{now: noon}
		m, live := join(t, log)
		h := &history{t: t, log: log, m: m}
		times := []time.Time{noon} // when each record, and those before it, were appended
		for range rapid.IntRange(5, 60).Draw(t, "steps") {
			h.step()
			for len(times) <= len(log.recs) {
				times = append(times, log.now)
			}
		}
		cut := rapid.IntRange(0, len(log.recs)).Draw(t, "records before the snapshot")
		for name, fresh := range map[string]func() (*ledger.Memory, journal.State){
			"shared": func() (*ledger.Memory, journal.State) { return ledger.Share(clock(log.now)) }, "its own": ledger.Local,
		} {
			all, state := fresh()
			replay(state, log.recs, 0, cut)
			snapshot := state.Snapshot(times[cut])[0].(*rationale.Snapshot)
			replay(state, log.recs, cut, len(log.recs))
			want := said(all, state, log.now)
			if name == "shared" {
				require.Equal(t, said(m, live.state, log.now), want, "all records")
			}
			restored, state := fresh()
			require.NoError(t, state.Restore(snapshot))
			replay(state, log.recs, cut, len(log.recs))
			require.Equal(t, want, said(restored, state, log.now), "%s: a snapshot after %d of %d records", name, cut, len(log.recs))
		}
	})
}

func replay(state journal.State, recs []rationale.Record, from, until int) {
	for i := from; i < until; i++ {
		state.Apply(recs[i], journal.Position{Segment: 1, Seq: uint64(i + 1)})
	}
}

// said is all that a ledger says of its state at a time.
func said(m *ledger.Memory, state journal.State, now time.Time) string {
	status := m.Status(now)
	snapshot := state.Snapshot(now)[0].(*rationale.Snapshot)
	return fmt.Sprintf("%s\n%+v\n%+v\n%+v\n%v\n%d", snapshot.State, status, m.Budgets(now), m.Held(now), m.UnansweredAudits(), m.Sizes())
}

// clock is a shared log that only has a time.
type clock time.Time

func (c clock) Now() time.Time                            { return time.Time(c) }
func (c clock) Commit(context.Context, ledger.Step) error { panic("nothing is appended here") }

// history makes records of every kind, by the ledger's own steps.
type history struct {
	t   *rapid.T
	log *shelf
	m   *ledger.Memory

	open, asked, owing, spent []*rationale.Decision
	audits                    []string
}

func (h *history) step() {
	pick := func(of []*rationale.Decision) *rationale.Decision {
		if len(of) == 0 {
			return nil
		}
		return of[rapid.IntRange(0, len(of)-1).Draw(h.t, "decision")]
	}
	switch rapid.IntRange(0, 13).Draw(h.t, "step") {
	case 0:
		h.log.now = h.log.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(h.t, "minutes")) * time.Minute)
	case 1, 2, 3:
		h.admit(nil)
	case 4, 5:
		if d := pick(h.open); d != nil {
			status := rapid.SampledFrom([]rationale.Status{
				rationale.StatusSuccess, rationale.StatusError, rationale.StatusPanic, rationale.StatusUnknown, rationale.StatusNotExecuted,
			}).Draw(h.t, "status")
			o := ended(d, 0, status, fmt.Sprint(rapid.IntRange(0, 30).Draw(h.t, "cost")))
			o.At = h.log.now
			_ = h.m.Complete(ctx, o)
		}
	case 6:
		if d := pick(h.spent); d != nil {
			_ = h.m.Settle(ctx, settlement(d, h.log.now, rationale.StatusSuccess, fmt.Sprint(rapid.IntRange(0, 30).Draw(h.t, "settled"))))
		}
	case 7, 8:
		if d := pick(h.asked); d != nil {
			by := rapid.SampledFrom([]string{"sam", "kim", "lou"}).Draw(h.t, "by")
			a := answers(d, by, rapid.SampledFrom([]rationale.Answer{rationale.AnswerApprove, rationale.AnswerApprove, rationale.AnswerApprove, rationale.AnswerDeny}).Draw(h.t, "answer"))
			_ = h.m.Answer(ctx, a)
		}
	case 9, 13:
		if d := pick(h.asked); d != nil {
			h.admit(d)
		}
	case 10:
		if d := pick(h.owing); d != nil {
			_ = h.m.Review(ctx, &rationale.Review{
				Decision: d.ID, By: rationale.Person{ID: "rae", Groups: []string{"risk"}}, Finding: rationale.Upheld,
			})
		}
	case 11:
		what := rapid.SampledFrom([]rationale.Suspension{{Agent: "robot"}, {Authorization: "fleet", Class: "other"}}).Draw(h.t, "what")
		if rapid.Bool().Draw(h.t, "suspend") {
			_ = h.m.Suspend(ctx, what, "lee", "incident", time.Time{})
		} else {
			_ = h.m.Resume(ctx, what, "lee", "over", time.Time{})
		}
	case 12:
		if len(h.audits) > 0 && rapid.Bool().Draw(h.t, "audit answered") {
			_ = h.m.AnswerAudit(ctx, rapid.SampledFrom(h.audits).Draw(h.t, "which"), "rae", "a drill", time.Time{})
			return
		}
		found := rapid.IntRange(0, 2).Draw(h.t, "found")
		id, err := h.m.Audited(ctx, rationale.Audit{Authorization: "fleet", Judged: 9, Unexplained: found}, noon.Add(-time.Hour), h.log.now, "nightly", h.log.now)
		require.NoError(h.t, err)
		h.audits = append(h.audits, id)
	}
}

// admit admits a draft, which presents a ticket or none.
func (h *history) admit(ticket *rationale.Decision) {
	d := spending(h.log.now, fmt.Sprint(rapid.IntRange(0, 25).Draw(h.t, "amount")), sliding("100", "2h0m0s"), daily("300"), rate("20", "1h0m0s"))
	d.Authorization = &rationale.AuthorizationRef{ID: "fleet", GrantedAt: noon}
	d.Class = rapid.SampledFrom([]string{"scale", "stop"}).Draw(h.t, "class")
	if ticket != nil {
		d.Parent, d.Class = ticket.ID, ticket.Class
	}
	d.ActionDigest = rationale.Digest([]byte(d.Class))
	d.Rationale = &rationale.Rationale{Purpose: rapid.SampledFrom([]string{"", "as asked", "load"}).Draw(h.t, "purpose")}
	asks := guardtest.Pending().Terms
	asks.ReviewBy, asks.ReviewWithin, asks.MaxOverdue = []string{"group:risk"}, 30*time.Minute, 1
	asks.AuditEvery, asks.ApproveQuorum, asks.ApproveWithin = 2*time.Hour, rapid.IntRange(1, 2).Draw(h.t, "quorum"), time.Hour
	d.Terms = asks
	d.BaseTier = rapid.SampledFrom([]classify.Tier{classify.Parameterized, classify.BoundedEscalation, classify.AuthorizationRequired}).Draw(h.t, "tier")
	if rapid.IntRange(0, 5).Draw(h.t, "observe") == 0 {
		d.Mode = rationale.Observe
	}
	require.NoError(h.t, h.m.Admit(ctx, d))
	if d.Verdict == rationale.Allow {
		h.open = append(h.open, d)
		if d.Mode == rationale.Enforce {
			h.spent = append(h.spent, d)
		}
	}
	if d.Ticket != nil {
		h.asked = append(h.asked, d)
	}
	if d.Review != nil {
		h.owing = append(h.owing, d)
	}
}

// However many calls wait for a settlement: a snapshot of them can be written, so
// that they can still be settled, and the ledger opened again.
func TestWhatIsHeldFitsASnapshot(t *testing.T) {
	log := &instant{now: noon.Add(123456789)}
	m, state := ledger.Share(log)
	log.state = state
	limits := []rationale.Limit{rate("1000000", "24h0m0s"), rate("1000000", "1h0m0s"), sliding("100000", "24h0m0s")}
	for _, unit := range []string{"hour", "day", "week", "month"} {
		l := sliding("100000", unit)
		l.Zone, l.CostCentre = "Europe/Stockholm", "CC-1"
		limits = append(limits, l)
	}
	var err error
	n := 0
	for ; err == nil; n++ {
		require.Less(t, n, 100_000)
		err = m.Admit(ctx, spending(log.now, "0.0123456789", slices.Clone(limits)...))
	}
	require.ErrorContains(t, err, "settle those that are held")
	assert.Greater(t, n, 10_000)
	assert.Less(t, len(state.Snapshot(log.now)[0].(*rationale.Snapshot).State), 20<<20)
	log.now = log.now.Add(time.Hour)
	require.NoError(t, m.Expire(ctx))
	require.NoError(t, m.Settle(ctx, settlement(&rationale.Decision{ID: m.Held(log.now)[0].Decision}, log.now, rationale.StatusNotExecuted, "")))
	assert.NoError(t, m.Admit(ctx, spending(log.now, "0.0123456789", slices.Clone(limits)...)))
}

// instant is a shared log that keeps nothing.
type instant struct {
	state journal.State
	now   time.Time
}

func (i *instant) Now() time.Time { return i.now }

func (i *instant) Commit(_ context.Context, s ledger.Step) error {
	recs, err := s.Take(i.now)
	for _, rec := range recs {
		i.state.Apply(rec, journal.Position{Segment: 1234})
	}
	return err
}

// A time that somebody mistypes does not end every ticket, nor begin an audit's
// future: what the ledger's clock has not reached is refused.
func TestPeopleDoNotMoveTheClock(t *testing.T) {
	l := openLedger(t, crashfs.New(), journal.WithClock(func() time.Time { return noon }))
	asked, owing, spent := asks("a"), reviewed(), spending(noon, "1", sliding("100", "24h0m0s"))
	for _, d := range []*rationale.Decision{asked, owing, spent} {
		d.At = noon
		require.NoError(t, l.Admit(ctx, d))
	}
	require.NoError(t, l.Complete(ctx, ended(owing, 0, rationale.StatusSuccess, "")))
	next := noon.AddDate(1, 0, 0)
	answer, review := answers(asked, "sam", rationale.AnswerApprove), &rationale.Review{
		Decision: owing.ID, By: rationale.Person{ID: "rae", Groups: []string{"risk"}}, Finding: rationale.Upheld,
	}
	answer.At, review.At = next, next
	_, audited := l.Audited(ctx, rationale.Audit{Authorization: "fleet", Judged: 1}, noon.Add(-1), next, "nightly", next)
	for what, err := range map[string]error{
		"answer": l.Answer(ctx, answer), "review": l.Review(ctx, review), "audit": audited,
		"suspension": l.Suspend(ctx, rationale.Suspension{Everything: true}, "lee", "incident", next),
		"settlement": l.Settle(ctx, settlement(spent, next, rationale.StatusNotExecuted, "")),
	} {
		require.ErrorIs(t, err, ledger.ErrRefused, what)
		assert.ErrorContains(t, err, "2027-11-23T12:00:00Z", what)
	}
	assert.Empty(t, l.Suspensions())
	assert.Equal(t, ledger.Status{Open: 1, Pending: 1, Owed: 1}, l.Status(noon))
	answer.At, review.At = noon, noon
	require.NoError(t, l.Answer(ctx, answer))
	require.NoError(t, l.Review(ctx, review))
}
