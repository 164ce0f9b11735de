package yamldoc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/yamldoc"
)

// show writes a problem as "line:column+width message; hint".
func show(p yamldoc.Problem) string {
	s := fmt.Sprintf("%d:%d+%d %s", p.Pos.Line, p.Pos.Column, p.Width, p.Message)
	if p.Hint != "" {
		s += "; " + p.Hint
	}
	return s
}

func showAll(problems []yamldoc.Problem) string {
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = show(p)
	}
	return strings.Join(lines, "\n")
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty file", "", "1:1+1 the file holds no document"},
		{"only a comment", "# nothing\n", "1:1+1 the file holds no document"},
		{"unclosed list", "a: 1\nb: [1, 2\nc: 3\n", "2:8+1 not valid YAML: did not find expected ',' or ']'"},
		{"closed list before the unclosed one", "a: [1,\n  2]\nb: [1,\nc: 3\n", "4:4+1 not valid YAML: did not find expected ',' or ']'"},
		{"two colons", "a: 1\nb: c: d\n", "2:5+1 not valid YAML: mapping values are not allowed in this context"},
		{"indented too far", "a: 1\n  b: 2\nc: 3\n", "2:4+1 not valid YAML: mapping values are not allowed in this context"},
		{"unclosed quote", "a: \"unclosed\nb: 1\n", "1:4+1 not valid YAML: found unexpected end of stream"},
		{"no colon", "a: 1\nb\nc: 2\n", "2:1+1 not valid YAML: could not find expected ':'"},
		{"reserved character", "a: 1\nb: @x\n", "2:4+1 not valid YAML: found character that cannot start any token"},
		{"bad escape", "a: \"x\\qy\"\n", "1:6+1 not valid YAML: found unknown escape character"},
		{"bracket left over", "{a: 1}}\n", "1:7+1 not valid YAML: did not find expected <document start>"},
		{"bracket on its own", "a: 1\n]\n", "2:1+1 not valid YAML: did not find expected key"},
		{"list and mapping", "- a\nb: 1\n", "2:2+1 not valid YAML: did not find expected '-' indicator"},
		{"list item missing", "a: [1,,2]\n", "1:6+1 not valid YAML: did not find expected node content"},
		{"second document", "a: 1\n---\nb: 2\n", "2:1+3 a second document begins here; a file holds exactly one document"},
		{"text after the end", "a: 1\n...\ngarbage\n", "3:1+1 not valid YAML: did not find expected <document start>"},
		{"anchor", "a: &x 1\n", "1:4+2 anchors are not allowed; leave it out, and write values out where they are used"},
		{"anchor and alias", "a: &x 1\nb: *x\n", "1:4+2 anchors are not allowed; leave it out, and write values out where they are used"},
		{"alias alone", "b: *xyz\n", "1:4+4 aliases are not allowed; write the value out"},
		{"alias bomb", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "1:4+2 anchors are not allowed; leave it out, and write values out where they are used"},
		{"tag", "a: !!str 1\n", "1:4+5 tags are not allowed; leave it out; quote a value to make it a text"},
		{"own tag", "a: !secret {b: 1}\n", "1:4+7 tags are not allowed; leave it out; quote a value to make it a text"},
		{"tag without a name", "a: ! x\n", "1:4+1 tags are not allowed; leave it out; quote a value to make it a text"},
		{"merge key", "a: {b: 1}\n<<: {c: 1}\n", "2:1+2 merge keys are not allowed; write the values out"},
		{"duplicate key", "a: 1\n\"a\": 2\n", "2:1+3 duplicate key \"a\"; it stands in line 1 already"},
		{"duplicate keys", "a: 1\nb: {c: 1, c: 2}\na: 2\n", "2:11+1 duplicate key \"c\"; it stands in line 2 already\n3:1+1 duplicate key \"a\"; it stands in line 1 already"},
		{"list as a key", "? [a]\n: 1\n", "1:3+1 a key must be a text"},
		{"empty key", ": 1\n", "1:1+1 not valid YAML: did not find expected key"},
		{"tab as indentation", "a:\n\tb: 1\n", "2:1+1 a tab cannot indent; indent with spaces"},
		{"NUL", "a: x\x00y\n", "1:5+1 the character U+0000 is not allowed; leave it out, or write it as an escape in double quotes"},
		{"escape character", "a: 1 # \x1b[31m\n", "1:8+1 the character U+001B is not allowed; leave it out, or write it as an escape in double quotes"},
		{"invalid UTF-8", "a: é\xff\n", "1:5+1 the byte 0xff is not valid UTF-8; save the file as UTF-8"},
		{"UTF-16", "\xff\xfea\x00", "1:1+1 the byte 0xff is not valid UTF-8; save the file as UTF-8"},
		{"line separator", "a: x\u2028b: 1\n", "1:5+1 the character U+2028 is not allowed; leave it out, or write it as an escape in double quotes"},
		{"next line", "a: x\u0085b: 1\n", "1:5+1 the character U+0085 is not allowed; leave it out, or write it as an escape in double quotes"},
		{"carriage return alone", "a: x\rb: 1\n", "1:5+1 the character U+000D is not allowed; leave it out, or write it as an escape in double quotes"},
		{"right-to-left override", "a: x # \u202e\n", "1:8+1 the character U+202E is not allowed; leave it out, or write it as an escape in double quotes"},
		{"too deep", "a: " + strings.Repeat("[", 80) + strings.Repeat("]", 80) + "\n", "1:67+1 more than 64 levels of nesting, or 100000 values, are not allowed"},
		{"very deep", strings.Repeat("[", 20000), "1:513+1 more than 64 levels of nesting, or 100000 values, are not allowed"},
		{"very deep without brackets", strings.Repeat("- ", 15000), "1:1+1 more than 64 levels of nesting, or 100000 values, are not allowed"},
		{"too many", "a: [" + strings.Repeat("x,", yamldoc.MaxNodes) + "]\n", "1:199999+1 more than 64 levels of nesting, or 100000 values, are not allowed"},
		{"too large", "a: " + strings.Repeat("x", yamldoc.MaxBytes) + "\n", "1:1+1 the file has 1048580 bytes: more than the 1048576 allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, problems := yamldoc.Parse("x.yaml", []byte(tt.text))
			require.NotNil(t, f)
			assert.Equal(t, tt.want, showAll(problems))
		})
	}
}
