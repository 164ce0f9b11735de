package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const dir = "/evidence"

func openLedger(t *testing.T, fs *crashfs.FS, opts ...journal.Option) *ledger.Memory {
	t.Helper()
	l, err := ledger.Open(dir, append([]journal.Option{journal.WithFS(fs)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// recorded returns the records that a ledger was given, without those that the
// journal writes of itself.
func recorded(fs *crashfs.FS) []rationale.Record {
	var recs []rationale.Record
	for e, err := range journal.ReadFS(fs, dir) {
		if err != nil {
			continue
		}
		switch r := e.Record.(type) {
		case *rationale.Snapshot, *rationale.Checkpoint:
		case *rationale.Lifecycle:
			if r.Event != rationale.EventOpened {
				recs = append(recs, r)
			}
		default:
			recs = append(recs, r)
		}
	}
	return recs
}

func TestMemoryOnAJournal(t *testing.T) {
	guardtest.TestLedger(t, func(t *testing.T) guardtest.LedgerUnderTest {
		fs := crashfs.New()
		var mu sync.Mutex
		now := time.Now()
		l := openLedger(t, fs, journal.WithClock(func() time.Time { mu.Lock(); defer mu.Unlock(); return now }))
		return guardtest.LedgerUnderTest{
			Ledger: l, Records: func() []rationale.Record { return recorded(fs) },
			Fail: func(err error) {
				mu.Lock()
				defer mu.Unlock()
				now = now.Add(time.Minute) // a journal tries again after a while
				if err == nil {
					fs.Inject(nil)
					return
				}
				fs.Inject(func(c crashfs.Call) crashfs.Fault { return crashfs.Fault{Err: err} })
			},
		}
	})
}

func reviewed() *rationale.Decision {
	d := guardtest.Allowed()
	d.BaseTier = classify.BoundedEscalation
	d.Terms.ReviewBy, d.Terms.ReviewWithin = []string{"group:risk"}, 48*time.Hour
	return d
}

// What was open, pending and owed survives the process, with and without
// snapshots between, and what was open gets the outcome unknown.
func TestStateIsRebuilt(t *testing.T) {
	for name, opts := range map[string][]journal.Option{
		"from all records":            nil,
		"from a snapshot":             {journal.WithRotation(journal.Rotation{Records: 3})},
		"from a snapshot every other": {journal.WithRotation(journal.Rotation{Bytes: 2000})},
	} {
		t.Run(name, func(t *testing.T) {
			fs := crashfs.New()
			l := openLedger(t, fs, opts...)
			done, lost, pending := reviewed(), reviewed(), guardtest.Pending()
			for _, d := range []*rationale.Decision{done, lost, pending, guardtest.Denied()} {
				require.NoError(t, l.Admit(ctx, d))
			}
			require.NoError(t, l.Complete(ctx, guardtest.OutcomeOf(done)))
			before := l.Status(pending.At)
			assert.Equal(t, ledger.Status{Open: 1, Pending: 1, Owed: 2}, before)
			n := len(recorded(fs))
			fs.Unlock() // the process ends without closing anything

			for range 2 {
				again := openLedger(t, fs, opts...)
				assert.Equal(t, ledger.Status{Pending: 1, Owed: 2}, again.Status(pending.At))
				assert.ErrorIs(t, again.Complete(ctx, guardtest.OutcomeOf(lost)), ledger.ErrNotOpen)
				assert.ErrorIs(t, again.Complete(ctx, guardtest.OutcomeOf(done)), ledger.ErrNotOpen)
				require.NoError(t, again.Close())
			}
			recs := recorded(fs)
			require.Len(t, recs, n+1)
			unknown := recs[n].(*rationale.Outcome)
			assert.Equal(t, lost.ID, unknown.Decision)
			assert.Equal(t, rationale.StatusUnknown, unknown.Status)
			assert.Equal(t, "process_ended", unknown.ErrorType)
			assert.Empty(t, journal.Verify(journal.Expect{FS: fs}, dir).Problems)
		})
	}
}

// A snapshot that is taken while a decision is being recorded does not hold it.
func TestSnapshotHoldsOnlyWhatIsRecorded(t *testing.T) {
	fs := crashfs.New()
	l := openLedger(t, fs, journal.WithRotation(journal.Rotation{Records: 2}))
	require.NoError(t, l.Admit(ctx, guardtest.Denied()))
	require.NoError(t, l.Admit(ctx, guardtest.Denied()))
	syncs := 0
	fs.Inject(func(c crashfs.Call) crashfs.Fault {
		if c.Op == "sync" {
			if syncs++; syncs > 1 { // the snapshot's is the first
				return crashfs.Fault{Err: syscall.EIO}
			}
		}
		return crashfs.Fault{}
	})
	require.Error(t, l.Admit(ctx, guardtest.Allowed()))
	fs.Inject(nil)
	for seed := range uint64(10) {
		after := fs.Crash(rand.New(rand.NewPCG(seed, 1)))
		again := openLedger(t, after)
		require.NoError(t, again.Close())
		for _, p := range journal.Verify(journal.Expect{FS: after}, dir).Problems {
			t.Error(p)
		}
	}
}

func loaded(document string) *rationale.Lifecycle {
	now := time.Now()
	return &rationale.Lifecycle{
		ID: rationale.NewID(now), At: now, Event: rationale.EventLoaded, Document: document, Digest: rationale.Digest([]byte(document)), Bytes: []byte(document),
		Agent: rationale.Agent{ID: "a", Environment: "e"},
	}
}

// Each segment says which documents are in force, so that they stay when older
// segments go.
func TestSegmentsRepeatTheDocumentsInForce(t *testing.T) {
	fs := crashfs.New()
	l := openLedger(t, fs, journal.WithRotation(journal.Rotation{Records: 4}))
	gone := loaded("gone.yaml")
	require.NoError(t, l.Record(ctx, loaded("kept.yaml"), gone))
	unloaded := *gone
	unloaded.ID, unloaded.Event, unloaded.Bytes = rationale.NewID(time.Now()), rationale.EventUnloaded, nil
	require.NoError(t, l.Record(ctx, &unloaded))
	for range 9 {
		require.NoError(t, l.Admit(ctx, guardtest.Denied()))
	}
	retired, err := l.Journal().Retire(ctx, journal.Retention{})
	require.NoError(t, err)
	require.NotEmpty(t, retired)
	require.NoError(t, l.Close())
	var names []string
	for _, rec := range recorded(fs) {
		if l, ok := rec.(*rationale.Lifecycle); ok && l.Event == rationale.EventLoaded {
			names = append(names, l.Document)
			assert.Equal(t, "kept.yaml", string(l.Bytes))
			assert.Contains(t, l.Message, "in force when this segment")
		}
	}
	assert.Contains(t, names, "kept.yaml")
	assert.NotContains(t, names, "gone.yaml")
}

// Segments with what is still waited for stay.
func TestWhatIsWaitedForIsNotRetired(t *testing.T) {
	fs := crashfs.New()
	l := openLedger(t, fs, journal.WithRotation(journal.Rotation{Records: 3}))
	d := guardtest.Allowed()
	require.NoError(t, l.Admit(ctx, d))
	for range 9 {
		require.NoError(t, l.Admit(ctx, guardtest.Denied()))
	}
	gone, err := l.Journal().Retire(ctx, journal.Retention{})
	require.NoError(t, err)
	assert.Empty(t, gone)
	require.NoError(t, l.Complete(ctx, guardtest.OutcomeOf(d)))
	gone, err = l.Journal().Retire(ctx, journal.Retention{})
	require.NoError(t, err)
	assert.NotEmpty(t, gone)
}

// slowDisk hangs in its next sync of a segment, while it is told to.
type slowDisk struct {
	*crashfs.FS
	mu      sync.Mutex
	entered chan struct{}
	release chan struct{}
}

func (s *slowDisk) hang() (entered, release chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entered, s.release = make(chan struct{}), make(chan struct{})
	return s.entered, s.release
}

func (s *slowDisk) Create(name string) (journal.File, error) {
	f, err := s.FS.Create(name)
	return slowFile{f, s}, err
}

func (s *slowDisk) InPlace(f journal.File, name string) error {
	if slow, ok := f.(slowFile); ok {
		f = slow.File
	}
	return s.FS.InPlace(f, name)
}

type slowFile struct {
	journal.File
	disk *slowDisk
}

func (f slowFile) Sync() error {
	f.disk.mu.Lock()
	entered, release := f.disk.entered, f.disk.release
	f.disk.entered = nil
	f.disk.mu.Unlock()
	if entered != nil {
		close(entered)
		<-release
	}
	return f.File.Sync()
}

// A decision whose recording took too long was denied. When it turns out to be
// recorded, it gets the outcome that it did not run.
func TestWhatWasDeniedForLackOfAnAnswerDidNotRun(t *testing.T) {
	disk := &slowDisk{FS: crashfs.New()}
	l, err := ledger.Open(dir, journal.WithFS(disk))
	require.NoError(t, err)
	d := guardtest.Allowed()
	entered, release := disk.hang()
	short, cancel := context.WithCancel(ctx)
	answer := make(chan error)
	go func() { answer <- l.Admit(short, d) }()
	<-entered
	cancel()
	require.ErrorIs(t, <-answer, journal.ErrUncertain)
	assert.ErrorIs(t, l.Complete(ctx, guardtest.OutcomeOf(d)), ledger.ErrNotOpen)
	close(release)
	require.NoError(t, l.Admit(ctx, guardtest.Denied()))
	require.NoError(t, l.Admit(ctx, guardtest.Denied()))
	require.NoError(t, l.Close())
	var outcomes []*rationale.Outcome
	for _, rec := range recorded(disk.FS) {
		if o, ok := rec.(*rationale.Outcome); ok {
			outcomes = append(outcomes, o)
		}
	}
	require.Len(t, outcomes, 1)
	assert.Equal(t, d.ID, outcomes[0].Decision)
	assert.Equal(t, rationale.StatusNotExecuted, outcomes[0].Status)
	assert.Empty(t, journal.Verify(journal.Expect{FS: disk.FS}, dir).Problems)
}

func TestASnapshotOfAnotherVersionIsRefused(t *testing.T) {
	fs := crashfs.New()
	l := openLedger(t, fs)
	require.NoError(t, l.Close())
	j, err := journal.Open(dir, journal.WithFS(fs), journal.WithState(future{}))
	require.NoError(t, err)
	require.NoError(t, j.Close())
	_, err = ledger.Open(dir, journal.WithFS(fs))
	require.ErrorContains(t, err, "its state has version 99")
}

type future struct{}

func (future) Restore(*rationale.Snapshot) error        { return nil }
func (future) Apply(rationale.Record, journal.Position) {}
func (future) Needed() uint64                           { return 0 }
func (future) Snapshot(now time.Time) []rationale.Record {
	return []rationale.Record{&rationale.Snapshot{ID: rationale.NewID(now), At: now, State: []byte(`{"version":99}`)}}
}

var ctx = context.Background()

// Whatever call of the file system fails, and wherever the process or the machine
// ends: no tool runs without a durable decision, each failure denies, and after a
// restart each decision has its outcome.
func TestGuardUnderEveryFault(t *testing.T) {
	total, step := 0, 1
	if testing.Short() {
		step = 11
	}
	for k := 0; k <= total; k += step {
		for _, forever := range []bool{false, true} {
			fs := crashfs.New()
			var hit crashfs.Call
			fs.Inject(func(c crashfs.Call) crashfs.Fault {
				if c.N == k {
					hit = c
				}
				if k > 0 && (c.N == k || forever && c.N > k) {
					return crashfs.Fault{Err: syscall.EIO, Written: 77, Lost: true}
				}
				return crashfs.Fault{}
			})
			s := shift(t, fs)
			if k == 0 {
				total = fs.Calls()
				require.Equal(t, 6, s.ran, "without a fault all run")
			}
			fs.Inject(nil)
			fs.Unlock()
			crashed := fs.Crash(rand.New(rand.NewPCG(uint64(k), 1)))
			for _, after := range []*crashfs.FS{fs, crashed} {
				checkShift(t, after, s)
			}
			if t.Failed() {
				t.Fatalf("%v", hit)
			}
		}
	}
}

// worked is what a guarded tool did.
type worked struct {
	ran      int
	executed []string // decisions under which the tool ran
	denied   int
}

func shift(t *testing.T, fs *crashfs.FS) worked {
	t.Helper()
	var s worked
	clock := guardtest.NewClock(guardtest.Now())
	l, err := ledger.Open(dir, journal.WithFS(fs), journal.WithClock(clock.Now), journal.WithRotation(journal.Rotation{Bytes: 8000}))
	if err != nil {
		return s
	}
	defer l.Close()
	g, err := guard.New(guardtest.Documents(), guard.Agent{ID: guardtest.AgentID, Environment: guardtest.Environment},
		guard.WithLedger(l), guard.WithClock(clock.Now), guard.AllowUnsigned())
	if err != nil {
		return s
	}
	require.NoError(t, g.Register(guardtest.Scale()))
	for range 6 {
		clock.Advance(2 * time.Second)
		runContext, d := g.Begin(ctx, guard.Call{Tool: classify.ToolID{Name: "fleet.scale"}, Arguments: []byte(`{"replicas":4,"_rationale":{"purpose":"load"}}`)})
		if !d.Allowed() {
			s.denied++
			assert.Contains(t, string(d.Refusal()), "evidence_unavailable")
			continue
		}
		s.ran++
		s.executed = append(s.executed, d.Record().ID)
		_ = g.End(runContext, d, []byte("ok"), nil)
	}
	return s
}

func checkShift(t *testing.T, fs *crashfs.FS, s worked) {
	t.Helper()
	l, err := ledger.Open(dir, journal.WithFS(fs))
	if !assert.NoError(t, err) {
		return
	}
	assert.Zero(t, l.Status(guardtest.Now()).Open)
	assert.NoError(t, l.Close())
	allowed, outcomes := map[string]bool{}, map[string]int{}
	for _, rec := range recorded(fs) {
		switch r := rec.(type) {
		case *rationale.Decision:
			if r.Verdict == rationale.Allow {
				allowed[r.ID] = true
			}
		case *rationale.Outcome:
			outcomes[r.Decision]++
		}
	}
	for _, id := range s.executed {
		assert.True(t, allowed[id], "the tool ran under decision %s, which is not there", id)
	}
	for id := range allowed {
		assert.Equal(t, 1, outcomes[id], "outcomes of decision %s", id)
	}
	for _, p := range journal.Verify(journal.Expect{FS: fs}, dir).Problems {
		assert.NoError(t, p)
	}
}

// Between the append of each decision and the start of its tool there is a
// completed fsync of the segment that holds it.
func TestAnFsyncStandsBetweenDecisionAndTool(t *testing.T) {
	fs := crashfs.New()
	l := openLedger(t, fs)
	g := guardtest.New(t, nil, guard.WithLedger(l))
	fs.Log()
	runs := 0
	scale, err := guard.Wrap(g, guardtest.Scale(), func(context.Context, []byte) ([]byte, error) {
		runs++
		written, synced := -1, -1
		for i, c := range fs.Log() {
			if strings.HasSuffix(c.Name, journal.Extension) {
				switch c.Op {
				case "write":
					written = i
				case "sync":
					synced = i
				}
			}
		}
		assert.GreaterOrEqual(t, written, 0, "the decision was written")
		assert.Greater(t, synced, written, "and synced after that, before the tool")
		return nil, nil
	})
	require.NoError(t, err)
	for i := range 20 {
		_, err := scale(ctx, guard.Call{Arguments: fmt.Appendf(nil, `{"replicas":%d,"_rationale":{"purpose":"load"}}`, 1+i%5)})
		require.NoError(t, err)
	}
	assert.Equal(t, 20, runs)
}

var errDisk = errors.New("disk gone")

// While there is no evidence every call is denied; the denials are counted, and
// recorded when the journal works again, without a restart.
func TestDenialsWithoutEvidenceAreRecordedAfterwards(t *testing.T) {
	fs := crashfs.New()
	clock := guardtest.NewClock(guardtest.Now())
	l := openLedger(t, fs, journal.WithClock(clock.Now))
	g := guardtest.New(t, nil, guard.WithLedger(l), guard.WithClock(clock.Now))
	require.NoError(t, g.Register(guardtest.Scale()))
	call := guard.Call{Tool: classify.ToolID{Name: "fleet.scale"}, Arguments: []byte(`{"replicas":4,"_rationale":{"purpose":"load"}}`)}
	fs.Inject(func(c crashfs.Call) crashfs.Fault { return crashfs.Fault{Err: errDisk} })
	for range 3 {
		_, d := g.Begin(ctx, call)
		assert.False(t, d.Allowed())
	}
	fs.Inject(nil)
	clock.Advance(5 * time.Second)
	runContext, d := g.Begin(ctx, call)
	require.True(t, d.Allowed())
	require.NoError(t, g.End(runContext, d, nil, nil))
	var restored *rationale.Lifecycle
	for _, rec := range recorded(fs) {
		if l, ok := rec.(*rationale.Lifecycle); ok && l.Event == rationale.EventEvidence {
			restored = l
		}
	}
	require.NotNil(t, restored)
	assert.EqualValues(t, 3, restored.Denied)
}
