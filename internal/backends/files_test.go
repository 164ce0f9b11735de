package backends_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// span is what the tests look at of a span in OTLP/JSON.
type span struct {
	TraceID    string     `json:"traceId"`
	SpanID     string     `json:"spanId"`
	Parent     string     `json:"parentSpanId"`
	Name       string     `json:"name"`
	Attributes []attr     `json:"attributes"`
	Links      []spanLink `json:"links"`
}

type spanLink struct {
	TraceID    string `json:"traceId"`
	SpanID     string `json:"spanId"`
	Attributes []attr `json:"attributes"`
}

type attr struct {
	Key   string `json:"key"`
	Value struct {
		String string `json:"stringValue"`
	} `json:"value"`
}

// get returns an attribute's text, or "".
func get(attributes []attr, key string) string {
	for _, a := range attributes {
		if a.Key == key {
			return a.Value.String
		}
	}
	return ""
}

type traces struct {
	ResourceSpans []struct {
		ScopeSpans []struct {
			Spans []span `json:"spans"`
		} `json:"scopeSpans"`
	} `json:"resourceSpans"`
}

// output follows the files that a Collector's file exporter writes and rotates.
type output struct {
	dir   string
	files []*os.File        // each read up to its last whole line
	seen  map[string][]span // by span id
}

func newOutput(t *testing.T) *output {
	o := &output{dir: t.TempDir(), seen: map[string][]span{}}
	t.Cleanup(func() {
		for _, f := range o.files {
			assert.NoError(t, f.Close())
		}
	})
	return o
}

// path is what the exporter is told to write to.
func (o *output) path() string { return filepath.Join(o.dir, "spans.jsonl") }

// follow takes in the whole lines that were written since the last time.
func (o *output) follow(t *testing.T) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(o.dir, "*.jsonl"))
	require.NoError(t, err)
	for _, name := range names {
		o.open(t, name)
	}
	for _, f := range o.files {
		begin, err := f.Seek(0, io.SeekCurrent)
		require.NoError(t, err)
		data, err := io.ReadAll(f)
		require.NoError(t, err)
		data = data[:bytes.LastIndexByte(data, '\n')+1]
		_, err = f.Seek(begin+int64(len(data)), io.SeekStart)
		require.NoError(t, err)
		for line := range bytes.Lines(data) {
			for _, s := range spansOf(t, line) {
				o.seen[s.SpanID] = append(o.seen[s.SpanID], s)
			}
		}
	}
}

// open opens a file unless it is open already, under the name it had before it was rotated.
func (o *output) open(t *testing.T, name string) {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	is, err := f.Stat()
	require.NoError(t, err)
	for _, known := range o.files {
		other, err := known.Stat()
		require.NoError(t, err)
		if os.SameFile(is, other) {
			require.NoError(t, f.Close())
			return
		}
	}
	o.files = append(o.files, f)
}

func spansOf(t *testing.T, line []byte) (all []span) {
	t.Helper()
	var batch traces
	require.NoError(t, json.Unmarshal(line, &batch))
	for _, r := range batch.ResourceSpans {
		for _, s := range r.ScopeSpans {
			all = append(all, s.Spans...)
		}
	}
	return all
}

// fromDocs returns the block of docs/evidence.md that begins with a comment "# NAME", in a file.
func fromDocs(t *testing.T, name string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/evidence.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(page), "```yaml\n# "+name+"\n")
	require.True(t, ok, "docs/evidence.md has no block of YAML that begins with # %s", name)
	text, _, ok := strings.Cut(rest, "\n```")
	require.True(t, ok, "the block %s does not end", name)
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, []byte(text+"\n"), 0o600))
	return file
}
