package simulate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// node is a replica's end of a [Log]: it takes the steps that wait, sends them as
// one append, and finds out what became of what it was not told.
type node struct {
	log   *Log
	state journal.State
	hooks hooks
	every int // records between snapshots; 0: it takes none

	mu      sync.Mutex // of the queue
	queue   []*flight
	leading bool

	// What follows belongs to whoever leads.
	head  int           // how much of the log the state has
	clock time.Time     // the log's, when it was heard of last
	heard time.Duration // when that was
	limbo []*limbo
}

// hooks are where a history takes hold of a node.
type hooks interface {
	// at is called where others may do something; its error is that the process has
	// ended.
	at(ctx context.Context, place string) error
	// wait is called before the caller waits for another to lead, and wake when it
	// need not any more.
	wait(ctx context.Context)
	wake(ctx context.Context)
	// send delivers a request, and reports whether the answer comes back.
	send(r *request) (now time.Time, err error, answered bool)
	// elapsed is a clock that nobody sets.
	elapsed() time.Duration
}

// flight is one call of Commit.
type flight struct {
	ctx  context.Context
	step ledger.Step
	recs []rationale.Record
	over bool
	err  error
	turn chan struct{} // closed when it is over, or leads
}

// limbo are flights of which nobody knows whether they were appended.
type limbo struct {
	head    int
	first   string
	flights []*flight
}

var _ ledger.Shared = (*node)(nil)

// newNode returns a replica that has caught up with the log.
func newNode(log *Log, every int, h hooks) (*node, *ledger.Memory, error) {
	n := &node{log: log, every: every, hooks: h}
	var m *ledger.Memory
	m, n.state = ledger.Share(n)
	if body, covers := log.last(); body != nil {
		rec, err := rationale.Unmarshal(body)
		if err != nil {
			return nil, nil, err
		}
		if err := n.state.Restore(rec.(*rationale.Snapshot)); err != nil {
			return nil, nil, err
		}
		n.head = covers
	}
	return n, m, n.pull()
}

// Now returns the log's time as of what was heard of it.
func (n *node) Now() time.Time { return n.clock.Add(n.hooks.elapsed() - n.heard) }

func (n *node) hear(now time.Time) { n.clock, n.heard = now, n.hooks.elapsed() }

// Commit implements [ledger.Shared].
func (n *node) Commit(ctx context.Context, s ledger.Step) error {
	f := &flight{ctx: ctx, step: s, turn: make(chan struct{})}
	n.mu.Lock()
	n.queue = append(n.queue, f)
	waits := n.leading
	if n.leading = true; waits {
		n.hooks.wait(ctx) // before anybody can wake it
	}
	n.mu.Unlock()
	if waits {
		<-f.turn
	}
	if !f.over {
		n.serve(ctx)
	}
	return f.err
}

