package strictjson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/internal/shareddata"
	"github.com/ambit-go/ambit/internal/strictjson"
)

// readSchemas stand for the ways in which a reader goes through a document.
func readSchemas() map[string]string {
	many := make([]string, 65) // one more than there are bits for
	for i := range many {
		many[i] = fmt.Sprintf(`"field_%02d":{"type":["integer","null"]}`, i)
	}
	return map[string]string{
		"scale":   scaleSchema,
		"booking": bookingSchema,
		"closed": `{"type":"object","properties":{
			"b":{"type":"string"},"a":{"type":"integer"},"n":{"type":"number"},"t":{"type":"boolean"},"z":{"type":"null"},
			"e":{"enum":["x","y",1,2.5,true]},"o":{"type":["object","null"],"properties":{"a":{"type":"integer"},"b":{"type":["number","string"]},
			"o":{"type":"object","properties":{"c":{"type":"string"}},"required":["c"]}},"required":["a"]},
			"l":{"type":"array","items":{"type":"object","properties":{"a":{"type":"integer"}}}}},"required":["a"]}`,
		"tree": `{"type":"object","properties":{"a":{},"b":{"type":"number"},"sub":{"$ref":"#"}}}`,
		"many": `{"type":"object","properties":{` + strings.Join(many, ",") + `}}`,
		"odd names": `{"type":"object","properties":{"\\n":{"type":"integer"},"\n":{"type":"integer"},"\"":{"type":"integer"},"":{"type":"integer"},
			"é":{"type":"integer"},"a.b":{"type":"object","properties":{"c d":{"type":"string"}}}}}`,
		"open":  `{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"object"}},"additionalProperties":{"type":"string"}}`,
		"map":   `{"type":"object","properties":{"m":{"type":"object","additionalProperties":{"type":"integer"}}}}`,
		"rules": `{"type":"object","properties":{"a":{"type":"integer","minimum":2},"o":{"type":"object","properties":{"b":{"type":"string","pattern":"^x"}}}}}`,
		"empty": ``,
	}
}

// readDocuments are accepted by at least one of them, or refused for one reason.
func readDocuments() []string {
	many := make([]string, 65)
	for i := range many {
		many[i] = fmt.Sprintf(`"field_%02d":%d`, i, i)
	}
	return append(seeds(),
		booking, `{"a":1,"b":"x","n":2.5,"t":true,"z":null,"e":"y","o":{"a":1,"b":"s","o":{"c":"deep"}},"l":[{"a":1},{}]}`,
		`{"a":1,"o":null,"l":[]}`, `{"a":1,"e":3}`, `{"a":1,"a":2}`, `{"a":1,"o":{"a":1,"a":2}}`, `{"a":1,"o":{"a":1,"o":{"c":"x","\u0063":"y"}}}`, `{"a":1,"o":{"o":{"c":1}}}`,
		`{"o":{"a":1}}`, `{"a":1,"o":{}}`, `{"a":1,"zz":1}`, `{"A":1}`, `{"a":1,"o":{"B":1}}`, `{"\u0061":1,"b":"\u0062\n"}`, `{"a":1,"b":"é\\"}`, ` { "a" : 1 , "b" : "" } `,
		`{"a":1}x`, `{"a":1} {}`, `{"a":}`, `{"a"}`, `{"a":1,}`, `{,"a":1}`, `{"a" 1}`, `{"a":1 "b":2}`, `{"a":[}`, `{"a":1]`, `{]`, `{"a":1.}`, `{"a":01}`, `{"a":-}`, `{"a":tru}`, `{"a":"x`,
		`{"a":"`+"\x01"+`"}`, `{"a":1,"o":{"a":1,"b":"\q"}}`, `{"a":1,"n":1e2,"b":"\ud83d\ude00"}`, `{"a":1e2,"n":-0.0}`, `{"a":1,"n":123456789012345678}`, `{"n":0.1000000000000000055,"a":1}`,
		`{"a":{"a":{"a":[1,{"b":2}]}},"b":2,"sub":{"a":"x","sub":{"sub":{"b":1}}}}`, `{"sub":{"sub":{"sub":null}}}`, `{`+strings.Join(many, ",")+`}`, `{`+strings.Join(many, ",")+`,"field_64":1}`, `{`+strings.Join(many, ",")+`,"field_00":1}`,
		`{"\\n":1,"\n":2,"\"":3,"":4,"é":5,"\u00e9":6,"a.b":{"c d":"x"}}`, `{"\\n":1,"\n":2,"\"":3,"":4,"\u00e9":6,"a.b":{"c d":"\t"}}`, `{"a":1,"b":{"x":[1,2,{"y":"z"}]},"c":"\u0063","d":"e"}`,
		`{"m":{"z":1,"a":2,"\u0062":3}}`, `{"m":{"z":1,"z":2}}`, `{"m":{"z":"1"}}`, `{"a":3,"o":{"b":"xyz"}}`, `{"a":1,"o":{"b":"xyz"}}`, `{"a":3,"o":{"b":"yz"}}`,
		`{"sub":`+strings.Repeat(`{"sub":`, 40)+`{}`+strings.Repeat("}", 41), `{"a":`+strings.Repeat("[", 600)+strings.Repeat("]", 600)+`}`,
		`{"a":[`+strings.Repeat(`[0],`, 600)+`[]],"b":1}`, `{"b":1,"a":"`+strings.Repeat(`\n0123456789`, 7000)+`"}`,
	)
}

