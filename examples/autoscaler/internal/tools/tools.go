// Package tools offers the simulated fleet to an agent, as eino tools.
//
// The names have no dots ("k8s_scale_deployment", where a tool of a Go program
// might be "k8s.scale_deployment"): model APIs accept only letters, digits, '_'
// and '-' in a function's name.
package tools

import (
	"context"
	"time"

	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/components/tool/utils"

	"github.com/ambit-go/ambit/examples/autoscaler/internal/fleet"
	"github.com/ambit-go/ambit/guard"
)

type none struct{}

type scaleArgs struct {
	Workload string `json:"workload" jsonschema:"required,description=the deployment's name: reader or writer"`
	Region   string `json:"region" jsonschema:"required"`
	Replicas int    `json:"replicas" jsonschema:"required,minimum=0,description=how many there shall be"`
}

type resizeArgs struct {
	Pool     string `json:"pool" jsonschema:"required"`
	Region   string `json:"region" jsonschema:"required"`
	Instance string `json:"instance_type" jsonschema:"required"`
	Nodes    int    `json:"nodes" jsonschema:"required,minimum=0,description=how many there shall be"`
}

type openArgs struct {
	Region   string `json:"region" jsonschema:"required"`
	Instance string `json:"instance_type" jsonschema:"required"`
	Nodes    int    `json:"nodes" jsonschema:"required,minimum=1"`
	Percent  int    `json:"percent" jsonschema:"required,minimum=1,maximum=99,description=share of the traffic"`
}

type routeArgs struct {
	Name    string `json:"name" jsonschema:"required,description=the service's DNS name"`
	Region  string `json:"region" jsonschema:"required"`
	Percent int    `json:"percent" jsonschema:"required,minimum=0,maximum=100,description=share of the traffic"`
}

type offers struct {
	Offers []fleet.Offer `json:"offers"`
}

type done struct {
	Done bool `json:"done"`
}

// All returns every tool there is for f. Each call takes a simulated second.
// What a tool does carries the id of the decision that allowed it into the
// fleet's own log, so that the log can be held against the records.
func All(f *fleet.Fleet) ([]tool.BaseTool, error) {
	var list []tool.BaseTool
	add := func(t tool.InvokableTool, err error) error {
		list = append(list, t)
		return err
	}
	for _, err := range []error{
		add(utils.InferTool("fleet_status", "Read the fleet's demand, capacity and latency, by region.",
			func(context.Context, none) (fleet.Status, error) {
				pass(f)
				return f.Status(), nil
			})),
		add(utils.InferTool("instance_offers", "Read which instance types are sold where, and their prices.",
			func(context.Context, none) (offers, error) {
				pass(f)
				return offers{fleet.Offers()}, nil
			})),
		add(utils.InferTool("k8s_scale_deployment", "Set the number of replicas of a deployment. They start in 15 seconds where a region has nodes for them.",
			func(ctx context.Context, a scaleArgs) (done, error) {
				return act(f, f.Scale(guard.DecisionID(ctx), a.Workload, a.Region, a.Replicas))
			})),
		add(utils.InferTool("nodepool_resize", "Set the number of nodes of a pool. They start in a minute.",
			func(ctx context.Context, a resizeArgs) (done, error) {
				return act(f, f.Resize(guard.DecisionID(ctx), a.Pool, a.Region, a.Instance, a.Nodes))
			})),
		add(utils.InferTool("region_open", "Begin to serve a share of the traffic from a new region, on nodes of its own.",
			func(ctx context.Context, a openArgs) (done, error) {
				return act(f, f.OpenRegion(guard.DecisionID(ctx), a.Region, a.Instance, a.Nodes, a.Percent))
			})),
		add(utils.InferTool("dns_update_record", "Send a share of the traffic to an open region.",
			func(ctx context.Context, a routeArgs) (done, error) {
				return act(f, f.Route(guard.DecisionID(ctx), a.Region, a.Percent))
			})),
	} {
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

func act(f *fleet.Fleet, err error) (done, error) {
	pass(f)
	return done{err == nil}, err
}

func pass(f *fleet.Fleet) { f.Advance(f.Now().Add(time.Second)) }
