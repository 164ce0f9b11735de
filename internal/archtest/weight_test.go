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
	"cel.dev/cel-go", // compiles and runs the rules; brings the six below
	"cel.dev/expr",
	"github.com/antlr4-go/antlr/v4",
	"golang.org/x/exp",
	"google.golang.org/genproto/googleapis/api",
	"google.golang.org/genproto/googleapis/rpc",
	"google.golang.org/protobuf",

	"github.com/go-json-experiment/json",       // strict tokens, canonical form
	"github.com/google/uuid",                   // version 7
	"github.com/govalues/decimal",              // money
	"github.com/santhosh-tekuri/jsonschema/v6", // keywords beyond structure; brings x/text
	"golang.org/x/text",
	"go.yaml.in/yaml/v3", // documents
}

// guardPackages caps the packages of those modules, the standard library and
// this module left out.
const guardPackages = 95

func TestGuardIsLight(t *testing.T) {
	modules, packages := map[string]bool{}, 0
	for _, p := range goList(t, "-deps", "./guard") {
		if p.Module == nil || p.Module.Path == module {
			continue
		}
		modules[p.Module.Path] = true
		packages++
	}
	assert.ElementsMatch(t, guardModules, slices.Sorted(maps.Keys(modules)))
	assert.LessOrEqual(t, packages, guardPackages)
}
