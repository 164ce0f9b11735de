package celplan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

// readCase is an expression on [testInput], and what it comes to: true, false,
// or a kind of error with its message.
type readCase struct{ name, src, want, message string }

// readTable is what a failed read does to an expression, and what reads.
func readTable() []readCase {
	const absent, unavailable, failed = "absent", "unavailable", "failed"
	const yes, no = "true", "false"
	return []readCase{
		{"present", `args.region == 'eu-west-1'`, yes, ""},
		{"absent alone", `args.missing > 5`, absent, "args.missing is absent"},
		{"absent before true", `args.missing > 5 || true`, absent, "args.missing is absent"},
		{"absent after true", `true || args.missing > 5`, yes, ""},
		{"absent before false", `args.missing > 5 && false`, absent, "args.missing is absent"},
		{"absent after false", `false && args.missing > 5`, no, ""},
		{"absent not reached by a comparison", `args.replicas > 3 || args.missing > 5`, yes, ""},
		{"absent reached by a comparison", `args.replicas > 9 || args.missing > 5 || true`, absent, "args.missing is absent"},
		{"absent negated", `!(args.missing > 5) || true`, absent, "args.missing is absent"},
		{"absent compared for difference", `args.missing != 5`, absent, "args.missing is absent"},
		{"absent operand of equality", `args.replicas == args.missing || true`, absent, "args.missing is absent"},
		{"absent condition", `(args.missing > 1 ? true : true) || true`, absent, "args.missing is absent"},
		{"absent branch taken", `(args.replicas > 1 ? args.missing : 1) > 0 || true`, absent, "args.missing is absent"},
		{"absent branch not taken", `(args.replicas > 1 ? 1 : args.missing) > 0`, yes, ""},
		{"absent member of a conditional", `(args.dry_run ? args.flights[0] : args.origin).date == 'x' || true`, absent, "args.origin is absent"},
		{"absent in a list", `1 in [1, args.missing] || true`, absent, "args.missing is absent"},
		{"absent in a map", `{'a': args.missing}.size() > 0 || true`, absent, "args.missing is absent"},
		{"absent as an index", `args.tags[args.missing] == 'a' || true`, absent, "args.missing is absent"},
		{"absent as a key", `{1: true}[args.missing] || true`, absent, "args.missing is absent"},
		{"absent as an argument", `args.note.contains('x') || true`, absent, "args.note is absent"},
		{"absent object", `args.origin.date == 'x' || true`, absent, "args.origin is absent"},
		{"absent derived value", `derived.containers > 1 || true`, absent, "derived.containers is absent"},
		{"two absent: the first", `args.missing > 1 || derived.containers > 1`, absent, "args.missing is absent"},
		{"absent and division by zero", `1 / (args.replicas - 5) > 1 || args.missing > 1 || true`, absent, "args.missing is absent"},

		{"absent map key", `args.labels.cost == 'x' || true`, absent, "args.labels.cost is absent"},
		{"absent map key by index", `args.labels['cost'] == 'x' || true`, absent, "args.labels.cost is absent"},
		{"absent map key computed", `args.labels['co' + 'st'] == 'x' || true`, absent, "args.labels has no such element"},
		{"list index out of range", `args.tags[2] == 'x' || true`, absent, "args.tags has no such element"},
		{"list index negative", `args.tags[-1] == 'x' || true`, absent, "args.tags has no such element"},
		{"list index computed", `args.tags[args.replicas] == 'x' || true`, absent, "args.tags has no such element"},
		{"list index in range", `args.tags[1] == 'b'`, yes, ""},
		{"absent key of a computed map", `{'a': 1}['b'] == 1 || true`, absent, "a computed value has no such member"},
		{"index out of a computed list", `args.region.split('-')[3] == 'x' || true`, absent, "a computed value has no such member"},
		{"dyn member", `args.any.deep.n == 7`, yes, ""},
		{"absent dyn member", `args.any.deep.x == 7 || true`, absent, "args.any.deep.x is absent"},
		{"member of a dyn that has none", `args.any.text.x == 7 || true`, absent, "args.any.text.x is absent"},

		{"null is a value", `args.any.none == null`, yes, ""},
		{"null is there", `has(args.any.none)`, yes, ""},
		{"null equals nothing else", `args.any.none == 0`, no, ""},

		{"has present", `has(args.region)`, yes, ""},
		{"has absent", `has(args.missing)`, no, ""},
		{"has absent, negated", `!has(args.missing) || args.missing > 5`, yes, ""},
		{"has guards", `has(args.missing) && args.missing > 5`, no, ""},
		{"has of a map key", `has(args.labels.cost)`, no, ""},
		{"has through an absent parent", `has(args.origin.seats) || true`, absent, "args.origin is absent"},
		{"has of an unavailable fact", `has(facts.freeze)`, no, ""},
		{"has of an element's member", `args.flights.exists(f, !has(f.seats))`, yes, ""},
		{"in reads nothing", `'cost' in args.labels`, no, ""},

		{"all over an absent member", `args.flights.all(f, f.seats > 1) || true`, absent, "args.flights[].seats is absent"},
		{"exists stops before the absent member", `args.flights.exists(f, f.seats > 1)`, yes, ""},
		{"exists reaches the absent member", `args.flights.exists(f, f.seats > 3) || true`, absent, "args.flights[].seats is absent"},
		{"exists absorbs nothing afterwards", `args.flights.exists(f, f.seats > 3 || f.date == '2026-01-02')`, absent, "args.flights[].seats is absent"},
		{"exists_one", `args.flights.exists_one(f, f.seats > 1) || true`, absent, "args.flights[].seats is absent"},
		{"map", `args.flights.map(f, f.seats).size() > 0 || true`, absent, "args.flights[].seats is absent"},
		{"filter", `args.flights.filter(f, f.seats > 9).size() > 0 || true`, absent, "args.flights[].seats is absent"},
		{"absent outside of the element", `[1, 2].exists(x, args.missing > x) || true`, absent, "args.missing is absent"},
		{"absent range", `args.origin.date in args.tags || true`, absent, "args.origin is absent"},
		{"empty range reads nothing", `args.tags.filter(x, x == 'z').all(x, args.missing > 1)`, yes, ""},
		{"map literal in the order of its keys", `{'b': 1, 'a': 2}.exists(k, k == 'a' || args.missing > 1)`, yes, ""},
		{"map literal in the order of its keys, reached", `{'b': 1, 'a': 2}.exists(k, k == 'b' || args.missing > 1)`, absent, "args.missing is absent"},

		{"unavailable fact", `facts.freeze`, unavailable, "facts.freeze is unavailable: timeout after 2s"},
		{"unavailable fact before true", `facts.freeze || true`, unavailable, "facts.freeze is unavailable: timeout after 2s"},
		{"unavailable fact not reached", `true || facts.freeze`, yes, ""},
		{"available fact", `args.replicas <= facts.current_replicas * 2`, yes, ""},

		{"division by zero absorbed", `1 / (args.replicas - 5) > 1 || true`, yes, ""},
		{"division by zero", `1 / (args.replicas - 5) > 1`, failed, "a division by zero"},
		{"overflow", `args.replicas + 9223372036854775807 > 1`, failed, "a number is out of range"},
		{"kinds of a dyn", `args.any.text > 5`, failed, "an operation on values of kinds that do not go together"},
		{"kinds of a dyn absorbed", `args.any.text > 5 || true`, yes, ""},
		{"conversion", `int(args.region) > 1`, failed, "a value that cannot be converted"},

		{"infinity", `args.amount / 0.0 > 1.0`, failed, "a result is not a finite number"},
		{"nan never compares as false", `!(0.0 / 0.0 > args.amount)`, failed, "a result is not a finite number"},
		{"nan from text", `double('NaN') > args.amount`, failed, "a result is not a finite number"},
		{"infinity from text", `double('-inf') < args.amount`, failed, "a result is not a finite number"},
		{"infinity by sum", `args.amount + 1.7e308 + 1.7e308 > 1.0`, failed, "a result is not a finite number"},
		{"infinity by difference", `args.amount - 1.7e308 - 1.7e308 > 1.0`, failed, "a result is not a finite number"},
		{"infinity by product", `1e308 * args.amount > 1.0`, failed, "a result is not a finite number"},
		{"infinity absorbed, like any error of arithmetic", `args.amount / 0.0 > 1.0 || true`, yes, ""},

		{"cross-type comparison", `args.amount > 20 && args.amount < 21`, yes, ""},
		{"timestamps", `call.time - facts.since > duration('24h')`, yes, ""},
		{"durations", `args.timeout <= duration('1h')`, yes, ""},
		{"call", `call.tool == 'k8s.scale' && call.agent == 'autoscaler' && call.environment == 'prod' && call.session == 's1'`, yes, ""},
		{"escaped name", "args.`content-type` == 'json'", yes, ""},
		{"shadowed variable", `args.tags.exists(args, args == 'b' && .args.region == 'eu-west-1')`, yes, ""},
		{"objects compare by member", `args.flights[0] == args.flights[0] && args.flights[0] != args.flights[1]`, yes, ""},
	}
}

