package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// picker reads one JSON object and keeps the scalars at some paths, in one pass.
// Like every reader here it refuses duplicate names and invalid UTF-8, of which
// two readers would make two events. It serves one goroutine.
type picker struct {
	root  *branch
	paths []string // by slot
	dec   *jsontext.Decoder
	in    bytes.Buffer

	data []byte   // the document
	text []byte   // of the values, one after the other
	vals []picked // in the order of the document
	at   [][]int  // vals by slot
	span [][]byte // of the places whose JSON is asked for
}

// picked is one value that was found: a text, a number, true or false.
type picked struct {
	kind       jsontext.Kind
	start, end int // in picker.text
}

// branch is a place that paths go through.
type branch struct {
	names    []string
	quoted   [][]byte // the names as JSON
	children []*branch
	each     *branch // elements of an array
	slots    []int
	span     int // from 1: of picker.span
}

func newPicker() *picker { return &picker{root: &branch{}, dec: new(jsontext.Decoder)} }

// want returns the slot of a path. Paths are names joined by dots; [] stands for
// every element of an array, ["a.b"] for a name that has dots in it.
func (p *picker) want(path string) (int, error) {
	steps, err := splitPath(path)
	if err != nil {
		return 0, err
	}
	for slot, known := range p.paths {
		if known == path {
			return slot, nil
		}
	}
	at := p.root
	for _, step := range steps {
		at = at.child(step)
	}
	slot := len(p.paths)
	at.slots = append(at.slots, slot)
	p.paths = append(p.paths, path)
	p.at = append(p.at, nil)
	return slot, nil
}

// mustWant is want for a path of this package's own.
func (p *picker) mustWant(path string) int {
	slot, err := p.want(path)
	if err != nil {
		panic("audit: " + err.Error())
	}
	return slot
}

// wantSpan returns the index in p.span of the JSON at a path.
func (p *picker) wantSpan(path string) int {
	steps, err := splitPath(path)
	if err != nil {
		panic("audit: " + err.Error())
	}
	at := p.root
	for _, step := range steps {
		at = at.child(step)
	}
	p.span = append(p.span, nil)
	at.span = len(p.span)
	return at.span - 1
}

// step is a name, or every element of an array.
type step struct {
	name string
	each bool
}

func splitPath(path string) ([]step, error) {
	var steps []step
	for rest := path; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "[]"):
			steps, rest = append(steps, step{each: true}), rest[2:]
		case strings.HasPrefix(rest, `["`):
			end := strings.Index(rest, `"]`)
			if end < 3 {
				return nil, fmt.Errorf("%q is no path: want a.b, a[].b or a[\"b.c\"]", path)
			}
			steps, rest = append(steps, step{name: rest[2:end]}), rest[end+2:]
		default:
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			steps, rest = append(steps, step{name: rest[:end]}), rest[end:]
		}
		if last := steps[len(steps)-1]; !last.each && last.name == "" || rest == "." {
			return nil, fmt.Errorf("%q is no path: want a.b, a[].b or a[\"b.c\"]", path)
		}
		rest = strings.TrimPrefix(rest, ".")
	}
	if len(steps) == 0 || steps[0].each {
		return nil, fmt.Errorf("%q is no path: want a.b, a[].b or a[\"b.c\"]", path)
	}
	return steps, nil
}

func (b *branch) child(s step) *branch {
	if s.each {
		if b.each == nil {
			b.each = &branch{}
		}
		return b.each
	}
	for i, name := range b.names {
		if name == s.name {
			return b.children[i]
		}
	}
	quoted, err := jsontext.AppendQuote(nil, s.name)
	if err != nil {
		panic("audit: a name that is not UTF-8") // documents are
	}
	next := &branch{}
	b.names, b.quoted, b.children = append(b.names, s.name), append(b.quoted, quoted), append(b.children, next)
	return next
}

var errNoObject = errors.New("not a JSON object")

