package strictjson

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// White box: what a Value and a Scratch hold on to.

func TestValueStaysInRegisters(t *testing.T) {
	t.Parallel()
	assert.LessOrEqual(t, unsafe.Sizeof(Value{}), 4*unsafe.Sizeof(uintptr(0)), "the compiler keeps no larger struct in registers")
}

func nestedReader(t testing.TB) (*Reader, []Value) {
	t.Helper()
	s, err := CompileSchema([]byte(`{"type":"object","properties":{"l":{"type":"array"},"o":{"type":"object"},"s":{"type":"string"},"n":{"type":"number"}}}`))
	require.NoError(t, err)
	return s.NewReader([]Place{{Path: []string{"l"}, Slot: 0}, {Path: []string{"o"}, Slot: 1}, {Path: []string{"s"}, Slot: 2}, {Path: []string{"n"}, Slot: 3}}), make([]Value, 4)
}

// nestedDocument grows every arena several times while earlier values lie in it.
func nestedDocument(n int) (doc, list, object, text string) {
	var l, o, s []string
	for i := range n {
		l = append(l, fmt.Sprintf(`["\u0061%d",{"k\n%d":[%d]}]`, i, i, i))
		o = append(o, fmt.Sprintf(`"\u006b%05d":{"a":[%d,"\t"],"b":{}}`, i, i))
		s = append(s, fmt.Sprintf(`\t%d`, i))
	}
	list, object, text = "["+strings.Join(l, ",")+"]", "{"+strings.Join(o, ",")+"}", `"`+strings.Join(s, "")+`"`
	return `{"l":` + list + `,"o":` + object + `,"s":` + text + `,"n":0.30}`, list, object, text
}

func TestArenasKeepWhatTheyHold(t *testing.T) {
	t.Parallel()
	r, into := nestedReader(t)
	lim := DefaultLimits()
	lim.Nodes = 1 << 20
	var scratch Scratch
	for _, n := range []int{0, 1, 5, 70, 3, 500, 2, 2000, 70} {
		doc, list, object, text := nestedDocument(n)
		require.NoError(t, r.Read([]byte(doc), lim, into, &scratch))
		v, err := r.schema.Decode([]byte(doc), lim)
		require.NoError(t, err)
		for i, name := range []string{"l", "o", "s", "n"} {
			want, _ := v.Get(name)
			require.True(t, want.Equal(into[i]), "%d of %s", n, name)
			require.Equal(t, string(want.AppendJSON(nil)), string(into[i].AppendJSON(nil)))
		}
		require.JSONEq(t, list, string(into[0].AppendJSON(nil)))
		require.JSONEq(t, object, string(into[1].AppendJSON(nil)))
		require.JSONEq(t, text, string(into[2].AppendJSON(nil)))
		require.Equal(t, "0.30", into[3].Literal())
	}
}

// Nothing that was read, and no large piece of memory, stays in a Scratch.
func TestScratchForgets(t *testing.T) {
	t.Parallel()
	r, into := nestedReader(t)
	lim := DefaultLimits()
	lim.Nodes = 1 << 20
	for _, n := range []int{5, 5000} {
		doc, _, _, _ := nestedDocument(n)
		for _, in := range []string{doc, doc[:len(doc)-1] + `,"n":1}`, doc[:len(doc)/2]} {
			var scratch Scratch
			_ = r.Read([]byte(in), lim, into, &scratch)
			s := &scratch.source
			assert.Nil(t, scratch.decoder.data)
			assert.Nil(t, scratch.decoder.dec)
			assert.Nil(t, scratch.decoder.into)
			assert.Zero(t, s.buf.Cap())
			require.NotNil(t, s.strict)
			assert.Empty(t, s.strict.UnreadBuffer())
			scratch.Forget()
			assertForgotten(t, s.values)
			assertForgotten(t, s.members)
			assertForgotten(t, scratch.values)
			assertForgotten(t, scratch.members)
			assert.LessOrEqual(t, cap(s.plain), maxKept)
			assert.LessOrEqual(t, cap(scratch.text), maxKept)
		}
	}
}

func assertForgotten[T any](t *testing.T, memory []T) {
	t.Helper()
	var zero T
	size := int(unsafe.Sizeof(zero))
	assert.LessOrEqual(t, cap(memory)*size, maxKept)
	all := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(memory))), cap(memory)*size)
	assert.False(t, slices.ContainsFunc(all, func(b byte) bool { return b != 0 }), "a pointer stays")
}

// A panic in the middle of a document, which only a broken caller can cause, is
// not felt by the next one.
func TestScratchSurvivesPanic(t *testing.T) {
	t.Parallel()
	r, into := nestedReader(t)
	var scratch Scratch
	for _, doc := range []string{`{"l":[1,2],"n":1}`, `{"l":[1,2],"n":1` + strings.Repeat(" ", maxWhole) + "}"} {
		d := &scratch.decoder
		d.lim, d.nodes, d.into, d.arena, d.source = DefaultLimits(), 0, into[:1], &scratch, &scratch.source
		require.Panics(t, func() { _, _ = d.document([]byte(doc), r.schema.root, r.want, false, false) })
		require.NoError(t, r.Read([]byte(doc), DefaultLimits(), into, &scratch))
		assert.Equal(t, "[1,2]", string(into[0].AppendJSON(nil)))
		assert.Equal(t, int64(1), int64(into[3].Double()))
	}
}

