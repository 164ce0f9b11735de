package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const (
	auditorUser = "$ME: {id: ines@example.com, groups: [internal-audit]}"
	small       = `{"amount": 5, "_rationale": {"purpose": "The parcel was lost."}}`
	supportLog  = `apiVersion: ambit/v1
kind: Audit
id: support
agents: [{id: support-bot, principals: ["arn:aws:iam::1:user/support"]}]
records: [evidence]
logs: [{name: trail, format: cloudtrail, paths: [logs]}]
since: 2026-11-01T00:00:00Z
state: state.json
tools: [{tool: orders.refund, events: [{action: "orders:Refund"}]}]
`
)

// audited is a host whose authorization has to be audited every hour, and the log of
// its cloud.
type audited struct {
	*hostProcess
	t                      *testing.T
	policy, dir, doc, logs string
}

func toBeAudited(t *testing.T, users string) *audited {
	t.Helper()
	policy, root := refunds(t, users), t.TempDir()
	a := &audited{
		t: t, policy: policy, dir: filepath.Join(root, "evidence"),
		doc: filepath.Join(root, "audit.yaml"), logs: filepath.Join(root, "logs"),
	}
	require.NoError(t, os.WriteFile(filepath.Join(policy, "a.yaml"), []byte(standing(refundPolicy+"audit: {every: 1h}\n", me(t))), 0o600))
	require.NoError(t, os.WriteFile(a.doc, []byte(supportLog), 0o600))
	require.NoError(t, os.Mkdir(a.logs, 0o700))
	a.hostProcess = hosted(t, policy, a.dir)
	return a
}

// happens writes an event to the log, in a file of its own.
func (a *audited) happens(id, user string) {
	a.t.Helper()
	line, err := json.Marshal(map[string]any{
		"eventID": id, "eventTime": time.Now().UTC().Add(-time.Millisecond).Format(time.RFC3339Nano), "eventSource": "orders.amazonaws.com", "eventName": "Refund",
		"userAgent": "curl/8", "userIdentity": map[string]any{"arn": "arn:aws:iam::1:user/" + user},
	})
	require.NoError(a.t, err)
	require.NoError(a.t, os.WriteFile(filepath.Join(a.logs, id+".json"), line, 0o600))
}

// brakes calls the tool, and returns which brakes made it wait.
func (a *audited) brakes() (brakes []string) {
	a.t.Helper()
	r := a.call(a.t, order{Args: small})
	for entry, err := range journal.Read(a.dir) {
		if journal.Torn(err) {
			continue
		}
		require.NoError(a.t, err)
		d, ok := entry.Record.(*rationale.Decision)
		if !ok || d.ID != r.Decision {
			continue
		}
		for _, c := range d.Checks {
			if c.Kind == rationale.CheckBrake {
				assert.Equal(a.t, rationale.AuditDebt, c.Reason)
				brakes = append(brakes, c.ID)
			}
		}
	}
	assert.Equal(a.t, map[bool]string{true: "allow", false: "pend"}[brakes == nil], r.Verdict, r.Told)
	return brakes
}

// An audit that is overdue, or found too much, makes people approve each call, until
// one is recorded, or somebody has answered, by a command beside the running host or
// while it is stopped.
func TestARecordedAuditBrakes(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		t.Run(fmt.Sprintf("stopped %v", stopped), func(t *testing.T) {
			a := toBeAudited(t, auditorUser)
			ambit := func(want int, args ...string) string {
				t.Helper()
				if stopped {
					require.NoError(t, a.stop())
				}
				code, out := process(t, args...)
				assert.Equal(t, want, code, out)
				if stopped {
					a.hostProcess = hosted(t, a.policy, a.dir)
				}
				return out
			}
			assert.Equal(t, []string{"audit.every"}, a.brakes())
			assert.Contains(t, ambit(exitFailed, "audit", "-record", a.doc), "not recorded, since it did not see everything: the log trail has no events at all")
			assert.Equal(t, []string{"audit.every"}, a.brakes())

			a.happens("theirs", "somebody")
			ambit(exitOK, "audit", a.doc)
			assert.Equal(t, []string{"audit.every"}, a.brakes(), "what is not recorded does not count")
			state := filepath.Join(filepath.Dir(a.doc), "state.json")
			assert.Contains(t, ambit(exitFailed, "audit", "-record", a.doc), "is not recorded: remove "+state)
			require.NoError(t, os.Remove(state))
			write := func(doc string) { require.NoError(t, os.WriteFile(a.doc, []byte(doc), 0o600)) }
			write(strings.Replace(supportLog, "since:", "#", 1))
			ambit(exitOK, "audit", "-record", a.doc)
			assert.Equal(t, []string{"audit.every"}, a.brakes(), "from the first record on is not from the grant on")
			require.NoError(t, os.Remove(state))
			write(supportLog)
			assert.Regexp(t, `recorded  audit [0-9a-f-]{36} in .*evidence: of support-bot from 2026-11-01T00:00:00Z until [0-9TZ:-]{20}, 0 judged, 0 unexplained, 0 unauthorized`, ambit(exitOK, "audit", "-record", a.doc))
			assert.Empty(t, a.brakes())

			a.happens("behind", "support")
			assert.Contains(t, ambit(exitOK, "audit", a.doc), "1 unexplained", "who only looks takes nothing from the record")
			out := ambit(exitFailed, "audit", "-record", "-fail-on", "unexplained", a.doc)
			assert.Contains(t, out, ", 1 judged, 1 unexplained, 0 unauthorized")
			assert.Equal(t, []string{"audit.max_unexplained"}, a.brakes())
			assert.Contains(t, ambit(exitOK, "audit", "-record", a.doc), ", 0 judged, 0 unexplained, 0 unauthorized")
			assert.Equal(t, []string{"audit.max_unexplained"}, a.brakes(), "a later one answers nothing")

			assert.Contains(t, ambit(exitOK, "audit", "unanswered", a.dir), "1 audit waits for an answer.")
			var waits unansweredLine
			require.NoError(t, json.Unmarshal([]byte(ambit(exitOK, "audit", "unanswered", "-o", "json", a.dir)), &waits))
			assert.Equal(t, unansweredLine{Audit: waits.Audit, Authorization: "support-bot", Found: 1}, waits)
			assert.Contains(t, ambit(exitUsage, "audit", "answer", a.dir, waits.Audit), "want -why")
			assert.Contains(t, ambit(exitOK, "audit", "answer", "-why", "a refund by hand, INC-4", a.dir, waits.Audit), "answered  "+waits.Audit)
			assert.Contains(t, ambit(exitFailed, "audit", "answer", "-why", "again", a.dir, waits.Audit), "waits for an answer")
			assert.Contains(t, ambit(exitOK, "audit", "unanswered", a.dir), "No audit waits for an answer.")
			assert.Empty(t, a.brakes())
			require.NoError(t, a.stop())

			var by []string
			for entry, err := range journal.Read(a.dir) {
				require.NoError(t, err)
				if l, ok := entry.Record.(*rationale.Lifecycle); ok && (l.Event == rationale.EventAudited || l.Event == rationale.EventAnswered) {
					by = append(by, string(l.Event)+" "+l.By+" "+l.Message)
				}
			}
			assert.Equal(t, []string{"audited ines@example.com ", "audited ines@example.com ", "audited ines@example.com ", "audited ines@example.com ", "audit_answered ines@example.com a refund by hand, INC-4"}, by)
		})
	}
}

