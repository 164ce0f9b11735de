package guard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
)

const fleetDocument = `apiVersion: ambit/v1
kind: Authorization
id: fleet
owner: {id: dana@example.com}
agent: {id: scaler, environments: [prod]}
grant: {by: [{id: lee@example.com}], at: 2026-11-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
classes:
  - id: scale
    tools: [fleet.scale]
    tier: parameterized
    bounds:
      - {expr: "args.replicas <= facts.capacity", why: approved capacity}
`

func ExampleWrap() {
	g, err := guard.New(
		[]authority.Document{{Name: "fleet.yaml", Data: []byte(fleetDocument)}},
		guard.Agent{ID: "scaler", Environment: "prod"},
		guard.WithLedger(ledger.New(&guardtest.Recorder{})), // in earnest: a journal
		guard.WithClock(func() time.Time { return time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC) }),
		guard.AllowUnsigned(),
		guard.WithFacts(guard.NewFact("capacity", func(context.Context, guard.Checked) (int64, error) { return 10, nil })),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	tool := authority.Tool{
		Name:   "fleet.scale",
		Schema: json.RawMessage(`{"type":"object","properties":{"replicas":{"type":"integer"}},"required":["replicas"]}`),
	}
	scale, err := guard.Wrap(g, tool, func(_ context.Context, arguments []byte) ([]byte, error) {
		return append([]byte("ran with "), arguments...), nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, arguments := range []string{
		`{"replicas":4,"_rationale":{"purpose":"the queue grows"}}`,
		`{"replicas":40,"_rationale":{"purpose":"the queue grows"}}`,
	} {
		result, err := scale(context.Background(), guard.Call{Arguments: []byte(arguments)})
		fmt.Println(string(result), err)
	}
	// Output:
	// ran with {"replicas":4} <nil>
	// {"ambit":"deny","reasons":["bound_violated"],"checks":[{"check":"bounds[0]","reason":"bound_violated","why":"approved capacity","message":"the bound does not hold"}],"message":"This call did not run: correct what the checks name, and make it again within bounds."} <nil>
}
