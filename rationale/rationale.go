package rationale

// Parameter is the reserved object parameter that adapters add to the schema
// of every guarded tool that has a writing class. It is stripped before
// anything else sees the arguments.
const Parameter = "_rationale"

// Rationale is what the agent gave as its reasons, before the act. It is a
// claim: untrusted text, never an input to the decision.
type Rationale struct {
	Purpose      string        `json:"purpose,omitzero"`
	Expected     string        `json:"expected,omitzero"`
	Alternatives []Alternative `json:"alternatives,omitempty"`
	Evidence     []string      `json:"evidence,omitempty"` // earlier call ids, or links
	Fallback     string        `json:"fallback,omitzero"`
	Uncertainty  string        `json:"uncertainty,omitzero"`

	// Text is what the model said in the same turn, Reasoning its reasoning
	// text, where the framework gives them; Source names where they came from.
	Text      string `json:"text,omitzero"`
	Reasoning string `json:"reasoning,omitzero"`
	Source    string `json:"source,omitzero"`
}

// Alternative is an option that the agent did not take.
type Alternative struct {
	Option   string `json:"option"`
	Rejected string `json:"rejected"` // why
}

// Field names a part of the rationale that a class can require.
type Field string

const (
	Purpose      Field = "purpose"
	Expected     Field = "expected"
	Alternatives Field = "alternatives" // at least one, with why it was rejected
	Evidence     Field = "evidence"     // at least one, and each really read earlier in the session
	Fallback     Field = "fallback"
	Uncertainty  Field = "uncertainty"
)

// RationaleCheck says on what basis a rationale was accepted, or what it lacks.
type RationaleCheck struct {
	Required []Field `json:"required,omitempty"`
	Missing  []Field `json:"missing,omitempty"`
	// Found and NotFound are the cited call ids that were, or were not, read
	// earlier in the session; Links are cited links, which are not followed.
	Found     []string `json:"found,omitempty"`
	NotFound  []string `json:"not_found,omitempty"`
	Links     []string `json:"links,omitempty"`
	Malformed string   `json:"malformed,omitzero"` // why the parameter could not be read
	Complete  bool     `json:"complete"`

	// Told is NotFound as the refusal has it, where the class does not keep what
	// was cited. It is not recorded.
	Told []string `json:"-"`
}
