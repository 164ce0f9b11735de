package journal_test

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// damagedMiddle returns a journal of four segments whose second is damaged in
// its second frame.
func damagedMiddle(t *testing.T) *crashfs.FS {
	t.Helper()
	fs := used(t, 16, journal.WithRotation(journal.Rotation{Records: 5}), journal.WithState(&tally{}))
	require.Contains(t, fs.Files(dir), "00000003.seg")
	return changed(fs, dir+"/00000002.seg", func(b []byte) []byte {
		b[frames(b)[2]+60] ^= 1
		return b
	})
}

func TestRepairSetsDamageAside(t *testing.T) {
	fs := damagedMiddle(t)
	before := fs.Files(dir)
	readable := idsOfAll(fs)
	good := journal.Verify(journal.Expect{FS: fs}, dir).Problems
	require.NotEmpty(t, good)

	done, err := journal.Repair(dir, journal.WithFS(fs))
	require.NoError(t, err)
	require.Len(t, done.Aside, 1)
	assert.Equal(t, "00000002.seg.damaged", done.Aside[0].File)
	assert.Equal(t, rationale.Digest(before["00000002.seg"]), done.Aside[0].Digest)
	assert.EqualValues(t, frames(before["00000002.seg"])[2], done.Aside[0].Offset)
	after := fs.Files(dir)
	assert.Equal(t, before["00000002.seg"], after["00000002.seg.damaged"], "renamed, as it was")
	delete(before, "00000002.seg")
	for name, data := range before {
		assert.Equal(t, data, after[name], name)
	}

	state := &tally{}
	j, err := journal.Open(dir, journal.WithFS(fs), journal.WithState(state))
	require.NoError(t, err)
	assert.Equal(t, done.Journal, j.ID())
	assert.NotEqual(t, done.Previous.Journal, j.ID())
	require.NoError(t, j.Append(ctx, outcome("after")))
	require.NoError(t, j.Close())
	assert.Equal(t, append(readable, "after"), idsOfAll(fs), "all that could be read still can be")
	assert.Equal(t, append(slices.Clone(readable[:5]), readable[5:]...)[len(readable)-1], state.IDs[len(state.IDs)-2])

	report := journal.Verify(journal.Expect{FS: fs}, dir)
	require.Len(t, report.Journals, 2)
	assert.Equal(t, 1, report.Journals[1].Repairs)
	text := fmt.Sprint(report.Problems)
	assert.Contains(t, text, "set aside by a repair")
	assert.Contains(t, text, "payload is damaged")
	var repaired *rationale.Lifecycle
	for e := range journal.ReadFS(fs, dir) {
		if l, ok := e.Record.(*rationale.Lifecycle); ok && l.Event == rationale.EventRepaired {
			repaired = l
			assert.Equal(t, uint64(1), e.Envelope.Seq, "the new journal begins with it")
		}
	}
	require.NotNil(t, repaired)
	assert.Equal(t, done.Previous, *repaired.Previous)
	assert.Equal(t, done.Aside, repaired.Damage)

	again, err := journal.Repair(dir, journal.WithFS(fs))
	require.NoError(t, err)
	assert.Zero(t, again, "nothing is damaged any more")
}

// idsOfAll returns the ids of the outcomes that can be read, whatever is wrong.
func idsOfAll(fs *crashfs.FS) []string {
	var found []string
	for e, err := range journal.ReadFS(fs, dir) {
		if o, ok := e.Record.(*rationale.Outcome); ok && err == nil {
			found = append(found, o.ID)
		}
	}
	return found
}

func TestRepairOf(t *testing.T) {
	fs := used(t, 16, journal.WithRotation(journal.Rotation{Records: 5}))
	for name, c := range map[string]struct {
		file   string
		change func(b []byte) []byte
		aside  []string
	}{
		"a damaged header":    {"00000002.seg", func(b []byte) []byte { b[17] ^= 1; return b }, []string{"00000002.seg.damaged"}},
		"the last segment":    {"00000004.seg", func(b []byte) []byte { b[frames(b)[0]+60] ^= 1; return b }, []string{"00000004.seg.damaged"}},
		"a missing segment":   {"00000002.seg", func([]byte) []byte { return nil }, []string{"00000002.seg"}},
		"a missing beginning": {"00000001.seg", func([]byte) []byte { return nil }, []string{"00000001.seg"}},
		"a shortened segment": {"00000002.seg", func(b []byte) []byte { return b[:frames(b)[3]] }, []string{"00000002.seg.damaged"}},
		"a torn end":          {"00000004.seg", func(b []byte) []byte { return b[:len(b)-3] }, nil},
		"a sound journal":     {"00000004.seg", func(b []byte) []byte { return b }, nil},
		"a segment of another": {"00000002.seg", func(b []byte) []byte {
			return used(t, 6, journal.WithRotation(journal.Rotation{Records: 3})).Files(dir)["00000002.seg"]
		}, []string{"00000002.seg.damaged"}},
	} {
		t.Run(name, func(t *testing.T) {
			after := changed(fs, dir+"/"+c.file, func(b []byte) []byte { return c.change(slices.Clone(b)) })
			done, err := journal.Repair(dir, journal.WithFS(after))
			require.NoError(t, err)
			var aside []string
			for _, d := range done.Aside {
				aside = append(aside, d.File)
			}
			assert.Equal(t, c.aside, aside)
			require.NoError(t, reopen(after, journal.WithState(&tally{})))
			require.NoError(t, reopen(after), "and again")
		})
	}
	_, err := journal.Repair(dir, journal.WithFS(crashfs.New()))
	assert.Error(t, err)
	empty := crashfs.New()
	require.NoError(t, empty.MkdirAll(dir))
	_, err = journal.Repair(dir, journal.WithFS(empty))
	assert.ErrorContains(t, err, "holds no journal")
}

