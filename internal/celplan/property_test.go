package celplan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

// propertyScope declares x and y (ints), s and t (texts), p and q (bools), d
// (a double) and l (a list of ints). In the optional form all may be absent.
func propertyScope(everyRequired bool) celplan.Scope {
	field := func(name string, t *strictjson.Type) strictjson.Field {
		return strictjson.Field{Name: name, Type: t, Required: everyRequired}
	}
	return celplan.Scope{Args: obj(
		field("d", typ(strictjson.Double)), field("l", listOf(typ(strictjson.Int))),
		field("p", typ(strictjson.Bool)), field("q", typ(strictjson.Bool)),
		field("s", typ(strictjson.String)), field("t", typ(strictjson.String)),
		field("x", typ(strictjson.Int)), field("y", typ(strictjson.Int)),
	)}
}

// generator writes random expressions over propertyScope.
type generator struct {
	t      *rapid.T
	tested bool // with has()
	vars   []string
}

func (g *generator) pick(options ...string) string {
	return rapid.SampledFrom(options).Draw(g.t, "pick")
}

func (g *generator) boolean(depth int) string {
	kinds := []string{"compare", "compare", "text", "variable", "in"}
	if depth > 0 {
		kinds = append(kinds, "and", "or", "and", "or", "not", "if")
		if len(g.vars) < 2 { // more may be estimated to cost too much
			kinds = append(kinds, "loop", "loop")
		}
	}
	if g.tested {
		kinds = append(kinds, "has")
	}
	switch g.pick(kinds...) {
	case "and":
		return "(" + g.boolean(depth-1) + " && " + g.boolean(depth-1) + ")"
	case "or":
		return "(" + g.boolean(depth-1) + " || " + g.boolean(depth-1) + ")"
	case "not":
		return "!" + "(" + g.boolean(depth-1) + ")"
	case "if":
		return "(" + g.boolean(depth-1) + " ? " + g.boolean(depth-1) + " : " + g.boolean(depth-1) + ")"
	case "loop":
		name := fmt.Sprint("v", len(g.vars))
		g.vars = append(g.vars, name)
		body := g.boolean(depth - 1)
		g.vars = g.vars[:len(g.vars)-1]
		return "args.l." + g.pick("all", "exists", "exists_one") + "(" + name + ", " + body + ")"
	case "has":
		return "has(args." + g.pick("x", "s", "p", "d", "l") + ")"
	case "text":
		return g.text(1) + " " + g.pick("==", "!=", "<", ">=") + " " + g.text(1)
	case "in":
		return g.pick(g.number(1)+" in ["+g.number(0)+", 3]", "args.s in ['a', 'c']", g.number(1)+" in args.l", "!(args.t in ['b'])")
	case "variable":
		return g.pick("args.p", "args.q", "true", "false")
	}
	if g.pick("int", "double") == "double" {
		return "args.d " + g.pick("<", "<=", ">", ">=") + " " + g.pick("1", "1.5", "args.x", "args.d * 2.0")
	}
	return g.number(depth) + " " + g.pick("==", "!=", "<", "<=", ">", ">=") + " " + g.number(depth)
}

func (g *generator) number(depth int) string {
	leaves := append([]string{"args.x", "args.y", "args.x", "0", "1", "2", "5", "-3", "9223372036854775807", "size(args.l)", "args.s.size()"}, g.vars...)
	if depth <= 0 || g.pick("leaf", "leaf", "sum") == "leaf" {
		return g.pick(leaves...)
	}
	return "(" + g.number(depth-1) + " " + g.pick("+", "-", "*", "/", "%") + " " + g.number(depth-1) + ")"
}

func (g *generator) text(depth int) string {
	if depth <= 0 || g.pick("leaf", "leaf", "sum") == "leaf" {
		return g.pick("args.s", "args.t", "'a'", "'b'", "'c'")
	}
	return g.pick("("+g.text(depth-1)+" + "+g.text(depth-1)+")", "args.s.replace('a', 'b')", "string("+g.number(0)+")",
		"args.s.split('').join('-')", "args.t.charAt("+g.number(0)+")")
}

// compiled returns no program for an expression that is estimated to cost too
// much, which nested loops over split texts are.
func compiled(t *rapid.T, env *celplan.Env, src string) (*celplan.Program, bool) {
	p, err := env.Compile(src, strictjson.Bool)
	if err != nil && !strings.Contains(err.Error(), "can cost too much") {
		t.Fatalf("%s: %v", src, err)
	}
	return p, err == nil
}

// onBoth is the outcome of both paths, which must be one.
func onBoth(t rapid.TB, p *celplan.Program, in *celplan.Input) (bool, error) {
	got, err := p.EvalBool(in)
	want, wantErr := p.ReferenceBool(p.FrameOf(in))
	if outcomeOf(got, err) != outcomeOf(want, wantErr) {
		t.Fatalf("natively %v, %v, by cel-go %v, %v", got, err, want, wantErr)
	}
	return got, err
}

