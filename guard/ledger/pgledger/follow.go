package pgledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// Follower is a reader of the log whose place is kept in the database: an otelx.Source. Of the replicas that follow
// by one name, one delivers; the others stand by, with nothing to deliver, and one of them goes on where it stopped
// once its connection to the database ends. What it had delivered in its last seconds is then delivered
// again.
//
// It takes a connection out of the pool. Make one with [Ledger.Follow]. Its methods are safe for concurrent use.
type Follower struct {
	log  *log
	name string

	mu       sync.Mutex
	begun    bool
	conn     *pgx.Conn     // its session holds the lock of the name, if delivers
	delivers bool          // this replica does
	usurped  error         // who holds the lock has no right to deliver; nil: nobody of that kind does
	kept     journal.Place // as this replica knows
	moved    bool          // kept is another replica's, and nobody was told
	seen     int64         // of what was rejected, the last that Rejected returned
}

// Follow returns the follower of a name: 1 to 32 lower-case letters, digits and hyphens.
func (l *Ledger) Follow(name string) *Follower { return &Follower{log: l.log, name: name} }

// databaseTimeout bounds one call of the database by a follower.
const databaseTimeout = 10 * time.Second

// standby is how long a replica that stands by waits before it asks again whether it is to deliver.
const standby = time.Second

// Name returns the name that Follow was given.
func (f *Follower) Name() string { return f.name }

// Begin returns the place that was kept last, and the zero Place, which it keeps, for a name that is new.
func (f *Follower) Begin() (journal.Place, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.begun {
		return journal.Place{}, fmt.Errorf("pgledger: %s is followed already", f.name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), databaseTimeout)
	defer cancel()
	if err := f.claim(ctx); err != nil {
		return journal.Place{}, fmt.Errorf("pgledger: follow as %q: %w", f.name, err)
	}
	f.begun, f.moved = true, false
	return f.kept, nil
}

// claim connects, if need be, and asks to be the one that delivers.
func (f *Follower) claim(ctx context.Context) error {
	if f.conn != nil && f.conn.IsClosed() {
		f.conn, f.delivers = nil, false
	}
	if f.conn == nil {
		pooled, err := f.log.db.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		f.conn = pooled.Hijack()
	}
	if f.delivers {
		return nil
	}
	if _, err := f.conn.Exec(ctx, "INSERT INTO ambit.cursors (name, place) VALUES ($1, $2) ON CONFLICT DO NOTHING", f.name, journal.Place{}); err != nil {
		return err
	}
	var text []byte
	err := f.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock(hashtextextended('ambit deliver ' || $1, 0)), place FROM ambit.cursors WHERE name = $1",
		f.name).Scan(&f.delivers, &text)
	if err != nil {
		return err
	}
	if f.usurped = nil; !f.delivers {
		if err := f.findUsurper(ctx); err != nil {
			return err
		}
	}
	if !f.delivers && f.begun {
		return nil // the place is of use to who delivers
	}
	// Whoever held the lock may have kept its place between the two.
	if err := f.conn.QueryRow(ctx, "SELECT place FROM ambit.cursors WHERE name = $1", f.name).Scan(&text); err != nil {
		return err
	}
	var place journal.Place
	if err := json.Unmarshal(text, &place); err != nil {
		return fmt.Errorf("the place that was kept: %w", err)
	}
	f.moved, f.kept = place != f.kept, place
	return nil
}

// findUsurper looks for one who holds the lock and cannot keep a place: every role that may connect can take
// it, and all replicas would stand by for nobody, as if all were delivered.
func (f *Follower) findUsurper(ctx context.Context) error {
	var role string
	err := f.conn.QueryRow(ctx, `
		SELECT a.usename FROM pg_locks l JOIN pg_stat_activity a USING (pid)
		WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
			AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended('ambit deliver ' || $1, 0)
			AND NOT has_table_privilege(a.usesysid, 'ambit.cursors', 'UPDATE')
		LIMIT 1`, f.name).Scan(&role)
	switch {
	case err == nil:
		f.usurped = fmt.Errorf("the role %s holds the lock of whoever delivers as %q, and has no right to deliver, so nobody does: end its session", rationale.Printable(role), f.name)
	case !errors.Is(err, pgx.ErrNoRows):
		return err
	}
	return nil
}

// Resumed returns the place that another replica kept, once after this one took over from it.
func (f *Follower) Resumed() (place journal.Place, moved bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	moved, f.moved = f.moved, false
	return f.kept, moved
}

// Head returns the last record that is to be delivered: the last of the log, and for a replica that stands
// by the one that was delivered last as far as it knows. Where nobody delivers, since somebody without the right to
// holds the lock, it is the last of the log for all, and After says who.
func (f *Follower) Head() rationale.Head {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.delivers && f.usurped == nil {
		return f.kept.Head
	}
	return f.log.end()
}

// Wait returns when Head is beyond a position. A replica that stands by takes over meanwhile, if it can.
func (f *Follower) Wait(ctx context.Context, seq uint64) error {
	for ctx.Err() == nil {
		if f.takeOver() {
			return f.log.wait(ctx, seq)
		}
		if f.usurper() != nil {
			return nil // there is something to say
		}
		select {
		case <-time.After(standby):
		case <-f.log.done:
			return journal.ErrClosed
		case <-ctx.Done():
		}
	}
	return context.Cause(ctx)
}

// takeOver reports whether this replica delivers, or does so from now on.
func (f *Follower) takeOver() bool {
	err := f.change("take over", func(context.Context) error { return nil })
	f.mu.Lock()
	defer f.mu.Unlock()
	return err == nil && f.delivers
}

