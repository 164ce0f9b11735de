package audit

import "fmt"

// Score is one number for a review board, and how it comes about.
type Score struct {
	Percent float64 // 0 to 100; meaningless unless Defined
	Defined bool    // there was something to judge
	Formula string  // with the numbers of this run
}

// ScoreFormula defines the score.
const ScoreFormula = "100 × (explained + unknown_resolved with an event + ½ × explained_weakly) ÷ (mutating events + missettled + orphans + log gaps + what could not be read)"

func scoreOf(r *Report) Score {
	c := &r.Coverage
	unread := len(r.Problems) + r.MoreProblems
	all := c.Judged() + unread
	good := c.Findings[Explained] + c.resolvedEvents
	weak := c.Findings[ExplainedWeakly]
	s := Score{
		Defined: all > 0,
		Formula: fmt.Sprintf("100 × (%d + %d + ½ × %d) ÷ (%d + %d + %d + %d + %d)",
			c.Findings[Explained], c.resolvedEvents, weak, c.Mutating, c.Findings[Missettled], c.Findings[Orphan], c.Findings[LogGap], unread),
	}
	if s.Defined {
		s.Percent = 100 * (float64(good) + float64(weak)/2) / float64(all)
	}
	return s
}
