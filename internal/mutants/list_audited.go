package main

// audited breaks how the result of an audit counts, and who says so.
func audited() []mutant {
	const (
		results = "audit/results.go"
		local   = "internal/desk/local.go"
		pkg     = "./audit"
		ambit   = "./cmd/ambit"
		found   = "^TestResults$"
		partial = "^TestRunsThatAreNoAudit$"
		who     = "^TestWhoAudits$"
		brakes  = "^TestARecordedAuditBrakes$"
	)
	return []mutant{
		{
			File: results, Package: pkg, Run: found,
			Old: "blamed[0] == nil || !blamed[0].agents[agent]", New: "blamed[0] == nil",
			Why: "an act under another agent's decision counts to that agent",
		},
		{
			File: results, Package: pkg, Run: found,
			Old: "\tif len(fitting) > 0 {\n\t\treturn fitting\n\t}\n\treturn all\n", New: "\treturn fitting\n",
			Why: "an act of no tool that is known counts to nothing",
		},
		{
			File: results, Package: pkg, Run: found,
			Old: "if len(fitting) > 0 {", New: "if len(fitting) > len(all) {",
			Why: "an act counts to authorizations that have nothing to do with its tool",
		},
		{
			File: "audit/records.go", Package: pkg, Run: found,
			Old: "== rationale.EventLoaded && r.agentOf(agent) >= 0", New: "== rationale.EventLoaded && r.agentOf(agent) > len(agent)",
			Why: "an authorization that decided nothing yet is never audited",
		},
		{
			File: results, Package: pkg, Run: partial,
			Old: "case len(r.Problems) > 0:", New: "case len(r.Problems) < 0:",
			Why: "an audit counts whose log could not be read",
		},
		{
			File: results, Package: pkg, Run: partial,
			Old: "if l.Events == 0 {", New: "if l.Events < 0 {",
			Why: "an audit of an empty log counts",
		},
		{
			File: results, Package: pkg, Run: partial,
			Old: "(g.From.IsZero() || g.From.Before(until)) &&", New: "g.From.IsZero() &&",
			Why: "an audit counts whose log has a gap",
		},
		{
			File: results, Package: pkg, Run: partial,
			Old: "case r.results.nobodys > 0:", New: "case r.results.nobodys < 0:",
			Why: "an act that counts to no authorization is forgotten",
		},
		{
			File: results, Package: pkg, Run: "^TestResultsFollowEachOther$",
			Old: "if r.before.Until.After(from) {", New: "if r.before.Until.Before(from) {",
			Why: "an audit says that it covers what an earlier one judged",
		},
		{
			File: local, Package: ambit, Run: who,
			Old: "case !d.who.Audits:", New: "case false:",
			Why: "everybody who is known audits",
		},
		{
			File: local, Package: ambit, Run: who,
			Old: "case slices.Contains(d.who.Party, authorization):", New: "case false:",
			Why: "an owner audits what the owner's agent did",
		},
		{
			File: "authority/user.go", Package: ambit, Run: who,
			Old: "|| rationale.SamePerson(p.ID, g.Agent.Value)", New: "",
			Why: "an agent audits itself",
		},
		{
			File: "cmd/ambit/who.go", Package: ambit, Run: who,
			Old: "party = append(party, u.Party...)", New: "_ = u.Party",
			Why: "an owner audits the own authorization once the host is stopped",
		},
		{
			File: "internal/desk/local.go", Package: ambit, Run: who,
			Old: "\t\t\tof = u.Authorization\n", New: "\t\t\tof = \"\"\n",
			Why: "an owner answers for what an audit found of the own authorization",
		},
		{
			File: "cmd/ambit/audit.go", Package: ambit, Run: brakes,
			Old: "\t\t\treturn code\n\t\t}\n\t}\n\tif err := report.Keep(); err != nil {", New: "\t\t\t_ = code\n\t\t}\n\t}\n\tif err := report.Keep(); err != nil {",
			Why: "an audit that is not recorded is one all the same",
		},
		{
			File: "audit/event.go", Package: pkg, Run: "^TestDefaultKeysAreThoseOfTheRecipes$",
			Old: "`impersonatedUser.extra[\"ambit-decision\"][]`, ", New: "",
			Why: "who impersonates as the recipe says names no decision",
		},
		{
			File: results, Package: pkg, Run: "^TestResultsFollowEachOther$",
			Old: "case !r.before.Recorded && !r.before.Until.IsZero():", New: "case false:",
			Why: "what a run found that was not recorded is in no record of the next one",
		},
		{
			File: "audit/state.go", Package: pkg, Run: "^TestResultsFollowEachOther$",
			Old: "|| r.before.Recorded && !r.state.Recorded {", New: "{",
			Why: "who looks in between takes findings out of the next record",
		},
	}
}
