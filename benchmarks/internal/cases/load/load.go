// Package load is the cases load-10k and load-10k-live: documents with many
// classes, each with expressions of its own, from bytes to what evaluates calls.
package load

import (
	"fmt"
	"runtime"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/benchmarks/internal/measure"
	"github.com/ambit-go/ambit/benchmarks/internal/policy"
)

// Fleet is what is loaded.
func Fleet(classes int) policy.Fleet {
	return policy.Fleet{Classes: classes, PerTool: 10, PerDocument: 20, Shapes: 5}
}

// loader turns documents into something that it keeps.
type loader struct {
	name string
	load func(f policy.Fleet, docs []authority.Document) (any, error)
}

var loaders = []loader{{"ambit", ambit}, {"yaml+cel-go", bare}}

// Cases returns the cases.
func Cases(classes int) []measure.Case {
	f := Fleet(classes)
	docs := f.Documents()
	loading, live := measure.Case{Name: "load-10k", Slow: true}, measure.Case{Name: "load-10k-live"}
	variants := variants(f)
	for _, v := range variants {
		loading.Inputs = append(loading.Inputs, measure.Input{Name: v.name})
	}
	for _, l := range loaders {
		kept := &holder{loader: l, fleet: f, docs: docs}
		loading.Impls = append(loading.Impls, measure.Impl{
			Name: l.name, Run: kept.run, After: func() error { return kept.err },
			Answer: func(i int) string { return l.answer(variants[i]) },
		})
		live.Impls = append(live.Impls, measure.Impl{Name: l.name, Once: kept.live})
	}
	return []measure.Case{loading, live}
}

// holder loads, and keeps what it loaded first until its memory is counted.
type holder struct {
	loader
	fleet policy.Fleet
	docs  []authority.Document
	kept  any
	took  time.Duration // of the first time
	err   error
}

func (h *holder) run(n int) int {
	for range n {
		start := time.Now()
		loaded, err := h.load(h.fleet, h.docs)
		if err != nil {
			h.err = err
			return 0
		}
		if h.took == 0 {
			h.kept, h.took = loaded, time.Since(start)
		}
	}
	return n
}

// live is what one class takes: of the time to load, and of memory for as long as
// it is loaded. What the loaded shares with the documents' bytes, which stay, does
// not count.
func (h *holder) live() (measure.Result, error) {
	if h.took == 0 {
		h.run(1)
	}
	if h.err != nil {
		return measure.Result{}, h.err
	}
	with := heap()
	runtime.KeepAlive(h.kept)
	h.kept = nil
	without := heap()
	classes := uint64(h.fleet.Classes)
	return measure.Result{
		NsOp:     float64(h.took.Nanoseconds()) / float64(classes),
		BOp:      int64((with.HeapAlloc - without.HeapAlloc) / classes),
		AllocsOp: int64((with.HeapObjects - without.HeapObjects) / classes),
	}, nil
}

func heap() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC() // what the first found in pools
	runtime.ReadMemStats(&m)
	return m
}

// variant is documents of a small fleet, of which one may be wrong.
type variant struct {
	name  string
	fleet policy.Fleet
	docs  []authority.Document
}

// answer is whether the documents load.
func (l loader) answer(v variant) string {
	if _, err := l.load(v.fleet, v.docs); err != nil {
		return "refused"
	}
	return "loaded"
}

func variants(f policy.Fleet) []variant {
	f.Classes = 100
	all := []variant{{"as generated", f, f.Documents()}}
	for _, wrong := range [][3]string{
		{"an argument that is not there", "args.replicas >= 3", "args.replica >= 3"},
		{"an argument of another type", "args.replicas >= 3", "args.replicas >= '3'"},
		{"an expression that is cut short", "args.replicas >= 3 &&", "args.replicas >= 3 && ("},
		{"an unknown function", "args.hosts.all(h,", "args.hosts.most(h,"},
		{"a number in place of a condition", "args.dry_run || args.rows", "args.dry_run ? 1 : args.rows"},
		{"YAML that does not end", "tier: parameterized", `tier: "parameterized`},
	} {
		docs := f.Documents()
		changed := replaceOnce(docs, wrong[1], wrong[2])
		if !changed {
			panic(fmt.Sprintf("no document has %q", wrong[1])) // a fleet that lost its expressions measures nothing
		}
		all = append(all, variant{wrong[0], f, docs})
	}
	return all
}
