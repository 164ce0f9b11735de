package strictjson

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// Scan checks that data is one JSON document which every reader understands
// alike. It refuses, besides what RFC 8259 does not allow: a byte order mark,
// invalid UTF-8, lone surrogates, duplicate names and NUL in names, trailing
// data, negative zero, integers that do not fit int64, numbers that no double
// holds exactly in its shortest decimal, and whatever passes a limit. It
// allocates nothing for what it reads. The error is an *[Error].
//
// data is not retained. It must not change during the call.
func Scan(data []byte, lim Limits) error {
	d := decoder{lim: lim, discard: true}
	if _, err := d.document(data, unrestricted); err != nil {
		return err
	}
	return nil
}

// unrestricted is never changed.
var unrestricted = anything()

// decoder is one pass over one document.
type decoder struct {
	dec     *jsontext.Decoder
	data    []byte
	lim     Limits
	nodes   int
	discard bool // check only, build no values
	scratch []byte

	anyNumber bool // numbers need not fit an int64 or a double
}

// source is the part of a decoder that is worth using again.
type source struct {
	buf bytes.Buffer
	dec *jsontext.Decoder
}

var sources = sync.Pool{New: func() any {
	s := new(source)
	s.dec = jsontext.NewDecoder(&s.buf)
	return s
}}

func (d *decoder) document(data []byte, n *node) (Value, *Error) {
	if len(data) > d.lim.Bytes {
		return Value{}, refuse(0, "document of %d bytes; at most %d are read", len(data), d.lim.Bytes)
	}
	if bytes.HasPrefix(data, []byte("\xEF\xBB\xBF")) {
		return Value{}, refuse(0, "document starts with a byte order mark; leave it out")
	}
	s := sources.Get().(*source)
	s.buf = *bytes.NewBuffer(data) // jsontext reads such a buffer in place
	s.dec.Reset(&s.buf)
	d.dec, d.data = s.dec, data
	defer func() { // nothing may keep the caller's bytes
		s.buf = bytes.Buffer{}
		s.dec.Reset(&s.buf)
		sources.Put(s)
	}()

	v, err := d.value(n, 0)
	if err != nil {
		return Value{}, err
	}
	end := d.dec.InputOffset()
	if _, err := d.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return Value{}, refuse(end, "data after the end of the document")
	}
	return v, nil
}

// value reads the next value, which stands below depth arrays and objects.
func (d *decoder) value(n *node, depth int) (Value, *Error) {
	if d.nodes++; d.nodes > d.lim.Nodes {
		return Value{}, refuse(d.dec.InputOffset(), "more than %d values", d.lim.Nodes)
	}
	kind := d.dec.PeekKind()
	if kind == '{' || kind == '[' {
		return d.nested(n, kind, depth)
	}
	raw, err := d.dec.ReadValue()
	if err != nil {
		return Value{}, d.syntax(err)
	}
	offset := d.dec.InputOffset() - int64(len(raw))
	var v Value
	switch kind {
	case 'n':
		if n.kinds&nullKind == 0 {
			return Value{}, wrongKind(n.kinds, "null", offset)
		}
		return NullValue(), nil
	case 't', 'f':
		if n.kinds&boolKind == 0 {
			return Value{}, wrongKind(n.kinds, "a boolean", offset)
		}
		v = BoolValue(kind == 't')
	case '"':
		if n.kinds&stringKind == 0 {
			return Value{}, wrongKind(n.kinds, "a string", offset)
		}
		v = Value{kind: String}
		if !d.discard {
			v.str = string(d.unquote(raw))
		}
	default:
		var refused *Error
		if v, refused = d.number(raw, n.kinds, offset); refused != nil {
			return Value{}, refused
		}
	}
	if n.enum != nil && !slices.ContainsFunc(n.enum, v.Equal) {
		return Value{}, notInEnum(n, v, offset)
	}
	return v, nil
}

func (d *decoder) nested(n *node, kind jsontext.Kind, depth int) (Value, *Error) {
	if depth >= d.lim.Depth {
		return Value{}, refuse(d.dec.InputOffset(), "nested deeper than %d levels", d.lim.Depth)
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return Value{}, d.syntax(err)
	}
	offset := d.dec.InputOffset() - 1
	switch {
	case kind == '{' && n.kinds&objectKind == 0:
		return Value{}, wrongKind(n.kinds, "an object", offset)
	case kind == '[' && n.kinds&arrayKind == 0:
		return Value{}, wrongKind(n.kinds, "an array", offset)
	case kind == '{':
		return d.object(n, depth+1, offset)
	}
	return d.array(n, depth+1)
}

