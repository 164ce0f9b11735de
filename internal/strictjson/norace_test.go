//go:build !race

package strictjson_test

const raceAllocs = 0
