package classify

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxToolName bounds a server's or a tool's name, in bytes.
const maxToolName = 256

// ToolID identifies a tool by the server that offers it and the tool's own
// registered name, never by an alias that a model used.
type ToolID struct {
	Server string // empty for a tool of the host's own process
	Name   string
}

// ParseToolID splits "server/name", or "name" for a local tool, and checks both
// parts as [ToolID.Validate] does.
func ParseToolID(s string) (ToolID, error) {
	id := ToolID{Name: s}
	if server, name, found := strings.Cut(s, "/"); found {
		if server == "" {
			return ToolID{}, fmt.Errorf("tool %q: the server before '/' is empty: a local tool is written without '/'", s)
		}
		id = ToolID{Server: server, Name: name}
	}
	return id, id.Validate()
}

// String returns "server/name", or "name" for a local tool. It is unambiguous
// for every id that [ToolID.Validate] accepts.
func (id ToolID) String() string {
	if id.Server == "" {
		return id.Name
	}
	return id.Server + "/" + id.Name
}

// Validate refuses ids that could be confused with another id or with a
// pattern: an empty name, '/', '*', spaces, control or invisible characters,
// invalid UTF-8, or more than 256 bytes in one part.
func (id ToolID) Validate() error {
	if id.Name == "" {
		return fmt.Errorf("tool %q: the name is empty", id.String())
	}
	if err := validPart(id.Server); err != nil {
		return fmt.Errorf("tool %q: server: %w", id.String(), err)
	}
	if err := validPart(id.Name); err != nil {
		return fmt.Errorf("tool %q: %w", id.String(), err)
	}
	return nil
}

func validPart(s string) error {
	if len(s) > maxToolName {
		return fmt.Errorf("%d bytes are more than the %d allowed", len(s), maxToolName)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("not valid UTF-8")
	}
	for _, r := range s {
		switch {
		case r == '/' || r == '*':
			return fmt.Errorf("the character %q is reserved for patterns", r)
		case unicode.IsSpace(r) || !unicode.IsPrint(r):
			return fmt.Errorf("the character %q is not allowed", r)
		}
	}
	return nil
}
