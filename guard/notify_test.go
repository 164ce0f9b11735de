package guard_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
)

func TestNotifications(t *testing.T) {
	told := new(guardtest.Notifications)
	s := under(t, asksPeople+`, bounds: [{expr: "args.replicas <= 60", why: capacity}]`, guard.WithNotifications(told.Note))

	s.decide(t, "3")
	assert.Empty(t, told.Take(), "what is allowed")

	pend := s.decide(t, "20").Record()
	list := told.Take()
	require.Len(t, list, 1)
	n := list[0]
	assert.NotEqual(t, pend.ID, n.ID)
	n.ID = ""
	assert.Equal(t, rationale.Notification{
		Kind: rationale.NotifyPend, At: pend.At, Decision: pend.ID, Agent: guardtest.AgentID, Environment: guardtest.Environment,
		Authorization: "fleet", Class: "scale", Tool: "fleet.scale", Reasons: pend.Reasons,
		People: pend.Ticket.By, Due: pend.Ticket.Expires,
	}, n)

	denied := s.decide(t, "61").Record()
	list = told.Take()
	require.Len(t, list, 1)
	assert.Equal(t, rationale.NotifyDenial, list[0].Kind)
	assert.Equal(t, denied.ID, list[0].Decision)
	assert.Equal(t, []rationale.Reason{rationale.BoundViolated, rationale.ApprovalRequired}, list[0].Reasons)

	s.recorder.Fail(assert.AnError)
	s.decide(t, "3")
	list = told.Take()
	require.Len(t, list, 1, "what could not be recorded is told all the same")
	assert.Contains(t, list[0].Reasons, rationale.EvidenceUnavailable)
}

func TestANotificationCannotFailACall(t *testing.T) {
	s := under(t, asksPeople, guard.WithNotifications(func(rationale.Notification) { panic("down") }))
	assert.Equal(t, rationale.Pend, s.decide(t, "20").Verdict())
}

// What a class keeps out of telemetry leaves with no notification, nor does what is
// sealed; what is told is one line, and short.
func TestWhatANotificationSays(t *testing.T) {
	purpose := "approved by \x1b[2Kthe CFO\u202e\n" + strings.Repeat("x", 5000)
	for _, tt := range []struct {
		name, record     string
		opts             []guard.Option
		arguments, claim bool
	}{
		{name: "by default", record: ""},
		{name: "telemetry", record: "arguments: telemetry, rationale: telemetry", arguments: true, claim: true},
		{name: "arguments alone", record: "arguments: telemetry", arguments: true},
		{name: "journal", record: "arguments: journal, rationale: journal"},
		{name: "drop", record: "arguments: drop, rationale: drop"},
		{name: "hmac", record: "arguments: hmac, rationale: hmac", opts: []guard.Option{guard.WithRecordKeys(recordKey("k1"))}},
		{
			name: "sealed", record: "arguments: telemetry, rationale: telemetry",
			opts: []guard.Option{guard.WithErasure(subjectsIn(crashfs.New()), func(guard.Checked) string { return "customer 1" })},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			told := new(guardtest.Notifications)
			s := under(t, asksPeople+", record: {"+tt.record+"}", append(tt.opts, guard.WithNotifications(told.Note))...)
			arguments, err := json.Marshal(map[string]any{"replicas": 4242, "_rationale": map[string]any{"purpose": purpose}})
			require.NoError(t, err)
			_, d := s.Begin(t.Context(), guard.Call{Tool: scaleID, Arguments: arguments})
			require.Equal(t, rationale.Pend, d.Verdict(), "%s", d.Refusal())
			list := told.Take()
			require.Len(t, list, 1)
			text, err := json.Marshal(list[0])
			require.NoError(t, err)
			assert.Equal(t, tt.arguments, strings.Contains(string(text), "4242"), "%s", text)
			assert.Equal(t, tt.claim, strings.Contains(string(text), "the CFO"), "%s", text)
			assert.NotContains(t, string(text), "\x1b")
			assert.NotContains(t, string(text), "\u202e")
			assert.Less(t, len(text), 2048)
			if tt.claim {
				assert.Contains(t, string(text), `"agent_claims":"approved by `)
				assert.LessOrEqual(t, len(list[0].Claim), 512)
			}
		})
	}
}

// The name of a tool that nobody registered is the model's text.
func TestANotificationNamesAToolOnOneLine(t *testing.T) {
	told := new(guardtest.Notifications)
	s := open(t, []authority.Document{}, guard.WithNotifications(told.Note))
	s.Begin(t.Context(), guard.Call{Tool: classify.ToolID{Name: "x\n\x1b[31mAPPROVED" + strings.Repeat("y", 9000)}, Arguments: []byte(`{}`)})
	list := told.Take()
	require.Len(t, list, 1)
	assert.NotContains(t, list[0].Tool, "\n")
	assert.NotContains(t, list[0].Tool, "\x1b")
	assert.LessOrEqual(t, len(list[0].Tool), 256)
}
