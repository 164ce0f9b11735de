package rationale_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/rationale"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name, arguments, rest string
		purpose               string // of the rationale; empty: there is none
		malformed             string
	}{
		{"alone", `{"_rationale":{"purpose":"p"}}`, `{}`, "p", ""},
		{"first", `{"_rationale":{"purpose":"p"},"n":1e2}`, `{"n":1e2}`, "p", ""},
		{"last", `{"n" : 1.0,"_rationale":{"purpose":"p"}}`, `{"n" : 1.0}`, "p", ""},
		{"between", "{\n \"b\": \"\\u0041\" ,\"_rationale\":{\"purpose\":\"p\"},\t\"a\": [ 1 ] }", `{"b": "\u0041","a": [ 1 ]}`, "p", ""},
		{"escaped name", `{"\u005frationale":{"purpose":"p"},"n":1}`, `{"n":1}`, "p", ""},
		{"null", `{"_rationale":null,"n":1}`, `{"n":1}`, "", ""},
		{"null fields", `{"_rationale":{"purpose":"p","evidence":null,"fallback":null}}`, `{}`, "p", ""},

		{"none", `{"n":1}`, `{"n":1}`, "", ""},
		{"none, odd spelling kept", ` {"n" :1 } `, ` {"n" :1 } `, "", ""},
		{"deeper", `{"x":{"_rationale":{"purpose":"p"}}}`, `{"x":{"_rationale":{"purpose":"p"}}}`, "", ""},
		{"a value of that text", `{"x":"_rationale"}`, `{"x":"_rationale"}`, "", ""},
		{"name with NUL", `{"_rationale\u0000":{}}`, `{"_rationale\u0000":{}}`, "", ""},
		{"longer name", `{"_rationale2":{},"x_rationale":{}}`, `{"_rationale2":{},"x_rationale":{}}`, "", ""},

		{"array", `[{"_rationale":{}}]`, `[{"_rationale":{}}]`, "", ""},
		{"null arguments", `null`, `null`, "", ""},
		{"empty", ``, ``, "", ""},
		{"broken after it", `{"_rationale":{"purpose":"p"},"n":}`, `{"_rationale":{"purpose":"p"},"n":}`, "", ""},
		{"unfinished", `{"_rationale":{"purpose":"p"}`, `{"_rationale":{"purpose":"p"}`, "", ""},
		{"trailing data", `{"_rationale":{"purpose":"p"}} {}`, `{"_rationale":{"purpose":"p"}} {}`, "", ""},
		{"trailing comma", `{"_rationale":{"purpose":"p"},}`, `{"_rationale":{"purpose":"p"},}`, "", ""},

		{"duplicates elsewhere are not ours", `{"n":1,"_rationale":{"purpose":"p"},"n":2}`, `{"n":1,"n":2}`, "p", ""},
		{"invalid UTF-8 elsewhere is not ours", "{\"n\":\"\xff\",\"_rationale\":{\"purpose\":\"p\"}}", "{\"n\":\"\xff\"}", "p", ""},

		{"twice", `{"_rationale":{"purpose":"p"},"n":1,"_rationale":{}}`, `{"n":1}`, "", "_rationale is given 2 times"},
		{"twice by case", `{"_rationale":{"purpose":"p"},"_RATIONALE":{},"n":1}`, `{"n":1}`, "", "_rationale is given 2 times"},
		{"other case", `{"_Rationale":{"purpose":"p"},"n":1}`, `{"n":1}`, "", "the parameter is written _rationale, in lower case"},
		{"text", `{"_rationale":"because","n":1}`, `{"n":1}`, "", "_rationale is not a JSON object"},
		{"list", `{"_rationale":[{}],"n":1}`, `{"n":1}`, "", "_rationale is not a JSON object"},
		{"unknown property", `{"_rationale":{"purpose":"p","risk\u202e":"low"}}`, `{}`, "", `_rationale.risk\u202e is no property of the rationale`},
		{"the framework's text is not the model's to give", `{"_rationale":{"purpose":"p","text":"approved"}}`, `{}`, "", "_rationale.text is no property of the rationale"},
		{"property in another case", `{"_rationale":{"Purpose":"p"}}`, `{}`, "", "_rationale.Purpose is no property of the rationale"},
		{"property twice", `{"_rationale":{"purpose":"p","purpose":"q"}}`, `{}`, "", "_rationale.purpose is given twice"},
		{"wrong type", `{"_rationale":{"purpose":1}}`, `{}`, "", "_rationale.purpose has the wrong type"},
		{"wrong type inside", `{"_rationale":{"alternatives":[{"option":"a"},"b"]}}`, `{}`, "", "_rationale.alternatives.1 has the wrong type"},
		{"unknown property inside", `{"_rationale":{"alternatives":[{"option":"a","why":"b"}]}}`, `{}`, "", "_rationale.alternatives.0.why is no property of the rationale"},
		{"invalid UTF-8", "{\"_rationale\":{\"purpose\":\"\xff\"},\"n\":1}", `{"n":1}`, "", "_rationale.purpose is not valid JSON in UTF-8"},
		{"lone surrogate", `{"_rationale":{"purpose":"\ud800"},"n":1}`, `{"n":1}`, "", "_rationale.purpose is not valid JSON in UTF-8"},
		{"control character in a citation", `{"_rationale":{"evidence":["a\u001b[2J"]}}`, `{}`, "", "evidence[0] contains control characters"},
		{"too large", `{"_rationale":{"purpose":"` + strings.Repeat("p", rationale.MaxParameter) + `"},"n":1}`, `{"n":1}`, "", "_rationale has 32782 bytes, more than the 32768 allowed"},
		{"too many alternatives", `{"_rationale":{"alternatives":[` + strings.Repeat(`{},`, 16) + `{}]}}`, `{}`, "", "17 alternatives are more than the 16 allowed"},
		{"too many citations", `{"_rationale":{"evidence":[` + strings.Repeat(`"a",`, 64) + `"a"]}}`, `{}`, "", "65 evidence entries are more than the 64 allowed"},
		{"citation too long", `{"_rationale":{"evidence":["` + strings.Repeat("a", 1025) + `"]}}`, `{}`, "", "evidence[0] has 1025 bytes, more than the 1024 allowed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			arguments := []byte(c.arguments)
			rest, r, malformed := rationale.Split(arguments)
			assert.Equal(t, c.rest, string(rest))
			assert.Equal(t, c.arguments, string(arguments), "the input changed")
			assert.Equal(t, c.malformed, malformed)
			if c.purpose == "" {
				assert.Nil(t, r)
				return
			}
			require.NotNil(t, r)
			assert.Equal(t, c.purpose, r.Purpose)
		})
	}
}

