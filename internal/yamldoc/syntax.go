package yamldoc

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// searchBytes bounds how much is parsed again to find the place of a syntax
// error.
const searchBytes = 2 << 20

// syntaxProblem says where the file stops being valid YAML. The library names
// at most a line, and not always the right one, so the place is found by
// parsing again: it is the first character with which the error appears for
// good.
func (f *File) syntaxProblem(err error) Problem {
	if errors.Is(err, errEmpty) {
		return f.Problem(Pos{1, 1}, 1, errEmpty.Error(), "")
	}
	if strings.HasPrefix(reason(err), "exceeded max depth") {
		return f.Problem(Pos{reportedLine(err), 1}, 1, tooMuch, "")
	}
	pos := f.place(err)
	switch rest := f.from(Pos{pos.Line, 1}); {
	case errors.Is(err, errSecond) && strings.HasPrefix(string(rest), "---"):
		return f.Problem(Pos{pos.Line, 1}, 3, errSecond.Error(), "a file holds exactly one document")
	case errors.Is(err, errSecond):
		return f.Problem(pos, 1, errSecond.Error(), "a file holds exactly one document")
	case strings.HasPrefix(reason(err), "unknown anchor"):
		for pos.Column > 1 && rest[min(pos.Column, len(rest))-1] != '*' {
			pos.Column--
		}
		return f.Problem(pos, wordWidth(f.from(pos)), "aliases are not allowed", "write the value out")
	}
	return f.Problem(pos, 1, "not valid YAML: "+reason(err), "")
}

func (f *File) place(err error) Pos {
	s := search{want: kindOf(err), left: searchBytes}
	before := func(n int) string { return joinLines(f.lines[:n]) }
	reported := reportedLine(err)
	// The reported line is near the place; if not, all lines are asked.
	high := min(reported+2, len(f.lines)-1)
	line, found := s.last(max(reported-2, 0), high, before)
	if !found || line == high && high < len(f.lines)-1 {
		if line, found = s.last(0, len(f.lines)-1, before); !found {
			return Pos{min(reported, len(f.lines)), 1}
		}
	}
	head, runes := before(line), f.lines[line]
	column, found := s.last(0, len(runes), func(n int) string { return head + string(runes[:n]) })
	if !found {
		column = 0
	}
	return Pos{line + 1, column + 1}
}

// search looks for the longest prefix that does not fail with an error of the
// wanted kind.
type search struct {
	want string
	left int // bytes that may still be parsed
}

// last returns the greatest n from low to high for which prefix(n) does not
// fail as wanted. It reports false where all do, or where too much would have
// to be parsed.
func (s *search) last(low, high int, prefix func(n int) string) (int, bool) {
	for n := high; n >= low && s.left > 0; n-- {
		text := prefix(n)
		s.left -= len(text) + 1
		if n == 0 {
			return 0, true
		}
		if _, err := parseYAML([]byte(text)); err == nil || kindOf(err) != s.want {
			return n, true
		}
	}
	return 0, false
}

var quotedText = regexp.MustCompile(`'[^']{2,}'`)

// kindOf is an error's text without what differs between two errors of a kind.
func kindOf(err error) string { return quotedText.ReplaceAllString(reason(err), "") }

var lineNumber = regexp.MustCompile(`line (\d+): `)

func reportedLine(err error) int {
	if m := lineNumber.FindStringSubmatch(err.Error()); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 1
}

func joinLines(lines [][]rune) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(string(line))
		b.WriteByte('\n')
	}
	return b.String()
}
