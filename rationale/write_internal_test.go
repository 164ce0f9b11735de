package rationale

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/classify"
)

// taken is what the writer makes of data, and whether it took it up.
func taken(data []byte) (string, bool) {
	w := newWriter()
	defer w.release()
	w.document(data)
	return string(w.out), !w.failed
}

// What the writer takes up is what the general way gives, byte for byte.
func FuzzWriter(f *testing.F) {
	for _, seed := range writerSeeds() {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, ok := taken(data)
		if !ok {
			return
		}
		want, err := canonicalize(data)
		require.NoError(t, err, "%q was taken up", data)
		require.Equal(t, string(want), got, "%q", data)
	})
}

func writerSeeds() []string {
	return []string{
		`{"replicas":12,"region":"eu-west-1"}`, ` [1, -0, 1.50, 1e2, 0.0000001, 123456789012345678901234, true, false, null] `,
		`{"b":{"d":[],"c":{}},"a":"\n\"\\\b\f\r\t","":[{"z":1,"y":2},{}]}`, `{"a":1,"a":2}`, `{"b":1,"a":1,"b":1}`,
		`{"a!":1,"a":2,"a b":3}`, "{\"é\":\"\u2028\x7f\",\"z\":1}", `{"\u00e9":1}`, `"\/"`, `"\u00e9"`, `01`, `1.`, `-`, `1e`,
		"\"\x01\"", "\"\xff\"", "{\"\uffff\":1,\"😀\":2}", `[1,]`, `{"a":1,}`, `{"a"}`, `{"a":}`, `[[[]]] x`, `tru`, ``, `{`, `"`, `"\`,
		`1e999999999999`, `{"a":1e1000000001}`, `{"a#":2,"a\"":1}`, `{"a\"":1,"a#":2}`,
	}
}

func TestWriterTakesUpWhatModelsWrite(t *testing.T) {
	for _, data := range []string{
		`{"replicas":12,"region":"eu-west-1","workload":"payments-api","note":"line\none \"quoted\" – naïve"}`,
		`{"amount": 129.95, "items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2.50}], "z": null, "y": [true, false, -1e-7, -0]}`,
		`{}`, `[]`, `""`, ` { } `, "\t[\r\n1 ]",
	} {
		got, ok := taken([]byte(data))
		require.True(t, ok, data)
		want, err := canonicalize([]byte(data))
		require.NoError(t, err)
		assert.Equal(t, string(want), got)
	}
	nested := func(n int) []byte {
		return fmt.Appendf(nil, "%[1]s1%[2]s", repeat("[", n), repeat("]", n))
	}
	_, ok := taken(nested(maxWriterDepth))
	assert.True(t, ok)
	_, ok = taken(nested(maxWriterDepth + 1))
	assert.False(t, ok, "the depth is bounded")
}

// Every byte, at every place among eight and after.
func TestPlainASCII(t *testing.T) {
	for b := range 256 {
		want := b >= ' ' && b < 0x7f && b != '"' && b != '\\'
		for i := range 19 {
			text := []byte(repeat("a", 19))
			text[i] = byte(b)
			n := 19
			if !want {
				n = i
			}
			require.Equal(t, n, plainASCII(text), "%q", text)
			require.Equal(t, n, plainASCII(string(text)), "%q", text)
		}
	}
	assert.Zero(t, plainASCII(""))
}

func repeat(s string, n int) (out string) {
	for range n {
		out += s
	}
	return out
}

// Records are written as their types' tags say: every field is set at random,
// also to nothing, and both ways are compared.
func TestWriterKnowsEveryMember(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b")))
		sparse := rapid.IntRange(0, 100).Draw(t, "sparse")
		for _, rec := range []Record{new(Decision), new(Outcome)} {
			fillValue(random, sparse, reflect.ValueOf(rec).Elem())
			if rec.RecordID() == "" {
				continue
			}
			w := newWriter()
			ok := w.record(rec)
			got := string(w.out)
			w.release()
			want, err := marshal(rec)
			if err != nil {
				require.False(t, ok, "%v: %s", err, got)
				continue
			}
			require.True(t, ok, "not taken up: %s", want)
			require.Equal(t, string(want), got)
		}
	})
}

func TestWriterLeavesErrorsToTheGeneralWay(t *testing.T) {
	for name, d := range map[string]*Decision{
		"invalid UTF-8":  {ID: "1", CallID: "\xff"},
		"year":           {ID: "1", At: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"invalid JSON":   {ID: "1", Arguments: json.RawMessage(`{`)},
		"no JSON at all": {ID: "1", Arguments: json.RawMessage{}},
		"repeated name":  {ID: "1", Facts: []Fact{{Value: json.RawMessage(`{"a":1,"a":1}`)}}},
		"no id":          {},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Marshal(d)
			assert.Error(t, err)
		})
	}
}

