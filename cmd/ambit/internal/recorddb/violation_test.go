package recorddb_test

import (
	"time"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

type violation struct {
	question, name string
	plant          func(p *planted)
	want           string // of the one exception; empty: there is none
}

func violations() []violation {
	all := [][]violation{
		authorityViolations(), constraintViolations(), approvalViolations(), dutyViolations(), reviewViolations(),
		moneyViolations(), standingViolations(), haltViolations(), driftViolations(),
	}
	var flat []violation
	for _, some := range all {
		flat = append(flat, some...)
	}
	return flat
}

// scaled is a violation by one small act.
func scaled(question, name, want string, change func(d *rationale.Decision)) violation {
	return violation{question, name, func(p *planted) { p.scaled(day(21, 12), change) }, want}
}

func scaledAt(question, name, want string, at time.Time) violation {
	return violation{question, name, func(p *planted) { p.scaled(at, func(*rationale.Decision) {}) }, want}
}

func authorityViolations() []violation {
	return []violation{
		scaled("authority", "nobody", "ran under no authorization: nobody authorized it", func(d *rationale.Decision) { d.Authorization = nil }),
		scaled("authority", "unknown document", "these records do not hold the document", func(d *rationale.Decision) { d.Authorization.Digest = "sha256:0" }),
		scaled("authority", "another owner", "the document of that digest says otherwise", func(d *rationale.Decision) { d.Authorization.Owner = "eve@example.com" }),
		scaled("authority", "another body", "says otherwise", func(d *rationale.Decision) { d.Authorization.Body = "friends" }),
		scaled("authority", "a longer term", "says otherwise", func(d *rationale.Decision) {
			d.Authorization.Expires = d.Authorization.Expires.AddDate(1, 0, 0)
		}),
		scaled("authority", "another grantor", "says otherwise", func(d *rationale.Decision) { d.Authorization.GrantedBy = []string{"eve@example.com"} }),
		scaled("authority", "standing", "its standing was suspended", func(d *rationale.Decision) { d.Standing = rationale.StandingSuspended }),
		scaledAt("authority", "before the grant", "it was granted only at 2026-10-15T00:00:00Z", day(14, 12)),
		scaledAt("authority", "expired", "it had expired at 2027-02-01T00:00:00Z", time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)),
		scaledAt("authority", "before it expired", "its review had been due at 2027-01-13T00:00:00Z", time.Date(2027, 1, 31, 23, 59, 59, 999_999_999, time.UTC)),
		scaled("authority", "without an end", "the document of that digest says otherwise", func(d *rationale.Decision) { d.Authorization.Expires = time.Time{} }),
		scaledAt("authority", "at no time", "it was granted only at 2026-10-15T00:00:00Z", time.Time{}),
		scaledAt("authority", "before its review", "", time.Date(2027, 1, 12, 23, 59, 59, 999_999_999, time.UTC)),
	}
}

func constraintViolations() []violation {
	broken := rationale.Check{Kind: rationale.CheckBound, ID: "bounds[1]", Why: "at most double", Result: rationale.Failed}
	return []violation{
		scaled("constraints", "failed", "bound bounds[1] came out as fail (at most double): the call was let through all the same",
			func(d *rationale.Decision) { d.Checks = append(d.Checks, broken) }),
		scaled("constraints", "without a result", "the call was let through all the same",
			func(d *rationale.Decision) { d.Checks[0].Result = "" }),
		scaled("constraints", "none", "no constraint is recorded: the call was let through without one", func(d *rationale.Decision) { d.Checks = nil }),
		scaled("constraints", "raised", "it asked for authorization_required, and the call ran as parameterized", func(d *rationale.Decision) {
			d.Checks = append(d.Checks, rationale.Check{Kind: rationale.CheckTrigger, ID: "escalate[0]", Result: rationale.Raised, To: classify.AuthorizationRequired})
		}),
		scaled("constraints", "failed, and denied", "", func(d *rationale.Decision) { d.Checks, d.Verdict = append(d.Checks, broken), rationale.Deny }),
		scaled("constraints", "failed, and observed", "", func(d *rationale.Decision) { d.Checks, d.Mode = append(d.Checks, broken), rationale.Observe }),
		scaled("unexplained", "incomplete", "1 of 86 acts of class scale of fleet have no complete rationale; the last of them is ID",
			func(d *rationale.Decision) { d.RationaleCheck = &rationale.RationaleCheck{} }),
		scaled("unexplained", "incomplete, and denied", "", func(d *rationale.Decision) {
			d.RationaleCheck, d.Verdict = &rationale.RationaleCheck{}, rationale.Deny
		}),
	}
}

