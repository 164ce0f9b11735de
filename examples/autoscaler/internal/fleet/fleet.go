// Package fleet simulates, in one process and without waiting, a fleet that
// serves language-model requests: replicas in deployments, on nodes in pools,
// in regions. It follows a load trace, measures every request's latency, and
// keeps its own log of what was done to it.
//
// A request is read by the workload "reader" and then answered by "writer". A
// replica serves one request at a time; what finds no free replica waits its
// turn. So latency here is measured, not estimated.
package fleet

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// The numbers of the simulated world.
const (
	// Goal is the latency that 95 of 100 requests must stay within.
	Goal = 2 * time.Second
	// Sample is how many of the fleet's requests one row of a trace stands for.
	Sample = 10

	CoresPerReplica = 4
	replicaStart    = 15 * time.Second
	nodeStart       = 60 * time.Second
	sampleGap       = time.Minute / Sample // between the requests of one row
	window          = time.Minute          // of the measurements in a Status
)

// workload is a stage of serving. Its speed is of one replica, in tokens a second.
type workload struct {
	name  string
	speed float64
}

var workloads = [...]workload{{"reader", 8000}, {"writer", 600}}

// Offer is capacity that the provider sells.
type Offer struct {
	Region  string `json:"region"`
	Type    string `json:"instance_type"`
	Cores   int    `json:"cores"`
	PerHour string `json:"eur_per_hour"`
}

// Offers returns what the provider sells, everywhere.
func Offers() []Offer {
	return []Offer{
		{"eu-west-1", "m7g.4xlarge", 16, "0.7288"},
		{"eu-west-1", "m7g.8xlarge", 32, "1.4576"},
		{"eu-west-1", "m7g.16xlarge", 64, "2.9152"},
		{"eu-central-1", "m7g.4xlarge", 16, "0.7824"},
		{"eu-central-1", "m7g.8xlarge", 32, "1.5648"},
		{"eu-central-1", "m7g.16xlarge", 64, "3.1296"},
		{"eu-north-1", "m7g.4xlarge", 16, "0.6936"},
		{"eu-north-1", "m7g.8xlarge", 32, "1.3872"},
		{"us-east-1", "m7g.4xlarge", 16, "0.6528"},
		{"us-east-1", "m7g.16xlarge", 64, "2.6112"},
	}
}

// Action is an entry of the fleet's own log: something that was done to it.
type Action struct {
	At       time.Time
	Name     string
	Args     string // canonical: the arguments, in the order of the method's
	Decision string // the decision that the caller said it acts on; may be empty
}

// Fleet is the simulated fleet. It is safe for concurrent use.
type Fleet struct {
	mu      sync.Mutex
	start   time.Time
	now     time.Duration // since start
	load    load
	events  events
	regions []*region
	score   score
	log     []Action
}

// New returns a fleet at time start, which is when the trace begins.
func New(trace Trace, start time.Time) *Fleet {
	f := &Fleet{start: start, load: newLoad(trace, 0)}
	f.quiet()
	return f
}

// Repeat lets time pass until t, and puts the fleet back to how it began, with
// the same trace ahead of it. The log says so.
func (f *Fleet) Repeat(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance(t.Sub(f.start))
	f.events, f.regions = events{}, nil
	f.load = newLoad(f.load.trace, f.now)
	f.quiet()
	f.did("", "repeat", "")
}

// quiet sizes the fleet for a quiet morning.
func (f *Fleet) quiet() {
	f.open("eu-west-1", 60, pool{name: "general", offer: "m7g.4xlarge", cores: 16, nodes: 5}, 6, 14)
	f.open("eu-central-1", 40, pool{name: "general", offer: "m7g.4xlarge", cores: 16, nodes: 4}, 4, 10)
}

// open adds a region whose capacity is ready at once.
func (f *Fleet) open(name string, percent int, p pool, replicas ...int) {
	p.ready = p.nodes
	r := &region{name: name, percent: percent, pools: []*pool{&p}}
	for i, w := range workloads {
		d := &deployment{workload: w, stage: i, desired: replicas[i]}
		for range replicas[i] {
			d.pods = append(d.pods, &pod{ready: true})
		}
		r.deployments = append(r.deployments, d)
	}
	f.regions = append(f.regions, r)
}

// Now is the simulated time.
func (f *Fleet) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.start.Add(f.now)
}

// Advance lets simulated time pass until t; an earlier t changes nothing.
func (f *Fleet) Advance(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance(t.Sub(f.start))
}

// Log returns what was done to the fleet, in order.
func (f *Fleet) Log() []Action {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.log)
}

// Scale sets a deployment's number of replicas. Replicas beyond the region's
// cores wait until there are nodes for them.
func (f *Fleet) Scale(decision, workload, region string, replicas int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, r := f.deployment(workload, region)
	if d == nil {
		return fmt.Errorf("no deployment %s in %s", workload, region)
	}
	if replicas < 0 {
		return fmt.Errorf("%d replicas: want 0 or more", replicas)
	}
	d.desired = replicas
	f.reconcile(r)
	f.did(decision, "scale", fmt.Sprintf("%s %s %d", workload, region, replicas))
	return nil
}

