package classify

import (
	"fmt"
	"strings"
)

// Pattern matches tool ids: exactly, or by a prefix that ends in '*', which
// stands for one or more characters other than '/' and '.'. A pattern always
// matches the whole id. The zero Pattern matches nothing.
type Pattern struct {
	prefix string // without the star
	glob   bool
}

// ParsePattern returns the pattern written in text, such as "k8s.scale_*",
// "billing/refund" or "orders.get".
func ParsePattern(text string) (Pattern, error) {
	prefix, glob := strings.CutSuffix(text, "*")
	if strings.Contains(prefix, "*") {
		return Pattern{}, fmt.Errorf("pattern %q: '*' may stand only at the end", text)
	}
	probe := prefix
	if glob {
		probe += "x" // whatever the star stands for
	}
	if _, err := ParseToolID(probe); err != nil {
		return Pattern{}, fmt.Errorf("pattern %q: want a tool's name, server/name, or a prefix followed by '*': %w", text, err)
	}
	return Pattern{prefix: prefix, glob: glob}, nil
}

// String returns the pattern's text.
func (p Pattern) String() string {
	if p.glob {
		return p.prefix + "*"
	}
	return p.prefix
}

// Exact reports whether the pattern names a single tool.
func (p Pattern) Exact() bool { return !p.glob && p.prefix != "" }

// Match reports whether the pattern matches the whole of id.
func (p Pattern) Match(id ToolID) bool {
	s := id.String()
	if !p.glob {
		return p.prefix != "" && s == p.prefix
	}
	rest, ok := strings.CutPrefix(s, p.prefix)
	return ok && rest != "" && !strings.ContainsAny(rest, "/.")
}

// Compare orders patterns that match one tool by specificity: negative when p
// is more specific than q, zero when they are equal. An exact pattern is the
// most specific, then the longer prefix. Two different patterns that match one
// tool are never equal, as one is then a prefix of the other.
func (p Pattern) Compare(q Pattern) int {
	switch {
	case p == q:
		return 0
	case p.glob != q.glob:
		if q.glob {
			return -1
		}
		return 1
	case len(p.prefix) != len(q.prefix):
		return len(q.prefix) - len(p.prefix)
	default:
		return strings.Compare(p.prefix, q.prefix)
	}
}

// Overlaps reports whether some tool id could match both patterns.
func (p Pattern) Overlaps(q Pattern) bool {
	if !p.glob || !q.glob {
		if p.glob {
			p, q = q, p
		}
		if !q.glob {
			return p == q && p.prefix != ""
		}
		id, err := ParseToolID(p.prefix)
		return err == nil && q.Match(id)
	}
	if len(p.prefix) < len(q.prefix) {
		p, q = q, p
	}
	rest, ok := strings.CutPrefix(p.prefix, q.prefix)
	return ok && !strings.ContainsAny(rest, "/.")
}
