package celplan

import (
	"time"

	"cel.dev/cel-go/common/types"

	"github.com/ambit-go/ambit/internal/strictjson"
)

var listOfText = types.NewListType(types.StringType)

// conversions are the functions that convert, and the kind they convert to.
func conversionOf(function string) (to strictjson.Kind, ok bool) {
	switch function {
	case "bool":
		return strictjson.Bool, true
	case "bytes":
		return strictjson.Bytes, true
	case "double":
		return strictjson.Double, true
	case "duration":
		return strictjson.Duration, true
	case "int":
		return strictjson.Int, true
	case "string":
		return strictjson.String, true
	case "timestamp":
		return strictjson.Timestamp, true
	case "uint":
		return strictjson.Uint, true
	}
	return 0, false
}

// conversion returns the node of a conversion; nil: the function is none.
func (c *nativeCompiler) conversion(name string, args []*node, overloaded bool) *node {
	if len(args) != 1 {
		return nil
	}
	a := args[0]
	if name == "dyn" {
		if c.holdsObjects(a.typ) {
			return c.unsupported("an object as a value of any type")
		}
		return anyNode(types.DynType, a.asAny())
	}
	to, ok := conversionOf(name)
	from := kindOf(a.typ) // CEL takes no other kind, if the type is what it chose the overload by
	if overloaded {
		from = strictjson.Dyn
	}
	switch {
	case !ok:
		return nil
	case from == to:
		return asIs(to, a)
	}
	if n := converted(to, a); n != nil {
		return n
	}
	of, infinite := a.asAny(), c.infinite
	n := anyNode(typeOfKind(to), func(f *Frame) (strictjson.Value, fault) {
		v, failed := of(f)
		if failed != 0 {
			return v, failed
		}
		if from != strictjson.Dyn && v.Kind() != from {
			return v, overloadFault
		}
		v, failed = convertValue(to, v)
		switch {
		case failed != 0:
		case to == strictjson.Double && !infinite:
			failed = checkFiniteValue(v)
		case to == strictjson.String:
			failed = f.reads(v.Str())
		}
		return v, failed
	})
	n.exact = true
	return n
}

// asIs is a conversion to the kind that a value should have already.
func asIs(kind strictjson.Kind, a *node) *node {
	switch kind {
	case strictjson.Bool:
		return boolNode(settled(a.asBool()))
	case strictjson.Int:
		return intNode(settled(a.asInt()))
	case strictjson.Uint:
		return uintNode(settled(a.asUint()))
	case strictjson.Double:
		return doubleNode(settled(a.asDouble()))
	case strictjson.String:
		return textNode(settled(a.asText()))
	case strictjson.Bytes:
		return bytesNode(settled(a.asBytes()))
	case strictjson.Timestamp:
		return timeNode(settled(a.asTime()))
	}
	return durationNode(settled(a.asDuration()))
}

func settled[T any](of fn[T]) fn[T] { return unary(of, func(v T) (T, fault) { return v, 0 }) }

// converted returns the nodes of the conversions that rules use most.
func converted(to strictjson.Kind, a *node) *node {
	switch {
	case to == strictjson.Int && a.kind == strictjson.Double:
		return intNode(unary(a.asDouble(), intOfDouble))
	case to == strictjson.Int && a.kind == strictjson.String:
		return intNode(unary(a.asText(), intOfText))
	case to == strictjson.Int && a.kind == strictjson.Timestamp:
		return intNode(unary(a.asTime(), func(t instant) (int64, fault) { return intOfTime(t), 0 }))
	case to == strictjson.Double && a.kind == strictjson.Int:
		return doubleNode(unary(a.asInt(), func(i int64) (float64, fault) { return doubleOfInt(i), 0 }))
	case to == strictjson.String && a.kind == strictjson.Int:
		return textNode(unary(a.asInt(), func(i int64) (string, fault) { return textOfInt(i), 0 }))
	case to == strictjson.Timestamp && a.kind == strictjson.String:
		return timeNode(unary(a.asText(), timeOfText))
	case to == strictjson.Duration && a.kind == strictjson.String:
		return durationNode(unary(a.asText(), durationOfText))
	}
	return nil
}

func typeOfKind(k strictjson.Kind) *types.Type {
	switch k {
	case strictjson.Bool:
		return types.BoolType
	case strictjson.Int:
		return types.IntType
	case strictjson.Uint:
		return types.UintType
	case strictjson.Double:
		return types.DoubleType
	case strictjson.String:
		return types.StringType
	case strictjson.Bytes:
		return types.BytesType
	case strictjson.Timestamp:
		return types.TimestampType
	case strictjson.Duration:
		return types.DurationType
	}
	return types.DynType
}

// zoneWork is what finding a time zone by its name costs.
const zoneWork = 50

// timeFunction returns the node of an accessor of a timestamp or duration;
// nil: the function is none.
func (c *nativeCompiler) timeFunction(name string, args []*node, overloaded bool) *node {
	part, ok := timePartOf(name)
	if !ok || len(args) == 0 || len(args) > 2 {
		return nil
	}
	a := args[0]
	if len(args) == 2 {
		return zoned(part, a, args[1])
	}
	kind := kindOf(a.typ)
	if overloaded {
		kind = strictjson.Dyn
	}
	switch kind {
	case strictjson.Timestamp:
		return intNode(unary(a.asTime(), func(t instant) (int64, fault) { return timeField(part, t, time.UTC), 0 }))
	case strictjson.Duration:
		return intNode(unary(a.asDuration(), func(d int64) (int64, fault) { return durationField(part, d) }))
	}
	return intNode(unary(a.asAny(), func(v strictjson.Value) (int64, fault) {
		switch v.Kind() {
		case strictjson.Timestamp:
			return timeField(part, instantOf(v), time.UTC), 0
		case strictjson.Duration:
			return durationField(part, v.Int())
		}
		return 0, overloadFault
	}))
}

// zoned is an accessor with a time zone, which is looked up once where it is
// constant.
func zoned(part timePart, a, zone *node) *node {
	t := a.asTime()
	if zone.constant.Kind() == strictjson.String {
		at, unknown := parseZone(zone.constant.Str())
		return intNode(unary(t, func(t instant) (int64, fault) {
			if unknown != 0 {
				return 0, unknown
			}
			return timeField(part, t, at), 0
		}))
	}
	name := zone.asText()
	return intNode(func(f *Frame) (int64, fault) {
		t, failed := t(f)
		if failed != 0 {
			return 0, strict(f, failed, name)
		}
		name, failed := name(f)
		if failed != 0 {
			return 0, failed.settled()
		}
		if failed := f.spend(zoneWork); failed != 0 {
			return 0, failed
		}
		at, failed := parseZone(name)
		if failed != 0 {
			return 0, failed
		}
		return timeField(part, t, at), 0
	})
}
