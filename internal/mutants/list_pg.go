package main

// replicating breaks what is promised of replicas on PostgreSQL. Without a server its tests are skipped, and
// the baseline says so.
func replicating() []mutant {
	const (
		dir    = "guard/ledger/pgledger"
		pkg    = "./" + dir
		script = dir + "/migrations/0001_ledger.sql"
		log    = dir + "/log.go"
		batch  = dir + "/batch.go"
		base   = dir + "/database.go"
		follow = dir + "/follow.go"
		shares = "^(TestReplicasShareAWindow|TestReplicasShareTickets)$"
	)
	return []mutant{
		{
			File: script, Package: pkg, Run: shares,
			Old: "IF head.seq <> behind OR head.hash <> behind_hash OR decided > clock", New: "IF decided > clock",
			Why: "what was judged on older records is appended behind newer ones",
		},
		{
			File: log, Package: pkg, Run: "^TestNobodyIsRefusedForWhatAReplicaHasNotSeen$",
			Old: "p, err := l.db.tail(ctx, b.before.Seq)", New: "p, err := page{head: b.before}, error(nil)",
			Why: "a step is refused for what the replica has not seen",
		},
		{
			File: batch, Package: pkg, Run: "^TestAnApprovalWhoseUseHasNoAnswer$",
			Old: "\t\tfor _, r := range slices.Backward(b.steps) {\n\t\t\tr.Undo(false)\n\t\t}\n\t\treturn true\n", New: "\t\treturn true\n",
			Why: "what was never recorded keeps what it took",
		},
		{
			File: base, Package: pkg, Run: "^TestAnApprovalWhoseUseHasNoAnswer$",
			Old: "return fmt.Errorf(\"%w: %w\", errSent, err)", New: "return err",
			Why: "an append without an answer counts as not done",
		},
		{
			File: script, Package: pkg, Run: "^TestACommitHasToBeDurable$",
			Old: "current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') OR ", New: "",
			Why: "a commit is acknowledged that a crash of the server loses",
		},
		{
			File: script, Package: pkg, Run: "^TestACommitHasToBeDurable$",
			Old: " OR current_setting('fsync') <> 'on' THEN", New: " THEN",
			Why: "a commit is acknowledged that a crash of the machine loses",
		},
		{
			File: script, Package: pkg, Run: "^TestAReplicaThatStandsStill$",
			Old: "    PERFORM set_config('idle_in_transaction_session_timeout', '3s', true);\n", New: "",
			Why: "a replica that stands still stops all others",
		},
		{
			File: batch, Package: pkg, Run: "^TestALogWithAnotherPastDenies$",
			Old: "p.head.Seq < l.head.Seq || p.head.Seq == l.head.Seq && p.head.Hash != l.head.Hash", New: "p.head.Seq == l.head.Seq && p.head.Hash != l.head.Hash",
			Why: "a database that lost records is decided on",
		},
		{
			File: batch, Package: pkg, Run: "^TestALogWithAnotherPastDenies$",
			Old: "whole && chain.Head().Hash != p.head.Hash", New: "whole && chain.Head().Hash == \"\"",
			Why: "records that do not follow from those before are decided on",
		},
		{
			File: batch, Package: pkg, Run: "^TestARecordOfANewerVersionDenies$",
			Old: "case *rationale.Unknown:\n", New: "case *rationale.Unknown:\n\t\treturn nil\n",
			Why: "a record of an unknown kind is passed over",
		},
		{
			File: batch, Package: pkg, Run: "^TestARecordOfANewerVersionDenies$",
			Old: "return readable(r, at.Seq)", New: "return nil",
			Why: "a replica goes on beside one that judges by what it does not know",
		},
		{
			File: dir + "/migrate.go", Package: pkg, Run: "^TestTablesOfANewerVersion$",
			Old: "case serves > len(history):", New: "case serves < 0:",
			Why: "a version works on tables that it does not know",
		},
		{
			File: dir + "/open.go", Package: pkg, Run: "^TestALateOutcomeIsUnknown$",
			Old: "\t\t\t_ = expire(ctx) // the next one tries again\n", New: "",
			Why: "the decision of a process that ended stays open",
		},
		{
			File: follow, Package: pkg, Run: "^TestReplicasDeliverInTurn$",
			Old: "if !f.delivers && f.usurped == nil {", New: "if !f.delivers && f.usurped == nil && f.name == \"\" {",
			Why: "every replica delivers everything",
		},
		{
			File: follow, Package: pkg, Run: "^TestFollower$",
			Old: "\t\tif !f.delivers || f.moved {\n\t\t\treturn nil\n\t\t}\n", New: "",
			Why: "a replica that stands by moves the place of the one that delivers",
		},
		{
			File: "otelx/worker.go", Package: pkg, Run: "^TestReplicasDeliverInTurn$",
			Old: "\t\tw.begin(place)\n", New: "\t\t_ = place\n",
			Why: "a replica that takes over delivers everything again",
		},
		{
			File: script, Package: pkg, Run: "^TestRetire$",
			Old: "SELECT least(before, l.snapshot,", New: "SELECT least(before,",
			Why: "records go that a replica needs to start",
		},
		{
			File: script, Package: pkg, Run: "^TestRetire$",
			Old: "        (SELECT min((place->'head'->>'seq')::bigint) FROM ambit.cursors),\n", New: "",
			Why: "records go that are not delivered",
		},
		{
			File: dir + "/read.go", Package: "./cmd/ambit", Run: "^TestScripts$/^postgres$",
			Old: "case last.Seq < end.Seq:", New: "case end.Seq == 0:",
			Why: "records that were cut off the end are not missed",
		},
	}
}
