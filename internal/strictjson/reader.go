package strictjson

// Place is a value in a document that somebody wants: the names of the
// properties that lead to it from the root, and the index at which it is kept.
type Place struct {
	Path []string
	Slot int
}

// Reader reads documents of one schema and keeps only the values at some
// places. It is immutable and safe for concurrent use.
type Reader struct {
	schema *Schema
	places []Place
	want   *want    // nil: the schema refuses everything
	copies [][2]int // slots from and to, where two places are one
}

// want says what of the value at a node, and of what is in it, somebody wants.
// Nil: nothing.
type want struct {
	slot    int              // of the value itself; negative: nobody wants it
	fields  []*want          // by the index of the declared property; nil: of none
	further map[string]*want // by the names of other properties
}

// NewReader returns a reader that keeps the values at places, each of which
// leads through declared properties only.
func (s *Schema) NewReader(places []Place) *Reader {
	r := &Reader{schema: s, places: places}
	if s == nil || s.root == nil {
		return r
	}
	r.want = &want{slot: -1}
	for _, p := range places {
		n, w := s.root, r.want
		for _, name := range p.Path {
			n, w = w.child(n, name)
		}
		if w.slot >= 0 {
			r.copies = append(r.copies, [2]int{w.slot, p.Slot})
			continue
		}
		w.slot = p.Slot
	}
	return r
}

// child returns what is wanted of the property of that name of the object at n.
func (w *want) child(n *node, name string) (*node, *want) {
	if n != nil {
		if i := n.find([]byte(name)); i >= 0 {
			if w.fields == nil {
				w.fields = make([]*want, len(n.fields))
			}
			if w.fields[i] == nil {
				w.fields[i] = &want{slot: -1}
			}
			return n.fields[i].node, w.fields[i]
		}
		n = n.extra
	}
	if w.further == nil {
		w.further = make(map[string]*want)
	}
	if w.further[name] == nil {
		w.further[name] = &want{slot: -1}
	}
	return n, w.further[name]
}

func (w *want) field(i int) *want {
	if w == nil || i >= len(w.fields) {
		return nil
	}
	return w.fields[i]
}

func (w *want) other(name []byte) *want {
	if w == nil {
		return nil
	}
	return w.further[string(name)]
}

// Read reads one document, refuses what [Schema.Decode] refuses with the same
// errors, and sets into[p.Slot] for every place p: to the value there, or to the
// zero Value where there is none, which is everywhere if it returns an error. Of
// what no place names nothing is built.
//
// The values refer to data and to scratch: data must not change while they are in
// use, and the next Read or [Scratch.Forget] ends them.
//
// Once scratch has grown to what such documents need, nothing is allocated for
// one that is accepted. There are three exceptions: schemas with keywords that
// only the library checks, documents that need more memory than a Scratch keeps,
// and objects of more than 64 properties in schemas that leave some undeclared.
func (r *Reader) Read(data []byte, lim Limits, into []Value, scratch *Scratch) error {
	r.clear(into)
	scratch.Forget()
	if r.want == nil || r.schema.rules != nil {
		return r.decode(data, lim, into)
	}
	easy := plain{data: data, lim: lim, into: into}
	if !easy.document(r.schema.root, r.want) {
		if err := r.scan(data, lim, into, scratch); err != nil {
			return err
		}
	}
	for _, c := range r.copies {
		into[c[1]] = into[c[0]]
	}
	return nil
}

// scan is Read for whatever a document can be.
func (r *Reader) scan(data []byte, lim Limits, into []Value, scratch *Scratch) error {
	r.clear(into)
	d := &scratch.decoder
	d.lim, d.nodes, d.into, d.arena, d.source = lim, 0, into, scratch, &scratch.source
	_, err := d.document(data, r.schema.root, r.want, false, r.schema.distinct)
	d.into = nil
	if err != nil {
		r.clear(into)
		return err
	}
	return nil
}

func (r *Reader) clear(into []Value) {
	for i := range r.places {
		into[r.places[i].Slot] = Value{}
	}
}

// decode is Read for schemas of which the whole document is looked at again.
func (r *Reader) decode(data []byte, lim Limits, into []Value) error {
	v, err := r.schema.Decode(data, lim)
	if err != nil {
		return err
	}
	for _, p := range r.places {
		at, ok := v, true
		for _, name := range p.Path {
			if at, ok = at.Get(name); !ok {
				break
			}
		}
		if ok {
			into[p.Slot] = at
		}
	}
	return nil
}
