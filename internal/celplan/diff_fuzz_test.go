package celplan_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

// outcome is what an evaluation comes to: a value, or an error.
type outcome struct {
	value string // of what has one
	kind  celplan.ErrorKind
	path  celplan.Path
	why   string // the message of an error
}

const tooCostly = "the evaluation would cost more than the limit"

func outcomeOf(value any, err error) outcome {
	var failed *celplan.EvalError
	switch {
	case err == nil:
		return outcome{value: fmt.Sprint(value)}
	case errors.As(err, &failed):
		return outcome{kind: failed.Kind, path: failed.Path, why: failed.Message}
	}
	return outcome{why: fmt.Sprintf("%T: %v", err, err)}
}

// name sorts outcomes into those that a set of tests should have seen all of.
func (o outcome) name() string {
	switch {
	case o.value == "true" || o.value == "false":
		return o.value
	case o.why == "":
		return "int"
	case o.kind == celplan.Absent && o.path == "":
		return "absent, computed"
	case o.kind == celplan.Absent && strings.HasSuffix(string(o.path), "[]"):
		return "absent, element"
	case o.kind == celplan.Absent:
		return "absent"
	case o.kind == celplan.Unavailable:
		return "unavailable"
	}
	return o.why
}

// comparison is one expression, evaluated for some calls on both paths.
type comparison struct {
	refused   error // at compile time, by both
	native    bool
	why       string    // it is not
	outcomes  []outcome // by call
	different string    // how the paths differ; empty: they do not
	call      diffInput // for which they do
}

// compare compiles and evaluates src in every way there is.
func compare(t testing.TB, s *diffScope, src string, want strictjson.Kind, calls ...diffInput) comparison {
	p, err := s.env.Compile(src, want)
	if err != nil {
		_, again := s.alone.Compile(src, want)
		if again == nil || again.Error() != err.Error() {
			return comparison{refused: err, different: fmt.Sprintf("compiling: %v, with cel-go alone: %v", err, again)}
		}
		return comparison{refused: err}
	}
	programs := []*celplan.Program{p}
	if len(src)%4 == 0 { // compiling is most of the work
		host, err := s.host.Compile(src, want)
		if err != nil {
			return comparison{different: fmt.Sprintf("compiling for a host: %v", err)}
		}
		programs = append(programs, host)
	}
	c := comparison{}
	c.native, c.why = p.Native()
	for _, call := range calls {
		out, different := compareCall(t, s, programs, src, want, call)
		c.outcomes = append(c.outcomes, out)
		if different != "" && c.different == "" {
			c.different, c.call = different, call
		}
	}
	return c
}

// compareCall evaluates programs of one expression, of which the first has both
// paths.
func compareCall(t testing.TB, s *diffScope, programs []*celplan.Program, src string, want strictjson.Kind, in diffInput) (out outcome, different string) {
	p := programs[0]
	f, other := in.frame(t, s), p.FrameOf(in.in)
	out = evaluated(p.Bool, p.Int, want, f)
	reference := evaluated(p.ReferenceBool, p.ReferenceInt, want, f)
	ways := map[string]outcome{
		"natively":                 out,
		"natively, once more":      evaluated(p.Bool, p.Int, want, f),
		"natively, from an input":  evaluated(p.Bool, p.Int, want, other),
		"by cel-go, from an input": evaluated(p.ReferenceBool, p.ReferenceInt, want, other),
	}
	for _, host := range programs[1:] {
		ways["as a host does"] = evaluated(host.Bool, host.Int, want, f)
	}
	if constant, ok := p.Constant(); ok {
		ways["at compile time"] = outcome{value: fmt.Sprint(constant)}
	}
	for _, way := range slices.Sorted(maps.Keys(ways)) {
		if got := ways[way]; got != reference && !excused(got, reference, src, in) {
			different += fmt.Sprintf("by cel-go %+v\n%s %+v\n", reference, way, got)
		}
	}
	if strings.Contains(reference.why+out.why, "unexpectedly") {
		different += "a panic"
	}
	return out, different
}