func TestReads(t *testing.T) {
	for name, env := range bothPaths(t) {
		for _, c := range readTable() {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				p := compile(t, env, c.src)
				native, why := p.Native()
				assert.Equal(t, name == "native", native, why)
				got, err := p.EvalBool(testInput(t))
				if c.message == "" {
					require.NoError(t, err)
					assert.Equal(t, c.want == "true", got)
					return
				}
				require.Error(t, err)
				assert.False(t, got)
				e := evalError(t, err)
				kinds := map[string]celplan.ErrorKind{"absent": celplan.Absent, "unavailable": celplan.Unavailable, "failed": celplan.Failed}
				assert.Equal(t, kinds[c.want], e.Kind)
				assert.Equal(t, c.message, e.Message)
			})
		}
	}
}

func TestReadErrorPath(t *testing.T) {
	for name, env := range bothPaths(t) {
		_, err := compile(t, env, `args.flights.all(f, f.seats > 1)`).EvalBool(testInput(t))
		assert.Equal(t, celplan.Path("args.flights[].seats"), evalError(t, err).Path, name)
	}
}

// TestMapOrder would fail for one in two runs of the loop if maps came in
// random order.
func TestMapOrder(t *testing.T) {
	for name, env := range bothPaths(t) {
		for _, src := range []string{
			`{'c': 1, 'a': 1, 'b': 1}.exists(k, k == 'a' || args.missing > 1)`,
			`args.labels.exists(k, k == 'owner' || args.missing > 1)`,
			`args.any.exists(k, k == 'deep' || args.missing > 1)`,
		} {
			p := compile(t, env, src)
			for range 40 {
				got, err := p.EvalBool(testInput(t))
				require.NoError(t, err, "%s: %s", name, src)
				require.True(t, got, "%s: %s", name, src)
			}
		}
	}
}

