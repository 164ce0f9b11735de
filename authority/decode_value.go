package authority

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/yamldoc"
)

// decoder reads the nodes of one file and collects what is wrong with them.
type decoder struct{ yamldoc.Reader }

type (
	value  = yamldoc.Value
	fields = yamldoc.Map
)

func (d *decoder) text(v value) text { return text{d.Str(v), v.Node} }

const maxID = 256

// id returns a text that names something: printable, without spaces.
func (d *decoder) id(v value) text {
	s := d.Str(v)
	if s == "" {
		return text{"", v.Node}
	}
	if fault := idFault(s); fault != "" {
		d.Fail(v.Node, "an id is printable text without spaces and '*'", "%s: %s", v.Name, fault)
		return text{"", v.Node}
	}
	return text{s, v.Node}
}

func idFault(s string) string {
	if len(s) > maxID {
		return fmt.Sprintf("%d bytes are more than the %d allowed", len(s), maxID)
	}
	if !utf8.ValidString(s) {
		return "not valid UTF-8"
	}
	for _, r := range s {
		if r == '*' || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return fmt.Sprintf("the character %q is not allowed", r)
		}
	}
	return ""
}

// tier reads a tier; TierUnknown where it is wrong or absent.
func (d *decoder) tier(v value) classify.Tier {
	var names []string
	for _, t := range classify.Tiers() {
		names = append(names, t.String())
	}
	t, _ := classify.ParseTier(d.OneOf(v, names...))
	return t
}

// ids reads a list of different ids, which is not empty.
func (d *decoder) ids(v value) []text {
	var ids []text
	seen := make(map[string]bool)
	for _, item := range d.List(v, false) {
		id := d.id(item)
		if id.Value == "" {
			continue
		}
		if seen[id.Value] {
			d.Fail(item.Node, "leave one out", "%s names %q twice", v.Name, id.Value)
			continue
		}
		seen[id.Value] = true
		ids = append(ids, id)
	}
	return ids
}

// values returns the texts alone; nil where there are none.
func values(ids []text) []string {
	if len(ids) == 0 {
		return nil
	}
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.Value
	}
	return out
}
