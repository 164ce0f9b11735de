package strictjson_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/shareddata"
	"github.com/ambit-go/ambit/internal/strictjson"
)

func TestCompileSchemaRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, schema, path, message string }{
		{"not JSON", `{"type":`, "type", "ends too early"},
		{"duplicate key", `{"type":"object","type":"object"}`, "type", "duplicate property"},
		{"null", `null`, "#", "want an object, got null"},
		{"boolean", `true`, "#", "want an object, got a boolean"},
		{"array at the root", `{"type":"array"}`, "#", "a tool's arguments are an object; the schema wants array"},
		{"string at the root by enum", `{"enum":["a"]}`, "#", "the schema wants string"},
		{"unknown type", `{"properties":{"a":{"type":"int"}}}`, "#/properties/a/type", `unknown type "int"; known: null, boolean, integer`},
		{"type of wrong kind", `{"type":5}`, "#/type", "want a type's name or a list of them, got a number"},
		{"unknown type in a list", `{"properties":{"a":{"type":["string","text"]}}}`, "#/properties/a/type", `unknown type "text"`},
		{"property is no schema", `{"properties":{"a":1}}`, "#/properties/a", "want a schema, got a number"},
		{"properties is no object", `{"type":"object","properties":[]}`, "#/properties", "got array, want object"},
		{"required is no list", `{"type":"object","required":"a"}`, "#/required", "got string, want array"},
		{"required of numbers", `{"type":"object","required":[1]}`, "#/required", "want property names, got a number"},
		{"required but not declared", `{"properties":{"a":{}},"required":["b"]}`, "#/required", `property "b" is required but not declared`},
		{"bad minimum", `{"properties":{"a":{"type":"integer","minimum":"1"}}}`, "#/properties/a/minimum", "got string, want number"},
		{"bad pattern", `{"properties":{"a":{"type":"string","pattern":"("}}}`, "#/properties/a/pattern", "regex"},
		{"negative maxLength", `{"properties":{"a":{"type":"string","maxLength":-1}}}`, "#/properties/a/maxLength", "want at least 0"},
		{"enum without a value of the type", `{"properties":{"a":{"type":"integer","enum":["1"]}}}`, "#/properties/a", "none of the allowed values is of the type"},
		{"contradictory types", `{"properties":{"a":{"allOf":[{"type":"string"},{"type":"integer"}]}}}`, "#/properties/a/allOf/1", "no type is left"},
		{"remote reference", `{"properties":{"a":{"$ref":"https://example.com/a.json"}}}`, "#/properties/a", `$ref "https://example.com/a.json" is not in this schema; nothing is fetched`},
		{"file reference", `{"properties":{"a":{"$ref":"file:///etc/passwd"}}}`, "#/properties/a", "nothing is fetched"},
		{"relative reference", `{"properties":{"a":{"$ref":"other.json#/a"}}}`, "#/properties/a", "nothing is fetched"},
		{"remote reference below not", `{"not":{"$ref":"https://example.com/a.json"}}`, "#", "nothing is fetched"},
		{"file reference below contains", `{"properties":{"a":{"type":"array","contains":{"$ref":"file:///etc/passwd"}}}}`, "#", "nothing is fetched"},
		{"remote dialect", `{"$schema":"https://example.com/dialect","type":"object"}`, "#", "nothing is fetched"},
		{"relative to a remote $id", `{"$id":"https://example.com/x/","properties":{"a":{"not":{"$ref":"y"}}}}`, "#", "nothing is fetched"},
		{"nested $id", `{"properties":{"a":{"$id":"https://example.com/a","type":"string"}}}`, "#/properties/a", "$id below the root is not supported"},
		{"nested id of draft 4", `{"$schema":"http://json-schema.org/draft-04/schema#","properties":{"a":{"id":"x","type":"string"}}}`, "#/properties/a", "id below the root"},
		{"dangling reference", `{"properties":{"a":{"$ref":"#/$defs/none"}}}`, "#/$defs/none", "there is nothing at this place"},
		{"reference into a scalar", `{"title":"x","properties":{"a":{"$ref":"#/title/b"}}}`, "#/title/b", "there is nothing at this place"},
		{"anchor", `{"$defs":{"a":{"$anchor":"a"}},"properties":{"a":{"$ref":"#a"}}}`, "#/properties/a", "is no JSON pointer"},
		{"dynamic reference", `{"properties":{"a":{"$dynamicRef":"#a"}}}`, "#/properties/a", "$dynamicRef is not supported"},
		{"endless reference", `{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"properties":{"a":{"$ref":"#/$defs/a"}}}`, "#/$defs/a", "refers to itself without end"},
		{"endless conjunction", `{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/a"}]}},"properties":{"a":{"$ref":"#/$defs/a"}}}`, "#/$defs/a", "refers to itself without end"},
		{"root refers to itself", `{"$ref":"#"}`, "#", "refers to itself without end"},
		{"too deep", strings.Repeat(`{"items":`, 300) + "{}" + strings.Repeat("}", 300), strings.TrimSuffix(strings.Repeat("items.", 200), "."), "nested deeper than 200"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := strictjson.CompileSchema([]byte(tt.schema))
			var refused *strictjson.Error
			require.ErrorAs(t, err, &refused)
			assert.Nil(t, s)
			assert.Contains(t, refused.Message, tt.message)
			assert.Equal(t, tt.path, refused.Path)
			assert.True(t, strings.HasPrefix(refused.Message, "schema: "))
		})
	}
}

