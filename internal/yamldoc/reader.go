package yamldoc

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Reader reads the values of one document, and collects what is wrong with them. A
// method given an absent value returns the zero value and reports nothing; what
// must be there is asked for with [Map.Need].
type Reader struct{ Problems []Problem }

// Fail reports a problem of a node.
func (r *Reader) Fail(n Node, hint, format string, args ...any) {
	r.Problems = append(r.Problems, n.Problem(fmt.Sprintf(format, args...), hint))
}

// Value is a node and what an author calls it.
type Value struct {
	Node
	Name string
}

// Named gives a node a name.
func Named(n Node, name string) Value { return Value{n, name} }

// Map is the values of one mapping, with names.
type Map struct {
	Fields
	reader *Reader
	what   string
	path   string // before the keys in messages, such as "grant."
}

// Map reads a mapping that has no other than the known keys.
func (r *Reader) Map(v Value, path string, known ...string) Map {
	m := Map{reader: r, what: v.Name, path: path}
	if v.IsZero() {
		return m
	}
	var problems []Problem
	m.Fields, problems = v.Fields(v.Name, known...)
	r.Problems = append(r.Problems, problems...)
	return m
}

// Get returns the value of a key, which may be absent.
func (m Map) Get(key string) Value { return Value{m.Fields.Get(key), m.path + key} }

// Need returns the value of a key, and reports it where it is absent. Of a
// mapping that is itself absent, or is none, nothing is reported.
func (m Map) Need(key, hint string) Value {
	v := m.Get(key)
	if v.IsZero() && m.Node.Kind() == Mapping {
		m.reader.Fail(m.Node, hint, "%s has no %q", m.what, key)
	}
	return v
}

// Scalar returns a single value's text, and reports other kinds of value.
func (r *Reader) Scalar(v Value, want string) (string, bool) {
	switch {
	case v.IsZero():
		return "", false
	case v.Kind() != Scalar:
		r.Fail(v.Node, "", "%s is %s, not %s", v.Name, v.Describe(), want)
		return "", false
	case v.Null():
		r.Fail(v.Node, "give it a value", "%s is empty", v.Name)
		return "", false
	}
	return v.Text(), true
}

// Str returns a text that is not blank.
func (r *Reader) Str(v Value) string {
	s, ok := r.Scalar(v, "a text")
	if ok && strings.TrimSpace(s) == "" {
		r.Fail(v.Node, "give it a value", "%s is blank", v.Name)
		return ""
	}
	return s
}

// Boolean reads true or false; YAML 1.1's other spellings are refused.
func (r *Reader) Boolean(v Value) bool {
	s, ok := r.Scalar(v, "true or false")
	if !ok {
		return false
	}
	if v.Plain() && (s == "true" || s == "false") {
		return s == "true"
	}
	r.Fail(v.Node, "want true or false", "%s is %q, not a boolean", v.Name, s)
	return false
}

var integerText = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)

// IsInteger reports whether a text is a whole number as it is written in documents.
func IsInteger(s string) bool { return integerText.MatchString(s) }

// Integer reads a whole number from low on; 0 where it is wrong.
func (r *Reader) Integer(v Value, low int) int {
	s, ok := r.Scalar(v, "a whole number")
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(s)
	switch {
	case !v.Plain() || !IsInteger(s) || err != nil || n > 1<<31-1:
		r.Fail(v.Node, "write it in digits, without quotes", "%s is %q, not a whole number", v.Name, s)
		return 0
	case n < low:
		r.Fail(v.Node, "", "%s is %d: less than %d", v.Name, n, low)
		return 0
	}
	return n
}

// OneOf reads one of the known words; empty where it is wrong.
func (r *Reader) OneOf(v Value, known ...string) string {
	want := ""
	if v.Kind() != Scalar || v.Null() {
		want = OrList(known) // for the error
	}
	s, ok := r.Scalar(v, want)
	if !ok || slices.Contains(known, s) {
		return s
	}
	r.Fail(v.Node, NearestHint(s, known), "%s is %q, which is unknown", v.Name, s)
	return ""
}

// NearestHint says which of the known names a misspelled one may be.
func NearestHint(s string, known []string) string {
	if near := Nearest(s, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "want " + OrList(known)
}

// OrList writes names as "a, b or c".
func OrList(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// List reads a list that is not empty, unless that means something.
func (r *Reader) List(v Value, emptyToo bool) []Value {
	switch {
	case v.IsZero():
		return nil
	case v.Kind() != Sequence:
		r.Fail(v.Node, "write it as [a, b], or as lines that begin with '-'", "%s is %s, not a list", v.Name, v.Describe())
		return nil
	}
	items := v.Items()
	if len(items) == 0 && !emptyToo {
		r.Fail(v.Node, "name at least one", "%s is empty", v.Name)
	}
	values := make([]Value, len(items))
	for i, item := range items {
		values[i] = Value{item, fmt.Sprintf("%s[%d]", v.Name, i)}
	}
	return values
}

// Pairs reads a mapping whose keys are the author's own, which is not empty.
func (r *Reader) Pairs(v Value) []Entry {
	switch {
	case v.IsZero():
		return nil
	case v.Kind() != Mapping:
		r.Fail(v.Node, "write it as {key: value}, or as indented lines of key: value", "%s is %s, not a mapping", v.Name, v.Describe())
		return nil
	case len(v.Entries()) == 0:
		r.Fail(v.Node, "name at least one", "%s is empty", v.Name)
	}
	return v.Entries()
}
