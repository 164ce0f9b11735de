package rationale

import (
	"encoding/json"
	"time"

	"github.com/ambit-go/ambit/classify"
)

// Kind tells records apart.
type Kind string

const (
	KindDecision   Kind = "decision"
	KindOutcome    Kind = "outcome"
	KindSettlement Kind = "settlement"
	KindApproval   Kind = "approval"
	KindReview     Kind = "review"
	KindLifecycle  Kind = "lifecycle"
)

// Record is one entry of the evidence. Its JSON encoding carries "kind", "id"
// and "at" (UTC) beside its own fields. Records are not changed once recorded.
type Record interface {
	RecordKind() Kind
	RecordID() string
	RecordTime() time.Time
}

// Decision is the record of one evaluation, durable before the act.
//
// authority assesses a draft of it without side effects; the ledger concludes
// it ([Conclude]) and records it in one step.
type Decision struct {
	Kind   Kind      `json:"kind"` // KindDecision
	ID     string    `json:"id"`   // UUIDv7
	At     time.Time `json:"at"`
	Parent string    `json:"parent,omitzero"` // the pending decision that this evaluation follows

	Verdict Verdict `json:"verdict"` // what was enforced
	// Would is the verdict that Observe mode did not enforce; nil in Enforce mode.
	Would    *Verdict `json:"would,omitzero"`
	Mode     Mode     `json:"mode"`
	Reasons  []Reason `json:"reasons"` // in the order of Reasons, each once; never absent
	Standing Standing `json:"standing"`

	Class    string        `json:"class,omitzero"`
	Domain   string        `json:"domain,omitzero"`
	Effect   string        `json:"effect,omitzero"` // "read" or "write"
	BaseTier classify.Tier `json:"base_tier"`
	Tier     classify.Tier `json:"tier"` // effective

	Agent         Agent             `json:"agent"`
	Model         Model             `json:"model,omitzero"`
	Prompt        Prompt            `json:"prompt,omitzero"`
	Tool          Tool              `json:"tool"`
	CallID        string            `json:"call_id,omitzero"`
	Authorization *AuthorizationRef `json:"authorization,omitzero"`

	// Arguments are the checked arguments in canonical form, without the
	// reserved rationale parameter; absent where they could not be parsed, or
	// where the class does not keep them.
	Arguments       json.RawMessage `json:"arguments,omitzero"`
	ArgumentsDigest string          `json:"arguments_digest,omitzero"` // of the canonical form, or of the raw bytes if unparsed
	// ActionDigest names the exact action. It is keyed where the class does not
	// keep the arguments: a plain digest of few possible values tells them.
	ActionDigest string `json:"action_digest,omitzero"`

	Checks  []Check `json:"checks,omitempty"`
	Facts   []Fact  `json:"facts,omitempty"`
	Derived []Fact  `json:"derived,omitempty"`
	Spend   *Spend  `json:"spend,omitzero"`
	// Limits are those over time that the call is subject to, in the order of the
	// documents. An allowed call takes of each until its outcome, in Enforce mode.
	Limits []Limit `json:"limits,omitempty"`
	// CountedAt is the ledger's time at which the call was held against Limits: At,
	// or later where the ledger had seen a later time. Zero without Limits.
	CountedAt time.Time `json:"counted_at,omitzero"`
	// Lease is until when the outcome of a call that takes of its Limits is
	// expected; see [Decision.Takes]. After that only a settlement frees what it took.
	Lease  time.Time  `json:"lease,omitzero"`
	Review *ReviewDue `json:"review,omitzero"`
	Ticket *Ticket    `json:"ticket,omitzero"`

	Rationale      *Rationale      `json:"rationale,omitzero"`
	RationaleCheck *RationaleCheck `json:"rationale_check,omitzero"`
	// Approval is the id of the approval that completed the ticket's quorum, and
	// is used up if the call is allowed.
	Approval string `json:"approval,omitzero"`

	Host TraceContext `json:"host,omitzero"` // the host's own trace

	// Telemetry names the fields whose values the class lets into telemetry
	// beside the journal: arguments, rationale, reasoning, facts, results.
	Telemetry []string `json:"telemetry,omitempty"`

	// Keyed names the fields, as Telemetry does, in which a keyed digest
	// ([RecordKey]) stands in place of each value.
	Keyed []string `json:"keyed,omitempty"`

	// Sealed is the payload, where it belongs to a subject whose data can be
	// erased: what [Decision.Seal] takes out of the other members.
	Sealed *Sealed `json:"sealed,omitzero"`

	// Terms are what the class asks of people and of the ledger. They are part
	// of the document, whose digest the record carries, and are not recorded
	// again.
	Terms Terms `json:"-"`
}

