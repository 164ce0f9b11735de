package archtest

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// guardModules are the modules whose code an importer of guard compiles. A new
// one is a cost for every host: it is added here with a reason in
// docs/decisions.md.
var guardModules = []string{
	"cel.dev/cel-go",
}

// guardPackages caps the packages of those modules, the standard library and
// this module left out.
const guardPackages = 100

func TestGuardIsLight(t *testing.T) {
	modules, packages := map[string]bool{}, 0
	for _, p := range goList(t, "-deps", "./guard") {
		if p.Module == nil || p.Module.Path == module {
			continue
		}
		modules[p.Module.Path] = true
		packages++
	}
	assert.Equal(t, guardModules, slices.Sorted(maps.Keys(modules)))
	assert.LessOrEqual(t, packages, guardPackages)
}
