package audit

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/internal/yamldoc"
)

// decoder reads the nodes of one document and collects what is wrong with them.
// A method given an absent value returns the zero value and reports nothing;
// what must be there is asked for with [fields.need].
type decoder struct {
	dir  string
	errs []*authority.Error
}

func (d *decoder) problem(p yamldoc.Problem) {
	e := &authority.Error{Line: p.Pos.Line, Column: p.Pos.Column, Width: p.Width, Message: p.Message, Hint: p.Hint}
	if p.File != nil {
		e.File, e.Source = p.File.Name, p.File.Line(p.Pos.Line)
	}
	d.errs = append(d.errs, e)
}

func (d *decoder) fail(v value, hint, format string, args ...any) {
	d.problem(v.Problem(fmt.Sprintf(format, args...), hint))
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
	name string
	path string // before the keys in messages
}

// fields reads a mapping that has no other than the known keys.
func (d *decoder) fields(v value, path string, known ...string) fields {
	f := fields{d: d, name: v.name, path: path}
	if v.IsZero() {
		return f
	}
	var problems []yamldoc.Problem
	f.Fields, problems = v.Fields(v.name, known...)
	for _, p := range problems {
		d.problem(p)
	}
	return f
}

func (f fields) get(key string) value { return value{f.Get(key), f.path + key} }

// need returns the value of a key, and reports it where it is absent.
func (f fields) need(key, hint string) value {
	v := f.get(key)
	if v.IsZero() && f.Node.Kind() == yamldoc.Mapping {
		f.d.problem(f.Node.Problem(fmt.Sprintf("%s has no %q", f.name, key), hint))
	}
	return v
}

// str returns a text that is not blank.
func (d *decoder) str(v value) string {
	switch {
	case v.IsZero():
		return ""
	case v.Kind() != yamldoc.Scalar:
		d.fail(v, "", "%s is %s, not a text", v.name, v.Describe())
		return ""
	case strings.TrimSpace(v.Text()) == "":
		d.fail(v, "give it a value", "%s is empty", v.name)
		return ""
	}
	return v.Text()
}

// oneOf reads one of the known words; empty where it is wrong.
func (d *decoder) oneOf(v value, known ...string) string {
	s := d.str(v)
	if s == "" || slices.Contains(known, s) {
		return s
	}
	hint := "want " + strings.Join(known, ", ")
	if near := yamldoc.Nearest(s, known); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	d.fail(v, hint, "%s is %q, which is unknown", v.name, s)
	return ""
}

// list reads a list that is not empty.
func (d *decoder) list(v value) []value {
	switch {
	case v.IsZero():
		return nil
	case v.Kind() != yamldoc.Sequence:
		d.fail(v, "write it as [a, b], or as lines that begin with '-'", "%s is %s, not a list", v.name, v.Describe())
		return nil
	case len(v.Items()) == 0:
		d.fail(v, "name at least one", "%s is empty", v.name)
	}
	var items []value
	for i, item := range v.Items() {
		items = append(items, value{item, fmt.Sprintf("%s[%d]", v.name, i)})
	}
	return items
}

// texts reads a list of different texts.
func (d *decoder) texts(v value) []string {
	var texts []string
	for _, item := range d.list(v) {
		s := d.str(item)
		switch {
		case s == "":
		case slices.Contains(texts, s):
			d.fail(item, "leave one out", "%s names %q twice", v.name, s)
		default:
			texts = append(texts, s)
		}
	}
	return texts
}

func (d *decoder) patterns(v value) []pattern {
	var patterns []pattern
	for _, s := range d.texts(v) {
		patterns = append(patterns, pattern(s))
	}
	return patterns
}

// files reads paths, relative to the document's folder.
func (d *decoder) files(v value) []string {
	var paths []string
	for _, s := range d.texts(v) {
		paths = append(paths, d.file(s))
	}
	return paths
}

func (d *decoder) file(s string) string {
	if s == "" || filepath.IsAbs(s) {
		return s
	}
	return filepath.Join(d.dir, filepath.FromSlash(s))
}

// number reads a whole number from 1 on.
func (d *decoder) number(v value, otherwise int) int {
	if v.IsZero() {
		return otherwise
	}
	n, err := strconv.Atoi(v.Text())
	if err != nil || n < 1 || n > 1<<20 || !v.Plain() {
		d.fail(v, "write it in digits, without quotes", "%s is %q, not a whole number from 1 on", v.name, v.Text())
		return otherwise
	}
	return n
}

// span reads a length of time, such as 30s, 15m, 24h or 7d.
func (d *decoder) span(v value, otherwise time.Duration) time.Duration {
	if v.IsZero() {
		return otherwise
	}
	text := d.str(v)
	length, err := time.ParseDuration(text)
	if days, found := strings.CutSuffix(text, "d"); found {
		var n int
		if n, err = strconv.Atoi(days); n > 36500 {
			err = strconv.ErrRange
		}
		length = time.Duration(n) * 24 * time.Hour
	}
	if text != "" && (err != nil || length < 0) {
		d.fail(v, "want such as 30s, 15m, 24h or 7d", "%s is %q, not a length of time", v.name, text)
		return otherwise
	}
	return length
}

// date reads an instant.
func (d *decoder) date(v value) time.Time {
	text := d.str(v)
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		d.fail(v, "want such as 2026-11-02T09:30:00Z", "%s is %q, not a time", v.name, text)
	}
	return at
}
