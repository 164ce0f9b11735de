package backends_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/backends"
)

func TestAnInterruptedBuildLeavesNothing(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("AMBIT_CACHE", cache)
	for _, p := range backends.Programs() {
		_, err := p.Path()
		require.ErrorIs(t, err, os.ErrNotExist)
		ctx, interrupt := context.WithCancel(t.Context())
		built := make(chan error)
		go func() {
			_, err := p.Build(ctx, io.Discard)
			built <- err
		}()
		eventually(t, "the build has begun", func() (bool, error) {
			begun, err := filepath.Glob(filepath.Join(cache, "bin", ".building-*"))
			return len(begun) > 0, err
		})
		interrupt()
		require.ErrorIs(t, <-built, context.Canceled)
		left, err := os.ReadDir(filepath.Join(cache, "bin"))
		require.NoError(t, err)
		assert.Empty(t, left)
	}
}

func TestCacheIsAnAbsolutePath(t *testing.T) {
	t.Setenv("AMBIT_CACHE", "cache")
	_, err := backends.Collector.Build(t.Context(), io.Discard)
	require.ErrorContains(t, err, `AMBIT_CACHE is "cache", want an absolute path`)
}
