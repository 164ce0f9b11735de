package celplan

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"cel.dev/cel-go/common/operators"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// maxExact is up to where every integer is a float64.
const maxExact = 1 << 53

// maxListed is up to how many integers an interval is written out as a set.
const maxListed = 256

// domain is what is known of the values that a place can have: a superset of
// them. The zero domain knows nothing.
type domain struct {
	finite  bool
	values  []strictjson.Value // where finite
	integer bool
	lo, hi  limit
	except  []strictjson.Value // what it is not, where not finite
}

// limit is one end of an interval; unset, the interval has no such end.
type limit struct {
	at   float64
	open bool
	set  bool
}

func setOf(values ...strictjson.Value) domain { return domain{finite: true, values: values} }

func (d domain) empty() bool {
	if d.finite {
		return len(d.values) == 0
	}
	return d.lo.set && d.hi.set && (d.lo.at > d.hi.at || d.lo.at == d.hi.at && (d.lo.open || d.hi.open))
}

// restrict returns the values of d for which the relation to the literals can
// be true. in and its negation take any number of literals, others one.
func (d domain) restrict(relation string, literals []strictjson.Value) domain {
	if d.finite {
		var kept []strictjson.Value
		for _, v := range d.values {
			if relates(v, relation, literals) {
				kept = append(kept, v)
			}
		}
		return setOf(kept...)
	}
	switch relation {
	case operators.Equals, operators.In:
		var kept []strictjson.Value
		for _, v := range literals {
			if d.holds(v) {
				kept = append(kept, v)
			}
		}
		return setOf(kept...)
	case operators.NotEquals, notIn:
		d.except = append(slices.Clip(d.except), literals...)
		return d.listed()
	}
	n, ok := exact(literals[0])
	if !ok {
		return d
	}
	switch relation {
	case operators.Less:
		d.hi = d.hi.below(limit{at: n, open: true, set: true})
	case operators.LessEquals:
		d.hi = d.hi.below(limit{at: n, set: true})
	case operators.Greater:
		d.lo = d.lo.above(limit{at: n, open: true, set: true})
	case operators.GreaterEquals:
		d.lo = d.lo.above(limit{at: n, set: true})
	}
	return d.closed().listed()
}

// notIn is the negation of membership, which CEL has no operator for.
const notIn = "not in"

func negated(relation string) string {
	switch relation {
	case operators.Equals:
		return operators.NotEquals
	case operators.NotEquals:
		return operators.Equals
	case operators.Less:
		return operators.GreaterEquals
	case operators.LessEquals:
		return operators.Greater
	case operators.Greater:
		return operators.LessEquals
	case operators.GreaterEquals:
		return operators.Less
	case operators.In:
		return notIn
	}
	return operators.In
}

func mirrored(relation string) string {
	switch relation {
	case operators.Less:
		return operators.Greater
	case operators.LessEquals:
		return operators.GreaterEquals
	case operators.Greater:
		return operators.Less
	case operators.GreaterEquals:
		return operators.LessEquals
	}
	return relation
}

func (l limit) below(other limit) limit {
	if !l.set || other.at < l.at || other.at == l.at && other.open {
		return other
	}
	return l
}

func (l limit) above(other limit) limit {
	if !l.set || other.at > l.at || other.at == l.at && other.open {
		return other
	}
	return l
}

// closed moves the ends of an interval of integers to integers.
func (d domain) closed() domain {
	if !d.integer {
		return d
	}
	if d.lo.set {
		at := math.Ceil(d.lo.at)
		if d.lo.open && at == d.lo.at {
			at++
		}
		d.lo = limit{at: at, set: true}
	}
	if d.hi.set {
		at := math.Floor(d.hi.at)
		if d.hi.open && at == d.hi.at {
			at--
		}
		d.hi = limit{at: at, set: true}
	}
	return d
}

// listed writes a short interval of integers out.
func (d domain) listed() domain {
	if d.finite || !d.integer || !d.lo.set || !d.hi.set || d.hi.at-d.lo.at > maxListed {
		return d
	}
	var values []strictjson.Value
	for n := d.lo.at; n <= d.hi.at; n++ {
		if v := strictjson.IntValue(int64(n)); !contains(d.except, v) {
			values = append(values, v)
		}
	}
	return setOf(values...)
}

// holds reports whether v can be a value of an infinite domain.
func (d domain) holds(v strictjson.Value) bool {
	if contains(d.except, v) {
		return false
	}
	n, ok := exact(v)
	if !ok {
		return true
	}
	if d.integer && n != math.Trunc(n) {
		return false
	}
	if d.lo.set && (n < d.lo.at || n == d.lo.at && d.lo.open) {
		return false
	}
	return !d.hi.set || n < d.hi.at || n == d.hi.at && !d.hi.open
}