// readers want different places of one schema: every one that it declares, only
// those that hold no others, none, and single ones.
type readers struct {
	schema *strictjson.Schema
	places []strictjson.Place // all, in slots of their number
	all    []wanting
}

type wanting struct {
	*strictjson.Reader
	places []strictjson.Place
}

func newReaders(t testing.TB, schema string) *readers {
	r := &readers{schema: compiled(t, schema)}
	r.declare(r.schema.Type(), nil, 4)
	for _, path := range [][]string{nil, {"undeclared"}, {"m", "a"}, {"labels", "b"}, {"a", "a", "a"}, {"a"}} { // the last one may be there twice
		r.places = append(r.places, strictjson.Place{Path: path, Slot: len(r.places)})
	}
	var leaves []strictjson.Place
	for _, p := range r.places {
		if v, ok := r.schema.Property(strings.Join(p.Path, ".")); ok && v.Type.Kind != strictjson.Object && v.Type.Kind != strictjson.Dyn {
			leaves = append(leaves, p)
		}
	}
	r.want(r.places)
	r.want(leaves)
	r.want(nil)
	for i := 0; i < len(r.places); i += 1 + len(r.places)/6 {
		r.want(r.places[i : i+1])
	}
	return r
}

func (r *readers) want(places []strictjson.Place) {
	r.all = append(r.all, wanting{Reader: r.schema.NewReader(places), places: places})
}

func (r *readers) declare(t *strictjson.Type, path []string, depth int) {
	if t == nil || depth == 0 {
		return
	}
	for _, f := range t.Fields {
		at := append(path[:len(path):len(path)], f.Name)
		r.places = append(r.places, strictjson.Place{Path: at, Slot: len(r.places)})
		r.declare(f.Type, at, depth-1)
	}
}

// same requires that reading gives what decoding gives at every place, or the
// very same refusal and nothing.
func (r *readers) same(t require.TestingT, data []byte, lim strictjson.Limits, scratch *strictjson.Scratch) (accepted bool) {
	before := bytes.Clone(data)
	untouched := strictjson.IntValue(99)
	want, refusal := r.schema.Decode(data, lim)
	into := make([]strictjson.Value, len(r.places))
	for _, reader := range r.all {
		for i := range into {
			into[i] = untouched
		}
		err := reader.Read(data, lim, into, scratch)
		if !reflect.DeepEqual(refusal, err) {
			require.Equal(t, refusal, err, "%q", data)
		}
		for _, p := range reader.places {
			value := strictjson.Value{}
			if err == nil {
				value = follow(want, p.Path)
			}
			if !alike(value, into[p.Slot]) {
				require.Fail(t, "another value", "at %v of %q: want %s, got %s", p.Path, data, value.AppendJSON(nil), into[p.Slot].AppendJSON(nil))
			}
			into[p.Slot] = untouched
		}
		for i := range into {
			if !untouched.Equal(into[i]) {
				require.Fail(t, "a slot that is nobody's", "%d of %q", i, data)
			}
		}
	}
	require.Equal(t, string(before), string(data), "the input is only read")
	return refusal == nil
}

