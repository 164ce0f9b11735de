package rationale_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

var asked = at("2026-11-01T10:00:00Z")

// pending is a ticket of a refund of 120.50 EUR: two of the on-call group, or kim,
// within their ceilings.
func pending() *rationale.Pending {
	return &rationale.Pending{Decision: &rationale.Decision{
		ID: "d1", At: asked, Class: "refund", ActionDigest: "sha256:aa", BaseTier: classify.Parameterized,
		Standing: rationale.StandingActive, Verdict: rationale.Pend, Tier: classify.AuthorizationRequired,
		Agent:         rationale.Agent{ID: "support-bot", Environment: "prod", OnBehalfOf: "pat@x"},
		Authorization: &rationale.AuthorizationRef{ID: "support", Owner: "owner@x", Matrix: "sha256:m"},
		Spend:         &rationale.Spend{Currency: "EUR", Amount: "120.50", Basis: "amount"},
		Checks: []rationale.Check{
			{Kind: rationale.CheckBound, ID: "bounds[0]", Result: rationale.Passed},
			{Kind: rationale.CheckBand, ID: "per_event.authorization_required", Result: rationale.Raised, To: classify.AuthorizationRequired},
		},
		Ticket: &rationale.Ticket{
			By: []string{"group:oncall", "kim@x", "owner@x", "support-bot"}, Quorum: 2, Expires: asked.Add(30 * time.Minute), Capped: true,
			Ceilings: []rationale.Ceiling{
				{Group: "oncall", Currency: "EUR", UpTo: "120.49"},
				{Group: "managers", Currency: "EUR", UpTo: "1e3"},
				{Group: "managers", Currency: "EUR", UpTo: "10000.00"},
				{Person: "Kim@x", Currency: "EUR", UpTo: "120.5"},
				{Group: "oncall", Currency: "USD", UpTo: "1000000"},
			},
		},
	}}
}

func answer(by string, groups ...string) *rationale.Approval {
	return &rationale.Approval{ID: "a-" + by, Ticket: "d1", By: rationale.Person{ID: by, Groups: groups}, Answer: rationale.AnswerApprove}
}

