package celplan_test

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

// diffInput is one call: the bytes of its arguments, and what they say.
type diffInput struct {
	args []byte
	in   *celplan.Input
}

// Values that calls bring: many of those that literals have, and the edges.
var (
	ints = []int64{
		1, 0, 2, 3, 5, 7, -1, -3, 10, 60, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, -math.MaxInt64,
		3037000500, 9007199254740993, 1767225600, 4, 16, 44,
	}
	doubles = []float64{
		1.5, 0, 1, 2, 0.1, -0.5, -1, 3, 5, 1e308, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64,
		9007199254740992, 9223372036854774784, 9223372036854775808, -9223372036854775808, 18446744073709551616, 2.5, 1e-300,
	}
	texts = []string{
		"a", "", "b", "ab", "aab", "prod", "eu-west-1", "-", "Ä", "日本", "😀é", "e\u0301", " a\t", "A", "\u0000", "it's", "1", "12", "-5", "2.5",
		"true", "1h", "2026-03-01T12:00:00Z", "Europe/Stockholm", "k", "kk4", "a,b,,c", "\u2028", "\u00a0x\u1680", "aAzZ[@`{é",
		strings.Repeat("ab-", 100), strings.Repeat("é", 300), strings.Repeat("a", 2000),
	}
	// nearTexts differ in the middle, or by an end.
	nearTexts = []string{
		"abcdefghijklmnopq", "abcdefghXjklmnopq", "abc", "abcd", "abXd", "abYd", "aXc", "abcdefgh", "abcdXfgh", "abcdefghi", "abcdefghijklmnop",
		"abcdefghXjklmnop", "abcdefghYjklmnopq", "Xbcdefghijklmnopq", "abcdefghijklmnopX", "abcdefghijklmnopqr", strings.Repeat("abcdefgh", 40), strings.Repeat("abcdefgh", 20) + "X" + strings.Repeat("abcdefgh", 20),
	}
	instants = []time.Time{
		time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), time.Unix(0, 0), time.Date(2026, 3, 29, 1, 30, 0, 500_000_000, time.UTC),
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 250_000_000, time.UTC), time.Date(2024, 2, 29, 23, 59, 59, 999_999_999, time.FixedZone("", 7200)),
		time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	spans = []time.Duration{
		time.Hour, 0, -1, 24 * time.Hour, math.MaxInt64, math.MinInt64, 5405_250_000_000, time.Millisecond, -90 * time.Minute, 87600 * time.Hour,
	}
)

// reader makes the values that a call brings.
type reader struct{ *choices }

// newDiffInput makes a call for a scope.
func newDiffInput(t testing.TB, s *diffScope, data []byte) diffInput {
	r := reader{&choices{data}}
	var args strings.Builder
	r.object(&args, s.scope.Args)
	out := diffInput{args: []byte(args.String()), in: &celplan.Input{Unavailable: map[string]string{}}}
	var err error
	out.in.Args, err = s.schema.Decode(out.args, strictjson.DefaultLimits())
	require.NoError(t, err, "%s", args.String())
	out.in.Facts = r.fromHost(t, s.scope.Facts, out.in.Unavailable)
	out.in.Derived = r.fromHost(t, s.scope.Derived, nil)
	out.in.Call = celplan.CallInfo{Tool: "k8s.scale", Agent: r.text(), Environment: "prod", Session: "s1", Time: pick(r.choices, instants)}
	return out
}

