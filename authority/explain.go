package authority

import (
	"cmp"
	"slices"
)

// Expression is one CEL expression of a document as it runs for one tool.
type Expression struct {
	File         string // the document's name
	Line, Column int    // where it begins, 1-based
	Class, Tool  string
	Source       string
	Native       bool   // it runs as a native program
	Why          string // it runs on cel-go instead
}

// Expressions returns every expression of the documents, once for each tool
// that its class matches, sorted by place and tool. Without registered tools
// nothing is compiled, and there are none; so it is for a nil Set.
func (s *Set) Expressions() []Expression {
	if s == nil {
		return nil
	}
	again, _ := load(s.docs, s.manifest, s.options, s) // s has forgotten the places
	seen := make(map[Expression]bool)                  // a class is there once for every environment
	var all []Expression
	for _, t := range again.sortedTools() {
		for _, c := range t.contests {
			for _, p := range c.plans {
				for _, e := range p.expressions() {
					if x := e.of(p); !seen[x] {
						seen[x] = true
						all = append(all, x)
					}
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b Expression) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Class, b.Class), cmp.Compare(a.Tool, b.Tool))
	})
	return all
}

func (e expression) of(p *plan) Expression {
	at := errorInside(e.text.Node, 1, 1, "")
	native, why := e.rule.program.Native()
	if native {
		why = ""
	}
	return Expression{
		File: at.File, Line: at.Line, Column: at.Column, Class: p.class.ID.Value, Tool: p.tool.id.String(),
		Source: e.text.Value, Native: native, Why: why,
	}
}
