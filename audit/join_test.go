package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const joinDocument = `
apiVersion: ambit/v1
kind: Audit
id: join
agents:
  - {id: bot, principals: ["arn:bot"]}
  - {id: other, principals: ["arn:other"]}
records: [evidence]
logs: [{name: trail, format: cloudtrail, paths: [logs], delay: 10m%s}]
state: state.json
tools:
  - tool: scale
    classes: ["scaling*"]
    events:
      - action: asg:Set
        match: [{event: requestParameters.group, argument: group}]
        compare:
          - {event: requestParameters.size, argument: size, rule: at_most}
          - {event: awsRegion, argument: region}
  - tool: launch
    events:
      - {action: "ec2:Run*", attempts: 2}
      - {action: "ec2:Tag", fan_out: 2}
  - tool: terminate
    events: [{action: "ec2:Terminate"}]
  - tool: stop
    events: [{action: "ec2:Stop", compare: [{event: "requestParameters.ids[]", argument: "ids[]"}]}]
  - tool: srv/remote
    events: [{action: "srv:Do", match: [{event: requestParameters.group, argument: group}]}]
`

var nine = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func idOf(n int) string { return fmt.Sprintf("0190a000-0000-7000-8000-%012d", n) }

// scene is some records and events, and what an audit of them finds.
type scene struct {
	t       *testing.T
	dir     string
	options string // of the log
	entries []any  // records, or errors of journals
	events  []map[string]any
	until   time.Time
	since   time.Time
	now     time.Time
}

// call adds a decision of the tool scale, an hour before the audit, that came out
// well; change makes another one of it.
func (s *scene) call(n int, change func(d *rationale.Decision, o *rationale.Outcome)) *scene {
	d := &rationale.Decision{
		ID: idOf(n), At: nine, Verdict: rationale.Allow, Standing: rationale.StandingActive, Class: "scaling.horizontal", Effect: "write",
		Agent: rationale.Agent{ID: "bot", Environment: "prod"}, Tool: rationale.Tool{Name: "scale"},
		Arguments: json.RawMessage(`{"group":"g","size":10,"region":"eu"}`),
	}
	o := &rationale.Outcome{ID: idOf(1000 + n), At: nine.Add(2 * time.Second), Decision: d.ID, Started: nine, Status: rationale.StatusSuccess}
	if change != nil {
		change(d, o)
	}
	s.entries = append(s.entries, d)
	if o.ID != "" {
		s.entries = append(s.entries, o)
	}
	return s
}

// event adds an event of such a call, with a key of decision n, if n is not 0.
func (s *scene) event(id string, n int, change func(e map[string]any)) *scene {
	e := map[string]any{
		"eventID": id, "eventTime": nine.Add(time.Second).Format(time.RFC3339), "eventSource": "asg.amazonaws.com", "eventName": "Set", "readOnly": false,
		"awsRegion": "eu", "userIdentity": map[string]any{"arn": "arn:bot"}, "requestParameters": map[string]any{"group": "g", "size": 10},
	}
	if n > 0 {
		e["userAgent"] = "x/1 " + idOf(n)
	}
	if change != nil {
		change(e)
	}
	s.events = append(s.events, e)
	return s
}

func (s *scene) source(...string) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		for i, entry := range s.entries {
			if err, broken := entry.(error); broken {
				if !yield(journal.Entry{}, err) {
					return
				}
				continue
			}
			body, err := rationale.Marshal(entry.(rationale.Record))
			require.NoError(s.t, err)
			if !yield(journal.Entry{File: "1.seg", Envelope: rationale.Envelope{Journal: "j", Seq: uint64(i + 1), Body: body}}, nil) {
				return
			}
		}
	}
}

func (s *scene) document(files ...string) *Document {
	for i, e := range s.events {
		name := "log.json"
		if i < len(files) {
			name = files[i]
		}
		line, err := json.Marshal(e)
		require.NoError(s.t, err)
		f, err := os.OpenFile(filepath.Join(s.dir, "logs", name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		require.NoError(s.t, err)
		_, err = f.Write(append(line, '\n'))
		require.NoError(s.t, errors.Join(err, f.Close()))
	}
	s.events = nil
	doc, err := Load(filepath.Join(s.dir, "audit.yaml"), fmt.Appendf(nil, joinDocument, s.options))
	require.NoError(s.t, err)
	return doc
}

func newScene(t *testing.T) *scene {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "logs"), 0o700))
	return &scene{t: t, dir: dir, until: nine.Add(time.Hour), now: nine.AddDate(0, 1, 0)}
}

