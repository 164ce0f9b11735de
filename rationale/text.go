package rationale

import (
	"fmt"
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns s as one line that no terminal, log or page can be misled
// by: control characters (so also newlines and ANSI sequences), bidirectional
// and other invisible formatting, line separators, spaces other than U+0020,
// private and unassigned characters, bytes that are not UTF-8, and the
// backslash itself are written as Go escapes (\n, \x1b, \u202e, \\). Distinct
// texts stay distinct. It does not shorten: see [Clip].
func Printable(s string) string {
	if printable(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\\':
			b.WriteString(`\\`)
		case visible(r) || r == ' ':
			b.WriteRune(r)
		default:
			b.WriteString(escapeRune(r))
		}
		i += size
	}
	return b.String()
}

func printable(s string) bool {
	if plainASCII(s) == len(s) {
		return true
	}
	for _, r := range s {
		if r == '\\' || r == utf8.RuneError || !visible(r) && r != ' ' {
			return false
		}
	}
	return true
}

// plainASCII returns how many of the first bytes are ASCII letters, digits,
// punctuation other than the quote and the backslash, and spaces: what needs no
// escape anywhere. It looks at eight bytes at a time.
func plainASCII[T string | []byte](s T) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	i := 0
	for ; i+8 <= len(s); i += 8 {
		x := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		// Each term has the high bit of a byte that is not plain, and may have that
		// of a byte after one: below the space, DEL, the quote, the backslash.
		quote, backslash, del := x^'"'*ones, x^'\\'*ones, x^0x7f*ones
		if odd := (x | (x - ' '*ones) | (quote - ones) | (backslash - ones) | (del - ones)) & highs; odd != 0 {
			return i + bits.TrailingZeros64(odd)/8
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			break
		}
	}
	return i
}

func escapeRune(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// visible holds for characters that leave ink, and for marks that combine with
// them.
func visible(r rune) bool {
	switch r {
	case 0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800, 0x034F, 0x17B4, 0x17B5: // letters and marks without ink
		return false
	}
	if unicode.Is(unicode.Variation_Selector, r) {
		return false
	}
	return unicode.IsPrint(r) && r != ' '
}

// Clip returns s if it has at most limit bytes, and else its beginning, cut
// between characters, with a mark that names its full length:
// "…[cut: 12345 bytes]". The result has at most limit bytes where limit is 64
// or more.
func Clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	mark := fmt.Sprintf("…[cut: %d bytes]", len(s))
	end := max(limit-len(mark), 0)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}

// kept makes untrusted text fit for a record: valid UTF-8, at most limit bytes,
// and U+FFFD for each control character other than newline and tab and for each
// character that reorders what is displayed.
func kept(s string, limit int) string {
	if plainASCII(s) == len(s) {
		return Clip(s, limit)
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
	return Clip(s, limit)
}

// says holds for text with at least one visible letter or digit. Spaces,
// punctuation and invisible characters say nothing.
func says(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return visible(r) && (unicode.IsLetter(r) || unicode.IsNumber(r))
	})
}
