package journal_test

import (
	"fmt"
	"math/rand/v2"
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

func place(n uint64) journal.Place {
	at := rationale.Head{Journal: "j", Seq: n, Hash: fmt.Sprintf("sha256:%064d", n)}
	return journal.Place{Head: at, From: at}
}

func follow(t *testing.T, j *journal.Journal, name string) (*journal.Follower, journal.Place) {
	t.Helper()
	f := j.Follow(name)
	p, err := f.Begin()
	require.NoError(t, err)
	return f, p
}

func TestAPlaceOutlivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	f, p := follow(t, j, "otlp")
	assert.Zero(t, p)
	other, _ := follow(t, j, "siem-2")
	for n := range uint64(12) {
		require.NoError(t, f.Keep(place(n)))
	}
	require.NoError(t, other.Keep(place(3)))
	require.NoError(t, f.Close())
	require.NoError(t, f.Close(), "again")
	assert.ErrorContains(t, f.Keep(place(20)), "the follower has not begun")
	f, p = follow(t, j, "otlp")
	assert.Equal(t, place(11), p)
	require.NoError(t, j.Close())
	assert.ErrorIs(t, f.Keep(place(20)), journal.ErrClosed)
	assert.ErrorIs(t, f.Reject([]byte("{}")), journal.ErrClosed)
	assert.ErrorIs(t, f.SetRejected(nil), journal.ErrClosed)

	j = open(t, dir)
	_, p = follow(t, j, "otlp")
	assert.Equal(t, place(11), p)
	_, p = follow(t, j, "siem-2")
	assert.Equal(t, place(3), p)
	names, err := journal.OS().ReadDir(dir)
	require.NoError(t, err)
	cursors := 0
	for _, name := range names {
		if strings.HasSuffix(name, ".cursor") {
			cursors++
		}
	}
	assert.Equal(t, 2, cursors, "one each: %v", names)
}

func TestWhoCannotFollow(t *testing.T) {
	j := open(t, t.TempDir())
	for _, name := range []string{"", "a/b", "UPPER", "a.b", strings.Repeat("x", 33)} {
		_, err := j.Follow(name).Begin()
		assert.ErrorContains(t, err, "want 1 to 32 of a-z, 0-9 and -", "%q", name)
	}
	follow(t, j, "otlp")
	_, err := j.Follow("otlp").Begin()
	assert.EqualError(t, err, "follow journal: otlp is followed already")
	var none *journal.Journal
	_, err = none.Follow("otlp").Begin()
	assert.ErrorContains(t, err, "there is no journal")
}

// Wherever a crash comes while places and rejections are kept, what is found
// afterwards is a place that was given, no older than the last one that was kept,
// and every rejection that was.
func TestEveryCrashOfAPlace(t *testing.T) {
	total, step := 0, 1
	if testing.Short() {
		step = 5
	}
	for k := 0; k <= total; k += step {
		for seed := range uint64(6) {
			fs := crashfs.New()
			j, err := journal.Open(dir, journal.WithFS(fs))
			require.NoError(t, err)
			first := fs.Calls()
			random := rand.New(rand.NewPCG(uint64(k), seed))
			fs.Inject(func(c crashfs.Call) crashfs.Fault {
				if k == 0 || c.N < first+k {
					return crashfs.Fault{}
				}
				return crashfs.Fault{Err: errDead, Written: random.IntN(200)}
			})
			kept, tried, rejected := followUntilDead(j.Follow("otlp"))
			if k == 0 {
				total = fs.Calls() - first
				require.Equal(t, uint64(4), kept)
			}
			_ = j.Close() // it is dead: only its goroutine ends
			fs.Inject(nil)
			fs.Unlock()
			after := fs
			if seed > 0 {
				after = fs.Crash(random)
			}
			j, err = journal.Open(dir, journal.WithFS(after))
			require.NoError(t, err)
			f, p := follow(t, j, "otlp")
			assert.GreaterOrEqual(t, p.Head.Seq, kept)
			assert.LessOrEqual(t, p.Head.Seq, tried)
			if p.Head.Seq > 0 {
				assert.Equal(t, place(p.Head.Seq), p)
			}
			lines, err := f.Rejected()
			require.NoError(t, err)
			for _, line := range rejected {
				assert.Contains(t, texts(lines), line)
			}
			require.NoError(t, f.Keep(place(9)), "and it goes on")
			require.NoError(t, f.Reject([]byte(`"new"`)))
			require.NoError(t, j.Close())
			j, err = journal.Open(dir, journal.WithFS(after))
			require.NoError(t, err)
			f, p = follow(t, j, "otlp")
			assert.Equal(t, place(9), p)
			lines, err = f.Rejected()
			require.NoError(t, err)
			assert.Contains(t, texts(lines), `"new"`)
			require.NoError(t, j.Close())
			if t.Failed() {
				t.Fatalf("call %d, seed %d", k, seed)
			}
		}
	}
	require.Greater(t, total, 25)
}

