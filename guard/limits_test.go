package guard_test

import (
	"context"
	"errors"
	"math/big"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

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

const windowed = `, spend: {currency: EUR, estimate: {quantity: args.replicas, price: "10.00"}, per_event: {parameterized: "100.00"},
    windows: [{limit: "100.00", per: 24h}, {limit: "150.00", per: month, zone: Europe/Stockholm}]}, rate: {max: 4, per: 1h}`

func (s *stage) scale(t *testing.T, arguments string) guard.Decision {
	t.Helper()
	_, d := s.Begin(t.Context(), guard.Call{Tool: scaleID, Arguments: []byte(arguments)})
	return d
}

// A call spends from its windows, the refusal says what is left, and what the tool
// says that it cost takes the place of the estimate.
func TestLimitsOverTime(t *testing.T) {
	s := under(t, windowed, guard.WithCosts(guard.NewCost("fleet.scale", "EUR", func(result []byte) (string, error) {
		return string(result), nil
	})))
	first := s.scale(t, `{"replicas":8}`)
	require.True(t, first.Allowed())
	record := first.Record()
	assert.Equal(t, []rationale.Limit{
		{Kind: rationale.CheckWindow, ID: "windows[0]", Max: "100", Currency: "EUR", Per: "24h0m0s"},
		{
			Kind: rationale.CheckWindow, ID: "windows[1]", Max: "150", Currency: "EUR", Per: "month", Zone: "Europe/Stockholm",
			From: record.Limits[1].From, Until: record.Limits[1].Until,
		},
		{Kind: rationale.CheckRate, ID: "rate", Max: "4", Per: "1h0m0s"},
	}, record.Limits)
	assert.Equal(t, record.At.Add(rationale.DefaultLease), record.Lease)

	second := s.scale(t, `{"replicas":3}`)
	require.False(t, second.Allowed())
	assert.Contains(t, string(second.Refusal()), `"check":"windows[0]","reason":"window_exhausted","message":"the limit is 100 EUR per 24h, and 20 EUR is left: the call takes 30 EUR","within":"at most 20 EUR now"`)
	assert.Contains(t, string(second.Refusal()), "more than what is left")

	require.NoError(t, s.End(t.Context(), first, []byte("61.50"), nil))
	third := s.scale(t, `{"replicas":3}`)
	require.True(t, third.Allowed(), "%s", third.Refusal())
	require.NoError(t, s.End(t.Context(), third, []byte("30"), nil))
	outcomes := s.recorder.Outcomes()
	assert.Equal(t, "61.5", outcomes[0].Spent)

	s.clock.Advance(25 * time.Hour) // the day is over, the month is not
	fourth := s.scale(t, `{"replicas":6}`)
	require.False(t, fourth.Allowed())
	assert.Equal(t, []rationale.Reason{rationale.WindowExhausted}, fourth.Record().Reasons)
	assert.Contains(t, string(fourth.Refusal()), `"check":"windows[1]"`)
	assert.NotContains(t, string(fourth.Refusal()), `"check":"windows[0]"`)
}

// An actual amount that cannot be had is the estimate.
func TestCostsThatDoNotCount(t *testing.T) {
	panics := func([]byte) (string, error) { panic("no") }
	says := func(text string, err error) func([]byte) (string, error) {
		return func([]byte) (string, error) { return text, err }
	}
	for name, tt := range map[string]struct {
		cost   guard.Cost
		result []byte
		err    error
		want   string
	}{
		"a panic":           {cost: guard.NewCost("fleet.scale", "EUR", panics), result: []byte("x"), want: "80"},
		"an error":          {cost: guard.NewCost("fleet.scale", "EUR", says("1", errors.New("no"))), result: []byte("x"), want: "80"},
		"no decimal":        {cost: guard.NewCost("fleet.scale", "EUR", says("1e1", nil)), result: []byte("x"), want: "80"},
		"a negative one":    {cost: guard.NewCost("fleet.scale", "EUR", says("-1", nil)), result: []byte("x"), want: "80"},
		"another currency":  {cost: guard.NewCost("fleet.scale", "SEK", says("1", nil)), result: []byte("x"), want: "80"},
		"another tool":      {cost: guard.NewCost("fleet.stop", "EUR", says("1", nil)), result: []byte("x"), want: "80"},
		"no result":         {cost: guard.NewCost("fleet.scale", "EUR", says("1", nil)), want: "80"},
		"an unknown end":    {cost: guard.NewCost("fleet.scale", "EUR", says("1", nil)), result: []byte("x"), err: guard.Unknown(errors.New("no")), want: "80"},
		"what did not run":  {cost: guard.NewCost("fleet.scale", "EUR", says("1", nil)), result: []byte("x"), err: guard.NotExecuted(errors.New("no"))},
		"the actual amount": {cost: guard.NewCost("fleet.scale", "EUR", says("80.010", nil)), result: []byte("x"), want: "80.01"},
		"one of an error":   {cost: guard.NewCost("fleet.scale", "EUR", says("1", nil)), result: []byte("x"), err: errors.New("no"), want: "1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := under(t, windowed, guard.WithCosts(tt.cost))
			d := s.scale(t, `{"replicas":8}`)
			require.True(t, d.Allowed())
			require.NoError(t, s.End(t.Context(), d, tt.result, tt.err))
			assert.Equal(t, tt.want, s.recorder.Outcomes()[0].Spent)
		})
	}
}

