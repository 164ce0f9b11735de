package strictjson

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
)

// FromGo turns what a host's function returned into a Value of type t: bool, any
// integer that fits int64, float32 or float64, string, time.Time, time.Duration,
// slices, arrays and maps with string keys of these, and types defined on them
// (on time.Time and time.Duration excepted). A nil slice or map is empty. It refuses everything else and every conversion
// between kinds: nil, an integer for a double, NaN and infinities, text that is
// not UTF-8, NUL in a map's keys, times outside the years 1 to 9999, and values
// beyond [DefaultLimits]. The error is an *[Error] whose Offset is negative.
//
// Nothing of v that could change is retained, and none of v's methods is called.
func FromGo(t *Type, v any) (Value, error) {
	if t == nil {
		return Value{}, refuse(-1, "no type to convert to")
	}
	if out, ok := quickFromGo(t.Kind, v); ok {
		return out, nil
	}
	c := converter{lim: DefaultLimits()}
	out, err := c.value(t, reflect.ValueOf(v), 0)
	if err != nil {
		return Value{}, err
	}
	return out, nil
}

// quickFromGo is FromGo for the types that most facts have, without reflection.
// It leaves whatever it does not convert to that.
func quickFromGo(want Kind, v any) (out Value, ok bool) {
	switch v := v.(type) {
	case bool:
		return BoolValue(v), want == Bool
	case int:
		return IntValue(int64(v)), want == Int
	case int64:
		return IntValue(v), want == Int
	case float64:
		return doubleValue(v + 0), want == Double && !math.IsNaN(v) && !math.IsInf(v, 0)
	case string:
		return StringValue(v), want == String && len(v) <= DefaultLimits().Bytes && utf8.ValidString(v)
	case time.Time:
		return TimestampValue(v), want == Timestamp && inYears(v)
	case time.Duration:
		return DurationValue(v), want == Duration
	}
	return Value{}, false
}

// converter counts what one conversion has cost.
type converter struct {
	lim          Limits
	nodes, bytes int
}

func (c *converter) value(t *Type, v reflect.Value, depth int) (Value, *Error) {
	c.nodes++ // what holds values has checked that these are not too many
	if v.IsValid() && v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		return Value{}, refuse(-1, "want %s, got nil", t)
	}
	switch t.Kind {
	case Timestamp:
		if v.Type() == timeType {
			return timestamp(v.Interface().(time.Time))
		}
	case Duration:
		if v.Type() == durationType {
			return DurationValue(time.Duration(v.Int())), nil
		}
	case Bool:
		if v.Kind() == reflect.Bool {
			return BoolValue(v.Bool()), nil
		}
	case Int:
		return integer(t, v)
	case Double:
		if v.CanFloat() {
			d, err := DoubleValue(v.Float())
			if err != nil {
				return Value{}, refuse(-1, "%v", err)
			}
			return d, nil
		}
	case String:
		if v.Kind() == reflect.String {
			return c.text(v.String())
		}
	case List:
		if k := v.Kind(); k == reflect.Slice || k == reflect.Array {
			return c.list(t, v, depth+1)
		}
	case Map:
		if v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String {
			return c.entries(t, v, depth+1)
		}
	}
	return Value{}, refuse(-1, "want %s, got %s", t, v.Type())
}

func integer(t *Type, v reflect.Value) (Value, *Error) {
	switch {
	case v.Type() == durationType:
	case v.CanInt():
		return IntValue(v.Int()), nil
	case v.CanUint():
		if v.Uint() > math.MaxInt64 {
			return Value{}, refuse(-1, "%d does not fit 64 bits with a sign", v.Uint())
		}
		return IntValue(int64(v.Uint())), nil
	}
	return Value{}, refuse(-1, "want %s, got %s", t, v.Type())
}

func timestamp(at time.Time) (Value, *Error) {
	if !inYears(at) {
		return Value{}, refuse(-1, "year %d is outside 1 to 9999", at.UTC().Year())
	}
	return TimestampValue(at), nil
}

func inYears(at time.Time) bool {
	y := at.UTC().Year()
	return 1 <= y && y <= 9999
}

// spend counts the bytes of text.
func (c *converter) spend(n int) *Error {
	if c.bytes += n; c.bytes > c.lim.Bytes {
		return refuse(-1, "more than %d bytes of text", c.lim.Bytes)
	}
	return nil
}

func (c *converter) text(s string) (Value, *Error) {
	if err := c.spend(len(s)); err != nil {
		return Value{}, err
	}
	if !utf8.ValidString(s) {
		return Value{}, refuse(-1, "text %s is not UTF-8", quote(s))
	}
	return StringValue(s), nil
}

func (c *converter) deeper(t *Type, depth int) *Error {
	if depth > c.lim.Depth {
		return refuse(-1, "nested deeper than %d levels", c.lim.Depth)
	}
	if t.Elem == nil {
		return refuse(-1, "a %s without element type", t.Kind)
	}
	return nil
}

func (c *converter) list(t *Type, v reflect.Value, depth int) (Value, *Error) {
	if err := c.deeper(t, depth); err != nil {
		return Value{}, err
	}
	if v.Len() > c.lim.Nodes-c.nodes {
		return Value{}, refuse(-1, "more than %d values", c.lim.Nodes)
	}
	elems := make([]Value, v.Len())
	for i := range elems {
		e, err := c.value(t.Elem, v.Index(i), depth)
		if err != nil {
			return Value{}, err.belowIndex(i)
		}
		elems[i] = e
	}
	return ListValue(elems), nil
}

func (c *converter) entries(t *Type, v reflect.Value, depth int) (Value, *Error) {
	if err := c.deeper(t, depth); err != nil {
		return Value{}, err
	}
	if v.Len() > c.lim.Nodes-c.nodes {
		return Value{}, refuse(-1, "more than %d values", c.lim.Nodes)
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	members := make([]Member, 0, len(keys))
	for _, key := range keys {
		name := key.String()
		if err := c.spend(len(name)); err != nil {
			return Value{}, err
		}
		if !utf8.ValidString(name) || strings.IndexByte(name, 0) >= 0 {
			return Value{}, refuse(-1, "key %s is not UTF-8 or contains NUL", quote(name))
		}
		e, err := c.value(t.Elem, v.MapIndex(key), depth)
		if err != nil {
			return Value{}, err.belowName(name)
		}
		members = append(members, Member{Name: name, Value: e})
	}
	return MapValue(Map, members), nil
}
