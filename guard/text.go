package guard

import (
	"fmt"
	"unicode/utf8"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

const (
	maxName    = 256  // bytes of a name that comes from outside
	maxMessage = 1024 // bytes of an error's text in a record
)

// legible returns a name that can be recorded: s itself where it is valid UTF-8
// and short, else an escaped beginning with the digest of the whole, so that
// distinct names stay distinct.
func legible(s string) string {
	if len(s) <= maxName && utf8.ValidString(s) {
		return s
	}
	return rationale.Clip(rationale.Printable(s), maxName/2) + " " + rationale.Digest([]byte(s))
}

// legibleTool returns an identity that can be recorded. One that is not valid
// keeps a '*' in front, which no registered tool can have: it stays unknown.
func legibleTool(id classify.ToolID) classify.ToolID {
	if plainName(id.Name) && (id.Server == "" || plainName(id.Server)) || id.Validate() == nil {
		return id
	}
	return classify.ToolID{Server: legible(id.Server), Name: "*" + legible(id.Name)}
}

// plainName holds for names of letters, digits, and the usual marks between
// them, which are valid whatever else is.
func plainName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', 'A' <= c && c <= 'Z', c == '_', c == '.', c == '-':
		default:
			return false
		}
	}
	return s != "" && len(s) <= maxName
}

func legibleModel(m authority.ModelSpec) rationale.Model {
	return rationale.Model{
		Provider: legible(m.Provider), Name: legible(m.Name), Version: legible(m.Version), Basis: legible(m.Basis),
	}
}

// describe writes what a panic was called with, whose own methods may panic.
func describe(recovered any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("a %T that panics when it is printed", recovered)
		}
	}()
	return rationale.Clip(rationale.Printable(fmt.Sprint(recovered)), maxMessage)
}

// errorText is the text of an error of the host, whose methods may panic.
func errorText(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("a %T that panics when it is printed", err)
		}
	}()
	return rationale.Clip(rationale.Printable(err.Error()), maxMessage)
}

// protect calls a port and makes an error of its panic.
func protect(port string, call func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s panicked: %s", port, describe(r))
		}
	}()
	return call()
}
