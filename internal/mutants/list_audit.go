package main

// auditing breaks what an audit promises: nothing unexplained is passed over, and
// nothing is made up.
func auditing() []mutant {
	const (
		pkg     = "./audit"
		join    = "^TestJoin$"
		truth   = "^(TestTruthOfAFew|TestJoin)$"
		reads   = "^(TestHostileLogs|TestShapesOfLogs|TestOddEventsOfCloudTrail|TestKubernetes|TestWhatKubernetesClientsChoose|TestNothingOutsideOfAFolderIsRead|TestBombs|TestARecordOfGigabytes)$"
		noAudit = "^TestRunsThatAreNoAudit$"
		between = "^TestNothingIsPassedOverBetweenRuns$"
		late    = "^TestLateEventsTakeNothingAway$"
		settled = "^TestSettlements"
		runs    = "^(TestRunsThatFollowEachOther|TestTimeThatIsJudged|TestGapsAndNearestRecords)$"
	)
	return []mutant{
		{
			File: "audit/spill.go", Package: pkg, Run: "^TestSorterMergesRuns$",
			Old: "\treturn s.fold()", New: "\treturn nil",
			Why: "the open files of a sort grow with what there is",
		},
		{
			File: "audit/split.go", Package: pkg, Run: "^TestWhatStandsBesideTheRecordsHidesNothing$",
			Old: "s.shape = unknownShape // of what follows", New: "",
			Why: "what stands beside a file's records hides another's that was appended",
		},
		{
			File: "audit/judge.go", Package: pkg, Run: truth,
			Old: "if acts >= of.fanOut {", New: "if acts > of.fanOut {",
			Why: "a decision explains one act more than its call makes",
		},
		{
			File: "audit/judge.go", Package: pkg, Run: join,
			Old: "if u.attempts >= of.attempts {", New: "if u.attempts < 0 {",
			Why: "an act that is repeated without end counts as retries",
		},
		{
			File: "audit/judge.go", Package: pkg, Run: join,
			Old: "case !c.allowed():", New: "case false:",
			Why: "a denied decision explains an act",
		},
		{
			File: "audit/judge.go", Package: pkg, Run: join,
			Old: "case e.agent != c.agent:", New: "case false:",
			Why: "one agent's decision explains another's act",
		},
		{
			File: "audit/judge.go", Package: pkg, Run: join,
			Old: "case e.at.Before(c.at.Add(-d.times.skew)):", New: "case false:",
			Why: "a decision explains what happened before it",
		},
		{
			File: "audit/judge.go", Package: pkg, Run: join,
			Old: "case e.at.After(c.end().Add(d.times.late)):", New: "case false:",
			Why: "a key can be used again for ever",
		},
		{
			File: "audit/judge.go", Package: pkg, Run: join,
			Old: "if !standing.Recommendable() || c.approval == \"\" {", New: "if !standing.Recommendable() {",
			Why: "a lapsed review is as good as an approval",
		},
		{
			File: "audit/judge.go", Package: pkg, Run: join,
			Old: "case !c.lapses.IsZero() && e.at.After(c.lapses.Add(d.times.skew)):", New: "case false:",
			Why: "an approval that lapsed covers an act",
		},
		{
			File: "audit/judge.go", Package: pkg, Run: join,
			Old: "return c <= 0\n", New: "return true\n",
			Why: "an act may be larger than decided",
		},
		{
			File: "audit/weak.go", Package: pkg, Run: truth,
			Old: "\tc.room--\n", New: "",
			Why: "a decision explains any number of acts weakly",
		},
		{
			File: "audit/weak.go", Package: pkg, Run: truth,
			Old: "return cmp.Or(a.end.Compare(b.end), cmp.Compare(a.id, b.id))", New: "return cmp.Or(b.end.Compare(a.end), cmp.Compare(a.id, b.id))",
			Why: "a weak join takes the decision that others need more",
		},
		{
			File: "audit/weak.go", Package: pkg, Run: truth,
			Old: "s.open[0].end.Before(p.event.at)", New: "s.open[0].end.Before(p.event.at.AddDate(-1, 0, 0))",
			Why: "a weak join knows no end",
		},
		{
			File: "audit/join.go", Package: pkg, Run: join,
			Old: "p.candidates = nil // no weaker key tells more", New: "_ = 0",
			Why: "a decision that does not cover an event is passed over for a weaker key",
		},
		{
			File: "audit/join.go", Package: pkg, Run: join,
			Old: "names := !c.effect || no.of == ofExtent && !c.shared", New: "names := true",
			Why: "an id that anybody can know names a decision",
		},
		{
			File: "audit/findings.go", Package: pkg, Run: join,
			Old: "case c.shared:\n\t\tkind = ExplainedWeakly", New: "case c.shared:\n\t\tkind = Explained",
			Why: "an id of several calls counts as a strong key",
		},
		{
			File: "audit/findings.go", Package: pkg, Run: settled,
			Old: "s.status != string(rationale.StatusNotExecuted) || d.acted == shown{}", New: "true",
			Why: "whoever settles frees a budget against the log",
		},
		{
			File: "audit/findings.go", Package: pkg, Run: settled,
			Old: "case d.acted.before && s.at.Before(f.before):", New: "case d.acted.before:",
			Why: "a false settlement waits until the audit has seen the act",
		},
		{
			File: "audit/weak.go", Package: pkg, Run: settled,
			Old: "s.take(c, &p.event, shown{})", New: "s.take(c, &p.event, shown{now: true})",
			Why: "an act that the decision does not cover makes a true settlement false",
		},
		{
			File: "audit/records.go", Package: pkg, Run: settled,
			Old: "row[0] == rowSettled && open && d.settled.status == \"\":", New: "row[0] == rowSettled && open:",
			Why: "a second settlement, which counted for nothing, covers up the first",
		},
		{
			File: "audit/findings.go", Package: pkg, Run: join,
			Old: "case f.until.Before(d.end().Add(logs.delay)):", New: "case false:",
			Why: "what may still be delivered is an orphan",
		},
		{
			File: "audit/findings.go", Package: pkg, Run: join,
			Old: "case gap != \"\":", New: "case gap == \"x\":",
			Why: "what a log lost is an orphan",
		},
		{
			File: "audit/candidates.go", Package: pkg, Run: reads,
			Old: "\tkey.str(e.action)\n", New: "",
			Why: "two acts with one id are one",
		},
		{
			File: "audit/candidates.go", Package: pkg, Run: truth,
			Old: "func (f *nameFilter) add(name string) {\n", New: "func (f *nameFilter) add(name string) {\n\tif len(name)%2 == 1 {\n\t\treturn\n\t}\n",
			Why: "the filter of names forgets some",
		},
		{
			File: "audit/event.go", Package: pkg, Run: reads,
			Old: "e.readOnly = p.str(r.readOnly) == \"true\"", New: "e.readOnly = p.str(r.readOnly) != \"false\"",
			Why: "an event that does not say that it writes only reads",
		},
		{
			File: "audit/event.go", Package: pkg, Run: reads,
			Old: "case \"exec\", \"attach\", \"portforward\", \"proxy\":\n\t\treturn false\n", New: "",
			Why: "a command that runs in a container by get only reads",
		},
		{
			File: "audit/event.go", Package: pkg, Run: reads,
			Old: "\t\te.principals = append(e.principals, as)\n", New: "",
			Why: "who acts as the agent is somebody else",
		},
		{
			File: "audit/split.go", Package: pkg, Run: reads,
			Old: "if i > maxRecord {\n\t\t\t\tdropped = true", New: "if i > maxRecord<<10 {\n\t\t\t\tdropped = true",
			Why: "an endless record is kept in memory",
		},
		{
			File: "audit/split.go", Package: pkg, Run: reads,
			Old: "case depth > maxDepth:", New: "case depth > maxDepth*10:",
			Why: "any depth is read",
		},
		{
			File: "audit/split.go", Package: pkg, Run: reads,
			Old: "\t\t\treturn nil, s.offset(), s.resume()\n", New: "\t\t\ts.lo++\n",
			Why: "what stands between records is passed over without a word",
		},
		{
			File: "audit/logfile.go", Package: pkg, Run: reads,
			Old: "if b.n > expandFree && b.n/expandRatio > b.packed.n {", New: "if b.n < 0 {",
			Why: "a packed file may expand without end",
		},
		{
			File: "audit/logfile.go", Package: pkg, Run: runs,
			Old: "r.event.seen = offset < before && r.event.at.Before(r.before.Until)", New: "r.event.seen = r.event.at.Before(r.before.Until)",
			Why: "an event that is delivered late is never judged",
		},
		{
			File: "audit/weak.go", Package: pkg, Run: late,
			Old: "[]*leftover{j.before, j.left}", New: "[]*leftover{j.left, j.before}",
			Why: "a late event takes the decision that explained another act, weakly",
		},
		{
			File: "audit/join.go", Package: pkg, Run: late,
			Old: "b.flag(!p.event.seen)", New: "b.flag(p.event.seen)",
			Why: "a late event takes the decision that explained another act, strongly",
		},
		{
			File: "audit/run.go", Package: pkg, Run: runs,
			Old: "if g.around(f.At, r.doc.times.window) {", New: "if false {",
			Why: "a gap of the journal is not named",
		},
		{
			File: "audit/candidates.go", Package: pkg, Run: runs,
			Old: "e.at.Before(since.Add(-margin))", New: "e.at.Before(since)",
			Why: "what happened before the time that is judged takes nothing",
		},
		{
			File: "audit/candidates.go", Package: pkg, Run: reads,
			Old: "\tkey.str(e.sent)\n", New: "",
			Why: "an act hides behind the audit id of another",
		},
		{
			File: "audit/event.go", Package: pkg, Run: reads,
			Old: "by != \"\" && by != console", New: "by != \"\"",
			Why: "a person at the console is a service",
		},
		{
			File: "audit/event.go", Package: pkg, Run: reads,
			Old: "case \"\", \"scale\", \"status\":", New: "case \"\", \"scale\", \"status\", \"exec\", \"proxy\", \"token\":",
			Why: "a dry run that nobody reads hides an act",
		},
		{
			File: "audit/event.go", Package: pkg, Run: reads,
			Old: "return p.str(r.dry) == \"All\"", New: "return asksDryRun(p.str(r.uri))",
			Why: "a query that is not read makes a deletion dry",
		},
		{
			File: "audit/event.go", Package: pkg, Run: reads,
			Old: " && code != \"504\"", New: "",
			Why: "a request that is given too little time did nothing",
		},
		{
			File: "audit/event.go", Package: pkg, Run: join,
			Old: "if len(body) == 0 || string(body) == \"null\" {", New: "if false {",
			Why: "what the log does not say is a retry",
		},
		{
			File: "audit/judge.go", Package: pkg, Run: join,
			Old: "case !c.executed():", New: "case false:",
			Why: "a decision whose call did not run explains an act",
		},
		{
			File: "audit/logfile.go", Package: pkg, Run: join,
			Old: "at = append(at, moreValues)", New: "_ = n",
			Why: "what stands behind many values is not compared",
		},
		{
			File: "audit/pick_canonical.go", Package: pkg, Run: join,
			Old: "case c == '[' && at != nil && at.each != nil:", New: "case false:",
			Why: "the elements of an argument are not compared",
		},
		{
			File: "audit/logtimes.go", Package: pkg, Run: noAudit,
			Old: "until.Sub(r.Last) > t.silence+t.delay", New: "false",
			Why: "a log that has ended is whole",
		},
		{
			File: "audit/results.go", Package: pkg, Run: noAudit,
			Old: "err == nil && n > 0", New: "false",
			Why: "an audit of principals that are not the agent's is clean",
		},
		{
			File: "audit/state.go", Package: pkg, Run: between,
			Old: "(r.from.After(last) || r.Until.Before(last))", New: "false",
			Why: "what lies between two runs is never judged",
		},
		{
			File: "audit/run.go", Package: pkg, Run: between,
			Old: "now.Before(judged)", New: "false",
			Why: "a run of the future judges what is to come",
		},
		{
			File: "audit/logfile.go", Package: pkg, Run: "^TestLinesThatAreBeingWritten$",
			Old: "if s.unended {", New: "if false {",
			Why: "a line that was read while it was written is never judged",
		},
		{
			File: "audit/logfile.go", Package: pkg, Run: "^TestLogsThatAreRotated$",
			Old: "if others[0].Events == again.summed() {", New: "if true {",
			Why: "a file that begins as another is that one",
		},
		{
			File: "audit/state.go", Package: pkg, Run: "^TestLogsThatAreRotated$",
			Old: "if before.Size == f.size && before.Modified.Equal(f.modified) {", New: "if true {",
			Why: "another file under the same name was judged",
		},
		{
			File: "audit/mapping.go", Package: pkg, Run: "^TestRequestsOfMappedLines$",
			Old: "if e.id == \"\" || e.action == \"\" {", New: "if e.action == \"\" {",
			Why: "lines without an id are one event",
		},
		{
			File: "cmd/ambit/audit.go", Package: "./cmd/ambit", Run: "^TestWhatIsNotPrintedIsNotKept$",
			Old: "_, err = page.WriteTo(t.out)", New: "_, _ = page.WriteTo(t.out)",
			Why: "what was not printed is kept as seen",
		},
	}
}
