package measure

import (
	"errors"
	"regexp"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// busy is an implementation whose operations take that long.
func busy(name string, each time.Duration) Impl {
	return Impl{Name: name, Run: func(n int) int {
		time.Sleep(time.Duration(n) * each)
		return n
	}}
}

var brief = Plan{Turn: time.Millisecond, Rounds: 5}

func TestTimeMeasuresEveryImplementation(t *testing.T) {
	parts := 0
	p := brief
	p.Progress = func(part float64) {
		parts++
		assert.Positive(t, part)
		assert.LessOrEqual(t, part, 1.0)
	}
	results, err := p.Time(Group{Cases: []Case{
		{Name: "a", Impls: []Impl{busy("slow", 20*time.Millisecond), busy("quick", time.Millisecond)}},
		{Name: "b", Impls: []Impl{{Name: "known", Once: func() (Result, error) { return Result{NsOp: 7, BOp: 8, AllocsOp: 9}, nil }}}},
	}})
	require.NoError(t, err)
	require.Len(t, results, 3)
	assert.Equal(t, "slow", results[0].Impl)
	assert.GreaterOrEqual(t, results[0].NsOp, 20e6)
	assert.Less(t, results[1].NsOp, results[0].NsOp)
	assert.Equal(t, Result{Case: "b", Impl: "known", NsOp: 7, BOp: 8, AllocsOp: 9}, results[2])
	assert.Equal(t, 5, parts)
}

func TestATurnHasItsLeast(t *testing.T) {
	var sizes []int
	_, err := brief.Time(Group{Cases: []Case{{Impls: []Impl{{
		Least: 9,
		Run: func(n int) int {
			sizes = append(sizes, n)
			time.Sleep(time.Millisecond)
			return n
		},
	}}}}})
	require.NoError(t, err)
	sizes = slices.DeleteFunc(sizes, func(n int) bool { return n == 9/warming })
	assert.NotEmpty(t, sizes)
	assert.GreaterOrEqual(t, slices.Min(sizes), 9)
}

func TestTurnsAlternate(t *testing.T) {
	var order []string
	impl := func(name string) Impl {
		return Impl{Name: name, Run: func(n int) int {
			order = append(order, name)
			time.Sleep(time.Duration(n) * 2 * time.Millisecond) // more than a turn, so that it is one operation
			return n
		}}
	}
	p := brief
	p.Rounds = 20
	_, err := p.Time(Group{Cases: []Case{{Impls: []Impl{impl("a"), impl("b")}}}})
	require.NoError(t, err)
	rounds := order[len(order)-40:]
	first := map[string]int{}
	for i := 0; i < len(rounds); i += 2 {
		assert.NotEqual(t, rounds[i], rounds[i+1], "a round has each once")
		first[rounds[i]]++
	}
	assert.Greater(t, first["a"], 3, "the order changes")
	assert.Greater(t, first["b"], 3, "the order changes")
}

// Under the load of other processes some runs take many times as long.
func TestInterruptionsDoNotMisleadTheCalibration(t *testing.T) {
	runs := 0
	impl := turn{Impl: Impl{Run: func(n int) int {
		if runs++; runs%attempts != 0 {
			time.Sleep(10 * time.Millisecond)
		}
		for begun := time.Now(); time.Since(begun) < time.Duration(n)*10*time.Microsecond; {
		}
		return n
	}}}
	require.NoError(t, impl.calibrate(5*time.Millisecond))
	assert.Greater(t, impl.n, 50, "with the interruptions in it, one operation fills a turn")
}

func TestATurnIsWarmedUp(t *testing.T) {
	var sizes []int
	impl := Impl{Run: func(n int) int {
		sizes = append(sizes, n)
		time.Sleep(time.Duration(n) * 20 * time.Microsecond)
		return n
	}}
	p := Plan{Turn: 20 * time.Millisecond, Rounds: 3}
	_, err := p.Time(Group{Cases: []Case{{Impls: []Impl{impl}}}})
	require.NoError(t, err)
	last := sizes[len(sizes)-6:]
	assert.Equal(t, []int{last[1] / 8, last[1], last[1] / 8, last[1], last[1] / 8, last[1]}, last)

	impl.Warm = 77777
	impl.Run = func(n int) int {
		sizes = append(sizes, n)
		if n != impl.Warm {
			time.Sleep(time.Duration(n) * 20 * time.Microsecond)
		}
		return n
	}
	_, err = p.Time(Group{Cases: []Case{{Impls: []Impl{impl}}}})
	require.NoError(t, err)
	assert.Equal(t, []int{77777, sizes[len(sizes)-1]}, sizes[len(sizes)-2:])
}

func TestBudgetEndsTheRounds(t *testing.T) {
	rounds := 0
	p := Plan{Turn: time.Millisecond, Budget: 500 * time.Millisecond, Progress: func(float64) { rounds++ }}
	start := time.Now()
	_, err := p.Time(Group{Cases: []Case{{Impls: []Impl{busy("a", time.Millisecond)}}}})
	require.NoError(t, err)
	assert.GreaterOrEqual(t, time.Since(start), p.Budget)
	assert.Greater(t, rounds, 5)
	assert.Less(t, rounds, 501)
}

var escape [][]byte

func TestAllocationsAreCounted(t *testing.T) {
	impl := Impl{Name: "a", Run: func(n int) int {
		for range n {
			escape = append(escape[:0], make([]byte, 512), make([]byte, 512))
			time.Sleep(50 * time.Microsecond)
		}
		return n
	}}
	results, err := brief.Time(Group{Cases: []Case{{Name: "c", Impls: []Impl{impl}}}})
	require.NoError(t, err)
	assert.InDelta(t, 1024, results[0].BOp, 64)
	assert.InDelta(t, 2, results[0].AllocsOp, 1)
}

func TestASlowOperationIsMadeOnceMoreThanThereAreRounds(t *testing.T) {
	made := 0
	impl := Impl{Run: func(n int) int {
		made += n
		time.Sleep(slow + time.Millisecond)
		return n
	}}
	_, err := Plan{Turn: time.Millisecond, Rounds: 2, Budget: slow}.Time(Group{Cases: []Case{{Impls: []Impl{impl}}}})
	require.NoError(t, err)
	assert.Equal(t, 3, made)
}

func TestErrorsEndTheMeasurement(t *testing.T) {
	lost := busy("a", time.Millisecond)
	lost.After = func() error { return errors.New("a span was dropped") }
	broken := Impl{Name: "b", Once: func() (Result, error) { return Result{}, errors.New("no such file") }}
	for _, impl := range []Impl{lost, broken} {
		_, err := brief.Time(Group{Cases: []Case{{Name: "c", Impls: []Impl{impl}}}})
		require.Error(t, err)
		assert.Contains(t, err.Error(), "case c, "+impl.Name)
	}
}

func TestConcludeTakesTheMedian(t *testing.T) {
	r := (&turn{each: []float64{100, 90, 1e9, 110, 95}}).conclude()
	assert.Equal(t, 100.0, r.NsOp)
	assert.InDelta(t, 0.075, r.Spread, 1e-9)
	assert.Equal(t, 95.0, (&turn{each: []float64{90, 100}}).conclude().NsOp)
}

func TestParallelUsesEveryCore(t *testing.T) {
	var most, running atomic.Int32
	made := 0
	run := Parallel(func() func(int) int {
		made++
		return func(n int) int {
			most.Store(max(most.Load(), running.Add(1)))
			time.Sleep(10 * time.Millisecond)
			running.Add(-1)
			return n
		}
	})
	assert.Equal(t, 101, run(101))
	assert.Equal(t, runtime.GOMAXPROCS(0), made)
	assert.Equal(t, int32(runtime.GOMAXPROCS(0)), most.Load())
}

func TestSelect(t *testing.T) {
	g := Group{Cases: []Case{
		{Name: "check", Impls: []Impl{{Name: "ambit"}, {Name: "opa"}}},
		{Name: "check-deny", Impls: []Impl{{Name: "opa"}}},
		{Name: "eval", Impls: []Impl{{Name: "ambit"}}},
	}}
	left := g.Select(regexp.MustCompile("^check"), regexp.MustCompile("ambit"))
	require.Len(t, left.Cases, 1)
	assert.Equal(t, "check", left.Cases[0].Name)
	assert.Len(t, left.Cases[0].Impls, 1)
	assert.Len(t, g.Select(nil, nil).Cases, 3)
}

func TestPreparationMaySpendTheBudget(t *testing.T) {
	results, err := Plan{Turn: time.Millisecond}.Time(Group{Cases: []Case{{Name: "a", Impls: []Impl{busy("late", time.Millisecond)}}}})
	require.NoError(t, err)
	assert.Positive(t, results[0].NsOp)
}
