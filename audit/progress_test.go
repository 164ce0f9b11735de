package audit

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Who reads much says how far it is, and in the end that all was read, of files as they
// lie on the disk.
func TestProgress(t *testing.T) {
	s := newScene(t).call(1, nil).call(2, nil)
	var lines bytes.Buffer
	for lines.Len() < progressBytes+1<<20 {
		fmt.Fprintf(&lines, `{"eventID":"%d","eventTime":"2026-11-02T09:00:00Z","eventSource":"s","eventName":"n","x":"%0500d"}`+"\n", lines.Len(), 0)
	}
	logs := filepath.Join(s.dir, "logs")
	write(t, lines.Bytes(), logs, "a.json")
	packed := gzipped(t, lines.Bytes())
	write(t, packed, logs, "b.json.gz")
	write(t, nil, logs, ".hidden")
	size := int64(lines.Len() + len(packed))
	for _, asked := range []bool{true, false} {
		var told []Progress
		c := Config{Document: s.document(), Now: func() time.Time { return s.now }}
		if asked {
			c.Progress = func(p Progress) { told = append(told, p) }
		}
		run := newRun(t.Context(), c, s.dir)
		run.records.source = s.source
		require.NoError(t, run.all())
		if !asked {
			assert.Empty(t, told)
			continue
		}
		require.Len(t, told, 2)
		for i, p := range told {
			assert.Equal(t, size, p.Size)
			assert.Equal(t, i == len(told)-1, p.Joining)
			if i > 0 {
				assert.GreaterOrEqual(t, p.Read, told[i-1].Read)
			}
		}
		assert.Equal(t, Progress{Read: size, Size: size, Records: 4, Joining: true}, told[len(told)-1])
	}
}

// A file that grows while it is read is no more than read.
func TestProgressOfFilesThatGrow(t *testing.T) {
	var told Progress
	p := progress{tell: func(now Progress) { told = now }}
	p.size(10)
	p.read(progressBytes)
	assert.Equal(t, Progress{Read: progressBytes, Size: progressBytes}, told)
	p.records(progressRecords - 1)
	assert.Zero(t, told.Records)
	p.records(progressRecords)
	assert.Equal(t, progressRecords, told.Records)
	assert.Equal(t, int64(0), (&Document{logs: []log{{paths: []string{filepath.Join(t.TempDir(), "gone")}}}}).sizeOfLogs())
}
