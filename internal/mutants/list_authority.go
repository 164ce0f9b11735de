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
			Old:  "next := s.nextReview(g, at); !at.Before(next) {",
			New:  "next := s.nextReview(g, at); at.After(next) {",
			Why:  "a review lapses one instant too late",
		},
		{
			File: file,
			Old:  "newest.version > g.Version && !at.Before(newest.at) {",
			New:  "newest.version > g.Version+1 && !at.Before(newest.at) {",
			Why:  "an older version comes back into force",
		},
		{
			File: file,
			Old:  "if s.reaffirms(r, g) && r.At.After(last) && !at.Before(r.At) {",
			New:  "if s.reaffirms(r, g) && r.At.After(last) {",
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
			Old:  "if !g.Signed && !s.options.trust.allowUnsigned {",
			New:  "if !g.Signed && s.options.trust.keys != nil && !s.options.trust.allowUnsigned {",
			Why:  "documents need no signature where the host has no keys",
		},
		{
			File: file,
			Old:  "if at.Before(h.At) || (",
			New:  "if (",
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
			Old:  "if !slices.Contains(g.Pins.Models, modelPin{m.Provider, m.Name, m.Version}) {",
			New:  "if !slices.Contains(g.Pins.Models, modelPin{m.Provider, m.Name, g.Pins.Models[0].Version}) {",
			Why:  "the version of the model is no part of the pin",
		},
		{
			File: file,
			Old:  "if c.call.Prompt != g.Pins.Prompt {",
			New:  "if c.call.Prompt != \"\" && c.call.Prompt != g.Pins.Prompt {",
			Why:  "a host that gives no prompt digest passes the prompt's pin",
		},
		{
			File: file,
			Old:  "if p.Digest != c.plan.tool.digest {",
			New:  "if p.Digest == \"\" {",
			Why:  "a tool that changed after the grant passes its pin",
		},
		{
			File: "authority/assess.go",
			Old:  "if g.Lapsed == lapsedRecommends && f.standing.Recommendable() {",
			New:  "if f.standing.Recommendable() {",
			Why:  "a lapsed review recommends although the document says deny",
		},
		{
			File: "authority/assess.go",
			Old:  "if g.Lapsed == lapsedRecommends && f.standing.Recommendable() {",
			New:  "if g.Lapsed == lapsedRecommends {",
			Why:  "an expired grant is raised instead of refused",
		},
		{
			File: "authority/assess.go",
			Old:  "if a.d.At.Before(until) && observable(a.d.Standing) {",
			New:  "if observable(a.d.Standing) && !until.IsZero() {",
			Why:  "observe mode never ends",
		},
	}
}

func constraints() []mutant {
	const file = "authority/assess.go"
	return []mutant{
		{
			File: file,
			Old:  "check.Message = p.path.text + \" is absent\"",
			New:  "check.Result = rationale.Passed",
			Why:  "an absent value passes an allow-list",
		},
		{
			File: file,
			Old:  "if !slices.ContainsFunc(p.values, func(w strictjson.Value) bool { return equalScalar(v, w) }) {\n\t\t\treturn false\n\t\t}\n\t}\n\treturn len(values) > 0",
			New:  "if slices.ContainsFunc(p.values, func(w strictjson.Value) bool { return equalScalar(v, w) }) {\n\t\t\treturn true\n\t\t}\n\t}\n\treturn false",
			Why:  "one allowed item admits the whole batch",
		},
		{
			File: file,
			Old:  "return v.Str() == w.Str()",
			New:  "return len(v.Str()) == len(w.Str())",
			Why:  "an allow-list compares something else than the text",
		},
		{
			File: file,
			Old:  "case err != nil:\n\t\t\tcheck.Result, check.Reason, check.Message = rationale.Errored, evalReason(err), err.Error()",
			New:  "case err != nil:\n\t\t\tcheck.Message = err.Error()",
			Why:  "a bound that errors is skipped",
		},
		{
			File: file,
			Old:  "case !holds:",
			New:  "case !holds && !b.doc.Baseline:",
			Why:  "baselines are advice",
		},
		{
			File: file,
			Old:  "check.Result, check.To = rationale.Raised, classify.Max(classify.AuthorizationRequired, t.doc.To)",
			New:  "check.To = t.doc.To",
			Why:  "a trigger that errors is skipped",
		},
		{
			File: file,
			Old:  "check.Result, check.To = rationale.Raised, t.doc.To\n\t\t}\n\t\ta.add(check)",
			New:  "check.Result, check.To = rationale.Raised, a.d.BaseTier\n\t\t}\n\t\ta.add(check)",
			Why:  "a trigger that fires raises nothing",
		},
		{
			File: file,
			Old:  "if errors.As(err, &e) && e.Kind == celplan.Unavailable {",
			New:  "if errors.As(err, &e) && e.Kind == celplan.Absent {",
			Why:  "an unavailable fact is reported as something else",
		},
		{
			File: file,
			Old:  "spec.MaxAge > 0 && age > spec.MaxAge {",
			New:  "spec.MaxAge > 0 && age > 2*spec.MaxAge {",
			Why:  "a stale fact serves",
		},
		{
			File: file,
			Old:  "required := a.plan.requires(a.tier)",
			New:  "required := a.plan.requires(a.d.BaseTier)",
			Why:  "a call that was raised needs no better rationale",
		},
		{
			File: file,
			Old:  "if !result.Complete {",
			New:  "if !result.Complete && a.in.Rationale != nil {",
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
			Old:  "if slices.Contains(domains, b.Domain) {",
			New:  "if p.class.Domain == b.Domain {",
			Why:  "a class escapes a baseline by declaring another domain",
		},
	}
}

