//go:build race

package strictjson_test

// raceDetector makes sync.Pool drop items at random, so that nothing can be said
// about allocations.
const raceDetector = true
