package celplan

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/strictjson"
)

func chainEnv(t testing.TB, opts ...Option) *Env {
	field := func(name string, kind strictjson.Kind) strictjson.Field {
		return strictjson.Field{Name: name, Type: &strictjson.Type{Kind: kind}}
	}
	text := &strictjson.Type{Kind: strictjson.String}
	env, err := NewEnv(Scope{
		Args: &strictjson.Type{Kind: strictjson.Object, Fields: []strictjson.Field{
			field("amount", strictjson.Double), field("any", strictjson.Dyn), field("b", strictjson.Bool), field("rate", strictjson.Double),
			field("region", strictjson.String), field("replicas", strictjson.Int),
			{Name: "tags", Type: &strictjson.Type{Kind: strictjson.List, Elem: text}},
			field("zone", strictjson.String),
		}},
		Facts: &strictjson.Type{Kind: strictjson.Object, Fields: []strictjson.Field{field("current", strictjson.Int)}},
	}, opts...)
	require.NoError(t, err)
	return env
}

func compileChain(t testing.TB, src string) *Program {
	p, err := chainEnv(t).Compile(src, strictjson.Bool)
	require.NoError(t, err, src)
	require.NotNil(t, p.native, src)
	return p
}

var opNames = [...]string{"call", "bool", "has", "int", "int in", "ints", "scaled", "moved", "size", "double", "doubles", "text", "prefix", "suffix"}

// TestInstructions is what expressions are made into: an operation for each
// instruction, in brackets where it is not written out.
func TestInstructions(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{`args.region in ['a', 'b'] && args.replicas >= 3 && args.replicas <= 60 && args.amount < 100 && args.replicas <= facts.current * 2`, "text int double scaled"},
		{`args.replicas >= 3 && args.b && args.replicas <= 60`, "int bool int"}, // what is between may be absent
		{`(args.b && (args.replicas > 1 && args.replicas < 5)) && has(args.zone)`, "bool int has"},
		{`args.amount > 1 && args.amount <= 2.5`, "double"},
		{`args.replicas >= 7 && args.replicas <= 3`, "int int"},
		{`args.replicas >= 3 && args.replicas != 4`, "int (int)"},
		{`!(args.replicas < 5) && !args.b && !(args.region in ['a'])`, "(int) bool (text)"},
		{`!(args.replicas > 1 && args.replicas < 5) && args.b`, "(int) bool"},
		{`args.region == 'a' || args.region == 'b' || args.region in ['c']`, "text"},
		{`(args.region == 'a' || args.region == 'b') && args.b`, "text bool"},
		{`args.region == 'a' || args.zone == 'b'`, "(text) (text)"},
		{`args.region == 'a' || args.b || args.region == 'b'`, "(text) bool (text)"},
		{`args.replicas == facts.current && args.replicas < facts.current + 5 && args.replicas > facts.current - 5`, "(ints) (moved) (moved)"},
		{`facts.current * 2 >= args.replicas && args.amount < args.rate && args.amount == 1.5`, "scaled (doubles) double"},
		{`args.replicas in [1, 2] && args.region.startsWith('a') && args.region.endsWith('b') && size(args.tags) <= 5 && 1 < args.tags.size()`, "(int in) (prefix) (suffix) (size)"},
		{`args.b == true && args.b != true && args.any == 'x'`, "bool bool text"},
		{`args.region in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']`, "(text)"},
		{`args.replicas / 2 > 1 && args.b`, "call bool"},
		{`true && args.b && (true || args.replicas > 1)`, "bool"},
		{`args.b && (false && args.replicas > 1)`, "bool call"},
		{`args.tags.all(t, t != 'x')`, "call"},
		{`args.b ? args.replicas > 1 : false`, "call"},
	} {
		var got []string
		for _, k := range compileChain(t, c.src).native.chain.clauses {
			name := opNames[k.op]
			if k.quick == opCall && k.op != opCall {
				name = "(" + name + ")"
			}
			got = append(got, name)
		}
		assert.Equal(t, c.want, strings.Join(got, " "), c.src)
	}
}

