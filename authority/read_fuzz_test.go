package authority

import (
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/yamldoc"
)

// FuzzReadDocuments reads a document, beside a grant that needs the matrix. It
// never panics; a file is either used or has an error; every error has a place
// inside of its file.
func FuzzReadDocuments(f *testing.F) {
	seeds, err := filepath.Glob("testdata/documents/*.yaml")
	require.NoError(f, err)
	require.NotEmpty(f, seeds)
	for _, name := range seeds {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(data, []byte(nil))
	}
	f.Add([]byte(suspension), []byte("{}"))
	f.Add([]byte(priceList), []byte(`{"payloadType":"application/vnd.ambit.document.v1+yaml","payload":"","signatures":[{"keyid":"","sig":""}]}`))
	f.Add([]byte("apiVersion: ambit/v1\nkind: Authorization\nclasses:\n- {tier: bounded_escalation, spend: {estimate: {}}, escalate: [{}]}\n- \n"), []byte(nil))
	f.Add(Manifest{Tools: []Tool{{Name: "a"}}}.YAML(), []byte(nil))
	beside, err := os.ReadFile("testdata/documents/full.yaml")
	require.NoError(f, err)
	ring := trusting(1)
	ring.allowUnsigned = true
	f.Fuzz(func(t *testing.T, data, signature []byte) {
		docs := []Document{{Name: "a.yaml", Data: beside}, {Name: "x.yaml", Data: data, Signature: signature}}
		policy, errs := readDocuments(docs, ring)
		for _, e := range errs {
			placed(t, e, docs)
		}
		used := len(policy.Grants) + len(policy.PriceLists) + len(policy.Reaffirmations) + len(policy.Halts)
		if policy.Matrix != nil {
			used++
		}
		file, _ := yamldoc.Parse("x.yaml", data)
		if kind, _ := find(file.Root(), "kind"); len(errs) == 0 && kind.Text() != "Manifest" {
			assert.Equal(t, 2, used, "ignored without a word")
		}
		if _, err := ParseManifest("x.yaml", data); err != nil {
			for _, e := range err.(Errors) {
				placed(t, e, docs)
			}
		}
	})
}

func placed(t *testing.T, e *Error, docs []Document) {
	require.NotEmpty(t, e.Message)
	require.NotEmpty(t, e.Error())
	require.GreaterOrEqual(t, e.Line, 1, e.Message)
	require.GreaterOrEqual(t, e.Column, 1, e.Message)
	for _, d := range docs {
		if d.Name == e.File {
			file, _ := yamldoc.Parse(d.Name, d.Data)
			require.Equal(t, file.Line(e.Line), e.Source)
			require.LessOrEqual(t, e.Column, utf8.RuneCountInString(e.Source)+1, e.Message)
			return
		}
	}
	t.Fatalf("no file %q: %s", e.File, e.Message)
}
