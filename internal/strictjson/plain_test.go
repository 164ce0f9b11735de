package strictjson

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const plainSchema = `{"type":"object","required":["kind","count"],"properties":{
	"kind":{"type":"string","enum":["Deployment","Job"]},"count":{"type":"integer"},"share":{"type":"number"},"dry":{"type":"boolean"},
	"label":{"type":"string"},"any":{},"spec":{"type":"object","required":["size"],"properties":{"size":{"type":"integer"},"name":{"type":"string"}}}}}`

var plainPlaces = []Place{
	{[]string{"kind"}, 0},
	{[]string{"count"}, 1},
	{[]string{"share"}, 2},
	{[]string{"dry"}, 3},
	{[]string{"spec", "size"}, 4},
	{[]string{"label"}, 5},
	{[]string{"any"}, 6},
}

// TestPlainIsDecode changes documents that are read plainly at every place in
// every way of one byte. Each is read as [Schema.Decode] reads it, or refused
// with its error.
func TestPlainIsDecode(t *testing.T) {
	s, err := CompileSchema([]byte(plainSchema))
	require.NoError(t, err)
	r := s.NewReader(plainPlaces)
	accepted, taken := 0, 0
	check := func(data []byte, lim Limits) {
		tree, want := s.Decode(data, lim)
		slots := slices.Repeat([]Value{StringValue("left behind")}, len(plainPlaces))
		got := r.Read(data, lim, slots, new(Scratch))
		if fmt.Sprint(want) != fmt.Sprint(got) {
			t.Fatalf("%q: Decode says %v, Read %v", data, want, got)
		}
		if want == nil {
			accepted++
		}
		for _, p := range plainPlaces {
			v := at(tree, p.Path)
			if slots[p.Slot].Kind() != v.Kind() || !slots[p.Slot].Equal(v) || slots[p.Slot].Literal() != v.Literal() {
				t.Fatalf("%q: %v is %v, and Read says %v", data, p.Path, v, slots[p.Slot])
			}
		}
		easy := plain{data: data, lim: lim, into: make([]Value, len(plainPlaces))}
		if easy.document(s.root, r.want) {
			taken++
			require.NoError(t, want, "%q", data)
		}
	}
	for _, document := range []string{
		`{"kind":"Deployment","count":12,"share":0.25,"dry":true,"spec":{"size":3,"name":"a b"},"label":"payments-api-9"}`,
		"\n{ \"count\" : -7 ,\t\"kind\": \"Job\", \"dry\":false, \"any\": 1.5, \"spec\" : { \"size\" : 0 }, \"share\": 100 }\r\n",
		`{"count":1,"kind":"Job","any":"text of more than eight bytes","label":""}`,
	} {
		data := []byte(document)
		check(data, DefaultLimits())
		for i := range data {
			for c := range 256 {
				changed := slices.Clone(data)
				changed[i] = byte(c)
				check(changed, DefaultLimits())
			}
			for _, c := range []byte("{}[],:\"\\0123456789.-eE tfn\x00\x1f\x7f\x80\xff") {
				check(slices.Insert(slices.Clone(data), i, c), DefaultLimits())
			}
			check(slices.Delete(slices.Clone(data), i, i+1), DefaultLimits())
			check(data[:i], DefaultLimits())
		}
		for _, tight := range []Limits{
			{Bytes: len(data) - 1, Depth: 9, Nodes: 99, NumberBytes: 9},
			{Bytes: len(data), Depth: 1, Nodes: 99, NumberBytes: 9},
			{Bytes: len(data), Depth: 0, Nodes: 99, NumberBytes: 9},
			{Bytes: len(data), Depth: 2, Nodes: 4, NumberBytes: 9},
			{Bytes: len(data), Depth: 2, Nodes: 0, NumberBytes: 9},
			{Bytes: len(data), Depth: 2, Nodes: 99, NumberBytes: 1},
		} {
			check(data, tight)
		}
	}
	assert.Greater(t, taken, 2000, "many are read plainly, of %d accepted", accepted)
}

// TestPlainRepeats is what no change of one byte makes.
func TestPlainRepeats(t *testing.T) {
	s, err := CompileSchema([]byte(plainSchema))
	require.NoError(t, err)
	r := s.NewReader(plainPlaces)
	for _, document := range []string{
		`{"kind":"Job","count":1,"count":2}`,
		`{"kind":"Job","kind":"Job","count":2}`,
		`{"kind":"Job","count":1,"spec":{"size":1,"size":2}}`,
		`{"kind":"Job","count":1,"spec":{}}`,
		`{"kind":"Job"}`,
		`{}`,
		`{"kind":"Job","count":1}{}`,
		`{"kind":"Job","count":1,}`,
		`{"kind":"Job","count":1,"Kind":"Job"}`,
		`{"kind":"Job","count":1,"other":"x"}`,
		`{"kind":"Job","count":012}`,
		`{"kind":"Job","count":-0}`,
		`{"kind":"Job","count":9223372036854775808}`,
		`{"kind":"Job","count":1,"share":0.1000000000000000055}`,
		`{"kind":"Job","count":1,"dry":truex}`,
		`{"kind":"Job","count":1,"dry":tru`,
	} {
		_, want := s.Decode([]byte(document), DefaultLimits())
		require.Error(t, want, document)
		slots := make([]Value, len(plainPlaces))
		assert.EqualError(t, r.Read([]byte(document), DefaultLimits(), slots, new(Scratch)), want.Error(), document)
		assert.Equal(t, make([]Value, len(plainPlaces)), slots, document)
	}
}

func at(v Value, path []string) Value {
	for _, name := range path {
		v, _ = v.Get(name)
	}
	return v
}
