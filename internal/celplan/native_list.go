package celplan

import (
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// list returns the node of a list literal.
func (c *nativeCompiler) list(e ast.Expr, in *scope) *node {
	if len(e.AsList().OptionalIndices()) > 0 {
		return c.unsupported("an optional value")
	}
	t := c.typeOf(e)
	inner := types.DynType
	if ps := t.Parameters(); len(ps) == 1 {
		inner = ps[0]
	}
	nodes := make([]*node, 0, e.AsList().Size())
	constants := make([]strictjson.Value, 0, e.AsList().Size())
	loose := false
	for _, elem := range e.AsList().Elements() {
		n := c.compile(elem, in)
		if !c.sameObjects(n.typ, inner) {
			return c.unsupported("an object as a value of any type")
		}
		nodes = append(nodes, n)
		loose = loose || n.loose || !n.typ.IsExactType(inner)
		if n.isConstant() {
			constants = append(constants, n.constant)
		}
	}
	if len(constants) == len(nodes) && (!c.unfolded || len(nodes) == 0) {
		return constantNode(t, strictjson.ListValue(constants))
	}
	c.lists++
	elems := make([]fn[strictjson.Value], len(nodes))
	for i, n := range nodes {
		elems[i] = n.asAny()
	}
	n := anyNode(t, func(f *Frame) (strictjson.Value, fault) {
		if failed := f.spend(len(elems) / elementsPerWork); failed != 0 {
			return strictjson.Value{}, failed
		}
		list := f.lists.list(len(elems))
		for i, elem := range elems {
			v, failed := elem(f)
			if failed != 0 {
				return v, failed
			}
			list[i] = v
		}
		return strictjson.ListValue(list), 0
	})
	n.loose = loose
	return n
}

type entryNode struct{ key, value fn[strictjson.Value] }

// maxComputedKeys is how many entries a map may have of which a key is not
// constant: looking for equal ones goes through all pairs.
const maxComputedKeys = 32

// mapping returns the node of a map literal. Of entries with the same key the
// last one stays.
func (c *nativeCompiler) mapping(e ast.Expr, in *scope) *node {
	t := c.typeOf(e)
	inner := types.DynType
	if ps := t.Parameters(); len(ps) == 2 {
		inner = ps[1]
	}
	var operands []*node
	computed, strings, loose := false, true, false
	entries := make([]entryNode, 0, e.AsMap().Size())
	for _, entry := range e.AsMap().Entries() {
		if entry.AsMapEntry().IsOptional() {
			return c.unsupported("an optional value")
		}
		k, v := c.compile(entry.AsMapEntry().Key(), in), c.compile(entry.AsMapEntry().Value(), in)
		if !c.sameObjects(v.typ, inner) {
			return c.unsupported("an object as a value of any type")
		}
		computed = computed || !k.isConstant()
		strings = strings && k.kind == strictjson.String
		switch k.kind {
		case strictjson.String, strictjson.Int, strictjson.Uint, strictjson.Bool:
		default:
			return c.unsupported("a map with keys of an unusual type")
		}
		operands = append(operands, k, v)
		loose = loose || v.loose || !v.typ.IsExactType(inner)
		entries = append(entries, entryNode{k.asAny(), v.asAny()})
	}
	switch {
	case computed && len(entries) > maxComputedKeys:
		return c.unsupported("a large map with keys that are computed")
	case !strings && c.holdsObjects(inner):
		return c.unsupported("objects in a map without string keys")
	}
	var twice []bool
	if !computed {
		twice = overridden(operands)
	}
	n := anyNode(t, mapOfEntries(entries, twice))
	n.loose = loose
	return c.foldTo(n, operands...)
}

// overridden tells of which entries, keys before values, a later one has the
// same key.
func overridden(operands []*node) []bool {
	twice := make([]bool, len(operands)/2)
	for i := range twice {
		for j := i + 1; j < len(twice) && !twice[i]; j++ {
			twice[i] = sameKey(operands[2*i].constant, operands[2*j].constant)
		}
	}
	return twice
}

func sameKey(a, b strictjson.Value) bool { return a.Kind() == b.Kind() && equal(a, b) }

// mapOfEntries computes a map: a Map where all keys are strings. twice tells
// which entries a later one overrides; nil: that is not known before.
func mapOfEntries(entries []entryNode, twice []bool) fn[strictjson.Value] {
	return func(f *Frame) (none strictjson.Value, failed fault) {
		made := make([]strictjson.Entry, 0, len(entries))
		strings := true
		for i := range entries {
			var e strictjson.Entry
			if e.Key, failed = entries[i].key(f); failed != 0 {
				return none, failed
			}
			if e.Value, failed = entries[i].value(f); failed != 0 {
				return none, failed
			}
			if twice != nil && twice[i] {
				continue
			}
			made = append(made, e)
			strings = strings && e.Key.Kind() == strictjson.String
		}
		if twice == nil {
			made = distinct(made)
		}
		if !strings {
			return strictjson.TableValue(made), 0
		}
		members := make([]strictjson.Member, len(made))
		for i, e := range made {
			members[i] = strictjson.Member{Name: e.Key.Str(), Value: e.Value}
		}
		return strictjson.MapValue(strictjson.Map, members), 0
	}
}

// distinct keeps the last of the entries with equal keys.
func distinct(entries []strictjson.Entry) []strictjson.Entry {
	kept := entries[:0]
	for i, e := range entries {
		if !slices.ContainsFunc(entries[i+1:], func(o strictjson.Entry) bool { return sameKey(o.Key, e.Key) }) {
			kept = append(kept, e)
		}
	}
	return kept
}

// indexing returns the node of container[key]. The container comes first.
func (c *nativeCompiler) indexing(container, key *node, t *types.Type, missing fault) *node {
	of := container.asAny()
	if container.typ.Kind() == types.ListKind && key.kind == strictjson.Int {
		return elementOf(t, container, key, missing)
	}
	at := key.asAny()
	return inside(container, t, func(f *Frame) (strictjson.Value, fault) {
		v, failed := of(f)
		if failed != 0 {
			return v, failed
		}
		k, failed := at(f)
		if failed != 0 {
			return k, failed
		}
		switch k.Kind() {
		case strictjson.String, strictjson.Int, strictjson.Uint, strictjson.Double, strictjson.Bool:
			return f.index(v, k, missing)
		}
		return k, invalidFault
	})
}

func elementOf(t *types.Type, of, key *node, missing fault) *node {
	list, at := of.asAny(), key.asInt()
	if !key.exact {
		at = asIndex(key.asAny())
	}
	return inside(of, t, func(f *Frame) (strictjson.Value, fault) {
		v, failed := list(f)
		if failed != 0 {
			return v, failed
		}
		i, failed := at(f)
		if failed != 0 {
			return v, failed.settled()
		}
		if v.Kind() != strictjson.List {
			return f.index(v, strictjson.IntValue(i), missing)
		}
		elems := v.List()
		if i < 0 || i >= int64(len(elems)) {
			return strictjson.Value{}, missing
		}
		if elem := elems[i]; elem.Kind() != strictjson.String {
			return elem, 0
		}
		return elems[i], f.reads(elems[i].Str())
	})
}

// asIndex is of what should be an int, and may be null instead.
func asIndex(of fn[strictjson.Value]) fn[int64] {
	return func(f *Frame) (int64, fault) {
		v, failed := of(f)
		switch {
		case failed != 0:
			return 0, failed
		case v.Kind() == strictjson.Int:
			return v.Int(), 0
		case v.Kind() == strictjson.String || v.Kind() == strictjson.Bool:
			return 0, valueFault
		}
		if i, ok := position(v); ok {
			return i, 0
		}
		return 0, invalidFault
	}
}
