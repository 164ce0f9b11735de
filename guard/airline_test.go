package guard_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/govalues/decimal"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/shareddata"
	"github.com/ambit-go/ambit/rationale"
)

// airline is a replay of the airline data: real calls of a real model, under
// the document in testdata/airline.
type airline struct {
	tools     []shareddata.AirlineTool
	calls     []shareddata.AirlineCall
	decisions []*rationale.Decision // as recorded
	outcomes  []*rationale.Outcome
}

func TestAirline(t *testing.T) {
	a := replayAirline(t)
	t.Run("one decision for each call", a.decisionForEachCall)
	t.Run("one outcome for each allowed call", a.outcomeForEachAllowed)
	t.Run("spend is exact", a.spendIsExact)
	t.Run("a call that matches its schema is not invalid", a.validIsNotRefused)
	t.Run("totals", a.totals)
}

// replayAirline runs every call that is allowed and gives the model a refusal
// for every other.
func replayAirline(t *testing.T) *airline {
	t.Helper()
	a := &airline{}
	a.tools, a.calls = shareddata.Airline(t)
	docs, err := authority.ReadDir("testdata/airline")
	require.NoError(t, err)
	recorder := &guardtest.Recorder{}
	clock := guardtest.NewClock(time.Date(2024, 5, 15, 15, 0, 0, 0, time.UTC)) // the day that the data plays on
	g, err := guard.New(docs, guard.Agent{ID: "customer-service", Environment: "prod"},
		guard.WithLedger(ledger.New(recorder)), guard.WithClock(clock.Now), guard.AllowUnsigned(),
		guard.WithEstimators(guard.NewEstimator("payments-and-fee", "USD", paymentsAndFee)))
	require.NoError(t, err)
	for _, tool := range a.tools {
		require.NoError(t, g.Register(authority.Tool{Name: tool.Name, Description: tool.Description, Schema: tool.Parameters}))
	}
	for _, call := range a.calls {
		clock.Advance(time.Second)
		ctx := guard.WithSession(t.Context(), guard.Session{ID: call.Session})
		ctx, d := g.Begin(ctx, guard.Call{
			ID: call.CallID, Tool: classify.ToolID{Name: call.Tool}, Arguments: []byte(call.Arguments),
			Text: call.AssistantText, TextSource: "assistant message",
		})
		if !d.Allowed() {
			require.NotEmpty(t, d.Refusal())
			continue
		}
		require.Equal(t, call.Arguments, string(d.Args), "the tool gets what the model wrote")
		require.NoError(t, g.End(ctx, d, []byte(call.Result), nil))
	}
	a.decisions, a.outcomes = recorder.Decisions(), recorder.Outcomes()
	return a
}

// paymentsAndFee prices a booking: the sum of its payments and a fee of 2.9 %
// on it. Payments are in whole cents, so the price has up to five digits after
// the point. It is given as it is: nothing is rounded, here or by the guard,
// so that no limit is passed by a fraction of a cent.
func paymentsAndFee(_ context.Context, c guard.Checked) (string, error) {
	var booking struct {
		Payments []struct{ Amount json.Number } `json:"payment_methods"`
	}
	if err := json.Unmarshal(c.Arguments, &booking); err != nil {
		return "", err
	}
	total := decimal.Zero
	for _, payment := range booking.Payments {
		// Checked numbers have at most 17 digits and a decimal holds 19, so
		// parsing loses none.
		amount, err := decimal.Parse(payment.Amount.String())
		if err == nil && amount.MinScale() > 2 {
			err = fmt.Errorf("a payment of %s is not in whole cents", amount)
		}
		if err == nil {
			total, err = total.AddExact(amount.Trim(2), 2)
		}
		if err != nil {
			return "", err
		}
	}
	price, err := total.MulExact(decimal.MustParse("1.029"), 5)
	if err != nil {
		return "", err
	}
	return price.String(), nil
}

// Ids repeat within a session for different calls: the model's second use of
// one is another call, and is known by an id of its own.
func (a *airline) decisionForEachCall(t *testing.T) {
	require.Len(t, a.decisions, len(a.calls))
	type id struct{ session, call string }
	used, repeated := map[id]bool{}, 0
	decided := map[string]bool{}
	for i, call := range a.calls {
		d := a.decisions[i]
		assert.Equal(t, call.Tool, d.Tool.Name, "call %d", i)
		assert.Equal(t, call.Session, d.Agent.Session, "call %d", i)
		assert.JSONEq(t, call.Arguments, string(d.Arguments), "call %d", i)
		assert.Equal(t, rationale.StandingActive, d.Standing, "call %d", i)
		if used[id{call.Session, call.CallID}] {
			repeated++
			assert.False(t, used[id{call.Session, d.CallID}], "call %d needs a fresh id", i)
		} else {
			assert.Equal(t, call.CallID, d.CallID, "call %d", i)
		}
		used[id{call.Session, d.CallID}] = true
		assert.False(t, decided[d.ID], "call %d has the decision of another", i)
		decided[d.ID] = true
	}
	assert.Equal(t, 38, repeated)
}

func (a *airline) outcomeForEachAllowed(t *testing.T) {
	outcomes := map[string]int{}
	for _, o := range a.outcomes {
		outcomes[o.Decision]++
		assert.Equal(t, rationale.StatusSuccess, o.Status)
	}
	for i, d := range a.decisions {
		want := 0
		if d.Verdict == rationale.Allow {
			want = 1
		}
		assert.Equal(t, want, outcomes[d.ID], "call %d, %s", i, d.Verdict)
		delete(outcomes, d.ID)
	}
	assert.Empty(t, outcomes, "of no decision")
}

