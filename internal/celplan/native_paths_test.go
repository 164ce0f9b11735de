package celplan_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

// everyFeature has an expression for each part of the language that rules are
// made of.
var everyFeature = []string{
	`args.dry_run`, `!args.dry_run`, `args.replicas == 5`, `args.replicas != 5`, `args.region != 'x'`, `args.amount == 20.5`,
	`args.replicas > 3 && args.replicas <= 60`, `3 < args.replicas`, `args.replicas in [1, 5]`, `!(args.replicas in [1, 5])`,
	`args.region in ['eu-west-1', 'a region with a long name']`, `args.region in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'eu-west-1']`,
	`args.region == 'eu-west-1' || args.region == 'x' || args.region in ['y']`, `args.amount < 100 && args.amount >= 20.5`,
	`args.replicas <= facts.current_replicas * 2`, `args.replicas < facts.current_replicas + 1`, `facts.current_replicas - 1 < args.replicas`,
	`args.replicas == facts.current_replicas`, `args.replicas > facts.current_replicas || args.dry_run`, `args.replicas < args.amount`,
	`args.replicas + 1 > 5 && args.replicas * 2 == 10 && args.replicas / 2 == 2 && args.replicas % 2 == 1 && -args.replicas == -5`,
	`args.amount + 1.0 > 21.0 && args.amount * 2.0 == 41.0 && args.amount / 2.0 > 10.0 && args.amount - 0.5 == 20.0 && -args.amount < 0.0`,
	`1u + 2u == 3u && 5u % 2u == 1u && uint(args.replicas) > 3u`, `args.dry_run ? args.replicas > 9 : args.replicas > 3`,
	`(args.dry_run ? 'a' : args.region).startsWith('eu')`, `args.region.startsWith('eu-') && args.region.endsWith('-1') && args.region.contains('west')`,
	`args.region.startsWith('eu-west-1 and more')`, `args.region.matches('^eu-[a-z]+-[0-9]$')`, `args.region.size() == 9 && size(args.tags) == 2`,
	`args.region.split('-') == ['eu', 'west', '1'] && args.region.replace('eu', 'us') == 'us-west-1' && args.region.substring(3, 7) == 'west'`,
	`args.region.indexOf('w') == 3 && args.region.lastIndexOf('-') == 7 && args.region.charAt(0) == 'e' && args.region.upperAscii() == 'EU-WEST-1'`,
	`' x '.trim() == 'x' && args.tags.join(',') == 'a,b' && (args.region + '!').lowerAscii() == 'eu-west-1!'`,
	`args.tags == ['a', 'b'] && args.tags[0] == 'a' && 'b' in args.tags && args.tags + ['c'] == ['a', 'b', 'c'] && size(args.tags) > 1`,
	`args.labels == {'owner': 'dana', 'team': 'sre'} && args.labels.owner == 'dana' && args.labels['team'] == 'sre' && 'owner' in args.labels`,
	`{1: 'a', 2: 'b'}[2] == 'b' && {true: 1}[true] == 1 && {'a': args.replicas}.a == 5`,
	`{args.region: 1, 'eu-west-1': args.replicas} == {'eu-west-1': 5} && {'a': args.replicas, 'a': 2}.a == 2 && {'a': 1, 'a': args.replicas}.size() == 1`,
	`{args.replicas: 'a', 5: args.region}[5] == args.region && {1: args.region, 1: 'b'}[1] == 'b' && {1: 'a', 2: args.region}.exists(k, k == 2)`,
	`has(args.region) && !has(args.missing) && has(args.labels.owner) && has(args.any.deep.n)`, `args.flights[0].date == '2026-01-01' && has(args.flights[0].seats)`,
	`args.flights[0] == args.flights[0] && args.flights[0] in args.flights && args.flights != []`,
	`args.tags.all(t, t.size() == 1) && args.tags.exists(t, t == 'b') && args.tags.exists_one(t, t == 'a')`,
	`args.tags.map(t, t + t) == ['aa', 'bb'] && args.tags.filter(t, t > 'a') == ['b'] && args.tags.map(t, t > 'a', t + '!') == ['b!']`,
	`args.labels.all(k, args.labels[k] != '') && args.flights.exists(f, args.tags.exists(t, f.date.contains('-') && t == 'b'))`,
	`args.any.deep.n == 7 && args.any.text == 'x' && args.any.none == null && args.any.deep.n + 1 > 7`,
	`call.time > timestamp('2026-01-01T00:00:00Z') && call.time - facts.since > duration('24h') && call.time + duration('1h') > call.time`,
	`call.time.getHours('Europe/Berlin') == 13 && call.time.getFullYear() == 2026 && call.time.getDayOfWeek('+01:00') == 0 && args.timeout.getMinutes() == 60`,
	`args.timeout <= duration('1h') && args.timeout + duration('1s') > args.timeout && int(args.timeout) > 0`,
	`int('5') == 5 && double(args.replicas) == 5.0 && string(args.replicas) == '5' && bool('true') && string(call.time) != ''`,
	`bytes(args.region) == b'eu-west-1' && b'a' + b'b' == b'ab' && size(b'ab') == 2 && string(b'a') == 'a' && b'a' < b'b'`,
	`timestamp('2026-01-01T00:00:00Z') < call.time && duration('1h') == args.timeout && timestamp(0) < call.time`,
	`[1, 2, 3].all(x, x > 0) && [args.replicas, 2].exists(x, x == 5) && [[1], [2]][1][0] == 2 && {'a': [1]}.a[0] == 1`,
}

