//go:build !race

package otelx_test

const raceAllocs = 0
