package celplan_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

func textInput(note string, tags ...string) *celplan.Input {
	return &celplan.Input{Args: object(
		member("note", strictjson.StringValue(note)), member("tags", strs(tags...)),
		member("region", strictjson.StringValue("eu")), member("any", strictjson.StringValue("eu")),
	)}
}

// TestBombs evaluates expressions whose work or result a few characters, or
// one large argument, multiply. Each must end soon, in little memory, with an
// error that `|| true` does not absorb.
func TestBombs(t *testing.T) {
	big := strings.Repeat("a", 1<<20)
	many := make([]string, 5000)
	for i := range many {
		many[i] = fmt.Sprint("tag", i)
	}
	doubling := func(start, step string, n int) string { return start + strings.Repeat(step, n) }
	for _, c := range []struct {
		name, src string
		in        *celplan.Input
	}{
		{"cost of loops", `args.tags.all(a, args.tags.all(b, a != b || a == b)) || true`, textInput("", many...)},
		{"cost of a filter", `args.tags.filter(a, args.tags.exists(b, b == a + 'x')).size() > 1 || true`, textInput("", many...)},
		{"replace everywhere", `args.note.replace('', args.note).size() > 1 || true`, textInput(big)},
		{"replace everywhere, counted", `args.note.replace('', args.note, 1000000).size() > 1 || true`, textInput(big)},
		{"replace again and again", doubling(`args.note`, `.replace('', 'aaaaaaaa')`, 2) + ` == 'x' || true`, textInput(big[:100_000])},
		{"join of one text", `args.tags.map(x, args.note).join('') == 'x' || true`, textInput(big, many...)},
		{"join by a large separator", `args.tags.join(args.note) == 'x' || true`, textInput(big, many...)},
		{"split into characters", `args.note.split('').size() > 1 || true`, textInput(big)},
		{"split at a character", `args.note.split('a').size() > 1 || true`, textInput(big)},
		{"search of a long text in a long text", `args.note.indexOf(args.region) > 1 || true`, &celplan.Input{Args: object(
			member("note", strictjson.StringValue(big)),
			member("region", strictjson.StringValue(strings.Repeat("a", 1<<19)+"b")),
		)}},
		{"search backwards", `args.note.lastIndexOf(args.region) > 1 || true`, &celplan.Input{Args: object(
			member("note", strictjson.StringValue(big)),
			member("region", strictjson.StringValue("b"+strings.Repeat("a", 1<<19))),
		)}},
		{"pattern over a long text", `args.note.matches('^(?:a?){300}b$') || true`, textInput(big)},
		{"size of a long text for each", `args.tags.all(x, args.note.size() > 3) || true`, textInput(big, many...)},
		{"a long text as a text for each", `args.tags.all(x, string(args.note) != x) || true`, textInput(big, many...)},
		{"a long text compared for each", `args.tags.all(x, args.note != x + 'y') || true`, textInput(big, many...)},
		{"size of a long element for each", `args.tags.all(x, args.tags.all(y, y.size() > 3)) || true`, textInput("", append([]string{big}, many[:200]...)...)},
		{"doubled text", doubling(`[args.note]`, `.map(x, x + x)`, 8) + `.size() > 1 || true`, textInput(big)},
		{"doubled list", doubling(`[args.tags]`, `.map(x, x + x)`, 8) + `.exists(x, 'y' in x) || true`, textInput("", many...)},
	} {
		for name, env := range bothPaths(t) {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				p := compile(t, env, c.src)
				native, why := p.Native()
				require.Equal(t, name == "native", native, why)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				start := time.Now()
				_, err := p.EvalBool(c.in)
				took := time.Since(start)
				runtime.ReadMemStats(&after)
				require.Error(t, err)
				assert.Equal(t, "the evaluation would cost more than the limit", evalError(t, err).Message)
				assert.Less(t, took, 10*time.Second)
				assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<30))
			})
		}
	}
}

// TestNestedListBomb compares lists that hold one element 2^24 times, by way
// of dyn, which hides their nesting from the type checker.
func TestNestedListBomb(t *testing.T) {
	for name, env := range bothPaths(t) {
		for _, operator := range []string{"x == x", "x != x", "x in [x]"} {
			src := `[args.any]` + strings.Repeat(`.map(x, [x, x])`, 24) + `.exists(x, ` + operator + `) || true`
			start := time.Now()
			p, err := env.Compile(src, strictjson.Bool)
			if err == nil {
				_, err = p.EvalBool(textInput(""))
			}
			assert.Error(t, err, "%s: %s", name, operator)
			assert.Less(t, time.Since(start), 10*time.Second, "%s: %s", name, operator)
		}
	}
}