// Alternatives that refer to each other in ever new combinations stop at a limit
// instead of using all memory.
func TestCompileSchemaStopsAtTooManyPlaces(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`{"$defs":{`)
	for i := range 40 {
		name := func(i int) string { return "n" + string(rune('A'+i/26)) + string(rune('a'+i%26)) }
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + name(i) + `":{"properties":{"a":{"$ref":"#/$defs/` + name((i+1)%40) + `"},"b":{"anyOf":[{"$ref":"#/$defs/` +
			name((i+1)%40) + `"},{"$ref":"#/$defs/` + name((i*7+3)%40) + `"}]}}}`)
	}
	b.WriteString(`},"properties":{"a":{"$ref":"#/$defs/nAa"}}}`)
	_, err := strictjson.CompileSchema([]byte(b.String()))
	require.ErrorContains(t, err, "places once its alternatives are combined")
}

// Schemas that nobody here wrote.
func TestCompileSchemaOfRealTools(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(shareddata.Dir(t, "mcp-tools"), "kubernetes.json"))
	require.NoError(t, err)
	var tools []struct {
		Name        string          `json:"name"`
		InputSchema json.RawMessage `json:"inputSchema"`
	}
	require.NoError(t, json.Unmarshal(data, &tools))
	require.Len(t, tools, 20)
	for _, tool := range tools {
		s, err := strictjson.CompileSchema(tool.InputSchema)
		require.NoError(t, err, tool.Name)
		require.Equal(t, strictjson.Object, s.Type().Kind)
		again, err := strictjson.CompileSchema(tool.InputSchema)
		require.NoError(t, err)
		require.Equal(t, describe(s.Type()), describe(again.Type()))
	}
}

