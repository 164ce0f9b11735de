package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// golden has made-up results that support every claim.
const golden = "../internal/report/testdata/results.json"

func TestClaims(t *testing.T) {
	text, err := os.ReadFile(golden)
	require.NoError(t, err)
	slower := strings.Replace(string(text), `"ns_op":14.25`, `"ns_op":21`, 1)
	require.NotEqual(t, string(text), slower)
	for _, tt := range []struct {
		name, input, want string
		args              []string
	}{
		{name: "all hold", input: string(text)},
		{name: "one does not", input: slower, want: "2 claims do not hold, 0 were not measured"},
		{name: "within the slack", input: slower, args: []string{"-slack", "1.5"}},
		{name: "nothing measured", input: "[]", want: "0 claims do not hold, 20 were not measured"},
		{name: "no JSON", input: "case impl", want: "the input is not what compare writes"},
		{name: "a slack that is none", input: "[]", args: []string{"-slack", "0.5"}, want: "want a slack of at least 1"},
		{name: "no such file", args: []string{"nowhere.json"}, want: "nowhere.json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(tt.args, strings.NewReader(tt.input), &out, io.Discard)
			if tt.want == "" {
				require.NoError(t, err)
				assert.Contains(t, out.String(), "holds")
				return
			}
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestClaimsOfAFile(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run([]string{filepath.FromSlash(golden)}, strings.NewReader(""), &out, io.Discard))
	assert.Equal(t, 20, strings.Count(out.String(), "\n"))
}
