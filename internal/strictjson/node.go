package strictjson

import "strings"

// kindSet is a set of JSON kinds. A whole number belongs to intKind, and where
// doubleKind is allowed intKind is too.
type kindSet uint8

const (
	nullKind kindSet = 1 << iota
	boolKind
	intKind
	doubleKind
	stringKind
	arrayKind
	objectKind
	anyKind = nullKind | boolKind | intKind | doubleKind | stringKind | arrayKind | objectKind
)

// names lists the kinds as JSON schema calls them.
func (k kindSet) names() []string {
	var out []string
	add := func(has kindSet, name string) {
		if k&has == has {
			out = append(out, name)
		}
	}
	add(nullKind, "null")
	add(boolKind, "boolean")
	if k&doubleKind == 0 {
		add(intKind, "integer")
	}
	add(doubleKind, "number")
	add(stringKind, "string")
	add(arrayKind, "array")
	add(objectKind, "object")
	return out
}

// single returns the one kind of a place, null aside, or Dyn.
func (k kindSet) single() Kind {
	switch k &^ nullKind {
	case 0:
		return Null
	case boolKind:
		return Bool
	case intKind:
		return Int
	case intKind | doubleKind:
		return Double
	case stringKind:
		return String
	case arrayKind:
		return List
	case objectKind:
		return Object
	}
	return Dyn
}

// node is one place of a compiled schema. Nodes form a graph that may be cyclic:
// a recursive schema needs no unrolling, since every document ends.
type node struct {
	kinds    kindSet
	fields   []field // of an object, sorted by name
	index    index   // of fields
	first    int32   // index of the field that is expected first; negative: none
	required int     // how many of fields are
	extra    *node   // of an object's further properties; nil: it has none
	elem     *node   // of an array's elements; never nil where arrays are allowed
	enum     []Value // scalars of which a scalar here must be one; nil: no such list
	min, max *Bound
	narrowed bool // by pattern, format, enum or const
	root     bool
	typ      *Type
}

type field struct {
	name     string
	node     *node
	required int   // 1 or 0
	next     int32 // index of the field that is expected after this one; negative: none
}

// anything is what a place without a schema accepts. It is built anew for each
// use, so that nothing shared can change.
func anything() *node {
	n := &node{kinds: anyKind}
	n.extra, n.elem = n, n
	return n
}

// isMap reports whether objects at this place have no declared properties.
func (n *node) isMap() bool { return !n.root && len(n.fields) == 0 && n.extra != nil }

// find returns the index in fields of a declared property by the unquoted bytes
// of its name, negative where it is not declared.
func (n *node) find(name []byte) int {
	if i := n.index.guess(name); i < len(n.fields) && n.fields[i].name == string(name) {
		return i
	}
	low, high := 0, len(n.fields)
	for low < high { // by hand: these comparisons convert name without a copy
		mid := int(uint(low+high) >> 1)
		switch f := &n.fields[mid]; {
		case f.name == string(name):
			return mid
		case f.name < string(name):
			low = mid + 1
		default:
			high = mid
		}
	}
	return -1
}

// allows reports whether v is among the values that are allowed.
func (n *node) allows(v *Value) bool {
	for i := range n.enum {
		if n.enum[i].equal(v) {
			return true
		}
	}
	return false
}

// folded finds a declared property whose name differs from name only by Unicode
// simple case folding, which is how encoding/json would match it.
func (n *node) folded(name string) (string, bool) {
	for i := range n.fields {
		if strings.EqualFold(n.fields[i].name, name) {
			return n.fields[i].name, true
		}
	}
	return "", false
}

func (n *node) fieldNames() []string {
	names := make([]string, len(n.fields))
	for i := range n.fields {
		names[i] = n.fields[i].name
	}
	return names
}

// typeOf returns the structural type of a place. A place inside itself is Dyn
// there, since a Type is finite.
func (n *node) typeOf() *Type {
	if n.typ != nil {
		return n.typ
	}
	n.typ = &Type{Kind: Dyn}
	t := &Type{Kind: n.kinds.single()}
	t.Nullable = n.kinds&nullKind != 0 && t.Kind != Null && t.Kind != Dyn
	switch t.Kind {
	case List:
		t.Elem = n.elem.typeOf()
	case Object:
		if n.isMap() {
			t.Kind = Map
		}
		for i := range n.fields {
			f := &n.fields[i]
			t.Fields = append(t.Fields, Field{Name: f.name, Type: f.node.typeOf(), Required: f.required == 1})
		}
		if n.extra != nil {
			t.Elem = n.extra.typeOf()
		}
	}
	n.typ = t
	return t
}
