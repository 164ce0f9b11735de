package main

// limits breaks what is promised of limits over time.
func limits() []mutant {
	const (
		pkg     = "./guard/ledger"
		engine  = "guard/ledger/budgets.go"
		account = "guard/ledger/account.go"
		admits  = "guard/ledger/admission.go"
		counts  = "^(TestWhatCountsAgainstALimit|TestWhoSharesALimit|TestALimitThatCannotBeRead|TestSettleRefuses)$"
		model   = "^(TestACalendarWindowBeginsOnce|TestBudgetsAgainstAListOfEverything|TestWhatCountsAgainstALimit)$"
	)
	return []mutant{
		{
			File: "guard/ledger/step.go", Package: pkg, Run: "^TestWhatDidNotRunDidNotRunOnce$",
			Old: "if !uncertain { // otherwise they may have their outcome", New: "if len(strays) > 0 {",
			Why: "an outcome that nobody waited for is recorded twice",
		},
		{
			File: engine, Package: pkg, Run: counts,
			Old: "if used.Plus(amount).Compare(limit) > 0 {",
			New: "if used.Compare(limit) > 0 {",
			Why: "a call may pass a limit that was not passed before",
		},
		{
			File: engine, Package: pkg, Run: counts,
			Old: "case !known || o.At.After(r.lease):",
			New: "case !known && o.Status == \"\" || o.At.After(r.lease):",
			Why: "an unknown outcome gives its budget back",
		},
		{
			File: engine, Package: pkg, Run: counts,
			Old: "case !known || o.At.After(r.lease):",
			New: "case !known:",
			Why: "an outcome after its lease gives its budget back",
		},
		{
			File: engine, Package: pkg, Run: model,
			Old: "\t\tb.raise(r, spent)\n",
			New: "",
			Why: "what is held is less than what was spent",
		},
		{
			File: engine, Package: pkg, Run: model,
			Old: "\tif at.After(b.seen) {\n\t\tb.seen = at\n\t}\n",
			New: "\tb.seen = at\n",
			Why: "a clock that goes back counts a call in a window that is over",
		},
		{
			File: engine, Package: pkg, Run: counts,
			Old: "d.Spend == nil || d.Spend.Currency != l.Currency:",
			New: "d.Spend == nil:",
			Why: "amounts of two currencies are added up",
		},
		{
			File: engine, Package: pkg, Run: counts,
			Old: "if l.CostCentre != \"\" {\n",
			New: "if l.CostCentre == \"\\x00\" {\n",
			Why: "each class has the whole budget of its cost centre",
		},
		{
			File: engine, Package: pkg, Run: counts,
			Old: "return b.taken[id] != nil || b.ended.has(id)",
			New: "return b.taken[id] != nil && b.ended.has(id)",
			Why: "a decision is admitted twice",
		},
		{
			File: account, Package: pkg, Run: counts,
			Old: "return now-start >= int64(a.step+a.per)",
			New: "return now-start >= int64(a.per)",
			Why: "what was spent leaves its window early",
		},
		{
			File: account, Package: pkg, Run: "^TestAWindowThatIsRecordedStaysOpen$",
			Old: "if a != nil && a.per == 0 && a.from.After(l.From) {",
			New: "if a != nil && a.per == 0 && a.from.After(l.From) && false {",
			Why: "a window of the calendar begins a second time",
		},
		{
			File: account, Package: pkg, Run: model,
			Old: "\tsum := a.open\n",
			New: "\tvar sum money.Amount\n",
			Why: "what is reserved does not count",
		},
		{
			File: "guard/ledger/budgets_state.go", Package: pkg, Run: model,
			Old: "\t\t\ta.open, a.refs = a.open.Plus(p.amount), a.refs+1\n",
			New: "\t\t\ta.refs++\n",
			Why: "what is held does not outlive the segment",
		},
		{
			File: admits, Package: pkg, Run: "^TestWhatIsNotRecordedTakesNothing$",
			Old: "\ta.budgets.withdraw(d.ID) // the call is denied, whatever the disk has\n",
			New: "",
			Why: "what could not be recorded keeps its budget",
		},
		{
			File: "guard/ledger/settle.go", Package: pkg, Run: "^TestWhatIsHeldFitsASnapshot$",
			Old: "const maxTakenBytes = 16 << 20", New: "const maxTakenBytes = 64 << 20",
			Why: "a ledger holds more than a snapshot can say, and can then neither write nor open",
		},
		{
			File: "guard/ledger/budgets_state.go", Package: pkg, Run: "^TestARestoredStateSaysTheSame$",
			Old: ", held: t.Held, call", New: ", call",
			Why: "what is held is free at the outcome that comes after a restart",
		},
		{
			File: "guard/ledger/budgets_state.go", Package: pkg, Run: "^TestARestoredStateSaysTheSame$",
			Old: "\t\tb.bytes += r.size()\n", New: "",
			Why: "a ledger that was opened holds as much again",
		},
		{
			File: "guard/ledger/settle.go", Package: pkg, Run: counts,
			Old: "return r.recorded && (r.held || at.After(r.lease))",
			New: "return r.recorded",
			Why: "a call is settled while its outcome may still come",
		},
		{
			File: "guard/ledger/state.go", Package: pkg, Run: "^TestWhatIsHeldIsNotRetired$",
			Old: "if s := p.budgets.needed(); s != 0 && (first == 0 || s < first) {",
			New: "if s := p.budgets.needed(); s != 0 && first != 0 && s < first {",
			Why: "the decision that waits for a settlement is removed",
		},
		{
			File: "guard/begin.go", Package: "./guard", Run: "^TestLimitsNeedALedger$",
			Old: "if g.ledger == nil && len(d.Limits) > 0 {",
			New: "if g.ledger == nil && len(d.Limits) < 0 {",
			Why: "without a ledger limits over time do not hold",
		},
		{
			File: "rationale/limit.go", Package: pkg, Run: counts,
			Old: "return d.Verdict == Allow && d.Mode == Enforce && len(d.Limits) > 0",
			New: "return d.Verdict == Allow && len(d.Limits) > 0",
			Why: "what is observed counts against limits",
		},
		{
			File: "internal/calendar/calendar.go", Package: "./internal/calendar", Run: "^TestWindows",
			Old: "\tcase -1:\n\t\treturn after\n",
			New: "\tcase -2:\n\t\treturn after\n",
			Why: "a day begins before its midnight",
		},
	}
}
