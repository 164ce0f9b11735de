package main

// simulated breaks the ledger where a history of the simulator must show it: what
// holds only together, over time, or through a crash.
func simulated() []mutant {
	const (
		admission = "guard/ledger/admission.go"
		account   = "guard/ledger/account.go"
		engine    = "guard/ledger/budgets.go"
		snapshot  = "guard/ledger/budgets_state.go"
		home      = "guard/ledger/open.go"
		reviews   = "guard/ledger/reviews.go"
		settle    = "guard/ledger/settle.go"
		share     = "guard/ledger/share.go"
		state     = "guard/ledger/state.go"
		suspends  = "guard/ledger/suspensions.go"
		tickets   = "guard/ledger/tickets.go"
	)
	list := []mutant{
		{
			File: admission,
			Old:  "\tif d.Takes() {\n\t\ta.budgets.reserve(d)\n\t}\n", New: "",
			Why: "what is being recorded counts against no limit",
		},
		{
			File: engine,
			Old:  "if used.Plus(amount).Compare(limit) > 0 {", New: "if used.Compare(limit) > 0 {",
			Why: "a call passes a limit that was not passed before",
		},
		{
			File: engine,
			Old:  "case !known || o.At.After(r.lease):", New: "case !known && o.Status == \"\" || o.At.After(r.lease):",
			Why: "an unknown outcome counts as spent, and leaves its window",
		},
		{
			File: engine,
			Old:  "case !known || o.At.After(r.lease):", New: "case !known:",
			Why: "an outcome after its lease frees what is held",
		},
		{
			File: engine,
			Old:  "\tif at.After(b.seen) {\n\t\tb.seen = at\n\t}\n", New: "\tb.seen = at\n",
			Why: "a clock that is set back opens a window again",
		},
		{
			File: account,
			Old:  "return now-start >= int64(a.step+a.per)", New: "return now-start >= int64(a.per)-int64(a.step)",
			Why: "buckets leave their window early",
		},
		{
			File: account,
			Old:  "return now-start >= int64(a.step+a.per)", New: "return now-start >= int64(4*a.step+a.per)",
			Why: "buckets stay in their window too long",
		},
		{
			File: admission,
			Old:  "\ta.budgets.withdraw(d.ID) // the call is denied, whatever the disk has\n", New: "",
			Why: "what was not recorded stays taken",
		},
		{
			File: snapshot,
			Old:  "\tb.ended.restore(s.Ended)\n", New: "",
			Why: "after a restart a decision that has ended is admitted again",
		},
		{
			File: home,
			Old:  "recs[i] = lost(w.Decision, now, \"process_ended\")", New: "recs[i] = notExecuted([]string{w.Decision}, now)[0]",
			Why: "what a process left open is said to have not run",
		},
		{
			File: settle,
			Old:  "if r == nil || r.settling || ", New: "if r == nil || ",
			Why: "what is held is settled twice",
		},
		{
			File: settle,
			Old:  "if e := t.open.get(s.Decision); e != nil && e.claimed {", New: "if e := t.open.get(s.Decision); e != nil && e.claimed && s.By == \"\" {",
			Why: "a settlement overtakes an outcome",
		},
		{
			File: share,
			Old:  "late = m.takeLate()", New: "late = nil",
			Why: "nobody concludes what a replica that ended left open",
		},
		{
			File: suspends,
			Old:  "\tm.admitting.Lock()\n\t//lint:ignore SA2001 a barrier: there is nothing to do but wait\n\tm.admitting.Unlock()\n", New: "",
			Why: "a suspension does not wait for what was checked before",
		},
		{
			File: suspends,
			Old:  "\t\ts[*l.Suspension] = suspended{l, true}\n", New: "\t\tdelete(s, *l.Suspension)\n",
			Why: "a suspension ends once it is recorded",
		},
		{
			File: suspends,
			Old:  "\t\tif !s[what].recorded {\n\t\t\tcontinue\n\t\t}\n", New: "",
			Why: "a snapshot has a suspension that is on no record",
		},
		{
			File: tickets,
			Old:  "\t\tt.user = d.ID\n", New: "",
			Why: "two calls use one approval at the same time",
		},
		{
			File: tickets,
			Old:  "\t\t\tt.Used = d.ID\n", New: "",
			Why: "an approval serves twice",
		},
		{
			File: tickets,
			Old:  "t.denying = a.Answer == rationale.AnswerDeny", New: "t.denying = false",
			Why: "a call uses a ticket while it is being denied",
		},
		{
			File: reviews,
			Old:  "case n > d.Terms.MaxOverdue:", New: "case n > d.Terms.MaxOverdue+1:",
			Why: "one overdue review more than allowed brakes nothing",
		},
		{
			File: state,
			Old:  "\tcase *rationale.Review:\n\t\tm.reviews.close(r.Decision)\n", New: "",
			Why: "a class stays braked after its reviews",
		},
	}
	for i := range list {
		list[i].Package, list[i].Run = "./internal/simulate", "^TestFewHistories$"
		list[i].Why = "in a history: " + list[i].Why
	}
	return list
}
