package strictjson_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/strictjson"
)

func TestFromGo(t *testing.T) {
	t.Parallel()
	type region string
	type regions []region
	type percent float32
	type level uint8
	at := time.Date(2026, 11, 1, 9, 30, 0, 5, time.FixedZone("", 3600))
	tests := []struct {
		name, typ string
		in        any
		want      string // as JSON
	}{
		{"bool", "bool", true, `true`},
		{"int", "int", -7, `-7`},
		{"defined uint", "int", level(200), `200`},
		{"uint64", "int", uint64(math.MaxInt64), `9223372036854775807`},
		{"double", "double", 0.1, `0.1`},
		{"defined float32", "double", percent(0.5), `0.5`},
		{"negative zero", "double", math.Copysign(0, -1), `0`},
		{"string", "string", "é\"\n", `"é\"\n"`},
		{"timestamp", "timestamp", at, `"2026-11-01T08:30:00.000000005Z"`},
		{"duration", "duration", time.Hour, `"1h0m0s"`},
		{"defined list", "list<string>", regions{"b", "a"}, `["b","a"]`},
		{"array", "list<int>", [2]int{1, 2}, `[1,2]`},
		{"nil list", "list<int>", []int(nil), `[]`},
		{"list of any", "list<double>", []any{1.5, 2.0}, `[1.5,2]`},
		{"map", "map<duration>", map[region]time.Duration{"b": time.Second, "a": 0}, `{"a":"0s","b":"1s"}`},
		{"nil map", "map<int>", map[string]int(nil), `{}`},
		{"nested", "map<list<int>>", map[string][]int{"x": {1}}, `{"x":[1]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			typ, err := strictjson.ParseType(tt.typ)
			require.NoError(t, err)
			v, err := strictjson.FromGo(typ, tt.in)
			require.NoError(t, err)
			assert.Equal(t, typ.Kind, v.Kind())
			text, err := json.Marshal(v)
			require.NoError(t, err)
			assert.Equal(t, tt.want, string(text))
			assert.Empty(t, v.Literal())
		})
	}
}

type loop []loop

func TestFromGoRefuses(t *testing.T) {
	t.Parallel()
	endless := make(loop, 1)
	endless[0] = endless
	deep := &strictjson.Type{Kind: strictjson.List}
	deep.Elem = deep
	number := 1
	tests := []struct {
		name, typ     string
		in            any
		path, message string
	}{
		{"nil", "int", nil, "", "want int, got nil"},
		{"nil in list", "list<int>", []any{1, nil}, "[1]", "want int, got nil"},
		{"pointer", "int", &number, "", "want int, got *int"},
		{"string for int", "int", "1", "", "want int, got string"},
		{"float for int", "int", 1.0, "", "want int, got float64"},
		{"int for double", "double", 1, "", "want double, got int"},
		{"duration for int", "int", time.Second, "", "want int, got time.Duration"},
		{"int for duration", "duration", 1, "", "want duration, got int"},
		{"string for timestamp", "timestamp", "2026-01-01T00:00:00Z", "", "want timestamp, got string"},
		{"json.Number for double", "double", json.Number("1"), "", "want double, got json.Number"},
		{"bytes for string", "string", []byte("x"), "", "want string, got []uint8"},
		{"list for string", "string", []string{"x"}, "", "want string, got []string"},
		{"string for list", "list<string>", "x", "", "want list<string>, got string"},
		{"struct for map", "map<int>", struct{ A int }{1}, "", "want map<int>"},
		{"int keys", "map<int>", map[int]int{1: 1}, "", "want map<int>, got map[int]int"},
		{"wrong element", "map<list<int>>", map[string][]any{"b": {"x"}, "a": {1, "y"}}, "a[1]", "want int, got string"},
		{"uint64 past int64", "int", uint64(1 << 63), "", "9223372036854775808 does not fit 64 bits"},
		{"NaN", "double", math.NaN(), "", "NaN is not a finite number"},
		{"infinity", "list<double>", []float64{0, math.Inf(-1)}, "[1]", "-Inf is not a finite number"},
		{"not UTF-8", "string", "\xff", "", "is not UTF-8"},
		{"key not UTF-8", "map<int>", map[string]int{"\xff": 1}, "", "is not UTF-8 or contains NUL"},
		{"NUL in key", "map<int>", map[string]int{"a\x00": 1}, "", "is not UTF-8 or contains NUL"},
		{"year 0", "timestamp", time.Time{}.AddDate(-1, 0, 0), "", "year 0 is outside 1 to 9999"},
		{"year 10000", "timestamp", time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -7200)), "", "year 10000 is outside"},
		{"function", "bool", func() bool { return true }, "", "want bool, got func() bool"},
		{"too many", "list<int>", make([]int, 10_000), "", "more than 10000 values"},
		{"too many nested", "list<list<int>>", [][]int{make([]int, 6000), make([]int, 6000)}, "[1]", "more than 10000 values"},
		{"too much text", "list<string>", []string{strings.Repeat("x", 1<<19), strings.Repeat("y", 1<<19+1)}, "[1]", "more than 1048576 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			typ, err := strictjson.ParseType(tt.typ)
			require.NoError(t, err)
			v, err := strictjson.FromGo(typ, tt.in)
			var refused *strictjson.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, tt.path, refused.Path)
			assert.Contains(t, refused.Error(), tt.message)
			assert.NotContains(t, refused.Error(), "(byte")
			assert.Equal(t, strictjson.Invalid, v.Kind())
		})
	}
	many := make(map[string]int)
	for i := range 10_000 {
		many[strconv.Itoa(i)] = i
	}
	typ, err := strictjson.ParseType("map<int>")
	require.NoError(t, err)
	_, err = strictjson.FromGo(typ, many)
	require.ErrorContains(t, err, "more than 10000 values")
	_, err = strictjson.FromGo(nil, 1)
	require.ErrorContains(t, err, "no type")
	_, err = strictjson.FromGo(&strictjson.Type{Kind: strictjson.Dyn}, 1)
	require.ErrorContains(t, err, "want dyn, got int")
	_, err = strictjson.FromGo(&strictjson.Type{Kind: strictjson.List}, []int{1})
	require.ErrorContains(t, err, "a list without element type")
	_, err = strictjson.FromGo(deep, endless)
	require.ErrorContains(t, err, "nested deeper than 32 levels")
}

// What most facts are converts without allocating.
func TestFromGoAllocations(t *testing.T) {
	for typ, v := range map[string][]any{
		"bool": {true}, "int": {-7, int64(1 << 40)}, "double": {2.5, math.Copysign(0, -1)}, "string": {"text", ""},
		"timestamp": {time.Now(), time.Time{}}, "duration": {time.Hour},
	} {
		want, err := strictjson.ParseType(typ)
		require.NoError(t, err)
		for _, v := range v {
			assert.Zero(t, testing.AllocsPerRun(100, func() {
				if _, err := strictjson.FromGo(want, v); err != nil {
					t.Error(err)
				}
			}), "%T", v)
		}
	}
}

// The quick way of the usual types refuses what the slow one of types defined on
// them does, with the same words.
func TestFromGoConvertsAlike(t *testing.T) {
	t.Parallel()
	type (
		flag   bool
		count  int64
		amount float64
		text   string
	)
	pairs := []struct{ usual, defined any }{
		{true, flag(true)},
		{false, flag(false)},
		{7, count(7)},
		{int64(math.MinInt64), count(math.MinInt64)},
		{2.5, amount(2.5)},
		{math.NaN(), amount(math.NaN())},
		{math.Inf(1), amount(math.Inf(1))},
		{math.Copysign(0, -1), amount(math.Copysign(0, -1))},
		{"é", text("é")},
		{"\xff", text("\xff")},
		{"", text("")},
		{strings.Repeat("x", 1<<20), text(strings.Repeat("x", 1<<20))},
		{strings.Repeat("x", 1<<20+1), text(strings.Repeat("x", 1<<20+1))},
	}
	for _, kind := range []strictjson.Kind{strictjson.Invalid, strictjson.Null, strictjson.Bool, strictjson.Int, strictjson.Double, strictjson.String, strictjson.Timestamp, strictjson.Duration, strictjson.Dyn} {
		for _, p := range pairs {
			want, refused := strictjson.FromGo(&strictjson.Type{Kind: kind}, p.defined)
			got, err := strictjson.FromGo(&strictjson.Type{Kind: kind}, p.usual)
			assert.True(t, alike(want, got), "%v of %T", kind, p.usual)
			if refused == nil {
				assert.NoError(t, err)
				continue
			}
			words := strings.ReplaceAll(refused.Error(), fmt.Sprintf("got %T", p.defined), fmt.Sprintf("got %T", p.usual))
			assert.EqualError(t, err, words)
		}
	}
}

// A slice or map that the host changes later must not change a fact.
func TestFromGoRetainsNothing(t *testing.T) {
	t.Parallel()
	typ, err := strictjson.ParseType("map<list<int>>")
	require.NoError(t, err)
	in := map[string][]int{"a": {1, 2}}
	v, err := strictjson.FromGo(typ, in)
	require.NoError(t, err)
	in["a"][0], in["b"] = 9, nil
	assert.Equal(t, `{"a":[1,2]}`, string(v.AppendJSON(nil)))
}

func TestAppendJSON(t *testing.T) {
	t.Parallel()
	s := compiled(t, `{"type":"object"}`)
	for in, want := range map[string]string{
		` { "b" : 20.00, "a" : 1e2 , "c":[ true , null,"\u00e9\/\u001f\u2028" ] } `: "{\"a\":1e2,\"b\":20.00,\"c\":[true,null,\"é/\\u001f\u2028\"]}",
		`{"a":1E+22,"B":9223372036854775807,"\u0041":0.0}`:                          `{"A":0.0,"B":9223372036854775807,"a":1E+22}`,
		`{}`: `{}`,
	} {
		v, err := s.Decode([]byte(in), strictjson.DefaultLimits())
		require.NoError(t, err)
		assert.Equal(t, want, string(v.AppendJSON(nil)))
		text, err := json.Marshal(v)
		require.NoError(t, err)
		assert.JSONEq(t, want, string(text))
	}
	assert.Equal(t, `x:null`, string(strictjson.Value{}.AppendJSON([]byte("x:"))))
	assert.Equal(t, `null`, string(strictjson.NullValue().AppendJSON(nil)))
	assert.Equal(t, `"`+"\uFFFD"+`"`, string(strictjson.StringValue("\xff").AppendJSON(nil)))
	tiny, err := strictjson.DoubleValue(5e-324)
	require.NoError(t, err)
	assert.Equal(t, `5e-324`, string(tiny.AppendJSON(nil)))
}

// The kinds that only a computation gives.
func TestComputedValues(t *testing.T) {
	t.Parallel()
	table := strictjson.TableValue([]strictjson.Entry{
		{Key: strictjson.UintValue(2), Value: strictjson.NullValue()},
		{Key: strictjson.StringValue("b"), Value: strictjson.BytesValue("\xff\x00")},
		{Key: strictjson.IntValue(10), Value: strictjson.UintValue(math.MaxUint64)},
		{Key: strictjson.BoolValue(true), Value: strictjson.ListValue(nil)},
		{Key: strictjson.IntValue(-2), Value: strictjson.StringValue("x")},
		{Key: strictjson.StringValue("a"), Value: strictjson.IntValue(1)},
		{Key: strictjson.UintValue(math.MaxUint64), Value: strictjson.NullValue()},
	})
	assert.Equal(t, strictjson.Table, table.Kind())
	assert.Equal(t, 7, table.Len())
	assert.Equal(t, `[[true,[]],[-2,"x"],[10,18446744073709551615],["a",1],["b","/wA="],[2,null],[18446744073709551615,null]]`, string(table.AppendJSON(nil)))
	assert.Equal(t, "x", table.Entries()[1].Value.Str())
	assert.Equal(t, uint64(math.MaxUint64), table.Entries()[2].Value.Uint())
	assert.Equal(t, "\xff\x00", table.Entries()[4].Value.Str())
	assert.Equal(t, `""`, string(strictjson.BytesValue("").AppendJSON(nil)))
	for kind, name := range map[strictjson.Kind]string{strictjson.Uint: "uint", strictjson.Bytes: "bytes", strictjson.Table: "table"} {
		assert.Equal(t, name, kind.String())
		_, err := strictjson.ParseType(name)
		assert.Error(t, err, "no fact and no argument is one")
	}
	at := strictjson.TimestampValue(time.Unix(-1, 5))
	sec, nsec := at.Instant()
	assert.Equal(t, int64(-1), sec)
	assert.Equal(t, int32(5), nsec)
	assert.True(t, at.Equal(strictjson.InstantValue(-1, 5)))
	assert.Equal(t, time.Unix(-1, 5).UTC(), strictjson.InstantValue(-1, 5).Time())
	assert.True(t, strictjson.TimestampValue(time.Time{}).Time().IsZero())
}

// Whatever is asked of a value of another kind, it is not taken for one.
func TestAccessorsOfOtherKinds(t *testing.T) {
	t.Parallel()
	double, err := strictjson.DoubleValue(2.5)
	require.NoError(t, err)
	one := []strictjson.Value{strictjson.IntValue(1)}
	values := []strictjson.Value{
		{},
		strictjson.NullValue(), strictjson.BoolValue(true), strictjson.IntValue(7), double, strictjson.StringValue("text"), strictjson.ListValue(one),
		strictjson.MapValue(strictjson.Map, []strictjson.Member{{Name: "a"}}), strictjson.MapValue(strictjson.Object, []strictjson.Member{{Name: "a"}}),
		strictjson.TimestampValue(time.Unix(3, 4)), strictjson.DurationValue(5), strictjson.UintValue(6), strictjson.BytesValue("b"),
		strictjson.TableValue([]strictjson.Entry{{Key: one[0], Value: one[0]}}), strictjson.MapValue(strictjson.List, []strictjson.Member{{Name: "a"}}),
	}
	assert.Equal(t, strictjson.Map, values[len(values)-1].Kind(), "members are a Map's, whoever asks for another kind")
	for _, v := range values {
		k := v.Kind()
		assert.Equal(t, k == strictjson.List, v.List() != nil, k)
		assert.Equal(t, k == strictjson.Map || k == strictjson.Object, v.Members() != nil, k)
		assert.Equal(t, k == strictjson.Table, v.Entries() != nil, k)
		assert.Equal(t, len(v.List())+len(v.Members())+len(v.Entries()), v.Len(), k)
		assert.Equal(t, k == strictjson.String || k == strictjson.Bytes, v.Str() != "", k)
		assert.Equal(t, k == strictjson.Double, v.Double() != 0, k)
		assert.Equal(t, k == strictjson.Uint, v.Uint() != 0, k)
		assert.Equal(t, k == strictjson.Int || k == strictjson.Bool || k == strictjson.Duration, v.Int() != 0, k)
		assert.Equal(t, v.Int(), int64(v.Duration()), k)
		assert.Equal(t, v.Int() != 0, v.Bool(), k)
		assert.Equal(t, k == strictjson.Timestamp, !v.Time().IsZero(), k)
		sec, nsec := v.Instant()
		assert.Equal(t, k == strictjson.Timestamp, sec != 0 && nsec != 0, k)
		assert.Empty(t, v.Literal(), k)
		_, ok := v.Get("a")
		assert.Equal(t, v.Members() != nil, ok, k)
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	one, err := strictjson.DoubleValue(1)
	require.NoError(t, err)
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.FixedZone("", 3600))
	entry := func(kind strictjson.Kind, name string, v strictjson.Value) strictjson.Value {
		return strictjson.MapValue(kind, []strictjson.Member{{Name: name, Value: v}})
	}
	values := []strictjson.Value{
		{},
		strictjson.NullValue(), strictjson.BoolValue(false), strictjson.BoolValue(true), strictjson.IntValue(0), strictjson.IntValue(1), one,
		strictjson.StringValue(""), strictjson.StringValue("1"), strictjson.TimestampValue(at), strictjson.TimestampValue(at.Add(1)),
		strictjson.DurationValue(0), strictjson.DurationValue(1), strictjson.ListValue(nil), strictjson.ListValue([]strictjson.Value{one}),
		strictjson.ListValue([]strictjson.Value{one, one}), strictjson.ListValue([]strictjson.Value{strictjson.IntValue(1)}),
		strictjson.MapValue(strictjson.Map, nil), entry(strictjson.Map, "a", one), entry(strictjson.Map, "b", one), entry(strictjson.Map, "a", strictjson.NullValue()),
		strictjson.UintValue(1), strictjson.UintValue(2), strictjson.BytesValue(""), strictjson.BytesValue("1"), strictjson.TableValue(nil),
		strictjson.TableValue([]strictjson.Entry{{Key: one, Value: one}}), strictjson.TableValue([]strictjson.Entry{{Key: strictjson.StringValue("a"), Value: one}}),
		strictjson.TableValue([]strictjson.Entry{{Key: one, Value: strictjson.NullValue()}}),
	}
	for i := range values {
		for j := range values {
			assert.Equal(t, i == j, values[i].Equal(values[j]), "%d %d", i, j)
		}
	}
	assert.True(t, entry(strictjson.Map, "a", one).Equal(entry(strictjson.Object, "a", one)))
	assert.True(t, strictjson.TimestampValue(at).Equal(strictjson.TimestampValue(at.UTC())))
}

func TestParseType(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"bool", "int", "double", "string", "timestamp", "duration", "list<int>", "map<list<string>>"} {
		typ, err := strictjson.ParseType(s)
		require.NoError(t, err)
		assert.Equal(t, s, typ.String())
	}
	for _, s := range []string{"", "integer", "list", "list<", "list<>", "list<int>>", "map<int", "map<string,int>", "object", "dyn", "null", "Bool"} {
		_, err := strictjson.ParseType(s)
		assert.Error(t, err, s)
	}
}