// What the writer remembers of an action serves no other: in a walk on which
// each action differs from the one before in one part, both ways agree.
func TestActionsInARow(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	a := Action{Arguments: []byte(`{"b":1,"a":[2]}`)}
	parts := []*string{
		&a.Agent, &a.Environment, &a.OnBehalfOf, &a.Tool.Server, &a.Tool.Name, &a.ToolDigest,
		&a.Authorization, &a.Class, &a.Model.Provider, &a.Model.Name, &a.Model.Version,
	}
	for range 2000 {
		*parts[random.IntN(len(parts))] = []string{"", "a", "b\"c", "d\xff"}[random.IntN(4)]
		got, err := ActionDigest(a)
		body, wantErr := marshalAction(&a)
		if wantErr != nil {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err)
		want, err := canonicalize(body)
		require.NoError(t, err)
		require.Equal(t, Digest(want), got, "%s", want)
	}
}

// fillValue sets v at random; the higher sparse (to 100), the more stays unset.
func fillValue(random *rand.Rand, sparse int, v reflect.Value) {
	if random.IntN(100) < sparse && v.Kind() != reflect.Struct {
		return
	}
	texts := []string{"", "a", "two words", "q\"b\\s/", "\x00\x1f\n\t\u2028é😀", "sha256:00"}
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		when := time.Unix(random.Int64N(1<<32), random.Int64N(1e9)).In(time.FixedZone("", 3600*random.IntN(12)))
		v.Set(reflect.ValueOf([]time.Time{{}, when, when.Truncate(time.Second)}[random.IntN(3)]))
		return
	case reflect.TypeFor[json.RawMessage]():
		values := writerSeeds()[:3]
		v.Set(reflect.ValueOf(json.RawMessage(values[random.IntN(len(values))])))
		return
	case reflect.TypeFor[classify.Tier](), reflect.TypeFor[Verdict](), reflect.TypeFor[Standing](), reflect.TypeFor[Mode]():
		v.SetUint(random.Uint64N(12))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(texts[random.IntN(len(texts))])
	case reflect.Bool:
		v.SetBool(random.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{0, 1, -1, 1 << 62}[random.IntN(4)])
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(random.Uint64N(256))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(random, sparse, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), random.IntN(3), 3))
		for i := range v.Len() {
			fillValue(random, sparse, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fillValue(random, sparse, v.Field(i))
		}
	default:
		panic("no values for " + v.Type().String())
	}
}

// What is split plainly is what the general way gives.
func FuzzSplitPlain(f *testing.F) {
	for _, seed := range splitSeeds() {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rest, r, ok := splitPlain(data)
		if !ok {
			if !mentionsParameter(data) && len(data) <= maxSplitBytes {
				left, r, malformed := split(data)
				require.Equal(t, string(data), string(left))
				require.Nil(t, r)
				require.Empty(t, malformed)
			}
			return
		}
		require.True(t, mentionsParameter(data))
		left, want, malformed := split(data)
		require.Empty(t, malformed, "%q", data)
		require.Equal(t, string(left), string(rest), "%q", data)
		require.Equal(t, want, r, "%q", data)
	})
}

func splitSeeds() []string {
	return []string{
		`{"replicas":4,"_rationale":{"purpose":"the queue grows"}}`, ` { "_rationale" : { "evidence" : ["c1","https://x"] , "purpose":"a\nb" } , "b" : {"z":1,"a":2} } `,
		`{"_rationale":{"alternatives":[{"option":"o","rejected":"r"},{}],"expected":"e","fallback":"f","uncertainty":"\t\"u\\"},"n":1}`,
		`{"_rationale":{}}`, `{"_rationale":{"evidence":[]}}`, `{"_rationale":null}`, `{"_rationale":{"purpose":null}}`, `{"_rationale":{"purpose":1}}`,
		`{"_rationale":{"evidence":["a\nb"]}}`, "{\"_rationale\":{\"purpose\":\"\u202e\x7f\"}}", `{"_Rationale":{}}`, `{"_rationale":{},"_rationale":{}}`,
		`{"\u005frationale":{"purpose":"p"}}`, `{"a":1,"a":2,"_rationale":{}}`, `{"_rationale":{"other":"x"}}`, `{"_rationale":{"alternatives":{}}}`,
		`{"_rationale":{"alternatives":["x"]}}`, `{"_rationale":[]} `, `{"_rationale":{}} x`, `{"_rationale":{"purpose":"p"},}`, `{"a":"_RATIONALE"}`,
		`{"_rationale":{"alternatives":[]}}`, `{"_rationale":{"evidence":"x"}}`,
	}
}

func TestSplitPlainTakesUpWhatModelsWrite(t *testing.T) {
	for _, arguments := range splitSeeds()[:5] {
		_, _, ok := splitPlain([]byte(arguments))
		assert.True(t, ok, arguments)
	}
}
