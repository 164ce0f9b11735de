// Package scaling is the cases check, check-deny, scan-floor and parallel: a tool
// call from its raw JSON to a verdict, under one authorization.
//
// A check identifies the tool and the agent, refuses arguments that do not fit
// the tool's schema, finds the class, and then evaluates everything that is in
// scope, so that a refusal names all that failed: standing and the pinned model,
// two allow-lists, two bounds, two triggers, the price and the band it falls in.
// Facts come from a snapshot. Nothing is recorded.
//
// No peer has all of this. What its language cannot say, its host says in Go
// (see host.go), at next to no cost; prices are integers of a ten-thousandth of
// a euro there, which is as exact as decimals.
package scaling

import (
	"fmt"
	"time"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

// question is one call with what the host knows of it.
type question struct {
	name, needs        string
	agent, environment string
	model              string
	tool               string
	at                 time.Time
	args               []byte
	facts              snapshot
}

// snapshot is the facts of one workload; a nil one could not be had.
type snapshot struct {
	taken   time.Time
	current *int64 // replicas
	freeze  *bool
}

// What only some can answer.
const (
	needsStrict   = "JSON that encoding/json takes and another parser reads otherwise"
	needsOverflow = "arithmetic that leaves int64 is an error"
)

// timed is how many questions are asked while time is taken: a power of two. The
// first so many are allowed, the next so many denied.
const timed = 16

// engine prepares an implementation and returns how it answers.
type engine struct {
	name  string
	make  func(qs []question) (func(q *question, i int) outcome, error)
	lacks map[string]string
}

var (
	noOverflow = map[string]string{needsStrict: "encoding/json", needsOverflow: "integers wrap"}
	anySize    = map[string]string{needsStrict: "encoding/json", needsOverflow: "numbers have any size"}
	lenient    = map[string]string{needsStrict: "encoding/json"}
)

var engines = []engine{
	{"ambit", ambit, nil},
	{"cel-go+encoding/json", celGoMap, lenient},
	{"cel-go+encoding/json-struct", celGoStruct, lenient},
	{"expr", exprLang, noOverflow},
	{"cedar-go", cedarGo, lenient},
	{"opa", opa, anySize},
	{"handwritten", handwritten, nil},
}

// Cases returns the cases, which are one group: their numbers are divided by
// each other.
func Cases() ([]measure.Case, error) {
	qs := questions()
	check, err := checkCase("check", qs, 0)
	if err != nil {
		return nil, err
	}
	deny, err := checkCase("check-deny", qs, timed)
	if err != nil {
		return nil, err
	}
	floor := measure.Case{Name: "scan-floor", Impls: []measure.Impl{{Name: "scan-floor", Run: scanner(qs)}}}
	parallel, err := parallelCase(qs)
	return []measure.Case{check, deny, floor, parallel}, err
}

func checkCase(name string, qs []question, from int) (measure.Case, error) {
	c := measure.Case{Name: name}
	for _, q := range qs {
		c.Inputs = append(c.Inputs, measure.Input{Name: q.name, Needs: q.needs})
	}
	for _, e := range engines {
		check, err := e.make(qs)
		if err != nil {
			return c, fmt.Errorf("case %s, %s: %w", name, e.name, err)
		}
		c.Impls = append(c.Impls, measure.Impl{
			Name: e.name, Lacks: e.lacks,
			Run:    repeat(qs, check, from),
			Answer: func(i int) string { return check(&qs[i], i).String() },
		})
	}
	return c, nil
}

// repeat asks the questions from an index on, over and over.
func repeat(qs []question, check func(*question, int) outcome, from int) func(int) int {
	return func(n int) int {
		allowed := 0
		for i := range n {
			at := from + i%timed
			if check(&qs[at], at).verdict == allow {
				allowed++
			}
		}
		return allowed
	}
}

// parallelCase has the check and what it is compared with on all cores, which
// share one set of rules; how much faster that is than on one shows what else
// they share.
func parallelCase(qs []question) (measure.Case, error) {
	c := measure.Case{Name: "parallel"}
	for _, e := range []engine{engines[0], engines[len(engines)-1]} { // the others keep memory for one goroutine
		check, err := e.make(qs)
		if err != nil {
			return c, fmt.Errorf("case parallel, %s: %w", e.name, err)
		}
		c.Impls = append(c.Impls, measure.Impl{
			Name: e.name, Run: measure.Parallel(func() func(int) int { return repeat(qs, check, 0) }),
		})
	}
	c.Impls = append(c.Impls, measure.Impl{
		Name: "scan-floor", Run: measure.Parallel(func() func(int) int { return scanner(qs) }),
	})
	return c, nil
}
