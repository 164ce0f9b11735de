package rationale

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Limits of what a [writer] takes up; the rest is left to the general way.
const (
	maxWriterDepth = 64
	maxWriterKept  = 64 << 10 // bytes of a buffer that a pooled writer keeps
)

// writer appends canonical JSON, as [Canonicalize] defines it, in one pass and
// without allocation. It takes up what is written plainly, which is nearly
// all that models and this package write. At anything else (an error, an escape
// that the canonical form spells otherwise, a name that does not sort bytewise)
// it sets failed, and what it has written is worth nothing: the caller goes the
// general way, which gives the canonical form or says what is wrong.
type writer struct {
	out     []byte
	failed  bool
	depth   int
	members []span // of the objects that are open
	spare   []byte // for putting members into order

	last actionFrame
}

// span is a member in out: its name from start to name, both quotes included,
// and all of it from start to end.
type span struct{ start, name, end int }

var writers = sync.Pool{New: func() any { return &writer{out: make([]byte, 0, 1024)} }}

// newWriter returns an empty writer, for [writer.release].
func newWriter() *writer {
	w := writers.Get().(*writer)
	w.out, w.failed, w.depth, w.members = w.out[:0], false, 0, w.members[:0]
	return w
}

// release gives the writer back. Nothing may refer to out any more.
func (w *writer) release() {
	if cap(w.out) <= maxWriterKept && cap(w.spare) <= maxWriterKept && cap(w.members) <= maxWriterKept/24 {
		writers.Put(w)
	}
}

// document appends the canonical form of data, which is one JSON value.
func (w *writer) document(data []byte) {
	if i := w.value(data, space(data, 0)); w.failed || space(data, i) != len(data) {
		w.failed = true
	}
}

// fail returns an index at which nothing more can be read.
func (w *writer) fail(data []byte) int {
	w.failed = true
	return len(data)
}

// value appends the value at i, which is no space, and returns the index after
// it. So do the methods below, each for one kind of value.
func (w *writer) value(data []byte, i int) int {
	if i >= len(data) {
		return w.fail(data)
	}
	switch c := data[i]; {
	case c == '"':
		return w.plainString(data, i)
	case c == '{':
		return w.nested(data, i, (*writer).object)
	case c == '[':
		return w.nested(data, i, (*writer).array)
	case c == '-' || isDigit(c):
		return w.number(data, i)
	}
	for _, literal := range [...]string{"true", "false", "null"} {
		if end := i + len(literal); end <= len(data) && string(data[i:end]) == literal {
			w.out = append(w.out, literal...)
			return end
		}
	}
	return w.fail(data)
}

func (w *writer) nested(data []byte, i int, read func(*writer, []byte, int) int) int {
	if w.depth++; w.depth > maxWriterDepth {
		return w.fail(data)
	}
	i = read(w, data, i)
	w.depth--
	return i
}

func (w *writer) array(data []byte, i int) int {
	w.out = append(w.out, '[')
	if i = space(data, i+1); i < len(data) && data[i] == ']' {
		w.out = append(w.out, ']')
		return i + 1
	}
	for {
		i = space(data, w.value(data, i))
		if i >= len(data) || data[i] != ',' && data[i] != ']' {
			return w.fail(data)
		}
		w.out = append(w.out, data[i])
		if data[i] == ']' {
			return i + 1
		}
		i = space(data, i+1)
	}
}

func (w *writer) object(data []byte, i int) int {
	w.out = append(w.out, '{')
	if i = space(data, i+1); i < len(data) && data[i] == '}' {
		w.out = append(w.out, '}')
		return i + 1
	}
	outer, ordered := len(w.members), true
	for {
		m := span{start: len(w.out)}
		i = space(data, w.name(data, i))
		if m.name = len(w.out); i >= len(data) || data[i] != ':' {
			return w.fail(data)
		}
		w.out = append(w.out, ':')
		i = space(data, w.value(data, space(data, i+1)))
		if i >= len(data) || data[i] != ',' && data[i] != '}' {
			return w.fail(data)
		}
		m.end = len(w.out)
		ordered = ordered && (len(w.members) == outer || w.compare(w.members[len(w.members)-1], m) < 0)
		w.members = append(w.members, m)
		if data[i] == '}' {
			break
		}
		w.out = append(w.out, ',')
		i = space(data, i+1)
	}
	if !ordered {
		w.sort(w.members[outer:])
	}
	w.members = w.members[:outer]
	w.out = append(w.out, '}')
	return i + 1
}

