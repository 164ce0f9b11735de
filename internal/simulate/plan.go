package simulate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

// epoch is when every history begins: an hour before a day ends, so that calendar
// windows end in it.
var epoch = time.Date(2026, 11, 23, 23, 0, 0, 0, time.UTC)

// Plan is all of a history that is drawn: what there is, and what is tried in which
// order. Everything else follows from it.
type Plan struct {
	Seed    uint64
	History int
	World   World
	Steps   []Step
}

// World is who asks for what, under which limits.
type World struct {
	Home     Home
	Replicas int
	Agents   int
	Classes  []Class
	Rotate   int    // records of a segment; 0: as many as fit
	Mark     string // part of all names, where several histories share a ledger
}

// Home says where the ledger keeps its records.
type Home string

const (
	OnFiles Home = "files"  // one process, its own journal
	OnLog   Home = "shared" // several replicas, one log
)

// Class is a class of one of the authorizations.
type Class struct {
	Name          string
	Authorization string
	Tier          classify.Tier
	Mode          rationale.Mode
	Limits        []Limit
	Terms         rationale.Terms
}

// Limit is a limit of a class before a call is held against it.
type Limit struct {
	Rate   bool
	Shared bool // a budget of the cost centre
	Max    int64
	Per    string // 2h0m0s, hour or day
}

// Step is one thing that is tried. What exactly, where it depends on what came
// before, is drawn from its own seed: a step stays what it is when others are left
// out.
type Step struct {
	N    int // its place in the whole plan
	Do   Action
	Seed uint64
	// Moves is how many parked goroutines then go on, one after another, before
	// the next step begins.
	Moves int
}

// Action is what a step tries.
type Action string

const (
	call    Action = "call"    // an agent asks for something new
	use     Action = "use"     // an agent presents a ticket
	again   Action = "again"   // a draft is delivered once more
	end     Action = "end"     // an outcome arrives, perhaps late, perhaps twice
	answer  Action = "answer"  // a person answers to a ticket
	review  Action = "review"  // a person judges an action
	settle  Action = "settle"  // a person settles what is held
	suspend Action = "suspend" // a person suspends something
	resume  Action = "resume"  // a person ends a suspension
	clock   Action = "clock"   // time goes on, or a clock is set
	cancel  Action = "cancel"  // a caller stops waiting
	fault   Action = "fault"   // disk or network begin to fail, or work again
	crash   Action = "crash"   // a process or its machine ends, and another begins
	rest    Action = "rest"    // everything that was begun ends
)

// frequency is how often each action is drawn.
var frequency = []struct {
	do    Action
	often int
}{
	{call, 34},
	{use, 13},
	{again, 4},
	{end, 19},
	{answer, 16},
	{review, 4},
	{settle, 6},
	{suspend, 2},
	{resume, 3},
	{clock, 7},
	{cancel, 5},
	{fault, 3},
	{crash, 4},
	{rest, 6},
}

// rivals are what is most likely to come between an action and its record.
func rivals(of Action) []Action {
	switch of {
	case call:
		return []Action{call, call, suspend, cancel, crash}
	case use:
		return []Action{use, answer, crash}
	case answer:
		return []Action{answer, use, cancel}
	case end:
		return []Action{settle, settle, crash}
	case settle:
		return []Action{end, settle}
	case suspend:
		return []Action{crash, resume}
	case cancel:
		return []Action{cancel, call}
	}
	return []Action{of}
}

// NewPlan draws the plan of one history.
func NewPlan(seed uint64, history int) *Plan {
	home := OnFiles
	if history%5 < 2 {
		home = OnLog
	}
	r := rand.New(rand.NewPCG(seed, uint64(history)))
	p := &Plan{Seed: seed, History: history, World: newWorld(r, home)}
	total := 0
	for _, f := range frequency {
		total += f.often
	}
	// Some histories are calm: what happens then has no excuse. Some are about people.
	calm, asking := r.IntN(4) == 0, r.IntN(3) == 0
	if asking {
		for i := range p.World.Classes {
			p.World.Classes[i].Tier = classify.AuthorizationRequired
		}
	}
	for n := range 20 + r.IntN(50) {
		pick, do := r.IntN(total), rest
		for _, f := range frequency {
			if pick -= f.often; pick < 0 {
				do = f.do
				break
			}
		}
		if asking && (do == end || do == call) && r.IntN(2) == 0 {
			do = []Action{answer, use}[r.IntN(2)]
		}
		if n > 0 && r.IntN(5) == 0 {
			before := &p.Steps[n-1]
			all := rivals(before.Do)
			do, before.Moves = all[r.IntN(len(all))], r.IntN(3)
		}
		if calm && (do == fault || do == cancel) {
			do = call
		}
		moves := 0
		for r.IntN(5) < 3 && moves < 12 {
			moves++
		}
		p.Steps = append(p.Steps, Step{N: n, Do: do, Seed: r.Uint64(), Moves: moves})
	}
	return p
}

