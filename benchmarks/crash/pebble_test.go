package main

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const (
	folder     = "/var/evidence"
	writers    = 4 // goroutines that use a ledger at the same time
	pairsOfOne = 6 // calls of each, in each of the processes
	processes  = 2
)

// acknowledged is what ledgers said to be durable: decisions, with the status of
// their outcome where that was said too.
type acknowledged struct {
	mu        sync.Mutex
	decisions map[string]rationale.Status
}

func (a *acknowledged) decision(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.decisions[id] = ""
}

func (a *acknowledged) outcome(o *rationale.Outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.decisions[o.Decision] = o.Status
}

// now returns what is acknowledged so far.
func (a *acknowledged) now() map[string]rationale.Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.decisions)
}

func journalOptions(fs journal.FS, key ed25519.PrivateKey) []journal.Option {
	opts := []journal.Option{journal.WithFS(fs), journal.WithRotation(journal.Rotation{Bytes: 9000})}
	if key != nil {
		opts = append(opts, journal.WithCheckpointKey(key), journal.WithCheckpointEvery(5))
	}
	return opts
}

// works uses ledgers in one process after the other, with several goroutines, and
// does not stop at errors.
func works(fs *pebbleFS, key ed25519.PrivateKey, said *acknowledged) (failed int) {
	var mu sync.Mutex
	note := func(err error) bool {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			failed++
		}
		return err == nil
	}
	for range processes {
		l, err := ledger.Open(folder, journalOptions(fs, key)...)
		if !note(err) {
			continue
		}
		var group sync.WaitGroup
		for w := range writers {
			group.Go(func() {
				for i := range pairsOfOne {
					d := guardtest.Allowed()
					expendable := i%3 == 2
					if expendable {
						d.Terms.Durability = rationale.DurabilityOS
					}
					if !note(l.Admit(context.Background(), d)) {
						continue
					}
					if !expendable {
						said.decision(d.ID)
					}
					if w == 0 && i == pairsOfOne-1 {
						continue // its process ends before its outcome
					}
					o := guardtest.OutcomeOf(d)
					if note(l.Complete(context.Background(), o)) && !expendable {
						said.outcome(o)
					}
				}
			})
		}
		group.Wait()
		_, err = l.Journal().Retire(context.Background(), journal.Retention{Keep: time.Hour})
		note(err)
		note(l.Close())
	}
	return failed
}

// survived opens what a crash left and compares it with what was acknowledged.
func survived(t *testing.T, fs *pebbleFS, key ed25519.PrivateKey, said map[string]rationale.Status) {
	t.Helper()
	l, err := ledger.Open(folder, journalOptions(fs, key)...)
	if !assert.NoError(t, err, "the journal opens") {
		return
	}
	assert.Zero(t, l.Status(time.Now()).Open, "nothing stays without an outcome")
	d := guardtest.Allowed()
	assert.NoError(t, l.Admit(context.Background(), d))
	assert.NoError(t, l.Complete(context.Background(), guardtest.OutcomeOf(d)))
	assert.NoError(t, l.Close())

	decided := map[string]bool{}
	outcomes := map[string][]rationale.Status{}
	for e, err := range journal.ReadFS(fs, folder) {
		assert.True(t, err == nil || journal.Torn(err), "%v", err)
		switch r := e.Record.(type) {
		case *rationale.Decision:
			assert.False(t, decided[r.ID], "decision %s is there twice", r.ID)
			decided[r.ID] = true
		case *rationale.Outcome:
			outcomes[r.Decision] = append(outcomes[r.Decision], r.Status)
		}
	}
	for id, status := range said {
		assert.True(t, decided[id], "decision %s was acknowledged and is not there", id)
		if status != "" {
			assert.Equal(t, []rationale.Status{status}, outcomes[id], "the outcome of %s was acknowledged", id)
		}
	}
	for id := range decided {
		if assert.Len(t, outcomes[id], 1, "outcomes of %s", id) && outcomes[id][0] != rationale.StatusSuccess {
			assert.Equal(t, rationale.StatusUnknown, outcomes[id][0])
		}
	}
	assert.Empty(t, journal.Verify(journal.Expect{FS: fs}, folder).Problems)
}

// crashed is what one crash left.
type crashed struct {
	at   string
	seed uint64
	left *vfs.MemFS
	said map[string]rationale.Status
}

// percents are how likely each unsynced block, and each unsynced name, survives.
var percents = []int{0, 20, 50, 80, 100}

