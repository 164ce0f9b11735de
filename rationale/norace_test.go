//go:build !race

package rationale_test

const raceAllocs = 0
