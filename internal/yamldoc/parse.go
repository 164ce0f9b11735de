package yamldoc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Parse reads the file of that name. The File is never nil, so that problems
// can be shown; its Root is the zero Node unless the structure could be read.
// Problems are in the order of their places; Parse never panics.
func Parse(name string, data []byte) (*File, []Problem) {
	f := &File{Name: name, Data: data}
	text := strings.TrimPrefix(string(data), "\ufeff")
	f.lines = splitLines(text[:min(len(text), MaxBytes)])
	if len(data) > MaxBytes {
		return f, []Problem{f.Problem(Pos{1, 1}, 1,
			fmt.Sprintf("the file has %d bytes: more than the %d allowed", len(data), MaxBytes), "")}
	}
	if problems := f.checkText(text); problems != nil {
		return f, problems
	}
	if problems := f.checkNesting(text); problems != nil {
		return f, problems
	}
	tree, err := parseYAML([]byte(text))
	if err != nil {
		return f, []Problem{f.syntaxProblem(err)}
	}
	c := converter{file: f}
	f.root = c.convert(tree, 1)
	if c.broken {
		f.root = Node{}
	}
	return f, c.problems
}

// errSecond says that a file holds more than one document.
var errSecond = errors.New("a second document begins here")

// errEmpty says that a file holds no document.
var errEmpty = errors.New("the file holds no document")

// parseYAML returns the only document of text. The library recovers its own
// errors; what is recovered here are its defects.
func parseYAML(text []byte) (root *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			root, err = nil, fmt.Errorf("%v", r)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var first, second yaml.Node
	if err := decoder.Decode(&first); errors.Is(err, io.EOF) {
		return nil, errEmpty
	} else if err != nil {
		return nil, err
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, errSecond
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	if first.Kind != yaml.DocumentNode || len(first.Content) != 1 {
		return nil, errEmpty
	}
	return first.Content[0], nil
}

// converter turns the library's tree into nodes.
type converter struct {
	file     *File
	nodes    int
	problems []Problem
	broken   bool // beyond what a decoder should look at
}

func (c *converter) report(pos Pos, width int, message, hint string) {
	c.problems = append(c.problems, c.file.Problem(pos, width, message, hint))
}

func (c *converter) convert(y *yaml.Node, depth int) Node {
	n := Node{c.file, &node{pos: Pos{y.Line, y.Column}}}
	c.nodes++
	if depth > MaxDepth || c.nodes > MaxNodes {
		if !c.broken {
			c.broken = true
			c.report(n.n.pos, 1, tooMuch, "")
		}
		return n
	}
	if !c.refuseProperties(y, n) {
		return n
	}
	switch y.Kind {
	case yaml.ScalarNode:
		n.n.kind, n.n.text, n.n.style = Scalar, y.Value, scalarStyle(y.Style)
	case yaml.SequenceNode:
		n.n.kind, n.n.flow = Sequence, y.Style&yaml.FlowStyle != 0
		n.n.items = make([]Node, 0, len(y.Content))
		for _, item := range y.Content {
			n.n.items = append(n.n.items, c.convert(item, depth+1))
		}
	case yaml.MappingNode:
		n.n.kind, n.n.flow = Mapping, y.Style&yaml.FlowStyle != 0
		c.entries(y, n, depth)
	default:
		c.broken = true
		c.report(n.n.pos, 1, "not valid YAML: unknown structure", "")
	}
	return n
}

// refuseProperties refuses what would let a node mean something else than it
// shows: an alias, an anchor or a tag.
func (c *converter) refuseProperties(y *yaml.Node, n Node) bool {
	var first rune
	rest := c.file.from(n.n.pos)
	if len(rest) > 0 {
		first = rest[0]
	}
	switch {
	case y.Kind == yaml.AliasNode:
		c.report(n.n.pos, wordWidth(rest), "aliases are not allowed", "write the value out")
	case y.Anchor != "" || first == '&':
		c.report(n.n.pos, wordWidth(rest), "anchors are not allowed", "leave it out, and write values out where they are used")
	case y.Style&yaml.TaggedStyle != 0 || first == '!':
		c.report(n.n.pos, wordWidth(rest), "tags are not allowed", "leave it out; quote a value to make it a text")
	default:
		return true
	}
	c.broken = true
	return false
}

func (c *converter) entries(y *yaml.Node, n Node, depth int) {
	var seen map[string]Pos // where a key stands; for a few, the entries serve
	if len(y.Content) > 2*fewKeys {
		seen = make(map[string]Pos, len(y.Content)/2)
	}
	n.n.entries = make([]Entry, 0, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := c.convert(y.Content[i], depth+1), c.convert(y.Content[i+1], depth+1)
		text := key.Text()
		first, duplicate := seen[text]
		if seen == nil {
			i := slices.IndexFunc(n.n.entries, func(e Entry) bool { return e.Key.Text() == text })
			if duplicate = i >= 0; duplicate {
				first = n.n.entries[i].Key.Pos()
			}
		}
		n.n.entries = append(n.n.entries, Entry{key, value})
		switch {
		case c.broken:
			return
		case key.Kind() != Scalar || key.Plain() && text == "":
			c.broken = true
			c.report(key.Pos(), key.width(), "a key must be a text", "")
		case key.Plain() && text == "<<":
			c.broken = true
			c.report(key.Pos(), 2, "merge keys are not allowed", "write the values out")
		case duplicate:
			c.report(key.Pos(), key.width(), fmt.Sprintf("duplicate key %q", text),
				fmt.Sprintf("it stands in line %d already", first.Line))
		case seen != nil:
			seen[text] = key.Pos()
		}
	}
}

// fewKeys is how many are found faster one after the other than in a map.
const fewKeys = 16

func scalarStyle(s yaml.Style) style {
	switch {
	case s&yaml.SingleQuotedStyle != 0:
		return single
	case s&yaml.DoubleQuotedStyle != 0:
		return double
	case s&yaml.LiteralStyle != 0:
		return literal
	case s&yaml.FoldedStyle != 0:
		return folded
	default:
		return plain
	}
}

var linePrefix = regexp.MustCompile(`^(yaml: )?(line \d+: )?`)

// reason is an error's text without the place that the library gives.
func reason(err error) string {
	return linePrefix.ReplaceAllString(err.Error(), "")
}