// What an audit found is recorded in journals, and not in the copies of them.
func TestNothingIsRecordedInCopies(t *testing.T) {
	a := toBeAudited(t, auditorUser)
	a.happens("theirs", "somebody")
	id := ""
	for entry, err := range journal.Read(a.dir) {
		require.NoError(t, err)
		id = entry.Envelope.Journal
		break
	}
	archive := filepath.Join(filepath.Dir(a.doc), "archive")
	require.NoError(t, os.MkdirAll(filepath.Join(archive, id), 0o700))
	data, err := os.ReadFile(filepath.Join(a.dir, "00000001.seg"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(archive, id, "00000001.seg"), data, 0o600))
	for records, says := range map[string]string{
		"[archive]":           "not recorded: none of the document's records is the folder that a guard keeps its evidence in",
		"[archive, evidence]": "recorded  audit ",
	} {
		require.NoError(t, os.WriteFile(a.doc, []byte(strings.Replace(supportLog, "[evidence]", records, 1)), 0o600))
		code, out := process(t, "audit", "-record", a.doc)
		assert.Equal(t, records == "[archive]", code == exitFailed, out)
		assert.Contains(t, out, says)
		assert.NotContains(t, out, "in "+archive)
	}
	assert.Empty(t, a.brakes())
}

// Nobody audits their own authorization, and nobody whom the matrix does not name,
// audits any: also on a stopped journal.
func TestWhoAudits(t *testing.T) {
	for _, c := range []struct{ name, users, says string }{
		{"unmapped", "somebody: [internal-audit]", "has no entry users.local."},
		{"not named", lead, "kim@example.com is not one of those who audit"},
		{"the owner", "$ME: {id: Dana@example.com, groups: [internal-audit]}", "owns the authorization support-bot"},
		{"the agent", "$ME: {id: support-bot, groups: [internal-audit]}", "owns the authorization support-bot, or is its agent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := toBeAudited(t, auditorUser)
			a.happens("behind", "support")
			code, out := process(t, "audit", "-record", a.doc)
			require.Equal(t, exitOK, code, out)
			require.NoError(t, os.Remove(filepath.Join(filepath.Dir(a.doc), "state.json")))
			var waits unansweredLine
			require.NoError(t, json.Unmarshal([]byte(succeeds(t, "audit", "unanswered", "-o", "json", a.dir)), &waits))
			employ(t, a.policy, c.users)
			a.call(t, order{Do: "reload"})
			for _, stopped := range []bool{false, true} {
				if stopped {
					require.NoError(t, a.stop())
				}
				for _, args := range [][]string{{"audit", "-record", a.doc}, {"audit", "answer", "-why", "all is well", a.dir, waits.Audit}} {
					code, out := process(t, args...)
					assert.NotEqual(t, exitOK, code, "%v, stopped: %v", args, stopped)
					assert.Contains(t, out, c.says, "%v, stopped: %v", args, stopped)
					assert.False(t, strings.Contains(out, "recorded  ") || strings.Contains(out, "answered  "), out)
				}
				assert.NoFileExists(t, filepath.Join(filepath.Dir(a.doc), "state.json"), "what is not recorded is judged again")
			}
		})
	}
}
