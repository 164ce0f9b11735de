package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whoever moves a line that a fault stands on learns it here, not in the slow
// run.
func TestEveryFaultStillApplies(t *testing.T) {
	root, err := moduleRoot(t.Context())
	require.NoError(t, err)
	list := mutants()
	assert.GreaterOrEqual(t, len(list), 20)
	seen := map[mutant]bool{}
	for _, m := range list {
		_, err := m.apply(root)
		assert.NoError(t, err)
		assert.NotEmpty(t, m.Why, "%s: %q", m.File, m.Old)
		assert.False(t, seen[m], "%s: %q is listed twice", m.File, m.Old)
		seen[m] = true
	}
}

func TestEveryFaultIsChosenInTime(t *testing.T) {
	all := mutants()
	assert.Equal(t, all, choose(all, "", 1, "a commit"))
	assert.Less(t, len(choose(all, "", 5, "a commit")), len(all)/3)
	chosen := map[mutant]bool{}
	for seed := range 80 {
		for _, m := range choose(all, "", 5, fmt.Sprint(seed)) {
			chosen[m] = true
		}
	}
	assert.Len(t, chosen, len(all))
}

func TestTry(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":      "module example.org/m\n\ngo 1.26\n",
		"p/p.go":      "package p\n\nfunc Max(a, b int) int {\n\tif a > b {\n\t\treturn a\n\t}\n\treturn b\n}\n\nfunc unused() int { return 1 }\n\nvar _ = unused\n",
		"p/p_test.go": "package p\n\nimport \"testing\"\n\nfunc TestMax(t *testing.T) {\n\tt.Run(\"right\", func(t *testing.T) {\n\t\tif Max(1, 2) != 2 {\n\t\t\tt.Error(\"wrong\")\n\t\t}\n\t})\n}\n",
	} {
		file := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	t.Setenv("GOWORK", "off")
	t.Setenv("GOFLAGS", "-buildvcs=false")

	fault := func(before, after string) mutant {
		return mutant{File: "p/p.go", Old: before, New: after, Why: "x", Package: "./p", Run: "^TestMax$"}
	}
	for _, tt := range []struct {
		name  string
		fault mutant
		want  state
		by    string
	}{
		{name: "noticed", fault: fault("a > b", "a < b"), want: caught, by: "TestMax/right"},
		{name: "a panic is noticed", fault: fault("return b", `panic("b")`), want: caught, by: "TestMax/right"},
		{name: "not noticed", fault: fault("return 1", "return 2"), want: survived},
		{name: "does not compile", fault: fault("return b", "return c"), want: broken},
		{name: "text is gone", fault: fault("a >= b", "a < b"), want: broken},
		{name: "text occurs twice", fault: fault("return ", "return -"), want: broken},
		{name: "changes nothing", fault: fault("return b", "return b"), want: broken},
		{name: "file is gone", fault: mutant{File: "p/q.go", Old: "a", New: "b", Package: "./p"}, want: broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := try(t.Context(), root, tt.fault)
			assert.Equal(t, tt.want, got.state, got.output)
			assert.Equal(t, tt.by, got.by)
		})
	}

	good := fault("a > b", "a < b")
	assert.NoError(t, baseline(t.Context(), root, []mutant{good}))
	empty := good
	empty.Run = "^TestNone$"
	assert.ErrorContains(t, baseline(t.Context(), root, []mutant{empty}), "runs no test")
	require.NoError(t, os.WriteFile(filepath.Join(root, "p", "p2_test.go"), []byte("package p\n\nimport \"testing\"\n\nfunc TestMaxToo(t *testing.T) { t.Fail() }\n"), 0o600))
	bad := good
	bad.Run = "^TestMax"
	assert.ErrorContains(t, baseline(t.Context(), root, []mutant{bad}), "fails without any fault")
}