// crashes lets a machine crash before each call of its file system, several times,
// while work runs on it.
func crashes(mem *vfs.MemFS, said *acknowledged, seeds int, work func(*pebbleFS)) (all []crashed) {
	fs := newPebbleFS(mem)
	n := 0
	var mu sync.Mutex
	fs.before = func(op string) {
		mu.Lock()
		defer mu.Unlock()
		n++
		for seed := range uint64(seeds) {
			random := rand.New(rand.NewPCG(uint64(n), seed))
			cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: percents[(n+int(seed))%len(percents)], RNG: random}
			before := said.now() // what is acknowledged while the copy is made may be in it or not
			all = append(all, crashed{fmt.Sprintf("call %d: %s, %d %%", n, op, cfg.UnsyncedDataPercent), seed, mem.CrashClone(cfg), before})
		}
	}
	work(fs)
	return all
}

func checkpointKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
}

// A second opinion: under pebble's model of a crash, before each call of the file
// system, no acknowledged decision or outcome is lost, the journal opens, and what
// had no outcome has the outcome unknown. What crashes while it opens after a
// crash is no exception.
func TestCrashesOfPebblesFileSystem(t *testing.T) {
	seeds := len(percents)
	if testing.Short() {
		seeds = 1
	}
	for name, key := range map[string]ed25519.PrivateKey{"plain": nil, "with checkpoints": checkpointKey()} {
		t.Run(name, func(t *testing.T) {
			said := &acknowledged{decisions: make(map[string]rationale.Status)}
			all := crashes(vfs.NewCrashableMem(), said, seeds, func(fs *pebbleFS) {
				require.Zero(t, works(fs, key, said))
			})
			require.Greater(t, len(all), 60*seeds)
			again := 0
			for i, c := range all {
				if i%9 != 0 {
					survived(t, newPebbleFS(c.left), key, c.said)
				} else {
					second := crashes(c.left, &acknowledged{decisions: c.said}, 1, func(fs *pebbleFS) { survived(t, fs, key, c.said) })
					for _, twice := range second {
						survived(t, newPebbleFS(twice.left), key, c.said)
					}
					again += len(second)
				}
				if t.Failed() {
					t.Fatalf("%s, seed %d", c.at, c.seed)
				}
			}
			t.Logf("%d crashes, and %d more while opening after one", len(all), again)
		})
	}
}

// Faults at several calls of one run, at random, and then a crash: what was
// acknowledged in spite of them is there.
func TestFaultsAtRandomAndACrash(t *testing.T) {
	runs := 300
	if testing.Short() {
		runs = 30
	}
	failed := 0
	for seed := range int64(runs) {
		mem := vfs.NewCrashableMem()
		toggle := &errorfs.Toggle{Injector: errorfs.ErrInjected.If(errorfs.And(errorfs.Writes, errorfs.Randomly(0.05, seed)))}
		toggle.On()
		said := &acknowledged{decisions: make(map[string]rationale.Status)}
		fs := newPebbleFS(errorfs.Wrap(mem, toggle))
		failed += works(fs, nil, said)
		toggle.Off()
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		left := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percents[int(seed)%len(percents)], RNG: random})
		survived(t, newPebbleFS(left), nil, said.now())
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	require.NotZero(t, failed)
	t.Logf("%d calls failed in %d runs", failed, runs)
}

// The adapter keeps what a journal needs of a file system.
func TestPebbleFS(t *testing.T) {
	fs := newPebbleFS(vfs.NewCrashableMem())
	require.NoError(t, fs.MkdirAll(folder))
	f, err := fs.Create(folder + "/a")
	require.NoError(t, err)
	_, err = fs.Create(folder + "/a")
	assert.Error(t, err)
	require.NoError(t, fs.InPlace(f, folder+"/a"))
	require.NoError(t, fs.Remove(folder+"/a"))
	assert.Error(t, fs.InPlace(f, folder+"/a"))
	again, err := fs.Create(folder + "/a")
	require.NoError(t, err)
	assert.ErrorIs(t, fs.InPlace(f, folder+"/a"), journal.ErrReplaced)
	lock, err := fs.Lock(folder + "/LOCK")
	require.NoError(t, err)
	_, err = fs.Lock(folder + "/LOCK")
	assert.ErrorIs(t, err, journal.ErrLocked)
	require.NoError(t, lock.Close())
	names, err := fs.ReadDir(folder)
	require.NoError(t, err)
	slices.Sort(names)
	assert.Equal(t, []string{"LOCK", "a"}, names)
	require.NoError(t, again.Close())
	unsynced := fs.FS.(*vfs.MemFS).CrashClone(vfs.CrashCloneCfg{})
	names, err = newPebbleFS(unsynced).ReadDir(folder)
	require.NoError(t, err, "the folder's own name is durable")
	assert.Empty(t, names)
}
