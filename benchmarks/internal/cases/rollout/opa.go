package rollout

import (
	"context"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

// Times are nanoseconds since 1970, which is what Rego's functions take.
const module = `package rollout

default allow := false

allow if {
	every region in input.args.regions {
		startswith(region, "eu-")
		count(region) <= 16
	}
	not unfit
	count([label | some label in input.args.labels; startswith(label, "team-")]) == 1
	count([step | some step in input.args.steps; step > 10]) <= 2
	startswith(input.args.image, concat("", [input.facts.registry, "/"]))
	input.call.time >= input.facts.opens
	input.call.time + 1800000000000 <= input.facts.closes
	time.weekday(input.call.time) in {"Monday", "Tuesday", "Wednesday", "Thursday"}
	time.clock(input.call.time)[0] >= 6
}

unfit if {
	some label in input.args.labels
	endswith(label, "-legacy")
}

unfit if {
	some label in input.args.labels
	contains(label, "debug")
}`

func opa(qs []question) (measure.Impl, error) {
	ctx := context.Background()
	query, err := rego.New(rego.Query("data.rollout.allow"), rego.Module("rollout.rego", module)).PrepareForEval(ctx)
	if err != nil {
		return measure.Impl{}, err
	}
	inputs := make([]ast.Value, len(qs))
	for i, q := range qs {
		inputs[i], err = ast.InterfaceToValue(map[string]any{
			"args":  map[string]any{"regions": q.regions, "labels": q.labels, "steps": q.steps, "image": q.image},
			"facts": map[string]any{"registry": q.registry, "opens": q.opens.UnixNano(), "closes": q.closes.UnixNano()},
			"call":  map[string]any{"time": q.now.UnixNano()},
		})
		if err != nil {
			return measure.Impl{}, err
		}
	}
	holds := func(in ast.Value) bool {
		results, err := query.Eval(ctx, rego.EvalParsedInput(in))
		return err == nil && results.Allowed()
	}
	return measure.Asked("opa", inputs, timed, holds, nil), nil
}
