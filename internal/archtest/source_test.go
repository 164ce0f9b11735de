package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const maxLines = 500

func TestFilesAreShort(t *testing.T) {
	for name, text := range sources(t, ".go") {
		assert.LessOrEqual(t, strings.Count(text, "\n"), maxLines, "lines of %s", name)
	}
}

// A package that does something when it is imported cannot be reasoned about.
func TestNoInitFunctions(t *testing.T) {
	for name, text := range sources(t, ".go") {
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				assert.NotEqual(t, "init", f.Name.Name, name)
			}
		}
	}
}

// The words are written in pieces, so that this file does not contain them.
var stubs = regexp.MustCompile(`\b(` + "TO" + "DO|FIX" + `ME)\b|(?i)\b(not ` + "implemented|un" + `implemented|in a ` +
	`real (system|deployment|implementation))\b|//.*\bfor ` + `now\b`)

func TestNothingIsLeftForLater(t *testing.T) {
	for name, text := range sources(t, ".go") {
		for i, line := range strings.Split(text, "\n") {
			assert.NotRegexp(t, stubs, line, "%s:%d", name, i+1)
		}
	}
}

// Names that say nothing of what is inside.
var vague = regexp.MustCompile(`(?i)(util|helper|manager|common|misc)s?$|[a-z]Impl$`)

func TestNamesSayWhatIsInside(t *testing.T) {
	for name, text := range sources(t, ".go") {
		assert.NotRegexp(t, vague, strings.TrimSuffix(strings.TrimSuffix(path.Base(name), ".go"), "_test"), name)
		assert.NotRegexp(t, vague, path.Dir(name))
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				if typ, ok := s.(*ast.TypeSpec); ok {
					assert.NotRegexp(t, vague, typ.Name.Name, name)
				}
			}
		}
	}
}

// Every module is part of the workspace, and builds on the code beside it.
func TestWorkspaceHasEveryModule(t *testing.T) {
	used := strings.Fields(sources(t, "go.work")["go.work"])
	for name, text := range sources(t, "go.mod") {
		if dir := path.Dir(name); dir == "." {
			assert.Contains(t, used, ".", "go.work")
		} else {
			assert.Contains(t, used, "./"+dir, "go.work")
			up := strings.TrimSuffix(strings.Repeat("../", strings.Count(dir, "/")+1), "/")
			assert.Contains(t, text, "replace "+module+" => "+up, name)
		}
	}
}
