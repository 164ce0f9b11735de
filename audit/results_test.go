package audit

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
)

// under decides a call of a tool by an authorization of the agent bot.
func under(authorization, tool string) func(d *rationale.Decision, o *rationale.Outcome) {
	return func(d *rationale.Decision, o *rationale.Outcome) {
		d.Authorization, d.Tool.Name = &rationale.AuthorizationRef{ID: authorization}, tool
	}
}

// loads is the record of an authorization that decided nothing yet.
func loads(authorization, agent string) *rationale.Lifecycle {
	return &rationale.Lifecycle{
		ID: idOf(900), At: nine.Add(-time.Minute), Event: rationale.EventLoaded, Agent: rationale.Agent{ID: agent},
		Authorization: &rationale.AuthorizationRef{ID: authorization},
	}
}

// What is found counts to the authorization that decided, and what nothing explains
// to those that it may have been done past.
func TestResults(t *testing.T) {
	type results = []rationale.Audit
	for name, c := range map[string]struct {
		make func(s *scene)
		want results
	}{
		"explained": {func(s *scene) { s.event("e", 1, nil) }, results{
			{Authorization: "fleet", Judged: 1}, {Authorization: "idle"}, {Authorization: "machines"},
		}},
		"beyond what was decided": {func(s *scene) { s.event("e", 1, set("requestParameters.size", 11)) }, results{
			{Authorization: "fleet", Judged: 1, Unauthorized: 1}, {Authorization: "idle"}, {Authorization: "machines"},
		}},
		"no record, of a tool that one decides": {func(s *scene) { s.event("e", 0, named("ec2:Tag")) }, results{
			{Authorization: "fleet"}, {Authorization: "idle"}, {Authorization: "machines", Judged: 1, Unexplained: 1},
		}},
		"no record, of no tool that is known": {func(s *scene) { s.event("e", 0, named("iam:CreateUser")) }, results{
			{Authorization: "fleet", Judged: 1, Unexplained: 1}, {Authorization: "idle", Judged: 1, Unexplained: 1}, {Authorization: "machines", Judged: 1, Unexplained: 1},
		}},
		"under a decision that no authorization made": {func(s *scene) {
			s.call(3, func(d *rationale.Decision, o *rationale.Outcome) { d.Verdict, o.ID = rationale.Deny, "" }).event("e", 3, nil)
		}, results{
			{Authorization: "fleet", Judged: 1, Unauthorized: 1}, {Authorization: "idle"}, {Authorization: "machines"},
		}},
		"under the decision of another agent": {func(s *scene) {
			s.call(3, func(d *rationale.Decision, o *rationale.Outcome) {
				d.Agent.ID, d.Authorization, o.Status = "other", &rationale.AuthorizationRef{ID: "theirs"}, rationale.StatusError
			}).event("e", 3, nil)
		}, results{
			{Authorization: "fleet", Judged: 1, Unauthorized: 1}, {Authorization: "idle"}, {Authorization: "machines"}, {Authorization: "theirs"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.entries = append(s.entries, loads("idle", "bot"), loads("foreign", "nobody"))
			s.call(1, under("fleet", "scale")).call(2, under("machines", "launch"))
			c.make(s)
			for _, only := range []bool{false, true} {
				r := s.results(only)
				got, from, until, err := r.Results()
				require.NoError(t, err)
				assert.Equal(t, c.want, got)
				assert.Equal(t, nine.Add(-time.Minute), from, "from the first record on")
				assert.Equal(t, s.until, until)
			}
		})
	}
}

// results runs an audit that only counts, or gives out its findings.
func (s *scene) results(count bool) Report {
	doc := s.document()
	if !count {
		r, _ := s.run(doc)
		return r
	}
	run := newRun(s.t.Context(), Config{Document: doc, Since: s.since, Until: s.until, Now: func() time.Time { return s.now }}, s.dir)
	run.records.source = s.source
	require.NoError(s.t, run.all())
	return run.report
}

// A run that did not see everything is no audit.
func TestRunsThatAreNoAudit(t *testing.T) {
	for name, c := range map[string]struct {
		make func(s *scene)
		says string
	}{
		"nothing in the log":        {func(*scene) {}, "the log trail has no events at all"},
		"no authorization":          {func(s *scene) { s.entries = nil; s.event("e", 0, set("userIdentity", map[string]any{"arn": "arn:x"})) }, "no authorization of the agents"},
		"an act of an agent alone":  {func(s *scene) { s.event("e", 0, set("userIdentity", map[string]any{"arn": "arn:other"})) }, "1 acts of agent other, or of others, count to no authorization"},
		"a log that cannot be read": {func(s *scene) { s.event("a", 1, nil).event("b", 0, set("eventTime", "noon")) }, "log.json could not be read"},
		"a silence": {func(s *scene) {
			s.options = ", silence: 10m"
			s.event("a", 1, nil).event("b", 0, at(40*time.Minute))
		}, "the log trail has a gap in that time"},
		"a log that has ended": {func(s *scene) {
			s.options = ", silence: 10m"
			s.event("a", 1, nil)
		}, "the log trail has a gap in that time: it says nothing after 2026-11-02T09:00:01Z"},
		"a log that begins late": {func(s *scene) {
			s.options, s.since, s.until = ", silence: 10m", nine.Add(-time.Hour), nine.Add(15*time.Minute)
			s.event("a", 1, nil)
		}, "the log trail has a gap in that time: it says nothing before 2026-11-02T09:00:01Z"},
		"an agent that no event names": {func(s *scene) { s.noise() }, "1 calls of agent bot reported success, and no event of any log names it"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t).call(1, under("fleet", "scale"))
			c.make(s)
			r := s.results(true)
			_, _, _, err := r.Results()
			assert.ErrorContains(t, err, c.says)
		})
	}
	_, _, _, err := new(Report).Results()
	assert.Error(t, err)
}

// Each run covers the time from where the one before it ended. One that is not
// recorded takes nothing from those that are.
func TestResultsFollowEachOther(t *testing.T) {
	s := newScene(t).call(1, under("fleet", "scale")).event("e", 0, named("ec2:Tag"))
	doc := s.document()
	next := func(record bool) Report {
		before, err := doc.readState()
		require.NoError(t, err)
		s.until = s.until.Add(time.Hour)
		run := newRun(t.Context(), Config{Document: doc, Until: s.until, Now: func() time.Time { return s.until }, Record: record}, s.dir)
		run.before, run.found.before, run.records.source = before, before.Until, s.source
		require.NoError(t, run.all())
		require.NoError(t, run.report.Keep())
		return run.report
	}
	unrecorded := next(false)
	second := next(true)
	_, _, _, err := second.Results()
	assert.ErrorContains(t, err, "what was found until "+unrecorded.Until.Format(time.RFC3339)+" by runs before this one is not recorded: remove ")
	require.NoError(t, os.Remove(doc.state))

	first := next(true)
	got, _, _, err := first.Results()
	require.NoError(t, err)
	assert.Equal(t, []rationale.Audit{{Authorization: "fleet", Judged: 1, Unexplained: 1}}, got)
	s.event("f", 0, named("ec2:Tag"))
	s.document()
	looked := next(false)
	assert.Equal(t, 1, looked.Coverage.Findings[Unexplained])
	third := next(true)
	got, from, until, err := third.Results()
	require.NoError(t, err)
	assert.Equal(t, []rationale.Audit{{Authorization: "fleet", Judged: 1, Unexplained: 1}}, got)
	assert.Equal(t, first.Until, from)
	assert.Equal(t, s.until, until)
}
