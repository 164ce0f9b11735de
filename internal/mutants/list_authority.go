package main

func standing() []mutant {
	const file = "authority/standing.go"
	return []mutant{
		{
			File: file,
			Old:  "if !at.Before(g.Grant.Expires) {",
			New:  "if at.After(g.Grant.Expires) {",
			Why:  "a grant holds one instant too long",
		},
		{
			File: file,
			Old:  "if at.Before(g.Grant.At) {",
			New:  "if at.Before(g.Grant.At) && false {",
			Why:  "a grant holds before it takes effect",
		},
		{
			File: file,
			Old:  "next := h.nextReview(at); !at.Before(next) {",
			New:  "next := h.nextReview(at); at.After(next) {",
			Why:  "a review lapses one instant too late",
		},
		{
			File: "internal/versions/versions.go",
			Old:  "v.Number > number && !at.Before(v.Granted)",
			New:  "v.Number > number+1 && !at.Before(v.Granted)",
			Why:  "an older version comes back into force",
		},
		{
			File: "internal/versions/versions.go", Package: "./authority", Run: "^TestAVersionForLaterHidesNone$",
			Old: "return a.Number >= b.Number && !a.Granted.After(b.Granted)", New: "return a.Number >= b.Number",
			Why: "a version for later hides the one that it will supersede, and the one before comes back",
		},
		{
			File: "authority/past.go", Package: "./authority", Run: "^TestARevocationThatCannotBeReadStopsTheStart$",
			Old: "if len(read.Halts) == 0 {", New: "if len(read.Halts) < 0 {",
			Why: "a revocation that nobody can read any more ends without a word",
		},
		{
			File: "authority/past.go", Package: "./authority", Run: "^TestAnUnsignedVersionIsNoPast$",
			Old: " && l.Standing != rationale.StandingUnsigned:", New: ":",
			Why: "an unsigned file shuts an authorization out for good",
		},
		{
			File: "guard/wrap.go", Package: "./guard", Run: "^TestWrapRecordsAnOutcomeOfEveryEnd$",
			Old: "if statusOf(err) == rationale.StatusNotExecuted {", New: "if statusOf(err) == rationale.StatusUnknown {",
			Why: "a tool that ran gets its money back, since a call of its own did not run",
		},
		{
			File: "guard/einoguard/outcome.go", Package: "./guard/einoguard", Run: "^TestAToolThatRanIsExecuted$",
			Old: "return result, ran(err)", New: "return result, err",
			Why: "a tool of a graph that ran gets its money back, since a call of its own did not run",
		},
		{
			File: "authority/vet.go", Package: "./authority", Run: "^TestVetOfHalts$",
			Old: "\tv.halts()\n", New: "",
			Why: "a revocation of a misspelt name revokes nothing, without a word",
		},
		{
			File: "guard/evidence.go", Package: "./guard", Run: "^TestASignatureThatComesLaterIsRecorded$",
			Old: "!ok || !signedAlike(was, l)", New: "!ok || was == nil",
			Why: "evidence has no signature of a document that was signed after it was loaded, and the next start takes the version before",
		},
		{
			File: "authority/reload.go", Package: "./authority", Run: "^TestReloadNeverLosesAProhibition$",
			Old: "\t\treturn s.asBefore(docs, stuck)\n", New: "\t\treturn slices.DeleteFunc(kept, func(d Document) bool { return d.Name == stuck }), held\n",
			Why: "an authorization that a change of another file breaks takes what it prohibits with it",
		},
		{
			File: "authority/reload.go", Package: "./authority", Run: "^TestReloadNeverLosesAProhibition$",
			Old: "kept = append(kept, s.renamed(d, slices.Concat(docs, kept))...)", New: "kept = append(kept, s.renamed(d, slices.Concat(docs, kept))[:0]...)",
			Why: "an authorization that is renamed, with a mistake, takes what it prohibits with it",
		},
		{
			File: "guard/guard.go", Package: "./guard", Run: "^TestAFolderThatWasTurnedBackIsNoticed$",
			Old: "return l.Past(agent.ID, agent.Environment)", New: "return l.Past(agent.ID, agent.Environment)[:0]",
			Why: "a start undoes a revocation that left the folder",
		},
		{
			File: file,
			Old:  "if given.After(last) && !at.Before(given) {",
			New:  "if given.After(last) {",
			Why:  "a reaffirmation counts before it is given",
		},
		{
			File: file,
			Old:  "if r.Authorization.Value != g.ID.Value || (r.Version != 0 && r.Version != g.Version) {",
			New:  "if r.Authorization.Value != g.ID.Value {",
			Why:  "a reaffirmation of one version counts for all",
		},
		{
			File: file,
			Old:  "unsigned: !g.Signed && !s.options.trust.allowUnsigned,",
			New:  "unsigned: !g.Signed && s.options.trust.keys != nil && !s.options.trust.allowUnsigned,",
			Why:  "documents need no signature where the host has no keys",
		},
		{
			File: file,
			Old:  "if at.Before(h.At) {\n\t\treturn false",
			New:  "if at.Before(h.At) {\n\t\treturn true",
			Why:  "a suspension binds before its time",
		},
		{
			File: file,
			Old:  "return h.Agent == \"*\" || h.Agent == g.Agent.Value",
			New:  "return h.Agent == g.Agent.Value",
			Why:  "a halt of every agent halts none",
		},
		{
			File: file,
			Old:  "if h.Revocation {\n\t\treturn rationale.StandingRevoked",
			New:  "if !h.Revocation {\n\t\treturn rationale.StandingRevoked",
			Why:  "revocation and suspension are mistaken for each other",
		},
		{
			File: file,
			Old:  "m.Version == model.Version && m.Name == model.Name &&",
			New:  "m.Name == model.Name &&",
			Why:  "the version of the model is no part of the pin",
		},
		{
			File: file,
			Old:  "if prompt != g.Pins.Prompt {",
			New:  "if prompt != \"\" && prompt != g.Pins.Prompt {",
			Why:  "a host that gives no prompt digest passes the prompt's pin",
		},
		{
			File: file,
			Old:  "if p.Digest != digest {",
			New:  "if p.Digest == \"\" {",
			Why:  "a tool that changed after the grant passes its pin",
		},
		{
			File: "authority/assess.go",
			Old:  "if e.plan.grant.Lapsed == lapsedRecommends && standing.Recommendable() {",
			New:  "if standing.Recommendable() {",
			Why:  "a lapsed review recommends although the document says deny",
		},
		{
			File: "authority/assess.go",
			Old:  "if e.plan.grant.Lapsed == lapsedRecommends && standing.Recommendable() {",
			New:  "if e.plan.grant.Lapsed == lapsedRecommends {",
			Why:  "an expired grant is raised instead of refused",
		},
		{
			File: "authority/assess.go",
			Old:  "if e.plan.observes && e.call.At.Before(e.plan.observe) && observable(e.tally.Standing) {",
			New:  "if e.plan.observes && observable(e.tally.Standing) {",
			Why:  "observe mode never ends",
		},
		{
			File: file,
			Old:  "all := []time.Time{g.Grant.At, g.Grant.Expires, g.Grant.At.Add(g.Every)}",
			New:  "all := []time.Time{g.Grant.At, g.Grant.At.Add(g.Every)}",
			Why:  "the end of a grant is no instant at which its standing changes",
		},
		{
			File:    file,
			Old:     "if !halt.Until.IsZero() {\n\t\t\tall",
			New:     "if false {\n\t\t\tall",
			Why:     "the end of a suspension is no instant at which a standing changes",
			Package: "./authority", Run: "^TestStretches",
		},
		{
			File: file,
			Old:  "if at.Before(g.stretches[mid].from) {",
			New:  "if !at.After(g.stretches[mid].from) {",
			Why:  "a standing changes one instant too late",
		},
	}
}

