package audit

import "strings"

// pattern is a text in which '*' stands for any characters. It matches whole
// texts, and no case is folded.
type pattern string

func (p pattern) matches(text string) bool {
	first, rest, wild := strings.Cut(string(p), "*")
	if !wild {
		return string(p) == text
	}
	text, ok := strings.CutPrefix(text, first)
	for ok {
		var next string
		if next, rest, wild = strings.Cut(rest, "*"); !wild {
			return strings.HasSuffix(text, next)
		}
		_, text, ok = strings.Cut(text, next)
	}
	return false
}

func anyMatches(patterns []pattern, text string) bool {
	for _, p := range patterns {
		if p.matches(text) {
			return true
		}
	}
	return false
}
