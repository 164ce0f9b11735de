package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ambit-go/ambit/internal/money"
	"github.com/ambit-go/ambit/rationale"
)

// maxTaken bounds the calls that hold a budget: while so many wait for a
// settlement, nothing more is admitted that would take of a limit.
const maxTaken = 2 * maxOpen

// ErrNotHeld is the error of [Memory.Settle] for a decision that waits for no
// settlement: it is not known, takes of no limit, ended, was settled before, or its
// outcome may still come.
var ErrNotHeld = errors.New("ledger: no settlement is expected for this decision")

// checkLimits adds the checks of what a draft takes of its limits.
func (m *Memory) checkLimits(d *rationale.Decision, now time.Time) error {
	if len(d.Limits) == 0 {
		return nil
	}
	if m.budgets.knows(d.ID) {
		return fmt.Errorf("ledger: decision %s was admitted before", d.ID)
	}
	if len(m.budgets.taken) >= maxTaken {
		return errors.New("ledger: too many calls wait for their outcome or a settlement: settle those that are held")
	}
	d.Checks = append(d.Checks, m.budgets.check(d, now)...)
	return nil
}

// Settle records how a call ended that is held ([Memory.Held]), and frees what it
// took beyond what it spent. With [ErrNotHeld] nothing is recorded; so it is with
// any other error, unless that is [journal.ErrUncertain].
//
// What was spent counts in the windows in which the call was admitted. Who may
// settle is the caller's to say.
func (m *Memory) Settle(ctx context.Context, s *rationale.Settlement) error {
	if err := checkSettlement(s); err != nil {
		return err
	}
	return m.commit(ctx, &settling{m, s})
}

func checkSettlement(s *rationale.Settlement) error {
	switch {
	case s == nil || s.ID == "" || s.Decision == "" || s.At.IsZero():
		return errors.New("ledger: the settlement needs an id, a time and a decision")
	case s.By == "" || s.Why == "":
		return errors.New("ledger: the settlement needs a person who settles, and a ground")
	}
	switch s.Status {
	case rationale.StatusNotExecuted:
		if s.Spent != "" {
			return errors.New("ledger: what did not run spent nothing: leave the amount out")
		}
	case rationale.StatusSuccess, rationale.StatusError:
	default:
		return fmt.Errorf("ledger: a settlement says %s, %s or %s, not %q",
			rationale.StatusSuccess, rationale.StatusError, rationale.StatusNotExecuted, s.Status)
	}
	return nil
}

// settling is the step that a settlement makes.
type settling struct {
	*Memory
	s *rationale.Settlement
}

// take makes sure that a decision is settled once.
func (t *settling) take() (recs []rationale.Record, expendable bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.s
	r := t.budgets.taken[s.Decision]
	if r == nil || r.settling || !r.waits(t.asOf(s.At)) {
		return nil, false, ErrNotHeld
	}
	if e := t.open.get(s.Decision); e != nil && e.claimed {
		return nil, false, ErrNotHeld // its outcome is being recorded, and would come first
	}
	if _, ok := money.Parse(s.Spent); !ok && (s.Spent != "" || r.priced() && s.Status != rationale.StatusNotExecuted) {
		return nil, false, fmt.Errorf("ledger: the settlement needs the amount that was spent, in plain digits such as 129.95; %q is none", s.Spent)
	}
	r.settling = true
	return []rationale.Record{s}, false, nil
}

func (t *settling) undo(uncertain bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.budgets.taken[t.s.Decision]; r != nil && !uncertain {
		r.settling = false
	}
}

// waits reports whether only a settlement ends the reservation, at a time.
func (r *reservation) waits(at time.Time) bool {
	return r.recorded && (r.held || at.After(r.lease))
}

func (r *reservation) priced() bool {
	return slices.ContainsFunc(r.parts, func(p part) bool { return p.account.Kind == rationale.CheckWindow })
}

// Held is a call that takes of its limits until somebody settles it.
type Held struct {
	Decision string
	At       time.Time // when it was admitted
	Amount   string    // held; empty where the call has no price
	Currency string
}

// Held returns what waits for a settlement at a time, the oldest first: calls whose
// outcome is unknown, and those whose outcome did not come within its lease.
func (m *Memory) Held(at time.Time) []Held {
	m.tick()
	m.mu.Lock()
	defer m.mu.Unlock()
	at = m.asOf(at)
	var all []Held
	for id, r := range m.budgets.taken {
		if !r.waits(at) {
			continue
		}
		h := Held{Decision: id, At: r.at}
		for _, p := range r.parts {
			if p.account.Kind == rationale.CheckWindow {
				h.Amount, h.Currency = p.amount.String(), p.account.Currency
			}
		}
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b Held) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Decision, b.Decision))
	})
	return all
}

// Budget is what there is of one limit, at one time. Amounts are exact decimals,
// in Currency; of a rate they are numbers of calls. The sum of Spent, Reserved and
// Held counts against the limit.
type Budget struct {
	Kind          rationale.CheckKind // CheckWindow or CheckRate
	Authorization string
	Class         string
	Agent         string
	Environment   string
	CostCentre    string // of a shared budget, which has none of the four before
	Currency      string
	Per, Zone     string    // as in rationale.Limit
	From, Until   time.Time // of the calendar window
	Spent         string
	Reserved      string // by calls whose outcome is expected
	Held          string // until a settlement
}

// Budgets returns what counts against every limit that was taken of, at a time,
// in a fixed order. What was spent in a calendar window is that of the latest one
// in which something was admitted. The limits themselves are in the documents.
func (m *Memory) Budgets(at time.Time) []Budget {
	m.tick()
	m.mu.Lock()
	defer m.mu.Unlock()
	at = m.asOf(at)
	b := &m.budgets
	held := make(map[accountKey]money.Amount)
	for _, r := range b.taken {
		for _, p := range r.parts {
			if r.waits(at) {
				held[p.account] = held[p.account].Plus(p.amount)
			}
		}
	}
	var all []Budget
	for _, key := range slices.SortedFunc(maps.Keys(b.accounts), accountKey.compare) {
		a := b.accounts[key]
		now := at
		if b.seen.After(now) {
			now = b.seen
		}
		used := a.used(&rationale.Limit{From: a.from}, now)
		all = append(all, Budget{
			Kind: key.Kind, Authorization: key.Authorization, Class: key.Class, Agent: key.Agent, Environment: key.Environment,
			CostCentre: key.CostCentre, Currency: key.Currency, Per: key.Per, Zone: key.Zone, From: a.from, Until: a.until,
			Spent: used.Minus(a.open).String(), Reserved: a.open.Minus(held[key]).String(), Held: held[key].String(),
		})
	}
	return all
}
