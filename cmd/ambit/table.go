package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/ambit-go/ambit/rationale"
)

// terminalJSON writes JSON of the same value in which no character acts upon a
// terminal or ends a line: JSON itself escapes only the first 32.
func terminalJSON(text []byte) string {
	var b strings.Builder
	for _, r := range string(text) {
		switch high, low := utf16.EncodeRune(r); {
		case r < 0x7f || unicode.IsPrint(r): // JSON text holds no control character below
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		}
	}
	return b.String()
}

type paint string

const (
	red    paint = "31"
	green  paint = "32"
	yellow paint = "33"
	bold   paint = "1"
)

func (t *terminal) paint(c paint, text string) string {
	if !t.color {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// table is rows of cells in aligned columns. Cells are printed escaped: they
// may hold text from a model.
type table struct {
	head    []string
	rows    [][]string
	numbers map[int]bool // columns that are aligned to the right
}

func (b *table) add(cells ...string) {
	for i, c := range cells {
		cells[i] = rationale.Printable(c)
	}
	b.rows = append(b.rows, cells)
}

// write prints the table with two spaces between columns.
func (b *table) write(t *terminal, w io.Writer) {
	widths := make([]int, len(b.head))
	for i, h := range b.head {
		widths[i] = utf8.RuneCountInString(h)
	}
	for _, row := range b.rows {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	fmt.Fprintln(w, t.paint(bold, b.line(b.head, widths)))
	for _, row := range b.rows {
		fmt.Fprintln(w, b.line(row, widths))
	}
}

func (b *table) line(cells []string, widths []int) string {
	var s strings.Builder
	for i, c := range cells {
		space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
		if b.numbers[i] {
			c, space = space+c, ""
		}
		s.WriteString(c + space)
		if i < len(cells)-1 {
			s.WriteString("  ")
		}
	}
	return strings.TrimRight(s.String(), " ")
}

// markdown prints the table for a document.
func (b *table) markdown(w io.Writer) {
	cell := strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;").Replace
	print := func(cells []string) {
		escaped := make([]string, len(cells))
		for i, c := range cells {
			escaped[i] = cell(c)
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(escaped, " | "))
	}
	print(b.head)
	fmt.Fprintln(w, "|"+strings.Repeat("---|", len(b.head)))
	for _, row := range b.rows {
		print(row)
	}
}
