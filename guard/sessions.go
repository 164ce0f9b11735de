package guard

import (
	"container/list"
	"sync"

	"github.com/ambit-go/ambit/rationale"
)

const (
	maxSessions = 4096
	maxCalls    = 512 // remembered in one session
)

// sessionID tells sessions apart, also between the people that one session id
// would serve.
type sessionID struct{ id, onBehalfOf string }

// sessions remembers the call ids of recent sessions: which are taken, and
// which were executed with success. What it forgets is no evidence any more.
type sessions struct {
	mu     sync.Mutex
	recent *list.List // of *sessionCalls, the latest used first
	byID   map[sessionID]*list.Element
}

type sessionCalls struct {
	id   sessionID
	done map[string]bool // by call id: executed with success
	// order is a ring of the ids in done, next the place of the oldest.
	order []string
	next  int
}

func newSessions() *sessions {
	return &sessions{recent: list.New(), byID: make(map[sessionID]*list.Element)}
}

// claim returns the id under which a call is known: its own, or fresh where
// that is missing, unfit for a record, or taken in the session.
func (s *sessions) claim(id sessionID, call, fresh string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.open(id)
	if _, taken := calls.done[call]; taken || call == "" || len(call) > maxName || rationale.Printable(call) != call {
		call = fresh
	}
	calls.remember(call)
	return call
}

// succeed notes that a call was executed with success.
func (s *sessions) succeed(id sessionID, call string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.open(id)
	if _, ok := calls.done[call]; ok {
		calls.done[call] = true
	}
}

// executed reports whether a call of the session was executed with success.
func (s *sessions) executed(id sessionID, call string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.byID[id]
	return ok && e.Value.(*sessionCalls).done[call]
}

func (s *sessions) open(id sessionID) *sessionCalls {
	if e, ok := s.byID[id]; ok {
		s.recent.MoveToFront(e)
		return e.Value.(*sessionCalls)
	}
	if s.recent.Len() >= maxSessions {
		oldest := s.recent.Back()
		delete(s.byID, oldest.Value.(*sessionCalls).id)
		s.recent.Remove(oldest)
	}
	calls := &sessionCalls{id: id, done: make(map[string]bool)}
	s.byID[id] = s.recent.PushFront(calls)
	return calls
}

func (c *sessionCalls) remember(call string) {
	if len(c.order) < maxCalls {
		c.order = append(c.order, call)
	} else {
		delete(c.done, c.order[c.next])
		c.order[c.next] = call
		c.next = (c.next + 1) % maxCalls
	}
	c.done[call] = false
}
