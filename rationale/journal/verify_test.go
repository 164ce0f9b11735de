package journal_test

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// problemsOf returns the texts of what Verify finds, but for outcomes that these
// journals have without decisions.
func problemsOf(fsys journal.FS, paths ...string) (texts []string) {
	for _, p := range journal.Verify(journal.Expect{FS: fsys}, paths...).Problems {
		if _, ok := errors.AsType[*journal.PairError](p); !ok {
			texts = append(texts, p.Error())
		}
	}
	return texts
}

// Somebody who removes the oldest segments can write headers that say that this was
// retention, with checksums that fit. No record says so.
func TestOldestSegmentsThatNobodyRetiredAreMissing(t *testing.T) {
	strip := func(fs *crashfs.FS, below string, oldest uint64) *crashfs.FS {
		after := crashfs.New()
		for name, data := range fs.Files(dir) {
			switch {
			case name == "LOCK":
			case name >= below:
				after.Put(filepath.Join(dir, name), journal.ClaimOldest(data, oldest))
			}
		}
		return after
	}
	fs := written(t).fs
	require.Empty(t, problemsOf(fs, dir))
	got := problemsOf(strip(fs, "00000003.seg", 3), dir)
	require.Len(t, got, 1)
	assert.Regexp(t, `^journal \S+ begins here with record \d+, and no record says that the ones before were retired: missing$`, got[0])

	r := newRun()
	j := r.opened(t)
	gone, err := j.Retire(ctx, journal.Retention{Needed: func(s journal.Segment) bool { return s.Number > 1 }})
	require.NoError(t, err)
	require.Len(t, gone, 1)
	require.NoError(t, j.Close())
	require.Empty(t, problemsOf(r.fs, dir), "what was retired may be gone")
	assert.Len(t, problemsOf(strip(r.fs, "00000003.seg", 3), dir), 1, "and nothing more")

	// A copy of the last segment that cannot be read does not stand for it.
	names := slices.Sorted(maps.Keys(fs.Files(dir))) // and LOCK
	last := names[len(names)-2]
	after := strip(fs, "00000003.seg", 1)
	require.Contains(t, problemsOf(after, dir), dir+"/00000003.seg: segments 1 to 2: missing")
	after.Put("/copy/"+last, []byte("no header"))
	require.NoError(t, after.MkdirAll("/copy"))
	after.Put("/copy/"+names[len(names)-3], fs.Files(dir)[names[len(names)-3]])
	assert.Contains(t, problemsOf(after, dir, "/copy"), dir+"/00000003.seg: segments 1 to 2: missing")
}

// A segment that lies in two places is read once, and must be the same in both.
func TestCopiesAreCompared(t *testing.T) {
	r := written(t)
	a := journal.OpenFolderArchive(archiveDir, journal.WithFS(r.fs))
	done, err := archived(r, a)
	require.NoError(t, err)
	require.Empty(t, problemsOf(r.fs, dir, archiveDir))
	kept := filepath.Join(archiveDir, done.Copied[0].Journal)
	names := slices.Sorted(maps.Keys(r.fs.Files(dir))) // and LOCK
	last := names[len(names)-2]
	const differs = "from here on it is not the same as another file of this segment"
	for name, c := range map[string]struct {
		file   string
		change func(b []byte) []byte
		want   string
	}{
		"a bit of a copy":      {filepath.Join(kept, "00000002.seg"), flipAt(400), differs},
		"the header of a copy": {filepath.Join(kept, "00000002.seg"), flipAt(50), "the segment's header is damaged"},
		"the header":           {filepath.Join(dir, "00000002.seg"), flipAt(50), "the segment's header is damaged"},
		"a copy cut short":     {filepath.Join(kept, "00000001.seg"), func(b []byte) []byte { return b[:len(b)-1] }, differs},
		"a copy that goes on": {
			filepath.Join(kept, last), func([]byte) []byte { return append(slices.Clone(r.fs.Files(dir)[last]), "more"...) }, differs,
		},
	} {
		t.Run(name, func(t *testing.T) {
			after := crashfs.New()
			require.NoError(t, after.MkdirAll(kept))
			for _, folder := range []string{dir, kept} {
				for n, data := range r.fs.Files(folder) {
					after.Put(filepath.Join(folder, n), data)
				}
			}
			after.Put(c.file, c.change(slices.Clone(after.Files(filepath.Dir(c.file))[filepath.Base(c.file)])))
			got := problemsOf(after, dir, archiveDir)
			require.Len(t, got, 1)
			assert.Contains(t, got[0], c.file)
			assert.Contains(t, got[0], c.want)
			assert.NotEmpty(t, problemsOf(after, archiveDir, dir), "in any order")
		})
	}
}

func flipAt(at int) func([]byte) []byte {
	return func(b []byte) []byte {
		b[at] ^= 1
		return b
	}
}

// A decision without an outcome is found also where older segments were retired.
func TestVerifyPairsBehindWhatWasRetired(t *testing.T) {
	fs := crashfs.New()
	open := func() *journal.Journal {
		fs.Unlock()
		j, err := journal.Open(dir, journal.WithFS(fs), journal.WithState(&tally{}))
		require.NoError(t, err)
		return j
	}
	j := open()
	require.NoError(t, j.Append(ctx, &rationale.Decision{ID: "before", Verdict: rationale.Allow}))
	require.NoError(t, j.Close())
	j = open()
	require.NoError(t, j.Append(ctx,
		&rationale.Outcome{ID: "o1", Decision: "before", Status: rationale.StatusSuccess}, &rationale.Decision{ID: "lost", Verdict: rationale.Allow}))
	gone, err := j.Retire(ctx, journal.Retention{Keep: -time.Hour, Needed: func(s journal.Segment) bool { return s.Number > 1 }})
	require.NoError(t, err)
	require.Len(t, gone, 1)
	require.NoError(t, j.Close())
	require.Empty(t, journal.Verify(journal.Expect{FS: fs}, dir).Problems, "the decision of an outcome may be retired")
	require.NoError(t, open().Close())
	assert.Equal(t, "[decision lost: it has no outcome, though its journal was opened again since]",
		fmt.Sprint(journal.Verify(journal.Expect{FS: fs}, dir).Problems))
}
