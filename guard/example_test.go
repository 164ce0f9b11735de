package guard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
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

// A tool between Begin and End: whatever it does, its outcome is recorded.
func ExampleGuard_Begin() {
	recorder := new(guardtest.Recorder)
	g, err := guard.New(guardtest.Documents(), guard.Agent{ID: guardtest.AgentID, Environment: guardtest.Environment},
		guard.WithLedger(ledger.New(recorder)), guard.AllowUnsigned(), guard.WithClock(guardtest.Now))
	if err == nil {
		err = g.Register(guardtest.Scale())
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	scale := func(ctx context.Context, call guard.Call, run func(context.Context, []byte) ([]byte, error)) (result []byte, err error) {
		ctx, d := g.Begin(ctx, call)
		if !d.Allowed() {
			return d.Refusal(), nil
		}
		err = guard.Panicked("the tool did not return") // until it does
		defer func() {
			if r := recover(); r != nil {
				err = guard.Panicked(r)
			}
			err = errors.Join(err, g.End(ctx, d, result, err))
		}()
		return run(ctx, d.Args)
	}
	call := guard.Call{
		Tool:      classify.ToolID{Name: "fleet.scale"},
		Arguments: []byte(`{"replicas":4,"_rationale":{"purpose":"the queue grows"}}`),
	}
	_, err = scale(context.Background(), call, func(context.Context, []byte) ([]byte, error) { panic("the cluster is gone") })
	fmt.Println(err)
	fmt.Println(recorder.Outcomes()[0].Status)

	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = scale(context.Background(), call, func(context.Context, []byte) ([]byte, error) {
			runtime.Goexit()
			return nil, nil
		})
	}()
	<-ended
	fmt.Println(recorder.Outcomes()[1].Status)
	// Output:
	// guard: the tool panicked: the cluster is gone
	// panic
	// panic
}
