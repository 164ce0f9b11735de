package scaling

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
	"github.com/ambit-go/ambit/rationale"
)

func TestAnswersAgree(t *testing.T) {
	cases, err := Cases()
	require.NoError(t, err)
	for _, c := range cases {
		require.NoError(t, measure.Agree(c))
		require.NoError(t, measure.Stale(c))
	}
	check := cases[0]
	for i := range timed {
		assert.Equal(t, "allow parameterized", check.Impls[0].Answer(i), check.Inputs[i].Name)
		assert.True(t, strings.HasPrefix(check.Impls[0].Answer(timed+i), "deny "), check.Inputs[timed+i].Name)
	}
}

func TestParallelChecksAreRight(t *testing.T) {
	cases, err := Cases()
	require.NoError(t, err)
	for _, impl := range cases[3].Impls {
		assert.Equal(t, 1000, impl.Run(1000), impl.Name)
	}
}

func TestAnUnknownReasonEqualsNoOther(t *testing.T) {
	assert.Equal(t, boundViolated, reasonOf(rationale.BoundViolated))
	assert.NotEqual(t, outcome{}.String(), outcome{reasons: reasonOf("no_such_reason")}.String())
}
