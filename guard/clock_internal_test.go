package guard

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestClockNeverGoesBackwards(t *testing.T) {
	var shown time.Time
	c := newClock(func() time.Time { return shown })
	assert.Zero(t, c.latest(), "a clock that shows nothing")
	for _, tt := range []struct {
		name        string
		shows, want time.Time
	}{
		{"first", guardNow, guardNow},
		{"later, elsewhere", guardNow.Add(1).In(time.FixedZone("", 3600)), guardNow.Add(1)},
		{"earlier", guardNow.Add(-time.Hour), guardNow.Add(1)},
		{"too early to fit", time.Date(1, 2, 3, 0, 0, 0, 0, time.UTC), guardNow.Add(1)},
		{"later again", guardNow.Add(time.Second), guardNow.Add(time.Second)},
		{"too late to fit", time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(0, 1<<63-1).UTC()},
		{"back from there", guardNow, time.Unix(0, 1<<63-1).UTC()},
	} {
		shown = tt.shows
		got, err := c.now()
		assert.NoError(t, err)
		assert.Equal(t, tt.want, got, tt.name)
	}
}

func TestClockThatPanics(t *testing.T) {
	broken := true
	c := newClock(func() time.Time {
		if broken {
			panic("stopped")
		}
		return guardNow
	})
	at, err := c.now()
	assert.EqualError(t, err, "the clock panicked: stopped")
	assert.Zero(t, at)
	broken = false
	assert.Equal(t, guardNow, c.latest())
	broken = true
	at, err = c.now()
	assert.Error(t, err)
	assert.Equal(t, guardNow, at)
}

// Whoever reads later never sees less.
func TestClockIsSharedByReaders(t *testing.T) {
	var (
		mu    sync.Mutex
		hour  int
		group sync.WaitGroup
		c     = newClock(func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			hour++
			return guardNow.Add(time.Duration(hour) * time.Hour)
		})
		behind = make(chan time.Time, 8)
	)
	for range cap(behind) {
		group.Go(func() {
			var last time.Time
			for range 200 {
				now := c.latest()
				if now.Before(last) {
					behind <- now
					return
				}
				last = now
			}
		})
	}
	group.Wait()
	assert.Empty(t, behind)
}
