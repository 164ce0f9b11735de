package otelx

import (
	"math"
	"sync"

	"go.opentelemetry.io/otel/metric"
)

// Shadow adds the counts of one guard to the metrics [MetricShadowCompared] and
// [MetricShadowDiffered], which are the sums over all guards. A guard that
// compares calls it once, when it is made. Counts is called when metrics are
// collected.
func (t *Live) Shadow(counts func() (compared, differed uint64)) { t.shadows.add(counts) }

// Shadow adds the counts of one guard to the metrics [MetricShadowCompared] and
// [MetricShadowDiffered], which are the sums over all guards. A guard that
// compares calls it once, when it is made. Counts is called when metrics are
// collected.
func (d *Delivery) Shadow(counts func() (compared, differed uint64)) { d.shadows.add(counts) }

// shadows knows the guards that compare. Without any there is nothing to
// observe.
type shadows struct {
	mu      sync.Mutex
	sources []func() (compared, differed uint64)
}

func (s *shadows) add(counts func() (compared, differed uint64)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sources = append(s.sources, counts)
}

func (s *shadows) observe(o metric.Observer, compared, differed metric.Int64Observable) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sources) == 0 {
		return
	}
	var all, bad uint64
	for _, counts := range s.sources {
		c, d := counts()
		all, bad = all+c, bad+d
	}
	o.ObserveInt64(compared, int64(min(all, math.MaxInt64)))
	o.ObserveInt64(differed, int64(min(bad, math.MaxInt64)))
}
