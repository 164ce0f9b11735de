package ledger

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ambit-go/ambit/internal/money"
)

// budgetsState is what a snapshot says of the limits: what is recorded, and nothing
// of what is being recorded.
type budgetsState struct {
	Recorded time.Time      `json:"recorded,omitzero"`
	Accounts []accountState `json:"accounts,omitempty"`
	Taken    []takenState   `json:"taken,omitempty"` // in the order of At and Decision
	Ended    []byte         `json:"ended,omitempty"` // as recent has them
}

type accountState struct {
	Key     accountKey   `json:"key"`
	Sliding string       `json:"sliding,omitzero"` // the window's length
	Buckets []bucket     `json:"buckets,omitempty"`
	From    time.Time    `json:"from,omitzero"`
	Until   time.Time    `json:"until,omitzero"`
	Spent   money.Amount `json:"spent,omitzero"`
	Limit   money.Amount `json:"limit,omitzero"`
	Reached int          `json:"reached,omitzero"`
}

type takenState struct {
	Decision string      `json:"decision"`
	At       time.Time   `json:"at"`
	Lease    time.Time   `json:"lease"`
	Segment  uint64      `json:"segment"`
	Held     bool        `json:"held,omitzero"`
	Parts    []partState `json:"parts"`
	Call     heldCall    `json:"call,omitzero"`
}

type partState struct {
	Account int          `json:"account"` // its index
	Amount  money.Amount `json:"amount"`
	From    time.Time    `json:"from,omitzero"`
	Until   time.Time    `json:"until,omitzero"`
}

func (b *budgets) state() budgetsState {
	maps.DeleteFunc(b.accounts, func(_ accountKey, a *account) bool { return a.idle(b.recorded) })
	s := budgetsState{Recorded: b.recorded, Ended: b.ended.save()}
	index := make(map[accountKey]int, len(b.accounts))
	for i, key := range slices.SortedFunc(maps.Keys(b.accounts), accountKey.compare) {
		a := b.accounts[key]
		index[key] = i
		said := accountState{Key: key, Buckets: slices.Clone(a.buckets), From: a.from, Until: a.until, Spent: a.spent, Limit: a.limit, Reached: a.reached}
		if a.per > 0 {
			said.Sliding = a.per.String()
		}
		s.Accounts = append(s.Accounts, said)
	}
	for id, r := range b.taken {
		if !r.recorded {
			continue
		}
		t := takenState{Decision: id, At: r.at, Lease: r.lease, Segment: r.segment, Held: r.held, Call: r.call}
		for _, p := range r.parts {
			t.Parts = append(t.Parts, partState{index[p.account], p.amount, p.from, p.until})
		}
		s.Taken = append(s.Taken, t)
	}
	slices.SortFunc(s.Taken, func(a, b takenState) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Decision, b.Decision))
	})
	return s
}

func (b *budgets) restore(s budgetsState) error {
	*b = newBudgets()
	b.seen, b.recorded = s.Recorded, s.Recorded
	for _, said := range s.Accounts {
		a := &account{buckets: said.Buckets, from: said.From, until: said.Until, spent: said.Spent, limit: said.Limit, reached: said.Reached}
		if said.Sliding != "" {
			per, err := time.ParseDuration(said.Sliding)
			if err != nil || per <= 0 {
				return fmt.Errorf("its state has a window of %q", said.Sliding)
			}
			a.per, a.step = per, stepOf(per)
		}
		b.accounts[said.Key] = a
	}
	for _, t := range s.Taken {
		r := &reservation{at: t.At, lease: t.Lease, segment: t.Segment, recorded: true, held: t.Held, call: t.Call}
		for _, said := range t.Parts {
			if said.Account < 0 || said.Account >= len(s.Accounts) {
				return fmt.Errorf("its state has no account %d", said.Account)
			}
			p := part{s.Accounts[said.Account].Key, said.Amount, said.From, said.Until}
			a := b.accounts[p.account]
			a.open, a.refs = a.open.Plus(p.amount), a.refs+1
			r.parts = append(r.parts, p)
		}
		b.taken[t.Decision] = r
		b.bytes += r.size()
	}
	b.ended.restore(s.Ended)
	return nil
}

// needed returns the first segment with a decision whose cost is not known; 0 if
// there is none.
func (b *budgets) needed() uint64 {
	first := uint64(0)
	for _, r := range b.taken {
		if r.segment != 0 && (first == 0 || r.segment < first) {
			first = r.segment
		}
	}
	return first
}
