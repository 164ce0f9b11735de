package rationale

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Finding is how a review comes out.
type Finding string

const (
	Upheld             Finding = "upheld"
	UpheldWithAction   Finding = "upheld_with_action"  // right, and something has to follow
	Overturned         Finding = "overturned"          // it should not have been done
	InsufficientRecord Finding = "insufficient_record" // nobody can tell from the records
)

// Review is one person's judgement of an action that was taken.
type Review struct {
	Kind     Kind      `json:"kind"` // KindReview
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Decision string    `json:"decision"` // that owes the review
	By       Person    `json:"by"`
	Finding  Finding   `json:"finding"`
	Why      string    `json:"why,omitzero"`    // required unless it is upheld
	Action   string    `json:"action,omitzero"` // what has to follow; required of upheld_with_action

	// What follows is the decision's, and set by [Decision.Reviewed].

	Reason        string            `json:"reason"` // why a review was owed
	Owed          time.Time         `json:"owed"`   // since
	Due           time.Time         `json:"due"`
	ActionDigest  string            `json:"action_digest,omitzero"`
	Agent         Agent             `json:"agent"`
	Tool          Tool              `json:"tool"`
	Class         string            `json:"class,omitzero"`
	Authorization *AuthorizationRef `json:"authorization,omitzero"`
	Host          TraceContext      `json:"host,omitzero"` // of the decision
}

func (r *Review) RecordKind() Kind      { return KindReview }
func (r *Review) RecordID() string      { return r.ID }
func (r *Review) RecordTime() time.Time { return r.At }

// Reviewed checks a review of the decision, and completes it from there. It
// returns nil if the review counts, and otherwise why it does not: it comes from
// a person whom the decision names as reviewer, who neither owns the
// authorization, nor approves under it, nor asked for the call.
func (d *Decision) Reviewed(r *Review) error {
	if d.Review == nil {
		return errors.New("it owes no review")
	}
	if err := r.check(); err != nil {
		return err
	}
	if err := d.uninvolved(r.By); err != nil {
		return err
	}
	switch {
	case !r.By.Among(d.Review.By):
		return fmt.Errorf("%s is not one of those who review it: %s", Printable(r.By.ID), Printable(strings.Join(d.Review.By, ", ")))
	case r.By.Among(d.Review.NotBy):
		return fmt.Errorf("%s approves under this authorization: somebody else must review", Printable(r.By.ID))
	}
	r.Reason, r.Owed, r.Due, r.ActionDigest = d.Review.Reason, d.At, d.Review.Due, d.ActionDigest
	r.Agent, r.Tool, r.Class, r.Authorization, r.Host = d.Agent, d.Tool, d.Class, d.Authorization, d.Host
	return nil
}

func (r *Review) check() error {
	switch r.Finding {
	case Upheld:
	case UpheldWithAction:
		if strings.TrimSpace(r.Action) == "" {
			return fmt.Errorf("%s needs the action that has to follow", r.Finding)
		}
	case Overturned, InsufficientRecord:
		if strings.TrimSpace(r.Why) == "" {
			return fmt.Errorf("%s needs a reason", r.Finding)
		}
	default:
		return fmt.Errorf("the finding is %q, want %s, %s, %s or %s", Clip(Printable(string(r.Finding)), 64), Upheld, UpheldWithAction, Overturned, InsufficientRecord)
	}
	return checkWords(r.By, r.Why, r.Action)
}

// Sampled reports whether the decision of that id is in a sample: if and only if
// the first 63 bits of the SHA-256 of the id, as a number, are below the share,
// which is given in parts of 2^63.
func Sampled(id string, share uint64) bool {
	sum := sha256.Sum256([]byte(id))
	return binary.BigEndian.Uint64(sum[:8])>>1 < share
}
