package guardtest

import (
	"context"
	"errors"
	"fmt"
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

// LedgerUnderTest is a ledger, and how a test looks behind it.
type LedgerUnderTest struct {
	Ledger  guard.Ledger
	Records func() []rationale.Record // what is durable, in order
	// Fail makes what the ledger records with fail, until it is called with
	// nil. It may not be nil: what a ledger does then is what counts.
	Fail func(err error)
}

// TestLedger tests that a ledger keeps the contract of guard.Ledger. newLedger
// returns a fresh one each time.
func TestLedger(t *testing.T, newLedger func(t *testing.T) LedgerUnderTest) {
	t.Run("records each verdict before it returns", func(t *testing.T) {
		l := newLedger(t)
		for i, d := range []*rationale.Decision{Allowed(), Denied(), Pending()} {
			want := d.Verdict
			require.NoError(t, l.Ledger.Admit(t.Context(), d))
			recs := l.Records()
			require.Len(t, recs, i+1)
			recorded := recs[i].(*rationale.Decision)
			assert.Equal(t, d.ID, recorded.ID)
			assert.Equal(t, want, recorded.Verdict)
			assert.Equal(t, want, d.Verdict)
		}
	})
	t.Run("concludes from the checks, whatever the draft says", func(t *testing.T) {
		l := newLedger(t)
		d := Allowed()
		d.Checks = append(d.Checks, rationale.Check{Kind: rationale.CheckBound, ID: "bounds[0]", Result: rationale.Failed, Reason: rationale.BoundViolated})
		d.Verdict = rationale.Allow
		require.NoError(t, l.Ledger.Admit(t.Context(), d))
		assert.Equal(t, rationale.Deny, d.Verdict)
		assert.Equal(t, rationale.Deny, l.Records()[0].(*rationale.Decision).Verdict)
		assert.Error(t, l.Ledger.Complete(t.Context(), OutcomeOf(d)))
	})
	t.Run("refuses a draft without an id", func(t *testing.T) {
		l := newLedger(t)
		d := Allowed()
		d.ID = ""
		assert.Error(t, l.Ledger.Admit(t.Context(), d))
		assert.Error(t, l.Ledger.Admit(t.Context(), nil))
		assert.Empty(t, l.Records())
	})
	t.Run("takes one outcome for an allowed decision", func(t *testing.T) {
		l := newLedger(t)
		d := Allowed()
		require.NoError(t, l.Ledger.Admit(t.Context(), d))
		require.NoError(t, l.Ledger.Complete(t.Context(), OutcomeOf(d)))
		assert.Error(t, l.Ledger.Complete(t.Context(), OutcomeOf(d)))
		assert.Len(t, l.Records(), 2)
	})
	t.Run("takes no outcome for any other decision", func(t *testing.T) {
		l := newLedger(t)
		for _, d := range []*rationale.Decision{Denied(), Pending()} {
			require.NoError(t, l.Ledger.Admit(t.Context(), d))
			assert.Error(t, l.Ledger.Complete(t.Context(), OutcomeOf(d)))
		}
		assert.Error(t, l.Ledger.Complete(t.Context(), OutcomeOf(Allowed())), "never admitted")
		assert.Error(t, l.Ledger.Complete(t.Context(), &rationale.Outcome{}))
		assert.Error(t, l.Ledger.Complete(t.Context(), nil))
		assert.Len(t, l.Records(), 2)
	})
	t.Run("records lifecycle records in order", func(t *testing.T) {
		l := newLedger(t)
		now := time.Now()
		a := &rationale.Lifecycle{ID: rationale.NewID(now), At: now, Event: rationale.EventLoaded, Bytes: []byte("a: 1\r\n\x00")}
		b := &rationale.Lifecycle{ID: rationale.NewID(now), At: now, Event: rationale.EventRevoked}
		require.NoError(t, l.Ledger.Record(t.Context(), a, b))
		recs := l.Records()
		require.Len(t, recs, 2)
		assert.Equal(t, a.Bytes, recs[0].(*rationale.Lifecycle).Bytes)
		assert.Equal(t, b.ID, recs[1].RecordID())
	})
	t.Run("remembers what was loaded", func(t *testing.T) { testRemembering(t, newLedger(t)) })
	t.Run("admits nothing that it cannot record", func(t *testing.T) { testFailingLedger(t, newLedger(t)) })
	t.Run("one outcome wins among many", func(t *testing.T) { testRacingOutcomes(t, newLedger(t)) })
	t.Run("keeps every record under concurrency", func(t *testing.T) { testBusyLedger(t, newLedger(t)) })
}

// testRemembering tests a ledger that is a guard.RememberingLedger.
func testRemembering(t *testing.T, l LedgerUnderTest) {
	remembers, ok := l.Ledger.(guard.RememberingLedger)
	if !ok {
		return
	}
	now := Now()
	revoked := &rationale.Lifecycle{
		ID: rationale.NewID(now), At: now, Event: rationale.EventRevoked, Agent: rationale.Agent{ID: AgentID, Environment: Environment},
		Document: "halt.yaml", Digest: rationale.Digest([]byte("halt")), Bytes: []byte("halt"), Signature: []byte("signed"),
	}
	version := &rationale.Lifecycle{
		ID: rationale.NewID(now), At: now, Event: rationale.EventLoaded, Agent: revoked.Agent,
		Document: "one.yaml", Digest: rationale.Digest([]byte("one")), Bytes: []byte("one"),
		Authorization: &rationale.AuthorizationRef{ID: "one", Version: 4, GrantedAt: now},
	}
	require.NoError(t, l.Ledger.Record(t.Context(), revoked, version))
	past := remembers.Past(AgentID, Environment)
	require.Len(t, past, 2)
	assert.Equal(t, "one", past[0].Authorization.ID)
	assert.Equal(t, 4, past[0].Authorization.Version)
	assert.True(t, now.Equal(past[0].Authorization.GrantedAt))
	assert.Equal(t, revoked.Bytes, past[1].Bytes)
	assert.Equal(t, revoked.Signature, past[1].Signature)
	assert.Empty(t, remembers.Past("another", Environment))
	assert.Empty(t, remembers.Past(AgentID, "another"))
}

func testFailingLedger(t *testing.T, l LedgerUnderTest) {
	require.NotNil(t, l.Fail, "a ledger has to be tried while it cannot record")
	before, failed := Allowed(), Allowed()
	require.NoError(t, l.Ledger.Admit(t.Context(), before))

	l.Fail(errors.New("disk full"))
	require.Error(t, l.Ledger.Admit(t.Context(), failed))
	require.Error(t, l.Ledger.Complete(t.Context(), OutcomeOf(before)))
	require.Error(t, l.Ledger.Record(t.Context(), &rationale.Lifecycle{ID: "x", At: time.Now()}))

	l.Fail(nil)
	assert.Error(t, l.Ledger.Complete(t.Context(), OutcomeOf(failed)), "it was never admitted")
	assert.NoError(t, l.Ledger.Complete(t.Context(), OutcomeOf(before)), "its outcome was never recorded")
	assert.NoError(t, l.Ledger.Admit(t.Context(), failed), "the same decision can be tried again")
	assert.Len(t, l.Records(), 3)
}

func testRacingOutcomes(t *testing.T, l LedgerUnderTest) {
	d := Allowed()
	require.NoError(t, l.Ledger.Admit(t.Context(), d))
	var (
		won   atomic.Int32
		start = make(chan struct{})
		group sync.WaitGroup
	)
	for range 16 {
		group.Go(func() {
			<-start
			if l.Ledger.Complete(context.Background(), OutcomeOf(d)) == nil {
				won.Add(1)
			}
		})
	}
	close(start)
	group.Wait()
	assert.EqualValues(t, 1, won.Load())
	assert.Len(t, l.Records(), 2)
}

func testBusyLedger(t *testing.T, l LedgerUnderTest) {
	const workers, each = 8, 20
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for range each {
				d := Allowed()
				assert.NoError(t, l.Ledger.Admit(context.Background(), d))
				assert.NoError(t, l.Ledger.Admit(context.Background(), Denied()))
				assert.NoError(t, l.Ledger.Complete(context.Background(), OutcomeOf(d)))
			}
		})
	}
	group.Wait()
	seen := make(map[string]int)
	for _, rec := range l.Records() {
		switch r := rec.(type) {
		case *rationale.Decision:
			seen[fmt.Sprint("decision ", r.Verdict)]++
		case *rationale.Outcome:
			seen["outcome"]++
		}
	}
	assert.Equal(t, map[string]int{
		"decision allow": workers * each, "decision deny": workers * each, "outcome": workers * each,
	}, seen)
}

