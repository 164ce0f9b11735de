package celplan

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/internal/strictjson"
)

var accessors = []string{
	"getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds", "getMinutes", "getMonth", "getSeconds",
}

var zones = []string{
	"", "UTC", "Europe/Berlin", "America/St_Johns", "America/Los_Angeles", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Local", "EST5EDT",
	"+01:00", "-09:30", "02:30", "+2:0", "-0:30", "+00:00", "23:59", "-23:59", "+24:00", "-24:00", "01:60", "01:-1", "1:+5", "+-1:00", "--1:00", ":", "1:", ":1", "1:1:1", "+ 1:00",
	"99999999999999999999:00", "Nowhere/Else", "Orange", "../etc/passwd", "/etc/passwd", "europe/berlin\x00", "Z", "utc", "é", "+1:٣",
}

func accessor(part timePart) func(v []strictjson.Value) (strictjson.Value, fault) {
	return func(v []strictjson.Value) (strictjson.Value, fault) {
		at := time.UTC
		if len(v) > 1 {
			var failed fault
			if at, failed = parseZone(v[1].Str()); failed != 0 {
				return strictjson.Value{}, failed
			}
		}
		return intResult(timeField(part, instantOf(v[0]), at), 0)
	}
}

func TestAccessorsAtEdges(t *testing.T) {
	t.Parallel()
	for _, name := range accessors {
		part, ok := timePartOf(name)
		require.True(t, ok)
		for _, at := range edgeTimes {
			agree(t, "a."+name+"()", accessor(part), at.value())
			for _, zone := range zones {
				agree(t, "a."+name+"(b)", accessor(part), at.value(), strictjson.StringValue(zone))
			}
		}
	}
	_, ok := timePartOf("getYear")
	assert.False(t, ok)
}

func TestAccessorsAgree(t *testing.T) {
	t.Parallel()
	manyTimes(t, func(t *rapid.T) {
		at := drawTime(t).value()
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		if rapid.Bool().Draw(t, "offset") {
			zone = fmt.Sprintf("%+03d:%02d", rapid.IntRange(-24, 24).Draw(t, "hour"), rapid.IntRange(0, 60).Draw(t, "minute"))
		}
		for _, name := range accessors {
			part, _ := timePartOf(name)
			agree(t, "a."+name+"()", accessor(part), at)
			agree(t, "a."+name+"(b)", accessor(part), at, strictjson.StringValue(zone))
		}
	})
}

func TestDurationAccessorsAgree(t *testing.T) {
	t.Parallel()
	check := func(t failer, duration int64) {
		for _, name := range accessors {
			part, _ := timePartOf(name)
			agree(t, "a."+name+"()", func(v []strictjson.Value) (strictjson.Value, fault) {
				return intResult(durationField(part, v[0].Int()))
			}, strictjson.DurationValue(time.Duration(duration)))
		}
	}
	for _, duration := range edgeDurations {
		check(t, duration)
	}
	manyTimes(t, func(t *rapid.T) { check(t, drawDuration(t)) })
}

var parseTime = operation{"timestamp(a)", func(v []strictjson.Value) (strictjson.Value, fault) { return timeValue(timeOfText(v[0].Str())) }}

var timeTexts = []string{
	"2026-11-01T09:30:00Z", "2026-11-01T09:30:00.5Z", "2026-11-01T09:30:00.123456789Z", "2026-11-01T09:30:00.1234567899Z", "2026-11-01T09:30:00.000000000001Z",
	"2026-11-01T09:30:00+02:00", "2026-11-01T09:30:00.25-09:30", "2026-11-01T09:30:00+00:00", "2026-11-01T09:30:00-00:00", "2026-11-01T09:30:00+23:59", "2026-11-01T09:30:00+24:00",
	"2026-11-01T09:30:00+01:60", "2026-11-01t09:30:00Z", "2026-11-01T09:30:00z", "2026-11-01t09:30:00z", "2026-11-01 09:30:00Z", "2026-11-01T09:30:00", "2026-11-01T09:30:00.Z",
	"2026-11-01T09:30:00.5", "2026-11-01T09:30:00,5Z", "2026-11-01T09:30Z", "2026-11-01T24:00:00Z", "2026-11-01T23:60:00Z", "2016-12-31T23:59:60Z", "2016-12-31T23:59:61Z", "2026-11-01T9:30:00Z",
	"2024-02-29T00:00:00Z", "2023-02-29T00:00:00Z", "2000-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-02-30T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-31T00:00:00Z", "2026-12-31T23:59:59Z",
	"2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "0000-01-01T00:00:00Z", "0000-02-29T00:00:00Z", "0000-12-31T23:59:59Z", "0001-01-01T00:00:00Z",
	"0000-12-31T23:30:00-00:31", "0001-01-01T00:00:00+00:01", "0000-12-31T23:59:59.999999999-00:01", "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:59+00:01",
	"10000-01-01T00:00:00Z", "-001-01-01T00:00:00Z", "+026-11-01T09:30:00Z", "2026-11-01T09:30:00Z ", " 2026-11-01T09:30:00Z", "", "Z", "2026-11-01T09:30:00é", "２026-11-01T09:30:00Z", "2026-11-01T09:30:00.٣Z",
	"2026-11-01T09:30:00+1:00", "2026-11-01T09:30:00+0100", "2026-11-01T09:30:00ZZ", "2026-11-01T09:30:00.+01:00", "2026-11-01T09:30:00.1+01:00", "2026-11-01T09:30:00*01:00", "2026/11/01T09:30:00Z",
}

