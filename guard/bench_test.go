package guard_test

import (
	"context"
	"testing"

	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
)

func BenchmarkBeginEnd(b *testing.B) {
	g, err := guard.New(guardtest.Documents(), guard.Agent{ID: guardtest.AgentID, Environment: guardtest.Environment},
		guard.WithoutEvidence(), guard.AllowUnsigned(), guard.WithClock(guardtest.NewClock(guardtest.Now()).Now))
	if err != nil {
		b.Fatal(err)
	}
	if err := g.Register(guardtest.Scale()); err != nil {
		b.Fatal(err)
	}
	call := guard.Call{Tool: scaleID, Arguments: []byte(`{"replicas":4,"_rationale":{"purpose":"the queue grows"}}`)}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			ctx, d := g.Begin(context.Background(), call)
			if err := g.End(ctx, d, nil, nil); err != nil {
				b.Error(err)
			}
		}
	})
}
