package ledger_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// Tickets are kept within bounds, with what was answered to them, so that a snapshot
// can always be written; who is forgotten is denied.
func TestTicketsAreBoundedInBytes(t *testing.T) {
	fs := crashfs.New()
	l := openLedger(t, fs)
	large := func(i int) *rationale.Decision {
		d := asks(fmt.Sprint(i))
		d.Terms.ApproveQuorum, d.Terms.ApproveWithin = 1, time.Duration(i+1)*time.Hour
		d.Arguments = json.RawMessage(`"` + strings.Repeat("x", 1<<20) + `"`)
		return d
	}
	all := make([]*rationale.Decision, 20)
	for i := range all {
		all[i] = large(i)
		require.NoError(t, l.Admit(ctx, all[i]))
	}
	open := l.Tickets(time.Now())
	require.Len(t, open, 15, "of a little more than a MiB each")
	assert.Equal(t, all[5].ID, open[0].Decision.ID, "the next to expire went first")
	require.ErrorIs(t, l.Answer(ctx, answers(all[0], "sam", rationale.AnswerApprove)), ledger.ErrRefused)
	gone := presents(all[0])
	require.NoError(t, l.Admit(ctx, gone))
	assert.Equal(t, rationale.Deny, gone.Verdict)

	last := all[19]
	require.NoError(t, l.Answer(ctx, answers(last, "sam", rationale.AnswerApprove)))
	require.NoError(t, l.Close())
	l = openLedger(t, fs, journal.WithRotation(journal.Rotation{Records: 1}))
	require.NoError(t, l.Admit(ctx, guardtest.Denied())) // begins with a snapshot
	require.NoError(t, l.Close())
	l = openLedger(t, fs)
	assert.Len(t, l.Tickets(time.Now()), 15)
	use := presents(last)
	require.NoError(t, l.Admit(ctx, use))
	assert.Equal(t, rationale.Allow, use.Verdict)
	require.NoError(t, l.Admit(ctx, large(30)))
	assert.Len(t, l.Tickets(time.Now()), 15, "one that is closed takes little room")
}

// large returns a draft of an agent that waits for people, with arguments of more than a
// MiB.
func large(agent string, at time.Time, within time.Duration) *rationale.Decision {
	d := asks(agent)
	d.At, d.Agent.ID, d.Terms.ApproveWithin = at, agent, within
	d.Arguments = json.RawMessage(`"` + strings.Repeat("x", 1200<<10) + `"`)
	return d
}

// waitingAt returns the tickets that wait, each by the name of its agent and the hour of
// its expiry.
func waitingAt(l *ledger.Memory, at time.Time) []string {
	var all []string
	for _, p := range l.Tickets(at) {
		all = append(all, fmt.Sprint(p.Decision.Agent.ID, " ", p.Decision.Ticket.Expires.Format("15:04")))
	}
	return all
}

// An agent that asks for much takes no room that others need: what it asked for first
// to expire goes, whoever asks next.
func TestAnAgentPushesOutItsOwnTickets(t *testing.T) {
	fs := crashfs.New()
	open := func() *ledger.Memory {
		return openLedger(t, fs, journal.WithRotation(journal.Rotation{Records: 12}), journal.WithClock(func() time.Time { return noon }))
	}
	l := open()
	quiet := large("quiet", noon, time.Hour)
	require.NoError(t, l.Admit(ctx, quiet))
	for i := range 15 {
		require.NoError(t, l.Admit(ctx, large("loud", noon, time.Duration(2+i%3)*time.Hour)))
	}
	late := large("late", noon, time.Hour)
	require.NoError(t, l.Admit(ctx, late))
	kept := waitingAt(l, noon)
	require.Len(t, kept, 13)
	assert.Subset(t, kept, []string{"quiet 13:00", "late 13:00"})
	assert.NotContains(t, kept[3:], "loud 14:00", "of its own, the next to expire went first")
	require.NoError(t, l.Close())
	l = open()
	assert.Equal(t, kept, waitingAt(l, noon))
	for _, d := range []*rationale.Decision{quiet, late} {
		require.NoError(t, l.Answer(ctx, answers(d, "sam", rationale.AnswerApprove)))
	}
	require.NoError(t, l.Close())
}

// Replicas forget the same tickets, whenever each hears of what made it necessary, and
// whatever it began with.
func TestReplicasForgetTheSameTickets(t *testing.T) {
	log, a, late, ra, rb := replicas(t)
	for range 6 {
		require.NoError(t, a.Admit(ctx, large("short", noon, time.Hour)))
	}
	snapshot, at := ra.state.Snapshot(noon)[0].(*rationale.Snapshot), len(log.recs)
	for i := range 7 {
		require.NoError(t, a.Admit(ctx, large("long", noon, time.Duration(2+i)*time.Hour)))
	}
	log.now = noon.Add(30 * time.Minute)
	require.NoError(t, a.Admit(ctx, large("long", log.now, 9*time.Hour)))
	want := waitingAt(a, log.now)
	require.Len(t, want, 13)
	require.NotContains(t, want, "long 14:00")

	log.now = noon.Add(90 * time.Minute)
	want = waitingAt(a, log.now)
	require.Len(t, want, 7)
	require.Empty(t, late.Tickets(log.now), "it has heard of nothing")
	rb.catchUp()
	assert.Equal(t, want, waitingAt(late, log.now))
	begins, rc := join(t, log)
	require.NoError(t, rc.state.Restore(snapshot))
	rc.applied = at
	rc.catchUp()
	assert.Equal(t, want, waitingAt(begins, log.now))

	require.NoError(t, a.Admit(ctx, large("long", log.now, 9*time.Hour)))
	rb.catchUp()
	rc.catchUp()
	for _, m := range []*ledger.Memory{late, begins} {
		assert.Equal(t, waitingAt(a, log.now), waitingAt(m, log.now))
		assert.Equal(t, a.Sizes(), m.Sizes())
	}
}