func approvalViolations() []violation {
	const asked = "k8s.scale at 2026-10-21T12:30:00Z (ID) had to be approved, and "
	approved := func(name, want string, change func(act, ticket *rationale.Decision, first, last *rationale.Approval)) violation {
		if want != "" {
			want = asked + want
		}
		return violation{"approvals", name, func(p *planted) { p.approves(change) }, want}
	}
	return []violation{
		approved("none", "it names no approval", func(act, _ *rationale.Decision, _, _ *rationale.Approval) { act.Approval = "" }),
		approved("valid", "", func(_, _ *rationale.Decision, _, _ *rationale.Approval) {}),
		approved("unknown", "the approval that it names is not in these records", func(act, _ *rationale.Decision, _, _ *rationale.Approval) { act.Approval = "x" }),
		approved("a denial", "the answer that it names is a denial", func(_, _ *rationale.Decision, _, last *rationale.Approval) { last.Answer = rationale.AnswerDeny }),
		approved("another action", "ann@example.com approved another action", func(_, _ *rationale.Decision, _, last *rationale.Approval) { last.ActionDigest = "sha256:0" }),
		approved("another ticket", "ann@example.com answered another ticket", func(act, _ *rationale.Decision, _, _ *rationale.Approval) { act.Parent = "x" }),
		approved("a stranger", "eve@example.com is none of those who may approve it", func(_, _ *rationale.Decision, _, last *rationale.Approval) {
			last.By = rationale.Person{ID: "eve@example.com", Groups: []string{"friends"}}
		}),
		approved("a stranger before the last", "eve@example.com is none of those who may approve it", func(_, _ *rationale.Decision, first, _ *rationale.Approval) {
			first.By = rationale.Person{ID: "eve@example.com"}
		}),
		approved("who is named, in another spelling", "", func(_, ticket *rationale.Decision, _, last *rationale.Approval) {
			asked := *ticket.Ticket
			asked.By, last.By.ID, last.By.Groups = append([]string{"zoe@example.com"}, asked.By...), "ZOE@example.com", nil
			ticket.Ticket = &asked
		}),
		approved("afterwards", "ann@example.com approved only afterwards", func(act, _ *rationale.Decision, _, last *rationale.Approval) { last.At = act.At.Add(1) }),
		approved("expired", "the approval of ann@example.com had expired", func(act, _ *rationale.Decision, _, last *rationale.Approval) { last.Expires = act.At }),
		approved("somebody denied", "somebody had denied it", func(_, _ *rationale.Decision, first, _ *rationale.Approval) { first.Answer = rationale.AnswerDeny }),
		approved("one person twice", "fewer people approved than must", func(_, _ *rationale.Decision, first, _ *rationale.Approval) { first.By.ID = "ANN@example.com" }),
		approved("a higher price", "the price is not the one that was approved", func(act, _ *rationale.Decision, _, _ *rationale.Approval) {
			act.Spend.Amount = "120.500000001"
		}),
		approved("a lower price", "", func(act, _ *rationale.Decision, _, _ *rationale.Approval) { act.Spend.Amount = "120.499999999" }),
		approved("a price that is not exact", "the price is not the one that was approved", func(act, _ *rationale.Decision, _, _ *rationale.Approval) {
			act.Spend.Amount = "120.5000000000001"
		}),
		approved("another currency", "the price is not the one that was approved", func(_, _ *rationale.Decision, _, last *rationale.Approval) { last.Currency = "SEK" }),
		approved("above the ceiling", "ann@example.com may not approve as much", func(_, _ *rationale.Decision, _, last *rationale.Approval) { last.UpTo = "120.49" }),
		{"approvals", "used twice", func(p *planted) {
			act, ticket, first, last := p.answered(day(21, 11))
			p.added = append(p.added, ticket, first, last)
			p.ran(act)
			again := *act
			again.ID, again.At = rationale.NewID(act.At), act.At.Add(time.Minute)
			p.ran(&again)
		}, "the approval of ann@example.com had been used before"},
		{"approvals", "not executed", func(p *planted) {
			act, _, _, _ := p.answered(day(21, 11))
			act.Approval = ""
			p.ran(act).Status = rationale.StatusNotExecuted
		}, ""},
		{"approvals", "settled as not executed", func(p *planted) {
			act, _, _, _ := p.answered(day(21, 11))
			act.Approval = ""
			p.settles(p.ran(act))
		}, "it names no approval"},
		{"unexplained", "settled as not executed", func(p *planted) {
			p.settles(p.scaled(day(21, 12), func(d *rationale.Decision) { d.RationaleCheck = &rationale.RationaleCheck{} }))
		}, "1 of 86 acts of class scale of fleet have no complete rationale"},
		{"haste", "too fast", func(p *planted) {
			p.approves(func(_, _ *rationale.Decision, _, last *rationale.Approval) {
				last.At = last.Asked.Add(10*time.Second - 1)
			})
		}, "ann@example.com approved 1 of 2 requests within 10 s of being asked; the fastest after 9.999 s (ID)"},
		{"haste", "too fast, and a denial", func(p *planted) {
			p.approves(func(_, _ *rationale.Decision, _, last *rationale.Approval) {
				last.At, last.Answer = last.Asked, rationale.AnswerDeny
			})
		}, ""},
	}
}

