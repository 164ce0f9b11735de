package celplan

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/internal/strictjson"
)

func textResult(s string, failed fault) (strictjson.Value, fault) {
	return strictjson.StringValue(s), failed
}

func intResult(i int64, failed fault) (strictjson.Value, fault) {
	return strictjson.IntValue(i), failed
}

// textFunctions take a text, and for each further letter a text (t) or an int
// (i).
var textFunctions = []struct {
	operation
	more string
}{
	{operation{"size(a)", func(v []strictjson.Value) (strictjson.Value, fault) { return intResult(sizeOfText(v[0].Str()), 0) }}, ""},
	{operation{"a.trim()", func(v []strictjson.Value) (strictjson.Value, fault) { return textResult(trim(v[0].Str()), 0) }}, ""},
	{operation{"a.lowerAscii()", func(v []strictjson.Value) (strictjson.Value, fault) { return textResult(lowerASCII(v[0].Str()), 0) }}, ""},
	{operation{"a.upperAscii()", func(v []strictjson.Value) (strictjson.Value, fault) { return textResult(upperASCII(v[0].Str()), 0) }}, ""},
	{operation{"a + b", func(v []strictjson.Value) (strictjson.Value, fault) {
		return textResult(concat(v[0].Str(), v[1].Str()))
	}}, "t"},
	{operation{"a.charAt(b)", func(v []strictjson.Value) (strictjson.Value, fault) {
		return textResult(charAt(v[0].Str(), v[1].Int()))
	}}, "i"},
	{operation{"a.substring(b)", func(v []strictjson.Value) (strictjson.Value, fault) {
		return textResult(substringFrom(v[0].Str(), v[1].Int()))
	}}, "i"},
	{operation{"a.substring(b, c)", func(v []strictjson.Value) (strictjson.Value, fault) {
		return textResult(substring(v[0].Str(), v[1].Int(), v[2].Int()))
	}}, "ii"},
	{operation{"a.indexOf(b)", func(v []strictjson.Value) (strictjson.Value, fault) {
		return intResult(indexOf(v[0].Str(), v[1].Str(), 0))
	}}, "t"},
	{operation{"a.indexOf(b, c)", func(v []strictjson.Value) (strictjson.Value, fault) {
		return intResult(indexOf(v[0].Str(), v[1].Str(), v[2].Int()))
	}}, "ti"},
	{operation{"a.lastIndexOf(b)", func(v []strictjson.Value) (strictjson.Value, fault) {
		return intResult(lastIndexOf(v[0].Str(), v[1].Str()))
	}}, "t"},
	{operation{"a.lastIndexOf(b, c)", func(v []strictjson.Value) (strictjson.Value, fault) {
		return intResult(lastIndexOfFrom(v[0].Str(), v[1].Str(), v[2].Int()))
	}}, "ti"},
	{operation{"a.replace(b, c)", func(v []strictjson.Value) (strictjson.Value, fault) {
		return textResult(replace(v[0].Str(), v[1].Str(), v[2].Str(), -1))
	}}, "tt"},
	{operation{"a.replace(b, c, d)", func(v []strictjson.Value) (strictjson.Value, fault) {
		return textResult(replace(v[0].Str(), v[1].Str(), v[2].Str(), v[3].Int()))
	}}, "tti"},
	{operation{"a.split(b)", func(v []strictjson.Value) (strictjson.Value, fault) { return splitText(v[0].Str(), v[1].Str(), -1) }}, "t"},
	{operation{"a.split(b, c)", func(v []strictjson.Value) (strictjson.Value, fault) {
		return splitText(v[0].Str(), v[1].Str(), v[2].Int())
	}}, "ti"},
}

func TestTextFunctionsAgree(t *testing.T) {
	t.Parallel()
	manyTimes(t, func(t *rapid.T) {
		s := drawText(t)
		for _, f := range textFunctions {
			args := []strictjson.Value{strictjson.StringValue(s)}
			for _, kind := range f.more {
				if kind == 't' {
					args = append(args, strictjson.StringValue(drawPart(t, s)))
				} else {
					args = append(args, strictjson.IntValue(drawPosition(t)))
				}
			}
			agree(t, f.src, f.ours, args...)
		}
	})
}

