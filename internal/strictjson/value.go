package strictjson

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// Value is one value: of a document, of a host's function, or computed from
// such. The zero Value is Invalid: an absent value. Values are immutable and
// safe for concurrent use. An accessor of another kind than the value's returns
// the zero of its type, but Int also gives a Bool as 0 or 1 and a Duration in
// nanoseconds.
//
// A Value has the size and the number of fields up to which the compiler keeps a
// struct in registers, since programs pass many around. So one pointer leads to
// whatever there is, and every accessor looks at kind before it follows it.
type Value struct {
	num  int64 // of scalars, doubles by their bits; the length of text and of what is nested
	data data
	more uint32 // the nanoseconds of a Timestamp; the literal's length of an Int or Double
	kind Kind
}

// data points to the first byte of text, or the first of some values, members
// or entries.
type data struct {
	_ [0]func() // no ==, which would compare pointers: Equal compares values
	p unsafe.Pointer
}

// Member is one property of an Object or one entry of a Map.
type Member struct {
	Name  string
	Value Value
}

// Entry is one entry of a Table.
type Entry struct {
	Key, Value Value
}

// Constructors for values that do not come from JSON text.

func NullValue() Value                    { return Value{kind: Null} }
func StringValue(s string) Value          { return textValue(String, s) }
func BytesValue(s string) Value           { return textValue(Bytes, s) }
func IntValue(i int64) Value              { return Value{kind: Int, num: i} }
func UintValue(u uint64) Value            { return Value{kind: Uint, num: int64(u)} }
func DurationValue(d time.Duration) Value { return Value{kind: Duration, num: int64(d)} }
func TimestampValue(t time.Time) Value    { return InstantValue(t.Unix(), int32(t.Nanosecond())) }
func BoolValue(b bool) Value {
	v := Value{kind: Bool}
	if b {
		v.num = 1
	}
	return v
}

// InstantValue is a Timestamp of so many seconds since 1970 in UTC, and of
// nanoseconds from 0 to 999,999,999 after them.
func InstantValue(sec int64, nsec int32) Value {
	return Value{kind: Timestamp, num: sec, more: uint32(nsec)}
}

// DoubleValue refuses NaN and infinities, which no rule may ever see, and
// turns negative zero into zero.
func DoubleValue(f float64) (Value, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Value{}, fmt.Errorf("%v is not a finite number", f)
	}
	return doubleValue(f + 0), nil
}

func doubleValue(f float64) Value { return Value{kind: Double, num: int64(math.Float64bits(f))} }

func textValue(kind Kind, s string) Value {
	return Value{kind: kind, num: int64(len(s)), data: data{p: unsafe.Pointer(unsafe.StringData(s))}}
}

// maxLiteral is the length of a literal that more can hold for sure.
const maxLiteral = 1 << 30

// literally returns the Int or Double v as it stood in a document.
func (v Value) literally(s string) Value {
	v.data.p, v.more = unsafe.Pointer(unsafe.StringData(s)), uint32(len(s))
	return v
}

func nestedValue[T any](kind Kind, s []T) Value {
	return Value{kind: kind, num: int64(len(s)), data: data{p: unsafe.Pointer(unsafe.SliceData(s))}}
}

// ListValue retains elems, which must not change afterwards.
func ListValue(elems []Value) Value { return nestedValue(List, elems) }

// MapValue retains members and sorts them by name in place. Names must be
// distinct. The value is a Map unless kind is Object.
func MapValue(kind Kind, members []Member) Value {
	if kind != Object {
		kind = Map // whatever was asked for: the kind says where the pointer leads
	}
	sortMembers(members)
	return nestedValue(kind, members)
}

// sortMembers sorts by hand where that is quicker, since most are few and in order.
func sortMembers(members []Member) {
	const few = 12
	if len(members) > few {
		slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
		return
	}
	for i := 1; i < len(members); i++ {
		for j := i; j > 0 && members[j].Name < members[j-1].Name; j-- {
			members[j], members[j-1] = members[j-1], members[j]
		}
	}
}

// TableValue retains entries and sorts them by key in place: by the names of
// the keys' kinds, and by value within one. Keys must be distinct.
func TableValue(entries []Entry) Value {
	slices.SortFunc(entries, func(a, b Entry) int { return compareKeys(a.Key, b.Key) })
	return nestedValue(Table, entries)
}

func (v Value) Kind() Kind { return v.kind }
func (v Value) Bool() bool { return v.Int() != 0 }

func (v Value) Int() int64 {
	switch v.kind {
	case Int, Bool, Duration:
		return v.num
	}
	return 0
}

func (v Value) Uint() uint64 {
	if v.kind != Uint {
		return 0
	}
	return uint64(v.num)
}

func (v Value) Double() float64 {
	if v.kind != Double {
		return 0
	}
	return math.Float64frombits(uint64(v.num))
}

// Str returns the text of a String or Bytes.
func (v Value) Str() string {
	if v.kind != String && v.kind != Bytes {
		return ""
	}
	return unsafe.String((*byte)(v.data.p), v.num)
}

// Literal returns the number's text as it stood in the document ("20.00",
// "1e3"), so that exact decimals survive; empty for values built otherwise.
func (v Value) Literal() string {
	if v.kind != Int && v.kind != Double {
		return ""
	}
	return unsafe.String((*byte)(v.data.p), v.more)
}

// Duration is [Value.Int] in nanoseconds.
func (v Value) Duration() time.Duration { return time.Duration(v.Int()) }

// Time returns a Timestamp in UTC.
func (v Value) Time() time.Time {
	if v.kind != Timestamp {
		return time.Time{}
	}
	return time.Unix(v.num, int64(v.more)).UTC()
}

// Instant returns a Timestamp as the seconds since 1970 in UTC, and the
// nanoseconds after them.
func (v Value) Instant() (sec int64, nsec int32) {
	if v.kind != Timestamp {
		return 0, 0
	}
	return v.num, int32(v.more)
}

// Len returns how many elements, members or entries v has.
func (v Value) Len() int {
	switch v.kind {
	case List, Map, Object, Table:
		return int(v.num)
	}
	return 0
}

// List returns the elements of a List, which must not change.
func (v Value) List() []Value {
	if v.kind != List {
		return nil
	}
	return unsafe.Slice((*Value)(v.data.p), v.num)
}

// Elem returns element i of a List, which has one.
func (v Value) Elem(i int) Value { return v.List()[i] }

// Members returns the members of a Map or Object in the order of their names.
// They must not change.
func (v Value) Members() []Member {
	if !v.kind.keyed() {
		return nil
	}
	return unsafe.Slice((*Member)(v.data.p), v.num)
}

// Entries returns the entries of a Table in the order that [TableValue] gives
// them. They must not change.
func (v Value) Entries() []Entry {
	if v.kind != Table {
		return nil
	}
	return unsafe.Slice((*Entry)(v.data.p), v.num)
}

// Get returns the member of that exact name, or false when v is no Object or
// Map or has none.
func (v Value) Get(name string) (Value, bool) {
	members := v.Members()
	low, high := 0, len(members)
	for low < high { // by hand: a closure for each comparison costs more than it
		mid := int(uint(low+high) >> 1)
		switch m := &members[mid]; {
		case m.Name == name:
			return m.Value, true
		case m.Name < name:
			low = mid + 1
		default:
			high = mid
		}
	}
	return Value{}, false
}
