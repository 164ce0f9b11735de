package scaling

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// noon is within the grant.
var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

// args returns the arguments as a model writes them, about 140 bytes.
func args(kind, workload, region, instance string, replicas int64) []byte {
	return fmt.Appendf(nil, `{"kind":%q,"workload":%q,"region":%q,"instance_type":%q,"replicas":%d,"ticket":"CHG-2026-104482"}`,
		kind, workload, region, instance, replicas)
}

func ask(name string, raw []byte, current int64) question {
	freeze := false
	return question{
		name: name, agent: agentID, environment: environment, model: pinnedModel, tool: toolName, at: noon, args: raw,
		facts: snapshot{taken: noon.Add(-5 * time.Second), current: &current, freeze: &freeze},
	}
}

func questions() []question {
	workloads, regions := []string{"payments-api", "payments-worker"}, []string{"eu-west-1", "eu-central-1"}
	instances := []string{"m7g.large", "m7g.xlarge"}
	var qs []question
	for i := range timed {
		qs = append(qs, ask(fmt.Sprintf("allowed %d", i),
			args("Deployment", workloads[i%2], regions[i/2%2], instances[i/4%2], int64(12+i)), int64(8+i)))
	}
	for i := range timed {
		replicas, region := int64(61+i), regions[i%2]
		if i%4 == 3 {
			region = "us-east-1" // a second refusal beside the first
		}
		qs = append(qs, ask(fmt.Sprintf("denied %d", i), args("Deployment", workloads[i%2], region, instances[i%2], replicas), int64(55+i)))
	}
	qs = append(qs, ruleEdges()...)
	qs = append(qs, hostEdges()...)
	qs = append(qs, jsonEdges()...)
	return append(qs, random()...)
}

func ruleEdges() []question {
	usual := func(name string, replicas, current int64) question {
		return ask(name, args("Deployment", "payments-api", "eu-west-1", "m7g.large", replicas), current)
	}
	on := func(name, instance string, replicas, current int64) question {
		return ask(name, args("Deployment", "payments-api", "eu-west-1", instance, replicas), current)
	}
	qs := []question{
		usual("as it is", 12, 10),
		usual("at the lower bound", 3, 3),
		usual("below the lower bound", 2, 3),
		usual("at the upper bound", 60, 55),
		usual("above the upper bound", 61, 55),
		usual("exactly double", 20, 10),
		usual("more than double", 21, 10),
		usual("a large step", 31, 20),
		usual("a step that is just not large", 30, 20),
		usual("fewer than now", 5, 40),
		usual("none running", 3, 0),
		on("an unknown instance type", "m7g.16xlarge", 12, 10),
		on("the upper end of the first band", "m7g.metal", 13, 10),
		on("the second band", "m7g.metal", 14, 10),
		on("the third band", "m7g.metal", 27, 10),
		on("the third band by price", "p5.48xlarge", 12, 10),
		on("above the ladder", "p5.48xlarge", 13, 10),
		ask("another region", args("Deployment", "payments-api", "us-east-1", "m7g.large", 12), 10),
		ask("another workload", args("Deployment", "ledger", "eu-west-1", "m7g.large", 12), 10),
		ask("a workload in capitals", args("Deployment", "Payments-API", "eu-west-1", "m7g.large", 12), 10),
		ask("the empty region", args("Deployment", "payments-api", "", "m7g.large", 12), 10),
		ask("everything at once", args("Deployment", "ledger", "us-east-1", "p5.48xlarge", 90), 10),
		ask("another kind", args("StatefulSet", "payments-api", "eu-west-1", "m7g.large", 12), 10),
	}
	overflow := []question{
		usual("double leaves int64", 12, math.MaxInt64/2+1),
		usual("everything leaves int64", 12, math.MinInt64+1),
	}
	for _, q := range overflow {
		q.needs = needsOverflow
		qs = append(qs, q)
	}
	return qs
}

