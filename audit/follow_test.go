package audit

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Runs that follow each other judge each event and each decision once, whenever it
// is delivered, and a decision that explains an event explains no other later.
func TestRunsThatFollowEachOther(t *testing.T) {
	s := newScene(t)
	s.until = nine.Add(5 * time.Minute)
	doc := s.call(1, nil).call(2, nil).event("e1", 1, nil).event("x1", 0, named("iam:Create")).document()
	report, list := s.run(doc)
	assert.Equal(t, "too_early 2; explained e1 1 userAgent; unexplained x1", found(list))

	// A run whose result was not kept never was.
	_, list = s.run(doc)
	assert.Equal(t, "too_early 2; explained e1 1 userAgent; unexplained x1", found(list))
	require.NoError(t, report.Keep())

	// Later there are more of the old time: in a new file, and in the one that grew.
	s.until = nine.Add(time.Hour)
	doc = s.event("x2", 0, both(named("iam:Create"), at(3*time.Second))).event("copy", 0, at(2*time.Second)).
		event("e1", 1, nil).event("e2", 2, at(4*time.Second)).document("a-late.json", "log.json", "again.json")
	report, list = s.run(doc)
	assert.Equal(t, "unexplained copy; unexplained x2; explained e2 2 userAgent", found(list))
	assert.Equal(t, 2, report.Coverage.Before)
	assert.Equal(t, 1, report.Coverage.Duplicates)
	require.NoError(t, report.Keep())

	// Nothing new.
	report, list = s.run(doc)
	assert.Empty(t, found(list))
	require.NoError(t, report.Keep())

	// Another file under an old name is read from its beginning.
	require.NoError(t, os.Remove(filepath.Join(s.dir, "logs", "a-late.json")))
	doc = s.event("x3", 0, both(named("iam:Create"), at(5*time.Second), set("awsRegion", "us"))).document("a-late.json")
	_, list = s.run(doc)
	assert.Equal(t, "unexplained x3", found(list))

	// A state of another audit is not taken.
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "state.json"), []byte(`{"audit":"x"}`), 0o600))
	_, err := doc.readState()
	assert.ErrorContains(t, err, `it is the state of audit "x", not of "join"`)
}

// What explained an act in an earlier run explains no other that was delivered
// late, though it happened before: strongly and weakly.
func TestLateEventsTakeNothingAway(t *testing.T) {
	for name, n := range map[string]int{"strong": 1, "weak": 0} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t).noise()
			doc := s.call(1, nil).event("e1", n, at(2*time.Second)).document()
			report, list := s.run(doc)
			require.Len(t, list, 1)
			assert.Equal(t, idOf(1), list[0].Decision)
			require.NoError(t, report.Keep())
			doc = s.event("e0", n, both(at(time.Second), set("requestParameters.size", 9))).document("late.json")
			_, list = s.run(doc)
			require.Len(t, list, 1)
			assert.Contains(t, []Kind{Unexplained, Unauthorized}, list[0].Kind)
		})
	}
}

// What lies outside of the time that is asked for still takes its part of what it
// explains, and is not reported.
func TestTimeThatIsJudged(t *testing.T) {
	s := newScene(t)
	s.since = nine.Add(90 * time.Second)
	report, list := s.run(s.call(1, nil).event("e1", 0, nil).event("e2", 0, at(2*time.Minute)).event("e3", 0, at(2*time.Hour)).document())
	assert.Equal(t, "unexplained e2", found(list))
	assert.Equal(t, 2, report.Coverage.Outside)
}
