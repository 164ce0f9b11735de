package scale

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryCallIsAllowedByItsClass(t *testing.T) {
	cases, err := Cases(200)
	require.NoError(t, err)
	for _, c := range cases {
		impl := c.Impls[0]
		for i, input := range c.Inputs {
			var class int
			_, err := fmt.Sscanf(input.Name, "class %d", &class)
			require.NoError(t, err)
			assert.Equal(t, fmt.Sprintf("allow class-%05d []", class), impl.Answer(i), c.Name)
		}
		assert.Equal(t, 200, impl.Run(200), c.Name)
	}
}

func TestHotClassesAreSixtyFour(t *testing.T) {
	cases, err := Cases(1000)
	require.NoError(t, err)
	distinct := map[string]map[string]bool{}
	for _, c := range cases {
		distinct[c.Name] = map[string]bool{}
		for _, input := range c.Inputs {
			distinct[c.Name][input.Name] = true
		}
	}
	assert.Len(t, distinct["scale-10"], 10)
	assert.InDelta(t, hot, len(distinct["scale-10k"]), 4)
	assert.Greater(t, len(distinct["scale-10k-uniform"]), 2*hot) // of 200
	assert.InDelta(t, hot, len(distinct["scale-10k-when"]), 4)
}
