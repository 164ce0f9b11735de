package main

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"
)

// foldWidth is what a line takes at most of a terminal, in columns.
const foldWidth = 79

// foldBack is how far before that a line is broken rather than in the middle of a
// word.
const foldBack = 24

// folding breaks long lines, and marks each part: where a terminal did that, text in
// the middle of a line could look like a line of its own, that nobody printed.
type folding struct {
	w    io.Writer
	line bytes.Buffer
}

func (f *folding) Write(p []byte) (int, error) {
	for _, part := range bytes.SplitAfter(p, []byte("\n")) {
		f.line.Write(part)
		if bytes.HasSuffix(part, []byte("\n")) {
			if err := f.flush(); err != nil {
				return 0, err
			}
		}
	}
	return len(p), nil
}

// flush writes what is buffered, which ends with a newline or is the last.
func (f *folding) flush() error {
	_, err := io.WriteString(f.w, fold(f.line.String()))
	f.line.Reset()
	return err
}

// fold breaks one line. What goes on behind a break begins with the line's own
// indentation and a mark.
func fold(line string) string {
	indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
	mark := indent + "  ┊ "
	if strings.HasPrefix(line[len(indent):], claimMark) {
		mark = indent + claimMark + "  "
	}
	var b strings.Builder
	start, column := 0, 0   // of the part, in bytes; and where it is, in columns
	space, atSpace := -1, 0 // behind its last space
	for i := 0; i < len(line); {
		if n := paintLength(line[i:]); n > 0 {
			i += n
			continue
		}
		r, size := utf8.DecodeRuneInString(line[i:])
		width := 1
		if r >= utf8.RuneSelf {
			width = 2 // no terminal shows one wider
		}
		if r != '\n' && column+width > foldWidth {
			if space < 0 || column-atSpace > foldBack {
				space, atSpace = i, column
			}
			b.WriteString(line[start:space] + "\n" + mark)
			column += utf8.RuneCountInString(mark) + 1 - atSpace
			start, space = space, -1
		}
		i, column = i+size, column+width
		if r == ' ' && i > len(indent) {
			space, atSpace = i, column
		}
	}
	b.WriteString(line[start:])
	return b.String()
}

// paintLength is the length of a colour that begins here; text itself has none, since
// it is printed escaped.
func paintLength(s string) int {
	if !strings.HasPrefix(s, "\x1b[") {
		return 0
	}
	return strings.IndexByte(s, 'm') + 1
}
