package rationale

import (
	"errors"
	"fmt"
)

// Suspension names what is suspended by a person, at once, whatever the documents
// say: an agent, an authorization, a class of an authorization, or everything.
// Exactly one is set, and Class only beside Authorization.
type Suspension struct {
	Everything    bool   `json:"everything,omitzero"`
	Agent         string `json:"agent,omitzero"`
	Authorization string `json:"authorization,omitzero"`
	Class         string `json:"class,omitzero"`
}

// Validate returns nil if the suspension says what it suspends.
func (s Suspension) Validate() error {
	named := 0
	for _, is := range []bool{s.Everything, s.Agent != "", s.Authorization != ""} {
		if is {
			named++
		}
	}
	switch {
	case named != 1:
		return errors.New("a suspension names an agent, an authorization, or everything: one of them")
	case s.Class != "" && s.Authorization == "":
		return errors.New("a class is suspended as one of an authorization: name both")
	case Printable(s.String()) != s.String() || len(s.String()) > maxWords:
		return errors.New("what is suspended is named by printable text")
	}
	return nil
}

// Concerns reports whether a call is suspended by it.
func (s Suspension) Concerns(d *Decision) bool {
	switch {
	case s.Everything:
		return true
	case s.Agent != "":
		return s.Agent == d.Agent.ID
	case s.Authorization != "" && d.Authorization != nil:
		return s.Authorization == d.Authorization.ID && (s.Class == "" || s.Class == d.Class)
	}
	return false
}

// String names what is suspended.
func (s Suspension) String() string {
	switch {
	case s.Everything:
		return "everything"
	case s.Agent != "":
		return "agent " + s.Agent
	case s.Class != "":
		return fmt.Sprintf("class %s of authorization %s", s.Class, s.Authorization)
	}
	return "authorization " + s.Authorization
}
