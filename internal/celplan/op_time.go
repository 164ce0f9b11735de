package celplan

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// instant is a timestamp: the seconds since 1970 in UTC, and the nanoseconds
// after them.
type instant struct {
	_    [0]func() // no ==, which would compare zones; compareTimes does not
	sec  int64
	nsec int32
	zone int16 // minutes east of UTC as it was written, or localZone; only textOfTime shows it
}

// localZone is the zone of the machine. CEL has a timestamp written with the
// offset of that zone stand in it, whatever its offset is at other times.
const localZone = math.MinInt16

// The range of CEL's timestamps: the years 1 to 9999.
const (
	minSecond = -62135596800
	maxSecond = 253402300799
)

const secondsPerDay = 24 * 60 * 60

func instantOf(v strictjson.Value) instant {
	sec, nsec := v.Instant()
	return instant{sec: sec, nsec: nsec, zone: v.Zone()}
}

func (t instant) value() strictjson.Value {
	return strictjson.ZonedInstantValue(t.sec, t.nsec, t.zone)
}

func (t instant) location() *time.Location {
	switch t.zone {
	case 0:
		return time.UTC
	case localZone:
		return time.Local
	}
	return time.FixedZone("", int(t.zone)*60)
}

func compareTimes(a, b instant) int {
	if a.sec != b.sec {
		return cmp.Compare(a.sec, b.sec)
	}
	return cmp.Compare(a.nsec, b.nsec)
}

// addTimeDur moves t by a duration. The result is in t's zone.
func addTimeDur(t instant, duration int64) (instant, fault) {
	sec := t.sec + duration/int64(time.Second) // both are far from the ends of an int64
	nsec := int64(t.nsec) + duration%int64(time.Second)
	switch {
	case nsec < 0:
		sec, nsec = sec-1, nsec+int64(time.Second)
	case nsec >= int64(time.Second):
		sec, nsec = sec+1, nsec-int64(time.Second)
	}
	if sec < minSecond || sec > maxSecond {
		return instant{}, overflowFault
	}
	return instant{sec: sec, nsec: int32(nsec), zone: t.zone}, 0
}

// subTimeDur refuses the least duration, which has no opposite.
func subTimeDur(t instant, duration int64) (instant, fault) {
	opposite, failed := negDur(duration)
	if failed != 0 {
		return instant{}, failed
	}
	return addTimeDur(t, opposite)
}

// subTimes is the duration from b to a. It must fit, as must its whole seconds
// by themselves.
func subTimes(a, b instant) (int64, fault) {
	seconds, failed := mulInt(a.sec-b.sec, int64(time.Second))
	if failed != 0 {
		return 0, failed
	}
	return addInt(seconds, int64(a.nsec)-int64(b.nsec))
}

// timePart is what one of CEL's accessors returns.
type timePart uint8

const (
	fullYear timePart = iota
	month             // 0 is January
	dayOfYear
	dayOfMonth // from 0
	dayOfWeek  // 0 is Sunday
	date       // the day of the month from 1
	hours
	minutes
	seconds
	milliseconds
)

// timePartOf returns what the accessor of that name returns.
func timePartOf(function string) (part timePart, ok bool) {
	switch function {
	case "getFullYear":
		return fullYear, true
	case "getMonth":
		return month, true
	case "getDayOfYear":
		return dayOfYear, true
	case "getDayOfMonth":
		return dayOfMonth, true
	case "getDayOfWeek":
		return dayOfWeek, true
	case "getDate":
		return date, true
	case "getHours":
		return hours, true
	case "getMinutes":
		return minutes, true
	case "getSeconds":
		return seconds, true
	case "getMilliseconds":
		return milliseconds, true
	}
	return 0, false
}

// timeField returns a part of t as clocks and calendars at a location show it.
// An accessor without a zone has time.UTC, whatever zone t was written in.
func timeField(part timePart, t instant, at *time.Location) int64 {
	if part == milliseconds {
		return int64(t.nsec) / 1e6
	}
	if at == time.UTC {
		switch inDay := floorMod(t.sec, secondsPerDay); part {
		case hours:
			return inDay / 3600
		case minutes:
			return inDay / 60 % 60
		case seconds:
			return inDay % 60
		case dayOfWeek:
			return floorMod((t.sec-inDay)/secondsPerDay+4, 7) // 1970 began on a Thursday
		}
	}
	return calendarField(part, time.Unix(t.sec, 0).In(at))
}

func calendarField(part timePart, t time.Time) int64 {
	switch part {
	case fullYear:
		return int64(t.Year())
	case month:
		return int64(t.Month()) - 1
	case dayOfYear:
		return int64(t.YearDay()) - 1
	case dayOfMonth:
		return int64(t.Day()) - 1
	case dayOfWeek:
		return int64(t.Weekday())
	case date:
		return int64(t.Day())
	case hours:
		return int64(t.Hour())
	case minutes:
		return int64(t.Minute())
	}
	return int64(t.Second())
}

// floorMod is the remainder that is never negative.
func floorMod(a, b int64) int64 {
	if a %= b; a < 0 {
		a += b
	}
	return a
}

// durationField returns all hours, minutes, seconds or milliseconds of a
// duration, truncated towards zero: the first three of them as a double has
// them, so that a long duration may count as the next. It has no other parts.
func durationField(part timePart, duration int64) (int64, fault) {
	switch part {
	case hours:
		return int64(time.Duration(duration).Hours()), 0
	case minutes:
		return int64(time.Duration(duration).Minutes()), 0
	case seconds:
		return int64(time.Duration(duration).Seconds()), 0
	case milliseconds:
		return duration / int64(time.Millisecond), 0
	}
	return 0, overloadFault
}

// parseZone reads a time zone: a name of the IANA database, or an offset such
// as "+01:00", "-09:30" or "2:00". CEL takes any text of that shape whose
// numbers are in range.
func parseZone(zone string) (*time.Location, fault) {
	before, after, isOffset := strings.Cut(zone, ":")
	if !isOffset {
		at, err := time.LoadLocation(zone)
		if err != nil {
			return nil, faultOf(err.Error())
		}
		return at, 0
	}
	hour, err := strconv.Atoi(before)
	if err != nil {
		return nil, faultOf(err.Error())
	}
	minute, err := strconv.Atoi(after)
	if err != nil {
		return nil, faultOf(err.Error())
	}
	if hour < -23 || hour > 23 || minute < 0 || minute > 59 {
		return nil, rangeFault
	}
	if strings.HasPrefix(zone, "-") {
		minute = -minute
	}
	return time.FixedZone("", (hour*60+minute)*60), 0
}
