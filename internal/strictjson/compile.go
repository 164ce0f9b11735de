package strictjson

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxPlaces bounds a schema whose combinations of alternatives multiply.
const maxPlaces = 5000

// compiler turns a schema into nodes.
type compiler struct {
	tree   any
	nodes  map[string]*node // by the pointers that meet at a place
	order  map[string][]string
	beyond bool // a keyword needs the library
}

// part is one subschema that has a say at a place.
type part struct {
	at       string // JSON pointer in the schema, without '#'
	keys     map[string]any
	never    bool // the schema false
	nullable bool // an alternative to null: it binds all other values
}

// place gathers the parts that meet at one place of a document: always hold, the
// way one schema and what it refers to do; sometimes are alternatives and
// conditions, of which only the names of properties count here.
type place struct {
	always, sometimes []part
}

func (p *place) all() []part { return slices.Concat(p.always, p.sometimes) }

// has reports whether the schema at a pointer is gathered already, in that role.
func (p *place) has(at string, always, nullable bool) bool {
	parts := p.sometimes
	if always {
		parts = p.always
	}
	return slices.ContainsFunc(parts, func(q part) bool { return q.at == at && q.nullable == nullable })
}

func schemaError(at, format string, args ...any) *Error {
	return &Error{Path: "#" + at, Offset: -1, Message: "schema: " + fmt.Sprintf(format, args...)}
}

func (c *compiler) root() (*node, *Error) {
	if _, ok := c.tree.(map[string]any); !ok {
		return nil, schemaError("", "want an object, got %s", jsonKind(c.tree))
	}
	n, err := c.node([]string{""}, nil)
	if err != nil {
		return nil, err
	}
	if n.kinds&objectKind == 0 {
		return nil, schemaError("", "a tool's arguments are an object; the schema wants %s", strings.Join(n.kinds.names(), ", "))
	}
	top := *n // other places may refer to the root and mean null or more as well
	top.kinds, top.root = objectKind, true
	return &top, nil
}