func TestReadsListed(t *testing.T) {
	for _, c := range []struct {
		name, src string
		reads     []celplan.Path
		tests     []celplan.Path
	}{
		{"none", `1 < 2`, []celplan.Path{}, nil},
		{"sorted and distinct", `args.replicas > 1 && args.region == 'x' && args.replicas < 5`, []celplan.Path{"args.region", "args.replicas"}, nil},
		{"call and facts", `call.time > facts.since`, []celplan.Path{"call.time", "facts.since"}, nil},
		{"nested", `args.origin.date == 'x'`, []celplan.Path{"args.origin.date"}, nil},
		{"index", `args.flights[0].date == 'x'`, []celplan.Path{"args.flights[].date"}, nil},
		{"index computed", `args.tags[args.replicas] == 'x'`, []celplan.Path{"args.replicas", "args.tags[]"}, nil},
		{"map key", `args.labels.owner == 'x' && args.labels['a.b'] == 'y' && args.labels[args.region] == 'z'`, []celplan.Path{"args.labels.owner", `args.labels["a.b"]`, "args.labels[]", "args.region"}, nil},
		{"elements", `args.flights.all(f, f.seats > 1)`, []celplan.Path{"args.flights[].seats"}, nil},
		{"elements whole", `args.tags.all(x, x != 'c')`, []celplan.Path{"args.tags[]"}, nil},
		{"elements unused", `args.flights.exists(f, args.replicas > 1)`, []celplan.Path{"args.flights", "args.replicas"}, nil},
		{"keys of a map", `args.labels.all(k, k != 'x')`, []celplan.Path{"args.labels"}, nil},
		{"filtered", `args.flights.filter(f, f.seats > 1).all(f, f.date == 'x')`, []celplan.Path{"args.flights[]", "args.flights[].seats"}, nil},
		{"tested", `has(args.missing) && has(args.origin.seats)`, []celplan.Path{"args.missing", "args.origin.seats"}, []celplan.Path{"args.missing", "args.origin.seats"}},
		{"tested and read", `has(args.missing) && args.missing > 1`, []celplan.Path{"args.missing"}, nil},
		{"not reached still listed", `true || args.missing > 1`, []celplan.Path{"args.missing"}, nil},
		{"dyn", `args.any.deep.n == 1`, []celplan.Path{"args.any.deep.n"}, nil},
		{"escaped", "args.`content-type` == 'x'", []celplan.Path{"args.content-type"}, nil},
		{"shadowed", `args.tags.exists(args, args == 'b' && .args.region == 'x')`, []celplan.Path{"args.region", "args.tags[]"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := compile(t, testEnv(t), c.src)
			assert.Equal(t, c.reads, p.Reads())
			assert.Equal(t, c.tests, p.Tests())
		})
	}
}

func TestPath(t *testing.T) {
	for _, c := range []struct{ path, root, name string }{
		{"args.replicas", "args", "replicas"},
		{"args.flights[].date", "args", "flights"},
		{"facts.current_replicas", "facts", "current_replicas"},
		{`args["a.b"].c`, "args", "a.b"},
		{"call.time", "call", "time"},
		{"args", "args", ""},
	} {
		assert.Equal(t, c.root, celplan.Path(c.path).Root(), c.path)
		assert.Equal(t, c.name, celplan.Path(c.path).Name(), c.path)
	}
}

func TestInputs(t *testing.T) {
	p := compile(t, testEnv(t), `true || args.replicas > args.missing || args.flights.all(f, f.seats > 1 && f.date != '') ||
		facts.freeze || call.agent == 'x' || args.origin.date == 'x' || args.labels.owner == 'x'`)
	in := testInput(t)
	flights, _ := in.Args.Get("flights")
	assert.Equal(t, []celplan.Reading{
		{Path: "args.flights", Value: flights},
		{Path: "args.labels.owner", Value: strictjson.StringValue("dana")},
		{Path: "args.missing"},
		{Path: "args.origin.date"},
		{Path: "args.replicas", Value: strictjson.IntValue(5)},
		{Path: "call.agent", Value: strictjson.StringValue("autoscaler")},
		{Path: "facts.freeze", Unavailable: "timeout after 2s"},
	}, p.Inputs(in))
}
