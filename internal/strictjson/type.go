package strictjson

import (
	"fmt"
	"strings"
)

// Kind is the kind of a [Value] and of a [Type].
type Kind uint8

const (
	Invalid Kind = iota // the zero Kind: no value
	Null
	Bool
	Int    // int64
	Double // finite, never negative zero
	String
	List
	Map    // string keys, values of one type
	Object // a declared set of properties
	Timestamp
	Duration
	Dyn // of a Type only: any kind, known when the value is

	// Kinds of computed values only.

	Uint  // uint64
	Bytes // any bytes
	Table // keys of any kind
)

var kindNames = [...]string{"invalid", "null", "bool", "int", "double", "string", "list", "map", "object", "timestamp", "duration", "dyn", "uint", "bytes", "table"}

// String returns the kind's name as manifests write it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[Invalid]
}

// Type is the structure of a value: of a tool's arguments (read from its JSON
// schema), of a fact, or of a derived value. It is immutable once built.
type Type struct {
	Kind   Kind
	Fields []Field // of Object, sorted by name
	// Elem is the type of a List's elements and of a Map's values, non-nil there.
	// Of an Object it is the type of properties beyond Fields; nil: it has none.
	Elem *Type
	// Nullable says that the value may be Null instead. Dyn includes Null.
	Nullable bool
}

// Field is one declared property of an Object.
type Field struct {
	Name     string
	Type     *Type
	Required bool
}

// Field returns the declared property of that exact name.
func (t *Type) Field(name string) (Field, bool) {
	for _, f := range t.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

// String writes the type as [ParseType] reads it; an Object is "object".
func (t *Type) String() string {
	if t == nil {
		return kindNames[Invalid]
	}
	if (t.Kind == List || t.Kind == Map) && t.Elem != nil {
		return t.Kind.String() + "<" + t.Elem.String() + ">"
	}
	return t.Kind.String()
}

// ParseType reads the type of a fact or a derived value: bool, int, double,
// string, timestamp, duration, list<T> or map<T> (string keys).
func ParseType(s string) (*Type, error) {
	for _, k := range []Kind{Bool, Int, Double, String, Timestamp, Duration} {
		if s == k.String() {
			return &Type{Kind: k}, nil
		}
	}
	for _, k := range []Kind{List, Map} {
		inner, ok := strings.CutPrefix(s, k.String()+"<")
		if !ok {
			continue
		}
		if inner, ok = strings.CutSuffix(inner, ">"); ok {
			elem, err := ParseType(inner)
			if err != nil {
				return nil, err
			}
			return &Type{Kind: k, Elem: elem}, nil
		}
	}
	return nil, fmt.Errorf("unknown type %q: want bool, int, double, string, timestamp, duration, list<T> or map<T>", s)
}
