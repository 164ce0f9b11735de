package celplan

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/strictjson"
)

func TestPatienceEnds(t *testing.T) {
	env, err := NewEnv(Scope{Args: &strictjson.Type{Kind: strictjson.Object, Fields: []strictjson.Field{
		{Name: "ns", Type: &strictjson.Type{Kind: strictjson.List, Elem: &strictjson.Type{Kind: strictjson.Int}}},
	}}})
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
	p.patience = 1
	_, err = p.EvalBool(in)
	assert.EqualError(t, err, "the evaluation took too long")
}
