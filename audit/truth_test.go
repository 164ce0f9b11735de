package audit

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
)

const (
	allSeeds = 10_000
	fewSeeds = 200
)

// What the two tests below do with all seeds, for who has less time.
func TestTruthOfAFew(t *testing.T) {
	seeds(t, fewSeeds, strongTruth)
	seeds(t, fewSeeds, weakTruth)
}

// With keys, an audit knows exactly what is unexplained, and all else as well.
func TestTruthWithStrongKeys(t *testing.T) { seeds(t, allSeeds, strongTruth) }

// Without keys nothing is said to be explained strongly, no decision explains
// two acts, and no other assignment would explain more.
func TestTruthWithWeakKeys(t *testing.T) { seeds(t, allSeeds, weakTruth) }

// audited runs an audit of a world, an hour after its last call.
func audited(t testing.TB, w *world, dir string) (Report, []Finding) {
	var found []Finding
	c := Config{
		Document: w.document(t, dir), TempDir: dir, Until: w.now.Add(time.Hour),
		Findings: func(f Finding) error { found = append(found, f); return nil },
	}
	r := newRun(context.Background(), c, dir)
	r.records.source = w.source(t)
	require.NoError(t, r.all())
	return r.report, found
}

// seeds runs f with many seeds, on all processors; with -short only with the first
// of them.
func seeds(t *testing.T, n int, f func(t *testing.T, seed uint64, dir string)) {
	if testing.Short() {
		n = min(n, fewSeeds)
	}
	var next atomic.Uint64
	var wg sync.WaitGroup
	for range 4 {
		dir := t.TempDir()
		wg.Go(func() {
			for seed := next.Add(1); seed <= uint64(n) && !t.Failed(); seed = next.Add(1) {
				f(t, seed, dir)
			}
		})
	}
	wg.Wait()
}

func strongTruth(t *testing.T, seed uint64, dir string) {
	w := makeWorld(seed, true, seed%4 == 0)
	report, found := audited(t, w, dir)
	there := w.there()
	seen := map[string]bool{}
	for _, f := range found {
		if f.Event == "" {
			if want, ok := w.wantOf[f.Decision]; ok {
				assert.Contains(t, want, f.Kind, "seed %d: %+v", seed, f)
			} else {
				assert.Contains(t, []Kind{Orphan, LogGap, TooEarly, UnknownResolved}, f.Kind, "seed %d: %+v", seed, f)
				assert.True(t, w.lossy, "seed %d: nothing was lost: %+v", seed, f)
			}
			continue
		}
		assert.False(t, seen[f.Event], "seed %d: twice: %+v", seed, f)
		seen[f.Event] = true
		if !assert.Equal(t, w.want[f.Event], f.Kind, "seed %d: %+v", seed, f) {
			return
		}
	}
	for event := range w.want {
		assert.Equal(t, there[event], seen[event], "seed %d: %s, which is %s", seed, event, w.want[event])
	}
	if !w.lossy {
		for id := range w.wantOf {
			assert.True(t, slices.ContainsFunc(found, func(f Finding) bool { return f.Decision == id }), "seed %d: nothing of decision %s", seed, id)
		}
		c := report.Coverage
		assert.Equal(t, w.told, [4]int{c.ReadOnly, c.Failed, c.Service, c.Other}, "seed %d", seed)
		assert.Equal(t, w.repeated, c.Duplicates, "seed %d", seed)
		assert.Equal(t, len(w.want), c.Mutating, "seed %d", seed)
	}
}

func weakTruth(t *testing.T, seed uint64, dir string) {
	w := makeWorld(seed, false, false)
	_, found := audited(t, w, dir)
	of := map[string]int{}
	explained, acts := 0, []Finding{}
	for _, f := range found {
		assert.NotEqual(t, Explained, f.Kind, "seed %d: %+v", seed, f)
		if f.Event == "" {
			continue
		}
		acts = append(acts, f)
		if f.Kind == ExplainedWeakly || f.Kind == UnknownResolved {
			explained++
			of[f.Decision]++
		} else {
			assert.Equal(t, Unexplained, f.Kind, "seed %d: %+v", seed, f)
		}
	}
	for id, n := range of {
		assert.Equal(t, 1, n, "seed %d: decision %s", seed, id)
	}
	assert.Equal(t, w.mostExplained(acts), explained, "seed %d", seed)
}

// mostExplained is the size of the largest assignment, found the slow way.
func (w *world) mostExplained(acts []Finding) int {
	by := map[string]string{} // decision → event
	resources := map[string]string{}
	for _, events := range w.files {
		for _, e := range events {
			if p, ok := e["requestParameters"].(map[string]any); ok {
				resources[e["eventID"].(string)] = fmt.Sprint(p["autoScalingGroupName"], p["subnetId"])
			}
		}
	}
	fits := func(f *Finding, d *told) bool {
		first, last := d.at.Add(-defaultSkew), d.end.Add(defaultWindow+defaultSkew)
		if w.unknown(d) {
			last = last.Add(defaultWindow)
		}
		one, other := fmt.Sprint(d.resource, nil), fmt.Sprint(nil, d.resource)
		switch f.Action {
		case "autoscaling:SetDesiredCapacity":
			other = one
		case "ec2:RunInstances":
			one = other
		default:
			return false
		}
		r := resources[f.Event]
		return w.allows(d, f.Action) && (r == one || r == other) && !f.At.Before(first) && !f.At.After(last)
	}
	var assign func(i int, tried map[string]bool) bool
	assign = func(i int, tried map[string]bool) bool {
		for id, d := range w.decisions {
			if tried[id] || !fits(&acts[i], d) {
				continue
			}
			tried[id] = true
			var n int
			if held := by[id]; held != "" {
				fmt.Sscan(held, &n)
				if !assign(n, tried) {
					continue
				}
			}
			by[id] = fmt.Sprint(i)
			return true
		}
		return false
	}
	count := 0
	for i := range acts {
		if assign(i, map[string]bool{}) {
			count++
		}
	}
	return count
}

// allows reports whether the decision allowed its call, of a tool that makes
// such events.
func (w *world) allows(d *told, action string) bool {
	for _, rec := range w.records {
		if c, ok := rec.(*rationale.Decision); ok && c.ID == d.id {
			return c.Verdict == rationale.Allow && (c.Tool.Name == "asg.scale") == (action == "autoscaling:SetDesiredCapacity")
		}
	}
	return false
}

// unknown reports whether nobody knows how the call ended. Then it is not known
// when it did, either.
func (w *world) unknown(d *told) bool {
	for _, rec := range w.records {
		if o, ok := rec.(*rationale.Outcome); ok && o.Decision == d.id {
			return o.Status == rationale.StatusUnknown
		}
	}
	d.end = d.at
	return true
}