func (s *scene) run(doc *Document) (Report, []Finding) {
	var found []Finding
	before, err := doc.readState()
	require.NoError(s.t, err)
	r := newRun(context.Background(), Config{Document: doc, Since: s.since, Until: s.until, Now: func() time.Time { return s.now }, Findings: func(f Finding) error {
		found = append(found, f)
		return nil
	}}, s.dir)
	r.before, r.found.before, r.records.source = before, before.Until, s.source
	require.NoError(s.t, r.all())
	return r.report, found
}

// found writes findings as "kind event n key".
func found(list []Finding) string {
	var lines []string
	for _, f := range list {
		n := ""
		if f.Decision != "" {
			n = strings.TrimLeft(f.Decision[24:], "0")
		}
		lines = append(lines, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", f.Kind, f.Event, n, f.Key)), " "))
	}
	return strings.Join(lines, "; ")
}

func at(d time.Duration) func(e map[string]any) {
	return func(e map[string]any) { e["eventTime"] = nine.Add(d).Format(time.RFC3339Nano) }
}

func set(path string, v any) func(e map[string]any) {
	return func(e map[string]any) {
		if name, ok := strings.CutPrefix(path, "requestParameters."); ok {
			e["requestParameters"].(map[string]any)[name] = v
			return
		}
		e[path] = v
	}
}

func named(action string) func(e map[string]any) {
	return func(e map[string]any) {
		source, name, _ := strings.Cut(action, ":")
		e["eventSource"], e["eventName"] = source+".amazonaws.com", name
	}
}

func both(changes ...func(e map[string]any)) func(e map[string]any) {
	return func(e map[string]any) {
		for _, c := range changes {
			c(e)
		}
	}
}

func tool(name string) func(d *rationale.Decision, o *rationale.Outcome) {
	return func(d *rationale.Decision, o *rationale.Outcome) { d.Tool.Name = name }
}

// stops decides a call of the tool stop.
func stops(ids ...string) func(d *rationale.Decision, o *rationale.Outcome) {
	return func(d *rationale.Decision, o *rationale.Outcome) {
		d.Tool.Name = "stop"
		d.Arguments, _ = json.Marshal(map[string]any{"ids": ids})
	}
}

func TestJoin(t *testing.T) {
	type record = func(d *rationale.Decision, o *rationale.Outcome)
	effect := func(id string) record {
		return func(d *rationale.Decision, o *rationale.Outcome) { o.Effect = id }
	}
	for name, tt := range map[string]struct {
		scene func(s *scene)
		want  string
		why   string // of the first
	}{
		"by its id": {func(s *scene) { s.call(1, nil).event("e", 1, nil) }, "explained e 1 userAgent", "carries the id of the decision"},
		"upper case": {func(s *scene) {
			s.call(1, nil).event("e", 0, set("userAgent", strings.ToUpper(idOf(1))))
		}, "explained e 1 userAgent", ""},
		"by what the call returned": {func(s *scene) {
			s.call(1, effect("req-7")).event("e", 0, set("requestID", "req-7"))
		}, "explained e 1 requestID", "the id that the call of scale returned"},
		"by one of several ids that it returned": {func(s *scene) {
			s.call(1, effect("req-6,req-7")).event("e", 0, set("requestID", "req-7"))
		}, "explained e 1 requestID", ""},
		"the strongest key first": {func(s *scene) {
			s.call(1, nil).call(2, nil).event("e", 1, set("requestParameters.clientToken", idOf(2)))
		}, "orphan 1; explained e 2 requestParameters.clientToken", ""},
		"a key that names nothing": {func(s *scene) {
			s.call(1, nil).event("e", 1, set("requestParameters.clientToken", idOf(9)))
		}, "explained e 1 userAgent", ""},
		"weakly":                    {func(s *scene) { s.call(1, nil).event("e", 0, nil) }, "explained_weakly e 1", "no key names a decision"},
		"weakly, not another group": {func(s *scene) { s.call(1, nil).event("e", 0, set("requestParameters.group", "h")) }, "orphan 1; unexplained e", ""},
		"weakly, not a later call":  {func(s *scene) { s.call(1, nil).event("e", 0, at(-time.Minute)) }, "unexplained e; orphan 1", ""},
		"weakly, within the skew":   {func(s *scene) { s.call(1, nil).event("e", 0, at(-20*time.Second)) }, "explained_weakly e 1", ""},
		"weakly, not long after":    {func(s *scene) { s.call(1, nil).event("e", 0, at(6*time.Minute)) }, "orphan 1; unexplained e", ""},
		"weakly, not a denied call": {func(s *scene) {
			s.call(1, func(d *rationale.Decision, o *rationale.Outcome) { d.Verdict, o.ID = rationale.Deny, "" }).event("e", 0, nil)
		}, "unexplained e", ""},
		"weakly, not what never ran": {func(s *scene) {
			s.call(1, func(_ *rationale.Decision, o *rationale.Outcome) { o.Status = rationale.StatusNotExecuted }).event("e", 0, nil)
		}, "unexplained e", ""},
		"not what never ran": {func(s *scene) {
			s.call(1, func(_ *rationale.Decision, o *rationale.Outcome) { o.Status = rationale.StatusNotExecuted }).event("e", 1, nil)
		}, "unauthorized e 1 userAgent", "the record says that the call did not run"},
		"each of several things": {func(s *scene) {
			s.call(1, stops("a", "b", "c")).event("e", 1, both(named("ec2:Stop"), set("requestParameters.ids", []string{"c", "a"})))
		}, "explained e 1 userAgent", ""},
		"one of several things is another": {func(s *scene) {
			s.call(1, stops("a", "b")).event("e", 1, both(named("ec2:Stop"), set("requestParameters.ids", []string{"a", "c"})))
		}, "unauthorized e 1 userAgent", `requestParameters.ids[] is "c", and decided was ids[] "a" "b" (equal)`},
		"more things than are compared": {func(s *scene) {
			ids := slices.Repeat([]string{"a"}, maxValues)
			s.call(1, stops("a")).event("e", 1, both(named("ec2:Stop"), set("requestParameters.ids", append(ids, "b"))))
		}, "unauthorized e 1 userAgent", "requestParameters.ids[] has more than 1024 values"},
		"the same again, as far as the log says nothing": {func(s *scene) {
			s.call(1, tool("launch"))
			for i := range 2 {
				s.event(fmt.Sprint("e", i), 1, both(named("ec2:Run"), at(time.Duration(i)*time.Second), func(e map[string]any) { e["requestParameters"] = nil }))
			}
		}, "explained e0 1 userAgent; unauthorized e1 1 userAgent", ""},
		"at the end of a long user agent": {func(s *scene) {
			s.call(1, nil).event("e", 0, set("userAgent", strings.Repeat("x ", 400)+idOf(1)))
		}, "explained e 1 userAgent", ""},
		"beside many tags": {func(s *scene) {
			tags := slices.Repeat([]map[string]string{{"value": "x"}}, 1000)
			s.call(1, nil).event("e", 1, set("requestParameters.tags", tags))
		}, "explained e 1 userAgent", ""},
		"weakly, one act each": {func(s *scene) { s.call(1, nil).event("e1", 0, nil).event("e2", 0, at(2*time.Second)) }, "explained_weakly e1 1; unexplained e2", ""},
		"weakly, none is left by the strong": {func(s *scene) {
			s.call(1, nil).event("e1", 1, nil).event("e2", 0, at(2*time.Second))
		}, "explained e1 1 userAgent; unexplained e2", ""},
		"weakly, the one that fits": {func(s *scene) {
			s.call(1, func(d *rationale.Decision, o *rationale.Outcome) {
				d.Arguments = json.RawMessage(`{"group":"g","size":5,"region":"eu"}`)
			})
			s.call(2, nil).event("e1", 0, set("requestParameters.size", 9)).event("e2", 0, set("requestParameters.size", 5))
		}, "explained_weakly e1 2; explained_weakly e2 1", ""},
		"weakly, larger than decided": {func(s *scene) {
			s.call(1, nil).event("e", 0, set("requestParameters.size", 11))
		}, "unauthorized e 1", `requestParameters.size is "11", and decided was size "10" (at_most)`},
		"weakly, arguments that are not kept": {func(s *scene) {
			s.call(1, func(d *rationale.Decision, o *rationale.Outcome) {
				d.Arguments = json.RawMessage(`{"group":"hmac-sha256:00","size":1,"region":"eu"}`)
			}).event("e", 0, nil)
		}, "orphan 1; unexplained e", ""},
		"larger than decided": {func(s *scene) {
			s.call(1, nil).event("e", 1, set("requestParameters.size", 11))
		}, "unauthorized e 1 userAgent", `requestParameters.size is "11", and decided was size "10" (at_most)`},
		"larger, as numbers compare":  {func(s *scene) { s.call(1, nil).event("e", 1, set("requestParameters.size", 9)) }, "explained e 1 userAgent", ""},
		"another region":              {func(s *scene) { s.call(1, nil).event("e", 1, set("awsRegion", "us")) }, "unauthorized e 1 userAgent", `awsRegion is "us", and decided was region "eu" (equal)`},
		"what the event does not say": {func(s *scene) { s.call(1, nil).event("e", 1, set("awsRegion", nil)) }, "explained e 1 userAgent", ""},
		"larger than decided, whatever weaker keys say": {func(s *scene) {
			s.call(1, nil).call(2, func(d *rationale.Decision, _ *rationale.Outcome) {
				d.Arguments = json.RawMessage(`{"group":"g","size":50,"region":"eu"}`)
			})
			s.event("e", 2, both(set("requestParameters.clientToken", idOf(1)), set("requestParameters.size", 11)))
		}, "orphan 2; unauthorized e 1 requestParameters.clientToken", ""},
		"denied": {func(s *scene) {
			s.call(1, func(d *rationale.Decision, o *rationale.Outcome) { d.Verdict, o.ID = rationale.Deny, "" }).event("e", 1, nil)
		}, "unauthorized e 1 userAgent", "the verdict was deny"},
		"a verdict of a later version": {func(s *scene) {
			s.call(1, func(d *rationale.Decision, o *rationale.Outcome) { d.Verdict = 77 }).event("e", 1, nil)
		}, "unauthorized e 1 userAgent", "the verdict was"},
		"without standing": {func(s *scene) {
			s.call(1, func(d *rationale.Decision, o *rationale.Outcome) { d.Standing = rationale.StandingExpired }).event("e", 1, nil)
		}, "unauthorized e 1 userAgent", "the authorization's standing was expired"},
		"a lapsed review, approved": {func(s *scene) {
			s.call(1, func(d *rationale.Decision, o *rationale.Outcome) {
				d.Standing, d.Approval = rationale.StandingReviewLapsed, "a"
			}).event("e", 1, nil)
		}, "explained e 1 userAgent", ""},
		"a lapsed review, not approved": {func(s *scene) {
			s.call(1, func(d *rationale.Decision, o *rationale.Outcome) { d.Standing = rationale.StandingReviewLapsed }).event("e", 1, nil)
		}, "unauthorized e 1 userAgent", ""},
		"after the authorization expired": {func(s *scene) {
			s.call(1, func(d *rationale.Decision, o *rationale.Outcome) {
				d.Authorization = &rationale.AuthorizationRef{ID: "a", Expires: nine.Add(10 * time.Minute)}
			}).event("e", 1, at(20*time.Minute))
		}, "unauthorized e 1 userAgent", "the authorization had expired 10m0s before"},
		"after the approval lapsed": {func(s *scene) {
			s.call(1, func(d *rationale.Decision, o *rationale.Outcome) {
				d.Verdict, o.ID, d.Ticket = rationale.Pend, "", &rationale.Ticket{Expires: nine.Add(10 * time.Minute)}
			})
			s.call(2, func(d *rationale.Decision, o *rationale.Outcome) { d.Parent, d.Approval = idOf(1), "a" }).event("e", 2, at(20*time.Minute))
		}, "unauthorized e 2 userAgent", "the approval had lapsed 10m0s before"},
		"before it was decided": {func(s *scene) { s.call(1, nil).event("e", 1, at(-time.Minute)) }, "unauthorized e 1 userAgent", "it happened 1m0s before the decision"},
		"days after the call":   {func(s *scene) { s.until = nine.AddDate(0, 0, 9); s.call(1, nil).event("e", 1, at(48*time.Hour)) }, "unauthorized e 1 userAgent", "it happened 48h0m0s after the call had ended"},
		"of another agent":      {func(s *scene) { s.call(1, nil).event("e", 1, set("userIdentity", map[string]any{"arn": "arn:other"})) }, "orphan 1; unauthorized e 1 userAgent", "it acted as other, and the decision is one of bot"},
		"of another tool":       {func(s *scene) { s.call(1, nil).event("e", 1, named("ec2:Terminate")) }, "orphan 1; unauthorized e 1 userAgent", "the tool scale does not make events ec2:Terminate"},
		"of a tool not named":   {func(s *scene) { s.call(1, tool("mystery")).event("e", 1, nil) }, "unauthorized e 1 userAgent", "the audit document names no events"},
		"of a class not named": {func(s *scene) {
			s.call(1, func(d *rationale.Decision, _ *rationale.Outcome) { d.Class = "x" }).event("e", 1, nil)
		}, "unauthorized e 1 userAgent", ""},
		"a tool of a server": {func(s *scene) {
			s.call(1, func(d *rationale.Decision, _ *rationale.Outcome) {
				d.Tool = rationale.Tool{Server: "srv", Name: "remote"}
			}).event("e", 1, named("srv:Do"))
		}, "explained e 1 userAgent", ""},
		"a session's key, and the call's": {func(s *scene) {
			s.call(1, tool("terminate")).call(2, effect("req-7"))
			s.event("e", 1, both(set("requestID", "req-7")))
		}, "orphan 1; explained e 2 requestID", ""},
		"retries": {func(s *scene) {
			s.call(1, tool("launch"))
			for i := range 3 {
				s.event(fmt.Sprint("e", i), 1, both(named("ec2:RunInstances"), at(time.Duration(i)*time.Second)))
			}
		}, "explained e0 1 userAgent; explained e1 1 userAgent; unauthorized e2 1 userAgent", ""},
		"two acts under one key": {func(s *scene) {
			s.call(1, tool("launch")).event("e1", 1, named("ec2:RunInstances")).event("e2", 1, both(named("ec2:RunInstances"), at(2*time.Second), set("requestParameters.size", 3)))
		}, "explained e1 1 userAgent; unauthorized e2 1 userAgent", ""},
		"fan-out": {func(s *scene) {
			s.call(1, tool("launch"))
			for i := range 3 {
				s.event(fmt.Sprint("e", i), 1, both(named("ec2:Tag"), at(time.Duration(i)*time.Second), set("requestParameters.group", i)))
			}
		}, "explained e0 1 userAgent; explained e1 1 userAgent; unauthorized e2 1 userAgent", ""},
		"an id that several calls returned": {func(s *scene) {
			s.call(1, effect("i-1")).call(2, effect("i-1")).event("e", 0, set("requestID", "i-1"))
		}, "orphan 1; explained_weakly e 2 requestID", ""},
		"an id that another tool's call returned": {func(s *scene) {
			s.call(1, func(d *rationale.Decision, o *rationale.Outcome) { d.Tool.Name, o.Effect = "launch", "i-1" })
			s.event("e", 0, both(named("ec2:Terminate"), set("requestID", "i-1")))
		}, "orphan 1; unexplained e", ""},
		"unknown, and it acted": {func(s *scene) {
			s.call(1, func(_ *rationale.Decision, o *rationale.Outcome) { o.Status = rationale.StatusUnknown }).event("e", 1, nil)
		}, "unknown_resolved e 1 userAgent", "the log shows that it acted"},
		"no outcome, and it acted": {func(s *scene) {
			s.call(1, func(_ *rationale.Decision, o *rationale.Outcome) { o.ID = "" }).event("e", 0, nil)
		}, "unknown_resolved e 1", ""},
		"unknown, and it did not": {func(s *scene) {
			s.call(1, func(_ *rationale.Decision, o *rationale.Outcome) { o.Status = rationale.StatusUnknown }).noise()
		}, "unknown_resolved 1", "it did not act"},
		"a failed call, no event": {func(s *scene) {
			s.call(1, func(_ *rationale.Decision, o *rationale.Outcome) { o.Status = rationale.StatusError }).noise()
		}, "", ""},
		"a read, no event": {func(s *scene) {
			s.call(1, func(d *rationale.Decision, _ *rationale.Outcome) { d.Effect = "read" }).noise()
		}, "", ""},
		"orphan":                     {func(s *scene) { s.call(1, nil) }, "orphan 1", "reported success, and no log has an event of it"},
		"a failed event is no event": {func(s *scene) { s.call(1, nil).event("e", 1, set("errorCode", "Denied")) }, "orphan 1", ""},
		"too early":                  {func(s *scene) { s.until = nine.Add(9 * time.Minute); s.call(1, nil) }, "too_early 1", "logs may take 10m0s, until 2026-11-02T09:10:02Z"},
		"no events at all":           {func(s *scene) { s.call(1, nil) }, "log_gap 1", "the logs have no events at all"},
		"before the log begins":      {func(s *scene) { s.call(1, nil).events = append(s.events, noiseAt(time.Hour/2)) }, "log_gap 1", "the logs only begin at 2026-11-02T09:30:00Z"},
		"after the log ends":         {func(s *scene) { s.call(1, nil).events = append(s.events, noiseAt(-time.Hour/2)) }, "log_gap 1", "the logs end at 2026-11-02T08:30:00Z"},
		"in a silence": {func(s *scene) {
			s.options = ", silence: 20m"
			s.call(1, nil).noise()
		}, "log_gap 1", "it says nothing for more than 20m0s"},
		"no silence": {func(s *scene) {
			s.options = ", silence: 2h"
			s.call(1, nil)
		}, "orphan 1", ""},
		"in a damaged place": {func(s *scene) {
			s.call(1, nil).noise()
			require.NoError(s.t, os.WriteFile(filepath.Join(s.dir, "logs", "lost.json"), []byte(`[{"eventID"`), 0o600))
		}, "log_gap 1", "the log trail has a gap there: the last record has no end"},
		"another agent's records": {func(s *scene) {
			s.call(1, func(d *rationale.Decision, _ *rationale.Outcome) { d.Agent.ID = "stranger" }).event("e", 1, nil)
		}, "unexplained e", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			tt.scene(s)
			if !strings.Contains(tt.want, "log_gap") {
				s.noise()
			}
			_, list := s.run(s.document())
			assert.Equal(t, tt.want, found(list))
			if tt.why != "" {
				require.NotEmpty(t, list)
				one := list[0]
				for _, f := range list {
					if f.Kind == Unauthorized {
						one = f
					}
				}
				assert.Contains(t, one.Why, tt.why)
			}
		})
	}
}