func constraints() []mutant {
	const file = "authority/assess.go"
	return []mutant{
		{
			File: file,
			Old:  "return p.doc.has(v), v.Kind() != strictjson.Invalid",
			New:  "return p.doc.has(v) || v.Kind() == strictjson.Invalid, true",
			Why:  "an absent value passes an allow-list",
		},
		{
			File: file,
			Old:  "if !p.doc.has(v) {\n\t\t\treturn false, there\n\t\t}\n\t}\n\treturn there, there",
			New:  "if p.doc.has(v) {\n\t\t\treturn true, there\n\t\t}\n\t}\n\treturn false, there",
			Why:  "one allowed item admits the whole batch",
		},
		{
			File: file,
			Old:  "return slices.Contains(r.texts, v.Str())",
			New:  "return slices.ContainsFunc(r.texts, func(s string) bool { return len(s) == len(v.Str()) })",
			Why:  "an allow-list compares something else than the text",
		},
		{
			File: file,
			Old:  "case err != nil:\n\t\t\te.mark(mark{kind: markBound, index: int32(i), result: rationale.Errored, reason: evalReason(err), err: err})",
			New:  "case err != nil:\n\t\t\te.passed(markBound, i)",
			Why:  "a bound that errors is skipped",
		},
		{
			File: file,
			Old:  "case !holds:\n\t\t\te.mark(mark{kind: markBound,",
			New:  "case !holds && !e.plan.bounds[i].doc.Baseline:\n\t\t\te.mark(mark{kind: markBound,",
			Why:  "baselines are advice",
		},
		{
			File: file,
			Old:  "to := classify.Max(classify.AuthorizationRequired, t.doc.To)",
			New:  "to := e.plan.class.Tier",
			Why:  "a trigger that errors is skipped",
		},
		{
			File: file,
			Old:  "result: rationale.Raised, to: t.doc.To})",
			New:  "result: rationale.Raised, to: e.plan.class.Tier})",
			Why:  "a trigger that fires raises nothing",
		},
		{
			File: file,
			Old:  "ok && e.Kind == celplan.Unavailable {",
			New:  "ok && e.Kind == celplan.Absent {",
			Why:  "an unavailable fact is reported as something else",
		},
		{
			File:    file,
			Old:     "result: rationale.Errored, reason: rationale.EvaluationError, err: err})\n\t\tcase err != nil:\n\t\t\tto :=",
			New:     "result: rationale.Raised, to: t.doc.To, err: err})\n\t\tcase err != nil:\n\t\t\tto :=",
			Why:     "evaluators that disagree on a trigger only raise the call",
			Package: "./authority", Run: "^TestShadow",
		},
		{
			File: "authority/fact.go",
			Old:  "if given.At.Add(f.maxAge).Before(e.call.At) {",
			New:  "if given.At.Add(2 * f.maxAge).Before(e.call.At) {",
			Why:  "a stale fact serves",
		},
		{
			File: file,
			Old:  "required := e.set.requires(e.plan.class, e.tally.Tier)",
			New:  "required := e.set.requires(e.plan.class, e.plan.class.Tier)",
			Why:  "a call that was raised needs no better rationale",
		},
		{
			File: file,
			Old:  "if !check.Complete {",
			New:  "if !check.Complete && e.in.Rationale != nil {",
			Why:  "no rationale at all is complete",
		},
		{
			File: "rationale/check.go",
			Old:  "case read != nil && entry != \"\" && read(entry):",
			New:  "case entry != \"\":",
			Why:  "evidence that was never read counts",
		},
		{
			File: "authority/compile.go",
			Old:  "slices.Contains(domains, b.Domain) {",
			New:  "class.Domain == b.Domain {",
			Why:  "a class escapes a baseline by declaring another domain",
		},
	}
}

