package measure

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync/atomic"
	"time"
)

// Plan is how long to measure.
type Plan struct {
	Turn   time.Duration // of one implementation in one round
	Budget time.Duration // of a group, with its preparation; the rounds end when it is spent
	Rounds int           // at least so many, whatever they take; never less than one
	// Progress is told after every round which part of the group is done; may be
	// nil.
	Progress func(part float64)
}

// Time measures a group: calibrates, counts allocations, and then lets the
// implementations take turns, in another order each round. Results are in the
// order of the cases.
func (p Plan) Time(g Group) ([]Result, error) {
	start := time.Now()
	var turns []*turn
	for _, c := range g.Cases {
		for _, impl := range c.Impls {
			turns = append(turns, &turn{Impl: impl, result: Result{Case: c.Name, Impl: impl.Name}})
		}
	}
	for _, t := range turns {
		if err := t.prepare(p.Turn); err != nil {
			return nil, err
		}
	}
	if err := p.rounds(turns, start); err != nil {
		return nil, err
	}
	results := make([]Result, len(turns))
	for i, t := range turns {
		results[i] = t.conclude()
	}
	return results, nil
}

func (p Plan) rounds(turns []*turn, start time.Time) error {
	order := slices.DeleteFunc(slices.Clone(turns), func(t *turn) bool { return t.Once != nil })
	if len(order) == 0 {
		return nil
	}
	shuffle := rand.New(rand.NewPCG(1, 2)) // the same orders in every run
	least := max(p.Rounds, 1)
	for n := 0; n < least || time.Since(start) < p.Budget && n < maxRounds; n++ {
		shuffle.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, t := range order {
			if err := t.take(); err != nil {
				return err
			}
		}
		if p.Progress != nil {
			spent := float64(time.Since(start)) / float64(max(p.Budget, 1))
			p.Progress(min(float64(n+1)/float64(least), spent, 1))
		}
	}
	return nil
}

// maxRounds is where more rounds make no median better.
const maxRounds = 5001

// turn is an implementation with what was measured of it.
type turn struct {
	Impl
	result Result
	n      int       // operations of one turn
	each   []float64 // nanoseconds an operation, by round
}

func (t *turn) prepare(d time.Duration) error {
	if t.Once != nil {
		r, err := t.Once()
		if err != nil {
			return t.failed(err)
		}
		t.each, t.result.BOp, t.result.AllocsOp = []float64{r.NsOp}, r.BOp, r.AllocsOp
		return nil
	}
	took, err := t.count(max(1, t.Least))
	if err != nil || took > slow {
		t.each = []float64{float64(took.Nanoseconds())}
		return err
	}
	if err := t.calibrate(d); err != nil {
		return err
	}
	return t.allocations()
}

func (t *turn) failed(err error) error {
	return fmt.Errorf("case %s, %s: %w", t.result.Case, t.result.Impl, err)
}

// attempts is how often a number of operations is timed before it is judged: the
// quickest was not interrupted.
const attempts = 5

// calibrate finds how many operations fill a turn.
func (t *turn) calibrate(d time.Duration) error {
	for t.n = max(1, t.Least); ; t.n *= 2 {
		quickest := time.Duration(math.MaxInt64)
		for range attempts {
			took, err := t.run()
			if err != nil {
				return err
			}
			quickest = min(quickest, took)
		}
		if quickest >= d/2 || t.n >= 1<<30 {
			t.n = max(1, t.Least, int(float64(t.n)*float64(d)/float64(max(quickest, 1))))
			return nil
		}
	}
}

func (t *turn) run() (time.Duration, error) {
	start := time.Now()
	t.Run(t.n)
	took := time.Since(start)
	if t.After == nil {
		return took, nil
	}
	if err := t.After(); err != nil {
		return 0, t.failed(err)
	}
	return took, nil
}

// warming is the part of a turn's operations that are made before it, so that it
// does not begin with the caches of another.
const warming = 8

// take measures one turn, without the garbage of the turns before it.
func (t *turn) take() error {
	settle()
	if n := max(t.n/warming, t.Warm); n > 0 {
		t.Run(n)
	}
	took, err := t.run()
	t.each = append(t.each, float64(took.Nanoseconds())/float64(t.n))
	return err
}

// litter is so much garbage that collecting it could fall into another turn.
const litter = 256 << 10

// settle collects the garbage, if there is any: with much in memory that takes
// longer than a turn.
func settle() {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	if now := sample[0].Value.Uint64(); now-settled.Swap(now) > litter {
		runtime.GC()
	}
}

// settled is what was ever allocated when settle was called last.
var settled atomic.Uint64

// slow is how long an operation may take that is made for more than its time.
const slow = 100 * time.Millisecond

// allocations counts what an operation allocates, as package testing does: of
// several counts the middle one, rounded down, so that what other goroutines
// and the refilling of pools allocate does not count.
func (t *turn) allocations() error {
	const counts = 3
	var bytes, objects [counts]int64
	for i := range counts {
		if _, err := t.count(t.n); err != nil {
			return err
		}
		bytes[i], objects[i] = t.result.BOp, t.result.AllocsOp
	}
	slices.Sort(bytes[:])
	slices.Sort(objects[:])
	t.result.BOp, t.result.AllocsOp = bytes[counts/2], objects[counts/2]
	return nil
}

// count makes n operations and counts what they allocate.
func (t *turn) count(n int) (time.Duration, error) {
	t.n = n
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	took, err := t.run()
	runtime.ReadMemStats(&after)
	t.result.BOp = int64(after.TotalAlloc-before.TotalAlloc) / int64(n)
	t.result.AllocsOp = int64(after.Mallocs-before.Mallocs) / int64(n)
	return took, err
}

func (t *turn) conclude() Result {
	slices.Sort(t.each)
	r := t.result
	r.NsOp = quantile(t.each, 0.5)
	if r.NsOp > 0 {
		r.Spread = (quantile(t.each, 0.75) - quantile(t.each, 0.25)) / 2 / r.NsOp
	}
	return r
}

// quantile of sorted numbers, between two of them where it falls there.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(math.Floor(at))
	if low+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}
