package audit

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Whatever the times are, a timeline has few bars, and all findings are in them.
func TestTimeline(t *testing.T) {
	for name, step := range map[string]time.Duration{"seconds": time.Second, "hours": time.Hour, "months": 720 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			line := newTimeline()
			for i := range 500 {
				line.add(nine.Add(time.Duration(i)*step), Explained)
				line.add(nine.Add(-time.Duration(i)*step), Unexplained)
			}
			assert.LessOrEqual(t, len(line.counts), maxBars)
			line.end(timelineBars)
			assert.LessOrEqual(t, len(line.Bars), timelineBars)
			sum := map[Kind]int{}
			for i, b := range line.Bars {
				for k, n := range b.Findings {
					sum[k] += n
				}
				if i > 0 {
					assert.True(t, b.From.After(line.Bars[i-1].From))
				}
			}
			assert.Equal(t, map[Kind]int{Explained: 500, Unexplained: 500}, sum)
		})
	}
	none := newTimeline()
	none.end(timelineBars)
	assert.Empty(t, none.Bars)
}

// The score is the formula that the manual gives.
func TestScore(t *testing.T) {
	r := &Report{Problems: make([]Problem, 1), MoreProblems: 2, Coverage: Coverage{
		Mutating: 10, resolvedEvents: 1,
		Findings: map[Kind]int{Explained: 4, ExplainedWeakly: 2, UnknownResolved: 2, Unexplained: 2, Unauthorized: 1, Missettled: 5, Orphan: 3, LogGap: 4, TooEarly: 9},
	}}
	s := scoreOf(r)
	assert.Equal(t, "100 × (4 + 1 + ½ × 2) ÷ (10 + 5 + 3 + 4 + 3)", s.Formula)
	assert.InDelta(t, 24, s.Percent, 1e-9)
	assert.False(t, scoreOf(&Report{Coverage: Coverage{Findings: map[Kind]int{}}}).Defined)
	assert.InDelta(t, 40, r.Coverage.Share(Explained), 1e-9)
}
