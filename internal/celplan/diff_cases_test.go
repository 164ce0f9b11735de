package celplan_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// TestDifferentialCases evaluates expressions at the edges of the language on
// both paths: those in which two implementations are likely to differ, and
// those for which a fuzzer found that they did.
func TestDifferentialCases(t *testing.T) {
	scope := newDiffScope(t, declarations[0])
	call := usualCall(t, scope)
	file := filepath.Join("testdata", "differential", "cases.txt")
	cases := readCases(t, file)
	require.GreaterOrEqual(t, len(cases), 250)
	for _, c := range cases {
		got := compare(t, scope, c.src, strictjson.Bool, call)
		assert.Empty(t, got.different, c.src)
		if !assert.NoError(t, got.refused, c.src) {
			continue
		}
		out := got.outcomes[0]
		assert.Equal(t, c.want, out.value+out.why, c.src)
		if !got.native {
			t.Logf("falls back, since %s: %s", got.why, c.src)
		}
	}
}

type diffCase struct{ src, want string }

// readCases reads lines of an expression, a tab, and what it comes to. Lines
// that begin with # are headings.
func readCases(t *testing.T, file string) []diffCase {
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	var out []diffCase
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		src, want, ok := strings.Cut(line, "\t")
		require.True(t, ok, line)
		out = append(out, diffCase{src: src, want: want})
	}
	require.NoError(t, lines.Err())
	return out
}

// usualCall is the call of testdata/differential/call.json.
func usualCall(t *testing.T, s *diffScope) diffInput {
	data, err := os.ReadFile(filepath.Join("testdata", "differential", "call.json"))
	require.NoError(t, err)
	return readCall(t, s, data)
}
