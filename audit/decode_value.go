package audit

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/internal/yamldoc"
)

// decoder reads the nodes of one document and collects what is wrong with them.
type decoder struct {
	yamldoc.Reader
	dir string
}

type value = yamldoc.Value

// errors returns what is wrong with the document.
func (d *decoder) errors() authority.Errors {
	errs := make(authority.Errors, len(d.Problems))
	for i, p := range d.Problems {
		errs[i] = &authority.Error{Line: p.Pos.Line, Column: p.Pos.Column, Width: p.Width, Message: p.Message, Hint: p.Hint}
		if p.File != nil {
			errs[i].File, errs[i].Source = p.File.Name, p.File.Line(p.Pos.Line)
		}
	}
	return errs
}

// texts reads a list of different texts.
func (d *decoder) texts(v value) []string {
	var texts []string
	for _, item := range d.List(v, false) {
		s := d.Str(item)
		switch {
		case s == "":
		case slices.Contains(texts, s):
			d.Fail(item.Node, "leave one out", "%s names %q twice", v.Name, s)
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
	n := d.Integer(v, 1)
	if n > 1<<20 {
		d.Fail(v.Node, "", "%s is %d: more than %d", v.Name, n, 1<<20)
	}
	return n
}

// maxSpan is how many hours a length of time may have: a hundred years.
const maxSpan = 36500 * 24

// span reads a length of time, such as 30s, 15m, 24h or 7d.
func (d *decoder) span(v value, otherwise time.Duration) time.Duration {
	if v.IsZero() {
		return otherwise
	}
	text := d.Str(v)
	length, err := time.ParseDuration(text)
	if days, found := strings.CutSuffix(text, "d"); found {
		var n int
		if n, err = strconv.Atoi(days); n > maxSpan/24 {
			err = strconv.ErrRange
		}
		length = time.Duration(n) * 24 * time.Hour
	}
	if length > maxSpan*time.Hour {
		err = strconv.ErrRange
	}
	if text != "" && (err != nil || length < 0) {
		d.Fail(v.Node, "want such as 30s, 15m, 24h or 7d", "%s is %q, not a length of time", v.Name, text)
		return otherwise
	}
	return length
}

// date reads an instant.
func (d *decoder) date(v value) time.Time {
	text := d.Str(v)
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		d.Fail(v.Node, "want such as 2026-11-02T09:30:00Z", "%s is %q, not a time", v.Name, text)
	}
	return at
}
