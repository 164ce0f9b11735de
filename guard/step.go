package guard

import (
	"context"
	"sync"
	"time"
)

// recordTimeout is how long one step of the ledger may take.
const recordTimeout = 10 * time.Second

// step is the context of one step of the ledger. It keeps the values of the
// caller's, but neither its cancellation nor its deadline, and has a deadline of
// its own. The timer for it starts when somebody asks for Done: most steps are
// over before anybody does.
type step struct {
	context.Context // never cancelled
	deadline        time.Time

	mu    sync.Mutex
	timed context.Context // from the first Done on
	stop  context.CancelFunc
	over  bool
}

// newStep returns the context of a step that begins, for [step.end].
func newStep(caller context.Context) *step {
	if caller.Done() != nil {
		caller = context.WithoutCancel(caller)
	}
	return &step{Context: caller, deadline: time.Now().Add(recordTimeout)}
}

// end cancels the context.
func (s *step) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over = true; s.stop != nil {
		s.stop()
	}
}

func (s *step) Deadline() (time.Time, bool) { return s.deadline, true }

func (s *step) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timed == nil {
		s.timed, s.stop = context.WithDeadline(s.Context, s.deadline)
		if s.over {
			s.stop()
		}
	}
	return s.timed.Done()
}

func (s *step) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.timed != nil:
		return s.timed.Err()
	case s.over:
		return context.Canceled
	case !time.Now().Before(s.deadline):
		return context.DeadlineExceeded
	}
	return nil
}

// Value asks the timed context, once there is one: package context finds there
// what it needs to cancel contexts derived from this one.
func (s *step) Value(key any) any {
	s.mu.Lock()
	timed := s.timed
	s.mu.Unlock()
	if timed != nil {
		return timed.Value(key)
	}
	return s.Context.Value(key)
}

// atLedger calls the ledger for one step. Without evidence there is none.
func (g *Guard) atLedger(ctx context.Context, call func(context.Context) error) error {
	if g.ledger == nil {
		return nil
	}
	s := newStep(ctx)
	defer s.end()
	return protect("the ledger", func() error { return call(s) })
}
