package celplan_test

import "testing"

func BenchmarkEval(b *testing.B) {
	env := testEnv(b)
	for name, src := range map[string]string{
		"five clauses": `args.region in ['eu-west-1', 'eu-central-1'] && args.replicas >= 3 && args.replicas <= 60 && args.amount < 100 && args.replicas <= facts.current_replicas * 2`,
		"loop":         `args.flights.all(f, f.date != 'x')`,
	} {
		b.Run(name, func(b *testing.B) {
			p, in := compile(b, env, src), testInput(b)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if holds, err := p.EvalBool(in); err != nil || !holds {
						b.Fatal(holds, err)
					}
				}
			})
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	env := testEnv(b)
	b.ReportAllocs()
	for b.Loop() {
		compile(b, env, `args.region in ['eu-west-1', 'eu-central-1'] && args.replicas >= 3 && args.replicas <= 60`)
	}
}
