package rationale_test

import (
	"encoding/json"
	"math/big"
	"os"
	"strconv"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/rationale"
)

type canonicalVector struct {
	Name    string `json:"name"`
	Input   string `json:"input"`
	Output  string `json:"output"`
	Refused bool   `json:"refused"`
}

func canonicalVectors(t testing.TB) []canonicalVector {
	t.Helper()
	data, err := os.ReadFile("testdata/canonical.json")
	require.NoError(t, err)
	var file struct{ Vectors []canonicalVector }
	require.NoError(t, json.Unmarshal(data, &file))
	require.Greater(t, len(file.Vectors), 50)
	return file.Vectors
}

func TestCanonicalizeVectors(t *testing.T) {
	for _, v := range canonicalVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			got, err := rationale.Canonicalize([]byte(v.Input))
			if v.Refused {
				require.Error(t, err, "got %s", got)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, v.Output, string(got))
			again, err := rationale.Canonicalize(got)
			require.NoError(t, err)
			assert.Equal(t, string(got), string(again), "canonical form of the canonical form")
		})
	}
}

func TestCanonicalIntegers(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0": "0", "-7": "-7", "100": "100",
		"123456789012345678901":  "123456789012345678901", // 21 digits
		"-100000000000000000000": "-100000000000000000000",
		"1234567890123456789012": "1.234567890123456789012e+21",
		"1000000000000000000000": "1e+21",
	} {
		got, err := rationale.Canonicalize([]byte(in))
		require.NoError(t, err)
		assert.Equal(t, want, string(got))
	}
}

func TestCanonicalizeRefusesInvalidUTF8(t *testing.T) {
	for _, input := range []string{"\"\xff\"", "{\"\xc0\xaf\":1}", "\"\xed\xa0\x80\""} {
		_, err := rationale.Canonicalize([]byte(input))
		assert.Error(t, err, "%q", input)
	}
}

func TestCanonicalizeKeepsItsInput(t *testing.T) {
	input := []byte(`{"b":1e2,"a":"\u0041"}`)
	before := string(input)
	_, err := rationale.Canonicalize(input)
	require.NoError(t, err)
	assert.Equal(t, before, string(input))
}

// What a double holds exactly is spelled as RFC 8785 spells it.
func TestCanonicalizeAgreesWithRFC8785(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64().Draw(t, "f")
		if f == 0 { // the reference writes -0
			return
		}
		want := string(jsontext.AppendFloat(nil, f, 64))
		for _, format := range []byte{'e', 'g'} {
			got, err := rationale.Canonicalize(strconv.AppendFloat(nil, f, format, -1, 64))
			require.NoError(t, err)
			assert.Equal(t, want, string(got))
		}
	})
}

// Two numbers have one spelling if and only if they have one value.
func TestCanonicalNumbersAreEqualByValue(t *testing.T) {
	number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,4})?([eE][+-]?[0-9]{1,2})?`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		canonA, err := rationale.Canonicalize([]byte(a))
		require.NoError(t, err)
		canonB, err := rationale.Canonicalize([]byte(b))
		require.NoError(t, err)
		valueA, valueB := rat(t, a), rat(t, b)
		assert.Equal(t, valueA.Cmp(valueB) == 0, string(canonA) == string(canonB), "%s %s", canonA, canonB)
		assert.Zero(t, valueA.Cmp(rat(t, string(canonA))), "the value changed: %s", canonA)
		assert.LessOrEqual(t, len(canonA), len(a)+22)
	})
}

func rat(t *rapid.T, s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	require.True(t, ok, s)
	return r
}

func FuzzCanonicalize(f *testing.F) {
	for _, v := range canonicalVectors(f) {
		f.Add([]byte(v.Input))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := rationale.Canonicalize(data)
		if err != nil {
			return
		}
		require.True(t, json.Valid(got), "%q", got)
		again, err := rationale.Canonicalize(got)
		require.NoError(t, err)
		require.Equal(t, string(got), string(again))
	})
}
