package planner

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// The tools that the planner knows how to use.
const (
	fleetStatus    = "fleet_status"
	instanceOffers = "instance_offers"
	scale          = "k8s_scale_deployment"
	resize         = "nodepool_resize"
	openRegion     = "region_open"
	routeTraffic   = "dns_update_record"
)

const (
	serviceRecord = "api.assistant.bank.example"
	nodeReadiness = 90 * time.Second // from asking for capacity to having it
	recent        = 5 * time.Minute  // older demand says nothing about the trend
	moveTraffic   = 10               // percent at a time
	patience      = time.Hour        // after people have said no
)

// next is the planner's next step. Without a tool, it is the turn's last word.
func (v *view) next(tools tools) step {
	_, canLook := tools[fleetStatus]
	switch {
	case !v.fresh && !v.looked && canLook:
		return step{tool: fleetStatus, args: map[string]any{}}
	case !v.fresh:
		return step{text: "I cannot see the fleet, so I leave it as it is."}
	case v.lapsed != "":
		return step{text: "My authority is not in force (" + v.lapsed + "). I leave the fleet as it is: its owner has to have the authorization reaffirmed."}
	}
	for _, s := range v.wishes() {
		if s = v.possible(s, tools); s.tool == "" {
			continue
		}
		if s.tool != instanceOffers && tools[s.tool] {
			s.args[reasonsParameter] = s.reasons(v)
		}
		s.text = v.reaction() + s.text
		return s
	}
	return step{text: v.reaction() + v.closing()}
}

// possible returns s, or the zero step where it is known to be in vain.
func (v *view) possible(s step, tools tools) step {
	_, offered := tools[s.tool]
	_, useless := v.useless[s.tool]
	asked := v.now().Time.Before(v.waiting[s.target()])
	if !offered || useless || asked || v.settled[s.target()] || v.refused[s.key()] {
		return step{}
	}
	return s
}

// need is what a region needs to keep the goal, and what it has.
type need struct {
	region      string
	percent     int
	deployments []demandOf
	pool        pool
	cores       int // that the replicas hold; those no longer wanted leave before their nodes do
	have        int // that the region's nodes have, once they have started
	short       int // cores that no allowed pool can give
}

type demandOf struct {
	deployment
	forecast float64 // tokens a second
	want     int     // replicas
}

func (v *view) wishes() []step {
	var up, grow, down, shrink, shortage []step
	needs := v.needs()
	for i := range needs {
		n := &needs[i]
		for _, d := range n.deployments {
			switch {
			case d.want > d.Replicas:
				up = append(up, n.scale(d, d.want+1))
			case d.Replicas-d.want >= 4 && d.Queued == 0:
				down = append(down, n.scale(d, d.want+2))
			}
		}
		target := ceilDiv(n.cores, n.pool.Cores)
		if limit, known := v.atMost[resize+" nodes"]; known && target > limit {
			n.short = (target - limit) * n.pool.Cores
			target = limit
		}
		switch {
		case target > n.pool.Nodes:
			grow = append(grow, n.resize(target))
		case n.pool.Nodes-target >= 2:
			shrink = append(shrink, n.resize(target+1))
		}
	}
	for _, n := range needs {
		if n.short > 0 {
			shortage = append(shortage, v.elsewhere(n, needs)...)
		}
	}
	return slices.Concat(up, grow, shortage, down, shrink)
}

// needs forecasts each region's demand and what serves it.
func (v *view) needs() []need {
	now := v.now()
	var needs []need
	for _, r := range now.Regions {
		n := need{region: r.Region, percent: r.Percent}
		for _, d := range r.Workloads {
			f := v.forecast(r.Region, d)
			// Requests arrive at random, so the spare capacity that keeps
			// queues short grows with the square root of the load.
			busy := f / d.Speed
			want := max(2, int(math.Ceil(busy+1.3*math.Sqrt(busy))))
			n.deployments = append(n.deployments, demandOf{d, f, want})
			n.cores += max(want+1, d.Replicas) * now.CoresPerReplica
		}
		for _, p := range r.Pools {
			n.have += p.Nodes * p.Cores
		}
		if len(r.Pools) == 0 {
			continue
		}
		n.pool = r.Pools[0]
		n.cores -= n.have - n.pool.Nodes*n.pool.Cores // what other pools carry
		needs = append(needs, n)
	}
	return needs
}

// forecast is the demand, in tokens a second, when capacity that is asked for
// now will be there. A queue is to be gone a minute later.
func (v *view) forecast(region string, d deployment) float64 {
	return v.trend(region, d) + d.Queued/60
}

