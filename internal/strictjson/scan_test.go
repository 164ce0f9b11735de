package strictjson_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/strictjson"
)

func TestScanRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, path, message string }{
		{"empty", ``, "", "no JSON value"},
		{"blank", " \n", "", "no JSON value"},
		{"unfinished", `{"a":[1,`, "a[1]", "ends too early"},
		{"duplicate", `{"a":{"b":1,"c":2,"b":3}}`, "a.b", "duplicate property"},
		{"duplicate by escape", `{"b":1,"\u0062":3}`, "b", "duplicate property"},
		{"duplicate in array", `[1,{"b":1,"b":3}]`, "[1].b", "duplicate property"},
		{"NUL in name", `{"a\u0000":1}`, "", "contains NUL"},
		{"raw control", "[\"\x01\"]", "[0]", "not JSON"},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", "a", "UTF-8"},
		{"invalid UTF-8 in name", "{\"\xc0\x80\":1}", "", "UTF-8"},
		{"lone surrogate", `{"a":["\ud800"]}`, "a[0]", "surrogate"},
		{"lone low surrogate", `"\udc00x"`, "", "surrogate"},
		{"byte order mark", "\xEF\xBB\xBF{}", "", "byte order mark"},
		{"trailing value", `{} {}`, "", "data after the end"},
		{"trailing garbage", `{}x`, "", "data after the end"},
		{"trailing NUL", "{}\x00", "", "data after the end"},
		{"digits after zero", `000`, "", "data after the end of the document (byte 1)"},
		{"sign after number", `1-1`, "", "data after the end of the document (byte 1)"},
		{"object as name", `{{}:1}`, "", "name must be a string"},
		{"number as name", `{1:1}`, "", "not JSON"},
		{"NaN", `[NaN]`, "[0]", "not JSON"},
		{"Infinity", `{"a":-Infinity}`, "a", "not JSON"},
		{"hex", `0x10`, "", "data after the end"},
		{"leading zero", `[01]`, "[1]", "not JSON"},
		{"plus", `[+1]`, "[0]", "not JSON"},
		{"comment", `{/*a*/"a":1}`, "", "not JSON"},
		{"trailing comma", `{"a":1,}`, "", "not JSON"},
		{"minus zero", `{"a":-0}`, "a", "negative zero; write 0"},
		{"minus zero fraction", `[-0.00]`, "[0]", "negative zero"},
		{"minus zero exponent", `[-0E5]`, "[0]", "negative zero"},
		{"minus zero negative exponent", `[-0.0e-300]`, "[0]", "negative zero"},
		{"past int64", `{"a":9223372036854775808}`, "a", "does not fit 64 bits"},
		{"below int64", `[-9223372036854775809]`, "[0]", "does not fit 64 bits"},
		{"far past int64", `[1` + strings.Repeat("0", 100) + `]`, "[0]", "does not fit 64 bits"},
		{"too large", `[1e309]`, "[0]", "beyond what a double holds"},
		{"just too large", `[1.7976931348623159e308]`, "[0]", "beyond what a double holds"},
		{"underflow", `[1e-330]`, "[0]", "cannot hold it exactly"},
		{"negative underflow", `[-1e-330]`, "[0]", "cannot hold it exactly"},
		{"exponent bomb", `[1e400000000000000000000]`, "[0]", "exponent"},
		{"negative exponent bomb", `[1e-99999999999999999999]`, "[0]", "exponent"},
		{"exponent that wraps to 0", `[1e18446744073709551616]`, "[0]", "exponent"},
		{"zero exponent bomb", `[0e401]`, "[0]", "exponent"},
		{"inexact", `[0.1000000000000000055511151231257827]`, "[0]", "the nearest that it can is 0.1 "},
		{"inexact past 2^63", `[92233720368547758081.0]`, "[0]", "cannot hold it exactly"},
		{"inexact by one digit", `[0.10000000000000001]`, "[0]", "cannot hold it exactly"},
		{"long number", `[0.` + strings.Repeat("0", 127) + `1]`, "[0]", "number of 130 bytes"},
		{"odd name in path", `{"a.b":{"":{"c d":-0}}}`, `["a.b"][""]["c d"]`, "negative zero"},
		{"control in path", "{\"\u202e\\n\":-0}", `["\u202e\n"]`, "negative zero"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := strictjson.Scan([]byte(tt.in), strictjson.DefaultLimits())
			var refused *strictjson.Error
			require.ErrorAs(t, err, &refused)
			assert.Contains(t, refused.Error(), tt.message)
			assert.Equal(t, tt.path, refused.Path)
			assert.GreaterOrEqual(t, refused.Offset, int64(0))
			assert.LessOrEqual(t, refused.Offset, int64(len(tt.in)))
		})
	}
}

func TestScanAccepts(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`null`, ` true `, `""`, `[]`, `{}`, `0`, `0.0`, `0e0`, `0E-400`,
		`-1`, `9223372036854775807`, `-9223372036854775808`, `9.223372036854775807e18`,
		`1.7976931348623157e308`, `5e-324`, `1E+22`, `123456789012345680000.0`, `0.1`, `20.00`,
		`"\u0000"`, `"\ud83d\ude00"`, `{"a":1,"A":2}`, `{"a":{"a":{"a":[]}}}`,
		`90071992547409930.0e-1`, // a whole number, however it is written, is exact
	} {
		assert.NoError(t, strictjson.Scan([]byte(in), strictjson.DefaultLimits()), in)
	}
}

