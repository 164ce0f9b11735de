package classify

// Candidate is one class that competes for a call.
type Candidate struct {
	Pattern    Pattern // the pattern of the class that matches the tool
	Prohibited bool
	// When reports whether the class's condition holds. Nil means that the
	// class has no condition and always holds. It may be called once a call.
	When func() (bool, error)
}

// Outcome says how a classification ended.
type Outcome uint8

const (
	// Unclassified: no candidate holds. It is the zero Outcome.
	Unclassified Outcome = iota
	// Classified: exactly one candidate holds.
	Classified
	// Ambiguous: two or more candidates of the most specific pattern hold.
	Ambiguous
	// Failed: a condition that had to be asked returned an error.
	Failed
)

// Result is the outcome of one classification.
type Result struct {
	Outcome Outcome
	// Index is the position of the candidate that holds (Classified), of the
	// one whose condition failed (Failed), or -1.
	Index int
	// Also lists every candidate that holds when the outcome is Ambiguous.
	Also []int
	Err  error // non-nil if and only if Outcome is Failed
}

// Choose picks the class of a call among candidates whose patterns all match
// its tool, ordered as [Pattern.Compare] orders them.
//
// Prohibited candidates are asked first and apart, whatever their pattern: the
// first that holds ends it, and so does an error. Among the rest only those of
// the most specific pattern are asked; exactly one must hold. A condition that
// does not hold never falls through to a less specific pattern.
func Choose(candidates []Candidate) Result {
	for i, c := range candidates {
		if !c.Prohibited {
			continue
		}
		if holds, err := c.holds(); err != nil {
			return Result{Outcome: Failed, Index: i, Err: err}
		} else if holds {
			return Result{Outcome: Classified, Index: i}
		}
	}
	return chooseAllowed(candidates)
}

func chooseAllowed(candidates []Candidate) Result {
	var (
		found   []int
		pattern Pattern
		started bool
	)
	for i, c := range candidates {
		if c.Prohibited {
			continue
		}
		if started && c.Pattern != pattern {
			break
		}
		started, pattern = true, c.Pattern
		holds, err := c.holds()
		if err != nil {
			return Result{Outcome: Failed, Index: i, Err: err}
		}
		if holds {
			found = append(found, i)
		}
	}
	switch len(found) {
	case 0:
		return Result{Outcome: Unclassified, Index: -1}
	case 1:
		return Result{Outcome: Classified, Index: found[0]}
	default:
		return Result{Outcome: Ambiguous, Index: -1, Also: found}
	}
}

func (c Candidate) holds() (bool, error) {
	if c.When == nil {
		return true, nil
	}
	return c.When()
}
