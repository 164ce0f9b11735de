package rationale

import "slices"

// Verdict is what an evaluation concludes. The zero Verdict denies.
type Verdict uint8

const (
	Deny  Verdict = iota // the call does not run
	Pend                 // the call waits for people
	Allow                // the call runs
)

// String returns "deny", "pend" or "allow"; every other value is "deny".
func (v Verdict) String() string {
	switch v {
	case Pend:
		return "pend"
	case Allow:
		return "allow"
	default:
		return "deny"
	}
}

// MarshalText encodes the verdict's name.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText never fails: unknown text decodes to Deny.
func (v *Verdict) UnmarshalText(text []byte) error {
	switch string(text) {
	case "pend":
		*v = Pend
	case "allow":
		*v = Allow
	default:
		*v = Deny
	}
	return nil
}

// Standing says whether an authorization is in force, and if not, why. It is
// computed, never written. The zero Standing is StandingNone, which denies.
type Standing uint8

// The standings, from the one that names no authorization to the one in force.
// Where several hold at once, the record names the first of this order.
const (
	StandingNone Standing = iota
	StandingRevoked
	StandingSuspended
	StandingUnsigned
	StandingSuperseded
	StandingNotYetEffective
	StandingExpired
	StandingPinMismatch
	StandingReviewLapsed
	StandingActive
)

var standingNames = [...]string{
	"none", "revoked", "suspended", "unsigned", "superseded",
	"not_yet_effective", "expired", "pin_mismatch", "review_lapsed", "active",
}

// String returns the standing's name; "none" for every unknown value.
func (s Standing) String() string {
	if int(s) < len(standingNames) {
		return standingNames[s]
	}
	return standingNames[StandingNone]
}

// MarshalText encodes the standing's name.
func (s Standing) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText never fails: unknown text decodes to StandingNone.
func (s *Standing) UnmarshalText(text []byte) error {
	i := slices.Index(standingNames[:], string(text))
	*s = Standing(max(i, 0))
	return nil
}

// Recommendable reports whether a class whose document says
// when_lapsed: authorization_required still recommends (pends) in this
// standing, instead of denying.
func (s Standing) Recommendable() bool {
	return s == StandingReviewLapsed || s == StandingPinMismatch
}

// Reason returns the reason code of a standing that is not active.
func (s Standing) Reason() Reason {
	switch {
	case s == StandingActive:
		return ""
	case s == StandingNone || s > StandingActive:
		return NoAuthorization
	default:
		return Reason(s.String())
	}
}

// Reason is a code that says why a call was denied or pends.
type Reason string

const (
	UnknownTool         Reason = "unknown_tool"
	InvalidArguments    Reason = "invalid_arguments"
	Unclassified        Reason = "unclassified"
	AmbiguousClass      Reason = "ambiguous_class"
	NoAuthorization     Reason = "no_authorization"
	NotYetEffective     Reason = "not_yet_effective"
	Expired             Reason = "expired"
	ReviewLapsed        Reason = "review_lapsed"
	Suspended           Reason = "suspended"
	Revoked             Reason = "revoked"
	Superseded          Reason = "superseded"
	Unsigned            Reason = "unsigned"
	PinMismatch         Reason = "pin_mismatch"
	NotAllowed          Reason = "not_allowed"
	BoundViolated       Reason = "bound_violated"
	EvaluationError     Reason = "evaluation_error"
	FactUnavailable     Reason = "fact_unavailable"
	Unpriced            Reason = "unpriced"
	SpendLimit          Reason = "spend_limit"
	WindowExhausted     Reason = "window_exhausted"
	RateExceeded        Reason = "rate_exceeded"
	ApprovalRequired    Reason = "approval_required"
	ApprovalInvalid     Reason = "approval_invalid"
	ReviewDebt          Reason = "review_debt"
	AuditDebt           Reason = "audit_debt"
	RationaleIncomplete Reason = "rationale_incomplete"
	ProhibitedClass     Reason = "prohibited"
	EvidenceUnavailable Reason = "evidence_unavailable"
	LedgerUnavailable   Reason = "ledger_unavailable"
)

// Reasons returns every reason code in the order in which refusals list them.
func Reasons() []Reason {
	return []Reason{
		UnknownTool, InvalidArguments, Unclassified, AmbiguousClass, NoAuthorization,
		NotYetEffective, Expired, ReviewLapsed, Suspended, Revoked, Superseded, Unsigned,
		PinMismatch, NotAllowed, BoundViolated, EvaluationError, FactUnavailable, Unpriced,
		SpendLimit, WindowExhausted, RateExceeded, ApprovalRequired, ApprovalInvalid,
		ReviewDebt, AuditDebt, RationaleIncomplete, ProhibitedClass, EvidenceUnavailable,
		LedgerUnavailable,
	}
}

// Mode says whether verdicts are enforced.
type Mode uint8

const (
	Enforce Mode = iota
	// Observe records what the verdict would have been and lets the call
	// through. It is granted by an authorization, and ends.
	Observe
)

// String returns "enforce" or "observe"; every other value is "enforce".
func (m Mode) String() string {
	if m == Observe {
		return "observe"
	}
	return "enforce"
}

// MarshalText encodes the mode's name.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText never fails: unknown text decodes to Enforce.
func (m *Mode) UnmarshalText(text []byte) error {
	*m = Enforce
	if string(text) == "observe" {
		*m = Observe
	}
	return nil
}
