package journal_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale/journal"
)

const archiveDir = "/archive"

// bucket is an archive as an object store has it: names, and a lock.
type bucket struct {
	mu      sync.Mutex
	objects map[string][]byte
	until   map[string]time.Time
	corrupt bool // what it stores is not what it is given
}

func newBucket() *bucket {
	return &bucket{objects: make(map[string][]byte), until: make(map[string]time.Time)}
}

func (b *bucket) Put(_ context.Context, name string, data []byte, until time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, taken := b.objects[name]; taken {
		return journal.ErrArchived
	}
	b.objects[name], b.until[name] = bytes.Clone(data), until
	if b.corrupt {
		b.objects[name][len(data)/2] ^= 1
	}
	return nil
}

func (b *bucket) Open(_ context.Context, name string) (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	data, ok := b.objects[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (b *bucket) List(context.Context) ([]journal.ArchiveObject, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []journal.ArchiveObject
	for name := range b.objects {
		all = append(all, journal.ArchiveObject{Name: name, Until: b.until[name]})
	}
	return all, nil
}

// Every archive keeps the contract.
func TestArchives(t *testing.T) {
	const name = "0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b/00000007.seg"
	until := time.Date(2033, 11, 1, 0, 0, 0, 0, time.UTC)
	for kind, a := range map[string]journal.Archive{
		"bucket": newBucket(), "folder": journal.OpenFolderArchive(filepath.Join(t.TempDir(), "a", "b")),
		"folder in memory": journal.OpenFolderArchive(archiveDir, journal.WithFS(crashfs.New())),
	} {
		t.Run(kind, func(t *testing.T) {
			_, err := a.Open(ctx, name)
			require.ErrorIs(t, err, fs.ErrNotExist)
			all, err := a.List(ctx)
			require.NoError(t, err)
			require.Empty(t, all)
			require.NoError(t, a.Put(ctx, name, []byte("one"), until))
			require.ErrorIs(t, a.Put(ctx, name, []byte("two"), until.AddDate(1, 0, 0)), journal.ErrArchived)
			r, err := a.Open(ctx, name)
			require.NoError(t, err)
			data, err := io.ReadAll(r)
			require.NoError(t, err)
			require.NoError(t, r.Close())
			require.Equal(t, "one", string(data))
			all, err = a.List(ctx)
			require.NoError(t, err)
			require.Equal(t, []journal.ArchiveObject{{Name: name, Until: until}}, all)
		})
	}
}

func TestAFolderArchiveTakesSegmentsAlone(t *testing.T) {
	dir := t.TempDir()
	a := journal.OpenFolderArchive(filepath.Join(dir, "archive"))
	for _, name := range []string{
		"", "x", "../00000001.seg", "0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b/../../x.seg", "0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b/1.seg",
		"0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b/00000001.seg.damaged", "/00000001.seg",
	} {
		assert.Error(t, a.Put(ctx, name, nil, time.Now()), name)
		_, err := a.Open(ctx, name)
		assert.Error(t, err, name)
	}
	name := "0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b/00000001.seg"
	require.NoError(t, a.Put(ctx, name, []byte("x"), time.Now()))
	for _, f := range []string{name, name + ".until"} {
		info, err := os.Stat(filepath.Join(dir, "archive", f))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o400), info.Mode())
	}
}

// archived runs an archive of a closed journal.
func archived(r *run, to journal.Archive) (journal.Archived, error) {
	return journal.ArchiveClosed(ctx, dir, to, 24*time.Hour, journal.WithFS(r.fs))
}

// written returns a journal of several segments, closed.
func written(t *testing.T) *run {
	t.Helper()
	r := newRun()
	j := r.opened(t)
	require.NoError(t, j.Close())
	return r
}

