package main

import "slices"

// mutants returns the faults. Each breaks a rule that a decision or its evidence
// depends on, in one place, the way a careless edit would.
func mutants() []mutant {
	return slices.Concat(
		arguments(), reading(), classification(), standing(), constraints(), money(), conclusion(), operators(), evidence(), keeping(), delivery(),
		people(), limits(), sharing(), replicating(), notifying(), control(), auditing(), audited(), questions(), simulated(),
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
			Old:  "if holds, err := when(i); err != nil {",
			New:  "if holds, err := when(i); err != nil && i < 0 {",
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
			Old:  "if i > specific && c.Pattern != candidates[specific].Pattern {",
			New:  "if i > specific && c.Pattern != candidates[specific].Pattern && chosen.Outcome != Unclassified {",
			Why:  "a condition that does not hold falls through to a less specific pattern",
			// authority passes the candidates of one pattern alone.
			Package: "./classify", Run: "^TestChoose$",
		},
		{
			File: "classify/classify.go",
			Old:  "r.Outcome, r.Also, r.Index = Ambiguous, []int{r.Index, i}, -1",
			New:  "r.Index = i",
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
			File: "authority/contest.go",
			Old:  "if p := c.plans[i]; p.competes(at) {",
			New:  "if p := c.plans[i]; p.grant != nil {",
			Why:  "every version of an authorization competes",
		},
		{
			File: "authority/set.go",
			Old:  "g.competes = period{from: g.Grant.At, until: until}",
			New:  "g.competes = period{until: until}",
			Why:  "a version competes before its grant",
		},
		{
			File: "authority/set.go",
			Old:  "if until.IsZero() || g.Grant.At.Before(until) {",
			New:  "if false {",
			Why:  "a version competes beside the one that follows it",
		},
		{
			File:    "authority/classify.go",
			Old:     "e.cleared = found.Outcome != classify.Failed || !candidates[found.Index].Prohibited",
			New:     "e.cleared = true",
			Why:     "what observes runs past a prohibition that could not be asked",
			Package: "./authority", Run: "^TestObserveNeverRunsPastAProhibition$",
		},
		{
			File:    "authority/classify.go",
			Old:     "if p := &c.patterns[i]; p.during.has(at) {",
			New:     "if p := &c.patterns[i]; i == 0 {",
			Why:     "a pattern of a version that does not compete hides the less specific ones",
			Package: "./authority", Run: "^TestIndex",
		},
		{
			File: "authority/tool.go",
			Old:  "for t != nil && t.id.Server != id.Server {",
			New:  "for t != nil && t.id.Server != id.Server && t.next != nil {",
			Why:  "the server is no part of a tool's identity",
		},
		{
			File: "authority/contest.go",
			Old:  "return s.all // each fails to read it",
			New:  "return nil",
			Why:  "an absent value selects no class instead of failing",
			// The corpus has no tool with so many classes that they are indexed.
			Package: "./authority", Run: "^TestIndex",
		},
		{
			File:    "authority/contest.go",
			Old:     "case strictjson.Int:\n\t\treturn s.whole[v.Int()]",
			New:     "case strictjson.Int:\n\t\treturn s.whole[v.Int()+1]",
			Why:     "a call finds the class of another number",
			Package: "./authority", Run: "^TestIndex",
		},
		{
			File:    "authority/contest.go",
			Old:     "if len(source) > 0 && (next < 0 || source[0] < sources[next][0]) {",
			New:     "if len(source) > 0 && next < 0 {",
			Why:     "indexed classes are asked out of their order",
			Package: "./authority", Run: "^TestIndex",
		},
		{
			File:    "internal/celplan/selector.go",
			Old:     "if len(ch.clauses) > 1 && ch.stop {",
			New:     "if false {",
			Why:     "the first of several alternatives finds the class",
			Package: "./internal/celplan", Run: "^TestSelector",
		},
	}
}

// conclusion breaks rationale.Conclude, where verdicts are made.
func conclusion() []mutant {
	return []mutant{
		{
			File: "rationale/conclude.go",
			Old:  "\tdefault:\n\t\tt.failed = true",
			New:  "\tdefault:\n\t\tt.failed = result == Failed",
			Why:  "a check that errored does not deny",
		},
		{
			File: "rationale/conclude.go",
			Old:  "\tdefault:\n\t\tt.failed = true",
			New:  "\tdefault:\n\t\tt.failed = result == Errored",
			Why:  "a check that failed does not deny",
		},
		{
			File: "rationale/conclude.go",
			Old:  "if !t.Classified || !permits {",
			New:  "if !t.Classified {",
			Why:  "standing does not matter",
			// authority gives no such draft, so no case of the corpus can tell.
			Package: "./rationale", Run: "^TestConclude",
		},
		{
			File: "rationale/conclude.go",
			Old:  "return t.Standing.Recommendable() && t.excused",
			New:  "return t.excused",
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
			Old:  "if t.Approved {\n\t\t\treturn Allow\n\t\t}\n\t\treturn Pend",
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
			Old:  "t.Tier = classify.Max(t.Tier, to)",
			New:  "if t.Tier <= classify.Parameterized {\n\t\t\tt.Tier = classify.Max(t.Tier, to)\n\t\t}",
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
			Old:  "c.Verdict, c.Would = Allow, verdict\n",
			New:  "c.Verdict, c.Would = verdict, verdict\n",
			Why:  "observe mode enforces",
		},
		{
			File: "rationale/conclude.go",
			Old:  "case d.Tier == classify.BoundedEscalation:",
			New:  "case d.BaseTier == classify.BoundedEscalation:",
			Why:  "a call that was raised to bounded_escalation owes no review",
		},
		{
			File: "rationale/conclude.go",
			Old:  "\t\t\tfound = append(found, reason)\n\t\t}\n\t}\n\treturn found",
			New:  "\t\t\tfound = append(found, reason)\n\t\t}\n\t}\n\treturn found[:1]",
			Why:  "a refusal names only the first reason",
		},
	}
}
