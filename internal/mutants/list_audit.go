package main

// auditing breaks what an audit promises: nothing unexplained is passed over, and
// nothing is made up.
func auditing() []mutant {
	const (
		pkg   = "./audit"
		join  = "^TestJoin$"
		truth = "^(TestTruthOfAFew|TestJoin)$"
		reads = "^(TestHostileLogs|TestShapesOfLogs|TestOddEventsOfCloudTrail|TestKubernetes|TestNothingOutsideOfAFolderIsRead|TestBombs|TestARecordOfGigabytes)$"
		runs  = "^(TestRunsThatFollowEachOther|TestTimeThatIsJudged|TestGapsAndNearestRecords)$"
	)
	return []mutant{
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
			File: "audit/run.go", Package: pkg, Run: runs,
			Old: "if g.around(f.At, r.doc.times.window) {", New: "if false {",
			Why: "a gap of the journal is not named",
		},
		{
			File: "audit/candidates.go", Package: pkg, Run: runs,
			Old: "e.at.Before(since.Add(-margin))", New: "e.at.Before(since)",
			Why: "what happened before the time that is judged takes nothing",
		},
	}
}
