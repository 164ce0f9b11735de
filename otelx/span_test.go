package otelx_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
)

// derived computes ids as the documentation says.
func derived(domain, id string) (traceID, spanID string) {
	sum := sha256.Sum256([]byte("ambit/v1/" + domain + "\x00" + id))
	return hex.EncodeToString(sum[:16]), hex.EncodeToString(sum[16:24])
}

func ids(sc trace.SpanContext) [2]string {
	return [2]string{sc.TraceID().String(), sc.SpanID().String()}
}

func pair(domain, id string) [2]string {
	traceID, spanID := derived(domain, id)
	return [2]string{traceID, spanID}
}

// one call: the authorization's span, the decision's and the execution's.
func oneCall(t *testing.T, d *rationale.Decision) (authorization, decision, execution tracetest.SpanStub) {
	t.Helper()
	spans := delivered(t, loaded(), d, outcome(d.ID, rationale.StatusSuccess))
	require.Len(t, spans, 3)
	for _, s := range spans {
		assert.Equal(t, trace.SpanKindInternal, s.SpanKind)
		assert.Equal(t, otelx.ScopeName, s.InstrumentationScope.Name)
		assert.Equal(t, otelx.Version, s.InstrumentationScope.Version)
		assert.NotNil(t, s.Resource)
		assert.True(t, s.SpanContext.IsSampled())
		assert.Empty(t, s.Events)
		assert.Equal(t, sdktrace.Status{}, s.Status)
		assert.Equal(t, "payments-autoscaler", text(s, otelx.AuthorizationID), "an attribute and a link")
	}
	return spans[0], spans[1], spans[2]
}

func TestEvidenceSpansOfOneCall(t *testing.T) {
	authorization, decision, execution := oneCall(t, allowed("d1"))

	assert.Equal(t, "authorization payments-autoscaler", authorization.Name)
	assert.Equal(t, pair("authorization", digestV4), ids(authorization.SpanContext))
	assert.Equal(t, authorization.SpanContext, otelx.AuthorizationSpan(digestV4))
	assert.False(t, authorization.Parent.IsValid())
	assert.Equal(t, pair("authorization", digestV3), ids(linkTo(authorization, otelx.LinkSupersedes)))
	assert.Equal(t, began, authorization.StartTime)

	assert.Equal(t, "authorize k8s/scale", decision.Name)
	assert.Equal(t, pair("decision", "d1"), ids(decision.SpanContext))
	assert.False(t, decision.Parent.IsValid())
	assert.Equal(t, pair("authorization", digestV4), ids(linkTo(decision, otelx.LinkAuthorization)))
	assert.Equal(t, pair("approval", "approval-1"), ids(linkTo(decision, otelx.LinkApproval)))
	assert.Len(t, decision.Links, 2)
	assert.Equal(t, began, decision.StartTime)
	assert.Equal(t, began.Add(time.Nanosecond), decision.EndTime, "how long it took to become durable is not in the record")

	assert.Equal(t, "execute_tool k8s/scale", execution.Name)
	_, spanID := derived("execution", "d1")
	assert.Equal(t, [2]string{decision.SpanContext.TraceID().String(), spanID}, ids(execution.SpanContext))
	assert.Equal(t, decision.SpanContext, execution.Parent, "the decision's trace is the call's own")
	assert.Equal(t, decision.SpanContext, linkTo(execution, otelx.LinkDecision))
	assert.Equal(t, pair("authorization", digestV4), ids(linkTo(execution, otelx.LinkAuthorization)))
	assert.Len(t, execution.Links, 2)
	assert.Equal(t, began.Add(time.Second), execution.StartTime)
	assert.Equal(t, began.Add(3*time.Second), execution.EndTime)
}

