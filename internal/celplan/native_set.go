package celplan

import (
	"encoding/binary"
	"maps"
	"slices"
	"unsafe"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// endsOf returns the first and the last eight bytes of a text. Up to sizeOfEnds
// bytes, texts of one length are equal where their ends are.
func endsOf(s string) (first, last int64) {
	switch p, n := unsafe.Pointer(unsafe.StringData(s)), len(s); {
	case n >= 8:
		return load8(p), load8(unsafe.Add(p, n-8))
	case n >= 4:
		return load4(p), load4(unsafe.Add(p, n-4))
	case n > 0:
		return int64(s[0]) | int64(s[n/2])<<8, int64(s[n-1])
	}
	return 0, 0
}

func load8(p unsafe.Pointer) int64 { return int64(binary.LittleEndian.Uint64((*[8]byte)(p)[:])) }
func load4(p unsafe.Pointer) int64 { return int64(binary.LittleEndian.Uint32((*[4]byte)(p)[:])) }

// sizeOfEnds is how long a text can be that its ends say all about.
const sizeOfEnds = 16

// constantSet is a constant set of texts, or of ints.
type constantSet struct {
	few  []textEntry
	many map[string]struct{} // instead of few
	ints []int64
}

type textEntry struct {
	first, last int64 // as endsOf has them
	text        string
}

// fewTexts are found faster by comparing them one after the other.
const fewTexts = 8

// newConstantSet returns the elements of a list that are all strings, or all
// ints; nil for any other list.
func newConstantSet(list strictjson.Value) *constantSet {
	elems := list.List()
	if len(elems) == 0 {
		return nil
	}
	s := new(constantSet)
	for i := range elems {
		switch kind := elems[i].Kind(); {
		case kind != elems[0].Kind():
			return nil
		case kind == strictjson.String:
			s.add(elems[i].Str(), len(elems))
		case kind == strictjson.Int:
			s.ints = append(s.ints, elems[i].Int())
		default:
			return nil
		}
	}
	return s
}

// with returns the texts of both sets.
func (s *constantSet) with(other *constantSet) *constantSet {
	var texts []string
	for _, from := range []*constantSet{s, other} {
		for i := range from.few {
			texts = append(texts, from.few[i].text)
		}
		texts = slices.AppendSeq(texts, maps.Keys(from.many))
	}
	union := new(constantSet)
	for _, text := range texts {
		union.add(text, len(texts))
	}
	return union
}

func (s *constantSet) add(text string, of int) {
	if of <= fewTexts {
		first, last := endsOf(text)
		s.few = append(s.few, textEntry{first: first, last: last, text: text})
		return
	}
	if s.many == nil {
		s.many = make(map[string]struct{}, of)
	}
	s.many[text] = struct{}{}
}

// find looks for a text by its ends and length.
func (s *constantSet) find(first, last int64, n int) bool {
	for i := range s.few {
		if e := &s.few[i]; e.first == first && e.last == last && len(e.text) == n {
			return true
		}
	}
	return false
}

func (s *constantSet) hasText(text string) bool {
	if s.many != nil {
		_, ok := s.many[text]
		return ok
	}
	for i := range s.few {
		if s.few[i].text == text {
			return true
		}
	}
	return false
}
