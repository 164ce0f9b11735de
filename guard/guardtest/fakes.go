// Package guardtest has what a test of a guard, of a ledger, of a tracer or of
// an adapter needs: fakes, and the suites that each of these must pass
// ([TestLedger], [TestPeople], [TestNotifications], [TestTracer], [TestAdapter]).
package guardtest

import (
	"context"
	"sync"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// Recorder keeps records in memory as a journal would: encoded when they are
// appended, all or none. It is safe for concurrent use; the zero Recorder is
// ready to use.
type Recorder struct {
	mu   sync.Mutex
	recs []rationale.Record
	err  error
}

// Append keeps copies of the records, or returns the error given to Fail, or
// that of a context that is done.
func (r *Recorder) Append(ctx context.Context, recs ...rationale.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	copies := make([]rationale.Record, len(recs))
	for i, rec := range recs {
		data, err := rationale.Marshal(rec)
		if err != nil {
			return err
		}
		if copies[i], err = rationale.Unmarshal(data); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	r.recs = append(r.recs, copies...)
	return nil
}

// Fail makes every Append fail with err from now on; nil ends it.
func (r *Recorder) Fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

// Records returns what was recorded, in order.
func (r *Recorder) Records() []rationale.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]rationale.Record(nil), r.recs...)
}

// Decisions returns the decisions that were recorded, in order.
func (r *Recorder) Decisions() []*rationale.Decision { return only[*rationale.Decision](r.Records()) }

// Outcomes returns the outcomes that were recorded, in order.
func (r *Recorder) Outcomes() []*rationale.Outcome { return only[*rationale.Outcome](r.Records()) }

// Lifecycles returns the lifecycle records of an event, in order.
func (r *Recorder) Lifecycles(event rationale.Event) []*rationale.Lifecycle {
	var found []*rationale.Lifecycle
	for _, l := range only[*rationale.Lifecycle](r.Records()) {
		if l.Event == event {
			found = append(found, l)
		}
	}
	return found
}

func only[T rationale.Record](recs []rationale.Record) []T {
	var found []T
	for _, rec := range recs {
		if r, ok := rec.(T); ok {
			found = append(found, r)
		}
	}
	return found
}

// Clock is a clock that stands still until it is moved. It is safe for
// concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands at a time.
func NewClock(at time.Time) *Clock { return &Clock{now: at} }

// Now returns the time; give it to guard.WithClock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set moves the clock to a time, forward or back.
func (c *Clock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = at
}

// Advance moves the clock by d.
func (c *Clock) Advance(d time.Duration) { c.Set(c.Now().Add(d)) }

// Tracer notes what it is told. It is safe for concurrent use; the zero Tracer
// is ready to use.
type Tracer struct {
	Trace rationale.TraceContext // what Host returns

	mu       sync.Mutex
	decided  []*rationale.Decision
	executed []*rationale.Decision
	finished []*rationale.Outcome
	changed  []*rationale.Lifecycle
}

type executionKey struct{}

// Host returns t.Trace.
func (t *Tracer) Host(context.Context) rationale.TraceContext { return t.Trace }

// Decided notes the decision.
func (t *Tracer) Decided(_ context.Context, d *rationale.Decision, _ time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.decided = append(t.decided, d)
}

// Execute notes the decision, and returns a context from which [Execution]
// reads its id.
func (t *Tracer) Execute(ctx context.Context, d *rationale.Decision) context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.executed = append(t.executed, d)
	return context.WithValue(ctx, executionKey{}, d.ID)
}

// Finished notes the outcome; where ctx is not the one that Execute returned
// for the decision, as one that names no decision.
func (t *Tracer) Finished(ctx context.Context, d *rationale.Decision, o *rationale.Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if Execution(ctx) != d.ID {
		o = &rationale.Outcome{}
	}
	t.finished = append(t.finished, o)
}

// Changed notes the record.
func (t *Tracer) Changed(_ context.Context, l *rationale.Lifecycle) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed = append(t.changed, l)
}

// Execution returns the id of the decision whose execution a [Tracer] put into
// ctx, or "".
func Execution(ctx context.Context) string {
	id, _ := ctx.Value(executionKey{}).(string)
	return id
}

// Told is what a [Tracer] was told, in order.
type Told struct {
	Decided, Executed []*rationale.Decision
	Finished          []*rationale.Outcome
	Changed           []*rationale.Lifecycle
}

// Told returns what the tracer was told so far.
func (t *Tracer) Told() Told {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Told{
		Decided:  append([]*rationale.Decision(nil), t.decided...),
		Executed: append([]*rationale.Decision(nil), t.executed...),
		Finished: append([]*rationale.Outcome(nil), t.finished...),
		Changed:  append([]*rationale.Lifecycle(nil), t.changed...),
	}
}
