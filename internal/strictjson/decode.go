package strictjson

import (
	"bytes"
	"unsafe"

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
	d := decoder{lim: lim}
	if _, err := d.pooled(data, unrestricted, false); err != nil {
		return err
	}
	return nil
}

// unrestricted is never changed.
var unrestricted = anything()

// decoder is one pass over one document. It builds a value where its caller
// keeps it or where a slot wants it, and judges the others all the same.
type decoder struct {
	tokens
	lim    Limits
	nodes  int
	source *source

	into  []Value  // the slots
	arena *Scratch // where values live, and that text may alias data; nil: neither

	anyNumber bool // numbers need not fit an int64 or a double
}

// pooled reads a document with memory that others used before.
func (d *decoder) pooled(data []byte, n *node, keep bool) (Value, *Error) {
	d.source = sources.Get().(*source)
	v, err := d.document(data, n, nil, keep, false)
	sources.Put(d.source)
	return v, err
}

// document reads all of data. Distinct: a name that stands twice in an object is
// a declared one, so that it is found here.
func (d *decoder) document(data []byte, n *node, w *want, keep, distinct bool) (Value, *Error) {
	if len(data) > d.lim.Bytes {
		return Value{}, refuse(0, "document of %d bytes; at most %d are read", len(data), d.lim.Bytes)
	}
	if bytes.HasPrefix(data, []byte("\xEF\xBB\xBF")) {
		return Value{}, refuse(0, "document starts with a byte order mark; leave it out")
	}
	s := d.source
	d.begin(s, data, distinct)
	v, err := d.value(n, w, 0, keep)
	if err == nil && !d.done() {
		v, err = Value{}, refuse(d.end, "data after the end of the document")
	}
	d.finish(s)
	if err != nil || s.large() {
		s.tidy()
	}
	return v, err
}

// value reads the next value, which stands below depth arrays and objects.
func (d *decoder) value(n *node, w *want, depth int, keep bool) (v Value, refused *Error) {
	if d.nodes++; d.nodes > d.lim.Nodes {
		return Value{}, refuse(d.end, "more than %d values", d.lim.Nodes)
	}
	if w != nil {
		keep = keep || w.slot >= 0
	}
	if d.kind == '{' || d.kind == '[' {
		v, refused = d.nested(n, w, depth, keep)
	} else {
		v, refused = d.scalar(n, keep)
	}
	if w != nil && w.slot >= 0 {
		d.into[w.slot] = v
	}
	return v, refused
}

func (d *decoder) scalar(n *node, keep bool) (v Value, refused *Error) {
	kind := d.kind
	start, escaped, err := d.read()
	if err != nil {
		return Value{}, d.syntax(err)
	}
	var text []byte // of a string or a number
	switch kind {
	case '"':
		if n.kinds&stringKind == 0 {
			return Value{}, wrongKind(n.kinds, "a string", start)
		}
		if keep || n.enum != nil {
			text = d.unquote(start, escaped)
			v = StringValue(alias(text))
		}
	case 'n':
		if n.kinds&nullKind == 0 {
			return Value{}, wrongKind(n.kinds, "null", start)
		}
		return NullValue(), nil
	case 't', 'f':
		if n.kinds&boolKind == 0 {
			return Value{}, wrongKind(n.kinds, "a boolean", start)
		}
		v = BoolValue(kind == 't')
	default:
		text = d.data[start:d.end]
		if v, refused = d.number(text, start, n.kinds); refused != nil {
			return Value{}, refused
		}
		v = v.literally(alias(text))
	}
	if n.enum != nil && !n.allows(&v) {
		return Value{}, notInEnum(n, v, start)
	}
	if keep && len(text) > 0 && (d.arena == nil || escaped) {
		v.data.p = unsafe.Pointer(unsafe.StringData(d.stay(text, escaped)))
	}
	return v, nil
}

func (d *decoder) nested(n *node, w *want, depth int, keep bool) (Value, *Error) {
	if depth >= d.lim.Depth {
		return Value{}, refuse(d.end, "nested deeper than %d levels", d.lim.Depth)
	}
	kind := d.kind
	start, err := d.bracket()
	switch {
	case err != nil:
		return Value{}, d.syntax(err)
	case kind == '{' && n.kinds&objectKind == 0:
		return Value{}, wrongKind(n.kinds, "an object", start)
	case kind == '[' && n.kinds&arrayKind == 0:
		return Value{}, wrongKind(n.kinds, "an array", start)
	case kind == '{':
		return d.object(n, w, start, depth+1, keep)
	}
	return d.array(n, depth+1, keep)
}

func (d *decoder) array(n *node, depth int, keep bool) (Value, *Error) {
	mark := len(d.source.values)
	for i := 0; d.kind != ']'; i++ {
		v, err := d.value(n.elem, nil, depth, keep)
		if err != nil {
			return Value{}, err.belowIndex(i)
		}
		if keep {
			d.source.values = append(d.source.values, v)
		}
	}
	if _, err := d.bracket(); err != nil {
		return Value{}, d.syntax(err)
	}
	if !keep {
		return Value{}, nil
	}
	return ListValue(d.takeElems(mark)), nil
}