// A repair that is interrupted leaves a journal that does not open, and that
// another repair finishes.
func TestRepairCanBeInterrupted(t *testing.T) {
	for k := 1; ; k++ {
		fs := damagedMiddle(t)
		readable := idsOfAll(fs)
		first := fs.Calls()
		fs.Inject(func(c crashfs.Call) crashfs.Fault {
			if c.N >= first+k {
				return crashfs.Fault{Err: syscall.EIO, Written: 50}
			}
			return crashfs.Fault{}
		})
		_, err := journal.Repair(dir, journal.WithFS(fs))
		fs.Inject(nil)
		fs.Unlock()
		_, again := journal.Repair(dir, journal.WithFS(fs))
		require.NoError(t, again, "call %d", k)
		require.NoError(t, reopen(fs, journal.WithState(&tally{})))
		assert.Equal(t, readable, idsOfAll(fs))
		if err == nil {
			return
		}
	}
}

func TestRetire(t *testing.T) {
	r := newRun()
	state := &tally{}
	rotation := journal.WithRotation(journal.Rotation{Records: 4})
	j, err := journal.Open(dir, journal.WithFS(r.fs), journal.WithClock(r.clock.Now), rotation, journal.WithState(state))
	require.NoError(t, err)
	for range 20 {
		r.append(j, 1, true)
		r.clock.advance(time.Hour)
	}
	segments := j.Segments()
	require.Greater(t, len(segments), 5)
	yes := func(journal.Segment) bool { return true }
	upTo := func(n uint64) func(journal.Segment) bool {
		return func(s journal.Segment) bool { return s.Number <= n }
	}
	retire := func(what string, want int, rule journal.Retention) {
		t.Helper()
		gone, err := j.Retire(ctx, rule)
		require.NoError(t, err)
		assert.Len(t, gone, want, what)
	}
	retire("too young", 0, journal.Retention{Keep: 100 * time.Hour})
	retire("not delivered", 0, journal.Retention{Delivered: upTo(0)})
	retire("not archived", 0, journal.Retention{Delivered: yes, Archived: upTo(0)})
	retire("needed", 0, journal.Retention{Needed: yes})
	state.needed = 1
	retire("needed by the state", 0, journal.Retention{})
	state.needed = 3
	retire("up to what the state needs", 2, journal.Retention{Delivered: yes, Archived: yes})
	state.needed = 0
	retire("not while an older one stays", 0, journal.Retention{Delivered: func(s journal.Segment) bool { return s.Number > 3 }})

	assert.NotContains(t, r.fs.Files(dir), "00000002.seg")
	assert.Contains(t, r.fs.Files(dir), "00000003.seg")
	report := journal.Verify(journal.Expect{FS: r.fs}, dir)
	require.Len(t, report.Journals, 1)
	assert.True(t, report.Journals[0].Retired)
	assert.Equal(t, segments[2].First, report.Journals[0].First)
	for _, p := range report.Problems {
		assert.NotErrorIs(t, p, journal.ErrMissing)
	}
	retire("all but the last", len(j.Segments())-1, journal.Retention{})
	require.Len(t, j.Segments(), 2, "the one that was kept, and the one that says so")
	require.Len(t, r.fs.Files(dir), 3, "and the lock")
	require.NoError(t, j.Close())

	again := &tally{}
	require.NoError(t, reopen(r.fs, journal.WithState(again)))
	assert.Equal(t, state.IDs, again.IDs, "the snapshot holds what is gone")

	// Whoever removes more than was retired is found out.
	less := changed(r.fs, "", nil)
	first := ""
	for name := range less.Files(dir) {
		if strings.HasSuffix(name, ".seg") && (first == "" || name < first) {
			first = name
		}
	}
	less = changed(less, dir+"/"+first, func([]byte) []byte { return nil })
	var damage *journal.DamageError
	require.ErrorAs(t, reopen(less), &damage)
	assert.True(t, damage.Missing)
	missing := slices.ContainsFunc(journal.Verify(journal.Expect{FS: less}, dir).Problems, func(err error) bool {
		return strings.Contains(err.Error(), "missing")
	})
	assert.True(t, missing)
}

