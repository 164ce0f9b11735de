package ledger

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// admission is the step that a draft makes.
type admission struct {
	*Memory
	d      *rationale.Decision
	mode   rationale.Mode // of the draft: what denies even in Observe mode ends it
	oldest string         // the decision that has to make room, claimed; empty: none
	asked  time.Time      // when, on a shared log
	recs   [2]rationale.Record
}

// take judges and concludes the draft, and takes what it needs before it is
// recorded.
func (a *admission) take() (recs []rationale.Record, _ bool, err error) {
	d := a.d
	a.mu.Lock()
	defer a.mu.Unlock()
	d.Mode = a.mode // on a shared log, the state may be another than the time before
	now, err := a.countedAt()
	if err != nil {
		return nil, false, err
	}
	if err := a.judge(d, now); err != nil {
		return nil, false, err
	}
	rationale.Conclude(d)
	recs = append(a.recs[:0], d)
	if d.Verdict == rationale.Allow {
		if a.shared != nil {
			d.Lease = d.Terms.LeaseFrom(now) // any process may have to conclude it
		}
		if a.oldest, err = a.reserve(d); err != nil {
			return nil, false, err
		}
		if a.oldest != "" {
			recs = append(recs, lost(a.oldest, d.At, "no_outcome"))
		}
	}
	if d.Takes() {
		a.budgets.reserve(d)
	}
	a.takeTicket(d)
	return recs, expendable(d), nil
}

// expendable reports whether a decision may be lost with the machine.
func expendable(d *rationale.Decision) bool {
	return d.Terms.Durability == rationale.DurabilityOS &&
		d.Spend == nil && d.Limits == nil && d.Ticket == nil && d.Review == nil && d.Approval == ""
}

// judge adds the checks that only the ledger can make. A draft that is admitted
// again, since its record failed, is judged again.
func (m *Memory) judge(d *rationale.Decision, now time.Time) error {
	d.Approval, d.Terms.ApprovedBy = "", nil
	d.Checks = slices.DeleteFunc(d.Checks, func(c rationale.Check) bool {
		switch c.Kind {
		case rationale.CheckSuspended, rationale.CheckWindow, rationale.CheckRate, rationale.CheckBrake, rationale.CheckApproval:
			return true
		}
		return false
	})
	d.Terms.Repeated = m.given.repeats(d)
	m.suspensions.deny(d)
	if err := m.checkLimits(d, now); err != nil {
		return err
	}
	m.reviews.brake(d, m.later(now))
	m.audits.brake(d, m.later(now))
	if d.Parent != "" {
		m.present(d, m.later(now))
	}
	return nil
}

// reserve makes room for an allowed decision.
func (m *Memory) reserve(d *rationale.Decision) (oldest string, err error) {
	switch {
	case m.open.get(d.ID) != nil:
		return "", fmt.Errorf("ledger: decision %s is open already", d.ID)
	case m.adrift[d.ID]: // if it shows up, it did not run
		return "", fmt.Errorf("ledger: decision %s may have been admitted before", d.ID)
	}
	if m.open.len() >= maxOpen {
		first := m.open.first()
		if first.claimed {
			return "", errors.New("ledger: too many decisions are open")
		}
		first.claimed = true
		oldest = first.id
	}
	// Claimed: nobody completes it before it is recorded.
	m.open.add(deadline{id: d.ID, at: m.expected(d), expendable: expendable(d), reserved: true, claimed: true})
	return oldest, nil
}

// undo gives back what a draft took that was not recorded. Where that is not
// certain, the decision was denied all the same, and gets its outcome once it shows
// up.
func (a *admission) undo(uncertain bool) {
	d := a.d
	a.mu.Lock()
	defer a.mu.Unlock()
	if !uncertain {
		a.returnTicket(d)
	}
	if d.Verdict != rationale.Allow {
		return
	}
	if e := a.open.get(d.ID); uncertain && (e == nil || !e.claimed) {
		a.strays = append(a.strays, d.ID) // it was recorded just now
		return
	}
	a.open.remove(d.ID)
	a.budgets.withdraw(d.ID) // the call is denied, whatever the disk has
	if !uncertain {
		delete(a.adrift, d.ID)
		a.unclaim(a.oldest)
		return
	}
	if len(a.adrift) >= maxAdrift {
		clear(a.adrift) // each is then unknown at the next start
	}
	a.adrift[d.ID] = true
}

// takeStrays claims the decisions that were denied and are recorded all the same.
func (m *Memory) takeStrays() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var taken []string
	for _, id := range m.strays {
		if e := m.open.get(id); e != nil && !e.claimed {
			e.claimed = true
			taken = append(taken, id)
		}
	}
	m.strays = nil
	return taken
}

func (m *Memory) returnStrays(ids []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		m.unclaim(id)
	}
	m.strays = append(m.strays, ids...)
}

func (m *Memory) unclaim(id string) {
	if e := m.open.get(id); e != nil {
		e.claimed = false
	}
}
