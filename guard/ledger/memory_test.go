package ledger_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

var (
	_ guard.Ledger    = (*ledger.Memory)(nil)
	_ ledger.Recorder = (*journal.Journal)(nil)
	_ ledger.Recorder = (*guardtest.Recorder)(nil)
)

func TestMemory(t *testing.T) {
	guardtest.TestLedger(t, func(*testing.T) guardtest.LedgerUnderTest {
		var recorder guardtest.Recorder
		return guardtest.LedgerUnderTest{
			Ledger: ledger.New(&recorder), Records: recorder.Records, Fail: recorder.Fail,
		}
	})
}

// recorderFunc is a Recorder.
type recorderFunc func(context.Context, ...rationale.Record) error

func (f recorderFunc) Append(ctx context.Context, recs ...rationale.Record) error {
	return f(ctx, recs...)
}

func TestZeroMemoryAdmitsNothing(t *testing.T) {
	var m ledger.Memory
	assert.Error(t, m.Admit(t.Context(), guardtest.Allowed()))
	assert.Error(t, m.Admit(t.Context(), guardtest.Denied()))
	assert.ErrorIs(t, m.Complete(t.Context(), guardtest.OutcomeOf(guardtest.Allowed())), ledger.ErrNotOpen)
	assert.Error(t, m.Record(t.Context(), &rationale.Lifecycle{}))
	assert.Zero(t, m.Status(time.Now()))
	assert.Error(t, ledger.New(nil).Admit(t.Context(), guardtest.Allowed()))
}

func TestPanickingRecorderAdmitsNothing(t *testing.T) {
	broken := true
	m := ledger.New(recorderFunc(func(context.Context, ...rationale.Record) error {
		if broken {
			panic("disk gone")
		}
		return nil
	}))
	d := guardtest.Allowed()
	require.ErrorContains(t, m.Admit(t.Context(), d), "disk gone")
	assert.Zero(t, m.Status(d.At))

	broken = false
	require.NoError(t, m.Admit(t.Context(), d))
	broken = true
	require.ErrorContains(t, m.Complete(t.Context(), guardtest.OutcomeOf(d)), "disk gone")
	broken = false
	assert.NoError(t, m.Complete(t.Context(), guardtest.OutcomeOf(d)), "the outcome is still expected")
}

func TestNoOutcomeBeforeTheDecisionIsRecorded(t *testing.T) {
	var (
		m     *ledger.Memory
		early error
	)
	d := guardtest.Allowed()
	m = ledger.New(recorderFunc(func(ctx context.Context, recs ...rationale.Record) error {
		if recs[0].RecordKind() == rationale.KindDecision {
			early = m.Complete(ctx, guardtest.OutcomeOf(d))
		}
		return nil
	}))
	require.NoError(t, m.Admit(t.Context(), d))
	assert.ErrorIs(t, early, ledger.ErrNotOpen)
	assert.NoError(t, m.Complete(t.Context(), guardtest.OutcomeOf(d)))
}

func TestOpenDecisionIsNotAdmittedAgain(t *testing.T) {
	var recorder guardtest.Recorder
	m := ledger.New(&recorder)
	d := guardtest.Allowed()
	require.NoError(t, m.Admit(t.Context(), d))
	require.Error(t, m.Admit(t.Context(), d))
	assert.Len(t, recorder.Records(), 1)
	assert.NoError(t, m.Complete(t.Context(), guardtest.OutcomeOf(d)), "the first one is still open")
}

func TestStatus(t *testing.T) {
	m := ledger.New(&guardtest.Recorder{})
	reviewed := func() *rationale.Decision {
		d := guardtest.Allowed()
		d.BaseTier = classify.BoundedEscalation
		d.Terms.ReviewBy, d.Terms.ReviewWithin = []string{"group:risk"}, 48*time.Hour
		return d
	}
	first, second, pending := reviewed(), reviewed(), guardtest.Pending()
	for _, d := range []*rationale.Decision{first, second, pending} {
		require.NoError(t, m.Admit(t.Context(), d))
	}
	now := pending.At
	assert.Equal(t, ledger.Status{Open: 2, Pending: 1, Owed: 2}, m.Status(now))

	done := guardtest.OutcomeOf(first)
	require.NoError(t, m.Complete(t.Context(), done))
	assert.Equal(t, ledger.Status{Open: 1, Pending: 1, Owed: 2}, m.Status(now), "an executed action keeps its review")

	skipped := guardtest.OutcomeOf(second)
	skipped.Status = rationale.StatusNotExecuted
	require.NoError(t, m.Complete(t.Context(), skipped))
	assert.Equal(t, ledger.Status{Pending: 1, Owed: 1}, m.Status(now), "what did not happen needs no review")

	assert.Equal(t, ledger.Status{Owed: 1}, m.Status(now.Add(time.Hour)), "tickets expire")
	assert.Equal(t, ledger.Status{Owed: 1, Overdue: 1}, m.Status(now.Add(49*time.Hour)))
}

// TestBoundedMemory pins the limits that Memory documents.
func TestBoundedMemory(t *testing.T) {
	const limit = 65536
	var (
		mu       sync.Mutex
		outcomes []*rationale.Outcome
		failing  bool

		meanwhile = func() {} // while a record is on its way to the disk
	)
	m := ledger.New(recorderFunc(func(_ context.Context, recs ...rationale.Record) error {
		meanwhile()
		mu.Lock()
		defer mu.Unlock()
		if failing {
			return errors.New("disk full")
		}
		for _, rec := range recs {
			if o, ok := rec.(*rationale.Outcome); ok {
				outcomes = append(outcomes, o)
			}
		}
		return nil
	}))
	oldest := guardtest.Allowed()
	oldest.At = oldest.At.Add(-time.Minute)
	require.NoError(t, m.Admit(t.Context(), oldest))
	for range limit - 1 {
		require.NoError(t, m.Admit(t.Context(), guardtest.Allowed()))
	}
	const tickets = 16384
	for range tickets + 1 {
		require.NoError(t, m.Admit(t.Context(), guardtest.Pending()))
	}
	assert.Equal(t, ledger.Status{Open: limit, Pending: tickets}, m.Status(oldest.At))
	require.Empty(t, outcomes)

	failing = true
	require.Error(t, m.Admit(t.Context(), guardtest.Allowed()))
	failing = false
	assert.Equal(t, limit, m.Status(oldest.At).Open, "a failed step changes nothing")

	meanwhile = func() {
		meanwhile = func() {}
		assert.Error(t, m.Admit(t.Context(), guardtest.Allowed()), "the oldest makes room for one alone")
		assert.ErrorIs(t, m.Complete(t.Context(), guardtest.OutcomeOf(oldest)), ledger.ErrNotOpen)
	}
	require.NoError(t, m.Admit(t.Context(), guardtest.Allowed()))
	assert.Equal(t, limit, m.Status(oldest.At).Open)
	require.Len(t, outcomes, 1)
	assert.Equal(t, oldest.ID, outcomes[0].Decision)
	assert.Equal(t, rationale.StatusUnknown, outcomes[0].Status)
	assert.ErrorIs(t, m.Complete(t.Context(), guardtest.OutcomeOf(oldest)), ledger.ErrNotOpen)
}
