package yamldoc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/internal/yamldoc"
)

// valueOf returns the value of the key a.
func valueOf(t require.TestingT, text string) yamldoc.Node {
	f, problems := yamldoc.Parse("x.yaml", []byte(text))
	require.Empty(t, problems, "%q", text)
	fields, problems := f.Root().Fields("the file", "a", "b")
	require.Empty(t, problems)
	return fields.Get("a")
}

// TestInside names the place of a word within a scalar's text, and finds it
// where it is written.
func TestInside(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		{"plain", "a: x > bad\n", "1:8+3"},
		{"plain over lines", "a: x >\n  y\n   bad + 1\n", "3:4+3"},
		{"plain over a blank line", "a: x\n\n  bad\n", "3:3+3"},
		{"double quotes", `a: "x > bad"` + "\n", "1:9+3"},
		{"escapes before it", `a: "\"\x41\u00e9\U0001F600\t\\ bad"` + "\n", "1:32+3"},
		{"double quotes over lines", "a: \"x >\n   bad\"\n", "2:4+3"},
		{"escaped line break", "a: \"x > \\\n   bad\"\n", "2:4+3"},
		{"escaped line break and blank lines", "a: \"x > \\\n\n   bad\"\n", "3:4+3"},
		{"escaped line feed after a line break", "a: \"x > \\\n   \\n bad\"\n", "2:7+3"},
		{"blanks before a line break", "a: \"x >  \n   bad\"\n", "2:4+3"},
		{"single quotes", `a: 'it''s > bad'` + "\n", "1:13+3"},
		{"literal block", "a: |\n  x &&\n  y > bad\n", "3:7+3"},
		{"literal block with an indicator", "a: |2-\n    x &&\n  bad\n", "3:3+3"},
		{"literal block that begins with blank lines", "a: |\n\n\n  bad\n", "4:3+3"},
		{"folded block", "a: >-\n  x &&\n  y > bad\n", "3:7+3"},
		{"folded block with paragraphs", "a: >\n  x\n\n  y\n    more\n  bad\n", "6:3+3"},
		{"folded block with a comment", "a: > # why\n  x\n  bad\n", "3:3+3"},
		{"block in a list in a mapping", "b: 1\na:\n  - - |\n      x\n      bad\n", "5:7+3"},
		{"wide characters", "a: \"é支払 bad\"\n", "1:9+3"},
		{"carriage returns", "a: |\r\n  x\r\n  bad\r\nb: 1\r\n", "3:3+3"},
		{"byte order mark", "\ufeffa: bad\n", "1:4+3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			node := valueOf(t, tt.file)
			for node.Kind() == yamldoc.Sequence {
				node = node.Items()[0]
			}
			line, column := lineColumn(node.Text(), strings.Index(node.Text(), "bad"))
			p := node.Inside(line, column, "m", "h")
			assert.Equal(t, tt.want, fmt.Sprintf("%d:%d+%d", p.Pos.Line, p.Pos.Column, p.Width))
			assert.Equal(t, "bad", string([]rune(p.File.Line(p.Pos.Line))[p.Pos.Column-1:][:p.Width]))
		})
	}
}

// lineColumn returns the place of a byte of text, counted in characters.
func lineColumn(text string, index int) (line, column int) {
	before := text[:index]
	return 1 + strings.Count(before, "\n"), 1 + len([]rune(before[strings.LastIndex(before, "\n")+1:]))
}

func TestInsideBeyondTheText(t *testing.T) {
	node := valueOf(t, "a: \"xy\"\n")
	for _, at := range [][2]int{{1, 3}, {1, 99}, {7, 1}} {
		p := node.Inside(at[0], at[1], "m", "")
		assert.Equal(t, yamldoc.Pos{Line: 1, Column: 7}, p.Pos, "%v", at)
	}
	assert.Equal(t, yamldoc.Pos{Line: 1, Column: 5}, node.Inside(0, -3, "m", "").Pos)
	assert.Equal(t, yamldoc.Pos{Line: 1, Column: 4}, valueOf(t, "a: [x]\n").Inside(1, 1, "m", "").Pos)
	assert.Equal(t, yamldoc.Pos{Line: 1, Column: 1}, yamldoc.Node{}.Inside(1, 1, "m", "").Pos)
}

