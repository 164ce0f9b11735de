package journal

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
)

// faulty is a file that fails once, as it is told, and works again afterwards.
type faulty struct {
	*os.File
	write, sync error
	short       bool
	syncs       int
}

func (f *faulty) Write(p []byte) (int, error) {
	if err := f.write; err != nil {
		f.write = nil
		n, _ := f.File.Write(p[:len(p)/2])
		return n, err
	}
	if f.short {
		f.short = false
		n, _ := f.File.Write(p[:1])
		return n, nil
	}
	return f.File.Write(p)
}

func (f *faulty) Sync() error {
	f.syncs++
	if err := f.sync; err != nil {
		f.sync = nil
		return err
	}
	return f.File.Sync()
}

var errDisk = errors.New("no space left on device")

func openFaulty(t *testing.T) (*Journal, *faulty) {
	t.Helper()
	j, err := Open(t.TempDir())
	require.NoError(t, err)
	f := &faulty{File: j.file.(*os.File)}
	j.file = f
	t.Cleanup(func() { _ = j.Close() })
	return j, f
}

func TestAFailureIsFinal(t *testing.T) {
	for name, fail := range map[string]func(f *faulty){
		"write":       func(f *faulty) { f.write = errDisk },
		"short write": func(f *faulty) { f.short = true },
		"fsync":       func(f *faulty) { f.sync = errDisk },
		"closed file": func(f *faulty) { f.File.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			j, f := openFaulty(t)
			ctx := context.Background()
			require.NoError(t, j.Append(ctx, &rationale.Outcome{ID: "a"}))
			fail(f)
			first := j.Append(ctx, &rationale.Outcome{ID: "b"})
			require.Error(t, first)
			syncs := f.syncs
			assert.EqualError(t, j.Append(ctx, &rationale.Outcome{ID: "c"}), first.Error(), "the disk works again, the journal does not")
			assert.EqualError(t, j.Append(ctx), first.Error())
			assert.Equal(t, syncs, f.syncs, "a failed fsync is not tried again")
			assert.Equal(t, uint64(1), j.Head().Seq)
		})
	}
}

// Append acknowledges nothing that was not synced.
func TestAppendSyncsOnceEach(t *testing.T) {
	j, f := openFaulty(t)
	for range 3 {
		require.NoError(t, j.Append(context.Background(), &rationale.Outcome{ID: "a"}, &rationale.Outcome{ID: "b"}))
	}
	assert.Equal(t, 3, f.syncs)
}

// A crash in the middle of a write leaves a torn end, which readers report and
// which takes nothing that was acknowledged with it.
func TestTornWriteIsReported(t *testing.T) {
	j, f := openFaulty(t)
	require.NoError(t, j.Append(context.Background(), &rationale.Outcome{ID: "a"}))
	f.write = errDisk
	require.Error(t, j.Append(context.Background(), &rationale.Outcome{ID: "b"}))
	var ids []string
	var errs []error
	for entry, err := range Read(j.Path()) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ids = append(ids, entry.Record.RecordID())
	}
	assert.Equal(t, []string{"a"}, ids)
	require.Len(t, errs, 1)
	assert.True(t, Torn(errs[0]))
}
