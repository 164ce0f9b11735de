package guard

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

const (
	maxRefusedChecks = 24
	maxRefusalText   = 512     // bytes of one text in a refusal
	maxAnswerText    = 4 << 10 // of what people answered, escaped
	maxRefusal       = 16 << 10
)

type refusalBody struct {
	Ambit    string             `json:"ambit"`
	Reasons  []rationale.Reason `json:"reasons,omitempty"`
	Checks   []refusedCheck     `json:"checks,omitempty"`
	Missing  []rationale.Field  `json:"rationale_missing,omitempty"`
	NotFound []string           `json:"evidence_not_found,omitempty"`
	Ticket   string             `json:"ticket,omitempty"`
	Expires  string             `json:"expires,omitempty"`
	Message  string             `json:"message"`
}

type refusedCheck struct {
	Check   string           `json:"check"`
	Reason  rationale.Reason `json:"reason,omitempty"`
	Why     string           `json:"why,omitempty"`
	Message string           `json:"message,omitempty"`
	Within  string           `json:"within,omitempty"`
}

// refusal writes what the model sees of a call that did not run.
func refusal(d *rationale.Decision) []byte {
	body := refusalBody{
		Ambit: d.Verdict.String(), Reasons: d.Reasons, Checks: refusedChecks(d.Checks), Message: advice(d),
	}
	if c := d.RationaleCheck; c != nil && slices.Contains(d.Reasons, rationale.RationaleIncomplete) {
		body.Missing = c.Missing
		cited := c.NotFound
		if c.Told != nil {
			cited = c.Told
		}
		for _, id := range cited[:min(len(cited), maxRefusedChecks)] {
			body.NotFound = append(body.NotFound, shown(id))
		}
	}
	if d.Verdict == rationale.Pend {
		body.Ticket = d.ID
		if d.Ticket != nil {
			body.Expires = d.Ticket.Expires.UTC().Format(time.RFC3339)
		}
	}
	text, err := json.Marshal(body)
	for err == nil && len(text) > maxRefusal && len(body.Checks)+len(body.NotFound) > 0 {
		body.Checks, body.NotFound = body.Checks[:len(body.Checks)/2], nil
		text, err = json.Marshal(body)
	}
	return text
}

// refusedChecks are the checks that did not pass, first that of what people
// answered: it is left out last.
func refusedChecks(checks []rationale.Check) []refusedCheck {
	var refused []refusedCheck
	for _, answered := range [...]bool{true, false} {
		for i := range checks {
			c := &checks[i]
			if c.Result == rationale.Passed || (c.Kind == rationale.CheckApproval) != answered || len(refused) == maxRefusedChecks {
				continue
			}
			refused = append(refused, refusedCheck{
				Check: shown(c.ID), Reason: c.Reason, Why: shown(c.Why), Message: messageOf(c), Within: shown(c.Within),
			})
		}
	}
	return refused
}

// messageOf is what the model gets to read of a check's message: what people answered
// as a whole.
func messageOf(c *rationale.Check) string {
	message := cmp.Or(c.Told, c.Message)
	switch {
	case c.Kind == rationale.CheckApproval:
		return rationale.Clip(rationale.Printable(message), maxAnswerText)
	case aboutOwnWords(c):
		return shown(message)
	}
	return ""
}

// aboutOwnWords holds for a check whose message speaks of what the model itself
// wrote, or of what is left of a limit. Messages of other checks can carry what a host's system answered.
func aboutOwnWords(c *rationale.Check) bool {
	switch c.Kind {
	case rationale.CheckTool, rationale.CheckArguments, rationale.CheckDerived, rationale.CheckAllow, rationale.CheckRationale,
		rationale.CheckWindow, rationale.CheckRate:
		return true
	case rationale.CheckBound, rationale.CheckBaseline:
		return c.Reason == rationale.BoundViolated || c.Reason == rationale.NotAllowed
	}
	return false
}

func shown(text string) string { return rationale.Clip(rationale.Printable(text), maxRefusalText) }

// advice is the one sentence that tells the model what to do.
func advice(d *rationale.Decision) string {
	if d.Verdict == rationale.Pend {
		return "This call did not run: a human must approve it first. Do not repeat it; continue with other work or report the ticket."
	}
	for _, r := range d.Reasons {
		switch r {
		case rationale.InvalidArguments, rationale.NotAllowed, rationale.BoundViolated, rationale.SpendLimit,
			rationale.RationaleIncomplete, rationale.ApprovalRequired:
		default:
			return "This call did not run, and repeating it as it is will not help: " + hopeless(r)
		}
	}
	if slices.Equal(d.Reasons, []rationale.Reason{rationale.RationaleIncomplete}) {
		return "This call did not run: make it again with the missing fields in " + rationale.Parameter + "."
	}
	return "This call did not run: correct what the checks name, and make it again within bounds."
}

// hopeless says why a reason is not one that the model can correct.
func hopeless(r rationale.Reason) string {
	switch r {
	case rationale.UnknownTool:
		return "there is no such tool."
	case rationale.Unclassified, rationale.NoAuthorization, rationale.AmbiguousClass:
		return "no authorization covers it."
	case rationale.ProhibitedClass:
		return "it is prohibited."
	case rationale.Unpriced:
		return "it has no price."
	case rationale.ApprovalInvalid:
		return "its ticket cannot be used. What people said is among the checks."
	case rationale.Suspended:
		return "it is suspended. Report this to a human."
	case rationale.WindowExhausted, rationale.RateExceeded:
		return "it is more than what is left of what was granted for this period."
	case rationale.EvaluationError, rationale.FactUnavailable, rationale.EvidenceUnavailable, rationale.LedgerUnavailable:
		return "it could not be checked. Report this to a human."
	default:
		return "the authorization for it is not in force. Report this to a human."
	}
}
