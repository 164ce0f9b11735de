package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
)

// Limits of what is read from a log. A record above them is passed over, and
// said so; nothing of it is kept.
const (
	maxRecord = 8 << 20 // bytes of one record; Kubernetes logs whole objects
	maxDepth  = 100     // nested arrays and objects in a record
	window    = 256 << 10
)

// shape is how the records of a file are put together.
type shape uint8

const (
	unknownShape shape = iota
	lineShape          // one to a line
	arrayShape         // elements of an array, which may stand in {"Records": […]}
)

// recordsWrapper begins a file as CloudTrail delivers it.
var recordsWrapper = regexp.MustCompile(`^\{\s*"Records"\s*:\s*\[`)

// badRecord is a piece of a file that is passed over. What follows it is read.
type badRecord struct {
	offset  int64
	problem string
}

func (b *badRecord) Error() string { return fmt.Sprintf("byte %d: %s", b.offset, b.problem) }

// splitter finds where the records of a stream begin and end, without looking
// into them: one that is damaged does not keep those behind it from being read.
// It holds one record, of at most maxRecord bytes, and never more.
type splitter struct {
	in      io.Reader
	lines   bool // never look for arrays
	buf     []byte
	lo, hi  int   // what is read and not yet consumed
	base    int64 // of buf[0] in the stream
	ended   error // of in: io.EOF, or what went wrong
	shape   shape
	wrapped bool
	wasCut  bool // the stream ended in the middle of something
	unended bool // the last line has no end
}

func newSplitter(in io.Reader, lines bool) *splitter {
	s := &splitter{lines: lines, buf: make([]byte, window)}
	s.reset(in)
	return s
}

// reset goes on to another stream.
func (s *splitter) reset(in io.Reader) { *s = splitter{in: in, lines: s.lines, buf: s.buf} }

func (s *splitter) offset() int64 { return s.base + int64(s.lo) }

// fill reads more behind hi, and moves what is not consumed to the front first
// where there is no room. It reports false at the end.
func (s *splitter) fill() bool {
	if s.ended != nil {
		return false
	}
	if s.hi == len(s.buf) {
		if s.lo > 0 {
			s.base += int64(s.lo)
			s.hi = copy(s.buf, s.buf[s.lo:s.hi])
			s.lo = 0
		} else {
			s.buf = append(s.buf, make([]byte, len(s.buf))...)
		}
	}
	n, err := s.in.Read(s.buf[s.hi:])
	s.hi += n
	if err != nil {
		s.ended = err
	}
	return n > 0 || err == nil
}

// next returns the bytes of the next record, valid until the next call, and
// where they begin. A *badRecord says that something was passed over, and next
// can be called again; any other error ends the stream, with io.EOF at its
// sound end.
func (s *splitter) next() (data []byte, offset int64, err error) {
	for {
		switch s.shape {
		case lineShape:
			data, offset, err = s.line()
			if err == nil && len(data) == 0 {
				continue
			}
			return data, offset, err
		case arrayShape:
			data, offset, err = s.element()
			if err != nil || data != nil {
				return data, offset, err
			}
		default:
			if err := s.begin(); err != nil {
				return nil, s.offset(), err
			}
		}
	}
}

// begin finds out the shape of what comes.
func (s *splitter) begin() error {
	if s.base == 0 && s.lo == 0 {
		s.peek(3)
		if bytes.HasPrefix(s.buf[s.lo:s.hi], []byte("\ufeff")) {
			s.lo += 3
		}
	}
	c, ok := s.token()
	if !ok {
		return s.ended
	}
	s.peek(512)
	wrapper := recordsWrapper.Find(s.buf[s.lo:s.hi])
	switch {
	case s.lines:
		s.shape = lineShape
	case wrapper != nil:
		s.lo += len(wrapper)
		s.shape, s.wrapped = arrayShape, true
	case c == '[':
		s.lo++
		s.shape, s.wrapped = arrayShape, false
	default:
		s.shape = lineShape
	}
	return nil
}

// peek tries to have n bytes.
func (s *splitter) peek(n int) {
	for s.hi-s.lo < n && s.fill() {
	}
}

// token returns the next byte that is no space, without consuming it.
func (s *splitter) token() (byte, bool) {
	for {
		for ; s.lo < s.hi; s.lo++ {
			switch c := s.buf[s.lo]; c {
			case ' ', '\t', '\r', '\n':
			default:
				return c, true
			}
		}
		if !s.fill() {
			return 0, false
		}
	}
}

// line returns the next line, without its end and the space around it.
func (s *splitter) line() ([]byte, int64, error) {
	offset := s.offset()
	for seen := 0; ; {
		if i := bytes.IndexByte(s.buf[s.lo+seen:s.hi], '\n'); i >= 0 {
			data := s.buf[s.lo : s.lo+seen+i]
			s.lo += seen + i + 1
			return checkLine(data, offset)
		}
		if seen = s.hi - s.lo; seen > maxRecord {
			return nil, offset, s.dropLine(offset)
		}
		if s.fill() {
			continue
		}
		data := bytes.TrimSpace(s.buf[s.lo:s.hi])
		s.lo = s.hi
		if len(data) == 0 || !errors.Is(s.ended, io.EOF) {
			return nil, offset, s.ended
		}
		s.unended = true
		return checkLine(data, offset)
	}
}