func dutyViolations() []violation {
	approved := func(name, want string, change func(act, ticket *rationale.Decision, last *rationale.Approval)) violation {
		return violation{"duties", name, func(p *planted) {
			p.approves(func(act, ticket *rationale.Decision, _, last *rationale.Approval) { change(act, ticket, last) })
		}, want}
	}
	reviewed := func(name, by, want string, change func(d *rationale.Decision)) violation {
		return violation{"duties", name, func(p *planted) {
			d := p.like("scale", classify.BoundedEscalation, day(21, 12))
			change(d)
			p.ran(d)
			p.added = append(p.added, &rationale.Review{
				ID: rationale.NewID(d.At), At: d.At.Add(time.Hour), Decision: d.ID, By: rationale.Person{ID: by}, Finding: rationale.Upheld,
				Reason: "tier", Owed: d.At, Due: d.Review.Due, Agent: d.Agent, Tool: d.Tool, Authorization: d.Authorization,
			})
		}, want}
	}
	return []violation{
		{"duties", "grant", func(p *planted) {
			p.loads(func(l *rationale.Lifecycle) { l.Authorization.Owner = "LEE@example.com" })
		}, "lee@example.com granted fleet version 1, and is its owner"},
		approved("approval by the owner", "Dana@Example.com approved ID, and owns the authorization",
			func(_, _ *rationale.Decision, last *rationale.Approval) { last.By.ID = "Dana@Example.com" }),
		approved("approval by who asked", "sue@example.com approved ID, and asked for it",
			func(act, ticket *rationale.Decision, last *rationale.Approval) {
				ticket.Agent.OnBehalfOf, last.By.ID = "sue@example.com", "sue@example.com"
			}),
		approved("approval by the agent", "scaler approved ID, and is the agent itself",
			func(_, _ *rationale.Decision, last *rationale.Approval) { last.By.ID = "scaler" }),
		approved("denial by the owner", "", func(_, _ *rationale.Decision, last *rationale.Approval) {
			last.By.ID, last.Answer = "dana@example.com", rationale.AnswerDeny
		}),
		reviewed("review by the owner", "dana@example.com", "dana@example.com reviewed ID, and owns the authorization", func(*rationale.Decision) {}),
		reviewed("review by who asked", "sue@example.com", "sue@example.com reviewed ID, and asked for it",
			func(d *rationale.Decision) { d.Agent.OnBehalfOf = "sue@example.com" }),
		reviewed("review by a third", "rae@example.com", "", func(*rationale.Decision) {}),
		{"duties", "review by who approved", func(p *planted) {
			act, ticket, first, last := p.answered(day(21, 12))
			p.added = append(p.added, ticket, first, last)
			p.ran(act)
			p.added = append(p.added, &rationale.Review{
				ID: rationale.NewID(act.At), At: act.At.Add(time.Hour), Decision: act.ID, By: last.By, Finding: rationale.Upheld, Reason: "sample",
				Owed: act.At, Due: act.At.Add(48 * time.Hour), Agent: act.Agent, Tool: act.Tool, Authorization: act.Authorization,
			})
		}, "ann@example.com reviewed ID, and approved it before"},
	}
}