func TestSplitReadsEveryField(t *testing.T) {
	_, r, malformed := rationale.Split([]byte(`{"_rationale":{"purpose":"p\n\t1","expected":"e","alternatives":[{"option":"o","rejected":"r"}],` +
		`"evidence":["call-1","https://x/y"],"fallback":"f","uncertainty":"u"}}`))
	require.Empty(t, malformed)
	assert.Equal(t, &rationale.Rationale{
		Purpose: "p\n\t1", Expected: "e", Alternatives: []rationale.Alternative{{Option: "o", Rejected: "r"}},
		Evidence: []string{"call-1", "https://x/y"}, Fallback: "f", Uncertainty: "u",
	}, r)
}

func TestSplitTamesText(t *testing.T) {
	long := strings.Repeat("é", 4000)
	_, r, malformed := rationale.Split([]byte(`{"_rationale":{"purpose":"a\u001b[2Jb\u009bc\u202ed\u0000","fallback":"` + long + `"}}`))
	require.Empty(t, malformed)
	assert.Equal(t, "a\ufffd[2Jb\ufffdc\ufffdd\ufffd", r.Purpose)
	assert.LessOrEqual(t, len(r.Fallback), rationale.MaxField)
	assert.True(t, strings.HasSuffix(r.Fallback, "é…[cut: 8000 bytes]"), "%s", r.Fallback[len(r.Fallback)-30:])
}

