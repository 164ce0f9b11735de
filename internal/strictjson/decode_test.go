package strictjson_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/shareddata"
	"github.com/ambit-go/ambit/internal/strictjson"
)

const scaleSchema = `{
	"type": "object",
	"properties": {
		"kind": {"type": "string", "enum": ["Deployment", "StatefulSet"]},
		"replicas": {"type": "integer", "description": "how many"},
		"ratio": {"type": "number"},
		"dry_run": {"type": "boolean"},
		"note": {"type": ["string", "null"]},
		"zones": {"type": "array", "items": {"type": "string"}},
		"labels": {"type": "object", "additionalProperties": {"type": "string"}},
		"free": {"type": "object"},
		"nothing": {"type": "object", "additionalProperties": false},
		"steps": {"type": "array", "items": {"type": "object", "properties": {
			"at": {"type": "integer"}, "size": {"type": "number"}}, "required": ["at"]}},
		"open": {"type": "object", "properties": {"Known": {"type": "string"}}, "additionalProperties": true},
		"level": {"enum": [1, 2, 5]},
		"mode": {"const": "safe"},
		"any": {}
	},
	"required": ["replicas"]
}`

func compiled(t testing.TB, schema string) *strictjson.Schema {
	t.Helper()
	s, err := strictjson.CompileSchema([]byte(schema))
	require.NoError(t, err)
	return s
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	s := compiled(t, scaleSchema)
	tests := []struct{ name, in, path, message string }{
		{"not an object", `[]`, "", "want object, got an array (byte 0)"},
		{"null", `null`, "", "want object, got null"},
		{"missing", `{"kind":"Deployment"}`, "", "required property replicas is missing (byte 0)"},
		{"missing in element", `{"replicas":1,"steps":[{"at":1},{"size":2}]}`, "steps[1]", "required property at is missing (byte 32)"},
		{"unknown", `{"replicas":1,"colour":1}`, "colour", "unknown property; known: any, dry_run, free"},
		{"unknown and near", `{"replcas":1}`, "replcas", `unknown property; did you mean replicas? known: `},
		{"unknown nested", `{"replicas":1,"steps":[{"at":1,"szie":2}]}`, "steps[0].szie", "did you mean size? known: at, size"},
		{"unknown where none is known", `{"replicas":1,"nothing":{"a":1}}`, "nothing.a", "unknown property; none is known here"},
		{"case variant", `{"REPLICAS":1}`, "REPLICAS", `differs only in case from "replicas"; write "replicas"`},
		{"case variant beside", `{"replicas":1,"Replicas":1000}`, "Replicas", "differs only in case"},
		{"Kelvin sign", `{"replicas":1,"` + "\u212A" + `ind":"x"}`, "[\"\u212Aind\"]", `differs only in case from "kind"`},
		{"escaped Kelvin sign", `{"replicas":1,"\u212aind":"x"}`, "[\"\u212Aind\"]", `differs only in case from "kind"`},
		{"long s", `{"replica` + "\u017F" + `":1}`, "[\"replica\u017F\"]", `differs only in case from "replicas"`},
		{"case variant where more is allowed", `{"replicas":1,"open":{"KNOWN":1}}`, "open.KNOWN", `differs only in case from "Known"`},
		{"NUL suffix", `{"replicas\u0000":1}`, "", `name "replicas\x00" contains NUL`},
		{"NUL in map", `{"replicas":1,"labels":{"a\u0000b":"x"}}`, "labels", "contains NUL"},
		{"duplicate", `{"replicas":1,"replicas":1}`, "replicas", "duplicate property"},
		{"duplicate in map", `{"replicas":1,"labels":{"a":"x","\u0061":"y"}}`, "labels.a", "duplicate property"},
		{"number as string", `{"replicas":"5"}`, "replicas", "want integer, got a string (byte 12)"},
		{"fraction", `{"replicas":1.5}`, "replicas", "want an integer, got 1.5"},
		{"tiny fraction", `{"replicas":1e-1}`, "replicas", "want an integer, got 1e-1"},
		{"integer past int64", `{"replicas":1e19}`, "replicas", "integer 1e19 does not fit 64 bits: -9223372036854775808 to 9223372036854775807"},
		{"integer of many digits", `{"replicas":123456789012345678901234567890}`, "replicas", "does not fit 64 bits"},
		{"whole past int64 with a point", `{"replicas":9223372036854775808.0}`, "replicas", "does not fit 64 bits"},
		{"fraction below int64", `{"replicas":9007199254740992.5}`, "replicas", "want an integer"},
		{"minus zero", `{"replicas":-0.0}`, "replicas", "negative zero"},
		{"bool", `{"replicas":1,"dry_run":"true"}`, "dry_run", "want boolean, got a string"},
		{"bool as number", `{"replicas":1,"dry_run":1}`, "dry_run", "want boolean, got a number"},
		{"string", `{"replicas":1,"zones":[1]}`, "zones[0]", "want string, got a number"},
		{"string or null", `{"replicas":1,"note":true}`, "note", "want one of null, string, got a boolean"},
		{"null for a string", `{"replicas":1,"kind":null}`, "kind", "want string, got null"},
		{"object for array", `{"replicas":1,"zones":{}}`, "zones", "want array, got an object"},
		{"array for object", `{"replicas":1,"labels":[]}`, "labels", "want object, got an array"},
		{"map entry", `{"replicas":1,"labels":{"a":1}}`, "labels.a", "want string, got a number"},
		{"enum", `{"replicas":1,"kind":"Pod"}`, "kind", `want one of "Deployment", "StatefulSet", got "Pod"`},
		{"enum in other case", `{"replicas":1,"kind":"deployment"}`, "kind", `got "deployment"`},
		{"enum homoglyph", `{"replicas":1,"kind":"Depl` + "\u043e" + `yment"}`, "kind", "want one of"},
		{"enum with space", `{"replicas":1,"kind":"Deployment "}`, "kind", "want one of"},
		{"enum of numbers", `{"replicas":1,"level":3}`, "level", "want one of 1, 2, 5, got 3"},
		{"enum of other type", `{"replicas":1,"level":"1"}`, "level", "want integer, got a string"},
		{"const", `{"replicas":1,"mode":"fast"}`, "mode", `want "safe", got "fast"`},
		{"inexact number", `{"replicas":1,"ratio":0.1000000000000000055}`, "ratio", "the nearest that it can is 0.1"},
		{"number past 2^53", `{"replicas":1,"ratio":9007199254740993}`, "ratio", "the nearest that it can is 9.007199254740992e+15"},
		{"not finite", `{"replicas":1,"any":1e400}`, "any", "beyond what a double holds"},
		{"untyped integer past int64", `{"replicas":1,"any":[18446744073709551615]}`, "any[0]", "does not fit 64 bits"},
		{"hostile text", `{"replicas":1,"kind":"\u202e\n` + strings.Repeat("x", 500) + `"}`, "kind", `got "\u202e\n` + strings.Repeat("x", 60) + `"…`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v, err := s.Decode([]byte(tt.in), strictjson.DefaultLimits())
			var refused *strictjson.Error
			require.ErrorAs(t, err, &refused)
			assert.Contains(t, refused.Error(), tt.message)
			assert.Equal(t, tt.path, refused.Path)
			assert.Equal(t, strictjson.Invalid, v.Kind(), "nothing is returned beside an error")
		})
	}
}

