package main

// delivery breaks what the way of evidence to a backend promises.
func delivery() []mutant {
	const (
		journal = "./rationale/journal"
		pkg     = "./otelx"
		crash   = "^TestACrashAtAnyMomentLosesNoSpan$"
		refused = "^(TestARefusedSpanIsIsolatedAndKept|TestARejectionMustBeKept|TestAnOutageRejectsNothing|TestABackendThatRefuses.*|TestAPoisonous.*)$"
	)
	return []mutant{
		{
			File: "otelx/delivery.go", Package: pkg, Run: "^TestMetricsOfTwoDeliveries$",
			Old: "attribute.String(DeliveryName, s.Name())",
			New: "attribute.String(DeliveryName, s.Name()[:0])",
			Why: "a delivery that works hides that another one does not",
		},
		{
			File: "otelx/span.go", Package: pkg, Run: "^TestClockThatRanBackwards$",
			Old: "\t\treturn start.Add(time.Nanosecond)\n",
			New: "\t\treturn start\n",
			Why: "a span lasts no time, which a backend repairs, and takes the repaired copies for two",
		},
		{
			File: "otelx/worker.go", Package: pkg, Run: crash,
			Old: "= place, place, place.Head, rationale.Head{}",
			New: "= place, place, w.source.Head(), rationale.Head{}",
			Why: "a delivery begins with what is new, and not where the last one stopped",
		},
		{
			File: "otelx/worker.go", Package: pkg, Run: crash,
			Old: "\terr := w.source.Keep(w.place)\n",
			New: "\terr := w.source.Keep(journal.Place{Head: w.read, From: w.place.From})\n",
			Why: "what was read counts as delivered",
		},
		{
			File: "guard/ledger/pgledger/follow.go", Package: "./guard/ledger/pgledger", Run: "^TestALockThatNobodyDeliversUnder$",
			Old: "if !f.delivers && f.usurped == nil {", New: "if !f.delivers {",
			Why: "a reader of the database keeps all replicas from delivering, and each is healthy",
		},
		{
			File: "otelx/worker.go", Package: pkg, Run: "^TestReadingIsTriedAgain$",
			Old: "\t\t\tcase err != nil:\n\t\t\t\treturn w.astray(err)\n",
			New: "\t\t\tcase err != nil:\n\t\t\t\tcontinue\n",
			Why: "records that cannot be read are passed over",
		},
		{
			File: "otelx/worker.go", Package: pkg, Run: "^TestAPlaceThatIsStray$",
			Old: "(!reaches(before, head) || !w.begun)",
			New: "!reaches(before, head)",
			Why: "a journal that was cut before the place of its delivery goes unnoticed",
		},
		{
			File: "otelx/rejected.go", Package: pkg, Run: refused,
			Old: "\t\t\terr = w.source.Reject(line)\n",
			New: "\t\t\t_ = w.source.Reject(line)\n",
			Why: "a span is passed over though its rejection could not be kept",
		},
		{
			File: "otelx/export.go", Package: pkg, Run: refused,
			Old: "case permanent || isPermanent(err) || s.isPermanent(err):",
			New: "case permanent || isPermanent(err) || s.isPermanent(err) || true:",
			Why: "an outage rejects spans",
		},
		{
			File: "otelx/export.go", Package: pkg, Run: refused,
			Old: "permanent = permanent || partial && rejected > 0",
			New: "permanent = permanent || partial && rejected > 1<<40",
			Why: "spans that a partial success rejected are never isolated",
		},
		{
			File: "otelx/export.go", Package: pkg, Run: refused,
			Old: "remark = remark && partial && rejected == 0",
			New: "remark = remark && partial",
			Why: "spans that a partial success rejected count as taken",
		},
		{
			File: "rationale/journal/follower.go", Package: journal, Run: "^TestEveryCrashOfAPlace$",
			Old: "errors.Join(writeAll(file, b), file.Sync(), file.Close(), f.j.fs.SyncDir(f.j.dir))",
			New: "errors.Join(writeAll(file, b), file.Close())",
			Why: "a place is not durable when the one before it is removed",
		},
		{
			File: "rationale/journal/followed.go", Package: journal, Run: "^TestEveryCrashOfAPlace$",
			Old: "whole = string(rest) == rationale.Digest(text)+\"\\n\" && json.Unmarshal(text, &p) == nil",
			New: "whole = rest != nil && json.Unmarshal(text, &p) == nil || true",
			Why: "a place that was being written counts",
		},
		{
			File: "rationale/journal/rejected.go", Package: journal, Run: "^TestEveryCrashOfAPlace$",
			Old: "\t\terr = f.rejected.Sync()\n",
			New: "\t\terr = nil\n",
			Why: "a rejection is not durable when its span is passed over",
		},
		{
			File: "rationale/journal/retain.go", Package: journal, Run: "^TestRetireWaitsForFollowers$",
			Old: "n := min(followed, j.expendable(segments, r))",
			New: "n := min(max(followed, len(segments)), j.expendable(segments, r))",
			Why: "what is not delivered is retired",
		},
		{
			File: "rationale/journal/follow.go", Package: journal, Run: "^TestAPlaceBeyondTheEnd$",
			Old: "if t.waiting && at.before != head {",
			New: "if t.waiting && at.before != head && t.failed {",
			Why: "a place beyond the end of the journal is taken for its end",
		},
	}
}