// compare orders two members by their names, without the quotes: a name sorts
// before those that continue it.
func (w *writer) compare(a, b span) int {
	if x, y := w.out[a.start+1], w.out[b.start+1]; x != y && x > '"' && y > '"' {
		return int(x) - int(y) // as nearly always; the quote is the end of an empty name
	}
	return bytes.Compare(w.out[a.start+1:a.name-1], w.out[b.start+1:b.name-1])
}

// sort puts the members of one object, the last that was written, into order.
// A name that is there twice is an error.
func (w *writer) sort(members []span) {
	start := members[0].start
	if len(members) <= 12 { // as nearly all objects
		w.insert(members)
	} else {
		slices.SortFunc(members, w.compare)
	}
	w.spare = w.spare[:0]
	for i, m := range members {
		if i > 0 {
			if w.compare(members[i-1], m) == 0 {
				w.failed = true
			}
			w.spare = append(w.spare, ',')
		}
		w.spare = append(w.spare, w.out[m.start:m.end]...)
	}
	copy(w.out[start:], w.spare)
}

// insert sorts a few members.
func (w *writer) insert(members []span) {
	for i := range members {
		for k := i; k > 0 && w.compare(members[k], members[k-1]) < 0; k-- {
			members[k], members[k-1] = members[k-1], members[k]
		}
	}
}

// name appends a member's name. Names are in order by UTF-16 code units, which
// is the order of their bytes as long as all are ASCII.
func (w *writer) name(data []byte, i int) int {
	if i >= len(data) || data[i] != '"' {
		return w.fail(data)
	}
	end := i + 1 + plainASCII(data[i+1:])
	if end == len(data) || data[end] != '"' {
		return w.fail(data)
	}
	w.out = append(w.out, data[i:end+1]...)
	return end + 1
}

// plainString appends a string in which every escape is one that the canonical
// form has.
func (w *writer) plainString(data []byte, start int) int {
	i := start + 1 + plainASCII(data[start+1:])
	for ascii := true; i < len(data); i += plainASCII(data[i:]) {
		switch c := data[i]; {
		case c == '"':
			if !ascii && !utf8.Valid(data[start:i]) {
				return w.fail(data)
			}
			w.out = append(w.out, data[start:i+1]...)
			return i + 1
		case c == '\\':
			if i++; i == len(data) || strings.IndexByte(`"\bfnrt`, data[i]) < 0 {
				return w.fail(data)
			}
		case c >= utf8.RuneSelf:
			ascii = false
		case c < ' ':
			return w.fail(data)
		}
		i++
	}
	return w.fail(data)
}

func (w *writer) number(data []byte, i int) int {
	end := numberEnd(data, i)
	if end < 0 {
		return w.fail(data)
	}
	var err error
	if w.out, err = appendNumber(w.out, data[i:end]); err != nil {
		return w.fail(data)
	}
	return end
}

// numberEnd returns the index after the JSON number at i, or -1.
func numberEnd(data []byte, i int) int {
	digits := func() bool {
		start := i
		for i < len(data) && isDigit(data[i]) {
			i++
		}
		return i > start
	}
	if data[i] == '-' {
		i++
	}
	if i < len(data) && data[i] == '0' {
		i++ // nothing follows a leading zero
	} else if !digits() {
		return -1
	}
	if i < len(data) && data[i] == '.' {
		if i++; !digits() {
			return -1
		}
	}
	if i < len(data) && (data[i] == 'e' || data[i] == 'E') {
		if i++; i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		if !digits() {
			return -1
		}
	}
	return i
}

// space returns the index of the first character from i on that is no space.
func space(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\t' || data[i] == '\n' || data[i] == '\r') {
		i++
	}
	return i
}
