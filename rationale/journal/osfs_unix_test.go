//go:build unix

package journal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale/journal"
)

// What has the name of a segment and is none holds nobody up, and is named.
func TestOnlyRegularFilesAreRead(t *testing.T) {
	for name, put := range map[string]func(path string) error{
		"a pipe":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a folder": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j := open(t, dir)
			require.NoError(t, j.Append(t.Context(), outcome("a")))
			require.NoError(t, j.Close())
			require.NoError(t, put(filepath.Join(dir, "00000002.seg")))
			assert.Contains(t, fmt.Sprint(journal.Verify(journal.Expect{}, dir).Problems), "00000002.seg: it is no regular file")
			_, err := journal.Open(dir)
			require.ErrorContains(t, err, "00000002.seg: it is no regular file")
			_, err = journal.Repair(dir)
			require.ErrorContains(t, err, "00000002.seg: it is no regular file")
		})
	}
}

// A file with holes takes no room on the disk, and would take all of the memory.
func TestAFileThatNoSegmentCanBeIsNotRead(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	require.NoError(t, j.Append(t.Context(), outcome("a")))
	require.NoError(t, j.Close())
	require.NoError(t, os.Truncate(filepath.Join(dir, "00000001.seg"), 1<<40))
	const problem = "no segment has more than"
	assert.Contains(t, fmt.Sprint(journal.Verify(journal.Expect{}, dir).Problems), problem)
	_, err := journal.Open(dir)
	require.ErrorContains(t, err, problem)
}
