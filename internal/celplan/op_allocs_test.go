//go:build !race

package celplan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// Scalars are computed, compared and searched for without allocation, and so
// are texts that a function leaves as they are or cuts.
func TestOperatorsAllocateNothing(t *testing.T) {
	berlin, failed := parseZone("Europe/Berlin")
	assert.Zero(t, failed)
	fuel := 1 << 30
	at, one := instant{sec: 1792917000}, strictjson.IntValue(1)
	list := strictjson.ListValue([]strictjson.Value{strictjson.StringValue("a"), strictjson.ComputedDoubleValue(1), one})
	table := strictjson.TableValue([]strictjson.Entry{{Key: one, Value: list}})
	tests := map[string]func(){
		"arith":          func() { _, _ = arith(multiply, one, one) },
		"time and dur":   func() { _, _ = arith(add, at.value(), strictjson.DurationValue(1)) },
		"relateValues":   func() { _, _ = relateValues(isLess, strictjson.ComputedDoubleValue(2), one) },
		"equalValues":    func() { _, _ = equalValues(list, list, &fuel) },
		"equal tables":   func() { _, _ = equalValues(table, table, &fuel) },
		"containsValue":  func() { _, _ = containsValue(list, strictjson.UintValue(1), &fuel) },
		"indexValue":     func() { _, _, _ = indexValue(table, strictjson.ComputedDoubleValue(1)) },
		"timeField":      func() { _ = timeField(hours, at, time.UTC) },
		"calendar":       func() { _ = timeField(dayOfYear, at, time.UTC) },
		"with a zone":    func() { _ = timeField(hours, at, berlin) },
		"timeOfText":     func() { _, _ = timeOfText("2026-11-01T09:30:00.25+02:00") },
		"durationOfText": func() { _, _ = durationOfText("1h30m") },
		"intOfText":      func() { _, _ = intOfText("-42") },
		"boolOfText":     func() { _, _ = boolOfText("maybe") },
		"textOfInt":      func() { _ = textOfInt(42) },
		"sizeOfText":     func() { _ = sizeOfText("日本語") },
		"charAt":         func() { _, _ = charAt("日本語", 1) },
		"substring":      func() { _, _ = substring("日本語", 1, 2) },
		"indexOf":        func() { _, _ = indexOf("日本語", "語", 1) },
		"lastIndexOf":    func() { _, _ = lastIndexOf("日本語", "語") },
		"trim":           func() { _ = trim(" a ") },
		"lowerASCII":     func() { _ = lowerASCII("日本 a") },
		"replace":        func() { _, _ = replace("abc", "x", "y", -1) },
		"concat":         func() { _, _ = concat("abc", "") },
	}
	for name, run := range tests {
		assert.Zero(t, testing.AllocsPerRun(100, run), name)
	}
}
