package guard

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The bounds that Guard documents.
func TestSessionsAreBounded(t *testing.T) {
	s := newSessions()
	id := sessionID{id: "s"}
	for i := range maxCalls + 1 {
		call := fmt.Sprint("c", i)
		assert.Equal(t, call, s.claim(id, call, "fresh"))
		s.succeed(id, call)
	}
	assert.False(t, s.executed(id, "c0"), "the oldest call is forgotten")
	assert.True(t, s.executed(id, "c1"))
	assert.True(t, s.executed(id, fmt.Sprint("c", maxCalls)))
	assert.Len(t, s.byID[id].Value.(*sessionCalls).done, maxCalls)
	s.succeed(id, "c0")
	assert.False(t, s.executed(id, "c0"), "what is forgotten stays so")

	for i := range maxSessions {
		s.claim(sessionID{id: fmt.Sprint("other", i)}, "c", "fresh")
		if i == maxSessions/2 {
			s.claim(id, "late", "fresh")
		}
	}
	assert.Len(t, s.byID, maxSessions)
	assert.True(t, s.executed(id, "c2"), "it was used more recently than others")
	assert.NotContains(t, s.byID, sessionID{id: "other0"})
}

func TestNoticesAreBounded(t *testing.T) {
	m := make(map[int]bool)
	for i := range maxNoticed + 1 {
		remember(m, i, true)
	}
	assert.Len(t, m, 1)
}
