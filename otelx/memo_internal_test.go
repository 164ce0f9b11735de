package otelx

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMemoIsBounded(t *testing.T) {
	var m memo[int, int]
	for i := range 3 * maxMemo {
		m.put(i, i)
		got, ok := m.get(i)
		assert.True(t, ok)
		assert.Equal(t, i, got)
	}
	assert.LessOrEqual(t, len(m.by), maxMemo)
}

// Ids that end in a random hexadecimal digit use every shard.
func TestShards(t *testing.T) {
	used := map[int]bool{}
	for _, digit := range "0123456789abcdef" {
		used[shard("0193-"+string(digit))] = true
	}
	assert.Len(t, used, len(pending{}))
	for _, id := range []string{"", "é", "\xff", "~"} {
		assert.Less(t, shard(id), len(pending{}))
	}
}