// union returns a domain that holds what either holds.
func (d domain) union(other domain) domain {
	switch {
	case d.empty():
		return other
	case other.empty():
		return d
	case d.finite && other.finite:
		values := slices.Clone(d.values)
		for _, v := range other.values {
			if !contains(values, v) {
				values = append(values, v)
			}
		}
		return setOf(values...)
	}
	a, b := d.interval(), other.interval()
	out := domain{integer: a.integer && b.integer}
	if a.lo.set && b.lo.set {
		out.lo = a.lo
		if b.lo.at < a.lo.at || b.lo.at == a.lo.at && a.lo.open {
			out.lo = b.lo
		}
	}
	if a.hi.set && b.hi.set {
		out.hi = a.hi
		if b.hi.at > a.hi.at || b.hi.at == a.hi.at && a.hi.open {
			out.hi = b.hi
		}
	}
	for _, v := range append(slices.Clone(d.except), other.except...) {
		if !d.can(v) && !other.can(v) && !contains(out.except, v) {
			out.except = append(out.except, v)
		}
	}
	return out
}

func (d domain) can(v strictjson.Value) bool {
	if d.finite {
		return contains(d.values, v)
	}
	return d.holds(v)
}

// interval returns the bounds of d without its gaps; no bounds where a value
// is no number.
func (d domain) interval() domain {
	if !d.finite {
		return domain{integer: d.integer, lo: d.lo, hi: d.hi}
	}
	out := domain{integer: true}
	for i, v := range d.values {
		n, ok := exact(v)
		if !ok {
			return domain{}
		}
		out.integer = out.integer && v.Kind() == strictjson.Int
		if i == 0 || n < out.lo.at {
			out.lo = limit{at: n, set: true}
		}
		if i == 0 || n > out.hi.at {
			out.hi = limit{at: n, set: true}
		}
	}
	return out
}

// meets reports whether some value of d can relate so to some value of other.
func (d domain) meets(relation string, other domain) bool {
	if relation == operators.Equals && d.finite && other.finite {
		return slices.ContainsFunc(d.values, func(v strictjson.Value) bool { return contains(other.values, v) })
	}
	if relation == operators.NotEquals {
		return !(d.finite && other.finite && len(d.values) == 1 && len(other.values) == 1 && same(d.values[0], other.values[0]))
	}
	a, b := d.interval(), other.interval()
	least, most := a.lo, b.hi // a can be under b, if its least is under b's most
	overlap := func(low, high limit, strict bool) bool {
		if !low.set || !high.set || low.at < high.at {
			return true
		}
		return low.at == high.at && !low.open && !high.open && !strict
	}
	switch relation {
	case operators.Less:
		return overlap(least, most, true)
	case operators.LessEquals:
		return overlap(least, most, false)
	case operators.Greater:
		return overlap(b.lo, a.hi, true)
	case operators.GreaterEquals:
		return overlap(b.lo, a.hi, false)
	case operators.Equals:
		return overlap(least, most, false) && overlap(b.lo, a.hi, false)
	}
	return true
}

// relates reports whether the relation of a value to the literals is true; an
// error is not.
func relates(v strictjson.Value, relation string, literals []strictjson.Value) bool {
	switch relation {
	case operators.Equals, operators.In:
		return contains(literals, v)
	case operators.NotEquals, notIn:
		return !contains(literals, v)
	}
	order, ok := compareValues(v, literals[0])
	if !ok {
		return false
	}
	switch relation {
	case operators.Less:
		return order < 0
	case operators.LessEquals:
		return order <= 0
	case operators.Greater:
		return order > 0
	}
	return order >= 0
}

func contains(values []strictjson.Value, v strictjson.Value) bool {
	return slices.ContainsFunc(values, func(other strictjson.Value) bool { return same(other, v) })
}

// same reports whether two scalars are equal in CEL.
func same(a, b strictjson.Value) bool {
	if a.Kind() == strictjson.Null || b.Kind() == strictjson.Null {
		return a.Kind() == b.Kind()
	}
	order, ok := compareValues(a, b)
	return ok && order == 0
}

func compareValues(a, b strictjson.Value) (int, bool) {
	switch {
	case a.Kind() == strictjson.String && b.Kind() == strictjson.String:
		return strings.Compare(a.Str(), b.Str()), true
	case a.Kind() == strictjson.Int && b.Kind() == strictjson.Int:
		return cmp.Compare(a.Int(), b.Int()), true
	case a.Kind() == strictjson.Bool && b.Kind() == strictjson.Bool:
		switch {
		case a.Bool() == b.Bool():
			return 0, true
		case b.Bool():
			return -1, true
		}
		return 1, true
	}
	switch {
	case a.Kind() == strictjson.Double && b.Kind() == strictjson.Double:
		return cmp.Compare(a.Double(), b.Double()), true
	case a.Kind() == strictjson.Int && b.Kind() == strictjson.Double:
		return compareMixed(a.Int(), b.Double()), true
	case a.Kind() == strictjson.Double && b.Kind() == strictjson.Int:
		return -compareMixed(b.Int(), a.Double()), true
	}
	return 0, false
}

// compareMixed compares without rounding.
func compareMixed(i int64, f float64) int {
	switch {
	case f >= 1<<63:
		return -1
	case f < -1<<63:
		return 1
	}
	whole := math.Trunc(f)
	return cmp.Or(cmp.Compare(i, int64(whole)), cmp.Compare(whole, f))
}

// exact returns a number as a float64, if it is one.
func exact(v strictjson.Value) (float64, bool) {
	switch v.Kind() {
	case strictjson.Int:
		n := float64(v.Int())
		return n, math.Abs(n) < maxExact
	case strictjson.Double:
		return v.Double(), true
	}
	return 0, false
}
