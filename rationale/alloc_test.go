package rationale_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ambit-go/ambit/rationale"
)

// What every call does allocates its result, and nothing else.
func TestAllocations(t *testing.T) {
	var (
		arguments = []byte(`{"replicas":12,"region":"eu-west-1","note":"p99 above \"400 ms\"","limits":{"z":1,"a":[1.50,2]}}`)
		withinIt  = []byte(`{"replicas":12,"_rationale":{"purpose":"the queue grows"}}`)
		act       = action()
		decision  = fullDecision()
		result    = fullOutcome()
		now       = decision.At
		room      = make([]byte, 0, 16<<10)
	)
	act.Arguments = arguments
	for name, tt := range map[string]struct {
		most float64
		run  func()
	}{
		"id":                              {1, func() { rationale.NewID(now) }},
		"digest":                          {1, func() { rationale.Digest(arguments) }},
		"canonical form":                  {1, func() { _, _ = rationale.Canonicalize(arguments) }},
		"action digest":                   {1, func() { _, _ = rationale.ActionDigest(act) }},
		"arguments without the parameter": {0, func() { rationale.Split(arguments) }},
		"arguments with it":               {3, func() { rationale.Split(withinIt) }},
		"decision":                        {1, func() { _, _ = rationale.Marshal(decision) }},
		"decision, behind another":        {0, func() { _, _ = rationale.AppendRecord(room, decision) }},
		"outcome":                         {1, func() { _, _ = rationale.Marshal(result) }},
		"printable text":                  {0, func() { rationale.Printable("call_4711 of k8s.scale") }},
	} {
		t.Run(name, func(t *testing.T) {
			assert.LessOrEqual(t, testing.AllocsPerRun(100, tt.run), tt.most+raceAllocs)
		})
	}
}

func BenchmarkMarshal(b *testing.B) {
	for name, rec := range map[string]rationale.Record{"decision": fullDecision(), "outcome": fullOutcome()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := rationale.Marshal(rec); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkActionDigest(b *testing.B) {
	a := action()
	a.Arguments = []byte(`{"replicas":12,"region":"eu-west-1","workload":"payments-api","reason":"p99 latency above 400 ms"}`)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := rationale.ActionDigest(a); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkNewID(b *testing.B) {
	now := fullDecision().At
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			rationale.NewID(now)
		}
	})
}
