package recorddb_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// planted are records that a guard would never write, made from those that it wrote.
type planted struct {
	t       *testing.T
	records []rationale.Record
	added   []rationale.Record
}

// plant returns a copy of a folder with what do adds to it.
func plant(t *testing.T, dir string, do func(p *planted)) string {
	t.Helper()
	to := copied(t, dir)
	p := &planted{t: t}
	for e, err := range journal.Read(to) {
		require.NoError(t, err)
		p.records = append(p.records, e.Record)
	}
	do(p)
	if len(p.added) > 0 {
		j, err := journal.Open(to, journal.WithClock(func() time.Time { return asOf }))
		require.NoError(t, err)
		require.NoError(t, j.Append(context.Background(), p.added...))
		require.NoError(t, j.Close())
	}
	return to
}

// day is a time of October.
func day(n, hour int) time.Time { return time.Date(2026, 10, n, hour, 30, 0, 0, time.UTC) }

// like returns a copy of the last decision of a class and tier that was allowed, as if
// it had been taken at a time.
func (p *planted) like(class string, tier classify.Tier, at time.Time) *rationale.Decision {
	for _, rec := range slices.Backward(p.records) {
		d, ok := rec.(*rationale.Decision)
		if !ok || d.Verdict != rationale.Allow || d.Class != class || d.Tier != tier {
			continue
		}
		forged := *d
		ref := *d.Authorization
		forged.Authorization = &ref
		if d.Spend != nil {
			spend := *d.Spend
			forged.Spend = &spend
		}
		forged.Checks = slices.Clone(d.Checks)
		forged.ID, forged.At = rationale.NewID(at), at
		return &forged
	}
	p.t.Fatalf("no act of class %s and tier %s", class, tier)
	return nil
}

// ran adds an act whose outcome was a success a second later.
func (p *planted) ran(d *rationale.Decision) *rationale.Outcome {
	o := &rationale.Outcome{
		ID: rationale.NewID(d.At), At: d.At.Add(time.Second), Decision: d.ID, Started: d.At.Add(time.Millisecond), Status: rationale.StatusSuccess,
	}
	if d.Spend != nil {
		o.Spent = d.Spend.Amount
	}
	p.added = append(p.added, d, o)
	return o
}

// settles makes an outcome unknown, and has a person say that the act did not run.
func (p *planted) settles(o *rationale.Outcome) {
	o.Status = rationale.StatusUnknown
	p.added = append(p.added, &rationale.Settlement{
		ID: rationale.NewID(o.At), At: o.At, Decision: o.Decision, Status: rationale.StatusNotExecuted, By: "dana@example.com", Why: "it never happened",
	})
}

// scaled adds a small act of the fleet with a change to its decision.
func (p *planted) scaled(at time.Time, change func(d *rationale.Decision)) *rationale.Outcome {
	d := p.like("scale", classify.Parameterized, at)
	change(d)
	return p.ran(d)
}

// answered returns copies of the act that people approved, of its ticket, and of the
// first and the last answer, with ids of their own.
func (p *planted) answered(at time.Time) (act, ticket *rationale.Decision, first, last *rationale.Approval) {
	act = p.like("scale", classify.AuthorizationRequired, at)
	var answers []*rationale.Approval
	for _, rec := range p.records {
		switch r := rec.(type) {
		case *rationale.Decision:
			if r.ID == act.Parent {
				pend := *r
				ticket = &pend
			}
		case *rationale.Approval:
			answer := *r
			answers = append(answers, &answer)
		}
	}
	require.Len(p.t, answers, 2)
	ticket.ID, ticket.At = rationale.NewID(at), at.Add(-10*time.Minute)
	act.Parent = ticket.ID
	for i, a := range answers {
		a.ID, a.Ticket = rationale.NewID(at), ticket.ID
		a.Asked, a.At, a.Expires = ticket.At, at.Add(time.Duration(i-3)*time.Minute), at.Add(20*time.Minute)
	}
	act.Approval = answers[1].ID
	return act, ticket, answers[0], answers[1]
}

// approves adds an act that people approved, with a change to its records.
func (p *planted) approves(change func(act, ticket *rationale.Decision, first, last *rationale.Approval)) {
	act, ticket, first, last := p.answered(day(21, 12))
	change(act, ticket, first, last)
	p.added = append(p.added, ticket, first, last)
	p.ran(act)
}

// loads adds that an authorization was loaded, with a change to it.
func (p *planted) loads(change func(l *rationale.Lifecycle)) {
	for _, rec := range p.records {
		if l, ok := rec.(*rationale.Lifecycle); ok && l.Event == rationale.EventLoaded && l.Authorization != nil {
			forged, ref := *l, *l.Authorization
			forged.Authorization, forged.ID = &ref, rationale.NewID(l.At)
			forged.Bytes = append([]byte("# again\n"), l.Bytes...)
			change(&forged)
			p.added = append(p.added, &forged)
			return
		}
	}
	p.t.Fatal("no authorization is loaded")
}

// segments are the files of a folder, in order.
func segments(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	require.NoError(t, err)
	return found
}

// reopened begins further segments.
func reopened(t *testing.T, dir string, times int) string {
	t.Helper()
	to := copied(t, dir)
	for range times {
		j, err := journal.Open(to, journal.WithClock(func() time.Time { return asOf }))
		require.NoError(t, err)
		require.NoError(t, j.Close())
	}
	return to
}

// edit replaces bytes of a file.
func edit(t *testing.T, file string, change func(data []byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, change(data), 0o600))
}
