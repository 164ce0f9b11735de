package strictjson_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// document draws JSON text of many spellings, most of it valid.
func document(t *rapid.T, depth int) string {
	kinds := 6
	if depth == 0 {
		kinds = 4
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return rapid.SampledFrom([]string{"null", "true", "false", " true ", "\n0", `""`}).Draw(t, "literal")
	case 1:
		return numberText(t)
	case 2:
		text, err := json.Marshal(rapid.String().Draw(t, "text"))
		require.NoError(t, err)
		return string(text)
	case 3:
		return rapid.SampledFrom([]string{`"\u00e9"`, `"\ud83d\ude00"`, `"\/\b\f"`, `"\u0000"`, `"é"`}).Draw(t, "escaped")
	case 4:
		elems := make([]string, rapid.IntRange(0, 4).Draw(t, "elements"))
		for i := range elems {
			elems[i] = document(t, depth-1)
		}
		return "[" + strings.Join(elems, ",") + "]"
	}
	return object(t, depth)
}

func object(t *rapid.T, depth int) string {
	members := make([]string, rapid.IntRange(0, 4).Draw(t, "members"))
	for i := range members {
		name := rapid.SampledFrom([]string{`"a"`, `"b"`, `"A"`, `"\u0061"`, `""`, `"a b"`, `"é"`, `"c"`, `"d"`, `"K"`}).Draw(t, "name")
		members[i] = name + " : " + document(t, depth-1)
	}
	return "{" + strings.Join(members, ",") + "}"
}

