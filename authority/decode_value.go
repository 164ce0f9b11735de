package authority

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/yamldoc"
)

// decoder reads the nodes of one file and collects what is wrong with them. A
// method given an absent value returns the zero value and reports nothing;
// what must be there is asked for with [fields.need].
type decoder struct {
	errs []*Error
}

func (d *decoder) fail(n yamldoc.Node, hint, format string, args ...any) {
	d.errs = append(d.errs, errorOf(n.Problem(fmt.Sprintf(format, args...), hint)))
}

// value is a node and what an author calls it.
type value struct {
	yamldoc.Node
	name string
}

// fields are the values of one mapping.
type fields struct {
	yamldoc.Fields
	d    *decoder
	what string
	path string // before the keys in messages, such as "grant."
}

// fields reads a mapping that has no other than the known keys.
func (d *decoder) fields(v value, path string, known ...string) fields {
	f := fields{d: d, what: v.name, path: path}
	if v.IsZero() {
		return f
	}
	var problems []yamldoc.Problem
	f.Fields, problems = v.Fields(v.name, known...)
	for _, p := range problems {
		d.errs = append(d.errs, errorOf(p))
	}
	return f
}

// get returns the value of a key, which may be absent.
func (f fields) get(key string) value { return value{f.Get(key), f.path + key} }

// need returns the value of a key, and reports it where it is absent. Of a
// mapping that is itself absent, or is none, nothing is reported.
func (f fields) need(key, hint string) value {
	v := f.get(key)
	if v.IsZero() && f.Node.Kind() == yamldoc.Mapping {
		f.d.fail(f.Node, hint, "%s has no %q", f.what, key)
	}
	return v
}

// scalar returns a single value's text, and reports other kinds of value.
func (d *decoder) scalar(v value, want string) (string, bool) {
	switch {
	case v.IsZero():
		return "", false
	case v.Kind() != yamldoc.Scalar:
		d.fail(v.Node, "", "%s is %s, not %s", v.name, v.Describe(), want)
		return "", false
	case v.Null():
		d.fail(v.Node, "give it a value", "%s is empty", v.name)
		return "", false
	}
	return v.Text(), true
}

// str returns a text that is not blank.
func (d *decoder) str(v value) string {
	s, ok := d.scalar(v, "a text")
	if ok && strings.TrimSpace(s) == "" {
		d.fail(v.Node, "give it a value", "%s is blank", v.name)
		return ""
	}
	return s
}

func (d *decoder) text(v value) text { return text{d.str(v), v.Node} }

const maxID = 256

// id returns a text that names something: printable, without spaces.
func (d *decoder) id(v value) text {
	s := d.str(v)
	if s == "" {
		return text{"", v.Node}
	}
	if fault := idFault(s); fault != "" {
		d.fail(v.Node, "an id is printable text without spaces and '*'", "%s: %s", v.name, fault)
		return text{"", v.Node}
	}
	return text{s, v.Node}
}

func idFault(s string) string {
	if len(s) > maxID {
		return fmt.Sprintf("%d bytes are more than the %d allowed", len(s), maxID)
	}
	if !utf8.ValidString(s) {
		return "not valid UTF-8"
	}
	for _, r := range s {
		if r == '*' || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return fmt.Sprintf("the character %q is not allowed", r)
		}
	}
	return ""
}

// boolean reads true or false; YAML 1.1's other spellings are refused.
func (d *decoder) boolean(v value) bool {
	s, ok := d.scalar(v, "true or false")
	if !ok {
		return false
	}
	if v.Plain() && (s == "true" || s == "false") {
		return s == "true"
	}
	d.fail(v.Node, "want true or false", "%s is %q, not a boolean", v.name, s)
	return false
}

var integerText = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)

// integer reads a whole number from low on; 0 where it is wrong.
func (d *decoder) integer(v value, low int) int {
	s, ok := d.scalar(v, "a whole number")
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(s)
	switch {
	case !v.Plain() || !integerText.MatchString(s) || err != nil || n > 1<<31-1:
		d.fail(v.Node, "write it in digits, without quotes", "%s is %q, not a whole number", v.name, s)
		return 0
	case n < low:
		d.fail(v.Node, "", "%s is %d: less than %d", v.name, n, low)
		return 0
	}
	return n
}

// oneOf reads one of the known words; empty where it is wrong.
func (d *decoder) oneOf(v value, known ...string) string {
	want := ""
	if v.Kind() != yamldoc.Scalar || v.Null() {
		want = orList(known) // for the error
	}
	s, ok := d.scalar(v, want)
	if !ok {
		return ""
	}
	for _, k := range known {
		if s == k {
			return s
		}
	}
	d.fail(v.Node, nearestHint(s, known), "%s is %q, which is unknown", v.name, s)
	return ""
}

func nearestHint(s string, known []string) string {
	if near := yamldoc.Nearest(s, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "want " + orList(known)
}

// orList writes names as "a, b or c".
func orList(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// tier reads a tier; TierUnknown where it is wrong or absent.
func (d *decoder) tier(v value) classify.Tier {
	var names []string
	for _, t := range classify.Tiers() {
		names = append(names, t.String())
	}
	t, _ := classify.ParseTier(d.oneOf(v, names...))
	return t
}

// list reads a list that is not empty, unless that means something.
func (d *decoder) list(v value, emptyToo bool) []value {
	switch {
	case v.IsZero():
		return nil
	case v.Kind() != yamldoc.Sequence:
		d.fail(v.Node, "write it as [a, b], or as lines that begin with '-'", "%s is %s, not a list", v.name, v.Describe())
		return nil
	}
	items := v.Items()
	if len(items) == 0 && !emptyToo {
		d.fail(v.Node, "name at least one", "%s is empty", v.name)
	}
	values := make([]value, len(items))
	for i, item := range items {
		values[i] = value{item, fmt.Sprintf("%s[%d]", v.name, i)}
	}
	return values
}

// ids reads a list of different ids, which is not empty.
func (d *decoder) ids(v value) []text {
	var ids []text
	seen := make(map[string]bool)
	for _, item := range d.list(v, false) {
		id := d.id(item)
		if id.Value == "" {
			continue
		}
		if seen[id.Value] {
			d.fail(item.Node, "leave one out", "%s names %q twice", v.name, id.Value)
			continue
		}
		seen[id.Value] = true
		ids = append(ids, id)
	}
	return ids
}

// pairs reads a mapping whose keys are the author's own, which is not empty.
func (d *decoder) pairs(v value) []yamldoc.Entry {
	switch {
	case v.IsZero():
		return nil
	case v.Kind() != yamldoc.Mapping:
		d.fail(v.Node, "write it as {key: value}, or as indented lines of key: value", "%s is %s, not a mapping", v.name, v.Describe())
		return nil
	case len(v.Entries()) == 0:
		d.fail(v.Node, "name at least one", "%s is empty", v.name)
	}
	return v.Entries()
}

// values returns the texts alone; nil where there are none.
func values(ids []text) []string {
	if len(ids) == 0 {
		return nil
	}
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.Value
	}
	return out
}
