package backends_test

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/backends"
)

// The tests set ports and folders. Without them the configurations of docs/evidence.md are whole, too.
func TestConfigurationsHaveDefaults(t *testing.T) {
	for config, p := range map[string]backends.Program{
		"collector.yaml": backends.Collector, "files.yaml": backends.Collector, "jaeger.yaml": backends.Jaeger,
	} {
		t.Run(config, func(t *testing.T) {
			said, err := exec.Command(program(t, p), "validate", "--config", fromDocs(t, config)).CombinedOutput()
			assert.NoError(t, err, "%s", said)
		})
	}
}

// program returns the path of a server, and skips the test where it is not built.
func program(t *testing.T, p backends.Program) string {
	t.Helper()
	path, err := p.Path()
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("%v; run: %s", err, backends.HowToBuild)
	}
	require.NoError(t, err)
	return path
}