func TestEvidenceSpansJoinTheHostsTrace(t *testing.T) {
	for _, flags := range []byte{0, 1} {
		t.Run(fmt.Sprint("flags ", flags), func(t *testing.T) {
			_, decision, execution := oneCall(t, withHost(allowed("d1"), flags))
			for _, s := range []tracetest.SpanStub{decision, execution} {
				assert.Equal(t, hostTrace, s.SpanContext.TraceID().String())
				assert.Equal(t, hostSpan, s.Parent.SpanID().String())
				assert.Equal(t, hostTrace, s.Parent.TraceID().String())
				assert.Equal(t, trace.TraceFlags(flags), s.Parent.TraceFlags())
				assert.True(t, s.Parent.IsRemote())
				assert.Equal(t, "k=v", s.SpanContext.TraceState().String())
			}
			_, spanID := derived("decision", "d1")
			assert.Equal(t, spanID, decision.SpanContext.SpanID().String())
			assert.Equal(t, decision.SpanContext, linkTo(execution, otelx.LinkDecision))
		})
	}
}

func TestBrokenHostTraceIsNone(t *testing.T) {
	for name, host := range map[string]rationale.TraceContext{
		"no span id":   {TraceID: hostTrace},
		"zero ids":     {TraceID: strings.Repeat("0", 32), SpanID: strings.Repeat("0", 16)},
		"no trace id":  {SpanID: hostSpan},
		"not hex":      {TraceID: "x" + hostTrace[1:], SpanID: hostSpan},
		"broken state": {State: "==="},
	} {
		t.Run(name, func(t *testing.T) {
			d := allowed("d1")
			d.Host = host
			_, decision, _ := oneCall(t, d)
			assert.Equal(t, pair("decision", "d1"), ids(decision.SpanContext))
		})
	}
}

func TestHost(t *testing.T) {
	traceID, _ := trace.TraceIDFromHex(hostTrace)
	spanID, _ := trace.SpanIDFromHex(hostSpan)
	state, err := trace.ParseTraceState("k=v")
	require.NoError(t, err)
	ctx := trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: traceID, SpanID: spanID, TraceFlags: 1, TraceState: state,
	}))
	tracer := tracerOf(t)
	assert.Equal(t, withHost(&rationale.Decision{}, 1).Host, tracer.Host(ctx))
	assert.Zero(t, tracer.Host(context.Background()))
}

// The host samples nothing: its own provider records no span, evidence arrives
// all the same, and the tool's children are placed below the execution without
// being sampled because of it.
func TestEvidenceUnderAHostThatSamplesNothing(t *testing.T) {
	hostSpans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(hostSpans),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.NeverSample())))
	ctx, root := provider.Tracer("host").Start(context.Background(), "host")
	require.False(t, root.SpanContext().IsSampled())

	tracer := tracerOf(t)
	d := allowed("d1")
	d.Host = tracer.Host(ctx)
	toolCtx := tracer.Execute(ctx, d)
	_, span := provider.Tracer("tool").Start(toolCtx, "child")
	child := span.SpanContext()
	span.End()
	assert.Equal(t, trace.SpanContextFromContext(toolCtx).SpanID().String(), pairSpan("execution", "d1"))
	spans := delivered(t, d, outcome("d1", rationale.StatusSuccess))
	root.End()
	require.Len(t, spans, 2)
	assert.True(t, spans[0].SpanContext.IsSampled())
	assert.Equal(t, root.SpanContext().TraceID(), spans[0].SpanContext.TraceID())
	assert.Equal(t, root.SpanContext().SpanID(), spans[1].Parent.SpanID())
	assert.Equal(t, root.SpanContext().TraceID(), child.TraceID())
	assert.False(t, child.IsSampled(), "evidence must not change what the host samples")
	assert.Empty(t, hostSpans.GetSpans())
}

func pairSpan(domain, id string) string {
	_, spanID := derived(domain, id)
	return spanID
}

