package celplan

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// CEL's conversions. A text that does not say what is asked for is a
// conversionFault, and a number that does not fit an overflowFault.

// intOfDouble truncates towards zero. The least int cannot be converted: its
// double also stands for numbers beyond it.
func intOfDouble(d float64) (int64, fault) {
	if d > math.MinInt64 && d < math.MaxInt64 {
		return int64(d), 0
	}
	return 0, overflowFault
}

func intOfUint(u uint64) (int64, fault) {
	if u > math.MaxInt64 {
		return 0, overflowFault
	}
	return int64(u), 0
}

// intOfText reads decimal digits with an optional sign.
func intOfText(s string) (int64, fault) {
	i, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, conversionFault
	}
	return i, 0
}

// intOfTime returns the whole seconds since 1970, rounded towards the past.
func intOfTime(t instant) int64 { return t.sec }

// uintOfDouble truncates towards zero; no negative number converts, not even
// one that would become zero.
func uintOfDouble(d float64) (uint64, fault) {
	if d >= 0 && d < 1<<64 {
		return uint64(d), 0
	}
	return 0, overflowFault
}

func uintOfInt(i int64) (uint64, fault) {
	if i < 0 {
		return 0, overflowFault
	}
	return uint64(i), 0
}

// uintOfText reads decimal digits without a sign.
func uintOfText(s string) (uint64, fault) {
	u, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, conversionFault
	}
	return u, 0
}

func doubleOfInt(i int64) float64   { return float64(i) }
func doubleOfUint(u uint64) float64 { return float64(u) }

// doubleOfText reads what Go's floating-point literals and "inf", "infinity"
// and "nan" in any case say. The result may be NaN or infinite, see
// [checkFinite]; a number too large for a double is a conversionFault.
func doubleOfText(s string) (float64, fault) {
	d, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, conversionFault
	}
	return d, 0
}

// boolOfText accepts 1, t, T, TRUE, true and True, and the like of false.
func boolOfText(s string) (bool, fault) {
	switch s {
	case "1", "t", "T", "true", "TRUE", "True":
		return true, 0
	case "0", "f", "F", "false", "FALSE", "False":
		return false, 0
	}
	return false, conversionFault
}

// textOfBytes refuses what is not UTF-8.
func textOfBytes(b string) (string, fault) {
	if !utf8.ValidString(b) {
		return "", invalidFault
	}
	return b, 0
}

func textOfBool(b bool) string   { return strconv.FormatBool(b) }
func textOfInt(i int64) string   { return strconv.FormatInt(i, 10) }
func textOfUint(u uint64) string { return strconv.FormatUint(u, 10) }

// textOfDouble writes the shortest digits that read back as d, with an
// exponent below 1e-4 and from 1e6 on; NaN, +Inf and -Inf.
func textOfDouble(d float64) string { return strconv.FormatFloat(d, 'g', -1, 64) }

// textOfTime writes RFC 3339 in the zone the timestamp was written in, with
// as many digits of the second as it has.
func textOfTime(t instant) string {
	return time.Unix(t.sec, int64(t.nsec)).In(t.location()).Format(time.RFC3339Nano)
}

// textOfDuration writes seconds as a decimal: "5400s", "-0.000000001s". They
// go through a double, so that long durations lose nanoseconds.
func textOfDuration(duration int64) string {
	return strconv.FormatFloat(time.Duration(duration).Seconds(), 'f', -1, 64) + "s"
}

// durationOfText reads what Go's durations look like: "1h30m", "-1.5s".
func durationOfText(s string) (int64, fault) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, conversionFault
	}
	return int64(d), 0
}

// timeOfInt returns so many seconds after 1970.
func timeOfInt(i int64) (instant, fault) {
	if i < minSecond || i > maxSecond {
		return instant{}, overflowFault
	}
	return instant{sec: i}, 0
}