func (d *decoder) object(n *node, w *want, offset, depth int, keep bool) (Value, *Error) {
	mark := len(d.source.members)
	var so tally
	for d.kind != '}' {
		if refused := d.member(n, w, depth, keep, &so); refused != nil {
			return Value{}, refused
		}
	}
	if _, err := d.bracket(); err != nil {
		return Value{}, d.syntax(err)
	}
	if so.required < n.required {
		return Value{}, missing(n, d.again(offset), offset)
	}
	if !keep {
		return Value{}, nil
	}
	members := d.takeMembers(mark)
	sortMembers(members)
	if n.isMap() {
		return nestedValue(Map, members), nil
	}
	return nestedValue(Object, members), nil
}

// tally is what is known of the members of an object that have been read.
type tally struct {
	seen     uint64 // a bit for each of the first 64 declared properties
	required int    // names are distinct, so counting suffices
}

// member reads one member of the object at n.
func (d *decoder) member(n *node, w *want, depth int, keep bool, so *tally) *Error {
	start, plain, escaped, refused := d.name()
	if refused != nil {
		return refused
	}
	child, name, within := n.extra, "", (*want)(nil)
	if i := n.find(plain); i >= 0 {
		f, bit := &n.fields[i], uint64(1)<<i
		if so.seen&bit != 0 {
			return refuse(start, "duplicate property").belowName(f.name)
		}
		child, name, within = f.node, f.name, w.field(i)
		so.seen |= bit
		so.required += f.required
	} else {
		if refused := n.undeclared(plain, start); refused != nil {
			return refused
		}
		if within = w.other(plain); keep {
			name = d.stay(plain, escaped)
		}
	}
	v, refused := d.value(child, within, depth, keep)
	if refused != nil {
		return refused.belowName(d.nameAt(start))
	}
	if keep {
		d.source.members = append(d.source.members, Member{Name: name, Value: v})
	}
	return nil
}

// name reads a property's name, which starts at a byte of the document.
func (d *decoder) name() (start int, plain []byte, escaped bool, refused *Error) {
	if d.kind == '{' || d.kind == '[' { // do not read all of it first
		return 0, nil, false, refuse(d.end, "not JSON: a property's name must be a string")
	}
	start, escaped, err := d.read()
	if err != nil {
		return 0, nil, false, d.syntax(err)
	}
	plain = d.unquote(start, escaped)
	if escaped && bytes.IndexByte(plain, 0) >= 0 { // JSON has no other way to write it
		return 0, nil, false, refuse(start, "name %s contains NUL", quote(string(plain)))
	}
	return start, plain, escaped, nil
}

// undeclared refuses a property that n does not declare, unless n allows others.
func (n *node) undeclared(name []byte, start int) *Error {
	if len(n.fields) > 0 {
		if declared, ok := n.folded(string(name)); ok {
			refused := refuse(start, "property differs only in case from %s; write %s", quote(declared), quote(declared))
			return refused.belowName(string(name))
		}
	}
	if n.extra == nil {
		return unknown(n, string(name), start)
	}
	return nil
}

// unquote returns the text of the last token, a string that starts at a byte of
// the document. It is valid until the next use of the decoder.
func (d *decoder) unquote(start int, escaped bool) []byte {
	if !escaped {
		return d.data[start+1 : d.end-1]
	}
	// The only error is invalid UTF-8, which the tokenizer has refused.
	d.source.plain, _ = jsontext.AppendUnquote(d.source.plain[:0], d.data[start:d.end])
	return d.source.plain
}

// nameAt returns the name that starts at a byte of the document.
func (d *decoder) nameAt(start int) string {
	name, _ := jsontext.AppendUnquote(nil, d.data[start:escapedEnd(d.data, start+1)+1])
	return string(name)
}

// again returns the object that starts at offset and has been read, for a
// message about it.
func (d *decoder) again(offset int) Value {
	other := decoder{lim: d.lim, anyNumber: true}
	v, _ := other.pooled(d.data[offset:d.end], unrestricted, true)
	return v
}

// stay returns the text of the last token for a value that outlives the decoder.
func (d *decoder) stay(text []byte, escaped bool) string {
	switch {
	case d.arena == nil:
		return string(text)
	case escaped: // so it stands where the next such text will
		return alias(store(&d.arena.text, text))
	}
	return alias(text)
}

// takeElems takes the values above mark off their stack.
func (d *decoder) takeElems(mark int) []Value {
	top := d.source.values[mark:]
	if len(top) == 0 {
		return nil
	}
	var out []Value
	if d.arena == nil {
		out = append(out, top...)
	} else {
		out = store(&d.arena.values, top)
	}
	clear(top)
	d.source.values = d.source.values[:mark]
	return out
}

// takeMembers takes the members above mark off their stack.
func (d *decoder) takeMembers(mark int) []Member {
	top := d.source.members[mark:]
	if len(top) == 0 {
		return nil
	}
	var out []Member
	if d.arena == nil {
		out = append(out, top...)
	} else {
		out = store(&d.arena.members, top)
	}
	clear(top)
	d.source.members = d.source.members[:mark]
	return out
}

// alias returns b as a string, which changes when b does. It keeps b alive unless
// it is empty.
func alias(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(unsafe.SliceData(b), len(b))
}
