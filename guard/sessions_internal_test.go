package guard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

var guardNow = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// The bounds that Guard documents.
func TestSessionsAreBounded(t *testing.T) {
	s, now := newSessions(), guardNow
	id := sessionID{id: "s"}
	for i := range maxCalls + 1 {
		call := fmt.Sprint("c", i)
		assert.Equal(t, call, s.open(id).claim(call, now))
		s.open(id).succeed(call)
	}
	calls := s.open(id)
	assert.False(t, calls.executed("c0"), "the oldest call is forgotten")
	assert.True(t, calls.executed("c1"))
	assert.True(t, calls.executed(fmt.Sprint("c", maxCalls)))
	assert.Len(t, calls.done, maxCalls)
	calls.succeed("c0")
	assert.False(t, calls.executed("c0"), "what is forgotten stays so")

	for i := range maxSessions {
		s.open(sessionID{id: fmt.Sprint("other", i)}).claim("c", now)
		if i == maxSessions/2 {
			s.touch(calls)
		}
	}
	assert.Len(t, s.byID, maxSessions)
	assert.Same(t, calls, s.open(id), "it was used more recently than others")
	assert.NotContains(t, s.byID, sessionID{id: "other0"})

	for i := range maxSessions {
		s.open(sessionID{id: fmt.Sprint("later", i)})
	}
	s.touch(calls)
	assert.NotContains(t, s.byID, id, "what was forgotten does not come back")
	assert.Equal(t, maxSessions, s.recent.Len())
}

// Long ids of many sessions do not add up without end.
func TestWhatSessionsRememberIsBounded(t *testing.T) {
	s, long := newSessions(), strings.Repeat("x", maxName-8)
	fill := func(session int) *sessionCalls {
		calls := s.open(sessionID{id: fmt.Sprint(session)})
		for i := range maxCalls + maxCalls/2 {
			calls.claim(fmt.Sprint(long, session%10, i), guardNow)
		}
		return calls
	}
	first := fill(0)
	for i := range maxSessions / 2 { // that are there already when they grow
		s.open(sessionID{id: fmt.Sprint(1 + i)})
	}
	for i := range 2 * maxRemembered / (maxCalls * (maxName + callSize)) {
		fill(1 + i)
		assert.LessOrEqual(t, s.size.Load(), int64(maxRemembered+maxCalls*(maxName+callSize)))
	}
	assert.NotContains(t, s.byID, first.id)
	first.claim("a call that was under way", guardNow)
	sum := int64(0)
	for _, calls := range s.byID {
		for _, id := range calls.order {
			sum += int64(len(id) + callSize)
		}
	}
	assert.Equal(t, sum, s.size.Load())
	assert.Greater(t, len(s.byID), 100)
}

func TestClaimedIDs(t *testing.T) {
	calls := newSessions().open(sessionID{})
	assert.Equal(t, "c1", calls.claim("c1", guardNow))
	for _, unfit := range []string{"", "c1", "a\nb", "\xff", string(make([]byte, maxName+1))} {
		fresh := calls.claim(unfit, guardNow)
		assert.Len(t, fresh, len(rationale.NewID(guardNow)), "%q", unfit)
		assert.NotEqual(t, fresh, calls.claim("", guardNow))
	}
}

func TestNoticesAreBounded(t *testing.T) {
	m := make(map[int]bool)
	for i := range maxNoticed + 1 {
		remember(m, i, true)
	}
	assert.Len(t, m, 1)
}

// What one call was told of facts is not left for the next.
func TestFactsAreForgotten(t *testing.T) {
	facts := map[string]authority.FactValue{"load": {Value: int64(3)}}
	forget(facts)
	assert.Empty(t, facts)
	forget(nil)
}

func TestLegibleTools(t *testing.T) {
	for _, id := range []classify.ToolID{
		{Name: "fleet.scale"}, {Server: "eu-1", Name: "Scale_2"}, {Name: "naïve:tool"}, {Name: strings.Repeat("a", maxName)},
	} {
		assert.Equal(t, id, legibleTool(id))
	}
	for _, id := range []classify.ToolID{
		{},
		{Server: "s"},
		{Name: "a/b"},
		{Name: "a b"},
		{Name: "a*"},
		{Name: "\xff"},
		{Server: "\n", Name: "a"},
		{Name: strings.Repeat("a", maxName+1)},
		{Server: strings.Repeat("a", maxName+1), Name: "a"},
	} {
		assert.True(t, strings.HasPrefix(legibleTool(id).Name, "*"), "%q", id)
		assert.Error(t, id.Validate())
	}
}