func TestToolsChildrenAttachToTheExecution(t *testing.T) {
	hostSpans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(hostSpans))
	d := allowed("d1")
	_, child := provider.Tracer("tool").Start(tracerOf(t).Execute(context.Background(), d), "child")
	child.End()
	spans := delivered(t, d, outcome("d1", rationale.StatusSuccess))
	require.Len(t, hostSpans.GetSpans(), 1)
	assert.Equal(t, spans[1].SpanContext, hostSpans.GetSpans()[0].Parent)
}

func TestDecisionAttributes(t *testing.T) {
	_, decision, execution := oneCall(t, allowed("d1"))
	got := map[string]string{}
	for _, kv := range decision.Attributes {
		got[string(kv.Key)] = kv.Value.String()
	}
	assert.Equal(t, map[string]string{
		"gen_ai.tool.name": "scale", "gen_ai.tool.call.id": "call-7", "gen_ai.conversation.id": "session-1",
		"ambit.decision.id": "d1", "ambit.verdict": "allow", "ambit.mode": "enforce", "ambit.standing": "active",
		"ambit.class": "scaling.horizontal", "ambit.domain": "scaling", "ambit.effect": "write",
		"ambit.tier": "bounded_escalation", "ambit.tier.base": "parameterized",
		"ambit.action.digest": "sha256:ac", "ambit.arguments.digest": "sha256:aa",
		"ambit.agent.id": "spiffe://agent", "ambit.agent.environment": "prod", "ambit.on_behalf_of": "user-1",
		"ambit.model.provider": "acme", "ambit.model.name": "m1", "ambit.model.version": "2026",
		"ambit.model.basis": "reported", "ambit.model.pin": "match", "ambit.prompt.digest": "sha256:pp", "ambit.prompt.pin": "match",
		"ambit.tool.server": "k8s", "ambit.tool.digest": "sha256:tt", "ambit.tool.pin": "match",
		"ambit.authorization.id": "payments-autoscaler", "ambit.authorization.version": "4",
		"ambit.authorization.digest": digestV4, "ambit.authorization.owner": "owner@x", "ambit.authorization.body": "cab",
		"ambit.authorization.granted_by": `["chair@x"]`, "ambit.authorization.granted_at": "2026-11-01T10:00:00Z",
		"ambit.authorization.expires": "2026-11-01T11:00:00Z", "ambit.authorization.next_review": "2026-11-01T10:01:00Z",
		"ambit.authorization.record": "https://minutes", "ambit.authorization.unsigned": "true",
		"ambit.authorization.matrix": "sha256:mm", "ambit.authorization.controls": `["SOX-1","DORA-2"]`,
		"ambit.checks.total": "2", "ambit.checks.raised": `["trigger escalate[0]"]`,
		"ambit.spend.currency": "EUR", "ambit.spend.amount": "12.50", "ambit.spend.basis": "amount",
		"ambit.spend.limit": "20", "ambit.spend.observed": "false", "ambit.spend.cost_centre": "CC-1",
		"ambit.rationale.complete": "true", "ambit.rationale.required": `["purpose"]`,
		"ambit.review.due": "2026-11-03T10:00:00Z", "ambit.review.reason": "tier", "ambit.approval.id": "approval-1",
		"ambit.journal.id": "j1", "ambit.journal.seq": "2", "ambit.journal.hash": hashOf(2),
	}, got)

	assert.Equal(t, "execute_tool", text(execution, otelx.GenAIOperationName))
	assert.Equal(t, "d1", text(execution, otelx.DecisionID))
	assert.Equal(t, "success", text(execution, otelx.OutcomeStatus))
	assert.Equal(t, "17", text(execution, otelx.ResultBytes))
	_, failed := value(execution, otelx.ErrorType)
	assert.False(t, failed)
}