func (r *run) opened(t *testing.T) *journal.Journal {
	t.Helper()
	j, err := journal.Open(dir, journal.WithFS(r.fs), journal.WithClock(r.clock.Now),
		journal.WithRotation(journal.Rotation{Records: 4}), journal.WithState(&tally{}))
	require.NoError(t, err)
	for range 12 {
		r.append(j, 1, true)
		r.clock.advance(time.Hour)
	}
	return j
}

func wholeIn(t *testing.T, fsys journal.FS, paths ...string) {
	t.Helper()
	for _, p := range journal.Verify(journal.Expect{FS: fsys}, paths...).Problems {
		if pair := (*journal.PairError)(nil); !assert.ErrorAs(t, p, &pair, "the outcomes here have no decisions") {
			t.FailNow()
		}
	}
}

func TestArchiveClosed(t *testing.T) {
	r := written(t)
	files := r.fs.Files(dir)
	last := slices.Max(slices.DeleteFunc(slices.Collect(maps.Keys(files)), func(n string) bool { return n == "LOCK" }))
	a := journal.OpenFolderArchive(archiveDir, journal.WithFS(r.fs))
	done, err := archived(r, a)
	require.NoError(t, err)
	require.Greater(t, len(done.Copied), 2)
	assert.Len(t, done.Copied, len(files)-2, "all but the last, and the lock")
	assert.Empty(t, done.Present)
	copies := r.fs.Files(filepath.Join(archiveDir, done.Copied[0].Journal))
	for _, s := range done.Copied {
		name := filepath.Base(s.File)
		assert.NotEqual(t, last, name)
		assert.Equal(t, files[name], copies[name])
	}
	all, err := a.List(ctx)
	require.NoError(t, err)
	for _, o := range all {
		assert.True(t, o.Until.After(done.Copied[0].Opened.Add(24*time.Hour-time.Second)), "a day behind the youngest record")
	}
	again, err := archived(r, a)
	require.NoError(t, err)
	assert.Empty(t, again.Copied)
	assert.Len(t, again.Present, len(done.Copied))
	wholeIn(t, r.fs, archiveDir, dir)
	for _, s := range done.Copied { // the archive alone completes the journal
		require.NoError(t, r.fs.Remove(s.File))
	}
	wholeIn(t, r.fs, archiveDir, dir)
	assert.NotEmpty(t, journal.Verify(journal.Expect{FS: r.fs}, dir).Problems)
}

func TestDamageIsNotArchived(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(fsys *crashfs.FS)
		bad  []string
	}{
		"a flipped bit": {func(fsys *crashfs.FS) { flipIn(fsys, "00000002.seg", 200) }, []string{"00000002.seg"}},
		"a header":      {func(fsys *crashfs.FS) { flipIn(fsys, "00000002.seg", 20) }, []string{"00000001.seg", "00000002.seg"}},
		"a cut end": {func(fsys *crashfs.FS) {
			data := fsys.Files(dir)["00000002.seg"]
			fsys.Put(filepath.Join(dir, "00000002.seg"), data[:len(data)-100])
		}, []string{"00000002.seg"}},
		"a missing one": {func(fsys *crashfs.FS) { _ = fsys.Remove(filepath.Join(dir, "00000002.seg")) }, []string{"00000001.seg"}},
		"another's": {func(fsys *crashfs.FS) {
			fsys.Put(filepath.Join(dir, "00000002.seg"), fsys.Files(dir)["00000003.seg"])
		}, []string{"00000001.seg", "00000002.seg"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := written(t)
			c.harm(r.fs)
			b := newBucket()
			done, err := archived(r, b)
			require.Error(t, err)
			for _, bad := range c.bad {
				assert.ErrorContains(t, err, bad)
			}
			for _, s := range done.Copied {
				assert.NotContains(t, c.bad, filepath.Base(s.File))
			}
			assert.NotEmpty(t, done.Copied, "what is sound is copied all the same")
			assert.Len(t, b.objects, len(done.Copied))
		})
	}
}

