package main

// people breaks what approvals, reviews and suspensions rest on.
func people() []mutant {
	const (
		approval = "rationale/approval.go"
		tickets  = "guard/ledger/tickets.go"
		reviews  = "guard/ledger/reviews.go"
		suspends = "guard/ledger/suspensions.go"
		audits   = "guard/ledger/audits.go"
		rational = "./rationale"
		ledger   = "./guard/ledger"
		present  = "^TestPresent$"
		answer   = "^TestWhoMayAnswer$"
	)
	return []mutant{
		{
			File: approval, Package: rational, Run: present,
			Old: "case d.ActionDigest == \"\" || d.ActionDigest != p.Decision.ActionDigest:",
			New: "case d.ActionDigest != p.Decision.ActionDigest:",
			Why: "an action without a digest is any other",
		},
		{
			File: approval, Package: rational, Run: present,
			Old: "d.ActionDigest == \"\" || d.ActionDigest != p.Decision.ActionDigest", New: "d.ActionDigest == \"\"",
			Why: "an approval serves another action",
		},
		{
			File: approval, Package: rational, Run: present,
			Old: "return \"it has expired\"", New: "return \"\"",
			Why: "an approval serves after it has expired",
		},
		{
			File: approval, Package: rational, Run: present,
			Old: "return \"its approval was used already: it serves once\"", New: "return \"\"",
			Why: "an approval serves twice",
		},
		{
			File: approval, Package: rational, Run: present,
			Old: "if a.Answer != AnswerApprove {", New: "if a.Answer == AnswerDeny {",
			Why: "an unknown answer approves",
		},
		{
			File: approval, Package: rational, Run: present,
			Old: "if after.Cmp(before) > 0 {", New: "if after.Cmp(before) > 1 {",
			Why: "a price that rose needs no new approval",
		},
		{
			File: approval, Package: rational, Run: present,
			Old: "if c.Result == Raised && c.To >= classify.AuthorizationRequired && !known {",
			New: "if c.Kind == CheckBand && c.Result == Raised && c.To >= classify.AuthorizationRequired && !known {",
			Why: "a new reason needs no new approval",
		},
		{
			File: approval, Package: rational, Run: present,
			Old: "was.Authorization.Matrix != d.Authorization.Matrix", New: "was.Authorization.Matrix == \"\"",
			Why: "an approval outlives the ceilings that it was given under",
		},
		{
			File: approval, Package: rational, Run: answer,
			Old: "if err := d.uninvolved(a.By); err != nil {\n\t\treturn err\n\t}\n\tif !a.By.Among", New: "if !a.By.Among",
			Why: "who asks, and who owns, approves",
		},
		{
			File: approval, Package: rational, Run: answer,
			Old: "return a != \"\" && strings.EqualFold(a, b)", New: "return a != \"\" && a == b",
			Why: "a second spelling is a second person",
		},
		{
			File: approval, Package: rational, Run: answer,
			Old: "case amount.Cmp(top) > 0:", New: "case amount.Cmp(top) > 1:",
			Why: "an approval above one's own ceiling counts",
		},
		{
			File: approval, Package: rational, Run: answer,
			Old: "case !found:\n", New: "case !found && len(d.Ticket.Ceilings) > 0:\n",
			Why: "where nobody has a ceiling, everybody approves",
		},
		{
			File: tickets, Package: "./guard", Run: "^TestOneApprovalManyRacers$",
			Old: "\t\tt.user = d.ID\n", New: "",
			Why: "an approval serves all who present it at once",
		},
		{
			File: tickets, Package: ledger, Run: "^TestWhatMayBeRecordedHoldsTheTicket$",
			Old: "t.denying = a.Answer == rationale.AnswerDeny", New: "t.denying = false",
			Why: "a call runs while its denial is being recorded",
		},
		{
			File: tickets, Package: ledger, Run: "^TestOnePersonIsNoQuorum$",
			Old: "return b.Answer == a.Answer && rationale.SamePerson(b.By.ID, a.By.ID)", New: "return b.ID == a.ID",
			Why: "one person who answers twice on a slow disk is a quorum of two",
		},
		{
			File: tickets, Package: ledger, Run: "^TestPeopleDoNotMoveTheClock$",
			Old: "at.Sub(now) > maxSkew", New: "at.IsZero()",
			Why: "a mistyped year ends every ticket for good",
		},
		{
			File: "guard/ledger/memory.go", Package: ledger, Run: "^TestRecordTakesNoAudits$",
			Old: " || l.Event == rationale.EventAudited || l.Event == rationale.EventAnswered {", New: " {",
			Why: "an audit is answered by nobody",
		},
		{
			File: suspends, Package: ledger, Run: "^TestASuspensionThatIsNotRecordedIsInNoSnapshot$",
			Old: "if !s[what].recorded {", New: "if s[what].by == nil {",
			Why: "a suspension that nobody has on record outlives its process",
		},
		{
			File: suspends, Package: ledger, Run: "^TestASuspensionIsNotOvertaken$",
			Old: "\tif err := m.switching.take(ctx); err != nil {\n\t\treturn err\n\t}\n\tdefer m.switching.end()\n\tif err := m.halt", New: "\tif err := m.halt",
			Why: "a resumption that is under way ends a later suspension",
		},
		{
			File: suspends, Package: ledger, Run: "^TestEverythingCanAlwaysBeSuspended$",
			Old: "len(s) >= maxSuspensions && !what.Everything", New: "len(s) >= maxSuspensions",
			Why: "everything cannot be suspended where much is",
		},
		{
			File: tickets, Package: ledger, Run: "^TestAnswersAndUsesSurviveARestart$",
			Old: "Used: one.Used, Replaced: one.Replaced", New: "Replaced: one.Replaced",
			Why: "an approval serves once more after a restart",
		},
		{
			File: tickets, Package: ledger, Run: "^TestAnAgentPushesOutItsOwnTickets$",
			Old: "s.forget(s.largest().expiry.first().id)", New: "s.forget(s.expiry.first().id)",
			Why: "an agent that asks for much makes the ledger forget what others wait for",
		},
		{
			File: tickets, Package: ledger, Run: "^TestReplicasForgetTheSameTickets$",
			Old: "m.tickets.expire(d.At)", New: "m.tickets.expire(m.latest.Add(maxSkew))",
			Why: "a replica that was behind knows other tickets than those that were not",
		},
		{
			File: "guard/ledger/documents.go", Package: ledger, Run: "^TestDocumentsStayInTheOrderInWhichTheyWereLoaded$",
			Old: "cmp.Compare(a.n, b.n)", New: "cmp.Compare(a.Digest, b.Digest)",
			Why: "people are who an authority matrix says that was taken back",
		},
		{
			File: "guard/ledger/state.go", Package: ledger, Run: "^TestThePastOutlivesEverything$",
			Old: ", p.past.restore(said.Past))", New: ")",
			Why: "a revocation is forgotten when the segment that records it is removed",
		},
		{
			File: "guard/ledger/past.go", Package: "./guard", Run: "^TestTwoHostsUndoNoRevocation$",
			Old: "= l\n\tcase l.Event == rationale.EventLoaded",
			New: "= l\n\tcase l.Event == rationale.EventUnloaded:\n\t\tdelete(p.revocations, revocationKey(l, l.Digest))\n\tcase l.Event == rationale.EventLoaded",
			Why: "two hosts unload one each of two revocations that say the same, and none is left",
		},
		{
			File: "guard/ledger/past.go", Package: ledger, Run: "^TestThePastOutlivesEverything$",
			Old: "\t\tdelete(p.revocations, revocationKey(l, l.Supersedes))\n", New: "",
			Why: "every edition of a revocation is in every snapshot",
		},
		{
			File: "internal/versions/versions.go", Package: ledger, Run: "^TestThePastOutlivesEverything$",
			Old: "a.Number >= b.Number && !a.Granted.After(b.Granted)", New: "a.Number >= b.Number",
			Why: "a version for later makes the ledger forget the one that is in force",
		},
		{
			File: "cmd/ambit/inventory.go", Package: "./cmd/ambit", Run: "^TestInventoryOfAFolderThatWasTurnedBack$",
			Old: "maps.Copy(next.past, h.past)", New: "clear(next.past)",
			Why: "the inventory shows what the host holds superseded as active",
		},
		{
			File: "internal/desk/strange.go", Package: "./internal/desk", Run: "^TestWhatNoDocumentIsOf$",
			Old: "\tif names[name] {", New: "\tif len(names) > 0 {",
			Why: "a misspelt name is suspended without a word",
		},
		{
			File: "cmd/ambit/who.go", Package: "./cmd/ambit", Run: "^TestSeveralMatrices$",
			Old: "return common(u, authority.User{}), false, nil", New: "return u, false, nil",
			Why: "the matrix of one host gives rights that another has taken back",
		},
		{
			File: tickets, Package: "./guard", Run: "^TestReviewsOfASample$",
			Old: "d.Verdict == rationale.Allow && d.Mode == rationale.Enforce ||", New: "d.Verdict == rationale.Allow && d.Tier > 2 && d.Mode == rationale.Enforce ||",
			Why: "an approval that is no longer needed stays for a second call",
		},
		{
			File: "guard/ledger/admission.go", Package: "./guard", Run: "^TestAnApprovedCallRunsOnce$",
			Old: "\tif d.Parent != \"\" {\n\t\tm.present(d, m.later(now))\n\t}\n", New: "",
			Why: "tickets are not looked at",
		},
		{
			File: "guard/begin.go", Package: "./guard", Run: "^TestWithoutEvidenceNoTicketServes$",
			Old: "if err == nil && g.ledger == nil && d.Parent != \"\" {", New: "if err != nil && g.ledger == nil && d.Parent != \"\" {",
			Why: "without a ledger any ticket is as good as none",
		},
		{
			File: reviews, Package: ledger, Run: "^TestOverdueReviewsBrakeTheClass$",
			Old: "case n > d.Terms.MaxOverdue:", New: "case n > d.Terms.MaxOverdue+1:",
			Why: "a class goes on with more overdue reviews than it may have",
		},
		{
			File: reviews, Package: ledger, Run: "^TestOverdueReviewsBrakeTheClass$",
			Old: "if due.After(at) {", New: "if !due.Before(at) {",
			Why: "a review that is due now is not overdue",
		},
		{
			File: "rationale/review.go", Package: rational, Run: "^TestWhoMayReview$",
			Old: "case r.By.Among(d.Review.NotBy):", New: "case r.By.Among(nil):",
			Why: "who approves also reviews",
		},
		{
			File: "rationale/review.go", Package: rational, Run: "^TestSampled$",
			Old: ">>1 < share", New: ">>1 <= share",
			Why: "a share of nothing samples something",
		},
		{
			File: "authority/standing.go", Package: "./guard", Run: "^TestQuorumAndTimeOfTheDocument$",
			Old: "ApproveQuorum: g.Approval.Quorum,", New: "ApproveQuorum: 1,",
			Why: "one person approves where the document asks for two",
		},
		{
			File: "authority/standing.go", Package: "./guard", Run: "^TestQuorumAndTimeOfTheDocument$",
			Old: "ApproveWithin: g.Approval.TTL,", New: "ApproveWithin: defaultTTL,",
			Why: "a ticket is open for longer than the document says",
		},
		{
			File: "authority/record.go", Package: "./guard", Run: "^TestAnApprovalIsBoundToItsAction$",
			Old: "ToolDigest: d.Tool.Digest, ", New: "",
			Why: "an approval serves another version of the tool",
		},
		{
			File: "rationale/conclude.go", Package: "./guard", Run: "^TestTheSampleFollowsFromTheID$",
			Old: "d.ID != \"\" && Sampled(d.ID, d.Terms.ReviewSample)", New: "d.ID != \"\"",
			Why: "whoever is in a sample, everybody is",
		},
		{
			File: "authority/standing.go", Package: "./guard", Run: "^TestTheSampleFollowsFromTheID$",
			Old: "n.Lsh(n, 63)", New: "n.Lsh(n, 62)",
			Why: "half of the sample that was granted is reviewed",
		},
		{
			File: audits, Package: ledger, Run: "^TestAuditsBrake$",
			Old: "if u.Found > d.Terms.MaxUnexplained {", New: "if u.Found > d.Terms.MaxUnexplained+1 {",
			Why: "an audit may find one act more",
		},
		{
			File: audits, Package: ledger, Run: "^TestAuditsBrake$",
			Old: "if n := l.Audit.Found(); n > 0 &&", New: "if n := l.Audit.Found(); n > 0 || len(a.Unanswered) > 0 &&",
			Why: "an audit that finds nothing waits for an answer",
		},
		{
			File: audits, Package: ledger, Run: "^TestAuditsBrake$",
			Old: "at.After(due)", New: "of == nil && at.After(due)",
			Why: "one audit is enough for ever",
		},
		{
			File: audits, Package: ledger, Run: "^TestAuditsCoverWithoutAGap$",
			Old: "if !c.From.After(granted) && c.Until", New: "if c.Until",
			Why: "an audit of some time after the grant covers all before it",
		},
		{
			File: "rationale/audit.go", Package: ledger, Run: "^TestAuditsThatCannotBe$",
			Old: "|| until.After(at):", New: ":",
			Why: "an audit covers what is yet to come",
		},
		{
			File: suspends, Package: ledger, Run: "^TestSuspensionFailsClosed$",
			Old: "func (s *suspending) undo(bool) {}", New: "func (s *suspending) undo(bool) { delete(s.suspensions, s.what) }",
			Why: "a suspension that cannot be recorded is not in force",
		},
		{
			File: suspends, Package: ledger, Run: "^TestSuspendWaitsForWhatWasChecked$",
			Old: "\tm.admitting.Lock()\n\t//lint:ignore SA2001 a barrier: there is nothing to do but wait\n\tm.admitting.Unlock()\n", New: "",
			Why: "a call that was checked before is recorded after the suspension",
		},
		{
			File: suspends, Package: ledger, Run: "^TestSuspensions$",
			Old: "\t\ts.apply(l)\n", New: "\t\t_ = l\n",
			Why: "a suspension ends with the process",
		},
		{
			File: "guard/einoguard/approval.go", Package: "./guard/einoguard", Run: "^TestParallelCallsOfWhichSomePend$",
			Old: "!named && kept", New: "!named && !kept",
			Why: "a resumption of one interrupt presents the tickets of all",
		},
		{
			File: "guard/einoguard/approval.go", Package: "./guard/einoguard", Run: "^TestApprovalAfterARestart$",
			Old: "call.Ticket, call.Text, call.Reasoning, call.TextSource = was.Ticket, was.Text, was.Reasoning, was.Source",
			New: "call.Text, call.Reasoning, call.TextSource = was.Text, was.Reasoning, was.Source",
			Why: "a resumption loses its ticket",
		},
		{
			File: "guard/einoguard/approval.go", Package: "./guard/einoguard", Run: "^TestAStateOfAnotherTypeDenies$",
			Old: "\t\tcall.Ticket = unreadable // which denies\n", New: "",
			Why: "a checkpoint that cannot be read asks people again, as if nothing had been",
		},
		{
			File: "guard/refusal.go", Package: "./guard", Run: "^TestADenialIsToldAsAWhole$",
			Old: "[...]bool{true, false}", New: "[...]bool{false, true}",
			Why: "what people said is left out for what they were asked",
		},
		{
			File: "rationale/approval.go", Package: "./guard", Run: "^TestReviewsOfASample$",
			Old: "d.Terms.ApprovedBy = append(d.Terms.ApprovedBy, a.By.ID)", New: "_ = a",
			Why: "who approved a call, and left the group since, reviews it",
		},
		{
			File: reviews, Package: ledger, Run: "^TestAnActionWithoutAnOutcomeIsReviewedAfterItsLease$",
			Old: "!v.later(v.asOf(r.At)).After(o.lease)", New: "!v.later(v.asOf(r.At)).IsZero()",
			Why: "a tool that hangs keeps its class braked until a restart",
		},
		{
			File: reviews, Package: ledger, Run: "^TestAnActionWithoutAnOutcomeIsReviewedAfterItsLease$",
			Old: "lease := leased(d)", New: "lease := d.At",
			Why: "an action is judged before it has ended",
		},
	}
}
