package celplan

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/internal/strictjson"
)

var (
	edgeInts = []int64{
		math.MinInt64, math.MinInt64 + 1, math.MinInt64 / 2, -1<<53 - 1, -1 << 53, minSecond - 1, minSecond, -1 << 32, -1 << 31, -1e9, -3037000500,
		-86401, -86400, -24, -1, 0, 1, 2, 3, 7, 60, 86399, 86400, 1e9, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 3037000499, 3037000500,
		maxSecond, maxSecond + 1, 1 << 53, 1<<53 + 1, math.MaxInt64 / 2, math.MaxInt64/2 + 1, math.MaxInt64 - 1, math.MaxInt64,
	}
	edgeUints   = []uint64{0, 1, 2, 7, 1 << 32, 1<<32 - 1, 1 << 53, 1<<53 + 1, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64 - 1, math.MaxUint64}
	edgeDoubles = []float64{
		math.NaN(), math.Inf(-1), -math.MaxFloat64, -1 << 64, -1<<63 - 2048, -1 << 63, -1<<63 + 1024, -1 << 53, -1.5, -1, -0.5, -5e-324, math.Copysign(0, -1),
		0, 5e-324, 1e-5, 1e-4, 0.1, 0.5, 1, 1.5, 2, 7, 99999.5, 1e5, 123456, 999999.5, 1e6, 1234567, 1e15, 1e21, 1 << 53, 1<<53 + 2,
		1<<63 - 1024, 1 << 63, 1<<63 + 2048, 1<<64 - 2048, 1 << 64, 1<<64 + 4096, 1e300, math.MaxFloat64, math.Inf(1),
	}
	edgeDurations = []int64{
		math.MinInt64, math.MinInt64 + 1, -int64(24 * time.Hour), -3600e9 - 1, -1e9 - 1, -1e9, -1e9 + 1, -1, 0, 1, 999999, 1e6, 1e9 - 1, 1e9, 1e9 + 1,
		59999999999, 60e9, 3599999999999, 3600e9, 5400e9, 9007199254740993, math.MaxInt64 - 1, math.MaxInt64,
	}
	edgeTexts = []string{
		"", " ", "a", "A", "z", "Z", "@", "[", "`", "{", "ab", "aba", "abab", "aab", "Hello, World", "\t a b \n", "\u00a0x\u2003", "é", "e\u0301", "日本語", "\U0001F600", "\U0001F468\u200D\U0001F469",
		"a\U0001F600b\U0001F600", "\x00", "\xff", "a\xffb", "\xe2\x82", "\ufffd", "ı", "K", "ß", "0", "1", "-1", "+1", "t", "T", "true", "TRUE", "True", "tRUE", "false", "F",
		"orange", "overflow", "1.5", "1e3", ".5", "5.", "0x10", "0x1p-2", "1_000", "0b1", "1e400", "-1e400", "1e-400", "inf", "-Inf", "+Infinity", "nan", "NaN", "-0", "-0.0", "9223372036854775807",
		"9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "007",
		"1h", "1.5h", "-1h30m", "+5s", "1us", "1µs", "1μs", "10ns", "1d", "s", "1", "2562047h47m16.854775807s", "2562047h47m16.854775808s", "-2562047h47m16.854775808s", ".s", "1.s",
	}
	edgeTimes = []instant{
		{sec: minSecond},
		{sec: minSecond, nsec: 1},
		{sec: -1, nsec: 999999999},
		{},
		{nsec: 1},
		{sec: 951782400},
		{sec: 951868799, nsec: 5e8},
		{sec: 1709164800},
		{sec: 1711846799},
		{sec: 1711846800},
		{sec: 1729990800},
		{sec: 1792917000, nsec: 1e6, zone: 120},
		{sec: 1792917000, zone: -570},
		{sec: maxSecond},
		{sec: maxSecond, nsec: 999999999},
		{sec: 1792917000, nsec: 1e6},
		{sec: 1792917000, nsec: 1e6, zone: localZone},
	}
)

