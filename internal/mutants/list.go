package main

import "slices"

// mutants returns the faults. Each breaks a rule that a decision or its evidence
// depends on, in one place, the way a careless edit would.
func mutants() []mutant {
	return slices.Concat(
		arguments(), classification(), standing(), constraints(), money(), conclusion(), evidence(),
	)
}

func classification() []mutant {
	return []mutant{
		{
			File: "classify/classify.go",
			Old:  "if err != nil {\n\t\t\treturn Result{Outcome: Failed, Index: i, Err: err}\n\t\t}\n\t\tif holds {",
			New:  "if err != nil {\n\t\t\tcontinue\n\t\t}\n\t\tif holds {",
			Why:  "a class whose condition errors is passed over",
		},
		{
			File: "classify/classify.go",
			Old:  "if holds, err := c.holds(); err != nil {",
			New:  "if holds, err := c.holds(); err != nil && !c.Prohibited {",
			Why:  "a prohibited class whose condition errors is passed over",
		},
		{
			File: "classify/classify.go",
			Old:  "} else if holds {",
			New:  "} else if !holds {",
			Why:  "a prohibited class ends the calls that it does not match",
		},
		{
			File: "classify/classify.go",
			Old:  "if started && c.Pattern != pattern {",
			New:  "if started && c.Pattern != pattern && len(found) > 0 {",
			Why:  "a condition that does not hold falls through to a less specific pattern",
		},
		{
			File: "classify/classify.go",
			Old:  "found = append(found, i)",
			New:  "found = []int{i}",
			Why:  "of two classes that hold the last wins",
		},
		{
			File: "classify/pattern.go",
			Old:  `return ok && rest != "" && !strings.ContainsAny(rest, "/.")`,
			New:  `return ok && rest != ""`,
			Why:  "'*' crosses separators",
		},
		{
			File: "classify/pattern.go",
			Old:  "if q.glob {\n\t\t\treturn -1\n\t\t}\n\t\treturn 1",
			New:  "if q.glob {\n\t\t\treturn 1\n\t\t}\n\t\treturn -1",
			Why:  "a glob is more specific than an exact name",
		},
		{
			File: "classify/pattern.go",
			Old:  "return len(q.prefix) - len(p.prefix)",
			New:  "return len(p.prefix) - len(q.prefix)",
			Why:  "the shorter prefix is the more specific",
		},
		{
			File: "classify/tier.go",
			Old:  "return max(a, b)",
			New:  "return b",
			Why:  "a trigger lowers the tier",
		},
		{
			File: "authority/classify.go",
			Old:  "if p.line.competing(call.At) == p.grant {",
			New:  "if p.line.competing(call.At) != nil {",
			Why:  "every version of an authorization competes",
		},
		{
			File: "authority/set.go",
			Old:  "if !at.Before(g.Grant.At) {\n\t\t\treturn g",
			New:  "if at.Before(g.Grant.Expires) {\n\t\t\treturn g",
			Why:  "a version competes before its grant",
		},
		{
			File: "authority/classify.go",
			Old:  "t, ok := c.set.tools[c.call.Tool.String()]",
			New:  "t, ok := c.set.tools[c.call.Tool.Name]",
			Why:  "the server is no part of a tool's identity",
		},
	}
}

// conclusion breaks rationale.Conclude, where verdicts are made.
func conclusion() []mutant {
	return []mutant{
		{
			File: "rationale/conclude.go",
			Old:  "if r := d.Checks[i].Result; r != Passed && r != Raised {",
			New:  "if r := d.Checks[i].Result; r == Failed {",
			Why:  "a check that errored does not deny",
		},
		{
			File: "rationale/conclude.go",
			Old:  "if r := d.Checks[i].Result; r != Passed && r != Raised {",
			New:  "if r := d.Checks[i].Result; r == Errored {",
			Why:  "a check that failed does not deny",
		},
		{
			File: "rationale/conclude.go",
			Old:  "if d.Class == \"\" || !standingPermits(d) {",
			New:  "if d.Class == \"\" {",
			Why:  "standing does not matter",
			// authority gives no such draft, so no case of the corpus can tell.
			Package: "./rationale", Run: "^TestConclude",
		},
		{
			File: "rationale/conclude.go",
			Old:  "return d.Standing.Recommendable() && slices",
			New:  "return slices",
			Why:  "every standing may recommend",
			// authority gives no such draft, so no case of the corpus can tell.
			Package: "./rationale", Run: "^TestConclude",
		},
		{
			File: "rationale/vocabulary.go",
			Old:  "return s == StandingReviewLapsed || s == StandingPinMismatch",
			New:  "return s == StandingReviewLapsed",
			Why:  "a pin mismatch never recommends",
		},
		{
			File: "rationale/conclude.go",
			Old:  "if d.Approval != \"\" {\n\t\t\treturn Allow\n\t\t}\n\t\treturn Pend",
			New:  "return Allow",
			Why:  "a call that needs approval runs without",
		},
		{
			File: "rationale/conclude.go",
			Old:  "\tdefault:\n\t\treturn Deny\n\t}\n}\n\n// standingPermits",
			New:  "\tdefault:\n\t\treturn Pend\n\t}\n}\n\n// standingPermits",
			Why:  "a prohibited call waits for people",
		},
		{
			File: "rationale/conclude.go",
			Old:  "if d.Checks[i].Result == Raised {",
			New:  "if d.Checks[i].Result == Raised && tier == d.BaseTier {",
			Why:  "only the first check that raises counts",
		},
		{
			File: "rationale/conclude.go",
			Old:  "case Suspended, Revoked, ProhibitedClass, EvidenceUnavailable, LedgerUnavailable:",
			New:  "case Suspended, Revoked, EvidenceUnavailable, LedgerUnavailable:",
			Why:  "observe mode lets a prohibited call through",
		},
		{
			File: "rationale/conclude.go",
			Old:  "case Suspended, Revoked, ProhibitedClass, EvidenceUnavailable, LedgerUnavailable:",
			New:  "case Revoked, ProhibitedClass, EvidenceUnavailable, LedgerUnavailable:",
			Why:  "observe mode lets a suspended agent through",
			// authority gives no such draft, so no case of the corpus can tell.
			Package: "./rationale", Run: "^TestConclude",
		},
		{
			File: "rationale/conclude.go",
			Old:  "\t\t\td.Verdict, d.Would = Allow, &verdict\n",
			New:  "\t\t\td.Verdict, d.Would = verdict, &verdict\n",
			Why:  "observe mode enforces",
		},
		{
			File: "rationale/conclude.go",
			Old:  "case d.Verdict == Allow && d.Tier == classify.BoundedEscalation:",
			New:  "case d.Verdict == Allow && d.BaseTier == classify.BoundedEscalation:",
			Why:  "a call that was raised to bounded_escalation owes no review",
		},
		{
			File: "rationale/conclude.go",
			Old:  "return slices.Compact(found)",
			New:  "return slices.Compact(found)[:min(1, len(found))]",
			Why:  "a refusal names only the first reason",
		},
	}
}
