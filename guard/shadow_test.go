package guard_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
)

// shadowTracer is a guardtest.Tracer that publishes comparisons.
type shadowTracer struct {
	guardtest.Tracer
	counts []func() (compared, differed uint64)
}

func (t *shadowTracer) Shadow(counts func() (compared, differed uint64)) {
	t.counts = append(t.counts, counts)
}

const oneBound = `, bounds: [{expr: "args.replicas <= 10"}]`

func TestShadow(t *testing.T) {
	tracer := new(shadowTracer)
	s := under(t, oneBound, guard.WithShadow(1), guard.WithTracer(tracer))
	require.Len(t, tracer.counts, 1)
	assert.True(t, s.decide(t, "1").Allowed())
	compared, differed := s.Disagreements()
	assert.EqualValues(t, 1, compared)
	assert.Zero(t, differed)

	require.NoError(t, s.Reload([]authority.Document{grantDocument("fleet", scaleClass(oneBound+", domain: scaling"))}))
	assert.False(t, s.decide(t, "11").Allowed())
	compared, _ = tracer.counts[0]()
	assert.EqualValues(t, 2, compared, "a reload does not begin anew")
}

func TestNoShadow(t *testing.T) {
	for name, opts := range map[string][]guard.Option{
		"without":   nil,
		"rate zero": {guard.WithShadow(0)},
		"reference": {guard.WithReferenceCEL()},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := new(shadowTracer)
			s := under(t, oneBound, append(opts, guard.WithTracer(tracer))...)
			assert.Empty(t, tracer.counts, "there is nothing to publish")
			assert.True(t, s.decide(t, "1").Allowed())
			assert.False(t, s.decide(t, "11").Allowed())
			compared, differed := s.Disagreements()
			assert.Zero(t, compared)
			assert.Zero(t, differed)
		})
	}
	var none *guard.Guard
	compared, differed := none.Disagreements()
	assert.Zero(t, compared+differed)
}

func TestShadowNeedsARate(t *testing.T) {
	agent := guard.Agent{ID: guardtest.AgentID, Environment: guardtest.Environment}
	for _, opts := range [][]guard.Option{
		{guard.WithShadow(1.5)}, {guard.WithShadow(-1)}, {guard.WithShadow(0.5), guard.WithReferenceCEL()},
	} {
		_, err := guard.New(guardtest.Documents(), agent, append(opts, guard.WithoutEvidence(), guard.AllowUnsigned())...)
		assert.ErrorContains(t, err, "WithShadow")
	}
}
