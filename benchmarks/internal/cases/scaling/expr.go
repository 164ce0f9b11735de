package scaling

import (
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// exprPrograms are the rules as cel-go has them, compiled for expr.
type exprPrograms struct {
	machine                    vm.VM
	when, large, freeze, price *vm.Program
	allow, bounds              []*vm.Program
}

func exprLang([]question) (func(*question, int) outcome, error) {
	p, err := compileExpr()
	if err != nil {
		return nil, err
	}
	h := newHost(p)
	in := map[string]any{}
	return func(q *question, _ int) outcome {
		var args deployment
		rules, why := h.read(q, &args)
		if why != 0 {
			return refuse(why)
		}
		clear(in)
		in["args_kind"], in["args_workload"], in["args_region"] = *args.Kind, *args.Workload, *args.Region
		in["args_instance_type"], in["args_replicas"] = *args.InstanceType, *args.Replicas
		return rules.assess(q, in)
	}, nil
}

func compileExpr() (*exprPrograms, error) {
	flat := strings.NewReplacer("args.", "args_", "facts.", "facts_")
	env := expr.Env(map[string]any{
		"args_kind": "", "args_workload": "", "args_region": "", "args_instance_type": "", "args_replicas": int64(0),
		"facts_current_replicas": int64(0), "facts_change_freeze": false,
	})
	var failed error
	program := func(rule string, want expr.Option) *vm.Program {
		p, err := expr.Compile(flat.Replace(rule), env, want)
		if err != nil {
			failed = err
		}
		return p
	}
	p := &exprPrograms{
		when: program(celRules.when, expr.AsBool()), large: program(celRules.large, expr.AsBool()),
		freeze: program(celRules.freeze, expr.AsBool()), price: program(celRules.price, expr.AsInt64()),
	}
	for _, rule := range celRules.allow {
		p.allow = append(p.allow, program(rule, expr.AsBool()))
	}
	for _, rule := range celRules.bounds {
		p.bounds = append(p.bounds, program(rule, expr.AsBool()))
	}
	return p, failed
}

func (p *exprPrograms) bool(rule *vm.Program, in map[string]any) (bool, error) {
	out, err := p.machine.Run(rule, in)
	return err == nil && out == true, err
}

func (p *exprPrograms) assess(q *question, in map[string]any) outcome {
	if ok, err := p.bool(p.when, in); err != nil {
		return refuse(evaluationError)
	} else if !ok {
		return refuse(unclassified)
	}
	current, freeze := q.facts.fresh(q.at)
	if current != nil {
		in["facts_current_replicas"] = *current
	}
	if freeze != nil {
		in["facts_change_freeze"] = *freeze
	}
	a := assessment{tier: parameterized}
	a.standing(q)
	for _, rule := range p.allow {
		if ok, err := p.bool(rule, in); err != nil || !ok {
			a.fail(notAllowed)
		}
	}
	for _, rule := range p.bounds {
		if ok, err := p.bool(rule, in); err != nil {
			a.fail(unreadable(current, freeze))
		} else if !ok {
			a.fail(boundViolated)
		}
	}
	if fires, err := p.bool(p.large, in); err != nil {
		a.raise(authorizationRequired, unreadable(current, freeze))
	} else if fires {
		a.raise(boundedEscalation, 0)
	}
	if fires, err := p.bool(p.freeze, in); err != nil {
		a.raise(authorizationRequired, unreadable(current, freeze))
	} else if fires {
		a.raise(authorizationRequired, 0)
	}
	if price, err := p.machine.Run(p.price, in); err != nil {
		a.fail(unpriced)
	} else {
		a.spend(price.(int64))
	}
	return a.conclude()
}
