package strictjson

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A document is checked as a whole where that costs little more than the limits
// on depth and nodes allow: where it is no longer than this, and has no more
// brackets to nest.
const (
	maxWhole    = 64 << 10
	maxBrackets = 500
)

// tokens reads the tokens of one document, of which jsontext alone decides
// whether they are JSON. It has either checked the document as a whole and found
// it good: then nothing is left but to see where tokens start and end. Or it
// reads token by token: large documents, so that nothing is read past a limit,
// and those that are not JSON, so that whatever is wrong first is reported.
type tokens struct {
	data  []byte            // where dec is nil, no more than it has accepted
	rest  []byte            // what comes after that
	dec   *jsontext.Decoder // nil: data is one value for sure
	kind  jsontext.Kind     // of the next token; zero: there is none, and reading it says why
	start int               // of the next token, where dec is nil
	end   int               // of the last token read
}

// kindOf is a token's kind by its first byte, as jsontext names kinds. Zero:
// none starts with it.
var kindOf = [256]jsontext.Kind{
	'{': '{', '}': '}', '[': '[', ']': ']', '"': '"', 'n': 'n', 't': 't', 'f': 'f', '-': '0',
	'0': '0', '1': '0', '2': '0', '3': '0', '4': '0', '5': '0', '6': '0', '7': '0', '8': '0', '9': '0',
}

// begin sees the first token of data. Distinct: the caller finds duplicate names.
func (t *tokens) begin(s *source, data []byte, distinct bool) {
	if small(data) {
		if end, ok := s.accepts(data, distinct); ok {
			t.data, t.rest, t.dec = data[:end], data[end:], nil
			t.advance(0)
			return
		}
	}
	t.data, t.rest, t.dec = data, nil, s.take(&s.strict, data, nil)
	t.end, t.kind = 0, t.dec.PeekKind()
}

// finish gives back what begin took.
func (t *tokens) finish(s *source) {
	if t.dec != nil {
		s.give(&s.strict, t.dec, nil)
	}
	t.data, t.rest, t.dec = nil, nil, nil
}

func small(data []byte) bool {
	return len(data) <= maxBrackets ||
		len(data) <= maxWhole && bytes.Count(data, []byte("[")) <= maxBrackets && bytes.Count(data, []byte("{")) <= maxBrackets
}

// bracket reads the next token, which is one, and returns where it is.
func (t *tokens) bracket() (start int, err error) {
	if t.dec == nil {
		start = t.start
		t.advance(start + 1)
		return start, nil
	}
	if _, err := t.dec.ReadToken(); err != nil {
		return 0, err
	}
	t.end, t.kind = int(t.dec.InputOffset()), t.dec.PeekKind()
	return t.end - 1, nil
}

// read reads the next token, which is no bracket that opens, and returns where
// it starts; it goes up to t.end. Escaped says of a string that it has escapes.
func (t *tokens) read() (start int, escaped bool, err error) {
	if t.dec != nil {
		raw, err := t.dec.ReadValue()
		if err != nil {
			return 0, false, err
		}
		escaped = raw[0] == '"' && bytes.IndexByte(raw, '\\') >= 0
		t.end, t.kind = int(t.dec.InputOffset()), t.dec.PeekKind()
		return t.end - len(raw), escaped, nil
	}
	start = t.start
	end := start + 1
	switch t.kind {
	case '"':
		end = plainEnd(t.data, end)
		if escaped = t.data[end] == '\\'; escaped {
			end = escapedEnd(t.data, end)
		}
		end++
	case '0':
		for end < len(t.data) && inNumber(t.data[end]) {
			end++
		}
	case 'n', 't':
		end = start + len("null")
	case 'f':
		end = start + len("false")
	}
	t.advance(end)
	return start, escaped, nil
}

// advance sees the token after end: past space, commas and colons.
func (t *tokens) advance(end int) {
	t.end = end
	for i := end; i < len(t.data); i++ {
		if kind := kindOf[t.data[i]]; kind != 0 {
			t.start, t.kind = i, kind
			return
		}
	}
	t.start, t.kind = len(t.data), 0
}

// plainEnd returns the index of the next quote or backslash. It looks at eight
// bytes at once: subtracting one from each byte of x borrows from its highest bit
// where the byte is zero, and wrongly only above such a byte, so the lowest of
// those bits is right (H. S. Warren, Hacker's Delight, section 6-1).
func plainEnd(s []byte, i int) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(s); i += 8 {
		word := binary.LittleEndian.Uint64(s[i:])
		quote, slash := word^ones*'"', word^ones*'\\'
		if found := ((quote-ones)&^quote | (slash-ones)&^slash) & high; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(s) && s[i] != '"' && s[i] != '\\' {
		i++
	}
	return i
}

// escapedEnd returns the index of the quote that ends a string of which all
// before i has been read.
func escapedEnd(s []byte, i int) int {
	for s[i] != '"' {
		if s[i] == '\\' {
			i++
		}
		i++
	}
	return i
}

// inNumber reports whether a number goes on with c.
func inNumber(c byte) bool {
	return '0' <= c && c <= '9' || c == '.' || c|0x20 == 'e' || c == '-' || c == '+'
}

// done reports whether nothing but space follows the last token.
func (t *tokens) done() bool {
	if t.dec != nil {
		_, err := t.dec.ReadToken()
		return errors.Is(err, io.EOF)
	}
	for _, c := range t.rest {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}

// syntax turns the tokenizer's error into ours. Its place is where the error
// travels through, except that a duplicate name is itself the place.
func (t *tokens) syntax(err error) *Error {
	if errors.Is(err, io.EOF) {
		return refuse(t.end, "no JSON value")
	}
	var s *jsontext.SyntacticError
	if !errors.As(err, &s) {
		return refuse(t.end, "not JSON: %s", cut(err.Error(), maxReason))
	}
	at := int(s.ByteOffset)
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return refuse(at, "duplicate property").belowName(s.JSONPointer.LastToken())
	case errors.Is(err, io.ErrUnexpectedEOF):
		return refuse(at, "the document ends too early")
	}
	reason := strings.TrimPrefix(s.Err.Error(), "jsontext: ")
	return refuse(at, "not JSON: %s", cut(reason, maxReason))
}