func TestTimestampsAtEdges(t *testing.T) {
	t.Parallel()
	for _, s := range timeTexts {
		agree(t, parseTime.src, parseTime.ours, strictjson.StringValue(s))
	}
}

func TestTimestampsAgree(t *testing.T) {
	t.Parallel()
	manyTimes(t, func(t *rapid.T) {
		s := []byte(rapid.SampledFrom(timeTexts).Draw(t, "text"))
		for range rapid.IntRange(0, 2).Draw(t, "changes") {
			if len(s) == 0 {
				break
			}
			s[rapid.IntRange(0, len(s)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("0123459-+:.TZtz \xc3")).Draw(t, "to")
		}
		agree(t, parseTime.src, parseTime.ours, strictjson.StringValue(string(s)))
	})
}

// Every day from the year 1 to 9999, and its text.
func TestTimestampsOfEveryDay(t *testing.T) {
	t.Parallel()
	days := 0
	for at := time.Unix(minSecond, 0).UTC(); at.Year() < 10000; at = at.AddDate(0, 0, 1) {
		days++
		text := at.Format(time.RFC3339)
		got, failed := timeOfText(text)
		if failed != 0 || got.sec != at.Unix() {
			t.Fatalf("%s is read as %d seconds", text, got.sec)
		}
		weekday, day := timeField(dayOfWeek, got, time.UTC), timeField(dayOfYear, got, time.UTC)
		if weekday != int64(at.Weekday()) || day != int64(at.YearDay()-1) {
			t.Fatalf("%s is weekday %d and day %d of its year", text, weekday, day)
		}
	}
	require.Equal(t, 3652059, days)
}

// A machine's own zone shows in the text of a timestamp that was written with
// its offset.
func TestLocalZone(t *testing.T) { // not parallel: it changes the zone of the process
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	before := time.Local
	t.Cleanup(func() { time.Local = before })
	for _, zone := range []*time.Location{berlin, time.FixedZone("", -9*3600-1800), time.FixedZone("", 0)} {
		time.Local = zone
		for _, s := range timeTexts {
			agree(t, parseTime.src, parseTime.ours, strictjson.StringValue(s))
			later := func(v []strictjson.Value) (strictjson.Value, fault) {
				at, failed := timeOfText(v[0].Str())
				if failed != 0 {
					return strictjson.Value{}, failed
				}
				if at, failed = addTimeDur(at, v[1].Int()); failed != 0 {
					return strictjson.Value{}, failed
				}
				return textResult(textOfTime(at), 0)
			}
			for _, by := range []time.Duration{0, 1, 1e6, -24 * 30 * 6 * time.Hour} {
				agree(t, "string(timestamp(a) + b)", later, strictjson.StringValue(s), strictjson.DurationValue(by))
			}
		}
	}
	time.Local = berlin
	at, failed := timeOfText("2026-07-01T12:00:00+02:00")
	require.Zero(t, failed)
	winter, failed := addTimeDur(at, int64(-24*30*6*time.Hour))
	require.Zero(t, failed)
	assert.Equal(t, "2026-01-02T11:00:00+01:00", textOfTime(winter))
}

func TestDurationsAgree(t *testing.T) {
	t.Parallel()
	manyTimes(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[-+]?([0-9]{1,3}(\.[0-9]{0,10})?(h|m|s|ms|us|µs|ns|d)){0,3}`).Draw(t, "duration")
		agree(t, "duration(a)", unaries[5].ours, strictjson.StringValue(s))
	})
}