func TestLimitsNeedALedger(t *testing.T) {
	g, err := guard.New([]authority.Document{grantDocument("fleet", scaleClass(windowed))}, guard.Agent{ID: guardtest.AgentID, Environment: guardtest.Environment},
		guard.WithoutEvidence(), guard.WithClock(guardtest.NewClock(guardtest.Now()).Now), guard.AllowUnsigned())
	require.NoError(t, err)
	require.NoError(t, g.Register(guardtest.Scale()))
	_, d := g.Begin(t.Context(), guard.Call{Tool: scaleID, Arguments: []byte(`{"replicas":8}`)})
	assert.Equal(t, []rationale.Reason{rationale.LedgerUnavailable}, d.Record().Reasons)
}

func TestLeaseAndCostsAreChecked(t *testing.T) {
	fn := func([]byte) (string, error) { return "1", nil }
	cost := guard.NewCost("fleet.scale", "EUR", fn)
	for want, opt := range map[string]guard.Option{
		"WithLease":      guard.WithLease(0),
		"needs":          guard.WithCosts(guard.NewCost("fleet.scale", "", fn)),
		"a function":     guard.WithCosts(guard.NewCost("fleet.scale", "EUR", nil)),
		"twice":          guard.WithCosts(cost, cost),
		"name is empty":  guard.WithCosts(guard.Cost{}),
		"'/' is empty":   guard.WithCosts(guard.NewCost("/x", "EUR", fn)),
		"longer than no": guard.WithLease(-time.Second),
	} {
		_, err := guard.New(nil, guard.Agent{ID: "a", Environment: "e"}, guard.WithoutEvidence(), opt)
		assert.ErrorContains(t, err, want)
	}
	s := under(t, windowed, guard.WithLease(time.Hour))
	d := s.scale(t, `{"replicas":8}`).Record()
	assert.Equal(t, d.At.Add(time.Hour), d.Lease)
}

// airlineMatrix gives all that the airline's agents spend one budget.
const airlineMatrix = `apiVersion: ambit/v1
kind: AuthorityMatrix
domains: {service: [get_*, list_all_airports, search_*, calculate, think, transfer_to_human_agents, book_reservation, update_*, cancel_reservation, send_certificate]}
bodies:
  - id: board
    may_grant: {domains: [service], currency: USD, per_event: {parameterized: "350.00", bounded_escalation: "1000.00", authorization_required: "1500.00"}}
budgets:
  - {cost_centre: CC-SERVICE, currency: USD, windows: [{limit: "3000.00", per: month, zone: America/New_York}]}
`

