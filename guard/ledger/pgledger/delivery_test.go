package pgledger_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger/pgledger"
	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

var _ otelx.Source = (*pgledger.Follower)(nil)

// Of two replicas one delivers. When it is cut off, the other goes on where it stopped.
func TestReplicasDeliverInTurn(t *testing.T) {
	url := migrated(t, server(t))
	a, b := open(t, url, pgledger.WithSnapshotEvery(10)), open(t, url, pgledger.WithSnapshotEvery(10))
	var first, second tracetest.InMemoryExporter
	deliver := func(l *pgledger.Ledger, to *tracetest.InMemoryExporter) *otelx.Delivery {
		d, err := otelx.NewDelivery(l.Follow("otlp"), to, otelx.WithErrorHandler(func(error) {}))
		require.NoError(t, err)
		t.Cleanup(func() { _ = d.Shutdown(t.Context()) })
		return d
	}
	da := deliver(a, &first)
	db := deliver(b, &second)
	var want []string
	work := func(l *pgledger.Ledger) {
		for range 15 {
			d := guardtest.Denied()
			require.NoError(t, l.Admit(t.Context(), d))
			want = append(want, d.ID)
		}
	}
	work(a)
	work(b)
	for len(first.GetSpans()) < 30 { // what a replica has not heard of yet, no flush waits for
		require.NoError(t, pgledger.Refresh(t.Context(), a))
		require.NoError(t, da.ForceFlush(t.Context()))
	}
	require.NoError(t, db.ForceFlush(t.Context()))
	assert.Len(t, first.GetSpans(), 30)
	assert.Empty(t, second.GetSpans(), "it stands by")
	require.NoError(t, da.Healthy())
	require.NoError(t, db.Healthy())

	delivered := spansOf(first.GetSpans()) // a shutdown forgets them
	require.NoError(t, da.Shutdown(t.Context()))
	work(b)
	for len(second.GetSpans()) < 15 {
		require.NoError(t, db.ForceFlush(t.Context()))
	}
	assert.Len(t, second.GetSpans(), 15, "none of the first again")
	delivered = append(delivered, spansOf(second.GetSpans())...)
	assert.ElementsMatch(t, want, delivered)
}

func spansOf(spans tracetest.SpanStubs) (ids []string) {
	for _, s := range spans {
		for _, a := range s.Attributes {
			if a.Key == otelx.DecisionID {
				ids = append(ids, a.Value.AsString())
			}
		}
	}
	return ids
}

func TestFollower(t *testing.T) {
	url := migrated(t, server(t))
	l, other := open(t, url), open(t, url)
	f := l.Follow("otlp")
	require.Error(t, f.Keep(journal.Place{}), "it has not begun")
	place, err := f.Begin()
	require.NoError(t, err)
	require.Zero(t, place)
	_, err = f.Begin()
	require.ErrorContains(t, err, "followed already")
	_, err = l.Follow("Not a name").Begin()
	require.Error(t, err)

	d := guardtest.Allowed()
	require.NoError(t, l.Admit(t.Context(), d))
	require.NoError(t, l.Complete(t.Context(), guardtest.OutcomeOf(d)))
	require.NoError(t, f.Wait(t.Context(), 1))
	entries := collect(t, f, rationale.Head{})
	require.Len(t, entries, 2)
	assert.Equal(t, d.ID, entries[0].Record.RecordID())
	assert.Equal(t, entries[0].Hash, entries[1].Envelope.Prev)
	head := rationale.Head{Journal: entries[0].Envelope.Journal, Seq: 1, Hash: entries[0].Hash}
	assert.Equal(t, entries[1:], collect(t, f, head))
	for name, head := range map[string]rationale.Head{
		"another hash":    {Journal: head.Journal, Seq: 1, Hash: entries[1].Hash},
		"another journal": {Journal: "j", Seq: 1, Hash: head.Hash},
		"not there":       {Journal: head.Journal, Seq: 7, Hash: head.Hash},
	} {
		for _, err := range f.After(head) {
			require.ErrorIs(t, err, journal.ErrStray, name)
		}
	}
	found, err := f.Decisions(d.ID, "unknown")
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, d.ID, found[d.ID].ID)

	require.NoError(t, f.Reject([]byte(`{"n":1}`)))
	require.NoError(t, f.Reject([]byte(`{"n":2}`)))
	lines, err := f.Rejected()
	require.NoError(t, err)
	assert.Equal(t, []string{`{"n":1}`, `{"n":2}`}, texts(lines))

	standby := other.Follow("otlp")
	_, err = standby.Begin()
	require.NoError(t, err)
	assert.Zero(t, standby.Head())
	require.NoError(t, standby.Reject([]byte(`{"n":3}`)))
	require.NoError(t, f.SetRejected(lines[1:]))
	lines, err = f.Rejected()
	require.NoError(t, err)
	assert.Equal(t, []string{`{"n":3}`, `{"n":2}`}, texts(lines), "what was not returned is not replaced")

	require.NoError(t, standby.Keep(journal.Place{Head: rationale.Head{Seq: 99}}), "it is not its to keep")
	kept := journal.Place{Head: head}
	require.NoError(t, f.Keep(kept))
	tag, err := connect(t, url).Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
	require.NoError(t, err)
	require.EqualValues(t, 1, tag.RowsAffected())
	require.NoError(t, standby.Wait(t.Context(), 1))
	place, moved := standby.Resumed()
	assert.True(t, moved)
	assert.Equal(t, kept, place)
	_, moved = standby.Resumed()
	assert.False(t, moved, "it is said once")
	assert.EqualValues(t, 2, standby.Head().Seq)
	err = f.Keep(journal.Place{})
	for err != nil { // the first call finds its connection gone
		err = f.Keep(journal.Place{})
	}
	require.NoError(t, standby.Close())
	place, err = l.Follow("otlp").Begin()
	require.NoError(t, err)
	assert.Equal(t, kept, place)
}

