package celplan

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/internal/strictjson"
)

type operation struct {
	src  string
	ours func(args []strictjson.Value) (strictjson.Value, fault)
}

func fuelled() *int {
	fuel := 1 << 30
	return &fuel
}

func boolResult(b bool, failed fault) (strictjson.Value, fault) {
	return strictjson.BoolValue(b), failed
}

// binaries are the operators that take two values of any kinds.
var binaries = []operation{
	{"a + b", func(v []strictjson.Value) (strictjson.Value, fault) { return arith(add, v[0], v[1]) }},
	{"a - b", func(v []strictjson.Value) (strictjson.Value, fault) { return arith(subtract, v[0], v[1]) }},
	{"a * b", func(v []strictjson.Value) (strictjson.Value, fault) { return arith(multiply, v[0], v[1]) }},
	{"a / b", func(v []strictjson.Value) (strictjson.Value, fault) { return arith(divide, v[0], v[1]) }},
	{"a % b", func(v []strictjson.Value) (strictjson.Value, fault) { return arith(modulo, v[0], v[1]) }},
	{"a < b", func(v []strictjson.Value) (strictjson.Value, fault) {
		return boolResult(relateValues(isLess, v[0], v[1]))
	}},
	{"a <= b", func(v []strictjson.Value) (strictjson.Value, fault) {
		return boolResult(relateValues(isAtMost, v[0], v[1]))
	}},
	{"a > b", func(v []strictjson.Value) (strictjson.Value, fault) {
		return boolResult(relateValues(isGreater, v[0], v[1]))
	}},
	{"a >= b", func(v []strictjson.Value) (strictjson.Value, fault) {
		return boolResult(relateValues(isAtLeast, v[0], v[1]))
	}},
	{"a == b", func(v []strictjson.Value) (strictjson.Value, fault) {
		return boolResult(equalValues(v[0], v[1], fuelled()))
	}},
	{"a in b", func(v []strictjson.Value) (strictjson.Value, fault) {
		return boolResult(containsValue(v[1], v[0], fuelled()))
	}},
	{"a[b]", func(v []strictjson.Value) (strictjson.Value, fault) {
		out, found, failed := indexValue(v[0], v[1])
		if failed == 0 && !found {
			return out, missing
		}
		return out, failed
	}},
}

var unaries = []operation{
	{"-a", func(v []strictjson.Value) (strictjson.Value, fault) { return negate(v[0]) }},
	{"size(a)", func(v []strictjson.Value) (strictjson.Value, fault) {
		n, failed := sizeOfValue(v[0])
		return strictjson.IntValue(n), failed
	}},
	{"bool(a)", func(v []strictjson.Value) (strictjson.Value, fault) { return convertValue(strictjson.Bool, v[0]) }},
	{"bytes(a)", func(v []strictjson.Value) (strictjson.Value, fault) { return convertValue(strictjson.Bytes, v[0]) }},
	{"double(a)", func(v []strictjson.Value) (strictjson.Value, fault) { return convertValue(strictjson.Double, v[0]) }},
	{"duration(a)", func(v []strictjson.Value) (strictjson.Value, fault) { return convertValue(strictjson.Duration, v[0]) }},
	{"int(a)", func(v []strictjson.Value) (strictjson.Value, fault) { return convertValue(strictjson.Int, v[0]) }},
	{"string(a)", func(v []strictjson.Value) (strictjson.Value, fault) { return convertValue(strictjson.String, v[0]) }},
	{"timestamp(a)", func(v []strictjson.Value) (strictjson.Value, fault) { return convertValue(strictjson.Timestamp, v[0]) }},
	{"uint(a)", func(v []strictjson.Value) (strictjson.Value, fault) { return convertValue(strictjson.Uint, v[0]) }},
}

func TestOperatorsAtEdges(t *testing.T) {
	t.Parallel()
	values := edges()
	for _, op := range binaries {
		t.Run(op.src, func(t *testing.T) {
			t.Parallel()
			for _, a := range values {
				for _, b := range values {
					agree(t, op.src, op.ours, a, b)
				}
			}
		})
	}
	for _, op := range unaries {
		t.Run(op.src, func(t *testing.T) {
			t.Parallel()
			for _, a := range values {
				agree(t, op.src, op.ours, a)
			}
		})
	}
}

func TestOperatorsAgree(t *testing.T) {
	t.Parallel()
	manyTimes(t, func(t *rapid.T) {
		a, b := draw(t, 2), draw(t, 2)
		if rapid.Bool().Draw(t, "related") {
			b = relative(t, a)
		}
		for _, op := range binaries {
			agree(t, op.src, op.ours, a, b)
			agree(t, op.src, op.ours, b, a)
		}
		for _, op := range unaries {
			agree(t, op.src, op.ours, a)
		}
	})
}

// relative draws a value of the kind of a, of a number's kinds, or one that
// holds a.
func relative(t *rapid.T, a strictjson.Value) strictjson.Value {
	if rapid.Bool().Draw(t, "inside") {
		return strictjson.ListValue([]strictjson.Value{draw(t, 1), a})
	}
	switch a.Kind() {
	case strictjson.Int, strictjson.Uint, strictjson.Double:
		switch rapid.IntRange(0, 2).Draw(t, "number") {
		case 0:
			return strictjson.IntValue(drawInt(t))
		case 1:
			return strictjson.UintValue(drawUint(t))
		}
		return strictjson.ComputedDoubleValue(drawDouble(t))
	case strictjson.String:
		return strictjson.StringValue(drawText(t))
	case strictjson.Timestamp, strictjson.Duration:
		if rapid.Bool().Draw(t, "time") {
			return drawTime(t).value()
		}
		return strictjson.DurationValue(time.Duration(drawDuration(t)))
	}
	return a
}
