package otelx

import (
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/ambit-go/ambit/rationale"
)

// The first words of span names.
const (
	nameAuthorization = "authorization"
	nameDecision      = "authorize"
	nameExecution     = "execute_tool"
	nameApproval      = "approve"
	nameReview        = "review"
)

// maxSpanName bounds a span's name, in bytes.
const maxSpanName = 255

func spanName(verb, of string) string {
	if of == "" {
		return verb
	}
	return cut(verb+" "+rationale.Printable(of), maxSpanName)
}

func toolName(t rationale.Tool) string {
	if t.Server == "" {
		return t.Name
	}
	return t.Server + "/" + t.Name
}

// sampled adds what both spans of a call have in common. It is there when a
// span starts, for a sampler to go by.
func (a *attributes) sampled(d *rationale.Decision) {
	a.text(Mode, d.Mode.String())
	a.text(Tier, d.Tier.String())
	a.text(Class, d.Class)
	a.text(GenAIToolName, d.Tool.Name)
	a.text(ToolServer, d.Tool.Server)
	if d.Authorization != nil {
		a.text(AuthorizationID, d.Authorization.ID)
	}
}

// grounds adds what else decisions on the same grounds have in common.
func (a *attributes) grounds(d *rationale.Decision) {
	a.text(Domain, d.Domain)
	a.text(Effect, d.Effect)
	a.text(BaseTier, d.BaseTier.String())
	a.text(AgentID, d.Agent.ID)
	a.text(Environment, d.Agent.Environment)
	a.pins(d)
	if d.Authorization != nil {
		a.grant(d.Authorization)
	}
}

// decision adds the attributes that a decision on these grounds does not start
// with.
func (a *attributes) decision(d *rationale.Decision, on *grounds) {
	a.text(DecisionID, d.ID)
	a.text(DecisionParent, d.Parent)
	if d.Would != nil {
		a.text(Would, d.Would.String())
	}
	if len(d.Reasons) > 0 {
		a.texts(Reasons, names(d.Reasons))
	}
	a.text(Standing, d.Standing.String())
	a.text(ActionDigest, d.ActionDigest)
	a.text(Arguments, d.ArgumentsDigest)
	a.call(d)
	a.text(OnBehalfOf, d.Agent.OnBehalfOf)
	*a = append(*a, on.more...)
	a.checks(d.Checks)
	a.spend(d.Spend)
	a.people(d, on)
	a.content(d)
	a.text(ErrorType, decisionError(d))
}

// call adds what the GenAI conventions name of one call.
func (a *attributes) call(d *rationale.Decision) {
	a.text(GenAIToolCallID, d.CallID)
	a.text(GenAIConversationID, d.Agent.Session)
	if slices.Contains(d.Telemetry, "arguments") {
		a.text(GenAIToolCallArguments, string(d.Arguments))
	}
}

func (a *attributes) pins(d *rationale.Decision) {
	a.text(ModelProvider, d.Model.Provider)
	a.text(ModelName, d.Model.Name)
	a.text(ModelVersion, d.Model.Version)
	a.text(ModelBasis, d.Model.Basis)
	a.text(ModelPin, string(d.Model.Pin))
	a.text(PromptDigest, d.Prompt.Digest)
	a.text(PromptPin, string(d.Prompt.Pin))
	a.text(ToolDigest, d.Tool.Digest)
	a.text(ToolPin, string(d.Tool.Pin))
}

func (a *attributes) authorization(ref *rationale.AuthorizationRef) {
	if ref != nil {
		a.text(AuthorizationID, ref.ID)
		a.grant(ref)
	}
}

// grant adds what else is known of an authorization.
func (a *attributes) grant(ref *rationale.AuthorizationRef) {
	a.integer(AuthorizationVersion, int64(ref.Version))
	a.text(AuthorizationDigest, ref.Digest)
	a.text(AuthorizationOwner, ref.Owner)
	a.text(AuthorizationBody, ref.Body)
	a.texts(AuthorizationGrantedBy, ref.GrantedBy)
	a.time(AuthorizationGrantedAt, ref.GrantedAt)
	a.time(AuthorizationExpires, ref.Expires)
	a.time(AuthorizationNextReview, ref.NextReview)
	a.text(AuthorizationRecord, ref.Record)
	a.flag(AuthorizationUnsigned, ref.Unsigned)
	a.text(AuthorizationMatrix, ref.Matrix)
	a.texts(AuthorizationControls, ref.Controls)
}

// checks adds the names of the checks that did not pass. Their inputs are
// arguments and facts, and stay in the record.
func (a *attributes) checks(checks []rationale.Check) {
	var failed, raised []string
	for _, c := range checks {
		switch c.Result {
		case rationale.Passed:
		case rationale.Raised:
			raised = append(raised, string(c.Kind)+" "+c.ID)
		default:
			failed = append(failed, string(c.Kind)+" "+c.ID)
		}
	}
	a.integer(ChecksTotal, int64(len(checks)))
	a.texts(ChecksFailed, failed)
	a.texts(ChecksRaised, raised)
}

func (a *attributes) spend(s *rationale.Spend) {
	if s == nil {
		return
	}
	a.text(SpendCurrency, s.Currency)
	a.text(SpendAmount, s.Amount)
	a.text(SpendBasis, s.Basis)
	a.text(SpendLimit, s.Limit)
	a.flag(SpendObserved, s.Observed)
	a.text(SpendCostCentre, s.CostCentre)
}