func reviewViolations() []violation {
	bounded := func(name, want string, change func(d *rationale.Decision)) violation {
		return violation{"reviews", name, func(p *planted) {
			d := p.like("scale", classify.BoundedEscalation, day(21, 12))
			change(d)
			p.ran(d)
		}, want}
	}
	return []violation{
		bounded("never opened", "acted as bounded_escalation, and no review was opened", func(d *rationale.Decision) { d.Review = nil }),
		{"reviews", "never opened, and reviewed", func(p *planted) {
			d := p.like("scale", classify.BoundedEscalation, day(21, 12))
			d.Review = nil
			p.ran(d)
			p.added = append(p.added, &rationale.Review{ID: rationale.NewID(d.At), At: d.At, Decision: d.ID, By: rationale.Person{ID: "rae@example.com"}, Finding: rationale.Upheld})
		}, "acted as bounded_escalation, and no review was opened"},
		bounded("overdue", "is not reviewed, which was due at 2026-10-30T11:59:59Z", func(d *rationale.Decision) {
			d.Review = &rationale.ReviewDue{Due: asOf.Add(-1), Reason: "tier"}
		}),
		bounded("due now", "", func(d *rationale.Decision) { d.Review = &rationale.ReviewDue{Due: asOf, Reason: "tier"} }),
		scaled("reviews", "overdue, of a sample", "is not reviewed, which was due at 2026-10-23T12:30:00Z", func(d *rationale.Decision) {
			d.Review = &rationale.ReviewDue{Due: day(23, 12), Reason: "sample"}
		}),
		{"reviews", "not executed", func(p *planted) {
			d := p.like("scale", classify.BoundedEscalation, day(21, 12))
			d.Review = nil
			p.ran(d).Status = rationale.StatusNotExecuted
		}, ""},
		{"reviews", "overdue, and settled as not executed", func(p *planted) {
			d := p.like("scale", classify.BoundedEscalation, day(21, 12))
			d.Review = &rationale.ReviewDue{Due: day(23, 12), Reason: "tier"}
			p.settles(p.ran(d))
		}, "is not reviewed, which was due at 2026-10-23T12:30:00Z"},
	}
}

func moneyViolations() []violation {
	near := func(name, want string, costs []string, apart time.Duration) violation {
		return violation{"splitting", name, func(p *planted) {
			for i, cost := range costs {
				p.scaled(day(21, 12).Add(time.Duration(i)*apart), func(d *rationale.Decision) { d.Spend.Amount, d.Spend.Limit = cost, "20.00" })
			}
		}, want}
	}
	return []violation{
		{"spend", "above the ceiling", func(p *planted) {
			p.scaled(day(21, 12), func(*rationale.Decision) {}).Spent = "20.000000001"
		}, "scale of fleet spent 610.480000001 EUR in 2026-10 on 86 acts; 1 spent more than the ceiling, last ID"},
		{"spend", "at the ceiling", func(p *planted) {
			p.scaled(day(21, 12), func(*rationale.Decision) {}).Spent = "20.0"
		}, ""},
		{"spend", "not exact", func(p *planted) {
			p.scaled(day(21, 12), func(*rationale.Decision) {}).Spent = "1.0000000001"
		}, "spent 590.48 EUR in 2026-10 on 86 acts; the amounts of 1 cannot be added"},
		{"spend", "a settlement", func(p *planted) {
			o := p.scaled(day(21, 12), func(*rationale.Decision) {})
			o.Status = rationale.StatusUnknown
			p.added = append(p.added, &rationale.Settlement{
				ID: rationale.NewID(o.At), At: o.At, Decision: o.Decision, Status: rationale.StatusSuccess, Spent: "21", By: "dana@example.com", Why: "the bill",
			})
		}, "spent 611.48 EUR in 2026-10 on 86 acts; 1 spent more than the ceiling"},
		{"spend", "above the ceiling, and settled as not executed", func(p *planted) {
			o := p.scaled(day(21, 12), func(*rationale.Decision) {})
			o.Spent = "21"
			p.settles(o)
		}, ""},
		{"spend", "above the ceiling, and settled as not executed before its outcome came", func(p *planted) {
			o := p.scaled(day(21, 12), func(*rationale.Decision) {})
			o.Spent = "21"
			p.settles(o)
			o.Status = rationale.StatusSuccess
		}, "spent 611.48 EUR in 2026-10 on 86 acts; 1 spent more than the ceiling"},
		near("three within an hour", "3 acts of class scale of fleet, each just under its ceiling, spent 48 EUR between 2026-10-21T12:30:00Z and 2026-10-21T13:30:00Z, from ID",
			[]string{"16.00", "16.00", "16.00"}, 30*time.Minute),
		near("five", "5 acts of class scale of fleet, each just under its ceiling, spent 98.5 EUR", []string{"19.70", "19.70", "19.70", "19.70", "19.70"}, time.Minute),
		near("two", "", []string{"19.70", "19.70"}, time.Minute),
		near("not so close together", "", []string{"19.70", "19.70", "19.70"}, 30*time.Minute+1),
		near("not so near", "", []string{"19.70", "15.999999999", "19.70"}, time.Minute),
	}
}