func TestWhoMayAnswer(t *testing.T) {
	given := func(answers ...*rationale.Approval) func(*rationale.Pending) {
		return func(p *rationale.Pending) { p.Answers = answers }
	}
	denied := answer("ann@x")
	denied.Answer = rationale.AnswerDeny
	for name, c := range map[string]struct {
		by     rationale.Person
		answer rationale.Answer // approve
		why    string
		after  time.Duration
		change func(*rationale.Pending)
		refuse string // empty: it counts
	}{
		"of the group, within the ceiling":  {by: rationale.Person{ID: "sam@x", Groups: []string{"oncall", "managers"}}},
		"of the group, above the ceiling":   {by: rationale.Person{ID: "sam@x", Groups: []string{"oncall"}}, refuse: "120.50 EUR is more than the 120.49 that sam@x may approve"},
		"named, exactly at the own ceiling": {by: rationale.Person{ID: "KIM@x"}},
		"neither named nor of the group":    {by: rationale.Person{ID: "zoe@x", Groups: []string{"managers"}}, refuse: "not one of those who may answer"},
		"a group of another case":           {by: rationale.Person{ID: "zoe@x", Groups: []string{"OnCall"}}, refuse: "not one of those"},
		"a person called like the group":    {by: rationale.Person{ID: "group:oncall"}, refuse: "names no person"},
		"a group with its prefix":           {by: rationale.Person{ID: "zoe@x", Groups: []string{"group:oncall"}}, refuse: "names no person"},
		"nobody":                            {by: rationale.Person{Groups: []string{"oncall"}}, refuse: "names no person"},
		"a name with a hidden character":    {by: rationale.Person{ID: "kim@x\u202e"}, refuse: "names no person"},
		"the owner":                         {by: rationale.Person{ID: "Owner@x"}, refuse: "owns the authorization"},
		"the agent":                         {by: rationale.Person{ID: "support-bot", Groups: []string{"oncall"}}, refuse: "asked for this call"},
		"whom the agent serves":             {by: rationale.Person{ID: "PAT@x", Groups: []string{"oncall", "managers"}}, refuse: "asked for this call"},
		"without a ceiling in the currency": {by: rationale.Person{ID: "kim@x"}, change: func(p *rationale.Pending) { p.Decision.Ticket.Ceilings = p.Decision.Ticket.Ceilings[4:] }, refuse: "approve nothing in EUR"},
		"a price of nothing, where nobody has a ceiling": {by: rationale.Person{ID: "kim@x"}, change: func(p *rationale.Pending) {
			p.Decision.Ticket.Ceilings, p.Decision.Spend.Amount = nil, "0"
		}, refuse: "approve nothing in EUR"},
		"where no ceilings apply":              {by: rationale.Person{ID: "sam@x", Groups: []string{"oncall"}}, change: func(p *rationale.Pending) { p.Decision.Ticket.Capped = false }},
		"where nothing is spent":               {by: rationale.Person{ID: "sam@x", Groups: []string{"oncall"}}, change: func(p *rationale.Pending) { p.Decision.Spend = nil }},
		"a price that is no number":            {by: rationale.Person{ID: "kim@x"}, change: func(p *rationale.Pending) { p.Decision.Spend.Amount = "" }, refuse: "no price"},
		"twice":                                {by: rationale.Person{ID: "KIM@X"}, change: given(answer("kim@x")), refuse: "has answered already"},
		"a second person":                      {by: rationale.Person{ID: "kim@x"}, change: given(answer("sam@x"))},
		"beyond the quorum":                    {by: rationale.Person{ID: "kim@x"}, change: given(answer("sam@x"), answer("ann@x")), refuse: "approved already"},
		"a denial above the own ceiling":       {by: rationale.Person{ID: "sam@x", Groups: []string{"oncall"}}, answer: rationale.AnswerDeny, why: "no"},
		"a denial after the own approval":      {by: rationale.Person{ID: "sam@x", Groups: []string{"oncall"}}, answer: rationale.AnswerDeny, why: "no", change: given(answer("sam@x"), answer("ann@x"))},
		"a denial by somebody else":            {by: rationale.Person{ID: "zoe@x"}, answer: rationale.AnswerDeny, why: "no", refuse: "not one of those"},
		"a denial without a reason":            {by: rationale.Person{ID: "kim@x"}, answer: rationale.AnswerDeny, why: "\t", refuse: "needs a reason"},
		"a reason that is no text":             {by: rationale.Person{ID: "kim@x"}, answer: rationale.AnswerDeny, why: "\xff", refuse: "valid UTF-8"},
		"neither yes nor no":                   {by: rationale.Person{ID: "kim@x"}, answer: "maybe", refuse: `the answer is "maybe"`},
		"after a denial":                       {by: rationale.Person{ID: "kim@x"}, change: given(denied), refuse: "ann@x has denied it"},
		"after its use":                        {by: rationale.Person{ID: "kim@x"}, change: func(p *rationale.Pending) { p.Used = "d2" }, refuse: "is used"},
		"after another has taken its place":    {by: rationale.Person{ID: "kim@x"}, change: func(p *rationale.Pending) { p.Replaced = "d2" }, refuse: "ticket d2 has taken its place"},
		"at the last moment":                   {by: rationale.Person{ID: "kim@x"}, after: 30*time.Minute - 1},
		"when it expires":                      {by: rationale.Person{ID: "kim@x"}, after: 30 * time.Minute, refuse: "expired at 2026-11-01T10:30:00Z"},
		"to a decision that did not pend here": {by: rationale.Person{ID: "kim@x"}, change: func(p *rationale.Pending) { p.Decision.Ticket = nil }, refuse: "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			p := pending()
			if c.change != nil {
				c.change(p)
			}
			a := &rationale.Approval{Ticket: "d1", By: c.by, Answer: c.answer, Why: c.why}
			if a.Answer == "" {
				a.Answer = rationale.AnswerApprove
			}
			err := p.Answer(a, asked.Add(c.after))
			if c.refuse != "" {
				require.ErrorContains(t, err, c.refuse)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, "sha256:aa", a.ActionDigest)
			assert.Equal(t, asked, a.Asked)
			assert.Equal(t, p.Decision.Agent, a.Agent)
		})
	}
}

func TestAnAnswerSaysWhatItWasGivenTo(t *testing.T) {
	a := answer("kim@x")
	a.Amount, a.UpTo, a.ActionDigest = "1", "1000000", "sha256:forged"
	require.NoError(t, pending().Answer(a, asked))
	assert.Equal(t, []string{"120.50", "EUR", "120.5", "sha256:aa"}, []string{a.Amount, a.Currency, a.UpTo, a.ActionDigest})
}

