package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	passes  = `{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.1}` + "\n"
	passed  = `{"Action":"pass","Package":"p","Elapsed":0.1}` + "\n"
	fails   = `{"Action":"output","Package":"p","Test":"TestB","Output":"want 1, got 2\n"}` + "\n" + `{"Action":"fail","Package":"p","Test":"TestB"}` + "\n"
	failed  = `{"Action":"fail","Package":"p"}` + "\n"
	skips   = `{"Action":"output","Package":"p","Test":"TestC","Output":"no shared/data here\n"}` + "\n" + `{"Action":"skip","Package":"p","Test":"TestC"}` + "\n"
	notests = `{"Action":"skip","Package":"q"}` + "\n"
	broken  = `{"ImportPath":"p","Action":"build-output","Output":"undefined: x\n"}` + "\n" + `{"ImportPath":"p","Action":"build-fail"}` + "\n" + failed
)

func TestReport(t *testing.T) {
	for name, tt := range map[string]struct {
		stream  string
		allowed []string
		ok      bool
		last    string
		shows   string
	}{
		"all pass":                   {stream: passes + passed + notests, ok: true, last: "1 passed, 0 failed, 0 skipped"},
		"nothing ran":                {stream: notests, last: "0 passed, 0 failed, 0 skipped"},
		"empty stream":               {last: "0 passed, 0 failed, 0 skipped"},
		"one fails":                  {stream: passes + fails + failed, last: "1 passed, 1 failed, 0 skipped", shows: "want 1, got 2"},
		"a package fails by itself":  {stream: passes + failed, last: "1 passed, 1 failed, 0 skipped"},
		"a package does not compile": {stream: passes + broken, last: "1 passed, 1 failed, 0 skipped", shows: "undefined: x"},
		"a skip":                     {stream: passes + skips, last: "1 passed, 0 failed, 1 skipped", shows: "may not be: p TestC"},
		"an allowed skip":            {stream: passes + skips, allowed: []string{"other", "shared/data"}, ok: true, last: "1 passed, 0 failed, 1 skipped", shows: "skipped: p TestC"},
		"another skip is allowed":    {stream: passes + skips, allowed: []string{"other"}, last: "1 passed, 0 failed, 1 skipped"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			r, err := read(strings.NewReader(tt.stream), &out)
			require.NoError(t, err)
			r.print(&out, tt.allowed)
			assert.Equal(t, tt.ok, r.ok(tt.allowed))
			assert.Contains(t, out.String(), tt.shows)
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			assert.Equal(t, tt.last, lines[len(lines)-1])
		})
	}
}

func TestSaveAppends(t *testing.T) {
	file := filepath.Join(t.TempDir(), "counts")
	for range 2 {
		r, err := read(strings.NewReader(passes+fails+skips), io.Discard)
		require.NoError(t, err)
		require.NoError(t, r.save(file))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "1 1 1\n1 1 1\n", string(got))
}
