package audit

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
)

// fuzzed reads data as a log of a format. Whatever it is, reading ends, says what
// it passed over at places that go forward, and yields only what can be judged.
func fuzzed(t *testing.T, doc *Document, data []byte) {
	r := newLogReader(doc, 0)
	r.files, r.before = &fileNames{}, &state{}
	last := int64(-1)
	forward := func(offset int64) {
		require.GreaterOrEqual(t, offset, last)
		require.LessOrEqual(t, offset, int64(len(data)))
		last = offset
	}
	r.problem = func(_ string, offset int64, err error) {
		forward(offset)
		require.Error(t, err)
	}
	r.yield = func(e *event) error {
		forward(e.offset)
		require.NotEmpty(t, e.id)
		require.False(t, e.at.IsZero())
		var row rowOut
		e.encode(&row)
		in := readRow(row)
		var back event
		back.decode(&in)
		require.NoError(t, in.err())
		require.Empty(t, in.rest)
		require.Equal(t, e.id, back.id)
		require.True(t, e.at.Equal(back.at))
		return nil
	}
	read, err := r.stream(context.Background(), "fuzz", 0, newSplitter(bytes.NewReader(data), doc.logs[0].format != CloudTrail))
	require.NoError(t, err)
	require.LessOrEqual(t, read, int64(len(data)))
}

const (
	fuzzTrail = `{"eventID":"1","eventTime":"2026-11-02T09:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","readOnly":false,"userIdentity":{"arn":"me"},"requestParameters":{"clientToken":"x","tags":[{"value":"y"}]}}`
	fuzzKube  = `{"auditID":"1","stage":"ResponseComplete","verb":"delete","requestURI":"/x?dryRun=None","user":{"username":"me"},"requestReceivedTimestamp":"2026-11-02T09:00:00Z","responseStatus":{"code":200}}`
	fuzzLine  = `{"id":"1","at":"2026-11-02T09:00:00Z","who":"me","what":"x"}`
)

func addSeeds(f *testing.F, one string) {
	for _, seed := range []string{
		one, one + "\n" + one, "[" + one + "," + one + "]", `{"Records":[` + one + `]}`, `{"Records":[` + one, "[" + one + ",", "\ufeff" + one,
		"{\"a\":\"\xff\"}", `[{"a":"\"}]{"}]`, `{"a":1,"a":2}`, "[[[[", "", "[1,2]", `{"Records":[]} x`, one[:len(one)/2],
	} {
		f.Add([]byte(seed))
	}
}

func FuzzCloudTrail(f *testing.F) {
	addSeeds(f, fuzzTrail)
	doc := minimal(f, "cloudtrail", "me", "x")
	f.Fuzz(func(t *testing.T, data []byte) { fuzzed(t, doc, data) })
}

func FuzzKubernetes(f *testing.F) {
	addSeeds(f, fuzzKube)
	doc := minimal(f, "kubernetes", "me", "x")
	f.Fuzz(func(t *testing.T, data []byte) { fuzzed(t, doc, data) })
}

func FuzzLines(f *testing.F) {
	addSeeds(f, fuzzLine)
	doc := minimal(f, "lines", "me", "x")
	f.Fuzz(func(t *testing.T, data []byte) { fuzzed(t, doc, data) })
}

// FuzzPacked unpacks anything, and never more than it should.
func FuzzPacked(f *testing.F) {
	f.Add(gzipped(f, []byte(fuzzTrail)))
	f.Add(gzipped(f, bytes.Repeat([]byte{0}, 1<<16))[:40])
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := newUnpacker().expanding(bytes.NewReader(data))
		if err != nil {
			return
		}
		s := newSplitter(in, false)
		for range 1 + len(data)*expandRatio*8 {
			if _, _, err := s.next(); err != nil {
				if _, bad := errors.AsType[*badRecord](err); !bad {
					return
				}
			}
		}
		t.Fatal("reading does not end")
	})
}

// FuzzLoad never panics, and gives a document or says what is wrong with it.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(worldDocument))
	f.Add([]byte(mapped("event.at")))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := Load("audit.yaml", data)
		require.Equal(t, err == nil, doc != nil)
		if err != nil {
			require.NotEmpty(t, err.Error())
		}
	})
}

// FuzzPickCanonical finds in canonical JSON what the strict reader finds, and in
// anything else, at worst, nothing.
func FuzzPickCanonical(f *testing.F) {
	for _, seed := range []string{`{"a":{"b":[1,{"c":"d"}]},"e":"\"x\\","f":-1.5,"g":null,"h":true}`, `{"a":"{}[],\\\\"}`, `{"a":{"b":[{"c":[]},"]",{"c":"}"}]},"i":[[1,2],[],["x"]]}`, `{"i":[[`, `{}`, `{"a":`, `{"a":"`, `{"a" 1}`} {
		f.Add([]byte(seed))
	}
	paths := []string{"a", "a.b", "e", "f", "g", "h", "a.c", "a.b[]", "a.b[].c", "i[][]"}
	f.Fuzz(func(t *testing.T, data []byte) {
		fast, strict := newPicker(), newPicker()
		for _, path := range paths {
			fast.mustWant(path)
			strict.mustWant(path)
		}
		fast.pickCanonical(data) // whatever it is, no panic
		canonical, err := rationale.Canonicalize(data)
		if err != nil || len(canonical) == 0 || canonical[0] != '{' {
			return
		}
		require.True(t, fast.pickCanonical(canonical), "%s", canonical)
		require.NoError(t, strict.pick(canonical))
		for slot := range paths {
			require.Equal(t, all(strict, slot), all(fast, slot), "%s of %s", paths[slot], canonical)
		}
	})
}

func all(p *picker, slot int) (values []string) {
	p.all(slot, func(v picked, text []byte) { values = append(values, string(rune(v.kind))+string(text)) })
	return values
}

func TestSeedsAreRead(t *testing.T) {
	for _, tt := range []struct{ format, one string }{{"cloudtrail", fuzzTrail}, {"kubernetes", fuzzKube}, {"lines", fuzzLine}} {
		doc := minimal(t, tt.format, "me", "x")
		r := newLogReader(doc, 0)
		r.files, r.before = &fileNames{}, &state{}
		n := 0
		r.problem = func(_ string, _ int64, err error) { t.Error(err) }
		r.yield = func(*event) error { n++; return nil }
		_, err := r.stream(context.Background(), "x", 0, newSplitter(strings.NewReader(tt.one+"\n"+tt.one), false))
		require.NoError(t, err)
		require.Equal(t, 2, n, tt.format)
	}
}