type propertyValues struct {
	x, y int64
	d    float64
	s, t string
	p, q bool
	l    []int64
}

func drawValues(t *rapid.T) propertyValues {
	return propertyValues{
		x: rapid.Int64Range(-2, 6).Draw(t, "x"), y: rapid.Int64Range(-2, 6).Draw(t, "y"),
		d: rapid.SampledFrom([]float64{-1, 0, 0.5, 1, 1.5, 2, 5}).Draw(t, "d"),
		s: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "s"), t: rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "t"),
		p: rapid.Bool().Draw(t, "p"), q: rapid.Bool().Draw(t, "q"),
		l: rapid.SliceOfN(rapid.Int64Range(0, 3), 0, 3).Draw(t, "l"),
	}
}

func (v propertyValues) input(absent func(name string) bool) *celplan.Input {
	d, _ := strictjson.DoubleValue(v.d)
	list := make([]strictjson.Value, len(v.l))
	for i, n := range v.l {
		list[i] = strictjson.IntValue(n)
	}
	var members []strictjson.Member
	for _, m := range []strictjson.Member{
		member("d", d), member("l", strictjson.ListValue(list)),
		member("p", strictjson.BoolValue(v.p)), member("q", strictjson.BoolValue(v.q)),
		member("s", strictjson.StringValue(v.s)), member("t", strictjson.StringValue(v.t)),
		member("x", strictjson.IntValue(v.x)), member("y", strictjson.IntValue(v.y)),
	} {
		if !absent(m.Name) {
			members = append(members, m)
		}
	}
	return &celplan.Input{Args: object(members...)}
}

// failing has errors that CEL can absorb, whatever the values are.
var failing = []string{
	"1 / (args.x - args.x) > 0", "args.y % 0 == 1", "args.s.size() + 9223372036854775807 > 0",
	"args.s.charAt(-1) == 'a'", "int(args.s) > 0", "'b'.substring(2) == args.s",
}

// TestSameAsCEL compares with cel-go itself where every value is there. Each
// drawn expression is also negated, and put before and after an operand that
// fails: so whatever is drawn, true, false and an error occur.
func TestSameAsCEL(t *testing.T) {
	env, err := celplan.NewEnv(propertyScope(true), celplan.WithMode(celplan.ModeBoth))
	require.NoError(t, err)
	plain, err := cel.NewEnv(
		cel.Variable("args", cel.MapType(cel.StringType, cel.DynType)),
		cel.CrossTypeNumericComparisons(true), ext.Strings(ext.StringsVersion(5)))
	require.NoError(t, err)
	outcomes := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		g := &generator{t: t}
		drawn, fails, v := g.boolean(3), g.pick(failing...), drawValues(t)
		for _, src := range []string{
			drawn, "!(" + drawn + ")",
			drawn + " && " + fails, fails + " && " + drawn, drawn + " || " + fails, fails + " || " + drawn,
		} {
			p, ok := compiled(t, env, src)
			if !ok {
				return
			}
			want, wantErr := plainly(t, plain, src, v)
			got, gotErr := onBoth(t, p, v.input(func(string) bool { return false }))
			if (wantErr != nil) != (gotErr != nil) {
				t.Fatalf("%s of %+v: cel-go says %v, %v, we %v, %v", src, v, want, wantErr, got, gotErr)
			}
			if wantErr == nil && want != types.Bool(got) {
				t.Fatalf("%s of %+v: cel-go says %v, we %v", src, v, want, got)
			}
			outcomes[fmt.Sprint(got, gotErr != nil)]++
		}
	})
	require.Len(t, outcomes, 3, "true, false and an error each occurred: %v", outcomes)
}

// plainly is what cel-go makes of an expression without any of our rules.
func plainly(t *rapid.T, env *cel.Env, src string, v propertyValues) (ref.Val, error) {
	ast, issues := env.Compile(src)
	if issues.Err() != nil {
		t.Fatalf("%s: %v", src, issues.Err())
	}
	program, err := env.Program(ast)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	out, _, err := program.Eval(map[string]any{"args": map[string]any{
		"d": v.d, "l": v.l, "p": v.p, "q": v.q, "s": v.s, "t": v.t, "x": v.x, "y": v.y,
	}})
	return out, err
}

