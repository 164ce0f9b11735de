package fleet

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// one is a trace of n rows of one size, a second apart.
func one(n, context, generated int) Trace {
	trace := make(Trace, n)
	for i := range trace {
		trace[i] = Request{At: time.Duration(i) * time.Second, Context: context, Generated: generated}
	}
	return trace
}

func TestLatencyWithoutQueueIsServiceTime(t *testing.T) {
	f := New(one(1, 8000, 600), start) // a second to read, a second to write
	f.Advance(start.Add(5 * time.Minute))
	assert.Equal(t, Score{Requests: Sample, P95: 2 * time.Second, Minutes: 1, Met: 1}, f.Score())
	assert.True(t, f.Score().GoalMet())
}

func TestQueueGrowsWithoutCapacity(t *testing.T) {
	f := New(one(600, 16000, 60), start) // ten requests a second, of two seconds each
	f.Advance(start.Add(5 * time.Minute))
	s := f.Status()
	assert.Positive(t, s.Regions[0].Workloads[0].Queued)
	assert.InDelta(t, 0.6*10*16000, s.Regions[0].Workloads[0].Demand, 5000)
	assert.InDelta(t, 0.4*10*16000, s.Regions[1].Workloads[0].Demand, 5000)
	f.Advance(start.Add(10 * time.Minute))
	score := f.Score()
	assert.Positive(t, score.Unfinished)
	assert.False(t, score.GoalMet())
}

func TestScaleStartsReplicasAndStopsThem(t *testing.T) {
	f := New(nil, start)
	require.NoError(t, f.Scale("d1", "reader", "eu-west-1", 3))
	f.Advance(start.Add(time.Second))
	assert.Equal(t, 3, f.Status().Regions[0].Workloads[0].Ready)
	require.NoError(t, f.Scale("d2", "reader", "eu-west-1", 5))
	f.Advance(start.Add(10 * time.Second))
	assert.Equal(t, 3, f.Status().Regions[0].Workloads[0].Ready, "two still start")
	f.Advance(start.Add(20 * time.Second))
	assert.Equal(t, 5, f.Status().Regions[0].Workloads[0].Ready)
	assert.Equal(t, []Action{
		{start, "scale", "reader eu-west-1 3", "d1"},
		{start.Add(time.Second), "scale", "reader eu-west-1 5", "d2"},
	}, f.Log())
}

func TestBusyReplicaLeavesWhenItsRequestIsDone(t *testing.T) {
	f := New(one(1, 32000, 1), start) // four seconds to read; the first goes to eu-west-1
	f.Advance(start.Add(time.Second))
	require.NoError(t, f.Scale("", "reader", "eu-west-1", 0))
	require.NoError(t, f.Scale("", "writer", "eu-west-1", 1))
	assert.Equal(t, 2*CoresPerReplica, f.regions[0].used(), "a reader is busy")
	assert.Zero(t, f.Status().Regions[0].Workloads[0].Ready)
	f.Advance(start.Add(5 * time.Second))
	assert.Equal(t, CoresPerReplica, f.regions[0].used())
	assert.Equal(t, 1, f.Score().Requests-f.Score().Unfinished)
}

func TestReplicasWaitForNodes(t *testing.T) {
	f := New(nil, start) // eu-west-1: 80 cores, of which 20 replicas hold all
	require.NoError(t, f.Scale("", "writer", "eu-west-1", 16))
	f.Advance(start.Add(30 * time.Second))
	assert.Equal(t, 14, f.Status().Regions[0].Workloads[1].Ready)
	require.NoError(t, f.Resize("", "general", "eu-west-1", "m7g.4xlarge", 6))
	f.Advance(start.Add(85 * time.Second))
	assert.Equal(t, 14, f.Status().Regions[0].Workloads[1].Ready, "the node starts for a minute")
	f.Advance(start.Add(110 * time.Second))
	assert.Equal(t, 16, f.Status().Regions[0].Workloads[1].Ready)
	assert.Equal(t, 6, f.Nodes("general", "eu-west-1"))
}

