package governed

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func TestCasesRun(t *testing.T) {
	cases, closing, err := Cases()
	require.NoError(t, err)
	defer closing()
	for _, c := range cases {
		for _, impl := range c.Impls {
			assert.Equal(t, 100, impl.Run(100), "%s: %s", c.Name, impl.Name)
			assert.NoError(t, impl.After(), "%s: %s", c.Name, impl.Name)
		}
	}
}

func TestALostRecordIsNoticed(t *testing.T) {
	m := &memory{calls: 3, records: 5}
	assert.ErrorContains(t, m.complete(), "5 records of 6 were kept")
	assert.NoError(t, m.complete())
}

func TestALostSpanIsNoticed(t *testing.T) {
	s := newSink()
	impl := s.counted("forgetful", func(int) int { return 0 })
	impl.Run(3)
	assert.ErrorContains(t, impl.After(), "0 spans of 6 were exported")
}

func TestSpansThatDifferAreNoticed(t *testing.T) {
	pairs, err := learn()
	require.NoError(t, err)
	p := pairs[0]
	assert.Greater(t, len(p.decision.Attributes), 25)
	assert.Equal(t, 5, p.later)
	ours := []tracetest.SpanStub{p.decision, p.execution}
	require.NoError(t, same(ours, ours))
	changed := []tracetest.SpanStub{p.decision, p.execution}
	changed[0].Attributes = append([]attribute.KeyValue{attribute.Bool("more", true)}, p.decision.Attributes...)
	assert.ErrorContains(t, same(ours, changed), "the spans differ")
	changed[0], changed[1].Links = p.decision, p.execution.Links[:1]
	assert.ErrorContains(t, same(ours, changed), "the spans differ")
	assert.ErrorContains(t, same(ours, ours[:1]), "made 2 spans and the hand 1")
}