// again is the draft of the same call.
func again() *rationale.Decision {
	d := *pending().Decision
	d.ID, d.At, d.Parent, d.Ticket = "d2", asked.Add(time.Minute), "d1", nil
	spend := *d.Spend
	d.Spend = &spend
	d.Checks = append([]rationale.Check(nil), d.Checks...)
	ref := *d.Authorization
	d.Authorization = &ref
	return &d
}

func TestPresent(t *testing.T) {
	denied := answer("kim@x")
	denied.Answer, denied.Why = rationale.AnswerDeny, "too much"
	raised := func(kind rationale.CheckKind, id string, reason rationale.Reason) func(*rationale.Decision) {
		return func(d *rationale.Decision) {
			d.Checks = append(d.Checks, rationale.Check{Kind: kind, ID: id, Result: rationale.Raised, To: classify.AuthorizationRequired, Reason: reason})
		}
	}
	for name, c := range map[string]struct {
		ticket  func(*rationale.Pending)
		draft   func(*rationale.Decision)
		verdict rationale.Verdict
		message string
	}{
		"approved": {verdict: rationale.Allow},
		"a lower price": {
			draft: func(d *rationale.Decision) { d.Spend.Amount = "120.4999" }, verdict: rationale.Allow,
		},
		"a reason less": {draft: func(d *rationale.Decision) { d.Checks = d.Checks[:1] }, verdict: rationale.Allow},
		"a higher price": {
			draft: func(d *rationale.Decision) { d.Spend.Amount = "120.51" }, verdict: rationale.Pend, message: "the price is 120.51 EUR, and 120.50 was approved",
		},
		"another currency":          {draft: func(d *rationale.Decision) { d.Spend.Currency = "JPY" }, verdict: rationale.Pend, message: "was not approved"},
		"a price that is no number": {draft: func(d *rationale.Decision) { d.Spend.Amount = "" }, verdict: rationale.Pend, message: "cannot be compared"},
		"a price where none was":    {ticket: func(p *rationale.Pending) { p.Decision.Spend = nil }, verdict: rationale.Pend, message: "was not approved"},
		"a new trigger":             {draft: raised(rationale.CheckTrigger, "escalate[0]", ""), verdict: rationale.Pend, message: "a new reason to ask people: escalate[0]"},
		"a brake":                   {draft: raised(rationale.CheckBrake, "review.max_overdue", rationale.ReviewDebt), verdict: rationale.Pend, message: "review.max_overdue"},
		"the same check for another reason": {
			draft: raised(rationale.CheckBand, "per_event.authorization_required", rationale.FactUnavailable), verdict: rationale.Pend, message: "new reason",
		},
		"another matrix": {draft: func(d *rationale.Decision) { d.Authorization.Matrix = "sha256:n" }, verdict: rationale.Pend, message: "authority matrix"},
		"a bound that fails now": {
			draft: func(d *rationale.Decision) {
				d.Checks[0] = failed(rationale.BoundViolated)
			}, verdict: rationale.Deny,
		},
		"another action":     {draft: func(d *rationale.Decision) { d.ActionDigest = "sha256:bb" }, verdict: rationale.Deny, message: "another action"},
		"no digest on any":   {ticket: func(p *rationale.Pending) { p.Decision.ActionDigest = "" }, draft: func(d *rationale.Decision) { d.ActionDigest = "" }, verdict: rationale.Deny, message: "another action"},
		"half of the quorum": {ticket: func(p *rationale.Pending) { p.Answers = p.Answers[:1] }, verdict: rationale.Deny, message: "not approved yet: 1 of 2"},
		"denied after all":   {ticket: func(p *rationale.Pending) { p.Answers = append(p.Answers, denied) }, verdict: rationale.Deny, message: "denied: too much"},
		"an answer of a later version": {
			ticket: func(p *rationale.Pending) { p.Answers[1].Answer = "perhaps" }, verdict: rationale.Deny, message: "denied: ",
		},
		"used":     {ticket: func(p *rationale.Pending) { p.Used = "d0" }, verdict: rationale.Deny, message: "it serves once"},
		"replaced": {ticket: func(p *rationale.Pending) { p.Replaced = "d0" }, verdict: rationale.Deny, message: "has taken its place"},
		"expired":  {ticket: func(p *rationale.Pending) { p.Decision.Ticket.Expires = asked.Add(time.Minute) }, verdict: rationale.Deny, message: "expired"},
		"unknown":  {ticket: func(p *rationale.Pending) { p.Decision = nil }, verdict: rationale.Deny, message: "no ticket of this id"},
		"asks nobody any more, and is denied": {
			ticket: func(p *rationale.Pending) { p.Answers = append(p.Answers, denied) }, draft: func(d *rationale.Decision) { d.Checks = d.Checks[:1] },
			verdict: rationale.Deny, message: "denied",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, d := pending(), again()
			p.Answers = []*rationale.Approval{answer("sam@x"), answer("kim@x")}
			if c.ticket != nil {
				c.ticket(p)
			}
			if c.draft != nil {
				c.draft(d)
			}
			p.Present(d, d.At)
			rationale.Conclude(d)
			assert.Equal(t, c.verdict.String(), d.Verdict.String())
			check := d.Checks[len(d.Checks)-1]
			assert.Contains(t, check.Message, c.message)
			switch {
			case check.Result == rationale.Failed:
				assert.Contains(t, d.Reasons, rationale.ApprovalInvalid)
				assert.Empty(t, d.Approval)
			case d.Verdict == rationale.Pend:
				assert.Contains(t, d.Reasons, rationale.ApprovalRequired)
				assert.Empty(t, d.Approval)
			default:
				assert.Equal(t, "a-kim@x", d.Approval, "the one that completed the quorum")
			}
		})
	}
}