// TestInstructionsAtEdges compares instructions with what they stand for, which
// they are not asked about while values are of their kinds.
func TestInstructionsAtEdges(t *testing.T) {
	texts := []string{"", "a", "ab", "abc", "abcd", "abcdefg", "abcdefgh", "abcdefghijklmno", "abcdefghijklmnop", "abcdefghijklmnopq", "abcdefghXjklmnopq", "abcdefgX", "Xbcdefgh", "aXc", strings.Repeat("a", 300), strings.Repeat("a", 299) + "b"}
	ints := []int64{-1 << 63, -1<<63 + 1, -1 << 62, -2, -1, 0, 1, 2, 1 << 62, 1<<63 - 2, 1<<63 - 1}
	doubles := []float64{-1.7e308, -1, 0, 5e-324, 0.5, 1, 1e300}
	var sources []string
	for _, s := range texts {
		sources = append(sources, fmt.Sprintf("args.region == %q", s), fmt.Sprintf("args.region.startsWith(%q)", s), fmt.Sprintf("args.region.endsWith(%q)", s),
			fmt.Sprintf("args.region in ['zz', %q, 'y']", s), fmt.Sprintf("args.region == %q || args.region == 'abcdefghXjklmnopq'", s), fmt.Sprintf("args.region != %q", s))
	}
	for _, i := range ints {
		for _, op := range []string{"<", "<=", ">", ">=", "==", "!="} {
			sources = append(sources, fmt.Sprintf("args.replicas %s %d", op, i), fmt.Sprintf("args.replicas %s facts.current + %d", op, i), fmt.Sprintf("args.replicas %s facts.current - %d", op, max(i, -1<<63+1)), fmt.Sprintf("args.replicas %s facts.current * %d", op, i))
		}
		sources = append(sources, fmt.Sprintf("args.replicas >= %d && args.replicas <= 1", i), fmt.Sprintf("args.replicas > %d && args.replicas < %d", i, ints[len(ints)-1]))
	}
	for _, d := range doubles {
		for _, op := range []string{"<", "<=", ">", ">=", "==", "!="} {
			sources = append(sources, fmt.Sprintf("args.amount %s double('%g')", op, d))
		}
	}
	var inputs []*Input
	for _, s := range texts {
		inputs = append(inputs, chainInput(strictjson.StringValue(s), strictjson.IntValue(ints[len(inputs)%len(ints)]), strictjson.IntValue(1), doubles[len(inputs)%len(doubles)]))
	}
	for i, n := range ints {
		for _, m := range ints {
			inputs = append(inputs, chainInput(strictjson.StringValue("abcd"), strictjson.IntValue(n), strictjson.IntValue(m), doubles[i%len(doubles)]))
		}
	}
	env := chainEnv(t, WithMode(ModeBoth))
	for _, src := range sources {
		src = strings.ReplaceAll(src, "-9223372036854775808", "(-9223372036854775807 - 1)")
		p, err := env.Compile(src, strictjson.Bool)
		require.NoError(t, err, src)
		require.NotNil(t, p.native, src)
		for _, in := range inputs {
			f := p.frame(in)
			got, err := p.Bool(f)
			want, wantErr := p.native.chain.resumeSlowly(f)
			if got != want || (err == nil) != (wantErr == 0) {
				t.Fatalf("%s of %s: an instruction says %v, %v, and what it stands for %v, %v", src, in.Args.AppendJSON(nil), got, err, want, wantErr)
			}
		}
	}
}

func chainInput(region, replicas, current strictjson.Value, amount float64) *Input {
	return &Input{
		Args: strictjson.MapValue(strictjson.Object, []strictjson.Member{
			{Name: "region", Value: region}, {Name: "replicas", Value: replicas}, {Name: "amount", Value: strictjson.ComputedDoubleValue(amount)},
		}),
		Facts: strictjson.MapValue(strictjson.Object, []strictjson.Member{{Name: "current", Value: current}}),
	}
}