// TestNative names what is evaluated natively, and why the rest is not.
func TestNative(t *testing.T) {
	env := testEnv(t, celplan.WithMode(celplan.ModeBoth))
	for _, src := range everyFeature {
		ok, why := compile(t, env, src).Native()
		assert.True(t, ok, "%s: %s", src, why)
		assert.Empty(t, why)
	}
	for src, want := range map[string]string{
		`{1.5: 'a'}[1.5] == 'a'`:                                             "a map with keys of an unusual type",
		`{args.any.text: 1}.size() == 1`:                                     "a map with keys of an unusual type",
		`args.any == args.origin`:                                            "an object compared with a value of another type",
		`(args.dry_run ? args.any : args.origin) == 5`:                       "an object as a value of any type",
		`([args.origin] + args.any)[0].date == 'x'`:                          "an object where any value can be",
		`args.origin in [args.any]`:                                          "an object compared with a value of another type",
		`{1: args.origin} == {2: args.origin}`:                               "objects in a map without string keys",
		`[1].all(a, [1].all(b, [1].all(c, [1].all(d, [1].all(e, a == e)))))`: "loops nested more than 4 deep",
		`{` + strings.Repeat(`args.region: 1, `, 32) + `'x': 1}.size() == 2`: "a large map with keys that are computed",
	} {
		ok, why := compile(t, env, src).Native()
		assert.False(t, ok, src)
		assert.Equal(t, want, why, src)
	}
	ok, why := compile(t, testEnv(t, celplan.WithMode(celplan.ModeReference)), `args.dry_run`).Native()
	assert.False(t, ok)
	assert.Equal(t, "the environment is for cel-go alone", why)
	ok, _ = (*celplan.Program)(nil).Native()
	assert.False(t, ok)
}