// Allowed returns a new draft decision that a ledger allows.
func Allowed() *rationale.Decision { return draft(classify.Parameterized, rationale.Passed) }

// Denied returns a new draft decision that a ledger denies.
func Denied() *rationale.Decision { return draft(classify.Parameterized, rationale.Failed) }

// Pending returns a new draft decision that waits for people.
func Pending() *rationale.Decision { return draft(classify.AuthorizationRequired, rationale.Passed) }

func draft(tier classify.Tier, result rationale.CheckResult) *rationale.Decision {
	now := time.Now().UTC()
	d := &rationale.Decision{
		Kind: rationale.KindDecision, ID: rationale.NewID(now), At: now,
		Standing: rationale.StandingActive, Class: "scale", Effect: "write", BaseTier: tier,
		Agent:  rationale.Agent{ID: AgentID, Environment: Environment},
		Tool:   rationale.Tool{Name: "fleet.scale"},
		Checks: []rationale.Check{{Kind: rationale.CheckBound, ID: "bounds[0]", Result: result}},
		Terms:  rationale.Terms{ApproveBy: []string{"group:oncall"}, ApproveQuorum: 1, ApproveWithin: time.Hour},
	}
	if result == rationale.Failed {
		d.Checks[0].Reason = rationale.BoundViolated
	}
	rationale.Conclude(d)
	return d
}

// OutcomeOf returns a new outcome of a decision: success.
func OutcomeOf(d *rationale.Decision) *rationale.Outcome {
	now := time.Now().UTC()
	return &rationale.Outcome{
		Kind: rationale.KindOutcome, ID: rationale.NewID(now), At: now,
		Decision: d.ID, Started: now, Status: rationale.StatusSuccess,
	}
}