// noise adds events of somebody else, so that the log is there all the time.
func (s *scene) noise() *scene {
	s.events = append(s.events, noiseAt(-time.Hour/2), noiseAt(time.Hour/2))
	return s
}

func noiseAt(d time.Duration) map[string]any {
	return map[string]any{
		"eventID": fmt.Sprint("noise", d), "eventTime": nine.Add(d).Format(time.RFC3339), "eventSource": "ec2.amazonaws.com", "eventName": "Run",
		"userIdentity": map[string]any{"arn": "arn:somebody"},
	}
}

// What the nearest record says of the call is said of it.
func TestNearestRecordOfWhatDidNotRun(t *testing.T) {
	s := newScene(t).call(1, func(_ *rationale.Decision, o *rationale.Outcome) { o.Status = rationale.StatusNotExecuted }).event("e", 0, nil)
	_, list := s.run(s.document())
	require.Equal(t, "unexplained e", found(list))
	require.Len(t, list[0].Nearest, 1)
	assert.Equal(t, "its record says that the call did not run", list[0].Nearest[0].Why)
}

// An unexplained event names the gap that its record may be lost in, and what was
// recorded near it.
func TestGapsAndNearestRecords(t *testing.T) {
	s := newScene(t).call(1, func(d *rationale.Decision, o *rationale.Outcome) { d.Verdict, o.ID = rationale.Deny, "" })
	s.entries = append(s.entries, &journal.ReadError{File: "1.seg", Offset: 77, After: rationale.Head{Journal: "j", Seq: 1}, Err: journal.ErrMissing}, nil)
	s.entries = s.entries[:2]
	s.call(5, func(d *rationale.Decision, o *rationale.Outcome) { d.At, o.ID = nine.Add(time.Minute), "" })
	s.event("e", 0, set("requestParameters.group", "h"))
	report, list := s.run(s.document())
	require.Len(t, list, 2)
	f := list[0]
	assert.Equal(t, Unexplained, f.Kind)
	assert.Equal(t, "journal j lacks record 2 (1.seg: byte 77, after record 1: missing)", f.Gap)
	assert.Contains(t, f.Why, "no record explains it; a record of it may be lost: journal j lacks record 2")
	require.Len(t, f.Nearest, 2)
	assert.Equal(t, "its verdict was deny", f.Nearest[0].Why)
	assert.Equal(t, "it was taken 59s later", f.Nearest[1].Why)
	assert.False(t, report.Whole())
}