func TestWithinLimits(t *testing.T) {
	big := strings.Repeat("a", 300_000)
	for name, env := range bothPaths(t) {
		for _, src := range []string{
			`args.note.contains('b') || args.note.size() == 300000`,
			`args.note.matches('^a+$')`,
			`args.note.indexOf('b') == -1 && args.note.lastIndexOf('b') == -1`,
			`args.note.replace('a', 'b').startsWith('bb')`,
			`(args.note + args.note).size() == 600000`,
			`args.tags.join(', ') == 'a, b' && args.tags + ['c'] == ['a', 'b', 'c'] && 'b' in args.tags`,
			`'a-b-c'.split('-') == ['a', 'b', 'c'] && 'a-b-c'.split('-', 2) == ['a', 'b-c']`,
			`'aXbX'.replace('X', '') == 'ab' && 'aXbX'.replace('X', 'Y', 1) == 'aYbX'`,
			`' Ab '.trim().lowerAscii() == 'ab' && 'ab'.upperAscii() == 'AB' && 'abc'.substring(1, 2) == 'b' && 'abc'.charAt(0) == 'a'`,
			`{'a': [1, 2]} == {'a': [1, 2]} && [{'a': 1}] != [{'a': 2}]`,
			`b'ab' + b'c' == b'abc' && duration('1h') + duration('1m') == duration('61m')`,
			`args.tags.map(t, t + '!').exists(t, t == 'b!')`,
		} {
			got, err := compile(t, env, src).EvalBool(textInput(big, "a", "b"))
			require.NoError(t, err, "%s: %s", name, src)
			assert.True(t, got, "%s: %s", name, src)
		}
	}
}

func TestEvalMisuse(t *testing.T) {
	env := testEnv(t)
	boolean := compile(t, env, `args.replicas > 1`)
	integer, err := env.Compile(`args.replicas * 2`, strictjson.Int)
	require.NoError(t, err)
	n, err := integer.EvalInt(testInput(t))
	require.NoError(t, err)
	assert.Equal(t, int64(10), n)

	var none *celplan.Program
	for name, eval := range map[string]func() error{
		"int as bool":  func() error { _, err := integer.EvalBool(testInput(t)); return err },
		"bool as int":  func() error { _, err := boolean.EvalInt(testInput(t)); return err },
		"nil input":    func() error { _, err := boolean.EvalBool(nil); return err },
		"nil program":  func() error { _, err := none.EvalBool(testInput(t)); return err },
		"zero program": func() error { _, err := new(celplan.Program).EvalBool(testInput(t)); return err },
		"empty input":  func() error { _, err := boolean.EvalBool(&celplan.Input{}); return err },
		"no object":    func() error { _, err := boolean.EvalBool(&celplan.Input{Args: strictjson.IntValue(1)}); return err },
		"invalid value": func() error {
			_, err := boolean.EvalBool(&celplan.Input{Args: object(member("replicas", strictjson.Value{}))})
			return err
		},
		"other kind": func() error {
			_, err := boolean.EvalBool(&celplan.Input{Args: object(member("replicas", strictjson.StringValue("9")))})
			return err
		},
	} {
		assert.Error(t, eval(), name)
	}
}

// TestMessagesHoldNoSource evaluates expressions that fail in every way, each
// with a mark in its source and in its arguments.
func TestMessagesHoldNoSource(t *testing.T) {
	in := textInput("MARK", "MARK")
	for _, env := range bothPaths(t) {
		for _, src := range []string{
			`int('MARK') > 1`, `args.tags[7] == 'MARK'`, `args.labels['x'] == 'MARK'`, `{'x': 'MARK'}[args.note] == 'MARK'`,
			`timestamp(args.note) > timestamp('2026-01-01T00:00:00Z')`, `duration(args.note + 'MARK') > duration('1s')`,
			`bool(args.note)`, `args.any + 'MARK' < 'x' && args.any - 1 > 2`, `'MARK'.substring(9) == 'x'`, `'MARK'.charAt(-1) == 'x'`,
			`double(args.note) > 1.0`, `call.time.getHours('MARK') > 1`, `string(b'\xff' + bytes(args.note)) == 'MARK'`,
			`args.note.size() / 0 > 1`, `-9223372036854775807 - args.note.size() > 1`, `args.any.MARK == 1`,
		} {
			p, err := env.Compile(src, strictjson.Bool)
			require.NoError(t, err, src)
			_, err = p.EvalBool(in)
			require.Error(t, err, src)
			e := evalError(t, err)
			if e.Path == "" {
				assert.NotContains(t, e.Message, "MARK", src)
			}
			assert.NotContains(t, e.Message, "unexpectedly", src)
		}
	}
}

// TestHammer evaluates shared programs on shared input from many goroutines.
func TestHammer(t *testing.T) {
	env, in := testEnv(t), testInput(t)
	programs := map[string]bool{
		`args.flights.exists(f, f.date == '2026-01-02' && !has(f.seats))`: true,
		`args.labels.all(k, args.labels[k] != '')`:                        true,
		`args.region.matches('^us-.*$')`:                                  false,
		`{'a': 1}.exists(k, k == 'b')`:                                    false,
		`args.any.deep.n == 7 && args.tags.map(t, t + t) == ['aa', 'bb']`: true,
	}
	var wg sync.WaitGroup
	for src, want := range programs {
		p := compile(t, env, src)
		for range 8 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for range 50 {
					got, err := p.EvalBool(in)
					if err != nil || got != want {
						t.Errorf("%s: %v, %v", src, got, err)
						return
					}
					p.Inputs(in)
				}
			}()
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			if _, err := env.Compile(src, strictjson.Bool); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
}
