package scaling

import (
	"context"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// module is the rules of the class in Rego. A rule whose fact is absent is
// undefined, which refuses nothing, so absence has rules of its own; not of a
// call with an undefined argument would be undefined as well.
const module = `package scaling

result := {"denied": denied, "raised": raised} if input.args.kind == "Deployment"

running_known if is_number(input.facts.current_replicas)

freeze_known if is_boolean(input.facts.change_freeze)

priced if is_number(amount)

denied contains "not_allowed" if not input.args.region in {"eu-west-1", "eu-central-1"}
denied contains "not_allowed" if not input.args.workload in {"payments-api", "payments-worker"}

denied contains "bound_violated" if input.args.replicas < 3
denied contains "bound_violated" if input.args.replicas > 60
denied contains "bound_violated" if input.args.replicas > input.facts.current_replicas * 2
denied contains "fact_unavailable" if not running_known

raised contains "bounded_escalation" if input.args.replicas > input.facts.current_replicas + 10
raised contains "fact_unavailable" if not running_known
raised contains "authorization_required" if input.facts.change_freeze
raised contains "fact_unavailable" if not freeze_known

# in ten-thousandths of a euro
prices := {"m7g.large": 952, "m7g.xlarge": 1904, "m7g.metal": 26112, "p5.48xlarge": 983200}

amount := (input.args.replicas - input.facts.current_replicas) * prices[input.args.instance_type] * 24

denied contains "unpriced" if not priced
denied contains "spend_limit" if amount > 50000000
raised contains "authorization_required" if {
	amount > 10000000
	amount <= 50000000
}
raised contains "bounded_escalation" if {
	amount > 2500000
	amount <= 10000000
}`

func opa([]question) (func(*question, int) outcome, error) {
	ctx := context.Background()
	query, err := rego.New(rego.Query("data.scaling.result"), rego.Module("scaling.rego", module)).PrepareForEval(ctx)
	if err != nil {
		return nil, err
	}
	h := newHost(query)
	return func(q *question, _ int) outcome {
		var args deployment
		rules, why := h.read(q, &args)
		if why != 0 {
			return refuse(why)
		}
		results, err := rules.Eval(ctx, rego.EvalParsedInput(opaInput(q, &args)))
		if err != nil {
			return refuse(evaluationError)
		}
		if len(results) == 0 {
			return refuse(unclassified)
		}
		a := assessment{tier: parameterized}
		a.standing(q)
		a.opa(results[0].Expressions[0].Value)
		return a.conclude()
	}, nil
}

// opaInput makes the evaluator's own value: from Go maps it takes longer.
func opaInput(q *question, args *deployment) ast.Value {
	member := func(name string, value *ast.Term) [2]*ast.Term { return ast.Item(ast.InternedTerm(name), value) }
	current, freeze := q.facts.fresh(q.at)
	var facts [][2]*ast.Term
	if current != nil {
		facts = append(facts, member("current_replicas", ast.InternedTerm(int(*current))))
	}
	if freeze != nil {
		facts = append(facts, member("change_freeze", ast.InternedTerm(*freeze)))
	}
	return ast.NewObject(
		member("args", ast.ObjectTerm(
			member("kind", ast.StringTerm(*args.Kind)), member("workload", ast.StringTerm(*args.Workload)),
			member("region", ast.StringTerm(*args.Region)), member("instance_type", ast.StringTerm(*args.InstanceType)),
			member("replicas", ast.InternedTerm(int(*args.Replicas))),
		)),
		member("facts", ast.ObjectTerm(facts...)),
	)
}

// opa takes in what the query found.
func (a *assessment) opa(result any) {
	object, ok := result.(map[string]any)
	denied, okDenied := object["denied"].([]any)
	raised, okRaised := object["raised"].([]any)
	if !ok || !okDenied || !okRaised {
		a.fail(evaluationError)
		return
	}
	for _, why := range denied {
		switch why {
		case "not_allowed":
			a.fail(notAllowed)
		case "bound_violated":
			a.fail(boundViolated)
		case "fact_unavailable":
			a.fail(factUnavailable)
		case "unpriced":
			a.fail(unpriced)
		case "spend_limit":
			a.fail(spendLimit)
		default:
			a.fail(evaluationError)
		}
	}
	for _, to := range raised {
		switch to {
		case "bounded_escalation":
			a.raise(boundedEscalation, 0)
		case "fact_unavailable":
			a.raise(authorizationRequired, factUnavailable)
		default:
			a.raise(authorizationRequired, 0)
		}
	}
}
