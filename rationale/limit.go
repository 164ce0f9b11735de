package rationale

import "time"

// DefaultLease is how long the outcome of a call that takes of its limits may
// take, where the Terms do not say.
const DefaultLease = 15 * time.Minute

// LeaseFrom returns until when the outcome of a call that is admitted at a time is
// expected: for as long as Lease says, and for [DefaultLease] where that is not positive.
func (t *Terms) LeaseFrom(at time.Time) time.Time {
	if t.Lease > 0 {
		return at.Add(t.Lease)
	}
	return at.Add(DefaultLease)
}

// Limit is a limit over time: on what is spent in a window, or on the number of
// calls. It is in the draft, so that a ledger decides from the draft alone, and in
// the record, so that its state can be rebuilt from the records alone.
//
// What shares a limit: the calls of one agent in its environment in one class of
// one authorization, whatever the version; or, with a CostCentre, every call of
// every authorization that is booked there. Limits with another Per, Zone or
// Currency are others, and count apart.
type Limit struct {
	Kind       CheckKind `json:"kind"`                 // CheckWindow or CheckRate
	ID         string    `json:"id"`                   // of its check, such as "windows[0]", "rate" or "budget CC-4471 windows[0]"
	CostCentre string    `json:"cost_centre,omitzero"` // of a shared budget
	Max        string    `json:"max"`                  // exact decimal; of a rate, the number of calls
	Currency   string    `json:"currency,omitzero"`    // of Max; a rate has none
	Per        string    `json:"per"`                  // a duration as time.ParseDuration reads it, sliding; or hour, day, week, month
	Zone       string    `json:"zone,omitzero"`        // of the calendar, by its IANA name
	From       time.Time `json:"from,omitzero"`        // of the calendar window that the call is counted in
	Until      time.Time `json:"until,omitzero"`       // its end, which is no longer part of it
}

// Takes reports whether the decision takes of its limits: an allowed call in
// Enforce mode. What is observed, denied or pends takes nothing.
func (d *Decision) Takes() bool {
	return d.Verdict == Allow && d.Mode == Enforce && len(d.Limits) > 0
}

// Settlement is how a person says that a call ended whose outcome is unknown,
// or did not come within its lease, and what it cost.
type Settlement struct {
	Kind     Kind      `json:"kind"` // KindSettlement
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Decision string    `json:"decision"`
	// Status is what became known: StatusSuccess, StatusError or
	// StatusNotExecuted, which frees all that the call took.
	Status Status `json:"status"`
	// Spent is the actual amount in the decision's currency, an exact decimal;
	// empty where the call has no price, or did not run.
	Spent string `json:"spent,omitzero"`
	By    string `json:"by"`  // the person who settles
	Why   string `json:"why"` // on what ground, such as a statement or a ticket
}
