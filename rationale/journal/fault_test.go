package journal_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const dir = "/evidence"

// clock moves on by itself a little, and by more when it is told.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Microsecond)
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// run is a journal in use, and what it acknowledged.
type run struct {
	fs     *crashfs.FS
	clock  *clock
	synced []string // acknowledged by Append
	os     []string // acknowledged by Write
	failed int
	next   int
}

func newRun() *run {
	return &run{fs: crashfs.New(), clock: &clock{now: time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)}}
}

func (r *run) open() (*journal.Journal, error) {
	return journal.Open(dir, journal.WithFS(r.fs), journal.WithClock(r.clock.Now),
		journal.WithRotation(journal.Rotation{Bytes: 1500}), journal.WithState(&tally{}))
}

// append appends n records together; after a failure time passes.
func (r *run) append(j *journal.Journal, n int, sync bool) {
	var recs []rationale.Record
	var ids []string
	for range n {
		r.next++
		id := fmt.Sprintf("%03d", r.next)
		recs, ids = append(recs, outcome(id)), append(ids, id)
	}
	write := j.Write
	if sync {
		write = j.Append
	}
	switch err := write(ctx, recs...); {
	case err != nil:
		r.failed++
		r.clock.advance(2 * time.Second)
	case sync:
		// What is durable makes all before it durable.
		r.synced = append(append(r.synced, r.os...), ids...)
		r.os = nil
	default:
		r.os = append(r.os, ids...)
	}
}

// scenario uses a journal over two processes, with rotations, and does not stop
// at errors.
func (r *run) scenario() {
	for range 2 {
		j, err := r.open()
		if err != nil {
			r.failed++
			r.clock.advance(2 * time.Second)
			if j, err = r.open(); err != nil {
				continue
			}
		}
		for i := range 9 {
			r.append(j, 1+i%3, i%4 != 3)
		}
		if err := j.Close(); err != nil {
			r.failed++
		} else {
			r.synced, r.os = append(r.synced, r.os...), nil
		}
		r.fs.Unlock()
	}
}

// check opens what a crash or a fault left, and finds everything that was
// acknowledged, once and in order.
func (r *run) check(t *testing.T, fs *crashfs.FS, acknowledged []string) {
	t.Helper()
	fs.Unlock()
	after := *r
	after.fs = fs
	before := ids(t, fs)
	j, err := after.open()
	if !assert.NoError(t, err) {
		return
	}
	assert.NoError(t, j.Append(ctx, outcome("last")))
	assert.NoError(t, j.Close())
	found := ids(t, fs)
	assert.True(t, slices.IsSorted(found[:len(found)-1]), "in order: %v", found)
	there := make(map[string]bool)
	for _, id := range found {
		assert.False(t, there[id], "%s is there twice", id)
		there[id] = true
	}
	for _, id := range before {
		assert.True(t, there[id], "opening lost %s, which could be read", id)
	}
	for _, id := range acknowledged {
		assert.True(t, there[id], "%s was acknowledged and is not there", id)
	}
	report := journal.Verify(journal.Expect{FS: fs}, dir)
	for _, p := range report.Problems {
		if _, ok := errors.AsType[*journal.PairError](errors.Unwrap(p)); !ok { // the outcomes here have no decisions
			assert.NoError(t, p)
		}
	}
}

func ids(t *testing.T, fs *crashfs.FS) []string {
	t.Helper()
	var found []string
	for entry, err := range journal.ReadFS(fs, dir) {
		if errors.Is(err, syscall.ENOENT) || errors.Is(err, errNoFolder) {
			continue
		}
		if err != nil && !journal.Torn(err) {
			assert.NoError(t, err)
		}
		if o, ok := entry.Record.(*rationale.Outcome); ok {
			found = append(found, o.ID)
		}
	}
	return found
}

// calls counts the calls of a scenario without faults.
func calls(t *testing.T) int {
	t.Helper()
	r := newRun()
	r.scenario()
	require.Zero(t, r.failed)
	require.Len(t, r.synced, 36)
	n := r.fs.Calls()
	r.check(t, r.fs, r.synced)
	require.Greater(t, n, 100)
	return n
}

