package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// Shared is a log of records that several processes share, in one order. Each has a
// [Memory] on it, whose state it keeps up to date, so that all decide on the same
// state, by the same rules. It is implemented with a database, and safe for
// concurrent use.
type Shared interface {
	// Commit makes one step. It gives the state what others have appended, in
	// order and each record once, calls Take, and appends the records in one atomic
	// and durable step, provided that nobody else has appended since; otherwise it
	// calls Undo with false, and begins again. Then it gives the state the step's
	// own records. A step without records appends nothing.
	//
	// Several steps may be taken one after another and appended together; they are
	// undone in reverse. Take, Undo and the state's methods are called one at a time.
	// Any error is returned, the state then is as without the step, and so is the
	// log, unless the error is [journal.ErrUncertain]: nobody knows then, Undo was
	// called with true, and either the state is given the records, or Undo is called
	// with false, once that is known.
	Commit(ctx context.Context, s Step) error
	// Now returns the time by the log's clock, as far as it is known, and never a
	// later one. It does not wait for a step. The zero time says that it is not known.
	Now() time.Time
}

// Step is one change of a ledger on a [Shared] log.
type Step struct {
	// Take decides on the state as it is, at a time by the log's clock, and returns
	// the records to append. With an error the step is over, and nothing was taken.
	Take func(now time.Time) ([]rationale.Record, error)
	// Undo gives back what Take took.
	Undo func(uncertain bool)
}

// maxSkew is how far the clock of a process may be from that of a shared log.
const maxSkew = 10 * time.Second

// maxLate bounds the outcomes of others that one step records.
const maxLate = 64

// Share returns a ledger on a shared log, and its state, which the log restores from
// a snapshot and gives every record. It rests on the log's clock: windows, tickets,
// reviews and leases run by it, and a draft of a process whose own clock is
// more than 10 s away is an error.
//
// The outcome of an allowed decision that does not come within its lease becomes
// unknown, recorded by whichever process makes the next step ([Memory.Expire]): the
// one that had it may have ended.
func Share(log Shared) (*Memory, journal.State) {
	m := newMemory()
	m.shared = log
	return m, projection{m}
}

// share makes a step on the shared log.
func (m *Memory) share(ctx context.Context, s step) error {
	var strays, late []string
	defer func() { m.notify(m.shared.Now()) }()
	return m.shared.Commit(ctx, Step{
		Take: func(now time.Time) ([]rationale.Record, error) {
			m.advance(now)
			strays = m.takeStrays()
			recs, _, err := s.take()
			if err != nil {
				m.returnStrays(strays)
				return nil, err
			}
			late = m.takeLate()
			recs = append(recs, notExecuted(strays, now)...)
			for _, id := range late {
				recs = append(recs, lost(id, now, "no_outcome"))
			}
			return recs, nil
		},
		Undo: func(uncertain bool) {
			if !uncertain {
				m.returnClaims(late)
				m.returnStrays(strays)
			}
			s.undo(uncertain)
		},
	})
}

// Expire records the outcome unknown of decisions whose outcome did not come within
// their lease, on a shared log; on any other it does nothing. Every step does so
// too; call it where nothing else happens. The errors are those of the log.
func (m *Memory) Expire(ctx context.Context) error {
	if m.shared == nil {
		return nil
	}
	m.tick()
	m.mu.Lock()
	due := len(m.strays) > 0
	for e := range m.open.until(m.latest.Add(-1)) {
		due = due || !e.claimed
	}
	m.mu.Unlock()
	if !due {
		return nil
	}
	return m.commit(ctx, asIs(nil))
}

// takeLate claims open decisions whose lease has passed.
func (m *Memory) takeLate() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var taken []string
	for e := range m.open.until(m.latest.Add(-1)) {
		if len(taken) == maxLate {
			break
		}
		if !e.claimed {
			e.claimed = true
			taken = append(taken, e.id)
		}
	}
	return taken
}

func (m *Memory) returnClaims(ids []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		m.unclaim(id)
	}
}

// tick takes over the time by the shared log, where there is one.
func (m *Memory) tick() {
	if m.shared != nil {
		m.advance(m.shared.Now())
	}
}

// advance sets the time of the shared log. It never goes back.
func (m *Memory) advance(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.After(m.latest) {
		m.latest = now
	}
}

// countedAt returns when a draft is held against what depends on the time: by its
// own clock, or by that of the shared log, from which the process's own must not be far.
func (a *admission) countedAt() (time.Time, error) {
	if a.shared == nil {
		return a.d.At, nil
	}
	clock := a.d.Terms.Clock
	if clock.IsZero() {
		clock = a.d.At
	}
	if skew := clock.Add(time.Since(a.asked)).Sub(a.latest); skew.Abs() > maxSkew {
		return time.Time{}, fmt.Errorf("ledger: this process's clock is %s away from that of the shared log, which says %s: set the clock",
			skew.Round(time.Second), a.latest.UTC().Format(time.RFC3339Nano))
	}
	return a.latest, nil
}

// expected is the time by which open decisions are in order: on a shared log that by
// which the outcome is expected, and otherwise the decision's own.
func (m *Memory) expected(d *rationale.Decision) time.Time {
	if m.shared == nil {
		return d.At
	}
	return leased(d)
}

// leased is until when the outcome of a decision is expected.
func leased(d *rationale.Decision) time.Time {
	if !d.Lease.IsZero() {
		return d.Lease
	}
	return d.Terms.LeaseFrom(d.At)
}

// asOf is the time that something is asked for: now, on a shared log.
func (m *Memory) asOf(at time.Time) time.Time {
	if m.shared != nil {
		return m.latest
	}
	return at
}
