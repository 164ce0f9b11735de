package classify

// Candidate is one class that competes for a call.
type Candidate struct {
	Pattern    Pattern // the pattern of the class that matches the tool
	Prohibited bool
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
// its tool. The prohibited ones and the others are each ordered as
// [Pattern.Compare] orders them. when reports whether the condition of
// candidates[i] holds; it is called at most once for each, in their order.
//
// Prohibited candidates are asked first and apart, whatever their pattern: the
// first that holds ends it, and so does an error. Among the rest only those of
// the most specific pattern are asked; exactly one must hold. A condition that
// does not hold never falls through to a less specific pattern.
//
// A candidate of which the caller knows that its condition does not hold may be
// left out, unless it is the last of its pattern and there are less specific
// ones. Choose allocates only where the outcome is Ambiguous.
func Choose(candidates []Candidate, when func(i int) (holds bool, err error)) Result {
	chosen := Result{Index: -1}
	specific := -1 // the first of the most specific pattern
	for i := range candidates {
		if !candidates[i].Prohibited {
			if specific < 0 {
				specific = i
			}
			continue
		}
		if holds, err := when(i); err != nil {
			return Result{Outcome: Failed, Index: i, Err: err}
		} else if holds {
			return Result{Outcome: Classified, Index: i}
		}
	}
	if specific < 0 {
		return chosen
	}
	for i := specific; i < len(candidates); i++ {
		c := &candidates[i]
		if c.Prohibited {
			continue
		}
		if i > specific && c.Pattern != candidates[specific].Pattern {
			break
		}
		holds, err := when(i)
		if err != nil {
			return Result{Outcome: Failed, Index: i, Err: err}
		}
		if holds {
			chosen.add(i)
		}
	}
	return chosen
}

// add adds a candidate that holds.
func (r *Result) add(i int) {
	switch r.Outcome {
	case Unclassified:
		r.Outcome, r.Index = Classified, i
	case Classified:
		r.Outcome, r.Also, r.Index = Ambiguous, []int{r.Index, i}, -1
	default:
		r.Also = append(r.Also, i)
	}
}