func TestPendObserveAndFollowUp(t *testing.T) {
	d := denied("d2", rationale.ApprovalRequired)
	would := rationale.Pend
	d.Verdict, d.Mode, d.Would, d.Parent = rationale.Pend, rationale.Observe, &would, "d1"
	d.Ticket = &rationale.Ticket{Quorum: 2, Expires: began}
	s := delivered(t, d)[0]
	for key, want := range map[string]string{
		otelx.Verdict: "pend", otelx.Would: "pend", otelx.Mode: "observe", otelx.DecisionParent: "d1",
		otelx.Reasons: `["approval_required"]`, otelx.TicketQuorum: "2", otelx.TicketExpires: "2026-11-01T10:00:00Z",
		otelx.ChecksFailed: `["allow allow args.region"]`,
	} {
		assert.Equal(t, want, text(s, key), key)
	}
}

func TestStatusAndErrorType(t *testing.T) {
	decide := func(d *rationale.Decision) tracetest.SpanStub {
		return delivered(t, d)[0]
	}
	finish := func(o *rationale.Outcome) tracetest.SpanStub {
		return delivered(t, allowed("d"), o)[1]
	}
	timeout := outcome("d", rationale.StatusError)
	timeout.ErrorType = "timeout"
	for _, c := range []struct {
		name string
		span tracetest.SpanStub
		want string
	}{
		{"allowed", decide(allowed("d")), ""},
		{"denied by the rules", decide(denied("d", rationale.BoundViolated, rationale.Expired)), ""},
		{"rules failed", decide(denied("d", rationale.BoundViolated, rationale.EvaluationError)), "evaluation_error"},
		{"fact unavailable", decide(denied("d", rationale.FactUnavailable)), "fact_unavailable"},
		{"evidence unavailable", decide(denied("d", rationale.EvidenceUnavailable)), "evidence_unavailable"},
		{"ledger unavailable", decide(denied("d", rationale.LedgerUnavailable)), "ledger_unavailable"},
		{"success", finish(outcome("d", rationale.StatusSuccess)), ""},
		{"typed error", finish(timeout), "timeout"},
		{"error", finish(outcome("d", rationale.StatusError)), "_OTHER"},
		{"panic", finish(outcome("d", rationale.StatusPanic)), "panic"},
		{"not executed", finish(outcome("d", rationale.StatusNotExecuted)), "not_executed"},
		{"unknown", finish(outcome("d", rationale.StatusUnknown)), "unknown"},
		{"zero status", finish(outcome("d", "")), "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, text(c.span, otelx.ErrorType))
			want := sdktrace.Status{}
			if c.want != "" {
				want.Code = codes.Error
			}
			assert.Equal(t, want, c.span.Status, "no description: it would be the tool's text")
		})
	}
}

func TestUnknownToolsDoNotNameSpans(t *testing.T) {
	d := denied("d", rationale.UnknownTool)
	d.Tool = rationale.Tool{Name: "rm -rf\n/" + strings.Repeat("x", 5000)}
	s := delivered(t, d)[0]
	assert.Equal(t, "authorize", s.Name)

	d.Reasons = []rationale.Reason{rationale.InvalidArguments}
	s = delivered(t, d)[0]
	assert.True(t, strings.HasPrefix(s.Name, `authorize rm -rf\n/xxx`), s.Name)
	assert.Len(t, s.Name, 255)
}

func TestClockThatRanBackwards(t *testing.T) {
	o := outcome("d", rationale.StatusSuccess)
	o.At = o.Started.Add(-time.Hour)
	spans := delivered(t, allowed("d"), o)
	for _, s := range spans {
		assert.Equal(t, s.StartTime.Add(time.Nanosecond), s.EndTime)
	}
}

