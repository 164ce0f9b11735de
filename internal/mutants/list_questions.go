package main

// questions breaks the auditor's questions, and how records become rows.
func questions() []mutant {
	in := func(run, file, old, new, why string) mutant {
		return mutant{File: "cmd/ambit/internal/recorddb/" + file, Old: old, New: new, Why: why, Package: "./cmd/ambit/internal/recorddb", Run: run}
	}
	// planted is noticed by what is planted for a question.
	planted := func(question, file, old, new, why string) mutant {
		return in("^TestPlantedViolationsAreFound$/^"+question+"$", file, old, new, why)
	}
	chain := func(file, old, new, why string) mutant { return in("^TestChainOfDamagedRecords$", file, old, new, why) }
	rows := func(file, old, new, why string) mutant {
		return in("^(TestColumnsHoldTheirMembers|TestSealedFieldsAreNull|TestDocumentsAreThere|TestParts|TestSame|TestLoadingTakesNoMemory)$", file, old, new, why)
	}
	return []mutant{
		planted("authority", "views.sql", "WHEN d.at >= d.expires THEN", "WHEN d.at > d.expires THEN", "an authorization is in force at the instant of its expiry"),
		planted("lapsed", "views.sql", "WHEN d.at < d.granted_at THEN", "WHEN d.at < '' THEN", "an act before the grant is in force"),
		planted("lapsed", "views.sql", "d.tier = 'authorization_required' AND d.approval IS NOT NULL AS recommended", "d.approval IS NOT NULL OR d.standing = 'expired' AS recommended",
			"what had expired counts as recommended"),
		planted("lapsed", "views.sql", "AND r.suspends_class IS l.suspends_class) AS until_at", "AND r.suspends_class IS NULL) AS until_at", "a suspension of a class never ends"),
		planted("authority", "questions/01_authority.sql", "WHEN d.digest IS NULL THEN 'these records", "WHEN d.digest = '' THEN 'these records", "a document that nobody has counts"),
		planted("authority", "questions/01_authority.sql", "(a.authorization, a.authorization_version, a.owner, a.body, a.granted_at, a.expires)\n              IS NOT (d.id, d.version, d.owner, d.body, d.granted_at, d.expires)",
			"(a.authorization, a.authorization_version, a.body, a.granted_at, a.expires)\n              IS NOT (d.id, d.version, d.body, d.granted_at, d.expires)", "a decision may name another owner than its document"),
		planted("constraints", "questions/02_constraints.sql", "c.result NOT IN ('pass', 'raised')", "c.result = 'error'", "an act passes in spite of a check that failed"),
		planted("constraints", "questions/02_constraints.sql", "r.rank > coalesce(t.rank, 0)", "r.rank > 3", "a trigger need not raise the tier"),
		planted("unexplained", "questions/03_unexplained.sql", "sum(rationale_complete IS 0) AS unexplained", "sum(rationale_complete IS 0 AND mode = 'observe') AS unexplained", "an incomplete rationale explains an act"),
		planted("approvals", "questions/04_approvals.sql", "p.action_digest IS NOT a.action_digest", "p.action_digest IS NULL", "an approval of another action is valid"),
		planted("approvals", "questions/04_approvals.sql", "WHEN EXISTS (SELECT 1 FROM stranger s", "WHEN 0 AND EXISTS (SELECT 1 FROM stranger s", "anybody may approve"),
		planted("approvals", "questions/04_approvals.sql", "OR q.same = (SELECT same FROM person WHERE id = p.by)", "OR b.value = p.by", "who is spelled otherwise is a stranger"),
		planted("approvals", "questions/04_approvals.sql", "WHEN a.at >= p.expires THEN", "WHEN a.at > p.expires THEN", "an approval is valid at the instant of its expiry"),
		planted("approvals", "questions/04_approvals.sql", "count(DISTINCT w.same)", "count(w.same)", "one person makes a quorum of two"),
		planted("approvals", "questions/04_approvals.sql", "u.approval = a.approval AND u.verdict", "u.id = a.approval AND u.verdict", "an approval serves twice"),
		planted("approvals", "questions/04_approvals.sql", "OR a.spend_amount IS NOT p.amount AND (a.spend_whole IS NULL OR p.amount_whole IS NULL)", "", "a price that is not exact passes as approved"),
		planted("approvals", "questions/04_approvals.sql", "AND a.ran)", "AND a.status <> 'not_executed')", "whoever settles covers up that nobody approved"),
		planted("reviews", "questions/06_reviews.sql", "AND a.ran AND", "AND a.status <> 'not_executed' AND", "whoever settles ends the waiting for a review"),
		planted("spend", "views.sql", "s.status <> 'not_executed' OR coalesce(o.status, 'unknown') = 'unknown'", "1", "a person's word undoes what the outcome says"),
		planted("duties", "questions/05_duties.sql", "WHERE p.same = o.same", "WHERE p.id = o.id", "an owner who is spelled otherwise may grant"),
		planted("duties", "questions/05_duties.sql", "p.ticket = d.parent AND", "p.ticket = d.id AND", "who approved may review"),
		planted("reviews", "questions/06_reviews.sql", "WHEN opened AND (reviewed_at", "WHEN (reviewed_at", "an act that was never put up for review passes"),
		planted("reviews", "questions/06_reviews.sql", "due >= now)", "due > now)", "a review is overdue at the instant that it is due"),
		planted("spend", "questions/07_spend.sql", "coalesce(sum((spent_whole, spent_nano) >", "coalesce(sum((spent_whole, 0) >", "a billionth above the ceiling passes"),
		planted("spend", "questions/07_spend.sql", "WHEN above > 0 OR inexact > 0 THEN", "WHEN above > 0 THEN", "amounts that cannot be added are left out in silence"),
		planted("splitting", "questions/08_splitting.sql", "row_number() OVER split AS i", "a.record AS i", "acts between hide that others follow one another"),
		planted("splitting", "questions/08_splitting.sql", "     <= (SELECT value FROM parameter WHERE name = 'within')", "     <= 86400000000000", "acts that lie apart are a split"),
		planted("splitting", "questions/08_splitting.sql", "     >= (percent * a.spend_limit_whole", "     >= (1 * a.spend_limit_whole", "every act is near its ceiling"),
		planted("pins", "questions/09_pins.sql", "IN (model_pin, prompt_pin, tool_pin)", "IN (model_pin, tool_pin)", "another prompt passes"),
		planted("lapsed", "questions/10_lapsed.sql", "WHEN halted IS NULL AND (", "WHEN (", "what is revoked may be observed"),
		planted("lapsed", "questions/10_lapsed.sql", "AND a.at > h.known_at", "AND a.at > h.until_at", "what was suspended may act"),
		chain("questions/11_chain.sql", "WHERE place = 1 AND seq <> 1", "WHERE place = 1 AND seq < 1", "a journal without its beginning is whole"),
		chain("questions/11_chain.sql", "GROUP BY id, kind HAVING count(*) > 1", "GROUP BY id, kind, n HAVING count(*) > 1", "a record may stand twice"),
		planted("haste", "questions/12_haste.sql", "sum(took < threshold) AS fast", "sum(took <= threshold) AS fast", "as fast as the threshold is too fast"),
		planted("stopping", "questions/13_stopping.sql", "allowed_after > 0 OR latency_ms", "latency_ms", "what the host let through after a revocation is no exception"),
		planted("stopping", "questions/13_stopping.sql", "(a.started >= h.from_at OR a.at > h.known_at)", "(a.at > h.known_at)", "what began between revocation and reload is no latency"),
		planted("drift", "questions/14_drift.sql", "a.at >= s.after_from AND", "", "stretches of unequal length are compared"),
		planted("drift", "questions/14_drift.sql", "> mix * acts_before * acts_after AS tiers", "> 100 * acts_before * acts_after AS tiers", "the mix of tiers may change"),

		rows("value.go", "if len(before) > 15 || len(after) > 9 {", "if len(before) > 15 {", "an amount of ten decimals is another one"),
		rows("value.go", "least = min(least, next)", "least = min(least, r)", "people are told apart by case"),
		rows("loader.go", "SET sealed = 'erased'", "SET sealed = 'sealed'", "what is erased is not marked"),
		rows("loader.go", "if len(l.known) >= maxKnown {", "if false {", "everybody whom records name is kept in memory"),
		rows("document.go", `UPDATE authorization SET problem = ? WHERE digest = ?`, `UPDATE authorization SET problem = ? WHERE id = ?`, "an authorization that cannot be read says nothing"),
		{
			File: "cmd/ambit/questions.go", Old: "mark = q.t.paint(red, \"exception\")\n\t\t}\n\t\t_, err := fmt.Fprintf(q.t.out, \"  %s  %s\\n\", mark, rationale.Printable(f.Sentence))",
			New: "mark = q.t.paint(red, \"exception\")\n\t\t}\n\t\t_, err := fmt.Fprintf(q.t.out, \"  %s  %s%.0s\\n\", mark, f.Sentence, rationale.Printable(f.Sentence))",
			Why: "a forged record writes to the auditor's terminal", Package: "./cmd/ambit", Run: "^TestFindingsActUponNoTerminal$",
		},
		{
			File: "cmd/ambit/export.go", Old: "case !force:", New: "case false:", Why: "an export overwrites a file",
			Package: "./cmd/ambit", Run: "^TestExportIsWhole$",
		},
	}
}
