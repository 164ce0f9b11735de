package celplan_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

// declaration is a scope as a tool and a host declare it: a JSON schema, and
// the types of facts and derived values by name.
type declaration struct {
	name    string
	schema  string
	derived map[string]string
	facts   map[string]string
}

// declarations are the scopes that differential tests generate for.
var declarations = []declaration{
	{
		name: "everything",
		schema: `{"type": "object", "required": ["n", "s", "p", "flights"], "properties": {
			"n": {"type": "integer"}, "m": {"type": "integer"}, "maybe": {"type": ["integer", "null"]},
			"x": {"type": "number"}, "y": {"type": ["number", "null"]},
			"s": {"type": "string"}, "t": {"type": "string"}, "content-type": {"type": ["string", "null"]},
			"p": {"type": "boolean"}, "q": {"type": "boolean"}, "nothing": {"type": "null"},
			"ns": {"type": "array", "items": {"type": "integer"}},
			"ss": {"type": "array", "items": {"type": "string"}},
			"xs": {"type": "array", "items": {"type": ["number", "null"]}},
			"rows": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
			"labels": {"type": "object", "additionalProperties": {"type": "string"}},
			"counts": {"type": ["object", "null"], "additionalProperties": {"type": ["integer", "null"]}},
			"origin": {"$ref": "#/$defs/flight"},
			"flights": {"type": "array", "items": {"$ref": "#/$defs/flight"}},
			"any": {}, "anys": {"type": "array"}, "bag": {"type": "object"}},
			"$defs": {"flight": {"type": ["object", "null"], "required": ["date"], "properties": {
				"date": {"type": "string"}, "seats": {"type": ["integer", "null"]}, "price": {"type": "number"},
				"tags": {"type": "array", "items": {"type": "string"}},
				"leg": {"type": "object", "properties": {"from": {"type": "string"}, "stops": {"type": "integer"}}}}}}}`,
		derived: map[string]string{"kinds": "list<string>", "weight": "double", "cutoff": "timestamp", "containers": "int", "spread": "map<list<int>>"},
		facts: map[string]string{
			"freeze": "bool", "replicas": "int", "load": "double", "zone": "string", "since": "timestamp", "grace": "duration",
			"marks": "list<timestamp>", "waits": "map<duration>", "quota": "map<int>", "loads": "list<double>",
		},
	},
	{
		name: "few",
		schema: `{"type": "object", "properties": {
			"n": {"type": "integer"}, "s": {"type": "string"}, "p": {"type": ["boolean", "null"]},
			"ns": {"type": "array", "items": {"type": "integer"}},
			"spec": {"type": "object", "properties": {
				"replicas": {"type": ["integer", "null"]},
				"containers": {"type": "array", "items": {"type": "object", "properties": {
					"image": {"type": "string"}, "privileged": {"type": "boolean"},
					"env": {"type": "object", "additionalProperties": {"type": "string"}}}}}}}}}`,
		facts: map[string]string{"since": "timestamp", "load": "double"},
	},
	{
		name: "loose",
		schema: `{"type": "object", "properties": {
			"n": {}, "s": {}, "any": {}, "list": {"type": "array"}, "bag": {"type": "object"},
			"items": {"type": "array", "items": {"type": "object", "properties": {"value": {}, "key": {"type": "string"}}}}}}`,
		derived: map[string]string{"tree": "map<map<int>>"},
		facts:   map[string]string{"grace": "duration", "names": "list<string>", "load": "double"},
	},
}

// objectFields are the types of the members of a declared object, by name.
type objectFields map[string]string

// owner is a declared object that has a certain member.
type owner struct{ typ, member string }

// diffScope is a declaration as the generator of expressions sees it. Types
// are written as CEL writes them, and those of objects by what they hold.
type diffScope struct {
	declaration
	scope   celplan.Scope
	schema  *strictjson.Schema
	layout  *celplan.Layout
	env     *celplan.Env // on both paths
	alone   *celplan.Env // on cel-go alone
	host    *celplan.Env // as hosts do: natively where that can be
	pooled  *celplan.Frame
	paths   map[string][]string
	types   []string // that paths have, sorted
	tests   []string // what has() takes
	objects map[string]objectFields
	owners  map[string][]owner // of members, by their type
}

