package strictjson

import (
	"encoding/binary"
	"math/bits"
)

// plain is one attempt to read a document the way that nearly all are written:
// an object of declared properties, each at most once, with text in printable
// ASCII without escapes, short numbers, booleans and such objects as values. It
// accepts nothing that jsontext and [decoder] do not, and gives the same values.
// What is anything else it leaves to them; so it never says why it gave up.
//
// It exists because it costs a third of what letting jsontext look at the
// document first does.
type plain struct {
	data  []byte
	lim   Limits
	nodes int
	into  []Value
}

// document reports whether all of the data is such an object, of the schema's
// root. If it is not, some slots may have been filled.
func (p *plain) document(root *node, w *want) bool {
	if len(p.data) > p.lim.Bytes || p.lim.Nodes < 1 || p.lim.Depth < 1 || w.slot >= 0 {
		return false
	}
	p.nodes = 1
	at := p.space(0)
	if at == len(p.data) || p.data[at] != '{' {
		return false
	}
	if at = p.object(root, w, at+1, 1); at == 0 {
		return false
	}
	return p.space(at) == len(p.data)
}

// space returns the index of the first byte from at on that is no white space.
func (p *plain) space(at int) int {
	if at < len(p.data) && p.data[at] > ' ' {
		return at
	}
	return p.spaces(at)
}

func (p *plain) spaces(at int) int {
	for at < len(p.data) {
		switch p.data[at] {
		case ' ', '\t', '\r', '\n':
			at++
		default:
			return at
		}
	}
	return at
}

// maxSeen is how many properties of an object fit the bits that tell a repeated
// one.
const maxSeen = 64

// object reads an object that began before at, and returns where it ends; 0: it
// gave up. Depth counts the objects around what is in it.
func (p *plain) object(n *node, w *want, at, depth int) int {
	if at = p.space(at); at < len(p.data) && p.data[at] == '}' && n.required == 0 {
		return at + 1
	}
	expected, seen, required := n.first, uint64(0), 0
	for at < len(p.data) && p.data[at] == '"' {
		i, end := n.plainField(p.data, at+1, expected)
		if i < 0 || i >= maxSeen || seen&(1<<i) != 0 {
			return 0
		}
		f := &n.fields[i]
		seen |= 1 << i
		required += f.required
		expected = f.next
		if at = p.space(end + 1); at == len(p.data) || p.data[at] != ':' {
			return 0
		}
		if at = p.value(f.node, w.field(i), p.space(at+1), depth); at == 0 {
			return 0
		}
		if at = p.space(at); at == len(p.data) {
			return 0
		}
		switch p.data[at] {
		case ',':
			at = p.space(at + 1)
		case '}':
			if required < n.required {
				return 0
			}
			return at + 1
		default:
			return 0
		}
	}
	return 0
}

// plainField returns the index of the property whose name begins at a byte, most
// likely the expected one, and that of the quote that ends it; negative: there
// is none, or its name is not written plainly.
func (n *node) plainField(data []byte, at int, expected int32) (i, end int) {
	if uint(expected) < uint(len(n.fields)) {
		name := n.fields[expected].name
		if end = at + len(name); end < len(data) && data[end] == '"' && string(data[at:end]) == name {
			return int(expected), end // an expected name is written as it is: see follow
		}
	}
	if end = plainText(data, at); end == 0 {
		return -1, 0
	}
	return n.find(data[at:end]), end
}

// value reads a value and returns where it ends; 0: it gave up.
func (p *plain) value(n *node, w *want, at, depth int) int {
	if p.nodes++; p.nodes > p.lim.Nodes || at == len(p.data) {
		return 0
	}
	wanted := w != nil && w.slot >= 0
	if p.data[at] == '{' {
		if n.kinds&objectKind == 0 || depth >= p.lim.Depth || wanted {
			return 0
		}
		return p.object(n, w, at+1, depth+1)
	}
	v, end := p.scalar(n, at)
	if end == 0 || n.enum != nil && !n.allows(&v) {
		return 0
	}
	if wanted {
		p.into[w.slot] = v
	}
	return end
}

func (p *plain) scalar(n *node, at int) (v Value, end int) {
	switch c := p.data[at]; {
	case c == '"':
		if end = plainText(p.data, at+1); end == 0 || n.kinds&stringKind == 0 {
			return Value{}, 0
		}
		return StringValue(alias(p.data[at+1 : end])), end + 1
	case c == '-' || c-'0' <= 9:
		return p.number(n, at)
	case n.kinds&boolKind == 0:
		return Value{}, 0
	case c == 't' && len(p.data)-at >= len("true") && string(p.data[at:at+len("true")]) == "true":
		return BoolValue(true), at + len("true")
	case c == 'f' && len(p.data)-at >= len("false") && string(p.data[at:at+len("false")]) == "false":
		return BoolValue(false), at + len("false")
	}
	return Value{}, 0
}

// number reads a number without an exponent. What follows it is looked at by
// the caller, so that 12x and 1.2.3 are not taken for numbers.
func (p *plain) number(n *node, start int) (v Value, end int) {
	first := start
	if p.data[first] == '-' {
		first++
	}
	point := p.digits(first)
	if point == first || p.data[first] == '0' && point > first+1 { // none, or a zero before others
		return Value{}, 0
	}
	if end = point; end < len(p.data) && p.data[end] == '.' {
		if end = p.digits(point + 1); end == point+1 {
			return Value{}, 0
		}
	}
	if end-start > p.lim.NumberBytes {
		return Value{}, 0
	}
	digits, scale, count, size := plainDigits(p.data[start:])
	v, ok := quickNumber(digits, scale, count, n.kinds)
	if !ok || size != end-start {
		return Value{}, 0
	}
	return v.literally(alias(p.data[start:end])), end
}

// digits returns the index of the first byte from at on that is no digit.
func (p *plain) digits(at int) int {
	for at < len(p.data) && p.data[at]-'0' <= 9 {
		at++
	}
	return at
}

// plainText returns the index of the quote that ends the text from at on; 0:
// there is something else in it than printable ASCII, or no end. It looks at
// eight bytes at once, for what [plainEnd] looks for and for what is below a
// space or not ASCII. Each of the tests is wrong at most above a byte for which
// it is right, so that the lowest of all is right.
func plainText(s []byte, at int) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for ; at+8 <= len(s); at += 8 {
		word := binary.LittleEndian.Uint64(s[at:])
		quote, slash := word^ones*'"', word^ones*'\\'
		found := ((quote-ones)&^quote | (slash-ones)&^slash | (word-ones*' ')&^word | word) & high
		if found != 0 {
			if at += bits.TrailingZeros64(found) / 8; s[at] == '"' {
				return at
			}
			return 0
		}
	}
	for ; at < len(s); at++ {
		switch c := s[at]; {
		case c == '"':
			return at
		case c < ' ' || c == '\\' || c >= 0x80:
			return 0
		}
	}
	return 0
}
