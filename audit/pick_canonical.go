package audit

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// pickCanonical is pick of a document that is known to be canonical JSON, as the
// bodies of a verified chain are: it only goes from one value to the next. It
// reports false where it meets anything else; then nothing is picked.
func (p *picker) pickCanonical(data []byte) bool {
	p.begin(data)
	return p.canonical(0, p.root) == len(data)
}

// notCanonical is the index after what could not be read.
const notCanonical = -1

// canonical takes the value at i, and returns the index after it.
func (p *picker) canonical(i int, at *branch) int {
	if i < 0 || i >= len(p.data) {
		return notCanonical
	}
	switch c := p.data[i]; {
	case c == '{' && at != nil && len(at.names) > 0:
		return p.canonicalObject(i, at)
	case c == '[' && at != nil && at.each != nil:
		return p.canonicalArray(i, at.each)
	case c == '{' || c == '[':
		return p.pass(i)
	case c == '"':
		end := textEnd(p.data, i)
		if end > 0 && at != nil && len(at.slots) > 0 && p.took('"', p.data[i:end], at) != nil {
			return notCanonical
		}
		return end
	default:
		end := i
		for end < len(p.data) && bytes.IndexByte([]byte(",]}"), p.data[end]) < 0 {
			end++
		}
		kind := jsontext.Kind(c)
		if c == '-' || '0' <= c && c <= '9' {
			kind = '0'
		}
		if at != nil && len(at.slots) > 0 && kind != 'n' && p.took(kind, p.data[i:end], at) != nil {
			return notCanonical
		}
		return end
	}
}

func (p *picker) canonicalObject(i int, at *branch) int {
	if i++; i < len(p.data) && p.data[i] == '}' {
		return i + 1
	}
	for i < len(p.data) && p.data[i] == '"' {
		end := textEnd(p.data, i)
		if end < 0 || end >= len(p.data) || p.data[end] != ':' {
			return notCanonical
		}
		next, err := at.named(p.data[i:end])
		if err != nil {
			return notCanonical
		}
		if i = p.canonical(end+1, next); i < 0 || i >= len(p.data) {
			return notCanonical
		}
		if p.data[i] == '}' {
			return i + 1
		}
		i++ // the comma
	}
	return notCanonical
}

func (p *picker) canonicalArray(i int, each *branch) int {
	if i++; i < len(p.data) && p.data[i] == ']' {
		return i + 1
	}
	for i >= 0 && i < len(p.data) {
		if i = p.canonical(i, each); i < 0 || i >= len(p.data) {
			return notCanonical
		}
		if p.data[i] == ']' {
			return i + 1
		}
		i++ // the comma
	}
	return notCanonical
}

// pass returns the index after the array or object at i.
func (p *picker) pass(i int) int {
	for depth := 0; i < len(p.data); {
		switch p.data[i] {
		case '"':
			if i = textEnd(p.data, i); i < 0 {
				return notCanonical
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if i++; depth == 0 {
			return i
		}
	}
	return notCanonical
}

// textEnd returns the index after the text that begins at i.
func textEnd(data []byte, i int) int {
	for i++; ; i++ {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			return notCanonical
		}
		i += n
		backslashes := 0
		for data[i-1-backslashes] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			return i + 1
		}
	}
}