func TestDecodeRefusesWhatScanRefuses(t *testing.T) {
	t.Parallel()
	s := compiled(t, `{"type":"object","properties":{"v":{}}}`)
	for _, v := range []string{
		`-0`, `1e999`, `NaN`, `"\ud800"`, "\"\xff\"", `{"a":1,"a":1}`, `{"\u0000":1}`, `[`, ``, `1 2`,
		strings.Repeat("[", 40) + strings.Repeat("]", 40), `1} {`,
	} {
		in := []byte(`{"v":` + v + `}`)
		require.Error(t, strictjson.Scan(in, strictjson.DefaultLimits()), v)
		_, err := s.Decode(in, strictjson.DefaultLimits())
		assert.Error(t, err, v)
	}
	_, err := s.Decode([]byte("\xEF\xBB\xBF{}"), strictjson.DefaultLimits())
	require.ErrorContains(t, err, "byte order mark")
	_, err = s.Decode([]byte("{}"), strictjson.Limits{})
	require.Error(t, err, "zero limits refuse")
}

func TestDecodeAccepts(t *testing.T) {
	t.Parallel()
	s := compiled(t, scaleSchema)
	in := ` {"steps":[{"size":1,"at":2.0}],"replicas":1e2,"ratio":20.00,"kind":"Deployment","zones":["a","\u00e9"],
		"labels":{"z":"1","Z":"2"},"free":{"b":[1,1.5,null,{"c":true}]},"open":{"more":1.0,"Known":"k"},"note":null,
		"any":-12.50,"level":2.0,"mode":"safe","dry_run":true}`
	v, err := s.Decode([]byte(in), strictjson.DefaultLimits())
	require.NoError(t, err)

	assert.Equal(t, strictjson.Object, v.Kind())
	names := make([]string, 0, len(v.Members()))
	for _, m := range v.Members() {
		names = append(names, m.Name)
	}
	assert.True(t, slices.IsSorted(names))

	replicas := member(t, v, "replicas")
	assert.Equal(t, strictjson.Int, replicas.Kind())
	assert.Equal(t, int64(100), replicas.Int())
	assert.Equal(t, "1e2", replicas.Literal())
	ratio := member(t, v, "ratio")
	assert.Equal(t, strictjson.Double, ratio.Kind())
	assert.InDelta(t, 20, ratio.Double(), 0)
	assert.Equal(t, "20.00", ratio.Literal(), "the exact decimal survives")
	assert.Equal(t, strictjson.Double, member(t, v, "steps", "size").Kind(), "a whole number is a double where the schema says number")
	assert.Equal(t, int64(2), member(t, v, "steps", "at").Int())
	assert.Equal(t, strictjson.Map, member(t, v, "labels").Kind())
	assert.Equal(t, "2", member(t, v, "labels", "Z").Str())
	assert.Equal(t, "é", member(t, v, "zones").List()[1].Str())
	assert.Equal(t, strictjson.Null, member(t, v, "note").Kind())
	assert.Equal(t, strictjson.Double, member(t, v, "any").Kind())
	assert.Equal(t, strictjson.Int, member(t, v, "open", "more").Kind(), "an untyped whole number is an integer in any spelling")
	assert.Equal(t, strictjson.Int, member(t, v, "level").Kind())

	_, ok := v.Get("missing")
	assert.False(t, ok)
	assert.Equal(t, `{"b":[1,1.5,null,{"c":true}]}`, string(member(t, v, "free").AppendJSON(nil)))
}