// TestAbsenceOnlyAddsErrors compares an evaluation with absent values to the
// same with all of them: it has the same result, or is an Absent error.
func TestAbsenceOnlyAddsErrors(t *testing.T) {
	env, err := celplan.NewEnv(propertyScope(false), celplan.WithMode(celplan.ModeBoth))
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		src := (&generator{t: t}).boolean(3)
		p, ok := compiled(t, env, src)
		if !ok {
			return
		}
		v := drawValues(t)
		gone := map[string]bool{}
		for _, name := range []string{"d", "l", "p", "q", "s", "t", "x", "y"} {
			gone[name] = rapid.IntRange(0, 3).Draw(t, "gone "+name) == 0
		}
		whole, wholeErr := onBoth(t, p, v.input(func(string) bool { return false }))
		part, partErr := onBoth(t, p, v.input(func(name string) bool { return gone[name] }))
		if e, ok := partErr.(*celplan.EvalError); ok && e.Kind == celplan.Absent {
			if !gone[e.Path.Name()] {
				t.Fatalf("%s of %+v: %v, and it is there", src, v, e)
			}
			return
		}
		if whole != part || (wholeErr == nil) != (partErr == nil) {
			t.Fatalf("%s of %+v without %v: %v, %v; with all of them %v, %v", src, v, gone, part, partErr, whole, wholeErr)
		}
	})
}

// TestFindingsAreSound looks for a value that contradicts a finding.
func TestFindingsAreSound(t *testing.T) {
	ranges := func(path string) (celplan.Range, bool) {
		switch path {
		case "args.x", "args.y":
			return celplan.Range{Min: ptr(-2), Max: ptr(6)}, true
		case "args.s":
			return celplan.Range{Enum: strs("a", "b", "c").List()}, true
		case "args.l[]":
			return celplan.Range{Min: ptr(0), Max: ptr(3)}, true
		}
		return celplan.Range{}, false
	}
	found := map[celplan.FindingKind]int{}
	for _, everyRequired := range []bool{true, false} {
		env, err := celplan.NewEnv(propertyScope(everyRequired), celplan.WithMode(celplan.ModeBoth))
		require.NoError(t, err)
		rapid.Check(t, func(t *rapid.T) {
			src := (&generator{t: t, tested: true}).boolean(3)
			p, ok := compiled(t, env, src)
			if !ok {
				return
			}
			var never, always bool
			for _, f := range p.Analyze(ranges) {
				found[f.Kind]++
				never = never || f.Whole && f.Kind == celplan.Never
				always = always || f.Whole && f.Kind == celplan.Always
			}
			if !never && !always {
				return
			}
			for i := range 25 {
				v := drawValues(t)
				in := v.input(func(name string) bool {
					return !everyRequired && rapid.IntRange(0, 3).Draw(t, fmt.Sprint("gone ", name, i)) == 0
				})
				got, err := onBoth(t, p, in)
				if never && err == nil && got {
					t.Fatalf("%s never holds, but for %+v", src, v)
				}
				if always && (err != nil || !got) {
					t.Fatalf("%s always holds, but for %+v: %v, %v", src, v, got, err)
				}
			}
		})
	}
	require.NotZero(t, found[celplan.Never])
	require.NotZero(t, found[celplan.Always])
}

// FuzzCompileEval looks for a source that panics, runs away, or leaks.
func FuzzCompileEval(f *testing.F) {
	seeds := []string{
		`args.region == 'eu-west-1' && args.replicas >= 3`, `args.missing > 5 || true`, `has(args.origin.seats)`,
		`args.flights.all(f, f.seats > 1)`, `args.tags.map(t, t + 'x').join(',') == 'a'`, `args.any.deep.n / 0 > 1.0`,
		`args.region.matches('^(?:eu|us)-.*$')`, `{'a': [1, 2]}['a'][args.replicas] == 1`, `[[1]] == [[args.missing]]`,
		`duration('1h') > timestamp('2026-01-01T00:00:00Z') - call.time`, "args.`content-type`.replace('', 'x') == b'\\xff'",
		`args.dry_run ? facts.freeze : derived.containers == 1u`, `@1{}`, `.args.region in {'a': 1}`, `'x'.split('')[0] == "\U0001F600"`,
		`args.tags.filter(t, t.exists(u, true)).size() % -1 == 0`, `1e308 * 10.0 > args.amount`, `!!--1 == 1`, ``,
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, seed := range seeds {
		f.Add(seed)
	}
	env, err := celplan.NewEnv(testScope(), celplan.WithMode(celplan.ModeBoth))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, src string) {
		start := time.Now()
		in := testInput(t)
		for _, want := range []strictjson.Kind{strictjson.Bool, strictjson.Int} {
			p, err := env.Compile(src, want)
			if err != nil {
				if err.Error() == "1:1: the expression cannot be compiled" {
					t.Fatal("panicked")
				}
				continue
			}
			for range 2 {
				got := evaluated(p.Bool, p.Int, want, p.FrameOf(in))
				if strings.Contains(got.why, "unexpectedly") {
					t.Fatal(got.why)
				}
				reference := evaluated(p.ReferenceBool, p.ReferenceInt, want, p.FrameOf(in))
				if got != reference && got.why != tooCostly && reference.why != tooCostly {
					t.Fatalf("natively %+v, by cel-go %+v", got, reference)
				}
			}
			p.Inputs(in)
			p.Analyze(testRanges)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}
