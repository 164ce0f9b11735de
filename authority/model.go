package authority

import (
	"time"

	"github.com/govalues/decimal"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/internal/yamldoc"
	"github.com/ambit-go/ambit/rationale"
)

// The model is what decoding makes of the documents: typed, positioned and
// valid by itself, but not yet compiled against a manifest.

// text is a scalar with the place where it stands, for later errors.
type text struct {
	Value string
	Node  yamldoc.Node
}

// source is where a document came from.
type source struct {
	Name      string
	File      *yamldoc.File // nil once it is forgotten
	Digest    string        // sha256:… of the exact bytes
	Data      []byte
	Signature []byte
	Signers   int             // distinct trusted keys that signed, valid at signing time
	Signed    bool            // by the quorum that its kind and body require
	signers   map[string]bool // their ids
}

type person struct {
	ID   string
	Role string
	Node yamldoc.Node
}

// grantDoc is one version of an Authorization.
type grantDoc struct {
	source
	ID           text
	Version      int
	Supersedes   string
	Summary      string
	Owner        person
	Agent        text
	Environments []string
	Critical     bool
	Pins         pins
	Grant        grant
	Every        time.Duration // reauthorize.every
	Lapsed       lapsed        // when_lapsed
	ObserveUntil time.Time     // zero: not granted
	Approval     approval
	Review       review
	Audit        audit
	Classes      []classDoc

	// What follows is computed once all documents are read.

	competes  period // when it is the version of its id that classifies
	stretches []stretch
	ref       rationale.AuthorizationRef // without NextReview and Controls
	terms     rationale.Terms
}

// audit is how often an event log is held against the records, and how much it may
// find.
type audit struct {
	Every          time.Duration // zero: never
	MaxUnexplained int           // default 0
}

type lapsed uint8

const (
	lapsedDenies lapsed = iota
	lapsedRecommends
)

type pins struct {
	Models []modelPin
	Prompt string
	Tools  []toolPin
}

type modelPin struct{ Provider, Name, Version string }

type toolPin struct {
	Tool   classify.ToolID
	Digest string
	Node   yamldoc.Node
}

type grant struct {
	Body      text
	By        []person
	Consulted []person
	At        time.Time
	Expires   time.Time
	Record    string
}

type approval struct {
	By     []text        // person ids and group:…; default: grant.by
	Quorum int           // default 1
	TTL    time.Duration // default 30m
}

type review struct {
	By         []text          // empty: not given
	Within     time.Duration   // default 48h
	Sample     decimal.Decimal // share in [0, 1]
	MaxOverdue int             // default 5
	Node       yamldoc.Node    // of the review mapping; zero where there is none
}

type classDoc struct {
	ID           text
	Domain       string
	Tools        []toolPattern
	When         text // empty Value: none
	Tier         classify.Tier
	Read         bool // effect: read
	ObserveUntil time.Time
	Allow        []allowRule // sorted by path
	Bounds       []boundRule
	Escalate     []escalateRule
	Spend        *spendRule
	Rate         *rateRule         // nil: none
	Rationale    []rationale.Field // nil: the default by tier; empty and non-nil: none
	Record       recordPolicy
	Durability   rationale.Durability
	Fallback     string
	Controls     []string
	Node         yamldoc.Node
}

type toolPattern struct {
	Pattern classify.Pattern
	Node    yamldoc.Node
}

// allowRule is membership: the value at Path must be one of Values.
type allowRule struct {
	Path     text // such as args.region
	Values   []allowValue
	texts    []string // those of Values that are Strings
	Why      string   // of a baseline
	Baseline bool
}

// allowValue is one member: a String, an Int or a Bool.
type allowValue struct {
	Value strictjson.Value
	Node  yamldoc.Node
}

type boundRule struct {
	Expr     text
	Why      string
	Baseline bool
}

type escalateRule struct {
	When text
	To   classify.Tier
	Code string
}

// ladder is the per-event limits by tier; absent rungs are nil. Present ones
// rise strictly.
type ladder map[classify.Tier]decimal.Decimal

type spendRule struct {
	Currency   string
	Amount     text             // path of an exact amount; or
	Quantity   text             // an integer expression times a price
	Unit       text             // path of the unit that selects the price; empty: Price
	Price      *decimal.Decimal // the one price
	Prices     map[string]decimal.Decimal
	PriceList  text          // id of a PriceList document, without "PriceList/"
	Per        time.Duration // what an inline price is for; default 1h with a horizon
	Horizon    time.Duration // zero: prices are per unit, not per time
	Estimator  text          // name of a Go estimator
	PerEvent   ladder
	Windows    []windowRule
	CostCentre string
	Node       yamldoc.Node
}

// disposal says where a field of a record is kept.
type disposal uint8

const (
	keepJournal disposal = iota // in the evidence, not in telemetry
	keepTelemetry
	keepHMAC
	keepDrop
)

// recordPolicy says where each field of a record is kept. The stricter
// disposals are the greater ones.
type recordPolicy struct {
	Arguments, Rationale, Reasoning, Facts, Results disposal
	keyed                                           yamldoc.Node // the first hmac; zero: none
}

// matrixDoc is the delegation-of-authority table.
type matrixDoc struct {
	source
	Version    int
	Domains    []domainDoc
	Bodies     []bodyDoc
	Approvers  []approverDoc
	Baselines  []baselineDoc
	Budgets    []budgetRule
	LocalUsers map[string]localUser
	SettledBy  []string // ids and group:…
	ResumedBy  []string
	AuditedBy  []string
}

// localUser is whom an OS user of the host's machine stands for.
type localUser struct {
	ID     string // default: the OS user's name
	Groups []string
}

type domainDoc struct {
	Name     string
	Patterns []toolPattern
}

type bodyDoc struct {
	ID       string
	Mandate  string
	Keys     []keyDoc
	Quorum   int
	Domains  []string
	Currency string
	Term     time.Duration // zero: no ceiling
	PerEvent ladder
	Node     yamldoc.Node
}

type keyDoc struct {
	ID          string    // sha256:… of the raw Ed25519 public key
	From, Until time.Time // Until is zero: no end
}

type approverDoc struct {
	Group    string
	Person   string
	Currency string
	UpTo     decimal.Decimal
}

type baselineDoc struct {
	Domain string
	Allow  []allowRule
	Bounds []boundRule
	Why    string
}

type priceListDoc struct {
	source
	ID       text
	Version  int
	Currency string
	Per      time.Duration // zero: per unit, not per time
	Prices   map[string]decimal.Decimal
}

// reaffirmationDoc moves the next review of an authorization version.
type reaffirmationDoc struct {
	source
	Authorization text
	Version       int // zero: every version
	By            []person
	At            time.Time
	Record        string
}

// haltDoc is a Revocation or a Suspension. It binds by authorization id, or by
// agent id, or both wildcards ("*"), and from At on.
type haltDoc struct {
	source
	Revocation    bool   // else a Suspension
	Authorization string // an id, or "*"; empty: by Agent
	Agent         string // an id, or "*"
	By            []person
	At            time.Time
	Until         time.Time // of a Suspension; zero: until the document is removed
	Reason        string
	Supersedes    string // digest of a former revocation that this one stands for
}

// documents is everything that a folder of policy says.
type documents struct {
	Grants         []*grantDoc
	Matrix         *matrixDoc
	PriceLists     []*priceListDoc
	Reaffirmations []*reaffirmationDoc
	Halts          []*haltDoc
}
