package audit

import (
	"time"
)

// Kind says what an audit found of an event or of a decision.
type Kind string

const (
	// Explained: the event carries a key of the decision that it comes from.
	Explained Kind = "explained"
	// ExplainedWeakly: principal, action, resource and time fit a decision, and
	// nothing else names it.
	ExplainedWeakly Kind = "explained_weakly"
	// Unexplained: no record explains the event.
	Unexplained Kind = "unexplained"
	// Unauthorized: there is a record, and it does not cover the event.
	Unauthorized Kind = "unauthorized"
	// Missettled: a person settled the call of the decision as one that did not run,
	// which freed what it held of its limits, and an event shows that it acted. At is the
	// settlement's.
	Missettled Kind = "missettled"
	// Orphan: the decision was allowed and its call reported success, or a person
	// settled it so, and no log has an event of it.
	Orphan Kind = "orphan"
	// UnknownResolved: nobody knew how the call ended, and the log shows it.
	UnknownResolved Kind = "unknown_resolved"
	// LogGap: the decision has no event, and the log has a gap there.
	LogGap Kind = "log_gap"
	// TooEarly: the decision has no event, which may still be delivered.
	TooEarly Kind = "too_early"
)

// Kinds returns all kinds of findings, in the order of a report.
func Kinds() []Kind {
	return []Kind{Explained, ExplainedWeakly, UnknownResolved, Unexplained, Unauthorized, Missettled, Orphan, LogGap, TooEarly}
}

// Finding is what an audit found of one event, or of one decision without one.
type Finding struct {
	Kind     Kind   `json:"finding"`
	Event    string `json:"event"`    // the event's id; empty: there is none
	Decision string `json:"decision"` // the decision's id; empty: there is none
	Why      string `json:"why"`      // one sentence, for people

	At        time.Time `json:"at"` // of the event, else of the decision; of Missettled, of the settlement
	Agent     string    `json:"agent"`
	Principal string    `json:"principal,omitempty"`
	Action    string    `json:"action,omitempty"`
	Resource  string    `json:"resource,omitempty"`
	Class     string    `json:"class,omitempty"` // of the decision
	// Authorization is the id of the one that the decision was made under.
	Authorization string    `json:"authorization,omitempty"`
	Tool          string    `json:"tool,omitempty"`
	Key           string    `json:"key,omitempty"` // where in the event the key stands that joined them
	Log           string    `json:"log,omitempty"` // the log that has the event
	Place         string    `json:"place,omitempty"`
	Record        string    `json:"record,omitempty"` // where the decision's record is
	Nearest       []Nearest `json:"nearest,omitempty"`
	Gap           string    `json:"gap,omitempty"` // of the journal, that the event's record may be lost in
}

// Nearest is a decision near an event that no record explains.
type Nearest struct {
	Decision string    `json:"decision"`
	At       time.Time `json:"at"`
	Tool     string    `json:"tool"`
	Verdict  string    `json:"verdict"`
	Why      string    `json:"why"` // that it does not explain the event
}

func (f *Finding) encode(b *rowOut) {
	b.time(f.At)
	for _, s := range []string{
		f.Event, f.Decision, string(f.Kind), f.Why, f.Agent, f.Principal, f.Action, f.Resource,
		f.Class, f.Authorization, f.Tool, f.Key, f.Log, f.Place, f.Record,
	} {
		b.str(s)
	}
}

func (f *Finding) decode(r *rowIn) {
	*f = Finding{At: r.time()}
	for _, s := range []*string{
		&f.Event, &f.Decision, (*string)(&f.Kind), &f.Why, &f.Agent, &f.Principal, &f.Action, &f.Resource,
		&f.Class, &f.Authorization, &f.Tool, &f.Key, &f.Log, &f.Place, &f.Record,
	} {
		*s = r.str()
	}
}