func reviewedCall() *rationale.Decision {
	d := pending().Decision
	d.Ticket = nil
	d.Review = &rationale.ReviewDue{By: []string{"group:risk", "owner@x", "kim@x"}, NotBy: []string{"group:oncall", "kim@x"}, Due: asked.Add(time.Hour), Reason: "sample"}
	return d
}

func TestWhoMayReview(t *testing.T) {
	for name, c := range map[string]struct {
		r      rationale.Review
		refuse string
	}{
		"of the group":                {r: rationale.Review{By: rationale.Person{ID: "rae@x", Groups: []string{"risk"}}, Finding: rationale.Upheld}},
		"somebody else":               {r: rationale.Review{By: rationale.Person{ID: "rae@x", Groups: []string{"sales"}}, Finding: rationale.Upheld}, refuse: "not one of those who review it"},
		"the owner":                   {r: rationale.Review{By: rationale.Person{ID: "owner@X", Groups: []string{"risk"}}, Finding: rationale.Upheld}, refuse: "owns the authorization"},
		"whom the agent serves":       {r: rationale.Review{By: rationale.Person{ID: "pat@x", Groups: []string{"risk"}}, Finding: rationale.Upheld}, refuse: "asked for this call"},
		"an approver by name":         {r: rationale.Review{By: rationale.Person{ID: "kim@x"}, Finding: rationale.Upheld}, refuse: "approves under this authorization"},
		"an approver by group":        {r: rationale.Review{By: rationale.Person{ID: "rae@x", Groups: []string{"risk", "oncall"}}, Finding: rationale.Upheld}, refuse: "approves under this authorization"},
		"overturned, and why":         {r: rationale.Review{By: rationale.Person{ID: "rae@x", Groups: []string{"risk"}}, Finding: rationale.Overturned, Why: "wrong person"}},
		"overturned for no reason":    {r: rationale.Review{By: rationale.Person{ID: "rae@x", Groups: []string{"risk"}}, Finding: rationale.Overturned}, refuse: "overturned needs a reason"},
		"insufficient, for no reason": {r: rationale.Review{By: rationale.Person{ID: "rae@x", Groups: []string{"risk"}}, Finding: rationale.InsufficientRecord}, refuse: "needs a reason"},
		"with an action":              {r: rationale.Review{By: rationale.Person{ID: "rae@x", Groups: []string{"risk"}}, Finding: rationale.UpheldWithAction, Action: "TASK-1"}},
		"with an action that is none": {r: rationale.Review{By: rationale.Person{ID: "rae@x", Groups: []string{"risk"}}, Finding: rationale.UpheldWithAction}, refuse: "needs the action"},
		"no finding":                  {r: rationale.Review{By: rationale.Person{ID: "rae@x", Groups: []string{"risk"}}}, refuse: `the finding is ""`},
	} {
		t.Run(name, func(t *testing.T) {
			err := reviewedCall().Reviewed(&c.r)
			if c.refuse != "" {
				require.ErrorContains(t, err, c.refuse)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, "sample", c.r.Reason)
			assert.Equal(t, asked, c.r.Owed)
		})
	}
	none := pending().Decision
	assert.ErrorContains(t, none.Reviewed(&rationale.Review{}), "owes no review")
}

