package strictjson

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Value is one decoded value. The zero Value is Invalid: an absent value.
// Values are immutable and safe for concurrent use.
type Value struct {
	kind Kind
	num  int64 // Bool, Int, Duration (ns)
	dbl  float64
	str  string // String; the literal of Int and Double as it stood in the document
	at   time.Time
	list []Value
	obj  []Member // of Map and Object, sorted by name
}

// Member is one property of an Object or one entry of a Map.
type Member struct {
	Name  string
	Value Value
}

// Constructors for values that do not come from JSON text.

func NullValue() Value                    { return Value{kind: Null} }
func StringValue(s string) Value          { return Value{kind: String, str: s} }
func IntValue(i int64) Value              { return Value{kind: Int, num: i} }
func TimestampValue(t time.Time) Value    { return Value{kind: Timestamp, at: t.UTC()} }
func DurationValue(d time.Duration) Value { return Value{kind: Duration, num: int64(d)} }
func ListValue(elems []Value) Value       { return Value{kind: List, list: elems} }
func BoolValue(b bool) Value {
	v := Value{kind: Bool}
	if b {
		v.num = 1
	}
	return v
}

// DoubleValue refuses NaN and infinities, which no rule may ever see, and
// turns negative zero into zero.
func DoubleValue(f float64) (Value, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Value{}, fmt.Errorf("%v is not a finite number", f)
	}
	return Value{kind: Double, dbl: f + 0}, nil
}

// MapValue sorts members by name in place. Names must be distinct.
func MapValue(kind Kind, members []Member) Value {
	slices.SortFunc(members, func(a, b Member) int {
		switch {
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
	return Value{kind: kind, obj: members}
}

func (v Value) Kind() Kind              { return v.kind }
func (v Value) Bool() bool              { return v.num != 0 }
func (v Value) Int() int64              { return v.num }
func (v Value) Double() float64         { return v.dbl }
func (v Value) Str() string             { return v.str }
func (v Value) Time() time.Time         { return v.at }
func (v Value) Duration() time.Duration { return time.Duration(v.num) }
func (v Value) List() []Value           { return v.list }
func (v Value) Members() []Member       { return v.obj }

// Literal returns the number's text as it stood in the document ("20.00",
// "1e3"), so that exact decimals survive; empty for values built otherwise.
func (v Value) Literal() string {
	if v.kind == Int || v.kind == Double {
		return v.str
	}
	return ""
}

// Get returns the member of that exact name, or false when v is no Object or
// Map or has none.
func (v Value) Get(name string) (Value, bool) {
	i, ok := slices.BinarySearchFunc(v.obj, name, func(m Member, name string) int {
		switch {
		case m.Name < name:
			return -1
		case m.Name > name:
			return 1
		}
		return 0
	})
	if !ok {
		return Value{}, false
	}
	return v.obj[i].Value, true
}
