// Package scale is the cases scale-10, scale-10k, scale-10k-uniform and
// scale-10k-when: a check among few classes and among ten thousand.
//
// In the first two the calls are the same and 64 classes are hot (of ten classes
// all ten), since an agent's calls repeat. In scale-10k-uniform every one of the
// 2,000 classes of the same kind of tool is as likely, so that what an
// evaluation reads is rarely in the processor's caches. In scale-10k-when all
// ten thousand classes are of one tool, told apart by their conditions alone.
//
// No peer is here: Cedar and OPA take longer to load so many policies than all
// other cases together take, and cel-go has no way to find a class.
package scale

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/benchmarks/internal/measure"
	"github.com/ambit-go/ambit/benchmarks/internal/policy"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

// noon is within every grant.
var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

// hot is how many classes are called over and over.
const hot = 64

// How many calls are made before the first comes again: few enough for the
// processor's caches where classes are hot.
const (
	askedHot     = 256
	askedUniform = 4096
)

// Cases returns the cases; the large ones have that many classes.
func Cases(classes int) ([]measure.Case, error) {
	few := policy.Fleet{Classes: 10, PerTool: 10, PerDocument: 10, Shapes: 1}
	many := policy.Fleet{Classes: classes, PerTool: 10, PerDocument: 20, Shapes: 5}
	one := policy.Fleet{Classes: classes, PerTool: classes, PerDocument: 20, Shapes: 1, Short: true}
	large, err := authority.Load(many.Documents(), many.Manifest(), authority.AllowUnsigned())
	if err != nil {
		return nil, err
	}
	small, err := authority.Load(few.Documents(), few.Manifest(), authority.AllowUnsigned())
	if err != nil {
		return nil, err
	}
	single, err := authority.Load(one.Documents(), one.Manifest(), authority.AllowUnsigned())
	if err != nil {
		return nil, err
	}
	alike := likeFirst(many)
	r := rand.New(rand.NewPCG(19, 23))
	pick := func(asked int, from []int) []int {
		classes := make([]int, asked)
		for i := range classes {
			classes[i] = from[r.IntN(len(from))]
		}
		return classes
	}
	sample := func(from []int) []int {
		chosen := r.Perm(len(from))[:min(hot, len(from))]
		for i, c := range chosen {
			chosen[i] = from[c]
		}
		return chosen
	}
	return []measure.Case{
		newCase("scale-10", small, few, pick(askedHot, likeFirst(few))),
		newCase("scale-10k", large, many, pick(askedHot, sample(alike))),
		newCase("scale-10k-uniform", large, many, pick(askedUniform, alike)),
		newCase("scale-10k-when", single, one, pick(askedHot, sample(likeFirst(one)))),
	}, nil
}

// likeFirst returns the classes whose tool is of the same kind as the first's.
func likeFirst(f policy.Fleet) []int {
	var classes []int
	for class := range f.Classes {
		if f.Shape(class) == f.Shape(0) {
			classes = append(classes, class)
		}
	}
	return classes
}

func newCase(name string, set *authority.Set, f policy.Fleet, classes []int) measure.Case {
	warm := 0
	if len(classes) == askedHot {
		warm = 2 * askedHot // so that what is hot is in the caches whoever ran before
	}
	calls := make([]authority.Call, len(classes))
	for i, class := range classes {
		calls[i] = call(f, class)
	}
	in := authority.Input{Facts: map[string]authority.FactValue{
		"current_replicas": {Value: int64(10), At: noon}, "change_freeze": {Value: false, At: noon},
	}}
	next := 0 // goes on from turn to turn, so that each call has its turn
	c := measure.Case{Name: name}
	for _, class := range classes[:askedHot] {
		c.Inputs = append(c.Inputs, measure.Input{Name: fmt.Sprintf("class %d", class)})
	}
	c.Impls = []measure.Impl{{
		Name: "ambit", Warm: warm,
		Run: func(n int) int {
			allowed := 0
			for range n {
				if set.Evaluate(calls[next%len(calls)], in).Verdict == rationale.Allow {
					allowed++
				}
				next++
			}
			return allowed
		},
		Answer: func(i int) string {
			e := set.Evaluate(calls[i], in)
			return fmt.Sprintf("%s %s %v", e.Verdict, e.Class, e.Reasons)
		},
	}}
	return c
}

// call is one that its class allows.
func call(f policy.Fleet, class int) authority.Call {
	return authority.Call{
		At: noon, Agent: rationale.Agent{ID: policy.Agent, Environment: policy.Environment},
		Tool: classify.ToolID{Name: f.ToolName(class)}, CallID: "call-1",
		Arguments: fmt.Appendf(nil, `{"kind":%q,"workload":%q,"region":"eu-west-1","instance_type":"m7g.large","replicas":%d,"ticket":"CHG-2026-104482"}`,
			f.Kind(class), fmt.Sprintf("workload-%05d", class), 11+class%8),
	}
}