// Resize sets the number of nodes of a pool, and creates the pool where the
// region has none of that name. Nodes take a minute to start. Nodes that
// replicas still need are not taken away.
func (f *Fleet) Resize(decision, name, region, instanceType string, nodes int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.region(region)
	cores, sold := coresOf(region, instanceType)
	switch {
	case r == nil:
		return fmt.Errorf("region %s is not open", region)
	case !sold:
		return fmt.Errorf("%s is not sold in %s", instanceType, region)
	case nodes < 0:
		return fmt.Errorf("%d nodes: want 0 or more", nodes)
	}
	p := r.pool(name)
	switch {
	case p == nil:
		p = &pool{name: name, offer: instanceType, cores: cores}
		r.pools = append(r.pools, p)
	case p.offer != instanceType:
		return fmt.Errorf("pool %s in %s is of %s: a pool has one instance type", name, region, p.offer)
	}
	if left := r.cores() - max(0, p.ready-nodes)*p.cores; left < r.used() {
		return fmt.Errorf("%d cores would be left in %s and its replicas hold %d: scale them down first", left, region, r.used())
	}
	f.resize(r, p, nodes)
	f.did(decision, "resize", fmt.Sprintf("%s %s %s %d", name, region, instanceType, nodes))
	return nil
}

func (f *Fleet) resize(r *region, p *pool, nodes int) {
	if nodes < p.nodes {
		p.ready = min(p.ready, nodes)
	}
	for range nodes - p.nodes {
		f.schedule(event{at: f.now + nodeStart, do: func() {
			if p.ready < p.nodes { // else it was given back while it started
				p.ready++
			}
			f.reconcile(r)
		}})
	}
	p.nodes = nodes
}

// OpenRegion begins to serve percent of the traffic from a new region, on one
// pool "general" of that many nodes.
func (f *Fleet) OpenRegion(decision, name, instanceType string, nodes, percent int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	cores, sold := coresOf(name, instanceType)
	switch {
	case f.region(name) != nil:
		return fmt.Errorf("region %s is open", name)
	case !sold:
		return fmt.Errorf("%s is not sold in %s", instanceType, name)
	case nodes < 1:
		return fmt.Errorf("%d nodes: want 1 or more", nodes)
	case percent < 1 || percent > 99:
		return fmt.Errorf("%d percent: want 1 to 99", percent)
	}
	each := nodes * cores / CoresPerReplica / len(workloads)
	f.open(name, 0, pool{name: "general", offer: instanceType, cores: cores, nodes: nodes}, each, each)
	f.share(name, percent)
	f.did(decision, "open", fmt.Sprintf("%s %s %d %d", name, instanceType, nodes, percent))
	return nil
}

// Route sends percent of the traffic to an open region. The others keep their
// proportions.
func (f *Fleet) Route(decision, name string, percent int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.region(name) == nil:
		return fmt.Errorf("region %s is not open", name)
	case percent < 0 || percent > 100 || len(f.regions) == 1 && percent != 100:
		return fmt.Errorf("%d percent: the regions' shares must add up to 100", percent)
	}
	f.share(name, percent)
	f.did(decision, "route", fmt.Sprintf("%s %d", name, percent))
	return nil
}

// share gives name its percent and the other regions the rest, as they had it.
func (f *Fleet) share(name string, percent int) {
	rest, before, last := 100-percent, 0, (*region)(nil)
	for _, r := range f.regions {
		if r.name != name {
			before += r.percent
			last = r
		}
	}
	given := 0
	for _, r := range f.regions {
		switch {
		case r.name == name:
			r.percent = percent
		case r == last:
			r.percent = rest - given
		default:
			r.percent = rest * r.percent / max(before, 1)
			given += r.percent
		}
	}
}

func (f *Fleet) did(decision, name, args string) {
	f.log = append(f.log, Action{At: f.start.Add(f.now), Name: name, Args: args, Decision: decision})
}

// Replicas returns how many replicas a deployment is set to.
func (f *Fleet) Replicas(workload, region string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, _ := f.deployment(workload, region)
	if d == nil {
		return 0, fmt.Errorf("no deployment %s in %s", workload, region)
	}
	return d.desired, nil
}

// Nodes returns how many nodes a pool is set to: none where there is no pool.
func (f *Fleet) Nodes(pool, region string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.region(region); r != nil {
		if p := r.pool(pool); p != nil {
			return p.nodes
		}
	}
	return 0
}

func (f *Fleet) region(name string) *region {
	i := slices.IndexFunc(f.regions, func(r *region) bool { return r.name == name })
	if i < 0 {
		return nil
	}
	return f.regions[i]
}

func (f *Fleet) deployment(workload, region string) (*deployment, *region) {
	r := f.region(region)
	if r == nil {
		return nil, nil
	}
	i := slices.IndexFunc(r.deployments, func(d *deployment) bool { return d.workload.name == workload })
	if i < 0 {
		return nil, nil
	}
	return r.deployments[i], r
}

func coresOf(region, instanceType string) (int, bool) {
	for _, o := range Offers() {
		if o.Region == region && o.Type == instanceType {
			return o.Cores, true
		}
	}
	return 0, false
}
