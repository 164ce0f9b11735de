package authority

import (
	"slices"
	"time"
)

// period is a stretch of time: from an instant on, until another, which is no
// longer part of it. A zero instant is no limit.
type period struct{ from, until time.Time }

func (p period) has(at time.Time) bool {
	return (p.from.IsZero() || !at.Before(p.from)) && (p.until.IsZero() || at.Before(p.until))
}

func (p period) empty() bool {
	return !p.from.IsZero() && !p.until.IsZero() && !p.from.Before(p.until)
}

// periods are sorted, and none touches the next. None has no time at all.
type periods []period

// union returns when at least one of the periods is.
func union(all []period) periods {
	sorted := slices.DeleteFunc(slices.Clone(all), period.empty)
	slices.SortFunc(sorted, func(a, b period) int { return compareFrom(a.from, b.from) })
	var joined periods
	for _, p := range sorted {
		if n := len(joined); n > 0 {
			last := &joined[n-1]
			if last.until.IsZero() {
				break
			}
			if p.from.IsZero() || !p.from.After(last.until) {
				if p.until.IsZero() || p.until.After(last.until) {
					last.until = p.until
				}
				continue
			}
		}
		joined = append(joined, p)
	}
	return joined
}

// compareFrom compares beginnings, of which the zero instant is the first.
func compareFrom(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return -1
	case b.IsZero():
		return 1
	default:
		return a.Compare(b)
	}
}

func (ps periods) has(at time.Time) bool {
	low, high := 0, len(ps)
	for low < high { // the first that is not over
		mid := int(uint(low+high) >> 1)
		if u := ps[mid].until; !u.IsZero() && !at.Before(u) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low < len(ps) && ps[low].has(at)
}
