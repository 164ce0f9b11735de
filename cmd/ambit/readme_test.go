package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadmeVet makes the mistake that the README shows, and compares.
func TestReadmeVet(t *testing.T) {
	data, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	block := func(marker string) string {
		_, after, ok := strings.Cut(string(data), "<!-- "+marker+" -->\n```")
		require.True(t, ok, marker)
		_, after, _ = strings.Cut(after, "\n")
		code, _, _ := strings.Cut(after, "\n```")
		return code
	}
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("policy", 0o700))
	document := strings.Replace(block("policy/support-bot.yaml"), "args.amount", "args.amuont", 1)
	require.NoError(t, os.WriteFile(filepath.Join("policy", "support-bot.yaml"), []byte(document), 0o600))
	require.NoError(t, os.WriteFile("manifest.yaml", []byte(`apiVersion: ambit/v1
kind: Manifest
tools:
  - name: orders.refund
    schema: {type: object, properties: {order: {type: string}, amount: {type: number}}}
`), 0o600))
	var out, errs bytes.Buffer
	code := run(&terminal{out: &out, err: &errs}, []string{"vet", "policy", "-manifest", "manifest.yaml"})
	assert.Equal(t, exitFailed, code)
	assert.Equal(t, block("vet")+"\n1 error: nothing is loaded until all documents are right\n", errs.String())
}