func texts(lines [][]byte) []string {
	var out []string
	for _, line := range lines {
		out = append(out, string(line))
	}
	return out
}

// followUntilDead does what a delivery does, and says what was acknowledged: the
// last place, the last that was tried, and the rejections that must be there.
func followUntilDead(f *journal.Follower) (kept, tried uint64, rejected []string) {
	if _, err := f.Begin(); err != nil {
		return 0, 0, nil
	}
	keep := func(n uint64) {
		tried = n
		if f.Keep(place(n)) == nil {
			kept = n
		}
	}
	keep(1)
	keep(2)
	for _, line := range []string{`"a"`, `"b"`} {
		if f.Reject([]byte(line)) == nil {
			rejected = append(rejected, line)
		}
	}
	keep(3)
	keep(4)
	if len(rejected) == 2 { // "a" is delivered again
		rejected = rejected[1:]
		_ = f.SetRejected([][]byte{[]byte(`"b"`)})
	}
	return kept, tried, rejected
}

// A call of the file system that fails leaves the place before, and the next one
// is kept.
func TestAPlaceThatFailsIsKeptLater(t *testing.T) {
	for k := 1; k <= 6; k++ {
		fs := crashfs.New()
		j, err := journal.Open(dir, journal.WithFS(fs))
		require.NoError(t, err)
		f, _ := follow(t, j, "otlp")
		require.NoError(t, f.Keep(place(1)))
		first := fs.Calls()
		fs.Inject(func(c crashfs.Call) crashfs.Fault {
			if c.N == first+k {
				return crashfs.Fault{Err: syscall.ENOSPC, Written: 10, Lost: true}
			}
			return crashfs.Fault{}
		})
		_ = f.Keep(place(2))
		fs.Inject(nil)
		require.NoError(t, f.Keep(place(3)), "call %d", k)
		require.NoError(t, j.Close())
		j, err = journal.Open(dir, journal.WithFS(fs.Crash(rand.New(rand.NewPCG(1, uint64(k))))))
		require.NoError(t, err)
		_, p := follow(t, j, "otlp")
		assert.Equal(t, place(3), p)
		require.NoError(t, j.Close())
	}
}

// What a follower has not passed is not retired, whether somebody follows or not.
func TestRetireWaitsForFollowers(t *testing.T) {
	fs := crashfs.New()
	rotation := journal.WithRotation(journal.Rotation{Records: 4})
	j, err := journal.Open(dir, journal.WithFS(fs), rotation, journal.WithState(&tally{}))
	require.NoError(t, err)
	f, _ := follow(t, j, "otlp")
	for i := range 20 {
		require.NoError(t, j.Append(ctx, outcome(fmt.Sprint(i))))
	}
	retired := func() int {
		t.Helper()
		gone, err := j.Retire(ctx, journal.Retention{})
		require.NoError(t, err)
		return len(gone)
	}
	assert.Zero(t, retired(), "nothing is delivered yet")
	var heads []rationale.Head
	for e, err := range j.After(rationale.Head{}) {
		require.NoError(t, err)
		heads = append(heads, rationale.Head{Journal: e.Envelope.Journal, Seq: e.Envelope.Seq, Hash: e.Hash})
	}
	third := j.Segments()[2]
	require.NoError(t, f.Keep(journal.Place{Head: heads[third.First]}))
	require.NoError(t, j.Close())

	j, err = journal.Open(dir, journal.WithFS(fs), rotation, journal.WithState(&tally{}))
	require.NoError(t, err)
	assert.Equal(t, 2, retired(), "those before the place, and nobody has begun to follow")
	assert.Zero(t, retired())
	f, p := follow(t, j, "otlp")
	found, _ := after(t, j, p.Head)
	assert.NotEmpty(t, found, "the place is still there")
	second, _ := follow(t, j, "siem")
	require.NoError(t, f.Keep(journal.Place{Head: j.Head()}))
	assert.Zero(t, retired(), "another has not passed")
	require.NoError(t, second.Keep(journal.Place{Head: j.Head()}))
	assert.NotZero(t, retired())

	fs.Inject(func(c crashfs.Call) crashfs.Fault {
		if strings.HasSuffix(c.Name, ".cursor") && c.Op == "open" {
			return crashfs.Fault{Err: syscall.EIO}
		}
		return crashfs.Fault{}
	})
	_, err = j.Retire(ctx, journal.Retention{})
	assert.ErrorIs(t, err, syscall.EIO, "who cannot know keeps")
	fs.Inject(nil)
	require.NoError(t, j.Close())
}

