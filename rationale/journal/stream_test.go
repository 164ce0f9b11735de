package journal_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// Segments that begin in between do not send a reader back to the general way of
// reading, which reads whole files.
func TestReadingOnOverSegments(t *testing.T) {
	fs := crashfs.New()
	j, err := journal.Open(dir, journal.WithFS(fs), journal.WithRotation(journal.Rotation{Records: 3}), journal.WithState(&tally{}))
	require.NoError(t, err)
	var head rationale.Head
	for i := range 40 {
		require.NoError(t, j.Write(ctx, outcome(fmt.Sprint("w", i))), "which the next segment may hold again")
		require.NoError(t, j.Append(ctx, outcome(fmt.Sprint(i))))
		fs.Log()
		var found []string
		found, head = after(t, j, head)
		require.Equal(t, []string{fmt.Sprint("w", i), fmt.Sprint(i)}, found)
		for _, c := range fs.Log() {
			require.NotEqual(t, "size", c.Op, "a whole file was read")
		}
	}
	all, _ := after(t, j, rationale.Head{})
	assert.Len(t, all, 80)
	require.NoError(t, j.Close())
}

// Who follows while others append sees each record once and in order.
func TestFollowingWhileOthersAppend(t *testing.T) {
	const writers, appends = 4, 150
	j := open(t, t.TempDir(), journal.WithRotation(journal.Rotation{Records: 50}), journal.WithState(&tally{}))
	f, _ := follow(t, j, "otlp")
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range appends {
				write := j.Append
				if i%3 == 0 {
					write = j.Write
				}
				assert.NoError(t, write(ctx, outcome(fmt.Sprintf("%d-%d", w, i))))
			}
		})
	}
	var head rationale.Head
	next, seen := make([]int, writers), 0
	for seen < writers*appends {
		require.NoError(t, f.Wait(ctx, head.Seq))
		for e, err := range f.After(head) {
			require.NoError(t, err)
			require.Equal(t, head.Seq+1, e.Envelope.Seq)
			head = rationale.Head{Journal: e.Envelope.Journal, Seq: e.Envelope.Seq, Hash: e.Hash}
			if o, ok := e.Record.(*rationale.Outcome); ok {
				var w, i int
				_, err := fmt.Sscanf(o.ID, "%d-%d", &w, &i)
				require.NoError(t, err)
				require.Equal(t, next[w], i)
				next[w]++
				seen++
			}
		}
	}
	group.Wait()
}
