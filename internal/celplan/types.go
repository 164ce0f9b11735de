package celplan

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// objectMark begins the names of object types, so that no source can name one.
const objectMark = "@"

// maxTypeDepth bounds the nesting of declared types, which could be cyclic.
const maxTypeDepth = 64

// provider answers for the object types of a scope, and for nothing else: no
// message can be built, and no type but CEL's own can be named.
type provider struct {
	*types.Registry
	variables []variable
	objects   map[string]*objectType // by name

	structures map[string]*objectType
}

type variable struct {
	name   string
	object *objectType
}

// objectType is a declared Object as CEL sees it.
type objectType struct {
	name   string
	cel    *types.Type
	typ    *types.Type // of cel
	fields map[string]*field
	names  []string // of the fields, sorted
}

type field struct {
	index    int
	required bool
	shape    *shape
	access   *types.FieldType
}

// shape is a declared type with what is needed to adapt a value of it.
type shape struct {
	cel    *types.Type
	elem   *shape      // of a list or map
	object *objectType // of an object
}

func dynShape() *shape { return &shape{cel: cel.DynType} }

func newProvider(scope Scope) (*provider, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, fmt.Errorf("CEL types: %w", err)
	}
	p := &provider{Registry: registry, objects: make(map[string]*objectType), structures: make(map[string]*objectType)}
	for _, v := range []struct {
		name string
		t    *strictjson.Type
	}{{"args", scope.Args}, {"derived", scope.Derived}, {"facts", scope.Facts}, {"event", scope.Event}, {"call", callType()}} {
		if v.t == nil {
			continue
		}
		if v.t.Kind != strictjson.Object {
			return nil, fmt.Errorf("%s must be an object, not %s", v.name, v.t)
		}
		object, err := p.object(v.t, v.name, 0)
		if err != nil {
			return nil, err
		}
		p.variables = append(p.variables, variable{name: v.name, object: object})
	}
	return p, nil
}

func callType() *strictjson.Type {
	text := &strictjson.Type{Kind: strictjson.String}
	return &strictjson.Type{Kind: strictjson.Object, Fields: []strictjson.Field{
		{Name: "agent", Type: text, Required: true},
		{Name: "environment", Type: text, Required: true},
		{Name: "session", Type: text, Required: true},
		{Name: "time", Type: &strictjson.Type{Kind: strictjson.Timestamp}, Required: true},
		{Name: "tool", Type: text, Required: true},
	}}
}

// object declares an object type. Two of the same structure are one type, so
// that their values compare.
func (p *provider) object(t *strictjson.Type, at string, depth int) (*objectType, error) {
	o := &objectType{fields: make(map[string]*field, len(t.Fields))}
	var structure strings.Builder
	for i, f := range t.Fields {
		s, err := p.shape(f.Type, at+"."+f.Name, depth+1)
		if err != nil {
			return nil, err
		}
		if _, twice := o.fields[f.Name]; twice {
			return nil, fmt.Errorf("%s.%s is declared twice", at, f.Name)
		}
		o.fields[f.Name] = &field{index: i, required: f.Required, shape: s, access: access(f.Name, s)}
		o.names = append(o.names, f.Name)
		fmt.Fprintf(&structure, "%q %t %s,", f.Name, f.Required, cel.FormatCELType(s.cel))
	}
	if known, ok := p.structures[structure.String()]; ok {
		return known, nil
	}
	o.name = fmt.Sprintf("%s%d", objectMark, len(p.objects))
	o.cel = types.NewObjectType(o.name, traits.FieldTesterType, traits.IndexerType)
	o.typ = types.NewTypeTypeWithParam(o.cel)
	p.objects[o.name], p.structures[structure.String()] = o, o
	return o, nil
}

func access(name string, s *shape) *types.FieldType {
	return &types.FieldType{
		Type: s.cel,
		IsSet: func(target any) bool {
			o, ok := target.(*object)
			return ok && o.has(name)
		},
		GetFrom: func(target any) (any, error) {
			o, ok := target.(*object)
			if !ok {
				return nil, &readError{kind: Absent}
			}
			return o.get(name)
		},
	}
}

func (p *provider) shape(t *strictjson.Type, at string, depth int) (*shape, error) {
	if t == nil || depth > maxTypeDepth {
		return nil, fmt.Errorf("%s has no type that can be declared", at)
	}
	switch t.Kind {
	case strictjson.Null:
		return &shape{cel: cel.NullType}, nil
	case strictjson.Bool:
		return &shape{cel: cel.BoolType}, nil
	case strictjson.Int:
		return &shape{cel: cel.IntType}, nil
	case strictjson.Double:
		return &shape{cel: cel.DoubleType}, nil
	case strictjson.String:
		return &shape{cel: cel.StringType}, nil
	case strictjson.Timestamp:
		return &shape{cel: cel.TimestampType}, nil
	case strictjson.Duration:
		return &shape{cel: cel.DurationType}, nil
	case strictjson.Dyn:
		return dynShape(), nil
	case strictjson.Object:
		o, err := p.object(t, at, depth)
		if err != nil {
			return nil, err
		}
		return &shape{cel: cel.ObjectType(o.name), object: o}, nil
	case strictjson.List, strictjson.Map:
		elem, err := p.shape(t.Elem, at+"[]", depth+1)
		if err != nil {
			return nil, err
		}
		if t.Kind == strictjson.List {
			return &shape{cel: cel.ListType(elem.cel), elem: elem}, nil
		}
		return &shape{cel: cel.MapType(cel.StringType, elem.cel), elem: elem}, nil
	}
	return nil, fmt.Errorf("%s has no type that can be declared", at)
}

func (p *provider) variable(name string) (*objectType, bool) {
	for _, v := range p.variables {
		if v.name == name {
			return v.object, true
		}
	}
	return nil, false
}

// FindStructType implements [types.Provider].
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	o, ok := p.objects[name]
	if !ok {
		return nil, false
	}
	return o.typ, true
}

// FindStructFieldNames implements [types.Provider].
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	o, ok := p.objects[name]
	if !ok {
		return nil, false
	}
	return o.names, true
}

// FindStructFieldType implements [types.Provider].
func (p *provider) FindStructFieldType(name, member string) (*types.FieldType, bool) {
	o, ok := p.objects[name]
	if !ok {
		return nil, false
	}
	f, ok := o.fields[member]
	if !ok {
		return nil, false
	}
	return f.access, true
}

// NewValue implements [types.Provider]: no message can be built.
func (p *provider) NewValue(string, map[string]ref.Val) ref.Val {
	return types.NoSuchOverloadErr()
}