// Retiring that is interrupted at any call leaves a journal that opens.
func TestRetireCanBeInterrupted(t *testing.T) {
	for k := 1; ; k++ {
		r := newRun()
		j, err := journal.Open(dir, journal.WithFS(r.fs), journal.WithClock(r.clock.Now),
			journal.WithRotation(journal.Rotation{Records: 4}), journal.WithState(&tally{}))
		require.NoError(t, err)
		for range 12 {
			r.append(j, 1, true)
		}
		first := r.fs.Calls()
		r.fs.Inject(func(c crashfs.Call) crashfs.Fault {
			if c.N == first+k {
				return crashfs.Fault{Err: syscall.EIO}
			}
			return crashfs.Fault{}
		})
		_, err = j.Retire(ctx, journal.Retention{})
		r.fs.Inject(nil)
		_ = j.Close()
		again := &tally{}
		require.NoError(t, reopen(r.fs, journal.WithState(again)), "call %d", k)
		assert.Equal(t, r.synced, again.IDs)
		if err == nil && k > 3 {
			return
		}
	}
}

// A file system may forget any of the removals that were not synced: then an older
// segment would be there, and the one behind it not.
func TestRetireSyncsEachRemoval(t *testing.T) {
	r := newRun()
	j := r.opened(t)
	defer j.Close()
	removed, synced := 0, true
	r.fs.Inject(func(c crashfs.Call) crashfs.Fault {
		switch c.Op {
		case "remove":
			assert.True(t, synced, c.String())
			removed, synced = removed+1, false
		case "syncdir":
			synced = true
		}
		return crashfs.Fault{}
	})
	gone, err := j.Retire(ctx, journal.Retention{})
	require.NoError(t, err)
	r.fs.Inject(nil)
	assert.Greater(t, removed, 1)
	assert.Len(t, gone, removed)
	assert.True(t, synced)
}

// Opening reads from the last snapshot on, whatever the journal's age.
func TestOpeningReadsFromTheLastSnapshot(t *testing.T) {
	taken := map[int]int{}
	for _, n := range []int{40, 400} {
		fs := used(t, n, journal.WithRotation(journal.Rotation{Records: 10}), journal.WithState(&tally{}))
		state := &tally{}
		require.NoError(t, reopen(fs, journal.WithState(state)))
		assert.Len(t, state.IDs, n)
		assert.Equal(t, 2, state.Opened)
		taken[n] = state.taken
		assert.NotEmpty(t, state.from)
		assert.LessOrEqual(t, state.taken, 12)
	}
}

func TestCheckpoints(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	other, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	fs := used(t, 11, journal.WithCheckpointKey(private), journal.WithCheckpointEvery(4), journal.WithRotation(journal.Rotation{Records: 8}))
	var signed []uint64
	head := rationale.Head{}
	for e, err := range journal.ReadFS(fs, dir) {
		require.NoError(t, err)
		if c, ok := e.Record.(*rationale.Checkpoint); ok {
			require.NoError(t, c.Verify(other, public))
			require.ErrorIs(t, c.Verify(other), rationale.ErrUnknownKey)
			assert.Equal(t, head, c.Head)
			signed = append(signed, c.Head.Seq)
		}
		hash, err := e.Envelope.Hash()
		require.NoError(t, err)
		head = rationale.Head{Journal: e.Envelope.Journal, Seq: e.Envelope.Seq, Hash: hash}
	}
	assert.Greater(t, len(signed), 3)
	assert.Equal(t, head.Seq-1, signed[len(signed)-1], "the last record is a checkpoint of the closing")

	problems := func(fs *crashfs.FS, keys ...ed25519.PublicKey) string {
		var texts []string
		for _, p := range journal.Verify(journal.Expect{FS: fs, Keys: keys}, dir).Problems {
			if !strings.Contains(p.Error(), "no record that allowed it") {
				texts = append(texts, p.Error())
			}
		}
		return strings.Join(texts, "\n")
	}
	assert.Empty(t, problems(fs, public))
	assert.Contains(t, problems(fs, other), "signed by none of the given keys")
	assert.Contains(t, problems(used(t, 1), public), "no checkpoint of it is signed by a given key")

	// An insider who rewrites all, chain and checksums, cannot sign.
	forged := crashfs.New()
	j, err := journal.Open(dir, journal.WithFS(forged))
	require.NoError(t, err)
	for e := range journal.ReadFS(fs, dir) {
		require.NoError(t, j.Append(ctx, e.Record))
	}
	require.NoError(t, j.Close())
	assert.Contains(t, problems(forged, public), "does not belong here")

	// Nor can one who leaves out the checkpoints behind an edit, but for the last few records.
	forged = crashfs.New()
	j, err = journal.Open(dir, journal.WithFS(forged), journal.WithCheckpointKey(private))
	require.NoError(t, err)
	require.NoError(t, j.Close()) // as signed
	j, err = journal.Open(dir, journal.WithFS(forged))
	require.NoError(t, err)
	for i := range 12 {
		require.NoError(t, j.Append(ctx, outcome(fmt.Sprint(i))))
	}
	require.NoError(t, j.Close())
	assert.Empty(t, problems(forged, public), "as many as a host may have to sign yet")
	report := journal.Verify(journal.Expect{FS: forged, Keys: []ed25519.PublicKey{public}, Unsigned: 12}, dir)
	assert.Contains(t, fmt.Sprint(report.Problems), "13 records follow its last checkpoint, record 2, and at most 12 may")

	_, err = journal.Open(dir, journal.WithFS(crashfs.New()), journal.WithCheckpointKey(ed25519.PrivateKey("short")))
	assert.ErrorContains(t, err, "the key has 5 bytes")
}

