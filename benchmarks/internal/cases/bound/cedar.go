package bound

import (
	"fmt"

	"github.com/cedar-policy/cedar-go"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

// policy is the bound in Cedar, whose fractions are decimals of four places.
const policy = `permit (principal, action, resource) when {
	["eu-west-1", "eu-central-1", "eu-north-1"].contains(context.region) &&
	context.replicas >= 3 && context.replicas <= 60 &&
	context.amount.lessThan(decimal("1000.0")) &&
	context.replicas <= context.current * 2
};`

// cedarGo is cedar-go as in its README: one policy set, parsed once. There is no
// entity to look up.
func cedarGo(qs []question) (measure.Impl, error) {
	policies, err := cedar.NewPolicySetFromBytes("bound.cedar", []byte(policy))
	if err != nil {
		return measure.Impl{}, err
	}
	requests := make([]cedar.Request, len(qs))
	for i := range qs {
		context, err := record(&qs[i])
		if err != nil {
			return measure.Impl{}, fmt.Errorf("input %q: %w", qs[i].name, err)
		}
		requests[i] = cedar.Request{
			Principal: cedar.NewEntityUID("Agent", "payments-autoscaler"),
			Action:    cedar.NewEntityUID("Action", "call"),
			Resource:  cedar.NewEntityUID("Tool", "k8s.scale_deployment"),
			Context:   context,
		}
	}
	holds := func(request cedar.Request) bool {
		decision, _ := cedar.Authorize(policies, nil, request)
		return decision == cedar.Allow
	}
	return measure.Asked("cedar-go", requests, timed, holds, nil), nil
}

func record(q *question) (cedar.Record, error) {
	values := cedar.RecordMap{}
	var failed error
	q.values(func(_, name string, value any) {
		switch value := value.(type) {
		case string:
			values[cedar.String(name)] = cedar.String(value)
		case int64:
			values[cedar.String(name)] = cedar.Long(value)
		case float64:
			values[cedar.String(name)], failed = cedar.NewDecimalFromFloat(value)
		}
	})
	return cedar.NewRecord(values), failed
}