// Agent is who asks, as the host (never the model) says.
type Agent struct {
	ID          string `json:"id"`
	Environment string `json:"environment"`
	Session     string `json:"session,omitzero"`
	OnBehalfOf  string `json:"on_behalf_of,omitzero"`
}

// Pin says how a pinned thing compares with what runs.
type Pin string

const (
	Unpinned Pin = ""         // the document pins nothing of this kind
	Match    Pin = "match"    //
	Mismatch Pin = "mismatch" //
)

// Model is the model that asked, and on what basis it is known.
type Model struct {
	Provider string `json:"provider,omitzero"`
	Name     string `json:"name,omitzero"`
	Version  string `json:"version,omitzero"`
	Basis    string `json:"basis,omitzero"` // reported, configured or asserted
	Pin      Pin    `json:"pin,omitzero"`
}

// Prompt is the digest of the prompt template that the host gave.
type Prompt struct {
	Digest string `json:"digest,omitzero"`
	Pin    Pin    `json:"pin,omitzero"`
}

// Tool is the tool that was asked for.
type Tool struct {
	Server string `json:"server,omitzero"`
	Name   string `json:"name"`
	Digest string `json:"digest,omitzero"` // of name, description, schema and annotations
	Pin    Pin    `json:"pin,omitzero"`
}

// AuthorizationRef names the exact document version that a decision was taken
// under, and who stands behind it.
type AuthorizationRef struct {
	ID         string    `json:"id"`
	Version    int       `json:"version"`
	Digest     string    `json:"digest"` // sha256:… of the document's exact bytes
	Owner      string    `json:"owner"`
	Body       string    `json:"body,omitzero"`
	GrantedBy  []string  `json:"granted_by,omitempty"`
	GrantedAt  time.Time `json:"granted_at"`
	Expires    time.Time `json:"expires"`
	NextReview time.Time `json:"next_review"`
	Record     string    `json:"record,omitzero"` // the minutes of the grant
	Unsigned   bool      `json:"unsigned,omitzero"`
	Matrix     string    `json:"matrix,omitzero"`    // digest of the authority matrix; empty: none, no ceilings apply
	Controls   []string  `json:"controls,omitempty"` // the class's control references
}

// Check is one constraint that was in scope, and how it came out.
type Check struct {
	Kind    CheckKind   `json:"kind"`
	ID      string      `json:"id"`           // such as "bounds[0]" or "allow args.region"
	Why     string      `json:"why,omitzero"` // the document's own words
	Result  CheckResult `json:"result"`
	Reason  Reason      `json:"reason,omitzero"`  // set where the check failed
	Message string      `json:"message,omitzero"` // what was wrong; for people, free of CEL source
	Inputs  []Input     `json:"inputs,omitempty"`
	// Quotes says that Message may quote arguments, facts or what was said: an
	// error gave it. It is not recorded.
	Quotes bool `json:"-"`
	// Told is the message as the refusal has it, where the class does not keep
	// what it may quote; empty: Message is. It is not recorded.
	Told string `json:"-"`
	// Within says what would be within bounds, where that is known.
	Within string `json:"within,omitzero"`
	// To is the tier that a trigger, a band or a brake raised the call to.
	To classify.Tier `json:"to,omitzero"`
}