func newDiffScope(t testing.TB, d declaration) *diffScope {
	schema, err := strictjson.CompileSchema([]byte(d.schema))
	require.NoError(t, err, d.name)
	s := &diffScope{
		declaration: d, schema: schema, layout: celplan.NewLayout(schema), pooled: new(celplan.Frame),
		scope: celplan.Scope{Args: schema.Type(), Derived: hostTypes(t, d.derived), Facts: hostTypes(t, d.facts)},
		paths: map[string][]string{"string": {"call.tool", "call.agent"}, "timestamp": {"call.time"}},
		tests: []string{"call.tool"}, objects: map[string]objectFields{}, owners: map[string][]owner{},
	}
	for mode, env := range map[celplan.Mode]**celplan.Env{celplan.ModeBoth: &s.env, celplan.ModeReference: &s.alone, celplan.ModeNative: &s.host} {
		*env, err = celplan.NewEnv(s.scope, celplan.WithLayout(s.layout), celplan.WithMode(mode))
		require.NoError(t, err, d.name)
	}
	for root, of := range map[string]*strictjson.Type{"args": s.scope.Args, "derived": s.scope.Derived, "facts": s.scope.Facts} {
		if of != nil {
			s.members(root, of)
		}
	}
	for _, paths := range s.paths {
		slices.Sort(paths)
	}
	slices.Sort(s.tests)
	s.types = slices.Sorted(maps.Keys(s.paths))
	for _, name := range slices.Sorted(maps.Keys(s.objects)) {
		for _, member := range slices.Sorted(maps.Keys(s.objects[name])) {
			typ := s.objects[name][member]
			s.owners[typ] = append(s.owners[typ], owner{name, member})
		}
	}
	return s
}

// hostTypes is nil without any.
func hostTypes(t testing.TB, declared map[string]string) *strictjson.Type {
	if declared == nil {
		return nil
	}
	var fields []strictjson.Field
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		typ, err := strictjson.ParseType(declared[name])
		require.NoError(t, err, name)
		fields = append(fields, strictjson.Field{Name: name, Type: typ})
	}
	return obj(fields...)
}

// typeOf writes a type as CEL does, and notes the objects in it.
func (s *diffScope) typeOf(t *strictjson.Type) string {
	switch t.Kind {
	case strictjson.List:
		return "list(" + s.typeOf(t.Elem) + ")"
	case strictjson.Map:
		return "map(string," + s.typeOf(t.Elem) + ")"
	case strictjson.Object:
		fields := objectFields{}
		var name strings.Builder
		for _, f := range t.Fields {
			fields[f.Name] = s.typeOf(f.Type)
			name.WriteString(" " + f.Name + ":" + fields[f.Name])
		}
		s.objects["{"+name.String()+" }"] = fields
		return "{" + name.String() + " }"
	}
	return t.Kind.String()
}

// members notes the paths to what an object holds.
func (s *diffScope) members(at string, t *strictjson.Type) {
	for _, f := range t.Fields {
		path := at + "." + escaped(f.Name)
		s.tests = append(s.tests, path)
		s.path(path, f.Type)
	}
}

func (s *diffScope) path(at string, t *strictjson.Type) {
	name := s.typeOf(t)
	s.paths[name] = append(s.paths[name], at)
	switch t.Kind {
	case strictjson.Object:
		s.members(at, t)
	case strictjson.List:
		s.path(at+"[0]", t.Elem)
	case strictjson.Map:
		s.path(at+".a", t.Elem)
		s.tests = append(s.tests, at+".k")
	case strictjson.Dyn:
		for _, member := range []string{".n", ".deep.s", ".list[0]", "['n']", "['k']", "['deep']['s']", "['list']", "[1]", ".deep"} {
			s.paths["dyn"] = append(s.paths["dyn"], at+member)
		}
		s.tests = append(s.tests, at+".n", at+".deep.k")
	}
}

func escaped(name string) string {
	if name == "in" || strings.Contains(name, "-") {
		return "`" + name + "`"
	}
	return name
}

// The parts of a type as typeOf writes it.

func isList(t string) bool   { return strings.HasPrefix(t, "list(") }
func isMap(t string) bool    { return strings.HasPrefix(t, "map(") }
func isObject(t string) bool { return strings.HasPrefix(t, "{") }

// elem is the type of the elements of a list, or of the values of a map.
func elem(t string) string {
	if isMap(t) {
		_, value, _ := strings.Cut(t, ",")
		return strings.TrimSuffix(value, ")")
	}
	return strings.TrimSuffix(strings.TrimPrefix(t, "list("), ")")
}

func keyType(t string) string {
	key, _, _ := strings.Cut(strings.TrimPrefix(t, "map("), ",")
	return key
}