// resumeSlowly evaluates all instructions by what they stand for.
func (ch *chain) resumeSlowly(f *Frame) (bool, fault) {
	f.work, f.text = maxCost, maxRead
	slow := &chain{stop: ch.stop}
	for _, k := range ch.clauses {
		slow.clauses = append(slow.clauses, clause{slow: k.slow})
	}
	return slow.run(f)
}

// TestFrameIsOlder: what is beyond a frame is not read, though it may be memory
// of the frame.
func TestFrameIsOlder(t *testing.T) {
	env := chainEnv(t)
	f := new(Frame)
	f.Begin(env.layout)
	f.vals = append(f.vals, strictjson.BoolValue(true))[:len(f.vals)]
	p, err := env.Compile(`args.b`, strictjson.Bool)
	require.NoError(t, err)
	holds, err := p.Bool(f)
	assert.False(t, holds)
	assert.EqualError(t, err, "there is nothing to evaluate")
	p, err = env.Compile(`args.b && true`, strictjson.Bool)
	require.NoError(t, err)
	holds, err = p.Bool(f)
	assert.False(t, holds)
	assert.EqualError(t, err, "there is nothing to evaluate")
}

func TestPanicDenies(t *testing.T) {
	p := compileChain(t, `args.b && args.replicas / 2 > 1`)
	p.native.chain.clauses[1].slow = func(*Frame) (bool, fault) { panic("a fault of ours") }
	in := &Input{Args: strictjson.MapValue(strictjson.Object, []strictjson.Member{{Name: "b", Value: strictjson.BoolValue(true)}})}
	holds, err := p.Bool(p.frame(in))
	assert.False(t, holds)
	assert.EqualError(t, err, "the evaluation failed unexpectedly")

	i, err := chainEnv(t).Compile(`args.replicas`, strictjson.Int)
	require.NoError(t, err)
	i.native.any = func(*Frame) (strictjson.Value, fault) { panic("a fault of ours") }
	n, err := i.Int(i.frame(in))
	assert.Zero(t, n)
	assert.EqualError(t, err, "the evaluation failed unexpectedly")
}