func collect(t testing.TB, f *pgledger.Follower, behind rationale.Head) (all []journal.Entry) {
	t.Helper()
	for e, err := range f.After(behind) {
		require.NoError(t, err)
		all = append(all, e)
	}
	return all
}

func texts(lines [][]byte) (all []string) {
	for _, line := range lines {
		all = append(all, string(line))
	}
	return all
}

// What nothing needs goes: neither what is not delivered, nor what an open decision refers to.
func TestRetire(t *testing.T) {
	url := migrated(t, server(t))
	l := open(t, url, pgledger.WithSnapshotEvery(10))
	f := l.Follow("otlp")
	_, err := f.Begin()
	require.NoError(t, err)
	retire := func() int64 {
		n, err := l.Retire(t.Context(), time.Now().Add(time.Hour))
		require.NoError(t, err)
		return n
	}
	denied := func(n int) {
		for range n {
			require.NoError(t, l.Admit(t.Context(), guardtest.Denied()))
		}
	}
	denied(3)
	open := guardtest.Allowed()
	require.NoError(t, l.Admit(t.Context(), open))
	denied(20)
	assert.Zero(t, retire(), "nothing is delivered")
	entries := collect(t, f, rationale.Head{})
	last := entries[len(entries)-1]
	require.NoError(t, f.Keep(journal.Place{Head: rationale.Head{Journal: last.Envelope.Journal, Seq: last.Envelope.Seq, Hash: last.Hash}}))
	n, err := l.Retire(t.Context(), time.Now().Add(-time.Hour))
	require.NoError(t, err)
	assert.Zero(t, n, "it is not old enough")
	assert.EqualValues(t, 3, retire(), "a decision is open")
	require.NoError(t, l.Complete(t.Context(), guardtest.OutcomeOf(open)))
	assert.EqualValues(t, 18, retire(), "up to the snapshot")
	assert.Zero(t, retire())

	var read []journal.Entry
	for e, err := range pgledger.Read(t.Context(), connect(t, url)) {
		require.NoError(t, err)
		read = append(read, e)
	}
	assert.Equal(t, rationale.KindSnapshot, read[0].Record.RecordKind())
	events := slices.DeleteFunc(read, func(e journal.Entry) bool {
		l, ok := e.Record.(*rationale.Lifecycle)
		return !ok || l.Event != rationale.EventRetired
	})
	require.Len(t, events, 2)
	assert.EqualValues(t, 3, events[0].Record.(*rationale.Lifecycle).Previous.Seq)
}
