package strictjson

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// White box: the quick way gives what the slow one gives, or leaves it to that.
func sameNumber(t require.TestingT, lit string, kinds kindSet) (quick bool) {
	d := decoder{lim: DefaultLimits()}
	digits, scale, n, size := plainDigits([]byte(lit))
	require.Equal(t, !strings.ContainsAny(lit, "eE"), size == len(lit), lit)
	got, quick := quickNumber(digits, scale, n, kinds)
	if !quick {
		return false
	}
	want, refused := d.anyLiteral([]byte(lit), 0, kinds)
	require.Nil(t, refused, "%s as %v", lit, kinds.names())
	require.Equal(t, want.kind, got.kind, "%s as %v", lit, kinds.names())
	require.Equal(t, want.num, got.num, "%s as %v", lit, kinds.names())
	return true
}

var numberKinds = []kindSet{
	intKind, doubleKind | intKind, doubleKind | intKind | nullKind, intKind | stringKind, doubleKind | intKind | stringKind, anyKind, stringKind, 0,
}

func TestQuickNumber(t *testing.T) {
	t.Parallel()
	const number, integer, open = doubleKind | intKind, intKind, anyKind
	for _, tt := range []struct {
		lit   string
		kinds kindSet
		quick bool
	}{
		{"0", integer, true},
		{"0", number, true},
		{"-0", integer, false},
		{"-0.0", number, false},
		{"0.0", number, true},
		{"0.0", open, false},
		{"20.5", number, true},
		{"20.5", open, true},
		{"20.5", integer, false},
		{"20.0", open, false},
		{"20.00", number, true},
		{"0.0952", number, true},
		{"999999999999999", number, true},
		{"1000000000000000", number, false},
		{"0.00000000000001", number, true},
		{"0.000000000000001", number, false},
		{"999999999999999999", integer, true},
		{"-999999999999999999", integer, true},
		{"1000000000000000000", integer, false},
		{"1e2", integer, false},
		{"1.5E1", number, false},
		{"1", stringKind, false},
		{"1", 0, false},
		{"-12.25", open, true},
	} {
		require.Equal(t, tt.quick, sameNumber(t, tt.lit, tt.kinds), "%s as %v", tt.lit, tt.kinds.names())
	}
}