// What is read allocates nothing, except that jsontext makes a map of more than
// 64 names of an object with undeclared properties.
func TestReadAllocations(t *testing.T) {
	r, into := nestedReader(t)
	long, _, _, _ := nestedDocument(60)
	for name, doc := range map[string]string{
		"scalars": `{"s":"text","n":20.5}`, "nested": long, "escapes": `{"s":"` + strings.Repeat(`\n\u00e9`, 1000) + `"}`,
		"slow numbers": `{"n":1.7976931348623157e308,"l":[1e2,123456789012345678,0.1234567890123456,-9223372036854775808,0.` + strings.Repeat("0", 60) + `1]}`,
		"large":        `{"s":"` + strings.Repeat("x", maxWhole) + `","l":[1,"\n",{"a":2}]}`, "brackets": `{"l":[` + strings.Repeat("[],", maxBrackets) + `1]}`,
	} {
		data, lim := []byte(doc), DefaultLimits()
		lim.NumberBytes = 200
		var scratch Scratch
		allocs := testing.AllocsPerRun(50, func() {
			if err := r.Read(data, lim, into, &scratch); err != nil {
				t.Error(name, err)
			}
		})
		assert.Zero(t, allocs, name)
	}
}

func TestReadAllocationsOfManyNames(t *testing.T) {
	var names, values []string
	for i := range 64 {
		names = append(names, fmt.Sprintf(`"field_with_a_long_name_%d":{"type":"integer"}`, i))
		values = append(values, fmt.Sprintf(`"field_with_a_long_name_%d":%d`, i, i))
	}
	s, err := CompileSchema([]byte(`{"properties":{` + strings.Join(names, ",") + `}}`))
	require.NoError(t, err)
	slices.Reverse(values)
	data := []byte("{" + strings.Join(values, ",") + "}")
	r, into := s.NewReader([]Place{{Path: []string{"field_with_a_long_name_63"}}}), make([]Value, 1)
	var scratch Scratch
	assert.Zero(t, testing.AllocsPerRun(50, func() {
		if err := r.Read(data, DefaultLimits(), into, &scratch); err != nil {
			t.Error(err)
		}
	}))
	assert.Equal(t, int64(63), into[0].Int())
}

// Strings that need no copy are the document's own bytes.
func TestReadAliases(t *testing.T) {
	t.Parallel()
	r, into := nestedReader(t)
	data := []byte(`{"s":"text","n":20.50,"l":["in a list","\n"]}`)
	var scratch Scratch
	require.NoError(t, r.Read(data, DefaultLimits(), into, &scratch))
	for _, text := range []string{into[2].Str(), into[3].Literal(), into[0].Elem(0).Str()} {
		at := bytes.Index(data, []byte(text))
		assert.Same(t, &data[at], unsafe.StringData(text))
	}
}

// What is decoded keeps nothing of the document alive, not even where there is
// no text to copy.
func TestDecodeLeavesTheDocument(t *testing.T) {
	t.Parallel()
	s, err := CompileSchema([]byte(`{"type":"object"}`))
	require.NoError(t, err)
	data := []byte(`{"":"","a":["",{"":1.5}],"b":"text","c":"\n","d":12}`)
	v, err := s.Decode(data, DefaultLimits())
	require.NoError(t, err)
	start := uintptr(unsafe.Pointer(unsafe.SliceData(data)))
	within := func(p unsafe.Pointer) bool { return uintptr(p) >= start && uintptr(p) < start+uintptr(len(data)) }
	var visit func(v Value)
	visit = func(v Value) {
		assert.False(t, within(v.data.p), "%s", v.AppendJSON(nil))
		for _, e := range v.List() {
			visit(e)
		}
		for _, m := range v.Members() {
			assert.False(t, within(unsafe.Pointer(unsafe.StringData(m.Name))), m.Name)
			visit(m.Value)
		}
	}
	visit(v)
}

// What is checked as a whole can neither be long nor nest deeply.
func TestSmallDocuments(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]bool{
		"": true, strings.Repeat("[", maxBrackets): true, strings.Repeat("[", maxBrackets+1): false, strings.Repeat(`{"":`, maxBrackets+1): false,
		strings.Repeat(" ", maxWhole): true, strings.Repeat(" ", maxWhole+1): false,
	} {
		assert.Equal(t, want, small([]byte(doc)), "%.10q of %d bytes", doc, len(doc))
	}
}

// One reading after the other starts with empty arenas, whether or not anybody
// called Forget.
func TestReadForgetsTheLast(t *testing.T) {
	t.Parallel()
	r, into := nestedReader(t)
	doc, _, _, _ := nestedDocument(10)
	var scratch Scratch
	for range 4 { // until one piece of each is large enough
		require.NoError(t, r.Read([]byte(doc), DefaultLimits(), into, &scratch))
	}
	text, values, members := len(scratch.text), len(scratch.values), len(scratch.members)
	for range 3 {
		require.NoError(t, r.Read([]byte(doc), DefaultLimits(), into, &scratch))
		assert.LessOrEqual(t, len(scratch.text), text)
		assert.LessOrEqual(t, len(scratch.values), values)
		assert.LessOrEqual(t, len(scratch.members), members)
	}
	require.NoError(t, r.Read([]byte(`{"n":1}`), DefaultLimits(), into, &scratch))
	assert.Empty(t, scratch.text)
	assert.Empty(t, scratch.values)
	assert.Empty(t, scratch.members)
}
