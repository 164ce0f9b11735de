package authority

import (
	"cmp"
	"slices"

	"github.com/ambit-go/ambit/classify"
)

// indexed is one pattern of one class.
type indexed struct {
	line    *line
	grant   *grantDoc
	class   *classDoc
	pattern classify.Pattern
}

// patternIndex finds the classes that match a tool without asking all of them.
type patternIndex struct{ byText map[string][]indexed }

func newPatternIndex(lines []*line) *patternIndex {
	x := &patternIndex{byText: make(map[string][]indexed)}
	for _, l := range lines {
		for _, g := range l.versions {
			for i := range g.Classes {
				class := &g.Classes[i]
				for _, tp := range class.Tools {
					key := tp.Pattern.String()
					x.byText[key] = append(x.byText[key], indexed{l, g, class, tp.Pattern})
				}
			}
		}
	}
	return x
}

// match returns the classes that match a tool, the most specific pattern
// first. A class that matches by several of its patterns is listed once, by
// the most specific.
func (x *patternIndex) match(id classify.ToolID) []indexed {
	name := id.String()
	found := slices.Clone(x.byText[name])
	for end := len(name) - 1; end >= 0; end-- {
		for _, e := range x.byText[name[:end]+"*"] {
			if e.pattern.Match(id) {
				found = append(found, e)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b indexed) int {
		return cmp.Or(a.pattern.Compare(b.pattern), cmp.Compare(a.line.id, b.line.id), cmp.Compare(a.grant.Version, b.grant.Version))
	})
	var once []indexed
	for _, e := range found {
		if !slices.ContainsFunc(once, func(o indexed) bool { return o.class == e.class }) {
			once = append(once, e)
		}
	}
	return once
}