func TestNodeGivenBackWhileItStarts(t *testing.T) {
	f := New(nil, start)
	require.NoError(t, f.Resize("", "general", "eu-west-1", "m7g.4xlarge", 7))
	f.Advance(start.Add(10 * time.Second))
	require.NoError(t, f.Resize("", "general", "eu-west-1", "m7g.4xlarge", 6))
	f.Advance(start.Add(5 * time.Minute))
	assert.Equal(t, PoolStatus{"general", "m7g.4xlarge", 16, 6, 6}, f.Status().Regions[0].Pools[0])
}

func TestOpenAndRoute(t *testing.T) {
	f := New(one(600, 100, 10), start)
	require.NoError(t, f.OpenRegion("d", "eu-north-1", "m7g.8xlarge", 1, 10))
	require.NoError(t, f.Route("d", "eu-north-1", 25))
	percents := map[string]int{}
	f.Advance(start.Add(3 * time.Minute))
	for _, r := range f.Status().Regions {
		percents[r.Region] = r.Percent
		assert.InDelta(t, float64(r.Percent)/100*1000, r.Workloads[0].Demand, 60, r.Region)
	}
	assert.Equal(t, map[string]int{"eu-west-1": 45, "eu-central-1": 30, "eu-north-1": 25}, percents)
	assert.Equal(t, 4, f.Status().Regions[2].Workloads[0].Ready)
}

func TestRefusedActionsLeaveNoLog(t *testing.T) {
	f := New(nil, start)
	for want, err := range map[string]error{
		"no deployment cache in eu-west-1":                    f.Scale("", "cache", "eu-west-1", 1),
		"no deployment reader in us-east-1":                   f.Scale("", "reader", "us-east-1", 1),
		"-1 replicas: want 0 or more":                         f.Scale("", "reader", "eu-west-1", -1),
		"region us-east-1 is not open":                        f.Resize("", "general", "us-east-1", "m7g.4xlarge", 1),
		"p5.48xlarge is not sold in eu-west-1":                f.Resize("", "general", "eu-west-1", "p5.48xlarge", 1),
		"-1 nodes: want 0 or more":                            f.Resize("", "general", "eu-west-1", "m7g.4xlarge", -1),
		"region eu-west-1 is open":                            f.OpenRegion("", "eu-west-1", "m7g.4xlarge", 1, 10),
		"m7g.16xlarge is not sold in eu-north-1":              f.OpenRegion("", "eu-north-1", "m7g.16xlarge", 1, 10),
		"0 nodes: want 1 or more":                             f.OpenRegion("", "eu-north-1", "m7g.4xlarge", 0, 10),
		"100 percent: want 1 to 99":                           f.OpenRegion("", "eu-north-1", "m7g.4xlarge", 1, 100),
		"region eu-north-1 is not open":                       f.Route("", "eu-north-1", 10),
		"101 percent: the regions' shares must add up to 100": f.Route("", "eu-west-1", 101),
		"64 cores would be left in eu-west-1 and its replicas hold 80: scale them down first": f.Resize("", "general", "eu-west-1", "m7g.4xlarge", 4),
		"pool general in eu-west-1 is of m7g.4xlarge: a pool has one instance type":           f.Resize("", "general", "eu-west-1", "m7g.8xlarge", 4),
	} {
		assert.EqualError(t, err, want)
	}
	assert.Empty(t, f.Log())
	_, err := f.Replicas("cache", "eu-west-1")
	require.EqualError(t, err, "no deployment cache in eu-west-1")
	assert.Zero(t, f.Nodes("burst", "eu-west-1"))
}

func TestTimeDoesNotGoBack(t *testing.T) {
	f := New(nil, start)
	f.Advance(start.Add(time.Minute))
	f.Advance(start)
	assert.Equal(t, start.Add(time.Minute), f.Now())
}

func TestRepeatBringsTheSameMorning(t *testing.T) {
	f := New(Builtin(), start)
	f.Advance(start.Add(2 * time.Minute))
	first := f.Status()
	require.NoError(t, f.Scale("d", "reader", "eu-west-1", 9))
	again := start.Add(42 * 24 * time.Hour)
	f.Repeat(again)
	f.Advance(again.Add(2 * time.Minute))
	second := f.Status()
	second.Time = first.Time
	assert.Equal(t, first, second)
	log := f.Log()
	assert.Equal(t, Action{again, "repeat", "", ""}, log[len(log)-1])
}
