package authority

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/ambit-go/ambit/internal/celplan"
)

// shadowCounts counts comparisons of the two evaluators of CEL.
type shadowCounts struct{ compared, differed atomic.Uint64 }

// Disagreements returns how many evaluations of an expression [WithShadow] has
// compared, and in how many the two evaluators disagreed: in this Set, in those
// that it follows, and in those that follow it by [Set.Register] and
// [Set.Reload].
func (s *Set) Disagreements() (compared, differed uint64) {
	if s == nil {
		return 0, 0
	}
	return s.counts.compared.Load(), s.counts.differed.Load()
}

// disagreement is the error of an expression of which the two evaluators say
// different things. It denies, whatever the expression is for.
type disagreement struct{ native, reference string }

func (d *disagreement) Error() string { return d.about("an expression") }

func (d *disagreement) about(rule string) string {
	return fmt.Sprintf("the two evaluators of CEL disagree on %s: the native one %s, cel-go %s", rule, d.native, d.reference)
}

func disagrees(err error) bool {
	if err == nil {
		return false
	}
	_, ok := errors.AsType[*disagreement](err)
	return ok
}

// holds evaluates a Bool rule.
func (e *evaluation) holds(r *rule) (bool, error) {
	v, err := r.program.Bool(&e.frame)
	if !e.shadow || r.reference == nil {
		return v, err
	}
	other, otherErr := r.reference.ReferenceBool(&e.frame)
	if e.agree(err, otherErr, v == other) {
		return v, err
	}
	return v, disagree(err, otherErr, strconv.FormatBool(v), strconv.FormatBool(other))
}

// number evaluates an Int rule.
func (e *evaluation) number(r *rule) (int64, error) {
	v, err := r.program.Int(&e.frame)
	if !e.shadow || r.reference == nil {
		return v, err
	}
	other, otherErr := r.reference.ReferenceInt(&e.frame)
	if e.agree(err, otherErr, v == other) {
		return v, err
	}
	return v, disagree(err, otherErr, strconv.FormatInt(v, 10), strconv.FormatInt(other, 10))
}

// agree counts a comparison. The reference may end at a limit that the native
// evaluation, which does less work, comes nowhere near: that is no difference.
func (e *evaluation) agree(native, reference error, equal bool) bool {
	e.set.counts.compared.Add(1)
	switch {
	case celplan.LimitExceeded(reference) && !celplan.LimitExceeded(native):
		return true
	case native == nil && reference == nil && equal, native != nil && reference != nil:
		return true
	}
	e.set.counts.differed.Add(1)
	return false
}

func disagree(native, reference error, value, other string) error {
	return &disagreement{native: outcome(native, value), reference: outcome(reference, other)}
}

// outcome is what an evaluator says, in words without CEL source.
func outcome(err error, value string) string {
	if err != nil {
		return "fails (" + err.Error() + ")"
	}
	return "says " + value
}