func (d *decoder) array(n *node, depth int) (Value, *Error) {
	var elems []Value
	for i := 0; d.dec.PeekKind() != ']'; i++ {
		v, err := d.value(n.elem, depth)
		if err != nil {
			return Value{}, err.belowIndex(i)
		}
		if !d.discard {
			elems = append(elems, v)
		}
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return Value{}, d.syntax(err)
	}
	return ListValue(elems), nil
}

func (d *decoder) object(n *node, depth int, offset int64) (Value, *Error) {
	var members []Member
	if !d.discard {
		members = make([]Member, 0, min(len(n.fields), 8))
	}
	required := 0
	for d.dec.PeekKind() != '}' {
		p, err := d.property(n)
		if err != nil {
			return Value{}, err
		}
		v, err := d.value(p.node, depth)
		if err != nil {
			return Value{}, err.belowName(string(d.unquote(d.data[p.start:p.end])))
		}
		if p.required {
			required++ // names are distinct, so counting suffices
		}
		if !d.discard {
			members = append(members, Member{Name: p.name, Value: v})
		}
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return Value{}, d.syntax(err)
	}
	kind := Object
	if n.isMap() {
		kind = Map
	}
	v := MapValue(kind, members)
	if required < n.required {
		return Value{}, missing(n, v, offset)
	}
	return v, nil
}

// property is a property whose name has been read and whose value is next.
type property struct {
	field            // name is empty where values are not kept
	start, end int64 // of the name in the document, quotes included
}

// property reads a property's name and finds the place of its value.
func (d *decoder) property(n *node) (p property, refused *Error) {
	if kind := d.dec.PeekKind(); kind == '{' || kind == '[' { // do not read all of it first
		return p, refuse(d.dec.InputOffset(), "not JSON: a property's name must be a string")
	}
	raw, err := d.dec.ReadValue()
	if err != nil {
		return p, d.syntax(err)
	}
	p.end = d.dec.InputOffset()
	p.start = p.end - int64(len(raw))
	plain := d.unquote(raw)
	if bytes.IndexByte(plain, 0) >= 0 {
		return p, refuse(p.start, "name %s contains NUL", quote(string(plain)))
	}
	if f := n.field(plain); f != nil {
		p.field = *f
		return p, nil
	}
	if len(n.fields) > 0 {
		if declared, ok := n.folded(string(plain)); ok {
			refused = refuse(p.start, "property differs only in case from %s; write %s", quote(declared), quote(declared))
			return p, refused.belowName(string(plain))
		}
	}
	if n.extra == nil {
		return p, unknown(n, string(plain), p.start)
	}
	p.name, p.node = d.text(plain), n.extra
	return p, nil
}

// unquote returns the text of a JSON string that the tokenizer has accepted. It
// is valid until the next use of the decoder.
func (d *decoder) unquote(raw []byte) []byte {
	if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	// The only error is invalid UTF-8, which the tokenizer has refused.
	d.scratch, _ = jsontext.AppendUnquote(d.scratch[:0], raw)
	return d.scratch
}

func (d *decoder) text(raw []byte) string {
	if d.discard {
		return ""
	}
	return string(raw)
}

// syntax turns the tokenizer's error into ours. Its place is where the error
// travels through, except that a duplicate name is itself the place.
func (d *decoder) syntax(err error) *Error {
	if errors.Is(err, io.EOF) {
		return refuse(d.dec.InputOffset(), "no JSON value")
	}
	var s *jsontext.SyntacticError
	if !errors.As(err, &s) {
		return refuse(d.dec.InputOffset(), "not JSON: %s", cut(err.Error(), maxReason))
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return refuse(s.ByteOffset, "duplicate property").belowName(s.JSONPointer.LastToken())
	case errors.Is(err, io.ErrUnexpectedEOF):
		return refuse(s.ByteOffset, "the document ends too early")
	}
	reason := strings.TrimPrefix(s.Err.Error(), "jsontext: ")
	return refuse(s.ByteOffset, "not JSON: %s", cut(reason, maxReason))
}
