package bound

import (
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

// exprLang is expr-lang/expr: one program, compiled against the types of its
// environment, on one virtual machine that is used again. A flat map is what it
// reads fastest: a struct of pointers, which could be absent too, takes twice as
// long, and nested maps four times.
func exprLang(qs []question) (measure.Impl, error) {
	rule := strings.NewReplacer("args.", "args_", "facts.", "facts_").Replace(Rule)
	env := map[string]any{"args_region": "", "args_replicas": int64(0), "args_amount": 0.0, "facts_current": int64(0)}
	program, err := expr.Compile(rule, expr.Env(env), expr.AsBool())
	if err != nil {
		return measure.Impl{}, err
	}
	inputs := make([]map[string]any, len(qs))
	for i := range qs {
		inputs[i] = map[string]any{}
		qs[i].values(func(variable, name string, value any) { inputs[i][variable+"_"+name] = value })
	}
	var machine vm.VM
	holds := func(in map[string]any) bool {
		out, err := machine.Run(program, in)
		return err == nil && out == true
	}
	return measure.Asked("expr", inputs, timed, holds, map[string]string{needsOverflow: "integers wrap"}), nil
}
