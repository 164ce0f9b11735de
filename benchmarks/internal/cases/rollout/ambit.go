package rollout

import (
	"github.com/ambit-go/ambit/benchmarks/internal/measure"
	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

func ambit(qs []question) (measure.Impl, error) {
	text, integer := &strictjson.Type{Kind: strictjson.String}, &strictjson.Type{Kind: strictjson.Int}
	at := &strictjson.Type{Kind: strictjson.Timestamp}
	layout := celplan.NewLayout(nil)
	env, err := celplan.NewEnv(celplan.Scope{
		Args: &strictjson.Type{Kind: strictjson.Object, Fields: []strictjson.Field{
			{Name: "image", Type: text},
			{Name: "labels", Type: &strictjson.Type{Kind: strictjson.List, Elem: text}},
			{Name: "regions", Type: &strictjson.Type{Kind: strictjson.List, Elem: text}},
			{Name: "steps", Type: &strictjson.Type{Kind: strictjson.List, Elem: integer}},
		}},
		Facts: &strictjson.Type{Kind: strictjson.Object, Fields: []strictjson.Field{
			{Name: "closes", Type: at}, {Name: "opens", Type: at}, {Name: "registry", Type: text},
		}},
	}, celplan.WithLayout(layout))
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
		frames[i].Load(input(&qs[i]))
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

func input(q *question) *celplan.Input {
	steps := make([]strictjson.Value, len(q.steps))
	for i, s := range q.steps {
		steps[i] = strictjson.IntValue(s)
	}
	return &celplan.Input{
		Args: strictjson.MapValue(strictjson.Object, []strictjson.Member{
			{Name: "image", Value: strictjson.StringValue(q.image)},
			{Name: "labels", Value: texts(q.labels)},
			{Name: "regions", Value: texts(q.regions)},
			{Name: "steps", Value: strictjson.ListValue(steps)},
		}),
		Facts: strictjson.MapValue(strictjson.Object, []strictjson.Member{
			{Name: "closes", Value: strictjson.TimestampValue(q.closes)},
			{Name: "opens", Value: strictjson.TimestampValue(q.opens)},
			{Name: "registry", Value: strictjson.StringValue(q.registry)},
		}),
		Call: celplan.CallInfo{Time: q.now},
	}
}

func texts(list []string) strictjson.Value {
	values := make([]strictjson.Value, len(list))
	for i, s := range list {
		values[i] = strictjson.StringValue(s)
	}
	return strictjson.ListValue(values)
}
