//go:build !race

package journal_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// A record that waits for no fsync allocates its digest in the chain, and by the
// way the memory in which it stays until it is durable.
func TestAllocationsOfAWrite(t *testing.T) {
	j, err := journal.Open(t.TempDir())
	require.NoError(t, err)
	defer j.Close()
	recs := []rationale.Record{sized()}
	assert.LessOrEqual(t, testing.AllocsPerRun(500, func() {
		if err := j.Write(ctx, recs...); err != nil {
			t.Error(err)
		}
	}), 1.0)
}
