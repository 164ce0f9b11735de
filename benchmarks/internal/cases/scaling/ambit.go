package scaling

import (
	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/benchmarks/internal/policy"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

// compiled returns the authorization of the cases as ambit compiles it.
func compiled() (*authority.Set, error) {
	return authority.Load([]authority.Document{policy.Autoscaler(grantedAt, expiresAt)}, policy.Manifest(), authority.AllowUnsigned())
}

func ambit(qs []question) (func(*question, int) outcome, error) {
	set, err := compiled()
	if err != nil {
		return nil, err
	}
	inputs := make([]authority.Input, len(qs))
	for i := range qs {
		inputs[i] = authority.Input{Facts: qs[i].facts.values()}
	}
	return func(q *question, i int) outcome {
		e := set.Evaluate(authority.Call{
			At: q.at, Agent: rationale.Agent{ID: q.agent, Environment: q.environment},
			Model: rationale.Model{Provider: "anthropic", Name: q.model, Version: modelVersion, Basis: "reported"},
			Tool:  classify.ToolID{Name: q.tool}, CallID: "call-1", Arguments: q.args,
		}, inputs[i])
		return translate(e)
	}, nil
}

// values is the snapshot as a host keeps it.
func (s *snapshot) values() map[string]authority.FactValue {
	facts := map[string]authority.FactValue{}
	if s.current != nil {
		facts["current_replicas"] = authority.FactValue{Value: *s.current, At: s.taken}
	}
	if s.freeze != nil {
		facts["change_freeze"] = authority.FactValue{Value: *s.freeze, At: s.taken}
	}
	return facts
}

func translate(e authority.Evaluation) outcome {
	o := outcome{}
	switch e.Verdict {
	case rationale.Allow:
		o.verdict = allow
	case rationale.Pend:
		o.verdict = pend
	}
	if e.Class != "" {
		o.tier = tierOf(e.Tier)
	}
	for _, r := range e.Reasons {
		o.reasons |= reasonOf(r)
	}
	return o
}

func tierOf(t classify.Tier) tier {
	switch t {
	case classify.Parameterized:
		return parameterized
	case classify.BoundedEscalation:
		return boundedEscalation
	case classify.AuthorizationRequired:
		return authorizationRequired
	}
	return noTier
}

func reasonOf(r rationale.Reason) reasons {
	for i, name := range reasonNames {
		if string(r) == name {
			return 1 << i
		}
	}
	return another
}
