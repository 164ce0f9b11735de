package rationale_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
)

// Whoever wrote a text, a person sees it on one line, and short.
func TestNotificationsAreTame(t *testing.T) {
	wild := "\x1b[2J\u202e\n" + strings.Repeat("x", 100_000)
	d := &rationale.Decision{
		ID: "d1", At: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Class: wild,
		Agent: rationale.Agent{ID: wild, Environment: wild}, Tool: rationale.Tool{Server: wild, Name: wild},
		Authorization: &rationale.AuthorizationRef{ID: wild}, Arguments: json.RawMessage(`"` + wild + `"`),
		Rationale: &rationale.Rationale{Purpose: wild}, Telemetry: []string{"arguments", "rationale"},
		Ticket: &rationale.Ticket{}, Review: &rationale.ReviewDue{},
	}
	for i := range 100 {
		d.Ticket.By = append(d.Ticket.By, fmt.Sprint(i, wild))
	}
	d.Review.By = d.Ticket.By
	for _, verdict := range []rationale.Verdict{rationale.Deny, rationale.Pend} {
		d.Verdict = verdict
		n, ok := rationale.NotificationOf(d)
		require.True(t, ok)
		assertTame(t, n)
		assert.NotEmpty(t, n.Claim)
		assert.NotEmpty(t, n.Arguments)
	}
	n := rationale.OverdueNotification(d, d.At)
	assertTame(t, n)
	assert.Len(t, n.People, 64)
}

func assertTame(t *testing.T, n rationale.Notification) {
	t.Helper()
	for _, text := range append([]string{n.Agent, n.Environment, n.Class, n.Tool, n.Authorization, n.Arguments, n.Claim}, n.People...) {
		assert.NotContains(t, text, "\x1b")
		assert.NotContains(t, text, "\u202e")
		assert.NotContains(t, text, "\n")
	}
	text, err := json.Marshal(n)
	require.NoError(t, err)
	assert.Less(t, len(text), 32<<10)
}

func TestWhatIsNoNotification(t *testing.T) {
	for name, d := range map[string]*rationale.Decision{
		"allowed":                 {Verdict: rationale.Allow},
		"a pend that asks nobody": {Verdict: rationale.Pend},
	} {
		_, ok := rationale.NotificationOf(d)
		assert.False(t, ok, name)
	}
}
