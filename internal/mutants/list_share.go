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
			Old: "\treturn m.latest, nil\n", New: "\treturn d.At, nil\n",
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
			File: "guard/ledger/suspensions.go", Package: ledger, Run: "^TestASuspensionWithoutALogFailsClosed$",
			Old: "\tif err := m.halt(what, l); err != nil {\n\t\treturn err\n\t}\n", New: "",
			Why: "a suspension waits for a log that cannot be reached",
		},
	}
}