// TestPathsAgree evaluates everything on both paths: on an input that has
// nearly all, on one that has nothing, and on one with null everywhere.
func TestPathsAgree(t *testing.T) {
	sources := everyFeature
	for _, c := range readTable() {
		sources = append(sources, c.src, "!("+c.src+")", c.src+" || args.missing > 1", "args.region == 'x' && ("+c.src+")", "args.replicas == 5 ? "+c.src+" : false")
	}
	sources = append(sources,
		`([] + args.flights)[0].date == '2026-01-01'`, `{'a': args.flights[0]}[args.any.text].date == 'x'`, `{'x': args.flights[0]}[args.any.text].date != 'x'`,
		`{'a': args.missing, 'a': 2}.a == 2`, `args.origin.date == 'x'`, `args.origin.date == 'x' || true`, `has(args.origin.date)`, `args.flights[7].date == 'x'`, `args.labels.a.size() == 1`,
		`derived.containers > 1`, `facts.freeze`, `!facts.freeze || true`, `facts.freeze == true`, `facts.current_replicas * 4611686018427387904 > 1`,
		`args.replicas <= facts.current_replicas * 4611686018427387904`, `args.replicas <= facts.current_replicas + 9223372036854775807`,
		`args.replicas >= -9223372036854775807 - 1 && args.replicas <= 9223372036854775807`, `args.replicas > 9223372036854775807`, `args.replicas < -9223372036854775807 - 1`,
		`args.replicas + facts.current_replicas > 1`, `args.region.contains(args.tags[7])`, `args.region.replace('a', 'b', args.tags[7].size()) == ''`,
		`args.region.substring(args.replicas, args.tags[7].size()) == ''`, `args.any.getHours(args.tags[7]) == 1`, `args.amount * args.any.x < 1.0`,
		`args.amount > 0.0 && args.amount < 1e308`, `args.amount >= -0.0`, `args.replicas >= 7 && args.replicas <= 3`, `args.amount >= 7.0 && args.amount <= 3.0`,
	)
	env := testEnv(t, celplan.WithMode(celplan.ModeBoth))
	nothing := &celplan.Input{Args: object(), Derived: object(), Facts: object()}
	null := &celplan.Input{}
	for _, f := range testScope().Args.Fields {
		null.Args = object(append(null.Args.Members(), member(f.Name, strictjson.NullValue()))...)
	}
	for _, src := range sources {
		p := compile(t, env, src)
		for name, in := range map[string]*celplan.Input{"usual": testInput(t), "nothing": nothing, "null": null} {
			f := p.FrameOf(in)
			got, err := p.Bool(f)
			want, wantErr := p.ReferenceBool(f)
			assert.Equal(t, want, got, "%s of %s", src, name)
			assert.Equal(t, wantErr, err, "%s of %s", src, name)
		}
	}
}

func TestIntPathsAgree(t *testing.T) {
	env := testEnv(t, celplan.WithMode(celplan.ModeBoth))
	for _, src := range []string{`args.replicas`, `args.replicas * 2`, `args.missing`, `args.replicas / 0`, `int(args.any.text)`, `args.dry_run ? 1 : args.limit`, `size(args.tags)`} {
		p, err := env.Compile(src, strictjson.Int)
		require.NoError(t, err, src)
		f := p.FrameOf(testInput(t))
		got, err := p.Int(f)
		want, wantErr := p.ReferenceInt(f)
		assert.Equal(t, want, got, src)
		assert.Equal(t, wantErr, err, src)
	}
}

// TestFrameServesAgain evaluates programs one after the other on one frame, as
// on a new frame for each.
func TestFrameServesAgain(t *testing.T) {
	layout := celplan.NewLayout(nil)
	env := testEnv(t, celplan.WithLayout(layout))
	var programs []*celplan.Program
	for _, src := range everyFeature {
		programs = append(programs, compile(t, env, src))
	}
	var f celplan.Frame
	for range 3 {
		f.Begin(layout)
		f.Load(testInput(t))
		for i, p := range programs {
			got, err := p.Bool(&f)
			want, wantErr := p.EvalBool(testInput(t))
			assert.Equal(t, wantErr, err, everyFeature[i])
			assert.Equal(t, want, got, everyFeature[i])
		}
		f.End()
	}
	_, err := programs[0].Bool(&f)
	assert.Error(t, err, "an evaluation that has ended")
}

// TestFrameOfOtherSlots evaluates programs on frames that do not have what they
// read.
func TestFrameOfOtherSlots(t *testing.T) {
	layout := celplan.NewLayout(nil)
	env := testEnv(t, celplan.WithLayout(layout))
	var f celplan.Frame
	f.Begin(layout)
	boolean := compile(t, env, `args.dry_run == false`)
	integer, err := env.Compile(`args.replicas`, strictjson.Int)
	require.NoError(t, err)
	_, err = boolean.Bool(&f)
	assert.EqualError(t, err, "there is nothing to evaluate", "the frame is older than the slot")
	_, err = integer.Int(&f)
	assert.EqualError(t, err, "there is nothing to evaluate")
	_, err = compile(t, testEnv(t), `true`).Bool(&f)
	assert.EqualError(t, err, "there is nothing to evaluate", "the frame is of another layout")
	assert.Empty(t, compile(t, testEnv(t), `args.dry_run`).Readings(&f))
}

