package bound

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

// celGo is cel-go as its README has it: checked, planned once with constants
// evaluated beforehand, and asked with a map. Variables with dotted names and
// their own types are a third faster there than maps of dyn, structs by
// ext.NativeTypes or an Activation of one's own.
func celGo(qs []question) (measure.Impl, error) {
	env, err := cel.NewEnv(
		cel.Variable("args.region", cel.StringType), cel.Variable("args.replicas", cel.IntType),
		cel.Variable("args.amount", cel.DoubleType), cel.Variable("facts.current", cel.IntType),
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
	for i := range qs {
		inputs[i] = map[string]any{}
		qs[i].values(func(variable, name string, value any) { inputs[i][variable+"."+name] = value })
	}
	holds := func(in map[string]any) bool {
		out, _, err := program.Eval(in)
		return err == nil && out == types.True
	}
	return measure.Asked("cel-go", inputs, timed, holds, nil), nil
}