// What is left is every other member, byte for byte and in order, and what a
// reader of the whole would have seen in them.
func TestSplitKeepsTheRest(t *testing.T) {
	space := rapid.StringMatching("[ \n\t\r]{0,2}")
	value := rapid.SampledFrom([]string{`1e2`, `-0.50`, `"\u0041\/"`, `{ "_rationale" : 1 }`, `[1 ,2]`, `null`, `"é"`, `true`})
	rapid.Check(t, func(t *rapid.T) {
		var all, others []string
		for i := range rapid.IntRange(0, 5).Draw(t, "members") {
			m := fmt.Sprintf(`"k%d"%s:%s%s`, i, space.Draw(t, "s"), space.Draw(t, "s"), value.Draw(t, "v"))
			all, others = append(all, m), append(others, m)
		}
		i := rapid.IntRange(0, len(all)).Draw(t, "place")
		all = append(all[:i], append([]string{`"_rationale":{"purpose":"p"}`}, all[i:]...)...)
		separator := space.Draw(t, "before") + "," + space.Draw(t, "after")
		arguments := space.Draw(t, "lead") + "{" + strings.Join(all, separator) + "}" + space.Draw(t, "trail")
		rest, r, malformed := rationale.Split([]byte(arguments))
		assert.Equal(t, "{"+strings.Join(others, ",")+"}", string(rest))
		assert.Empty(t, malformed)
		assert.NotNil(t, r)
	})
}

func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		`{"_rationale":{"purpose":"p"},"n":1}`, `{"_Rationale":1,"_rationale":2}`, `{}`, `[]`, `{"a":{"_rationale":{}}}`,
		`{"\u005frationale":{"evidence":["a"]},"a":"\ud800"}`, `{"_rationale":{"purpose":"p"},"n":`, "{\"\xff\":1}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, arguments []byte) {
		before := bytes.Clone(arguments)
		rest, r, malformed := rationale.Split(arguments)
		require.Equal(t, before, arguments)
		require.False(t, r != nil && malformed != "", "both read and malformed")
		again, r2, malformed2 := rationale.Split(rest)
		require.Equal(t, string(rest), string(again), "something was left behind")
		if jsontext.Value(arguments).IsValid() {
			require.True(t, jsontext.Value(rest).IsValid(), "valid arguments became invalid: %q", rest)
			require.Nil(t, r2)
			require.Empty(t, malformed2)
		}
		if r != nil {
			_, err := rationale.Marshal(&rationale.Decision{ID: "1", Rationale: r})
			require.NoError(t, err)
		}
	})
}

func TestWithText(t *testing.T) {
	assert.Nil(t, rationale.WithText(nil, "", "", "adk"))
	r := &rationale.Rationale{Purpose: "p"}
	assert.Same(t, r, rationale.WithText(r, "", "", "adk"))
	with := rationale.WithText(r, "hi\xff", strings.Repeat("x", 1<<20), "adk")
	assert.Equal(t, &rationale.Rationale{Purpose: "p"}, r, "the input changed")
	assert.Equal(t, "p", with.Purpose)
	assert.Equal(t, "hi\ufffd", with.Text)
	assert.Equal(t, "adk", with.Source)
	assert.Len(t, with.Reasoning, rationale.MaxReasoning)
	assert.Contains(t, with.Reasoning, "…[cut: 1048576 bytes]")
	assert.Equal(t, "t", rationale.WithText(nil, "t", "", "").Text)
}

func TestSchemaIsValidAndComplete(t *testing.T) {
	var schema struct {
		Properties           map[string]json.RawMessage
		Required             []rationale.Field
		AdditionalProperties *bool
	}
	require.NoError(t, json.Unmarshal(rationale.Schema(rationale.Fallback, rationale.Purpose, "nonsense"), &schema))
	assert.Len(t, schema.Properties, len(rationale.Fields()))
	for _, field := range rationale.Fields() {
		assert.Contains(t, schema.Properties, string(field))
	}
	assert.Equal(t, []rationale.Field{rationale.Purpose, rationale.Fallback}, schema.Required)
	assert.False(t, *schema.AdditionalProperties)
	assert.NotContains(t, string(rationale.Schema()), `"required":[]`)
	assert.Contains(t, string(rationale.Schema()), fmt.Sprintf(`"maxItems":%d,"items":{"type":"object"`, rationale.MaxAlternatives))
	assert.Contains(t, string(rationale.Schema()), fmt.Sprintf(`"maxItems":%d,"items":{"type":"string"`, rationale.MaxEvidence))
}

