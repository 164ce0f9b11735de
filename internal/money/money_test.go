package money_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/internal/money"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "000": "0", "0.0": "0", "20.00": "20", "007.50": "7.5", "1000000.000001": "1000000.000001",
		"9999999999999999999": "9999999999999999999", "0.0000000000000000001": "0.0000000000000000001",
		"9999999999999999999.9999999999999999999": "9999999999999999999.9999999999999999999",
		"1." + strings.Repeat("0", 40):            "1", strings.Repeat("0", 40) + "1": "1",
		"18446744073709551615": "", "10000000000000000000": "", "0.00000000000000000001": "",
		"": "", ".": "", "1.": "", ".1": "", "-1": "", "+1": "", "1e3": "", "1,0": "", "1.2.3": "", " 1": "", "1 ": "", "١": "", "0x1": "", "1_0": "",
	} {
		a, ok := money.Parse(text)
		assert.Equal(t, want != "", ok, "%q", text)
		if ok {
			assert.Equal(t, want, a.String(), "%q", text)
		}
	}
	assert.Equal(t, "18446744073709551615", money.Count(1<<64-1).String())
	assert.True(t, money.Amount{}.IsZero())
	assert.False(t, money.Count(1).IsZero())
}

// The arithmetic is that of rational numbers.
func TestArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[0-9]{1,19}(\.[0-9]{1,19})?`)
		draw := func(name string) (money.Amount, *big.Rat) {
			s := text.Draw(t, name)
			a, ok := money.Parse(s)
			require.True(t, ok, s)
			r, _ := new(big.Rat).SetString(s)
			return a, r
		}
		sum, exact := money.Amount{}, new(big.Rat)
		for range rapid.IntRange(0, 40).Draw(t, "terms") {
			a, r := draw("term")
			require.Equal(t, exact.Cmp(r), sum.Compare(a))
			if rapid.Bool().Draw(t, "minus") {
				sum = sum.Minus(a)
				if exact.Sub(exact, r); exact.Sign() < 0 {
					exact.SetInt64(0)
				}
			} else {
				sum, exact = sum.Plus(a), exact.Add(exact, r)
			}
			got, ok := new(big.Rat).SetString(sum.String())
			require.True(t, ok)
			require.Zero(t, exact.Cmp(got), "%s is %s", exact, sum)
			var again money.Amount
			require.NoError(t, again.UnmarshalText([]byte(sum.String())))
			require.Equal(t, sum, again)
		}
	})
}

func TestUnmarshalText(t *testing.T) {
	for _, text := range []string{"", ".5", "-1", "1e3", "x", "0.00000000000000000001", strings.Repeat("9", 60)} {
		assert.Error(t, new(money.Amount).UnmarshalText([]byte(text)), text)
	}
	var a money.Amount
	require.NoError(t, a.UnmarshalText([]byte("36893488147419103230.5")))
	assert.Equal(t, money.Count(1<<64-1).Plus(money.Count(1<<64-1)).Plus(half()), a)
}

func half() money.Amount {
	a, _ := money.Parse("0.5")
	return a
}