func TestScanOffset(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int64{
		`{"a": -0}`:              6,
		`[1, 2, 1e999]`:          7,
		`{"a":1, "a":2}`:         8,
		`{"a":1}  {}`:            7,
		`{"a":"` + "\xff" + `"}`: 6,
	} {
		var refused *strictjson.Error
		require.ErrorAs(t, strictjson.Scan([]byte(in), strictjson.DefaultLimits()), &refused, in)
		assert.Equal(t, want, refused.Offset, "%s: %s", in, refused)
	}
}

func TestScanLimits(t *testing.T) {
	t.Parallel()
	nest := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	objects := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	values := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat("1,", n-1), ",") + "]" }
	lim := strictjson.Limits{Bytes: 1000, Depth: 5, Nodes: 50, NumberBytes: 10}
	tests := []struct {
		name, within, beyond, message string
	}{
		{"bytes", `"` + strings.Repeat("x", 998) + `"`, `"` + strings.Repeat("x", 999) + `"`, "document of 1001 bytes; at most 1000"},
		{"depth of arrays", nest(5), nest(6), "deeper than 5 levels"},
		{"depth of objects", objects(5), objects(6), "deeper than 5 levels"},
		{"nodes", values(50), values(51), "more than 50 values"},
		{"number", "1234567890", "12345678901", "number of 11 bytes; at most 10"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, strictjson.Scan([]byte(tt.within), lim))
			require.ErrorContains(t, strictjson.Scan([]byte(tt.beyond), lim), tt.message)
		})
	}
	require.Error(t, strictjson.Scan([]byte("1"), strictjson.Limits{}), "zero limits refuse")
}

// A refusal must come before the cost: of a document far past a limit, no more
// is read than the limit allows, so the time does not grow with the rest.
func TestScanStopsAtTheLimit(t *testing.T) {
	t.Parallel()
	lim := strictjson.DefaultLimits()
	lim.Bytes = 64 << 20
	broken := []string{
		strings.Repeat("[", 1<<20),
		strings.Repeat(`{"a":`, 1<<20),
		"[" + strings.Repeat("1,", 1<<20) + "!",
		"{[" + strings.Repeat("1,", 1<<20) + "!",
	}
	for _, in := range broken {
		var refused *strictjson.Error
		require.ErrorAs(t, strictjson.Scan([]byte(in), lim), &refused)
		assert.LessOrEqual(t, refused.Offset, int64(2*lim.Nodes), "%s", refused)
	}
}

// A document is no other document for space before it. Behind enough of that it
// is read token by token, which must not make a difference.
func TestLongDocumentsReadAlike(t *testing.T) {
	t.Parallel()
	space := strings.Repeat(" \n\t\r", 20_000)
	for name, schema := range readSchemas() {
		s := compiled(t, schema)
		for _, doc := range readDocuments() {
			if strings.TrimSpace(doc) == "" || strings.HasPrefix(doc, "\xEF\xBB\xBF") || name == "rules" {
				continue // refused at the start, or by the library at another place
			}
			short, refusedShort := s.Decode([]byte(doc), strictjson.DefaultLimits())
			long, refusedLong := s.Decode([]byte(space+doc), strictjson.DefaultLimits())
			require.True(t, alike(short, long), "%s: %s", name, doc)
			sameRefusal(t, len(space), refusedShort, refusedLong)
			sameRefusal(t, len(space), strictjson.Scan([]byte(doc), strictjson.DefaultLimits()), strictjson.Scan([]byte(space+doc), strictjson.DefaultLimits()))
		}
	}
}

func sameRefusal(t *testing.T, later int, short, long error) {
	t.Helper()
	if short == nil {
		require.NoError(t, long)
		return
	}
	var want, got *strictjson.Error
	require.ErrorAs(t, short, &want)
	require.ErrorAs(t, long, &got)
	require.Equal(t, want.Path, got.Path)
	require.Equal(t, want.Message, got.Message)
	require.Contains(t, []int64{want.Offset, want.Offset + int64(later)}, got.Offset, "%v", want)
}

func TestScanDoesNotAllocate(t *testing.T) {
	in := []byte(`{"kind":"Deployment","replicas":12,"ratio":0.25,"zones":["a","b"],"labels":{"app":"payments"}}`)
	lim := strictjson.DefaultLimits()
	require.NoError(t, strictjson.Scan(in, lim))
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { _ = strictjson.Scan(in, lim) }), 0.0+raceAllocs)
}

func TestScanConcurrently(t *testing.T) {
	t.Parallel()
	good, bad := []byte(`{"a":[1,2,{"b":"\u00e9"}]}`), []byte(`{"a":[1,2,{"b":-0}]}`)
	done := make(chan error)
	for range 8 {
		go func() {
			for range 500 {
				if err := strictjson.Scan(good, strictjson.DefaultLimits()); err != nil {
					done <- err
					return
				}
				if strictjson.Scan(bad, strictjson.DefaultLimits()) == nil {
					done <- assert.AnError
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		require.NoError(t, <-done)
	}
}
