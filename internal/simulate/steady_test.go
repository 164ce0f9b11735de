package simulate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale/journal"
)

// What one replica on the model of a shared log answers, a ledger on files answers
// too: they are one state machine.
func TestTheModelAnswersAsFilesDo(t *testing.T) {
	admitted := 0
	for i := range 200 {
		p := NewSteadyPlan(5, i, "")
		p.World.Replicas, p.World.Home = 1, OnFiles // where an outcome's time is the ledger's own
		kept := *p
		kept.Steps = nil
		for _, s := range p.Steps { // what a process leaves open gets its outcome at once on files
			if s.Do != crash {
				kept.Steps = append(kept.Steps, s)
			}
		}
		want, err := ModelAnswers(&kept)
		require.NoError(t, err)
		fs := crashfs.New()
		got, err := Answers(&kept, time.Now, func(int) (Ledger, func(), error) {
			m, err := ledger.Open(folder, journal.WithFS(fs))
			return m, func() { _ = m.Close() }, err
		})
		require.NoError(t, err)
		require.Equal(t, want, got, "history %d", i)
		admitted += len(got)
	}
	assert.Greater(t, admitted, 3000)
}

// A steady history is answered the same each time, whatever the time.
func TestASteadyHistoryIsAnsweredTheSame(t *testing.T) {
	for i := range 100 {
		p := NewSteadyPlan(6, i, "-6")
		first, err := ModelAnswers(p)
		require.NoError(t, err)
		second, err := ModelAnswers(p)
		require.NoError(t, err)
		require.Equal(t, first, second)
	}
}
