package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const refundPolicy = `apiVersion: ambit/v1
kind: Authorization
id: support-bot
owner: {id: dana@example.com}
agent: {id: support-bot, environments: [prod]}
grant: {body: board, by: [{id: lee@example.com}], at: $GRANTED, expires: $EXPIRES}
approval: {by: ["group:support-leads"]}
review: {by: ["group:risk"], within: 48h}
classes:
  - id: refund
    domain: orders
    tools: [orders.refund]
    tier: parameterized
    spend:
      currency: EUR
      amount: args.amount
      per_event: {parameterized: "20.00", bounded_escalation: "50.00", authorization_required: "500.00"}
      windows: [{limit: "1000.00", per: 24h}]
    rationale: [purpose]
`

const refundMatrix = `apiVersion: ambit/v1
kind: AuthorityMatrix
domains: {orders: ["orders.*"]}
bodies: [{id: board, may_grant: {domains: [orders], currency: EUR, per_event: {parameterized: "20.00", bounded_escalation: "50.00", authorization_required: "500.00"}}}]
approvers: [{group: support-leads, currency: EUR, up_to: "200.00"}]
users: {local: {USERS}}
settlement: {by: ["group:finance"]}
resumption: {by: ["group:support-leads"]}
audit: {by: ["group:internal-audit"]}
`

// lead is an entry of the one who runs the tests, as somebody who may answer.
const lead = "$ME: {id: kim@example.com, groups: [support-leads, finance]}"

// refunds writes the documents, with users as the matrix's users.local.
func refunds(t *testing.T, users string) (policy string) {
	t.Helper()
	policy = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(policy, "a.yaml"), []byte(standing(refundPolicy, me(t))), 0o600))
	employ(t, policy, users)
	return policy
}

// employ writes the matrix anew.
func employ(t *testing.T, policy, users string) {
	t.Helper()
	matrix := standing(strings.Replace(refundMatrix, "USERS", users, 1), me(t))
	require.NoError(t, os.WriteFile(filepath.Join(policy, "matrix.yaml"), []byte(matrix), 0o600))
}

const hundred = `{"amount": 100, "note": "order 7", "_rationale": {"purpose": "The parcel was lost."}}`

