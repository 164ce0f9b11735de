package celplan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/strictjson"
)

func TestPatienceEnds(t *testing.T) {
	env, err := NewEnv(Scope{Args: &strictjson.Type{Kind: strictjson.Object, Fields: []strictjson.Field{
		{Name: "ns", Type: &strictjson.Type{Kind: strictjson.List, Elem: &strictjson.Type{Kind: strictjson.Int}}},
	}}}, WithMode(ModeReference))
	require.NoError(t, err)
	p, err := env.Compile(`args.ns.all(n, n == 1) || true`, strictjson.Bool)
	require.NoError(t, err)
	ones := make([]strictjson.Value, 10*roundsPerCheck)
	for i := range ones {
		ones[i] = strictjson.IntValue(1)
	}
	in := &Input{Args: strictjson.MapValue(strictjson.Object, []strictjson.Member{{Name: "ns", Value: strictjson.ListValue(ones)}})}

	holds, err := p.EvalBool(in)
	require.NoError(t, err)
	assert.True(t, holds)
	p.interpreted.patience = 1
	_, err = p.EvalBool(in)
	assert.EqualError(t, err, "the evaluation took too long")

	quadratic, err := env.Compile(`args.ns.all(n, args.ns.all(m, m == n)) || true`, strictjson.Bool)
	require.NoError(t, err)
	start := time.Now()
	_, err = quadratic.EvalBool(in)
	whole := time.Since(start)
	assert.EqualError(t, err, "the evaluation would cost more than the limit")
	quadratic.interpreted.patience = 1
	start = time.Now()
	_, err = quadratic.EvalBool(in)
	assert.EqualError(t, err, "the evaluation took too long")
	assert.Less(t, time.Since(start), whole/2, "it ends when patience does")
}
