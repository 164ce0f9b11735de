// Package authority turns the documents in which people grant an agent its
// authority into an immutable, compiled [Set], and asks it about calls. It has
// no side effects, reads no clock and keeps no state: a guard, ambit check and
// an audit get the same answer from the same code.
//
// A call is evaluated in two halves, because what a rule needs to know is known
// only once the class is:
//
//	c := set.Classify(call)      // which tool, arguments against its schema, which class
//	facts := fetch(c.Facts())    // only what that class reads
//	d := set.Assess(c, authority.Input{Facts: facts})
//
// The draft decision names every check and how it came out. Nothing in it is
// admitted or recorded: that is a ledger's work, which concludes it again.
// [Set.Evaluate] does both halves at once, for a host that has the facts at hand
// and wants the verdict alone.
//
// # Reading a refusal
//
// An evaluation (evaluation.go) goes through the stages of classify.go and
// assess.go, which note for each check how it came out; record.go makes the
// checks of the record from these notes. Where a reason comes from, in the
// order of evaluation:
//
//	unknown_tool, invalid_arguments            classify.go
//	no_authorization, unclassified             classify.go, contest.go, and Choose in package classify
//	ambiguous_class                            the same
//	expired, revoked, … (standing)             standing.go
//	pin_mismatch                               standing.go
//	fact_unavailable                           fact.go
//	not_allowed, bound_violated                assess.go
//	evaluation_error                           assess.go; where evaluators of CEL disagree, shadow.go
//	unpriced, spend_limit                      price.go, units.go
//	rationale_incomplete                       assess.go, and Check in package rationale
//	prohibited, approval_required              Conclude in package rationale
//	evidence_unavailable                       begin.go in package guard
//	the verdict itself                         Tally in package rationale
//
// # Documents
//
// Documents are YAML, read strictly: every error has a file, line, column and
// caret ([Error]). A document that is wrong does not load at all. What a class
// says is compiled for each tool that it matches, against the tool's schema and
// the types of the host's facts.
package authority
