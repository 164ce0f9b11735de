package pgledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ambit-go/ambit/rationale"
)

// Retire deletes the oldest records: those appended before a time that nothing needs any more. What is not delivered
// yet stays, under each name of [Ledger.Follow] that was ever used; so do the last snapshot and what follows it, and from the first record
// on that an open decision, ticket, review or hold refers to. It returns how many it deleted, having recorded up to
// which. Its role needs the right to execute ambit.retire, which replicas need not have.
func (l *Ledger) Retire(ctx context.Context, before time.Time) (deleted int64, err error) {
	if deleted, err = l.retire(ctx, before); err != nil {
		return deleted, fmt.Errorf("pgledger: retire: %w", err)
	}
	return deleted, nil
}

func (l *Ledger) retire(ctx context.Context, before time.Time) (deleted int64, err error) {
	pool := l.log.db.pool
	var first row
	var until int64
	err = pool.QueryRow(ctx, `
		SELECT ambit.retirable(least($1, (SELECT min(seq) FROM ambit.records WHERE at >= $2)))`,
		l.log.needed(), before).Scan(&until)
	if err != nil {
		return 0, err
	}
	rows, err := pool.Query(ctx, "SELECT seq, kind, id, prev, body FROM ambit.records WHERE seq = $1 AND EXISTS (SELECT FROM ambit.records WHERE seq < $1)", until)
	if err != nil {
		return 0, err
	}
	switch first, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[row]); {
	case errors.Is(err, pgx.ErrNoRows):
		return 0, nil
	case err != nil:
		return 0, err
	}
	now := l.log.Now()
	err = l.Record(ctx, &rationale.Lifecycle{
		ID: rationale.NewID(now), At: now, Event: rationale.EventRetired, Until: before.UTC(),
		Previous: &rationale.Head{Journal: l.log.db.journal, Seq: uint64(until) - 1, Hash: digestOf(first.Prev)},
		Message:  fmt.Sprintf("the records before %d were removed", until),
	})
	if err != nil {
		return 0, err
	}
	err = pool.QueryRow(ctx, "SELECT ambit.retire($1)", until).Scan(&deleted)
	return deleted, err
}

// needed returns the first record that the state refers to, or the one behind the last.
func (l *log) needed() int64 {
	l.turn.Lock()
	defer l.turn.Unlock()
	if first := l.state.Needed(); first > 0 {
		return int64(first)
	}
	return int64(l.end().Seq) + 1
}
