package admit

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Ten times as many calls keep no more: they lie in buckets, not in a list.
func TestMemoryDoesNotGrowWithTheCalls(t *testing.T) {
	few, err := admitted(20_000)
	require.NoError(t, err)
	many, err := admitted(200_000)
	require.NoError(t, err)
	assert.Less(t, many.BOp, few.BOp+64<<10)
	assert.Less(t, many.BOp, int64(256<<10))
	assert.Positive(t, many.NsOp)
}
