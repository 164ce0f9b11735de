package scaling

import "strings"

// outcome is what a check concludes. Outcomes are compared, so every engine uses
// the words of this project.
type outcome struct {
	verdict verdict
	tier    tier
	reasons reasons
}

type verdict uint8

const (
	deny verdict = iota
	pend
	allow
)

type tier uint8

const (
	noTier tier = iota // of a call without a class
	parameterized
	boundedEscalation
	authorizationRequired
)

// reasons is a set.
type reasons uint16

const (
	unknownTool reasons = 1 << iota
	invalidArguments
	noAuthorization
	unclassified
	notYetEffective
	expired
	reviewLapsed
	pinMismatch
	notAllowed
	boundViolated
	evaluationError
	factUnavailable
	unpriced
	spendLimit
	approvalRequired
	another // that no engine but ambit knows: it never equals theirs
)

var reasonNames = [...]string{
	"unknown_tool", "invalid_arguments", "no_authorization", "unclassified", "not_yet_effective", "expired", "review_lapsed",
	"pin_mismatch", "not_allowed", "bound_violated", "evaluation_error", "fact_unavailable", "unpriced", "spend_limit", "approval_required",
	"another reason",
}

func (o outcome) String() string {
	words := []string{
		[...]string{"deny", "pend", "allow"}[o.verdict],
		[...]string{"-", "parameterized", "bounded_escalation", "authorization_required"}[o.tier],
	}
	for i, name := range reasonNames {
		if o.reasons&(1<<i) != 0 {
			words = append(words, name)
		}
	}
	return strings.Join(words, " ")
}

func refuse(why reasons) outcome { return outcome{reasons: why} }

// assessment adds up what the rules of a class say.
type assessment struct {
	tier    tier
	reasons reasons
	failed  bool
}

func (a *assessment) fail(why reasons) {
	a.failed = true
	a.reasons |= why
}

// raise raises the tier; why is zero where nothing went wrong.
func (a *assessment) raise(to tier, why reasons) {
	a.tier = max(a.tier, to)
	a.reasons |= why
}

// The bands of what one call may cost, in ten-thousandths of a euro.
const (
	bandParameterized = 250_0000
	bandEscalation    = 1000_0000
	bandAuthorization = 5000_0000
)

func (a *assessment) spend(amount int64) {
	switch {
	case amount <= bandParameterized:
	case amount <= bandEscalation:
		a.raise(boundedEscalation, 0)
	case amount <= bandAuthorization:
		a.raise(authorizationRequired, 0)
	default:
		a.fail(spendLimit)
	}
}

func (a *assessment) conclude() outcome {
	if a.tier == authorizationRequired {
		a.reasons |= approvalRequired
	}
	o := outcome{tier: a.tier, reasons: a.reasons}
	switch {
	case a.failed:
		o.verdict = deny
	case a.tier == authorizationRequired:
		o.verdict = pend
	default:
		o.verdict = allow
	}
	return o
}
