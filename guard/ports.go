package guard

import (
	"context"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// Ledger admits and records. An implementation must be safe for concurrent use
// and pass guardtest.TestLedger. What it is given it may keep, but not change
// once it has returned.
//
// The guard calls it on contexts that the caller's cancellation does not
// reach, with a deadline of their own. A panic counts as an error.
type Ledger interface {
	// Admit adds the checks that only the ledger can make, concludes the draft
	// ([rationale.Conclude]) and records it, in one atomic and durable step.
	// With an error nothing was admitted, and the guard denies the call with
	// evidence_unavailable. Whether the disk has the record all the same, as
	// after an fsync that failed, is then unknown: an allowed decision without
	// an outcome was not acted upon if its ledger had failed.
	Admit(ctx context.Context, d *rationale.Decision) error
	// Complete records the outcome of an allowed decision. There is exactly
	// one: for a decision that is unknown, was not allowed or already has its
	// outcome, it returns an error and records nothing.
	Complete(ctx context.Context, o *rationale.Outcome) error
	// Record records lifecycle records. With an error none of them counts as
	// recorded, and the guard records them again.
	Record(ctx context.Context, recs ...rationale.Record) error
}

// Tracer turns decisions and outcomes into spans and metrics. An
// implementation must be safe for concurrent use, return quickly, and pass
// guardtest.TestTracer. It cannot fail a call: a panic is recovered and
// ignored. Records that it is given are shared and must not be changed.
type Tracer interface {
	// Host returns the host's own trace, that of the current span in ctx; the
	// zero TraceContext where there is none.
	Host(ctx context.Context) rationale.TraceContext
	// Decided is called once for each evaluation: when its decision is durable,
	// or when it was denied because it could not be made durable (the decision
	// then has the reason evidence_unavailable). Took is how long it lasted.
	Decided(ctx context.Context, d *rationale.Decision, took time.Duration)
	// Execute is called before an allowed tool runs. The context that it
	// returns, derived from ctx, is the one that the tool gets.
	Execute(ctx context.Context, d *rationale.Decision) context.Context
	// Finished is called once for each Execute, with the context that Execute
	// returned. The outcome is the recorded one, or has StatusUnknown where it
	// could not be recorded.
	Finished(ctx context.Context, d *rationale.Decision, o *rationale.Outcome)
	// Changed is called with every lifecycle record, once it is durable.
	Changed(ctx context.Context, l *rationale.Lifecycle)
}

// SubjectKeys keeps the keys of [WithErasure]. journal.Subjects is one, in a
// folder. An implementation must be safe for concurrent use.
type SubjectKeys interface {
	// Key returns the key of a subject, which is not empty, and makes one where
	// there is none. It is durable when Key returns: what is sealed with it must be
	// readable after a crash. A key that was destroyed is never returned again. It
	// is asked for every call, before its decision is recorded.
	Key(ctx context.Context, subject string) (rationale.SubjectKey, error)
	// Erase destroys the key of a subject for good, and then calls record for
	// every erasure that it did not call record for yet, until that returned nil.
	// It reports whether the subject had a key.
	Erase(ctx context.Context, subject, by, why string, record func(context.Context, rationale.Erasure) error) (found bool, err error)
}

// ShadowTracer is a [Tracer] that publishes how the comparisons of [WithShadow]
// come out.
type ShadowTracer interface {
	Tracer
	// Shadow is called once, by [New], for a guard that compares. Counts is
	// [Guard.Disagreements], which the tracer calls when it publishes.
	Shadow(counts func() (compared, differed uint64))
}

// WaitingLedger is a [Ledger] that wakes whoever waits for people ([WithWait]).
type WaitingLedger interface {
	Ledger
	// Wait returns nil once there is something to come of presenting a ticket: it
	// is approved, denied, used, replaced or unknown. When ctx ends before, it
	// returns an error. It need not watch the ticket's expiry.
	Wait(ctx context.Context, ticket string) error
}

// RememberingLedger is a [Ledger] that knows what an earlier process of the host had
// loaded. With any other, a start undoes what left the folder while the host did not
// run: see authority.WithPast.
type RememberingLedger interface {
	Ledger
	// Past returns what the host of an agent had loaded in an environment: the
	// records of its revocations, and of its authorizations' versions. New calls it,
	// once, and changes none of them; nil is no past.
	Past(agent, environment string) []*rationale.Lifecycle
}
