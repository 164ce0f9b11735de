package authority_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
)

var update = flag.Bool("update", false, "rewrite the expected errors in testdata")

// TestLoadRefuses holds the exact text of every error of the reading side. Each
// archive of testdata/errors has documents that load, in files that end in
// .yaml, and cases: a change of these documents, written as a diff, and the
// errors that it gives.
func TestLoadRefuses(t *testing.T) {
	archives, err := filepath.Glob("testdata/errors/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, archives)
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) { refuses(t, name) })
	}
}

func refuses(t *testing.T, name string) {
	archive, err := txtar.ParseFile(name)
	require.NoError(t, err)
	base := documentsOf(archive)
	require.Empty(t, loadError(base), "the documents themselves")
	cases := 0
	for i, f := range archive.Files {
		if strings.HasSuffix(f.Name, ".yaml") {
			continue
		}
		cases++
		t.Run(f.Name, func(t *testing.T) {
			diff, want := splitCase(string(f.Data))
			got := loadError(patch(t, base, diff))
			if *update {
				archive.Files[i].Data = []byte(diff + got + "\n")
				return
			}
			assert.NotEmpty(t, got, "it loads")
			assert.Equal(t, want, got+"\n")
		})
	}
	assert.NotZero(t, cases)
	if *update {
		require.NoError(t, os.WriteFile(name, txtar.Format(archive), 0o644))
	}
}

func documentsOf(archive *txtar.Archive) []authority.Document {
	var docs []authority.Document
	for _, f := range archive.Files {
		if strings.HasSuffix(f.Name, ".yaml") {
			docs = append(docs, authority.Document{Name: f.Name, Data: f.Data})
		}
	}
	return docs
}

func loadError(docs []authority.Document) string {
	_, err := authority.Load(docs, authority.Manifest{}, authority.AllowUnsigned())
	if err == nil {
		return ""
	}
	return err.Error()
}

// splitCase parts a case into the lines of its diff, which begin with '-', '+'
// or '@', and the expected errors.
func splitCase(data string) (diff, want string) {
	for data != "" && strings.ContainsRune("-+@", rune(data[0])) {
		line, rest, _ := strings.Cut(data, "\n")
		diff, data = diff+line+"\n", rest
	}
	return diff, data
}

// patch puts the lines that begin with '+' in the place of the lines before
// them that begin with '-', which must stand in exactly one document together.
// Lines after "@ name" are a document of that name.
func patch(t *testing.T, base []authority.Document, diff string) []authority.Document {
	t.Helper()
	docs := append([]authority.Document(nil), base...)
	var before, after strings.Builder
	apply := func() {
		if before.Len() == 0 && after.Len() == 0 {
			return
		}
		require.NotZero(t, before.Len(), "a diff that only adds")
		found := 0
		for i, d := range docs {
			text := "\n" + string(d.Data)
			if n := strings.Count(text, "\n"+before.String()); n > 0 {
				found += n
				text = strings.Replace(text, "\n"+before.String(), "\n"+after.String(), 1)
				docs[i].Data = []byte(text[1:])
			}
		}
		require.Equal(t, 1, found, "documents with the lines\n%s", before.String())
		before.Reset()
		after.Reset()
	}
	var added *authority.Document
	for line := range strings.Lines(diff) {
		switch {
		case line[0] == '@':
			apply()
			docs = append(docs, authority.Document{Name: strings.TrimSpace(line[1:])})
			added = &docs[len(docs)-1]
		case added != nil:
			added.Data = fmt.Append(added.Data, line[1:])
		case line[0] == '-':
			if after.Len() > 0 {
				apply()
			}
			before.WriteString(line[1:])
		default:
			after.WriteString(line[1:])
		}
	}
	apply()
	return docs
}
