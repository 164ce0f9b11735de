package ledger

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// Budgets is the state machine of limits alone.
type Budgets struct{ b budgets }

func NewBudgets() *Budgets { return &Budgets{newBudgets()} }

func (b *Budgets) Fits(d *rationale.Decision) bool {
	return !slices.ContainsFunc(b.b.check(d, d.At), func(c rationale.Check) bool { return c.Result != rationale.Passed })
}

func (b *Budgets) Admit(t *testing.T, d *rationale.Decision) {
	if !b.Fits(d) {
		t.Fatal("it does not fit")
	}
	rationale.Conclude(d)
	b.b.reserve(d)
	b.b.admitted(d, 1)
}

func (b *Budgets) Conclude(o *rationale.Outcome) { b.b.concluded(o) }

func (b *Budgets) Snapshot(t *testing.T) []byte {
	text, err := json.Marshal(b.b.state())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Local is a ledger without a journal, and its state.
func Local() (*Memory, journal.State) {
	m := newMemory()
	return m, projection{m}
}

// Sizes are what a ledger counts of what it keeps, to stay within its bounds.
func (m *Memory) Sizes() []int {
	dues := 0
	for _, due := range m.reviews.classes {
		dues += len(due)
	}
	return []int{
		m.open.len(), len(m.tickets.byID), m.tickets.bytes, len(m.reviews.byID), m.reviews.bytes, dues,
		len(m.budgets.taken), m.budgets.bytes, len(m.given),
	}
}

// Stretches counts the stretches of time that audits of an authorization cover.
func (m *Memory) Stretches(authorization string) int { return len(m.audits[authorization].Covered) }

// Turn is for what one caller does at a time.
type Turn struct{ t turn }

func (t *Turn) Take(ctx context.Context) error { return t.t.take(ctx) }
func (t *Turn) End()                           { t.t.end() }
