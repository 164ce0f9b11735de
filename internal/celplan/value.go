package celplan

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// object is a value of a declared object type within one evaluation. Reading
// a member that is not there is a readError; testing for it is not.
type object struct {
	of     *objectType
	value  strictjson.Value
	read   []ref.Val         // adapted members by field index; nil until the first is read
	broken map[string]string // of facts: the unavailable ones, and why
}

func (o *object) has(name string) bool {
	if _, unavailable := o.broken[name]; unavailable {
		return false
	}
	v, ok := o.value.Get(name)
	return ok && v.Kind() != strictjson.Invalid
}

func (o *object) get(name string) (ref.Val, error) {
	if why, unavailable := o.broken[name]; unavailable {
		return nil, &readError{kind: Unavailable, why: why}
	}
	f, declared := o.of.fields[name]
	v, ok := o.value.Get(name)
	if !declared || !ok || v.Kind() == strictjson.Invalid {
		return nil, &readError{kind: Absent}
	}
	if o.read == nil {
		o.read = make([]ref.Val, len(o.of.fields))
	}
	if o.read[f.index] == nil {
		o.read[f.index] = adapt(v, f.shape)
	}
	return o.read[f.index], nil
}

// adapt turns a value into a CEL value. Where the value is not of the declared
// shape, its own kind counts, so that operations on it fail.
func adapt(v strictjson.Value, s *shape) ref.Val {
	switch v.Kind() {
	case strictjson.Null:
		return types.NullValue
	case strictjson.Bool:
		return types.Bool(v.Bool())
	case strictjson.Int:
		return types.Int(v.Int())
	case strictjson.Double:
		return types.Double(v.Double())
	case strictjson.String:
		return types.String(v.Str())
	case strictjson.Timestamp:
		return types.Timestamp{Time: v.Time()}
	case strictjson.Duration:
		return types.Duration{Duration: v.Duration()}
	case strictjson.List:
		elems := make([]ref.Val, len(v.List()))
		for i, elem := range v.List() {
			elems[i] = adapt(elem, s.inner())
		}
		return types.NewRefValList(types.DefaultTypeAdapter, elems)
	case strictjson.Map, strictjson.Object:
		if s.object != nil {
			return &object{of: s.object, value: v}
		}
		entries := make(map[ref.Val]ref.Val, len(v.Members()))
		for _, m := range v.Members() {
			entries[types.String(m.Name)] = adapt(m.Value, s.inner())
		}
		return inOrder(types.NewRefValMap(types.DefaultTypeAdapter, entries))
	}
	return types.NewErr("a value of no kind")
}

func (s *shape) inner() *shape {
	if s.elem == nil {
		return dynShape()
	}
	return s.elem
}

// ConvertToNative implements [ref.Val]: an object stays in CEL.
func (o *object) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("no conversion of an object to %v", t)
}

// ConvertToType implements [ref.Val].
func (o *object) ConvertToType(ref.Type) ref.Val { return types.NoSuchOverloadErr() }

// Equal implements [ref.Val]. Objects are equal when the same declared
// members are present in both and equal.
func (o *object) Equal(other ref.Val) ref.Val {
	that, ok := other.(*object)
	if !ok || o.of != that.of {
		return types.False
	}
	for _, name := range o.of.names {
		mine, errMine := o.get(name)
		theirs, errTheirs := that.get(name)
		if errMine != nil || errTheirs != nil {
			if errMine != nil && errTheirs != nil {
				continue
			}
			return types.False
		}
		if types.Equal(mine, theirs) != types.True {
			return types.False
		}
	}
	return types.True
}

// Type implements [ref.Val].
func (o *object) Type() ref.Type { return o.of.cel }

// Value implements [ref.Val]; CEL hands it to the accessors of the fields.
func (o *object) Value() any { return o }

// Get implements [traits.Indexer], for an object in a value of no static type.
func (o *object) Get(index ref.Val) ref.Val {
	name, ok := index.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(index)
	}
	v, err := o.get(string(name))
	if err != nil {
		return types.WrapErr(err)
	}
	return v
}

// IsSet implements [traits.FieldTester].
func (o *object) IsSet(index ref.Val) ref.Val {
	name, ok := index.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(index)
	}
	return types.Bool(o.has(string(name)))
}

// ordered is a map whose keys come in a fixed order. CEL leaves the order
// open, and where a comprehension stops decides what it reads.
type ordered struct {
	traits.Mapper
	keys []ref.Val
}

func inOrder(m traits.Mapper) *ordered {
	o := &ordered{Mapper: m}
	for it := m.Iterator(); it.HasNext() == types.True; {
		o.keys = append(o.keys, it.Next())
	}
	slices.SortFunc(o.keys, compareKeys)
	return o
}

func compareKeys(a, b ref.Val) int {
	if a.Type() != b.Type() {
		return strings.Compare(a.Type().TypeName(), b.Type().TypeName())
	}
	if c, ok := a.(traits.Comparer); ok {
		if order, ok := c.Compare(b).(types.Int); ok {
			return int(order)
		}
	}
	return 0
}

// Iterator implements [traits.Iterable].
func (o *ordered) Iterator() traits.Iterator {
	return types.NewRefValList(types.DefaultTypeAdapter, o.keys).Iterator()
}
