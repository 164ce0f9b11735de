package celplan_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

const selectorSchema = `{"type":"object","properties":{
	"s":{"type":["string","null"]},"t":{"type":"string"},"n":{"type":"integer"},"b":{"type":"boolean"},"x":{"type":"number"},
	"any":{},"o":{"type":"object","properties":{"k":{"type":"string"}}},"m":{"type":"object","additionalProperties":{"type":"string"}},
	"l":{"type":"array","items":{"type":"string"}}}}`

func selectorEnv(t require.TestingT) (*celplan.Env, *celplan.Layout) {
	schema, err := strictjson.CompileSchema(json.RawMessage(selectorSchema))
	require.NoError(t, err)
	layout := celplan.NewLayout(schema)
	env, err := celplan.NewEnv(celplan.Scope{Args: schema.Type()}, celplan.WithLayout(layout))
	require.NoError(t, err)
	return env, layout
}

func shownValues(values []strictjson.Value) []string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v.AppendJSON(nil))
	}
	return texts
}

func TestSelector(t *testing.T) {
	env, layout := selectorEnv(t)
	for _, tt := range []struct {
		expr   string
		path   []string
		values []string
	}{
		{"args.s == 'a'", []string{"args", "s"}, []string{`"a"`}},
		{"'a' == args.s && args.n > 1", []string{"args", "s"}, []string{`"a"`}},
		{"args.s in ['a', 'b'] && args.n > 1 && args.b", []string{"args", "s"}, []string{`"a"`, `"b"`}},
		{"(args.n == 1 && args.b) && args.s == 'a'", []string{"args", "n"}, []string{`1`}},
		{"args.s == 'a' + 'b'", []string{"args", "s"}, []string{`"ab"`}},
		{"args.n == -5", []string{"args", "n"}, []string{`-5`}},
		{"args.o.k == 'a'", []string{"args", "o", "k"}, []string{`"a"`}},
		{"args.any == 'a'", []string{"args", "any"}, []string{`"a"`}},
		{"call.agent == 'a'", []string{"call", "agent"}, []string{`"a"`}},
		{"args.s == 'a' || args.s in ['b'] || 'c' == args.s", []string{"args", "s"}, []string{`"a"`, `"b"`, `"c"`}},
		{"(args.s == 'a' || args.s == 'b') && args.n == 1", []string{"args", "s"}, []string{`"a"`, `"b"`}},

		{expr: "args.s == 'a' || args.t == 'b'"},         // of two values
		{expr: "args.s == 'a' || args.n > 1"},            //
		{expr: "args.s == 'a' && args.n == 1 || args.b"}, //
		{expr: "args.s != 'a'"},                          // every other value holds
		{expr: "!(args.s == 'a')"},                       //
		{expr: "args.n > 1 && args.s == 'a'"},            // begins otherwise
		{expr: "has(args.s) && args.s == 'a'"},           //
		{expr: "args.s == args.t"},                       // no constant
		{expr: "args.s in ['a', args.t]"},                //
		{expr: "args.s in args.l"},                       //
		{expr: "args.x == 1.0"},                          // numbers of several kinds can be equal
		{expr: "args.b in [true]"},                       // a comparison by any other word
		{expr: "args.any == 1"},                          //
		{expr: "args.any in [true]"},                     //
		{expr: "args.m.k == 'a'"},                        // no declared member
		{expr: "args.m['k'] == 'a'"},                     //
		{expr: "args.l[0] == 'a'"},                       //
		{expr: "args.l.exists(s, s == 'a')"},             //
		{expr: "args.s == 'a' ? true : args.b"},          //
		{expr: "true"},                                   //
		{expr: "args.b"},                                 //
		{expr: "args.s.startsWith('a')"},                 //
		{expr: "size(args.s) == 1"},                      //
	} {
		p, err := env.Compile(tt.expr, strictjson.Bool)
		require.NoError(t, err, tt.expr)
		slot, values, ok := p.Selector()
		require.Equal(t, tt.path != nil, ok, tt.expr)
		if ok {
			assert.Equal(t, layout.Slot(tt.path[0], tt.path[1:]...), slot, tt.expr)
			assert.Equal(t, tt.values, shownValues(values), tt.expr)
		}
	}
	_, _, ok := (*celplan.Program)(nil).Selector()
	assert.False(t, ok)
}