// stride leaves most of a sweep out where time is short, as under the race
// detector.
func stride() int {
	if testing.Short() {
		return 11
	}
	return 1
}

// Every call of the file system fails in turn, once or from then on, in every
// way that such a call fails.
func TestEveryCallFails(t *testing.T) {
	n := calls(t)
	type way struct {
		name    string
		fault   crashfs.Fault
		forever bool
	}
	for _, w := range []way{
		{"once", crashfs.Fault{Err: syscall.EIO}, false},
		{"short write", crashfs.Fault{Err: syscall.ENOSPC, Written: 100}, false},
		{"fsync loses its pages", crashfs.Fault{Err: syscall.EIO, Lost: true}, false},
		{"short write without an error", crashfs.Fault{Written: 100}, false},
		{"no space from then on", crashfs.Fault{Err: syscall.ENOSPC, Written: 10}, true},
		{"read-only from then on", crashfs.Fault{Err: syscall.EROFS, Lost: true}, true},
	} {
		t.Run(w.name, func(t *testing.T) {
			for k := 1; k <= n; k += stride() {
				r := newRun()
				var hit crashfs.Call
				r.fs.Inject(func(c crashfs.Call) crashfs.Fault {
					if c.N == k {
						hit = c
					}
					if c.N == k || w.forever && c.N > k {
						return w.fault
					}
					return crashfs.Fault{}
				})
				r.scenario()
				r.fs.Inject(nil)
				if w.forever {
					assert.NotZero(t, r.failed, "%v", hit)
				}
				r.check(t, r.fs.Crash(rand.New(rand.NewPCG(uint64(k), 1))), r.synced)
				r.check(t, r.fs, append(slices.Clone(r.synced), r.os...))
				if t.Failed() {
					t.Fatalf("%v", hit)
				}
			}
		})
	}
}

// The process ends, or the machine, before each call of the file system.
func TestEveryCrashPoint(t *testing.T) {
	n := calls(t)
	for k := 1; k <= n; k += stride() {
		for seed := range uint64(8) {
			r := newRun()
			random := rand.New(rand.NewPCG(uint64(k), seed))
			r.fs.Inject(func(c crashfs.Call) crashfs.Fault {
				switch {
				case c.N < k:
					return crashfs.Fault{}
				case c.N == k:
					return crashfs.Fault{Err: errDead, Written: random.IntN(600)}
				}
				return crashfs.Fault{Err: errDead}
			})
			r.scenario()
			r.fs.Inject(nil)
			if seed == 0 {
				r.check(t, r.fs, append(slices.Clone(r.synced), r.os...)) // the process alone
			} else {
				r.check(t, r.fs.Crash(random), r.synced)
			}
			if t.Failed() {
				t.Fatalf("call %d of %d, seed %d", k, n, seed)
			}
		}
	}
}

