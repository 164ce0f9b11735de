package load

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

func TestAnswersAgree(t *testing.T) {
	cases := Cases(200)
	require.NoError(t, measure.Agree(cases[0]))
	for _, impl := range cases[0].Impls {
		assert.Equal(t, "loaded", impl.Answer(0), impl.Name)
		for i := range cases[0].Inputs[1:] {
			assert.Equal(t, "refused", impl.Answer(i+1), "%s: %s", impl.Name, cases[0].Inputs[i+1].Name)
		}
	}
}

func TestLiveMemoryIsCounted(t *testing.T) {
	for _, impl := range Cases(200)[1].Impls {
		r, err := impl.Once()
		require.NoError(t, err)
		assert.Greater(t, r.BOp, int64(500), impl.Name)
		assert.Greater(t, r.AllocsOp, int64(10), impl.Name)
	}
}
