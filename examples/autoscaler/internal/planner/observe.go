package planner

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cloudwego/eino/schema"
)

// view is what the messages of a conversation tell.
type view struct {
	calls    int      // that were made so far
	statuses []status // oldest first
	evidence string   // id of the call that read the latest status
	looked   bool     // a status was asked for in this turn
	fresh    bool     // and read
	offers   []offer

	reasons bool                 // reasons beyond a purpose are asked for
	lapsed  string               // the reason for which nothing may be done any more
	useless map[string]string    // tool → why no call of it can be allowed
	oneOf   map[string][]string  // "tool args.x" → the values within bounds
	atMost  map[string]int       // "tool noun" → the highest number within bounds
	waiting map[string]time.Time // target → until when people are asked about it, or are not to be asked again
	refused map[string]bool      // calls of this turn, by tool and arguments
	settled map[string]bool      // targets that were dealt with in this turn
	lately  *refusal             // the answer to the last call, if it was refused
}

// status, offer and refusal are what the planner reads of a tool's results.
type status struct {
	Time            time.Time `json:"time"`
	GoalMS          int64     `json:"goal_p95_ms"`
	CoresPerReplica int       `json:"cores_per_replica"`
	Regions         []struct {
		Region    string       `json:"region"`
		Percent   int          `json:"traffic_percent"`
		P95MS     int64        `json:"p95_ms"`
		Workloads []deployment `json:"workloads"`
		Pools     []pool       `json:"pools"`
	} `json:"regions"`
}

type deployment struct {
	Workload string  `json:"workload"`
	Replicas int     `json:"replicas"`
	Demand   float64 `json:"demand_tokens_per_s"`
	Speed    float64 `json:"replica_tokens_per_s"`
	Queued   float64 `json:"queued_tokens"`
}

type pool struct {
	Pool  string `json:"pool"`
	Type  string `json:"instance_type"`
	Cores int    `json:"cores_per_node"`
	Nodes int    `json:"nodes"`
}

type offer struct {
	Region  string `json:"region"`
	Type    string `json:"instance_type"`
	Cores   int    `json:"cores"`
	PerHour string `json:"eur_per_hour"`
}

type refusal struct {
	Ambit   string    `json:"ambit"` // "deny" or "pend"
	Reasons []string  `json:"reasons"`
	Missing []string  `json:"rationale_missing"`
	Expires time.Time `json:"expires"`
	Checks  []struct {
		Check  string `json:"check"`
		Why    string `json:"why"`
		Within string `json:"within"`
	} `json:"checks"`
}

// has reports whether the refusal names one of the reasons.
func (r *refusal) has(reasons ...string) bool {
	return slices.ContainsFunc(r.Reasons, func(s string) bool { return slices.Contains(reasons, s) })
}

// denied reports whether people have said no.
func (r *refusal) denied() bool { return r.Ambit == "deny" && r.has("approval_invalid") }

func observe(messages []*schema.Message) *view {
	v := &view{
		useless: map[string]string{}, oneOf: map[string][]string{}, atMost: map[string]int{},
		waiting: map[string]time.Time{},
	}
	made := map[string]step{}
	for _, m := range messages {
		switch m.Role {
		case schema.User:
			v.looked, v.fresh, v.lately = false, false, nil
			v.refused, v.settled = map[string]bool{}, map[string]bool{}
		case schema.Assistant:
			for _, c := range m.ToolCalls {
				v.calls++
				made[c.ID] = readStep(c.Function.Name, c.Function.Arguments)
			}
		case schema.Tool:
			v.result(made[m.ToolCallID], m.ToolCallID, m.Content)
		}
	}
	return v
}

func readStep(tool, arguments string) step {
	s := step{tool: tool}
	if json.Unmarshal([]byte(arguments), &s.args) != nil {
		s.args = nil
	}
	return s
}

func (v *view) result(s step, id, content string) {
	v.lately = nil
	v.looked = v.looked || s.tool == fleetStatus
	var r refusal
	if json.Unmarshal([]byte(content), &r) == nil && r.Ambit != "" {
		v.lately = &r
		v.learn(s, &r)
		return
	}
	switch s.tool {
	case fleetStatus:
		var now status
		if json.Unmarshal([]byte(content), &now) == nil && !now.Time.IsZero() {
			v.statuses = append(v.statuses, now)
			v.evidence, v.fresh = id, true
		}
	case instanceOffers:
		var list struct {
			Offers []offer `json:"offers"`
		}
		if json.Unmarshal([]byte(content), &list) == nil {
			v.offers = list.Offers
		}
	default:
		v.settled[s.target()] = true // it worked, or the fleet said why it cannot
	}
}

// learn draws from a refusal what will be within bounds.
func (v *view) learn(s step, r *refusal) {
	if len(r.Missing) > 0 {
		v.reasons = true
	}
	if r.has("unclassified", "unknown_tool", "no_authorization", "prohibited") {
		v.useless[s.tool] = r.Reasons[0]
	}
	if r.has("review_lapsed", "expired", "suspended", "revoked", "superseded", "unsigned", "not_yet_effective", "pin_mismatch") {
		v.lapsed = r.Reasons[0]
	}
	switch {
	case r.Ambit == "pend":
		v.waiting[s.target()] = r.Expires
	case r.denied():
		v.waiting[s.target()] = v.now().Time.Add(patience)
	}
	for _, c := range r.Checks {
		if values, ok := strings.CutPrefix(c.Within, "one of "); ok {
			path := c.Check[strings.LastIndex(c.Check, " ")+1:] // "allow args.region", "baseline scaling args.region"
			v.narrow(s.tool+" "+path, strings.Split(values, ", "))
		}
		if limit := upperLimit.FindStringSubmatch(c.Why); limit != nil {
			n, _ := strconv.Atoi(limit[1])
			v.atMost[s.tool+" "+limit[2]] = n
		}
	}
	if !slices.Equal(r.Reasons, []string{"rationale_incomplete"}) {
		v.refused[s.key()] = true
	}
}

// narrow keeps what every refusal so far says is within bounds: a class and a
// baseline can both limit one argument.
func (v *view) narrow(argument string, values []string) {
	if known, ok := v.oneOf[argument]; ok {
		values = slices.DeleteFunc(values, func(s string) bool { return !slices.Contains(known, s) })
	}
	v.oneOf[argument] = values
}

// upperLimit finds a limit in a bound's own words, such as "at most 10 nodes".
var upperLimit = regexp.MustCompile(`at most (\d+) (nodes|replicas)\b`)

// open reports whether, for all that is known, args.name may have that value.
func (v *view) open(tool, name, value string) bool {
	values, known := v.oneOf[tool+" args."+name]
	return !known || slices.Contains(values, value)
}

// now is the time of the latest status.
func (v *view) now() status {
	if len(v.statuses) == 0 {
		return status{}
	}
	return v.statuses[len(v.statuses)-1]
}
