package guard

import (
	"context"
	"errors"
	"fmt"

	"github.com/ambit-go/ambit/rationale"
)

// End records the outcome of an allowed decision: success when err is nil, a
// panic, not_executed or unknown when err is an *[Error] of that code
// ([Panicked], [NotExecuted], [Unknown]), and an error otherwise. Result is the tool's result, of which
// the record keeps size and digest; it may be nil.
//
// It works on a context that the cancellation of ctx does not reach, with its
// own deadline of 10 seconds. It may be called once: again, and for a decision
// that did not allow its call, it fails and records nothing. It also fails when
// the outcome could not be recorded, with code [CodeEvidence]: the outcome then
// stays unknown, and the tool's result stands.
func (g *Guard) End(ctx context.Context, d Decision, result []byte, err error) error {
	return g.end(ctx, d, result, err, statusOf(err))
}

func (g *Guard) end(ctx context.Context, d Decision, result []byte, failure error, status rationale.Status) error {
	if !g.usable() || d.state == nil || !d.Allowed() {
		return &Error{Code: CodeNotAllowed, Message: "the call was not allowed: it has no outcome"}
	}
	if !d.state.ended.CompareAndSwap(false, true) {
		return &Error{Code: CodeEnded, Message: "decision " + d.state.record.ID + " already has its outcome"}
	}
	if ctx == nil {
		ctx = context.Background()
	}
	now := g.clock.latest()
	o := &rationale.Outcome{
		Kind: rationale.KindOutcome, ID: rationale.NewID(now), At: now,
		Decision: d.state.record.ID, Started: d.state.started, Status: status,
	}
	if failure != nil {
		o.ErrorType = errorType(failure, status)
	}
	g.keepResult(o, d.state.record.Terms, result, failure)
	if d.state.subject.ID != "" {
		_ = o.Seal(d.state.subject) // it sealed the decision
	}
	o.Spent = g.spent(d.state.record, result, status)
	return g.complete(ctx, d.state, o)
}

// keepResult records of the result what the class keeps of it.
func (g *Guard) keepResult(o *rationale.Outcome, terms rationale.Terms, result []byte, failure error) {
	if terms.OmitResult {
		return
	}
	if failure != nil {
		o.Error = errorText(failure)
	}
	if result != nil {
		o.ResultDigest, o.ResultBytes = rationale.Digest(result), int64(len(result))
	}
	if !terms.KeyResult {
		return
	}
	if o.Error != "" {
		o.Error = g.recordKey.DigestText("results.error", o.Error)
	}
	if result != nil {
		o.ResultDigest, o.ResultBytes = g.recordKey.Digest("results", result), 0 // a length tells short results apart
	}
}

func (g *Guard) complete(ctx context.Context, e *evaluated, o *rationale.Outcome) error {
	err := g.atLedger(ctx, func(ctx context.Context) error { return g.ledger.Complete(ctx, o) })
	if err != nil {
		unknown := *o
		unknown.Status = rationale.StatusUnknown
		g.tracer.finished(e.Context, e.record, &unknown)
		return &Error{Code: CodeEvidence, Message: "the outcome of decision " + e.record.ID + " could not be recorded and stays unknown", Err: err}
	}
	if o.Status == rationale.StatusSuccess {
		g.sessions.touch(e.calls)
		e.calls.succeed(e.record.CallID)
	}
	g.tracer.finished(e.Context, e.record, o)
	return nil
}

func statusOf(err error) rationale.Status {
	if err == nil {
		return rationale.StatusSuccess
	}
	// Not errors.As: an error that a tool passes on from a guarded call of its
	// own says nothing about how the tool itself ended.
	if e, ok := err.(*Error); ok && e != nil {
		switch e.Code {
		case CodePanic:
			return rationale.StatusPanic
		case CodeNotExecuted:
			return rationale.StatusNotExecuted
		case CodeUnknown:
			return rationale.StatusUnknown
		}
	}
	return rationale.StatusError
}

// errorType names an error with low cardinality: "canceled", "timeout",
// "panic", or the Go type below the wrappers of package fmt.
func errorType(err error, status rationale.Status) (name string) {
	defer func() {
		if recover() != nil {
			name = fmt.Sprintf("%T", err)
		}
	}()
	if e, ok := err.(*Error); ok && e != nil && e.Err != nil {
		err = e.Err
	}
	switch {
	case status == rationale.StatusPanic:
		return "panic"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil || fmt.Sprintf("%T", err) != "*fmt.wrapError" {
			return fmt.Sprintf("%T", err)
		}
		err = inner
	}
}
