// Package yamldoc reads one YAML document a file into nodes that know where
// they stand, so that an error can show the place. It is the only importer of
// a YAML library.
//
// It reads less than YAML allows: no anchors, aliases, merge keys or tags, keys
// that are text and occur once, and no characters that make a line look like
// another one. Scalars keep the text that the author wrote; what it means is
// decided by the type that is wanted, never by YAML.
package yamldoc

import (
	"slices"
	"strings"
)

// Limits of one file.
const (
	MaxBytes = 1 << 20
	MaxDepth = 64
	MaxNodes = 100_000
)

// Pos is a place in a file: both 1-based, Column counted in characters.
type Pos struct{ Line, Column int }

// File is one parsed file with exactly one YAML document. It is immutable.
type File struct {
	Name string
	Data []byte // the exact bytes

	lines [][]rune // without line breaks and byte order mark
	root  Node
}

// Root returns the document's node; the zero Node where the file could not be
// read.
func (f *File) Root() Node { return f.root }

// Line returns a line's text without its break; empty where there is none.
func (f *File) Line(number int) string {
	if number < 1 || number > len(f.lines) {
		return ""
	}
	return string(f.lines[number-1])
}

// from returns the characters of a line from a 1-based column on.
func (f *File) from(pos Pos) []rune {
	if pos.Line < 1 || pos.Line > len(f.lines) || pos.Column < 1 {
		return nil
	}
	line := f.lines[pos.Line-1]
	return line[min(pos.Column-1, len(line)):]
}

// Problem returns what is wrong at a place of the file. A place outside of the
// file becomes the nearest inside.
func (f *File) Problem(pos Pos, width int, message, hint string) Problem {
	pos.Line = min(max(pos.Line, 1), len(f.lines))
	pos.Column = min(max(pos.Column, 1), len(f.lines[pos.Line-1])+1)
	return Problem{File: f, Pos: pos, Width: max(width, 1), Message: message, Hint: hint}
}

// Problem is something wrong at a place of a file.
type Problem struct {
	File    *File
	Pos     Pos
	Width   int    // characters of the offending text on its line; at least 1
	Message string // what is wrong
	Hint    string // what would be right; may be empty
}

// Kind is the kind of a node.
type Kind uint8

const (
	None     Kind = iota // of the zero Node
	Scalar               // a text
	Sequence             // a list
	Mapping              // keys and values
)

// String returns what an author calls such a node.
func (k Kind) String() string {
	switch k {
	case Scalar:
		return "a single value"
	case Sequence:
		return "a list"
	case Mapping:
		return "a mapping"
	default:
		return "nothing"
	}
}

// style is how a scalar is written.
type style uint8

const (
	plain style = iota
	single
	double
	literal
	folded
)

// Node is one node of a file. The zero Node is no node. Nodes are immutable
// and comparable.
type Node struct {
	file *File
	n    *node
}

type node struct {
	kind    Kind
	style   style
	flow    bool
	pos     Pos
	text    string
	items   []Node
	entries []Entry
}

// Entry is one key of a mapping with its value.
type Entry struct{ Key, Value Node }

// IsZero reports whether n is no node.
func (n Node) IsZero() bool { return n.n == nil }

// File returns the file that n stands in; nil for the zero Node.
func (n Node) File() *File { return n.file }

// Kind returns the node's kind; None for the zero Node.
func (n Node) Kind() Kind {
	if n.n == nil {
		return None
	}
	return n.n.kind
}

// Pos returns where the node begins; the zero Pos for the zero Node.
func (n Node) Pos() Pos {
	if n.n == nil {
		return Pos{}
	}
	return n.n.pos
}

// Text returns a scalar's text, unquoted and unescaped; empty otherwise.
func (n Node) Text() string {
	if n.n == nil {
		return ""
	}
	return n.n.text
}

// Plain reports whether n is a scalar written without quotes and not as a
// block.
func (n Node) Plain() bool { return n.Kind() == Scalar && n.n.style == plain }

// Null reports whether n is a plain scalar that YAML reads as no value:
// nothing at all, "~" or "null".
func (n Node) Null() bool {
	if !n.Plain() {
		return false
	}
	switch n.n.text {
	case "", "~", "null", "Null", "NULL":
		return true
	}
	return false
}

// Items returns the nodes of a sequence in order.
func (n Node) Items() []Node {
	if n.n == nil {
		return nil
	}
	return n.n.items
}

// Entries returns the entries of a mapping in order.
func (n Node) Entries() []Entry {
	if n.n == nil {
		return nil
	}
	return n.n.entries
}

// Problem returns what is wrong with the node. Of the zero Node it has no file.
func (n Node) Problem(message, hint string) Problem {
	if n.n == nil {
		return Problem{Pos: Pos{1, 1}, Width: 1, Message: message, Hint: hint}
	}
	return n.file.Problem(n.n.pos, n.width(), message, hint)
}

// splitLines splits text at line feeds and drops the carriage return before
// each. A break at the very end begins no further line; there is always a line.
func splitLines(text string) [][]rune {
	rest := []rune(strings.TrimSuffix(text, "\n"))
	lines := make([][]rune, 0, 1+strings.Count(text, "\n"))
	for more := true; more; {
		line := rest
		end := slices.Index(rest, '\n')
		if more = end >= 0; more {
			line, rest = rest[:end], rest[end+1:]
		}
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
		lines = append(lines, slices.Clip(line))
	}
	return lines
}