// CheckKind names a stage of the evaluation.
type CheckKind string

const (
	CheckCall      CheckKind = "call" // the guard's own: a cancelled call, an evaluation that failed
	CheckEvidence  CheckKind = "evidence"
	CheckTool      CheckKind = "tool"
	CheckArguments CheckKind = "arguments"
	CheckDerived   CheckKind = "derived"
	CheckClass     CheckKind = "class"
	CheckStanding  CheckKind = "standing"
	CheckPin       CheckKind = "pin"
	CheckAllow     CheckKind = "allow"
	CheckBaseline  CheckKind = "baseline"
	CheckBound     CheckKind = "bound"
	CheckTrigger   CheckKind = "trigger"
	CheckPrice     CheckKind = "price"
	CheckBand      CheckKind = "band"
	CheckWindow    CheckKind = "window"
	CheckRate      CheckKind = "rate"
	CheckBrake     CheckKind = "brake"
	CheckRationale CheckKind = "rationale"
	CheckApproval  CheckKind = "approval"
	CheckSuspended CheckKind = "suspension"
)

// CheckResult is how a check came out. The empty result is a failure.
type CheckResult string

const (
	Passed  CheckResult = "pass"
	Failed  CheckResult = "fail"
	Raised  CheckResult = "raised" // a trigger, band or brake that raised the tier
	Errored CheckResult = "error"
)

// Input is one value that a check read.
type Input struct {
	Path  string          `json:"path"`           // such as args.replicas
	Value json.RawMessage `json:"value,omitzero"` // absent, as Digest is: the value was absent or unavailable
	// Digest stands in for a value of more than 2,048 bytes, which the record
	// has elsewhere, among arguments, facts or derived values; or, keyed, for one
	// that the class does not keep.
	Digest string `json:"digest,omitzero"`
}

// Fact is a typed value that the host supplied, or a derived one.
type Fact struct {
	Name   string          `json:"name"`
	Value  json.RawMessage `json:"value,omitzero"`
	Digest string          `json:"digest,omitzero"` // keyed, of a value that the class does not keep
	Source string          `json:"source,omitzero"`
	At     time.Time       `json:"at,omitzero"`
	Error  string          `json:"error,omitzero"`
}

// Spend is what the action is expected to cost. Amounts are exact decimals.
type Spend struct {
	Currency   string `json:"currency"`
	Amount     string `json:"amount,omitzero"` // absent: it could not be priced
	Basis      string `json:"basis"`           // "amount", "quantity", or "estimator NAME"
	Quantity   string `json:"quantity,omitzero"`
	Unit       string `json:"unit,omitzero"`
	Price      string `json:"price,omitzero"`
	PriceList  string `json:"price_list,omitzero"` // id, version and digest
	Limit      string `json:"limit,omitzero"`      // of the band that the amount falls in
	Top        string `json:"top,omitzero"`        // the ladder's highest limit
	Observed   bool   `json:"observed,omitzero"`   // observe mode: counts against no limit
	CostCentre string `json:"cost_centre,omitzero"`
}

// ReviewDue is the review that an executed action owes. It is named by the id
// of the decision that opened it.
type ReviewDue struct {
	By     []string  `json:"by"` // people and group:… whose task it is
	Due    time.Time `json:"due"`
	Reason string    `json:"reason"`           // "tier", "sample" or "boilerplate"
	NotBy  []string  `json:"not_by,omitempty"` // who approves under the authorization, or approved this call, and so does not review
}

// Ticket is a pend waiting for people. It is named by the id of the decision
// that opened it.
type Ticket struct {
	By      []string  `json:"by"` // people and group:… who may approve
	Quorum  int       `json:"quorum"`
	Expires time.Time `json:"expires"`
	// Capped says that an approval counts only from somebody whose ceiling in
	// the authority matrix the price does not exceed. Ceilings are those in its
	// currency.
	Capped   bool      `json:"capped,omitzero"`
	Ceilings []Ceiling `json:"ceilings,omitempty"`
}

