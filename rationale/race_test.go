//go:build race

package rationale_test

// raceAllocs is what a call may allocate more under the race detector, which
// makes sync.Pool drop items at random.
const raceAllocs = 100
