package celplan_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

func typ(k strictjson.Kind) *strictjson.Type { return &strictjson.Type{Kind: k} }

func listOf(t *strictjson.Type) *strictjson.Type {
	return &strictjson.Type{Kind: strictjson.List, Elem: t}
}

func mapOf(t *strictjson.Type) *strictjson.Type {
	return &strictjson.Type{Kind: strictjson.Map, Elem: t}
}

func obj(fields ...strictjson.Field) *strictjson.Type {
	return &strictjson.Type{Kind: strictjson.Object, Fields: fields}
}

func required(name string, t *strictjson.Type) strictjson.Field {
	return strictjson.Field{Name: name, Type: t, Required: true}
}

func optional(name string, t *strictjson.Type) strictjson.Field {
	return strictjson.Field{Name: name, Type: t}
}

func flightType() *strictjson.Type {
	return obj(required("date", typ(strictjson.String)), optional("seats", typ(strictjson.Int)))
}

// testScope declares one of everything.
func testScope() celplan.Scope {
	return celplan.Scope{
		Args: obj(
			optional("amount", typ(strictjson.Double)),
			optional("any", typ(strictjson.Dyn)),
			optional("content-type", typ(strictjson.String)),
			required("dry_run", typ(strictjson.Bool)),
			optional("flights", listOf(flightType())),
			optional("labels", mapOf(typ(strictjson.String))),
			optional("limit", typ(strictjson.Int)),
			optional("missing", typ(strictjson.Int)),
			optional("note", typ(strictjson.String)),
			optional("origin", flightType()),
			required("region", typ(strictjson.String)),
			required("replicas", typ(strictjson.Int)),
			optional("tags", listOf(typ(strictjson.String))),
			optional("timeout", typ(strictjson.Duration)),
		),
		Derived: obj(optional("containers", typ(strictjson.Int))),
		Facts: obj(
			required("current_replicas", typ(strictjson.Int)),
			optional("freeze", typ(strictjson.Bool)),
			optional("since", typ(strictjson.Timestamp)),
		),
	}
}

func testEnv(t testing.TB, opts ...celplan.Option) *celplan.Env {
	env, err := celplan.NewEnv(testScope(), opts...)
	require.NoError(t, err)
	return env
}

// bothPaths returns an environment of testScope for each way of evaluation.
func bothPaths(t testing.TB) map[string]*celplan.Env {
	return map[string]*celplan.Env{
		"native": testEnv(t),
		"cel-go": testEnv(t, celplan.WithMode(celplan.ModeReference)),
	}
}

func object(members ...strictjson.Member) strictjson.Value {
	return strictjson.MapValue(strictjson.Object, members)
}

func member(name string, v strictjson.Value) strictjson.Member {
	return strictjson.Member{Name: name, Value: v}
}

func double(t testing.TB, f float64) strictjson.Value {
	v, err := strictjson.DoubleValue(f)
	require.NoError(t, err)
	return v
}

func strs(values ...string) strictjson.Value {
	elems := make([]strictjson.Value, len(values))
	for i, v := range values {
		elems[i] = strictjson.StringValue(v)
	}
	return strictjson.ListValue(elems)
}

// testInput leaves out args.missing, args.origin and derived.containers.
func testInput(t testing.TB) *celplan.Input {
	return &celplan.Input{
		Args: object(
			member("amount", double(t, 20.5)),
			member("any", strictjson.MapValue(strictjson.Map, []strictjson.Member{
				member("deep", strictjson.MapValue(strictjson.Map, []strictjson.Member{member("n", strictjson.IntValue(7))})),
				member("none", strictjson.NullValue()),
				member("text", strictjson.StringValue("x")),
			})),
			member("content-type", strictjson.StringValue("json")),
			member("dry_run", strictjson.BoolValue(false)),
			member("flights", strictjson.ListValue([]strictjson.Value{
				object(member("date", strictjson.StringValue("2026-01-01")), member("seats", strictjson.IntValue(2))),
				object(member("date", strictjson.StringValue("2026-01-02"))),
			})),
			member("labels", strictjson.MapValue(strictjson.Map, []strictjson.Member{
				member("owner", strictjson.StringValue("dana")), member("team", strictjson.StringValue("sre")),
			})),
			member("region", strictjson.StringValue("eu-west-1")),
			member("replicas", strictjson.IntValue(5)),
			member("tags", strs("a", "b")),
			member("timeout", strictjson.DurationValue(time.Hour)),
		),
		Facts: object(
			member("current_replicas", strictjson.IntValue(4)),
			member("freeze", strictjson.BoolValue(false)), // too old
			member("since", strictjson.TimestampValue(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))),
		),
		Unavailable: map[string]string{"freeze": "timeout after 2s"},
		Call: celplan.CallInfo{
			Tool: "k8s.scale", Agent: "autoscaler", Environment: "prod", Session: "s1",
			Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		},
	}
}

func compile(t testing.TB, env *celplan.Env, src string) *celplan.Program {
	p, err := env.Compile(src, strictjson.Bool)
	require.NoError(t, err, src)
	return p
}

func evalError(t testing.TB, err error) *celplan.EvalError {
	var e *celplan.EvalError
	require.True(t, errors.As(err, &e), "%v", err)
	return e
}
