package strictjson

import (
	"bytes"
	"sync"
	"unsafe"

	"github.com/go-json-experiment/json/jsontext"
)

// Scratch is memory that one reading of a document after the other uses. The
// zero Scratch is ready. It serves one goroutine and must not be copied.
type Scratch struct {
	decoder decoder
	source  source

	// Arenas of what was read last. One that is full is left to the values that
	// lie in it, and a larger one takes its place.
	text    []byte
	values  []Value
	members []Member
}

// Forget lets go of all that the last reading left behind. Its values are
// invalid afterwards.
func (s *Scratch) Forget() {
	if len(s.text) > 0 {
		s.text = empty(s.text)
	}
	if len(s.values) > 0 {
		s.values = empty(s.values)
	}
	if len(s.members) > 0 {
		s.members = empty(s.members)
	}
}

// maxKept bounds the bytes of each piece of memory that is kept for the next
// document.
const maxKept = 128 << 10

func large[T any](memory []T) bool {
	var one T
	return cap(memory) > maxKept/int(unsafe.Sizeof(one))
}

// empty returns memory for the next document, which must not keep alive what
// this one referred to.
func empty[T any](used []T) []T {
	if large(used) {
		return nil
	}
	clear(used)
	return used[:0]
}

// store copies elems to an arena.
func store[T any](arena *[]T, elems []T) []T {
	const least = 64
	used := *arena
	if cap(used)-len(used) < len(elems) {
		used = make([]T, 0, max(least, 2*cap(used), len(elems)))
	}
	start := len(used)
	used = append(used, elems...)
	*arena = used
	return used[start:len(used):len(used)]
}

// source is the part of a decoder that is worth using again.
type source struct {
	buf    bytes.Buffer
	strict *jsontext.Decoder // has read nothing yet of buf; nil while it is in use, and at first
	lax    *jsontext.Decoder // the same, but allows duplicate names

	// Stacks of what belongs to arrays and objects whose end is not yet seen.
	values  []Value
	members []Member
	plain   []byte // a string without its escapes
}

var (
	sources   = sync.Pool{New: func() any { return new(source) }}
	laxOption = []jsontext.Options{jsontext.AllowDuplicateNames(true)}
)

// take returns a decoder that reads data.
func (s *source) take(from **jsontext.Decoder, data []byte, options []jsontext.Options) *jsontext.Decoder {
	dec := *from
	if dec == nil {
		dec = jsontext.NewDecoder(&s.buf, options...)
	}
	*from = nil
	s.buf = *bytes.NewBuffer(data) // jsontext reads such a buffer in place
	return dec
}

// give takes a decoder back. Nothing may keep the caller's bytes.
func (s *source) give(to **jsontext.Decoder, dec *jsontext.Decoder, options []jsontext.Options) {
	s.buf = bytes.Buffer{}
	dec.Reset(&s.buf, options...)
	*to = dec
}

// accepts returns where the value that data starts with ends, and whether
// jsontext accepts it. It looks for duplicate names unless the caller does.
func (s *source) accepts(data []byte, distinct bool) (end int, ok bool) {
	from, options := &s.strict, []jsontext.Options(nil)
	if distinct {
		from, options = &s.lax, laxOption
	}
	dec := s.take(from, data, options)
	_, err := dec.ReadValue()
	end = int(dec.InputOffset())
	s.give(from, dec, options)
	return end, err == nil
}

func (s *source) large() bool { return large(s.values) || large(s.members) || large(s.plain) }

// tidy prepares for the next document after one that was refused or large.
func (s *source) tidy() {
	s.values, s.members, s.plain = empty(s.values), empty(s.members), empty(s.plain)
}
