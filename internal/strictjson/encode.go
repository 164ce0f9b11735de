package strictjson

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendJSON appends v as JSON text to dst: numbers by their exact literal where
// they came from a document and in the shortest form otherwise, names sorted by
// their bytes, strings escaped as RFC 8785 has it, timestamps as RFC 3339 in UTC,
// durations as Go writes them ("1h0m0s"), bytes as base64, a table as the list of
// its entries, each a list of key and value. The zero Value is null.
func (v Value) AppendJSON(dst []byte) []byte {
	switch v.kind {
	case List:
		dst = append(dst, '[')
		for i, e := range v.List() {
			dst = e.AppendJSON(separate(dst, i))
		}
		return append(dst, ']')
	case Map, Object:
		dst = append(dst, '{')
		for i, m := range v.Members() {
			dst = append(appendString(separate(dst, i), m.Name), ':')
			dst = m.Value.AppendJSON(dst)
		}
		return append(dst, '}')
	case Table:
		dst = append(dst, '[')
		for i, e := range v.Entries() {
			dst = e.Key.AppendJSON(append(separate(dst, i), '['))
			dst = append(e.Value.AppendJSON(append(dst, ',')), ']')
		}
		return append(dst, ']')
	}
	return v.appendScalar(dst)
}

func separate(dst []byte, i int) []byte {
	if i == 0 {
		return dst
	}
	return append(dst, ',')
}

func (v Value) appendScalar(dst []byte) []byte {
	if literal := v.Literal(); literal != "" {
		return append(dst, literal...)
	}
	switch v.kind {
	case Bool:
		return strconv.AppendBool(dst, v.Bool())
	case Int:
		return strconv.AppendInt(dst, v.num, 10)
	case Uint:
		return strconv.AppendUint(dst, v.Uint(), 10)
	case Double:
		return strconv.AppendFloat(dst, v.Double(), 'g', -1, 64)
	case String:
		return appendString(dst, v.Str())
	case Bytes:
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), []byte(v.Str()))
		return append(dst, '"')
	case Timestamp:
		dst = v.Time().AppendFormat(append(dst, '"'), time.RFC3339Nano)
		return append(dst, '"')
	case Duration:
		return appendString(dst, v.Duration().String())
	}
	return append(dst, "null"...)
}

// MarshalJSON implements [encoding/json.Marshaler]. It never fails.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// appendString replaces what is not UTF-8, which only a host's own values can
// hold, by U+FFFD; the error says no more than that.
func appendString(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}

// Equal reports whether v and w are of one kind and equal, however their numbers
// were written. Object and Map count as one kind, a timestamp is its instant.
func (v Value) Equal(w Value) bool { return v.equal(&w) }

func (v *Value) equal(w *Value) bool {
	if v.kind != w.kind && (!v.kind.keyed() || !w.kind.keyed()) {
		return false
	}
	switch v.kind {
	case Bool, Int, Uint, Duration:
		return v.num == w.num
	case Double:
		return cmp.Compare(v.Double(), w.Double()) == 0
	case String, Bytes:
		return v.Str() == w.Str()
	case Timestamp:
		return v.num == w.num && v.more == w.more
	case List:
		return slices.EqualFunc(v.List(), w.List(), Value.Equal)
	case Map, Object:
		return slices.EqualFunc(v.Members(), w.Members(), func(a, b Member) bool {
			return a.Name == b.Name && a.Value.Equal(b.Value)
		})
	case Table:
		return slices.EqualFunc(v.Entries(), w.Entries(), func(a, b Entry) bool {
			return a.Key.Equal(b.Key) && a.Value.Equal(b.Value)
		})
	}
	return true
}

func (k Kind) keyed() bool { return k == Map || k == Object }

// compareKeys orders what can be keys of one table.
func compareKeys(v, w Value) int {
	if v.kind != w.kind {
		return strings.Compare(v.kind.String(), w.kind.String())
	}
	switch v.kind {
	case Bool, Int, Duration:
		return cmp.Compare(v.num, w.num)
	case Uint:
		return cmp.Compare(v.Uint(), w.Uint())
	case Double:
		return cmp.Compare(v.Double(), w.Double())
	case String, Bytes:
		return strings.Compare(v.Str(), w.Str())
	case Timestamp:
		return cmp.Or(cmp.Compare(v.num, w.num), cmp.Compare(v.more, w.more))
	}
	return bytes.Compare(v.AppendJSON(nil), w.AppendJSON(nil))
}
