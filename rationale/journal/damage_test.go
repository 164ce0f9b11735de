package journal_test

import (
	"bytes"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// used returns the files of a journal with records "000", "001" and so on, one
// frame each.
func used(t *testing.T, records int, opts ...journal.Option) *crashfs.FS {
	t.Helper()
	fs := crashfs.New()
	j, err := journal.Open(dir, append([]journal.Option{journal.WithFS(fs)}, opts...)...)
	require.NoError(t, err)
	for i := range records {
		o := outcome(fmt.Sprintf("%03d", i))
		o.Error = strings.Repeat("long enough to lie in more than one sector ", 20)
		require.NoError(t, j.Append(ctx, o))
	}
	require.NoError(t, j.Close())
	return fs
}

func reopen(fs *crashfs.FS, opts ...journal.Option) error {
	fs.Unlock()
	j, err := journal.Open(dir, append([]journal.Option{journal.WithFS(fs)}, opts...)...)
	if err != nil {
		return err
	}
	return j.Close()
}

const segmentOne = dir + "/00000001.seg"

// changed returns the files with one of them changed.
func changed(fs *crashfs.FS, name string, change func([]byte) []byte) *crashfs.FS {
	after := crashfs.New()
	for n, data := range fs.Files(dir) {
		if dir+"/"+n == name {
			if data = change(data); data == nil {
				continue
			}
		}
		after.Put(dir+"/"+n, data)
	}
	return after
}

// frames returns the offsets of the frames of a segment.
func frames(data []byte) []int {
	var found []int
	for i := 0; ; {
		next := bytes.Index(data[i:], []byte("AFRM"))
		if next < 0 {
			return found
		}
		found = append(found, i+next)
		i += next + 4
	}
}

// What is cut: the end of a write that was not acknowledged, whatever a crash
// left of it. All before it stays, and the record of the opening says what was
// passed over.
func TestTornEndsAreCut(t *testing.T) {
	fs := used(t, 3)
	whole := fs.Files(dir)["00000001.seg"]
	last := frames(whole)[3]
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		ids    []string
		at     int
	}{
		"one byte less":        {func(b []byte) []byte { return b[:len(b)-1] }, []string{"000", "001"}, last},
		"one byte":             {func(b []byte) []byte { return b[:last+1] }, []string{"000", "001"}, last},
		"a header alone":       {func(b []byte) []byte { return b[:last+44] }, []string{"000", "001"}, last},
		"part of a header":     {func(b []byte) []byte { return b[:last+20] }, []string{"000", "001"}, last},
		"zeroed":               {func(b []byte) []byte { clear(b[last:]); return b }, []string{"000", "001"}, last},
		"zeros behind it":      {func(b []byte) []byte { return append(b, make([]byte, 700)...) }, []string{"000", "001", "002"}, len(whole)},
		"a zero sector":        {func(b []byte) []byte { clear(b[(last/512+1)*512:]); return b }, []string{"000", "001"}, last},
		"its first sector":     {func(b []byte) []byte { clear(b[last : (last/512+1)*512]); return b }, []string{"000", "001"}, last},
		"nothing to cut after": {func(b []byte) []byte { return b[:last] }, []string{"000", "001"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			after := changed(fs, segmentOne, func(b []byte) []byte { return c.change(slices.Clone(b)) })
			for _, err := range journal.ReadFS(after, dir) {
				if c.at > 0 && err != nil {
					assert.True(t, journal.Torn(err), "%v", err)
				}
			}
			require.NoError(t, reopen(after))
			assert.Equal(t, c.ids, ids(t, after))
			assert.Equal(t, len(c.change(slices.Clone(whole))), len(after.Files(dir)["00000001.seg"]), "nothing is removed")
			var opened *rationale.Lifecycle
			for e, err := range journal.ReadFS(after, dir) {
				require.NoError(t, err)
				if l, ok := e.Record.(*rationale.Lifecycle); ok {
					opened = l
				}
			}
			if c.at == 0 {
				assert.Empty(t, opened.Damage)
				return
			}
			require.Len(t, opened.Damage, 1)
			d := opened.Damage[0]
			assert.Equal(t, "00000001.seg", d.File)
			assert.EqualValues(t, c.at, d.Offset)
			assert.EqualValues(t, len(c.change(slices.Clone(whole)))-c.at, d.Bytes)
			assert.Contains(t, opened.Message, "torn end")
		})
	}
}

