package guard

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

const (
	maxSessions   = 4096
	maxCalls      = 512      // remembered in one session
	maxRemembered = 32 << 20 // bytes, of all of them
	callSize      = 80       // what a call takes beside its id
)

// sessionID tells sessions apart, also between the people that one session id
// would serve.
type sessionID struct{ id, onBehalfOf string }

// sessions remembers the call ids of recent sessions: which are taken, and
// which were executed with success. What it forgets is no evidence any more.
type sessions struct {
	size atomic.Int64 // of the calls that are remembered

	mu     sync.Mutex
	recent *list.List // of *sessionCalls, the latest used first
	byID   map[sessionID]*sessionCalls
}

type sessionCalls struct {
	id    sessionID
	place *list.Element // in recent; guarded by the mutex of sessions
	total *atomic.Int64 // the size of all sessions

	mu   sync.Mutex
	size int64           // its part of total
	gone bool            // it has no part any more
	done map[string]bool // by call id: executed with success
	// order is a ring of the ids in done, next the place of the oldest.
	order []string
	next  int
}

func newSessions() *sessions {
	return &sessions{recent: list.New(), byID: make(map[sessionID]*sessionCalls)}
}

// open returns the calls of a session, which is the latest used from now on.
func (s *sessions) open(id sessionID) *sessionCalls {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls, ok := s.byID[id]
	if ok {
		s.recent.MoveToFront(calls.place)
	} else {
		calls = &sessionCalls{id: id, total: &s.size, done: make(map[string]bool)}
		calls.place = s.recent.PushFront(calls)
		s.byID[id] = calls
	}
	for s.recent.Len() > maxSessions || s.recent.Len() > 1 && s.size.Load() > maxRemembered {
		oldest := s.recent.Remove(s.recent.Back()).(*sessionCalls)
		delete(s.byID, oldest.id)
		oldest.leave()
	}
	return calls
}

// touch makes a session the latest used, unless it was forgotten.
func (s *sessions) touch(calls *sessionCalls) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recent.MoveToFront(calls.place) // does nothing for one that was removed
}

// claim returns the id under which a call is known: its own, or a fresh one
// where that is missing, unfit for a record, or taken in the session.
func (c *sessionCalls) claim(call string, now time.Time) string {
	fit := call != "" && len(call) <= maxName && rationale.Printable(call) == call
	if !fit {
		call = rationale.NewID(now)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if fit {
		if _, taken := c.done[call]; taken {
			call = rationale.NewID(now)
		}
	}
	c.remember(call)
	return call
}

// succeed notes that a call was executed with success.
func (c *sessionCalls) succeed(call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.done[call]; ok {
		c.done[call] = true
	}
}

// executed reports whether a call of the session was executed with success.
func (c *sessionCalls) executed(call string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done[call]
}

func (c *sessionCalls) remember(call string) {
	grown := int64(len(call) + callSize)
	if len(c.order) < maxCalls {
		c.order = append(c.order, call)
	} else {
		oldest := c.order[c.next]
		delete(c.done, oldest)
		grown -= int64(len(oldest) + callSize)
		c.order[c.next] = call
		c.next = (c.next + 1) % maxCalls
	}
	c.done[call] = false
	if !c.gone {
		c.size += grown
		c.total.Add(grown)
	}
}

// leave takes the session out of the size of all: it is forgotten, though calls may
// be under way in it.
func (c *sessionCalls) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total.Add(-c.size)
	c.size, c.gone = 0, true
}
