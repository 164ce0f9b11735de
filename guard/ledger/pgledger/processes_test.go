package pgledger_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger/pgledger"
	"github.com/ambit-go/ambit/rationale"
)

// Eight processes with eight goroutines each take of one window, while the server is killed and started again.
// What they were told was admitted never exceeds the limit, and nearly all of it is used in the end.
func TestProcessesHammerAWindow(t *testing.T) {
	const processes, goroutines, limit = 8, 8, 2000
	s := ownServer(t)
	url := migrated(t, s)
	all := make([]*process, processes)
	for i := range all {
		all[i] = begin(t, work{URL: url, Goroutines: goroutines, Amount: "1", Limit: fmt.Sprint(limit)})
	}
	merged := make(chan told)
	for _, p := range all {
		p.order(t, "go")
		go func() {
			for line := range p.lines {
				merged <- line
			}
			merged <- told{Error: "a worker ended by itself", Finished: true}
		}()
	}
	allowed := make(map[string]bool)
	killed, failed := 0, 0
	for left := processes; left > 0; {
		line := <-merged
		for _, id := range line.Allowed {
			require.False(t, allowed[id])
			allowed[id] = true
		}
		if line.Error != "" {
			failed++
		}
		if line.Finished {
			require.Empty(t, line.Error)
			left--
		}
		if killed == 0 && len(allowed) >= limit/2 {
			killed = len(allowed)
			require.NoError(t, s.Kill())
			require.NoError(t, s.Start(t.Context()))
		}
	}
	share := float64(killed) / limit
	assert.True(t, share >= 0.3 && share <= 0.7, "the server was killed at %v of the use", share)
	assert.Positive(t, failed, "the kill was noticed")
	assert.LessOrEqual(t, len(allowed), limit)
	assert.GreaterOrEqual(t, len(allowed), limit*99/100)
	checkWindow(t, url, allowed, limit)
}

// checkWindow checks that what is recorded is what the processes were told.
func checkWindow(t *testing.T, url string, allowed map[string]bool, limit int) {
	t.Helper()
	recordedAllowed, ended := make(map[string]bool), make(map[string]rationale.Status)
	for _, rec := range recorded(t, url) {
		switch r := rec.(type) {
		case *rationale.Decision:
			if r.Verdict == rationale.Allow {
				recordedAllowed[r.ID] = true
			}
		case *rationale.Outcome:
			ended[r.Decision] = r.Status
		}
	}
	for id := range allowed {
		assert.True(t, recordedAllowed[id], "decision %s was admitted, and is not recorded", id)
		assert.Empty(t, ended[id])
	}
	for id := range recordedAllowed {
		if !allowed[id] {
			assert.Equal(t, rationale.StatusNotExecuted, ended[id], "decision %s was denied for want of an answer", id)
		}
	}
	l := open(t, url)
	budgets := l.Budgets(time.Now())
	require.Len(t, budgets, 1)
	assert.Equal(t, fmt.Sprint(len(allowed)), budgets[0].Reserved, "no reservation without its decision")
	assert.LessOrEqual(t, len(allowed), limit)
}

// Of 64 in several processes who present one approval, one is let through.
func TestProcessesRaceForAnApproval(t *testing.T) {
	const processes, goroutines = 4, 16
	rounds := 200
	if testing.Short() {
		rounds = 20
	}
	url := migrated(t, server(t))
	l := open(t, url)
	all := make([]*process, processes)
	for i := range all {
		all[i] = begin(t, work{URL: url, Goroutines: goroutines, Ticket: &rationale.Decision{}})
	}
	for range rounds {
		d := guardtest.Pending()
		d.ActionDigest = rationale.Digest([]byte(d.ID))
		require.NoError(t, l.Admit(t.Context(), d))
		require.NoError(t, l.Answer(t.Context(), &rationale.Approval{
			Ticket: d.ID, By: rationale.Person{ID: "sam", Groups: []string{"oncall"}}, Answer: rationale.AnswerApprove, Why: "seen",
		}))
		for _, p := range all {
			p.order(t, d.ID)
		}
		winners := 0
		for _, p := range all {
			for line := range p.lines {
				require.Empty(t, line.Error)
				winners += len(line.Allowed)
				if line.Finished {
					break
				}
			}
		}
		require.Equal(t, 1, winners)
	}
}