// TestProgramWeighsLittle: a host may have a hundred thousand programs.
func TestProgramWeighsLittle(t *testing.T) {
	env := chainEnv(t)
	programs := make([]*Program, 500)
	compile := func(i int) {
		var err error
		programs[i], err = env.Compile(`args.region in ['eu-west-1', 'eu-central-1'] && args.replicas >= 3 && args.replicas <= 60 && args.amount < 100 && args.replicas <= facts.current * 2`, strictjson.Bool)
		require.NoError(t, err)
	}
	compile(0) // what the first one needs stays for all
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range programs {
		compile(i)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	assert.Less(t, (int(after.HeapAlloc)-int(before.HeapAlloc))/len(programs), 2048, "bytes")
	runtime.KeepAlive(programs)
}

// TestCheckersShare: equal scopes have one checker, and a layout each.
func TestCheckersShare(t *testing.T) {
	scope := func(name string, kind strictjson.Kind, required bool) Scope {
		return Scope{Args: &strictjson.Type{Kind: strictjson.Object, Fields: []strictjson.Field{{Name: name, Type: &strictjson.Type{Kind: kind}, Required: required}}}}
	}
	var checkers Checkers
	first, err := checkers.NewEnv(scope("a", strictjson.Int, true))
	require.NoError(t, err)
	again, err := checkers.NewEnv(scope("a", strictjson.Int, true))
	require.NoError(t, err)
	assert.Same(t, first.checker, again.checker)
	assert.NotSame(t, first.layout, again.layout)
	for _, other := range []Scope{
		scope("b", strictjson.Int, true), scope("a", strictjson.String, true), scope("a", strictjson.Int, false),
		{},
		{Facts: scope("a", strictjson.Int, true).Args},
		{Derived: scope("a", strictjson.Int, true).Args},
	} {
		env, err := checkers.NewEnv(other)
		require.NoError(t, err)
		assert.NotSame(t, first.checker, env.checker)
	}
	_, err = checkers.NewEnv(Scope{Args: &strictjson.Type{Kind: strictjson.Int}})
	assert.Error(t, err)
}

// TestCheapEstimates: what is not estimated could not have been refused.
func TestCheapEstimates(t *testing.T) {
	env := chainEnv(t)
	whole, err := env.whole()
	require.NoError(t, err)
	long := strings.Repeat("x", 1900)
	sources := []string{
		fmt.Sprintf("'%s'.contains('%s')", long, long), fmt.Sprintf("args.region.matches('^%s$')", strings.Repeat("a", 900)),
		fmt.Sprintf("'%s'.indexOf('%s') > 0", long, long), fmt.Sprintf("args.region.lastIndexOf('%s') > 0", long+long),
	}
	for _, clause := range []string{`args.any==args.any`, `args.any in args.any`, `args.region<args.zone`, `args.tags==args.tags`, `'x'in args.tags`, `args.zone.contains(args.zone)`, `string(args.any)>'x'`} {
		n := min(maxSource/(len(clause)+2), maxCheapCalls/4)
		sources = append(sources, strings.Join(slices.Repeat([]string{clause}, n), "&&"))
	}
	for _, src := range sources {
		checked, err := env.check(src)
		require.NoError(t, err, src)
		calls, cheap := countCalls(checked.NativeRep())
		require.True(t, cheap, src)
		require.LessOrEqual(t, calls, maxCheapCalls)
		estimate, err := whole.cel.EstimateCost(checked, assumedSizes{})
		require.NoError(t, err)
		assert.LessOrEqual(t, estimate.Max, uint64(maxEstimate), src[:min(len(src), 60)])
	}
}

// TestLoopForgetsLists: what the condition of one round computes is no longer
// needed in the next.
func TestLoopForgetsLists(t *testing.T) {
	tags := make([]strictjson.Value, 1000)
	for i := range tags {
		tags[i] = strictjson.StringValue("x")
	}
	p := compileChain(t, `args.tags.all(a, [a, 'y'].size() == 2 && args.tags.size() > 1)`)
	f := p.frame(&Input{Args: strictjson.MapValue(strictjson.Object, []strictjson.Member{{Name: "tags", Value: strictjson.ListValue(tags)}})})
	holds, err := p.Bool(f)
	require.NoError(t, err)
	assert.True(t, holds)
	assert.LessOrEqual(t, f.lists.most, smallestArena)
}

// TestDifference compares the short way of what most quantities are with
// cel-go, at every edge.
func TestDifference(t *testing.T) {
	env := chainEnv(t, WithMode(ModeBoth))
	p, err := env.Compile(`args.replicas - facts.current`, strictjson.Int)
	require.NoError(t, err)
	require.NotNil(t, p.native.less)
	ints := []int64{math.MinInt64, math.MinInt64 + 1, -5, -1, 0, 1, 5, math.MaxInt64 - 1, math.MaxInt64}
	values := []strictjson.Value{{}, strictjson.NullValue(), strictjson.StringValue("5"), strictjson.BoolValue(true), strictjson.UintValue(5)}
	for _, i := range ints {
		values = append(values, strictjson.IntValue(i))
	}
	served := 0
	for _, a := range values {
		for _, b := range values {
			in := &Input{}
			if a.Kind() != strictjson.Invalid {
				in.Args = strictjson.MapValue(strictjson.Object, []strictjson.Member{{Name: "replicas", Value: a}})
			}
			if b.Kind() != strictjson.Invalid {
				in.Facts = strictjson.MapValue(strictjson.Object, []strictjson.Member{{Name: "current", Value: b}})
			}
			f := p.FrameOf(in)
			want, wantErr := p.ReferenceInt(f)
			got, err := p.Int(f)
			assert.Equal(t, want, got, "%v - %v", a, b)
			assert.Equal(t, wantErr == nil, err == nil, "%v - %v: %v, %v", a, b, wantErr, err)
			if _, ok := p.native.less.of(f); ok {
				served++
				assert.NoError(t, err, "%v - %v", a, b)
			}
		}
	}
	assert.Greater(t, served, len(ints)*len(ints)/2)
	none, err := p.Int(new(Frame))
	assert.Error(t, err)
	assert.Zero(t, none)
}