func money() []mutant {
	const file = "authority/price.go"
	return []mutant{
		{
			File: file,
			Old:  "if amount.Cmp(r.limit) > 0 {",
			New:  "if amount.Cmp(r.limit) >= 0 {",
			Why:  "an amount that is exactly the limit is above it",
		},
		{
			File: file,
			Old:  "if r.tier > a.d.BaseTier {",
			New:  "if r.tier > a.tier+1 {",
			Why:  "a spend band does not raise by one tier",
		},
		{
			File: file,
			Old:  "Kind: rationale.CheckBand, ID: \"per_event\", Result: rationale.Failed,",
			New:  "Kind: rationale.CheckBand, ID: \"per_event\", Result: rationale.Raised, To: classify.AuthorizationRequired,",
			Why:  "an amount above the ladder can be approved",
		},
		{
			File: file,
			Old:  "total, err = addExact(total, notNegative(item))",
			New:  "total, err = addExact(total, item)",
			Why:  "a negative item makes room for another",
		},
		{
			File: file,
			Old:  "amount = notNegative(amount)\n\ts.Amount",
			New:  "if amount.IsNeg() {\n\t\treturn s, amount, fmt.Errorf(\"negative\")\n\t}\n\ts.Amount",
			Why:  "a negative estimate is refused instead of counting as zero",
		},
		{
			File: file,
			Old:  "case e.Currency != p.doc.Currency:",
			New:  "case e.Currency == \"\":",
			Why:  "an estimate in another currency counts one to one",
		},
		{
			File: file,
			Old:  "case e.Err != nil:\n\t\treturn decimal.Decimal{}, fmt.Errorf(\"estimator %s: %w\", p.doc.Estimator.Value, e.Err)",
			New:  "case e.Err != nil:\n\t\treturn decimal.Zero, nil",
			Why:  "an estimator that fails costs nothing",
		},
		{
			File: file,
			Old:  "price, ok := p.prices[s.Unit]\n\tif !ok {",
			New:  "price, ok := p.prices[s.Unit]\n\tif !ok && len(p.prices) == 0 {",
			Why:  "a unit without a price is free",
		},
		{
			File: file,
			Old:  "amount, err = mulExact(amount, p.ratio)",
			New:  "amount, err = mulExact(amount, decimal.One)",
			Why:  "the horizon does not count",
		},
		{
			File: "authority/assess.go",
			Old:  "Kind: rationale.CheckPrice, ID: s.Basis, Result: rationale.Failed, Reason: rationale.Unpriced, Message: err.Error(),",
			New:  "Kind: rationale.CheckPrice, ID: s.Basis, Result: rationale.Passed, Message: err.Error(),",
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
			Old:  "if declared, ok := n.folded(string(plain)); ok {",
			New:  "if declared, ok := n.folded(string(plain)); ok && n.extra == nil {",
			Why:  "REPLICAS passes beside replicas",
		},
		{
			File: pkg + "decode.go",
			Old:  "if bytes.IndexByte(plain, 0) >= 0 {",
			New:  "if bytes.IndexByte(plain, 0) == 0 {",
			Why:  "a name with NUL at its end passes",
		},
		{
			File: pkg + "decode.go",
			Old:  "if required < n.required {",
			New:  "if required < n.required-1 {",
			Why:  "one required property may be missing",
		},
		{
			File: pkg + "decode.go",
			Old:  "if n.enum != nil && !slices.ContainsFunc(n.enum, v.Equal) {",
			New:  "if len(n.enum) == 1 && !slices.ContainsFunc(n.enum, v.Equal) {",
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