// usurper returns why nobody delivers.
func (f *Follower) usurper() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.usurped
}

// After yields the records behind a head, up to Head; all that are there behind the zero Head.
func (f *Follower) After(head rationale.Head) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		if err := f.usurper(); err != nil {
			f.takeOver() // for the next time
			yield(journal.Entry{}, fmt.Errorf("pgledger: %w", err))
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), databaseTimeout)
		defer cancel()
		r := reading{last: head, end: f.Head(), yield: func(e journal.Entry, err error) bool { return yield(e, err) && err == nil }}
		if r.end.Seq == 0 {
			return
		}
		if head.Seq > 0 {
			if err := f.find(ctx, head); err != nil {
				yield(journal.Entry{}, fmt.Errorf("pgledger: %w", err))
				return
			}
			r.verifier = rationale.ResumeVerifier(head)
		}
		if err := r.all(ctx, f.log.db.pool); err != nil {
			yield(journal.Entry{}, fmt.Errorf("pgledger: %w", err))
		}
	}
}

// find checks that a head is in the log.
func (f *Follower) find(ctx context.Context, head rationale.Head) error {
	rows, err := f.log.db.pool.Query(ctx, "SELECT seq, kind, id, prev, body FROM ambit.records WHERE seq = $1", int64(head.Seq))
	if err != nil {
		return err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	switch {
	case err != nil:
		return err
	case head.Journal != f.log.db.journal || len(found) == 0:
		return fmt.Errorf("record %d of journal %s: %w: %w", head.Seq, rationale.Printable(head.Journal), journal.ErrMissing, journal.ErrStray)
	}
	if e, _, _ := found[0].entry(head.Journal); e.Hash != head.Hash {
		return fmt.Errorf("record %d is another than the one that was kept: its hash is %s, and not %s: %w", head.Seq, e.Hash, rationale.Printable(head.Hash), journal.ErrStray)
	}
	return nil
}

// Decisions returns those of the decisions with given ids that are in the log.
func (f *Follower) Decisions(ids ...string) (map[string]*rationale.Decision, error) {
	ctx, cancel := context.WithTimeout(context.Background(), databaseTimeout)
	defer cancel()
	rows, err := f.log.db.pool.Query(ctx, "SELECT body FROM ambit.records WHERE id = ANY($1) AND kind = 'decision'", ids)
	if err != nil {
		return nil, fmt.Errorf("pgledger: %w", err)
	}
	bodies, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, fmt.Errorf("pgledger: %w", err)
	}
	found := make(map[string]*rationale.Decision, len(bodies))
	for _, body := range bodies {
		rec, err := rationale.Unmarshal(body)
		if err != nil {
			return nil, fmt.Errorf("pgledger: %w", err)
		}
		if d, ok := rec.(*rationale.Decision); ok {
			found[d.ID] = d
		}
	}
	return found, nil
}

// Keep makes a place durable, in the stead of the one before. It does nothing on a replica that stands by, or took over
// and was not told where to go on: the place is that of the one that delivers, or did.
func (f *Follower) Keep(p journal.Place) error {
	return f.change("keep the place", func(ctx context.Context) error {
		if !f.delivers || f.moved {
			return nil
		}
		if _, err := f.conn.Exec(ctx, "UPDATE ambit.cursors SET place = $2 WHERE name = $1", f.name, p); err != nil {
			return err
		}
		f.kept = p
		return nil
	})
}

// change calls the database on the connection of the follower, of which it makes a new one where it was lost.
func (f *Follower) change(what string, call func(context.Context) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := errors.New("the follower has not begun")
	if f.begun {
		ctx, cancel := context.WithTimeout(context.Background(), databaseTimeout)
		defer cancel()
		if err = f.claim(ctx); err == nil {
			err = call(ctx)
		}
	}
	if err != nil {
		return fmt.Errorf("pgledger: %s: %w", what, err)
	}
	return nil
}

// Reject makes a line of JSON durable that says what could not be delivered.
func (f *Follower) Reject(line []byte) error {
	return f.change("keep what was rejected", func(ctx context.Context) error {
		_, err := f.conn.Exec(ctx, "INSERT INTO ambit.rejected (name, line) VALUES ($1, $2)", f.name, line)
		return err
	})
}

// Rejected returns the lines that Reject kept, of every replica, in their order.
func (f *Follower) Rejected() (lines [][]byte, err error) {
	err = f.change("read what was rejected", func(ctx context.Context) error {
		rows, err := f.conn.Query(ctx, "SELECT n, line FROM ambit.rejected WHERE name = $1 ORDER BY n", f.name)
		if err != nil {
			return err
		}
		var line []byte
		_, err = pgx.ForEachRow(rows, []any{&f.seen, &line}, func() error {
			lines = append(lines, append([]byte(nil), line...))
			return nil
		})
		return err
	})
	return lines, err
}

// SetRejected replaces what Rejected returned by these lines: those that still are.
func (f *Follower) SetRejected(lines [][]byte) error {
	return f.change("keep what was rejected", func(ctx context.Context) error {
		return pgx.BeginFunc(ctx, f.conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "DELETE FROM ambit.rejected WHERE name = $1 AND n <= $2", f.name, f.seen); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "INSERT INTO ambit.rejected (name, line) SELECT $1, unnest($2::bytea[])", f.name, lines)
			return err
		})
	})
}

// Close ends the following, so that another replica goes on. What was kept stays.
func (f *Follower) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun, f.delivers = false, false
	if f.conn != nil {
		closeSoon(f.conn)
		f.conn = nil
	}
	return nil
}
