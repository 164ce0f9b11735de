package rationale

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// mentionsParameter reports whether a member of data could have the reserved
// name, in any case: it is there as it is, or something is escaped by number,
// as which it could be there too.
func mentionsParameter(data []byte) bool {
	if bytes.Contains(data, []byte(`\u`)) {
		return true
	}
	for {
		i := bytes.IndexByte(data, Parameter[0])
		if i < 0 || len(data)-i < len(Parameter) {
			return false
		}
		if data = data[i:]; bytes.EqualFold(data[:len(Parameter)], []byte(Parameter)) {
			return true
		}
		data = data[1:]
	}
}

// splitPlain is [Split] for arguments that are written plainly (see [writer])
// and have the parameter once, well formed; false for all others.
func splitPlain(arguments []byte) (rest []byte, r *Rationale, ok bool) {
	w := newWriter()
	defer w.release()
	given, value := w.findParameter(arguments)
	if given < 0 {
		return nil, nil, false
	}
	if r, ok = readPlain(value); !ok {
		return nil, nil, false
	}
	taken := w.members[given]
	rest = append(make([]byte, 0, len(arguments)-(taken.end-taken.start)), '{')
	for i, m := range w.members {
		if i == given {
			continue
		}
		if len(rest) > 1 {
			rest = append(rest, ',')
		}
		rest = append(rest, arguments[m.start:m.end]...)
	}
	return append(rest, '}'), r, true
}

// findParameter lists the members of an object in w.members, as spans of data.
// It returns which of them is the parameter, and the canonical form of its
// value; -1 where data is not plain, or the parameter is not there once.
func (w *writer) findParameter(data []byte) (given int, value []byte) {
	given = -1
	i := space(data, 0)
	if i == len(data) || data[i] != '{' {
		return -1, nil
	}
	for i < len(data) && data[i] != '}' {
		m := span{start: space(data, i+1)}
		m.name = w.name(data, m.start)
		i = space(data, m.name)
		if w.failed || i == len(data) || data[i] != ':' || len(w.members) == maxSplitMembers {
			return -1, nil
		}
		from, start := len(w.out), space(data, i+1)
		m.end = w.value(data, start)
		i = space(data, m.end)
		if w.failed || i == len(data) || data[i] != ',' && data[i] != '}' {
			return -1, nil
		}
		if name := data[m.start+1 : m.name-1]; bytes.EqualFold(name, []byte(Parameter)) {
			if given >= 0 || string(name) != Parameter || m.end-start > MaxParameter {
				return -1, nil
			}
			given, value = len(w.members), w.out[from:]
		}
		w.members = append(w.members, m)
	}
	if space(data, i+1) != len(data) {
		return -1, nil
	}
	return given, value
}

// readPlain is [read] for the canonical form of a parameter; false where
// anything is not as it should be.
func readPlain(value []byte) (*Rationale, bool) {
	if value[0] != '{' {
		return nil, false
	}
	r := new(Rationale)
	ok := eachMember(value, func(name, value []byte) bool {
		switch string(name) {
		case "purpose":
			return plainField(value, &r.Purpose)
		case "expected":
			return plainField(value, &r.Expected)
		case "fallback":
			return plainField(value, &r.Fallback)
		case "uncertainty":
			return plainField(value, &r.Uncertainty)
		case "alternatives":
			return eachElement(value, func(value []byte) bool { return plainAlternative(value, r) })
		case "evidence":
			r.Evidence = []string{}
			return eachElement(value, func(value []byte) bool {
				text, ok := plainText(value)
				r.Evidence = append(r.Evidence, text)
				return ok
			})
		}
		return false
	})
	return r, ok && len(r.Alternatives) <= MaxAlternatives && checkCitations(r.Evidence) == nil
}

func plainAlternative(value []byte, r *Rationale) bool {
	if value[0] != '{' {
		return false
	}
	var a Alternative
	ok := eachMember(value, func(name, value []byte) bool {
		switch string(name) {
		case "option":
			return plainField(value, &a.Option)
		case "rejected":
			return plainField(value, &a.Rejected)
		}
		return false
	})
	r.Alternatives = append(r.Alternatives, a)
	return ok
}

// plainField reads a field's text, as it is kept.
func plainField(value []byte, to *string) bool {
	text, ok := plainText(value)
	*to = kept(text, MaxField)
	return ok
}

// plainText reads a string; false where it is none.
func plainText(value []byte) (string, bool) {
	if value[0] != '"' {
		return "", false
	}
	text := value[1 : len(value)-1]
	if bytes.IndexByte(text, '\\') >= 0 {
		text, _ = jsontext.AppendUnquote(nil, value) // it is valid
	}
	return string(text), true
}

// eachMember calls f with the members of a canonical object, their names
// without quotes, until one is false.
func eachMember(object []byte, f func(name, value []byte) bool) bool {
	for i := 1; object[i] != '}'; {
		colon := stringEnd(object, i)
		end := valueEnd(object, colon+1)
		if !f(object[i+1:colon-1], object[colon+1:end]) {
			return false
		}
		if i = end; object[i] == ',' {
			i++
		}
	}
	return true
}

// eachElement calls f with the elements of a canonical array, until one is
// false. What is no array is false too.
func eachElement(array []byte, f func(value []byte) bool) bool {
	if array[0] != '[' {
		return false
	}
	for i := 1; array[i] != ']'; {
		end := valueEnd(array, i)
		if !f(array[i:end]) {
			return false
		}
		if i = end; array[i] == ',' {
			i++
		}
	}
	return true
}

// valueEnd returns the index after the value that starts at i in canonical JSON.
func valueEnd(data []byte, i int) int {
	for depth := 0; ; {
		switch c := data[i]; {
		case c == '"':
			i = stringEnd(data, i)
		case c == '[' || c == '{':
			depth++
			i++
		case (c == ']' || c == '}') && depth > 0:
			depth--
			i++
		default:
			i++
		}
		if depth == 0 && (i == len(data) || data[i] == ',' || data[i] == ']' || data[i] == '}') {
			return i
		}
	}
}
