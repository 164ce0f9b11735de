package guard

import (
	"bytes"
	"fmt"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/money"
	"github.com/ambit-go/ambit/rationale"
)

// Cost reads from a tool's result what a call really cost. Make one with
// [NewCost]; the zero Cost is refused by [New].
type Cost struct {
	tool     string
	currency string
	of       func(result []byte) (string, error)
}

// NewCost names a function that returns what a call of a tool, given as "name" or
// "server/name", cost, as an exact decimal that is not negative, such as "129.95",
// in an ISO 4217 currency. It gets a copy of the result that [Guard.End] was given.
// It must be pure, quick and safe for concurrent use.
//
// The estimate stands where the function returns an error or anything else than
// such a decimal, or panics; where the class spends another currency; and for a call
// without a result, or whose outcome is a panic or unknown. More than the estimate
// counts in full, and can exhaust a window; less gives the rest back to it.
func NewCost(tool, currency string, fn func(result []byte) (amount string, err error)) Cost {
	return Cost{tool: tool, currency: currency, of: fn}
}

func (g *Guard) addCosts(costs []Cost) error {
	g.costs = make(map[classify.ToolID]Cost, len(costs))
	for _, c := range costs {
		id, err := classify.ParseToolID(c.tool)
		_, twice := g.costs[id]
		switch {
		case err != nil:
			return &Error{Code: CodeConfig, Message: "WithCosts", Err: err}
		case c.currency == "" || c.of == nil:
			return configError("the cost of tool %s needs a currency and a function", id)
		case twice:
			return configError("the cost of tool %s is given twice", id)
		}
		g.costs[id] = c
	}
	return nil
}

// spent is what a call cost, as far as its result tells, or its estimate.
func (g *Guard) spent(d *rationale.Decision, result []byte, status rationale.Status) string {
	switch {
	case d.Spend == nil || status == rationale.StatusNotExecuted:
		return ""
	case result == nil || status != rationale.StatusSuccess && status != rationale.StatusError:
		return d.Spend.Amount
	}
	c, ok := g.costs[classify.ToolID{Server: d.Tool.Server, Name: d.Tool.Name}]
	if !ok || c.currency != d.Spend.Currency {
		return d.Spend.Amount
	}
	actual, err := c.amount(result)
	if err != nil {
		return d.Spend.Amount
	}
	return actual
}

// amount asks the host's function, and writes what it says as records do.
func (c Cost) amount(result []byte) (amount string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the cost of tool %s panicked: %s", c.tool, describe(r))
		}
	}()
	text, err := c.of(bytes.Clone(result))
	if err != nil {
		return "", err
	}
	exact, ok := money.Parse(text)
	if !ok {
		return "", fmt.Errorf("the cost of tool %s is no exact decimal", c.tool)
	}
	return exact.String(), nil
}