// The calls of the airline data, by eight agents at once, under a budget of a month
// that is too small for them.
func TestAirlineUnderASharedBudget(t *testing.T) {
	tools, calls := shareddata.Airline(t)
	docs, err := authority.ReadDir("testdata/airline")
	require.NoError(t, err)
	text := strings.ReplaceAll(string(docs[0].Data), "currency: USD", "currency: USD\n      cost_centre: CC-SERVICE")
	docs[0].Data = []byte(strings.Replace(text, "grant: {by:", "grant: {body: board, by:", 1))
	docs = append(docs, authority.Document{Name: "matrix.yaml", Data: []byte(airlineMatrix)})
	recorder := &guardtest.Recorder{}
	shared := ledger.New(recorder)
	clock := guardtest.NewClock(time.Date(2024, 5, 15, 15, 0, 0, 0, time.UTC))
	var agents [8]*guard.Guard
	for i := range agents {
		agents[i], err = guard.New(docs, guard.Agent{ID: "customer-service", Environment: "prod"},
			guard.WithLedger(shared), guard.WithClock(clock.Now), guard.AllowUnsigned(),
			guard.WithEstimators(guard.NewEstimator("payments-and-fee", "USD", paymentsAndFee)))
		require.NoError(t, err)
		for _, tool := range tools {
			require.NoError(t, agents[i].Register(authority.Tool{Name: tool.Name, Description: tool.Description, Schema: tool.Parameters}))
		}
	}
	var group sync.WaitGroup
	for i, g := range agents {
		group.Go(func() {
			for n := i; n < len(calls); n += len(agents) {
				call := calls[n]
				ctx := guard.WithSession(context.Background(), guard.Session{ID: call.Session})
				ctx, d := g.Begin(ctx, guard.Call{ID: call.CallID, Tool: classify.ToolID{Name: call.Tool}, Arguments: []byte(call.Arguments)})
				if d.Allowed() {
					assert.NoError(t, g.End(ctx, d, []byte(call.Result), nil))
				}
			}
		})
	}
	group.Wait()

	limit, spent := big.NewRat(3000, 1), new(big.Rat)
	for _, o := range recorder.Outcomes() {
		if o.Spent != "" {
			spent.Add(spent, exactly(t, o.Spent))
		}
	}
	assert.LessOrEqual(t, spent.Cmp(limit), 0, "%s is spent", spent)
	budgets := shared.Budgets(clock.Now())
	require.Len(t, budgets, 1)
	assert.Zero(t, spent.Cmp(exactly(t, budgets[0].Spent)), "%s is spent, the ledger says %s", spent, budgets[0].Spent)
	assert.Equal(t, "CC-SERVICE", budgets[0].CostCentre)
	assert.Equal(t, "00", budgets[0].Reserved+budgets[0].Held)
	left := new(big.Rat).Sub(limit, spent)

	refused, says := 0, regexp.MustCompile(`^the limit is 3000 USD per month in America/New_York, and ([0-9.]+) USD is left: the call takes ([0-9.]+) USD$`)
	for _, d := range recorder.Decisions() {
		for _, c := range d.Checks {
			if c.Reason != rationale.WindowExhausted {
				continue
			}
			refused++
			assert.Equal(t, "budget CC-SERVICE windows[0]", c.ID)
			said := says.FindStringSubmatch(c.Message)
			require.NotNil(t, said, c.Message)
			then, cost := exactly(t, said[1]), exactly(t, said[2])
			assert.Equal(t, rationale.Deny, d.Verdict)
			assert.Equal(t, 1, cost.Cmp(then), "it would have fitted: %s", c.Message)
			assert.LessOrEqual(t, left.Cmp(then), 0)
			assert.Zero(t, cost.Cmp(exactly(t, d.Spend.Amount)))
			assert.Equal(t, "at most "+said[1]+" USD until 2024-06-01T04:00:00Z", c.Within)
		}
	}
	assert.NotZero(t, refused)
}
