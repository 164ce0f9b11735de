package strictjson

import (
	"encoding/json"
	"strconv"
)

// kinds returns the kinds a part allows.
func (p part) kinds() (kindSet, *Error) {
	if p.never {
		return 0, nil
	}
	kinds, err := p.ownKinds()
	if p.nullable {
		kinds |= nullKind
	}
	return kinds, err
}

func (p part) ownKinds() (kindSet, *Error) {
	switch t := p.keys["type"].(type) {
	case nil:
		return p.impliedKinds(), nil
	case string:
		return p.kindOf(t)
	case []any:
		var kinds kindSet
		for _, item := range t {
			name, _ := item.(string)
			k, err := p.kindOf(name)
			if err != nil {
				return 0, err
			}
			kinds |= k
		}
		return kinds, nil
	}
	return 0, schemaError(p.at+"/type", "want a type's name or a list of them, got %s", jsonKind(p.keys["type"]))
}

func (p part) kindOf(name string) (kindSet, *Error) {
	switch name {
	case "null":
		return nullKind, nil
	case "boolean":
		return boolKind, nil
	case "integer":
		return intKind, nil
	case "number":
		return intKind | doubleKind, nil
	case "string":
		return stringKind, nil
	case "array":
		return arrayKind, nil
	case "object":
		return objectKind, nil
	}
	return 0, schemaError(p.at+"/type", "unknown type %s; known: null, boolean, integer, number, string, array, object", quote(name))
}

// impliedKinds is for a part without type.
func (p part) impliedKinds() kindSet {
	if values, ok := p.values(); ok {
		var kinds kindSet
		for _, v := range values {
			kinds |= kindOfAny(v)
		}
		return kinds
	}
	switch {
	case p.keys["properties"] != nil:
		return objectKind
	case p.keys["items"] != nil, p.keys["prefixItems"] != nil:
		return arrayKind
	}
	return anyKind
}

func kindOfAny(v any) kindSet {
	switch v := v.(type) {
	case nil:
		return nullKind
	case bool:
		return boolKind
	case json.Number:
		if d, problem := parseDecimal([]byte(v)); problem == "" {
			if _, fits := d.int64(); fits {
				return intKind
			}
		}
		return intKind | doubleKind
	case string:
		return stringKind
	case []any:
		return arrayKind
	}
	return objectKind
}

// values returns the list of enum or the single value of const.
func (p part) values() ([]any, bool) {
	if v, ok := p.keys["const"]; ok {
		return []any{v}, true
	}
	values, ok := p.keys["enum"].([]any)
	return values, ok
}

// narrow adds to n what a part says about its scalars. n.kinds is known.
func (p part) narrow(n *node) *Error {
	for _, key := range []string{"pattern", "format", "enum", "const"} {
		if _, ok := p.keys[key]; ok {
			n.narrowed = true
		}
	}
	if n.min == nil {
		n.min = p.bound("minimum", "exclusiveMinimum")
	}
	if n.max == nil {
		n.max = p.bound("maximum", "exclusiveMaximum")
	}
	values, ok := p.values()
	if !ok {
		return nil
	}
	allowed, null, whole := make([]Value, 0, len(values)), false, true
	for _, v := range values {
		switch {
		case v == nil:
			null = true
		case nested(v):
			whole = false
		default:
			if value, ok := n.scalar(v); ok {
				allowed = append(allowed, value)
			}
		}
	}
	if !null && !p.nullable {
		n.kinds &^= nullKind
	}
	if !whole {
		return nil // the library compares arrays and objects
	}
	if len(allowed) == 0 {
		if n.kinds &= nullKind; n.kinds == 0 {
			return schemaError(p.at, "none of the allowed values is of the type")
		}
		return nil
	}
	if n.enum == nil {
		n.enum = allowed
	}
	n.kinds &^= arrayKind | objectKind
	return nil
}

// scalar turns a value of the schema into what decoding it at n would give.
func (n *node) scalar(v any) (Value, bool) {
	switch v := v.(type) {
	case bool:
		return BoolValue(v), n.kinds&boolKind != 0
	case string:
		return StringValue(v), n.kinds&stringKind != 0
	case json.Number:
		d := decoder{lim: schemaLimits()}
		value, err := d.number([]byte(v), 0, n.kinds)
		return value, err == nil
	}
	return Value{}, false
}

// bound reads one end of a range. In draft 4 the exclusive keyword is a flag on
// the other one.
func (p part) bound(inclusive, exclusive string) *Bound {
	if lit, ok := p.keys[exclusive].(json.Number); ok {
		return &Bound{Value: numberOf(lit), Exclusive: true}
	}
	lit, ok := p.keys[inclusive].(json.Number)
	if !ok {
		return nil
	}
	return &Bound{Value: numberOf(lit), Exclusive: p.keys[exclusive] == true}
}

func numberOf(lit json.Number) Value {
	if d, problem := parseDecimal([]byte(lit)); problem == "" {
		if i, ok := d.int64(); ok {
			return IntValue(i).literally(string(lit))
		}
	}
	f, _ := strconv.ParseFloat(string(lit), 64) // at its limit where it overflows
	return doubleValue(f).literally(string(lit))
}
