package celplan

import (
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// A native program has an implementation of its own for operands of known
// types, in slots, and beside literals. Each is compared with cel-go at all
// edges of the types, and with null in their place.

// edgeType is a type with its edges, and some of them as literals.
type edgeType struct {
	cel      *cel.Type
	kind     strictjson.Kind
	literals []string
}

func edgeTypes() []edgeType {
	ints := edgeType{cel: cel.IntType, kind: strictjson.Int}
	for _, i := range edgeInts {
		ints.literals = append(ints.literals, strconv.FormatInt(i, 10))
	}
	uints := edgeType{cel: cel.UintType, kind: strictjson.Uint}
	for _, u := range edgeUints {
		uints.literals = append(uints.literals, strconv.FormatUint(u, 10)+"u")
	}
	doubles := edgeType{cel: cel.DoubleType, kind: strictjson.Double, literals: []string{"0.0", "-0.0", "0.5", "1.0", "9223372036854775808.0", "-9223372036854775808.0", "18446744073709551616.0", "1e308"}}
	return []edgeType{
		ints, uints, doubles,
		{cel.BoolType, strictjson.Bool, []string{"true", "false"}},
		{cel.StringType, strictjson.String, []string{"''", "'a'", "'ab'", "'é'"}},
		{cel.BytesType, strictjson.Bytes, []string{"b''", "b'a'", `b'\xff'`}},
		{cel.TimestampType, strictjson.Timestamp, []string{"timestamp('0001-01-01T00:00:00Z')", "timestamp(0)", "timestamp('9999-12-31T23:59:59.999999999Z')"}},
		{cel.DurationType, strictjson.Duration, []string{"duration('0s')", "duration('1ns')", "duration('-1s')", "duration('2562047h47m16.854775807s')"}},
		{cel.ListType(cel.IntType), strictjson.List, []string{"[1]", "[1, 2]", "[2, 3, 5, 7]"}},
		{cel.ListType(cel.StringType), strictjson.List, []string{"['a']", "['a', 'ab', 'é']"}},
		{cel.ListType(cel.DoubleType), strictjson.List, []string{"[1.0]", "[0.5, 9223372036854775808.0]"}},
		{cel.MapType(cel.StringType, cel.IntType), strictjson.Map, []string{"{'a': 0}", "{'a': 0, 'b': 1}"}},
		{cel.MapType(cel.IntType, cel.StringType), strictjson.Table, []string{"{1: 'a'}", "{1: 'a', 2: 'a'}"}},
		{cel.DynType, strictjson.Invalid, nil},
	}
}

// values are the edges of the type, and null; of any type, a selection.
func (e edgeType) values(all []strictjson.Value) []strictjson.Value {
	var of []strictjson.Value
	for i, v := range all {
		if v.Kind() == e.kind || v.Kind() == strictjson.Null || e.kind == strictjson.Invalid && i%7 == 0 {
			of = append(of, v)
		}
	}
	return of
}

// typedPair is cel-go and native programs of expressions over a and b of two
// types.
type typedPair struct {
	env  *cel.Env
	vars map[string]nativeVariable
}

func newTypedPair(t *testing.T, a, b *cel.Type) typedPair {
	env, err := cel.NewEnv(
		ext.Strings(ext.StringsVersion(stringsVersion)), cel.CrossTypeNumericComparisons(true),
		cel.Variable("a", a), cel.Variable("b", b),
	)
	require.NoError(t, err)
	return typedPair{env, map[string]nativeVariable{"a": {typ: a, slot: maxLoops}, "b": {typ: b, slot: maxLoops + 1}}}
}

// compare returns how many evaluations it compared, 0 for what the checker
// refuses.
func (p typedPair) compare(t *testing.T, src string, as, bs []strictjson.Value) int {
	checked, issues := p.env.Compile(src)
	if issues.Err() != nil {
		return 0
	}
	program, err := p.env.Program(checked)
	require.NoError(t, err)
	native, why := compileNative(checked.NativeRep(), nativeConfig{variables: p.vars, absorbing: true, infinite: true, lenient: true})
	if native == nil {
		t.Errorf("%s does not run natively: %s", src, why)
		return 0
	}
	f := &Frame{vals: make([]strictjson.Value, maxLoops+2)}
	for _, a := range as {
		for _, b := range bs {
			f.vals[maxLoops], f.vals[maxLoops+1] = a, b
			got, failed := native.value(f)
			out, _, err := program.Eval(map[string]any{"a": toCEL(a), "b": toCEL(b)})
			switch {
			case err != nil && failed == 0, err == nil && failed != 0:
				t.Fatalf("%s for %s: got %s (fault %d), want %v, %v", src, shown(a, b), shown(got), failed, out, err)
			case err != nil && !strings.HasPrefix(err.Error(), "no such key: ") && !strings.HasPrefix(err.Error(), "index out of bounds: ") && failed != faultOf(err.Error()):
				t.Fatalf("%s for %s: got fault %d, want %v", src, shown(a, b), failed, err)
			case err == nil && !identical(got, fromCEL(out)):
				t.Fatalf("%s for %s: got %s, want %s", src, shown(a, b), shown(got), shown(fromCEL(out)))
			}
		}
	}
	return len(as) * len(bs)
}

func TestNativeOperatorsAtEdges(t *testing.T) {
	t.Parallel()
	operators := []string{"+", "-", "*", "/", "%", "<", "<=", ">", ">=", "==", "!=", "in"}
	all, kinds := edges(), edgeTypes()
	for _, a := range kinds {
		t.Run(a.cel.String(), func(t *testing.T) {
			t.Parallel()
			compared := 0
			for _, b := range kinds {
				p := newTypedPair(t, a.cel, b.cel)
				as, bs := a.values(all), b.values(all)
				for _, op := range operators {
					n := p.compare(t, "a "+op+" b", as, bs)
					if compared += n; n == 0 {
						continue
					}
					for _, literal := range b.literals {
						compared += p.compare(t, "a "+op+" "+literal, as, bs[:1])
						compared += p.compare(t, "!(a "+op+" "+literal+") && a "+op+" "+literal, as, bs[:1])
					}
					for _, literal := range a.literals {
						compared += p.compare(t, literal+" "+op+" b", as[:1], bs)
					}
				}
				compared += p.compare(t, "a[b]", as, bs)
			}
			require.Greater(t, compared, 500)
		})
	}
}

func TestNativeFunctionsAtEdges(t *testing.T) {
	t.Parallel()
	var sources []string
	for _, function := range []string{"size", "bool", "bytes", "double", "duration", "int", "string", "timestamp", "uint", "-", "!"} {
		sources = append(sources, function+"(a)")
	}
	for _, method := range []string{"trim", "lowerAscii", "upperAscii", "size", "join"} {
		sources = append(sources, "a."+method+"()")
	}
	for _, method := range accessors {
		sources = append(sources, "a."+method+"()", "a."+method+"('Europe/Berlin')", "a."+method+"('-09:30')", "a."+method+"('Nowhere')", "a."+method+"(b)")
	}
	for _, method := range []string{"startsWith", "endsWith", "contains", "indexOf", "lastIndexOf", "split", "join"} {
		sources = append(sources, "a."+method+"(b)", "a."+method+"('a')", "a."+method+"('')")
	}
	sources = append(sources,
		"a.charAt(b)", "a.charAt(1)", "a.substring(b)", "a.substring(1)",
		"a.indexOf('a', b)", "a.lastIndexOf('a', b)", "a.indexOf(b, 1)", "a.lastIndexOf(b, 1)", "a.split(b, 2)", "a.split('a', b)", "a.substring(0, b)", "a.substring(b, 1)",
		"a.replace(b, 'x')", "a.replace('a', b)", "a.replace('a', b, 1)", "a.replace('a', 'x', b)", "a.replace(b, a)", "a.matches('^[a-z]*$')", "a ? b : b", "a && b", "a || b", "!a || !b",
		"a.all(x, x == b)", "a.exists(x, x == b)", "a.exists_one(x, x == b)", "a.filter(x, x == b)", "a.map(x, x == b)", "a.map(x, x != b, x)", "[a, a].map(x, [x, b])", "{'a': a}['a'] == b",
	)
	all, kinds := edges(), edgeTypes()
	compared := make([]atomic.Int64, len(sources))
	t.Run("of", func(t *testing.T) {
		for _, a := range kinds {
			t.Run(a.cel.String(), func(t *testing.T) {
				t.Parallel()
				for _, b := range kinds {
					p := newTypedPair(t, a.cel, b.cel)
					as, bs := a.values(all), b.values(all)
					for i, src := range sources {
						switch {
						case second.MatchString(src):
							compared[i].Add(int64(p.compare(t, src, as, bs)))
						case b.kind == strictjson.Bool: // whichever: b is not read
							compared[i].Add(int64(p.compare(t, src, as, bs[:1])))
						}
					}
				}
			})
		}
	})
	for i, src := range sources {
		require.NotZero(t, compared[i].Load(), src)
	}
}

// second finds the variable b.
var second = regexp.MustCompile(`\bb\b`)

// value evaluates an expression of any type. The value may refer to memory of
// the frame: it is valid until the next evaluation.
func (n *native) value(f *Frame) (strictjson.Value, fault) {
	if !n.begin(f) {
		return strictjson.Value{}, valueFault
	}
	return n.computed(f)
}