// Terms are what a class asks of people and of the outcome.
type Terms struct {
	ApproveBy      []string
	ApproveQuorum  int
	ApproveWithin  time.Duration // a ticket's time to live
	ApproveCapped  bool          // the authority matrix says how much who may approve
	Ceilings       []Ceiling     // in every currency
	ApprovedBy     []string      // who approved this call, as [Pending.Present] found
	ReviewBy       []string
	ReviewWithin   time.Duration
	ReviewSample   uint64        // of the parameterized calls, for [Sampled]
	MaxOverdue     int           // reviews of the class, before it is braked
	AuditEvery     time.Duration // zero: no audit is asked for
	MaxUnexplained int           // acts that one audit finds, before the class is braked
	Repeated       bool          // the ledger has seen this rationale too often
	OmitResult     bool          // the outcome records nothing of the tool's result
	KeyResult      bool          // it records keyed digests of the result and of an error, and no size
	Lease          time.Duration // how long the outcome may take; zero: DefaultLease
	Durability     Durability
	Clock          time.Time // of the process, when it asks for admission; zero: the draft's At
}

// Durability says what a record survives before the call goes on. The zero
// Durability is DurabilityFsync.
type Durability uint8

const (
	// DurabilityFsync: the end of the process and of the machine.
	DurabilityFsync Durability = iota
	// DurabilityOS: the end of the process. After that of the machine the
	// last records can be missing. Only for what holds no budget and asks nobody.
	DurabilityOS
)

// TraceContext is the host's own trace at the time of the call, in W3C hex.
type TraceContext struct {
	TraceID string `json:"trace_id,omitzero"`
	SpanID  string `json:"span_id,omitzero"`
	Flags   byte   `json:"flags,omitzero"`
	State   string `json:"state,omitzero"`
}

// Status says how an allowed call ended. The zero Status is unknown.
type Status string

const (
	StatusSuccess     Status = "success"
	StatusError       Status = "error"
	StatusPanic       Status = "panic"
	StatusNotExecuted Status = "not_executed" // the tool provably did not run
	StatusUnknown     Status = "unknown"
)

// Outcome records what happened after an allowed decision: exactly one each.
type Outcome struct {
	Kind      Kind      `json:"kind"` // KindOutcome
	ID        string    `json:"id"`
	At        time.Time `json:"at"` // when it ended
	Decision  string    `json:"decision"`
	Started   time.Time `json:"started"`
	Status    Status    `json:"status"`
	Error     string    `json:"error,omitzero"`      // capped, escaped
	ErrorType string    `json:"error_type,omitzero"` // low cardinality
	// ResultDigest is the SHA-256 of the tool's result, ResultBytes its size. A
	// class that keeps no results has neither, or a keyed digest alone, which
	// then stands in Error too.
	ResultDigest string `json:"result_digest,omitzero"`
	ResultBytes  int64  `json:"result_bytes,omitzero"`
	Effect       string `json:"effect_id,omitzero"` // the id that the target system gave
	Spent        string `json:"spent,omitzero"`     // the actual amount, or the estimate
	// Sealed is what [Outcome.Seal] takes out of the other members.
	Sealed *Sealed `json:"sealed,omitzero"`
}

// Event names what a lifecycle record is about.
type Event string