func flipIn(fsys *crashfs.FS, name string, at int) {
	data := bytes.Clone(fsys.Files(dir)[name])
	data[at] ^= 1
	fsys.Put(filepath.Join(dir, name), data)
}

func TestWhatARepairGaveUpHoldsNothingUp(t *testing.T) {
	r := written(t)
	flipIn(r.fs, "00000002.seg", 20)
	_, err := journal.Repair(dir, journal.WithFS(r.fs), journal.WithClock(r.clock.Now))
	require.NoError(t, err)
	j := r.opened(t)
	b := newBucket()
	done, err := j.ArchiveClosed(ctx, b, time.Hour)
	assert.ErrorContains(t, err, "00000002.seg.damaged")
	assert.Contains(t, copiedNames(done), "00000001.seg")
	assert.NotContains(t, copiedNames(done), "00000002.seg")
	require.NoError(t, j.Close())
}

func copiedNames(done journal.Archived) []string {
	var names []string
	for _, s := range done.Copied {
		names = append(names, filepath.Base(s.File))
	}
	return names
}

func TestAnArchiveIsNeverOverwrittenNorBelieved(t *testing.T) {
	r := written(t)
	b := newBucket()
	done, err := archived(r, b)
	require.NoError(t, err)
	name := done.Copied[0].Journal + "/00000001.seg"
	b.objects[name][300] ^= 1
	other := bytes.Clone(b.objects[name])
	again, err := archived(r, b)
	require.ErrorIs(t, err, journal.ErrDiffers)
	assert.Len(t, again.Present, len(done.Copied)-1)
	assert.Equal(t, other, b.objects[name])

	liar := newBucket()
	liar.corrupt = true
	lost, err := archived(written(t), liar)
	require.ErrorIs(t, err, journal.ErrDiffers, "what was stored is read back")
	assert.Empty(t, lost.Copied)
}

func TestRetireWhatIsArchived(t *testing.T) {
	r := newRun()
	j := r.opened(t)
	b := newBucket()
	gone, err := j.Retire(ctx, journal.Retention{Archived: j.ArchivedIn(ctx, b)})
	require.NoError(t, err)
	require.Empty(t, gone)
	done, err := j.ArchiveClosed(ctx, b, time.Hour)
	require.NoError(t, err)
	b.objects[done.Copied[1].Journal+"/00000002.seg"][300] ^= 1 // no longer a copy
	gone, err = j.Retire(ctx, journal.Retention{Archived: j.ArchivedIn(ctx, b)})
	require.NoError(t, err)
	require.Len(t, gone, 1)
	require.NoError(t, j.Close())
}

func TestOnlyAStoppedJournalIsArchivedFromOutside(t *testing.T) {
	r := newRun()
	j := r.opened(t)
	_, err := archived(r, newBucket())
	require.ErrorIs(t, err, journal.ErrLocked)
	require.NoError(t, j.Close())
	_, err = journal.ArchiveClosed(ctx, "/none", newBucket(), time.Hour, journal.WithFS(r.fs))
	require.Error(t, err)
	require.NoError(t, r.fs.MkdirAll("/empty"))
	_, err = journal.ArchiveClosed(ctx, "/empty", newBucket(), time.Hour, journal.WithFS(r.fs))
	require.ErrorContains(t, err, "no journal here")
}

