package journal

import (
	"sync/atomic"
	"time"
)

// Meter hears what a journal's work takes, so that a host can publish it. Its
// methods are called at the same time and while the journal works: they must be
// quick, and must not call the journal. A panic is ignored.
type Meter interface {
	// Appended is called after each Append and Write of records: how long the
	// caller waited, and the error that it got.
	Appended(took time.Duration, err error)
	// Synced is called after each fsync of a segment.
	Synced(took time.Duration, err error)
	// Written is called with what was written to a segment, in bytes.
	Written(bytes int)
}

// Measure lets m, which is not nil, hear of the journal's work from now on, in the
// stead of whoever did, until stop is called.
func (j *Journal) Measure(m Meter) (stop func()) {
	mine := &m
	j.meter.Store(mine)
	return func() { j.meter.CompareAndSwap(mine, nil) }
}

// meter calls the Meter that there is.
type meter struct{ atomic.Pointer[Meter] }

// start returns the time from which something is measured; zero if nobody asks.
func (m *meter) start() (began time.Time) {
	if m.Load() != nil {
		began = time.Now()
	}
	return began
}

func (m *meter) tell(f func(Meter)) {
	to := m.Load()
	if to == nil {
		return
	}
	defer func() { _ = recover() }()
	f(*to)
}

func (m *meter) appended(began time.Time, err error) {
	if !began.IsZero() {
		m.tell(func(to Meter) { to.Appended(time.Since(began), err) })
	}
}

// sync syncs a file of a segment.
func (m *meter) sync(f File) error {
	began := m.start()
	err := f.Sync()
	if !began.IsZero() {
		m.tell(func(to Meter) { to.Synced(time.Since(began), err) })
	}
	return err
}

// write writes to a segment.
func (m *meter) write(f File, b []byte) error {
	err := writeAll(f, b)
	if err == nil {
		m.tell(func(to Meter) { to.Written(len(b)) })
	}
	return err
}