// node compiles the place where these pointers meet. One set of pointers is one
// node, which is what makes recursion end.
func (c *compiler) node(always, sometimes []string) (*node, *Error) {
	key := strings.Join(always, "\n") + "\n\n" + strings.Join(sometimes, "\n")
	if n, ok := c.nodes[key]; ok {
		return n, nil
	}
	if len(c.nodes) == maxPlaces {
		return nil, schemaError("", "it has more than %d places once its alternatives are combined", maxPlaces)
	}
	n := new(node)
	c.nodes[key] = n
	var p place
	for _, at := range always {
		if err := c.gather(&p, at, true, false, nil); err != nil {
			return nil, err
		}
	}
	for _, at := range sometimes {
		if err := c.gather(&p, at, false, false, nil); err != nil {
			return nil, err
		}
	}
	if err := c.scalars(n, &p); err != nil {
		return nil, err
	}
	if n.kinds&arrayKind != 0 {
		if err := c.elements(n, &p); err != nil {
			return nil, err
		}
	}
	if n.kinds&objectKind != 0 {
		if err := c.properties(n, &p); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// scalars sets what needs no other node: kinds, enum and range.
func (c *compiler) scalars(n *node, p *place) *Error {
	n.kinds = anyKind
	constraining := 0
	for _, part := range p.always {
		kinds, err := part.kinds()
		if err != nil {
			return err
		}
		if part.asserts() {
			constraining++
		}
		if n.kinds &= kinds; n.kinds == 0 && !part.never {
			return schemaError(part.at, "no type is left that all of the combined schemas allow")
		}
	}
	if constraining > 1 { // only the first enum and range are used here
		c.beyond = true
	}
	for _, part := range p.always {
		if err := part.narrow(n); err != nil {
			return err
		}
	}
	return nil
}

// elements sets the node of an array's elements.
func (c *compiler) elements(n *node, p *place) (err *Error) {
	var always, sometimes []string
	collect := func(parts []part, into *[]string) {
		for _, part := range parts {
			items, ok := part.keys["items"]
			tuple, isTuple := items.([]any)
			at := part.at + "/items"
			if prefix, has := part.keys["prefixItems"].([]any); has {
				tuple, isTuple, at = prefix, true, part.at+"/prefixItems"
			}
			for i := range tuple {
				sometimes = append(sometimes, at+"/"+strconv.Itoa(i))
			}
			switch {
			case !ok && part.keys["additionalItems"] != nil && isTuple:
				sometimes = append(sometimes, part.at+"/additionalItems")
			case ok && isTuple && at != part.at+"/items":
				sometimes = append(sometimes, part.at+"/items")
			case ok && !isTuple:
				*into = append(*into, part.at+"/items")
			}
		}
	}
	collect(p.always, &always)
	collect(p.sometimes, &sometimes)
	n.elem, err = c.nodeOrAnything(always, sometimes)
	return err
}

func (c *compiler) nodeOrAnything(always, sometimes []string) (*node, *Error) {
	if len(always) == 0 && len(sometimes) == 0 {
		return anything(), nil
	}
	return c.node(always, sometimes)
}

// properties sets an object's fields and what is allowed beyond them.
func (c *compiler) properties(n *node, p *place) *Error {
	if err := c.extra(n, p); err != nil {
		return err
	}
	names := make(map[string]*[2][]string) // pointers that always and sometimes hold
	var order []string
	for i, parts := range [][]part{p.always, p.sometimes} {
		for _, part := range parts {
			props, _ := part.keys["properties"].(map[string]any)
			order = append(order, c.order[part.at+"/properties"]...)
			for name := range props {
				if names[name] == nil {
					names[name] = new([2][]string)
				}
				names[name][i] = append(names[name][i], part.at+"/properties/"+escapePointer(name))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		child, err := c.node(names[name][0], names[name][1])
		if err != nil {
			return err
		}
		n.fields = append(n.fields, field{name: name, node: child})
	}
	if err := c.required(n, p); err != nil {
		return err
	}
	n.follow(order)
	return nil
}

// extra decides on properties beyond the declared ones. One part that allows
// them is enough; without any, one part that declares properties forbids them.
func (c *compiler) extra(n *node, p *place) (err *Error) {
	var always, sometimes []string
	open, closed := false, false
	for i, parts := range [][]part{p.always, p.sometimes} {
		for _, part := range parts {
			additional, has := part.keys["additionalProperties"]
			if part.keys["patternProperties"] != nil {
				if !has && len(p.all()) == 1 { // closed to names that no pattern matches
					part.keys["additionalProperties"] = false
				}
				open = true
				continue
			}
			switch additional {
			case nil:
				closed = closed || part.keys["properties"] != nil
				unevaluated := part.keys["unevaluatedProperties"]
				open = open || unevaluated != nil && unevaluated != false
			case true:
				open = true
			case false:
				closed = true
			default:
				at := part.at + "/additionalProperties"
				if i == 0 {
					always = append(always, at)
				} else {
					sometimes = append(sometimes, at)
				}
			}
		}
	}
	switch {
	case open:
		n.extra = anything()
	case len(always)+len(sometimes) > 0:
		n.extra, err = c.node(always, sometimes)
	case !closed:
		n.extra = anything()
	}
	return err
}

// required marks the required fields. One that is not declared becomes a field
// where further properties are allowed.
func (c *compiler) required(n *node, p *place) *Error {
	for _, part := range p.always {
		for _, item := range list(part.keys["required"]) {
			name, ok := item.(string)
			if !ok {
				return schemaError(part.at+"/required", "want property names, got %s", jsonKind(item))
			}
			i, found := slices.BinarySearchFunc(n.fields, name, func(f field, name string) int {
				return strings.Compare(f.name, name)
			})
			if !found {
				if n.extra == nil {
					return schemaError(part.at+"/required", "property %s is required but not declared", quote(name))
				}
				n.fields = slices.Insert(n.fields, i, field{name: name, node: n.extra})
			}
			if n.fields[i].required == 0 {
				n.fields[i].required = 1
				n.required++
			}
		}
	}
	return nil
}

// settle computes every node's type and index while nothing else sees the
// schema, so that reading it later changes nothing. It reports whether every
// property of every object is declared, and no object has more than 64.
func settle(root *node) (distinct bool) {
	distinct = true
	seen := make(map[*node]bool)
	var visit func(n *node)
	visit = func(n *node) {
		if n == nil || seen[n] {
			return
		}
		seen[n] = true
		n.typeOf()
		n.index = newIndex(n.fields)
		if n.kinds&objectKind != 0 && (n.extra != nil || len(n.fields) > 64) {
			distinct = false
		}
		for i := range n.fields {
			visit(n.fields[i].node)
		}
		visit(n.extra)
		visit(n.elem)
	}
	visit(root)
	return distinct
}

func list(v any) []any {
	items, _ := v.([]any)
	return items
}

func jsonKind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "an array"
	}
	return "an object"
}

func escapePointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