// pick reads one document.
func (p *picker) pick(data []byte) error {
	p.begin(data)
	p.in = *bytes.NewBuffer(data)
	p.dec.Reset(&p.in)
	if p.dec.PeekKind() != '{' {
		if _, err := p.dec.ReadToken(); err != nil && !errors.Is(err, io.EOF) {
			return plainError(err)
		}
		return errNoObject
	}
	if err := p.value(p.root); err != nil {
		return plainError(err)
	}
	if _, err := p.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

func (p *picker) begin(data []byte) {
	p.data, p.text, p.vals = data, p.text[:0], p.vals[:0]
	clear(p.span)
	for i := range p.at {
		p.at[i] = p.at[i][:0]
	}
}

// plainError is the error without what the library says of itself.
func plainError(err error) error {
	text := err.Error()
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		text = syntactic.Err.Error()
		if syntactic.JSONPointer != "" {
			text += " within " + string(syntactic.JSONPointer)
		}
	}
	return errors.New("not JSON that every reader understands alike: " + text)
}

func (p *picker) value(at *branch) error {
	if at == nil || at.span == 0 {
		return p.inside(at)
	}
	start := p.dec.InputOffset()
	err := p.inside(at)
	p.span[at.span-1] = bytes.TrimLeft(p.data[start:p.dec.InputOffset()], ": \t\r\n")
	return err
}

func (p *picker) inside(at *branch) error {
	switch kind := p.dec.PeekKind(); {
	case at == nil:
	case kind == '{' && len(at.names) > 0:
		return p.object(at)
	case kind == '[' && at.each != nil:
		return p.array(at)
	case kind == '"' || kind == '0' || kind == 't' || kind == 'f':
		return p.keep(at, kind)
	}
	return p.dec.SkipValue()
}

func (p *picker) object(at *branch) error {
	if _, err := p.dec.ReadToken(); err != nil {
		return err
	}
	for p.dec.PeekKind() != '}' {
		name, err := p.dec.ReadValue()
		if err != nil {
			return err
		}
		next, err := at.named(name)
		if err != nil {
			return err
		}
		if err := p.value(next); err != nil {
			return err
		}
	}
	_, err := p.dec.ReadToken()
	return err
}

func (p *picker) array(at *branch) error {
	if _, err := p.dec.ReadToken(); err != nil {
		return err
	}
	for p.dec.PeekKind() != ']' {
		if err := p.value(at.each); err != nil {
			return err
		}
	}
	_, err := p.dec.ReadToken()
	return err
}

// named returns the branch of a name as the document has it.
func (b *branch) named(name jsontext.Value) (*branch, error) {
	if bytes.IndexByte(name, '\\') >= 0 {
		plain, err := jsontext.AppendUnquote(nil, name)
		if err != nil {
			return nil, err
		}
		for i, known := range b.names {
			if known == string(plain) {
				return b.children[i], nil
			}
		}
		return nil, nil
	}
	for i, known := range b.quoted {
		if bytes.Equal(known, name) {
			return b.children[i], nil
		}
	}
	return nil, nil
}

// keep takes a scalar. Null says as much as nothing.
func (p *picker) keep(at *branch, kind jsontext.Kind) error {
	if len(at.slots) == 0 {
		return p.dec.SkipValue()
	}
	raw, err := p.dec.ReadValue()
	if err != nil {
		return err
	}
	return p.took(kind, raw, at)
}

// took keeps a scalar as the document has it.
func (p *picker) took(kind jsontext.Kind, raw []byte, at *branch) error {
	var err error
	v := picked{kind: kind, start: len(p.text)}
	switch {
	case kind != '"':
		p.text = append(p.text, raw...)
	case bytes.IndexByte(raw, '\\') < 0:
		p.text = append(p.text, raw[1:len(raw)-1]...)
	default:
		p.text, err = jsontext.AppendUnquote(p.text, raw)
	}
	v.end = len(p.text)
	for _, slot := range at.slots {
		p.at[slot] = append(p.at[slot], len(p.vals))
	}
	p.vals = append(p.vals, v)
	return err
}

// get returns the first value of a slot as bytes; nil where there is none.
func (p *picker) get(slot int) []byte {
	if len(p.at[slot]) == 0 {
		return nil
	}
	return p.bytes(p.vals[p.at[slot][0]])
}

func (p *picker) bytes(v picked) []byte { return p.text[v.start:v.end:v.end] }

func (p *picker) str(slot int) string { return string(p.get(slot)) }

// all calls f with every value of a slot.
func (p *picker) all(slot int, f func(v picked, text []byte)) {
	for _, i := range p.at[slot] {
		f(p.vals[i], p.bytes(p.vals[i]))
	}
}
