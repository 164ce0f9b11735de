package pgledger

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const (
	// attemptTimeout is how long the database is waited for to make steps. It is longer than the
	// database lets a statement wait for the end of the log.
	attemptTimeout = 5 * time.Second
	// refreshTimeout is how long it is, while steps may come to wait behind it, for what is only good to
	// know. What was taken in counts, and the next time goes on.
	refreshTimeout = time.Second
)

// maxTogether bounds the steps that are appended together.
const maxTogether = 256

// log is the [ledger.Shared] in a database. One goroutine, serve, makes the steps and takes in what
// other replicas appended.
type log struct {
	db    database
	state journal.State
	every int // records between two snapshots

	// turn is held while the state changes: Take, Undo and Apply are called one at a time.
	turn    sync.Mutex
	head    rationale.Head // the last record that the state has; written under both locks
	unknown []*batch       // of which nobody knows whether they follow head

	mu      sync.Mutex
	queue   []*request
	clock   clock
	failed  error
	closing bool
	moved   chan struct{} // closed and renewed when head moves
	told    uint64        // the last record that a notification named
	look    bool          // there may be something in the database that nobody told of

	wake      chan struct{} // there is something to do
	done      chan struct{} // closed when serve has ended
	contended bool          // another replica appends too; serve's
	since     int           // records since the last snapshot; serve's
}

// request is a step that waits.
type request struct {
	ledger.Step
	ready   chan struct{} // closed once there is an answer; under turn
	err     error         // the answer
	refusal error         // of Take, which counts if its state was that of the end of the log; under turn
	taken   bool          // Take was called, and what it took is being appended; under turn
	left    bool          // its answer was given while what it took was being appended; under turn
}

// answered reports whether there is an answer.
func (r *request) answered() bool {
	select {
	case <-r.ready:
		return true
	default:
		return false
	}
}

// answer gives the answer, if there is none yet. It is called under turn.
func (r *request) answer(err error) {
	if !r.answered() {
		r.err = err
		close(r.ready)
	}
}

// Commit makes a step: see [ledger.Shared].
func (l *log) Commit(ctx context.Context, s ledger.Step) error {
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("pgledger: %w", err)
	}
	r := &request{Step: s, ready: make(chan struct{})}
	l.mu.Lock()
	closing := l.closing
	if !closing {
		l.queue = append(l.queue, r)
	}
	l.mu.Unlock()
	if closing {
		return fmt.Errorf("pgledger: %w", journal.ErrClosed)
	}
	l.rouse()
	var err error
	select {
	case <-r.ready:
		err = r.err
	case <-ctx.Done():
		err = l.withdraw(r, context.Cause(ctx))
	}
	switch {
	case err == nil || err == r.refusal: // the ledger's own
		return err
	case l.healthy() != nil:
		return fmt.Errorf("pgledger: %w; %s", err, untilStarted)
	}
	return fmt.Errorf("pgledger: %w", err)
}

// untilStarted is what follows from an error of [log.healthy].
const untilStarted = "this replica denies until it is started again"

// withdraw answers a step that nobody waits for any more, unless it has its answer.
func (l *log) withdraw(r *request, cause error) error {
	l.turn.Lock()
	defer l.turn.Unlock()
	if r.taken && !r.answered() {
		r.left = true
		r.Undo(true)
		cause = fmt.Errorf("%w: %w", journal.ErrUncertain, cause)
	}
	r.answer(cause)
	return r.err
}

// Now returns the database's time, as far as it is known.
func (l *log) Now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clock.now()
}

// end returns the last record that the state has.
func (l *log) end() rationale.Head {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head
}

// wait returns once the state has a record behind a position, or with the error of a context that is
// done, or [journal.ErrClosed].
func (l *log) wait(ctx context.Context, seq uint64) error {
	for {
		l.mu.Lock()
		head, moved := l.head, l.moved
		l.mu.Unlock()
		if head.Seq > seq {
			return nil
		}
		select {
		case <-moved:
		case <-l.done:
			return journal.ErrClosed
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// healthy returns why no step can be made any more; nil if it can.
func (l *log) healthy() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

// tell makes serve look for the records up to a position; 0: for whatever there is.
func (l *log) tell(seq uint64) {
	l.mu.Lock()
	l.told, l.look = max(l.told, seq), l.look || seq == 0
	l.mu.Unlock()
	l.rouse()
}

// rouse makes serve look at what there is to do.
func (l *log) rouse() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// serve makes steps, and takes in those of others, until the log is closed.
func (l *log) serve() {
	defer close(l.done)
	for range l.wake {
		for {
			waiting, look, closing := l.next()
			switch {
			case len(waiting) > 0:
				l.guarded(func() error { return l.make(waiting) }, waiting)
			case look:
				l.guarded(l.refresh, nil)
			}
			if closing && len(waiting) == 0 {
				return
			}
			if len(waiting) == 0 {
				break
			}
			if len(waiting) > 1 {
				runtime.Gosched() // whoever has its answer gets to make its next step, together with the others
			}
		}
	}
}

// next takes what waits, and otherwise says whether to look for what others have appended.
func (l *log) next() (waiting []*request, look, closing bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.queue), maxTogether)
	waiting, l.queue = l.queue[:n:n], l.queue[n:]
	if n == 0 {
		look = l.look || l.told > l.head.Seq
		l.look, l.told = false, 0
	}
	return waiting, look, l.closing
}

// refresh takes in what others have appended.
func (l *log) refresh() error {
	ctx, cancel := context.WithTimeout(context.Background(), refreshTimeout)
	defer cancel()
	return l.catchUp(ctx)
}

// guarded turns a panic of the state, which then cannot be relied on any more, into the end of
// the log.
func (l *log) guarded(f func() error, waiting []*request) {
	defer func() {
		if p := recover(); p != nil {
			l.fail(fmt.Errorf("panic: %v", p))
			l.refuse(waiting, fmt.Errorf("%w: %w", journal.ErrUncertain, l.healthy()))
		}
	}()
	if err := f(); err != nil {
		l.refuse(waiting, err)
	}
}

// fail ends the log: every step is refused from now on.
func (l *log) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		l.failed = err
	}
}