func standingViolations() []violation {
	mismatch := func(name, want string, change func(d *rationale.Decision)) violation {
		return scaled("pins", name, want, change)
	}
	return []violation{
		mismatch("model", "ran on another model (acme/m2 20260101) than fleet authorized", func(d *rationale.Decision) {
			d.Model = rationale.Model{Provider: "acme", Name: "m2", Version: "20260101", Pin: rationale.Mismatch}
		}),
		mismatch("prompt", "ran on another prompt (sha256:0) than fleet authorized", func(d *rationale.Decision) {
			d.Prompt = rationale.Prompt{Digest: "sha256:0", Pin: rationale.Mismatch}
		}),
		mismatch("tool", "ran on another tool (sha256:0) than fleet authorized", func(d *rationale.Decision) {
			d.Tool.Digest, d.Tool.Pin = "sha256:0", rationale.Mismatch
		}),
		mismatch("matched", "", func(d *rationale.Decision) {
			d.Model.Pin, d.Prompt.Pin, d.Tool.Pin = rationale.Match, rationale.Match, rationale.Match
		}),
		mismatch("denied", "", func(d *rationale.Decision) { d.Tool.Pin, d.Verdict = rationale.Mismatch, rationale.Deny }),
		{"pins", "approved by people", func(p *planted) {
			p.approves(func(act, _ *rationale.Decision, _, _ *rationale.Approval) {
				act.Tool.Pin, act.Standing = rationale.Mismatch, rationale.StandingPinMismatch
			})
		}, ""},
		scaled("lapsed", "standing", "was let through, though its standing was expired", func(d *rationale.Decision) { d.Standing = rationale.StandingExpired }),
		scaled("lapsed", "without an end", "it had expired at 0001-01-01T00:00:00Z", func(d *rationale.Decision) { d.Authorization.Expires = time.Time{} }),
		scaled("lapsed", "nobody", "was let through, though nobody authorized it", func(d *rationale.Decision) { d.Authorization = nil }),
		scaledAt("lapsed", "before the grant", "it was granted only at", day(14, 12)),
		scaled("lapsed", "observed", "", func(d *rationale.Decision) { d.Standing, d.Mode = rationale.StandingExpired, rationale.Observe }),
		{"lapsed", "approved by people", func(p *planted) {
			p.approves(func(act, _ *rationale.Decision, _, _ *rationale.Approval) {
				act.Standing = rationale.StandingReviewLapsed
			})
		}, ""},
		{"lapsed", "expired, and approved by people", func(p *planted) {
			p.approves(func(act, _ *rationale.Decision, _, _ *rationale.Approval) { act.Standing = rationale.StandingExpired })
		}, "its standing was expired"},
	}
}

