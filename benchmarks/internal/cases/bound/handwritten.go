package bound

import (
	"math"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

// within is the bound as a Go programmer would write it who minds absent values
// and overflow as much as CEL does.
func within(q *question) bool {
	if q.region == nil || q.replicas == nil || q.amount == nil || q.current == nil {
		return false
	}
	switch *q.region {
	case "eu-west-1", "eu-central-1", "eu-north-1":
	default:
		return false
	}
	replicas, current := *q.replicas, *q.current
	if current > math.MaxInt64/2 || current < math.MinInt64/2 {
		return false
	}
	return replicas >= 3 && replicas <= 60 && *q.amount < 1000 && replicas <= current*2
}

func handwritten(qs []question) (measure.Impl, error) {
	return measure.Impl{
		Name: "handwritten",
		Run: func(n int) int {
			allowed := 0
			for i := range n {
				if within(&qs[i%timed]) {
					allowed++
				}
			}
			return allowed
		},
		Answer: func(i int) string { return measure.Answer(within(&qs[i])) },
	}, nil
}
