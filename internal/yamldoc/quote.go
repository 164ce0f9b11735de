package yamldoc

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Quote returns text as a double-quoted scalar that [Parse] reads as text
// again. What must not stand in a file is escaped; invalid UTF-8 becomes the
// replacement character.
func Quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unwritable(r) && r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		case unwritable(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Unprintable reports whether text holds something that must not stand in a
// file as it is, other than line feeds.
func Unprintable(text string) bool {
	return !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && unwritable(r) })
}

func unwritable(r rune) bool { return Hidden(r) || !unicode.IsPrint(r) }
