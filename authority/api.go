package authority

import (
	"encoding/json"
	"time"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

// Document is one file of policy: its name, its exact bytes, and the exact
// bytes of its detached signature (<name>.dsse.json), nil where there is none.
type Document struct {
	Name      string
	Data      []byte
	Signature []byte
}

// Call is one tool invocation as the host presents it. Everything but the
// arguments comes from the host, never from the model.
type Call struct {
	At        time.Time // the guard's clock, never going backwards
	Agent     rationale.Agent
	Model     rationale.Model // Pin is ignored
	Prompt    string          // digest of the prompt template; empty if the host gives none
	Tool      classify.ToolID
	CallID    string
	Arguments []byte // raw JSON, without the reserved rationale parameter; none at all counts as {}
	// Derive computes a derived value of this tool from a copy of the checked
	// argument bytes. Nil where the host derives nothing.
	Derive func(name string, arguments json.RawMessage) (any, error)
}

// FactRequest names a fact that the class of a call reads.
type FactRequest struct {
	Name string
	// Key tells apart the values of one fact for different arguments: it is
	// equal only where the values at the fact's By paths are, and where one of
	// them is absent only for equal arguments. At most 256 bytes; empty without By.
	Key string
}

// FactValue is what the host answered for a fact. A FactValue with an Err, an
// absent one, and one older than the fact's MaxAge are unavailable.
type FactValue struct {
	Value any // bool, integer, float, string, time.Time, time.Duration, slice or string map of these
	At    time.Time
	Err   error
}

// Estimate is what a Go estimator answered.
type Estimate struct {
	Amount   string // exact decimal, such as "129.95"
	Currency string // ISO 4217
	Err      error
}

// Input is what a host supplies for the second half of an evaluation.
type Input struct {
	Facts     map[string]FactValue
	Estimate  *Estimate
	Rationale *rationale.Rationale
	// Malformed says why the rationale could not be read; empty if it could.
	Malformed string
	// Read reports whether that call id was executed earlier in the session.
	// Nil: nothing was.
	Read func(callID string) bool
}
