package main

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/ambit-go/ambit/benchmarks/internal/cases/admit"
	"github.com/ambit-go/ambit/benchmarks/internal/cases/bound"
	"github.com/ambit-go/ambit/benchmarks/internal/cases/governed"
	"github.com/ambit-go/ambit/benchmarks/internal/cases/load"
	"github.com/ambit-go/ambit/benchmarks/internal/cases/postgres"
	"github.com/ambit-go/ambit/benchmarks/internal/cases/rollout"
	"github.com/ambit-go/ambit/benchmarks/internal/cases/scale"
	"github.com/ambit-go/ambit/benchmarks/internal/cases/scaling"
	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

// caseOrder is the order of the results.
var caseOrder = []string{
	"eval", "eval-complex", "check", "check-deny", "scan-floor", "parallel", "governed", "governed-otel",
	"governed-sync", "fsync-floor", "governed-sync-64", "governed-os", "write-floor", "governed-approval", "admit-memory",
	"admit-pg", "pg-floor", "scale-10", "scale-10k", "scale-10k-uniform", "scale-10k-when", "load-10k", "load-10k-live",
}

// group is cases that are made and measured together.
type group struct {
	cases []string
	build func(p pace) (measure.Group, error)
	// share is the part that this group gets of the time that is left. Zero: its
	// operations take long, and it has its own time.
	share float64
}

// groups are in the order in which they are measured: first those whose time
// cannot be chosen.
var groups = []group{
	{
		cases: []string{"load-10k", "load-10k-live"},
		build: func(p pace) (measure.Group, error) { return measure.Group{Cases: load.Cases(p.classes)}, nil },
	},
	{
		cases: []string{"admit-memory"},
		build: func(p pace) (measure.Group, error) {
			return measure.Group{Cases: []measure.Case{admit.Case(100 * p.classes)}}, nil
		},
	},
	{
		cases: []string{"scale-10", "scale-10k", "scale-10k-uniform", "scale-10k-when"}, share: 0.11,
		build: func(p pace) (measure.Group, error) {
			cases, err := scale.Cases(p.classes)
			return measure.Group{Cases: cases}, err
		},
	},
	{
		cases: []string{"check", "check-deny", "scan-floor", "parallel"}, share: 0.36,
		build: func(pace) (measure.Group, error) {
			cases, err := scaling.Cases()
			return measure.Group{Cases: cases}, err
		},
	},
	{
		cases: []string{"eval", "eval-complex"}, share: 0.20,
		build: func(pace) (measure.Group, error) {
			simple, err := bound.Case()
			if err != nil {
				return measure.Group{}, err
			}
			complicated, err := rollout.Case()
			return measure.Group{Cases: []measure.Case{simple, complicated}}, err
		},
	},
	{
		cases: []string{
			"governed", "governed-otel", "governed-sync", "fsync-floor", "governed-sync-64", "governed-os", "write-floor",
			"governed-approval",
		},
		share: 0.24,
		build: func(pace) (measure.Group, error) {
			cases, closing, err := governed.Cases()
			return measure.Group{Cases: cases, Close: closing}, err
		},
	},
	{
		cases: []string{"admit-pg", "pg-floor"}, share: 0.09,
		build: func(pace) (measure.Group, error) {
			cases, closing, err := postgres.Cases()
			if postgres.Missing(err) {
				err = leftOut{err}
			}
			return measure.Group{Cases: cases, Close: closing}, err
		},
	},
}

// leftOut is why a group is not measured on this machine.
type leftOut struct{ error }

// pace is how long a measurement takes.
type pace struct {
	// turn is far below the time that a process runs before another gets its
	// processor, so that on a busy machine most turns are not interrupted, and the
	// median is of one that was not.
	turn    time.Duration
	total   time.Duration // of everything
	least   time.Duration // that all shares together get, however long loading took
	loading time.Duration // of the group without a share; it takes longer where preparing it does
	classes int           // of the cases named 10k
}

var (
	thorough = pace{turn: time.Millisecond, total: 4 * time.Minute, least: 30 * time.Second, loading: time.Minute, classes: 10_000}
	quick    = pace{turn: 500 * time.Microsecond, total: 39 * time.Second, least: 8 * time.Second, loading: 12 * time.Second, classes: 10_000}
)

// measureAll builds, compares and times the selected cases.
func measureAll(o options, at pace, p progress) ([]measure.Result, error) {
	defer p.done()
	c := clock{pace: at, start: time.Now()}
	chosen := slices.DeleteFunc(slices.Clone(groups), func(g group) bool { return !selected(o.cases, g.cases) })
	for _, g := range chosen {
		c.shares += g.share
	}
	var results []measure.Result
	for _, g := range chosen {
		found, err := measureGroup(g, o, &c, p)
		if missing, ok := errors.AsType[leftOut](err); ok {
			p.note("%s: left out: %v", strings.Join(g.cases, ", "), missing)
			continue
		}
		if err != nil {
			return nil, err
		}
		results = append(results, found...)
		runtime.GC() // the next group begins without this one's memory
	}
	if len(results) == 0 {
		return nil, fmt.Errorf("nothing to measure; the cases are %s", strings.Join(caseOrder, ", "))
	}
	slices.SortStableFunc(results, func(a, b measure.Result) int {
		return cmp.Compare(slices.Index(caseOrder, a.Case), slices.Index(caseOrder, b.Case))
	})
	return results, nil
}

func selected(cases *regexp.Regexp, names []string) bool {
	return cases == nil || slices.ContainsFunc(names, cases.MatchString)
}

func measureGroup(g group, o options, c *clock, p progress) ([]measure.Result, error) {
	name := strings.Join(g.cases, ", ")
	p.say("%s: preparing", name)
	built, err := g.build(c.pace)
	if err != nil {
		return nil, err
	}
	if built.Close != nil {
		defer built.Close()
	}
	built = built.Select(o.cases, o.impls)
	for _, c := range built.Cases {
		if err := measure.Agree(c); err != nil {
			return nil, err
		}
	}
	plan := c.plan(g)
	plan.Progress = func(part float64) { p.say("%s: %.0f%%", name, 100*part) }
	if o.timing != nil {
		if err := o.timing(); err != nil {
			return nil, err
		}
	}
	return plan.Time(built)
}

// clock divides the time that is left among the groups.
type clock struct {
	pace
	start  time.Time
	shares float64 // of the groups to come
}

func (c *clock) plan(g group) measure.Plan {
	if g.share == 0 {
		return measure.Plan{Turn: c.turn, Budget: c.loading}
	}
	left := float64(c.total - time.Since(c.start))
	budget := time.Duration(max(left*g.share/c.shares, float64(c.least)*g.share))
	c.shares -= g.share
	return measure.Plan{Turn: c.turn, Rounds: 3, Budget: budget}
}