// serve commits all that wait, and lets the next one lead of those who came
// meanwhile.
func (n *node) serve(ctx context.Context) {
	dead := n.hooks.at(ctx, "lead")
	n.mu.Lock()
	batch := n.queue
	n.queue = nil
	n.mu.Unlock()
	again := n.try(batch, dead, false)
	for again {
		again = n.try(batch, n.hooks.at(ctx, "lead again"), true)
	}
	for _, f := range batch[1:] {
		n.turn(f)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.leading = len(n.queue) > 0; n.leading {
		n.turn(n.queue[0])
	}
}

func (n *node) turn(f *flight) {
	n.hooks.wake(f.ctx)
	close(f.turn)
}

// try makes an attempt to commit a batch, unless the process has ended, and reports
// whether it takes another. The first hopes that nobody else appends; a later one
// locks the log.
func (n *node) try(batch []*flight, err error, lock bool) (again bool) {
	defer n.log.unlock(n)
	if err == nil && lock {
		err = n.catchUp(batch[0].ctx)
	}
	var taken []*flight
	if err == nil {
		taken, err = n.send(batch, lock)
	}
	switch {
	case errors.Is(err, errConflict), errors.Is(err, errStale):
		undo(taken, false)
		return true
	case errors.Is(err, journal.ErrUncertain):
		undo(taken, true)
	case err != nil:
		undo(taken, false)
	}
	for _, f := range batch {
		if !f.over {
			f.over, f.err = true, err
		}
	}
	return false
}

func undo(taken []*flight, uncertain bool) {
	for _, f := range slices.Backward(taken) {
		f.step.Undo(uncertain)
	}
}

// errStale is what a flight fails with that was refused, but perhaps only for what
// others have done since.
var errStale = errors.New("it has to be seen with all that others have appended")

// catchUp locks the log, and makes the state that of it.
func (n *node) catchUp(ctx context.Context) error {
	for !n.log.lock(n) {
		if err := n.hooks.at(ctx, "wait for the lock"); err != nil {
			return err
		}
	}
	return n.pull()
}

// send takes the flights of a batch and appends their records.
func (n *node) send(batch []*flight, fresh bool) (taken []*flight, err error) {
	taken, r, err := n.take(batch, fresh)
	if err != nil || len(r.bodies) == 0 {
		return taken, err
	}
	ctx := batch[0].ctx
	if err := n.hooks.at(ctx, "append"); err != nil {
		return taken, err
	}
	now, err, answered := n.hooks.send(r)
	if !answered {
		n.limbo = append(n.limbo, &limbo{r.head, r.ids[0], taken})
		return taken, fmt.Errorf("the connection was lost: %w", journal.ErrUncertain)
	}
	n.hear(now)
	if err != nil {
		return taken, err
	}
	n.settle("")
	for _, f := range taken {
		for _, rec := range f.recs {
			n.tell(rec)
		}
	}
	return taken, n.hooks.at(ctx, "answer")
}

// take takes each flight, and makes the request of their records.
func (n *node) take(batch []*flight, fresh bool) (taken []*flight, r *request, err error) {
	now := n.Now()
	r = &request{node: n, head: n.head, at: now}
	for _, f := range batch {
		if f.over {
			continue
		}
		if f.err = context.Cause(f.ctx); f.err == nil {
			f.recs, f.err = f.step.Take(now)
		}
		if f.err != nil && !fresh {
			return taken, nil, errStale
		}
		if f.over = f.err != nil; f.over {
			continue
		}
		taken = append(taken, f)
		for _, rec := range f.recs {
			body, err := rationale.Marshal(rec)
			if err != nil {
				return taken, nil, err
			}
			r.ids, r.bodies = append(r.ids, rec.RecordID()), append(r.bodies, body)
		}
	}
	return taken, r, nil
}

func (n *node) tell(rec rationale.Record) {
	n.head++
	n.state.Apply(rec, journal.Position{Seq: uint64(n.head)})
	if n.every == 0 || n.head%n.every != 0 {
		return
	}
	for _, rec := range n.state.Snapshot(n.clock) {
		if body, err := rationale.Marshal(rec); err == nil && rec.RecordKind() == rationale.KindSnapshot {
			n.log.keep(body, n.head)
		}
	}
}

// pull gives the state what others have appended.
func (n *node) pull() error {
	ids, bodies, now := n.log.after(n.head)
	n.hear(now)
	for i, body := range bodies {
		rec, err := rationale.Unmarshal(body)
		if err != nil {
			return err
		}
		n.settle(ids[i])
		n.tell(rec)
	}
	return nil
}

// settle ends the limbo of a request, once it is known which record follows what it
// knew of the log: its own, or none of it was appended and none ever will be.
func (n *node) settle(id string) {
	n.limbo = slices.DeleteFunc(n.limbo, func(l *limbo) bool {
		if l.head != n.head {
			return false
		}
		if l.first != id {
			undo(l.flights, false)
		}
		return true
	})
}