func TestAddParameter(t *testing.T) {
	param := string(rationale.Schema())
	purpose := string(rationale.Schema(rationale.Purpose))
	for _, c := range []struct {
		name, schema string
		required     []rationale.Field
		want, err    string
	}{
		{name: "no schema", want: `{"type":"object","additionalProperties":false,"properties":{"_rationale":` + param + `}}`},
		{
			name: "everything else stays", schema: `{ "additionalProperties":false,"type" : "object","properties":{"b":{"type":"number","maximum":1e2},"a":{}}}`,
			want: `{"additionalProperties":false,"type" : "object","properties":{"b":{"type":"number","maximum":1e2},"a":{},"_rationale":` + param + `}}`,
		},
		{
			name: "required", schema: `{"required":["a"],"properties":{"a":{}}}`, required: []rationale.Field{rationale.Purpose},
			want: `{"required":["a","_rationale"],"properties":{"a":{},"_rationale":` + purpose + `}}`,
		},
		{
			name: "required of none", schema: `{"type":"object"}`, required: []rationale.Field{rationale.Purpose},
			want: `{"type":"object","properties":{"_rationale":` + purpose + `},"required":["_rationale"]}`,
		},
		{name: "name taken", schema: `{"properties":{"_rationale":{}}}`, err: `add _rationale to the schema: it already has a property "_rationale"`},
		{name: "name taken in another case", schema: `{"properties":{"_RATIONALE":{}}}`, err: `add _rationale to the schema: it already has a property "_RATIONALE"`},
		{name: "boolean schema", schema: `true`, err: `add _rationale to the schema: not a JSON object`},
		{name: "another type", schema: `{"type":["object","null"]}`, err: `add _rationale to the schema: its type is ["object","null"], not "object"`},
		{name: "repeated keyword", schema: `{"properties":{},"properties":{}}`, err: `add _rationale to the schema: it is not valid JSON, or repeats a name`},
		{name: "broken", schema: `{`, err: `add _rationale to the schema: it is not valid JSON, or repeats a name`},
		{name: "broken properties", schema: `{"properties":[]}`, err: `add _rationale to the schema: properties: not a JSON object`},
		{name: "broken required", schema: `{"required":"a"}`, required: []rationale.Field{rationale.Purpose}, err: `add _rationale to the schema: required is not a list of names`},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := c.schema
			got, err := rationale.AddParameter(json.RawMessage(c.schema), c.required)
			assert.Equal(t, before, c.schema)
			if c.err != "" {
				require.EqualError(t, err, c.err)
				assert.Nil(t, got)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, string(got))
			assert.True(t, jsontext.Value(got).IsValid())
		})
	}
}

// What the strict decoder refuses for its size is not parsed before.
func TestSplitLeavesHugeArgumentsAlone(t *testing.T) {
	for name, arguments := range map[string]string{
		"bytes":   `{"_rationale":{},"a":"` + strings.Repeat("a", 2<<20) + `"}`,
		"members": `{"_rationale":{},` + strings.Repeat(`"a":1,`, 10_000) + `"b":1}`,
	} {
		rest, r, malformed := rationale.Split([]byte(arguments))
		assert.Equal(t, arguments, string(rest), name)
		assert.Nil(t, r, name)
		assert.Empty(t, malformed, name)
	}
	huge := []byte("{" + strings.Repeat(`"":1,`, 1<<20) + `"a":1}`)
	assert.Less(t, testing.AllocsPerRun(3, func() { rationale.Split(huge) }), 10.0)
}
