package recorddb_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/cmd/ambit/internal/recorddb"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const matrix = `apiVersion: ambit/v1
kind: AuthorityMatrix
version: 1
domains: {scaling: ["k8s.*"]}
bodies:
  - id: cab
    mandate: https://policy.example.com/cab
    may_grant:
      {domains: [scaling], currency: EUR, term: 180d, per_event: {parameterized: "50.00", bounded_escalation: "100.00", authorization_required: "500.00"}}
approvers: [{group: oncall, currency: EUR, up_to: "400.00"}]
`

// fleet is a version of the one authorization.
func fleet(version int, granted, supersedes string) string {
	return fmt.Sprintf(`apiVersion: ambit/v1
kind: Authorization
id: fleet
version: %d
%sowner: {id: dana@example.com}
agent: {id: scaler, environments: [prod]}
grant: {body: cab, by: [{id: lee@example.com}, {id: kim@example.com}], at: %s, expires: 2027-02-01T00:00:00Z, record: "https://minutes.example.com/%d"}
approval: {by: [group:oncall], quorum: 2}
review: {by: [group:risk], within: 48h}
classes:
  - {id: look, tools: [k8s.get], tier: parameterized, effect: read}
  - id: scale
    tools: [k8s.scale]
    tier: parameterized
    bounds: [{expr: "args.replicas <= 60", why: CAP-114 capacity envelope}]
    escalate: [{when: "args.replicas > 10", to: bounded_escalation, code: LARGE}]
    rationale: [purpose]
    spend:
      currency: EUR
      amount: args.cost
      per_event: {parameterized: "20.00", bounded_escalation: "50.00", authorization_required: "300.00"}
      windows: [{limit: "1000.00", per: 24h}]