func money() []mutant {
	const file = "authority/price.go"
	return []mutant{
		{
			File: file,
			Old:  "return p.units > r.units",
			New:  "return p.units >= r.units",
			Why:  "an amount that is exactly the limit is above it",
		},
		{
			File: file,
			Old:  "if r.tier > e.plan.class.Tier {",
			New:  "if r.tier > e.tally.Tier+1 {",
			Why:  "a spend band does not raise by one tier",
		},
		{
			File: file,
			Old:  "index: int32(len(p.rungs)), result: rationale.Failed,",
			New:  "index: int32(len(p.rungs)), result: rationale.Raised, to: 3,",
			Why:  "an amount above the ladder can be approved",
		},
		{
			File: "authority/units.go",
			Old:  "return max(units, 0), ok",
			New:  "return units, ok",
			Why:  "a negative item makes room for another",
		},
		{
			File:    file,
			Old:     "total, err = addExact(total, notNegative(item))",
			New:     "total, err = addExact(total, item)",
			Why:     "a negative item makes room for another, where decimals are summed",
			Package: "./authority", Run: "^TestUnits",
		},
		{
			File: file,
			Old:  "if n < 0 {\n\t\t\t\tunits = 0\n\t\t\t}",
			New:  "if n < 0 {\n\t\t\t\treturn errors.New(\"negative\")\n\t\t\t}",
			Why:  "a negative estimate is refused instead of counting as zero",
		},
		{
			File: file,
			Old:  "case in.Currency != p.doc.Currency:",
			New:  "case in.Currency == \"\":",
			Why:  "an estimate in another currency counts one to one",
		},
		{
			File: file,
			Old:  "case in.Err != nil:\n\t\treturn decimal.Decimal{}, fmt.Errorf(\"estimator %s: %w\", p.doc.Estimator.Value, in.Err)",
			New:  "case in.Err != nil:\n\t\treturn decimal.Zero, nil",
			Why:  "an estimator that fails costs nothing",
		},
		{
			File: file,
			Old:  "if found == nil {",
			New:  "if found == nil {\n\t\treturn &price{}, nil\n\t}\n\tif found.unit == \"\" {",
			Why:  "a unit without a price is free",
		},
		{
			File:    file,
			Old:     "amount, err = mulExact(amount, ratio)",
			New:     "amount, err = mulExact(amount, decimal.One)",
			Why:     "the horizon does not count, where decimals are multiplied",
			Package: "./authority", Run: "^TestUnits",
		},
		{
			File: "authority/units.go",
			Old:  "made.units, made.fits = times(made.units, int64(over.Coef()))",
			New:  "made.units, made.fits = times(made.units, 1)",
			Why:  "the horizon does not count",
		},
		{
			File:    "authority/units.go",
			Old:     "return int64(low), high == 0 && low <= math.MaxInt64",
			New:     "return int64(low), high == 0",
			Why:     "an amount wraps",
			Package: "./authority", Run: "^TestUnits",
		},
		{
			File: file,
			Old:  "e.mark(mark{kind: markPrice, result: rationale.Failed, reason: rationale.Unpriced, err: err})",
			New:  "e.passed(markPrice, 0)",
			Why:  "what cannot be priced is free",
		},
	}
}