// A person answers in another process than the one that asks.
func TestAnotherProcessApproves(t *testing.T) {
	url := migrated(t, server(t))
	l := open(t, url)
	d := guardtest.Pending()
	d.ActionDigest = rationale.Digest([]byte(d.ID))
	require.NoError(t, l.Admit(t.Context(), d))
	present := func() rationale.Verdict {
		use := guardtest.Pending()
		use.ActionDigest, use.Parent = d.ActionDigest, d.ID
		require.NoError(t, l.Admit(t.Context(), use))
		return use.Verdict
	}
	require.Equal(t, rationale.Deny, present())
	for _, answer := range []struct {
		by     rationale.Person
		counts bool
	}{{rationale.Person{ID: "eve", Groups: []string{"other"}}, false}, {rationale.Person{ID: "sam", Groups: []string{"oncall"}}, true}} {
		p := begin(t, work{URL: url, Approve: &answer.by})
		p.order(t, d.ID)
		line := <-p.lines
		assert.Equal(t, answer.counts, line.Error == "", line.Error)
		if !line.Finished {
			line = <-p.lines
		}
		require.True(t, line.Finished)
	}
	assert.Equal(t, rationale.Allow, present())
	assert.Equal(t, rationale.Deny, present())
}

// A process that is killed between any two statements leaves its decision and its reservation, or neither,
// and holds nobody up. Its decision ends as unknown.
func TestAProcessKilledBetweenStatements(t *testing.T) {
	for _, inTurn := range []bool{false, true} {
		for _, way := range []direction{toServer, toClient} {
			t.Run(fmt.Sprintf("in turn %t, %s", inTurn, way), func(t *testing.T) {
				s := server(t)
				url := migrated(t, s)
				proxy, through := newProxy(t, s, url)
				other := open(t, url)
				left, taken, rounds := 0, 0, 0
				for messages := 0; ; messages++ {
					d := spending("60")
					p := begin(t, work{URL: through, InTurn: inTurn, One: d})
					proxy.arm(way, true, messages, func() { _ = p.cmd.Process.Kill() })
					p.order(t, d.ID)
					finished := false
					for line := range p.lines {
						require.Empty(t, line.Error)
						if finished = line.Finished; finished {
							break
						}
					}
					if cut := proxy.heal(); finished && !cut {
						if rounds++; way == toServer || taken > 0 || rounds == maxRounds {
							break
						}
						require.True(t, checkKilled(t, url, other, d.ID))
						messages = -1
						continue
					}
					deadline, cancel := context.WithTimeout(t.Context(), 2*time.Second)
					require.NoError(t, other.Admit(deadline, guardtest.Denied()), "nobody is held up")
					cancel()
					if found := checkKilled(t, url, other, d.ID); found {
						taken++
					} else {
						left++
					}
				}
				assert.Positive(t, left, "killed before the commit")
				if way == toClient {
					assert.Positive(t, taken, "killed after the commit")
				}
			})
		}
	}
}

// checkKilled checks what a process left behind, and reports whether its decision is recorded.
func checkKilled(t *testing.T, url string, other *pgledger.Ledger, id string) (found bool) {
	t.Helper()
	require.NoError(t, other.Admit(t.Context(), guardtest.Denied()))
	status := rationale.Status("")
	for _, rec := range recorded(t, url) {
		switch r := rec.(type) {
		case *rationale.Decision:
			found = found || r.ID == id
		case *rationale.Outcome:
			if r.Decision == id {
				require.Empty(t, status)
				status = r.Status
				require.Equal(t, "no_outcome", r.ErrorType)
			}
		}
	}
	if !found {
		require.Empty(t, status)
		require.Empty(t, other.Held(time.Now()))
		return false
	}
	require.Equal(t, rationale.StatusUnknown, status)
	held := other.Held(time.Now())
	require.Len(t, held, 1)
	require.NoError(t, other.Settle(t.Context(), &rationale.Settlement{
		ID: rationale.NewID(time.Now()), At: time.Now(), Decision: id, Status: rationale.StatusNotExecuted, By: "kim", Why: "the tool's own log",
	}))
	return true
}