`, version, supersedes, granted, version)
}

const legacy = `apiVersion: ambit/v1
kind: Authorization
id: legacy
owner: {id: dana@example.com}
agent: {id: scaler, environments: [prod]}
grant: {body: cab, by: [{id: lee@example.com}], at: 2026-09-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
approval: {by: [group:oncall]}
classes:
  - {id: drain, tools: [k8s.drain], tier: parameterized, rationale: []}
`

const revocation = `apiVersion: ambit/v1
kind: Revocation
authorization: legacy
by: [{id: lee@example.com}]
at: 2026-10-20T08:59:50Z
reason: the pool is gone
`

// host is a guard on a journal, whose clock the test moves.
type host struct {
	t      *testing.T
	clock  *guardtest.Clock
	ledger *ledger.Memory
	*guard.Guard
	purposes   int
	onBehalfOf string
}

func document(name, text string) authority.Document {
	return authority.Document{Name: name, Data: []byte(text)}
}

func newHost(t *testing.T, dir string, at time.Time, docs ...authority.Document) *host {
	t.Helper()
	h := &host{t: t, clock: guardtest.NewClock(at)}
	var err error
	h.ledger, err = ledger.Open(dir, journal.WithClock(h.clock.Now))
	require.NoError(t, err)
	h.Guard, err = guard.New(docs, guard.Agent{ID: "scaler", Environment: "prod"}, guard.WithLedger(h.ledger), guard.AllowUnsigned(),
		guard.WithClock(h.clock.Now), guard.WithErasure(journal.OpenSubjects(filepath.Join(dir, journal.SubjectsFolder)), nil))
	require.NoError(t, err)
	schema := json.RawMessage(`{"type":"object","properties":{"replicas":{"type":"integer"},"cost":{"type":"number"}}}`)
	for _, name := range []string{"k8s.get", "k8s.scale", "k8s.drain"} {
		require.NoError(t, h.Register(authority.Tool{Name: name, Schema: schema}))
	}
	return h
}

// begin asks for a call.
func (h *host) begin(tool, arguments, ticket string) (context.Context, guard.Decision) {
	return h.Begin(guard.WithSession(context.Background(), guard.Session{OnBehalfOf: h.onBehalfOf}), guard.Call{Tool: classify.ToolID{Name: tool}, Arguments: []byte(arguments), Ticket: ticket})
}

// act makes a call that must be allowed, and ends it a second later.
func (h *host) act(tool, arguments, ticket string, err error) string {
	h.t.Helper()
	ctx, d := h.begin(tool, arguments, ticket)
	require.True(h.t, d.Allowed(), "%s", d.Refusal())
	h.clock.Advance(time.Second)
	require.NoError(h.t, h.End(ctx, d, []byte("done"), err))
	return d.Record().ID
}

// scaling gives another purpose each time: the same one would be boilerplate.
func (h *host) scaling(replicas int, cost string) string {
	h.purposes++
	return fmt.Sprintf(`{"replicas": %d, "cost": %s, "_rationale": {"purpose": "%d requests wait.", "expected": "They do not.", "fallback": "None.",
		"alternatives": [{"option": "wait", "rejected": "too late"}], "evidence": ["https://graphs.example.com/7"]}}`, replicas, cost, h.purposes)
}

func (h *host) approve(ticket, by string) {
	h.t.Helper()
	require.NoError(h.t, h.ledger.Answer(context.Background(), &rationale.Approval{
		Ticket: ticket, At: h.clock.Now(), By: rationale.Person{ID: by, Groups: []string{"oncall"}}, Answer: rationale.AnswerApprove, Change: "CHG-7",
	}))
}

// day is one day of the fleet: three small acts, and looks.
func (h *host) day() {
	h.t.Helper()
	h.act("k8s.get", `{}`, "", nil)
	for range 3 {
		h.act("k8s.scale", h.scaling(4, "5.25"), "", nil)
		h.clock.Advance(time.Hour)
	}
}

// asOf is when the questions are asked.
var asOf = time.Date(2026, 10, 30, 12, 0, 0, 0, time.UTC)

// clean writes the records of a host that did everything right, with people who did,
// over a month: each question has something to look at.
func clean(t *testing.T, dir string) {
	t.Helper()
	first := fleet(1, "2026-09-01T00:00:00Z", "")
	docs := []authority.Document{document("matrix.yaml", matrix), document("fleet-1.yaml", first), document("legacy.yaml", legacy)}
	at := func(day int) time.Time { return time.Date(2026, 10, day, 9, 0, 0, 0, time.UTC) }
	h := newHost(t, dir, at(1), docs...)
	for day := 1; day <= 13; day++ {
		h.clock.Set(at(day))
		h.day()
	}
	h.act("k8s.drain", `{}`, "", nil)
	h.clock.Set(at(14))
	// Two acts that are just under the ceiling are not many.
	h.act("k8s.scale", h.scaling(4, "19.99"), "", nil)
	h.act("k8s.scale", h.scaling(4, "19.99"), "", nil)

	second := fleet(2, "2026-10-15T00:00:00Z", "supersedes: "+rationale.Digest([]byte(first))+"\n")
	docs = append(docs, document("fleet-2.yaml", second))
	require.NoError(t, h.Reload(docs))
	for day := 15; day <= 27; day++ {
		h.clock.Set(at(day))
		switch day {
		case 16:
			h.approved()
		case 17:
			h.reviewed()
		case 18:
			h.settled()
		case 19:
			h.suspended()
		case 20:
			h.act("k8s.drain", `{}`, "", nil)
			docs = append(docs, document("revocation.yaml", revocation))
			require.NoError(t, h.Reload(docs))
			h.clock.Advance(time.Second)
			_, d := h.begin("k8s.drain", `{}`, "")
			require.False(t, d.Allowed())
		}
		h.day()
	}
	h.clock.Set(asOf.Add(-time.Hour))
	h.act("k8s.scale", h.scaling(12, "5.25"), "", nil) // its review is not due yet
	require.NoError(t, h.ledger.Close())
}

// approved makes a call that two people approve.
func (h *host) approved() {
	h.t.Helper()
	_, pend := h.begin("k8s.scale", h.scaling(8, "120.50"), "")
	require.Equal(h.t, rationale.Pend, pend.Verdict(), "%s", pend.Refusal())
	ticket := pend.Record().ID
	h.clock.Advance(10 * time.Second) // exactly as fast as is not too fast
	h.approve(ticket, "sam@example.com")
	h.clock.Advance(2 * time.Minute)
	h.approve(ticket, "ann@example.com")
	h.act("k8s.scale", h.scaling(8, "120.50"), ticket, nil)
}

// reviewed makes a call that is reviewed in time.
func (h *host) reviewed() {
	h.t.Helper()
	id := h.act("k8s.scale", h.scaling(20, "5.25"), "", nil)
	h.clock.Advance(time.Hour)
	require.NoError(h.t, h.ledger.Review(context.Background(), &rationale.Review{
		Decision: id, At: h.clock.Now(), By: rationale.Person{ID: "rae@example.com", Groups: []string{"risk"}}, Finding: rationale.Upheld,
	}))
}

// settled makes a call whose outcome nobody knows, until somebody says.
func (h *host) settled() {
	h.t.Helper()
	id := h.act("k8s.scale", h.scaling(4, "5.25"), "", guard.Unknown(context.DeadlineExceeded))
	h.clock.Advance(time.Hour)
	require.NoError(h.t, h.ledger.Settle(context.Background(), &rationale.Settlement{
		ID: rationale.NewID(h.clock.Now()), At: h.clock.Now(), Decision: id, Status: rationale.StatusSuccess, Spent: "4.75", By: "dana@example.com", Why: "the bill",
	}))
}

// suspended suspends a class while a call of it runs, and resumes it.
func (h *host) suspended() {
	h.t.Helper()
	ctx, d := h.begin("k8s.scale", h.scaling(4, "5.25"), "")
	require.True(h.t, d.Allowed())
	what := rationale.Suspension{Authorization: "fleet", Class: "scale"}
	h.clock.Advance(time.Second)
	require.NoError(h.t, h.ledger.Suspend(context.Background(), what, "lee@example.com", "an incident", h.clock.Now()))
	h.clock.Advance(time.Second)
	_, denied := h.begin("k8s.scale", h.scaling(4, "5.25"), "")
	require.False(h.t, denied.Allowed())
	require.NoError(h.t, h.End(ctx, d, []byte("done"), nil))
	require.NoError(h.t, h.ledger.Resume(context.Background(), what, "lee@example.com", "it is over", h.clock.Now()))
	h.clock.Advance(time.Second)
}

// open reads folders into a database.
func open(t *testing.T, bodies bool, dirs ...string) *recorddb.DB {
	t.Helper()
	db, err := recorddb.Create(filepath.Join(t.TempDir(), "records?.db"), bodies)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	for entry, problem := range journal.Read(dirs...) {
		require.NoError(t, db.Add(entry, problem))
	}
	require.NoError(t, db.Finish(asOf))
	return db
}

// copied returns a copy of a folder of records.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "evidence")
	require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}
