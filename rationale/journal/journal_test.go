package journal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func outcome(id string) *rationale.Outcome {
	return &rationale.Outcome{ID: id, At: time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC), Decision: "d-" + id, Status: rationale.StatusSuccess, Spent: "100"}
}

func open(t *testing.T, dir string, opts ...journal.Option) *journal.Journal {
	t.Helper()
	j, err := journal.Open(dir, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// read returns the ids of the outcomes, and the errors in between.
func read(paths ...string) (ids []string, errs []error) {
	for entry, err := range journal.Read(paths...) {
		if err != nil {
			errs = append(errs, err)
		} else if o, ok := entry.Record.(*rationale.Outcome); ok {
			ids = append(ids, o.ID)
		}
	}
	return ids, errs
}

func sound(t *testing.T, paths ...string) {
	t.Helper()
	_, errs := read(paths...)
	assert.Empty(t, errs)
}

func TestAppendAndRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "evidence")
	j := open(t, dir)
	ctx := context.Background()
	require.NoError(t, j.Append(ctx, outcome("a"), outcome("b")))
	require.NoError(t, j.Append(ctx, &rationale.Decision{ID: "c"}))
	require.NoError(t, j.Append(ctx))
	require.NoError(t, j.Write(ctx, outcome("d")))

	var entries []journal.Entry
	var lines []string
	for entry, err := range journal.Read(dir) {
		require.NoError(t, err)
		entries = append(entries, entry)
		line, err := entry.Envelope.Line()
		require.NoError(t, err)
		lines = append(lines, string(line))
	}
	require.Len(t, entries, 5)
	assert.Equal(t, rationale.EventOpened, entries[0].Record.(*rationale.Lifecycle).Event)
	last := entries[4]
	segment := j.Segments()[0]
	assert.Equal(t, filepath.Join(dir, "00000001.seg"), segment.File)
	assert.Equal(t, journal.Segment{File: last.File, Number: last.Segment, Journal: j.ID(), First: 1, Opened: segment.Opened}, segment)
	assert.Equal(t, j.ID(), last.Envelope.Journal)
	assert.Equal(t, uint64(5), last.Envelope.Seq)
	assert.IsType(t, &rationale.Decision{}, entries[3].Record)
	assert.Equal(t, "100", entries[1].Record.(*rationale.Outcome).Spent)

	data, err := os.ReadFile(last.File)
	require.NoError(t, err)
	for i, entry := range entries {
		assert.Equal(t, lines[i]+"\n", string(data[entry.Offset:entry.Offset+int64(len(lines[i]))+1]), "the line is where it is said to be")
	}
	head, err := rationale.VerifyChain(strings.NewReader(strings.Join(lines, "\n") + "\n"))
	require.NoError(t, err)
	assert.Equal(t, j.Head(), head)

	for path, mode := range map[string]os.FileMode{dir: 0o700 | os.ModeDir, last.File: 0o600, filepath.Join(dir, "LOCK"): 0o600} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode(), path)
	}
	assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$`, j.ID())
	assert.True(t, journal.Exists(dir))
	assert.False(t, journal.Exists(filepath.Dir(dir)))
}

func TestAJournalContinues(t *testing.T) {
	dir := t.TempDir()
	var id string
	for i := range 4 {
		j := open(t, dir)
		if i > 0 {
			assert.Equal(t, id, j.ID())
		}
		id = j.ID()
		require.NoError(t, j.Append(t.Context(), outcome(fmt.Sprint(i))))
		require.NoError(t, j.Close())
		require.NoError(t, j.Close())
	}
	ids, errs := read(dir)
	assert.Empty(t, errs)
	assert.Equal(t, []string{"0", "1", "2", "3"}, ids)
	report := journal.Verify(journal.Expect{}, dir)
	require.Len(t, report.Journals, 1)
	assert.Equal(t, 4, report.Journals[0].Segments)
}

// Processes that end before they append anything must not make the journal grow
// by more than what each says of itself.
func TestOpeningAgainAndAgain(t *testing.T) {
	dir := t.TempDir()
	var sizes []int64
	for range 6 {
		j := open(t, dir)
		info, err := os.Stat(j.Segments()[len(j.Segments())-1].File)
		require.NoError(t, err)
		sizes = append(sizes, info.Size())
		require.NoError(t, j.Close())
	}
	assert.InDelta(t, sizes[1], sizes[5], 16)
	sound(t, dir)
}

func TestOneWriter(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	_, err := journal.Open(dir)
	require.ErrorIs(t, err, journal.ErrLocked)
	_, err = journal.Repair(dir)
	require.ErrorIs(t, err, journal.ErrLocked)
	require.NoError(t, j.Append(t.Context(), outcome("a")))
	require.NoError(t, j.Close())
	require.NoError(t, open(t, dir).Close())
}

func TestAppendRefusesAndGoesOn(t *testing.T) {
	j := open(t, t.TempDir())
	require.NoError(t, j.Append(t.Context(), outcome("a")))
	head := j.Head()
	assert.Error(t, j.Append(t.Context(), outcome("b"), &rationale.Outcome{}), "a record without an id")
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, j.Append(cancelled, outcome("b")), context.Canceled)
	if !testing.Short() {
		large := outcome("large")
		large.Error = strings.Repeat("x", 65<<20)
		assert.ErrorContains(t, j.Append(t.Context(), large), "too many at once")
	}
	assert.Equal(t, head, j.Head())
	require.NoError(t, j.Append(t.Context(), outcome("c")))
	ids, errs := read(j.Dir())
	assert.Empty(t, errs)
	assert.Equal(t, []string{"a", "c"}, ids)
}

func TestAppendAfterClose(t *testing.T) {
	j := open(t, t.TempDir())
	require.NoError(t, j.Close())
	assert.ErrorIs(t, j.Append(t.Context(), outcome("a")), journal.ErrClosed)
	assert.ErrorIs(t, j.Append(t.Context()), journal.ErrClosed)
	assert.ErrorIs(t, j.Wait(t.Context(), j.Head().Seq), journal.ErrClosed)
	assert.ErrorIs(t, j.Healthy(), journal.ErrClosed)
}

func TestOpenErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := journal.Open(filepath.Join(file, "dir"))
	assert.ErrorContains(t, err, "open journal: ")
	_, err = journal.Open(file)
	assert.ErrorContains(t, err, "is not a folder")
}

// What was lost while the journal was open ends it, and the next opening does
// not pass over it.
func TestAppendNoticesALostFile(t *testing.T) {
	for name, c := range map[string]struct {
		lose  func(t *testing.T, path string)
		opens bool
	}{
		"removed": {func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) }, false},
		"moved":   {func(t *testing.T, path string) { require.NoError(t, os.Rename(path, path+".old")) }, false},
		"replaced": {func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path+".new", []byte("x"), 0o600))
			require.NoError(t, os.Rename(path+".new", path))
		}, false},
		"cut":                               {func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 300)) }, true},
		"emptied, as by a rotation of logs": {func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 0)) }, false},
		"written to": {func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			require.NoError(t, err)
			_, err = f.WriteString("x")
			require.NoError(t, errors.Join(err, f.Close()))
		}, true},
		"lock": {func(t *testing.T, path string) {
			require.NoError(t, os.Remove(filepath.Join(filepath.Dir(path), "LOCK")))
		}, true},
		"another lock": {func(t *testing.T, path string) {
			lock := filepath.Join(filepath.Dir(path), "LOCK")
			require.NoError(t, os.Remove(lock))
			require.NoError(t, os.WriteFile(lock, nil, 0o600))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j := open(t, dir)
			require.NoError(t, j.Append(t.Context(), outcome("a")))
			c.lose(t, j.Segments()[0].File)
			assert.ErrorContains(t, j.Append(t.Context(), outcome("b")), "was removed")
			assert.ErrorContains(t, j.Append(t.Context(), outcome("c")), "was removed", "for good")
			assert.Error(t, j.Healthy())
			_ = j.Close()
			if !strings.HasSuffix(name, "lock") {
				assert.Contains(t, fmt.Sprint(journal.Verify(journal.Expect{}, dir).Problems), dir, "it does not stay unseen")
				said := damageSaid(dir)
				require.Len(t, said, 1)
				assert.Equal(t, slices.Contains([]string{"removed", "moved", "replaced"}, name), said[0].Missing)
			}
			again, err := journal.Open(dir)
			if c.opens {
				require.NoError(t, err)
				require.NoError(t, again.Close())
				return
			}
			var damage *journal.DamageError
			require.ErrorAs(t, err, &damage)
			assert.Contains(t, damage.File, "00000001.seg")
		})
	}
}

// damageSaid returns what the records of a folder say was damaged.
func damageSaid(dir string) (all []rationale.Damage) {
	for e := range journal.Read(dir) {
		if l, ok := e.Record.(*rationale.Lifecycle); ok && l.Event == rationale.EventDamaged {
			all = append(all, l.Damage...)
		}
	}
	return all
}

func TestAppendConcurrently(t *testing.T) {
	j := open(t, t.TempDir(), journal.WithRotation(journal.Rotation{Bytes: 4096}))
	var group sync.WaitGroup
	for w := range 8 {
		group.Go(func() {
			for i := range 10 {
				assert.NoError(t, j.Append(t.Context(), outcome(fmt.Sprintf("%d-%d-a", w, i)), outcome(fmt.Sprintf("%d-%d-b", w, i))))
			}
		})
	}
	group.Wait()
	ids, errs := read(j.Dir())
	assert.Empty(t, errs)
	assert.Len(t, ids, 160)
	for i := 0; i < len(ids); i += 2 {
		assert.Equal(t, strings.TrimSuffix(ids[i], "a"), strings.TrimSuffix(ids[i+1], "b"), "records of one Append stay together")
	}
	assert.Greater(t, len(j.Segments()), 3)
}

func TestReadWhileItIsWritten(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.WithRotation(journal.Rotation{Bytes: 16 << 10}))
	var group sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		group.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
					assert.NoError(t, j.Append(t.Context(), outcome(fmt.Sprint(i))))
				}
			}
		})
	}
	for j.Head().Seq < 150 {
		acknowledged, seen := j.Head().Seq, uint64(0)
		for entry, err := range journal.Read(dir) {
			if err != nil {
				assert.True(t, journal.Torn(err), "%v", err)
				continue
			}
			seen = entry.Envelope.Seq
		}
		assert.GreaterOrEqual(t, seen, acknowledged)
	}
	close(done)
	group.Wait()
}

// beginning is a file system whose last segment gets its header between the moment
// at which it is listed and that at which it is read.
type beginning struct {
	journal.FS
	name   string
	listed bool
}

type empty struct{ journal.File }

func (empty) ReadAt([]byte, int64) (int, error) { return 0, io.EOF }

func (b *beginning) Open(name string) (journal.File, error) {
	f, err := b.FS.Open(name)
	if err == nil && filepath.Base(name) == b.name && !b.listed {
		b.listed = true
		return empty{f}, nil
	}
	return f, err
}

func TestReadASegmentThatIsJustBegun(t *testing.T) {
	for name, records := range map[string]int{"the first": 1, "another": 3} {
		t.Run(name, func(t *testing.T) {
			j := open(t, t.TempDir(), journal.WithRotation(journal.Rotation{Records: 1}))
			for i := range records {
				require.NoError(t, j.Append(t.Context(), outcome(fmt.Sprint(i))))
			}
			segments := j.Segments()
			fsys := &beginning{FS: journal.OS(), name: filepath.Base(segments[len(segments)-1].File)}
			seen := uint64(0)
			for entry, err := range journal.ReadFS(fsys, j.Dir()) {
				require.NoError(t, err)
				seen = entry.Envelope.Seq
			}
			assert.True(t, fsys.listed)
			assert.Equal(t, j.Head().Seq, seen)
		})
	}
}

func TestReadNothing(t *testing.T) {
	ids, errs := read(t.TempDir())
	assert.Empty(t, ids)
	assert.Empty(t, errs)
	_, errs = read(filepath.Join(t.TempDir(), "gone"))
	require.Len(t, errs, 1)
	assert.ErrorIs(t, errs[0], os.ErrNotExist)
	var located *journal.ReadError
	require.ErrorAs(t, errs[0], &located)
	assert.EqualValues(t, -1, located.Offset)
	assert.False(t, journal.Torn(errors.New("x")))
}

func TestReadStopsWhenItsReaderDoes(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	require.NoError(t, j.Append(t.Context(), outcome("a"), outcome("b")))
	for range journal.Read(dir, filepath.Join(dir, "gone")) {
		break
	}
}

// Bodies alone: the same records at the same places, and the same problems, each
// once.
func TestReadBodies(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.WithRotation(journal.Rotation{Records: 2}))
	for i := range 8 {
		require.NoError(t, j.Append(t.Context(), outcome(fmt.Sprint(i))))
	}
	segments := j.Segments()
	require.NoError(t, j.Close())
	require.NoError(t, os.Remove(segments[1].File))
	data, err := os.ReadFile(segments[2].File)
	require.NoError(t, err)
	data[len(data)-40] ^= 1
	require.NoError(t, os.Chmod(segments[2].File, 0o600))
	require.NoError(t, os.WriteFile(segments[2].File, data, 0o600))
	type seen struct{ place, problem string }
	all := func(entries iter.Seq2[journal.Entry, error]) (list []seen) {
		for e, err := range entries {
			if err != nil {
				list = append(list, seen{problem: err.Error()})
				continue
			}
			rec, err := rationale.Unmarshal(e.Envelope.Body)
			require.NoError(t, err)
			list = append(list, seen{place: fmt.Sprint(e.File, e.Offset, e.Envelope.Seq, e.Hash, rec.RecordID())})
		}
		return list
	}
	want := all(journal.Read(dir))
	assert.Equal(t, want, all(journal.ReadBodies(dir)))
	assert.Greater(t, len(want), 6)
	for e := range journal.ReadBodies(dir) {
		assert.Nil(t, e.Record)
	}
}

// Segments that were moved to an archive are read together with the others.
func TestReadArchived(t *testing.T) {
	dir, archive := t.TempDir(), t.TempDir()
	j := open(t, dir, journal.WithRotation(journal.Rotation{Records: 2}))
	for i := range 8 {
		require.NoError(t, j.Append(t.Context(), outcome(fmt.Sprint(i))))
	}
	segments := j.Segments()
	require.NoError(t, j.Close())
	require.Greater(t, len(segments), 3)
	for i, s := range segments[:3] {
		to := filepath.Join(archive, filepath.Base(s.File))
		data, err := os.ReadFile(s.File)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(to, data, 0o400))
		if i < 2 { // the third is in both
			require.NoError(t, os.Remove(s.File))
		}
	}
	want := []string{"0", "1", "2", "3", "4", "5", "6", "7"}
	for name, paths := range map[string][]string{
		"archive first": {archive, dir}, "archive last": {dir, archive}, "twice": {archive, dir, archive},
	} {
		ids, errs := read(paths...)
		assert.Empty(t, errs, name)
		assert.Equal(t, want, ids, name)
	}
	ids, errs := read(segments[3].File)
	assert.Empty(t, errs)
	assert.Len(t, ids, 2)

	require.NoError(t, os.Remove(segments[3].File))
	_, errs = read(archive, dir)
	require.Len(t, errs, 1)
	assert.ErrorIs(t, errs[0], journal.ErrMissing)
	assert.ErrorContains(t, errs[0], "segments 4 to 4")
}

func TestWait(t *testing.T) {
	j := open(t, t.TempDir())
	seq := j.Head().Seq
	arrived := make(chan error, 1)
	go func() { arrived <- j.Wait(t.Context(), seq) }()
	require.NoError(t, j.Append(t.Context(), outcome("a")))
	require.NoError(t, <-arrived)
	require.NoError(t, j.Wait(t.Context(), seq))
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.ErrorIs(t, j.Wait(ctx, seq+1), context.DeadlineExceeded)
	go func() { arrived <- j.Wait(context.Background(), seq+1) }()
	time.Sleep(time.Millisecond)
	require.NoError(t, j.Close())
	require.ErrorIs(t, <-arrived, journal.ErrClosed)
}
