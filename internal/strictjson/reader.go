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
}

// NewReader returns a reader that keeps the values at places, each of which
// leads through declared properties only.
func (s *Schema) NewReader(places []Place) *Reader {
	return &Reader{schema: s, places: places}
}

// Scratch is memory that one reading of a document after the other uses. The
// zero Scratch is ready. It serves one goroutine.
type Scratch struct{}

// Read reads one document in one pass, refuses what [Schema.Decode] refuses
// with the same errors, and sets into[p.Slot] for every place p: to the value
// there, or to the zero Value where there is none.
//
// The values refer to data and to scratch: they are valid until either is used
// again.
func (r *Reader) Read(data []byte, lim Limits, into []Value, scratch *Scratch) error {
	v, err := r.schema.Decode(data, lim)
	for _, p := range r.places {
		into[p.Slot] = Value{}
	}
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
