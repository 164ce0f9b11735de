package authority_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
)

// after loads documents in a process that follows one with others.
func after(t *testing.T, past *authority.Set, docs ...authority.Document) *authority.Set {
	t.Helper()
	set, err := authority.Load(docs, authority.Manifest{Tools: []authority.Tool{actTool}}, authority.AllowUnsigned(), authority.WithPast(past.Lifecycle(noon)...))
	require.NoError(t, err)
	return set
}

func standingOf(t *testing.T, set *authority.Set, at time.Time) rationale.Standing {
	t.Helper()
	return decide(set, at, `{"n":1}`).Standing
}

func TestAStartUndoesNoRevocation(t *testing.T) {
	first := load(t, grantDoc("one"), haltDoc("halt.yaml", "Revocation", "one"))
	second := after(t, first, grantDoc("one"))
	assert.Equal(t, rationale.StandingRevoked, standingOf(t, second, noon))

	third := after(t, second, grantDoc("one"))
	assert.Equal(t, rationale.StandingRevoked, standingOf(t, third, noon), "nor does the start after it")
	reloaded, err := third.Reload([]authority.Document{grantDoc("one")})
	require.NoError(t, err)
	assert.Equal(t, rationale.StandingRevoked, standingOf(t, reloaded, noon))

	suspended := load(t, grantDoc("one"), haltDoc("halt.yaml", "Suspension", "one"))
	assert.Equal(t, rationale.StandingActive, standingOf(t, after(t, suspended, grantDoc("one")), noon), "a suspension ends with its document")
}

func TestAStartWithAnOlderVersionIsSuperseded(t *testing.T) {
	first := load(t, grantDoc("one", "VERSION", "2"))
	assert.Equal(t, rationale.StandingSuperseded, standingOf(t, after(t, first, grantDoc("one")), noon))
	assert.Equal(t, rationale.StandingActive, standingOf(t, after(t, first, grantDoc("one", "VERSION", "2")), noon))
	assert.Equal(t, rationale.StandingActive, standingOf(t, after(t, first, grantDoc("one", "VERSION", "3")), noon))
	assert.Equal(t, rationale.StandingActive, standingOf(t, after(t, first, grantDoc("two")), noon), "another authorization")
}

// A version for later does not hide the one below it, which was in force already.
func TestAVersionForLaterHidesNone(t *testing.T) {
	later := "2026-12-01T00:00:00Z"
	third := grantDoc("one", "VERSION", "3", "AT", later)
	third.Name = "third.yaml"
	both := load(t, grantDoc("one", "VERSION", "2"), third)
	next, err := both.Reload([]authority.Document{grantDoc("one")})
	require.NoError(t, err)
	for _, set := range []*authority.Set{next, after(t, both, grantDoc("one"))} {
		assert.Equal(t, rationale.StandingSuperseded, standingOf(t, set, noon))
	}
	second := after(t, both, grantDoc("one", "VERSION", "2"))
	assert.Equal(t, rationale.StandingActive, standingOf(t, second, noon))
	assert.Equal(t, rationale.StandingSuperseded, standingOf(t, second, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)))
}

// What is not in force for want of a signature shuts nobody out who takes it away again.
func TestAnUnsignedVersionIsNoPast(t *testing.T) {
	strict, err := authority.Load([]authority.Document{grantDoc("one", "VERSION", "9")}, authority.Manifest{Tools: []authority.Tool{actTool}})
	require.NoError(t, err)
	assert.Equal(t, rationale.StandingActive, standingOf(t, after(t, strict, grantDoc("one")), noon))
}

func TestARevocationThatCannotBeReadStopsTheStart(t *testing.T) {
	for _, bytes := range []string{"", "kind: [", "apiVersion: ambit/v9\nkind: Revocation2\n"} {
		_, err := authority.Load([]authority.Document{grantDoc("one")}, authority.Manifest{}, authority.AllowUnsigned(),
			authority.WithPast(nil, &rationale.Lifecycle{Event: rationale.EventRevoked, Document: "gone.yaml", Digest: "sha256:aa", Bytes: []byte(bytes)}))
		assert.ErrorContains(t, err, "the revocation gone.yaml (sha256:aa), which was in force before, cannot be read")
	}
}

// A revocation that is written anew again and again is kept once.
func TestARevocationThatSaysNoMoreIsNotKept(t *testing.T) {
	again := haltDoc("halt.yaml", "Revocation", "one")
	set := load(t, grantDoc("one"), haltDoc("halt.yaml", "Revocation", "one"))
	for range 3 {
		again.Data = append(again.Data, "# once more\n"...)
		next, err := set.Reload([]authority.Document{grantDoc("one"), again})
		require.NoError(t, err)
		set = next
	}
	revoked := 0
	for _, l := range set.Lifecycle(noon) {
		if l.Event == rationale.EventRevoked {
			revoked++
			assert.Equal(t, again.Data, l.Bytes)
		}
	}
	assert.Equal(t, 1, revoked)
}
