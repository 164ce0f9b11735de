package measure

import (
	"errors"
	"fmt"
)

// Agree asks every implementation of a case every input that it can answer, and
// returns a [Disagreement] for each answer that differs from the first
// implementation's. It also runs each once over a few operations and compares
// how many were allowed, since what is timed must be what was asked.
func Agree(c Case) error {
	var errs []error
	for i, input := range c.Inputs {
		var first *Impl
		var want string
		for k := range c.Impls {
			impl := &c.Impls[k]
			if _, lacks := impl.Lacks[input.Needs]; lacks || impl.Answer == nil {
				continue
			}
			got := impl.Answer(i)
			if first == nil {
				first, want = impl, got
			} else if got != want {
				errs = append(errs, &Disagreement{c.Name, input.Name, first.Name, want, impl.Name, got})
			}
		}
	}
	return errors.Join(append(errs, sameRuns(c))...)
}

// sampled is how many operations of a run are compared.
const sampled = 64

func sameRuns(c Case) error {
	if c.Slow {
		return nil
	}
	var first *Impl
	want := 0
	for k := range c.Impls {
		impl := &c.Impls[k]
		if impl.Answer == nil || impl.Run == nil {
			continue
		}
		got := impl.Run(sampled)
		if impl.After != nil {
			if err := impl.After(); err != nil {
				return fmt.Errorf("case %s, %s: %w", c.Name, impl.Name, err)
			}
		}
		if first == nil {
			first, want = impl, got
		} else if got != want {
			text := func(n int) string { return fmt.Sprintf("%d of %d allowed", n, sampled) }
			return &Disagreement{c.Name, "what is timed", first.Name, text(want), impl.Name, text(got)}
		}
	}
	return nil
}

// Disagreement is an input to which two implementations gave different answers.
type Disagreement struct {
	Case, Input, First, Want, Impl, Got string
}

func (d *Disagreement) Error() string {
	return fmt.Sprintf("case %s, input %q: %s says %q, %s says %q", d.Case, d.Input, d.First, d.Want, d.Impl, d.Got)
}

// Stale returns an error for each input that an implementation is excused from
// although it would give the first implementation's answer.
func Stale(c Case) error {
	var errs []error
	differs := map[[2]string]bool{} // by implementation and need
	for i, input := range c.Inputs {
		for k := range c.Impls[1:] {
			impl := &c.Impls[k+1]
			if _, lacks := impl.Lacks[input.Needs]; !lacks || impl.Answer == nil || c.Impls[0].Answer == nil {
				continue
			}
			key := [2]string{impl.Name, input.Needs}
			differs[key] = differs[key] || impl.Answer(i) != c.Impls[0].Answer(i)
		}
	}
	for key, some := range differs {
		if !some {
			errs = append(errs, fmt.Errorf("case %s: %s is excused from %q and needs no excuse", c.Name, key[0], key[1]))
		}
	}
	return errors.Join(errs...)
}