// maxTries bounds how often steps are tried while none gets its answer: each time another replica
// was faster, or the clock had moved.
const maxTries = 16

// make makes steps, and answers each; those that it does not answer have its error.
func (l *log) make(waiting []*request) error {
	for tries := 0; tries < maxTries; tries++ {
		if err := l.healthy(); err != nil {
			return err
		}
		if len(l.unknown) >= maxUnsure {
			return fmt.Errorf("of %d appends nobody knows what became of them, and the end of the log does not move", maxUnsure)
		}
		attempt := l.atOnce
		if l.contended {
			attempt = l.inTurn
		}
		ctx, cancel := context.WithTimeout(context.Background(), attemptTimeout)
		err := attempt(ctx, waiting)
		cancel()
		left := l.unanswered(waiting)
		switch {
		case len(left) == 0:
			return nil
		case err != nil:
			return l.apart(left, err)
		case len(left) < len(waiting):
			tries = -1
		}
		waiting = left
	}
	return errors.New("the end of the log moved again and again")
}

// apart makes steps one by one that failed together because of what one of them says.
func (l *log) apart(waiting []*request, err error) error {
	if len(waiting) == 1 || !ofContent(err) {
		return err
	}
	for _, r := range waiting {
		one := []*request{r}
		if err := l.make(one); err != nil {
			l.refuse(one, err)
		}
	}
	return nil
}

// atOnce makes steps on the state as it is, in one round trip.
func (l *log) atOnce(ctx context.Context, waiting []*request) error {
	b := l.take(waiting, l.Now())
	if len(b.bodies) == 0 { // whoever was refused was, unless others have appended
		p, err := l.db.tail(ctx, b.before.Seq)
		return l.conclude(ctx, b, p, err)
	}
	p, err := l.db.append(ctx, b.before, b.decided, &b.lines)
	return l.conclude(ctx, b, p, err)
}

// inTurn makes steps while it holds the end of the log, so that nobody is faster.
func (l *log) inTurn(ctx context.Context, waiting []*request) error {
	held, p, err := l.db.hold(ctx, l.head.Seq)
	if err != nil {
		return err
	}
	l.contended = len(p.bodies) > 0
	if whole, err := l.absorb(p); err != nil || !whole {
		held.release(ctx)
		if err == nil {
			err = l.catchUp(ctx)
		}
		return err
	}
	b := l.take(waiting, l.Now())
	if len(b.bodies) == 0 {
		held.release(ctx)
		return l.conclude(ctx, b, page{clock: p.clock, head: p.head}, nil)
	}
	p, err = held.append(ctx, b.before, b.decided, &b.lines)
	return l.conclude(ctx, b, p, err)
}

// conclude takes in what the database said to a batch, and answers its steps if it is known
// what became of them.
func (l *log) conclude(ctx context.Context, b *batch, p page, err error) error {
	switch {
	case errors.Is(err, errSent):
		l.contended = true // which finds out first whether the database answers
		l.unsure(b, err)
		return err
	case err != nil:
		l.undo(b)
		return err
	case p.head == b.chain.Head():
		return l.appended(b, p)
	}
	l.contended = l.contended || p.head != b.before
	l.undo(b)
	if whole, err := l.absorb(p); err != nil || whole {
		return err
	}
	return l.catchUp(ctx)
}

// catchUp takes in everything that others have appended.
func (l *log) catchUp(ctx context.Context) error {
	for {
		if err := l.healthy(); err != nil {
			return err
		}
		p, err := l.db.tail(ctx, l.head.Seq)
		if err != nil {
			return err
		}
		if whole, err := l.absorb(p); err != nil || whole {
			return err
		}
	}
}
