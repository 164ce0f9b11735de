package calendar_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/calendar"
)

func TestWindows(t *testing.T) {
	for _, tt := range []struct{ unit, zone, at, from, until string }{
		{"hour", "UTC", "2026-11-23T12:59:59.999Z", "2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z"},
		{"hour", "Asia/Kolkata", "2026-11-23T12:15:00Z", "2026-11-23T11:30:00Z", "2026-11-23T12:30:00Z"},
		{"day", "Europe/Stockholm", "2026-11-23T22:59:59Z", "2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z"},
		{"day", "Europe/Stockholm", "2026-11-23T23:00:00Z", "2026-11-23T23:00:00Z", "2026-11-24T23:00:00Z"},
		{"day", "Europe/Stockholm", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"}, // of 23 hours
		{"day", "Europe/Stockholm", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"}, // of 25
		{"week", "UTC", "2026-11-22T23:59:59Z", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"},             // a Sunday
		{"week", "UTC", "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"},
		{"week", "America/New_York", "2026-01-01T00:00:00Z", "2025-12-29T05:00:00Z", "2026-01-05T05:00:00Z"},
		{"month", "Europe/Stockholm", "2026-12-31T23:00:00Z", "2026-12-31T23:00:00Z", "2027-01-31T23:00:00Z"},
		{"month", "UTC", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
	} {
		zone, err := time.LoadLocation(tt.zone)
		require.NoError(t, err)
		at, err := time.Parse(time.RFC3339, tt.at)
		require.NoError(t, err)
		from, until := calendar.Window(tt.unit, zone, at)
		assert.Equal(t, tt.from, from.Format(time.RFC3339), "%+v", tt)
		assert.Equal(t, tt.until, until.Format(time.RFC3339), "%+v", tt)
	}
}

// Windows follow each other without a gap, and none begins before the one before
// it, whatever the clocks of a zone do.
func TestWindowsFollowEachOther(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Stockholm", "America/Sao_Paulo", "Africa/Cairo", "Asia/Kathmandu", "Pacific/Apia"} {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		for _, unit := range calendar.Units() {
			var last time.Time
			for at := time.Date(2011, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2013; at = at.Add(47 * time.Minute) {
				from, until := calendar.Window(unit, zone, at)
				require.False(t, from.Before(last), "%s in %s at %s", unit, name, at)
				require.False(t, at.Before(from), "%s in %s at %s", unit, name, at)
				require.True(t, at.Before(until), "%s in %s at %s", unit, name, at)
				last = from
			}
		}
	}
}
