package celplan

import (
	"math"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// equalValues is CEL's ==, which has a result for operands of any kinds.
// Numbers are equal across kinds, an int rounded to the double that it meets,
// and NaN to nothing; lists are by element, maps by key. Otherwise values of
// different kinds differ. An Object counts as a map: CEL knows one of a declared type by its declared
// members alone, so that those must not come here.
//
// left is how many values the evaluation may still compare, and counts down by
// those of two nested operands. Exceeding it is a limitFault, as are operands
// that hold more than maxElements values together.
func equalValues(a, b strictjson.Value, left *int) (bool, fault) {
	if isScalar(a) || isScalar(b) {
		return equal(a, b), 0
	}
	within := maxElements
	if !countDown(a, &within) || !countDown(b, &within) || !spend(left, maxElements-within) {
		return false, limitFault
	}
	return equal(a, b), 0
}

// spend takes n off left, and reports whether that sufficed.
func spend(left *int, n int) bool {
	*left -= n
	return *left >= 0
}

func isScalar(v strictjson.Value) bool {
	switch v.Kind() {
	case strictjson.List, strictjson.Map, strictjson.Object, strictjson.Table:
		return false
	}
	return true
}

// countDown takes v and all that is in it off left, and reports whether that
// sufficed. Elements that a list holds twice count twice: a few nested lists
// can multiply one to millions.
func countDown(v strictjson.Value, left *int) bool {
	if *left--; *left < 0 {
		return false
	}
	switch v.Kind() {
	case strictjson.List:
		elems := v.List()
		for i := range elems {
			if !countDown(elems[i], left) {
				return false
			}
		}
	case strictjson.Map, strictjson.Object:
		members := v.Members()
		for i := range members {
			if !countDown(members[i].Value, left) {
				return false
			}
		}
	case strictjson.Table:
		entries := v.Entries()
		for i := range entries {
			if !countDown(entries[i].Value, left) {
				return false
			}
		}
	}
	return true
}

func equal(a, b strictjson.Value) bool {
	switch a.Kind() {
	case strictjson.Null:
		return b.Kind() == strictjson.Null
	case strictjson.Int, strictjson.Uint, strictjson.Double:
		comparison, ok := compareNumbers(a, b)
		return ok && comparison == 0
	case strictjson.Bool, strictjson.Duration:
		return a.Kind() == b.Kind() && a.Int() == b.Int()
	case strictjson.String, strictjson.Bytes:
		return a.Kind() == b.Kind() && a.Str() == b.Str()
	case strictjson.Timestamp:
		return a.Kind() == b.Kind() && compareTimes(instantOf(a), instantOf(b)) == 0
	case strictjson.List:
		return b.Kind() == strictjson.List && equalLists(a.List(), b.List())
	case strictjson.Map, strictjson.Object:
		if b.Kind() == strictjson.Map || b.Kind() == strictjson.Object {
			return equalMembers(a.Members(), b.Members())
		}
		return b.Kind() == strictjson.Table && equalMaps(a, b)
	case strictjson.Table:
		return !isScalar(b) && b.Kind() != strictjson.List && equalMaps(a, b)
	}
	return false
}

func equalLists(a, b []strictjson.Value) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// equalMembers compares members in the order of their names.
func equalMembers(a, b []strictjson.Member) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || !equal(a[i].Value, b[i].Value) {
			return false
		}
	}
	return true
}

// equalMaps looks every key of a up in b. It is not symmetric where b has a
// key that a has in two kinds, 1 and 1u; nor is CEL's.
func equalMaps(a, b strictjson.Value) bool {
	if a.Len() != b.Len() {
		return false
	}
	for _, m := range a.Members() {
		if other, found := lookUp(b, strictjson.StringValue(m.Name)); !found || !equal(m.Value, other) {
			return false
		}
	}
	for _, e := range a.Entries() {
		if other, found := lookUp(b, e.Key); !found || !equal(e.Value, other) {
			return false
		}
	}
	return true
}

