package guard_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

// start is a process of the host: it decides one call, and ends.
func start(t *testing.T, dir string, docs ...authority.Document) rationale.Decision {
	t.Helper()
	l, err := ledger.Open(dir)
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	g, err := guard.New(docs, guard.Agent{ID: guardtest.AgentID, Environment: guardtest.Environment},
		guard.WithLedger(l), guard.AllowUnsigned(), guard.WithClock(guardtest.Now))
	require.NoError(t, err)
	require.NoError(t, g.Register(guardtest.Scale()))
	_, d := g.Begin(t.Context(), guard.Call{Tool: scaleID, Arguments: []byte(`{"replicas":1}`)})
	if d.Allowed() {
		require.NoError(t, g.End(t.Context(), d, nil, nil))
	}
	return d.Record()
}

// Who takes a revocation out of the folder while the host does not run, or puts an
// older version back, gains nothing.
func TestAFolderThatWasTurnedBackIsNoticed(t *testing.T) {
	first := grantDocument("fleet", scaleClass(""))
	second := first
	second.Data = []byte(strings.Replace(string(first.Data), "id: fleet", "id: fleet\nversion: 2", 1))

	t.Run("a revocation is gone", func(t *testing.T) {
		dir := t.TempDir()
		require.Equal(t, rationale.Allow, start(t, dir, first).Verdict)
		assert.Contains(t, start(t, dir, first, halt("Revocation", "fleet")).Reasons, rationale.Revoked)
		for range 3 {
			d := start(t, dir, first)
			assert.Equal(t, rationale.Deny, d.Verdict)
			assert.Equal(t, rationale.StandingRevoked, d.Standing)
		}
		assert.Equal(t, rationale.StandingRevoked, start(t, dir, second).Standing, "of every version")
		assert.Equal(t, rationale.Allow, start(t, t.TempDir(), first).Verdict, "another journal knows nothing of it")
	})
	t.Run("an older version is back", func(t *testing.T) {
		dir := t.TempDir()
		require.Equal(t, rationale.Allow, start(t, dir, second).Verdict)
		for range 2 {
			d := start(t, dir, first)
			assert.Equal(t, rationale.Deny, d.Verdict)
			assert.Equal(t, rationale.StandingSuperseded, d.Standing)
		}
		assert.Equal(t, rationale.Allow, start(t, dir, second).Verdict)
	})
}

// Of two revocations that say the same, each of two hosts with one ledger may find
// another one gone: it still holds.
func TestTwoHostsUndoNoRevocation(t *testing.T) {
	fleet, one := grantDocument("fleet", scaleClass("")), halt("Revocation", "fleet")
	two := authority.Document{Name: "two.yaml", Data: append(slices.Clone(one.Data), "# again\n"...)}
	l := ledger.New(&guardtest.Recorder{})
	host := func(docs ...authority.Document) *guard.Guard {
		g, err := guard.New(docs, guard.Agent{ID: guardtest.AgentID, Environment: guardtest.Environment},
			guard.WithLedger(l), guard.AllowUnsigned(), guard.WithClock(guardtest.Now))
		require.NoError(t, err)
		require.NoError(t, g.Register(guardtest.Scale()))
		return g
	}
	a, b := host(fleet, one, two), host(fleet, one, two)
	require.NoError(t, a.Reload([]authority.Document{fleet, one}))
	require.NoError(t, b.Reload([]authority.Document{fleet, two}))
	_, d := host(fleet).Begin(t.Context(), guard.Call{Tool: scaleID, Arguments: []byte(`{"replicas":1}`)})
	assert.Equal(t, rationale.StandingRevoked, d.Record().Standing)

	third := authority.Document{Name: "two.yaml", Data: append(slices.Clone(two.Data), "# and again\n"...)}
	require.NoError(t, b.Reload([]authority.Document{fleet, third}))
	revocations := 0
	for _, l := range l.Past(guardtest.AgentID, guardtest.Environment) {
		if l.Event == rationale.EventRevoked {
			revocations++
		}
	}
	assert.Equal(t, 2, revocations, "what is said again is kept once")
}
