// Package backends builds the servers that the delivery of evidence is tested
// against, a real OpenTelemetry Collector and a real Jaeger, from pinned Go modules.
// Its tests run them.
package backends

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Program is a server.
type Program string

// The servers. The versions are those of testdata/NAME/go.mod.
const (
	Collector Program = "collector"
	Jaeger    Program = "jaeger"
)

// HowToBuild is the command that builds them, from any folder of the repository.
const HowToBuild = "go run github.com/ambit-go/ambit/internal/backends/servers"

const module = "github.com/ambit-go/ambit/internal/backends"

// Programs returns all servers.
func Programs() []Program { return []Program{Collector, Jaeger} }

// mainPackage is what is built in the program's module.
func (p Program) mainPackage() string {
	if p == Jaeger {
		return "github.com/jaegertracing/jaeger/cmd/jaeger"
	}
	return "."
}

// Path returns where the program is, or an error that is [os.ErrNotExist] if it was
// not built yet. Its name has the digest of all that it is built from, so that a new pin is a new file. The
// folder is $AMBIT_CACHE/bin, by default ambit/bin in the user's cache folder.
func (p Program) Path() (string, error) {
	path, _, err := p.locate()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s is not built: %w", p, err)
	}
	return path, nil
}

// Build builds the program if it is not there, which takes minutes, and returns
// its path. What the Go command says goes to log. A build that is interrupted leaves nothing at the path.
func (p Program) Build(ctx context.Context, log io.Writer) (string, error) {
	path, source, err := p.locate()
	if err != nil {
		return "", err
	}
	switch _, err := os.Stat(path); {
	case err == nil:
		return path, nil
	case !errors.Is(err, os.ErrNotExist):
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".building-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	built := filepath.Join(dir, filepath.Base(path))
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", built, p.mainPackage())
	cmd.Dir = source
	// A module of its own, its go.sum complete, and no C compiler needed.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly", "CGO_ENABLED=0")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build %s in %s: %w", p, source, errors.Join(err, ctx.Err()))
	}
	if err := sync(built); err != nil {
		return "", err
	}
	return path, os.Rename(built, path)
}

// sync makes a file durable before it gets the name that says it is whole.
func sync(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// locate returns the path of the program, built or not, and the folder of its module.
func (p Program) locate() (path, source string, err error) {
	root, err := folder()
	if err != nil {
		return "", "", err
	}
	source = filepath.Join(root, "testdata", string(p))
	digest, err := digestOf(source)
	if err != nil {
		return "", "", err
	}
	cache := os.Getenv("AMBIT_CACHE")
	switch {
	case cache == "":
		user, err := os.UserCacheDir()
		if err != nil {
			return "", "", fmt.Errorf("set AMBIT_CACHE to a folder for the servers: %w", err)
		}
		cache = filepath.Join(user, "ambit")
	case !filepath.IsAbs(cache): // tests and commands run in different folders
		return "", "", fmt.Errorf("AMBIT_CACHE is %q, want an absolute path", cache)
	}
	name := fmt.Sprintf("%s-%s-%s-%s", p, runtime.GOOS, runtime.GOARCH, digest)
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(cache, "bin", name), source, nil
}

// folder returns the folder of this module.
func folder() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return "", fmt.Errorf("find the module %s, in its workspace or in its folder: %w", module, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// digestOf returns the beginning of a digest of a folder's files.
func digestOf(dir string) (string, error) {
	files, err := os.ReadDir(dir) // sorted
	if err != nil {
		return "", err
	}
	all := sha256.New()
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(all, "%s %d\n%s", f.Name(), len(data), data)
	}
	return fmt.Sprintf("%x", all.Sum(nil)[:6]), nil
}
