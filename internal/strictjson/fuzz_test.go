package strictjson_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// seeds are documents that stand for the rules, accepted and refused.
func seeds() []string {
	return []string{
		`{}`, `{"replicas":3}`, `{"replicas":1e2,"ratio":20.00,"kind":"Deployment"}`, `{"REPLICAS":3}`, `{"replicas":1,"replicas":2}`,
		`{"replicas":-0}`, `{"replicas":9223372036854775808}`, `{"ratio":0.1000000000000000055}`, `{"any":[1,[2,[3,{"a":null}]]]}`,
		`{"any":"\ud800"}`, "{\"any\":\"\xff\"}", `{"a\u0000":1}`, "\xEF\xBB\xBF{}", `{} {}`, `[[[[`, `{"\u212aind":"x"}`,
		`{"steps":[{"at":1,"size":2.5}],"labels":{"a":"b"},"replicas":5,"note":null}`, `{"any":1e400}`, `{"any":1e-99999999999}`,
	}
}

func addSeeds(f *testing.F) {
	f.Helper()
	require.NotEmpty(f, seeds())
	for _, s := range seeds() {
		f.Add([]byte(s))
	}
}

func FuzzScan(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		lim := strictjson.DefaultLimits()
		before := bytes.Clone(data)
		err := strictjson.Scan(data, lim)
		require.Equal(t, before, data, "the input is only read")
		if err == nil {
			require.True(t, json.Valid(data), "encoding/json reads what is accepted")
			lim.Bytes = len(data) - 1
			require.Error(t, strictjson.Scan(data, lim))
			return
		}
		var refused *strictjson.Error
		require.ErrorAs(t, err, &refused)
		require.NotEmpty(t, refused.Message)
		require.GreaterOrEqual(t, refused.Offset, int64(0))
		require.LessOrEqual(t, refused.Offset, int64(len(data)))
	})
}

func FuzzDecode(f *testing.F) {
	addSeeds(f)
	typed := compiled(f, scaleSchema)
	open := compiled(f, `{"type":"object"}`)
	f.Fuzz(func(t *testing.T, data []byte) {
		lim := strictjson.DefaultLimits()
		v, err := typed.Decode(data, lim)
		if err != nil {
			require.Equal(t, strictjson.Invalid, v.Kind())
			return
		}
		require.NoError(t, strictjson.Scan(data, lim), "a schema only narrows")
		loose, err := open.Decode(data, lim)
		require.NoError(t, err)
		require.Len(t, loose.Members(), len(v.Members()))

		again, err := typed.Decode(v.AppendJSON(nil), lim)
		require.NoError(t, err)
		require.True(t, v.Equal(again))
		var plain struct {
			Replicas int64  `json:"replicas"`
			Kind     string `json:"kind"`
		}
		if json.Unmarshal(data, &plain) != nil {
			return // 1e2 is an integer here, and an error there
		}
		replicas, _ := v.Get("replicas")
		kind, _ := v.Get("kind")
		require.Equal(t, replicas.Int(), plain.Replicas, "a tool that uses encoding/json reads the same")
		require.Equal(t, kind.Str(), plain.Kind)
	})
}

// Schemas come from tools, so from outside.
func FuzzCompileSchema(f *testing.F) {
	schemas := []string{
		scaleSchema, `{}`, `{"$ref":"#"}`, `{"anyOf":[{"$ref":"#"},{"type":"null"}]}`, `{"properties":{"a":{"$ref":"#/properties/a"}}}`,
		`{"patternProperties":{"(":{}}}`, `{"properties":{"a":{"enum":[]}}}`, `{"allOf":[true,false]}`, `{"items":[{}],"prefixItems":5}`,
		`{"type":["object",null]}`, `{"properties":{"a":{"minimum":1e300,"multipleOf":1e-300}}}`,
	}
	require.NotEmpty(f, schemas)
	for _, s := range schemas {
		f.Add([]byte(s), []byte(`{"a":1}`))
	}
	f.Fuzz(func(t *testing.T, schema, data []byte) {
		s, err := strictjson.CompileSchema(schema)
		if err != nil {
			var refused *strictjson.Error
			require.ErrorAs(t, err, &refused)
			require.Nil(t, s)
			return
		}
		require.Equal(t, strictjson.Object, s.Type().Kind)
		if v, err := s.Decode(data, strictjson.DefaultLimits()); err == nil {
			require.Equal(t, strictjson.Object, v.Kind())
			require.NoError(t, strictjson.Scan(data, strictjson.DefaultLimits()))
		}
	})
}
