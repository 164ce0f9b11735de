//go:build !race

package authority_test

const raceAllocs = 0
