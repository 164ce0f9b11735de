package rationale

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// property is one property of the parameter's schema, in the order in which
// models read it.
type property struct {
	field Field
	text  string
	shape string // the schema without its description
}

func properties() []property {
	return []property{
		{Purpose, "What this call is for, and why now.", `"type":"string"`},
		{Expected, "What should be different afterwards, and how it will be seen.", `"type":"string"`},
		{Alternatives, "Options not taken, each with why it was rejected.", `"type":"array","maxItems":16,"items":{"type":"object",` +
			`"properties":{"option":{"type":"string"},"rejected":{"type":"string","description":"Why."}},` +
			`"required":["option","rejected"],"additionalProperties":false}`},
		{
			Evidence, "What this rests on: ids of tool calls made earlier in this session, or https links. No free text.",
			`"type":"array","maxItems":64,"items":{"type":"string"}`,
		},
		{Fallback, "What to do if it does not work as expected.", `"type":"string"`},
		{Uncertainty, "What is not known.", `"type":"string"`},
	}
}

// Schema returns the JSON schema of the reserved parameter in which the given
// fields are required. Fields that are not known are left out. The limits of
// text length are not in it: longer text is cut, not refused.
func Schema(required ...Field) stdjson.RawMessage {
	var b strings.Builder
	b.WriteString(`{"type":"object","description":"Why you make this call. Recorded before it runs; it is not passed to the tool.","properties":{`)
	var names []string
	for i, p := range properties() {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `%q:{"description":%q,%s}`, p.field, p.text, p.shape)
		if slices.Contains(required, p.field) {
			names = append(names, fmt.Sprintf("%q", p.field))
		}
	}
	b.WriteString("}")
	if len(names) > 0 {
		fmt.Fprintf(&b, `,"required":[%s]`, strings.Join(names, ","))
	}
	b.WriteString(`,"additionalProperties":false}`)
	return stdjson.RawMessage(b.String())
}

// AddParameter returns a tool's schema with the reserved parameter as its last
// property. It is required where fields are. Everything else in the schema stays
// as it is written, also "additionalProperties": false, which the new property
// satisfies. An empty schema is that of a tool without arguments.
//
// A schema that is not a JSON object, that declares another type than "object",
// or that already has a property of that name, in any case, is refused. A schema
// that counts or names its properties elsewhere (maxProperties, propertyNames, or
// a closed subschema) is not adapted: calls are always checked without the
// parameter, so this concerns only what the model reads.
func AddParameter(schema stdjson.RawMessage, required []Field) (stdjson.RawMessage, error) {
	if len(strings.TrimSpace(string(schema))) == 0 {
		schema = stdjson.RawMessage(`{"type":"object","additionalProperties":false}`)
	}
	added, err := addParameter(schema, required)
	if err != nil {
		return nil, fmt.Errorf("add %s to the schema: %w", Parameter, err)
	}
	return added, nil
}

func addParameter(schema []byte, required []Field) ([]byte, error) {
	if !jsontext.Value(schema).IsValid() {
		return nil, errors.New("it is not valid JSON, or repeats a name")
	}
	members, err := readObject(schema)
	if err != nil {
		return nil, err
	}
	if m := find(members, "type"); m != nil && string(m.value) != `"object"` {
		return nil, fmt.Errorf("its type is %s, not \"object\"", m.value)
	}
	parameter := newMember(Parameter, Schema(required...))
	if m := find(members, "properties"); m != nil {
		declared, err := readObject(m.value)
		if err != nil {
			return nil, fmt.Errorf("properties: %w", err)
		}
		if i := slices.IndexFunc(declared, func(d member) bool { return strings.EqualFold(d.name, Parameter) }); i >= 0 {
			return nil, fmt.Errorf("it already has a property %q", declared[i].name)
		}
		*m = newMember("properties", writeObject(append(declared, parameter)))
	} else {
		members = append(members, newMember("properties", writeObject([]member{parameter})))
	}
	if len(required) == 0 {
		return writeObject(members), nil
	}
	var names []string
	if m := find(members, "required"); m != nil {
		if err := json.Unmarshal(m.value, &names); err != nil {
			return nil, errors.New("required is not a list of names")
		}
		names = append(names, Parameter)
		*m = newMember("required", marshalNames(names))
	} else {
		members = append(members, newMember("required", marshalNames([]string{Parameter})))
	}
	return writeObject(members), nil
}

func find(members []member, name string) *member {
	if i := slices.IndexFunc(members, func(m member) bool { return m.name == name }); i >= 0 {
		return &members[i]
	}
	return nil
}

// newMember writes a member whose name needs no escapes.
func newMember(name string, value []byte) member {
	raw := append([]byte(`"`+name+`":`), value...)
	return member{name: name, raw: raw, value: raw[len(name)+3:]}
}

func marshalNames(names []string) []byte {
	out := []byte{'['}
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out, _ = jsontext.AppendQuote(out, name) // decoded from valid JSON
	}
	return append(out, ']')
}
