package yamldoc_test

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/yamldoc"
)

var seeds = []string{
	"", "a: 1\n", "a: [1, {b: c}]\n", "a: &x 1\nb: *x\n", "<<: {a: 1}\n", "a: !!binary x\n", "a: |\n  x\n  y\n",
	"a: >-\n  x\n\n  y\n", "a: \"\\u00e9\\\n b\"\n", "a: 'it''s'\n", "\ufeffa: 1\r\n", "a: {x: 1, y 2}\n", "? [a]\n: 1\n",
	"a: 1\n---\nb: 2\n", "%YAML 1.1\n---\na: no\n", "a:\n- 1\n - 2\n", "a: \"unclosed\n", "a: [1,\n", "# c\n\n  # d\na:\n  # e\n  - f\n",
}

// FuzzParse never panics, and every problem has a place inside of the file.
func FuzzParse(f *testing.F) {
	require.NotEmpty(f, seeds)
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, problems := yamldoc.Parse("x.yaml", data)
		require.NotNil(t, file)
		if len(problems) == 0 {
			require.False(t, file.Root().IsZero(), "neither a document nor a problem")
		}
		for _, p := range problems {
			inside(t, p)
		}
		walk(t, file.Root())
	})
}

// walk asks every node for a problem, at it and inside of it.
func walk(t *testing.T, n yamldoc.Node) {
	if n.IsZero() {
		return
	}
	inside(t, n.Problem("m", ""))
	if n.Kind() == yamldoc.Scalar {
		for i := range min(len(n.Text()), 64) {
			inside(t, n.Inside(1, i, "m", ""))
			inside(t, n.Inside(i, 1, "m", ""))
		}
	}
	for _, item := range n.Items() {
		walk(t, item)
	}
	for _, e := range n.Entries() {
		walk(t, e.Key)
		walk(t, e.Value)
	}
}

func inside(t *testing.T, p yamldoc.Problem) {
	require.NotNil(t, p.File)
	require.NotEmpty(t, p.Message)
	require.GreaterOrEqual(t, p.Pos.Line, 1)
	require.GreaterOrEqual(t, p.Pos.Column, 1)
	require.GreaterOrEqual(t, p.Width, 1)
	require.LessOrEqual(t, p.Pos.Column, utf8.RuneCountInString(p.File.Line(p.Pos.Line))+1)
}
