// Package archtest holds the tests of the repository's shape: which package
// imports which, what an importer of guard pulls in, what the public API may
// mention, and what no source file may contain.
package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/ambit-go/ambit"

// root is the repository's folder as seen from this package.
const root = "../.."

// listed is what `go list` says of a package.
type listed struct {
	ImportPath string
	Standard   bool
	Export     string // file of export data
	Module     *struct{ Path string }
	Imports    []string
}

// short is the package's path inside the root module; "" for the root itself.
func (p listed) short() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

// goList runs `go list -json` in the root module, outside of the workspace: it
// sees what somebody sees who requires the module.
func goList(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Standard,Export,Module,Imports"}, args...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", &stderr)
	var found []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			require.NotEmpty(t, found)
			return found
		} else {
			require.NoError(t, err)
		}
		found = append(found, p)
	}
}

// sources returns the text of every file of the repository with that ending,
// by path from the root with slashes. Hidden folders and testdata are left out.
func sources(t *testing.T, ending string) map[string]string {
	t.Helper()
	files, err := read()
	require.NoError(t, err)
	found := map[string]string{}
	for path, text := range files {
		if strings.HasSuffix(path, ending) {
			found[path] = text
		}
	}
	require.NotEmpty(t, found, ending)
	return found
}

var read = sync.OnceValues(func() (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if name == "testdata" || (strings.HasPrefix(name, ".") && path != root) {
				return filepath.SkipDir
			}
			return nil
		}
		switch filepath.Ext(name) {
		case ".go", ".md", ".mod", ".work":
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, path)
			files[filepath.ToSlash(rel)] = string(text)
			return err
		}
		return nil
	})
	return files, err
})