// member follows names, taking the first element of a list on the way.
func member(t *testing.T, v strictjson.Value, names ...string) strictjson.Value {
	t.Helper()
	for _, name := range names {
		if v.Kind() == strictjson.List {
			v = v.List()[0]
		}
		var ok bool
		v, ok = v.Get(name)
		require.True(t, ok, name)
	}
	return v
}

func TestDecodeRetainsNothing(t *testing.T) {
	t.Parallel()
	s := compiled(t, scaleSchema)
	in := []byte(`{"replicas":12,"ratio":2.50,"kind":"Deployment","zones":["eu-west-1"],"free":{"name":"value"},"any":123}`)
	v, err := s.Decode(in, strictjson.DefaultLimits())
	require.NoError(t, err)
	before := string(v.AppendJSON(nil))
	for i := range in {
		in[i] = '9'
	}
	assert.Equal(t, before, string(v.AppendJSON(nil)))
	assert.Contains(t, before, `"ratio":2.50`)
	assert.Contains(t, before, `"free":{"name":"value"}`)
}

func TestDecodeWithoutSchemaRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range []*strictjson.Schema{nil, {}} {
		_, err := s.Decode([]byte(`{}`), strictjson.DefaultLimits())
		require.ErrorContains(t, err, "no schema")
		assert.Nil(t, s.Type())
		_, ok := s.Property("")
		assert.False(t, ok)
	}
}

func TestDecodeNoArguments(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", `{"type":"object","properties":{}}`, `{"type":"object","additionalProperties":false}`} {
		s := compiled(t, raw)
		assert.Equal(t, &strictjson.Type{Kind: strictjson.Object}, s.Type())
		_, err := s.Decode([]byte(`{}`), strictjson.DefaultLimits())
		require.NoError(t, err)
		_, err = s.Decode([]byte(`{"a":1}`), strictjson.DefaultLimits())
		require.ErrorContains(t, err, "a: unknown property; none is known here")
	}
}

func TestDecodeConcurrently(t *testing.T) {
	t.Parallel()
	s := compiled(t, `{"properties":{"a":{"type":"string","pattern":"^x+$"},"n":{"type":"integer","minimum":0}}}`)
	done := make(chan error)
	for range 8 {
		go func() {
			for range 300 {
				v, err := s.Decode([]byte(`{"a":"xxx","n":7}`), strictjson.DefaultLimits())
				if err != nil || v.Members()[1].Value.Int() != 7 {
					done <- assert.AnError
					return
				}
				if _, err = s.Decode([]byte(`{"a":"xyx","n":7}`), strictjson.DefaultLimits()); err == nil {
					done <- assert.AnError
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		require.NoError(t, <-done)
	}
}

func TestDecodeAirlineCalls(t *testing.T) {
	t.Parallel()
	schemas := make(map[string]*strictjson.Schema)
	tools, calls := shareddata.Airline(t)
	for _, tool := range tools {
		schemas[tool.Name] = compiled(t, string(tool.Parameters))
	}
	for i, call := range calls {
		require.Contains(t, schemas, call.Tool)
		v, err := schemas[call.Tool].Decode([]byte(call.Arguments), strictjson.DefaultLimits())
		if !assert.NoError(t, err, "call %d, %s(%s)", i, call.Tool, call.Arguments) {
			continue
		}
		assert.JSONEq(t, call.Arguments, string(v.AppendJSON(nil)))
	}
}

func TestDecodeAllocations(t *testing.T) {
	s := compiled(t, scaleSchema)
	in := []byte(`{"kind":"Deployment","replicas":12,"dry_run":false}`)
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := s.Decode(in, strictjson.DefaultLimits()); err != nil {
			t.Error(err)
		}
	})
	assert.LessOrEqual(t, allocs, 5.0+raceAllocs, "two strings and the growing list of members")
}

func BenchmarkDecode(b *testing.B) {
	s := compiled(b, scaleSchema)
	in := []byte(`{"kind":"Deployment","replicas":12,"ratio":0.25,"zones":["eu-west-1","eu-central-1"],"labels":{"app":"payments"},"dry_run":false}`)
	b.Run("strictjson", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(in)))
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Decode(in, strictjson.DefaultLimits()); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(in)))
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				var v map[string]any
				if err := json.Unmarshal(in, &v); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
