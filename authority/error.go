package authority

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/ambit-go/ambit/internal/yamldoc"
)

// Error is something wrong at a place of a document.
type Error struct {
	File    string // the document's name
	Line    int    // 1-based
	Column  int    // 1-based, in characters
	Width   int    // characters of the offending text
	Message string // what is wrong
	Hint    string // what would be right; may be empty
	Source  string // the line that it stands on, without its break
}

// Error returns "file:line:column: message", the source line with a caret under
// the offending text, and the hint. Characters that a terminal would act upon
// are replaced; a long line is cut around the place.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s", printable(e.File), e.Line, e.Column, printable(e.Message))
	if line, caret := e.excerpt(); line != "" {
		fmt.Fprintf(&b, "\n  %s\n  %s", line, caret)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "\n  %s", printable(e.Hint))
	}
	return b.String()
}

// Characters of a source line that are shown before and after the place.
const (
	excerptBefore = 100
	excerptAfter  = 120
)

// excerpt returns the source line as it is shown, and the line with the caret.
func (e *Error) excerpt() (line, caret string) {
	runes := []rune(e.Source)
	at := min(max(e.Column-1, 0), len(runes))
	end := min(at+max(e.Width, 1), len(runes))
	from, to := max(at-excerptBefore, 0), min(at+excerptAfter, len(runes))
	var text, under strings.Builder
	if from > 0 {
		text.WriteRune('…')
		under.WriteByte(' ')
	}
	for i := from; i < to; i++ {
		r := runes[i]
		if r != '\t' && (yamldoc.Hidden(r) || !unicode.IsPrint(r)) {
			r = unicode.ReplacementChar
		}
		text.WriteRune(r)
		switch {
		case i >= at && i < end:
			under.WriteString(strings.Repeat("^", columns(r)))
		case i < at && r == '\t':
			under.WriteByte('\t')
		case i < at:
			under.WriteString(strings.Repeat(" ", columns(r)))
		}
	}
	if at >= to {
		under.WriteByte('^')
	}
	if to < len(runes) {
		text.WriteRune('…')
	}
	return strings.TrimRightFunc(text.String(), unicode.IsSpace), under.String()
}

// columns returns how many columns a terminal gives to r.
func columns(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3,
		r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60,
		r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}

// printable replaces what a terminal would act upon.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if yamldoc.Hidden(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// Errors is everything wrong with the documents of a load, sorted by file, line
// and column. It is never empty.
type Errors []*Error

// Error returns the errors' texts, one after the other.
func (e Errors) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "\n")
}

// Unwrap returns every error, for [errors.As].
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, err := range e {
		errs[i] = err
	}
	return errs
}

// sortErrors sorts errs in place by file, line, column and message.
func sortErrors(errs []*Error) Errors {
	slices.SortStableFunc(errs, compareErrors)
	return errs
}

func compareErrors(a, b *Error) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
}

// errorOf returns the error of a problem.
func errorOf(p yamldoc.Problem) *Error {
	e := &Error{Line: p.Pos.Line, Column: p.Pos.Column, Width: p.Width, Message: p.Message, Hint: p.Hint}
	if p.File != nil {
		e.File, e.Source = p.File.Name, p.File.Line(p.Pos.Line)
	}
	return e
}

// errors returns what is wrong with a file.
func (d *decoder) errors() []*Error {
	errs := make([]*Error, len(d.Problems))
	for i, p := range d.Problems {
		errs[i] = errorOf(p)
	}
	return errs
}

// errorAt returns an error at the place of a node.
func errorAt(node yamldoc.Node, format string, args ...any) *Error {
	return errorOf(node.Problem(fmt.Sprintf(format, args...), ""))
}

// errorInside returns an error at a place inside the text of a scalar, such as
// one of an expression: line and column are 1-based and count characters of the
// text that the scalar stands for, however it is quoted, escaped or folded.
func errorInside(node yamldoc.Node, line, column int, message string) *Error {
	return errorOf(node.Inside(line, column, message, ""))
}
