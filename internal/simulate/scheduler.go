package simulate

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"
)

// scheduler lets one goroutine of a history run at a time. The others are parked
// where they would touch the disk or the network, or wait for one that is, until the
// history lets one of them go on. So a history is the same each time.
type scheduler struct {
	mu      sync.Mutex
	changed sync.Cond
	running int
	seats   []*seat
	ended   []*task
	stuck   bool
	waiting int // for the journal to answer
}

// errStuck is what ends a history in which nothing goes on any more.
var errStuck = errors.New("nothing goes on: somebody waits for what nobody does")

// stuckAfter is far more than a history takes, on a machine that does much else.
const stuckAfter = 20 * time.Second

func newScheduler() *scheduler {
	s := new(scheduler)
	s.changed.L = &s.mu
	return s
}

// task is an operation in a goroutine of its own.
type task struct {
	s      *scheduler
	n      int // of its step, from 1
	life   *life
	kind   Action
	event  *event // nil: it opens a journal, or looks after one
	err    error
	health bool // it waits for what the journal was given before
	state  taskState
	done   chan struct{} // of its context
	cause  error         // why that is done
	parked bool          // it has asked whether its context is over
	asked  int           // how often it has asked for the end of its context
}

type taskState int

const (
	over    taskState = iota
	running           //
	parked            //
	queued            // waits for the journal
	inLine            // waits to answer
	barred            // waits for the calls that are being admitted
	led               // waits for the task that commits for it
)

// seat is where a goroutine is parked.
type seat struct {
	place string
	task  *task // nil: the journal's own goroutine
	life  *life
	gone  chan struct{}
}

// n is the seat's task; 0: none.
func (p *seat) n() int {
	if p.task == nil {
		return 0
	}
	return p.task.n
}

// add makes a task one of its process, before it starts.
func (s *scheduler) add(t *task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.s, t.done = s, make(chan struct{})
	t.life.tasks = append(t.life.tasks, t)
}

// start runs f as a task, which is in a state to begin with.
func (s *scheduler) start(t *task, state taskState, f func(ctx context.Context)) {
	s.mu.Lock()
	s.enter(t, state)
	s.mu.Unlock()
	go func() {
		f(&taskContext{t})
		s.mu.Lock()
		defer s.mu.Unlock()
		s.enter(t, over)
		s.ended = append(s.ended, t)
		t.life.left(t)
	}()
}

// enter and leave count what a task is doing. They are called with mu held.
func (s *scheduler) enter(t *task, state taskState) {
	s.leave(t)
	switch t.state = state; state {
	case running:
		s.running++
	case queued:
		s.waiting++
	}
	s.changed.Broadcast()
}

func (s *scheduler) leave(t *task) {
	switch t.state {
	case running:
		s.running--
	case queued:
		s.waiting--
	}
}

// park stops the calling goroutine until the history lets it go on. A nil task
// is the journal's goroutine. Nobody is stopped whose process has ended: who would let
// it go on may have looked already.
func (s *scheduler) park(t *task, l *life, place string) {
	p := &seat{place: place, task: t, life: l, gone: make(chan struct{})}
	s.mu.Lock()
	if l.dead {
		s.mu.Unlock()
		return
	}
	s.seats = append(s.seats, p)
	if t != nil {
		s.enter(t, parked)
	}
	s.changed.Broadcast()
	s.mu.Unlock()
	<-p.gone
}

// release lets one go on.
func (s *scheduler) release(p *seat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seats = slices.DeleteFunc(s.seats, func(q *seat) bool { return q == p })
	if p.task != nil {
		s.enter(p.task, running)
	}
	close(p.gone)
}

// die says that a process has ended: from here on none of its goroutines is parked. It
// returns its tasks.
func (s *scheduler) die(l *life) []*task {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.dead = true
	return slices.Clone(l.tasks)
}

// within waits for what the scheduler has no hold of.
func within(done func() bool) error {
	for began := time.Now(); !done(); runtime.Gosched() {
		if time.Since(began) > stuckAfter {
			return errStuck
		}
	}
	return nil
}

// quiet waits until all are parked, waiting or over, and returns those that are
// over, in order.
func (s *scheduler) quiet() ([]*task, error) {
	watch := time.AfterFunc(stuckAfter, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stuck = true
		s.changed.Broadcast()
	})
	defer watch.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.running > 0 || s.waiting > 0 && !s.journalParked() {
		if s.stuck {
			return nil, errStuck
		}
		s.changed.Wait()
	}
	ended := s.ended
	s.ended = nil
	slices.SortFunc(ended, func(a, b *task) int { return cmp.Compare(a.n, b.n) })
	slices.SortFunc(s.seats, func(a, b *seat) int { return cmp.Compare(a.n(), b.n()) })
	return ended, nil
}

// journalParked reports whether a journal's goroutine is.
func (s *scheduler) journalParked() bool {
	return slices.ContainsFunc(s.seats, func(p *seat) bool { return p.task == nil })
}

// all returns who is parked.
func (s *scheduler) all() []*seat {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seats)
}

// stop ends a task's wait, as a caller does who gives up.
func (t *task) stop(cause error) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	if t.cause != nil {
		return
	}
	t.cause = cause
	if t.state == queued || t.state == inLine {
		t.s.enter(t, running)
	}
	close(t.done)
}

// taskContext is the context that a task gives to the ledger. The ledger's
// journal asks it twice, each time at a place that counts: whether it is over,
// before an append is queued, and for the end of it, once that waits.
type taskContext struct{ t *task }

type taskKey struct{}

func taskOf(ctx context.Context) *task {
	t, _ := ctx.Value(taskKey{}).(*task)
	return t
}

func (c *taskContext) Deadline() (time.Time, bool) { return time.Time{}, false }

func (c *taskContext) Value(key any) any {
	if _, ok := key.(taskKey); ok {
		return c.t
	}
	return nil
}

func (c *taskContext) Err() error {
	t := c.t
	if t.life.disk != nil && !t.parked && t.gaveUp() == nil {
		t.parked = true
		t.s.park(t, t.life, "before the append")
	}
	return t.gaveUp()
}

// gaveUp returns why the task's context is done. Who gave up in line is out of it, and
// says so at once: parked, it would hold up those behind it in the history alone.
func (t *task) gaveUp() error {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	return t.cause
}

func (c *taskContext) Done() <-chan struct{} {
	t := c.t
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.asked++
	t.life.waits(t)
	return t.done
}