// hostEdges vary what the host knows.
func hostEdges() []question {
	var qs []question
	vary := func(name string, change func(*question)) {
		q := ask(name, args("Deployment", "payments-api", "eu-west-1", "m7g.large", 12), 10)
		change(&q)
		qs = append(qs, q)
	}
	at := func(t time.Time) func(*question) {
		return func(q *question) { q.at, q.facts.taken = t, t }
	}
	vary("an unknown tool", func(q *question) { q.tool = "k8s.delete_namespace" })
	vary("another agent", func(q *question) { q.agent = "report-writer" })
	vary("another environment", func(q *question) { q.environment = "staging" })
	vary("another model", func(q *question) { q.model = "claude-haiku-4-5" })
	vary("before the grant", at(grantedAt.Add(-time.Nanosecond)))
	vary("as the grant takes effect", at(grantedAt))
	vary("when the review is due", at(nextReview))
	vary("just before", at(nextReview.Add(-time.Nanosecond)))
	vary("after the grant", at(expiresAt))
	vary("a change freeze", func(q *question) { freeze := true; q.facts.freeze = &freeze })
	vary("no fact", func(q *question) { q.facts = snapshot{taken: q.at} })
	vary("no current replicas", func(q *question) { q.facts.current = nil })
	vary("a fact as old as it may be", func(q *question) { q.facts.taken = q.at.Add(-maxFactAge) })
	vary("a stale fact", func(q *question) { q.facts.taken = q.at.Add(-maxFactAge - 1) })
	return qs
}

// jsonEdges vary the bytes.
func jsonEdges() []question {
	var qs []question
	raw := func(needs string, named [][2]string) {
		for _, text := range named {
			q := ask(text[0], []byte(text[1]), 10)
			q.needs = needs
			qs = append(qs, q)
		}
	}
	const start = `{"kind":"Deployment","workload":"payments-api","region":"eu-west-1","instance_type":"m7g.large",`
	raw("", [][2]string{
		{"no optional argument", start + `"replicas":12}`},
		{"white space", " {\n\t" + start[1:] + " \"replicas\" : 12 }\r\n"},
		{"an escaped value", start + `"replicas":12,"ticket":"\u0043HG-1"}`},
		{"an escaped region", `{"kind":"Deployment","workload":"payments-api","region":"eu\u002dwest-1","instance_type":"m7g.large","replicas":12}`},
		{"an escaped name", start + `"r\u0065plicas":12}`},
		{"another order", `{"replicas":12,"ticket":"","instance_type":"m7g.large","region":"eu-west-1","workload":"payments-api","kind":"Deployment"}`},
		{"no replicas", start[:len(start)-1] + `}`},
		{"an empty object", `{}`},
		{"an unknown argument", start + `"replicas":12,"force":true}`},
		{"replicas as a text", start + `"replicas":"12"}`},
		{"half a replica", start + `"replicas":12.5}`},
		{"null replicas", start + `"replicas":null}`},
		{"a number as region", `{"kind":"Deployment","workload":"payments-api","region":1,"instance_type":"m7g.large","replicas":12}`},
		{"an object as region", `{"kind":"Deployment","workload":"payments-api","region":{},"instance_type":"m7g.large","replicas":12}`},
		{"too many replicas", start + `"replicas":9223372036854775808}`},
		{"a list", `[` + start + `"replicas":12}]`},
		{"a text", `"replicas"`},
		{"cut short", start + `"replicas":1`},
		{"no JSON", `replicas=12`},
		{"a second value", start + `"replicas":12} {}`},
		{"a loose end", start + `"replicas":12}]`},
	})
	raw(needsStrict, [][2]string{
		{"replicas twice", start + `"replicas":12,"replicas":900}`},
		{"replicas twice, once escaped", start + `"replicas":900,"r\u0065plicas":12}`},
		{"replicas in capitals", start + `"replicas":12,"Replicas":900}`},
		{"only in capitals", start + `"REPLICAS":12}`},
		{"a whole number as a fraction", start + `"replicas":12.0}`},
		{"a whole number with exponent", start + `"replicas":1.2e1}`},
		{"negative zero", start + `"replicas":-0}`},
		{"invalid UTF-8", start + `"replicas":12,"ticket":"` + "\xff" + `"}`},
		{"a lone surrogate", start + `"replicas":12,"ticket":"\ud800"}`},
	})
	return qs
}

func random() []question {
	r := rand.New(rand.NewPCG(13, 17))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	qs := make([]question, 300)
	for i := range qs {
		q := ask(fmt.Sprintf("random %d", i), args(
			pick("Deployment", "Deployment", "Deployment", "StatefulSet"), pick("payments-api", "payments-worker", "ledger"),
			pick("eu-west-1", "eu-central-1", "us-east-1"), pick("m7g.large", "m7g.xlarge", "m7g.metal", "p5.48xlarge", "t3.nano"),
			r.Int64N(70)-3), r.Int64N(60))
		if r.IntN(5) == 0 {
			*q.facts.freeze = true
		}
		qs[i] = q
	}
	return qs
}