func follow(v strictjson.Value, path []string) strictjson.Value {
	for _, name := range path {
		v, _ = v.Get(name)
	}
	return v
}

// alike reports whether two values cannot be told apart by any accessor.
func alike(v, w strictjson.Value) bool {
	return v.Kind() == w.Kind() && v.Bool() == w.Bool() && v.Int() == w.Int() && math.Float64bits(v.Double()) == math.Float64bits(w.Double()) &&
		v.Str() == w.Str() && v.Literal() == w.Literal() && slices.EqualFunc(v.List(), w.List(), alike) &&
		slices.EqualFunc(v.Members(), w.Members(), func(a, b strictjson.Member) bool { return a.Name == b.Name && alike(a.Value, b.Value) })
}

func allReaders(t testing.TB) map[string]*readers {
	return someReaders(t, slices.Collect(maps.Keys(readSchemas()))...)
}

func someReaders(t testing.TB, names ...string) map[string]*readers {
	out := make(map[string]*readers)
	for _, name := range names {
		out[name] = newReaders(t, readSchemas()[name])
	}
	return out
}

func TestReadIsDecode(t *testing.T) {
	t.Parallel()
	var scratch strictjson.Scratch
	for name, r := range allReaders(t) {
		accepted := 0
		for _, doc := range readDocuments() {
			if r.same(t, []byte(doc), strictjson.DefaultLimits(), &scratch) {
				accepted++
			}
		}
		assert.Positive(t, accepted, name)
	}
}

// Where a limit is passed is where Decode says so.
func TestReadKeepsLimits(t *testing.T) {
	t.Parallel()
	var scratch strictjson.Scratch
	for _, r := range someReaders(t, "closed", "open") {
		for _, doc := range readDocuments() {
			if len(doc) > 150 {
				continue
			}
			for n := range 8 {
				for _, set := range []func(*strictjson.Limits){
					func(lim *strictjson.Limits) { lim.Nodes = n },
					func(lim *strictjson.Limits) { lim.Depth = n },
					func(lim *strictjson.Limits) { lim.NumberBytes = n },
					func(lim *strictjson.Limits) { lim.Bytes = len(doc) - n },
				} {
					lim := strictjson.DefaultLimits()
					set(&lim)
					r.same(t, []byte(doc), lim, &scratch)
				}
			}
		}
	}
}

// Every prefix of a document, and every document with one byte changed.
func TestReadOfBrokenDocuments(t *testing.T) {
	t.Parallel()
	var scratch strictjson.Scratch
	for _, r := range someReaders(t, "closed") {
		for _, doc := range readDocuments() {
			if len(doc) > 130 {
				continue
			}
			for i := range len(doc) {
				r.same(t, []byte(doc[:i]), strictjson.DefaultLimits(), &scratch)
				for _, c := range []string{"", `"`, `\`, "}", ",", "1", "{", "\xff"} {
					r.same(t, []byte(doc[:i]+c+doc[i+1:]), strictjson.DefaultLimits(), &scratch)
				}
			}
		}
	}
}

func TestReadJSONTestSuite(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(shareddata.Dir(t, filepath.Join("json-edge-cases", "test_parsing")), "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 318)
	all := someReaders(t, "closed", "scale", "tree")
	var scratch strictjson.Scratch
	accepted := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, r := range all {
			r.same(t, data, strictjson.DefaultLimits(), &scratch)
			if r.same(t, []byte(`{"a":`+string(data)+`}`), strictjson.DefaultLimits(), &scratch) {
				accepted++
			}
		}
	}
	assert.Positive(t, accepted)
}

func TestReadAirlineCalls(t *testing.T) {
	t.Parallel()
	all := make(map[string]*readers)
	tools, calls := shareddata.Airline(t)
	for _, tool := range tools {
		all[tool.Name] = newReaders(t, string(tool.Parameters))
	}
	var scratch strictjson.Scratch
	for _, call := range calls {
		require.True(t, all[call.Tool].same(t, []byte(call.Arguments), strictjson.DefaultLimits(), &scratch), call.Arguments)
	}
}

func TestReadOfGeneratedDocuments(t *testing.T) {
	t.Parallel()
	all := allReaders(t)
	names := slices.Sorted(maps.Keys(all))
	accepted := 0
	var scratch strictjson.Scratch
	rapid.Check(t, func(t *rapid.T) {
		r := all[rapid.SampledFrom(names).Draw(t, "schema")]
		doc := typedText(t, r.schema.Type(), 4)
		if rapid.IntRange(0, 3).Draw(t, "broken") == 0 {
			at := rapid.IntRange(0, len(doc)).Draw(t, "at")
			doc = doc[:at] + rapid.SampledFrom([]string{`"`, `\`, "}", "]", ",", ":", "0", "-", "{", "\x00", " "}).Draw(t, "byte") + doc[min(at+rapid.IntRange(0, 1).Draw(t, "cut"), len(doc)):]
		}
		if r.same(t, []byte(doc), strictjson.DefaultLimits(), &scratch) {
			accepted++
		}
	})
	require.Positive(t, accepted)
}

