package yamldoc

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// aligner walks the lines of a file along a scalar's text.
type aligner struct {
	lines  [][]rune
	pos    Pos
	indent int // of a block scalar
}

// rest returns the characters of the current line from the current place on.
func (a *aligner) rest() []rune {
	if a.pos.Line > len(a.lines) {
		return nil
	}
	line := a.lines[a.pos.Line-1]
	return line[min(a.pos.Column-1, len(line)):]
}

func (a *aligner) done() bool { return a.pos.Line > len(a.lines) }

// block aligns the text of a literal or folded block. All of its characters
// but line breaks stand in the file as they are; a break of the file is a line
// feed, a space, or nothing of the text.
func (a *aligner) block(text []rune) ([]Pos, bool) {
	at := make([]Pos, 0, len(text))
	a.pos.Column = a.indent + 1
	for i := 0; i < len(text); {
		if a.done() {
			// The breaks at the very end of a block that the file leaves out.
			if text[i] != '\n' || len(at) == 0 {
				return nil, false
			}
			at = append(at, at[len(at)-1])
			i++
			continue
		}
		rest := a.rest()
		if len(rest) > 0 {
			if rest[0] != text[i] {
				return nil, false
			}
			at = append(at, a.pos)
			a.pos.Column++
			i++
			continue
		}
		if text[i] == '\n' || text[i] == ' ' {
			at = append(at, a.pos)
			i++
		}
		a.pos = Pos{a.pos.Line + 1, a.indent + 1}
	}
	return at, true
}

// flow aligns the text of a plain or quoted scalar, whose line breaks are
// folded and whose double quotes hold escapes.
func (a *aligner) flow(text []rune, s style) ([]Pos, bool) {
	at := make([]Pos, 0, len(text))
	for i := 0; i < len(text); {
		if a.done() {
			return nil, false
		}
		rest := a.rest()
		escaped := s == double && string(rest) == `\`
		if blank(rest) || escaped {
			here := a.pos
			for _, r := range a.fold(escaped) {
				if i == len(text) || text[i] != r {
					return nil, false
				}
				at = append(at, here)
				i++
			}
			continue
		}
		size, r, ok := character(rest, s)
		if !ok || r != text[i] {
			return nil, false
		}
		at = append(at, a.pos)
		a.pos.Column += size
		i++
	}
	return at, true
}

// fold goes to the first character of the next line that is not blank, and
// returns what the breaks until there stand for: one space, or a line feed for
// each blank line; no space where the break is escaped.
func (a *aligner) fold(escaped bool) string {
	breaks := 0
	for {
		a.pos = Pos{a.pos.Line + 1, 1}
		if a.done() {
			return ""
		}
		rest := a.rest()
		if blank(rest) {
			breaks++
			continue
		}
		for rest[a.pos.Column-1] == ' ' || rest[a.pos.Column-1] == '\t' {
			a.pos.Column++
		}
		break
	}
	switch {
	case breaks > 0:
		return strings.Repeat("\n", breaks)
	case escaped:
		return ""
	}
	return " "
}

func blank(line []rune) bool {
	for _, r := range line {
		if r != ' ' && r != '\t' {
			return false
		}
	}
	return true
}

// character returns the next character of a scalar and how many characters of
// the line it takes.
func character(rest []rune, s style) (size int, r rune, ok bool) {
	switch {
	case len(rest) == 0:
		return 0, 0, false
	case s == single && rest[0] == '\'':
		return 2, '\'', len(rest) > 1 && rest[1] == '\''
	case s == double && rest[0] == '\\':
		return escape(rest)
	}
	return 1, rest[0], true
}

func escape(rest []rune) (size int, r rune, ok bool) {
	if len(rest) < 2 {
		return 0, 0, false
	}
	digits := 0
	switch rest[1] {
	case '0':
		r = 0
	case 'a':
		r = '\a'
	case 'b':
		r = '\b'
	case 't', '\t':
		r = '\t'
	case 'n':
		r = '\n'
	case 'v':
		r = '\v'
	case 'f':
		r = '\f'
	case 'r':
		r = '\r'
	case 'e':
		r = 0x1b
	case 'N':
		r = 0x85
	case '_':
		r = 0xa0
	case 'L':
		r = 0x2028
	case 'P':
		r = 0x2029
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		r = rest[1] // '"', '\\', '/', "'" and ' '
	}
	if digits == 0 {
		return 2, r, true
	}
	if len(rest) < 2+digits {
		return 0, 0, false
	}
	code, err := strconv.ParseUint(string(rest[2:2+digits]), 16, 32)
	if err != nil || !utf8.ValidRune(rune(code)) {
		return 0, 0, false
	}
	return 2 + digits, rune(code), true
}
