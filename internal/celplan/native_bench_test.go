package celplan_test

import (
	"math"
	"testing"

	"cel.dev/cel-go/cel"
	"github.com/stretchr/testify/require"
)

const fiveClauses = `args.region in ['eu-west-1', 'eu-central-1'] && args.replicas >= 3 && args.replicas <= 60 && args.amount < 100 && args.replicas <= facts.current_replicas * 2`

// BenchmarkFiveClauses is a usual bound, natively, with cel-go as its own
// documentation has it, and by hand on a struct.
func BenchmarkFiveClauses(b *testing.B) {
	b.Run("native", func(b *testing.B) {
		p := compile(b, testEnv(b), fiveClauses)
		f := p.FrameOf(testInput(b))
		b.ReportAllocs()
		for b.Loop() {
			if holds, err := p.Bool(f); err != nil || !holds {
				b.Fatal(holds, err)
			}
		}
	})
	b.Run("cel-go", func(b *testing.B) {
		p, in := stock(b)
		b.ReportAllocs()
		for b.Loop() {
			if out, _, err := p.Eval(in); err != nil || out.Value() != true {
				b.Fatal(out, err)
			}
		}
	})
	b.Run("handwritten", func(b *testing.B) {
		c := &callByHand{present: 0b1111, region: "eu-west-1", replicas: 5, amount: 20.5, current: 4}
		b.ReportAllocs()
		for b.Loop() {
			if holds, ok := c.holds(); !ok || !holds {
				b.Fatal(holds, ok)
			}
		}
	})
}

// BenchmarkCompileFiveClauses is a compilation, beside cel-go's parsing and
// checking alone.
func BenchmarkCompileFiveClauses(b *testing.B) {
	b.Run("native", func(b *testing.B) {
		env := testEnv(b)
		b.ReportAllocs()
		for b.Loop() {
			compile(b, env, fiveClauses)
		}
	})
	b.Run("cel-go", func(b *testing.B) {
		env := stockEnv(b)
		b.ReportAllocs()
		for b.Loop() {
			_, issues := env.Compile(fiveClauses)
			require.NoError(b, issues.Err())
		}
	})
}

// stock is the program that cel-go's documentation recommends, with its
// input.
func stock(b *testing.B) (cel.Program, map[string]any) {
	env := stockEnv(b)
	ast, issues := env.Compile(fiveClauses)
	require.NoError(b, issues.Err())
	p, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
	require.NoError(b, err)
	return p, map[string]any{
		"args":  map[string]any{"region": "eu-west-1", "replicas": int64(5), "amount": 20.5},
		"facts": map[string]any{"current_replicas": int64(4)},
	}
}

func stockEnv(b *testing.B) *cel.Env {
	env, err := cel.NewEnv(
		cel.Variable("args", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("facts", cel.MapType(cel.StringType, cel.DynType)),
		cel.CrossTypeNumericComparisons(true))
	require.NoError(b, err)
	return env
}

// callByHand is the same call as a struct with a bit for each member that is
// there.
type callByHand struct {
	present  uint8
	region   string
	replicas int64
	amount   float64
	current  int64
}

//go:noinline
func (c *callByHand) holds() (holds, ok bool) {
	if c.present&1 == 0 {
		return false, false
	}
	if c.region != "eu-west-1" && c.region != "eu-central-1" {
		return false, true
	}
	if c.present&2 == 0 {
		return false, false
	}
	if c.replicas < 3 || c.replicas > 60 {
		return false, true
	}
	if c.present&4 == 0 {
		return false, false
	}
	if c.amount >= 100 {
		return false, true
	}
	if c.present&8 == 0 || c.current > math.MaxInt64/2 || c.current < math.MinInt64/2 {
		return false, false
	}
	return c.replicas <= c.current*2, true
}
