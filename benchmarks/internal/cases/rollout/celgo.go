package rollout

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

func celGo(qs []question) (measure.Impl, error) {
	texts := cel.ListType(cel.StringType)
	env, err := cel.NewEnv(
		cel.Variable("args.regions", texts), cel.Variable("args.labels", texts),
		cel.Variable("args.steps", cel.ListType(cel.IntType)), cel.Variable("args.image", cel.StringType),
		cel.Variable("facts.registry", cel.StringType),
		cel.Variable("facts.opens", cel.TimestampType), cel.Variable("facts.closes", cel.TimestampType),
		cel.Variable("call.time", cel.TimestampType),
	)
	if err != nil {
		return measure.Impl{}, err
	}
	checked, issues := env.Compile(Rule)
	if issues.Err() != nil {
		return measure.Impl{}, issues.Err()
	}
	program, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return measure.Impl{}, err
	}
	inputs := make([]map[string]any, len(qs))
	for i, q := range qs {
		inputs[i] = map[string]any{
			"args.regions": q.regions, "args.labels": q.labels, "args.steps": q.steps, "args.image": q.image,
			"facts.registry": q.registry, "facts.opens": q.opens, "facts.closes": q.closes, "call.time": q.now,
		}
	}
	holds := func(in map[string]any) bool {
		out, _, err := program.Eval(in)
		return err == nil && out == types.True
	}
	return measure.Asked("cel-go", inputs, timed, holds, nil), nil
}
