package backends_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The files of the Collector are a witness: records that were cut from the
// journal's very end, which the journal alone cannot show, are missed.
func TestVerifyAgainstWhatTheCollectorWrote(t *testing.T) {
	queue, endpoint, out := chain(t)
	queue.start(t)
	dir := t.TempDir()
	for range 2 {
		h := newHost(t, dir, endpoint)
		h.calls(t, 100, noTrace)
		arrives(t, out, h.evidence(t))
		h.close(t)
	}
	ambit := buildAmbit(t)
	said, code := ambit("verify", "-against", out.path(), dir)
	assert.Zero(t, code, said)

	segments, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	require.NoError(t, err)
	require.Greater(t, len(segments), 1)
	require.NoError(t, os.Remove(segments[len(segments)-1]))
	said, code = ambit("verify", dir)
	assert.Zero(t, code, said)
	said, code = ambit("verify", "-against", out.path(), dir)
	assert.Equal(t, 1, code, said)
}

// buildAmbit builds the command of this tree, and returns a function that runs it.
func buildAmbit(t *testing.T) func(args ...string) (output string, code int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ambit")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Dir = filepath.Join("..", "..", "cmd", "ambit")
	said, err := build.CombinedOutput()
	require.NoError(t, err, "%s", said)
	return func(args ...string) (string, int) {
		t.Helper()
		said, err := exec.Command(path, args...).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			require.NoError(t, err)
		}
		if exit == nil {
			return string(said), 0
		}
		return string(said), exit.ExitCode()
	}
}