// TestNativeHammer evaluates and compiles at once, each goroutine on a frame of
// its own.
func TestNativeHammer(t *testing.T) {
	layout := celplan.NewLayout(nil)
	env := testEnv(t, celplan.WithLayout(layout))
	programs := make([]*celplan.Program, len(everyFeature))
	wants := make([]bool, len(everyFeature))
	for i, src := range everyFeature {
		programs[i] = compile(t, env, src)
		wants[i], _ = programs[i].EvalBool(testInput(t))
	}
	in := testInput(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			var f celplan.Frame
			var readings []celplan.Reading
			for range 20 {
				f.Begin(layout)
				f.Load(in)
				for i, p := range programs {
					if got, err := p.Bool(&f); err != nil || got != wants[i] {
						t.Errorf("%s: %v, %v", everyFeature[i], got, err)
						return
					}
					readings = p.AppendReadings(readings[:0], &f)
				}
				f.End()
			}
		})
	}
	wg.Go(func() {
		for i := range 50 {
			if _, err := env.Compile(fmt.Sprintf(`args.replicas > %d && args.region != 'r%d'`, i, i), strictjson.Bool); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
}

// TestNativeLoopsEnd bounds loops over long lists, which cel-go is too slow for
// to be asked.
func TestNativeLoopsEnd(t *testing.T) {
	const most = 10_000
	env := testEnv(t)
	for src, ends := range map[string]int{ // with so many tags; 0: with most it does not
		`args.tags.all(a, a != 'x') && args.tags.filter(a, a > 'tag').size() == 10000`:                        0,
		`args.tags.map(a, a + '!').filter(a, a.endsWith('9!')).size() == 1000`:                                0,
		`args.tags.all(a, args.tags.exists(b, a + '!' == b) || true)`:                                         1000,
		`args.tags.all(a, args.tags.filter(b, b > a).size() >= 0)`:                                            710,
		`args.tags.exists_one(a, args.tags.map(b, b + a).size() == 3) || true`:                                1000,
		`args.tags.all(a, a in args.tags)`:                                                                    1000,
		`args.tags.all(a, args.tags + args.tags != [a])`:                                                      640,
		`args.tags.all(a, a in args.labels && args.labels[a] == 'x') && args.labels.all(k, k in args.labels)`: 0,
		strings.Repeat(`'x'in args.tags||`, 120) + `false`:                                                    8400,
		`args.tags.all(a, call.time.getHours(a < 'u' ? 'UTC' : a) == 0 && call.time.getMinutes(a < 'u' ? 'UTC' : a) == 0 && call.time.getSeconds(a < 'u' ? 'UTC' : a) == 0)`: 6500,
		`args.tags.all(a, args.any.join('') != a)`:                                                                               2000,
		`args.tags.all(a, args.tags == args.tags)`:                                                                               710,
		`args.tags.all(a, a.matches('^(?:[a-z]+ ?)*[0-9]*(?:x?)$')) || true`:                                                     0,
		`args.tags.exists(a, a.matches('^(?:[a-z ]?){300}x$') || args.tags.exists(b, b.matches('^(?:[a-z ]?){300}y$'))) || true`: 110,
		`args.tags.all(a, call.time.getHours(a.contains('tag') ? 'Europe/Berlin' : 'UTC') == 0 || args.tags.size() > 1)`:         0,
		`args.tags.all(a, args.tags.all(b, call.time.getHours(a > b ? 'Europe/Berlin' : 'Asia/Tokyo') >= 0))`:                    140,
	} {
		p := compile(t, env, src)
		ok, why := p.Native()
		require.True(t, ok, why)
		if ends == 0 {
			got, err := p.EvalBool(tagged(most))
			assert.NoError(t, err, src)
			assert.True(t, got, src)
			continue
		}
		for _, tags := range []int{ends, most} {
			got, err := p.EvalBool(tagged(tags))
			assert.EqualError(t, err, "the evaluation would cost more than the limit", "%d tags: %s", tags, src)
			assert.False(t, got, src)
		}
	}
}

// tagged is an input with so many tags, labels and values of any type.
func tagged(n int) *celplan.Input {
	tags := make([]string, n)
	labels := make([]strictjson.Member, n)
	for i := range tags {
		tags[i] = fmt.Sprint("tag ", i)
		labels[i] = member(tags[i], strictjson.StringValue("x"))
	}
	in := &celplan.Input{Args: object(
		member("tags", strs(tags...)), member("labels", strictjson.MapValue(strictjson.Map, labels)), member("any", strs(make([]string, n)...)))}
	in.Call.Time = time.Unix(0, 0)
	return in
}
