package celplan_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

func TestCompileErrors(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"unknown member, near", `args.regoin == 'x'`, `1:6: args has no "regoin"; did you mean region?`},
		{"unknown member, far", `derived.zzz == 1`, `1:9: derived has no "zzz"; it has containers`},
		{"unknown nested member", `args.origin.dat == 'x'`, `1:13: args.origin has no "dat"; did you mean date?`},
		{"unknown member of an element", `args.flights.all(f, f.seat > 1)`, `1:23: args.flights[] has no "seat"; did you mean seats?`},
		{"unknown member by index", `args.flights[0].seat > 1`, `1:17: args.flights[] has no "seat"; did you mean seats?`},
		{"unknown member tested", `has(args.regoin)`, `1:10: args has no "regoin"; did you mean region?`},
		{"unknown fact", `facts.freez`, `1:7: facts has no "freez"; did you mean freeze?`},
		{"unknown member of call", `call.user == 'x'`, `1:6: call has no "user"; it has agent, environment, session, time, tool`},
		{"unknown variable", `arg.region == 'x'`, `1:1: there is no variable "arg"; did you mean args?`},
		{"undeclared variable", `rationale.purpose == 'x'`, `1:1: there is no variable "rationale"; there are args, derived, facts, call`},
		{"unknown function", `args.region.startswith('x')`, `1:13: there is no function startswith; did you mean startsWith?`},
		{"unknown function, alone", `frobnicate(1)`, `1:1: there is no function frobnicate`},
		{"member of a text", `args.region.x == 'x'`, `1:12: string has no members`},
		{"index of an object", `args.origin['date'] == 'x'`, `1:12: [] does not take object and string`},
		{"compared with another type", `args.region == 5`, `1:13: == does not take string and int`},
		{"double compared with int", `args.amount == 5`, `1:13: == does not take double and int: write the int as a double, as in 1.0`},
		{"added to another type", `args.replicas + 'x' == 1`, `1:15: + does not take int and string`},
		{"no bool operand", `args.region && true`, `1:5: expected type 'bool' but found 'string'`},
		{"wrong argument", `args.region.contains(5)`, `1:13: contains does not take string.(int)`},
		{"mixed list", `args.region in ['a', 1]`, `1:22: expected type 'string' but found 'int'`},
		{"whole variable", `args == args`, "1:1: args can only be read by member, as in args.name\n1:9: args can only be read by member, as in args.name"},
		{"whole variable in a list", `size([facts]) > 0`, "1:7: facts can only be read by member, as in facts.name"},
		{"dyn function", `dyn(args.region) == 5`, "1:1: the function dyn is not available"},
		{"type function", `type(args.region) == string`, "1:1: the function type is not available"},
		{"format function", `'%s'.format([args.note]) == 'x'`, "1:6: the function format is not available"},
		{"message", `google.protobuf.Duration{seconds: 5} == duration('5s')`, "1:33: unexpected failed resolution of 'google.protobuf.Duration'"},
		{"object type", `@1{} == args.origin`, "1:1: unexpected \"@\"\n1:3: unexpected \"{\""},
		{"pattern not anchored", `args.region.matches('eu-west-1')`, "1:21: the pattern could match a part of the text: begin it with ^ and end it with $, around (?:…) where it has alternatives"},
		{"pattern anchored before", `args.region.matches('^eu-west-1')`, "1:21: the pattern could match a part of the text: begin it with ^ and end it with $, around (?:…) where it has alternatives"},
		{"pattern anchored after", `args.region.matches('eu-west-1$')`, "1:21: the pattern could match a part of the text: begin it with ^ and end it with $, around (?:…) where it has alternatives"},
		{"pattern anchored in one alternative", `args.region.matches('^eu|us$')`, "1:21: the pattern could match a part of the text: begin it with ^ and end it with $, around (?:…) where it has alternatives"},
		{"pattern anchored by line", `args.region.matches('(?m)^eu$')`, "1:21: the pattern could match a part of the text: begin it with ^ and end it with $, around (?:…) where it has alternatives"},
		{"pattern invalid", `matches(args.region, '^(eu$')`, "1:22: the pattern is invalid: missing closing ): `^(eu$`"},
		{"pattern computed", `args.region.matches(args.note)`, "1:26: the pattern must be a literal"},
		{"pattern too large", `args.region.matches('^[a-c]{900}b{200}$')`, "1:21: the pattern is too large"},
		{"timestamp literal", `call.time > timestamp('yesterday')`, "1:23: invalid timestamp argument"},
		{"duration literal", `args.timeout > duration('1 day')`, "1:25: invalid duration argument"},
		{"int literal", `9223372036854775808 > args.replicas`, "1:1: invalid int literal"},
		{"double literal", `1e400 > args.amount`, "1:1: invalid double literal"},
		{"has of a variable", `has(args)`, "1:5: invalid argument to has() macro"},
		{"optional syntax", `args.?region == 'x'`, "1:5: unsupported syntax '.?'"},
		{"empty", ``, "1:1: the expression ends too early"},
		{"cut off", `args.region ==`, "1:15: the expression ends too early"},
		{"two expressions", `true true`, `1:6: unexpected "true"`},
		{"second line", "args.replicas > 1 &&\n  args.nope > 1", `2:8: args has no "nope"; did you mean note?`},
		{"columns count characters", `'é€😀' == args.nope`, `1:15: args has no "nope"; did you mean note?`},
		{"two issues", `args.nope == 1 || args.regoin == 'x'`, "1:6: args has no \"nope\"; did you mean note?\n1:24: args has no \"regoin\"; did you mean region?"},
		{"no bool", "\n  args.replicas", `2:3: the expression must yield bool, and yields int`},
		{"dyn for bool", `args.any.flag`, `1:1: the expression must yield bool, and what it yields is only known when a call comes: compare it, as in x == true`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := testEnv(t).Compile(c.src, strictjson.Bool)
			assert.Nil(t, p)
			var e *celplan.CompileError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.want, e.Error())
		})
	}
}