// A crash that follows a crash, while what the first left is being recovered.
func TestCrashesInARow(t *testing.T) {
	for seed := uint64(0); seed < 400; seed += uint64(stride()) {
		random := rand.New(rand.NewPCG(seed, 7))
		r := newRun()
		for range 5 {
			k := r.fs.Calls() + 1 + random.IntN(60)
			r.fs.Inject(func(c crashfs.Call) crashfs.Fault {
				if c.N >= k {
					return crashfs.Fault{Err: errDead}
				}
				return crashfs.Fault{}
			})
			r.scenario()
			r.fs.Inject(nil)
			r.fs = r.fs.Crash(random)
			r.os = nil
		}
		r.check(t, r.fs, r.synced)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// A full disk denies, and no longer than it is full.
func TestAFullDiskDeniesUntilThereIsRoom(t *testing.T) {
	r := newRun()
	j, err := r.open()
	require.NoError(t, err)
	r.append(j, 1, true)
	full := func(c crashfs.Call) crashfs.Fault {
		if c.Op == "write" {
			return crashfs.Fault{Err: syscall.ENOSPC}
		}
		return crashfs.Fault{}
	}
	r.fs.Inject(full)
	require.ErrorIs(t, j.Append(ctx, outcome("no")), syscall.ENOSPC)
	require.ErrorIs(t, j.Healthy(), syscall.ENOSPC)
	before := r.fs.Calls()
	require.ErrorIs(t, j.Append(ctx, outcome("no")), syscall.ENOSPC)
	assert.Equal(t, before, r.fs.Calls(), "it is not tried again at once")
	r.fs.Inject(nil)
	require.ErrorIs(t, j.Append(ctx, outcome("no")), syscall.ENOSPC)
	r.clock.advance(time.Second)
	require.NoError(t, j.Healthy())
	r.append(j, 1, true)
	require.NoError(t, j.Close())
	r.check(t, r.fs, []string{"001", "002"})
	assert.NotContains(t, ids(t, r.fs), "no")
}

// After an fsync that failed, nothing is written or synced in the same file.
func TestAFailedSyncIsNotTriedAgain(t *testing.T) {
	r := newRun()
	j, err := r.open()
	require.NoError(t, err)
	r.append(j, 1, true)
	file := j.Segments()[0].File
	once := true
	r.fs.Inject(func(c crashfs.Call) crashfs.Fault {
		if c.Op == "sync" && once {
			once = false
			return crashfs.Fault{Err: syscall.EIO, Lost: true}
		}
		return crashfs.Fault{}
	})
	r.fs.Log()
	r.append(j, 1, true)
	r.append(j, 1, true)
	assert.Zero(t, r.failed)
	var ops []string
	for _, c := range r.fs.Log() {
		if c.Name == file {
			ops = append(ops, c.Op)
		}
	}
	assert.Equal(t, []string{"write", "sync", "close"}, ops)
	require.NoError(t, j.Close())
	assert.Equal(t, []string{"001", "002", "003"}, ids(t, r.fs), "once each")
	for seed := range uint64(20) {
		r.check(t, r.fs.Crash(rand.New(rand.NewPCG(seed, 3))), r.synced)
	}
}

// A process that starts after a failed fsync sees in the kernel what the disk
// never got. It must not build on it.
func TestWhatAFailedSyncLeftIsWrittenAgain(t *testing.T) {
	r := newRun()
	j, err := r.open()
	require.NoError(t, err)
	r.append(j, 1, true)
	r.fs.Inject(func(c crashfs.Call) crashfs.Fault {
		if c.Op == "sync" || c.Op == "create" {
			return crashfs.Fault{Err: syscall.EIO, Lost: true}
		}
		return crashfs.Fault{}
	})
	r.append(j, 1, true)
	require.Equal(t, 1, r.failed)
	_ = j.Close()
	r.fs.Inject(nil)
	j, err = r.open()
	require.NoError(t, err)
	r.append(j, 1, true)
	require.NoError(t, j.Close())
	assert.Equal(t, []string{"001", "002", "003"}, ids(t, r.fs))
	for seed := range uint64(20) {
		r.check(t, r.fs.Crash(rand.New(rand.NewPCG(seed, 3))), []string{"001", "002", "003"})
	}
}

// One write and one fsync serve everybody who waits.
func TestGroupCommit(t *testing.T) {
	r := newRun()
	j, err := journal.Open(dir, journal.WithFS(r.fs))
	require.NoError(t, err)
	release := make(chan struct{})
	var once sync.Once
	r.fs.Inject(func(c crashfs.Call) crashfs.Fault {
		if c.Op == "sync" {
			once.Do(func() { <-release }) // all others queue behind the first
		}
		return crashfs.Fault{}
	})
	r.fs.Log()
	const writers = 64
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() { assert.NoError(t, j.Append(ctx, outcome(fmt.Sprintf("%03d", i)))) })
	}
	time.Sleep(20 * time.Millisecond)
	close(release)
	group.Wait()
	syncs := 0
	for _, c := range r.fs.Log() {
		if c.Op == "sync" {
			syncs++
		}
	}
	assert.LessOrEqual(t, syncs, 3)
	require.NoError(t, j.Close())
	assert.Len(t, ids(t, r.fs), writers)
}
