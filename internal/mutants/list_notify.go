package main

// notifying breaks what people are told, and what waits for them.
func notifying() []mutant {
	const (
		told    = "guard/ledger/notify.go"
		says    = "rationale/notification.go"
		queue   = "guard/notify/queue.go"
		webhook = "guard/notify/webhook.go"
		signed  = "guard/notify/signature.go"
		wait    = "guard/wait.go"
		joinkey = "guard/joinkey/joinkey.go"
		keys    = "./guard/joinkey"
		ledger  = "./guard/ledger"
		guard   = "./guard"
		notify  = "./guard/notify"
		private = "^TestWhatANotificationSays$"
		waits   = "^TestWait$"
	)
	return []mutant{
		{
			File: told, Package: ledger, Run: "^TestNotificationsOfAMemory$",
			Old: "percent <= a.reached || percent > now", New: "percent > now",
			Why: "every call tells that the budget is spent",
		},
		{
			File: told, Package: ledger, Run: "^TestABudgetIsToldInEachWindow$",
			Old: "if a.reached > 0 {", New: "if a.reached < 0 {",
			Why: "a budget that is spent in the next window is not told",
		},
		{
			File: told, Package: ledger, Run: "^TestAReviewFallsDueWithoutCalls$",
			Old: "\tm.awaitOverdue()\n\tm.mu.Unlock()\n", New: "\tm.mu.Unlock()\n",
			Why: "an agent that rests hides its overdue reviews",
		},
		{
			File: told, Package: ledger, Run: "^TestNotificationsOfAMemory$",
			Old: "\tdefer func() { _ = recover() }()\n", New: "",
			Why: "a function of the host that panics fails calls",
		},
		{
			File: "guard/ledger/budgets_state.go", Package: ledger, Run: "^TestARestartTellsNoBudgetAgain$",
			Old: "limit: said.Limit, reached: said.Reached}", New: "limit: said.Limit}",
			Why: "a restart tells every spent budget again",
		},
		{
			File: "guard/ledger/budgets.go", Package: ledger, Run: "^TestAnOverrunIsTold$",
			Old: "spent\n\t\t\tb.observe(p.account, r.own || r.settling)\n", New: "spent\n",
			Why: "an overrun that is held is not told",
		},
		{
			File: "guard/ledger/budgets.go", Package: ledger, Run: "^TestWhatMayFailIsNotTold$",
			Old: "\t\tif r.recorded {\n\t\t\tb.observe(p.account, r.own || r.settling)\n\t\t}\n", New: "\t\tb.observe(p.account, true)\n",
			Why: "a budget is told to be spent by calls that were denied",
		},
		{
			File: says, Package: guard, Run: private,
			Old: "if slices.Contains(d.Telemetry, \"arguments\") {", New: "if d.Arguments != nil {",
			Why: "arguments that stay in the journal leave with a notification",
		},
		{
			File: says, Package: guard, Run: private,
			Old: "if slices.Contains(d.Telemetry, \"rationale\") && d.Rationale != nil {", New: "if d.Rationale != nil {",
			Why: "a rationale that stays in the journal leaves with a notification",
		},
		{
			File: says, Package: "./rationale", Run: "^TestNotificationsAreTame$",
			Old: "return Clip(Printable(text), limit)", New: "return Clip(text, limit)",
			Why: "text of the model steers the terminal that shows it",
		},
		{
			File: says, Package: "./rationale", Run: "^TestNotificationsAreTame$",
			Old: "return Clip(Printable(text), limit)", New: "return Printable(text)",
			Why: "text of the model fills a notification",
		},
		{
			File: "guard/notify.go", Package: guard, Run: "^TestANotificationCannotFailACall$",
			Old: "_ = protect(\"the notification\", func() error {",
			New: "_ = func(_ string, call func() error) error { return call() }(\"\", func() error {",
			Why: "a function of the host that panics fails calls",
		},
		{
			File: queue, Package: notify, Run: "^TestAFullQueueDropsAndSaysSo$",
			Old: "\t\t\treturn\n\t\tdefault:\n\t\t}\n\t}\n\tq.status.Dropped++", New: "\t\t\treturn\n\t\t}\n\t}\n\tq.status.Dropped++",
			Why: "a receiver that hangs holds up calls",
		},
		{
			File: queue, Package: notify, Run: "^TestAFullQueueDropsAndSaysSo$",
			Old: "q.status.Dropped++\n\tq.lost++\n}\n\n// Status", New: "q.status.Dropped++\n}\n\n// Status",
			Why: "what was dropped is not said",
		},
		{
			File: queue, Package: notify, Run: "^TestAttemptsAreBounded$",
			Old: "attempt == maxAttempts ||", New: "attempt == 2*maxAttempts ||",
			Why: "one notification holds up all others for longer than is said",
		},
		{
			File: queue, Package: notify, Run: "^TestPausesDiffer$",
			Old: "pause - rand.N(pause/2)", New: "pause - rand.N(pause/2)*0",
			Why: "all senders come back at the same moment",
		},
		{
			File: webhook, Package: notify, Run: "^TestARedirectIsNotFollowed$",
			Old: "return http.ErrUseLastResponse", New: "return nil",
			Why: "a receiver leads the notification elsewhere",
		},
		{
			File: webhook, Package: notify, Run: "^TestWhereAWebhookMayLead$",
			Old: "u.Scheme == \"http\" && loopback(u.Hostname())", New: "u.Scheme == \"http\"",
			Why: "notifications leave in plain text",
		},
		{
			File: webhook, Package: notify, Run: "^TestPlainTextStaysOnThisMachine$",
			Old: "err != nil || !at.Addr().IsLoopback()", New: "err != nil || at.Addr().IsMulticast()",
			Why: "localhost leads to another machine",
		},
		{
			File: webhook, Package: notify, Run: "^TestAnswersAreBounded$",
			Old: "io.CopyN(io.Discard, res.Body, maxAnswer)", New: "io.Copy(io.Discard, res.Body)",
			Why: "an answer without end is read to its end",
		},
		{
			File: webhook, Package: notify, Run: "^TestErrorsNameNoAddress$",
			Old: "\t\t\terr = about.Err\n", New: "\t\t\terr = about\n",
			Why: "the secret in an address is in the error",
		},
		{
			File: signed, Package: notify, Run: "^TestAWebhookSignsItsBody$",
			Old: "\th.Write([]byte(stamp))\n", New: "",
			Why: "the time is not signed, so that an old request is sent again",
		},
		{
			File: signed, Package: notify, Run: "^TestVerify$",
			Old: "age > ReplayWindow || age < -ReplayWindow", New: "age < -ReplayWindow",
			Why: "a request of last year counts",
		},
		{
			File: wait, Package: guard, Run: waits,
			Old: "if ctx.Err() != nil || err != nil && !expired {", New: "if err != nil && !expired {",
			Why: "a call that nobody waits for any more is evaluated again",
		},
		{
			File: wait, Package: guard, Run: waits,
			Old: "min(left, expires)", New: "expires",
			Why: "the bound of the wait does not hold",
		},
		{
			File: wait, Package: guard, Run: "^TestWaitAgainForANewTicket$",
			Old: "if call.waited.until.IsZero() {", New: "if pend.ID != \"\" {",
			Why: "each new ticket begins the wait anew",
		},
		{
			File: "guard/begin.go", Package: guard, Run: "^TestWhatIsEvaluatedAgainIsWhatPended$",
			Old: "\tcall.Arguments = raw ", New: "\t_ = raw ",
			Why: "while a call waits its caller changes the arguments",
		},
		{
			File: "guard/ledger/tickets.go", Package: guard, Run: waits,
			Old: "\t\tm.tickets.wake(a.Ticket)\n", New: "",
			Why: "an approval wakes nobody",
		},
		{
			File: joinkey, Package: keys, Run: "^TestNoKeyWithoutADecision$",
			Old: "if !valid(id) {\n\t\treturn \"\"\n\t}\n\treturn prefix + id", New: "return prefix + id",
			Why: "what bypasses the guard gets a session",
		},
		{
			File: joinkey, Package: keys, Run: "^TestKeysFitTheSystemsThatGetThem$",
			Old: "[:27]", New: "[:28]",
			Why: "a client token is too long",
		},
		{
			File: joinkey, Package: keys, Run: "^TestDecisionReadsWhatWasMade$",
			Old: "valid(id) && bounded(value[:end-idLength], value[end:])", New: "valid(id)",
			Why: "an id in any text explains an event",
		},
	}
}