// TestInsideFindsEveryCharacter writes texts in every style and finds each of
// their characters again.
func TestInsideFindsEveryCharacter(t *testing.T) {
	words := []string{"a", "bc", "é", "支払", "x'y", "q\"r", "\\", "&&", "1", "😀"}
	rapid.Check(t, func(t *rapid.T) {
		breaks := []string{" ", " ", " ", "\n", "\n\n", "\n  "}
		var parts []string
		for i := range rapid.IntRange(1, 8).Draw(t, "words") {
			if i > 0 {
				parts = append(parts, rapid.SampledFrom(breaks).Draw(t, "break"))
			}
			parts = append(parts, rapid.SampledFrom(words).Draw(t, "word"))
		}
		written := strings.ReplaceAll(strings.Join(parts, ""), "\n", "\n    ")
		style := rapid.SampledFrom([]string{"|", "|+", ">", ">-", "'", `"`, "escaped"}).Draw(t, "style")
		file := map[string]string{
			"'": "a:\n    '" + strings.ReplaceAll(written, "'", "''") + "'\n",
			`"`: "a:\n    \"" + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(written) + "\"\n",
		}[style]
		switch style {
		case "|", "|+", ">", ">-":
			file = "a: " + style + "\n    " + written + "\n\n"
		case "escaped":
			file = "a: " + yamldoc.Quote(strings.Join(parts, "")) + "\n"
		}
		node := valueOf(t, file)
		for i, r := range node.Text() {
			line, column := lineColumn(node.Text(), i)
			p := node.Inside(line, column, "m", "")
			source := []rune(p.File.Line(p.Pos.Line))
			if r == '\n' || r == ' ' {
				continue // may be a break of the file
			}
			require.LessOrEqual(t, p.Pos.Column, len(source), "%q in %q", r, file)
			at := source[p.Pos.Column-1]
			escaped := at == '\\' && p.Pos.Column < len(source) && source[p.Pos.Column] == r || at == '\'' && r == '\''
			require.True(t, at == r || escaped, "character %d (%q) of %q found at %v, where %q stands, of\n%s", i, r, node.Text(), p.Pos, at, file)
		}
	})
}

func TestNodes(t *testing.T) {
	f, problems := yamldoc.Parse("x.yaml", []byte("a: [1, 'no', no, 1e3]\nb:\n  c: ~\n  \"d\": |\n    text\n"))
	require.Empty(t, problems)
	entries := f.Root().Entries()
	require.Len(t, entries, 2)
	items := entries[0].Value.Items()
	assert.Equal(t, []string{"1", "no", "no", "1e3"}, []string{items[0].Text(), items[1].Text(), items[2].Text(), items[3].Text()})
	assert.False(t, items[1].Plain())
	assert.True(t, items[2].Plain())
	nested := entries[1].Value.Entries()
	assert.True(t, nested[0].Value.Null())
	assert.False(t, nested[1].Value.Null())
	assert.Equal(t, "text\n", nested[1].Value.Text())
	assert.Equal(t, yamldoc.Pos{Line: 4, Column: 8}, nested[1].Value.Pos())
	assert.Equal(t, "empty", nested[0].Value.Describe())
	assert.Equal(t, "a list", entries[0].Value.Describe())
	assert.Same(t, f, items[0].File())

	var zero yamldoc.Node
	assert.True(t, zero.IsZero())
	assert.Equal(t, yamldoc.None, zero.Kind())
	assert.Equal(t, "nothing", zero.Describe())
	assert.Empty(t, zero.Text())
	assert.Empty(t, zero.Items())
	assert.Empty(t, zero.Entries())
	assert.False(t, zero.Null())
	assert.Nil(t, zero.Problem("m", "h").File)
}

func TestFields(t *testing.T) {
	f, problems := yamldoc.Parse("x.yaml", []byte("owner: 1\nexipres: 2\ncolour: 3\n"))
	require.Empty(t, problems)
	fields, problems := f.Root().Fields("the grant", "owner", "expires")
	assert.Equal(t, "1", fields.Get("owner").Text())
	assert.True(t, fields.Get("expires").IsZero())
	assert.Equal(t, `2:1+7 unknown key "exipres" in the grant; did you mean "expires"?`+"\n"+
		`3:1+6 unknown key "colour" in the grant; known here: owner, expires`, showAll(problems))

	fields, problems = fields.Get("owner").Fields("owner", "id")
	assert.True(t, fields.Get("id").IsZero())
	assert.Equal(t, "1:8+1 owner is a single value, not a mapping; write it as {key: value}, or as indented lines of key: value", showAll(problems))
}

func TestNearest(t *testing.T) {
	known := []string{"authorization_required", "bounds", "when", "environments"}
	for text, want := range map[string]string{
		"bound": "bounds", "Bounds": "bounds", "whn": "when", "authorisation-required": "authorization_required",
		"environment": "environments", "colour": "", "x": "", "": "", strings.Repeat("bounds", 20): "",
	} {
		assert.Equal(t, want, yamldoc.Nearest(text, known), text)
	}
}

func TestJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"type": "object", "required": ["a"], "n": 1.50, "e": -1e3, "t": true, "x": null}`: `{"type":"object","required":["a"],"n":1.50,"e":-1e3,"t":true,"x":null}`,
		"[no, 0x10, 01, .5, '1', ~, \"<&\\u2028\"]":                                         `["no","0x10","01",".5","1",null,"\u003c\u0026\u2028"]`,
		"[]": "[]",
		"{}": "{}",
	} {
		got, err := valueOf(t, "a: "+text+"\n").JSON()
		require.NoError(t, err)
		assert.Equal(t, want, string(got))
	}
	_, err := yamldoc.Node{}.JSON()
	assert.Error(t, err)
}

func TestQuoteIsReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("\x00\a\b\t\n\v\r\x1b\"\\ \u0085\u00a0\u2028\u2029\ufeff\u202e\ue000\ufffe😀")))).Draw(t, "text")
		node := valueOf(t, "a: "+yamldoc.Quote(text)+"\n")
		require.Equal(t, text, node.Text())
		require.False(t, node.Plain())
	})
	assert.Equal(t, "\"\ufffd\"", yamldoc.Quote("\xff"), "invalid UTF-8 becomes the replacement character")
}