// What is not cut: anything that no crash leaves behind.
func TestDamageIsRefusedAndLocated(t *testing.T) {
	fs := used(t, 9, journal.WithRotation(journal.Rotation{Records: 5}))
	require.Contains(t, fs.Files(dir), "00000002.seg")
	require.NotContains(t, fs.Files(dir), "00000003.seg")
	const two = dir + "/00000002.seg"
	b := fs.Files(dir)["00000002.seg"]
	at := frames(b)
	flip := func(i int) func([]byte) []byte {
		return func(b []byte) []byte { b[i] ^= 4; return b }
	}
	for name, c := range map[string]struct {
		file   string
		change func(b []byte) []byte
		want   string
		offset int64
		good   uint64
	}{
		"a flipped bit inside":                  {two, flip(at[1] + 60), "payload is damaged", int64(at[1]), 6},
		"a flipped bit in the last frame":       {two, flip(len(b) - 3), "payload is damaged", int64(at[len(at)-1]), 9},
		"a flipped bit in the last header":      {two, flip(at[len(at)-1] + 5), "header is damaged", int64(at[len(at)-1]), 9},
		"zeros inside":                          {two, func(b []byte) []byte { clear(b[at[0]:at[1]]); return b }, "header is damaged", int64(at[0]), 5},
		"a frame removed":                       {two, func(b []byte) []byte { return slices.Delete(b, at[1], at[2]) }, "header is damaged", int64(at[1]), 6},
		"a frame repeated":                      {two, func(b []byte) []byte { return append(b, b[at[1]:at[2]]...) }, "header is damaged", int64(len(b)), 10},
		"garbage behind the end":                {two, func(b []byte) []byte { return append(b, bytes.Repeat([]byte("x"), 100)...) }, "header is damaged", int64(len(b)), 10},
		"the segment's header":                  {two, flip(20), "segment's header is damaged", 0, 0},
		"the header of an older segment":        {segmentOne, flip(20), "segment's header is damaged", 0, 0},
		"an older segment is missing":           {segmentOne, func([]byte) []byte { return nil }, "begins with segment 2", 0, 0},
		"an older segment is that of a journal": {segmentOne, func([]byte) []byte { return used(t, 1).Files(dir)["00000001.seg"] }, "belongs to journal", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			after := changed(fs, c.file, func(b []byte) []byte { return c.change(slices.Clone(b)) })
			before := after.Files(dir)
			err := reopen(after)
			var damage *journal.DamageError
			require.ErrorAs(t, err, &damage)
			assert.Contains(t, damage.Problem, c.want)
			assert.Equal(t, c.offset, damage.Offset)
			if c.good > 0 {
				assert.Equal(t, c.good, damage.Good.Seq)
			}
			assert.Contains(t, err.Error(), "'ambit repair'")
			assert.Equal(t, before, after.Files(dir), "nothing is changed")
			assert.NotEmpty(t, journal.Verify(journal.Expect{FS: after}, dir).Problems)
		})
	}
}

// A line that was rewritten with fresh checksums breaks the chain.
func TestTheChainOutlivesChecksums(t *testing.T) {
	fs := used(t, 4)
	rewritten := changed(fs, segmentOne, func(b []byte) []byte {
		return journal.Reframe(bytes.Replace(b, []byte(`"id":"001"`), []byte(`"id":"007"`), 1))
	})
	var damage *journal.DamageError
	require.ErrorAs(t, reopen(rewritten), &damage)
	assert.Contains(t, damage.Problem, "is not the one it was chained to")
	report := journal.Verify(journal.Expect{FS: rewritten}, dir)
	require.NotEmpty(t, report.Problems)
	assert.ErrorContains(t, report.Problems[0], "chain broken (edited)")

	spaced := changed(fs, segmentOne, func(b []byte) []byte {
		return journal.Reframe(bytes.Replace(b, []byte(`"id":"001"`), []byte(`"id": "01"`), 1))
	})
	require.Error(t, reopen(spaced))
}

// A state that is not rebuilt would be an empty one, without the limits and the
// suspensions of those records.
func TestASnapshotThatIsMissingIsDamage(t *testing.T) {
	fs := changed(used(t, 3), segmentOne, journal.ClaimSnapshot)
	var damage *journal.DamageError
	require.ErrorAs(t, reopen(fs, journal.WithState(&tally{})), &damage)
	assert.Contains(t, damage.Problem, "begins with a snapshot, and it holds none")
	assert.Contains(t, fmt.Sprint(journal.Verify(journal.Expect{FS: fs}, dir).Problems), damage.Problem)
	done, err := journal.Repair(dir, journal.WithFS(fs))
	require.NoError(t, err)
	require.Len(t, done.Aside, 1)
	require.NoError(t, reopen(fs, journal.WithState(&tally{})))
}

var allFlips = flag.Bool("flips", false, "try every bit flip through Open and Verify, not a part of them")

// Every bit flip of a journal of 64 KiB is found. The test of the frames tries all
// of them; this one tries some, or all with -flips, from the outside.
func TestBitFlips(t *testing.T) {
	fs := used(t, 0)
	j, err := journal.Open(dir, journal.WithFS(fs))
	require.NoError(t, err)
	for i := 0; len(fs.Files(dir)["00000002.seg"]) < 64<<10; i++ {
		o := outcome(fmt.Sprintf("%03d", i))
		o.Error = strings.Repeat("the disk is full ", i%40)
		require.NoError(t, j.Append(ctx, o))
	}
	head := j.Head()
	require.NoError(t, j.Close())
	const two = dir + "/00000002.seg"
	whole := fs.Files(dir)["00000002.seg"]
	step := 3001
	switch {
	case *allFlips:
		step = 1
	case testing.Short():
		step = 50021
	}
	tried := 0
	for bit := 0; bit < 8*len(whole); bit += step {
		tried++
		after := changed(fs, two, func(b []byte) []byte { b[bit/8] ^= 1 << (bit % 8); return b })
		report := journal.Verify(journal.Expect{FS: after, Heads: []rationale.Head{head}}, dir)
		structural := slices.ContainsFunc(report.Problems, func(err error) bool {
			return strings.Contains(err.Error(), "damaged")
		})
		require.True(t, structural, "verify does not see bit %d", bit)
		require.Error(t, reopen(after), "it opens in spite of bit %d", bit)
	}
	t.Logf("%d of %d bits", tried, 8*len(whole))
}
