package strictjson

import (
	"fmt"
	"strconv"
	"strings"
)

// Error says why a document, a schema or a host's value was refused. Text that
// came from the document is quoted and cut to a short length in it.
type Error struct {
	// Path is the place, such as "replicas" or "flights[0].date", empty for the
	// whole. For a schema it is the JSON pointer to the place in it, such as
	// "#/properties/replicas".
	Path string
	// Offset is the byte of the document at or after which the problem stands;
	// negative where there is no document.
	Offset int64
	// Message is what was wrong and, where it is known, what would be right.
	Message string
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Path != "" {
		b.WriteString(e.Path)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Offset >= 0 {
		fmt.Fprintf(&b, " (byte %d)", e.Offset)
	}
	return b.String()
}

func refuse(offset int, format string, args ...any) *Error {
	return &Error{Offset: int64(offset), Message: fmt.Sprintf(format, args...)}
}

// below returns e with its path prefixed by the step that leads to it. Paths are
// built only while an error travels up, so that reading costs nothing for them.
func (e *Error) below(step string) *Error {
	if e.Path == "" || e.Path[0] == '[' {
		e.Path = step + e.Path
	} else {
		e.Path = step + "." + e.Path
	}
	return e
}

func (e *Error) belowName(name string) *Error { return e.below(nameStep(name)) }

func (e *Error) belowIndex(i int) *Error { return e.below("[" + strconv.Itoa(i) + "]") }

// nameStep writes a property's name as a step of a path: bare where that reads
// unambiguously, quoted in brackets otherwise.
func nameStep(name string) string {
	if plainName(name) {
		return name
	}
	return "[" + quote(name) + "]"
}

func plainName(name string) bool {
	if name == "" || len(name) > maxQuoted {
		return false
	}
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '$'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '-') {
			return false
		}
	}
	return true
}

const (
	maxQuoted = 64  // bytes of foreign text in one message
	maxListed = 20  // names or values listed in one message
	maxReason = 512 // bytes of a reason that a library gave
)

// quote makes text from a document safe and short enough for a message: control
// characters, bidirectional overrides and the like are escaped.
func quote(s string) string {
	if len(s) <= maxQuoted {
		return strconv.QuoteToGraphic(s)
	}
	return strconv.QuoteToGraphic(cut(s, maxQuoted)) + "…"
}

// escape is for text of which only part came from a document.
func escape(s string) string {
	s = strconv.QuoteToGraphic(s)
	return strings.ReplaceAll(s[1:len(s)-1], `\"`, `"`)
}

// cut shortens s to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}

// listed joins what is allowed, up to a length a reader can use.
func listed(items []string) string {
	if len(items) > maxListed {
		return strings.Join(items[:maxListed], ", ") + fmt.Sprintf(" and %d more", len(items)-maxListed)
	}
	return strings.Join(items, ", ")
}