// Whatever fails or crashes while segments are archived and retired, every
// record is in the journal or in the archive, and the next run ends the work.
func TestArchivingCanBeInterrupted(t *testing.T) {
	keepAll := func(r *run, fsys *crashfs.FS) (journal.Archived, error) {
		j, err := journal.Open(dir, journal.WithFS(fsys), journal.WithClock(r.clock.Now), journal.WithState(&tally{}))
		if err != nil {
			return journal.Archived{}, err
		}
		a := journal.OpenFolderArchive(archiveDir, journal.WithFS(fsys))
		done, err := j.ArchiveClosed(ctx, a, time.Hour)
		if err == nil {
			_, err = j.Retire(ctx, journal.Retention{Archived: j.ArchivedIn(ctx, a)})
		}
		if end := j.Close(); err == nil {
			err = end
		}
		return done, err
	}
	for k := 1; ; k += stride() {
		for seed := range uint64(6) {
			r := written(t)
			random := rand.New(rand.NewPCG(uint64(k), seed))
			require.NoError(t, r.fs.MkdirAll(archiveDir))
			first := r.fs.Calls()
			r.fs.Inject(func(c crashfs.Call) crashfs.Fault {
				switch {
				case c.N < first+k, c.N > first+k && seed == 0:
					return crashfs.Fault{}
				case c.N == first+k && seed == 0:
					return crashfs.Fault{Err: syscall.EIO, Written: random.IntN(600)}
				}
				return crashfs.Fault{Err: errDead, Written: random.IntN(600)}
			})
			_, err := keepAll(r, r.fs)
			r.fs.Inject(nil)
			if err == nil && seed > 0 {
				return // it was over before
			}
			fsys := r.fs
			fsys.Unlock()
			if seed > 1 {
				fsys = fsys.Crash(random)
			}
			if all, err := journal.OpenFolderArchive(archiveDir, journal.WithFS(fsys)).List(ctx); err == nil && len(all) > 0 {
				wholeIn(t, fsys, archiveDir, dir)
			} else {
				wholeIn(t, fsys, dir)
			}
			_, err = keepAll(r, fsys)
			require.NoError(t, err, "call %d, seed %d", k, seed)
			for _, fsys := range []*crashfs.FS{fsys, fsys.Crash(random)} {
				wholeIn(t, fsys, archiveDir, dir)
				require.Equal(t, r.synced, outcomesOf(t, fsys, archiveDir, dir), "call %d, seed %d", k, seed)
			}
		}
	}
}

func outcomesOf(t *testing.T, fsys journal.FS, paths ...string) []string {
	t.Helper()
	var ids []string
	for e, err := range journal.ReadFS(fsys, paths...) {
		require.NoError(t, err)
		if e.Record.RecordKind() == "outcome" {
			ids = append(ids, e.Record.RecordID())
		}
	}
	return ids
}

// A Put that failed, or whose process ended, may have left an object: one that
// can be opened survives the machine, with its lock.
func TestWhatAFolderArchiveReturnsIsDurable(t *testing.T) {
	const name = "0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b/00000007.seg"
	data := bytes.Repeat([]byte("segment "), 300)
	until := time.Date(2033, 11, 1, 0, 0, 0, 0, time.UTC)
	opened := 0
	for k := 1; ; k++ {
		fsys := crashfs.New()
		a := journal.OpenFolderArchive(archiveDir, journal.WithFS(fsys))
		fsys.Inject(func(c crashfs.Call) crashfs.Fault {
			if c.N >= k {
				return crashfs.Fault{Err: errDead, Written: 700}
			}
			return crashfs.Fault{}
		})
		err := a.Put(ctx, name, data, until)
		fsys.Inject(nil)
		if r, err := a.Open(ctx, name); err == nil {
			require.NoError(t, r.Close())
			opened++
			for seed := range uint64(20) {
				after := fsys.Crash(rand.New(rand.NewPCG(uint64(k), seed)))
				survived := journal.OpenFolderArchive(archiveDir, journal.WithFS(after))
				r, err := survived.Open(ctx, name)
				require.NoError(t, err, "call %d", k)
				there, err := io.ReadAll(r)
				require.NoError(t, err)
				require.Equal(t, data, there)
				all, err := survived.List(ctx)
				require.NoError(t, err)
				require.Equal(t, until, all[0].Until)
			}
		}
		if err == nil {
			break
		}
		if err := a.Put(ctx, name, data, until); err != nil {
			require.ErrorIs(t, err, journal.ErrArchived, "what was left holds nothing up")
		}
	}
	require.Greater(t, opened, 1, "some Put failed and left an object")
}