// checkLine holds a line against the limits.
func checkLine(line []byte, offset int64) ([]byte, int64, error) {
	if len(line) > maxRecord {
		return nil, offset, tooLong(offset, int64(len(line)))
	}
	if bytes.Count(line, []byte("{"))+bytes.Count(line, []byte("[")) > maxDepth {
		if deep := depthOf(line); deep > maxDepth {
			return nil, offset, tooDeep(offset, deep)
		}
	}
	return bytes.TrimSpace(line), offset, nil
}

// depthOf returns how deep arrays and objects are nested.
func depthOf(line []byte) int {
	s := &splitter{buf: line, hi: len(line), ended: io.EOF}
	_, deepest, _ := s.scan(0)
	return deepest
}

// dropLine goes to the next line.
func (s *splitter) dropLine(offset int64) error {
	for {
		if i := bytes.IndexByte(s.buf[s.lo:s.hi], '\n'); i >= 0 {
			s.lo += i + 1
			return tooLong(offset, s.offset()-1-offset)
		}
		s.lo = s.hi
		if !s.fill() {
			return tooLong(offset, s.offset()-offset)
		}
	}
}

func tooLong(offset, length int64) *badRecord {
	return &badRecord{offset, fmt.Sprintf("a record of %d bytes: more than the %d that are read", length, maxRecord)}
}

// element returns the next element of an array that is open; nil where it ends.
func (s *splitter) element() ([]byte, int64, error) {
	for {
		c, ok := s.token()
		if !ok {
			return nil, s.offset(), s.cut(s.offset(), "the array that the records stand in has no end")
		}
		switch c {
		case '{':
			return s.object()
		case ',':
			s.lo++
		case ']':
			s.lo++
			s.shape = unknownShape // of what follows
			if s.wrapped {
				return nil, 0, s.closeWrapper()
			}
			return nil, 0, nil
		default:
			return nil, s.offset(), s.resume()
		}
	}
}

// closeWrapper passes over what stands behind the records in their wrapper.
func (s *splitter) closeWrapper() error {
	c, ok := s.token()
	switch {
	case !ok:
		return s.cut(s.offset(), "the object that the records stand in has no end")
	case c == '}':
		s.lo++
		return nil
	}
	offset := s.offset()
	if _, _, err := s.scan(1); err != nil {
		return err
	}
	return &badRecord{offset, "there is more than records in the object that they stand in"}
}

// resume passes over what is no element.
func (s *splitter) resume() error {
	offset := s.offset()
	for {
		if i := bytes.IndexAny(s.buf[s.lo:s.hi], "{]"); i >= 0 {
			s.lo += i
			break
		}
		s.lo = s.hi
		if !s.fill() {
			break
		}
	}
	return &badRecord{offset, "not a record: want a JSON object"}
}

// cut is the error of a stream that ends too early.
func (s *splitter) cut(offset int64, problem string) error {
	if !errors.Is(s.ended, io.EOF) {
		return s.ended
	}
	s.wasCut = true
	s.shape = lineShape // of which there are none
	return &badRecord{offset, problem + ": the file was cut off, or is being written"}
}

// object returns the object that begins here.
func (s *splitter) object() ([]byte, int64, error) {
	offset := s.offset()
	data, depth, err := s.scan(0)
	switch {
	case err != nil:
		return nil, offset, err
	case data == nil:
		return nil, offset, tooLong(offset, s.offset()-offset)
	case depth > maxDepth:
		return nil, offset, tooDeep(offset, depth)
	}
	return data, offset, nil
}

func tooDeep(offset int64, depth int) *badRecord {
	return &badRecord{offset, fmt.Sprintf("a record that is nested %d deep: more than the %d that are read", depth, maxDepth)}
}

// scan goes to where as many brackets have closed as opened, with so many open
// already. The data is nil where it is longer than maxRecord.
func (s *splitter) scan(open int) (data []byte, deepest int, err error) {
	offset := s.offset()
	dropped, text, escaped := false, false, false
	for i := 0; ; i++ {
		if s.lo+i == s.hi {
			if i > maxRecord {
				dropped = true
				s.lo, i = s.hi, 0
			}
			if !s.fill() {
				s.lo = s.hi
				return nil, deepest, s.cut(offset, "the last record has no end")
			}
			if s.lo+i == s.hi {
				i--
				continue
			}
		}
		c := s.buf[s.lo+i]
		switch {
		case escaped:
			escaped = false
		case text:
			if escaped, text = c == '\\', c != '"'; text && !escaped {
				if n := bytes.IndexAny(s.buf[s.lo+i:s.hi], `"\`); n > 0 {
					i += n - 1
				} else if n < 0 {
					i = s.hi - s.lo - 1
				}
			}
		case c == '"':
			text = true
		case c == '{' || c == '[':
			open++
			deepest = max(deepest, open)
		case c == '}' || c == ']':
			if open--; open == 0 {
				data = s.buf[s.lo : s.lo+i+1]
				s.lo += i + 1
				if dropped || len(data) > maxRecord {
					data = nil
				}
				return data, deepest, nil
			}
		}
	}
}
