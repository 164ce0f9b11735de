package scaling

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// celRules are the rules of the class in CEL, but for the allow-lists those of
// the document. Each is a program of its own, so that each can fail by itself.
var celRules = struct {
	when                 string
	allow, bounds        []string
	large, freeze, price string
}{
	when:   `args.kind == 'Deployment'`,
	allow:  []string{`args.region in ['eu-west-1', 'eu-central-1']`, `args.workload in ['payments-api', 'payments-worker']`},
	bounds: []string{`args.replicas >= 3 && args.replicas <= 60`, `args.replicas <= facts.current_replicas * 2`},
	large:  `args.replicas > facts.current_replicas + 10`,
	freeze: `facts.change_freeze`,
	price: `(args.replicas - facts.current_replicas) * {'m7g.large': 952, 'm7g.xlarge': 1904, 'm7g.metal': 26112, ` +
		`'p5.48xlarge': 983200}[args.instance_type] * 24`,
}

// celPrograms are the compiled rules.
type celPrograms struct {
	when, large, freeze, price cel.Program
	allow, bounds              []cel.Program
}

func compileCEL() (*celPrograms, error) {
	env, err := cel.NewEnv(
		cel.Variable("args.kind", cel.StringType), cel.Variable("args.workload", cel.StringType),
		cel.Variable("args.region", cel.StringType), cel.Variable("args.instance_type", cel.StringType),
		cel.Variable("args.replicas", cel.IntType),
		cel.Variable("facts.current_replicas", cel.IntType), cel.Variable("facts.change_freeze", cel.BoolType),
	)
	if err != nil {
		return nil, err
	}
	var failed error
	program := func(rule string) cel.Program {
		checked, issues := env.Compile(rule)
		if issues.Err() != nil {
			failed = issues.Err()
			return nil
		}
		p, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize))
		if err != nil {
			failed = err
		}
		return p
	}
	p := &celPrograms{
		when: program(celRules.when), large: program(celRules.large),
		freeze: program(celRules.freeze), price: program(celRules.price),
	}
	for _, rule := range celRules.allow {
		p.allow = append(p.allow, program(rule))
	}
	for _, rule := range celRules.bounds {
		p.bounds = append(p.bounds, program(rule))
	}
	return p, failed
}

func celBool(p cel.Program, in map[string]any) (bool, error) {
	out, _, err := p.Eval(in)
	return err == nil && out == types.True, err
}

func (p *celPrograms) assess(q *question, in map[string]any) outcome {
	if ok, err := celBool(p.when, in); err != nil {
		return refuse(evaluationError)
	} else if !ok {
		return refuse(unclassified)
	}
	current, freeze := q.facts.fresh(q.at)
	if current != nil {
		in["facts.current_replicas"] = *current
	}
	if freeze != nil {
		in["facts.change_freeze"] = *freeze
	}
	a := assessment{tier: parameterized}
	a.standing(q)
	for _, rule := range p.allow {
		if ok, err := celBool(rule, in); err != nil || !ok {
			a.fail(notAllowed)
		}
	}
	for _, rule := range p.bounds {
		if ok, err := celBool(rule, in); err != nil {
			a.fail(unreadable(current, freeze))
		} else if !ok {
			a.fail(boundViolated)
		}
	}
	if fires, err := celBool(p.large, in); err != nil {
		a.raise(authorizationRequired, unreadable(current, freeze))
	} else if fires {
		a.raise(boundedEscalation, 0)
	}
	if fires, err := celBool(p.freeze, in); err != nil {
		a.raise(authorizationRequired, unreadable(current, freeze))
	} else if fires {
		a.raise(authorizationRequired, 0)
	}
	if price, _, err := p.price.Eval(in); err != nil {
		a.fail(unpriced)
	} else {
		a.spend(int64(price.(types.Int)))
	}
	return a.conclude()
}

// argument is what the schema of the tool says of one argument.
type argument struct {
	variable string
	integer  bool
	required bool
}

var schema = map[string]argument{
	"kind":          {variable: "args.kind", required: true},
	"workload":      {variable: "args.workload", required: true},
	"region":        {variable: "args.region", required: true},
	"instance_type": {variable: "args.instance_type", required: true},
	"replicas":      {variable: "args.replicas", integer: true, required: true},
	"ticket":        {variable: "args.ticket"},
}

// celGoMap is a host that learns its tools' schemas when it runs, as ambit does:
// encoding/json reads the arguments into a map, with numbers as they are
// written, and the host sees to names, types and what is required.
func celGoMap([]question) (func(*question, int) outcome, error) {
	programs, err := compileCEL()
	if err != nil {
		return nil, err
	}
	h := newHost(programs)
	required := 0
	for _, a := range schema {
		if a.required {
			required++
		}
	}
	in := map[string]any{}
	return func(q *question, _ int) outcome {
		if !h.knows(q) {
			return refuse(unknownTool)
		}
		clear(in)
		if err := decodeMap(q.args, required, in); err != nil {
			return refuse(invalidArguments)
		}
		rules, why := h.find(q)
		if why != 0 {
			return refuse(why)
		}
		return rules.assess(q, in)
	}, nil
}

func decodeMap(raw []byte, required int, in map[string]any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var object map[string]any
	if err := dec.Decode(&object); err != nil {
		return err
	}
	if len(bytes.TrimSpace(raw[dec.InputOffset():])) > 0 {
		return fmt.Errorf("something follows the arguments")
	}
	for name, value := range object {
		declared, ok := schema[name]
		if !ok {
			return fmt.Errorf("there is no argument %s", name)
		}
		if declared.required {
			required--
		}
		switch value := value.(type) {
		case string:
			if declared.integer {
				return fmt.Errorf("%s is no integer", name)
			}
			in[declared.variable] = value
		case json.Number:
			number, err := strconv.ParseInt(string(value), 10, 64)
			if err != nil || !declared.integer {
				return fmt.Errorf("%s is no integer", name)
			}
			in[declared.variable] = number
		default:
			return fmt.Errorf("%s is of another type", name)
		}
	}
	if required > 0 {
		return fmt.Errorf("a required argument is absent")
	}
	return nil
}

// celGoStruct is a host that knew the tool when it was compiled, which decodes
// faster.
func celGoStruct([]question) (func(*question, int) outcome, error) {
	programs, err := compileCEL()
	if err != nil {
		return nil, err
	}
	h := newHost(programs)
	in := map[string]any{}
	return func(q *question, _ int) outcome {
		var args deployment
		rules, why := h.read(q, &args)
		if why != 0 {
			return refuse(why)
		}
		clear(in)
		in["args.kind"], in["args.workload"], in["args.region"] = *args.Kind, *args.Workload, *args.Region
		in["args.instance_type"], in["args.replicas"] = *args.InstanceType, *args.Replicas
		return rules.assess(q, in)
	}, nil
}
