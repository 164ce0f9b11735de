package main

// sharing are faults of a ledger on a log that several processes share.
func sharing() []mutant {
	const (
		file   = "guard/ledger/share.go"
		ledger = "./guard/ledger"
	)
	return []mutant{
		{
			File: file, Package: ledger, Run: "^TestASharedLogsClock$",
			Old: "skew.Abs() > maxSkew", New: "skew > maxSkew",
			Why: "a process whose clock is behind admits",
		},
		{
			File: file, Package: ledger, Run: "^TestASharedLogsClock$",
			Old: "\treturn a.latest, nil\n", New: "\treturn a.d.At, nil\n",
			Why: "the clock of a process places a window",
		},
		{
			File: file, Package: ledger, Run: "^TestAProcessThatEndedLeavesNothingOpen$",
			Old: "\t\t\tlate = m.takeLate()\n", New: "",
			Why: "the decisions of a process that ended stay open",
		},
		{
			File: file, Package: ledger, Run: "^TestAnAdmissionWhoseAnswerIsLost$",
			Old: "\t\t\tstrays = m.takeStrays()\n", New: "",
			Why: "a decision that was denied, and is recorded, holds its budget",
		},
		{
			File: "guard/ledger/admission.go", Package: ledger, Run: "^TestADraftIsJudgedAnewWhereOthersWereFaster$",
			Old: "\td.Mode = a.mode // on", New: "\t_ = a.mode // on",
			Why: "what was observed is enforced, since others were faster",
		},
		{
			File: "guard/ledger/admission.go", Package: ledger, Run: "^TestADecisionThatMayBeRecordedIsNotAdmittedAgain$",
			Old: "case m.adrift[d.ID]:", New: "case false:",
			Why: "a call runs whose first attempt is recorded as not run",
		},
		{
			File: "guard/ledger/suspensions.go", Package: ledger, Run: "^TestASuspensionWithoutALogFailsClosed$",
			Old: "err := m.suspensions.add(what, &said)", New: "err := error(nil)",
			Why: "a suspension waits for a log that cannot be reached",
		},
		{
			File: "guard/ledger/notify.go", Package: ledger, Run: "^TestOneReplicaTellsOfABudget$",
			Old: "if !b.telling || !own ||", New: "if !b.telling ||",
			Why: "every replica tells of every budget",
		},
	}
}
