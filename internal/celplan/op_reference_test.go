package celplan

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// oracle evaluates expressions over a, b, c and d, whose kinds nobody
// declares, on cel-go as it comes: what it yields is what op_*.go must.
type oracle struct {
	env      *cel.Env
	mu       sync.Mutex
	programs map[string]cel.Program
}

var celgo = sync.OnceValue(func() *oracle {
	options := []cel.EnvOption{ext.Strings(ext.StringsVersion(stringsVersion)), cel.CrossTypeNumericComparisons(true)}
	for _, name := range []string{"a", "b", "c", "d"} {
		options = append(options, cel.Variable(name, cel.DynType))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		panic(err)
	}
	return &oracle{env: env, programs: make(map[string]cel.Program)}
})

func (r *oracle) program(src string) cel.Program {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p, ok := r.programs[src]; ok {
		return p
	}
	checked, issues := r.env.Compile(src)
	if issues.Err() != nil {
		panic(issues.Err())
	}
	p, err := r.env.Program(checked)
	if err != nil {
		panic(err)
	}
	r.programs[src] = p
	return p
}

// missing is cel-go's outcome of an index that leads nowhere.
const missing = fault(1 << 20)

func (r *oracle) eval(src string, args ...strictjson.Value) (strictjson.Value, fault) {
	vars := make(map[string]any, len(args))
	for i, arg := range args {
		vars["abcd"[i:i+1]] = toCEL(arg)
	}
	out, _, err := r.program(src).Eval(vars)
	switch {
	case err == nil:
		return fromCEL(out), 0
	case strings.HasPrefix(err.Error(), "no such key: "), strings.HasPrefix(err.Error(), "index out of bounds: "):
		return strictjson.Value{}, missing
	}
	return strictjson.Value{}, faultOf(err.Error())
}

func toCEL(v strictjson.Value) ref.Val {
	switch v.Kind() {
	case strictjson.Null:
		return types.NullValue
	case strictjson.Bool:
		return types.Bool(v.Bool())
	case strictjson.Int:
		return types.Int(v.Int())
	case strictjson.Uint:
		return types.Uint(v.Uint())
	case strictjson.Double:
		return types.Double(v.Double())
	case strictjson.String:
		return types.String(v.Str())
	case strictjson.Bytes:
		return types.Bytes(v.Str())
	case strictjson.Timestamp:
		t := instantOf(v)
		return types.Timestamp{Time: time.Unix(t.sec, int64(t.nsec)).In(t.location())}
	case strictjson.Duration:
		return types.Duration{Duration: v.Duration()}
	case strictjson.List:
		elems := make([]ref.Val, v.Len())
		for i, elem := range v.List() {
			elems[i] = toCEL(elem)
		}
		return types.NewRefValList(types.DefaultTypeAdapter, elems)
	case strictjson.Map, strictjson.Object, strictjson.Table:
		entries := make(map[ref.Val]ref.Val, v.Len())
		for _, m := range v.Members() {
			entries[types.String(m.Name)] = toCEL(m.Value)
		}
		for _, e := range v.Entries() {
			entries[toCEL(e.Key)] = toCEL(e.Value)
		}
		return inOrder(types.NewRefValMap(types.DefaultTypeAdapter, entries))
	}
	panic("a value of no kind")
}

// fromCEL makes every map a Table.
func fromCEL(v ref.Val) strictjson.Value {
	switch v := v.(type) {
	case types.Null:
		return strictjson.NullValue()
	case types.Bool:
		return strictjson.BoolValue(bool(v))
	case types.Int:
		return strictjson.IntValue(int64(v))
	case types.Uint:
		return strictjson.UintValue(uint64(v))
	case types.Double:
		return strictjson.ComputedDoubleValue(float64(v))
	case types.String:
		return strictjson.StringValue(string(v))
	case types.Bytes:
		return strictjson.BytesValue(string(v))
	case types.Timestamp:
		_, offset := v.Zone()
		zone := int16(offset / 60)
		if v.Location() == time.Local {
			zone = localZone
		}
		return strictjson.ZonedInstantValue(v.Unix(), int32(v.Nanosecond()), zone)
	case types.Duration:
		return strictjson.DurationValue(v.Duration)
	case traits.Lister:
		var elems []strictjson.Value
		for it := v.Iterator(); it.HasNext() == types.True; {
			elems = append(elems, fromCEL(it.Next()))
		}
		return strictjson.ListValue(elems)
	case traits.Mapper:
		var entries []strictjson.Entry
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			entries = append(entries, strictjson.Entry{Key: fromCEL(key), Value: fromCEL(v.Get(key))})
		}
		return strictjson.TableValue(entries)
	}
	panic(fmt.Sprintf("a value of type %T", v))
}

// identical is stricter than any equality: it tells zeros of different sign
// apart, and zones, and has NaN be itself.
func identical(a, b strictjson.Value) bool {
	if !isScalar(a) && a.Kind() != strictjson.List && !isScalar(b) && b.Kind() != strictjson.List {
		a, b = asTable(a), asTable(b)
	}
	if a.Kind() != b.Kind() || a.Len() != b.Len() {
		return false
	}
	switch a.Kind() {
	case strictjson.Double:
		return math.Float64bits(a.Double()) == math.Float64bits(b.Double()) || math.IsNaN(a.Double()) && math.IsNaN(b.Double())
	case strictjson.Timestamp:
		return a.Zone() == b.Zone() && a.Equal(b)
	case strictjson.List:
		for i := range a.List() {
			if !identical(a.Elem(i), b.Elem(i)) {
				return false
			}
		}
		return true
	case strictjson.Table:
		for i, e := range a.Entries() {
			if other := b.Entries()[i]; !identical(e.Key, other.Key) || !identical(e.Value, other.Value) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}

func asTable(v strictjson.Value) strictjson.Value {
	entries := slices.Clone(v.Entries())
	for _, m := range v.Members() {
		entries = append(entries, strictjson.Entry{Key: strictjson.StringValue(m.Name), Value: m.Value})
	}
	return strictjson.TableValue(entries)
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// agree compares what a function of ours yields for arguments with what
// cel-go yields for the expression.
func agree(t failer, src string, ours func(args []strictjson.Value) (strictjson.Value, fault), args ...strictjson.Value) {
	t.Helper()
	want, wantFault := celgo().eval(src, args...)
	got, gotFault := ours(args)
	if wantFault != gotFault || wantFault == 0 && !identical(want, got) {
		t.Fatalf("%s for %s: got %s (fault %d), want %s (fault %d)", src, shown(args...), shown(got), gotFault, shown(want), wantFault)
	}
}

func shown(values ...strictjson.Value) string {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		switch v.Kind() {
		case strictjson.Double:
			fmt.Fprintf(&b, "double %v", v.Double())
		case strictjson.Timestamp:
			fmt.Fprintf(&b, "timestamp %s in %d", v.Time().Format(time.RFC3339Nano), v.Zone())
		case strictjson.Bytes, strictjson.String:
			fmt.Fprintf(&b, "%s %q", v.Kind(), v.Str())
		default:
			fmt.Fprintf(&b, "%s %s", v.Kind(), v.AppendJSON(nil))
		}
	}
	return b.String()
}
