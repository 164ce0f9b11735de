package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// A backend may keep what retention has removed here: that is counted, and no
// problem. What is gone from the middle is one.
func TestAgainstWhatWasRetired(t *testing.T) {
	dir := t.TempDir()
	l, err := ledger.Open(dir, journal.WithRotation(journal.Rotation{Records: 5}))
	require.NoError(t, err)
	var spans bytes.Buffer
	d, err := otelx.NewDelivery(l.Journal().Follow("otlp"), otelx.NewJSONLines(&spans))
	require.NoError(t, err)
	for range 20 {
		now := time.Now()
		require.NoError(t, l.Admit(context.Background(), &rationale.Decision{ID: rationale.NewID(now), At: now, Tool: rationale.Tool{Name: "t"}}))
	}
	require.NoError(t, d.Shutdown(context.Background()))
	gone, err := l.Journal().Retire(context.Background(), journal.Retention{})
	require.NoError(t, err)
	require.NotEmpty(t, gone)
	require.NoError(t, l.Close())
	file := filepath.Join(t.TempDir(), "spans.jsonl")
	require.NoError(t, os.WriteFile(file, spans.Bytes(), 0o600))

	backend, err := testimonies([]string{file})
	require.NoError(t, err)
	assert.Equal(t, 20, backend.spans)
	all, problems := backend.compare(false, journal.Read(dir))
	assert.Empty(t, problems)
	require.Len(t, all, 1)
	assert.Positive(t, all[0].Retired)
	assert.Equal(t, 20, all[0].Retired+all[0].Same)
	assert.Empty(t, all[0].NotYet)

	// Of the segments that are left, one in the middle goes.
	l, err = ledger.Open(dir, journal.WithRotation(journal.Rotation{Records: 2}))
	require.NoError(t, err)
	d, err = otelx.NewDelivery(l.Journal().Follow("otlp"), otelx.NewJSONLines(&spans))
	require.NoError(t, err)
	for range 6 {
		now := time.Now()
		require.NoError(t, l.Admit(context.Background(), &rationale.Decision{ID: rationale.NewID(now), At: now, Tool: rationale.Tool{Name: "t"}}))
	}
	require.NoError(t, d.Shutdown(context.Background()))
	segments := l.Journal().Segments()
	require.NoError(t, l.Close())
	require.NoError(t, os.WriteFile(file, spans.Bytes(), 0o600))
	require.NoError(t, os.Remove(segments[len(segments)-2].File))
	backend, err = testimonies([]string{file})
	require.NoError(t, err)
	_, problems = backend.compare(false, journal.Read(dir))
	require.NotEmpty(t, problems)
	assert.ErrorContains(t, problems[0], "that can be read, and the backend has it as")
}
