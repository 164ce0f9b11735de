package rollout

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

func fits(q *question) bool {
	for _, region := range q.regions {
		if !strings.HasPrefix(region, "eu-") || utf8.RuneCountInString(region) > 16 {
			return false
		}
	}
	unfit := func(label string) bool {
		return strings.HasSuffix(label, "-legacy") || strings.Contains(label, "debug")
	}
	if slices.ContainsFunc(q.labels, unfit) {
		return false
	}
	teams, large := 0, 0
	for _, label := range q.labels {
		if strings.HasPrefix(label, "team-") {
			teams++
		}
	}
	for _, step := range q.steps {
		if step > 10 {
			large++
		}
	}
	if teams != 1 || large > 2 {
		return false
	}
	if path, ok := strings.CutPrefix(q.image, q.registry); !ok || !strings.HasPrefix(path, "/") {
		return false
	}
	if q.now.Before(q.opens) || q.now.Add(30*time.Minute).After(q.closes) {
		return false
	}
	now := q.now.UTC()
	switch now.Weekday() {
	case time.Monday, time.Tuesday, time.Wednesday, time.Thursday:
		return now.Hour() >= 6
	default:
		return false
	}
}

func handwritten(qs []question) (measure.Impl, error) {
	return measure.Impl{
		Name: "handwritten",
		Run: func(n int) int {
			allowed := 0
			for i := range n {
				if fits(&qs[i%timed]) {
					allowed++
				}
			}
			return allowed
		},
		Answer: func(i int) string { return measure.Answer(fits(&qs[i])) },
	}, nil
}
