package pgledger

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

// Ledger is the ledger of one replica. It is safe for concurrent use.
type Ledger struct {
	*ledger.Memory
	log  *log
	stop context.CancelFunc // ends what keeps the replica up to date
	all  sync.WaitGroup
}

// Now returns the database's time, as far as it is known, and never a later one.
func (l *Ledger) Now() time.Time { return l.log.Now() }

// Option changes how a ledger works. The nil Option changes nothing.
type Option func(*log)

// WithSnapshotEvery says how many records may lie between two snapshots: a replica that starts reads
// the last one, and the records behind it. The default is 10,000; less than 1 is an error of [Open].
func WithSnapshotEvery(records int) Option { return func(l *log) { l.every = records } }

// Open opens the ledger in the database of a pool, whose tables must be those of this version
// ([ErrVersion]), and rebuilds its state from the last snapshot and the records behind it. Beside the one
// of the pool that a step needs, it takes a connection out of the pool for notifications. The pool remains the caller's, who closes it after the
// ledger. It must connect to the primary server (target_session_attrs=read-write, where there are several hosts).
func Open(ctx context.Context, pool *pgxpool.Pool, opts ...Option) (*Ledger, error) {
	l := &Ledger{log: &log{
		db: database{pool: pool}, every: 10_000,
		moved: make(chan struct{}), wake: make(chan struct{}, 1), done: make(chan struct{}),
	}}
	for _, opt := range opts {
		if opt != nil {
			opt(l.log)
		}
	}
	if l.log.every < 1 {
		return nil, fmt.Errorf("pgledger: WithSnapshotEvery(%d): want 1 or more", l.log.every)
	}
	l.Memory, l.log.state = ledger.Share(l.log)
	if err := l.log.restore(ctx); err != nil {
		return nil, fmt.Errorf("pgledger: %w", err)
	}
	go l.log.serve()
	background, stop := context.WithCancel(context.Background())
	l.stop = stop
	l.all.Go(func() { l.log.listen(background) })
	l.all.Go(func() { l.log.poll(background, l.Expire) })
	return l, nil
}

// restore rebuilds the state.
func (l *log) restore(ctx context.Context) error {
	if err := checkVersion(ctx, l.db.pool); err != nil {
		return err
	}
	var (
		snapshot   int64
		prev, body []byte
	)
	err := l.db.pool.QueryRow(ctx, `
		SELECT l.journal::text, l.snapshot, r.prev, r.body
		FROM ambit.log l LEFT JOIN ambit.records r ON r.seq = l.snapshot`).Scan(&l.db.journal, &snapshot, &prev, &body)
	if err != nil {
		return err
	}
	l.head = rationale.Head{Journal: l.db.journal}
	if snapshot > 0 {
		rec, err := rationale.Unmarshal(body)
		if err != nil {
			return fmt.Errorf("record %d: %w", snapshot, err)
		}
		s, ok := rec.(*rationale.Snapshot)
		if !ok {
			return fmt.Errorf("record %d is a %s, and ambit.log says that it is a snapshot", snapshot, rec.RecordKind())
		}
		if err := l.state.Restore(s); err != nil {
			return fmt.Errorf("record %d: %w", snapshot, err)
		}
		chain := rationale.ResumeChain(rationale.Head{Journal: l.db.journal, Seq: uint64(snapshot) - 1, Hash: digestOf(prev)})
		chain.AppendBody(nil, body)
		l.head = chain.Head()
	}
	return l.catchUp(ctx)
}

// pollInterval is how long a replica may go without asking what others have appended.
const pollInterval = 500 * time.Millisecond

// poll asks from time to time, whether or not anybody was notified, and concludes decisions whose outcome
// did not come within their lease.
func (l *log) poll(ctx context.Context, expire func(context.Context) error) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.tell(0)
			_ = expire(ctx) // the next one tries again
		case <-ctx.Done():
			return
		}
	}
}

// listen asks as soon as another replica has appended.
func (l *log) listen(ctx context.Context) {
	for ctx.Err() == nil {
		_ = l.hear(ctx) // polling goes on without it
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
		}
	}
}

// hear rouses the log with every notification, until the connection is lost.
func (l *log) hear(ctx context.Context) error {
	pooled, err := l.db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	conn := pooled.Hijack()
	defer closeSoon(conn)
	if _, err := conn.Exec(ctx, "LISTEN ambit"); err != nil {
		return err
	}
	l.tell(0)
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		seq, _ := strconv.ParseUint(n.Payload, 10, 64) // not from ambit.append: look for yourself
		l.tell(seq)
	}
}

// closeSoon closes a connection whose context may be done.
func closeSoon(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// Healthy returns nil while steps can be made, as far as is known without making one, and
// otherwise why they cannot, for good: this replica must be started again. For a readiness probe.
func (l *Ledger) Healthy() error {
	if err := l.log.healthy(); err != nil {
		return fmt.Errorf("pgledger: %w; %s", err, untilStarted)
	}
	return nil
}

// Close waits for the steps that are being made, and ends notifications. Later steps are errors. What was admitted is
// durable already. It returns nil.
func (l *Ledger) Close() error {
	l.stop()
	l.all.Wait()
	l.log.mu.Lock()
	l.log.closing = true
	l.log.mu.Unlock()
	l.log.rouse()
	<-l.log.done
	return l.Memory.Close()
}
