package rationale

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Audit is the result of one: how many acts of an authorization's agents an
// independent event log has that no record explains. With more than the authorization
// allows, its classes wait for people until somebody has answered for them.
type Audit struct {
	Authorization string `json:"authorization"`
	Unexplained   int    `json:"unexplained"`  // acts without a record
	Unauthorized  int    `json:"unauthorized"` // acts beyond what was decided
	Judged        int    `json:"judged"`       // mutating acts that were judged, those two among them
}

// Validate returns nil if the result, which covers from and until and is recorded
// at a time, can be one.
func (a Audit) Validate(from, until, at time.Time) error {
	switch {
	case strings.TrimSpace(a.Authorization) == "" || Printable(a.Authorization) != a.Authorization || len(a.Authorization) > maxWords:
		return errors.New("an audit names the authorization that it judged, in printable text")
	case a.Unexplained < 0 || a.Unauthorized < 0 || a.Judged < a.Unexplained+a.Unauthorized:
		return fmt.Errorf("an audit cannot find %d acts unexplained and %d unauthorized among %d", a.Unexplained, a.Unauthorized, a.Judged)
	case !from.Before(until) || until.After(at):
		return errors.New("an audit covers a stretch of time that is over")
	}
	return nil
}

// Found counts the acts that somebody has to answer for.
func (a Audit) Found() int { return a.Unexplained + a.Unauthorized }