func (r reader) object(b *strings.Builder, t *strictjson.Type) {
	b.WriteByte('{')
	first := true
	for _, f := range t.Fields {
		if !f.Required && r.oneIn(14) {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		b.WriteString(quoted(f.Name) + ":")
		r.json(b, f.Type)
	}
	b.WriteByte('}')
}

// json writes a value of a type.
func (r reader) json(b *strings.Builder, t *strictjson.Type) {
	if t.Nullable && r.oneIn(10) {
		b.WriteString("null")
		return
	}
	switch t.Kind {
	case strictjson.Null:
		b.WriteString("null")
	case strictjson.Bool:
		b.WriteString(strconv.FormatBool(r.n(2) == 0))
	case strictjson.Int:
		b.WriteString(strconv.FormatInt(pick(r.choices, ints), 10))
	case strictjson.Double:
		b.WriteString(strconv.FormatFloat(pick(r.choices, doubles), 'g', -1, 64))
	case strictjson.String:
		b.WriteString(quoted(r.text()))
	case strictjson.Object:
		r.object(b, t)
	case strictjson.List:
		r.list(b, t.Elem)
	case strictjson.Map:
		r.members(b, t.Elem, keyNames)
	default:
		r.dyn(b, 2)
	}
}

func (r reader) list(b *strings.Builder, of *strictjson.Type) {
	b.WriteByte('[')
	for i := range pick(r.choices, []int{2, 1, 3, 2, 4, 0, 1, 12}) {
		if i > 0 {
			b.WriteByte(',')
		}
		r.json(b, of)
	}
	b.WriteByte(']')
}

func (r reader) members(b *strings.Builder, of *strictjson.Type, names []string) {
	b.WriteByte('{')
	first := true
	for _, name := range names {
		if r.oneIn(5) {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		b.WriteString(quoted(name) + ":")
		r.json(b, of)
	}
	b.WriteByte('}')
}

func (r reader) text() string {
	if r.oneIn(4) {
		return pick(r.choices, nearTexts)
	}
	return pick(r.choices, texts)
}

// dyn writes a value of any kind.
func (r reader) dyn(b *strings.Builder, depth int) {
	kinds := []strictjson.Kind{strictjson.Int, strictjson.String, strictjson.Double, strictjson.Bool, strictjson.Null}
	choice := r.n(len(kinds) + 6)
	if choice < len(kinds) || depth == 0 {
		r.json(b, typ(kinds[choice%len(kinds)]))
		return
	}
	open, names, end := "{", []string{"n", "deep", "a", "k", "s", "list"}, "}"
	if choice%3 == 0 {
		open, names, end = "[", make([]string, 1+r.n(3)), "]"
	}
	b.WriteString(open)
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		switch name {
		case "list":
			b.WriteString(`"list":`)
			r.list(b, typ(strictjson.Int))
			continue
		case "deep":
			b.WriteString(`"deep":{"s":`)
			r.dyn(b, 0)
			b.WriteByte('}')
			continue
		case "":
		default:
			b.WriteString(quoted(name) + ":")
		}
		r.dyn(b, depth-1)
	}
	b.WriteString(end)
}

// fromHost makes facts and derived values as a host's functions return them.
// A number that is not finite must be refused at the door.
func (r reader) fromHost(t testing.TB, declared *strictjson.Type, unavailable map[string]string) strictjson.Value {
	if declared == nil {
		return strictjson.Value{}
	}
	var members []strictjson.Member
	for _, f := range declared.Fields {
		switch {
		case r.oneIn(20):
			continue
		case unavailable != nil && r.oneIn(20):
			unavailable[f.Name] = "timeout"
			continue
		}
		given, broken := r.hosted(f.Type)
		v, err := strictjson.FromGo(f.Type, given)
		if broken {
			require.Error(t, err, "%v", given)
			if unavailable != nil {
				unavailable[f.Name] = "not finite"
			}
			continue
		}
		require.NoError(t, err, "%v", given)
		members = append(members, strictjson.Member{Name: f.Name, Value: v})
	}
	return object(members...)
}

// hosted makes a Go value; broken: no rule may ever see it.
func (r reader) hosted(t *strictjson.Type) (v any, broken bool) {
	switch t.Kind {
	case strictjson.Bool:
		return r.n(2) == 0, false
	case strictjson.Int:
		return pick(r.choices, ints), false
	case strictjson.Double:
		if r.oneIn(8) {
			return pick(r.choices, []float64{math.NaN(), math.Inf(1), math.Inf(-1)}), true
		}
		return pick(r.choices, doubles), false
	case strictjson.String:
		return pick(r.choices, append(likelyZones, r.text(), r.text(), r.text())), false
	case strictjson.Timestamp:
		return pick(r.choices, instants), false
	case strictjson.Duration:
		return pick(r.choices, spans), false
	case strictjson.List:
		out := make([]any, r.n(4))
		for i := range out {
			var bad bool
			out[i], bad = r.hosted(t.Elem)
			broken = broken || bad
		}
		return out, broken
	}
	out := map[string]any{}
	for _, name := range keyNames[:r.n(4)] {
		var bad bool
		out[name], bad = r.hosted(t.Elem)
		broken = broken || bad
	}
	return out, broken
}

var likelyZones = []string{"UTC", "America/New_York", "+05:30"}

// frame fills the frame of the scope as a check does: the arguments from their
// bytes. It holds nothing of the call before.
func (i diffInput) frame(t testing.TB, s *diffScope) *celplan.Frame {
	slots := map[string]int{}
	for _, root := range []string{"facts", "derived"} {
		for _, name := range s.hostNames(root) {
			slots[root+"."+name] = s.layout.Slot(root, name)
		}
	}
	f := s.pooled
	f.Begin(s.layout)
	require.NoError(t, f.ReadArgs(i.args, strictjson.DefaultLimits()))
	for root, values := range map[string]strictjson.Value{"facts": i.in.Facts, "derived": i.in.Derived} {
		for _, m := range values.Members() {
			f.Set(slots[root+"."+m.Name], m.Value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(i.in.Unavailable)) {
		f.SetUnavailable(slots["facts."+name], i.in.Unavailable[name])
	}
	f.SetCall(i.in.Call)
	return f
}

func (s *diffScope) hostNames(root string) []string {
	if root == "facts" {
		return slices.Sorted(maps.Keys(s.facts))
	}
	return slices.Sorted(maps.Keys(s.derived))
}

func quoted(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

// String writes a call so that a test can repeat it.
func (i diffInput) String() string {
	text := "args " + string(i.args) + "\nfacts " + string(i.in.Facts.AppendJSON(nil)) + "\nderived " + string(i.in.Derived.AppendJSON(nil))
	for _, name := range slices.Sorted(maps.Keys(i.in.Unavailable)) {
		text += "\nunavailable " + name
	}
	return text + "\ncall " + strconv.Quote(i.in.Call.Agent) + " " + i.in.Call.Time.Format(time.RFC3339Nano)
}