// lookUp finds a key of a map. A number finds the same number of another
// kind, where there is none of its own.
func lookUp(m, key strictjson.Value) (v strictjson.Value, found bool) {
	if m.Kind() != strictjson.Table {
		if key.Kind() != strictjson.String {
			return strictjson.Value{}, false
		}
		return m.Get(key.Str())
	}
	entries := m.Entries()
	if v, found = exactly(entries, key); found {
		return v, true
	}
	switch key.Kind() {
	case strictjson.Int:
		if key.Int() >= 0 {
			return exactly(entries, strictjson.UintValue(uint64(key.Int())))
		}
	case strictjson.Uint:
		if key.Uint() <= math.MaxInt64 {
			return exactly(entries, strictjson.IntValue(int64(key.Uint())))
		}
	case strictjson.Double:
		if i, whole := wholeInt(key.Double()); whole {
			if v, found = exactly(entries, strictjson.IntValue(i)); found {
				return v, true
			}
		}
		if u, whole := wholeUint(key.Double()); whole {
			return exactly(entries, strictjson.UintValue(u))
		}
	}
	return strictjson.Value{}, false
}

// exactly finds a key by kind and value.
func exactly(entries []strictjson.Entry, key strictjson.Value) (v strictjson.Value, found bool) {
	for i := range entries {
		if e := &entries[i]; e.Key.Kind() == key.Kind() && equal(e.Key, key) {
			return e.Value, true
		}
	}
	return strictjson.Value{}, false
}

// wholeInt is the int that d stands for, if it is one. CEL excludes the least
// int as it does in conversions.
func wholeInt(d float64) (int64, bool) {
	i, failed := intOfDouble(d)
	return i, failed == 0 && float64(i) == d
}

func wholeUint(d float64) (uint64, bool) {
	u, failed := uintOfDouble(d)
	return u, failed == 0 && float64(u) == d
}

// containsValue is CEL's in: whether a list has an equal element, or a map has
// the key. left counts down by the length of the container, and by all that is
// in it where elem is nested.
func containsValue(container, elem strictjson.Value, left *int) (bool, fault) {
	if isScalar(container) {
		return false, overloadFault
	}
	if !isScalar(elem) {
		within := maxElements
		if !countDown(container, &within) || !spend(left, maxElements-within) {
			return false, limitFault
		}
	}
	work := container.Len()
	if isKeyed(container) {
		work = 1 // its names are in order
	}
	if !spend(left, work) {
		return false, limitFault
	}
	if container.Kind() != strictjson.List {
		if elem.Kind() == strictjson.Bytes && container.Len() > 0 {
			return false, valueFault // cel-go, too, fails to look for bytes
		}
		_, found := lookUp(container, elem)
		return found, 0
	}
	elems := container.List()
	for i := range elems {
		if equal(elem, elems[i]) {
			return true, 0
		}
	}
	return false, 0
}

// indexValue is CEL's container[key]. found is false where a list has no such
// element and a map no such key, and for what is neither list nor map: a read
// in vain. A number or text that can be no position is a valueFault, what can
// be no key of any map an invalidFault.
func indexValue(container, key strictjson.Value) (v strictjson.Value, found bool, failed fault) {
	switch key.Kind() {
	case strictjson.Bool, strictjson.Int, strictjson.Uint, strictjson.Double, strictjson.String:
	default:
		return strictjson.Value{}, false, invalidFault
	}
	switch container.Kind() {
	case strictjson.List:
		i, ok := position(key)
		if !ok {
			return strictjson.Value{}, false, valueFault
		}
		if elems := container.List(); i >= 0 && i < int64(len(elems)) {
			return elems[i], true, 0
		}
	case strictjson.Map, strictjson.Object, strictjson.Table:
		v, found = lookUp(container, key)
	}
	return v, found, 0
}

// position is the int of an index; a uint or a whole double is one too.
func position(index strictjson.Value) (i int64, ok bool) {
	switch index.Kind() {
	case strictjson.Int:
		return index.Int(), true
	case strictjson.Uint:
		return int64(index.Uint()), index.Uint() <= math.MaxInt64
	case strictjson.Double:
		return wholeInt(index.Double())
	}
	return 0, false
}
