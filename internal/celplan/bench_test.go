package celplan_test

import "testing"

func BenchmarkEval(b *testing.B) {
	env := testEnv(b)
	for name, src := range map[string]string{
		"five clauses": fiveClauses,
		"loop":         `args.flights.all(f, f.date != 'x')`,
	} {
		b.Run(name, func(b *testing.B) {
			p, in := compile(b, env, src), testInput(b)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				f := p.FrameOf(in)
				for pb.Next() {
					if holds, err := p.Bool(f); err != nil || !holds {
						b.Fatal(holds, err)
					}
				}
			})
		})
	}
}
