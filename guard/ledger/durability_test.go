package ledger_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// writesAndSyncs counts the calls since it was asked last.
func writesAndSyncs(fs *crashfs.FS) (writes, syncs int) {
	for _, c := range fs.Log() {
		switch c.Op {
		case "write":
			writes++
		case "sync":
			syncs++
		}
	}
	return writes, syncs
}

// Durability of the machine's end is given up only by what holds no budget and
// asks nobody.
func TestDurability(t *testing.T) {
	fs := crashfs.New()
	l := openLedger(t, fs)
	synced := func(d *rationale.Decision) bool {
		d.Terms.Durability = rationale.DurabilityOS
		fs.Log()
		require.NoError(t, l.Admit(ctx, d))
		if d.Verdict == rationale.Allow {
			require.NoError(t, l.Complete(ctx, guardtest.OutcomeOf(d)))
		}
		_, syncs := writesAndSyncs(fs)
		return syncs > 0
	}
	spends := guardtest.Allowed()
	spends.Spend = &rationale.Spend{Currency: "EUR", Amount: "1", Basis: "amount"}
	assert.False(t, synced(guardtest.Allowed()))
	assert.False(t, synced(guardtest.Denied()))
	assert.True(t, synced(spends))
	assert.True(t, synced(guardtest.Pending()))
	assert.True(t, synced(reviewed()))
}

const twoDurabilities = `apiVersion: ambit/v1
kind: Authorization
id: fleet
owner: {id: owner@example.com}
agent: {id: tester, environments: [test]}
grant: {by: [{id: granter@example.com}], at: 2026-11-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
approval: {by: [group:oncall]}
classes:
  - id: read
    tools: [fleet.read]
    tier: parameterized
    effect: read
    bounds: [{expr: "args.limit <= 100", why: load}]
    durability: os
  - {id: scale, tools: [fleet.scale], tier: parameterized, rationale: []}
`

// A class of a document gives up the fsync of its decisions, outcomes and
// denials; the machine may then lose them, until a record of another class is
// synced behind them.
func TestDurabilityOfAClass(t *testing.T) {
	fs := crashfs.New()
	l := openLedger(t, fs)
	g, err := guard.New([]authority.Document{{Name: "fleet.yaml", Data: []byte(twoDurabilities)}},
		guard.Agent{ID: guardtest.AgentID, Environment: guardtest.Environment},
		guard.WithLedger(l), guard.WithClock(guardtest.NewClock(guardtest.Now()).Now), guard.AllowUnsigned())
	require.NoError(t, err)
	require.NoError(t, g.Register(guardtest.Scale(), authority.Tool{
		Name: "fleet.read", Schema: []byte(`{"type":"object","properties":{"limit":{"type":"integer"}},"required":["limit"]}`),
	}))
	govern := func(tool, arguments string) guard.Decision {
		callContext, d := g.Begin(ctx, guard.Call{Tool: classify.ToolID{Name: tool}, Arguments: []byte(arguments)})
		if d.Allowed() {
			require.NoError(t, g.End(callContext, d, []byte("ok"), nil))
		}
		return d
	}
	fs.Log()
	read := govern("fleet.read", `{"limit": 10}`)
	require.True(t, read.Allowed())
	writes, syncs := writesAndSyncs(fs)
	assert.Equal(t, 2, writes, "the decision and its outcome")
	assert.Zero(t, syncs)
	denied := govern("fleet.read", `{"limit": 1000}`)
	require.False(t, denied.Allowed())
	writes, syncs = writesAndSyncs(fs)
	assert.Equal(t, 1, writes)
	assert.Zero(t, syncs)

	const seeds = 30
	lost := 0
	for seed := range uint64(seeds) {
		after := fs.Crash(rand.New(rand.NewPCG(seed, 1)))
		again := openLedger(t, after)
		assert.Zero(t, again.Status(guardtest.Now()).Open)
		require.NoError(t, again.Close())
		if !holds(after, denied.Record().ID) {
			lost++
		}
		for _, p := range journal.Verify(journal.Expect{FS: after}, dir).Problems {
			t.Error(p)
		}
	}
	assert.NotZero(t, lost, "nobody has waited for the disk")

	fs.Log()
	require.True(t, govern("fleet.scale", `{"replicas": 4}`).Allowed())
	writes, syncs = writesAndSyncs(fs)
	assert.Equal(t, []int{2, 2}, []int{writes, syncs})
	for seed := range uint64(seeds) {
		after := fs.Crash(rand.New(rand.NewPCG(seed, 2)))
		assert.True(t, holds(after, read.Record().ID), "synced with a later record")
		assert.True(t, holds(after, denied.Record().ID))
	}
}

// holds reports whether a decision is recorded.
func holds(fs *crashfs.FS, id string) bool {
	for _, rec := range recorded(fs) {
		if d, ok := rec.(*rationale.Decision); ok && d.ID == id {
			return true
		}
	}
	return false
}
