package guard

import (
	"errors"
	"sync"
	"time"
)

// clock reads the host's clock and never goes backwards.
type clock struct {
	read func() time.Time

	mu   sync.Mutex
	last time.Time
}

// now returns the time, in UTC; with an error, when the host's clock panics,
// the last time that was seen.
func (c *clock) now() (time.Time, error) {
	t, err := c.reading()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && t.After(c.last) {
		c.last = t
	}
	return c.last, err
}

// latest is now without the error, for records of what has happened already.
func (c *clock) latest() time.Time {
	t, _ := c.now()
	return t
}

func (c *clock) reading() (t time.Time, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("the clock panicked: " + describe(r))
		}
	}()
	// Round drops the monotonic reading: a wall clock that is set back must be
	// seen as such, and the watermark must compare what records compare.
	return c.read().Round(0).UTC(), nil
}