// A double at the quick way is always that of strconv, and its literal is the
// shortest decimal of it.
func TestQuickNumberIsSlowNumber(t *testing.T) {
	t.Parallel()
	quick := 0
	rapid.Check(t, func(t *rapid.T) {
		for range 50 {
			lit := rapid.SampledFrom([]func() string{
				func() string { return rapid.StringMatching(`-?(0|[1-9][0-9]{0,14})`).Draw(t, "integer") },
				func() string { return rapid.StringMatching(`-?(0|[1-9][0-9]{0,7})\.[0-9]{1,8}`).Draw(t, "decimal") },
				func() string { return rapid.StringMatching(`-?0\.0{0,12}[0-9]{1,5}`).Draw(t, "small") },
				func() string { return rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?`).Draw(t, "long") },
			}).Draw(t, "shape")()
			for _, kinds := range numberKinds {
				if sameNumber(t, lit, kinds) {
					quick++
				}
			}
		}
	})
	require.Positive(t, quick)
}

// Where decimals of 15 digits lie closest together for the doubles between them:
// around every power of two that they reach.
func TestQuickNumberAtPowersOfTwo(t *testing.T) {
	t.Parallel()
	quick := 0
	for exp := -46; exp < 50; exp++ {
		lit := strconv.FormatFloat(math.Ldexp(1, exp), 'f', 14, 64)
		for cut := range 16 {
			if len(lit)-cut < 1 || strings.HasSuffix(lit[:len(lit)-cut], ".") {
				continue
			}
			for last := range 10 {
				at := lit[:len(lit)-cut-1] + strconv.Itoa(last)
				if strings.HasSuffix(lit[:len(lit)-cut], ".") || len(at) > 1 && at[0] == '0' && at[1] != '.' {
					continue
				}
				if sameNumber(t, at, doubleKind|intKind) {
					quick++
				}
			}
		}
	}
	require.Greater(t, quick, 1000)
}

func FuzzQuickNumber(f *testing.F) {
	seeds := []string{"0", "-1", "20.50", "0.0952", "999999999999999", "0.30000000000000004", "123456789.123456", "1e5", "-0"}
	require.NotEmpty(f, seeds)
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, lit string) {
		if Scan([]byte(lit), DefaultLimits()) != nil || lit == "" || kindOf[lit[0]] != '0' || strings.TrimSpace(lit) != lit {
			return // no number
		}
		for _, kinds := range numberKinds {
			sameNumber(t, lit, kinds)
		}
	})
}

// The end of a string is found wherever it lies among the eight bytes that are
// looked at together, whatever bytes come before it.
func TestPlainEnd(t *testing.T) {
	t.Parallel()
	for _, fill := range []string{"a", "\x01", "\x00", "!", "#", "[", "]", "\x22" + "x", "\x80", "\xa2", "\xdc", "\xff", "~", "}"} {
		for length := range 40 {
			for _, tail := range []string{"", "x", strings.Repeat("y", 9)} {
				for _, end := range []string{`"`, `\`} {
					text := strings.ReplaceAll(strings.Repeat(fill, length)[:length], `"`, "'")
					for from := range min(length, 9) + 1 {
						require.Equal(t, length, plainEnd([]byte(text+end+tail), from), "%q", text)
					}
				}
			}
			require.Equal(t, length, plainEnd([]byte(strings.Repeat("a", length)), 0), "none")
		}
	}
}

func TestIndexFindsEveryField(t *testing.T) {
	t.Parallel()
	for _, count := range []int{1, 2, 7, 64, 65, 3000} {
		n := new(node)
		for i := range count {
			n.fields = append(n.fields, field{name: fmt.Sprintf("field%06d", i)}) // many alike in what is hashed
		}
		n.index = newIndex(n.fields)
		for i, f := range n.fields {
			require.Equal(t, i, n.find([]byte(f.name)))
		}
		for _, other := range []string{"", "f", "field", "field000000x", "xield000000", strings.Repeat("x", 300)} {
			require.Equal(t, -1, n.find([]byte(other)), other)
		}
	}
	n := &node{fields: []field{{name: ""}, {name: "a"}}}
	n.index = newIndex(n.fields)
	require.Equal(t, 0, n.find(nil))
	require.Equal(t, 1, n.find([]byte("a")))
}

// Properties are expected in the order in which the schema has them.
func TestWrittenOrder(t *testing.T) {
	t.Parallel()
	s, err := CompileSchema([]byte(`{"type":"object","allOf":[{"properties":{"z":{},"y":{}}},{"$ref":"#/$defs/x"}],"$defs":{"x":{"type":"object","properties":{
		"m":{"type":"object","properties":{"properties":{"type":"object","properties":{"b":{},"a":{}}},"\"":{},"~/":{}}},"a":{"enum":["b"]}}}},"required":["z"]}`))
	require.NoError(t, err)
	order := func(n *node) (names []string) {
		for i := n.first; i >= 0; i = n.fields[i].next {
			names = append(names, n.fields[i].name)
		}
		return names
	}
	require.Equal(t, []string{"z", "y", "m", "a"}, order(s.root))
	m := s.root.fields[s.root.find([]byte("m"))].node
	require.Equal(t, []string{"properties", "~/"}, order(m), "JSON writes a quote otherwise")
	require.Equal(t, []string{"b", "a"}, order(m.fields[m.find([]byte("properties"))].node))
	require.Equal(t, []string{"b", "a"}, writtenOrder([]byte(`{"x~/y":{"properties":{"b":[{"properties":1}],"a":"properties"}}}`))["/x~0~1y/properties"])
}
