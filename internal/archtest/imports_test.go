package archtest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// rule says what the non-test files of one package may import beside the
// standard library.
type rule struct {
	Package string
	Imports []string // packages of the root module
	Others  []string // modules, by path
}

// rules lists every package of the root module. Imports point one way: a
// package may import only packages above it. A package or an edge that is new
// is added here on purpose, or not at all.
var rules = []rule{
	{Package: "classify"},
	{Package: "rationale", Imports: []string{"classify"}, Others: []string{jsonModule, uuidModule, decimalModule}},
	{Package: "rationale/journal", Imports: []string{"rationale"}},

	{Package: "internal/money"},
	{Package: "internal/versions"},
	{Package: "internal/calendar"},
	{Package: "internal/strictjson", Others: []string{jsonModule, schemaModule}},
	{Package: "internal/celplan", Imports: []string{"internal/strictjson"}, Others: []string{celModule}},
	{Package: "internal/yamldoc", Others: []string{yamlModule}},

	{
		Package: "authority",
		Imports: []string{"classify", "rationale", "internal/calendar", "internal/strictjson", "internal/celplan", "internal/yamldoc", "internal/versions"},
		Others:  []string{decimalModule},
	},

	{Package: "guard/ledger", Imports: []string{"classify", "rationale", "rationale/journal", "internal/calendar", "internal/money", "internal/versions"}},
	{
		Package: "internal/desk",
		Imports: []string{"rationale", "rationale/journal", "authority", "guard/ledger"},
		Others:  []string{jsonModule},
	},
	{Package: "guard/ledger/control", Imports: []string{"authority", "guard/ledger", "internal/desk"}},
	{Package: "guard", Imports: []string{"classify", "rationale", "authority", "internal/money"}},
	{Package: "guard/notify", Imports: []string{"rationale"}},
	{Package: "guard/joinkey"},
	{Package: "guard/guardtest", Imports: []string{"classify", "rationale", "authority", "guard", "guard/ledger"}, Others: []string{testifyModule}},
	{
		Package: "guard/einoguard",
		Imports: []string{"classify", "authority", "guard"},
		Others:  []string{einoModule, einoSchemaModule},
	},

	{Package: "otelx", Imports: []string{"rationale", "rationale/journal"}, Others: otelModules},

	{
		Package: "audit",
		Imports: []string{"authority", "rationale", "rationale/journal", "internal/celplan", "internal/strictjson", "internal/yamldoc"},
		Others:  []string{jsonModule},
	},

	// What the command line and the decision corpus share.
	{Package: "internal/callfile", Imports: []string{"classify", "rationale", "authority", "internal/strictjson"}},
	{Package: "internal/corpus", Imports: []string{"rationale", "authority", "internal/callfile"}},
	{
		Package: "internal/corpus/corpushost",
		Imports: []string{"classify", "rationale", "authority", "guard", "guard/guardtest", "guard/ledger", "internal/corpus"},
		Others:  []string{testifyModule},
	},

	// A file system that fails and crashes, for tests.
	{Package: "internal/crashfs", Imports: []string{"rationale/journal"}},

	// A PostgreSQL server, for tests and measurements.
	{Package: "internal/pgserver"},
	// Histories of a ledger, each the same again.
	{
		Package: "internal/simulate",
		Imports: []string{"classify", "rationale", "rationale/journal", "guard/ledger", "internal/crashfs"},
	},

	// Tools and tests of the repository itself.
	{Package: "internal/archtest"},
	{Package: "internal/mutants"},
	{Package: "internal/shareddata", Others: []string{testifyModule}},
	{Package: "internal/testreport"},
}

const (
	celModule        = "cel.dev/cel-go"
	yamlModule       = "go.yaml.in/yaml/v3"
	jsonModule       = "github.com/go-json-experiment/json"
	schemaModule     = "github.com/santhosh-tekuri/jsonschema/v6"
	decimalModule    = "github.com/govalues/decimal"
	uuidModule       = "github.com/google/uuid"
	einoModule       = "github.com/cloudwego/eino"
	einoSchemaModule = "github.com/eino-contrib/jsonschema"
	testifyModule    = "github.com/stretchr/testify"
)

var otelModules = []string{
	"go.opentelemetry.io/otel", "go.opentelemetry.io/otel/metric", "go.opentelemetry.io/otel/trace",
	"go.opentelemetry.io/otel/sdk",
}

func TestImportsPointOneWay(t *testing.T) {
	moduleOf := map[string]string{}
	for _, p := range goList(t, "-deps", "./...") {
		if p.Module != nil {
			moduleOf[p.ImportPath] = p.Module.Path
		}
	}
	seen := map[string]bool{}
	for _, p := range goList(t, "./...") {
		seen[p.short()] = true
		i := slices.IndexFunc(rules, func(r rule) bool { return r.Package == p.short() })
		if !assert.GreaterOrEqual(t, i, 0, "package %q is not in the table", p.short()) {
			continue
		}
		used := map[string]bool{}
		for _, path := range p.Imports {
			inside, ours := strings.CutPrefix(path, module+"/")
			switch {
			case ours:
				used[inside] = true
				assert.Contains(t, rules[i].Imports, inside, "%s must not import it", p.short())
			case moduleOf[path] != "":
				used[moduleOf[path]] = true
				assert.Contains(t, rules[i].Others, moduleOf[path], "%s must not import %s", p.short(), path)
			}
		}
		for _, permitted := range slices.Concat(rules[i].Imports, rules[i].Others) {
			assert.True(t, used[permitted], "%s no longer imports %s: take it out of the table", p.short(), permitted)
		}
	}
	for _, r := range rules {
		assert.True(t, seen[r.Package], "the table names %q, which is no package", r.Package)
	}
}

// The table is edited when the layout grows; these lines of it are promises.
func TestOneImporterOfEachDependency(t *testing.T) {
	only := map[string]string{
		celModule:  "internal/celplan",
		yamlModule: "internal/yamldoc",
		einoModule: "guard/einoguard",
	}
	for _, m := range otelModules {
		only[m] = "otelx"
	}
	for _, r := range rules {
		for _, m := range r.Others {
			if only[m] != "" {
				assert.Equal(t, only[m], r.Package, m)
			}
		}
	}
}

// SQLite is large, and of the command line alone.
func TestSQLiteHasOneImporter(t *testing.T) {
	var importers []string
	for name, text := range sources(t, ".go") {
		if strings.Contains(text, "\"modernc.org/sqlite"+"\"") && !strings.HasSuffix(name, "_test.go") {
			importers = append(importers, name)
		}
	}
	assert.Equal(t, []string{"cmd/ambit/internal/recorddb/db.go"}, importers)
}

// A cycle cannot compile; that the ledger and telemetry stay below or beside
// guard is a choice, so it is asserted, and transitively.
func TestLedgerAndTelemetryDoNotReachGuard(t *testing.T) {
	for _, start := range []string{"guard/ledger", "otelx", "rationale/journal"} {
		for _, p := range goList(t, "-deps", "./"+start) {
			assert.NotContains(t, []string{"guard", "authority"}, p.short(), "%s reaches it", start)
		}
	}
}