// Who reads on reads what is new, and not the segment again.
func TestReadingOnReadsNothingTwice(t *testing.T) {
	fs := crashfs.New()
	j, err := journal.Open(dir, journal.WithFS(fs))
	require.NoError(t, err)
	var head rationale.Head
	for i := range 200 {
		require.NoError(t, j.Append(ctx, outcome(fmt.Sprint(i))))
		fs.Log()
		var found []string
		found, head = after(t, j, head)
		require.Equal(t, []string{fmt.Sprint(i)}, found)
		reads := 0
		for _, c := range fs.Log() {
			if c.Op == "read" {
				reads++
			}
		}
		require.LessOrEqual(t, reads, 5, "the segment's header, and a frame")
	}
	// Who stops in the middle of a frame goes on there.
	for range 3 {
		recs := make([]rationale.Record, 10)
		for i := range recs {
			recs[i] = outcome(fmt.Sprint("many ", i))
		}
		require.NoError(t, j.Append(ctx, recs...))
	}
	for n := range 30 {
		for e, err := range j.After(head) {
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint("many ", n%10), e.Record.RecordID())
			require.Equal(t, head.Hash, e.Envelope.Prev)
			line, err := e.Envelope.Line()
			require.NoError(t, err)
			require.Equal(t, rationale.Digest(line), e.Hash)
			head = rationale.Head{Journal: e.Envelope.Journal, Seq: e.Envelope.Seq, Hash: e.Hash}
			break
		}
	}
	assert.Equal(t, j.Head(), head)
	require.NoError(t, j.Close())
}

// A place beyond the end says that the journal was cut.
func TestAPlaceBeyondTheEnd(t *testing.T) {
	j := open(t, t.TempDir())
	beyond := j.Head()
	beyond.Seq += 5
	n := 0
	for _, err := range j.After(beyond) {
		n++
		assert.ErrorIs(t, err, journal.ErrStray)
	}
	assert.Equal(t, 1, n)
}