func TestVerifyComparesWithHeadsKeptElsewhere(t *testing.T) {
	fs := used(t, 3)
	var heads []rationale.Head
	for e := range journal.ReadFS(fs, dir) {
		hash, _ := e.Envelope.Hash()
		heads = append(heads, rationale.Head{Journal: e.Envelope.Journal, Seq: e.Envelope.Seq, Hash: hash})
	}
	elsewhere := func(fs *crashfs.FS) string {
		return fmt.Sprint(journal.Verify(journal.Expect{FS: fs, Heads: heads}, dir).Problems)
	}
	assert.NotContains(t, elsewhere(fs), "kept elsewhere")
	cut := changed(fs, segmentOne, func(b []byte) []byte { return b[:frames(b)[3]] })
	assert.NotContains(t, fmt.Sprint(journal.Verify(journal.Expect{FS: cut}, dir).Problems), "cut", "from within, it cannot be seen")
	assert.Contains(t, elsewhere(cut), "record 4 of journal "+heads[0].Journal)

	r := newRun()
	j := r.opened(t)
	first := j.Segments()[0]
	heads = []rationale.Head{{Journal: first.Journal, Seq: 1, Hash: "sha256:00"}}
	_, err := j.Retire(ctx, journal.Retention{})
	require.NoError(t, err)
	require.NoError(t, j.Close())
	assert.Contains(t, elsewhere(r.fs), "give the folder or archive that holds it too")
}

func TestVerifyPairs(t *testing.T) {
	fs := crashfs.New()
	allowed := func(id string) *rationale.Decision { return &rationale.Decision{ID: id, Verdict: rationale.Allow} }
	ended := func(id, decision string) *rationale.Outcome {
		return &rationale.Outcome{ID: id, Decision: decision, Status: rationale.StatusSuccess}
	}
	j, err := journal.Open(dir, journal.WithFS(fs))
	require.NoError(t, err)
	require.NoError(t, j.Append(ctx, allowed("whole"), ended("o1", "whole"), &rationale.Decision{ID: "denied"}, allowed("lost")))
	require.NoError(t, j.Close())
	report := journal.Verify(journal.Expect{FS: fs}, dir)
	assert.Empty(t, report.Problems)
	assert.Equal(t, 1, report.Journals[0].Open, "its process may still be at work")
	assert.Equal(t, 3, report.Journals[0].Decisions)

	j, err = journal.Open(dir, journal.WithFS(fs))
	require.NoError(t, err)
	require.NoError(t, j.Append(ctx, ended("o2", "whole"), ended("o3", "denied"), ended("o4", "nobody"), allowed("whole")))
	require.NoError(t, j.Close())
	var texts []string
	for _, p := range journal.Verify(journal.Expect{FS: fs}, dir).Problems {
		texts = append(texts, p.Error())
	}
	text := strings.Join(texts, "\n")
	assert.Len(t, texts, 5)
	for _, want := range []string{
		"decision whole: it has a second outcome", "decision denied: it has an outcome, and no record that allowed it",
		"decision nobody: it has an outcome", "decision whole: it is recorded twice",
		"decision lost: it has no outcome, though its journal was opened again since",
	} {
		assert.Contains(t, text, want)
	}
	none := journal.Verify(journal.Expect{FS: func() journal.FS { f := crashfs.New(); _ = f.MkdirAll(dir); return f }()}, dir, "/gone")
	assert.Len(t, none.Problems, 2)
}
