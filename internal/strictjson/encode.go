package strictjson

import (
	"cmp"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendJSON appends v as JSON text to dst: numbers by their exact literal where
// they came from a document and in the shortest form otherwise, names sorted by
// their bytes, strings escaped as RFC 8785 has it, timestamps as RFC 3339 in UTC,
// durations as Go writes them ("1h0m0s"). The zero Value is null.
func (v Value) AppendJSON(dst []byte) []byte {
	switch v.kind {
	case Bool:
		return strconv.AppendBool(dst, v.Bool())
	case Int:
		if v.str != "" {
			return append(dst, v.str...)
		}
		return strconv.AppendInt(dst, v.num, 10)
	case Double:
		if v.str != "" {
			return append(dst, v.str...)
		}
		return strconv.AppendFloat(dst, v.dbl, 'g', -1, 64)
	case String:
		return appendString(dst, v.str)
	case Timestamp:
		dst = append(dst, '"')
		dst = v.at.UTC().AppendFormat(dst, time.RFC3339Nano)
		return append(dst, '"')
	case Duration:
		return appendString(dst, v.Duration().String())
	case List:
		dst = append(dst, '[')
		for i, e := range v.list {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = e.AppendJSON(dst)
		}
		return append(dst, ']')
	case Map, Object:
		dst = append(dst, '{')
		for i, m := range v.obj {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, m.Name), ':')
			dst = m.Value.AppendJSON(dst)
		}
		return append(dst, '}')
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
func (v Value) Equal(w Value) bool {
	if v.kind != w.kind && (!v.kind.keyed() || !w.kind.keyed()) {
		return false
	}
	switch v.kind {
	case Bool, Int, Duration:
		return v.num == w.num
	case Double:
		return cmp.Compare(v.dbl, w.dbl) == 0
	case String:
		return v.str == w.str
	case Timestamp:
		return v.at.Equal(w.at)
	case List:
		if len(v.list) != len(w.list) {
			return false
		}
		for i := range v.list {
			if !v.list[i].Equal(w.list[i]) {
				return false
			}
		}
	case Map, Object:
		if len(v.obj) != len(w.obj) {
			return false
		}
		for i := range v.obj {
			if v.obj[i].Name != w.obj[i].Name || !v.obj[i].Value.Equal(w.obj[i].Value) {
				return false
			}
		}
	}
	return true
}

func (k Kind) keyed() bool { return k == Map || k == Object }
