package ledger_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// A decision that has ended is not admitted again, not by the next process either.
func TestADecisionThatHasEndedIsNotAdmittedAgain(t *testing.T) {
	for name, opts := range map[string][]journal.Option{
		"one segment":   nil,
		"many segments": {journal.WithRotation(journal.Rotation{Records: 50})},
	} {
		t.Run(name, func(t *testing.T) {
			fs := crashfs.New()
			l := openLedger(t, fs, opts...)
			var last *rationale.Decision
			for range 600 { // more than are remembered
				last = spending(noon, "1", sliding("100000", "24h0m0s"))
				require.NoError(t, l.Admit(ctx, last))
				require.NoError(t, l.Complete(ctx, ended(last, 0, rationale.StatusSuccess, "1")))
			}
			for range 2 { // the second process reads the snapshot of the first
				require.NoError(t, l.Close())
				l = openLedger(t, fs, opts...)
			}
			before := l.Budgets(noon)
			again := *last
			require.ErrorContains(t, l.Admit(ctx, &again), "was admitted before")
			assert.Equal(t, before, l.Budgets(noon))
		})
	}
}

// What is suspended without a record is so in its process alone: no snapshot has
// what the records have not.
func TestASnapshotHasNoSuspensionThatIsNotRecorded(t *testing.T) {
	fs := crashfs.New()
	var later time.Duration
	clock := journal.WithClock(func() time.Time { return noon.Add(later) })
	l := openLedger(t, fs, journal.WithRotation(journal.Rotation{Records: 2}), clock)
	fs.Inject(func(crashfs.Call) crashfs.Fault { return crashfs.Fault{Err: syscall.EIO} })
	agent := rationale.Suspension{Agent: guardtest.AgentID}
	require.Error(t, l.Suspend(ctx, agent, "sam", "incident", noon))
	fs.Inject(nil)
	later = time.Minute // a journal tries again after a while
	for range 5 {       // more than a segment has
		d := guardtest.Allowed()
		require.NoError(t, l.Admit(ctx, d))
		require.Equal(t, rationale.Deny, d.Verdict)
	}
	require.NoError(t, l.Close())
	assert.Empty(t, openLedger(t, fs, clock).Suspensions())
}

// The outcome that it did not run is recorded once, also where nobody waited to hear
// of that.
func TestWhatDidNotRunDidNotRunOnce(t *testing.T) {
	disk := &slowDisk{FS: crashfs.New()}
	l, err := ledger.Open(dir, journal.WithFS(disk))
	require.NoError(t, err)
	var release chan struct{}
	for _, d := range []*rationale.Decision{guardtest.Allowed(), guardtest.Denied()} {
		if release != nil {
			close(release) // the one before is recorded, and shows up
			require.NoError(t, l.Journal().Append(ctx))
		}
		var entered chan struct{}
		entered, release = disk.hang()
		short, cancel := context.WithCancel(ctx)
		answer := make(chan error)
		go func() { answer <- l.Admit(short, d) }()
		<-entered
		cancel()
		require.ErrorIs(t, <-answer, journal.ErrUncertain)
	}
	asked, last := make(chan struct{}, 1), make(chan error)
	go func() { last <- l.Admit(told{ctx, asked}, guardtest.Denied()) }()
	<-asked // it is queued behind the one that nobody waits for
	close(release)
	require.NoError(t, <-last)
	require.NoError(t, l.Close())
	assert.Empty(t, journal.Verify(journal.Expect{FS: disk.FS}, dir).Problems)
}

// told is a context that says when it is waited for.
type told struct {
	context.Context
	asked chan struct{}
}

func (c told) Done() <-chan struct{} {
	c.asked <- struct{}{}
	return c.Context.Done()
}