// convertValue converts to Bool, Int, Uint, Double, String, Bytes, Timestamp
// or Duration. A value of that kind stays as it is. The result of doubles may
// be NaN or infinite, see [checkFiniteValue].
func convertValue(to strictjson.Kind, v strictjson.Value) (strictjson.Value, fault) {
	if v.Kind() == to {
		return v, 0
	}
	switch to {
	case strictjson.Int:
		i, failed := intOfValue(v)
		return strictjson.IntValue(i), failed
	case strictjson.Uint:
		u, failed := uintOfValue(v)
		return strictjson.UintValue(u), failed
	case strictjson.Double:
		d, failed := doubleOfValue(v)
		return strictjson.ComputedDoubleValue(d), failed
	case strictjson.String:
		s, failed := textOfValue(v)
		return strictjson.StringValue(s), failed
	case strictjson.Timestamp:
		if v.Kind() == strictjson.Int {
			return timeValue(timeOfInt(v.Int()))
		}
	}
	if v.Kind() != strictjson.String {
		return strictjson.Value{}, overloadFault
	}
	switch to {
	case strictjson.Bool:
		b, failed := boolOfText(v.Str())
		return strictjson.BoolValue(b), failed
	case strictjson.Bytes:
		return strictjson.BytesValue(v.Str()), 0
	case strictjson.Timestamp:
		return timeValue(timeOfText(v.Str()))
	case strictjson.Duration:
		return durationValue(durationOfText(v.Str()))
	}
	return strictjson.Value{}, overloadFault
}

func intOfValue(v strictjson.Value) (int64, fault) {
	switch v.Kind() {
	case strictjson.Uint:
		return intOfUint(v.Uint())
	case strictjson.Double:
		return intOfDouble(v.Double())
	case strictjson.String:
		return intOfText(v.Str())
	case strictjson.Timestamp:
		return intOfTime(instantOf(v)), 0
	case strictjson.Duration:
		return v.Int(), 0
	}
	return 0, overloadFault
}

func uintOfValue(v strictjson.Value) (uint64, fault) {
	switch v.Kind() {
	case strictjson.Int:
		return uintOfInt(v.Int())
	case strictjson.Double:
		return uintOfDouble(v.Double())
	case strictjson.String:
		return uintOfText(v.Str())
	}
	return 0, overloadFault
}

func doubleOfValue(v strictjson.Value) (float64, fault) {
	switch v.Kind() {
	case strictjson.Int:
		return doubleOfInt(v.Int()), 0
	case strictjson.Uint:
		return doubleOfUint(v.Uint()), 0
	case strictjson.String:
		return doubleOfText(v.Str())
	}
	return 0, overloadFault
}

func textOfValue(v strictjson.Value) (string, fault) {
	switch v.Kind() {
	case strictjson.Bool:
		return textOfBool(v.Bool()), 0
	case strictjson.Int:
		return textOfInt(v.Int()), 0
	case strictjson.Uint:
		return textOfUint(v.Uint()), 0
	case strictjson.Double:
		return textOfDouble(v.Double()), 0
	case strictjson.Bytes:
		return textOfBytes(v.Str())
	case strictjson.Timestamp:
		return textOfTime(instantOf(v)), 0
	case strictjson.Duration:
		return textOfDuration(v.Int()), 0
	}
	return "", overloadFault
}

// faultOf tells what kind of error CEL's message speaks of.
func faultOf(message string) fault {
	for _, known := range []struct {
		says string
		of   fault
	}{
		{"invalid RFC 3339 timestamp", invalidFault}, // and then quotes a value
		{"unknown time zone", valueFault},            // so does this
		{"division by zero", divisionFault},
		{"modulus by zero", divisionFault},
		{"overflow", overflowFault},
		{"range", rangeFault},
		{"no such overload", overloadFault},
		{"conversion", conversionFault},
		{"parsing", conversionFault},
		{"invalid", invalidFault},
	} {
		if strings.Contains(message, known.says) {
			return known.of
		}
	}
	return valueFault
}
