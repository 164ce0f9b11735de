package strictjson

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

func wrongKind(want kindSet, got string, offset int) *Error {
	names := want.names()
	switch len(names) {
	case 0:
		return refuse(offset, "no value is allowed here, got %s", got)
	case 1:
		return refuse(offset, "want %s, got %s", names[0], got)
	}
	return refuse(offset, "want one of %s, got %s", strings.Join(names, ", "), got)
}

func notInEnum(n *node, got Value, offset int) *Error {
	allowed := make([]string, len(n.enum))
	for i, v := range n.enum {
		allowed[i] = v.brief()
	}
	if len(allowed) == 1 {
		return refuse(offset, "want %s, got %s", allowed[0], got.brief())
	}
	return refuse(offset, "want one of %s, got %s", listed(allowed), got.brief())
}

func missing(n *node, got Value, offset int) *Error {
	var names []string
	for i := range n.fields {
		if _, ok := got.Get(n.fields[i].name); !ok && n.fields[i].required == 1 {
			names = append(names, nameStep(n.fields[i].name))
		}
	}
	if len(names) == 1 {
		return refuse(offset, "required property %s is missing", names[0])
	}
	return refuse(offset, "required properties are missing: %s", listed(names))
}

func unknown(n *node, name string, offset int) *Error {
	names := n.fieldNames()
	msg := "unknown property; none is known here"
	if len(names) > 0 {
		near := ""
		if s, ok := nearest(name, names); ok {
			near = fmt.Sprintf("did you mean %s? ", nameStep(s))
		}
		for i := range names {
			names[i] = nameStep(names[i])
		}
		msg = fmt.Sprintf("unknown property; %sknown: %s", near, listed(names))
	}
	return (&Error{Offset: int64(offset), Message: msg}).belowName(name)
}

// brief writes a scalar for a message.
func (v Value) brief() string {
	switch v.kind {
	case String:
		return quote(v.Str())
	case List:
		return "an array"
	case Map, Object:
		return "an object"
	case Table:
		return "a table"
	}
	return cut(string(v.AppendJSON(nil)), maxQuoted)
}

// nearest returns the candidate of which name is likely a misspelling: few
// characters apart for its length, and nearer than the others.
func nearest(name string, candidates []string) (string, bool) {
	const longest = 64 // beyond this nobody mistypes, and comparing costs
	if utf8.RuneCountInString(name) > longest {
		return "", false
	}
	best, found := -1, ""
	for _, c := range candidates {
		if len(c) > longest {
			continue
		}
		d := editDistance(strings.ToLower(name), strings.ToLower(c))
		if limit := max(len(name), len(c))/3 + 1; d <= limit && (best < 0 || d < best) {
			best, found = d, c
		}
	}
	return found, best >= 0
}

// editDistance is Levenshtein's, over characters.
func editDistance(a, b string) int {
	s, t := []rune(a), []rune(b)
	row := make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i := range s {
		diagonal := row[0]
		row[0] = i + 1
		for j := range t {
			cost := diagonal
			if s[i] != t[j] {
				cost = 1 + slices.Min([]int{diagonal, row[j], row[j+1]})
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(t)]
}
