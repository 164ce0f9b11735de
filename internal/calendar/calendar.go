// Package calendar says when the hour, day, week or month is that a time is in,
// in a zone. Zones are known on a machine without their files.
package calendar

import (
	"time"
	_ "time/tzdata"
)

// Units are the stretches of time that [Window] knows.
func Units() []string { return []string{"hour", "day", "week", "month"} }

// Window returns when the stretch of the calendar begins that a time is in, and
// when the next one does, both in UTC. Weeks begin on Monday. Windows of one unit and
// zone follow each other without a gap. A unit that is not known has no window: both
// are zero.
func Window(unit string, zone *time.Location, at time.Time) (from, until time.Time) {
	at = at.In(zone)
	year, month, day := at.Date()
	date := func(month time.Month, day int) time.Time { return midnight(year, month, day, zone) }
	switch unit {
	case "hour": // not of a wall clock that is put back: an hour of it comes twice
		from = at.Add(-time.Duration(at.Minute())*time.Minute - time.Duration(at.Second())*time.Second - time.Duration(at.Nanosecond()))
		until = from.Add(time.Hour)
	case "day":
		from, until = date(month, day), date(month, day+1)
	case "week":
		monday := day - (int(at.Weekday())+6)%7
		from, until = date(month, monday), date(month, monday+7)
	case "month":
		from, until = date(month, 1), date(month+1, 1)
	default:
		return time.Time{}, time.Time{}
	}
	return from.UTC(), until.UTC()
}

// midnight returns when a day begins: where its midnight is left out, since the
// clock is put forward, at that moment.
func midnight(year int, month time.Month, day int, zone *time.Location) time.Time {
	t := time.Date(year, month, day, 0, 0, 0, 0, zone)
	want := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	_, offset := t.Zone()
	before, after := t.ZoneBounds()
	switch shown := t.Add(time.Duration(offset) * time.Second); shown.Compare(want) { // the wall clock, as if in UTC
	case -1:
		return after
	case 1:
		return before
	}
	return t
}