func newWorld(r *rand.Rand, home Home) World {
	w := World{Home: home, Replicas: 1, Agents: 1 + r.IntN(3)}
	if home == OnLog {
		w.Replicas = 1 + r.IntN(3)
	}
	if r.IntN(3) > 0 {
		w.Rotate = 3 + r.IntN(12)
	}
	shared := drawLimit(r)
	shared.Shared, shared.Rate = true, false
	for i := range 1 + r.IntN(3) {
		c := Class{
			Name: fmt.Sprintf("class-%d", i), Authorization: fmt.Sprintf("authorization-%d", i%2),
			Tier: []classify.Tier{classify.Parameterized, classify.Parameterized, classify.BoundedEscalation, classify.AuthorizationRequired}[r.IntN(4)],
		}
		if r.IntN(12) == 0 {
			c.Mode = rationale.Observe
		}
		for range r.IntN(3) {
			l := drawLimit(r)
			if !slices.ContainsFunc(c.Limits, func(o Limit) bool { return o.Per == l.Per && o.Rate == l.Rate }) {
				c.Limits = append(c.Limits, l)
			}
		}
		if r.IntN(2) == 0 {
			c.Limits = append(c.Limits, shared)
		}
		c.Terms = drawTerms(r)
		w.Classes = append(w.Classes, c)
	}
	return w
}

func drawLimit(r *rand.Rand) Limit {
	l := Limit{Per: []string{"2h0m0s", "20m0s", "hour", "day"}[r.IntN(4)], Max: 60 + 10*r.Int64N(8)}
	if r.IntN(3) == 0 {
		l.Rate, l.Max = true, 2+r.Int64N(6)
	}
	return l
}

func drawTerms(r *rand.Rand) rationale.Terms {
	t := rationale.Terms{
		ApproveBy: []string{"group:approvers", "vera@bank.example"}, ApproveQuorum: 1 + r.IntN(2), ApproveWithin: 30 * time.Minute,
		ReviewBy: []string{"group:reviewers"}, ReviewWithin: 40 * time.Minute, MaxOverdue: r.IntN(2),
		Lease: time.Duration(r.IntN(3)) * 10 * time.Minute,
	}
	if r.IntN(2) == 0 {
		t.ApproveCapped = true
		t.Ceilings = []rationale.Ceiling{
			{Group: "approvers", Currency: "EUR", UpTo: "20"},
			{Group: "heads", Currency: "EUR", UpTo: "35"},
			{Person: "vera@bank.example", Currency: "EUR", UpTo: "28.5"},
			{Person: "vera@bank.example", Currency: "SEK", UpTo: "1000"},
		}
	}
	return t
}

// people are those who answer. Not all of them may.
var people = []rationale.Person{
	{ID: "ada@bank.example", Groups: []string{"approvers"}},
	{ID: "bo@bank.example", Groups: []string{"approvers", "heads"}},
	{ID: "cy@bank.example", Groups: []string{"approvers"}},
	{ID: "vera@bank.example"},
	{ID: "Ada@Bank.example", Groups: []string{"approvers"}},               // a second spelling
	{ID: owner, Groups: []string{"approvers", "heads"}},                   // accountable for it
	{ID: requester, Groups: []string{"approvers", "heads"}},               // asked for it
	{ID: "rita@bank.example", Groups: []string{"reviewers"}},              // reviews
	{ID: "both@bank.example", Groups: []string{"reviewers", "approvers"}}, // would review what it approves
	{ID: "zoe@bank.example", Groups: []string{"visitors"}},                // may nothing
}

const (
	owner     = "owner@bank.example"
	requester = "customer@bank.example"
)

// agent returns the id of an agent.
func (w *World) agent(i int) string { return fmt.Sprintf("agent-%d%s", i, w.Mark) }

// limits returns what a call of a class is held against.
func (w *World) limits(c *Class) []rationale.Limit {
	var all []rationale.Limit
	for i, l := range c.Limits {
		out := rationale.Limit{Kind: rationale.CheckWindow, ID: fmt.Sprintf("limits[%d]", i), Max: fmt.Sprint(l.Max), Currency: "EUR", Per: l.Per}
		if l.Rate {
			out.Kind, out.Currency = rationale.CheckRate, ""
		}
		if l.Shared {
			out.CostCentre = "CC-1" + w.Mark
		}
		if l.Per == "hour" || l.Per == "day" {
			out.Zone = "UTC"
		}
		all = append(all, out)
	}
	return all
}

// spends reports whether a call of the class has a price.
func (c *Class) spends() bool {
	return c.Terms.ApproveCapped || slices.ContainsFunc(c.Limits, func(l Limit) bool { return !l.Rate })
}