func (a *airline) spendIsExact(t *testing.T) {
	priced, sum, recorded := 0, new(big.Rat), new(big.Rat)
	for i, call := range a.calls {
		want, spend := airlinePrice(t, call), a.decisions[i].Spend
		if want == nil {
			assert.Nil(t, spend, "call %d, %s", i, call.Tool)
			continue
		}
		if !assert.NotNil(t, spend, "call %d, %s", i, call.Tool) {
			continue
		}
		got := exactly(t, spend.Amount)
		assert.Zero(t, want.Cmp(got), "call %d costs %s, recorded is %s", i, want.RatString(), spend.Amount)
		assert.Equal(t, "USD", spend.Currency)
		sum.Add(sum, want)
		recorded.Add(recorded, got)
		priced++
	}
	assert.Equal(t, 43, priced)
	assert.Zero(t, sum.Cmp(recorded))
}

// airlinePrice is what a call costs, from its raw arguments; nil where the
// document grants no spend.
func airlinePrice(t *testing.T, call shareddata.AirlineCall) *big.Rat {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(call.Arguments))
	decoder.UseNumber()
	var arguments map[string]any
	require.NoError(t, decoder.Decode(&arguments))
	number := func(v any) *big.Rat { return exactly(t, v.(json.Number).String()) }
	switch call.Tool {
	case "book_reservation":
		sum := new(big.Rat)
		for _, payment := range arguments["payment_methods"].([]any) {
			sum.Add(sum, number(payment.(map[string]any)["amount"]))
		}
		return sum.Mul(sum, big.NewRat(1000+29, 1000))
	case "update_reservation_baggages":
		return new(big.Rat).Mul(number(arguments["nonfree_baggages"]), big.NewRat(50, 1))
	case "send_certificate":
		return number(arguments["amount"])
	}
	return nil
}

func exactly(t *testing.T, number string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(number)
	require.True(t, ok, number)
	return r
}

// The schemas are compiled here by a validator alone, without the guard.
func (a *airline) validIsNotRefused(t *testing.T) {
	schemas := map[string]*jsonschema.Schema{}
	for _, tool := range a.tools {
		parameters, err := jsonschema.UnmarshalJSON(strings.NewReader(string(tool.Parameters)))
		require.NoError(t, err)
		compiler := jsonschema.NewCompiler()
		require.NoError(t, compiler.AddResource(tool.Name, parameters))
		schemas[tool.Name], err = compiler.Compile(tool.Name)
		require.NoError(t, err)
	}
	valid := 0
	for i, call := range a.calls {
		arguments, err := jsonschema.UnmarshalJSON(strings.NewReader(call.Arguments))
		if err != nil || schemas[call.Tool].Validate(arguments) != nil {
			continue
		}
		valid++
		assert.NotContains(t, a.decisions[i].Reasons, rationale.InvalidArguments, "call %d, %s(%s)", i, call.Tool, call.Arguments)
	}
	assert.Equal(t, len(a.calls), valid, "the model kept to the schemas throughout")
}

// airlineTotals says how the calls of the data are decided: class, effective
// tier, verdict, reasons, how many calls, and what they would cost together.
const airlineTotals = `
baggage     parameterized           allow  -                            7  100 USD
baggage     bounded_escalation      allow  -                            1  100 USD
book        parameterized           allow  -                           16  4400.004 USD
book        parameterized           deny   bound_violated               3  890.085 USD
book        parameterized           deny   bound_violated spend_limit   3  5016.375 USD
book        bounded_escalation      allow  -                            7  3759.966 USD
book        authorization_required  pend   approval_required            1  1077.363 USD
cancel      bounded_escalation      allow  -                           36  -
change      bounded_escalation      allow  -                           44  -
compensate  parameterized           allow  -                            3  150 USD
compensate  bounded_escalation      allow  -                            1  100 USD
compensate  authorization_required  pend   approval_required            1  150 USD
hand-over   parameterized           allow  -                           29  -
look        parameterized           allow  -                          346  -
reason      parameterized           allow  -                           79  -
`

func (a *airline) totals(t *testing.T) {
	type row struct {
		class, verdict, reasons string
		tier                    classify.Tier
	}
	calls, spent := map[row]int{}, map[row]*big.Rat{}
	for _, d := range a.decisions {
		r := row{d.Class, d.Verdict.String(), strings.Trim(fmt.Sprint(d.Reasons), "[]"), d.Tier}
		calls[r]++
		if d.Spend != nil {
			if spent[r] == nil {
				spent[r] = new(big.Rat)
			}
			spent[r].Add(spent[r], exactly(t, d.Spend.Amount))
		}
	}
	rows := slices.SortedFunc(maps.Keys(calls), func(a, b row) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.tier, b.tier), cmp.Compare(a.verdict, b.verdict), cmp.Compare(a.reasons, b.reasons))
	})
	got := "\n"
	for _, r := range rows {
		spend := "-"
		if sum := spent[r]; sum != nil {
			digits, exact := sum.FloatPrec()
			require.True(t, exact)
			spend = sum.FloatString(digits) + " USD"
		}
		got += fmt.Sprintf("%-10s  %-22s  %-5s  %-26s %3d  %s\n", r.class, r.tier, r.verdict, cmp.Or(r.reasons, "-"), calls[r], spend)
	}
	assert.Equal(t, airlineTotals, got)
}
