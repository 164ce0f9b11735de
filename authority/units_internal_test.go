package authority

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/govalues/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// drawnNumber is a number as models write them, most of which fit units.
var drawnNumber = rapid.Custom(func(t *rapid.T) string {
	switch rapid.IntRange(0, 5).Draw(t, "form") {
	case 0:
		return strconv.FormatInt(rapid.Int64().Draw(t, "whole"), 10)
	case 1:
		return fmt.Sprintf("%de%d", rapid.IntRange(-99, 99).Draw(t, "mantissa"), rapid.IntRange(-14, 14).Draw(t, "exponent"))
	}
	whole := strconv.FormatInt(int64(rapid.IntRange(-100_000, 100_000).Draw(t, "whole")), 10)
	if digits := rapid.StringMatching(`[0-9]{0,14}`).Draw(t, "digits"); digits != "" {
		whole += "." + digits
	}
	return whole
})

// Where units take an amount up they are the decimal, not below zero.
func TestUnitsAreTheDecimal(t *testing.T) {
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		scale := rapid.IntRange(0, maxScale).Draw(t, "scale")
		schema, err := strictjson.CompileSchema(json.RawMessage(`{"type":"object","properties":{"a":{"type":["number","string"]}}}`))
		require.NoError(t, err)
		text := drawnNumber.Draw(t, "number")
		if rapid.Bool().Draw(t, "quoted") {
			text = strconv.Quote(text)
		}
		args, err := schema.Decode([]byte(`{"a":`+text+`}`), strictjson.DefaultLimits())
		if err != nil {
			return // -0, or more than a double holds: no amount
		}
		v, _ := args.Get("a")
		units, ok := amountUnits(v, scale)
		if !ok {
			return
		}
		taken++
		want, err := amountOf(v)
		require.NoError(t, err, text)
		assert.Equal(t, notNegative(want).String(), inDecimal(units, scale).String(), text)
	})
	assert.NotZero(t, taken)
}

// Products that do not fit are left to decimals, whether or not they wrap to
// something that looks like an amount.
func TestUnitsThatDoNotFit(t *testing.T) {
	for _, c := range []struct {
		a, b int64
		fits bool
	}{
		{math.MaxInt64, 1, true},
		{math.MaxInt64, 0, true},
		{1 << 31, 1 << 31, true},
		{math.MaxInt64/2 + 1, 2, false},
		{1 << 32, 1 << 31, false},
		{1 << 32, 1 << 32, false},
		{1 << 62, 5, false},
		{math.MaxInt64, math.MaxInt64, false},
	} {
		got, fits := times(c.a, c.b)
		require.Equal(t, c.fits, fits, "%d × %d", c.a, c.b)
		if fits {
			assert.Equal(t, c.a*c.b, got)
		}
	}
	_, fits := plainUnits("9223372036854.775808", 6)
	assert.False(t, fits)
	_, fits = plainUnits("922337203685477581", 1)
	assert.False(t, fits)
}

// A call costs the same whether units take it up or decimals alone decide.
func TestUnitsPriceLikeDecimals(t *testing.T) {
	taken, not := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		limit := decimal.MustParse(rapid.SampledFrom([]string{"20", "250.00", "0.125", "1000000000", "9999999999.999999999"}).Draw(t, "limit"))
		each := decimal.MustParse(rapid.SampledFrom([]string{"0", "1", "0.0952", "12.50", "98.32", "9000000000", "0.000000000001"}).Draw(t, "price"))
		ratio := decimal.MustParse(rapid.SampledFrom([]string{"1", "24", "0.5", "720", "0.041", "8760"}).Draw(t, "ratio"))
		n := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-100, 100_000), rapid.Just(int64(math.MinInt64))).Draw(t, "quantity")
		p := &spendPlan{doc: &spendRule{}, ratio: ratio, rungs: []rung{{limit: limit}}}
		p.count(map[string]decimal.Decimal{"u": each})
		table := &priceTable{}
		table.add("u", each, p)
		want, wantErr := product(n, each, ratio)

		e := &evaluation{}
		e.price.price = table.find("u")
		err := e.multiply(p, n)
		require.Equal(t, wantErr, err)
		if err != nil {
			return
		}
		if e.price.inUnits {
			taken++
		} else {
			not++
		}
		assert.Equal(t, want.String(), e.price.decimal(p).String())
		assert.Equal(t, want.Cmp(limit) > 0, e.price.above(&p.rungs[0]), "%v of %v", want, limit)
	})
	assert.NotZero(t, taken)
	assert.NotZero(t, not)
}

func TestUnitsOfABatch(t *testing.T) {
	tool := Tool{Name: "act", Schema: json.RawMessage(`{"type":"object","properties":{"items":{"type":"array","items":{"type":"number"}}}}`)}
	doc := Document{Name: "a.yaml", Data: []byte(`apiVersion: ambit/v1
kind: Authorization
id: one
owner: {id: owner@example.com}
agent: {id: bot, environments: [prod]}
grant: {by: [{id: grantor@example.com}], at: 2026-10-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
approval: {by: [group:leads]}
classes:
  - {id: act, tools: [act], tier: parameterized, rationale: [], spend: {currency: EUR, amount: "args.items[]", per_event: {parameterized: "20.00"}}}
`)}
	set, err := Load([]Document{doc}, Manifest{Tools: []Tool{tool}}, AllowUnsigned())
	require.NoError(t, err)
	for arguments, want := range map[string]string{
		`[19.99, 0.01]`:                    "20",
		`[19.99, 0.011]`:                   "20.001 spend_limit",
		`[19.99, 0.011, -5]`:               "20.001 spend_limit",
		`[-1, -2]`:                         "0",
		`[1e1, 5]`:                         "15",
		`[9007199254740992, 1]`:            "9007199254740993 spend_limit",
		`[]`:                               " unpriced",
		`[9000000000000000, 0.0000000001]`: " unpriced",
	} {
		d := set.Assess(set.Classify(shadowCall(`{"items":`+arguments+`}`)), Input{})
		got := d.Spend.Amount
		for _, r := range d.Reasons {
			got += " " + string(r)
		}
		assert.Equal(t, want, got, arguments)
		assert.Equal(t, d.Reasons, set.Evaluate(shadowCall(`{"items":`+arguments+`}`), Input{}).Reasons)
	}
}
