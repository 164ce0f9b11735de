//go:build !race

package celplan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

// TestNativeAllocatesNothing: an evaluation allocates for the texts and maps
// that it computes alone, and lists reuse the memory of the frame.
func TestNativeAllocatesNothing(t *testing.T) {
	env := testEnv(t)
	for _, src := range []string{
		fiveClauses, `args.dry_run || args.replicas == 5`, `args.replicas * 2 + 1 > 10 && args.amount / 2.0 < 100.0`,
		`args.region.matches('^eu-[a-z]+-[0-9]$') && args.region.size() == 9 && args.region.substring(0, 2) == 'eu'`,
		`args.tags.all(t, t.size() == 1) && args.tags.exists(t, t == 'b') && args.tags.exists_one(t, t == 'a')`,
		`args.flights.exists(f, args.tags.exists(t, f.date.contains('-') && t == 'b'))`,
		`args.tags.filter(t, t > 'a').map(t, t).size() == 1 && args.tags + ['c'] == ['a', 'b', 'c']`, `args.labels.all(k, args.labels[k] != '')`,
		`call.time - facts.since > duration('24h') && call.time.getHours('Europe/Berlin') == 13 && call.time.getFullYear() == 2026`,
		`args.any.deep.n + 1 == 8 && has(args.any.text) && args.any.none == null`, `[args.replicas, 2][0] == 5 && args.flights[0] == args.flights[0]`,
		`args.labels == {'owner': 'dana', 'team': 'sre'} && {1: 'a'}[1] == 'a' && args.tags in [['a', 'b'], []]`,
	} {
		p := compile(t, env, src)
		f := p.FrameOf(testInput(t))
		holds, err := p.Bool(f)
		require.NoError(t, err, src)
		require.True(t, holds, src)
		assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = p.Bool(f) }), src)
	}
	p, err := env.Compile(`args.replicas * 2`, strictjson.Int)
	require.NoError(t, err)
	f := p.FrameOf(testInput(t))
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = p.Int(f) }))
}

func TestReadingsAllocateNothing(t *testing.T) {
	p := compile(t, testEnv(t), fiveClauses+` && args.flights.all(f, f.seats > 1) && args.labels.owner == 'x'`)
	f := p.FrameOf(testInput(t))
	readings := p.AppendReadings(make([]celplan.Reading, 0, 8), f)
	require.Len(t, readings, 6)
	assert.Zero(t, testing.AllocsPerRun(100, func() { readings = p.AppendReadings(readings[:0], f) }))
	assert.Equal(t, p.Readings(f), readings)
}
