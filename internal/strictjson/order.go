package strictjson

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// writtenOrder returns the names in each "properties" of a schema, by its JSON
// pointer, in the order in which they are written there, which is the order in
// which models send them. The schema is known to be JSON.
func writtenOrder(schema []byte) map[string][]string {
	order := make(map[string][]string)
	dec := jsontext.NewDecoder(bytes.NewBuffer(schema))
	var open []string // the pointers of the objects that are properties, "" for all else
	last := ""        // the name just read
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return order
		}
		name := ""
		switch token.Kind() {
		case '{', '[':
			at := ""
			if last == "properties" {
				at = string(dec.StackPointer())
			}
			open = append(open, at)
		case '}', ']':
			open = open[:len(open)-1]
		case '"':
			if in, n := dec.StackIndex(dec.StackDepth()); in != '{' || n%2 == 0 {
				break // a value
			}
			name = token.String()
			if at := open[len(open)-1]; at != "" {
				order[at] = append(order[at], name)
			}
		}
		last = name
	}
}

// follow links the fields of n in an order. It leaves out names that JSON writes
// otherwise than they are.
func (n *node) follow(names []string) {
	for i := range n.fields {
		n.fields[i].next = -1
	}
	last := &n.first
	*last = -1
	for _, name := range names {
		if i := n.find([]byte(name)); i >= 0 && !strings.ContainsFunc(name, escaped) {
			*last = int32(i)
			last = &n.fields[i].next
		}
	}
}

// escaped reports whether JSON has to write a character otherwise than it is.
func escaped(c rune) bool { return c < ' ' || c == '"' || c == '\\' }