// Damage stops a follower until it is repaired, and is then passed over with
// ErrLost; a failure to read is neither.
func TestAFollowerPassesNothingOver(t *testing.T) {
	fs := used(t, 16, journal.WithRotation(journal.Rotation{Records: 5}), journal.WithState(&tally{}))
	j, err := journal.Open(dir, journal.WithFS(fs))
	require.NoError(t, err)
	f, _ := follow(t, j, "otlp")
	read := func() (ids []string, errs []error) {
		for e, err := range f.After(rationale.Head{}) {
			if err != nil {
				errs = append(errs, err)
			} else if o, ok := e.Record.(*rationale.Outcome); ok {
				ids = append(ids, o.ID)
			}
		}
		return ids, errs
	}
	all, errs := read()
	require.Empty(t, errs)
	fs.Inject(func(c crashfs.Call) crashfs.Fault {
		if strings.HasSuffix(c.Name, "00000002.seg") {
			return crashfs.Fault{Err: syscall.EMFILE}
		}
		return crashfs.Fault{}
	})
	some, errs := read()
	require.Len(t, errs, 1)
	assert.ErrorIs(t, errs[0], syscall.EMFILE)
	assert.NotErrorIs(t, errs[0], journal.ErrLost)
	assert.Less(t, len(some), len(all))
	fs.Inject(nil)
	require.NoError(t, j.Close())

	fs = changed(fs, dir+"/00000002.seg", func(b []byte) []byte {
		b[frames(b)[2]+60] ^= 1
		return b
	})
	j, err = journal.Open(dir, journal.WithFS(fs))
	require.NoError(t, err, "it opens from the last snapshot on")
	f, _ = follow(t, j, "otlp")
	damaged, errs := read()
	require.Len(t, errs, 1)
	assert.NotErrorIs(t, errs[0], journal.ErrLost)
	assert.GreaterOrEqual(t, len(damaged), len(some))
	assert.Less(t, len(damaged), len(all))
	require.NoError(t, j.Close())

	_, err = journal.Repair(dir, journal.WithFS(fs))
	require.NoError(t, err)
	j, err = journal.Open(dir, journal.WithFS(fs))
	require.NoError(t, err)
	f, _ = follow(t, j, "otlp")
	mended, errs := read()
	require.NotEmpty(t, errs)
	for _, err := range errs {
		assert.ErrorIs(t, err, journal.ErrLost)
	}
	assert.Greater(t, len(mended), len(damaged), "what lies behind the damage")
	require.NoError(t, j.Close())
}

func TestDecisionsAreFound(t *testing.T) {
	fs := crashfs.New()
	j, err := journal.Open(dir, journal.WithFS(fs), journal.WithRotation(journal.Rotation{Records: 4}))
	require.NoError(t, err)
	f, _ := follow(t, j, "otlp")
	for i := range 20 {
		d := &rationale.Decision{ID: fmt.Sprint("d", i), Tool: rationale.Tool{Name: "t"}, CallID: `"id":"d3"`}
		require.NoError(t, j.Append(ctx, d))
	}
	found, err := f.Decisions("d0", "d7", "d19", "d20")
	require.NoError(t, err)
	require.Len(t, found, 3)
	for id, d := range found {
		assert.Equal(t, id, d.ID)
	}
	fs.Inject(func(c crashfs.Call) crashfs.Fault {
		if strings.HasSuffix(c.Name, "00000002.seg") {
			return crashfs.Fault{Err: syscall.EIO}
		}
		return crashfs.Fault{}
	})
	_, err = f.Decisions("d0")
	assert.ErrorIs(t, err, syscall.EIO, "what cannot be read may hold it")
	fs.Inject(nil)
	require.NoError(t, j.Close())
}

// gauge is a Meter that counts.
type gauge struct{ appended, failed, synced, written int }

func (g *gauge) Appended(_ time.Duration, err error) {
	g.appended++
	if err != nil {
		g.failed++
	}
}

func (g *gauge) Synced(time.Duration, error) {
	if g.synced++; g.synced == 2 {
		panic("bug")
	}
}

func (g *gauge) Written(bytes int) { g.written += bytes }

func TestTheWorkOfAJournalIsMeasured(t *testing.T) {
	fs := crashfs.New()
	j, err := journal.Open(dir, journal.WithFS(fs))
	require.NoError(t, err)
	before, g := len(fs.Files(dir)["00000001.seg"]), new(gauge)
	f, _ := follow(t, j, "otlp")
	stop := f.Measure(g)
	for i := range 3 {
		require.NoError(t, j.Append(ctx, outcome(fmt.Sprint(i))))
	}
	require.NoError(t, j.Write(ctx, outcome("w")))
	require.NoError(t, j.Healthy(), "which appends nothing")
	assert.Equal(t, &gauge{appended: 4, synced: 3, written: len(fs.Files(dir)["00000001.seg"]) - before}, g)
	stop()
	require.NoError(t, j.Append(ctx, outcome("x")))
	assert.Equal(t, 4, g.appended)
	f.Measure(g)
	stop() // what has another's place by now
	require.NoError(t, j.Close())
	require.Error(t, j.Append(ctx, outcome("y")))
	assert.Equal(t, 1, g.failed)
}