func TestSchemaType(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, schema, want string }{
		{"no arguments", ``, `object{}`},
		{"open root", `{"type":"object"}`, `object{*:dyn}`},
		{"typed open root", `{"type":"object","additionalProperties":{"type":"string"}}`, `object{*:string}`},
		{"scalars", `{"properties":{"a":{"type":"string"},"b":{"type":"integer"},"c":{"type":"number"},"d":{"type":"boolean"},"e":{"type":"null"},"f":{}},"required":["b"]}`, `object{a:string b!:int c:double d:bool e:null f:dyn}`},
		{
			"nesting", `{"properties":{"l":{"type":"array","items":{"type":"array","items":{"type":"integer"}}},"m":{"type":"object","additionalProperties":{"type":"number"}},"free":{"type":"object"},"o":{"properties":{"x":{"type":"string"}}},"raw":{"type":"array"}}}`,
			`object{free:map<dyn> l:list<list<int>> m:map<double> o:object{x:string} raw:list<dyn>}`,
		},
		{
			"nullable", `{"properties":{"a":{"type":["integer","null"]},"b":{"anyOf":[{"type":"string"},{"type":"null"}]},"c":{"oneOf":[{"type":"null"},{"$ref":"#/$defs/o"}]}},"$defs":{"o":{"type":"object","properties":{"x":{"type":"number"}}}}}`,
			`object{a:int? b:string? c:object{x:double}?}`,
		},
		{"unions", `{"properties":{"a":{"type":["integer","string"]},"b":{"anyOf":[{"type":"integer"},{"type":"string"}]},"c":{"oneOf":[{"type":"string"},{"type":"string","maxLength":2}]}}}`, `object{a:dyn b:dyn c:dyn}`},
		{"number over integer", `{"properties":{"a":{"type":["integer","number"]}}}`, `object{a:double}`},
		{"references", `{"definitions":{"p~/ %":{"type":"integer"}},"properties":{"a":{"$ref":"#/definitions/p~0~1%20%25"},"b":{"allOf":[{"$ref":"#/properties/a"}],"description":"d"}}}`, `object{a:int b:int}`},
		{"implied by values", `{"properties":{"a":{"enum":["x","y"]},"b":{"const":3},"c":{"enum":["x",null]},"d":{"enum":[1,"x"]},"e":{"const":0.5}}}`, `object{a:string b:int c:string? d:dyn e:double}`},
		{"conjunction", `{"allOf":[{"properties":{"a":{"type":"string"}}},{"properties":{"b":{"type":"integer"}},"required":["b"]}]}`, `object{a:string b!:int}`},
		{"alternatives at the root", `{"type":"object","properties":{"k":{"type":"string"}},"oneOf":[{"properties":{"a":{"type":"string"}}},{"properties":{"b":{"type":"string"},"k":{"const":"x"}}}]}`, `object{a:dyn b:dyn k:string}`},
		{"recursion", `{"properties":{"value":{"type":"integer"},"next":{"$ref":"#"}}}`, `object{next:object{next:dyn value:int} value:int}`},
		{"undeclared required", `{"properties":{"a":{}},"required":["b"],"additionalProperties":{"type":"string"}}`, `object{a:dyn b!:string *:string}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, describe(compiled(t, tt.schema).Type()))
		})
	}
}

func describe(t *strictjson.Type) string {
	out := t.Kind.String()
	switch t.Kind {
	case strictjson.List, strictjson.Map:
		out += "<" + describe(t.Elem) + ">"
	case strictjson.Object:
		var fields []string
		for _, f := range t.Fields {
			name := f.Name
			if f.Required {
				name += "!"
			}
			fields = append(fields, name+":"+describe(f.Type))
		}
		if t.Elem != nil {
			fields = append(fields, "*:"+describe(t.Elem))
		}
		out += "{" + strings.Join(fields, " ") + "}"
	}
	if t.Nullable {
		out += "?"
	}
	return out
}

// Keywords beyond structure, unions, conditions and recursion, each with what
// must pass and what must not.
func TestDecodeKeywords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, schema   string
		accept, refuse []string
		path, message  string // of the first refused
	}{
		{
			"nullable", `{"properties":{"a":{"type":["integer","null"],"enum":[1,null]},"b":{"type":["string","null"],"enum":["x"]}}}`,
			[]string{`{"a":1}`, `{"a":null}`, `{"b":"x"}`},
			[]string{`{"b":null}`, `{"a":2}`, `{"a":"1"}`},
			"b", "want string, got null",
		},
		{
			"minimum", `{"properties":{"a":{"type":"integer","minimum":3,"maximum":9007199254740993}}}`,
			[]string{`{"a":3}`, `{"a":9007199254740993}`},
			[]string{`{"a":2}`, `{"a":9007199254740994}`, `{"a":-3}`},
			"a", "want at least 3, got 2 (byte 1)",
		},
		{
			"maximum beyond int64", `{"properties":{"a":{"type":"integer","minimum":0,"maximum":18446744073709551615}}}`,
			[]string{`{"a":9223372036854775807}`},
			[]string{`{"a":-1}`, `{"a":18446744073709551615}`},
			"a", "want at least 0",
		},
		{
			"exclusive bounds", `{"properties":{"a":{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":0.3}}}`,
			[]string{`{"a":0.29}`},
			[]string{`{"a":0}`, `{"a":0.3}`, `{"a":0.30000000000000004}`},
			"a", "want more than 0, got 0",
		},
		{
			"exclusive bounds of draft 4", `{"$schema":"http://json-schema.org/draft-04/schema#","properties":{"a":{"type":"number","minimum":0,"exclusiveMinimum":true}}}`,
			[]string{`{"a":0.1}`},
			[]string{`{"a":0}`},
			"a", "want more than 0",
		},
		{
			"multipleOf is exact", `{"properties":{"a":{"type":"number","multipleOf":0.01}}}`,
			[]string{`{"a":19.99}`, `{"a":0.07}`, `{"a":4.35}`},
			[]string{`{"a":0.075}`},
			"a", "want a multiple of 0.01, got 0.075",
		},
		{
			"pattern", `{"properties":{"a":{"type":"string","pattern":"^[a-z]+$"}}}`,
			[]string{`{"a":"abc"}`},
			[]string{`{"a":"ab1"}`, `{"a":"abc\n"}`, `{"a":""}`},
			"a", `want text that matches the pattern ^[a-z]+$, got "ab1"`,
		},
		{
			"length", `{"properties":{"a":{"type":"string","minLength":2,"maxLength":3}}}`,
			[]string{`{"a":"ééé"}`},
			[]string{`{"a":"éééé"}`, `{"a":"é"}`},
			"a", "want at most 3 characters",
		},
		{
			"format", `{"properties":{"a":{"type":"string","format":"date"}}}`,
			[]string{`{"a":"2026-02-28"}`},
			[]string{`{"a":"2026-02-30"}`},
			"a", "want text of format date",
		},
		{
			"items", `{"properties":{"a":{"type":"array","items":{"type":"integer","minimum":1},"minItems":1,"maxItems":2,"uniqueItems":true}}}`,
			[]string{`{"a":[1,2]}`},
			[]string{`{"a":[1,0]}`, `{"a":[]}`, `{"a":[1,2,3]}`, `{"a":[1,1.0]}`},
			"a[1]", "want at least 1, got 0 (byte 7)",
		},
		{
			"union of scalars", `{"properties":{"a":{"anyOf":[{"type":"integer"},{"type":"string","maxLength":2}]}}}`,
			[]string{`{"a":1}`, `{"a":"x"}`},
			[]string{`{"a":"xyz"}`, `{"a":null}`, `{"a":1.5}`},
			"a", "none of the alternatives matches",
		},
		{
			"union of objects", `{"properties":{"a":{"oneOf":[
			{"type":"object","properties":{"kind":{"const":"x"},"n":{"type":"integer"}},"required":["kind"]},
			{"type":"object","properties":{"kind":{"const":"y"},"s":{"type":"string"}},"required":["kind"]}]}}}`,
			[]string{`{"a":{"kind":"x","n":1}}`, `{"a":{"kind":"y","s":"1"}}`},
			[]string{`{"a":{"kind":"x","N":1}}`, `{"a":{"kind":"x","more":1}}`, `{"a":{"kind":"x","n":"1"}}`, `{"a":{}}`, `{"a":1}`},
			"a.N", "differs only in case",
		},
		{
			"optional object", `{"properties":{"a":{"anyOf":[{"properties":{"n":{"type":"integer"}}},{"type":"null"}]}}}`,
			[]string{`{"a":{"n":1}}`, `{"a":null}`},
			[]string{`{"a":{"n":null}}`, `{"a":{"m":1}}`, `{"a":1}`},
			"a.n", "want integer, got null",
		},
		{
			"inheritance", `{"$defs":{"base":{"properties":{"id":{"type":"string"}},"required":["id"]}},"properties":{"a":{"allOf":[{"$ref":"#/$defs/base"},{"properties":{"n":{"type":"integer"}}}]}}}`,
			[]string{`{"a":{"id":"x","n":1}}`},
			[]string{`{"a":{"n":1}}`, `{"a":{"id":"x","m":1}}`, `{"a":{"id":"x","n":"1"}}`},
			"a", "required property id is missing",
		},
		{
			"condition", `{"properties":{"k":{"type":"string"},"n":{"type":"integer"}},"if":{"properties":{"k":{"const":"big"}},"required":["k"]},"then":{"required":["n"]}}`,
			[]string{`{"k":"small"}`, `{"k":"big","n":1}`, `{}`},
			[]string{`{"k":"big"}`},
			"", "missing property",
		},
		{
			"one of two required", `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}`,
			[]string{`{"a":"x"}`, `{"b":"x"}`},
			[]string{`{}`, `{"c":1}`},
			"", "none of the alternatives matches",
		},
		{
			"not", `{"properties":{"a":{"type":"string","not":{"const":"root"}}}}`,
			[]string{`{"a":"x"}`},
			[]string{`{"a":"root"}`},
			"a", "the schema forbids this value",
		},
		{
			"patternProperties", `{"type":"object","properties":{"name":{"type":"string"}},"patternProperties":{"^x-":{"type":"integer"}}}`,
			[]string{`{"name":"n","x-a":1}`},
			[]string{`{"x-a":"1"}`, `{"y-a":1}`, `{"NAME":"n"}`},
			`x-a`, "want integer",
		},
		{
			"patternProperties beside additionalProperties", `{"type":"object","patternProperties":{"^x-":{"type":"integer"}},"additionalProperties":{"type":"string"}}`,
			[]string{`{"y":"n","x-a":1}`},
			[]string{`{"y":1}`, `{"x-a":"s"}`},
			`y`, "want string",
		},
		{
			"propertyNames", `{"properties":{"labels":{"type":"object","propertyNames":{"maxLength":3},"maxProperties":1}}}`,
			[]string{`{"labels":{"abc":1}}`},
			[]string{`{"labels":{"abcd":1}}`, `{"labels":{"a":1,"b":2}}`},
			"labels", `property name "abcd": want at most 3 characters`,
		},
		{
			"tuple", `{"properties":{"a":{"type":"array","prefixItems":[{"type":"integer"},{"properties":{"x":{"type":"string"}}}],"items":false}}}`,
			[]string{`{"a":[1,{"x":"y"}]}`},
			[]string{`{"a":[1,{"X":"y"}]}`, `{"a":["1"]}`, `{"a":[1,{"x":"y"},2]}`},
			"a[1].X", "differs only in case",
		},
		{
			"tuple of draft 7", `{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"a":{"type":"array","items":[{"type":"integer"}],"additionalItems":{"type":"string"}}}}`,
			[]string{`{"a":[1,"x"]}`},
			[]string{`{"a":["x"]}`, `{"a":[1,2]}`},
			"a[0]", "want integer",
		},
		{
			"dependencies", `{"properties":{"a":{"type":"string"},"b":{"type":"string"}},"dependentRequired":{"a":["b"]}}`,
			[]string{`{"b":"x"}`, `{"a":"x","b":"y"}`},
			[]string{`{"a":"x"}`},
			"", "b",
		},
		{
			"conditional properties", `{"properties":{"a":{"type":"string"}},"dependentSchemas":{"a":{"properties":{"c":{"type":"integer"}}}}}`,
			[]string{`{"a":"x","c":1}`},
			[]string{`{"a":"x","c":"1"}`, `{"C":1}`},
			"c", "want integer",
		},
		{
			"enum of objects", `{"properties":{"a":{"enum":[{"x":1},[2],"s"]}}}`,
			[]string{`{"a":{"x":1.0}}`, `{"a":[2]}`, `{"a":"s"}`},
			[]string{`{"a":{"x":2}}`, `{"a":"t"}`, `{"a":[]}`},
			"a", `want one of {"x":1}, [2], "s" (byte 1)`,
		},
		{
			"const by value", `{"properties":{"a":{"type":"number","const":1}}}`,
			[]string{`{"a":1}`, `{"a":1.00}`, `{"a":10e-1}`},
			[]string{`{"a":1.1}`},
			"a", "want 1, got 1.1",
		},
		{
			"two enums", `{"properties":{"a":{"type":"string","enum":["x","y"],"allOf":[{"enum":["y","z"]}]}}}`,
			[]string{`{"a":"y"}`},
			[]string{`{"a":"x"}`, `{"a":"z"}`},
			"a", `want one of "y", "z"`,
		},
		{
			"enum of scalars among arrays", `{"properties":{"a":{"type":["string","array","object"],"enum":["x"]}}}`,
			[]string{`{"a":"x"}`},
			[]string{`{"a":["x"]}`, `{"a":{}}`},
			"a", "want string, got an array",
		},
		{
			"enum beside null", `{"properties":{"a":{"anyOf":[{"enum":["x"]},{"type":"null"}]}}}`,
			[]string{`{"a":"x"}`, `{"a":null}`},
			[]string{`{"a":"y"}`},
			"a", `want "x", got "y"`,
		},
		{
			"never", `{"properties":{"a":false,"b":{"type":"array","items":false}}}`,
			[]string{`{"b":[]}`},
			[]string{`{"a":1}`, `{"a":null}`, `{"b":[1]}`},
			"a", "no value is allowed here",
		},
		{
			"recursion", `{"$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},"children":{"type":"array","items":{"$ref":"#/$defs/node"}}},"required":["v"]}},"properties":{"tree":{"$ref":"#/$defs/node"}}}`,
			[]string{`{"tree":{"v":1,"children":[{"v":2,"children":[]},{"v":3}]}}`},
			[]string{`{"tree":{"v":1,"children":[{"v":2,"children":[{"v":"3"}]}]}}`, `{"tree":{"v":1,"children":[{"V":2}]}}`, `{"tree":{"v":1,"children":[{}]}}`},
			"tree.children[0].children[0].v", "want integer, got a string",
		},
		{
			"recursion to the root", `{"properties":{"not":{"$ref":"#"},"eq":{"type":"string"}},"minProperties":1}`,
			[]string{`{"not":{"not":{"eq":"x"}}}`},
			[]string{`{"not":{}}`, `{"not":{"ne":"x"}}`},
			"not", "minProperties",
		},
		{
			"unevaluatedProperties", `{"allOf":[{"properties":{"a":{"type":"string"}}}],"unevaluatedProperties":{"type":"integer"}}`,
			[]string{`{"a":"x","b":1}`},
			[]string{`{"b":"x"}`, `{"A":"x"}`},
			"b", "want integer",
		},
		{
			"required beyond the declared", `{"properties":{"a":{}},"required":["b"],"additionalProperties":true}`,
			[]string{`{"b":null}`},
			[]string{`{"a":1}`, `{"B":1}`},
			"", "required property b is missing",
		},
		{
			"unknown keyword", `{"type":"object","properties":{"a":{"type":"string","discriminator":{"x":1},"x-order":1}}}`,
			[]string{`{"a":"x"}`},
			[]string{`{"a":1}`},
			"a", "want string",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := compiled(t, tt.schema)
			for _, in := range tt.accept {
				_, err := s.Decode([]byte(in), strictjson.DefaultLimits())
				assert.NoError(t, err, in)
			}
			for i, in := range tt.refuse {
				_, err := s.Decode([]byte(in), strictjson.DefaultLimits())
				var refused *strictjson.Error
				if !assert.ErrorAs(t, err, &refused, in) || i > 0 {
					continue
				}
				assert.Equal(t, tt.path, refused.Path)
				assert.Contains(t, refused.Error(), tt.message)
			}
		})
	}
}

func TestSchemaProperty(t *testing.T) {
	t.Parallel()
	s := compiled(t, `{"properties":{
		"replicas":{"type":"integer","minimum":1,"exclusiveMaximum":60.5},
		"region":{"type":"string","enum":["eu-west-1","eu-central-1"]},
		"mode":{"const":"safe"}, "day":{"type":"string","format":"date"}, "code":{"type":"string","pattern":"x"},
		"note":{"type":"string"},
		"flights":{"type":"array","items":{"type":"object","properties":{"date":{"type":"string"},"a.b":{"type":"integer"}},"required":["date"]}},
		"labels":{"type":"object","additionalProperties":{"type":"string"}},
		"big":{"type":"integer","maximum":18446744073709551615},
		"tree":{"properties":{"v":{"type":"integer"},"sub":{"$ref":"#/properties/tree"}}}
	},"required":["replicas"]}`)
	get := func(path string) strictjson.Property {
		t.Helper()
		p, ok := s.Property(path)
		require.True(t, ok, path)
		return p
	}
	p := get("replicas")
	assert.True(t, p.Required)
	assert.False(t, p.Constrained)
	assert.Equal(t, int64(1), p.Min.Value.Int())
	assert.False(t, p.Min.Exclusive)
	assert.InDelta(t, 60.5, p.Max.Value.Double(), 0)
	assert.True(t, p.Max.Exclusive)
	p = get("region")
	assert.True(t, p.Constrained)
	assert.False(t, p.Required)
	require.Len(t, p.Enum, 2)
	assert.Equal(t, "eu-west-1", p.Enum[0].Str())
	assert.Nil(t, p.Min)
	for _, path := range []string{"mode", "day", "code"} {
		assert.True(t, get(path).Constrained, path)
	}
	for _, path := range []string{"note", "labels.app", "flights[].date", "flights[3].date"} {
		assert.False(t, get(path).Constrained, path)
		assert.Equal(t, strictjson.String, get(path).Type.Kind, path)
	}
	assert.True(t, get("flights[].date").Required)
	assert.Equal(t, strictjson.Int, get(`flights[0]["a.b"]`).Type.Kind)
	assert.Equal(t, strictjson.Double, get("big").Max.Value.Kind())
	assert.Equal(t, strictjson.Object, get("").Type.Kind)
	assert.Equal(t, strictjson.Int, get("tree.sub.sub.sub.v").Type.Kind)
	for _, path := range []string{"none", "replicas.x", "flights.date", "flights[x]", "flights[", "flights[].none", ".", "[]", `["replicas`} {
		_, ok := s.Property(path)
		assert.False(t, ok, path)
	}
}
