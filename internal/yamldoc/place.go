package yamldoc

import (
	"strings"
	"unicode"
)

// width returns how many characters of its first line the node's token takes:
// a scalar with its quotes, a bracket, or the first token of a block.
func (n Node) width() int {
	switch {
	case n.n == nil || n.n.kind == None:
		return 1
	case n.n.kind == Mapping && !n.n.flow && len(n.n.entries) > 0:
		return n.n.entries[0].Key.width()
	case n.n.kind != Scalar:
		return 1
	}
	rest := n.file.from(n.n.pos)
	if len(rest) == 0 {
		return 1
	}
	switch n.n.style {
	case plain:
		return max(plainWidth(rest, []rune(n.n.text)), 1)
	case literal, folded:
		return wordWidth(rest)
	}
	return quotedWidth(rest)
}

// plainWidth returns how much of the line is the plain scalar's text. A text
// that goes on in the next line agrees with this one up to its folded break.
func plainWidth(line, text []rune) int {
	n := 0
	for n < len(line) && n < len(text) && line[n] == text[n] {
		n++
	}
	for n > 0 && unicode.IsSpace(line[n-1]) {
		n--
	}
	return n
}

func quotedWidth(line []rune) int {
	quote := line[0]
	for i := 1; i < len(line); i++ {
		switch {
		case quote == '"' && line[i] == '\\':
			i++
		case line[i] != quote:
		case quote == '\'' && i+1 < len(line) && line[i+1] == quote:
			i++
		default:
			return i + 1
		}
	}
	return len([]rune(strings.TrimRightFunc(string(line), unicode.IsSpace)))
}

// wordWidth returns how many characters there are before the next space or
// flow indicator; at least 1.
func wordWidth(line []rune) int {
	for i, r := range line {
		if strings.ContainsRune(" \t,[]{}", r) {
			return max(i, 1)
		}
	}
	return max(len(line), 1)
}

// Inside returns what is wrong at a place inside the text of a scalar, such as
// an error in an expression: line and column are 1-based and count characters
// of the text as [Node.Text] gives it. The caret stands where that character
// is written in the file, whatever quotes, escapes or block indentation it is
// written with. A place beyond the text is its end; where n is no scalar, it
// is the node.
func (n Node) Inside(line, column int, message, hint string) Problem {
	if n.Kind() != Scalar {
		return n.Problem(message, hint)
	}
	text := []rune(n.n.text)
	at, found := n.source(text)
	if !found || len(text) == 0 {
		return n.Problem(message, hint)
	}
	index := textIndex(text, line, column)
	if index >= len(text) {
		end := at[len(text)-1]
		return n.file.Problem(Pos{end.Line, end.Column + 1}, 1, message, hint)
	}
	width := 1
	for i := index; i+1 < len(text) && isName(text[i]) && isName(text[i+1]) && at[i+1] == (Pos{at[i].Line, at[i].Column + 1}); i++ {
		width++
	}
	return n.file.Problem(at[index], width, message, hint)
}

func isName(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// textIndex returns the index of the character at a line and column of text;
// len(text) for a place beyond it.
func textIndex(text []rune, line, column int) int {
	index := 0
	for ; line > 1 && index < len(text); index++ {
		if text[index] == '\n' {
			line--
		}
	}
	for ; column > 1 && index < len(text) && text[index] != '\n'; index++ {
		column--
	}
	return index
}

// source returns for every character of a scalar's text where it is written.
// It reports false where the text and the file could not be brought together.
func (n Node) source(text []rune) ([]Pos, bool) {
	a := aligner{lines: n.file.lines, pos: n.n.pos}
	switch n.n.style {
	case literal, folded:
		a.pos = Pos{n.n.pos.Line + 1, 1}
		a.indent = n.blockIndent()
		return a.block(text)
	case single, double:
		a.pos.Column++
	}
	return a.flow(text, n.n.style)
}

// blockIndent returns by how many spaces a block scalar's text is indented:
// what its header says, added to the indentation that its first line of text
// has at least; else the indentation of that line.
func (n Node) blockIndent() int {
	lines := n.file.lines
	blank := 0
	for i := n.n.pos.Line; i < len(lines); i++ {
		spaces := 0
		for spaces < len(lines[i]) && lines[i][spaces] == ' ' {
			spaces++
		}
		if spaces == len(lines[i]) {
			blank = max(blank, spaces)
			continue
		}
		return spaces - leadingSpaces(n.n.text)
	}
	return blank
}

// leadingSpaces counts the spaces before the first character of text's first
// line that is not blank.
func leadingSpaces(text string) int {
	for line := range strings.SplitSeq(text, "\n") {
		if trimmed := strings.TrimLeft(line, " "); trimmed != "" {
			return len(line) - len(trimmed)
		}
	}
	return 0
}
