package strictjson

import (
	"bytes"
	"encoding/json"
)

// Schema is a tool's compiled JSON schema. It is immutable and safe for
// concurrent use. The zero and the nil Schema refuse every document.
type Schema struct {
	root     *node
	rules    *rules // keywords beyond structure; nil: it uses none
	distinct bool   // no object has further properties, so that each of a document is a bit of members
}

// CompileSchema compiles the JSON schema of a tool's arguments, drafts 4 to
// 2020-12, the last one where $schema does not say. Nil or empty raw means no
// arguments: an object without properties.
//
// Types, enum, const, required, nesting and additionalProperties are checked by
// this package, as are null beside one type (also written as anyOf) and local
// references; every other keyword, formats included, by a JSON schema library on
// the exact numbers. It differs from JSON schema where that would let through what
// the tool does not declare: an object with properties and no
// additionalProperties refuses others, at unions too, where the properties of all
// alternatives are known; `properties` implies an object and `items` an array.
//
// An error is an *[Error] whose Path is a place in the schema: not JSON, not
// valid as a schema, not an object at the root, or a reference to anything but a
// place in this very schema. Nothing is ever fetched.
func CompileSchema(raw []byte) (*Schema, error) {
	if len(raw) == 0 {
		return &Schema{root: &node{kinds: objectKind, root: true, typ: &Type{Kind: Object}}}, nil
	}
	// The scan is stricter than a schema needs on numbers alone ("maximum":
	// 18446744073709551615 is usual), so those keep their text unjudged.
	d := decoder{lim: schemaLimits(), anyNumber: true}
	if _, err := d.pooled(raw, unrestricted, false); err != nil {
		err.Message = "schema: " + err.Message
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, refuse(int(dec.InputOffset()), "schema: %v", err)
	}
	c := compiler{tree: tree, nodes: make(map[string]*node), order: writtenOrder(raw)}
	root, refused := c.root()
	if refused != nil {
		return nil, refused
	}
	rules, refused := compileRules(tree)
	if refused != nil {
		return nil, refused
	}
	if !c.beyond {
		rules = nil
	}
	distinct := settle(root)
	return &Schema{root: root, rules: rules, distinct: distinct}, nil
}

// Type returns the structural type of the arguments: an Object. Where the schema
// allows alternatives, or is recursive, the type is Dyn. It is nil for the zero
// Schema.
func (s *Schema) Type() *Type {
	if s == nil || s.root == nil {
		return nil
	}
	return s.root.typ
}

// Decode reads one document in one pass and returns it as an Object. It refuses
// what [Scan] refuses, and: properties that the schema does not have, a name that
// differs from a property's only in case (Unicode simple folding), wrong types,
// values outside enum or const, missing required properties, integers that are
// not whole or do not fit int64, and what any other keyword of the schema
// forbids. The error is an *[Error] for the first of these.
//
// A whole number is an Int where the schema says integer or leaves the type open,
// in any spelling (1.0, 1e2); where it says number it is a Double.
//
// data is not retained: changing it afterwards changes nothing in the Value. It
// must not change during the call.
func (s *Schema) Decode(data []byte, lim Limits) (Value, error) {
	if s == nil || s.root == nil {
		return Value{}, refuse(-1, "no schema, so no arguments are allowed")
	}
	d := decoder{lim: lim}
	v, err := d.pooled(data, s.root, true)
	if err != nil {
		return Value{}, err
	}
	if s.rules != nil {
		if err := s.rules.check(v, data); err != nil {
			return Value{}, err
		}
	}
	return v, nil
}