// What a class keeps out of telemetry is in no part of any span; what it lets
// in is.
func TestTelemetryCarriesWhatTheClassLets(t *testing.T) {
	call := func(fields ...string) string {
		d := allowed("d")
		d.Telemetry = fields
		spans := delivered(t, loaded(), d, outcome("d", rationale.StatusError))
		var all strings.Builder
		for _, s := range spans {
			fmt.Fprintf(&all, "%s %v %v\n", s.Name, s.Status, s.Links)
			for _, kv := range s.Attributes {
				fmt.Fprintf(&all, "%s=%s\n", kv.Key, kv.Value.String())
			}
		}
		return all.String()
	}
	assert.NotContains(t, call(), "SECRET")
	assert.NotContains(t, call("results"), "SECRET")
	for field, want := range map[string][]string{
		"arguments": {`gen_ai.tool.call.arguments={"note":"SECRET-argument"}`},
		"facts":     {`ambit.facts=["load=\"SECRET-fact\""]`},
		"rationale": {
			"ambit.rationale.purpose=SECRET-purpose", "ambit.rationale.expected=SECRET-expected",
			`ambit.rationale.alternatives=["SECRET-option: SECRET-rejected"]`, `ambit.rationale.evidence=["SECRET-evidence"]`,
			"ambit.rationale.fallback=SECRET-fallback", "ambit.rationale.uncertainty=SECRET-uncertainty",
		},
		"reasoning": {
			"ambit.rationale.text=SECRET-text", "ambit.rationale.reasoning=SECRET-reasoning", "ambit.rationale.source=SECRET-source",
		},
	} {
		t.Run(field, func(t *testing.T) {
			got := call(field)
			lines := 0
			for _, w := range want {
				assert.Contains(t, got, w)
				lines += strings.Count(got, w+"\n")
			}
			for line := range strings.Lines(got) {
				if strings.Contains(line, "SECRET") {
					lines--
				}
			}
			assert.Zero(t, lines, "other secrets: %s", got)
		})
	}
	d := allowed("d")
	d.Telemetry = []string{"arguments", "rationale", "reasoning", "facts"}
	d.Arguments, d.Rationale, d.Facts = nil, nil, nil
	s := delivered(t, d)[0]
	_, found := value(s, otelx.GenAIToolCallArguments)
	assert.False(t, found, "what is absent from the record is absent")
}

func TestLongValuesAreCutWithTheirDigest(t *testing.T) {
	d := allowed("d")
	d.Agent.OnBehalfOf = strings.Repeat("é", 1024) + "!" // 2,049 bytes
	d.Agent.ID = strings.Repeat("a", otelx.MaxValue)
	d.CallID = "x" + strings.Repeat("é", 1200)
	d.Class = "bad \xff"
	d.Authorization.GrantedBy = []string{strings.Repeat("g", 2000), strings.Repeat("h", 100), "i"}
	s := delivered(t, d)[0]

	assert.Equal(t, strings.Repeat("é", 1024), text(s, otelx.OnBehalfOf))
	assert.Equal(t, rationale.Digest([]byte(d.Agent.OnBehalfOf)), text(s, otelx.OnBehalfOf+otelx.DigestSuffix))
	assert.Equal(t, d.Agent.ID, text(s, otelx.AgentID))
	_, found := value(s, otelx.AgentID+otelx.DigestSuffix)
	assert.False(t, found, "exactly at the limit is not cut")
	assert.Len(t, text(s, otelx.GenAIToolCallID), otelx.MaxValue-1, "cut between characters")
	assert.True(t, utf8.ValidString(text(s, otelx.GenAIToolCallID)))
	assert.Equal(t, "bad \ufffd", text(s, otelx.Class))
	granted, _ := value(s, otelx.AuthorizationGrantedBy)
	assert.Equal(t, []string{strings.Repeat("g", 2000), strings.Repeat("h", 48)}, granted.AsStringSlice())
	whole := strings.Join(d.Authorization.GrantedBy, "\x00") + "\x00"
	assert.Equal(t, rationale.Digest([]byte(whole)), text(s, otelx.AuthorizationGrantedBy+otelx.DigestSuffix))
}

