package audit

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
)

// settle adds what a person said of how the call of decision n ended, so long after nine.
func (s *scene) settle(n int, status rationale.Status, after time.Duration) *scene {
	s.entries = append(s.entries, &rationale.Settlement{
		ID: idOf(2000 + n), At: nine.Add(after), Decision: idOf(n), Status: status, By: "ida", Why: "the provider says so",
	})
	return s
}

func unknown(d *rationale.Decision, o *rationale.Outcome) {
	d.Authorization, o.Status = &rationale.AuthorizationRef{ID: "fleet"}, rationale.StatusUnknown
}

func noOutcome(_ *rationale.Decision, o *rationale.Outcome) { o.ID = "" }

// What a person says of how a call ended is held against the log.
func TestSettlementsAreHeldAgainstTheLog(t *testing.T) {
	const ran = rationale.StatusSuccess
	const not = rationale.StatusNotExecuted
	for name, c := range map[string]struct {
		make func(s *scene)
		want string
		why  string // of the last
	}{
		"not executed, and it acted": {
			func(s *scene) { s.call(1, unknown).event("e", 1, nil).settle(1, not, 30*time.Minute) },
			"unknown_resolved e 1 userAgent; missettled 1",
			"ida settled the call of scale as one that did not run (1.seg: record 3), which freed what it held of its limits, and the log shows that it acted",
		},
		"not executed, and an event fits": {
			func(s *scene) { s.call(1, unknown).event("e", 0, nil).settle(1, not, 30*time.Minute) },
			"unknown_resolved e 1; missettled 1", "",
		},
		"not executed, before its outcome came": {
			func(s *scene) {
				s.call(1, noOutcome).event("e", 1, nil).settle(1, not, 30*time.Minute)
				s.entries = append(s.entries, &rationale.Outcome{ID: idOf(1001), At: nine.Add(time.Hour), Decision: idOf(1), Started: nine, Status: ran})
			},
			"explained e 1 userAgent; missettled 1", "",
		},
		"not executed, nor did it": {
			func(s *scene) { s.call(1, unknown).noise().settle(1, not, 30*time.Minute) }, "unknown_resolved 1", "it did not act",
		},
		"not executed, and what the decision does not cover": {
			func(s *scene) {
				s.call(1, unknown).event("e", 0, set("requestParameters.size", 11)).settle(1, not, 30*time.Minute)
			}, "unauthorized e 1", "",
		},
		"it ran, and acted": {
			func(s *scene) { s.call(1, unknown).event("e", 1, nil).settle(1, ran, 30*time.Minute) }, "unknown_resolved e 1 userAgent", "",
		},
		"it ran, and the log has nothing": {
			func(s *scene) { s.call(1, unknown).noise().settle(1, ran, 30*time.Minute) },
			"orphan 1", "ida settled the call of scale as one that came out well (1.seg: record 3), and no log has an event of it",
		},
		"it failed, and the log has nothing": {
			func(s *scene) { s.call(1, unknown).noise().settle(1, rationale.StatusError, 30*time.Minute) }, "unknown_resolved 1", "",
		},
		"the first of two counts": {
			func(s *scene) {
				s.call(1, unknown).event("e", 1, nil).settle(1, not, 40*time.Minute).settle(1, ran, 30*time.Minute)
			}, "unknown_resolved e 1 userAgent", "",
		},
		"of another call": {
			func(s *scene) { s.call(1, unknown).event("e", 1, nil).settle(2, not, 30*time.Minute) }, "unknown_resolved e 1 userAgent", "",
		},
		"later than what is judged": {
			func(s *scene) { s.call(1, unknown).event("e", 1, nil).settle(1, not, 2*time.Hour) }, "unknown_resolved e 1 userAgent", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			c.make(s)
			_, list := s.run(s.document())
			assert.Equal(t, c.want, found(list))
			assert.Contains(t, list[len(list)-1].Why, c.why)
		})
	}
}

// A settlement that the log refutes waits for an answer as an act that nothing covers
// does, and costs of the score, whichever was there first.
func TestSettlementsOfLaterRuns(t *testing.T) {
	s := newScene(t).call(1, unknown).event("e", 1, nil)
	s.until = nine.Add(time.Hour)
	next := func(say string, unauthorized int) Report {
		t.Helper()
		report, list := s.run(s.document())
		assert.Equal(t, say, found(list))
		assert.Equal(t, unauthorized, report.results.of["fleet"].Unauthorized)
		require.NoError(t, report.Keep())
		s.until = s.until.Add(time.Hour)
		return report
	}
	next("unknown_resolved e 1 userAgent", 0)
	s.settle(1, rationale.StatusNotExecuted, 90*time.Minute)
	assert.Equal(t, Score{Defined: true, Formula: "100 × (0 + 0 + ½ × 0) ÷ (0 + 1 + 0 + 0 + 0)"}, next("missettled 1", 1).Score)
	next("", 0)

	s.call(2, unknown).settle(2, rationale.StatusNotExecuted, 3*time.Hour+time.Minute)
	next("", 0)
	s.event("late", 2, nil)
	next("unknown_resolved late 2 userAgent; missettled 2", 1)
}
