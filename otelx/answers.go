package otelx

import (
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/ambit-go/ambit/rationale"
)

// approval returns the span of an answer to a ticket, `approve {tool}`, from when
// the call pended until the answer. The decision that uses the approval links to
// it.
func (p *projection) approval(r *rationale.Approval, head rationale.Head) sdktrace.ReadOnlySpan {
	var a attributes
	a.text(ApprovalID, r.ID)
	a.text(ApprovalAnswer, string(r.Answer))
	a.text(ApprovalBy, r.By.ID)
	a.text(ApprovalUpTo, r.UpTo)
	a.text(ApprovalChange, r.Change)
	a.time(TicketExpires, r.Expires)
	a.text(SpendCurrency, r.Currency)
	a.text(SpendAmount, r.Amount)
	a.answered(r.Ticket, r.ActionDigest, r.Agent, r.Tool, r.Class, r.Authorization)
	return p.finish(tracetest.SpanStub{
		Name: spanName(nameApproval, toolName(r.Tool)), SpanContext: derive(domainApproval, r.ID),
		StartTime: r.Asked, EndTime: r.At, Attributes: a,
		Links: answerLinks(&rationale.Decision{ID: r.Ticket, Host: r.Host, Authorization: r.Authorization}),
	}, head).Snapshot()
}

// review returns the span of a review, `review {tool}`, from when it was owed until
// it was given.
func (p *projection) review(r *rationale.Review, head rationale.Head) sdktrace.ReadOnlySpan {
	var a attributes
	a.text(ReviewID, r.ID)
	a.text(ReviewFinding, string(r.Finding))
	a.text(ReviewBy, r.By.ID)
	a.text(ReviewReason, r.Reason)
	a.time(ReviewDue, r.Due)
	a.answered(r.Decision, r.ActionDigest, r.Agent, r.Tool, r.Class, r.Authorization)
	return p.finish(tracetest.SpanStub{
		Name: spanName(nameReview, toolName(r.Tool)), SpanContext: derive(domainReview, r.ID),
		StartTime: r.Owed, EndTime: r.At, Attributes: a,
		Links: answerLinks(&rationale.Decision{ID: r.Decision, Host: r.Host, Authorization: r.Authorization}),
	}, head).Snapshot()
}

// answered adds what an answer has of its decision.
func (a *attributes) answered(
	decision, action string, agent rationale.Agent, tool rationale.Tool, class string, on *rationale.AuthorizationRef,
) {
	a.text(DecisionID, decision)
	a.text(ActionDigest, action)
	a.text(AgentID, agent.ID)
	a.text(Environment, agent.Environment)
	a.text(GenAIToolName, tool.Name)
	a.text(ToolServer, tool.Server)
	a.text(Class, class)
	a.authorization(on)
}

// answerLinks leads to the decision that was answered to, and to its authorization.
func answerLinks(d *rationale.Decision) []sdktrace.Link {
	var l links
	decision, _ := decisionSpan(d)
	l.add(toDecision, decision)
	if d.Authorization != nil {
		l.add(toAuthorization, AuthorizationSpan(d.Authorization.Digest))
	}
	return l.sdk()
}