// edges has what goes wrong at the ends of ranges and between kinds.
func edges() []strictjson.Value {
	var all []strictjson.Value
	for _, i := range edgeInts {
		all = append(all, strictjson.IntValue(i))
	}
	for _, u := range edgeUints {
		all = append(all, strictjson.UintValue(u))
	}
	for _, d := range edgeDoubles {
		all = append(all, strictjson.ComputedDoubleValue(d))
	}
	for _, d := range edgeDurations {
		all = append(all, strictjson.DurationValue(time.Duration(d)))
	}
	for _, s := range edgeTexts {
		all = append(all, strictjson.StringValue(s))
	}
	for _, s := range []string{"", "a", "ab", "\xff", "\xff\x00", "é"} {
		all = append(all, strictjson.BytesValue(s))
	}
	for _, at := range edgeTimes {
		all = append(all, at.value())
	}
	return append(append(all, strictjson.NullValue(), strictjson.BoolValue(false), strictjson.BoolValue(true)), nestedEdges()...)
}

func nestedEdges() []strictjson.Value {
	list := func(elems ...strictjson.Value) strictjson.Value { return strictjson.ListValue(elems) }
	table := func(keysAndValues ...strictjson.Value) strictjson.Value {
		var entries []strictjson.Entry
		for i := 0; i < len(keysAndValues); i += 2 {
			entries = append(entries, strictjson.Entry{Key: keysAndValues[i], Value: keysAndValues[i+1]})
		}
		return strictjson.TableValue(entries)
	}
	members := func(kind strictjson.Kind, names ...string) strictjson.Value {
		var all []strictjson.Member
		for i, name := range names {
			all = append(all, strictjson.Member{Name: name, Value: strictjson.IntValue(int64(i))})
		}
		return strictjson.MapValue(kind, all)
	}
	zero, one, two := strictjson.IntValue(0), strictjson.IntValue(1), strictjson.IntValue(2)
	unsigned, double := strictjson.UintValue(1), strictjson.ComputedDoubleValue(1)
	nan, text, null := strictjson.ComputedDoubleValue(math.NaN()), strictjson.StringValue("a"), strictjson.NullValue()
	return []strictjson.Value{
		list(), list(one), list(unsigned), list(double), list(one, two), list(two, one), list(nan), list(text), list(text, one), list(one, text), list(null),
		list(list()), list(list(one), list(two)), list(list(double), list(two)), list(text, text, text), list(members(strictjson.Map, "a")),
		list(edgeTimes[11].value(), strictjson.InstantValue(edgeTimes[11].sec, 1e6)), list(strictjson.DurationValue(1)), list(strictjson.BoolValue(true), strictjson.BytesValue("a")),
		members(strictjson.Map), members(strictjson.Object), members(strictjson.Map, "a"), members(strictjson.Object, "a"), members(strictjson.Map, "a", "b"), members(strictjson.Map, "a", "c"),
		table(), table(text, zero), table(text, double), table(one, text), table(unsigned, text), table(one, text, unsigned, text), table(one, text, two, text),
		table(zero, text, strictjson.BoolValue(true), one), table(strictjson.IntValue(math.MinInt64), one), table(strictjson.UintValue(math.MaxUint64), one),
		table(one, nan), table(one, null), table(strictjson.UintValue(0), text), table(text, list(one)), table(text, list(double)), table(strictjson.IntValue(math.MaxInt64), one, strictjson.UintValue(math.MaxInt64+1), two),
	}
}

