// Package bound is the case eval: a bound of five clauses on inputs that are
// ready, each in the form that its engine likes best.
//
// An input lacks a value here and there, and every engine denies then: a policy
// that reads what is not there must not hold.
package bound

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

// Rule is the bound in CEL.
const Rule = `args.region in ['eu-west-1', 'eu-central-1', 'eu-north-1'] && ` +
	`args.replicas >= 3 && args.replicas <= 60 && args.amount < 1000.0 && args.replicas <= facts.current * 2`

// question is what the bound reads; nil is absent.
type question struct {
	name     string
	needs    string
	region   *string
	replicas *int64
	amount   *float64
	current  *int64
}

// needsOverflow marks inputs whose arithmetic leaves int64, which CEL and Cedar
// make an error.
const needsOverflow = "arithmetic that leaves int64 is an error"

// timed is how many questions, the first ones, are asked over and over while
// time is taken: a power of two. All of them are allowed, so that every clause
// is evaluated.
const timed = 16

// Case returns the case.
func Case() (measure.Case, error) {
	qs := questions()
	c := measure.Case{Name: "eval"}
	for _, q := range qs {
		c.Inputs = append(c.Inputs, measure.Input{Name: q.name, Needs: q.needs})
	}
	for _, engine := range []func([]question) (measure.Impl, error){ambit, celGo, exprLang, cedarGo, opa, handwritten} {
		impl, err := engine(qs)
		if err != nil {
			return c, fmt.Errorf("case eval: %w", err)
		}
		c.Impls = append(c.Impls, impl)
	}
	return c, nil
}

func questions() []question {
	regions := []string{"eu-west-1", "eu-central-1", "eu-north-1"}
	var qs []question
	for i := range timed {
		qs = append(qs, full(fmt.Sprintf("allowed %d", i), regions[i%3], int64(3+i*3), 12.5+float64(i)*61, int64(25+i)))
	}
	qs = append(qs, edges()...)
	random := rand.New(rand.NewPCG(3, 5))
	regions = append(regions, "us-east-1", "", "eu-west-1 ", "EU-WEST-1", "eu-west-10")
	for i := range 400 {
		q := full(fmt.Sprintf("random %d", i), regions[random.IntN(len(regions))], random.Int64N(70)-3,
			float64(random.IntN(4200)-100)/4, random.Int64N(40)-2)
		qs = append(qs, q)
	}
	return qs
}

func edges() []question {
	full := func(name, region string, replicas int64, amount float64, current int64) question {
		return full(name, region, replicas, amount, current)
	}
	qs := []question{
		full("at the lower bound", "eu-west-1", 3, 1, 2),
		full("below the lower bound", "eu-west-1", 2, 1, 2),
		full("at the upper bound", "eu-west-1", 60, 1, 30),
		full("above the upper bound", "eu-west-1", 61, 1, 90),
		full("exactly double", "eu-west-1", 20, 1, 10),
		full("more than double", "eu-west-1", 21, 1, 10),
		full("at the limit", "eu-west-1", 20, 1000, 10),
		full("just below the limit", "eu-west-1", 20, 999.9999, 10),
		full("a negative amount", "eu-west-1", 20, -1, 10),
		full("another region", "us-east-1", 20, 1, 10),
		full("a region in capitals", "EU-WEST-1", 20, 1, 10),
		full("the empty region", "", 20, 1, 10),
		full("none running", "eu-west-1", 3, 1, 0),
		full("a negative fact", "eu-west-1", 3, 1, -10),
		full("a large fact", "eu-west-1", 60, 1, math.MaxInt64/2),
		full("replicas at the end of int64", "eu-west-1", math.MaxInt64, 1, 10),
		full("replicas at the start of int64", "eu-west-1", math.MinInt64, 1, 10),
	}
	overflow := full("double leaves int64", "eu-west-1", 60, 1, math.MaxInt64/2+1)
	wraps := full("double leaves int64 and would wrap", "eu-west-1", 60, 1, math.MinInt64/2-1)
	overflow.needs, wraps.needs = needsOverflow, needsOverflow
	qs = append(qs, overflow, wraps)
	for _, absent := range []string{"region", "replicas", "amount", "current"} {
		q := full("no "+absent, "eu-west-1", 20, 1, 10)
		switch absent {
		case "region":
			q.region = nil
		case "replicas":
			q.replicas = nil
		case "amount":
			q.amount = nil
		case "current":
			q.current = nil
		}
		qs = append(qs, q)
	}
	return append(qs, question{name: "nothing at all"})
}

func full(name, region string, replicas int64, amount float64, current int64) question {
	return question{name: name, region: &region, replicas: &replicas, amount: &amount, current: &current}
}

// values calls set for each value that is there, with its variable: args or
// facts.
func (q *question) values(set func(variable, name string, value any)) {
	if q.region != nil {
		set("args", "region", *q.region)
	}
	if q.replicas != nil {
		set("args", "replicas", *q.replicas)
	}
	if q.amount != nil {
		set("args", "amount", *q.amount)
	}
	if q.current != nil {
		set("facts", "current", *q.current)
	}
}