func evaluated(boolean func(*celplan.Frame) (bool, error), integer func(*celplan.Frame) (int64, error), want strictjson.Kind, f *celplan.Frame) outcome {
	if want == strictjson.Int {
		return outcomeOf(integer(f))
	}
	return outcomeOf(boolean(f))
}

// cheapBytes is the size of the arguments below which an expression without
// what multiplies cannot reach a limit.
const cheapBytes = 10_000

// excused reports whether two outcomes may differ because of a limit. Limits
// are no part of CEL, and the paths do not count their work alike: where one
// comes to the limit, the other may come to anything, but only where the limit
// is in reach. It is out of reach of a small call, with macros at most two
// deep, unless a text becomes longer, or a list of as many elements as it has
// characters.
func excused(a, b outcome, src string, in diffInput) bool {
	if a.why != tooCostly && b.why != tooCostly {
		return false
	}
	multiplies := slices.ContainsFunc([]string{"replace(", "join(", "split("}, func(call string) bool { return strings.Contains(src, call) })
	return multiplies || len(in.args) >= cheapBytes
}

// generated is what the bytes of one fuzzing input stand for.
type generated struct {
	scope *diffScope
	tree  *expr
	want  strictjson.Kind
	calls []diffInput
	used  []rule
}

// callsEach is how many calls an expression is evaluated for: compiling it is
// most of the work.
const callsEach = 4

func generate(t testing.TB, scopes []*diffScope, which byte, expression, input []byte) generated {
	g := generated{scope: scopes[int(which)%len(scopes)], want: strictjson.Bool}
	w := newWriter(g.scope, expression)
	if w.oneIn(8) {
		g.want = strictjson.Int
	}
	if depth := w.n(5); depth == 0 && g.want == strictjson.Bool {
		g.tree = w.chain("bool", depth)
	} else {
		g.tree = w.whole(g.want.String(), depth)
	}
	g.used = w.used
	for i := range callsEach {
		g.calls = append(g.calls, newDiffInput(t, g.scope, input[len(input)*i/callsEach:]))
	}
	return g
}

// check compares, and reports the smallest difference that it finds.
func (g generated) check(t testing.TB) comparison {
	c := compare(t, g.scope, g.tree.String(), g.want, g.calls...)
	if c.different == "" {
		return c
	}
	smallest := shrunk(g.tree, func(e *expr) bool {
		again := compare(t, g.scope, e.String(), g.want, c.call)
		return again.different != "" && (again.refused == nil) == (c.refused == nil)
	})
	again := compare(t, g.scope, smallest.String(), g.want, c.call)
	t.Errorf("scope %s\n%s\n%s\n%s\nshrunk from %s", g.scope.name, smallest, again.different, c.call, g.tree)
	return c
}

func diffScopes(t testing.TB) []*diffScope {
	var scopes []*diffScope
	for _, d := range declarations {
		scopes = append(scopes, newDiffScope(t, d))
	}
	return scopes
}

// seedBytes are the same in every run.
func seedBytes(i int) (which byte, expression, input []byte) {
	random := rand.New(rand.NewPCG(uint64(i), 3))
	expression, input = make([]byte, 60+random.IntN(400)), make([]byte, random.IntN(600))
	for _, b := range [][]byte{expression, input} {
		for j := range b {
			b[j] = byte(random.Uint32())
		}
	}
	return byte(i), expression, input
}

// FuzzDifferential looks for an expression and a call for which the native
// path and cel-go come to different outcomes.
func FuzzDifferential(f *testing.F) {
	for i := range 50 {
		which, expression, input := seedBytes(i)
		f.Add(which, expression, input)
	}
	scopes := diffScopes(f)
	f.Fuzz(func(t *testing.T, which byte, expression, input []byte) {
		generate(t, scopes, which, expression, input).check(t)
	})
}

