package strictjson

import "strings"

// Property is what a schema says about one place.
type Property struct {
	Type     *Type
	Required bool // of the object it stands in
	// Enum lists the only values allowed, where they are scalars. Nil: any.
	Enum []Value
	// Min and Max bound a number. Nil: unbounded on that side.
	Min, Max *Bound
	// Constrained says that an enum, const, pattern or format narrows the value.
	// A String that is not Constrained is free text.
	Constrained bool
}

// Bound is one end of a range of numbers. Value is an Int where the schema's
// number is whole and fits, otherwise the nearest Double.
type Bound struct {
	Value     Value
	Exclusive bool
}

// Property returns what the schema says about the place at path: property names
// joined by dots, "[]" or "[0]" for an array's elements, ["quoted"] for names that
// need it, such as "flights[].date". A property that only additionalProperties
// allows, and so every entry of a map, is found by any name. It returns false
// where the schema has no such place.
func (s *Schema) Property(path string) (Property, bool) {
	if s == nil || s.root == nil {
		return Property{}, false
	}
	n, required := s.root, true
	for path != "" {
		step, index, rest, ok := cutStep(path)
		if !ok {
			return Property{}, false
		}
		if n, required = n.child(step, index); n == nil {
			return Property{}, false
		}
		path = rest
	}
	return Property{
		Type: n.typeOf(), Required: required, Enum: n.enum,
		Min: n.min, Max: n.max, Constrained: n.narrowed,
	}, true
}

func (n *node) child(step string, index bool) (child *node, required bool) {
	if index {
		if n.kinds&arrayKind == 0 {
			return nil, false
		}
		return n.elem, false
	}
	if n.kinds&objectKind == 0 {
		return nil, false
	}
	if i := n.find([]byte(step)); i >= 0 {
		return n.fields[i].node, n.fields[i].required == 1
	}
	return n.extra, false
}

// cutStep splits the first step off a path.
func cutStep(path string) (step string, index bool, rest string, ok bool) {
	if inner, found := strings.CutPrefix(path, `["`); found {
		step, rest, ok = strings.Cut(inner, `"]`)
		return step, false, strings.TrimPrefix(rest, "."), ok
	}
	if inner, found := strings.CutPrefix(path, "["); found {
		digits, rest, closed := strings.Cut(inner, "]")
		if !closed || strings.Trim(digits, "0123456789") != "" {
			return "", false, "", false
		}
		return "", true, strings.TrimPrefix(rest, "."), true
	}
	end := strings.IndexAny(path, ".[")
	if end < 0 {
		return path, false, "", true
	}
	return path[:end], false, strings.TrimPrefix(path[end:], "."), end > 0
}