// A selector says when an expression is false, and when it fails, without its
// evaluation.
func TestSelectorKeepsItsPromise(t *testing.T) {
	env, layout := selectorEnv(t)
	leading := []string{
		"args.s == 'a'", "args.s in ['a', 'b', '']", "args.n in [0, 1]", "args.b == false", "args.o.k == 'a'", "args.any == 'a'",
		"args.any in ['a', 'b']", "args.s == 'a' || args.s == 'b'", "'b' == args.t",
	}
	following := []string{"", " && args.n > 0", " && args.t == 'b' || args.b", " && 1 / args.n == 1", " && (args.b || args.x > 1.0)", " && args.m.a == 'x'"}
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		expr := rapid.SampledFrom(leading).Draw(t, "leading") + rapid.SampledFrom(following).Draw(t, "following")
		p, err := env.Compile(expr, strictjson.Bool)
		require.NoError(t, err)
		slot, values, ok := p.Selector()
		if !ok {
			return
		}
		found++
		args := "{"
		for name, texts := range map[string][]string{
			"s": {`"a"`, `"b"`, `""`, `"z"`, `null`}, "t": {`"b"`, `"a"`}, "n": {`0`, `1`, `7`}, "b": {`true`, `false`}, "x": {`0.5`, `2`},
			"any": {`"a"`, `1`, `null`, `["a"]`, `{"a":1}`, `true`}, "o": {`{}`, `{"k":"a"}`, `{"k":"z"}`},
		} {
			if v := rapid.SampledFrom(append(texts, "")).Draw(t, name); v != "" {
				args += strconv.Quote(name) + ":" + v + ","
			}
		}
		if args[len(args)-1] == ',' {
			args = args[:len(args)-1]
		}
		var f celplan.Frame
		f.Begin(layout)
		require.NoError(t, f.ReadArgs([]byte(args+"}"), strictjson.DefaultLimits()))
		v := f.Value(slot)
		holds, err := p.Bool(&f)
		switch {
		case v.Kind() == strictjson.Invalid:
			assert.Error(t, err, "%s of %s", expr, args)
		case !slices.ContainsFunc(values, v.Equal):
			assert.NoError(t, err, "%s of %s", expr, args)
			assert.False(t, holds, "%s of %s", expr, args)
		}
	})
	assert.NotZero(t, found)
}

// Readings are found where Shown says.
func TestShownIsWhereReadingsAre(t *testing.T) {
	env, layout := selectorEnv(t)
	for _, expr := range []string{
		"args.o.k == 'a' && args.m['x'] == 'b' && args.l.all(s, s != args.t) && args.any.x > 1 && has(args.n)",
		"args.l[0] == args.l[1] && args.m.y != ''", "call.tool == 'x' && args.b",
	} {
		p, err := env.Compile(expr, strictjson.Bool)
		require.NoError(t, err, expr)
		var f celplan.Frame
		f.Begin(layout)
		require.NoError(t, f.ReadArgs([]byte(`{"o":{"k":"z"},"m":{"x":"1","y":"2"},"l":["p","q"],"any":{"x":5},"b":true}`), strictjson.DefaultLimits()))
		f.SetCall(celplan.CallInfo{Tool: "the tool"})
		readings, shown := p.Readings(&f), p.Shown()
		require.Len(t, shown, len(readings), expr)
		for i, s := range shown {
			assert.Equal(t, readings[i].Path, s.Path)
			v := strictjson.Value{}
			if s.Slot >= 0 {
				v = f.Value(s.Slot)
			}
			for _, name := range s.Rest {
				v, _ = v.Get(name)
			}
			assert.Equal(t, shownValues([]strictjson.Value{readings[i].Value}), shownValues([]strictjson.Value{v}), "%s: %s", expr, s.Path)
		}
	}
	assert.Nil(t, (*celplan.Program)(nil).Shown())
}
