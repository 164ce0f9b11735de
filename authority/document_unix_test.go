//go:build unix

package authority_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
)

// Reading a pipe would wait for whoever writes to it.
func TestReadDirRefusesPipes(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "x.yaml"), 0o644))
	_, err := authority.ReadDir(dir)
	assert.ErrorContains(t, err, "x.yaml: not a regular file")
}
