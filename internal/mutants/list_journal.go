package main

// evidence breaks what the journal and the ledger on it promise. The corpus sees
// verdicts alone, so each fault names the tests that must notice.
func evidence() []mutant {
	const (
		faults    = "^(TestEveryCallFails|TestEveryCrashPoint|TestCrashesInARow|TestAFailedSync.*|TestWhatAFailedSync.*)$"
		pkg       = "./rationale/journal"
		archiving = "^(TestArchiv.*|TestWhatAFolder.*|TestDamageIsNotArchived|TestAnArchiveIs.*|TestRetireWhatIsArchived|TestAFolderArchive.*|TestWhatARepairGaveUp.*)$"
		damaged   = "^(TestTornEndsAreCut|TestDamageIsRefusedAndLocated|TestEveryBitFlipIsDamage|TestEveryTornWriteIsTorn|TestTornBefore.*|TestAFrameCounts.*|TestTheChainOutlives.*)$"
	)
	return []mutant{
		{
			File: "rationale/journal/write.go", Package: pkg, Run: faults,
			Old: "\tif sync {\n\t\tif err := w.meter.sync(w.file); err != nil {\n\t\t\treturn err\n\t\t}\n\t}",
			New: "",
			Why: "an append is acknowledged without an fsync",
		},
		{
			File: "rationale/journal/write.go", Package: pkg, Run: faults,
			Old: "\tw.file, w.torn = nil, true\n",
			New: "",
			Why: "a file is written to again after a failed write or fsync",
		},
		{
			File: "rationale/journal/write.go", Package: pkg, Run: faults,
			Old: "if err == nil && n != len(b) {",
			New: "if err == nil && n == 0 {",
			Why: "a short write without an error counts as written",
		},
		{
			File: "rationale/journal/begin.go", Package: pkg, Run: faults,
			Old: "\tif err := w.fs.SyncDir(w.dir); err != nil {\n\t\treturn err\n\t}\n",
			New: "",
			Why: "the name of a new segment is not durable",
		},
		{
			File: "rationale/journal/begin.go", Package: pkg, Run: faults,
			Old: "\tif err := w.meter.sync(file); err != nil {\n\t\treturn err\n\t}\n",
			New: "",
			Why: "a segment is used whose opening is not durable",
		},
		{
			File: "rationale/journal/recover.go", Package: pkg, Run: "^TestWhatAFailedSyncLeftIsWrittenAgain$",
			Old: "return max(s.frames[len(s.frames)-1].Durable, headerSize+int64(s.header.Opening))",
			New: "return s.end",
			Why: "what the kernel shows after a failed fsync is taken to be on the disk",
		},
		{
			File: "rationale/journal/recover.go", Package: pkg, Run: "^(TestWhatAFailedSyncLeftIsWrittenAgain|TestCrashesInARow|TestEveryCrashPoint)$",
			Old: "\t\tif f.Offset < mark {\n\t\t\tr.durable = chain.Head()\n",
			New: "\t\tif f.Offset < mark || mark > 0 {\n\t\t\tr.durable = chain.Head()\n",
			Why: "the next segment goes on behind what may not be on the disk",
		},
		{
			File: "rationale/journal/write.go", Package: pkg, Run: faults,
			Old: "\t\tw.frame = b[len(b):] // the next is written behind it\n",
			New: "",
			Why: "what was not synced is kept in memory that the next frame overwrites",
		},
		{
			File: "rationale/journal/write.go", Package: pkg, Run: "^TestAWriteDoesNotWaitForASync$",
			Old: "w.failed != nil || w.due(now) ||\n",
			New: "w.failed != nil ||\n",
			Why: "who does not wait for the disk syncs a segment that ends, and cannot leave",
		},
		{
			File: "rationale/journal/osfs.go", Package: pkg, Run: "^TestAppendNoticesALostFile$",
			Old: "case !os.SameFile(file.info, there):",
			New: "case !os.SameFile(there, there):",
			Why: "another file in the place of the lock is not noticed",
		},
		{
			File: "rationale/journal/write.go", Package: pkg, Run: "^TestAppendNoticesALostFile$",
			Old: "\terr = w.fs.InPlace(w.file, w.segment.File)\n",
			New: "\terr = nil\n",
			Why: "a removed segment is written to",
		},
		{
			File: "rationale/journal/write.go", Package: pkg, Run: "^TestAppendNoticesALostFile$",
			Old: "\t\tw.tellLoss(lost)\n",
			New: "",
			Why: "a removed last segment leaves no trace",
		},
		{
			File: "rationale/journal/recover.go", Package: pkg, Run: "^(TestRetire|TestDamageIsRefusedAndLocated)$",
			Old: "if files[0].number > r.oldest {",
			New: "if files[0].number > r.oldest && r.oldest == 0 {",
			Why: "the oldest segments can be taken away",
		},
		{
			File: "rationale/journal/recover.go", Package: pkg, Run: damaged,
			Old: "case next == nil && s.fault != noFault && !s.torn():",
			New: "case next == nil && s.fault != noFault && !s.torn() && s.rest() == 0:",
			Why: "a damaged last frame is cut as if it were torn",
		},
		{
			File: "rationale/journal/format.go", Package: pkg, Run: damaged,
			Old: "if f.Durable > begin {",
			New: "if f.Durable > begin && begin < 0 {",
			Why: "damage of what was synced is cut as if it were torn",
		},
		{
			File: "rationale/journal/format.go", Package: pkg, Run: damaged,
			Old: "if !short && !hasZeroSector(gap, offset) {",
			New: "if !short && bytes.IndexByte(gap, 0) < 0 {",
			Why: "any zero byte makes damage a torn end",
		},
		{
			File: "rationale/journal/format.go", Package: pkg, Run: damaged,
			Old: "if at != uint64(offset) || size == 0 ||",
			New: "if at == 0 || size == 0 ||",
			Why: "a frame counts wherever it lies",
		},
		{
			File: "rationale/journal/recover.go", Package: pkg, Run: damaged,
			Old: "\t\tbody, err := chain.Follow(line)\n\t\tif err != nil {\n\t\t\treturn err\n\t\t}\n\t\tlines++",
			New: "\t\tbody, _ := chain.Follow(line)\n\t\tlines++",
			Why: "opening does not verify the chain",
		},
		{
			File: "rationale/journal/recover.go", Package: pkg, Run: "^TestASnapshotThatIsMissingIsDamage$",
			Old: "\tif s.lacksSnapshot() {\n",
			New: "\tif s.lacksSnapshot() && next != nil {\n",
			Why: "without the snapshot that a header promises, a journal opens with an empty state",
		},
		{
			File: "rationale/journal/recover.go", Package: pkg, Run: "^(TestRepairOf|TestDamageIsRefusedAndLocated)$",
			Old: "case chain.Head() != next.before():",
			New: "case chain.Head().Seq > next.before().Seq:",
			Why: "records that are missing between two segments are not noticed",
		},
		{
			File: "rationale/journal/retain.go", Package: pkg, Run: "^TestRetire$",
			Old: "needed != 0 && s.Number >= needed,",
			New: "needed != 0 && s.Number > needed,",
			Why: "segments go that the state needs",
		},
		{
			File: "rationale/journal/retain.go", Package: pkg, Run: "^TestRetire$",
			Old: "!says(r.Delivered, s, true), ",
			New: "",
			Why: "segments go that were not delivered",
		},
		{
			File: "rationale/journal/retain.go", Package: pkg, Run: "^TestRetireSyncsEachRemoval$",
			Old: "\t\tif err := j.fs.SyncDir(j.dir); err != nil {\n\t\t\treturn segments[:i+1], fmt.Errorf(\"retire segments: %w\", err)\n\t\t}\n",
			New: "",
			Why: "a crash can keep a retired segment with a gap behind it",
		},
		{
			File: "rationale/journal/osfs.go", Package: pkg, Run: "^TestAppendNoticesALostFile$",
			Old: "there.Size() != *file.wrote",
			New: "there.Size() < 0",
			Why: "a segment that somebody else cut is written to",
		},
		{
			File: "rationale/journal/verify.go", Package: pkg, Run: "^TestOldestSegmentsThatNobodyRetiredAreMissing$",
			Old: "\tcase gone.Seq == j.First-1 && gone.Hash == j.prev:\n",
			New: "\tcase true:\n",
			Why: "what a header says of older segments is believed",
		},
		{
			File: "rationale/journal/verify.go", Package: pkg, Run: "^TestCheckpoints$",
			Old: "j.Signed > 0 && behind <= v.Unsigned",
			New: "j.Signed > 0",
			Why: "one checkpoint vouches for everything that is written behind it",
		},
		{
			File: "rationale/journal/verify.go", Package: pkg, Run: "^TestCopiesAreCompared$",
			Old: "case bytes.Equal(got, want):",
			New: "case len(want) > 0 || bytes.Equal(got, want):",
			Why: "a copy of a segment is believed, because another one is read",
		},
		{
			File: "rationale/journal/verify.go", Package: pkg, Run: "^TestVerifyPairsBehindWhatWasRetired$",
			Old: "d.openings < d.journal.openings && !d.journal.damaged",
			New: "d.openings < d.journal.openings && d.journal.First == 1",
			Why: "behind a retirement, a decision without an outcome is not reported",
		},
		{
			File: "rationale/journal/verify.go", Package: pkg, Run: "^TestCheckpoints$",
			Old: "\tif c.Head != want {",
			New: "\tif c.Head.Seq == 0 && c.Head == want {",
			Why: "a checkpoint vouches for any chain",
		},
		{
			File: "rationale/journal/osfs.go", Package: pkg, Run: "^TestCloseUnlocks.*$",
			Old: "return errors.Join(unlock(f.File), f.File.Close())",
			New: "return f.File.Close()",
			Why: "a process that is being started keeps the lock of a journal that was closed",
		},
		{
			File: "rationale/journal/osfs.go", Package: pkg, Run: "^TestOneWriter$",
			Old: "\tif err := lock(f); err != nil {",
			New: "\tif err := error(nil); err != nil {",
			Why: "two processes write one journal",
		},
		{
			File: "rationale/encode.go", Package: "./rationale", Run: "^TestUnmarshalOf.*$",
			Old: "o.Kind == KindOutcome && o.ID != \"\"",
			New: "o.ID != \"\"",
			Why: "a value inside a decision makes an outcome of it",
		},
		{
			File: "guard/ledger/open.go", Package: "./guard/ledger", Run: "^TestStateIsRebuilt$",
			Old: "\topen := m.open.list()\n",
			New: "\tvar open []waiting\n",
			Why: "what a process left open stays without an outcome",
		},
		{
			File: "guard/ledger/deadlines.go", Package: "./guard/ledger", Run: "^TestSnapshotHoldsOnlyWhatIsRecorded$",
			Old: "\t\tif !e.reserved {\n",
			New: "\t\tif e != nil {\n",
			Why: "a snapshot holds decisions that were never recorded",
		},
		{
			File: "guard/ledger/admission.go", Package: "./guard/ledger", Run: "^TestDurability$",
			Old: "d.Spend == nil && d.Limits == nil && d.Ticket == nil",
			New: "d.Limits == nil && d.Ticket == nil",
			Why: "a decision that holds a budget is not synced",
		},
		{
			File: "authority/record.go", Package: "./guard/ledger", Run: "^TestDurabilityOfAClass$",
			Old: "d.Terms.Durability, d.Keyed = class.Durability, e.plan.keyed",
			New: "d.Keyed = e.plan.keyed",
			Why: "a document's durability changes nothing",
		},
		{
			File: "authority/validate_class.go", Package: "./authority", Run: "^TestLoadRefuses$",
			Old: "[]string{\"spend\", \"rate\", \"escalate\"}",
			New: "[]string{\"spend\", \"rate\"}",
			Why: "a class that may ask people gives up the fsync of what it asks",
		},
		{
			File: "authority/validate_class.go", Package: "./authority", Run: "^TestLoadRefuses$",
			Old: "if c.Tier.Known() && c.Tier != classify.Parameterized {",
			New: "if c.Tier == classify.Prohibited {",
			Why: "a class that people approve or review gives up its fsync",
		},
		{
			File: "guard/ledger/state.go", Package: "./guard/ledger", Run: "^TestWhatWasDenied.*$",
			Old: "\t\t\tm.strays = append(m.strays, d.ID)\n",
			New: "",
			Why: "a decision that was denied for lack of an answer seems to have run",
		},
		{
			File: "rationale/journal/archive.go", Package: pkg, Run: archiving,
			Old: "\tif _, err := r.frames(file, scan(data, file.header), follows); err != nil {\n\t\treturn nil, err\n\t}\n",
			New: "\t_, _ = r.frames(file, scan(data, file.header), follows)\n",
			Why: "a damaged segment is archived",
		},
		{
			File: "rationale/journal/archive.go", Package: pkg, Run: archiving,
			Old: "\tcase !given:\n",
			New: "\tcase false:\n",
			Why: "a segment is archived of which nobody knows whether it is whole",
		},
		{
			File: "rationale/journal/archive.go", Package: pkg, Run: archiving,
			Old: "return err == nil, same(ctx, a.to, name, data)",
			New: "return err == nil, nil",
			Why: "a copy is not read back",
		},
		{
			File: "rationale/journal/archive.go", Package: pkg, Run: archiving,
			Old: "return err == nil && same(ctx, a, archiveName(s), data) == nil",
			New: "return err == nil && len(data) > 0",
			Why: "a segment is retired that the archive does not have",
		},
		{
			File: "rationale/journal/folder.go", Package: pkg, Run: archiving,
			Old: "\tif err := a.fs.SyncDir(filepath.Dir(path)); err != nil {\n\t\treturn nil, errors.Join(err, f.Close())\n\t}\n",
			New: "",
			Why: "a segment is retired whose copy has no durable name",
		},
		{
			File: "rationale/journal/folder.go", Package: pkg, Run: archiving,
			Old: "errors.Join(writeAll(f, data), f.Sync(), f.Close())",
			New: "errors.Join(writeAll(f, data), f.Close())",
			Why: "a copy is not durable when its segment is retired",
		},
		{
			File: "rationale/journal/folder.go", Package: pkg, Run: archiving,
			Old: "\tcase taken:\n",
			New: "\tcase taken && len(data) == 0:\n",
			Why: "an archive replaces what it holds",
		},
		{
			File: "guard/ledger/state.go", Package: "./guard/ledger", Run: "^TestAnExpiredTicketHoldsNoSegment$",
			Old: "if e.at.After(now) {", New: "if e.at.After(now) || e.segment > 0 {",
			Why: "a ticket that nobody answered keeps its segment for good",
		},
	}
}
