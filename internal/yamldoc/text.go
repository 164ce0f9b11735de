package yamldoc

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkText refuses characters that a reader cannot see, that make editors and
// parsers disagree on where a line ends, or that reorder what is shown.
func (f *File) checkText(text string) []Problem {
	pos, indent := Pos{1, 1}, true
	for i, r := range text {
		switch {
		case r == '\n':
			pos, indent = Pos{pos.Line + 1, 1}, true
			continue
		case r == '\r' && strings.HasPrefix(text[i:], "\r\n"):
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd"):
			return []Problem{f.Problem(pos, 1, fmt.Sprintf("the byte 0x%02x is not valid UTF-8", text[i]), "save the file as UTF-8")}
		case r == '\t' && indent:
			return []Problem{f.Problem(pos, 1, "a tab cannot indent", "indent with spaces")}
		case r != '\t' && Hidden(r):
			return []Problem{f.Problem(pos, 1, fmt.Sprintf("the character %U is not allowed", r),
				"leave it out, or write it as an escape in double quotes")}
		}
		indent = indent && r == ' '
		pos.Column++
	}
	return nil
}

// checkNesting refuses brackets that are nested so deep that parsing them costs
// more than they can be worth. It counts those in texts too, and so allows more
// than MaxDepth.
func (f *File) checkNesting(text string) []Problem {
	pos, open := Pos{1, 1}, 0
	for _, r := range text {
		switch r {
		case '\n':
			pos = Pos{pos.Line + 1, 0}
		case '[', '{':
			open++
		case ']', '}':
			open = max(open-1, 0)
		}
		if open > 8*MaxDepth {
			return []Problem{f.Problem(pos, 1, tooMuch, "")}
		}
		pos.Column++
	}
	return nil
}

var tooMuch = fmt.Sprintf("more than %d levels of nesting, or %d values, are not allowed", MaxDepth, MaxNodes)

// Hidden reports whether r must not stand in a file as it is: a control
// character, a line break other than a line feed, a byte order mark, or a
// character that changes the direction of text.
func Hidden(r rune) bool {
	switch {
	case unicode.IsControl(r), r == '\u2028', r == '\u2029', r == '\ufeff', r == '\u061c':
		return true
	case r == '\u200e', r == '\u200f', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
		return true
	}
	return false
}