func haltViolations() []violation {
	drained := func(question, name, want string, at time.Time, lasting time.Duration) violation {
		return violation{question, name, func(p *planted) {
			o := p.ran(p.like("drain", classify.Parameterized, at))
			o.Started = at.Add(lasting)
		}, want}
	}
	// halted is an act of another agent an hour after a document stopped it, and after that.
	halted := func(name, kind, scope, want string, after ...*rationale.Lifecycle) violation {
		return violation{"lapsed", name, func(p *planted) {
			event := map[string]rationale.Event{"Suspension": rationale.EventSuspended, "Revocation": rationale.EventRevoked}[kind]
			p.added = append(p.added, &rationale.Lifecycle{
				ID: rationale.NewID(day(30, 9)), At: day(30, 9), Event: event, Document: "halt.yaml", Bytes: []byte("kind: " + kind + "\n" + scope),
			})
			for _, l := range after {
				l.ID, l.At = rationale.NewID(day(30, 9)), day(30, 9).Add(time.Minute)
				p.added = append(p.added, l)
			}
			d := p.like("look", classify.Parameterized, day(30, 10))
			d.Agent.ID = "other"
			p.ran(d)
		}, want}
	}
	suspended := time.Date(2026, 10, 19, 9, 0, 1, 0, time.UTC)
	known := time.Date(2026, 10, 20, 9, 0, 1, 0, time.UTC)
	return []violation{
		scaledAt("lapsed", "suspended", "it was suspended by lee@example.com at 2026-10-19T09:00:01Z", suspended.Add(time.Second/2)),
		scaledAt("lapsed", "before it was suspended", "", suspended),
		scaledAt("lapsed", "resumed", "", suspended.Add(time.Second)),
		drained("lapsed", "revoked", "it was revoked by revocation.yaml at 2026-10-20T09:00:01Z", known.Add(1), 0),
		{"lapsed", "revoked, and observed", func(p *planted) {
			d := p.like("drain", classify.Parameterized, day(22, 12))
			d.Mode = rationale.Observe
			p.ran(d)
		}, "it was revoked by revocation.yaml"},
		{"lapsed", "another class is suspended", func(p *planted) {
			p.ran(p.like("look", classify.Parameterized, suspended.Add(time.Second/2)))
		}, ""},
		halted("suspended by a document", "Suspension", "agent: other\n", "it was suspended by halt.yaml at 2026-10-30T09:30:00Z"),
		halted("suspended by a document for some time", "Suspension", "agent: other\nuntil: 2026-10-30T10:30:00Z\n", ""),
		halted("suspended, and unloaded", "Suspension", "agent: other\n", "", &rationale.Lifecycle{Event: rationale.EventUnloaded, Document: "halt.yaml"}),
		halted("suspended, and another unloaded", "Suspension", "agent: other\n", "it was suspended by halt.yaml",
			&rationale.Lifecycle{Event: rationale.EventUnloaded, Document: "other.yaml"}),
		halted("suspended, and not loaded again", "Suspension", "agent: other\n", "", &rationale.Lifecycle{Event: rationale.EventOpened}),
		halted("revoked, and not loaded again", "Revocation", "agent: other\n", "it was revoked by halt.yaml", &rationale.Lifecycle{Event: rationale.EventOpened}),
		halted("suspended from later on", "Suspension", "agent: other\nat: 2026-10-30T10:30:00Z\n", ""),
		halted("another is suspended", "Suspension", "agent: another\n", ""),
		halted("everything is suspended", "Suspension", "agent: \"*\"\nuntil: 2026-10-30T10:45:00Z\n", "it was suspended by halt.yaml"),
		halted("an authorization is suspended", "Suspension", "authorization: fleet\nuntil: 2026-10-30T10:45:00Z\n", "it was suspended by halt.yaml"),
		drained("stopping", "let through afterwards", "the last act began 10.000 s later (ID), and 1 more was let through while the host knew, last ID", known.Add(1), 0),
		{"stopping", "let through afterwards, and settled as not executed", func(p *planted) {
			p.settles(p.ran(p.like("drain", classify.Parameterized, known.Add(1))))
		}, "and 1 more was let through while the host knew, last ID"},
		drained("stopping", "began late", "legacy was revoked by revocation.yaml at 2026-10-20T08:59:50Z; the last act began 60.001 s later (ID)",
			known.Add(-time.Second), 50*time.Second+time.Millisecond),
		drained("stopping", "began in time", "", known.Add(-time.Second), 50*time.Second),
	}
}

func driftViolations() []violation {
	more := func(name, want string, n int, change func(d *rationale.Decision)) violation {
		return violation{"drift", name, func(p *planted) {
			for i := range n {
				p.scaled(day(22, 0).Add(time.Duration(i)*time.Hour), change)
			}
		}, want}
	}
	return []violation{
		more("volume", "41 and 62 acts (!), 244 and 193 EUR", 25, func(d *rationale.Decision) { d.Spend.Amount = "0.00" }),
		more("volume that is within", "", 24, func(d *rationale.Decision) { d.Spend.Amount = "0.00" }),
		more("spend", "41 and 38 acts, 244 and 367 EUR (!)", 1, func(d *rationale.Decision) { d.Spend.Amount = "174.00" }),
		more("spend that is within", "", 1, func(d *rationale.Decision) { d.Spend.Amount = "172.00" }),
		more("tiers", "of which alone 41 and 35, reviewed 0 and 10, approved 0 and 0 (!)", 8, func(d *rationale.Decision) {
			d.Tier, d.Spend.Amount = classify.BoundedEscalation, "0.00"
		}),
	}
}