func TestCompileWantedKind(t *testing.T) {
	env := testEnv(t)
	for _, c := range []struct{ src, want string }{
		{`args.amount`, "1:1: the expression must yield int, and yields double"},
		{`args.any.n`, "1:1: the expression must yield int, and what it yields is only known when a call comes: convert it, as in int(x)"},
		{`args.replicas > 1`, "1:1: the expression must yield int, and yields bool"},
	} {
		_, err := env.Compile(c.src, strictjson.Int)
		assert.EqualError(t, err, c.want, c.src)
	}
	for _, kind := range []strictjson.Kind{strictjson.Invalid, strictjson.Dyn, strictjson.String} {
		_, err := env.Compile(`true`, kind)
		assert.Error(t, err, kind)
	}
}

func TestUndeclaredScope(t *testing.T) {
	env, err := celplan.NewEnv(celplan.Scope{})
	require.NoError(t, err)
	_, err = env.Compile(`args.region == 'x' || facts.n > 1 || derived.n > 1`, strictjson.Bool)
	assert.EqualError(t, err, `1:1: there is no variable "args"; there are call
1:23: there is no variable "facts"; there are call
1:38: there is no variable "derived"; there are call`)
	compile(t, env, `call.tool == 'x'`)
}

func TestNewEnvRefuses(t *testing.T) {
	cycle := obj()
	cycle.Fields = []strictjson.Field{optional("self", cycle)}
	for _, c := range []struct {
		name  string
		scope celplan.Scope
		want  string
	}{
		{"no object", celplan.Scope{Args: typ(strictjson.String)}, "args must be an object, not string"},
		{"map", celplan.Scope{Facts: mapOf(typ(strictjson.Int))}, "facts must be an object, not map<int>"},
		{"no type", celplan.Scope{Args: obj(optional("a", nil))}, "args.a has no type that can be declared"},
		{"no element", celplan.Scope{Args: obj(optional("a", listOf(nil)))}, "args.a[] has no type that can be declared"},
		{"invalid kind", celplan.Scope{Args: obj(optional("a", typ(strictjson.Invalid)))}, "args.a has no type that can be declared"},
		{"twice", celplan.Scope{Args: obj(optional("a", typ(strictjson.Int)), optional("a", typ(strictjson.Int)))}, "args.a is declared twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := celplan.NewEnv(c.scope)
			assert.EqualError(t, err, c.want)
		})
	}
	_, err := celplan.NewEnv(celplan.Scope{Args: cycle})
	assert.ErrorContains(t, err, "has no type that can be declared")
}

func TestCompileLimits(t *testing.T) {
	env := testEnv(t)
	nest := func(open, inner, closing string, n int) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(closing, n)
	}
	for _, c := range []struct{ name, fits, refused string }{
		{
			"length", `args.region != '` + strings.Repeat("x", 4000) + `'`,
			`args.region != '` + strings.Repeat("x", 4100) + `'`,
		},
		{"length in characters", `args.region != '` + strings.Repeat("€", 4000) + `'`, strings.Repeat(" ", 5000) + `true`},
		{"nodes", strings.Repeat(`args.dry_run||`, 200) + `true`, strings.Repeat(`[1]==[1]||`, 400) + `true`},
		{"nesting", nest("(", "true", ")", 15), nest("(", "true", ")", 80)},
		{"nesting of operators", nest("!", "true", "", 20), nest("!(", "true", ")", 80)},
		{"nesting of lists", nest("[", "1", "]", 10) + " != []", nest("[", "1", "]", 80) + " != []"},
		{
			"estimated cost of loops", `args.flights.all(a, args.flights.all(b, a.date != b.date))`,
			`args.flights.all(a, args.flights.all(b, args.flights.all(c, args.flights.all(d, a.date != d.date))))`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			compile(t, env, c.fits)
			_, err := env.Compile(c.refused, strictjson.Bool)
			var e *celplan.CompileError
			require.ErrorAs(t, err, &e)
			assert.NotEmpty(t, e.Issues)
		})
	}
}

func TestConstant(t *testing.T) {
	env := testEnv(t)
	for _, c := range []struct {
		src       string
		value, ok bool
	}{
		{`true`, true, true},
		{`1 > 2`, false, true},
		{`[].all(x, x > 1)`, true, true},
		{`1 / 0 > 1`, false, false},
		{`args.dry_run`, false, false},
		{`true || args.dry_run`, false, false},
		{`call.tool == 'x'`, false, false},
	} {
		value, ok := compile(t, env, c.src).Constant()
		assert.Equal(t, c.ok, ok, c.src)
		assert.Equal(t, c.value, value, c.src)
	}
}

// TestConcurrentChecks: under the race detector it is found when an environment
// makes what it shares while others read it.
func TestConcurrentChecks(t *testing.T) {
	var checkers celplan.Checkers
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			env, err := checkers.NewEnv(testScope())
			if !assert.NoError(t, err) {
				return
			}
			src, fails := `args.tags.all(t, t != 'x')`, false
			if i%2 == 1 {
				src, fails = `args.tags.all(t, unknown != 'x')`, true
			}
			_, err = env.Compile(src, strictjson.Bool)
			assert.Equal(t, fails, err != nil, "%v", err)
		})
	}
	all.Wait()
}
