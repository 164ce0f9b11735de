// Package shareddata finds the real input that lies beside the repository, in
// ../shared/data, for the tests that run on it. Data that nobody on this
// project wrote is not copied into the repository.
package shareddata

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Dir returns a folder of the data, and skips the test where it is absent. It
// works from every folder of the repository.
func Dir(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for !isRoot(dir) {
		parent := filepath.Dir(dir)
		require.NotEqual(t, parent, dir, "no go.mod of the root module above the test")
		dir = parent
	}
	folder := filepath.Join(dir, "..", "shared", "data", name)
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("the real input is not beside the repository, in ../shared/data: %v", err)
	}
	return folder
}

func isRoot(dir string) bool {
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && strings.HasPrefix(string(mod), "module github.com/ambit-go/ambit\n")
}