func numberText(t *rapid.T) string {
	switch rapid.IntRange(0, 3).Draw(t, "spelling") {
	case 0:
		return strconv.FormatInt(rapid.Int64().Draw(t, "int"), 10)
	case 1:
		f := rapid.Float64().Filter(func(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) }).Draw(t, "float")
		return strconv.FormatFloat(f, rapid.SampledFrom([]byte("eEfg")).Draw(t, "format"), -1, 64)
	case 2:
		return rapid.StringMatching(`-?(0|[1-9][0-9]{0,6})(\.[0-9]{1,6})?`).Draw(t, "decimal")
	}
	return rapid.StringMatching(`-?(0|[1-9][0-9]{0,22})(\.[0-9]{1,22})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "number")
}

// What is accepted, encoding/json reads as the same value.
func TestAcceptedReadsAlike(t *testing.T) {
	t.Parallel()
	s, err := strictjson.CompileSchema([]byte(`{"type":"object"}`))
	require.NoError(t, err)
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		in := object(t, 3)
		v, err := s.Decode([]byte(in), strictjson.DefaultLimits())
		scanned := strictjson.Scan([]byte(in), strictjson.DefaultLimits())
		require.Equal(t, err == nil, scanned == nil, "Scan and an open schema agree: %v, %v", err, scanned)
		if err != nil {
			return
		}
		accepted++
		dec := json.NewDecoder(strings.NewReader(in))
		dec.UseNumber()
		var want any
		require.NoError(t, dec.Decode(&want))
		same(t, want, v)
	})
	require.Positive(t, accepted)
}

func same(t require.TestingT, want any, got strictjson.Value) {
	switch want := want.(type) {
	case nil:
		require.Equal(t, strictjson.Null, got.Kind())
	case bool:
		require.Equal(t, strictjson.Bool, got.Kind())
		require.Equal(t, want, got.Bool())
	case string:
		require.Equal(t, strictjson.String, got.Kind())
		require.Equal(t, want, got.Str())
	case json.Number:
		require.Equal(t, string(want), got.Literal())
		if got.Kind() == strictjson.Int {
			exact, ok := new(big.Rat).SetString(string(want))
			require.True(t, ok)
			require.Zero(t, exact.Cmp(new(big.Rat).SetInt64(got.Int())), "%s is %d", want, got.Int())
			return
		}
		require.Equal(t, strictjson.Double, got.Kind())
		f, err := want.Float64()
		require.NoError(t, err)
		require.Equal(t, math.Float64bits(f), math.Float64bits(got.Double()))
	case []any:
		require.Equal(t, strictjson.List, got.Kind())
		require.Len(t, got.List(), len(want))
		for i := range want {
			same(t, want[i], got.List()[i])
		}
	case map[string]any:
		require.Len(t, got.Members(), len(want))
		for name := range want {
			v, ok := got.Get(name)
			require.True(t, ok, name)
			same(t, want[name], v)
		}
	}
}

// Encoding what was decoded decodes to an equal value, and is stable.
func TestEncodingRoundTrips(t *testing.T) {
	t.Parallel()
	s, err := strictjson.CompileSchema([]byte(`{"type":"object"}`))
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		v, err := s.Decode([]byte(object(t, 3)), strictjson.DefaultLimits())
		if err != nil {
			return
		}
		text := v.AppendJSON(nil)
		again, err := s.Decode(text, strictjson.DefaultLimits())
		require.NoError(t, err, "%s", text)
		require.True(t, v.Equal(again), "%s", text)
		require.Equal(t, string(text), string(again.AppendJSON(nil)))
	})
}

// On accepted numbers, decimal to double is injective and keeps order: comparing
// doubles is comparing what was written.
func TestNumbersKeepOrder(t *testing.T) {
	t.Parallel()
	s, err := strictjson.CompileSchema([]byte(`{"properties":{"a":{"type":"number"},"b":{"type":"number"}},"required":["a","b"]}`))
	require.NoError(t, err)
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		a := numberText(t)
		b := numberText(t)
		if rapid.Bool().Draw(t, "close") { // change one digit, or append one
			digit := strconv.Itoa(rapid.IntRange(0, 9).Draw(t, "digit"))
			switch at := rapid.IntRange(0, len(a)).Draw(t, "at"); {
			case at == len(a):
				b = a + digit
			case a[at] >= '0' && a[at] <= '9':
				b = a[:at] + digit + a[at+1:]
			}
		}
		v, err := s.Decode([]byte(`{"a":`+a+`,"b":`+b+`}`), strictjson.DefaultLimits())
		if err != nil {
			return
		}
		accepted++
		exactA, _ := new(big.Rat).SetString(a)
		exactB, _ := new(big.Rat).SetString(b)
		x, y := v.Members()[0].Value.Double(), v.Members()[1].Value.Double()
		switch exactA.Cmp(exactB) {
		case -1:
			require.Less(t, x, y, "%s < %s", a, b)
		case 0:
			require.Equal(t, math.Float64bits(x), math.Float64bits(y), "%s = %s", a, b)
		case 1:
			require.Greater(t, x, y, "%s > %s", a, b)
		}
	})
	require.Positive(t, accepted)
}

// Every finite double can be written so that it is accepted and comes back.
func TestEveryDoubleIsReachable(t *testing.T) {
	t.Parallel()
	s, err := strictjson.CompileSchema([]byte(`{"properties":{"a":{"type":"number"}}}`))
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.Uint64().Draw(t, "bits")
		f := math.Float64frombits(bits)
		if math.IsNaN(f) || math.IsInf(f, 0) || bits == 1<<63 {
			return
		}
		v, err := s.Decode([]byte(`{"a":`+strconv.FormatFloat(f, 'e', -1, 64)+`}`), strictjson.DefaultLimits())
		require.NoError(t, err)
		require.Equal(t, bits, math.Float64bits(v.Members()[0].Value.Double()))
	})
}

// An integer is accepted exactly when its decimal value is whole and in range,
// in any spelling.
func TestIntegersAreExact(t *testing.T) {
	t.Parallel()
	s, err := strictjson.CompileSchema([]byte(`{"properties":{"a":{"type":"integer"}}}`))
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		lit := numberText(t)
		if rapid.Bool().Draw(t, "edge") {
			i := new(big.Int).Lsh(big.NewInt(1), 63)
			i.Add(i, big.NewInt(rapid.Int64Range(-3, 3).Draw(t, "off")))
			zeros := rapid.IntRange(0, 3).Draw(t, "zeros")
			lit = rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign") + i.String() + strings.Repeat("0", zeros)
			if zeros > 0 {
				lit += "e-" + strconv.Itoa(zeros)
			}
		}
		exact, ok := new(big.Rat).SetString(lit)
		require.True(t, ok)
		want := exact.IsInt() && exact.Num().IsInt64() && !(exact.Sign() == 0 && lit[0] == '-')
		if _, e, found := strings.Cut(strings.ToLower(lit), "e"); found {
			n, err := strconv.Atoi(e)
			require.NoError(t, err)
			want = want && -400 <= n && n <= 400
		}
		v, err := s.Decode([]byte(`{"a":`+lit+`}`), strictjson.DefaultLimits())
		require.Equal(t, want, err == nil, "%s: %v", lit, err)
		if want {
			require.Equal(t, exact.Num().Int64(), v.Members()[0].Value.Int())
		}
	})
}
