package authority_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/internal/yamldoc"
)

func TestReadDir(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	write("b.yml", "b")
	write("b.yml.dsse.json", "")
	write("a.yaml", "a")
	write("c.yaml.dsse.json", "the signature of nothing")
	write(".hidden.yaml", "x")
	write("notes.md", "x")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "elsewhere"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "elsewhere", "d.yaml"), []byte("d"), 0o644))
	require.NoError(t, os.Symlink(filepath.Join("elsewhere", "d.yaml"), filepath.Join(dir, "link.yaml")))

	docs, err := authority.ReadDir(dir)
	require.NoError(t, err)
	assert.Equal(t, []authority.Document{
		{Name: filepath.Join(dir, "a.yaml"), Data: []byte("a")},
		{Name: filepath.Join(dir, "b.yml"), Data: []byte("b"), Signature: []byte{}},
		{Name: filepath.Join(dir, "link.yaml"), Data: []byte("d")},
	}, docs, "an empty signature file is a signature, and an invalid one")
}

func TestReadDirRefuses(t *testing.T) {
	_, err := authority.ReadDir(filepath.Join(t.TempDir(), "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)

	for name, make := range map[string]func(path string) error{
		"folder":          func(path string) error { return os.Mkdir(path, 0o755) },
		"link to nothing": func(path string) error { return os.Symlink("nothing", path) },
		"signature is a folder": func(path string) error {
			return errors.Join(os.WriteFile(path, nil, 0o644), os.Mkdir(path+".dsse.json", 0o755))
		},
		"link to another of them": func(path string) error { return os.Symlink(filepath.Base(path), path) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, make(filepath.Join(dir, "x.yaml")))
			_, err := authority.ReadDir(dir)
			assert.ErrorContains(t, err, "x.yaml")
		})
	}
}

func TestReadDirReadsNoMoreThanCanBeUsed(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x.yaml"), []byte(strings.Repeat("#", 3*yamldoc.MaxBytes)), 0o644))
	docs, err := authority.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, docs[0].Data, yamldoc.MaxBytes+1)
	_, err = authority.Load(docs, authority.Manifest{})
	assert.ErrorContains(t, err, "more than the 1048576 allowed")
}

func TestErrorsUnwrap(t *testing.T) {
	_, err := authority.Load([]authority.Document{
		{Name: "b.yaml", Data: []byte("kind: PriceList\n")},
		{Name: "a.yaml", Data: []byte("x: [\n")},
	}, authority.Manifest{})
	var all authority.Errors
	require.ErrorAs(t, err, &all)
	var one *authority.Error
	require.ErrorAs(t, err, &one)
	assert.Equal(t, "a.yaml", one.File, "sorted by file")
	assert.Len(t, all.Unwrap(), len(all))
}

func TestErrorText(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  authority.Error
		want string
	}{
		{"plain", authority.Error{File: "a.yaml", Line: 3, Column: 3, Width: 2, Message: "m", Hint: "h", Source: "a bcd"}, "a.yaml:3:3: m\n  a bcd\n    ^^\n  h"},
		{"end of a line", authority.Error{File: "a.yaml", Line: 1, Column: 4, Width: 1, Message: "m", Source: "abc"}, "a.yaml:1:4: m\n  abc\n     ^"},
		{"beyond a line", authority.Error{File: "a.yaml", Line: 1, Column: 99, Width: 9, Message: "m", Source: "abc"}, "a.yaml:1:99: m\n  abc\n     ^"},
		{"tab before it", authority.Error{File: "a.yaml", Line: 1, Column: 3, Width: 1, Message: "m", Source: "a\tb"}, "a.yaml:1:3: m\n  a\tb\n   \t^"},
		{"wide and combining", authority.Error{File: "a.yaml", Line: 1, Column: 4, Width: 2, Message: "m", Source: "支e\u0301払b"}, "a.yaml:1:4: m\n  支e\u0301払b\n     ^^^"},
		{"no source", authority.Error{File: "a.yaml", Line: 1, Column: 1, Message: "m"}, "a.yaml:1:1: m"},
		{"terminal escapes", authority.Error{File: "a\x1b.yaml", Line: 1, Column: 2, Width: 1, Message: "m\x07", Source: "a\x1b[31m\u202eb"}, "a\ufffd.yaml:1:2: m\ufffd\n  a\ufffd[31m\ufffdb\n   ^"},
		{
			"long line",
			authority.Error{File: "a.yaml", Line: 1, Column: 301, Width: 3, Message: "m", Source: strings.Repeat("x", 300) + "bad" + strings.Repeat("y", 300)},
			"a.yaml:1:301: m\n  …" + strings.Repeat("x", 100) + "bad" + strings.Repeat("y", 117) + "…\n   " + strings.Repeat(" ", 100) + "^^^",
		},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, tt.err.Error()) })
	}
}