// draw draws a value of any kind, most of them not far from an edge.
func draw(t *rapid.T, depth int) strictjson.Value {
	kinds := 9
	if depth > 0 {
		kinds = 12
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return strictjson.IntValue(drawInt(t))
	case 1:
		return strictjson.UintValue(drawUint(t))
	case 2:
		return strictjson.ComputedDoubleValue(drawDouble(t))
	case 3:
		return strictjson.StringValue(drawText(t))
	case 4:
		return strictjson.BytesValue(drawText(t))
	case 5:
		return drawTime(t).value()
	case 6:
		return strictjson.DurationValue(time.Duration(drawDuration(t)))
	case 7:
		return strictjson.BoolValue(rapid.Bool().Draw(t, "bool"))
	case 8:
		return strictjson.NullValue()
	case 9:
		return strictjson.ListValue(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) strictjson.Value { return draw(t, depth-1) }), 0, 3).Draw(t, "list"))
	case 10:
		var members []strictjson.Member
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "é"}), 0, 3, rapid.ID).Draw(t, "names") {
			members = append(members, strictjson.Member{Name: name, Value: draw(t, depth-1)})
		}
		return strictjson.MapValue(strictjson.Map, members)
	}
	var entries []strictjson.Entry
	keys := []strictjson.Value{
		strictjson.IntValue(1), strictjson.UintValue(1), strictjson.IntValue(drawInt(t)), strictjson.UintValue(drawUint(t)), strictjson.StringValue("a"), strictjson.BoolValue(true),
	}
	for i, key := range keys {
		if rapid.Bool().Draw(t, "key") && !(i > 1 && (key.Equal(keys[0]) || key.Equal(keys[1]))) {
			entries = append(entries, strictjson.Entry{Key: key, Value: draw(t, depth-1)})
		}
	}
	return strictjson.TableValue(entries)
}

func drawInt(t *rapid.T) int64 {
	if rapid.Bool().Draw(t, "small") {
		return int64(rapid.IntRange(-3, 12).Draw(t, "int"))
	}
	near := rapid.SampledFrom(edgeInts).Draw(t, "near")
	if rapid.Bool().Draw(t, "any") {
		return rapid.Int64().Draw(t, "int")
	}
	return near + int64(rapid.IntRange(-2, 2).Draw(t, "by")) // may wrap, to the other edge
}

func drawUint(t *rapid.T) uint64 {
	if rapid.Bool().Draw(t, "any") {
		return rapid.Uint64().Draw(t, "uint")
	}
	return rapid.SampledFrom(edgeUints).Draw(t, "near") + uint64(rapid.IntRange(-2, 2).Draw(t, "by"))
}

func drawDouble(t *rapid.T) float64 {
	switch rapid.IntRange(0, 3).Draw(t, "how") {
	case 0:
		return rapid.Float64().Draw(t, "double")
	case 1:
		return float64(drawInt(t))
	case 2:
		return math.Nextafter(rapid.SampledFrom(edgeDoubles).Draw(t, "near"), rapid.SampledFrom(edgeDoubles).Draw(t, "towards"))
	}
	return rapid.SampledFrom(edgeDoubles).Draw(t, "double")
}

func drawDuration(t *rapid.T) int64 {
	if rapid.Bool().Draw(t, "any") {
		return rapid.Int64().Draw(t, "duration")
	}
	return rapid.SampledFrom(edgeDurations).Draw(t, "near") + int64(rapid.IntRange(-2, 2).Draw(t, "by"))
}

func drawTime(t *rapid.T) instant {
	at := rapid.SampledFrom(edgeTimes).Draw(t, "near")
	if rapid.Bool().Draw(t, "any") {
		at.sec = rapid.Int64Range(minSecond, maxSecond).Draw(t, "second")
		at.nsec = rapid.Int32Range(0, 999999999).Draw(t, "nanosecond")
	}
	return at
}

// drawText draws texts of few different code points, so that they are found
// in each other.
func drawText(t *rapid.T) string {
	switch rapid.IntRange(0, 4).Draw(t, "how") {
	case 0:
		return rapid.SampledFrom(edgeTexts).Draw(t, "text")
	case 1:
		return rapid.String().Draw(t, "text")
	case 2:
		return string(rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(t, "bytes"))
	}
	parts := []string{"a", "b", "A", "é", "e\u0301", "日", "\U0001F600", " ", "\xff", "\xe2\x82", "\ufffd"}
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 0, 8).Draw(t, "parts"), "")
}

// manyTimes runs a property with a hundred sets of draws, in each of which it
// may draw as often as it wants.
func manyTimes(t *testing.T, property func(t *rapid.T)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		for range 30 {
			property(t)
		}
	})
}
