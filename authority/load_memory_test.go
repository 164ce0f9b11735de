//go:build !race

package authority_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
)

// What a further class costs for as long as it is loaded, with five expressions
// of its own. What all share, above all the environments of CEL, does not count,
// nor do the documents' bytes, which are the caller's.
func TestLoadedClassesAreSmall(t *testing.T) {
	live := func(classes int) uint64 {
		docs, m := fleet(classes)
		before := heap()
		set, err := authority.Load(docs, m, authority.AllowUnsigned())
		require.NoError(t, err)
		after := heap()
		runtime.KeepAlive(set)
		runtime.KeepAlive(docs)
		return after - min(before, after)
	}
	few, many := live(200), live(1200)
	perClass := (many - min(few, many)) / 1000
	t.Logf("%d bytes a class", perClass)
	assert.Less(t, perClass, uint64(12<<10))
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first found in pools
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
