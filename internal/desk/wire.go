package desk

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// Bounds of what is sent over a socket, in bytes.
const (
	maxRequest  = 64 << 10
	maxResponse = 128 << 20 // all that a ledger keeps of tickets, or of reviews, and more
)

// Where each operation is; those that only look answer to GET.
const (
	pathTickets     = "/v1/tickets"
	pathReviews     = "/v1/reviews"
	pathHeld        = "/v1/held"
	pathBudgets     = "/v1/budgets"
	pathSuspensions = "/v1/suspensions"
	pathAnswer      = "/v1/answer"
	pathReview      = "/v1/review"
	pathSettle      = "/v1/settle"
	pathSuspend     = "/v1/suspend"
	pathResume      = "/v1/resume"
	pathUnanswered  = "/v1/unanswered"
	pathAudited     = "/v1/audited"
	pathAnswerAudit = "/v1/answer-audit"
)

// wireTicket is a Ticket as it is sent: records in their canonical encoding.
type wireTicket struct {
	Decision stdjson.RawMessage   `json:"decision"`
	Answers  []stdjson.RawMessage `json:"answers"`
	WhyNot   string               `json:"why_not,omitzero"`
	Payload  string               `json:"payload,omitzero"`
}

type wireOwed struct {
	Decision stdjson.RawMessage `json:"decision"`
	WhyNot   string             `json:"why_not,omitzero"`
}

// wireSuspended is the answer to a suspension.
type wireSuspended struct {
	Warning string `json:"warning,omitzero"`
}

// wireError is the answer to what failed.
type wireError struct {
	Code  string `json:"code"`
	Error string `json:"error"`
}

// codes are the errors that a caller can tell apart.
var codes = []struct {
	code   string
	status int
	err    error
}{
	{"refused", http.StatusConflict, ledger.ErrRefused},
	{"not_held", http.StatusConflict, ledger.ErrNotHeld},
	{"not_permitted", http.StatusForbidden, ErrNotPermitted},
	{"uncertain", http.StatusInternalServerError, journal.ErrUncertain},
}

func codeOf(err error) (code string, status int) {
	for _, c := range codes {
		if errors.Is(err, c.err) {
			return c.code, c.status
		}
	}
	return "failed", http.StatusInternalServerError
}

// remoteError is an error of the host, with its text.
type remoteError struct {
	text string
	kind error // nil: none that a caller can tell apart
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.kind }

func (e wireError) err() error {
	for _, c := range codes {
		if c.code == e.Code {
			return &remoteError{e.Error, c.err}
		}
	}
	return &remoteError{e.Error, nil}
}

func encodeTickets(all []Ticket) ([]wireTicket, error) {
	sent := make([]wireTicket, len(all))
	for i, t := range all {
		sent[i] = wireTicket{WhyNot: t.WhyNot, Payload: t.Payload, Answers: []stdjson.RawMessage{}}
		var err error
		if sent[i].Decision, err = rationale.Marshal(t.Decision); err != nil {
			return nil, err
		}
		for _, a := range t.Answers {
			data, err := rationale.Marshal(a)
			if err != nil {
				return nil, err
			}
			sent[i].Answers = append(sent[i].Answers, data)
		}
	}
	return sent, nil
}

func decodeTickets(sent []wireTicket) ([]Ticket, error) {
	all := make([]Ticket, len(sent))
	for i, t := range sent {
		d, err := rationale.UnmarshalAs[*rationale.Decision](t.Decision)
		if err != nil {
			return nil, err
		}
		if d.Ticket == nil {
			return nil, fmt.Errorf("decision %s has no ticket", rationale.Printable(d.ID))
		}
		all[i] = Ticket{Pending: rationale.Pending{Decision: d}, WhyNot: t.WhyNot, Payload: t.Payload}
		for _, answer := range t.Answers {
			a, err := rationale.UnmarshalAs[*rationale.Approval](answer)
			if err != nil {
				return nil, err
			}
			all[i].Answers = append(all[i].Answers, a)
		}
	}
	return all, nil
}

func encodeOwed(all []Owed) ([]wireOwed, error) {
	sent := make([]wireOwed, len(all))
	for i, o := range all {
		data, err := rationale.Marshal(o.Decision)
		if err != nil {
			return nil, err
		}
		sent[i] = wireOwed{data, o.WhyNot}
	}
	return sent, nil
}

func decodeOwed(sent []wireOwed) ([]Owed, error) {
	all := make([]Owed, len(sent))
	for i, o := range sent {
		d, err := rationale.UnmarshalAs[*rationale.Decision](o.Decision)
		if err != nil {
			return nil, err
		}
		if d.Review == nil {
			return nil, fmt.Errorf("decision %s owes no review", rationale.Printable(d.ID))
		}
		all[i] = Owed{d, o.WhyNot}
	}
	return all, nil
}

func encodeRecords[R rationale.Record](all []R) ([]stdjson.RawMessage, error) {
	sent := make([]stdjson.RawMessage, len(all))
	for i, rec := range all {
		data, err := rationale.Marshal(rec)
		if err != nil {
			return nil, err
		}
		sent[i] = data
	}
	return sent, nil
}