// The ids and their first 63 bits are worked out apart, with sha256sum.
func TestSampled(t *testing.T) {
	const bits = 0x681963346366dbea >> 1 // of "0193-d"
	assert.True(t, rationale.Sampled("0193-d", bits+1))
	assert.False(t, rationale.Sampled("0193-d", bits))
	assert.True(t, rationale.Sampled("0193-d", 1<<63), "all")
	assert.False(t, rationale.Sampled("0193-d", 0), "none")
}

func TestConcludeSamples(t *testing.T) {
	conclude := func(change func(*rationale.Decision)) *rationale.ReviewDue {
		d := draft(classify.Parameterized)
		d.ID, d.Terms.ReviewSample = "d", 1<<63
		change(d)
		rationale.Conclude(d)
		return d.Review
	}
	require.NotNil(t, conclude(func(*rationale.Decision) {}))
	assert.Equal(t, "sample", conclude(func(*rationale.Decision) {}).Reason)
	assert.Equal(t, "boilerplate", conclude(func(d *rationale.Decision) { d.Terms.ReviewSample, d.Terms.Repeated = 0, true }).Reason)
	for name, change := range map[string]func(*rationale.Decision){
		"denied":             func(d *rationale.Decision) { d.Checks = append(d.Checks, failed(rationale.NotAllowed)) },
		"observed":           func(d *rationale.Decision) { d.Mode = rationale.Observe },
		"nobody to ask":      func(d *rationale.Decision) { d.Terms.ReviewBy = nil },
		"no id yet":          func(d *rationale.Decision) { d.ID = "" },
		"a share of zero":    func(d *rationale.Decision) { d.Terms.ReviewSample = 0 },
		"approved by people": func(d *rationale.Decision) { d.BaseTier, d.Approval = classify.AuthorizationRequired, "a" },
	} {
		assert.Nil(t, conclude(change), name)
	}
}

func TestConcludeCapsTheTicket(t *testing.T) {
	d := draft(classify.AuthorizationRequired)
	d.Terms.ApproveCapped = true
	d.Terms.Ceilings = []rationale.Ceiling{{Group: "a", Currency: "EUR", UpTo: "1"}, {Group: "a", Currency: "USD", UpTo: "2"}}
	rationale.Conclude(d)
	assert.False(t, d.Ticket.Capped, "nothing is spent")
	d.Spend = &rationale.Spend{Currency: "USD", Amount: "1"}
	rationale.Conclude(d)
	rationale.Conclude(d)
	assert.True(t, d.Ticket.Capped)
	assert.Equal(t, d.Terms.Ceilings[1:], d.Ticket.Ceilings)
	d.Spend.Currency = "JPY"
	rationale.Conclude(d)
	assert.True(t, d.Ticket.Capped, "and nobody has a ceiling in it")
	assert.Empty(t, d.Ticket.Ceilings)
}

func TestSuspension(t *testing.T) {
	d := &rationale.Decision{Class: "refund", Agent: rationale.Agent{ID: "bot"}, Authorization: &rationale.AuthorizationRef{ID: "support"}}
	for name, c := range map[string]struct {
		s        rationale.Suspension
		valid    bool
		concerns bool
	}{
		"nothing":                    {},
		"everything":                 {rationale.Suspension{Everything: true}, true, true},
		"the agent":                  {rationale.Suspension{Agent: "bot"}, true, true},
		"another agent":              {rationale.Suspension{Agent: "Bot"}, true, false},
		"the authorization":          {rationale.Suspension{Authorization: "support"}, true, true},
		"another authorization":      {rationale.Suspension{Authorization: "other"}, true, false},
		"the class":                  {rationale.Suspension{Authorization: "support", Class: "refund"}, true, true},
		"another class":              {rationale.Suspension{Authorization: "support", Class: "read"}, true, false},
		"the class of another":       {rationale.Suspension{Authorization: "other", Class: "refund"}, true, false},
		"a class of nothing":         {s: rationale.Suspension{Class: "refund"}},
		"two things":                 {s: rationale.Suspension{Agent: "bot", Authorization: "other"}},
		"everything and something":   {s: rationale.Suspension{Everything: true, Agent: "x"}},
		"what nobody can read aloud": {s: rationale.Suspension{Agent: "\u202e"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.valid, c.s.Validate() == nil)
			if c.valid {
				assert.Equal(t, c.concerns, c.s.Concerns(d))
			}
		})
	}
	assert.False(t, rationale.Suspension{Authorization: "support"}.Concerns(&rationale.Decision{}), "a call without an authorization")
}