// process runs ambit in a process of its own.
func process(t *testing.T, args ...string) (code int, output string) {
	t.Helper()
	cmd := exec.Command("ambit", args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		require.IsType(t, &exec.ExitError{}, err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func succeeds(t *testing.T, args ...string) string {
	t.Helper()
	code, out := process(t, args...)
	require.Equal(t, exitOK, code, out)
	return out
}

// A person approves from a second process, and the call runs once. With kill -9 and
// a new host in between it is the same.
func TestApprovalFromASecondProcess(t *testing.T) {
	for _, killed := range []bool{false, true} {
		name := map[bool]string{false: "the host runs on", true: "the host is killed before and after"}[killed]
		t.Run(name, func(t *testing.T) {
			policy, dir := refunds(t, lead), filepath.Join(t.TempDir(), "evidence")
			h := hosted(t, policy, dir)
			again := func() {
				if killed {
					h.kill()
					h = hosted(t, policy, dir)
				}
			}
			asked := h.call(t, order{Args: hundred, For: "pat@example.com"})
			require.Equal(t, "pend", asked.Verdict, asked.Told)
			again()
			shown := succeeds(t, "approvals", dir)
			assert.Contains(t, shown, asked.Decision)
			assert.Contains(t, shown, "can approve it, and deny it")
			assert.Contains(t, succeeds(t, "approvals", "approve", "-change", "CHG-1", dir, asked.Decision), "approved  orders.refund of agent support-bot, 100 EUR, by kim@example.com")
			again()
			ran := h.call(t, order{Args: hundred, For: "pat@example.com", Ticket: asked.Decision})
			assert.Equal(t, "allow", ran.Verdict, ran.Told)
			twice := h.call(t, order{Args: hundred, For: "pat@example.com", Ticket: asked.Decision})
			assert.Equal(t, "deny", twice.Verdict)
			assert.Contains(t, succeeds(t, "approvals", dir), "No call waits for people.")
			require.NoError(t, h.stop())

			var answers []*rationale.Approval
			for entry, err := range journal.Read(dir) {
				require.NoError(t, err)
				if a, ok := entry.Record.(*rationale.Approval); ok {
					answers = append(answers, a)
				}
			}
			require.Len(t, answers, 1)
			assert.Equal(t, rationale.Person{ID: "kim@example.com", Groups: []string{"support-leads", "finance"}}, answers[0].By)
			assert.Equal(t, "CHG-1", answers[0].Change)
		})
	}
}

// Who is not known sees nothing and answers nothing; who is, answers only what that
// person may. The matrix in force counts, also once it is reloaded.
func TestWhoAnswersThroughTheSocket(t *testing.T) {
	policy, dir := refunds(t, "somebody: [support-leads]"), filepath.Join(t.TempDir(), "evidence")
	h := hosted(t, policy, dir)
	asked := h.call(t, order{Args: hundred, For: "pat@example.com"})
	large := h.call(t, order{Args: strings.Replace(hundred, "100", "300", 1), For: "pat@example.com"})
	for _, c := range []struct{ name, users, ticket, says string }{
		{"unmapped", "somebody: [support-leads]", asked.Decision, "has no entry users.local." + me(t)},
		{"not an approver", "$ME: {id: kim@example.com, groups: [sales]}", asked.Decision, "kim@example.com is not one of those who may answer: group:support-leads"},
		{"the owner", "$ME: {id: dana@example.com, groups: [support-leads]}", asked.Decision, "dana@example.com owns the authorization"},
		{"the requester", "$ME: {id: Pat@example.com, groups: [support-leads]}", asked.Decision, "asked for this call"},
		{"the agent", "$ME: {id: support-bot, groups: [support-leads]}", asked.Decision, "asked for this call"},
		{"above the ceiling", lead, large.Decision, "300 EUR is more than the 200.00 that kim@example.com may approve"},
		{"no such ticket", lead, "0193", "no ticket of this id is open"},
	} {
		t.Run(c.name, func(t *testing.T) {
			employ(t, policy, c.users)
			h.call(t, order{Do: "reload"})
			code, out := process(t, "approvals", "approve", dir, c.ticket)
			assert.Equal(t, exitFailed, code)
			assert.Contains(t, out, c.says)
			if c.name == "unmapped" {
				for _, args := range [][]string{
					{"approvals", dir},
					{"reviews", dir},
					{"budget", dir},
					{"settle", dir},
					{"suspend", dir},
					{"suspend", dir, "-everything", "-why", "x"},
				} {
					code, out := process(t, args...)
					assert.Equal(t, exitFailed, code, args)
					assert.Contains(t, out, c.says, args)
					assert.NotContains(t, out, "orders", args)
				}
			}
		})
	}
	employ(t, policy, lead)
	h.call(t, order{Do: "reload"})
	// The matrix is another than when it was asked: people answer, and the call asks again.
	succeeds(t, "approvals", "approve", dir, asked.Decision)
	again := h.call(t, order{Args: hundred, For: "pat@example.com", Ticket: asked.Decision})
	assert.Equal(t, "pend", again.Verdict)
	succeeds(t, "approvals", "approve", dir, again.Decision)
	assert.Equal(t, "allow", h.call(t, order{Args: hundred, For: "pat@example.com", Ticket: again.Decision}).Verdict)
	require.NoError(t, h.stop())
}

// Of many who answer one ticket at once, one counts.
func TestRacersThroughTheSocket(t *testing.T) {
	policy, dir := refunds(t, lead), filepath.Join(t.TempDir(), "evidence")
	h := hosted(t, policy, dir)
	for range 3 {
		asked := h.call(t, order{Args: hundred})
		codes := make([]int, 6)
		var all sync.WaitGroup
		for i := range codes {
			all.Go(func() {
				args := []string{"approvals", "approve", dir, asked.Decision}
				if i%2 == 1 {
					args = []string{"approvals", "deny", "-why", "no", dir, asked.Decision}
				}
				cmd := exec.Command("ambit", args...)
				_ = cmd.Run()
				codes[i] = cmd.ProcessState.ExitCode()
			})
		}
		all.Wait()
		approved, denied := 0, 0
		for i, code := range codes {
			switch {
			case code != exitOK:
				assert.Equal(t, exitFailed, code)
			case i%2 == 0:
				approved++
			default:
				denied++
			}
		}
		assert.LessOrEqual(t, approved, 1)
		assert.Equal(t, 1, denied, "one denial counts, whether before or after an approval")
		assert.Equal(t, "deny", h.call(t, order{Args: hundred, Ticket: asked.Decision}).Verdict)
	}
	require.NoError(t, h.stop())
}

// What is sealed for a person is shown to those who may answer, as long as its key is
// there, and never as it is sealed.
func TestSealedTickets(t *testing.T) {
	const secret = "IBAN DE02120300000000202051"
	arguments := strings.Replace(hundred, "order 7", secret, 1)
	policy, dir := refunds(t, lead), filepath.Join(t.TempDir(), "evidence")
	h := hosted(t, policy, dir)
	asked := h.call(t, order{Args: arguments, For: "pat@example.com"})
	shown := func() (text string, line ticketLine) {
		text = succeeds(t, "approvals", dir)
		out := succeeds(t, "approvals", dir, "-o", "json")
		require.NoError(t, json.Unmarshal([]byte(out), &line))
		assert.NotRegexp(t, `"data":"[^"]`, out, "nothing sealed leaves")
		assert.Equal(t, asked.Decision, line.Ticket)
		return text + out, line
	}
	text, line := shown()
	assert.Contains(t, text, secret)
	assert.Empty(t, line.Payload)

	employ(t, policy, "$ME: {id: sam@example.com, groups: [sales]}")
	h.call(t, order{Do: "reload"})
	text, line = shown()
	assert.NotContains(t, text, "DE02")
	assert.NotContains(t, text, "The parcel was lost")
	assert.Equal(t, "sealed: shown to those who may answer", line.Payload)

	employ(t, policy, lead)
	require.NoError(t, h.stop())
	succeeds(t, "erase", "pat@example.com", dir, "-by", "dpo@example.com", "-why", "request 12")
	h = hosted(t, policy, dir)
	text, line = shown()
	assert.NotContains(t, text, "DE02")
	assert.Contains(t, line.Payload, "erased")
	assert.Contains(t, line.Payload, "by dpo@example.com: request 12")
	require.NoError(t, h.stop())
}
