package otelx

// The names of span attributes. Types, and when each is set, are in
// docs/telemetry.md. An attribute is absent where the record has no value.
const (
	GenAIOperationName  = "gen_ai.operation.name"
	GenAIToolName       = "gen_ai.tool.name"
	GenAIToolCallID     = "gen_ai.tool.call.id"
	GenAIConversationID = "gen_ai.conversation.id"
	ErrorType           = "error.type"

	GenAIToolCallArguments = "gen_ai.tool.call.arguments" // only where the class lets them into telemetry

	DecisionID     = "ambit.decision.id"
	DecisionParent = "ambit.decision.parent"
	Verdict        = "ambit.verdict"
	Would          = "ambit.would"
	Mode           = "ambit.mode"
	Reason         = "ambit.reason" // metrics only
	Reasons        = "ambit.reasons"
	Standing       = "ambit.standing"
	Class          = "ambit.class"
	Domain         = "ambit.domain"
	Effect         = "ambit.effect"
	Tier           = "ambit.tier"
	BaseTier       = "ambit.tier.base"
	ActionDigest   = "ambit.action.digest"
	Arguments      = "ambit.arguments.digest"

	AgentID     = "ambit.agent.id"
	Environment = "ambit.agent.environment"
	OnBehalfOf  = "ambit.on_behalf_of"

	ModelProvider = "ambit.model.provider"
	ModelName     = "ambit.model.name"
	ModelVersion  = "ambit.model.version"
	ModelBasis    = "ambit.model.basis"
	ModelPin      = "ambit.model.pin"
	PromptDigest  = "ambit.prompt.digest"
	PromptPin     = "ambit.prompt.pin"
	ToolServer    = "ambit.tool.server"
	ToolDigest    = "ambit.tool.digest"
	ToolPin       = "ambit.tool.pin"

	AuthorizationID         = "ambit.authorization.id"
	AuthorizationVersion    = "ambit.authorization.version"
	AuthorizationDigest     = "ambit.authorization.digest"
	AuthorizationOwner      = "ambit.authorization.owner"
	AuthorizationBody       = "ambit.authorization.body"
	AuthorizationGrantedBy  = "ambit.authorization.granted_by"
	AuthorizationGrantedAt  = "ambit.authorization.granted_at"
	AuthorizationExpires    = "ambit.authorization.expires"
	AuthorizationNextReview = "ambit.authorization.next_review"
	AuthorizationRecord     = "ambit.authorization.record"
	AuthorizationUnsigned   = "ambit.authorization.unsigned"
	AuthorizationMatrix     = "ambit.authorization.matrix"
	AuthorizationControls   = "ambit.authorization.controls"
	AuthorizationSupersedes = "ambit.authorization.supersedes"

	ChecksTotal  = "ambit.checks.total"
	ChecksFailed = "ambit.checks.failed"
	ChecksRaised = "ambit.checks.raised"

	SpendCurrency   = "ambit.spend.currency"
	SpendAmount     = "ambit.spend.amount"
	SpendBasis      = "ambit.spend.basis"
	SpendLimit      = "ambit.spend.limit"
	SpendObserved   = "ambit.spend.observed"
	SpendCostCentre = "ambit.spend.cost_centre"

	RationaleComplete = "ambit.rationale.complete"
	RationaleRequired = "ambit.rationale.required"
	RationaleMissing  = "ambit.rationale.missing"

	// Only where the class lets them into telemetry.
	RationalePurpose      = "ambit.rationale.purpose"
	RationaleExpected     = "ambit.rationale.expected"
	RationaleAlternatives = "ambit.rationale.alternatives"
	RationaleEvidence     = "ambit.rationale.evidence"
	RationaleFallback     = "ambit.rationale.fallback"
	RationaleUncertainty  = "ambit.rationale.uncertainty"
	RationaleText         = "ambit.rationale.text"
	RationaleReasoning    = "ambit.rationale.reasoning"
	RationaleSource       = "ambit.rationale.source"
	Facts                 = "ambit.facts"

	ReviewDue     = "ambit.review.due"
	ReviewReason  = "ambit.review.reason"
	ReviewID      = "ambit.review.id"
	ReviewFinding = "ambit.review.finding"
	ReviewBy      = "ambit.review.by"
	TicketExpires = "ambit.ticket.expires"
	TicketQuorum  = "ambit.ticket.quorum"

	ApprovalID     = "ambit.approval.id"
	ApprovalAnswer = "ambit.approval.answer"
	ApprovalBy     = "ambit.approval.by"
	ApprovalUpTo   = "ambit.approval.up_to"
	ApprovalChange = "ambit.approval.change"

	OutcomeID     = "ambit.outcome.id"
	OutcomeStatus = "ambit.outcome.status"
	OutcomeSpent  = "ambit.outcome.spent"
	ResultDigest  = "ambit.result.digest"
	ResultBytes   = "ambit.result.bytes"
	EffectID      = "ambit.effect.id"

	LifecycleID    = "ambit.lifecycle.id"
	LifecycleEvent = "ambit.lifecycle.event"
	LifecycleFrom  = "ambit.lifecycle.from"
	LifecycleUntil = "ambit.lifecycle.until"

	// Where the record of a span stands.
	JournalID   = "ambit.journal.id"
	JournalSeq  = "ambit.journal.seq"
	JournalHash = "ambit.journal.hash"

	// LinkKind is the one attribute of links: what the link leads to, one of
	// the Link constants. Some backends drop it.
	LinkKind = "ambit.link"

	// DeliveryResult and DeliveryName are attributes of the delivery metrics alone.
	DeliveryResult = "ambit.delivery.result"
	DeliveryName   = "ambit.delivery.name"
)

// The values of LinkKind.
const (
	LinkAuthorization = "authorization"
	LinkDecision      = "decision"
	LinkSupersedes    = "supersedes"
	LinkApproval      = "approval"
)

const (
	// MaxValue is the longest string that an attribute carries, in bytes, and
	// the longest sum of a list's strings. One common backend truncates there.
	MaxValue = 2048
	// DigestSuffix is appended to an attribute's name for the SHA-256 of the
	// whole value where the value was cut (of a list: of its strings, each
	// followed by a NUL).
	DigestSuffix = ".digest"
)
