package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is opened is as old as it says, with a snapshot where one was due, and as
// often as it is opened.
func TestGrowAndOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "evidence")
	require.NoError(t, grow(dir, 290, 100))
	before, err := segments(dir)
	require.NoError(t, err)
	assert.Len(t, before, 3)
	bytes, err := size(before)
	require.NoError(t, err)
	assert.Greater(t, bytes, int64(2*290*500))
	took, err := quickest(dir, 100)
	require.NoError(t, err)
	assert.Positive(t, took)
	after, err := segments(dir)
	require.NoError(t, err)
	assert.Equal(t, before, after)

	assert.ErrorContains(t, run("7", 1000, t.TempDir()), `"7" is no number of at least 1000`)
	assert.ErrorContains(t, run("700", 7, t.TempDir()), "-every must be")
	require.NoError(t, run("1000", 1000, t.TempDir()))
}
