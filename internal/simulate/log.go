package simulate

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// Log is a model of a database that holds one log of records: it appends if the
// caller knows all of it, and by its own clock. It is safe for concurrent use.
type Log struct {
	mu     sync.Mutex
	now    func() time.Time
	bodies [][]byte
	ids    []string
	times  []time.Time // of each record
	locked *node

	snapshot []byte // the state of the first records; nil: there is none
	covers   int    // how many
}

// NewLog returns an empty log. Now is its clock, and must be safe for concurrent
// use.
func NewLog(now func() time.Time) *Log { return &Log{now: now} }

// errConflict is the answer to an append that does not know all of the log, or not
// the time.
var errConflict = errors.New("others have appended")

// maxPast is how far behind the log's clock the time of an append may be.
const maxPast = time.Second

// request is what a replica sends to append.
type request struct {
	node   *node
	head   int // how much of the log it knows
	at     time.Time
	ids    []string
	bodies [][]byte
}

// append appends all or nothing, and returns the log's time. It may be called again
// with what was appended, as when the network delivers twice.
func (l *Log) append(r *request) (time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	switch {
	case l.locked != nil && l.locked != r.node:
		return now, errConflict // it would wait for the lock, whose holder appends first
	case len(l.bodies) != r.head, r.at.After(now), now.Sub(r.at) > maxPast:
		return now, errConflict
	}
	l.bodies, l.ids = append(l.bodies, r.bodies...), append(l.ids, r.ids...)
	for range r.bodies {
		l.times = append(l.times, now)
	}
	return now, nil
}

// after returns the records from a place on, and the time.
func (l *Log) after(head int) (ids []string, bodies [][]byte, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.ids[head:]), slices.Clone(l.bodies[head:]), l.now()
}

// Records returns all that was appended, in order.
func (l *Log) Records() ([]rationale.Record, error) {
	_, bodies, _ := l.after(0)
	recs := make([]rationale.Record, len(bodies))
	for i, body := range bodies {
		var err error
		if recs[i], err = rationale.Unmarshal(body); err != nil {
			return nil, err
		}
	}
	return recs, nil
}

// lock takes the log for one replica, and reports whether it is free for it.
func (l *Log) lock(n *node) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.locked != nil && l.locked != n {
		return false
	}
	l.locked = n
	return true
}

// unlock gives the log up, as the end of a connection does.
func (l *Log) unlock(n *node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.locked == n {
		l.locked = nil
	}
}

// keep keeps a snapshot, unless there is a later one.
func (l *Log) keep(snapshot []byte, covers int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if covers > l.covers {
		l.snapshot, l.covers = snapshot, covers
	}
}

func (l *Log) last() (snapshot []byte, covers int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.snapshot, l.covers
}
