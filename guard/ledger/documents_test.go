package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

// Of several versions of a document, as replicas that were replaced leave them behind,
// the one that was loaded last stays the last, and counts for who asks the records.
func TestDocumentsStayInTheOrderInWhichTheyWereLoaded(t *testing.T) {
	log, m, _, r, _ := replicas(t)
	version := func(i int) *rationale.Lifecycle {
		l := loaded("matrix.yaml")
		l.Digest = rationale.Digest([]byte{byte(i)})
		return l
	}
	var want []string
	for i := range 8 {
		require.NoError(t, m.Record(ctx, version(i)))
		want = append(want, version(i).Digest)
	}
	require.NoError(t, m.Record(ctx, version(3))) // it was rolled back
	want = append(append(want[:3:3], want[4:]...), want[3])
	digests := func(recs []*rationale.Lifecycle) (all []string) {
		for _, l := range recs {
			all = append(all, l.Digest)
		}
		return all
	}
	require.Equal(t, want, digests(m.Documents()))
	snapshot := r.state.Snapshot(log.now)
	begins, state := ledger.Share(clock(log.now))
	require.NoError(t, state.Restore(snapshot[0].(*rationale.Snapshot)))
	replay(state, snapshot[1:], 0, len(snapshot)-1)
	assert.Equal(t, want, digests(begins.Documents()))
}
