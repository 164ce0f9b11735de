package guard_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var scaleID = classify.ToolID{Name: "fleet.scale"}

// grantDocument returns a document of the suite's agent with these classes.
func grantDocument(id, classes string) authority.Document {
	return authority.Document{Name: id + ".yaml", Data: []byte(`apiVersion: ambit/v1
kind: Authorization
id: ` + id + `
owner: {id: owner@example.com}
agent: {id: tester, environments: [test]}
grant: {by: [{id: granter@example.com}], at: 2026-11-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
reauthorize: {every: 30d}
approval: {by: [group:oncall]}
classes:
` + classes)}
}

// halt returns a revocation or a suspension of an authorization.
func halt(kind, id string) authority.Document {
	return authority.Document{Name: strings.ToLower(kind) + ".yaml", Data: []byte(`apiVersion: ambit/v1
kind: ` + kind + `
authorization: ` + id + `
by: [{id: ciso@example.com}]
at: 2026-11-01T12:00:00Z
reason: incident 7
`)}
}

// stage is a guard with its evidence, clock and tracer.
type stage struct {
	*guard.Guard
	recorder *guardtest.Recorder
	clock    *guardtest.Clock
	tracer   *guardtest.Tracer
}

// open returns a guard under documents, in which fleet.scale is registered.
func open(t testing.TB, docs []authority.Document, opts ...guard.Option) *stage {
	t.Helper()
	s := &stage{
		recorder: &guardtest.Recorder{}, clock: guardtest.NewClock(guardtest.Now()), tracer: &guardtest.Tracer{},
	}
	opts = append([]guard.Option{
		guard.WithLedger(ledger.New(s.recorder)), guard.WithClock(s.clock.Now), guard.WithTracer(s.tracer),
		guard.AllowUnsigned(),
	}, opts...)
	var err error
	s.Guard, err = guard.New(docs, guard.Agent{ID: guardtest.AgentID, Environment: guardtest.Environment}, opts...)
	require.NoError(t, err)
	require.NoError(t, s.Register(guardtest.Scale()))
	return s
}

// under opens a guard under one class for fleet.scale without rationale.
func under(t testing.TB, class string, opts ...guard.Option) *stage {
	t.Helper()
	return open(t, []authority.Document{grantDocument("fleet", scaleClass(class))}, opts...)
}

func scaleClass(more string) string {
	return "  - {id: scale, tools: [fleet.scale], tier: parameterized, rationale: []" + more + "}\n"
}

// begin asks to scale to that many replicas.
func (s *stage) begin(ctx context.Context, replicas string) (context.Context, guard.Decision) {
	return s.Begin(ctx, guard.Call{Tool: scaleID, Arguments: []byte(`{"replicas":` + replicas + `}`)})
}

// decide is begin without the context.
func (s *stage) decide(t testing.TB, replicas string) guard.Decision {
	t.Helper()
	_, d := s.begin(t.Context(), replicas)
	return d
}

// refused are the reasons of a decision that did not allow its call.
func refused(t testing.TB, d guard.Decision) []rationale.Reason {
	t.Helper()
	require.False(t, d.Allowed())
	require.Nil(t, d.Args)
	return d.Record().Reasons
}

// said decodes a refusal.
func said(t testing.TB, d guard.Decision) map[string]any {
	t.Helper()
	var body map[string]any
	require.NoError(t, json.Unmarshal(d.Refusal(), &body))
	return body
}

func eventually(t testing.TB, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 10*time.Second, time.Millisecond)
}

func recordKey(id string) rationale.RecordKey {
	return rationale.RecordKey{ID: id, Secret: []byte("secret of " + id + ", longer than it has to be")}
}
