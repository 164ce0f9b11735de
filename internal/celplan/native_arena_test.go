package celplan

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ambit-go/ambit/internal/strictjson"
)

func TestArena(t *testing.T) {
	var a arena
	fill := func(list []strictjson.Value, i int64) []strictjson.Value {
		for j := range list {
			list[j] = strictjson.IntValue(i)
		}
		return list
	}
	first, second := fill(a.list(3), 1), fill(a.list(2), 2)
	assert.Equal(t, int64(1), first[2].Int(), "lists do not overlap")
	assert.Equal(t, 3, cap(first), "nor when they grow")
	assert.Len(t, a.trim(second, 1), 1)
	assert.Equal(t, 4, a.used, "what is not used of the last list is given back")
	assert.Len(t, a.trim(first, 1), 1)
	assert.Equal(t, 4, a.used, "of another, it is not")

	before := a.mark()
	fill(a.list(5), 3)
	a.release(before)
	assert.Equal(t, 4, a.used)
	before = a.mark()
	fill(a.list(2*smallestArena), 4)
	used := a.used
	a.release(before)
	assert.Equal(t, used, a.used, "a mark of a buffer that was replaced is none of the next one")
	assert.Equal(t, int64(1), first[0].Int(), "what the old one held is kept")

	last := a.buf
	a.forget()
	assert.Zero(t, a.used)
	for i := range last {
		assert.Equal(t, strictjson.Invalid, last[i].Kind(), "nothing is held on to")
	}
	a.list(keptArena + 1)
	a.forget()
	assert.Empty(t, a.buf, "nor much memory")
	assert.Empty(t, a.trim(a.list(0), 0))
}
