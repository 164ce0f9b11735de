package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// openTimeout is how long writing the outcomes of the process before may take.
const openTimeout = time.Minute

// outcomesAtOnce bounds how many of them are written together.
const outcomesAtOnce = 4096

// Open opens the ledger whose records are the journal of a folder, which it
// creates where there is none, and rebuilds its state from them. Decisions that an
// earlier process allowed and whose outcome it did not record get the outcome
// unknown, with the error type "process_ended", before Open returns: nobody knows
// whether they took place. The caller closes the ledger.
//
// The errors are those of [journal.Open]. [journal.WithState] is the ledger's own.
func Open(dir string, opts ...journal.Option) (*Memory, error) {
	m := newMemory()
	j, err := journal.Open(dir, append(slices.Clone(opts), journal.WithState(projection{m}))...)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	m.recorder, m.journal = j, j
	if err := m.concludeLost(); err != nil {
		return nil, errors.Join(fmt.Errorf("ledger: %w", err), j.Close())
	}
	return m, nil
}

// concludeLost records the outcomes that the process before did not.
func (m *Memory) concludeLost() error {
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	m.mu.Lock()
	open := m.open.list()
	m.mu.Unlock()
	for part := range slices.Chunk(open, outcomesAtOnce) {
		now := m.journal.Now()
		recs := make([]rationale.Record, len(part))
		for i, w := range part {
			recs[i] = lost(w.Decision, now, "process_ended")
		}
		if err := m.journal.Append(ctx, recs...); err != nil {
			return err
		}
	}
	return nil
}

// Journal returns the ledger's journal, to deliver, archive and retire its
// segments; nil for a ledger that [New] made.
func (m *Memory) Journal() *journal.Journal { return m.journal }

// Close closes the journal that [Open] opened, and ends notifications. What was
// admitted is durable already.
func (m *Memory) Close() error {
	m.quiet()
	if m.journal == nil {
		return nil
	}
	return m.journal.Close()
}
