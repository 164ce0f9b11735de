package yamldoc

import (
	"fmt"
	"slices"
	"strings"
)

// Fields are the values of a mapping by key. The zero Fields has none.
type Fields struct{ Node Node }

// Get returns the value of a key; the zero Node where the mapping has none.
func (f Fields) Get(key string) Node {
	for _, e := range f.Node.Entries() {
		if e.Key.Text() == key {
			return e.Value
		}
	}
	return Node{}
}

// Fields reads a mapping that may have no other than the known keys. Each
// unknown key is a problem that names the nearest known one. A node of another
// kind is a problem, and so is the zero Node; then Fields is empty. Of a
// duplicate key, which Parse has reported, the first value counts.
func (n Node) Fields(what string, known ...string) (Fields, []Problem) {
	f := Fields{Node: n}
	if n.Kind() != Mapping {
		return f, []Problem{n.Problem(
			fmt.Sprintf("%s is %s, not a mapping", what, n.Describe()),
			"write it as {key: value}, or as indented lines of key: value")}
	}
	var problems []Problem
	for _, e := range n.n.entries {
		key := e.Key.Text()
		if !slices.Contains(known, key) {
			problems = append(problems, e.Key.Problem(
				fmt.Sprintf("unknown key %q in %s", key, what), suggestion(key, known)))
		}
	}
	return f, problems
}

// Describe returns what an author calls the node's value: "a list", "a
// mapping", "a single value", or "empty".
func (n Node) Describe() string {
	if n.Null() {
		return "empty"
	}
	return n.Kind().String()
}

func suggestion(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "known here: " + strings.Join(known, ", ")
}

// Nearest returns the known name that text is most likely a misspelling of;
// empty where none is near. Case and the separators '-' and '_' count little.
func Nearest(text string, known []string) string {
	if len(text) > 64 {
		return ""
	}
	best, distance := "", 1+max(len(text)/3, 1)
	for _, k := range known {
		if d := edits(bare(text), bare(k)); d < distance {
			best, distance = k, d
		}
	}
	return best
}

func bare(s string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
}

// edits is the Levenshtein distance of two texts, in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			above := row[j+1]
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, above, row[j])
			}
			diagonal, row[j+1] = above, cost
		}
	}
	return row[len(b)]
}
