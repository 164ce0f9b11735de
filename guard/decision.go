package guard

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// Decision is the answer of [Guard.Begin]. The zero Decision denies.
type Decision struct {
	// Args are the bytes to run the tool with: those that were checked, without
	// the reserved rationale parameter, in a copy that nothing else refers to.
	// They are nil unless the call is allowed. In observe mode they are the
	// bytes of the call, likewise without that parameter.
	Args []byte

	state *evaluated
}

// evaluated is what the guard keeps of an evaluation until it has ended. It is
// the context that the tool runs with: the one that the tracer derived from the
// caller's, and the decision's id.
type evaluated struct {
	context.Context // nil unless the call is allowed
	record          *rationale.Decision
	started         time.Time
	ended           atomic.Bool
	calls           *sessionCalls // of the session
	subject         rationale.SubjectKey
}

// Value adds the decision's id to the values of the context.
func (e *evaluated) Value(key any) any {
	if key == (decisionKey{}) {
		return e.record.ID
	}
	return e.Context.Value(key)
}

// String names the context as those of package context name themselves.
func (e *evaluated) String() string { return "guard.Decision(" + e.record.ID + ")" }

// Allowed reports whether the tool may run.
func (d Decision) Allowed() bool { return d.Verdict() == rationale.Allow }

// Verdict returns what was decided; Deny for the zero Decision.
func (d Decision) Verdict() rationale.Verdict {
	if d.state == nil {
		return rationale.Deny
	}
	return d.state.record.Verdict
}

// Record returns the decision as it was recorded, sealed where the guard seals
// ([WithErasure]); the zero record, which
// denies, for the zero Decision. What it refers to is shared and must not be
// changed.
func (d Decision) Record() rationale.Decision {
	if d.state == nil {
		return rationale.Decision{}
	}
	return *d.state.record
}

// Refusal returns what the model gets to see in place of the tool's result: a
// JSON object that says why the call did not run, and what would be within
// bounds where that is known. It is nil if and only if the call is allowed.
//
// It holds reason codes, the documents' own words and the model's own
// arguments; never CEL source, values of facts, or names of people. It is at
// most 16 KiB long. It has these members, each absent where it has no value:
//
//	ambit              "deny" or "pend"
//	reasons            reason codes, each once
//	checks             those that did not pass: check, reason, why, message, within
//	rationale_missing  fields to supply in the _rationale parameter
//	evidence_not_found cited call ids that were not executed earlier
//	ticket, expires    of a pend
//	message            one sentence on what to do
func (d Decision) Refusal() []byte {
	if d.Allowed() {
		return nil
	}
	if d.state == nil {
		return refusal(&rationale.Decision{Reasons: []rationale.Reason{rationale.EvaluationError}})
	}
	return refusal(d.state.record)
}
