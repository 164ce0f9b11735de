package journal_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// A disk that hangs does not hang the caller: what waits is withdrawn, and what
// is being written is uncertain.
func TestAHangingDiskDoesNotHangTheCaller(t *testing.T) {
	r := newRun()
	stuck, release := make(chan struct{}), make(chan struct{})
	j, err := journal.Open(dir, journal.WithFS(hanging{FS: r.fs, hang: func() { close(stuck); <-release }}))
	require.NoError(t, err)
	short, cancel := contextWithTimeout(30 * time.Millisecond)
	defer cancel()
	first := make(chan error, 1)
	go func() { first <- j.Append(short, outcome("001")) }()
	<-stuck
	second := j.Append(short, outcome("002"))
	require.ErrorIs(t, second, errDeadline)
	require.NotErrorIs(t, second, journal.ErrUncertain)
	require.ErrorIs(t, <-first, journal.ErrUncertain)
	close(release)
	require.NoError(t, j.Append(ctx, outcome("003")))
	require.NoError(t, j.Close())
	assert.Equal(t, []string{"001", "003"}, ids(t, r.fs))
}

// A write into the system's memory that hangs, as it can on a disk that does,
// hangs the one caller whose write it is.
func TestAHangingWriteHangsItsCallerAlone(t *testing.T) {
	r := newRun()
	stuck, release := make(chan struct{}), make(chan struct{})
	j, err := journal.Open(dir, journal.WithFS(hanging{FS: r.fs, hang: func() { close(stuck); <-release }, write: true}))
	require.NoError(t, err)
	short, cancel := contextWithTimeout(30 * time.Millisecond)
	defer cancel()
	first := make(chan error, 1)
	go func() { first <- j.Write(short, outcome("001")) }()
	<-stuck
	for _, appends := range []func(context.Context, ...rationale.Record) error{j.Write, j.Append} {
		err := appends(short, outcome("002"))
		require.ErrorIs(t, err, errDeadline)
		require.NotErrorIs(t, err, journal.ErrUncertain)
	}
	close(release)
	require.NoError(t, <-first)
	require.NoError(t, j.Write(ctx, outcome("003")))
	require.NoError(t, j.Close())
	assert.Equal(t, []string{"001", "003"}, ids(t, r.fs))
}

// Who does not wait for the disk does not sync for others either: a segment that
// ends is synced by the committer, which the caller can leave.
func TestAWriteDoesNotWaitForASync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRun()
		release := make(chan struct{})
		j, err := journal.Open(dir, journal.WithFS(hanging{FS: r.fs, hang: func() { <-release }}),
			journal.WithRotation(journal.Rotation{Records: 2}))
		require.NoError(t, err)
		require.NoError(t, j.Write(ctx, outcome("001"))) // the second record: the segment is full
		leaving, cancel := context.WithCancel(ctx)
		left := make(chan error, 1)
		go func() { left <- j.Write(leaving, outcome("002")) }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		assert.Len(t, left, 1, "the caller has left")
		close(release)
		require.ErrorIs(t, <-left, journal.ErrUncertain)
		require.NoError(t, j.Write(ctx, outcome("003")))
		require.NoError(t, j.Close())
		assert.Equal(t, []string{"001", "002", "003"}, ids(t, r.fs))
	})
}

// Appends that wait for the disk, and writes that do not, at the same time: each
// record is there once, and those of one goroutine are in its order.
func TestWritesBesideAppends(t *testing.T) {
	r := newRun()
	j, err := journal.Open(dir, journal.WithFS(r.fs), journal.WithState(&tally{}), journal.WithRotation(journal.Rotation{Bytes: 4000}))
	require.NoError(t, err)
	const writers, each = 8, 40
	var all sync.WaitGroup
	for w := range writers {
		appends := j.Append
		if w%4 != 0 {
			appends = j.Write
		}
		all.Go(func() {
			for i := range each {
				assert.NoError(t, appends(ctx, outcome(fmt.Sprintf("%d-%02d", w, i))))
			}
		})
	}
	all.Wait()
	require.NoError(t, j.Close())
	assert.ErrorIs(t, j.Write(ctx, outcome("late")), journal.ErrClosed)
	got := ids(t, r.fs)
	assert.Len(t, got, writers*each)
	slices.SortStableFunc(got, func(a, b string) int { return int(a[0]) - int(b[0]) })
	assert.True(t, slices.IsSorted(got), "in the order of each goroutine, and each once")
	assert.Len(t, slices.Compact(got), writers*each)
}
