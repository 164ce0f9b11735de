package celplan_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

func ptr(f float64) *float64 { return &f }

func testRanges(path string) (celplan.Range, bool) {
	switch path {
	case "args.region":
		return celplan.Range{Enum: strs("eu-west-1", "us-east-1").List()}, true
	case "args.replicas":
		return celplan.Range{Min: ptr(1), Max: ptr(60)}, true
	case "args.amount":
		return celplan.Range{Min: ptr(0), Max: ptr(100)}, true
	case "args.flights[].date":
		return celplan.Range{Enum: strs("today", "tomorrow").List()}, true
	case "args.tags":
		return celplan.Range{MinItems: 1}, true
	}
	return celplan.Range{}, false
}

func TestAnalyze(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      []string
	}{
		{"sensible", `args.replicas >= 3 && args.replicas <= 50`, nil},
		{"redundant but harmless", `args.replicas <= 60 && args.amount < 5`, nil},
		{"contradiction", `args.replicas > 10 && args.replicas < 5`, []string{"1:37 whole can never hold: this can never hold together with what is required before it"}},
		{"contradiction at one point", `args.amount > 5 && args.amount < 5`, []string{"1:32 whole can never hold: this can never hold together with what is required before it"}},
		{"one point left", `args.amount >= 5 && args.amount <= 5`, nil},
		{"no integer between", `args.replicas > 5 && args.replicas < 6`, []string{"1:36 whole can never hold: this can never hold together with what is required before it"}},
		{"one integer between", `facts.current_replicas > 5 && facts.current_replicas < 7`, nil},
		{"double between", `args.amount > 5 && args.amount < 6`, nil},
		{"contradiction around an or", `args.replicas > 10 && (args.dry_run || args.replicas > 5) && args.replicas < 5`, []string{"1:76 whole can never hold: this can never hold together with what is required before it"}},
		{"contradiction in both branches", `(args.replicas < 5 || args.replicas > 50) && args.replicas == 20`, []string{"1:60 whole can never hold: this can never hold together with what is required before it"}},
		{"mirrored", `10 < args.replicas && 5 > args.replicas`, []string{"1:25 whole can never hold: this can never hold together with what is required before it"}},
		{"negated", `!(args.replicas <= 10) && !(args.replicas >= 5)`, []string{"1:27 whole can never hold: this can never hold together with what is required before it"}},
		{"outside of the range", `args.replicas > 60`, []string{"1:15 whole can never hold: this can never hold: it is from 1 to 60"}},
		{"outside of the range, in part", `args.dry_run || args.replicas == 61`, []string{"1:31 part can never hold: args.replicas is never 61: it is from 1 to 60"}},
		{"outside of the range of a double", `args.amount > 100 || args.dry_run`, []string{"1:13 part can never hold: this can never hold: it is from 0 to 100"}},
		{"always", `args.replicas >= 1`, []string{"1:15 whole always holds: this always holds"}},
		{"always, but may be absent", `args.amount >= 0`, nil},
		{"always where present", `!has(args.amount) || args.amount >= 0`, []string{"1:19 whole always holds: this always holds"}},
		{"always by cases", `args.replicas < 10 || args.replicas >= 10`, []string{"1:20 whole always holds: this always holds"}},
		{"always by a conditional", `args.replicas < 10 ? args.replicas < 20 : args.replicas > 5`, []string{"1:20 whole always holds: this always holds"}},
		{"a fact may be unavailable", `facts.current_replicas < 9 || facts.current_replicas >= 9`, nil},
		{"a bool contradicts itself", `args.dry_run && !args.dry_run`, []string{"1:17 whole can never hold: this can never hold together with what is required before it"}},

		{"outside of the enum", `args.region == 'mars'`, []string{`1:13 whole can never hold: args.region is never "mars": it can be "eu-west-1", "us-east-1"`}},
		{"outside of the enum by case", `args.region == 'EU-WEST-1' || args.dry_run`, []string{`1:13 part can never hold: args.region is never "EU-WEST-1": it can be "eu-west-1", "us-east-1"`}},
		{"differs from what is outside of the enum", `args.region != 'mars'`, []string{`1:13 whole always holds: args.region is never "mars": it can be "eu-west-1", "us-east-1"`}},
		{"list beside the enum", `args.region in ['mars', 'venus']`, []string{
			`1:13 whole can never hold: this can never hold`,
			`1:17 part can never hold: args.region is never "mars": it can be "eu-west-1", "us-east-1"`,
			`1:25 part can never hold: args.region is never "venus": it can be "eu-west-1", "us-east-1"`,
		}},
		{"list partly beside the enum", `args.region in ['eu-west-1', 'mars']`, []string{`1:30 part can never hold: args.region is never "mars": it can be "eu-west-1", "us-east-1"`}},
		{"list of the whole enum", `args.region in ['eu-west-1', 'us-east-1']`, []string{"1:13 whole always holds: this always holds"}},
		{"every value excluded", `args.region != 'eu-west-1' && args.region != 'us-east-1'`, []string{"1:43 whole can never hold: this can never hold together with what is required before it"}},
		{"two lists apart", `args.note in ['a', 'b'] && args.note in ['c']`, []string{"1:38 whole can never hold: this can never hold together with what is required before it"}},
		{"two texts", `args.note == 'a' && args.note == 'b'`, []string{"1:31 whole can never hold: this can never hold together with what is required before it"}},
		{"excluded, then required", `args.note != 'a' && args.note == 'a'`, []string{"1:31 whole can never hold: this can never hold together with what is required before it"}},

		{"absent, then read", `!has(args.missing) && args.missing > 5`, []string{"1:36 whole can never hold: this can never hold together with what is required before it"}},
		{"required is always there", `has(args.region)`, []string{"1:4 whole always holds: this always holds"}},
		{"optional may be there", `has(args.note)`, nil},
		{"a fact may not be there", `has(facts.current_replicas)`, nil},

		{"compared with itself", `args.replicas < args.replicas`, []string{"1:15 whole can never hold: this can never hold"}},
		{"apart", `args.replicas > 50 && args.amount < 40 && args.replicas < args.amount`, []string{"1:57 whole can never hold: this can never hold together with what is required before it"}},
		{"touching", `args.replicas >= 60 && args.amount <= 60 && args.replicas <= args.amount`, nil},
		{"touching, but less", `args.replicas >= 60 && args.amount <= 60 && args.replicas < args.amount`, []string{"1:59 whole can never hold: this can never hold together with what is required before it"}},
		{"unknown others", `args.replicas < facts.current_replicas`, nil},
		{"two elements", `args.flights[0].seats > 5 && args.flights[1].seats < 5`, nil},
		{"two keys", `args.labels.a == 'x' && args.labels.b == 'y'`, nil},
		{"one key", `args.labels.a == 'x' && args.labels['a'] == 'y'`, []string{"1:42 whole can never hold: this can never hold together with what is required before it"}},

		{"size", `size(args.tags) < 0`, []string{"1:17 whole can never hold: this can never hold: it is at least 1"}},
		{"size of an optional", `args.flights.size() >= 0`, nil},

		{"element outside of its enum", `args.flights.exists(f, f.date == 'never')`, []string{
			`1:20 whole can never hold: this can never hold`,
			`1:31 part can never hold: args.flights[].date is never "never": it can be "today", "tomorrow"`,
		}},
		{"contradicting elements", `args.flights.exists(f, f.seats > 5 && f.seats < 5)`, []string{
			`1:20 whole can never hold: this can never hold`,
			`1:47 part can never hold: this can never hold together with what is required before it`,
		}},
		{"two variables over one list", `args.flights.exists(f, args.flights.exists(g, f.seats > 5 && g.seats < 5))`, nil},
		{"two loops over one list", `args.flights.exists(f, f.seats > 5) && args.flights.exists(f, f.seats < 5)`, nil},

		{"all of a list", `args.flights.all(f, f.seats > 1)`, []string{"1:5 part holds for an empty list: this holds when args.flights is empty: require size(…) > 0, if it must not be"}},
		{"all of a list with a size", `size(args.flights) > 0 && args.flights.all(f, f.seats > 1)`, nil},
		{"all of a list with a size, as a method", `args.flights.size() != 0 && args.flights.all(f, f.seats > 1)`, nil},
		{"all of a list that cannot be empty", `args.tags.all(x, x != 'a')`, nil},
		{"all of a list with an element", `args.flights.exists(f, f.seats > 1) && args.flights.all(f, f.seats < 9)`, nil},
		{"all of a list, or none", `size(args.flights) == 0 || args.flights.all(f, f.seats > 1)`, nil},

		{"constant true", `1 < 2`, []string{"1:1 whole always holds: this reads nothing and always holds"}},
		{"constant false", `1 > 2`, []string{"1:1 whole can never hold: this reads nothing and never holds"}},
		{"all of nothing", `[].all(x, x > 1)`, []string{"1:1 whole always holds: this reads nothing and always holds"}},
		{"true before a read", `true || args.replicas > 5`, []string{"1:6 whole always holds: this always holds"}},
		{"large ints are not rounded", `args.limit > 9007199254740992 && args.limit < 9007199254740994`, nil},
		{"large ints apart", `args.limit == 9007199254740993 && args.limit == 9007199254740992`, []string{"1:46 whole can never hold: this can never hold together with what is required before it"}},
		{"large ints and doubles", `args.limit == 9007199254740993 && args.limit <= 9007199254740992.0`, []string{"1:46 whole can never hold: this can never hold together with what is required before it"}},
		{"ranges of facts", `facts.current_replicas > 5 && facts.current_replicas < 3`, []string{"1:54 whole can never hold: this can never hold together with what is required before it"}},
		{"second line", "args.replicas > 10 &&\n\targs.replicas < 5", []string{"2:16 whole can never hold: this can never hold together with what is required before it"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, f := range compile(t, testEnv(t), c.src).Analyze(testRanges) {
				about := "part"
				if f.Whole {
					about = "whole"
				}
				got = append(got, fmt.Sprintf("%d:%d %s %s: %s", f.Line, f.Column, about, f.Kind, f.Message))
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestAnalyzeWithoutRanges(t *testing.T) {
	env := testEnv(t)
	assert.Empty(t, compile(t, env, `args.replicas > 60 || args.region == 'mars'`).Analyze(nil))
	assert.Len(t, compile(t, env, `args.replicas > 10 && args.replicas < 5`).Analyze(nil), 1)
	number, err := env.Compile(`args.replicas`, strictjson.Int)
	assert.NoError(t, err)
	assert.Nil(t, number.Analyze(nil))
}

func TestRangeOf(t *testing.T) {
	assert.Equal(t, celplan.Range{}, celplan.RangeOf(strictjson.Property{}))
	enum := strs("a").List()
	assert.Equal(t, celplan.Range{Enum: enum, Min: ptr(3), Max: ptr(2.5)}, celplan.RangeOf(strictjson.Property{
		Enum: enum,
		Min:  &strictjson.Bound{Value: strictjson.IntValue(3), Exclusive: true},
		Max:  &strictjson.Bound{Value: double(t, 2.5)},
	}))
	assert.Equal(t, celplan.Range{}, celplan.RangeOf(strictjson.Property{
		Max: &strictjson.Bound{Value: strictjson.IntValue(1<<53 + 1)},
	}), "a bound that a float64 would round")
}