// typedText draws a document of the type, now and then with something else in it.
func typedText(t *rapid.T, typ *strictjson.Type, depth int) string {
	space := rapid.SampledFrom([]string{"", "", "", " ", "\n\t"}).Draw(t, "space")
	if depth == 0 || rapid.IntRange(0, 19).Draw(t, "other") == 0 {
		return space + document(t, 1) + space
	}
	switch typ.Kind {
	case strictjson.Object, strictjson.Map:
		return space + objectText(t, typ, depth) + space
	case strictjson.List:
		elems := make([]string, rapid.IntRange(0, 3).Draw(t, "elements"))
		for i := range elems {
			elems[i] = typedText(t, typ.Elem, depth-1)
		}
		return space + "[" + strings.Join(elems, ",") + "]" + space
	case strictjson.String:
		return space + rapid.SampledFrom([]string{`"x"`, `"y"`, `""`, `"Deployment"`, `"a longer text than eight bytes"`, `"\n"`, `"\u00e9"`, `"é"`, `"\\\""`}).Draw(t, "string") + space
	case strictjson.Bool:
		return space + rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool") + space
	case strictjson.Int:
		return space + strconv.Itoa(rapid.IntRange(-3, 1000).Draw(t, "int")) + space
	case strictjson.Double:
		return space + rapid.StringMatching(`-?(0|[1-9][0-9]{0,4})(\.[0-9]{1,4})?(e[0-9])?`).Draw(t, "double") + space
	case strictjson.Null:
		return space + "null" + space
	}
	return space + document(t, depth-1) + space
}

func objectText(t *rapid.T, typ *strictjson.Type, depth int) string {
	var members []string
	for _, f := range typ.Fields {
		if !f.Required && rapid.Bool().Draw(t, "absent") {
			continue
		}
		name, err := json.Marshal(f.Name)
		require.NoError(t, err)
		if escape := rapid.IntRange(0, 9).Draw(t, "escape"); escape == 0 && len(name) > 2 && name[1] < 0x80 && name[1] != '\\' {
			name = []byte(`"\u00` + strconv.FormatInt(int64(name[1]), 16) + string(name[2:]))
		}
		members = append(members, string(name)+rapid.SampledFrom([]string{":", ": ", " :"}).Draw(t, "colon")+typedText(t, f.Type, depth-1))
	}
	if len(members) > 1 && rapid.Bool().Draw(t, "shuffle") {
		members = rapid.Permutation(members).Draw(t, "order")
	}
	if len(members) > 0 && rapid.IntRange(0, 9).Draw(t, "twice") == 0 {
		members = append(members, rapid.SampledFrom(members).Draw(t, "again"))
	}
	if typ.Elem != nil || rapid.IntRange(0, 9).Draw(t, "further") == 0 {
		for range rapid.IntRange(0, 3).Draw(t, "others") {
			inner := typ.Elem
			if inner == nil {
				inner = &strictjson.Type{Kind: strictjson.Dyn}
			}
			name := rapid.SampledFrom([]string{`"k"`, `"l"`, `"a"`, `"\u006d"`, `"é"`}).Draw(t, "name")
			members = append(members, name+":"+typedText(t, inner, depth-1))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func FuzzRead(f *testing.F) {
	docs := readDocuments()
	require.NotEmpty(f, docs)
	for _, doc := range docs {
		f.Add([]byte(doc))
	}
	all := allReaders(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var scratch strictjson.Scratch
		for _, r := range all {
			r.same(t, data, strictjson.DefaultLimits(), &scratch)
		}
	})
}
