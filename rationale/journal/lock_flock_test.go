//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package journal_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale/journal"
)

// A process that is being started has all files open until it runs its program:
// the lock of a journal that was closed must not last as long.
func TestCloseUnlocksWhatAChildHasOpen(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	child := duplicateOf(t, filepath.Join(dir, "LOCK"))
	require.NoError(t, j.Close())
	again, err := journal.Open(dir)
	require.NoError(t, err)
	require.NoError(t, again.Close())
	require.NoError(t, syscall.Close(child))
}

// duplicateOf returns a second descriptor of the file that this process has
// open under that name, as fork gives it to a child.
func duplicateOf(t *testing.T, name string) int {
	t.Helper()
	want, err := os.Stat(name)
	require.NoError(t, err)
	for fd := range 1024 {
		var found syscall.Stat_t
		if syscall.Fstat(fd, &found) == nil && found.Ino == want.Sys().(*syscall.Stat_t).Ino && found.Dev == want.Sys().(*syscall.Stat_t).Dev {
			child, err := syscall.Dup(fd)
			require.NoError(t, err)
			return child
		}
	}
	assert.FailNow(t, "the file is not open")
	return -1
}