// drawPart draws a text that is often found in s.
func drawPart(t *rapid.T, s string) string {
	if rapid.Bool().Draw(t, "other") {
		return drawText(t)
	}
	from := rapid.IntRange(0, len(s)).Draw(t, "from")
	return s[from:rapid.IntRange(from, len(s)).Draw(t, "to")]
}

func drawPosition(t *rapid.T) int64 {
	if rapid.IntRange(0, 9).Draw(t, "far") == 0 {
		return drawInt(t)
	}
	return int64(rapid.IntRange(-1, 9).Draw(t, "position"))
}

// Every text of an edge at every position that a shorter one has.
func TestTextFunctionsAtEdges(t *testing.T) {
	t.Parallel()
	positions := []int64{math.MinInt64, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 20, math.MaxInt64}
	for _, f := range textFunctions {
		for _, s := range edgeTexts {
			cases := [][]strictjson.Value{{strictjson.StringValue(s)}}
			for _, kind := range f.more {
				var longer [][]strictjson.Value
				for _, args := range cases {
					if kind == 't' {
						for _, part := range []string{"", "a", "ab", "b", "\U0001F600", "\xff", "\ufffd", s} {
							longer = append(longer, append(args[:len(args):len(args)], strictjson.StringValue(part)))
						}
						continue
					}
					for _, at := range positions {
						longer = append(longer, append(args[:len(args):len(args)], strictjson.IntValue(at)))
					}
				}
				cases = longer
			}
			for _, args := range cases {
				agree(t, f.src, f.ours, args...)
			}
		}
	}
}

func TestJoinAgrees(t *testing.T) {
	t.Parallel()
	plain := func(v []strictjson.Value) (strictjson.Value, fault) { return textResult(join(v[0].List(), "")) }
	separated := func(v []strictjson.Value) (strictjson.Value, fault) {
		return textResult(join(v[0].List(), v[1].Str()))
	}
	manyTimes(t, func(t *rapid.T) {
		var elems []strictjson.Value
		for range rapid.IntRange(0, 4).Draw(t, "elements") {
			if rapid.IntRange(0, 5).Draw(t, "other") == 0 {
				elems = append(elems, rapid.SampledFrom([]strictjson.Value{strictjson.NullValue(), strictjson.IntValue(1), strictjson.ListValue(nil)}).Draw(t, "element"))
				continue
			}
			elems = append(elems, strictjson.StringValue(drawText(t)))
		}
		agree(t, "a.join()", plain, strictjson.ListValue(elems))
		agree(t, "a.join(b)", separated, strictjson.ListValue(elems), strictjson.StringValue(drawText(t)))
	})
}

