package scaling

import (
	"bytes"
	"encoding/json"
	"time"
)

// What the host of a policy engine says in Go, the same for all of them.

const (
	agentID      = "payments-autoscaler"
	environment  = "prod"
	toolName     = "k8s.scale_deployment"
	pinnedModel  = "claude-sonnet-4-5"
	modelVersion = "20250929"
	maxFactAge   = 30 * time.Second
)

// The grant's dates.
var (
	grantedAt  = time.Date(2026, 10, 1, 9, 30, 0, 0, time.UTC)
	expiresAt  = time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	nextReview = grantedAt.Add(90 * 24 * time.Hour)
)

// grantKey is what finds the rules of a call.
type grantKey struct{ agent, environment, tool string }

// host finds rules as ambit does: tool, agent and environment are looked up,
// not compared with those of the one authorization that there is.
type host[Rules any] struct {
	tools  map[string]bool
	agents map[[2]string]bool
	rules  map[grantKey]Rules
}

func newHost[Rules any](rules Rules) *host[Rules] {
	return &host[Rules]{
		tools:  map[string]bool{toolName: true},
		agents: map[[2]string]bool{{agentID, environment}: true},
		rules:  map[grantKey]Rules{{agentID, environment, toolName}: rules},
	}
}

// read reads a call's arguments and returns its rules, or why there are none.
func (h *host[Rules]) read(q *question, args *deployment) (rules Rules, why reasons) {
	switch {
	case !h.knows(q):
		return rules, unknownTool
	case !decode(q.args, args):
		return rules, invalidArguments
	}
	return h.find(q)
}

func (h *host[Rules]) knows(q *question) bool { return h.tools[q.tool] }

// find returns the rules of a call, or why there are none.
func (h *host[Rules]) find(q *question) (rules Rules, why reasons) {
	if !h.agents[[2]string{q.agent, q.environment}] {
		return rules, noAuthorization
	}
	rules, ok := h.rules[grantKey{q.agent, q.environment, q.tool}]
	if !ok {
		return rules, unclassified
	}
	return rules, 0
}

// standing is whether the authorization is in force.
func (a *assessment) standing(q *question) {
	if q.at.Before(grantedAt) {
		a.fail(notYetEffective)
	}
	if !q.at.Before(expiresAt) {
		a.fail(expired)
	}
	if !q.at.Before(nextReview) {
		a.fail(reviewLapsed)
	}
	if q.model != pinnedModel {
		a.fail(pinMismatch)
	}
}

// fresh returns the facts that are not too old.
func (s *snapshot) fresh(at time.Time) (current *int64, freeze *bool) {
	if at.Sub(s.taken) > maxFactAge {
		return nil, nil
	}
	return s.current, s.freeze
}

// unreadable is why a rule that reads facts gave an error.
func unreadable(current *int64, freeze *bool) reasons {
	if current == nil || freeze == nil {
		return factUnavailable
	}
	return evaluationError
}

// deployment is the arguments of the tool, for a host that knew the tool when it
// was compiled.
type deployment struct {
	Kind         *string `json:"kind"`
	Workload     *string `json:"workload"`
	Region       *string `json:"region"`
	InstanceType *string `json:"instance_type"`
	Replicas     *int64  `json:"replicas"`
	Ticket       *string `json:"ticket"`
}

// decode reads the arguments with encoding/json as strictly as that goes.
func decode(raw []byte, into *deployment) bool {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if dec.Decode(into) != nil || len(bytes.TrimSpace(raw[dec.InputOffset():])) > 0 {
		return false
	}
	return into.Kind != nil && into.Workload != nil && into.Region != nil && into.InstanceType != nil && into.Replicas != nil
}
