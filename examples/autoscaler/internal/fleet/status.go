package fleet

import (
	"cmp"
	"slices"
	"time"
)

// Status is the fleet as its monitoring shows it. Rates and latencies are of
// the last minute.
type Status struct {
	Time            time.Time      `json:"time"`
	GoalMS          int64          `json:"goal_p95_ms"`
	CoresPerReplica int            `json:"cores_per_replica"`
	Regions         []RegionStatus `json:"regions"`
}

// RegionStatus is one region of a Status.
type RegionStatus struct {
	Region    string             `json:"region"`
	Percent   int                `json:"traffic_percent"`
	P95MS     int64              `json:"p95_ms"` // 0: nothing was served
	Cores     int                `json:"cores"`  // of nodes that are ready
	Workloads []DeploymentStatus `json:"workloads"`
	Pools     []PoolStatus       `json:"pools"`
}

// DeploymentStatus is one deployment of a RegionStatus.
type DeploymentStatus struct {
	Workload string  `json:"workload"`
	Replicas int     `json:"replicas"` // as it is set
	Ready    int     `json:"ready"`
	Demand   int64   `json:"demand_tokens_per_s"`
	Speed    float64 `json:"replica_tokens_per_s"`
	Queued   int     `json:"queued_tokens"` // of requests that wait
}

// PoolStatus is one node pool of a RegionStatus.
type PoolStatus struct {
	Pool  string `json:"pool"`
	Type  string `json:"instance_type"`
	Cores int    `json:"cores_per_node"`
	Nodes int    `json:"nodes"` // as it is set
	Ready int    `json:"ready"`
}

// Status returns the fleet as it is now.
func (f *Fleet) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := Status{Time: f.start.Add(f.now), GoalMS: Goal.Milliseconds(), CoresPerReplica: CoresPerReplica}
	for _, r := range f.regions {
		s.Regions = append(s.Regions, f.regionStatus(r))
	}
	return s
}

func (f *Fleet) regionStatus(r *region) RegionStatus {
	from := f.now - window
	r.finished = slices.DeleteFunc(r.finished, func(d finished) bool { return d.at < from })
	took := make([]time.Duration, len(r.finished))
	for i, d := range r.finished {
		took[i] = d.took
	}
	s := RegionStatus{Region: r.name, Percent: r.percent, P95MS: p95(took).Milliseconds(), Cores: r.cores()}
	for _, d := range r.deployments {
		d.demand = slices.DeleteFunc(d.demand, func(x demand) bool { return x.at < from })
		s.Workloads = append(s.Workloads, d.status(min(f.now-f.load.from, window)))
	}
	for _, p := range r.pools {
		s.Pools = append(s.Pools, PoolStatus{Pool: p.name, Type: p.offer, Cores: p.cores, Nodes: p.nodes, Ready: p.ready})
	}
	return s
}

func (d *deployment) status(over time.Duration) DeploymentStatus {
	s := DeploymentStatus{Workload: d.workload.name, Replicas: d.desired, Speed: d.workload.speed, Queued: d.queued()}
	tokens := 0
	for _, x := range d.demand {
		tokens += x.tokens
	}
	if over > 0 {
		s.Demand = int64(float64(tokens) / over.Seconds())
	}
	for _, p := range d.pods {
		if p.ready && !p.leaving {
			s.Ready++
		}
	}
	return s
}

func (d *deployment) queued() int {
	n := 0
	for _, s := range d.waiting {
		n += s.tokens(d.stage)
	}
	return n
}

// Score says how the latency goal was met.
type Score struct {
	Requests   int           // that arrived
	Unfinished int           // that are still on their way
	P95        time.Duration // over all requests
	Minutes    int           // in which requests arrived
	Met        int           // minutes whose requests kept the goal
}

// GoalMet reports whether 95 of 100 requests stayed within the goal, over the
// whole time.
func (s Score) GoalMet() bool { return s.Requests > 0 && s.P95 <= Goal }

// Score returns how the goal was met so far. A request counts in the minute of
// its arrival; one that is still on its way counts as over the goal.
func (f *Fleet) Score() Score {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.score.sum()
}

type score struct {
	arrived int
	minutes [][]time.Duration // latencies by the minute of arrival
}

func (s *score) add(arrived, took time.Duration) {
	minute := int(arrived / time.Minute)
	for len(s.minutes) <= minute {
		s.minutes = append(s.minutes, nil)
	}
	s.minutes[minute] = append(s.minutes[minute], took)
}

func (s *score) sum() Score {
	out := Score{Requests: s.arrived, Unfinished: s.arrived}
	var all []time.Duration
	for _, minute := range s.minutes {
		if len(minute) == 0 {
			continue
		}
		all = append(all, minute...)
		out.Minutes++
		if p95(minute) <= Goal {
			out.Met++
		}
	}
	out.Unfinished -= len(all)
	for range out.Unfinished {
		all = append(all, time.Duration(1<<62))
	}
	out.P95 = p95(all)
	return out
}

// p95 is the latency that 95 of 100 requests stayed within; zero for none.
func p95(took []time.Duration) time.Duration {
	if len(took) == 0 {
		return 0
	}
	sorted := slices.SortedFunc(slices.Values(took), cmp.Compare[time.Duration])
	return sorted[(len(sorted)*95+99)/100-1]
}