// TestDifferential is the fuzzing of the same seeds in every run. They reach
// every operation and every outcome.
func TestDifferential(t *testing.T) {
	count := 3000
	if testing.Short() {
		count = 1000
	}
	scopes := diffScopes(t)
	seen := newTally()
	for i := range count {
		which, expression, input := seedBytes(i)
		g := generate(t, scopes, which, expression, input)
		seen.add(g, g.check(t))
	}
	t.Logf("%d of %d compile, %d natively; %v; falling back: %v", seen.compiled, count, seen.native, seen.outcomes, seen.reasons)
	assert.GreaterOrEqual(t, seen.compiled*100, count*95, "the generator writes what type-checks: %v", seen.refusals)
	assert.GreaterOrEqual(t, seen.native*100, seen.compiled*90, "most run natively: %v", seen.reasons)
	seen.assertOutcomes(t)
	if !testing.Short() {
		seen.assertOperations(t)
	}
}

// tally counts what a run came to.
type tally struct {
	compiled, native                   int
	outcomes, reasons, refusals, rules map[string]int
	sources                            strings.Builder
}

func newTally() *tally {
	return &tally{outcomes: map[string]int{}, reasons: map[string]int{}, refusals: map[string]int{}, rules: map[string]int{}}
}

func (s *tally) add(g generated, c comparison) {
	if c.refused != nil {
		s.refusals[c.refused.Error()]++
		return
	}
	s.compiled++
	if c.native {
		s.native++
	} else {
		s.reasons[c.why]++
	}
	for _, o := range c.outcomes {
		s.outcomes[o.name()]++
	}
	for _, r := range g.used {
		s.rules[r.name()]++
	}
	s.sources.WriteString(g.tree.String() + "\n")
}

func (s *tally) assertOutcomes(t *testing.T) {
	for _, name := range []string{
		"true", "false", "int", "absent", "absent, element", "absent, computed", "unavailable",
		"a division by zero", "a number is out of range", "a number, index or time is out of range", "a result is not a finite number",
		"an operation on values of kinds that do not go together", "a value that cannot be converted", "a value that is not valid for the operation",
	} {
		assert.NotZero(t, s.outcomes[name], "no expression came to %q: %v", name, s.outcomes)
	}
}

func (s *tally) assertOperations(t *testing.T) {
	for _, r := range rules() {
		assert.NotZero(t, s.rules[r.name()], "no expression used %s", r.name())
	}
	sources := s.sources.String()
	for _, part := range []string{
		" == ", " != ", " ? ", " in [", " in {", "has(", ".all(", ".exists(", ".exists_one(", ".filter(", ".map(", "size(", "null",
		"args.", "derived.", "facts.", "call.", "b'", "1u", "1e308", "(v1, ", "v1.", "has(v0.", "[] + ", "['deep']",
	} {
		assert.True(t, strings.Contains(sources, part), "no expression has %q", part)
	}
}

func TestExcused(t *testing.T) {
	limit, other := outcome{why: tooCostly}, outcome{value: "true"}
	small, large := diffInput{args: []byte(`{}`)}, diffInput{args: make([]byte, cheapBytes)}
	for _, c := range []struct {
		name string
		a, b outcome
		src  string
		in   diffInput
		want bool
	}{
		{"no limit", other, outcome{value: "false"}, "args.s.split('')", large, false},
		{"out of reach", limit, other, "args.n > 1", small, false},
		{"a large call", limit, other, "args.n > 1", large, true},
		{"a text becomes longer", other, limit, "args.s.replace('', args.s) == ''", small, true},
		{"a text becomes a list", other, limit, "args.s.split('').all(c, c == 'a')", small, true},
	} {
		assert.Equal(t, c.want, excused(c.a, c.b, c.src, c.in), c.name)
	}
}
