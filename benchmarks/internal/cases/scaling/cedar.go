package scaling

import (
	"github.com/cedar-policy/cedar-go"
)

// cedarPrice is in ten-thousandths of a euro: Cedar's decimals cannot be
// multiplied. Each policy that needs the price computes it.
const cedarPrice = `(context.replicas - context.current_replicas) * ` +
	`(if context.instance_type == "m7g.large" then 952 else if context.instance_type == "m7g.xlarge" then 1904 ` +
	`else if context.instance_type == "m7g.metal" then 26112 else 983200) * 24`

// cedarPolicies are the rules of the class. The kind of what is scaled is the
// action, so that the policies' scopes are what finds the class. A rule that may
// fail forbids, since all that forbid are named in the answer; what only raises
// the tier forbids too, and the host tells them apart by their ids.
var cedarPolicies = map[cedar.PolicyID]string{
	"class": `permit (principal, action == Action::"Deployment", resource);`,
	"allow region": `forbid (principal, action == Action::"Deployment", resource)
		unless { ["eu-west-1", "eu-central-1"].contains(context.region) };`,
	"allow workload": `forbid (principal, action == Action::"Deployment", resource)
		unless { ["payments-api", "payments-worker"].contains(context.workload) };`,
	"bound 0": `forbid (principal, action == Action::"Deployment", resource)
		unless { context.replicas >= 3 && context.replicas <= 60 };`,
	"bound 1": `forbid (principal, action == Action::"Deployment", resource)
		unless { context.replicas <= context.current_replicas * 2 };`,
	"trigger large_step": `forbid (principal, action == Action::"Deployment", resource)
		when { context.replicas > context.current_replicas + 10 };`,
	"trigger change_freeze": `forbid (principal, action == Action::"Deployment", resource)
		when { context.change_freeze };`,
	"price": `forbid (principal, action == Action::"Deployment", resource)
		unless { ["m7g.large", "m7g.xlarge", "m7g.metal", "p5.48xlarge"].contains(context.instance_type) };`,
	"band 1": `forbid (principal, action == Action::"Deployment", resource) when { ` + cedarPrice + ` > 2500000 };`,
	"band 2": `forbid (principal, action == Action::"Deployment", resource) when { ` + cedarPrice + ` > 10000000 };`,
	"band 3": `forbid (principal, action == Action::"Deployment", resource) when { ` + cedarPrice + ` > 50000000 };`,
}

func cedarGo([]question) (func(*question, int) outcome, error) {
	policies := cedar.NewPolicySet()
	for id, text := range cedarPolicies {
		var p cedar.Policy
		if err := p.UnmarshalCedar([]byte(text)); err != nil {
			return nil, err
		}
		policies.Add(id, &p)
	}
	h := newHost(policies)
	return func(q *question, _ int) outcome {
		var args deployment
		rules, why := h.read(q, &args)
		if why != 0 {
			return refuse(why)
		}
		current, freeze := q.facts.fresh(q.at)
		decision, found := cedar.Authorize(rules, nil, cedarRequest(q, &args, current, freeze))
		if decision == cedar.Deny && len(found.Reasons) == 0 {
			return refuse(unclassified)
		}
		a := assessment{tier: parameterized}
		a.standing(q)
		a.cedar(found, unreadable(current, freeze))
		return a.conclude()
	}, nil
}

func cedarRequest(q *question, args *deployment, current *int64, freeze *bool) cedar.Request {
	context := cedar.RecordMap{
		"workload": cedar.String(*args.Workload), "region": cedar.String(*args.Region),
		"instance_type": cedar.String(*args.InstanceType), "replicas": cedar.Long(*args.Replicas),
	}
	if current != nil {
		context["current_replicas"] = cedar.Long(*current)
	}
	if freeze != nil {
		context["change_freeze"] = cedar.Boolean(*freeze)
	}
	return cedar.Request{
		Principal: cedar.NewEntityUID("Agent", cedar.String(q.agent)),
		Action:    cedar.NewEntityUID("Action", cedar.String(*args.Kind)),
		Resource:  cedar.NewEntityUID("Tool", cedar.String(q.tool)),
		Context:   cedar.NewRecord(context),
	}
}

// cedar takes in what the policies found. A policy that gave an error forbids
// nothing in Cedar, so the host must look at the errors as well.
func (a *assessment) cedar(found cedar.Diagnostic, broken reasons) {
	for _, r := range found.Reasons {
		switch r.PolicyID {
		case "allow region", "allow workload":
			a.fail(notAllowed)
		case "bound 0", "bound 1":
			a.fail(boundViolated)
		case "price":
			a.fail(unpriced)
		}
	}
	for _, e := range found.Errors {
		switch e.PolicyID {
		case "bound 0", "bound 1":
			a.fail(broken)
		case "trigger large_step", "trigger change_freeze":
			a.raise(authorizationRequired, broken)
		case "price", "band 1", "band 2", "band 3":
			a.fail(unpriced)
		default:
			a.fail(evaluationError)
		}
	}
	band := cedar.PolicyID("")
	for _, r := range found.Reasons {
		switch r.PolicyID {
		case "trigger large_step":
			a.raise(boundedEscalation, 0)
		case "trigger change_freeze":
			a.raise(authorizationRequired, 0)
		case "band 1", "band 2", "band 3":
			band = max(band, r.PolicyID)
		}
	}
	if a.reasons&unpriced == 0 {
		a.band(band)
	}
}

func (a *assessment) band(highest cedar.PolicyID) {
	switch highest {
	case "band 1":
		a.raise(boundedEscalation, 0)
	case "band 2":
		a.raise(authorizationRequired, 0)
	case "band 3":
		a.fail(spendLimit)
	}
}
