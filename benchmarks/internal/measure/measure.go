// Package measure times implementations of one piece of work against each
// other: in short turns, so that whatever else the machine does falls on all of
// them, and after their answers were found to be equal.
package measure

import (
	"regexp"
	"runtime"
	"sync"
)

// Group is cases that are timed in the same rounds, so that numbers of one can
// be divided by numbers of another.
type Group struct {
	Cases []Case
	Close func() // may be nil
}

// Case is one piece of work, done by several implementations.
type Case struct {
	Name string
	// Inputs are asked of every implementation before any is timed. May be
	// empty, where there is nothing to answer.
	Inputs []Input
	Impls  []Impl
	// Slow says that one operation takes long: none is made only to be compared.
	Slow bool
}

// Input is one question. Needs names what an implementation must be able to do
// to answer it; empty for what all of them can.
type Input struct {
	Name  string
	Needs string
}

// Impl is one way to do the work.
type Impl struct {
	Name string
	// Run does n operations, one after the other on the inputs that are timed,
	// and returns how many of them were allowed.
	Run func(n int) int
	// Answer returns what comes out for Inputs[i]. Nil: nothing is compared.
	Answer func(i int) string
	// Lacks says why an input that needs something is not asked of it.
	Lacks map[string]string
	// Warm is how many operations at least are made before each turn, for one that
	// reads more memory than others leave in the processor's caches.
	Warm int
	// Least is how many operations a turn has at least, for one that makes several
	// at the same time.
	Least int
	// After ends a turn, outside of its time: it waits for what the turn has
	// started and says if something was lost. May be nil.
	After func() error
	// Once, where not nil, stands in for all of this: it is called once and
	// returns the numbers.
	Once func() (Result, error)
}

// Result is what one operation takes.
type Result struct {
	Case     string  `json:"case"`
	Impl     string  `json:"impl"`
	NsOp     float64 `json:"ns_op"`
	BOp      int64   `json:"b_op"`
	AllocsOp int64   `json:"allocs_op"`
	// Spread is half the distance between the quartiles of the rounds, as a part
	// of the median.
	Spread float64 `json:"-"`
}

// Select keeps the cases and implementations whose names match. The nil
// expression matches all. A case of which no implementation is left goes too.
func (g Group) Select(cases, impls *regexp.Regexp) Group {
	kept := g
	kept.Cases = nil
	for _, c := range g.Cases {
		if cases != nil && !cases.MatchString(c.Name) {
			continue
		}
		var left []Impl
		for _, impl := range c.Impls {
			if impls == nil || impls.MatchString(impl.Name) {
				left = append(left, impl)
			}
		}
		if c.Impls = left; len(left) > 0 {
			kept.Cases = append(kept.Cases, c)
		}
	}
	return kept
}

// Parallel returns a Run that spreads its operations over all cores. Each
// goroutine has a Run of its own, made by worker.
func Parallel(worker func() func(n int) int) func(n int) int {
	cores := runtime.GOMAXPROCS(0)
	workers := make([]func(int) int, cores)
	for i := range workers {
		workers[i] = worker()
	}
	return func(n int) int {
		allowed := make([]int, cores)
		var wg sync.WaitGroup
		for i, run := range workers {
			share := n / cores
			if i < n%cores {
				share++
			}
			wg.Go(func() { allowed[i] = run(share) })
		}
		wg.Wait()
		total := 0
		for _, n := range allowed {
			total += n
		}
		return total
	}
}

// Asked is an implementation that says yes or no to inputs that are ready, of
// which the first timed are asked over and over. One that takes nanoseconds has
// a loop of its own, for a call through holds would count.
func Asked[T any](name string, inputs []T, timed int, holds func(T) bool, lacks map[string]string) Impl {
	return Impl{
		Name: name,
		Run: func(n int) int {
			allowed := 0
			for i := range n {
				if holds(inputs[i%timed]) {
					allowed++
				}
			}
			return allowed
		},
		Answer: func(i int) string { return Answer(holds(inputs[i])) },
		Lacks:  lacks,
	}
}

// Answer is what an implementation that says yes or no answers.
func Answer(allowed bool) string {
	if allowed {
		return "allow"
	}
	return "deny"
}
