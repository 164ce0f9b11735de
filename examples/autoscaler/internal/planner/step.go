package planner

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// step is a call with the sentence that goes with it, or only the sentence.
type step struct {
	tool   string
	args   map[string]any
	text   string
	change string // what the call does, in words
}

// target is what a call is about, whatever it wants to do with it. All ways of
// opening a region are one target.
func (s step) target() string {
	switch s.tool {
	case scale:
		return fmt.Sprint(s.tool, " ", s.args["workload"], " ", s.args["region"])
	case resize:
		return fmt.Sprint(s.tool, " ", s.args["pool"], " ", s.args["region"])
	default:
		return s.tool
	}
}

// key is the call without its reasons.
func (s step) key() string {
	args := maps.Clone(s.args)
	delete(args, reasonsParameter)
	text, _ := json.Marshal(args)
	return s.tool + string(text)
}

// reasons is what the planner gives as its rationale: a purpose, and the rest
// once it was asked for.
func (s step) reasons(v *view) map[string]any {
	r := map[string]any{"purpose": "keep p95 latency within its goal: " + s.change}
	if !v.reasons {
		return r
	}
	now := v.now()
	r["purpose"] = fmt.Sprintf("keep p95 latency within %d ms: %s", now.GoalMS, s.change)
	r["expected"] = "p95 stays within the goal at the demand that is forecast"
	r["alternatives"] = []map[string]string{{
		"option":   "leave the fleet as it is",
		"rejected": "capacity would not match the demand that is forecast: " + s.text,
	}}
	r["evidence"] = []string{v.evidence}
	r["fallback"] = "set the former number again"
	r["uncertainty"] = "the forecast is a straight line through the last two readings"
	return r
}

// reaction says what the planner makes of the last answer, if it was a refusal.
func (v *view) reaction() string {
	r := v.lately
	switch {
	case r == nil:
		return ""
	case r.Ambit == "pend":
		return "People are asked; I go on without it. "
	case r.denied():
		return "People said no: I leave it. "
	case len(r.Missing) > 0:
		return "Reasons are missing (" + strings.Join(r.Missing, ", ") + "): I supply them. "
	case r.has("unclassified", "unknown_tool", "no_authorization", "prohibited"):
		return "That is not mine to do. "
	default:
		return "Refused (" + strings.Join(r.Reasons, ", ") + "): I stay within what is allowed. "
	}
}

func (v *view) closing() string {
	now := v.now()
	var parts []string
	for _, r := range now.Regions {
		parts = append(parts, fmt.Sprintf("%s p95 %d ms", r.Region, r.P95MS))
	}
	return "Done: " + strings.Join(parts, ", ") + "."
}
