package bound

import (
	"fmt"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

// ambit evaluates the compiled rule on frames that are loaded already.
func ambit(qs []question) (measure.Impl, error) {
	scope := celplan.Scope{
		Args: object(
			strictjson.Field{Name: "amount", Type: &strictjson.Type{Kind: strictjson.Double}},
			strictjson.Field{Name: "region", Type: &strictjson.Type{Kind: strictjson.String}},
			strictjson.Field{Name: "replicas", Type: &strictjson.Type{Kind: strictjson.Int}},
		),
		Facts: object(strictjson.Field{Name: "current", Type: &strictjson.Type{Kind: strictjson.Int}}),
	}
	layout := celplan.NewLayout(nil)
	env, err := celplan.NewEnv(scope, celplan.WithLayout(layout))
	if err != nil {
		return measure.Impl{}, err
	}
	program, err := env.Compile(Rule, strictjson.Bool)
	if err != nil {
		return measure.Impl{}, err
	}
	frames := make([]celplan.Frame, len(qs))
	for i := range qs {
		frames[i].Begin(layout)
		in, err := input(&qs[i])
		if err != nil {
			return measure.Impl{}, err
		}
		frames[i].Load(in)
	}
	return measure.Impl{
		Name: "ambit",
		Run: func(n int) int {
			allowed := 0
			for i := range n {
				if ok, err := program.Bool(&frames[i%timed]); ok && err == nil {
					allowed++
				}
			}
			return allowed
		},
		Answer: func(i int) string {
			ok, err := program.Bool(&frames[i])
			return measure.Answer(ok && err == nil)
		},
	}, nil
}

func object(fields ...strictjson.Field) *strictjson.Type {
	return &strictjson.Type{Kind: strictjson.Object, Fields: fields}
}

func input(q *question) (*celplan.Input, error) {
	members := map[string][]strictjson.Member{}
	var failed error
	q.values(func(variable, name string, value any) {
		var v strictjson.Value
		switch value := value.(type) {
		case string:
			v = strictjson.StringValue(value)
		case int64:
			v = strictjson.IntValue(value)
		case float64:
			v, failed = strictjson.DoubleValue(value)
		}
		members[variable] = append(members[variable], strictjson.Member{Name: name, Value: v})
	})
	if failed != nil {
		return nil, fmt.Errorf("input %q: %w", q.name, failed)
	}
	return &celplan.Input{
		Args:  strictjson.MapValue(strictjson.Object, members["args"]),
		Facts: strictjson.MapValue(strictjson.Object, members["facts"]),
	}, nil
}
