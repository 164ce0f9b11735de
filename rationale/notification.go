package rationale

import (
	"slices"
	"time"

	"github.com/ambit-go/ambit/classify"
)

// NotificationKind says what a [Notification] is about.
type NotificationKind string

const (
	NotifyPend    NotificationKind = "pend"           // a call waits for people
	NotifyDenial  NotificationKind = "denial"         // a call was denied
	NotifyOverdue NotificationKind = "review_overdue" // a review was not done by its due date
	NotifyBudget  NotificationKind = "budget_spent"   // 80 or 100 percent of a window count as spent
)

// Notification is what people have to be told. It is no record, and no evidence:
// it may get lost, and come twice. It says of a call no more than its class lets
// into telemetry, and nothing of what is sealed; every text in it is one line
// ([Printable]) and capped ([Clip]).
type Notification struct {
	ID   string           `json:"id"` // the same however often it is delivered
	Kind NotificationKind `json:"kind"`
	At   time.Time        `json:"at"`

	// Decision is the id of the decision that it is about; of a pend also that of
	// the ticket. A budget has none.
	Decision      string   `json:"decision,omitzero"`
	Agent         string   `json:"agent,omitzero"`
	Environment   string   `json:"environment,omitzero"`
	Authorization string   `json:"authorization,omitzero"`
	Class         string   `json:"class,omitzero"`
	Tool          string   `json:"tool,omitzero"` // server/name; of a tool that is not registered, as the model wrote it
	Reasons       []Reason `json:"reasons,omitempty"`
	Currency      string   `json:"currency,omitzero"`
	Amount        string   `json:"amount,omitzero"` // the price of the call

	// People are those whose turn it is, as ids and group:…: who may approve, or
	// has to review; the first 64. Due is until when.
	People []string  `json:"people,omitempty"`
	Due    time.Time `json:"due,omitzero"`

	// Arguments are the checked ones, and Claim is the purpose that the agent
	// names: words of the model, which prove nothing. Each is there only where
	// the class lets it into telemetry.
	Arguments string `json:"arguments,omitzero"`
	Claim     string `json:"agent_claims,omitzero"`

	Budget *SpentBudget `json:"budget,omitzero"`
}

// SpentBudget is a window of which much is spent. Amounts are exact decimals in
// the notification's Currency.
type SpentBudget struct {
	Percent    int       `json:"percent"` // that were reached: 80 or 100
	Used       string    `json:"used"`    // spent, reserved and held
	Limit      string    `json:"limit"`
	Per        string    `json:"per"` // as in [Limit]
	Zone       string    `json:"zone,omitzero"`
	From       time.Time `json:"from,omitzero"` // of a calendar window
	Until      time.Time `json:"until,omitzero"`
	CostCentre string    `json:"cost_centre,omitzero"` // of a shared budget, which has no class and no agent
}

// Bounds of what a notification says, in bytes and people.
const (
	maxNotifiedName      = 256
	maxNotifiedClaim     = 512
	maxNotifiedArguments = 2048
	maxNotifiedPeople    = 64
)

// NotificationOf returns what people have to be told of a decision, as it was
// concluded: that it pends, or that it denies. Of any other it returns false.
func NotificationOf(d *Decision) (Notification, bool) {
	n := aboutCall(d)
	switch {
	case d.Verdict == Pend && d.Ticket != nil:
		n.Kind, n.People, n.Due = NotifyPend, firstPeople(d.Ticket.By), d.Ticket.Expires
	case d.Verdict == Deny:
		n.Kind = NotifyDenial
	default:
		return Notification{}, false
	}
	n.ID, n.At, n.Reasons = NewID(d.At), d.At, slices.Clone(d.Reasons)
	if slices.Contains(d.Telemetry, "arguments") {
		n.Arguments = notified(string(d.Arguments), maxNotifiedArguments)
	}
	if slices.Contains(d.Telemetry, "rationale") && d.Rationale != nil {
		n.Claim = notified(d.Rationale.Purpose, maxNotifiedClaim)
	}
	return n, true
}

// OverdueNotification says, at a time, that the review which a decision owes is
// overdue. The decision has a Review.
func OverdueNotification(d *Decision, at time.Time) Notification {
	n := aboutCall(d)
	n.ID, n.Kind, n.At = d.ID+"-overdue", NotifyOverdue, at
	n.People, n.Due = firstPeople(d.Review.By), d.Review.Due
	return n
}

func aboutCall(d *Decision) Notification {
	n := Notification{
		Decision: d.ID, Agent: notified(d.Agent.ID, maxNotifiedName), Environment: notified(d.Agent.Environment, maxNotifiedName),
		Class: notified(d.Class, maxNotifiedName),
		Tool:  notified(classify.ToolID{Server: d.Tool.Server, Name: d.Tool.Name}.String(), maxNotifiedName),
	}
	if d.Authorization != nil {
		n.Authorization = notified(d.Authorization.ID, maxNotifiedName)
	}
	if d.Spend != nil {
		n.Currency, n.Amount = d.Spend.Currency, d.Spend.Amount
	}
	return n
}

func notified(text string, limit int) string { return Clip(Printable(text), limit) }

func firstPeople(all []string) []string {
	var named []string
	for _, one := range all[:min(len(all), maxNotifiedPeople)] {
		named = append(named, notified(one, maxNotifiedName))
	}
	return named
}
