//go:build !race

package guard_test

const raceAllocs = 0
