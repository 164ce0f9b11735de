package bound

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

func TestAnswersAgree(t *testing.T) {
	c, err := Case()
	require.NoError(t, err)
	require.NoError(t, measure.Agree(c))
	require.NoError(t, measure.Stale(c))
	for i := range timed {
		assert.Equal(t, "allow", c.Impls[0].Answer(i), c.Inputs[i].Name)
	}
}
