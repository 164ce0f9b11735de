package yamldoc

import (
	"encoding/json"
	"fmt"
	"regexp"
)

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// JSON returns the node as JSON: quoted texts and blocks as strings, plain ones
// as null, true, false or a number where JSON would write them so, and as
// strings otherwise. Numbers keep their digits. Members keep their order.
func (n Node) JSON() (json.RawMessage, error) {
	return n.appendJSON(nil)
}

func (n Node) appendJSON(dst []byte) ([]byte, error) {
	var err error
	switch n.Kind() {
	case Scalar:
		return n.appendScalar(dst)
	case Sequence:
		dst = append(dst, '[')
		for i, item := range n.n.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = item.appendJSON(dst); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case Mapping:
		dst = append(dst, '{')
		for i, e := range n.n.entries {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendString(dst, e.Key.Text()); err != nil {
				return nil, err
			}
			dst = append(dst, ':')
			if dst, err = e.Value.appendJSON(dst); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	default:
		return nil, fmt.Errorf("no value")
	}
}

func (n Node) appendScalar(dst []byte) ([]byte, error) {
	text := n.n.text
	switch {
	case n.Null():
		return append(dst, "null"...), nil
	case n.Plain() && (text == "true" || text == "false" || jsonNumber.MatchString(text)):
		return append(dst, text...), nil
	default:
		return appendString(dst, text)
	}
}

func appendString(dst []byte, s string) ([]byte, error) {
	b, err := json.Marshal(s)
	return append(dst, b...), err
}
