package archtest

import (
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Packages whose exported API mentions only the standard library and the
// public packages of this module.
var selfContained = []string{"classify", "authority", "rationale", "guard"}

func TestExportedAPIMentionsNoDependency(t *testing.T) {
	load := loader(t)
	for _, name := range selfContained {
		pkg := load(module + "/" + name)
		scope := pkg.Scope()
		for _, object := range scope.Names() {
			o := scope.Lookup(object)
			if !o.Exported() {
				continue
			}
			m := mentions{seen: map[types.Type]bool{}}
			m.object(o)
			for _, foreign := range m.foreign {
				t.Errorf("%s.%s mentions %s", name, object, foreign)
			}
		}
	}
}

func TestNoExportedVariables(t *testing.T) {
	load := loader(t)
	errorType := types.Universe.Lookup("error").Type()
	for _, p := range goList(t, "./...") {
		if p.Export == "" && p.short() == "internal/archtest" {
			continue // has tests alone
		}
		scope := load(p.ImportPath).Scope()
		for _, name := range scope.Names() {
			v, ok := scope.Lookup(name).(*types.Var)
			if ok && v.Exported() && !types.Identical(v.Type(), errorType) {
				t.Errorf("%s.%s is a variable that anybody can change", p.short(), name)
			}
		}
	}
}

// loader compiles the root module and returns its packages by path.
func loader(t *testing.T) func(path string) *types.Package {
	t.Helper()
	exports := map[string]string{}
	for _, p := range goList(t, "-export", "-deps", "./...") {
		exports[p.ImportPath] = p.Export
	}
	imports := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no export data for %s", path)
		}
		return os.Open(exports[path])
	})
	return func(path string) *types.Package {
		pkg, err := imports.Import(path)
		require.NoError(t, err)
		return pkg
	}
}

// mentions collects the types of other modules, and of internal packages, that
// a caller meets in an exported declaration.
type mentions struct {
	seen    map[types.Type]bool
	foreign []string
}

func (m *mentions) object(o types.Object) {
	m.walk(o.Type())
	named, ok := types.Unalias(o.Type()).(*types.Named)
	if !ok {
		return
	}
	m.walk(named.Underlying())
	for method := range named.Methods() {
		if method.Exported() {
			m.walk(method.Type())
		}
	}
}

func (m *mentions) walk(t types.Type) {
	if m.seen[t] {
		return
	}
	m.seen[t] = true
	switch t := t.(type) {
	case *types.Alias:
		m.named(t.Obj())
		m.walk(types.Unalias(t))
	case *types.Named:
		m.named(t.Obj())
		for arg := range t.TypeArgs().Types() {
			m.walk(arg)
		}
	case *types.Pointer:
		m.walk(t.Elem())
	case *types.Slice:
		m.walk(t.Elem())
	case *types.Array:
		m.walk(t.Elem())
	case *types.Chan:
		m.walk(t.Elem())
	case *types.Map:
		m.walk(t.Key())
		m.walk(t.Elem())
	case *types.Tuple:
		for v := range t.Variables() {
			m.walk(v.Type())
		}
	case *types.Signature:
		m.walk(t.Params())
		m.walk(t.Results())
		for param := range t.TypeParams().TypeParams() {
			m.walk(param.Constraint())
		}
	case *types.Struct:
		for field := range t.Fields() {
			if field.Exported() {
				m.walk(field.Type())
			}
		}
	case *types.Interface:
		for method := range t.Methods() {
			if method.Exported() { // an unexported one seals the interface
				m.walk(method.Type())
			}
		}
		for embedded := range t.EmbeddedTypes() {
			m.walk(embedded)
		}
	case *types.Union:
		for term := range t.Terms() {
			m.walk(term.Type())
		}
	}
}

func (m *mentions) named(name *types.TypeName) {
	if name.Pkg() == nil || public(name.Pkg().Path()) {
		return
	}
	if text := name.Pkg().Path() + "." + name.Name(); !slices.Contains(m.foreign, text) {
		m.foreign = append(m.foreign, text)
	}
}

// public holds for the standard library, whose import paths have no dot in
// their first element, and for the public packages of this module.
func public(path string) bool {
	inside, ours := strings.CutPrefix(path, module+"/")
	if ours {
		return !strings.HasPrefix(inside, "internal/")
	}
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func TestMentionsFindsForeignTypes(t *testing.T) {
	foreign := types.NewPackage("example.org/dep", "dep")
	own := types.NewPackage(module+"/guard", "guard")
	hidden := types.NewPackage(module+"/internal/strictjson", "strictjson")
	named := func(pkg *types.Package, name string, under types.Type) *types.Named {
		return types.NewNamed(types.NewTypeName(token.NoPos, pkg, name, nil), under, nil)
	}
	plain := types.NewStruct(nil, nil)
	field := func(name string, typ types.Type) *types.Struct {
		return types.NewStruct([]*types.Var{types.NewField(token.NoPos, own, name, typ, false)}, nil)
	}
	dep := named(foreign, "T", plain)
	for name, tt := range map[string]struct {
		typ  types.Type
		want []string
	}{
		"own":              {typ: named(own, "A", plain)},
		"alias":            {typ: types.NewAlias(types.NewTypeName(token.NoPos, own, "A", nil), dep), want: []string{"example.org/dep.T"}},
		"field":            {typ: named(own, "A", field("F", types.NewPointer(dep))), want: []string{"example.org/dep.T"}},
		"unexported field": {typ: named(own, "A", field("f", dep))},
		"internal":         {typ: named(own, "A", field("F", named(hidden, "Value", plain))), want: []string{module + "/internal/strictjson.Value"}},
		"function": {
			typ: types.NewSignatureType(nil, nil, nil, types.NewTuple(types.NewVar(token.NoPos, own, "a", types.NewMap(types.Typ[types.String], types.NewSlice(dep)))), nil, false), want: []string{"example.org/dep.T"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := mentions{seen: map[types.Type]bool{}}
			m.object(types.NewTypeName(token.NoPos, own, "A", tt.typ))
			assert.Equal(t, tt.want, m.foreign)
		})
	}
}
