package pgledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger/pgledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// spending returns a draft that takes an amount of a window of 100 EUR in 24 hours.
func spending(amount string) *rationale.Decision {
	d := guardtest.Allowed()
	d.Spend = &rationale.Spend{Currency: "EUR", Amount: amount, Basis: "amount"}
	d.Limits = []rationale.Limit{{Kind: rationale.CheckWindow, ID: "windows[0]", Max: "100", Currency: "EUR", Per: "24h0m0s"}}
	return d
}

// Wherever the connection breaks, before, in and after the one round trip of an admission or the two of one
// that is made in turn: what the caller was told holds. An admission that was denied is not in the log,
// or has the outcome that it did not run; its budget is free either way.
func TestAConnectionLostAtEveryPoint(t *testing.T) {
	for _, mode := range []struct {
		name string
		opts []pgledger.Option
	}{{"at once", nil}, {"in turn", []pgledger.Option{pgledger.WithContention()}}} {
		for _, way := range []direction{toServer, toClient} {
			t.Run(mode.name+", "+way.String(), func(t *testing.T) {
				s := server(t)
				step := map[direction]int{toServer: 17, toClient: 5}[way] // answers are short
				if testing.Short() {
					step = map[direction]int{toServer: 97, toClient: 13}[way]
				}
				denied, landed, rounds := 0, 0, 0
				url := migrated(t, s)
				p, through := newProxy(t, s, url)
				other := open(t, url)
				for units := 0; ; units += step {
					pool := newPool(t, through)
					l, err := pgledger.Open(t.Context(), pool, mode.opts...)
					require.NoError(t, err)
					p.arm(way, false, units, nil)
					d := spending("60")
					err = l.Admit(t.Context(), d)
					cut := p.heal()
					pool.Reset()
					allowed := err == nil
					if allowed {
						require.Equal(t, rationale.Allow, d.Verdict)
						require.NoError(t, l.Complete(t.Context(), free(d)))
					} else {
						denied++
						require.ErrorIs(t, l.Complete(t.Context(), free(d)), errNotOpen)
					}
					require.NoError(t, l.Admit(t.Context(), guardtest.Denied()), "it moves the end of the log")
					require.NoError(t, l.Admit(t.Context(), guardtest.Denied()), "it says what became of the first")
					if recordedAllowed := checkOne(t, url, d.ID, allowed); recordedAllowed && !allowed {
						landed++
					}
					require.NoError(t, pgledger.Refresh(t.Context(), other))
					for _, b := range append(l.Budgets(time.Now()), other.Budgets(time.Now())...) {
						require.Equal(t, "0", b.Reserved)
						require.Equal(t, "0", b.Held)
					}
					require.NoError(t, l.Close())
					pool.Close()
					if allowed && !cut {
						if rounds++; way == toServer || landed > 0 || rounds == maxRounds {
							break
						}
						units = -step
					}
				}
				assert.Positive(t, denied)
				if way == toClient {
					assert.Positive(t, landed, "a commit whose answer was lost")
				}
			})
		}
	}
}

// maxRounds is how often a connection is cut from its first byte to its last until one cut hits an answer: what
// else goes over it, and whether it is new, depends on when the ledger asks what others have appended.
const maxRounds = 8

// free returns the outcome of a call that cost nothing.
func free(d *rationale.Decision) *rationale.Outcome {
	o := guardtest.OutcomeOf(d)
	o.Spent = "0"
	return o
}

// checkOne checks what is recorded of one decision, and reports whether it is recorded.
func checkOne(t testing.TB, url, id string, allowed bool) (found bool) {
	t.Helper()
	var outcomes []*rationale.Outcome
	for _, rec := range recorded(t, url) {
		switch r := rec.(type) {
		case *rationale.Decision:
			if r.ID == id {
				require.False(t, found, "twice")
				found = true
			}
		case *rationale.Outcome:
			if r.Decision == id {
				outcomes = append(outcomes, r)
			}
		}
	}
	switch {
	case !found:
		require.Empty(t, outcomes)
		require.False(t, allowed, "it was admitted, and is not recorded")
	case allowed:
		require.Len(t, outcomes, 1)
		require.Equal(t, rationale.StatusSuccess, outcomes[0].Status)
	default:
		require.Len(t, outcomes, 1, "it was denied, and is recorded as allowed")
		require.Equal(t, rationale.StatusNotExecuted, outcomes[0].Status)
	}
	return found
}

// A replica that stands still while it holds the end of the log is ended by the database; one that waits for the
// end longer than it may is denied, for certain.
func TestAReplicaThatStandsStill(t *testing.T) {
	url := migrated(t, server(t))
	l := open(t, url)
	still := connect(t, url)
	tx, err := still.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "SELECT FROM ambit.hold(0)")
	require.NoError(t, err)
	for range 3 { // the wait of the one and the patience with the other end at the same moment
		if err = l.Admit(t.Context(), spending("100")); err == nil {
			break
		}
		require.ErrorContains(t, err, "lock timeout")
	}
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "SELECT 1")
	require.Error(t, err)
	require.Len(t, recorded(t, url), 1)
}

// An approval that a call presented, of which nobody knows whether it was recorded, serves nobody until that is known:
// then it is used, or it is not.
func TestAnApprovalWhoseUseHasNoAnswer(t *testing.T) {
	for _, way := range []direction{toServer, toClient} {
		t.Run(way.String(), func(t *testing.T) {
			s := server(t)
			url := migrated(t, s)
			p, through := newProxy(t, s, url)
			pool := newPool(t, through)
			l := openOn(t, pool)
			d := guardtest.Pending()
			d.ActionDigest = rationale.Digest([]byte(d.ID))
			require.NoError(t, l.Admit(t.Context(), d))
			require.NoError(t, l.Answer(t.Context(), &rationale.Approval{
				Ticket: d.ID, By: rationale.Person{ID: "sam", Groups: []string{"oncall"}}, Answer: rationale.AnswerApprove, Why: "seen",
			}))
			presents := func() (*rationale.Decision, error) {
				use := guardtest.Pending()
				use.ActionDigest, use.Parent = d.ActionDigest, d.ID
				return use, l.Admit(t.Context(), use)
			}
			var first *rationale.Decision
			for tries := 0; ; tries++ { // the cut may come when it connects
				p.arm(way, false, 0, nil)
				var err error
				first, err = presents()
				require.Error(t, err)
				p.heal()
				pool.Reset()
				if errors.Is(err, journal.ErrUncertain) {
					break
				}
				require.Less(t, tries, 50)
				require.NoError(t, l.Admit(t.Context(), guardtest.Denied())) // which connects
			}

			use, err := presents()
			require.NoError(t, err)
			assert.Equal(t, rationale.Deny, use.Verdict)
			use, err = presents()
			require.NoError(t, err)
			want := rationale.Allow
			if checkOne(t, url, first.ID, false) {
				want = rationale.Deny
			}
			assert.Equal(t, want, use.Verdict)
		})
	}
}