func (v *view) trend(region string, d deployment) float64 {
	now := v.now()
	for _, before := range v.statuses {
		gap := now.Time.Sub(before.Time)
		earlier, ok := before.demand(region, d.Workload)
		if !ok || gap > recent || gap < time.Minute {
			continue
		}
		ahead := (2 * nodeReadiness).Seconds() / gap.Seconds() // until the turn after next
		return math.Max(d.Demand, d.Demand+(d.Demand-earlier)*ahead)
	}
	return d.Demand
}

func (s status) demand(region, workload string) (float64, bool) {
	for _, r := range s.Regions {
		for _, d := range r.Workloads {
			if r.Region == region && d.Workload == workload {
				return d.Demand, true
			}
		}
	}
	return 0, false
}

func (n *need) scale(d demandOf, to int) step {
	return step{
		tool: scale,
		args: map[string]any{"workload": d.Workload, "region": n.region, "replicas": to},
		text: fmt.Sprintf("%s in %s has %d replicas; %.0fk tokens/s ahead want %d.",
			d.Workload, n.region, d.Replicas, d.forecast/1000, d.want),
		change: fmt.Sprintf("%s in %s from %d to %d replicas", d.Workload, n.region, d.Replicas, to),
	}
}

func (n *need) resize(to int) step {
	return step{
		tool: resize,
		args: map[string]any{"pool": n.pool.Pool, "region": n.region, "instance_type": n.pool.Type, "nodes": to},
		text: fmt.Sprintf("%s has %d cores on %d nodes; its replicas want %d.",
			n.region, n.have, n.pool.Nodes, n.cores),
		change: fmt.Sprintf("pool %s in %s from %d to %d nodes", n.pool.Pool, n.region, n.pool.Nodes, to),
	}
}

// elsewhere lists what can help a region that may not grow any more: traffic
// moved to another, or a region opened where capacity is cheapest.
func (v *view) elsewhere(n need, needs []need) []step {
	if len(v.offers) == 0 {
		return []step{{tool: instanceOffers, args: map[string]any{}, text: "What is sold elsewhere?"}}
	}
	var steps []step
	for _, other := range needs {
		if other.region != n.region && other.short == 0 {
			steps = append(steps, step{
				tool: routeTraffic,
				args: map[string]any{"name": serviceRecord, "region": other.region, "percent": other.percent + moveTraffic},
				text: fmt.Sprintf("%s is %d cores short of its reserve; %s has room, so traffic could move.", n.region, n.short, other.region),
				change: fmt.Sprintf("%d%% of the traffic from %s to %s",
					moveTraffic, n.region, other.region),
			})
		}
	}
	if o, ok := v.cheapest(needs); ok {
		nodes := ceilDiv(n.short, o.Cores)
		steps = append(steps, step{
			tool: openRegion,
			args: map[string]any{"region": o.Region, "instance_type": o.Type, "nodes": nodes, "percent": moveTraffic},
			text: fmt.Sprintf("%s is %d cores short of its reserve; the cheapest are %s (%d cores) in %s.",
				n.region, n.short, o.Type, o.Cores, o.Region),
			change: fmt.Sprintf("region %s with %d × %s for %d%% of the traffic", o.Region, nodes, o.Type, moveTraffic),
		})
	}
	return steps
}

// cheapest is the offer with the lowest price for a core among those that may
// be used for all that is known, in a region that is not open yet.
func (v *view) cheapest(needs []need) (offer, bool) {
	var candidates []offer
	for _, o := range v.offers {
		running := slices.ContainsFunc(needs, func(n need) bool { return n.region == o.Region })
		if !running && v.open(openRegion, "region", o.Region) && v.open(openRegion, "instance_type", o.Type) {
			candidates = append(candidates, o)
		}
	}
	if len(candidates) == 0 {
		return offer{}, false
	}
	return slices.MinFunc(candidates, func(a, b offer) int {
		if d := a.perCore() - b.perCore(); math.Abs(d) > 1e-9 {
			return int(math.Copysign(1, d))
		}
		return b.Cores - a.Cores // fewer machines to run
	}), true
}

func (o offer) perCore() float64 {
	price, err := strconv.ParseFloat(o.PerHour, 64)
	if err != nil {
		return math.Inf(1)
	}
	return price / float64(o.Cores)
}

func ceilDiv(a, b int) int { return (a + b - 1) / max(b, 1) }