// The limits hold exactly, and before anything is done.
func TestTextLimits(t *testing.T) {
	t.Parallel()
	half := strings.Repeat("x", maxText/2)
	element := func(s string) strictjson.Value { return strictjson.StringValue(s) }
	many := make([]strictjson.Value, maxElements)
	for i := range many {
		many[i] = strictjson.IntValue(1)
	}
	tests := []struct {
		name     string
		within   func() fault
		exceeded func() fault
	}{
		{
			"concat",
			func() fault { _, failed := concat(half, half); return failed },
			func() fault { _, failed := concat(half, half+"x"); return failed },
		}, {
			"concatLists",
			func() fault {
				_, failed := concatLists(strictjson.ListValue(many[1:]), strictjson.ListValue(many[:1]))
				return failed
			},
			func() fault {
				_, failed := concatLists(strictjson.ListValue(many), strictjson.ListValue(many[:1]))
				return failed
			},
		}, {
			"indexOf",
			func() fault { _, failed := indexOf(half[:2000], half[:5000], 0); return failed },
			func() fault { _, failed := indexOf(half[:2001], half[:5000], -1); return failed },
		}, {
			"lastIndexOf",
			func() fault { _, failed := lastIndexOf(half[:2000], half[:5000]); return failed },
			func() fault { _, failed := lastIndexOf(half[:2001], half[:5000]); return failed },
		}, {
			"lastIndexOfFrom",
			func() fault { _, failed := lastIndexOfFrom(half[:2000], half[:5000], 0); return failed },
			func() fault { _, failed := lastIndexOfFrom(half[:2001], half[:5000], -1); return failed },
		}, {
			"replace",
			func() fault { _, failed := replace(half[:2000], "x", half[:2000], -1); return failed },
			func() fault { _, failed := replace(half[:2000], "x", half[:2001], -1); return failed },
		}, {
			"replace a number of times",
			func() fault { _, failed := replace(half, "x", half, 1); return failed },
			func() fault { _, failed := replace(half, "x", half, 3); return failed },
		}, {
			"split",
			func() fault { _, failed := splitText(half[:maxElements-1], "x", -1); return failed },
			func() fault { _, failed := splitText(half[:maxElements], "x", 1); return failed },
		}, {
			"split everywhere",
			func() fault { _, failed := splitText(half[:maxElements], "", -1); return failed },
			func() fault { _, failed := splitText(half[:maxElements+1], "", 1); return failed },
		}, {
			"join",
			func() fault {
				_, failed := join([]strictjson.Value{element(half[1:]), element(half[1:])}, "x")
				return failed
			},
			func() fault {
				_, failed := join([]strictjson.Value{element(half[1:]), element(half)}, "x")
				return failed
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Zero(t, tt.within())
			assert.Equal(t, limitFault, tt.exceeded())
		})
	}
}

// Two nested operands hold at most maxElements values together, each as often
// as it is in them.
func TestEqualityLimits(t *testing.T) {
	t.Parallel()
	list := func(n int) strictjson.Value {
		elems := make([]strictjson.Value, n)
		for i := range elems {
			elems[i] = strictjson.IntValue(int64(i))
		}
		return strictjson.ListValue(elems)
	}
	const half = maxElements / 2
	fuel := 1 << 30
	equals, failed := equalValues(list(half-1), list(half-1), &fuel)
	require.Zero(t, failed)
	assert.True(t, equals)
	assert.Equal(t, 1<<30-maxElements, fuel, "counts the lists and their elements")
	_, failed = equalValues(list(half-1), list(half), &fuel)
	assert.Equal(t, limitFault, failed)

	doubled := list(1)
	for range 20 {
		doubled = strictjson.ListValue([]strictjson.Value{doubled, doubled})
	}
	_, failed = equalValues(doubled, list(0), &fuel)
	assert.Equal(t, limitFault, failed)
	_, failed = equalValues(strictjson.MapValue(strictjson.Map, []strictjson.Member{{Name: "a", Value: doubled}}), list(0), &fuel)
	assert.Equal(t, limitFault, failed)
	_, failed = equalValues(strictjson.TableValue([]strictjson.Entry{{Key: strictjson.IntValue(1), Value: doubled}}), list(0), &fuel)
	assert.Equal(t, limitFault, failed)
	equals, failed = equalValues(doubled, strictjson.IntValue(1), &fuel)
	assert.Zero(t, failed, "with a scalar nothing is compared")
	assert.False(t, equals)

	few := 10
	_, failed = equalValues(list(4), list(4), &few)
	assert.Zero(t, failed)
	_, failed = equalValues(list(4), list(4), &few)
	assert.Equal(t, limitFault, failed)
}

func TestMembershipLimits(t *testing.T) {
	t.Parallel()
	nested := strictjson.ListValue([]strictjson.Value{strictjson.ListValue(nil)})
	for range 20 {
		nested = strictjson.ListValue([]strictjson.Value{nested, nested})
	}
	fuel := 1 << 30
	_, failed := containsValue(nested, strictjson.ListValue(nil), &fuel)
	assert.Equal(t, limitFault, failed)
	found, failed := containsValue(nested, strictjson.IntValue(1), &fuel)
	assert.Zero(t, failed)
	assert.False(t, found)
	few := 2
	_, failed = containsValue(nested, strictjson.IntValue(1), &few)
	assert.Zero(t, failed)
	_, failed = containsValue(nested, strictjson.IntValue(1), &few)
	assert.Equal(t, limitFault, failed)
}
