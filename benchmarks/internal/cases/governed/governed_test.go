package governed

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/ambit-go/ambit/rationale/journal"
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

func TestJournalsAreLookedAt(t *testing.T) {
	for _, durable := range []bool{true, false} {
		d, err := openOnDisk(filepath.Join(t.TempDir(), "evidence"), durable)
		require.NoError(t, err)
		defer d.close()
		all := calls()
		if !durable {
			all = reads()
		}
		sizes, err := d.frames(all)
		require.NoError(t, err)
		require.Len(t, sizes, timed)
		for _, s := range sizes {
			assert.Greater(t, s[0], 500, "a decision")
			assert.Greater(t, s[1], 300, "an outcome")
		}
		impl := d.counted(d.run(all))
		impl.Run(3)
		d.records.Add(-1)
		assert.ErrorContains(t, impl.After(), "5 records of 6 are in the journal")
		impl.Run(3)
		d.durable = !durable
		assert.ErrorContains(t, impl.After(), "6 records were synced")
		d.durable = durable
		report := journal.Verify(journal.Expect{}, filepath.Dir(d.ledger.Journal().Segments()[0].File))
		assert.Empty(t, report.Problems)
		assert.Equal(t, timed+6, report.Journals[0].Outcomes)
	}
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
