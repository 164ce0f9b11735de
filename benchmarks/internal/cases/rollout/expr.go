package rollout

import (
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

const exprRule = `all(regions, # startsWith 'eu-' && len(#) <= 16) and ` +
	`none(labels, # endsWith '-legacy' || # contains 'debug') and ` +
	`one(labels, # startsWith 'team-') and ` +
	`count(steps, # > 10) <= 2 and ` +
	`image startsWith registry + '/' and ` +
	`now >= opens and now + duration('30m') <= closes and ` +
	`int(now.Weekday()) in [1, 2, 3, 4] and now.Hour() >= 6`

func exprLang(qs []question) (measure.Impl, error) {
	environment := func(q question) map[string]any {
		return map[string]any{
			"regions": q.regions, "labels": q.labels, "steps": q.steps, "image": q.image,
			"registry": q.registry, "opens": q.opens, "closes": q.closes, "now": q.now,
		}
	}
	program, err := expr.Compile(exprRule, expr.Env(environment(question{})), expr.AsBool(), expr.Timezone(time.UTC.String()))
	if err != nil {
		return measure.Impl{}, err
	}
	inputs := make([]map[string]any, len(qs))
	for i, q := range qs {
		inputs[i] = environment(q)
	}
	var machine vm.VM
	holds := func(in map[string]any) bool {
		out, err := machine.Run(program, in)
		return err == nil && out == true
	}
	return measure.Asked("expr", inputs, timed, holds, nil), nil
}