const (
	EventLoaded    Event = "loaded"         // a document came into force in this process
	EventUnloaded  Event = "unloaded"       // it left
	EventRefused   Event = "refused"        // it did not load
	EventRevoked   Event = "revoked"        //
	EventSuspended Event = "suspended"      // by a document, or by a person (Suspension)
	EventResumed   Event = "resumed"        // a person ended a suspension by a person
	EventAudited   Event = "audited"        // an event log was held against the records (Audit), From and Until the times between
	EventAnswered  Event = "audit_answered" // a person answered for what the audit Answers found
	EventLapsed    Event = "lapsed"         // its standing changed by itself
	EventManifest  Event = "manifest"       // what the host runs
	EventMode      Event = "mode"           // observe began or ended
	EventPin       Event = "pin_mismatch"
	EventEvidence  Event = "evidence_restored"
	EventOpened    Event = "opened"   // a process opened the journal; what it found is in Damage
	EventDamaged   Event = "damaged"  // a part of the journal was lost while it was open
	EventRepaired  Event = "repaired" // damage was set aside, and a new journal began
	EventRetired   Event = "retired"  // segments that nothing needs any more were removed
	EventErased    Event = "erased"   // the key of a subject was destroyed, so that what is sealed with it can no longer be read
)

// Lifecycle records a change of what is authorized, with the exact bytes that
// say so.
type Lifecycle struct {
	Kind          Kind              `json:"kind"` // KindLifecycle
	ID            string            `json:"id"`
	At            time.Time         `json:"at"`
	Event         Event             `json:"event"`
	Agent         Agent             `json:"agent,omitzero"`
	Authorization *AuthorizationRef `json:"authorization,omitzero"`
	Standing      Standing          `json:"standing"`
	Document      string            `json:"document,omitzero"` // the file's name
	Digest        string            `json:"digest,omitzero"`
	Bytes         []byte            `json:"bytes,omitempty"`     // of the document, exact
	Signature     []byte            `json:"signature,omitempty"` // of the signature file, exact
	Supersedes    string            `json:"supersedes,omitzero"` // digest of the version before, or of the revocation that this one stands for
	Message       string            `json:"message,omitzero"`
	By            string            `json:"by,omitzero"`          // erased, resumed, audited, audit_answered, suspended by a person: who did it; Message says why
	Suspension    *Suspension       `json:"suspension,omitzero"`  // suspended by a person, resumed: what
	Audit         *Audit            `json:"audit,omitzero"`       // audited: the result
	Answers       string            `json:"answers,omitzero"`     // audit_answered: the id of the audit
	SubjectKey    string            `json:"subject_key,omitzero"` // erased: the id of the key
	Denied        int64             `json:"denied,omitzero"`      // evidence_restored: how many calls were denied meanwhile
	From          time.Time         `json:"from,omitzero"`
	Until         time.Time         `json:"until,omitzero"`
	Previous      *Head             `json:"previous,omitzero"` // repaired: the end of what could be verified before; retired: of what was removed
	Damage        []Damage          `json:"damage,omitempty"`  // opened: a torn end that was cut; repaired: what was set aside
}

// Damage is a part of a journal's files that could not be read as records.
type Damage struct {
	File    string `json:"file"`             // name in the journal's folder; for what was set aside, its new name
	Offset  int64  `json:"offset"`           // of the first byte that could not be read
	Bytes   int64  `json:"bytes"`            // from there to the end of the file
	Problem string `json:"problem"`          // one line, for people
	Digest  string `json:"digest,omitzero"`  // of the whole file, where it was set aside
	Missing bool   `json:"missing,omitzero"` // the file itself was gone
}

func (d *Decision) RecordKind() Kind      { return KindDecision }
func (d *Decision) RecordID() string      { return d.ID }
func (d *Decision) RecordTime() time.Time { return d.At }

func (o *Outcome) RecordKind() Kind      { return KindOutcome }
func (o *Outcome) RecordID() string      { return o.ID }
func (o *Outcome) RecordTime() time.Time { return o.At }

func (s *Settlement) RecordKind() Kind      { return KindSettlement }
func (s *Settlement) RecordID() string      { return s.ID }
func (s *Settlement) RecordTime() time.Time { return s.At }

func (l *Lifecycle) RecordKind() Kind      { return KindLifecycle }
func (l *Lifecycle) RecordID() string      { return l.ID }
func (l *Lifecycle) RecordTime() time.Time { return l.At }
