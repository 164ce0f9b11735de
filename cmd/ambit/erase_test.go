package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// A decision is explained with what its key opens, and says so where the key is
// not there any more.
func TestExplainSaysWhatWasErased(t *testing.T) {
	policy, dir := t.TempDir(), filepath.Join(t.TempDir(), "ev")
	require.NoError(t, os.WriteFile(filepath.Join(policy, "support.yaml"), []byte(supportBot), 0o600))
	require.NoError(t, writeEvidence(policy, dir, "customer-7"))
	id := ""
	for e, err := range journal.Read(dir) {
		require.NoError(t, err)
		if d, ok := e.Record.(*rationale.Decision); ok && id == "" {
			id = d.ID
		}
	}
	explained := func() string {
		var out, errs bytes.Buffer
		code := run(&terminal{out: &out, err: &errs}, []string{"records", dir, "-explain", id})
		require.Equal(t, exitOK, code, "%s", &errs)
		return out.String()
	}
	open := explained()
	assert.Contains(t, open, "The parcel")
	assert.Contains(t, open, "12.5")
	assert.NotContains(t, open, "payload")
	var out, errs bytes.Buffer
	code := run(&terminal{out: &out, err: &errs}, []string{"erase", "customer-7", dir, "-by", "dpo\x1b[31m", "-why", "request 7"})
	require.Equal(t, exitOK, code, "%s", &errs)
	erased := explained()
	assert.Contains(t, erased, `erased `)
	assert.Contains(t, erased, `by dpo\x1b[31m: request 7`)
	assert.NotContains(t, erased, "The parcel")
	assert.Contains(t, erased, "ALLOW", "what was decided stays")
	require.NoError(t, os.RemoveAll(filepath.Join(dir, journal.SubjectsFolder)))
	assert.Contains(t, explained(), "sealed, and its key is not here")
}
