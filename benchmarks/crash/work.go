package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale/journal"
)

const document = `apiVersion: ambit/v1
kind: Authorization
id: fleet
owner: {id: owner@example.com}
agent: {id: crash, environments: [test]}
grant: {by: [{id: granter@example.com}], at: 2026-11-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
approval: {by: [group:oncall]}
classes:
  - id: scale
    tools: [fleet.scale]
    tier: parameterized
    bounds:
      - {expr: "args.replicas <= 10", why: approved capacity}
    rationale: [purpose]
`

// work makes guarded calls until the process is killed.
func work(o options) error {
	disk := newCounting(journal.OS())
	l, err := ledger.Open(o.evidence(), journal.WithFS(disk), journal.WithRotation(journal.Rotation{Bytes: 256 << 10}))
	if err != nil {
		return err
	}
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	g, err := guard.New([]authority.Document{{Name: "fleet.yaml", Data: []byte(document)}},
		guard.Agent{ID: "crash", Environment: "test"}, guard.WithLedger(l), guard.AllowUnsigned(),
		guard.WithClock(func() time.Time { return at }))
	if err != nil {
		return err
	}
	err = g.Register(authority.Tool{
		Name:   "fleet.scale",
		Schema: json.RawMessage(`{"type":"object","properties":{"replicas":{"type":"integer"}},"required":["replicas"]}`),
	})
	if err != nil {
		return err
	}
	executed, err := appendTo(o.executed())
	if err != nil {
		return err
	}
	answered, err := appendTo(o.answered())
	if err != nil {
		return err
	}
	violations, err := appendTo(o.violations())
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	for w := range o.goroutines {
		group.Go(func() {
			for i := 0; ; i++ {
				ctx, d := g.Begin(context.Background(), guard.Call{
					Tool:      classify.ToolID{Name: "fleet.scale"},
					Arguments: fmt.Appendf(nil, `{"replicas":%d,"_rationale":{"purpose":"load of %d"}}`, i%12, w),
				})
				id := d.Record().ID
				fmt.Fprintf(answered, "%s %s\n", d.Verdict(), id)
				if !d.Allowed() {
					continue
				}
				if !disk.durable(id) {
					fmt.Fprintf(violations, "the tool of decision %s starts before an fsync of its record\n", id)
				}
				fmt.Fprintf(executed, "%s\n", id) // the tool
				if err := g.End(ctx, d, []byte("ok"), nil); err != nil {
					fmt.Fprintf(violations, "the outcome of decision %s: %v\n", id, err)
					continue
				}
				fmt.Fprintf(answered, "outcome %s\n", id)
			}
		})
	}
	group.Wait()
	return nil
}

// appendTo opens a file whose lines are written by one system call each.
func appendTo(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}