// arguments breaks the way in for arguments.
func arguments() []mutant {
	const pkg = "internal/strictjson/"
	return []mutant{
		{
			File: pkg + "number.go",
			Old:  "if d.negative {\n\t\t\treturn d, \"negative zero; write 0\"\n\t\t}",
			New:  "",
			Why:  "negative zero is a number",
		},
		{
			File: pkg + "number.go",
			Old:  "if near.exp != d.exp || near.digits != d.digits {",
			New:  "if near.exp != d.exp {",
			Why:  "a number is rounded into range",
		},
		{
			File: pkg + "number.go",
			Old:  "case !d.negative && u <= math.MaxInt64:",
			New:  "case !d.negative:",
			Why:  "an integer past int64 wraps around",
		},
		{
			File: pkg + "decode.go",
			Old:  "if declared, ok := n.folded(string(name)); ok {",
			New:  "if declared, ok := n.folded(string(name)); ok && n.extra == nil {",
			Why:  "REPLICAS passes beside replicas",
		},
		{
			File: pkg + "decode.go",
			Old:  "if escaped && bytes.IndexByte(plain, 0) >= 0 {",
			New:  "if escaped && bytes.IndexByte(plain, 0) == 0 {",
			Why:  "a name with NUL at its end passes",
		},
		{
			File: pkg + "decode.go",
			Old:  "if so.required < n.required {",
			New:  "if so.required < n.required-1 {",
			Why:  "one required property may be missing",
		},
		{
			File: pkg + "decode.go",
			Old:  "if n.enum != nil && !n.allows(&v) {",
			New:  "if len(n.enum) == 1 && !n.allows(&v) {",
			Why:  "a value outside of an enum passes",
		},
		{
			File: pkg + "decode.go",
			Old:  "if depth >= d.lim.Depth {",
			New:  "if depth > 8*d.lim.Depth {",
			Why:  "nesting has no limit",
		},
	}
}