func TestLifecycleSpans(t *testing.T) {
	revoked := loaded()
	revoked.ID, revoked.Event, revoked.Standing = "life-2", rationale.EventRevoked, rationale.StandingRevoked
	first := loaded()
	first.Supersedes = ""
	spans := delivered(t, revoked, &rationale.Lifecycle{ID: "m", Event: rationale.EventManifest}, first)
	require.Len(t, spans, 2, "records without an authorization give no span")
	assert.Equal(t, "authorization payments-autoscaler", spans[0].Name)
	assert.Equal(t, pair("lifecycle", "life-2"), ids(spans[0].SpanContext))
	assert.Equal(t, pair("authorization", digestV4), ids(linkTo(spans[0], otelx.LinkAuthorization)))
	assert.Equal(t, "revoked", text(spans[0], otelx.LifecycleEvent))
	assert.Equal(t, "revoked", text(spans[0], otelx.Standing))
	assert.Equal(t, "life-2", text(spans[0], otelx.LifecycleID))
	assert.Empty(t, spans[1].Links, "nothing superseded, no link")
}

// The answers of people have spans of their own, from the question to the answer,
// which lead to the decision, wherever that is.
func TestAnswerSpans(t *testing.T) {
	inTrace := approved("d1")
	inTrace.Host = withHost(allowed("d1"), 1).Host
	spans := delivered(t, approved("d1"), judged("d1"), inTrace, allowed("d2"))
	approval, review := spans[0], spans[1]
	assert.Equal(t, []string{"approve k8s/scale", "review k8s/scale"}, []string{approval.Name, review.Name})
	assert.Equal(t, pair("approval", "approval-1"), ids(approval.SpanContext))
	assert.Equal(t, pair("review", "review-1"), ids(review.SpanContext))
	assert.Equal(t, []time.Time{began, began.Add(10 * time.Minute)}, []time.Time{approval.StartTime, approval.EndTime})
	assert.Equal(t, []time.Time{began, began.Add(time.Hour)}, []time.Time{review.StartTime, review.EndTime})
	for _, s := range []tracetest.SpanStub{approval, review} {
		assert.Equal(t, pair("decision", "d1"), ids(linkTo(s, otelx.LinkDecision)))
		assert.Equal(t, pair("authorization", digestV4), ids(linkTo(s, otelx.LinkAuthorization)))
		assert.False(t, s.Parent.IsValid())
		for _, kv := range s.Attributes {
			assert.NotContains(t, kv.Value.String(), "SECRET", "free text stays in the record")
		}
	}
	for key, want := range map[string]string{
		otelx.ApprovalAnswer: "approve", otelx.ApprovalBy: "kim@x", otelx.ApprovalUpTo: "100", otelx.ApprovalChange: "CHG-7",
		otelx.SpendAmount: "12.50", otelx.DecisionID: "d1", otelx.ActionDigest: "sha256:ac",
	} {
		assert.Equal(t, want, text(approval, key), key)
	}
	for key, want := range map[string]string{
		otelx.ReviewFinding: "upheld_with_action", otelx.ReviewBy: "rae@x", otelx.ReviewReason: "tier", otelx.ReviewDue: "2026-11-03T10:00:00Z",
	} {
		assert.Equal(t, want, text(review, key), key)
	}
	assert.Equal(t, hostTrace, linkTo(spans[2], otelx.LinkDecision).TraceID().String())
	assert.Equal(t, approval.SpanContext.SpanID(), linkTo(spans[3], otelx.LinkApproval).SpanID(), "the use leads to the approval")
}

func TestMinimalRecords(t *testing.T) {
	spans := delivered(t, &rationale.Decision{ID: "d"}, &rationale.Outcome{Decision: "d"})
	assert.Equal(t, "authorize", spans[0].Name)
	assert.Equal(t, "deny", text(spans[0], otelx.Verdict))
	assert.Equal(t, classify.TierUnknown.String(), text(spans[0], otelx.Tier))
	assert.Equal(t, "execute_tool", spans[1].Name)
	assert.Len(t, spans[1].Links, 1)
}
