package simulate

import (
	"context"
	"slices"
	"time"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

// Ledger is what a history does with a ledger: *ledger.Memory is one.
type Ledger interface {
	Admit(ctx context.Context, d *rationale.Decision) error
	Complete(ctx context.Context, o *rationale.Outcome) error
	Answer(ctx context.Context, a *rationale.Approval) error
	Review(ctx context.Context, r *rationale.Review) error
	Settle(ctx context.Context, s *rationale.Settlement) error
	Suspend(ctx context.Context, what rationale.Suspension, by, why string, at time.Time) error
	Resume(ctx context.Context, what rationale.Suspension, by, why string, at time.Time) error
	Record(ctx context.Context, recs ...rationale.Record) error
	Suspensions() []*rationale.Lifecycle
}

// life is one process from its start to its end. What it knows of its tasks is
// guarded by the scheduler's mutex.
type life struct {
	replica int
	n       int    // from 1, of all lives of a history
	ledger  Ledger // nil: it is opening
	disk    *disk  // on files
	node    *node  // on a log
	dead    bool
	opened  *ledger.Memory // what opening returned
	failed  error
	end     func() // of a steady history
	gap     int    // calls denied for lack of evidence, not yet recorded

	tasks []*task // in flight

	// Whoever answers has the ledger's turn for answers, and whoever suspends or resumes
	// that for these; others wait for it in line.
	answers  []*task
	switches []*task

	// The journal takes all that wait when it is free: queue[:taken] is what it
	// works on.
	queue []*task
	taken int
}

// waits is called when a task asks for the end of its context, which it does
// before it waits. It is called with the scheduler's mutex held.
func (l *life) waits(t *task) {
	if line := l.line(t); t.asked == 1 && line != nil {
		*line = append(*line, t)
		if len(*line) > 1 && !l.dead {
			t.s.enter(t, inLine)
		}
		return
	}
	if l.disk == nil {
		return
	}
	if len(l.queue) == 0 {
		l.taken = 1
	}
	l.queue = append(l.queue, t)
	t.s.enter(t, queued)
}

// line is where a task waits for its turn; nil: it needs none.
func (l *life) line(t *task) *[]*task {
	switch t.kind {
	case answer, review:
		return &l.answers
	case suspend, resume:
		return &l.switches
	}
	return nil
}

// answered is called when a record is written: whoever works on the same frame
// goes on, and the journal takes all that wait.
func (l *life) answered(s *scheduler, rec rationale.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := func(t *task) bool { return t.event != nil && t.event.makes(rec) }
	if !slices.ContainsFunc(l.queue[:l.taken], mine) {
		return
	}
	for _, t := range l.queue[:l.taken] {
		if t.state == queued {
			s.enter(t, running)
		}
	}
	l.queue = l.queue[l.taken:]
	l.taken = len(l.queue)
}

// left is called when a task is over. It is called with the scheduler's mutex held.
func (l *life) left(t *task) {
	is := func(o *task) bool { return o == t }
	l.tasks = slices.DeleteFunc(l.tasks, is)
	l.leaveQueue(t)
	if line := l.line(t); line != nil {
		first := slices.Index(*line, t) == 0
		if *line = slices.DeleteFunc(*line, is); first && len(*line) > 0 && (*line)[0].state == inLine {
			next := running
			if (*line)[0].kind == suspend && l.admitting() > 0 { // it is in force again before it goes on
				next = barred
			}
			t.s.enter((*line)[0], next)
		}
	}
	if l.admitting() > 0 {
		return
	}
	for _, o := range l.tasks { // a suspension waits until what was checked before is recorded
		if o.state == barred {
			t.s.enter(o, running)
		}
	}
}

// leaveQueue takes a task out of the queue. One that gave up while the journal
// worked on it stays there, until the check behind it says that the journal is done.
func (l *life) leaveQueue(t *task) {
	i := slices.Index(l.queue, t)
	if i < 0 || i < l.taken && t.cause != nil && !l.dead {
		return
	}
	for from := i; i >= from; i-- {
		if t.health {
			from = 0
		}
		if l.queue = slices.Delete(l.queue, i, i+1); i < l.taken {
			l.taken--
		}
	}
	if l.taken == 0 {
		l.taken = len(l.queue)
	}
}

// admitting returns how many calls are being admitted.
func (l *life) admitting() int {
	n := 0
	for _, t := range l.tasks {
		if t.kind == call {
			n++
		}
	}
	return n
}

// halting reports whether a suspension waits for those.
func (l *life) halting() bool {
	return slices.ContainsFunc(l.tasks, func(t *task) bool { return t.state == barred })
}
