package journal_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale/journal"
)

// Every single bit of a journal of 64 KiB is flipped, in turn, and the segment that
// holds it verified by itself, where no later one can show the damage: Verify
// names it each time. With every seventh the journal is also opened as it was when
// that segment was its last: opening refuses and changes nothing, so that no record
// is lost unnoticed. With -short a part of the bits is tried.
func TestEveryBitFlipOfAJournal(t *testing.T) {
	segments, names := smallSegments(t, 64<<10)
	for _, name := range names {
		require.False(t, verifyFinds(segments, name), "%s is sound", name)
	}
	step := 1
	if testing.Short() {
		step = 1009
	}
	began := time.Now()
	var tried atomic.Int64
	var next atomic.Int32
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := int(next.Add(1)); i <= len(names) && !t.Failed(); i = int(next.Add(1)) {
				tried.Add(flipAll(t, segments, names[:i], step))
			}
		})
	}
	workers.Wait()
	if step == 1 {
		require.GreaterOrEqual(t, tried.Load(), int64(8*64<<10))
	}
	t.Logf("%d bits in %d segments in %s", tried.Load(), len(names), time.Since(began).Round(time.Millisecond))
}

// smallSegments returns a journal of at least so many bytes whose segments hold a
// few frames each, some written without a sync, and their names in order.
func smallSegments(t *testing.T, size int) (map[string][]byte, []string) {
	t.Helper()
	fs := crashfs.New()
	j, err := journal.Open(dir, journal.WithFS(fs), journal.WithState(&tally{}), journal.WithRotation(journal.Rotation{Bytes: 1500}))
	require.NoError(t, err)
	total := 0
	for i := 0; total < size; i++ {
		o := outcome(fmt.Sprintf("%03d", i))
		o.Error = strings.Repeat("the disk is full ", i*7%40)
		write := j.Append
		if i%3 == 2 {
			write = j.Write
		}
		require.NoError(t, write(ctx, o))
		total = 0
		for _, data := range fs.Files(dir) {
			total += len(data)
		}
	}
	require.NoError(t, j.Close())
	segments := fs.Files(dir)
	delete(segments, "LOCK")
	var names []string
	for name := range segments {
		names = append(names, name)
	}
	slices.Sort(names)
	require.Greater(t, len(names), 20)
	return segments, names
}

// verifyFinds reports whether Verify finds a segment damaged by itself.
func verifyFinds(segments map[string][]byte, name string) bool {
	fs := crashfs.New()
	fs.Put(filepath.Join(dir, name), segments[name])
	return damagedAlone(fs, name)
}

func damagedAlone(fs *crashfs.FS, name string) bool {
	report := journal.Verify(journal.Expect{FS: fs}, filepath.Join(dir, name))
	return slices.ContainsFunc(report.Problems, func(err error) bool { return strings.Contains(err.Error(), "damaged") })
}

// flipAll flips the bits of the last of some segments, and returns how many.
func flipAll(t *testing.T, segments map[string][]byte, names []string, step int) (tried int64) {
	fs := crashfs.New()
	for _, name := range names {
		fs.Put(filepath.Join(dir, name), segments[name])
	}
	last := names[len(names)-1]
	data := slices.Clone(segments[last])
	for bit := rand.IntN(step); bit < 8*len(data); bit += step {
		data[bit/8] ^= 1 << (bit % 8)
		fs.Put(filepath.Join(dir, last), data)
		if !damagedAlone(fs, last) {
			t.Errorf("%s: verify does not see bit %d", last, bit)
			return tried
		}
		if tried%7 == 0 && reopen(fs, journal.WithState(&tally{})) == nil {
			t.Errorf("%s: it opens in spite of bit %d", last, bit)
			return tried
		}
		data[bit/8] ^= 1 << (bit % 8)
		tried++
	}
	if after := fs.Files(dir); len(after) != len(names)+1 { // and the lock
		t.Errorf("%s: a refused opening left %d files of %d", last, len(after), len(names)+1)
	}
	return tried
}
