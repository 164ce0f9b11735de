package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ambit-go/ambit/internal/money"
	"github.com/ambit-go/ambit/rationale"
)

// maxTakenBytes bounds what a snapshot says of the calls that hold a budget: while
// so many wait for a settlement, nothing more is admitted that would take of a limit.
const maxTakenBytes = 16 << 20

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
	if m.budgets.bytes >= maxTakenBytes {
		return errors.New("ledger: too many calls wait for their outcome or a settlement: settle those that are held")
	}
	d.Checks = append(d.Checks, m.budgets.check(d, now)...)
	return nil
}

// Settle records how a call ended that is held ([Memory.Held]), and frees what it
// took beyond what it spent. With [ErrNotHeld] nothing is recorded; so it is with
// any other error, unless that is [journal.ErrUncertain].
//
// What was spent counts in the windows in which the call was admitted. An At that the
// journal's clock has not reached is [ErrRefused]. Who may settle is the caller's to say.
func (m *Memory) Settle(ctx context.Context, s *rationale.Settlement) error {
	if err := checkSettlement(s); err != nil {
		return err
	}
	if err := m.reached(s.At); err != nil {
		return err
	}
	return m.commit(ctx, &settling{m, s})
}

func checkSettlement(s *rationale.Settlement) error {
	switch {
	case s == nil || s.ID == "" || s.Decision == "" || s.At.IsZero():
		return errors.New("ledger: the settlement needs an id, a time and a decision")
	case strings.TrimSpace(s.By) == "" || strings.TrimSpace(s.Why) == "":
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
	Decision      string    `json:"decision"`
	At            time.Time `json:"at"`              // when it was admitted
	Amount        string    `json:"amount,omitzero"` // held; empty where the call has no price
	Currency      string    `json:"currency,omitzero"`
	Agent         string    `json:"agent"` // that made the call
	OnBehalfOf    string    `json:"on_behalf_of,omitzero"`
	Server        string    `json:"server,omitzero"` // of the tool
	Tool          string    `json:"tool"`
	Class         string    `json:"class,omitzero"`
	Authorization string    `json:"authorization,omitzero"`
	Owner         string    `json:"owner,omitzero"` // of the authorization
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
		c := r.call
		h := Held{
			Decision: id, At: r.at, Agent: c.Agent, OnBehalfOf: c.OnBehalfOf, Server: c.Server, Tool: c.Tool,
			Class: c.Class, Authorization: c.Authorization, Owner: c.Owner,
		}
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
	Kind          rationale.CheckKind `json:"kind"` // CheckWindow or CheckRate
	Authorization string              `json:"authorization,omitzero"`
	Class         string              `json:"class,omitzero"`
	Agent         string              `json:"agent,omitzero"`
	Environment   string              `json:"environment,omitzero"`
	CostCentre    string              `json:"cost_centre,omitzero"` // of a shared budget, which has none of the four before
	Currency      string              `json:"currency,omitzero"`
	Per           string              `json:"per"` // as in rationale.Limit
	Zone          string              `json:"zone,omitzero"`
	From          time.Time           `json:"from,omitzero"` // of the calendar window
	Until         time.Time           `json:"until,omitzero"`
	Limit         string              `json:"limit,omitzero"` // that the latest call was admitted under; empty: not known
	Spent         string              `json:"spent"`
	Reserved      string              `json:"reserved"`      // by calls whose outcome is expected
	Held          string              `json:"held"`          // until a settlement
	Left          string              `json:"left,omitzero"` // of Limit, for a call at that time; 0 where more is counted
}

// Budgets returns what counts against every limit that was taken of, at a time,
// in a fixed order. What was spent in a calendar window is that of the latest one
// in which something was admitted. The limits in force are those of the documents: Limit
// is what they said when something was last admitted.
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
		limit, left := "", ""
		if !a.limit.IsZero() {
			counts := used
			if a.per == 0 && !now.Before(a.until) {
				counts = a.open // the window is over: the next one is as good as begun
			}
			limit, left = a.limit.String(), a.limit.Minus(counts).String()
		}
		all = append(all, Budget{
			Kind: key.Kind, Authorization: key.Authorization, Class: key.Class, Agent: key.Agent, Environment: key.Environment,
			CostCentre: key.CostCentre, Currency: key.Currency, Per: key.Per, Zone: key.Zone, From: a.from, Until: a.until,
			Spent: used.Minus(a.open).String(), Reserved: a.open.Minus(held[key]).String(), Held: held[key].String(),
			Limit: limit, Left: left,
		})
	}
	return all
}
