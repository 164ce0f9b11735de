package guard

import (
	"errors"
	"math"
	"sync/atomic"
	"time"
)

// clock reads the host's clock and never goes backwards.
type clock struct {
	read func() time.Time
	last atomic.Int64 // the latest reading, in nanoseconds since 1970, or unread
}

// unread is before the first reading.
const unread = math.MinInt64

func newClock(read func() time.Time) *clock {
	c := &clock{read: read}
	c.last.Store(unread)
	return c
}

// now returns the time, in UTC; with an error, when the host's clock panics,
// the last time that was seen.
func (c *clock) now() (time.Time, error) {
	t, err := c.reading()
	for {
		last := c.last.Load()
		if err != nil || t <= last {
			return wallTime(last), err
		}
		if c.last.CompareAndSwap(last, t) {
			return wallTime(t), nil
		}
	}
}

// latest is now without the error, for records of what has happened already.
func (c *clock) latest() time.Time {
	t, _ := c.now()
	return t
}

// reading is what the host's clock shows. It has no monotonic part: a wall
// clock that is set back must be seen as such. Years that do not fit count as
// the nearest that does.
func (c *clock) reading() (t int64, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("the clock panicked: " + describe(r))
		}
	}()
	shown := c.read()
	switch seconds := shown.Unix(); {
	case seconds < math.MinInt64/1_000_000_000:
		return unread, nil
	case seconds >= math.MaxInt64/1_000_000_000:
		return math.MaxInt64, nil
	}
	return shown.UnixNano(), nil
}

// wallTime is the zero time where nothing was read yet.
func wallTime(t int64) time.Time {
	if t == unread {
		return time.Time{}
	}
	return time.Unix(0, t).UTC()
}