// people adds what is asked of people, and how the rationale's check came out.
func (a *attributes) people(d *rationale.Decision, on *grounds) {
	if c := d.RationaleCheck; c != nil {
		a.flag(RationaleComplete, c.Complete)
		*a = append(*a, on.required...)
		if len(c.Missing) > 0 {
			a.texts(RationaleMissing, names(c.Missing))
		}
	}
	if r := d.Review; r != nil {
		a.time(ReviewDue, r.Due)
		a.text(ReviewReason, r.Reason)
	}
	if t := d.Ticket; t != nil {
		a.time(TicketExpires, t.Expires)
		a.integer(TicketQuorum, int64(t.Quorum))
	}
	a.text(ApprovalID, d.Approval)
}

// content adds the claims and facts that the class lets into telemetry.
func (a *attributes) content(d *rationale.Decision) {
	if slices.Contains(d.Telemetry, "facts") {
		var facts []string
		for _, f := range d.Facts {
			facts = append(facts, f.Name+"="+string(f.Value))
		}
		a.texts(Facts, facts)
	}
	r := d.Rationale
	if r == nil {
		return
	}
	if slices.Contains(d.Telemetry, "rationale") {
		var alternatives []string
		for _, alternative := range r.Alternatives {
			alternatives = append(alternatives, alternative.Option+": "+alternative.Rejected)
		}
		a.text(RationalePurpose, r.Purpose)
		a.text(RationaleExpected, r.Expected)
		a.texts(RationaleAlternatives, alternatives)
		a.texts(RationaleEvidence, r.Evidence)
		a.text(RationaleFallback, r.Fallback)
		a.text(RationaleUncertainty, r.Uncertainty)
	}
	if slices.Contains(d.Telemetry, "reasoning") {
		a.text(RationaleText, r.Text)
		a.text(RationaleReasoning, r.Reasoning)
		a.text(RationaleSource, r.Source)
	}
}

// decisionError returns the reason that makes the decision an error: the rules
// could not be evaluated or recorded. A denial by the rules is none.
func decisionError(d *rationale.Decision) string {
	for _, r := range d.Reasons {
		switch r {
		case rationale.EvaluationError, rationale.FactUnavailable,
			rationale.EvidenceUnavailable, rationale.LedgerUnavailable:
			return string(r)
		}
	}
	return ""
}

// execution adds the attributes that an execution does not start with.
func (a *attributes) execution(d *rationale.Decision, o *rationale.Outcome) {
	a.text(DecisionID, d.ID)
	a.call(d)
	a.outcome(o)
}

func (a *attributes) outcome(o *rationale.Outcome) {
	a.text(OutcomeID, o.ID)
	a.text(OutcomeStatus, outcomeStatus(o))
	a.text(OutcomeSpent, o.Spent)
	a.text(ResultDigest, o.ResultDigest)
	if o.ResultDigest != "" {
		a.integer(ResultBytes, o.ResultBytes)
	}
	a.text(EffectID, o.Effect)
	a.text(ErrorType, outcomeError(o))
}

// outcomeStatus names the zero status too.
func outcomeStatus(o *rationale.Outcome) string {
	if o.Status == "" {
		return string(rationale.StatusUnknown)
	}
	return string(o.Status)
}

// outcomeError returns the error.type of an execution; empty on success.
func outcomeError(o *rationale.Outcome) string {
	switch {
	case o.Status == rationale.StatusSuccess:
		return ""
	case o.ErrorType != "":
		return o.ErrorType
	case o.Status == rationale.StatusError:
		return "_OTHER" // the conventions' name for an error without a type
	}
	return outcomeStatus(o)
}

func lifecycleAttributes(l *rationale.Lifecycle) attributes {
	var a attributes
	a.text(LifecycleID, l.ID)
	a.text(LifecycleEvent, string(l.Event))
	a.time(LifecycleFrom, l.From)
	a.time(LifecycleUntil, l.Until)
	a.text(Standing, l.Standing.String())
	a.text(AgentID, l.Agent.ID)
	a.text(Environment, l.Agent.Environment)
	a.authorization(l.Authorization)
	a.text(AuthorizationSupersedes, l.Supersedes)
	return a
}

// status of a span: unset, or an error without a description, since
// descriptions would be the tool's own text.
func status(errorType string) sdktrace.Status {
	if errorType == "" {
		return sdktrace.Status{Code: codes.Unset}
	}
	return sdktrace.Status{Code: codes.Error}
}

// The attribute of a link of each kind. Spans share them.
var (
	toAuthorization = []attribute.KeyValue{attribute.String(LinkKind, LinkAuthorization)}
	toDecision      = []attribute.KeyValue{attribute.String(LinkKind, LinkDecision)}
	toSuperseded    = []attribute.KeyValue{attribute.String(LinkKind, LinkSupersedes)}
	toApproval      = []attribute.KeyValue{attribute.String(LinkKind, LinkApproval)}
)

// links collects the links of one span. A link to nowhere is none.
type links []trace.Link

func (l *links) add(kind []attribute.KeyValue, to trace.SpanContext) {
	if to.IsValid() {
		*l = append(*l, trace.Link{SpanContext: to, Attributes: kind})
	}
}

// known adds a link to a span of this process, unless it is not known.
func (l *links) known(kind []attribute.KeyValue, to *trace.SpanContext) {
	if to != nil {
		l.add(kind, *to)
	}
}

// ended returns when a span ends: after its start by a nanosecond at least, whatever
// the clock did between two records. Jaeger repairs a span without duration, with a
// warning that it shows, and then takes two copies of the span for two spans.
func ended(start, end time.Time) time.Time {
	if !end.After(start) {
		return start.Add(time.Nanosecond)
	}
	return end
}
