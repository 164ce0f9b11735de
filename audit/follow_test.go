package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
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

// A log that is rotated has another name, and is not judged again; one that begins
// alike and goes on otherwise is.
func TestLogsThatAreRotated(t *testing.T) {
	line := func(n int, user string) string {
		return fmt.Sprintf(`{"kind":"Event","pad":%q,"auditID":"%s-%d","stage":"ResponseComplete","verb":"delete","requestURI":"/pods/%d","user":{"username":%q},"requestReceivedTimestamp":"2026-11-02T09:0%d:00Z"}`+"\n",
			strings.Repeat("x", maxHead), user, n, n, user, n)
	}
	for _, packed := range []bool{false, true} {
		dir := t.TempDir()
		doc, err := Load(filepath.Join(dir, "audit.yaml"), []byte(`
apiVersion: ambit/v1
kind: Audit
id: rotated
agents: [{id: bot, principals: [bot]}]
records: [evidence]
logs: [{name: kube, format: kubernetes, paths: [logs]}]
state: state.json
`))
		require.NoError(t, err)
		next := func() string {
			t.Helper()
			var list []Finding
			report, err := Run(t.Context(), Config{Document: doc, TempDir: t.TempDir(), Findings: func(f Finding) error {
				list = append(list, f)
				return nil
			}})
			require.NoError(t, err)
			require.NoError(t, report.Keep())
			return found(list)
		}
		first := line(1, "bot") + line(2, "eve") + line(3, "bot")
		write(t, []byte(first), dir, "logs", "audit.log")
		assert.Equal(t, "unexplained bot-1; unexplained bot-3", next())

		rotated := []byte(first + line(4, "bot"))
		if packed {
			rotated = gzipped(t, rotated)
		}
		write(t, rotated, dir, "logs", "audit-1.log")
		write(t, []byte(line(5, "bot")+line(6, "bot")), dir, "logs", "audit.log")
		assert.Equal(t, "unexplained bot-4; unexplained bot-5; unexplained bot-6", next())
		assert.Empty(t, next())

		write(t, []byte(line(5, "bot")+line(7, "bot")), dir, "logs", "forged.log")
		assert.Equal(t, "unexplained bot-7", next(), "what has the beginning of another, and not its events")
	}
}

// A line that is being written while it is read is judged once it is whole.
func TestLinesThatAreBeingWritten(t *testing.T) {
	s := newScene(t)
	first := `{"eventID":"1","eventTime":"2026-11-02T09:00:00Z","eventSource":"iam","eventName":"Create","userIdentity":{"arn":"arn:bot"}}` + "\n"
	second := strings.Replace(first, `"1"`, `"2"`, 1)
	write(t, []byte(first+second[:40]), s.dir, "logs", "log.json")
	report, list := s.run(s.document())
	assert.Equal(t, "unexplained 1", found(list))
	assert.Len(t, report.Problems, 1)
	require.NoError(t, report.Keep())
	write(t, []byte(first+second), s.dir, "logs", "log.json")
	report, list = s.run(s.document())
	assert.Equal(t, "unexplained 2", found(list))
	assert.Empty(t, report.Problems)
}

// A run leaves the state as it is where what lies between it and those before would
// never be judged. What is to come is judged when it has come.
func TestNothingIsPassedOverBetweenRuns(t *testing.T) {
	behind := func(s *scene, id string, d time.Duration) *Document {
		return s.event(id, 0, both(named("iam:Create"), at(d))).document(id + ".json")
	}
	for name, c := range map[string]struct{ since, until time.Time }{
		"begins later":              {nine.Add(90 * time.Minute), nine.Add(2 * time.Hour)},
		"ends earlier":              {time.Time{}, nine.Add(30 * time.Minute)},
		"ends when nobody has been": {time.Time{}, nine.AddDate(10, 0, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			report, list := s.run(behind(s, "a", time.Minute))
			assert.Equal(t, "unexplained a", found(list))
			require.NoError(t, report.Keep())
			behind(s, "b", 70*time.Minute)
			s.now, s.since, s.until = nine.Add(2*time.Hour), c.since, c.until
			report, _ = s.run(behind(s, "c", 100*time.Minute))
			require.NoError(t, report.Keep())

			s.now, s.since, s.until = nine.Add(5*time.Hour), time.Time{}, nine.Add(5*time.Hour)
			s.call(7, func(d *rationale.Decision, o *rationale.Outcome) {
				d.At, o.At = nine.Add(3*time.Hour), nine.Add(3*time.Hour)
			})
			_, list = s.run(behind(s, "d", 200*time.Minute))
			want := "unexplained b; unexplained c; orphan 7; unexplained d"
			if c.until.After(s.now) {
				want = "orphan 7; unexplained d" // b and c were found
			}
			assert.Equal(t, want, found(list))
		})
	}
	s := newScene(t)
	doc := behind(s, "a", time.Minute)
	state := fmt.Sprintf(`{"audit":"join","until":"2026-11-02T10:00:00Z","files":{%q:{"read":9000,"head":-1,"digest":""}}}`, filepath.Join(s.dir, "logs", "a.json"))
	require.NoError(t, os.WriteFile(doc.state, []byte(state), 0o600))
	_, list := s.run(doc)
	assert.Equal(t, "unexplained a", found(list), "a state that is damaged")
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
