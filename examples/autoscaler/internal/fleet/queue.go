package fleet

import (
	"container/heap"
	"slices"
	"time"
)

// region is a place that serves a share of the traffic.
type region struct {
	name        string
	percent     int
	credit      int // of the traffic's fair rotation
	pools       []*pool
	deployments []*deployment // one for each of workloads, in their order
	finished    []finished    // the last window's requests
}

// pool is a number of like nodes.
type pool struct {
	name         string
	offer        string
	cores        int // of one node
	nodes, ready int
}

// deployment is a number of like replicas and what waits for them.
type deployment struct {
	workload workload
	stage    int // its place in workloads
	desired  int
	pods     []*pod
	waiting  []*served
	demand   []demand // of the last window
}

type pod struct {
	ready, busy, leaving bool
}

// served is a request on its way.
type served struct {
	Request
	arrived time.Duration
	region  *region
}

func (s *served) tokens(stage int) int {
	if stage == 0 {
		return s.Context
	}
	return s.Generated
}

type demand struct {
	at     time.Duration
	tokens int
}

type finished struct {
	at, took time.Duration
}

func (r *region) pool(name string) *pool {
	i := slices.IndexFunc(r.pools, func(p *pool) bool { return p.name == name })
	if i < 0 {
		return nil
	}
	return r.pools[i]
}

// cores is what the region's nodes that are ready have.
func (r *region) cores() int {
	n := 0
	for _, p := range r.pools {
		n += p.ready * p.cores
	}
	return n
}

// used is what the region's replicas hold.
func (r *region) used() int {
	n := 0
	for _, d := range r.deployments {
		n += len(d.pods) * CoresPerReplica
	}
	return n
}

// load yields the requests of a trace, each row as Sample requests.
type load struct {
	trace Trace
	from  time.Duration // when it begins
	next  [Sample]int   // the row that each copy of the trace stands at
}

func newLoad(trace Trace, from time.Duration) load { return load{trace: trace, from: from} }

// peek returns the copy whose next request comes first, and when.
func (l *load) peek() (best int, at time.Duration, ok bool) {
	for i, row := range l.next {
		if row == len(l.trace) {
			continue
		}
		due := l.from + l.trace[row].At + time.Duration(i)*sampleGap
		if !ok || due < at {
			best, at, ok = i, due, true
		}
	}
	return best, at, ok
}

// event is something that happens later. Those of one moment happen in the
// order in which they were scheduled.
type event struct {
	at  time.Duration
	seq int
	do  func()
}

type events struct {
	list []event
	seq  int
}

func (e *events) Len() int { return len(e.list) }
func (e *events) Less(i, j int) bool {
	if e.list[i].at != e.list[j].at {
		return e.list[i].at < e.list[j].at
	}
	return e.list[i].seq < e.list[j].seq
}
func (e *events) Swap(i, j int) { e.list[i], e.list[j] = e.list[j], e.list[i] }
func (e *events) Push(x any)    { e.list = append(e.list, x.(event)) }
func (e *events) Pop() any {
	last := len(e.list) - 1
	x := e.list[last]
	e.list[last] = event{}
	e.list = e.list[:last]
	return x
}

func (f *Fleet) schedule(e event) {
	f.events.seq++
	e.seq = f.events.seq
	heap.Push(&f.events, e)
}

// advance takes events and arrivals in their order until the time is to.
func (f *Fleet) advance(to time.Duration) {
	for {
		copied, arrives, more := f.load.peek()
		switch {
		case f.events.Len() > 0 && f.events.list[0].at <= to && (!more || f.events.list[0].at <= arrives):
			e := heap.Pop(&f.events).(event)
			f.now = max(f.now, e.at)
			e.do()
		case more && arrives <= to:
			f.now = max(f.now, arrives)
			row := f.load.trace[f.load.next[copied]]
			f.load.next[copied]++
			f.arrive(row)
		default:
			f.now = max(f.now, to)
			return
		}
	}
}

func (f *Fleet) arrive(row Request) {
	r := f.route()
	f.score.arrived++
	f.enter(0, &served{Request: row, arrived: f.now, region: r})
}

// route picks the region of the next request, so that after any hundred
// requests each has had its share.
func (f *Fleet) route() *region {
	best := f.regions[0]
	for _, r := range f.regions {
		r.credit += r.percent
		if r.credit > best.credit {
			best = r
		}
	}
	best.credit -= 100
	return best
}

// enter brings a request to its next stage: to a free replica, or to the queue.
func (f *Fleet) enter(stage int, s *served) {
	d := s.region.deployments[stage]
	d.demand = append(d.demand, demand{f.now, s.tokens(stage)})
	for _, p := range d.pods {
		if p.ready && !p.busy && !p.leaving {
			f.serve(stage, d, p, s)
			return
		}
	}
	d.waiting = append(d.waiting, s)
}

func (f *Fleet) serve(stage int, d *deployment, p *pod, s *served) {
	p.busy = true
	took := time.Duration(float64(s.tokens(stage)) / d.workload.speed * float64(time.Second))
	f.schedule(event{at: f.now + took, do: func() {
		p.busy = false
		if stage+1 < len(workloads) {
			f.enter(stage+1, s)
		} else {
			f.finish(s)
		}
		if p.leaving {
			d.remove(p)
			f.reconcile(s.region)
			return
		}
		f.take(stage, d, p)
	}})
}

// take gives a free replica the request that waits longest.
func (f *Fleet) take(stage int, d *deployment, p *pod) {
	if len(d.waiting) == 0 || p.busy || p.leaving || !p.ready {
		return
	}
	s := d.waiting[0]
	d.waiting = d.waiting[1:]
	f.serve(stage, d, p, s)
}

func (f *Fleet) finish(s *served) {
	took := f.now - s.arrived
	f.score.add(s.arrived, took)
	s.region.finished = append(s.region.finished, finished{f.now, took})
}

// reconcile starts and stops replicas until each deployment has what it is set
// to, as far as the region's cores go.
func (f *Fleet) reconcile(r *region) {
	for _, d := range r.deployments {
		d.shrink()
	}
	for stage, d := range r.deployments {
		for d.staying() < d.desired && r.used()+CoresPerReplica <= r.cores() {
			p := &pod{}
			d.pods = append(d.pods, p)
			f.schedule(event{at: f.now + replicaStart, do: func() {
				p.ready = true
				if p.leaving {
					return
				}
				f.take(stage, d, p)
			}})
		}
	}
}

// staying counts the replicas that were not told to leave.
func (d *deployment) staying() int {
	n := 0
	for _, p := range d.pods {
		if !p.leaving {
			n++
		}
	}
	return n
}

// shrink stops replicas beyond the number that is set: first those that still
// start, then the idle; a busy one leaves when its request is done.
func (d *deployment) shrink() {
	excess := d.staying() - d.desired
	for _, gone := range []func(*pod) bool{
		func(p *pod) bool { return !p.ready && !p.leaving },
		func(p *pod) bool { return p.ready && !p.busy && !p.leaving },
	} {
		d.pods = slices.DeleteFunc(d.pods, func(p *pod) bool {
			if excess <= 0 || !gone(p) {
				return false
			}
			excess--
			p.leaving = true
			return true
		})
	}
	for _, p := range d.pods {
		if excess > 0 && !p.leaving {
			p.leaving = true
			excess--
		}
	}
}

func (d *deployment) remove(p *pod) {
	d.pods = slices.DeleteFunc(d.pods, func(q *pod) bool { return p == q })
}
