// Package rollout is the case eval-complex: a rule over lists, strings and times
// on inputs that are ready.
//
// Cedar is not here: it has no way to ask something of every element of a set.
package rollout

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

// Rule is the rule in CEL: a rollout goes to European regions, is labelled by
// exactly one team and for no legacy system, takes few large steps, and fits
// into its window on a working day. Times are in UTC: cel-go loads a named time
// zone from disk each time, which would be all that one measured.
const Rule = `args.regions.all(r, r.startsWith('eu-') && size(r) <= 16) && ` +
	`!args.labels.exists(l, l.endsWith('-legacy') || l.contains('debug')) && ` +
	`args.labels.exists_one(l, l.startsWith('team-')) && ` +
	`size(args.steps.filter(s, s > 10)) <= 2 && ` +
	`args.image.startsWith(facts.registry + '/') && ` +
	`call.time >= facts.opens && call.time + duration('30m') <= facts.closes && ` +
	`call.time.getDayOfWeek() in [1, 2, 3, 4] && call.time.getHours() >= 6`

// question is what the rule reads; all of it is there.
type question struct {
	name          string
	regions       []string
	labels        []string
	steps         []int64
	image         string
	registry      string
	opens, closes time.Time
	now           time.Time
}

// timed is how many questions, the first ones, are asked while time is taken: a
// power of two. All of them are allowed, so that nothing ends early.
const timed = 16

// Case returns the case.
func Case() (measure.Case, error) {
	qs := questions()
	c := measure.Case{Name: "eval-complex"}
	for _, q := range qs {
		c.Inputs = append(c.Inputs, measure.Input{Name: q.name})
	}
	for _, engine := range []func([]question) (measure.Impl, error){ambit, celGo, exprLang, opa, handwritten} {
		impl, err := engine(qs)
		if err != nil {
			return c, fmt.Errorf("case eval-complex: %w", err)
		}
		c.Impls = append(c.Impls, impl)
	}
	return c, nil
}

// noon is a Tuesday.
var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

func base(name string) question {
	return question{
		name:    name,
		regions: []string{"eu-west-1", "eu-central-1", "eu-north-1", "eu-south-2"},
		labels:  []string{"tier-1", "team-payments", "pci", "rollout-blue", "cost-4471", "zone-a"},
		steps:   []int64{1, 2, 5, 10, 25, 50},
		image:   "registry.bank.example/payments/api:4.11.2", registry: "registry.bank.example",
		opens: noon.Add(-2 * time.Hour), closes: noon.Add(2 * time.Hour), now: noon,
	}
}

func questions() []question {
	var qs []question
	for i := range timed {
		q := base(fmt.Sprintf("allowed %d", i))
		q.regions[i%4] = fmt.Sprintf("eu-west-%d", i)
		q.labels[3] = fmt.Sprintf("rollout-%d", i)
		q.steps[i%4] = int64(i%10) + 1
		q.image = fmt.Sprintf("registry.bank.example/payments/api:4.11.%d", i)
		q.now = noon.Add(time.Duration(i) * time.Minute)
		qs = append(qs, q)
	}
	for _, e := range edges {
		q := base(e.name)
		e.change(&q)
		qs = append(qs, q)
	}
	return append(qs, random()...)
}

var edges = []struct {
	name   string
	change func(*question)
}{
	{"as it is", func(*question) {}},
	{"another continent", func(q *question) { q.regions[2] = "us-east-1" }},
	{"a long region", func(q *question) { q.regions[1] = "eu-central-1-local-zone" }},
	{"a region of 16 characters, more in bytes", func(q *question) { q.regions[1] = "eu-zürich-räumli" }},
	{"no region", func(q *question) { q.regions = []string{} }},
	{"the empty region", func(q *question) { q.regions[0] = "" }},
	{"a legacy system", func(q *question) { q.labels[5] = "mainframe-legacy" }},
	{"a debug label", func(q *question) { q.labels[0] = "x-debug-y" }},
	{"no team", func(q *question) { q.labels[1] = "payments" }},
	{"two teams", func(q *question) { q.labels[2] = "team-risk" }},
	{"no label", func(q *question) { q.labels = []string{} }},
	{"three large steps", func(q *question) { q.steps[3] = 11 }},
	{"no step", func(q *question) { q.steps = []int64{} }},
	{"another registry", func(q *question) { q.image = "docker.example/payments/api:1" }},
	{"a registry that only begins alike", func(q *question) { q.image = "registry.bank.example.evil/api:1" }},
	{"no image", func(q *question) { q.image = "" }},
	{"as the window opens", func(q *question) { q.now = q.opens }},
	{"just before", func(q *question) { q.now = q.opens.Add(-time.Nanosecond) }},
	{"30 minutes before it closes", func(q *question) { q.now = q.closes.Add(-30 * time.Minute) }},
	{"a nanosecond later", func(q *question) { q.now = q.closes.Add(-30*time.Minute + 1) }},
	{"on a Monday", func(q *question) { q.shift(-24 * time.Hour) }},
	{"on a Friday", func(q *question) { q.shift(72 * time.Hour) }},
	{"on a Sunday", func(q *question) { q.shift(-48 * time.Hour) }},
	{"at six", func(q *question) { q.shift(-6 * time.Hour) }},
	{"before six", func(q *question) { q.shift(-6*time.Hour - 1) }},
}

// shift moves now with its window.
func (q *question) shift(by time.Duration) {
	q.now, q.opens, q.closes = q.now.Add(by), q.opens.Add(by), q.closes.Add(by)
}

func random() []question {
	r := rand.New(rand.NewPCG(7, 11))
	pick := func(n int, from ...string) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = from[r.IntN(len(from))]
		}
		return list
	}
	qs := make([]question, 200)
	for i := range qs {
		q := base(fmt.Sprintf("random %d", i))
		q.regions = pick(r.IntN(4), "eu-west-1", "eu-west-2", "eu-north-1", "us-east-1")
		q.labels = append(pick(r.IntN(3), "pci", "team-risk", "tier-1"), pick(1, "team-payments", "core-legacy")...)
		q.steps = q.steps[:r.IntN(len(q.steps)+1)]
		q.shift(time.Duration(r.IntN(7*24)) * time.Hour)
		q.now = q.now.Add(time.Duration(r.IntN(240)-120) * time.Minute)
		qs[i] = q
	}
	return qs
}
