// Package versions remembers which versions of an authorization there were.
package versions

import (
	"slices"
	"time"
)

// Version is one version, and from when on it was to be in force.
type Version struct {
	Number  int       `json:"version"`
	Granted time.Time `json:"granted_at"`
}

// Seen are the versions of one authorization, the lowest first, without any that a
// higher one supersedes as early. They are immutable; nil has none.
type Seen []Version

// With returns s with v, and without what v supersedes as early.
func (s Seen) With(v Version) Seen {
	implies := func(a, b Version) bool { return a.Number >= b.Number && !a.Granted.After(b.Granted) }
	if slices.ContainsFunc(s, func(o Version) bool { return implies(o, v) }) {
		return s
	}
	kept := slices.DeleteFunc(slices.Clone(s), func(o Version) bool { return implies(v, o) })
	i, _ := slices.BinarySearchFunc(kept, v, func(a, b Version) int { return a.Number - b.Number })
	return slices.Insert(kept, i, v)
}

// Above returns the highest version above one that is to be in force at a time.
func (s Seen) Above(number int, at time.Time) (Version, bool) {
	for _, v := range slices.Backward(s) {
		if v.Number > number && !at.Before(v.Granted) {
			return v, true
		}
	}
	return Version{}, false
}
