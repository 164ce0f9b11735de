package audit

import (
	"encoding/binary"
	"errors"
	"time"
)

// rowOut writes the parts of a row.
type rowOut []byte

func (b *rowOut) reset()       { *b = (*b)[:0] }
func (b *rowOut) num(n uint64) { *b = binary.AppendUvarint(*b, n) }
func (b *rowOut) str(s string) { b.num(uint64(len(s))); *b = append(*b, s...) }
func (b *rowOut) flag(f bool) {
	if f {
		b.num(1)
	} else {
		b.num(0)
	}
}

func (b *rowOut) strs(list []string) {
	b.num(uint64(len(list)))
	for _, s := range list {
		b.str(s)
	}
}

// time writes an instant so that the bytes sort as time does. The zero time
// comes first.
func (b *rowOut) time(t time.Time) { *b = append(*b, timeKey(t)...) }

func timeKey(t time.Time) []byte {
	var n uint64
	if !t.IsZero() {
		n = uint64(t.UnixNano()) ^ 1<<63
	}
	return binary.BigEndian.AppendUint64(nil, n)
}

// rowIn reads what rowOut wrote; texts share the row's memory. What does not fit
// is remembered in bad.
type rowIn struct {
	rest string
	bad  bool
}

// readRow copies a row, once for all that is read from it.
func readRow(row []byte) rowIn { return rowIn{rest: string(row)} }

var errRow = errors.New("a temporary file does not read back as it was written")

func (r *rowIn) err() error {
	if r.bad {
		return errRow
	}
	return nil
}

func (r *rowIn) num() uint64 {
	var n uint64
	for i := range min(len(r.rest), binary.MaxVarintLen64) {
		c := r.rest[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.rest = r.rest[i+1:]
			return n
		}
	}
	r.bad, r.rest = true, ""
	return 0
}

func (r *rowIn) flag() bool { return r.num() == 1 }

func (r *rowIn) str() string {
	n := r.num()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, ""
		return ""
	}
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return text
}

func (r *rowIn) strs() []string {
	n := r.num()
	if n == 0 || n > uint64(len(r.rest)) {
		r.bad = r.bad || n > 0
		return nil
	}
	list := make([]string, 0, n)
	for range n {
		list = append(list, r.str())
	}
	return list
}

func (r *rowIn) time() time.Time {
	if len(r.rest) < 8 {
		r.bad, r.rest = true, ""
		return time.Time{}
	}
	n := binary.BigEndian.Uint64([]byte(r.rest[:8]))
	r.rest = r.rest[8:]
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(n^1<<63)).UTC()
}

// encode writes an event; its time first, so that rows of one key come in the
// order of time.
func (e *event) encode(b *rowOut) {
	b.time(e.at)
	b.str(e.id)
	b.str(e.action)
	b.str(e.principal)
	b.num(uint64(e.agent + 1))
	b.str(e.resource)
	b.flag(e.failed)
	b.flag(e.seen)
	b.num(uint64(e.log))
	b.num(uint64(e.file))
	b.num(uint64(e.offset))
	b.num(e.request) // a hash of this process: it must not order rows
	b.num(uint64(len(e.keys)))
	for _, k := range e.keys {
		b.num(uint64(k.path))
		b.str(k.text)
	}
	b.num(uint64(len(e.values)))
	for _, at := range e.values {
		b.strs(at)
	}
}

func (e *event) decode(r *rowIn) {
	*e = event{keys: e.keys[:0], values: e.values[:0]}
	e.at, e.id, e.action, e.principal = r.time(), r.str(), r.str(), r.str()
	e.agent, e.resource, e.failed, e.seen = int(r.num())-1, r.str(), r.flag(), r.flag()
	e.log, e.file, e.offset, e.request = int(r.num()), int(r.num()), int64(r.num()), r.num()
	for n := r.num(); n > 0 && !r.bad; n-- {
		e.keys = append(e.keys, key{int(r.num()), r.str()})
	}
	for n := r.num(); n > 0 && !r.bad; n-- {
		e.values = append(e.values, r.strs())
	}
}
